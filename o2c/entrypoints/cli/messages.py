"""Messages to customers on the command line: what they are told of their orders, in which words, and what came of it; and courtesy
contacts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from o2c.desk import messages as desk
from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId, completing
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.entrypoints.cli.wishes import one_of, text_of
from o2c.views.care import COLUMNS as CARE_COLUMNS
from o2c.views.care import STATES as CARE_STATES
from o2c.views.care import care_due, list_agreements
from o2c.views.messages import COLUMNS, MILESTONES, STATES, list_messages, list_templates, show_message, silences
from o2c.views.reading import time_of

messages = typer.Typer(no_args_is_help=True, help="Messages: what customers are told of their orders, in which words, and what came of it.")
care = typer.Typer(no_args_is_help=True, help="Care: what is agreed with customers, and the courtesy contacts that they are owed.")
Name = Annotated[str, typer.Argument(metavar="MESSAGE", help="The message, as `o2c messages list` shows it.")]
_WAYS = ", ".join(desk.TRANSPORTS)
_way = completing(desk.TRANSPORTS)
Milestone = Annotated[
    str, typer.Option(metavar="NAME", help=f"Only of this: {', '.join(MILESTONES)}.", autocompletion=completing(MILESTONES))
]


@messages.command("start")
def messages_start(
    sender: Annotated[str, typer.Option(metavar="ADDRESS", help="The e-mail address that answers go to.")],
    operator: Annotated[str, typer.Option(metavar="NAME", help="The name under which we write.")],
    actor: Actor,
    email: Annotated[str, typer.Option(metavar="WAY", help=f"How e-mail goes: {_WAYS}.", autocompletion=_way)] = "",
    sms: Annotated[str, typer.Option(metavar="WAY", help="How texts go: file or webhook.", autocompletion=_way)] = "",
    letter: Annotated[str, typer.Option(metavar="WAY", help="How letters go: file or webhook.", autocompletion=_way)] = "",
    after: Annotated[str, typer.Option(metavar="POSITION", help="What happened after this; from now on when left out, 0 for all.")] = "",
    command_id: CommandId = "",
) -> None:
    """Tell customers of their orders from now on, each milestone once.

    A medium without a way is not used. smtp is the server of O2C_SMTP_URL, file a folder below O2C_HOME/outbox, webhook the hooks that are
    told of message.sent. `o2c messages work` sends what is due.

    Example: o2c messages start --sender orders@example.org --operator "Example Mobile" --email file --letter file --actor ann
    """
    for option, way in (("--email", email), ("--sms", sms), ("--letter", letter)):
        one_of(option, way, ("", *desk.TRANSPORTS))
    with opened() as session:
        ways = {"email": cast("desk.Way", email), "sms": cast("desk.Way", sms), "letter": cast("desk.Way", letter)}
        done = desk.start_messages(
            session.app, Context(actor, command_id=command_id), sender=sender, operator=operator, **ways, after=after
        )
        err.print(f"customers are told{'; they were so already' if done.unchanged else ' from now on'}")


@messages.command("stop")
def messages_stop(actor: Actor, command_id: CommandId = "") -> None:
    """Tell customers nothing more until messages are started again.

    What is due waits. What happens meanwhile is never told.

    Example: o2c messages stop --actor ann
    """
    with opened() as session:
        done = desk.stop_messages(session.app, Context(actor, command_id=command_id))
        err.print(f"customers are told nothing{'; it was so already' if done.unchanged else ' any more'}")


@messages.command("templates")
def messages_templates(
    language: Annotated[str, typer.Option(metavar="CODE", help="Only in this language: en, nl, pt.")] = "",
    milestone: Milestone = "",
    output: Output = Format.table,
) -> None:
    """List the words that tell each milestone, by language, with their version.

    Example: o2c messages templates --language nl --milestone delay
    """
    with looking() as session:
        found = list_templates(session.app, language=language, milestone=milestone)
        show_rows(found, output, empty="there are no words in that language", limit=0)


@messages.command("load-templates")
def messages_load_templates(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Words of your own (TOML), with a version.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Put words of your own (TOML) over the packaged ones.

    Messages that are due keep the version that they were made with.

    Example: o2c messages load-templates templates.toml --actor ann
    """
    with opened() as session:
        done = desk.load_templates(session.app, Context(actor, command_id=command_id), templates=text_of(file))
        err.print("these words are in force" if not done.unchanged else "these words were loaded before")


