"""The work of one step of one item, as the rules of the step read it, and the record of how the step stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from o2c.kernel.decision import Guard
from o2c.kernel.frozen import changed
from o2c.kernel.reasons import UNSURE, CodeBook
from o2c.kernel.shapes import (
    CallParked,
    CallResumed,
    Declined,
    Done,
    FellOut,
    OfItem,
    OutOfStock,
    PartnerSilent,
    Renewed,
    Replanned,
    Requested,
    RetryScheduled,
    StepForced,
    StepSkipped,
    StepStopped,
    StockExpected,
    Undertaken,
)

NO_CODES = CodeBook(())
"""Stands for the reason codes of a work that nobody decides about."""
LONG_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for the time since which a partner has a request that it has certainly taken."""
WRITING = timedelta(minutes=1)
"""How much later than it is made a decision may be written: a request due by then may have reached its partner."""
_OF_FALLOUT = frozenset({*OutOfStock.model_fields, "step"})
_NO_OUTCOME = frozenset({"item", "attempt"})


class MarketBook(Protocol):
    """The part of the plan that the rules of every step need: market versions and reason codes. `orders.planning.Book` adds the rest."""

    @property
    def codes(self) -> CodeBook:
        """The reason codes in all their versions."""

    def market(self, pin: str) -> Any:
        """Give the market of a pin such as `GB@2026-01`; None for an empty pin."""


@dataclass(frozen=True, slots=True)
class Record:
    """How a step stands: its attempt, its outcome, and the fallout that is open on it.

    `outcome` holds the further fields of the step's Done event, or of its last refusal before it is done. `waiting_for` is empty while the
    step is under way. `silences` counts the queries without an answer, until the partner says what came of it. `sent_from` is the time from
    which the partner may have the request, None when it certainly has not; `retry_at` is the time of the next automatic attempt: of a
    retry, or when the stock that it waits for is due.
    """

    attempt: int = 1
    outcome: dict[str, Any] = field(default_factory=dict, repr=False)
    fallout: str = ""
    reason: str = ""
    waiting_for: str = ""
    silences: int = 0
    sent_from: datetime | None = None
    retry_at: datetime | None = None


def next_attempt(records: Mapping[str, Record], step: str) -> int:
    """Give the next attempt of a step, by the records of all steps: what a partner knows by the number of an earlier one is never asked for
    under it again."""
    return records[step].attempt + 1 if step in records else 1


def recorded(record: Record, event: OfItem) -> Record | None:
    """Give the record of a step after one of its events; None for an event that changes nothing of it."""
    match event:
        case Requested():
            sent_from = LONG_SINCE if record.sent_from == LONG_SINCE else event.due_at
            return changed(record, attempt=event.attempt, waiting_for="", silences=0, sent_from=sent_from, retry_at=None)
        case Undertaken():
            return changed(record, attempt=event.attempt, waiting_for="", silences=0, sent_from=LONG_SINCE)
        case PartnerSilent():
            return changed(record, attempt=event.attempt, silences=record.silences + 1)
        case RetryScheduled():
            return changed(record, retry_at=event.due_at)
        case StockExpected():
            return changed(record, retry_at=event.expected_at)
        case CallParked() | CallResumed():
            return _called(record, event)
        case FellOut():
            return _fallen(record, event)
        case Done():
            return Record(event.attempt, event.model_dump(mode="json", exclude=set(_NO_OUTCOME)), sent_from=LONG_SINCE)
        case Replanned():
            outcome = {**record.outcome, **event.model_dump(mode="json", exclude={*_NO_OUTCOME, "waits"})}
            still_sent = LONG_SINCE if record.sent_from == LONG_SINCE else None
            return Record(record.attempt, outcome, record.fallout, record.reason, sent_from=still_sent)
        case StepForced() | StepSkipped():
            return Record(event.attempt, sent_from=LONG_SINCE)
        case Renewed():
            return changed(record, outcome={}, waiting_for="", silences=0, sent_from=None, retry_at=None)
        case Declined():
            return Record(event.attempt, reason=event.reason)
    if event.shape in ("cancelled", "undone", "given-up"):
        return changed(record, fallout="", reason="", waiting_for="", retry_at=None)
    return None


