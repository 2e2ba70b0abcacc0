"""Journeys on the command line: what people tried before there was an order, winning them back, and their orders at last."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from o2c.desk.act import Context, Refused
from o2c.entrypoints.cli.options import Actor, CommandId, completing
from o2c.entrypoints.cli.output import Format, Limit, Output, err, show_one, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.entrypoints.cli.wishes import text_of
from o2c.views.journeys import STATES, State, list_journeys, show_journey, show_policy

journeys = typer.Typer(
    no_args_is_help=True,
    help="Journeys: what people tried before there was an order, getting in touch with them, and their orders at last.",
)
Id = Annotated[str, typer.Argument(metavar="JOURNEY", help="The journey's id, as the list gives it.", show_default=False)]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="PLACE=VALUE",
        help="What was keyed in, such as /productOrderItem/0/productOffering/id=lark-line; again for each.",
    ),
]
LISTED = ("journey", "customer", "channels", "state", "attempts", "failed_at", "outreach", "order", "value_minor", "currency", "apart")


def _fields(texts: list[str] | None) -> dict[str, str]:
    """Fields as they are typed. Raises Refused, showing no value."""
    parts = [text.partition("=") for text in texts or ()]
    if wrong := next((place for place, sign, _ in parts if not sign), ""):
        raise Refused(f"{wrong[:40]!r} has no value; write a field as PLACE=VALUE")
    return {place: value for place, _, value in parts}


@journeys.command("list")
def journeys_list(
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only those of this customer.")] = "",
    state: Annotated[
        State, typer.Option(metavar="STATE", help=f"Only those that are {', '.join(STATES)}.", autocompletion=completing(STATES))
    ] = "",
    everything: Annotated[bool, typer.Option("--everything", help="Those of programs and of our own tests too.")] = False,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List journeys: customer, channels, state, what was tried, when it failed, outreach, order and worth.

    Each is open, ordered, recovered (ordered after something had failed and we got in touch) or lost.

    Example: o2c journeys list --state open -o jsonl
    """
    with looking() as session:
        found = list_journeys(session.app, customer=customer, state=state, everything=everything, limit=1_000)
        show_rows(found, output, columns=LISTED, limit=limit, empty="no journey")


@journeys.command("policy")
def journeys_policy(output: Output = Format.table) -> None:
    """Show what is done about journeys: when one is lost, how people are got in touch with, and who is no customer.

    Example: o2c journeys policy
    """
    with looking() as session:
        show_one(show_policy(session.app), output)


