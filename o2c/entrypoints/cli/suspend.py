"""Suspending an order in flight and resuming it on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context, Refused, Written
from o2c.desk.suspending import WAITERS, resume_order, suspend_order
from o2c.entrypoints.cli.options import Actor, CommandId, completing
from o2c.entrypoints.cli.output import err
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import opened
from o2c.views.reading import time_of


def orders_suspend(
    order: Id,
    actor: Actor,
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when at the longest; then it comes to a queue.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    waits_for: Annotated[
        str, typer.Option(metavar="WHOM", help=f"For whom it waits: {', '.join(WAITERS)}.", autocompletion=completing(WAITERS))
    ] = "customer",
    command_id: CommandId = "",
) -> None:
    """Suspend an order in flight: nothing new of it begins until it is resumed; what partners have goes on.

    It is pending meanwhile, the days promised move, and it can be changed and cancelled as before. Suspended already, it has the new end.

    Example: o2c orders suspend WEB-1001 --until 2026-03-15 --actor ann --reason "moves in a month later"
    """
    if not reason.strip():
        raise Refused("--reason stands in the log for good; say why")
    with opened() as session:
        context = Context(actor, command_id=command_id)
        done = suspend_order(session.app, context, order, until=time_of(until), waits_for=waits_for, note=reason)
        err.print(f"order {order} {_stands(done, 'is suspended', 'was suspended so already')}")


def orders_resume(
    order: Id,
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")] = "",
    command_id: CommandId = "",
) -> None:
    """Let a suspended order go on; the days promised move to what is expected of it now.

    Example: o2c orders resume WEB-1001 --actor ann --reason "the keys came early"
    """
    with opened() as session:
        done = resume_order(session.app, Context(actor, command_id=command_id), order, note=reason)
        err.print(f"order {order} {_stands(done, 'goes on; `o2c run` carries on from here', 'was not suspended')}")


def _stands(done: Written, changed: str, stood: str) -> str:
    return stood if done.unchanged else changed
