"""What a step's rules may read: the work of one step of one item, built here and nowhere else, and the record of how that step stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from o2c.kernel.decision import Guard
from o2c.kernel.frozen import changed
from o2c.kernel.shapes import (
    Declined,
    Done,
    FellOut,
    OfItem,
    PartnerAccepted,
    PartnerSilent,
    Requested,
    RetryScheduled,
    StepForced,
    StepStopped,
)

LONG_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when a partner has a request that it is known to have taken."""
WRITING = timedelta(minutes=1)
"""A decision is written a little later than it is made: a request due by then may be with its partner when the decision is written."""
_OF_FALLOUT = frozenset({*FellOut.model_fields, "step"})
_NO_OUTCOME = frozenset({"item", "attempt"})


class Book(Protocol):
    """What rules need from above: the versions of the markets. Planning needs more (`orders.planning.Book`)."""

    def market(self, pin: str) -> Any:
        """The market of a pin such as `GB@2026-01`; None for an empty pin."""


@dataclass(frozen=True, slots=True)
class Record:
    """How a step stands: its attempt, the outcome of a done one (or what came with its last refusal), and the fallout open on it.

    `waiting_for` is empty while the step is under way. `sent_from` says from when on the step's partner may have the request, None when it is
    known not to have it; `retry_at` when the next attempt is made by itself.
    """

    attempt: int = 1
    outcome: dict[str, Any] = field(default_factory=dict, repr=False)
    fallout: str = ""
    reason: str = ""
    waiting_for: str = ""
    silences: int = 0
    sent_from: datetime | None = None
    retry_at: datetime | None = None


def recorded(record: Record, event: OfItem) -> Record | None:
    """The record of a step after one of its events; None for an event that changes nothing of it."""
    match event:
        case Requested():
            sent_from = LONG_SINCE if record.sent_from == LONG_SINCE else event.due_at
            return changed(record, attempt=event.attempt, waiting_for="", silences=0, sent_from=sent_from, retry_at=None)
        case PartnerAccepted():
            return changed(record, attempt=event.attempt, waiting_for="", silences=0, sent_from=LONG_SINCE)
        case PartnerSilent():
            return changed(record, attempt=event.attempt, silences=record.silences + 1)
        case RetryScheduled():
            return changed(record, retry_at=event.due_at)
        case FellOut():
            return _fallen(record, event)
        case Done():
            return Record(event.attempt, event.model_dump(mode="json", exclude=set(_NO_OUTCOME)), sent_from=LONG_SINCE)
        case StepForced():
            return Record(event.attempt, sent_from=LONG_SINCE)
        case Declined():
            return Record(event.attempt, reason=event.reason)
    if event.shape in ("cancelled", "undone"):
        return changed(record, fallout="", reason="", waiting_for="", retry_at=None)
    return None


def _fallen(record: Record, event: FellOut) -> Record:
    told = {} if isinstance(event, StepStopped) else event.model_dump(mode="json", exclude=set(_OF_FALLOUT))
    still_sent = record.sent_from if _unsure(record, event) else None
    return Record(event.attempt, told or record.outcome, event.fallout, event.reason, event.waiting_for, record.silences, still_sent)


def _unsure(record: Record, event: FellOut) -> bool:
    """Whether the partner may have the request all the same: it had taken it, never answered, or a defect lost its answer."""
    return record.sent_from == LONG_SINCE or event.partner_code == "silent" or event.reason == "SYS-BUG"


@dataclass(frozen=True, slots=True)
class Work:
    """One step of one item, with everything its rules may read.

    `subject` is what the stream's kind says of the item (for an order, its planned line); `outcomes` what earlier steps of the item yielded;
    `read` the states of other streams the step reads, by stream name (None where there is none); `fallout` the id of the fallout open on this
    step, if any, with its `reason` and `waiting_for` (empty while it is under way again); `silences` how often the partner was asked without an
    answer; `sent`, by step of the item, from when on a partner may have its request (absent: it is known not to); `retry_at` when the next
    attempt is made by itself; `guards` the holders of the guards the step claims; `market` the country's rules, as pinned.
    """

    stream: str
    item: str
    step: str
    attempt: int
    state: Any
    subject: Any
    outcomes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    read: Mapping[str, Any] = field(default_factory=dict)
    fallout: str = ""
    reason: str = ""
    waiting_for: str = ""
    silences: int = 0
    sent: Mapping[str, datetime] = field(default_factory=dict)
    retry_at: datetime | None = None
    guards: Mapping[Guard, str] = field(default_factory=dict)
    market: Any = None

    @property
    def key(self) -> str:
        """The request key a partner sees."""
        return f"{self.stream}/{self.item}/{self.step}/{self.attempt}"

    @property
    def holder(self) -> str:
        """Who holds the guards this step takes."""
        return f"{self.stream}/{self.item}"

    def with_partner(self, step: str, at: datetime) -> bool:
        """Whether a partner has, or may have, a step's request when what is decided at the given time is written."""
        since = self.sent.get(step)
        return since is not None and since <= at + WRITING

    def guard(self, kind: str, key: str) -> Guard:
        """A guard held by this item."""
        return Guard(kind, key, self.holder)


NO_RECORD = Record()


def build(stream: str, item: str, step: str, *, state: Any, subject: Any, records: Mapping[str, Record], market: Any = None) -> Work:
    """The work of a step, from the records of its item's steps."""
    record = records.get(step, NO_RECORD)
    return Work(
        stream,
        item,
        step,
        record.attempt,
        state,
        subject,
        {name: known.outcome for name, known in records.items()},
        fallout=record.fallout,
        reason=record.reason,
        waiting_for=record.waiting_for,
        silences=record.silences,
        sent={name: known.sent_from for name, known in records.items() if known.sent_from},
        retry_at=record.retry_at,
        market=market,
    )


def noted(records: Mapping[str, Record], event: OfItem, step: str) -> dict[str, Record]:
    """The records of a stream whose steps belong to no item, after one of their events."""
    record = recorded(records.get(step, NO_RECORD), event)
    return dict(records) if record is None else {**records, step: record}
