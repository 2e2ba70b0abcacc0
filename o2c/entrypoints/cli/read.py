"""Reading commands: status, orders, metrics. They first catch up, so that what was written before is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from o2c.entrypoints.cli.happenings import in_a_line
from o2c.entrypoints.cli.options import complete_state, completing
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking
from o2c.entrypoints.cli.wishes import one_of
from o2c.views import finding as look_ups
from o2c.views.orders import ORDER_STATES, list_orders
from o2c.views.reading import time_of
from o2c.views.status import cycle_times, promises_kept, show_status
from o2c.views.timeline import matters, order_timeline

orders = typer.Typer(no_args_is_help=True, help="Orders: find them, see how they stand and came to be so, cancel them.")
metrics = typer.Typer(no_args_is_help=True, help="Figures over all orders, and for a monitoring system.")
FOUND_COLUMNS = ("external_id", "customer", "state", "captured_at", "holds", "found_by")
ORDER_COLUMNS = ("external_id", "customer", "state", "channel", "captured_at", "items", "open_fallouts")
EVENT_COLUMNS = ("occurred_at", "type", "item", "what", "actor")
PLAN_COLUMNS = ("item", "offering", "step", "status", "asked_at", "done_at", "expected_at", "what", "attempt")
SECTIONS = {
    "steps": ("item", "step", "what", "done_at", "expected_at", "asked_at"),
    "open_fallouts": ("fallout", "reason", "item", "step", "next", "waiting_for", "queue", "opened_at"),
}
FULL_COLUMNS = ("occurred_at", "type", "stream", "data", "actor")
Id = Annotated[str, typer.Argument(metavar="ORDER", help="Order id or the channel's external id.")]


def status(output: Output = Format.table) -> None:
    """Show the whole store in numbers: orders, items, fallouts, invoices, stock.

    Fallouts: `by_reason` counts open and closed ones, `open_by_reason` the open ones. Invoices: `issued` counts all, `paid` those paid in
    full, `overdue` those now unpaid past their due date.

    Example: o2c status -o json
    """
    with looking() as session:
        current(session)
        show_one(show_status(session.app), output)


@orders.command("list")
def orders_list(
    state: Annotated[
        str,
        typer.Option(metavar="STATE", help=f"Only orders in this state: {', '.join(ORDER_STATES)}.", autocompletion=complete_state),
    ] = "",
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only orders of this customer.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List orders, oldest first.

    Example: o2c orders list --state pending -o jsonl
    """
    one_of("--state", state, ORDER_STATES)
    with looking() as session:
        current(session)
        show_rows(
            list_orders(session.app, state=state, customer=customer, limit=rows_wanted(limit, output)),
            output,
            empty="no such orders",
            columns=ORDER_COLUMNS,
            limit=0,
        )


@orders.command("find")
def orders_find(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the caller has at hand.")],
    by: Annotated[
        str,
        typer.Option(
            metavar="FORM",
            help=f"What it is: {', '.join(look_ups.FORMS)}. All that it could be when left out.",
            autocompletion=completing(look_ups.FORMS),
        ),
    ] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Find orders by id, external id, number, SIM, customer, name or e-mail; a customer without any is named.

    Exit 3 when there is nobody. A number (as dialled at home, or +44...) and a SIM lead to every order that ever held them; `holds` marks
    the one that does now. Names and e-mails are looked up by a keyed index that holds none of them: in full, in any case and order of
    words. Its key is O2C_LOOKUP_KEY (64 hex digits), or the file lookup.key in O2C_HOME, made when first needed.

    Example: o2c orders find +447700900123
    """
    with looking() as session:
        current(session)
        show_rows(look_ups.find_orders(session.app, session.home, text, by), output, columns=FOUND_COLUMNS, limit=limit)
        if skipped := look_ups.untried(session.home, text, by):
            err.print(f"not looked up as {' or '.join(skipped)}: that needs a key, and none is given")


@orders.command("show")
def orders_show(
    order: Id,
    at: Annotated[
        str, typer.Option(metavar="TIME", help="As it stood at this time: what had happened by then. Date or RFC 3339 time.")
    ] = "",
    known_at: Annotated[int | None, typer.Option(metavar="POSITION", min=0, help="As far as the log told up to this position.")] = None,
    output: Output = Format.table,
) -> None:
    """Show one order: its state, items, open fallouts and invoices, now or as they were.

    Example: o2c orders show WEB-1001 --at 2026-01-20T09:00:00Z
    """
    from o2c.views.order_page import show_order  # needs the plan, which is half of a start; the lists beside it do not

    with looking() as session:
        current(session)
        shown = show_order(session.app, order, at=time_of(at) if at else None, known_at=known_at)
        show_one(shown, output, columns=SECTIONS)


@orders.command("timeline")
def orders_timeline(
    order: Id,
    full: Annotated[bool, typer.Option("--full", help="Every event with all that it says, and what went before and after.")] = False,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Show what happened to an order, with its SIMs, numbers, account and invoices, in the order of the log.

    Of these, what concerns the order and while it does: the months of a number before it, and invoices that bill other orders only, are
    left out. A table leaves out requests and what the stock and the account tell a second time; JSON has all. --full shows everything, in
    both. Personal fields are left out.

    Example: o2c orders timeline WEB-1001 -o jsonl
    """
    with looking() as session:
        rows = order_timeline(session.app, order, whole=full)
        if output is not Format.table:
            show_rows(rows, output, limit=limit)
            return
        found = list(rows)
        shown = found if full else [row for row in found if matters(row)]
        show_rows(shown, output, limit=limit, columns=FULL_COLUMNS if full else EVENT_COLUMNS, less=in_a_line)
        if len(shown) < len(found):
            err.print(f"and {len(found) - len(shown)} events of less interest; --full shows them")


@orders.command("plan")
def orders_plan(order: Id, output: Output = Format.table) -> None:
    """Show the plan of an order: the steps of each item, what they wait for, how they stand.

    Example: o2c orders plan WEB-1001
    """
    from o2c.views.order_page import order_plan

    with looking() as session:
        show_rows(order_plan(session.app, order), output, empty="the order is not planned yet", columns=PLAN_COLUMNS, limit=0)


@metrics.command("cycle-time")
def cycle_time(limit: Limit = None, output: Output = Format.table) -> None:
    """Show how long orders take: percentiles of the time between milestones, in seconds.

    By channel and offering; `*` stands for all of them.

    Example: o2c metrics cycle-time -o json
    """
    with looking() as session:
        current(session)
        show_rows(cycle_times(session.app), output, empty="nothing was measured yet", limit=limit, less=_in_words)


@metrics.command("promises")
def promises(limit: Limit = None, output: Output = Format.table) -> None:
    """Show which promises were kept and which were broken, and why.

    Against the day promised first, and against the day as last revised, by offering and by cause; `*` stands for all of them.

    Example: o2c metrics promises
    """
    with looking() as session:
        current(session)
        show_rows(promises_kept(session.app), output, empty="nothing was promised yet", limit=limit)


def _in_words(row: Mapping[str, Any]) -> dict[str, Any]:
    """Milestones as people call them, in the place of their names."""
    return {
        "from": row["from_words"],
        "to": row["to_words"],
        **{key: value for key, value in row.items() if key not in ("from", "to", "from_words", "to_words")},
    }