def _called(record: Record, event: CallParked | CallResumed) -> Record:
    """A request that waits is with nobody; what the partner may have had before, it may have still."""
    if event.query or record.sent_from == LONG_SINCE:
        return changed(record, attempt=event.attempt)
    return changed(record, attempt=event.attempt, sent_from=event.due_at if isinstance(event, CallResumed) else None)


def _fallen(record: Record, event: FellOut) -> Record:
    """A step that fell out. The partner may have the request in spite of that: it took it, never answered, or its answer was lost or not
    understood."""
    further = {} if isinstance(event, StepStopped) else event.model_dump(mode="json", exclude=set(_OF_FALLOUT))
    unknown = event.partner_code == "silent" or event.reason in UNSURE
    still_sent = record.sent_from if unknown or record.sent_from == LONG_SINCE else None
    retry_at = event.expected_at if isinstance(event, OutOfStock) else None
    return Record(
        event.attempt,
        further or record.outcome,
        event.fallout,
        event.reason,
        event.waiting_for,
        record.silences if unknown else 0,
        still_sent,
        retry_at,
    )


@dataclass(frozen=True, slots=True)
class Work:
    """One step of one item, with everything that its rules may read.

    `subject` is the item as the kind of stream knows it (the planned line of an order, say); `outcomes` are those of the item's steps, by
    step. `read` holds the states of the other streams that the step reads, by stream name (None for a stream without events). `fallout` is
    the id of the fallout that is open on the step, with its `reason` and `waiting_for` (empty while the step is under way again).
    `silences` counts the queries without an answer. `sent` gives, by step of the item, the time from which a partner may have its request;
    a step is absent when its partner certainly has none. `retry_at` is the time of the next automatic attempt. `guards` are the holders of
    the guards that the step claims. `market` holds the country's rules, as pinned, and `codes` the reason codes. `promised_on` is the day
    (ISO, local to the market) by which the item is promised; empty for none. While its order is suspended nothing of it begins that has not
    begun, and it is `put_off_to` the end of that (None: it may begin).
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
    codes: CodeBook = NO_CODES
    promised_on: str = ""
    put_off_to: datetime | None = None

    @property
    def key(self) -> str:
        """The request key that a partner sees: `stream/item/step/attempt`."""
        return f"{self.stream}/{self.item}/{self.step}/{self.attempt}"

    @property
    def holder(self) -> str:
        """The holder under which this step takes its guards: `stream/item`."""
        return f"{self.stream}/{self.item}"

    @property
    def unknown(self) -> bool:
        """Whether nobody knows what came of the last attempt: its partner never answered, or the answer was lost or not understood."""
        return bool(self.silences) or self.reason in UNSURE

    def with_partner(self, step: str, at: datetime) -> bool:
        """Whether a partner may have the request of a step by the time that a decision made at `at` is written."""
        since = self.sent.get(step)
        return since is not None and since <= at + WRITING

    def guard(self, kind: str, key: str) -> Guard:
        """Make a guard that this item holds."""
        return Guard(kind, key, self.holder)


NO_RECORD = Record()


def build(
    stream: str,
    item: str,
    step: str,
    *,
    state: Any,
    subject: Any,
    records: Mapping[str, Record],
    codes: CodeBook,
    market: Any = None,
) -> Work:
    """Gather the work of a step, from the records of all steps of its item."""
    record = records.get(step, NO_RECORD)
    return Work(
        stream,
        item,
        step,
        record.attempt,
        state,
        subject,
        {name: each.outcome for name, each in records.items()},
        fallout=record.fallout,
        reason=record.reason,
        waiting_for=record.waiting_for,
        silences=record.silences,
        sent={name: each.sent_from for name, each in records.items() if each.sent_from},
        retry_at=record.retry_at,
        market=market,
        codes=codes,
        promised_on=getattr(subject, "promised_on", ""),
    )


def noted(records: Mapping[str, Record], event: OfItem, step: str) -> dict[str, Record]:
    """Give the records of a stream whose steps belong to no item, after one of their events."""
    record = recorded(records.get(step, NO_RECORD), event)
    return dict(records) if record is None else {**records, step: record}
