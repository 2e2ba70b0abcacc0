"""Cancellations of whole orders as tasks: what was asked for, what the answer was, and whether it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from o2c.engine.app import Engine
from o2c.views.reading import Page, part_of, plain
from o2c.views.shown import CancellationShown
from projections import cancellations

NOTES_OF = """SELECT event_id::text AS cancellation, personal ->> 'note' AS note FROM o2c.event
WHERE stream = ANY(%s) AND type = 'cancellation.requested'"""
"""What was noted of the cancellations of some orders. Parameter: the orders' streams."""


def list_cancellations(
    app: Engine,
    *,
    ids: Sequence[str] = (),
    orders: Sequence[str] = (),
    captured_by: str = "",
    offset: int = 0,
    limit: int = 100,
    personal: bool = False,
) -> Page[CancellationShown]:
    """The cancellations of whole orders, the first first: `state` is refused (`past` says which items are past their point of no return),
    under way, or done; the page says how many more there are.

    `ids` are theirs, `orders` our ids of orders. With `personal`, what was noted. The projections must be caught up. Raises Refused
    (usage).
    """
    picked = {"ids": list(ids), "orders": list(orders), "captured_by": captured_by}
    rows = part_of(app, cancellations.LISTED, cancellations.LISTED_COUNT, picked, offset, limit)
    streams = sorted({f"order-{row['order_id']}" for row in rows})
    notes = {row["cancellation"]: row["note"] or "" for row in app.reads.rows(NOTES_OF, streams)} if personal and rows else {}
    page: Page[CancellationShown] = Page(plain(_row(row, notes)) for row in rows)
    page.more = rows.more
    return page


def _row(row: Mapping[str, Any], notes: Mapping[str, str]) -> dict[str, Any]:
    names = ("cancellation", "external_id", "customer", "requested_at", "items", "past", "reason")
    ended_at = row["closed_at"] if row["answer"] == "accepted" and row["state"] == "cancelled" else None
    return {
        "order": row["order_id"],
        **{name: row[name] for name in names},
        "state": state_of(row["answer"], over=ended_at is not None),
        "ended_at": ended_at,
        "note": notes.get(row["cancellation"]),
    }


def state_of(answer: str, *, over: bool) -> str:
    """How a cancellation stands, by its answer and whether its order is cancelled."""
    return {"refused": "refused", "accepted": "done" if over else "under way"}.get(answer, "asked for")
