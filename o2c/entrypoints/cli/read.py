"""Reading commands: status, orders, metrics. They first catch up, so that what was written before is seen."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.entrypoints import queries
from o2c.entrypoints.cli.output import Format, Output, show_one, show_rows
from o2c.entrypoints.cli.session import opened

orders = typer.Typer(no_args_is_help=True, help="Orders: as they stand, and how they came to be so.")
metrics = typer.Typer(no_args_is_help=True, help="Figures over all orders.")
ORDER_COLUMNS = ("external_id", "state", "channel", "captured_at", "items", "open_fallouts")
Id = Annotated[str, typer.Argument(help="Order id or the channel's external id.")]


def status(output: Output = Format.table) -> None:
    """The whole store in numbers.

    Fallouts: `by_reason` counts open and closed ones, `open_by_reason` the open ones. Invoices: `issued` counts all, `paid` those paid in full, `overdue` those now unpaid past their due date.

    Example: o2c status -o json
    """
    with opened() as session:
        queries.caught_up(session.app)
        show_one(queries.status(session.app), output)


@orders.command("list")
def orders_list(
    state: Annotated[str, typer.Option(help="Only orders in this state.")] = "",
    customer: Annotated[str, typer.Option(help="Only orders of this customer.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")] = 0,
    output: Output = Format.table,
) -> None:
    """List orders by capture time.

    Example: o2c orders list --state pending -o jsonl
    """
    with opened() as session:
        queries.caught_up(session.app)
        show_rows(
            queries.orders(session.app, state=state, customer=customer, limit=limit or None),
            output,
            empty="no such orders",
            columns=ORDER_COLUMNS,
        )


@orders.command("show")
def orders_show(order: Id, output: Output = Format.table) -> None:
    """Show one order: its state, items, open fallouts and invoices.

    Example: o2c orders show WEB-1001
    """
    with opened() as session:
        queries.caught_up(session.app)
        show_one(queries.order(session.app, order), output)


@orders.command("timeline")
def orders_timeline(order: Id, output: Output = Format.table) -> None:
    """Every event of an order with those of its SIMs, numbers, account and invoices, in log order. Personal fields are left out.

    Example: o2c orders timeline WEB-1001 -o jsonl
    """
    with opened() as session:
        rows = queries.timeline(session.app, order)
        if output is Format.table:
            rows = ({key: row[key] for key in ("occurred_at", "stream", "type", "actor", "data")} for row in rows)
        show_rows(rows, output)


@orders.command("plan")
def orders_plan(order: Id, output: Output = Format.table) -> None:
    """The plan of an order: per item its steps, what they wait for, and how they stand.

    Example: o2c orders plan WEB-1001
    """
    with opened() as session:
        show_rows(queries.plan_of(session.app, order), output, empty="the order is not planned yet")


@metrics.command("cycle-time")
def cycle_time(output: Output = Format.table) -> None:
    """Percentiles between milestones, by channel and offering; `*` stands for all of them.

    Example: o2c metrics cycle-time -o json
    """
    with opened() as session:
        queries.caught_up(session.app)
        show_rows(queries.cycle_times(session.app), output, empty="nothing was measured yet")