@journeys.command("load-policy")
def journeys_load_policy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy of your own (TOML), with a version.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Put a policy of your own for journeys (TOML) in force, in place of the one before; `o2c journeys policy` shows it.

    Example: o2c journeys load-policy journeys.toml --actor ann
    """
    from o2c.desk.journeys import load_policy  # needs the rules; the list does not

    with opened() as session:
        done = load_policy(session.app, Context(actor, command_id=command_id), definitions=text_of(file))
        err.print("this policy is in force already" if done.unchanged else "this policy is in force")


@journeys.command("show")
def journeys_show(
    journey: Id,
    personal: Annotated[bool, typer.Option("--personal", help="What was keyed in, and who it is, while that is kept.")] = False,
    output: Output = Format.table,
) -> None:
    """Show one journey: what was tried when and where, how it failed, which fields were keyed in, and how we got in touch.

    Example: o2c journeys show 3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6
    """
    with looking() as session:
        show_one(show_journey(session.app, journey, personal=personal), output)


@journeys.command("note")
def journeys_note(
    kind: Annotated[str, typer.Option(metavar="KIND", help="basket, quote, failed, abandoned-call, visit or resumed.")],
    channel: Annotated[str, typer.Option(metavar="CHANNEL", help="web, app, call, chat, store or partner.")],
    actor: Actor,
    login: Annotated[str, typer.Option(metavar="TEXT", help="The login by which the person is known.")] = "",
    phone: Annotated[str, typer.Option(metavar="NUMBER", help="The telephone number.")] = "",
    token: Annotated[str, typer.Option(metavar="TEXT", help="The token of the browser.")] = "",
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="The customer, where it is one of ours.")] = "",
    journey: Annotated[str, typer.Option(metavar="JOURNEY", help="The journey, where it is known.")] = "",
    offering: Annotated[list[str] | None, typer.Option("--offering", metavar="ID", help="What it was about; again for each.")] = None,
    value: Annotated[str, typer.Option(metavar="AMOUNT", help="What the wish is worth, without tax: 24.00.")] = "",
    field: Fields = None,
    error: Annotated[str, typer.Option(metavar="CODE", help="Of what failed: the channel's code, such as HTTP-504.")] = "",
    waited: Annotated[int, typer.Option(metavar="SECONDS", help="Of what failed: how long the person waited.", min=0)] = 0,
    ivr: Annotated[int, typer.Option(metavar="SECONDS", help="Of a call: how long with the machine.", min=0)] = 0,
    hold: Annotated[int, typer.Option(metavar="SECONDS", help="Of a call: how long on hold.", min=0)] = 0,
    store: Annotated[str, typer.Option(metavar="CODE", help="Of a visit: which store.")] = "",
    reference: Annotated[str, typer.Option(metavar="CODE", help="Of a quote: its reference.")] = "",
    client: Annotated[str, typer.Option(metavar="TEXT", help="What the program calls itself; it is judged and not kept.")] = "",
    market: Annotated[str, typer.Option(metavar="CODE", help="The market.", show_default=True)] = "GB",
    command_id: CommandId = "",
) -> None:
    """Take down what somebody tried before there is an order, in whatever channel; who was on a journey is on it still.

    Prints the journey on standard output.

    Example: o2c journeys note --kind failed --channel web --login ada@example.org --error HTTP-504 --waited 94 --actor web-shop
    """
    from o2c.desk.journeys import note_attempt  # needs the rules; the list does not

    with opened() as session:
        tried = note_attempt(
            session.app,
            Context(actor, command_id=command_id),
            kind,  # type: ignore[arg-type] # the desk says which there are
            channel,  # type: ignore[arg-type] # the same
            login=login,
            phone=phone,
            token=token,
            customer=customer,
            journey=journey,
            offerings=offering or (),
            value=value,
            fields=_fields(field),
            error=error,
            waited_s=waited,
            ivr_s=ivr,
            hold_s=hold,
            store=store,
            reference=reference,
            client=client,
            market=market,
        )
    typer.echo(tried.journey)


@journeys.command("reach")
def journeys_reach(
    journey: Id,
    medium: Annotated[str, typer.Option(metavar="MEDIUM", help="call, mail, e-mail, text-message or chat.")],
    outcome: Annotated[str, typer.Option(metavar="OUTCOME", help="reached, no-answer, not-wanted or wrong-contact.")],
    actor: Actor,
    voucher: Annotated[str, typer.Option(metavar="CODE", help="A voucher that was promised: used once, by nobody yet.")] = "",
    command_id: CommandId = "",
) -> None:
    """Take down that we got in touch with somebody whom something failed, and the voucher that was promised, if any.

    Example: o2c journeys reach 3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6 --medium call --outcome reached --voucher SORRY-A1 --actor ann
    """
    from o2c.desk.winning_back import reach_journey  # needs the rules; the list does not

    with opened() as session:
        context = Context(actor, command_id=command_id)
        reach_journey(session.app, context, journey, medium=medium, outcome=outcome, voucher=voucher)  # type: ignore[arg-type] # the rule says which there are
        err.print(f"journey {journey}: {outcome} by {medium}")


@journeys.command("order")
def journeys_order(
    journey: Id,
    channel: Annotated[str, typer.Option(metavar="CHANNEL", help="web, app, call, chat, store or partner.")],
    actor: Actor,
    field: Fields = None,
    external_id: Annotated[str, typer.Option(metavar="ID", help="The order's external id; made of the journey when left out.")] = "",
    market: Annotated[str, typer.Option(metavar="CODE", help="The market.", show_default=True)] = "GB",
    command_id: CommandId = "",
) -> None:
    """Order what was keyed in on a journey, in any channel, with what was still missing and the voucher that was promised.

    Prints the order's id on standard output. Exit 4 where the journey has its order, or what was keyed in is gone.

    Example: o2c journeys order 3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6 --channel call --actor ann
    """
    from o2c.desk.winning_back import order_journey  # needs the rules; the list does not

    with opened() as session:
        context = Context(actor, command_id=command_id)
        captured = order_journey(
            session.app,
            context,
            journey,
            channel,  # type: ignore[arg-type] # the desk says which there are
            fields=_fields(field),
            external_id=external_id,
            market=market,
        )
    typer.echo(captured.order)
