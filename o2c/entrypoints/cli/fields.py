"""Where the fields of an order come from, on the command line."""

from __future__ import annotations

from o2c.entrypoints.cli.output import Format, Limit, Output, show_rows
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import current, looking
from o2c.views.fields import order_fields


def orders_fields(order: Id, limit: Limit = None, output: Output = Format.table) -> None:
    """Show where each field of an order's paper comes from: who keyed it in first, when, in which channel, by which event.

    Values are shown as digests under the operator's key alone (see `o2c orders find`): equal ones are equal, none can be read.

    Example: o2c orders fields WEB-1001 -o jsonl
    """
    with looking() as session:
        current(session)
        columns = ("path", "value_digest", "channel", "actor", "at", "event")
        show_rows(order_fields(session.app, session.home, order), output, columns=columns, limit=limit)
