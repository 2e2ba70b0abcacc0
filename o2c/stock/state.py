"""A delivery as a fold of its stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from o2c.kernel.agenda import NEVER, AgendaChange, by_shape
from o2c.kernel.event import Event
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import FellOut, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Record, Work, noted
from o2c.stock.events import StockAnnounced, StockArrived

ARRIVAL_PRIORITY = 0
ROWS_NAMED = 5
"""How many bad rows of a delivery its refusal names."""


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """A delivery: the rows announced, the time they are due, whether they arrived, and the steps that stand still."""

    rows: tuple[tuple[str, ...], ...] = ()
    arrived: bool = False
    due_at: datetime | None = None
    records: dict[str, Record] = field(default_factory=dict)


def evolve(state: DeliveryState, event: Event) -> DeliveryState:
    if isinstance(event, StockAnnounced):
        return replace(state, rows=event.rows, due_at=event.due_at, records={})
    if isinstance(event, FellOut):
        return replace(state, records=noted(state.records, event, step_of(event)))
    return replace(state, arrived=True, records={}) if isinstance(event, StockArrived) else state


def refused(what: str, flaws: Sequence[tuple[int, str]]) -> Refused:
    """Make the refusal of a delivery, which names its bad rows (number, why), the first ROWS_NAMED of them."""
    named = "; ".join(f"row {number}: {why}" for number, why in flaws[:ROWS_NAMED])
    more = f"; and {len(flaws) - ROWS_NAMED} more" if len(flaws) > ROWS_NAMED else ""
    return Refused(f"{what}: {named}{more}; nothing of the file was taken in, correct it and load it again")


def field_missing(row: Sequence[str], columns: Sequence[str]) -> str:
    """Say which field a row that is too short lacks; empty for a row that is long enough."""
    return f"{columns[len(row)]} is missing" if len(row) < len(columns) else ""


def announced_rows(work: Work) -> Mapping[str, Any]:
    """Give the rows of a delivery, for the case that a person asks for it to be taken in once more."""
    return {"rows": work.state.rows}


def stock_agenda(state: Any, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put stock on the agenda with the first priority: it comes before everything else that is due at the same time."""
    return by_shape(stream, event, priority=ARRIVAL_PRIORITY, since=NEVER)


KIND = StreamKind(
    category="delivery", shape_version=1, state_type=DeliveryState, initial=lambda _: DeliveryState(), evolve=evolve, agenda=stock_agenda
)
