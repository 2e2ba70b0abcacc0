"""Hooks on the command line: who is told of events over HTTP, and what came of telling."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk import hooks as desk
from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId, completing
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.hooks import COLUMNS, DELIVERY_COLUMNS, FORMATS, STATES, format_named, list_deliveries, list_hooks
from o2c.views.reading import time_of

hooks = typer.Typer(no_args_is_help=True, help="Hooks: who is told of events over HTTP, and what came of telling.")
Name = Annotated[str, typer.Argument(metavar="HOOK", help="The hook, as `o2c hooks list` shows it.")]


@hooks.command("subscribe")
def hooks_subscribe(
    url: Annotated[str, typer.Argument(metavar="URL", help="The https address that is told.")],
    actor: Actor,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="NAME", help="A stored name, or a pattern; all when left out.")
    ] = None,
    told_as: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.", autocompletion=completing(FORMATS))
    ] = "native",
    after: Annotated[str, typer.Option(metavar="POSITION", help="Begin after this position; after the last event when left out.")] = "",
    captured_by: Annotated[str, typer.Option("--captured-by", metavar="NAME", help="Only of orders that it captured.")] = "",
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only of this customer.")] = "",
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Numbers and SIMs in full.")] = False,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Tell an address of events from now on.

    Each message is signed by the secret that is shown here and never again (Standard Webhooks). Events of one stream come in their order,
    each at least once. Deliveries are made by `o2c hooks work`, and by `o2c serve`.

    Example: o2c hooks subscribe https://shop.example/events --type 'order.*' --actor ann
    """
    with opened() as session:
        made = desk.subscribe(
            session.app, session.home, Context(actor, command_id=command_id), url, types=types or (), format=format_named(told_as),
            after=after, captured_by=captured_by, customer=customer, unmasked=unmasked,
        )  # fmt: skip
        show_one({"hook": made.hook, "secret": made.secret, "position": str(made.position)}, output)


@hooks.command("unsubscribe")
def hooks_unsubscribe(hook: Name, actor: Actor, command_id: CommandId = "") -> None:
    """Tell a hook nothing any more, for good.

    What it was still to be told is forgotten.

    Example: o2c hooks unsubscribe b3c0f1d2-7a5e-4c18-9f60-2d8e4a71c95b --actor ann
    """
    with opened() as session:
        desk.unsubscribe(session.app, Context(actor, command_id=command_id), hook)
        err.print(f"{hook} is told nothing any more")


@hooks.command("allow-private-address")
def hooks_allow_private_address(hook: Name, actor: Actor, command_id: CommandId = "") -> None:
    """Allow that a hook's address is one of our own network, or is reached without TLS.

    Until then such a hook is told nothing, so that nobody reaches what he must not through us.

    Example: o2c hooks allow-private-address b3c0f1d2-7a5e-4c18-9f60-2d8e4a71c95b --actor ann
    """
    with opened() as session:
        desk.allow_private_address(session.app, Context(actor, command_id=command_id), hook)
        err.print(f"{hook} may be told at an address of our own network")


@hooks.command("rotate")
def hooks_rotate(hook: Name, actor: Actor, command_id: CommandId = "", output: Output = Format.table) -> None:
    """Give a hook a new secret, shown once.

    For 24 hours the old one signs beside it.

    Example: o2c hooks rotate b3c0f1d2-7a5e-4c18-9f60-2d8e4a71c95b --actor ann
    """
    with opened() as session:
        made = desk.rotate(session.app, session.home, Context(actor, command_id=command_id), hook)
        show_one({"hook": made.hook, "secret": made.secret, "position": str(made.position)}, output)


@hooks.command("resume")
def hooks_resume(hook: Name, actor: Actor, command_id: CommandId = "") -> None:
    """Tell a suspended hook of events again, from where it stopped.

    What waits for its next attempt is tried at once.

    Example: o2c hooks resume b3c0f1d2-7a5e-4c18-9f60-2d8e4a71c95b --actor ann
    """
    with opened() as session:
        done = desk.resume(session.app, Context(actor, command_id=command_id), hook)
        err.print(f"{hook} is told of events{'; it was so already' if done.unchanged else ' again'}")


@hooks.command("resend")
def hooks_resend(
    hook: Name,
    actor: Actor,
    delivery: Annotated[str, typer.Option(metavar="ID", help="This one, as `o2c hooks deliveries` shows it.")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="All that were made since then.")] = "",
    command_id: CommandId = "",
) -> None:
    """Send again what was given up: one delivery, or all since a time.

    They go out under their old ids, so that a subscriber who has one after all knows it again.

    Example: o2c hooks resend b3c0f1d2-7a5e-4c18-9f60-2d8e4a71c95b --since 2026-04-15 --actor ann
    """
    with opened() as session:
        begin = time_of(since) if since else None
        desk.resend(session.app, Context(actor, command_id=command_id), hook, delivery=delivery, since=begin)
        err.print("they are sent again by `o2c hooks work` or `o2c serve`")


@hooks.command("list")
def hooks_list(
    captured_by: Annotated[str, typer.Option("--captured-by", metavar="NAME", help="Only those that tell of its orders.")] = "",
    output: Output = Format.table,
) -> None:
    """List the hooks: whom they tell of what, how much is still to be told, and how much was given up.

    Example: o2c hooks list
    """
    with looking() as session:
        show_rows(list_hooks(session.app, captured_by=captured_by), output, empty="nobody is told of events", columns=COLUMNS)


@hooks.command("deliveries")
def hooks_deliveries(
    hook: Name,
    state: Annotated[str, typer.Option(metavar="STATE", help=f"One of {', '.join(STATES)}.", autocompletion=completing(STATES))] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="Made since then.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List what a hook was told, is to be told, or was not told in the end; the last first.

    Example: o2c hooks deliveries b3c0f1d2-7a5e-4c18-9f60-2d8e4a71c95b
    """
    with looking() as session:
        begin = time_of(since) if since else None
        found = list_deliveries(session.app, hook, state=state, since=begin, limit=rows_wanted(limit, output))
        show_rows(found, output, empty="there are no deliveries", columns=DELIVERY_COLUMNS, limit=0)


@hooks.command("work")
def hooks_work() -> None:
    """Tell hooks of events as they happen, until SIGTERM or Ctrl-C.

    Any number of these share the hooks. What is under way when one dies is sent again, under the same id.

    Example: o2c hooks work
    """
    # Only now: who asks for help needs none of it.
    from o2c.entrypoints.http.tmf.notifying import TELLERS
    from o2c.running.crew import work
    from o2c.running.hooks import Deliverer

    with opened() as session:
        work(Deliverer(session, TELLERS, begun=lambda: err.print("hooks are told of events; Ctrl-C ends it")), None)