@messages.command("list")
def messages_list(
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only to this customer.")] = "",
    order: Annotated[str, typer.Option(metavar="ORDER", help="Only about this order, by its id or external id.")] = "",
    milestone: Milestone = "",
    state: Annotated[str, typer.Option(metavar="STATE", help=f"One of {', '.join(STATES)}.", autocompletion=completing(STATES))] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List what customers were told, are to be told, or were not told; the last first.

    Of an unknown one nobody knows whether it arrived: it is sent again only by `o2c messages resend`.

    Example: o2c messages list --milestone received
    """
    with looking() as session:
        current(session)
        most = rows_wanted(limit, output)
        found = list_messages(session.app, customer=customer, order=order, milestone=milestone, state=state, limit=most)
        show_rows(found, output, empty="there are no such messages", columns=COLUMNS, limit=0)


@messages.command("show")
def messages_show(
    message: Name,
    personal: Annotated[bool, typer.Option("--personal", help="The words as the customer reads them, and addresses, too.")] = False,
    output: Output = Format.table,
) -> None:
    """Show one message: by which media it goes, and what became of it.

    Example: o2c messages show 2c8b1b0e-6a55-5f2e-9a41-0c7b9d0f7a11 --personal
    """
    with looking() as session:
        show_one(show_message(session.app, message, personal=personal), output)


@messages.command("resend")
def messages_resend(
    message: Name,
    actor: Actor,
    medium: Annotated[
        str, typer.Option(metavar="MEDIUM", help=f"By {', '.join(desk.BY)}; as it was when left out.", autocompletion=completing(desk.BY))
    ] = "",
    command_id: CommandId = "",
) -> None:
    """Send a message again, at once.

    Example: o2c messages resend 2c8b1b0e-6a55-5f2e-9a41-0c7b9d0f7a11 --medium letter --actor ann
    """
    with opened() as session:
        desk.resend(session.app, Context(actor, command_id=command_id), message, medium=medium)
        err.print("it is sent again by `o2c messages work`")


@messages.command("bounced")
def messages_bounced(
    message: Name,
    code: Annotated[str, typer.Option(metavar="CODE", help="Why, as whoever sent it back says: 5.1.1.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Take down that a message came back or never arrived.

    It goes by the customer's next medium.

    Example: o2c messages bounced 2c8b1b0e-6a55-5f2e-9a41-0c7b9d0f7a11 --code 5.1.1 --actor ann
    """
    with opened() as session:
        done = desk.bounced(session.app, Context(actor, command_id=command_id), message, code=code)
        err.print("known already" if done.unchanged else "taken down; it goes by the next medium, if there is one")


@messages.command("silences")
def messages_silences(
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only of this customer.")] = "",
    order: Annotated[str, typer.Option(metavar="ORDER", help="Only about this order, by its id or external id.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List who asked where an order is, and for how long nobody had told of it.

    Example: o2c messages silences
    """
    with looking() as session:
        current(session)
        found = silences(session.app, customer=customer, order=order, limit=rows_wanted(limit, output))
        show_rows(found, output, empty="nobody asked where an order is", limit=0)


@messages.command("send")
def messages_send() -> None:
    """Tell customers what is due by now, once, and say how much that was.

    In simulated time what comes of a message happens when it was due.

    Example: o2c messages send
    """
    # Only now: who asks for help needs none of it.
    from o2c.running.messages import Messenger

    with opened() as session:
        err.print(f"{Messenger(session).send()} messages were sent")


@messages.command("work")
def messages_work() -> None:
    """Tell customers what is due as it comes, until SIGTERM or Ctrl-C.

    One at a time does; another waits for its turn.

    Example: o2c messages work
    """
    from o2c.running.crew import work
    from o2c.running.messages import Messenger

    with opened() as session:
        work(Messenger(session, begun=lambda: err.print("customers are told what is due; Ctrl-C ends it")), None)


@care.command("due")
def care_due_(
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only to this customer.")] = "",
    tier: Annotated[str, typer.Option(metavar="TIER", help="Only to this tier, such as key-account.")] = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help=f"Only {', '.join(CARE_STATES)}.", autocompletion=completing(CARE_STATES))
    ] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="Of milestones since then.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List the courtesy contacts that are owed: open, done or missed, and by whom.

    A contact that we made about the order before it was due does it: `o2c customers contact --direction outbound`.

    Example: o2c care due --state missed
    """
    with looking() as session:
        current(session)
        begin, most = time_of(since) if since else None, rows_wanted(limit, output)
        found = care_due(session.app, customer=customer, tier=tier, state=state, since=begin, limit=most)
        show_rows(found, output, empty="no courtesy contact is owed", columns=CARE_COLUMNS, limit=0)


@care.command("agreements")
def care_agreements_(output: Output = Format.table) -> None:
    """List what is agreed with customers: contacts, until which hour, and within how many days an order is complete.

    Contacts are by milestone, in working days. By tier, and of those customers who have an agreement of their own.

    Example: o2c care agreements
    """
    with looking() as session:
        show_rows(list_agreements(session.app), output)


@care.command("load")
def care_load_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Agreements (TOML), with a version.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Put agreements with your customers (TOML) in force from now on, in place of those before.

    Each tier under [tiers.NAME], a customer's own under [agreements.NAME] with `customers`; `o2c care agreements` shows those in force.

    Example: o2c care load agreements.toml --actor ann
    """
    from o2c.desk.customers import load_agreements  # needs the rules; the lists do not

    with opened() as session:
        done = load_agreements(session.app, Context(actor, command_id=command_id), definitions=text_of(file))
        err.print("these agreements are in force already" if done.unchanged else "these agreements are in force from now on")
