"""Withdrawals from contracts, and goods that come back, on the command line."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.reading import day_of, part_after_part
from o2c.views.withdrawals import list_withdrawals, show_withdrawal

returns = typer.Typer(
    no_args_is_help=True, help="Withdrawals of consumers from contracts: list them, take goods back, see whose money is late."
)
LISTED = (
    "product",
    "offering",
    "customer",
    "state",
    "goods_state",
    "declared_on",
    "send_back_by",
    "overdue",
    "grade",
    "refund_minor",
    "currency",
    "refund_by",
    "refunded_on",
    "late",
)
PRODUCT = typer.Argument(metavar="PRODUCT", help="The id of the product that was withdrawn from.", show_default=False)


@returns.command("list")
def returns_list(
    customer: Annotated[list[str] | None, typer.Option("--customer", metavar="ID", help="Only this customer's; again for each.")] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only these: to-come, declared, awaiting-goods, sent, received, graded, settled."),
    ] = None,
    goods_state: Annotated[
        list[str] | None,
        typer.Option("--goods", metavar="STATE", help="Only goods that stand so: asked, label, sent, received, restocked, scrapped, lost."),
    ] = None,
    late: Annotated[bool, typer.Option("--late", help="Only those whose money is, or was, late.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only goods that were not sent back by their day.")] = False,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List the withdrawals that customers declared, the oldest first, with what goes back and by when.

    Example: o2c returns list --state awaiting-goods
    """
    picked: dict[str, Any] = {"customers": customer or [], "states": state or [], "late": late}
    picked |= {"goods_states": goods_state or [], "overdue": overdue}
    with looking() as session:
        found = part_after_part(partial(list_withdrawals, session.app, **picked), rows_wanted(limit, output))
        show_rows(found, output, columns=LISTED, limit=limit, empty="no such withdrawals")


@returns.command("show")
def returns_show(product: Annotated[str, PRODUCT], output: Output = Format.table) -> None:
    """Show a withdrawal: what stays owed or is kept, what goes back and by when, the goods, and everything that happened.

    Example: o2c returns show 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1
    """
    with looking() as session:
        show_one(show_withdrawal(session.app, product), output)


@returns.command("sent")
def returns_sent(
    product: Annotated[str, PRODUCT],
    actor: Actor,
    day: Annotated[str, typer.Option("--on", metavar="DAY", help="The day on which the parcel was sent, as 2026-01-09.")],
    reference: Annotated[str, typer.Option(metavar="TEXT", help="The carrier's reference of the parcel.")],
    command_id: CommandId = "",
) -> None:
    """Take down that a customer proved to have sent goods back: the money then goes back in time, wherever the parcel is.

    Example: o2c returns sent 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1 --on 2026-01-09 --reference PCL-20395 --actor ann
    """
    from o2c.desk.withdrawals import proven_sent  # needs the rules; what only shows does not

    with opened() as session:
        context = Context(actor, command_id=command_id)
        proven_sent(session.app, context, product, sent_on=day_of(day), reference=reference)
    err.print(f"the goods of {product} were sent back")


@returns.command("grade")
def returns_grade(
    product: Annotated[str, PRODUCT],
    actor: Actor,
    grade: Annotated[str, typer.Option(metavar="GRADE", help="as-new, used, damaged, or lost on its way back.")],
    command_id: CommandId = "",
) -> None:
    """Say how goods came back: their price is credited but for what the market lets be kept, and the money goes back.

    As new they are sold again, used or damaged they are scrapped, and what was lost is blocked.

    Example: o2c returns grade 6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1 --grade as-new --actor ann
    """
    from o2c.desk.withdrawals import grade as graded

    with opened() as session:
        graded(session.app, Context(actor, command_id=command_id), product, grade)
    err.print(f"the goods of {product} came back: {grade}")
