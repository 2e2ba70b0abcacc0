"""Cancelling an order on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.orders import Cancelled, cancel_order
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import opened
from o2c.views.orders import FINAL_STATES


def orders_cancel(
    order: Id,
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    item: Annotated[list[str] | None, typer.Option(metavar="ITEM", help="Only this item, with what relies on it; may be repeated.")] = None,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Cancel an order, or some of its items, and say what was undone.

    Exit 4 when it is past its point of no return.

    What partners have in hand (a port, an eSIM profile, a fitter's visit) is asked back; the order stays pendingCancellation until they have
    answered. Nothing to show means it was cancelled already.

    Example: o2c orders cancel WEB-1001 --item 2 --actor ann --reason "ordered twice"
    """
    if not reason.strip():
        raise Refused("--reason stands in the log for good; say why")
    with opened() as session:
        context = Context(actor, command_id=command_id)
        done = cancel_order(session.app, context, order, items=item or (), note=reason)
        told_of(done, order, output)


def told_of(done: Cancelled, order: str, output: Format) -> None:
    """Say what came of a cancellation. Raises Refused (conflict) when it was too late."""
    if done.refused:
        raise Refused(done.refused, kind="conflict")
    show_rows(done.undone, output, empty="nothing was left to cancel")
    carried_on = "" if done.state in FINAL_STATES or not done.undone else "; `o2c run` carries on from here"
    err.print(f"order {order} is {done.state}{carried_on}")
