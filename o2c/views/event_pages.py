"""Events a page at a time, with how many there are in all: for whoever asks by page and not by place in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.following import EventRecord, Wanted, events_at, types_named
from o2c.views.reading import PART_MAX, Page

POSITIONS_END = 2**63
PLACES = """SELECT position FROM o2c.event WHERE position < (SELECT o2c.horizon()){conditions} ORDER BY position OFFSET %(offset)s LIMIT %(size)s"""
"""The positions of a page of events in the order of the log. Parameters: `offset`, `size`, and those of the conditions."""

COUNT = "SELECT count(*) AS n FROM o2c.event WHERE position < (SELECT o2c.horizon()){conditions}"
"""How many events there are. Parameters: those of the conditions."""

AMONG = " AND position = ANY(%(positions)s)"
"""The condition that a page gets where positions are given. Parameter: `positions`."""


def page_of_events(
    app: Engine,
    *,
    positions: Sequence[int] = (),
    types: Sequence[str] = (),
    order: str = "",
    customer: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    offset: int = 0,
    limit: int = 100,
) -> Page[EventRecord]:
    """Events in the order of the log, a page at a time, without what is personal; the page says how many more there are.

    Those at some `positions`, of some `types` (stored names or patterns such as `order.*`), of an `order` or `customer` by our id, that
    happened from `since` on and before `until`, where these are given. Whoever wants each event once as it comes follows the log instead.
    Raises Refused (usage) for a type, an offset or a limit that is none.
    """
    if offset < 0 or not 0 <= limit <= PART_MAX:
        raise Refused(f"give an offset of 0 or more, and at most {PART_MAX} rows at once")
    page: Page[EventRecord] = Page()
    among = [position for position in positions if 0 <= position < POSITIONS_END]
    if (positions and not among) or (order and not _is_id(order)):
        return page
    wanted = Wanted(types=types_named(types), order=order or None, customer=customer or None, since=since, until=until)
    conditions = wanted.conditions() + (AMONG if among else "")
    picked = {**wanted.parameters(), "positions": among}
    rows = app.reads.rows(PLACES.format(conditions=conditions), **picked, offset=offset, size=limit)
    total = app.reads.rows(COUNT.format(conditions=conditions), **picked)[0]["n"]
    found = events_at(app, [row["position"] for row in rows])
    page += [found[row["position"]] for row in rows]
    page.more = max(total - offset - len(page), 0)
    return page


def _is_id(order: str) -> bool:
    try:
        return bool(UUID(order))
    except ValueError:
        return False
