"""Cancelling an order on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.orders import CANCEL_REASONS, Cancelled, cancel_order
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_one, show_rows
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import opened
from o2c.views.orders import FINAL_STATES


def orders_cancel(
    order: Id,
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    item: Annotated[list[str] | None, typer.Option(metavar="ITEM", help="Only this item, with what relies on it; may be repeated.")] = None,
    code: Annotated[
        str, typer.Option(metavar="WORD", help=f"Why, in a word that is counted: {', '.join(CANCEL_REASONS)}; none when left out.")
    ] = "",
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Cancel an order, or some of its items, and say what was undone.

    Exit 4 when it is past its point of no return.

    What partners have in hand (a port, an eSIM profile, a fitter's visit) is asked back; the order stays pendingCancellation until they
    have answered. Nothing to show means it was cancelled already.

    Example: o2c orders cancel WEB-1001 --item 2 --actor ann --code ordered-twice --reason "ordered twice"
    """
    if not reason.strip():
        raise Refused("--reason stands in the log for good; say why")
    with opened() as session:
        context = Context(actor, command_id=command_id)
        done = cancel_order(session.app, context, order, items=item or (), note=reason, reason=code)
        told_of(done, order, output)


def told_of(done: Cancelled, order: str, output: Format) -> None:
    """Say what came of a cancellation. Raises Refused (conflict) when it was too late."""
    if done.refused:
        raise Refused(done.refused, kind="conflict")
    show_rows(done.undone, output, empty="nothing was left to cancel")
    carried_on = "" if done.state in FINAL_STATES or not done.undone else "; `o2c run` carries on from here"
    err.print(f"order {order} is {done.state}{carried_on}")


def orders_withdraw(
    order: Id,
    actor: Actor,
    item: Annotated[list[str] | None, typer.Option(metavar="ITEM", help="Only this item, with what relies on it; may be repeated.")] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What the customer said, if anything; kept as a personal note.")] = "",
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Withdraw from an order for a consumer, within the market's period, whether it is under way or in service.

    What is under way is cancelled, what is in service ends today, and what can be stopped no more ends once it is there; nothing is charged
    but the days served of what was asked to begin. Exit 4 where there is no such right.

    Example: o2c orders withdraw WEB-1001 --actor ann
    """
    from o2c.desk.withdrawals import withdraw_order

    with opened() as session:
        done = withdraw_order(session.app, Context(actor, command_id=command_id), order, items=item or (), note=note)
    show_one({name: value for name, value in vars(done).items() if name != "written"}, output)
