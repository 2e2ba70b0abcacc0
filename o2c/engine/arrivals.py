"""When those that find their pool empty will be served: by the deliveries that are announced, in the order in which the waiting are served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain, repeat
from typing import Any

from o2c.engine.app import Engine
from o2c.kernel.step import FromPool
from o2c.store.reads import DueRow


def served_at(app: Engine, draw: FromPool, pool: str, rows: Sequence[DueRow]) -> Mapping[tuple[str, str, str], datetime]:
    """Give, by place, when the delivery is due that will bring a piece for each of some rows; a row that none will serve is left out.

    Those that wait already have their turn, too: ten SIMs that are to come are promised to ten lines.
    """
    clock = app.clock()
    coming = _coming(app, draw, pool, after=clock.window_end or clock.now)
    if not coming:
        return {}
    waiting = app.reads.waiting(pool, sum(count for _, count in coming))
    times = chain.from_iterable(repeat(due_at, count) for due_at, count in coming)
    served = {row.place: due_at for row, due_at in zip(sorted([*waiting, *rows], key=_turn), times, strict=False)}
    return {row.place: served[row.place] for row in rows if row.place in served}


def _coming(app: Engine, draw: FromPool, pool: str, *, after: datetime) -> list[tuple[datetime, int]]:
    """The deliveries on the agenda that bring pieces to a pool later than a time, as (due, pieces), the earliest first.

    One that comes in the window under way may be taken in before or after a death in it, and would be told of in one case only.
    """
    deliveries: list[Any] = [loaded.state for loaded in app.load(app.reads.streams_at(draw.arrival)).values()]
    brought = ((delivery.due_at, draw.brings(delivery).get(pool, 0)) for delivery in deliveries)
    return sorted((due_at, count) for due_at, count in brought if due_at and due_at > after and count)


def _turn(row: DueRow) -> tuple[int, datetime, str, str]:
    entry = row.entry
    return entry.priority, entry.since, entry.stream, entry.item
