"""The declaration of a step: one `Step` for each piece of fulfilment, read by plan, runner and fallout alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from o2c.kernel.decision import NOTHING, Decision, Guard
from o2c.kernel.frozen import changed
from o2c.kernel.partner import Answer
from o2c.kernel.records import RecordsWanted
from o2c.kernel.shapes import FellOut, OutOfStock, RecallRequested, Requested, Undertaken
from o2c.kernel.work import Work

RECALL_LEAD = timedelta(minutes=2)
"""How long a recall waits: longer than a worker's lease on an agenda row, so that it never overtakes the request it recalls."""

SILENCES_MAX = 12
"""How often a partner that did not answer is asked what came of a request, before a person looks at it."""


def nothing_wrong(work: Work, at: datetime) -> str:
    """Give no reason: the default of `check` and `no_return`."""
    return ""


def nothing(work: Work) -> Mapping[str, Any]:
    """Give no fields: the default of `payload` and `facts`."""
    return {}


def nothing_to_send(work: Work, at: datetime) -> Mapping[str, Any]:
    """Give no fields: the default of `timed`."""
    return {}


def nothing_instead(work: Work, at: datetime) -> Decision:
    """Decide nothing: the default of `instead`."""
    return NOTHING


def no_other_end(work: Work, code: str, at: datetime) -> Decision:
    """Decide nothing: the default of `refused`."""
    return NOTHING


def nothing_to_say(work: Work, changes: Mapping[str, str], at: datetime) -> str:
    """Give no reason: the default of `correction_flaw`."""
    return ""


def no_choices(work: Work, at: datetime) -> Mapping[str, tuple[str, ...]]:
    """Offer nothing to choose from: the default of `choices`."""
    return {}


def no_streams(work: Work) -> tuple[str, ...]:
    """Read no other stream: the default of `reads`."""
    return ()


def awaits_nothing(work: Work) -> str:
    """Name no pool: the default of `awaits`."""
    return ""


def no_guards(work: Work) -> tuple[Guard, ...]:
    """Claim no guard: the default of `guards`."""
    return ()


def no_records(work: Work) -> RecordsWanted | None:
    """Want no records of usage: the default of `records`."""
    return None


def always(work: Work) -> bool:
    """Say yes: the default of `wanted`."""
    return True


def at_once(work: Work, at: datetime) -> datetime:
    """Give the time itself: the default of `open_from` and `forecast`."""
    return at


def never(work: Work) -> bool:
    """Say no: the default of `done_for_good`."""
    return False


def _no_fields(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


def _not_had(work: Work, at: datetime) -> Answer | None:
    return None


def _as_it_is(work: Work, answer: Answer, at: datetime) -> Answer:
    return answer


def _nothing_beside(work: Work, code: str, data: Mapping[str, Any], at: datetime) -> Decision:
    return NOTHING


def _of_attempt(work: Work) -> str:
    return work.key


def _no_undo(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    return NOTHING


def _no_release(work: Work, at: datetime) -> Decision:
    return NOTHING


@dataclass(frozen=True, kw_only=True)
class ByPartner:
    """How a partner carries out a step.

    `payload(work)` is the body of the request, and `timed(work, at)` the part of it that depends on when it is sent. `refused(work, code,
    at)` gives what a refusal by the partner comes to where that is no fallout, an empty decision elsewhere. The partner's codes come to
    ours by the table of reason codes; `code_of(work, code)` gives ours first where the market decides (empty where it does not).
    `fallout_fields(data)` turns the details of a refusal into further fields of the FellOut event. `undertaken` is the step's own event for
    a partner that takes the work on; without one it is the generic `partner.accepted`.

    `key(work)` is the key that the partner knows the request by: one for each attempt unless said otherwise. `had(work, at)` gives an
    answer that is had already, so that the partner is not asked at all. `judged(work, answer, at)` gives a partner's answer as our own
    rules read it. `beside(work, code, data, at)` is what a refusal under the partner's code leads to beside the fallout.
    """

    partner: str
    payload: Callable[[Work], Mapping[str, Any]] = nothing
    timed: Callable[[Work, datetime], Mapping[str, Any]] = nothing_to_send
    refused: Callable[[Work, str, datetime], Decision] = no_other_end
    code_of: Callable[[Work, str], str] | None = None
    fallout_fields: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _no_fields
    undertaken: type[Undertaken] | None = None
    key: Callable[[Work], str] = _of_attempt
    had: Callable[[Work, datetime], Answer | None] = _not_had
    judged: Callable[[Work, Answer, datetime], Answer] = _as_it_is
    beside: Callable[[Work, str, Mapping[str, Any], datetime], Decision] = _nothing_beside

    def our_code(self, work: Work, code: str, at: datetime) -> str:
        """Give our reason code for a partner's code; `unclassified` for one that is mapped to none."""
        of_market = self.code_of(work, code) if self.code_of else ""
        return of_market or work.codes.at(at).ours(work.step, code)


@dataclass(frozen=True, kw_only=True)
class FromPool:
    """How a step takes a piece of stock: `pool(work)` names the pool (empty: no piece is needed).

    `out_of_stock` is our reason code for an empty pool. `sources` are the steps by which pieces come: a delivery that is announced, a piece
    that was given back. Each gives how many pieces its stream, as it stands, will bring to each pool. `stream_of(outcome)` names the stream
    of the piece that the step took.
    """

    pool: Callable[[Work], str]
    out_of_stock: str
    sources: Mapping[str, Callable[[Any], Mapping[str, int]]]
    stream_of: Callable[[Mapping[str, Any]], str]


class DecideReferral(Protocol):
    """`decide(work, approve, at)` gives the decision when a person approves or refuses a step, an empty one if that is impossible."""

    def __call__(self, work: Work, approve: bool, at: datetime) -> Decision: ...


@dataclass(frozen=True, kw_only=True)
class Referral:
    """The decision of a person about a step. `declines` are the reason codes that end the order for good without a person."""

    decide: DecideReferral
    declines: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a step's work is taken back when its item ends before it is complete, or its service afterwards.

    `undo(work, outcome, at)` takes back our own part. `recall` names the step by which the partner is asked to drop its part (not any more
    once the step is done, where `done_for_good(work)` says so). `no_return(work, at)` gives the reason why the item can no longer be
    cancelled, a hard point of no return, or an empty text. `let_go(work, at)` gives back what was set aside for a step that will not run.

    `cease(work, outcome, at)` gives back what the service of a complete item used, when that is ended.

    `give_up(work, at)` gives this step's own events when the customer gives up the part of the item that it belongs to (`Step.part`);
    without one it is the generic `step.given-up`.

    Source: order life cycle, section 4 (points of no return and compensations).
    """

    undo: Callable[[Work, Mapping[str, Any], datetime], Decision] = _no_undo
    recall: str = ""
    done_for_good: Callable[[Work], bool] = never
    no_return: Callable[[Work, datetime], str] = nothing_wrong
    let_go: Callable[[Work, datetime], Decision] = _no_release
    give_up: Callable[[Work, datetime], Decision] = _no_release
    cease: Callable[[Work, Mapping[str, Any], datetime], Decision] = _no_undo


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """How a step is done anew.

    `of` names, by our reason code, the earlier steps of the item whose results the fallout of this step has lost: they are done anew before
    it is. `lose(work, outcome, at)` gives this step's own events when its result is lost; without one it is the generic `step.renewed`. A
    step that lost the same at its `attempts_max`-th attempt waits for a person instead. `outdated(work)` says that what is done was asked
    for with what is no longer so, and is to be asked for anew; what waits for it goes on.
    """

    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lose: Callable[[Work, Mapping[str, Any], datetime], Decision] = _no_undo
    attempts_max: int = 3
    outdated: Callable[[Work], bool] = never


@dataclass(frozen=True, kw_only=True)
class Step:
    """One piece of fulfilment. Everything but the name, the fallout event and `complete` has a default.

    `requested` and `fell_out` are the step's own events; a step that nobody asks for has no `requested`. `complete(work, data, at)` gives
    the Done event and the events of other streams; a step with neither `ask` nor `draw` completes by itself. `check(work, at)` gives the
    reason code (`CODE` or `CODE: detail`) that stops the step before anything is sent, and `awaits(work)` the pool that one so stopped
    waits for (empty: a person). `instead(work, at)` is what is done in place of the step when it is due and its time has not come, or is
    over. `correction_flaw(work, changes, at)` says why a person's correction cannot help, and `choices(work, at)` gives, by the key of a
    correction, the values among which a person chooses. `reads(work)` names the other streams that its rules read (see `read_from`), and
    `records(work)` the records of usage, which they find under `kernel.records.RECORDS`; `guards(work)` are claimed when it is asked for.
    It is due `lead` after the request, or at `due(work, at)`. `facts(work)` are further fields of the Requested event. A `forceable` step
    may be counted as done by other means. A step that is not `wanted` any more is cancelled instead of asked for, and its failure is no
    fallout. It is neither due nor sent before `open_from(work, at)`, whoever asks for it and however often: a bank takes direct debits on
    its own days only. `forecast(work, at)` is the time by which it is normally done when it is due at a time, in the market's calendar; it
    is asked before earlier steps have their outcomes, too, and a promise is made of nothing else. Without one the step is done when it is
    due. `part` names the part of its item that a step belongs to where the customer can give that up on its own, such as a port-in (empty:
    it belongs to the item as such); no other step waits for one of it. `silences_max` is how often its partner is asked what came of a
    request that it did not answer.

    Raises ValueError when an event belongs to another step (its agenda row would never be dropped), or when a step that draws on stock has
    a fallout that cannot say when stock is expected.
    """

    name: str
    requested: type[Requested] | None = None
    fell_out: type[FellOut]
    complete: Callable[[Work, Mapping[str, Any], datetime], Decision]
    check: Callable[[Work, datetime], str] = nothing_wrong
    awaits: Callable[[Work], str] = awaits_nothing
    instead: Callable[[Work, datetime], Decision] = nothing_instead
    correction_flaw: Callable[[Work, Mapping[str, str], datetime], str] = nothing_to_say
    choices: Callable[[Work, datetime], Mapping[str, tuple[str, ...]]] = no_choices
    reads: Callable[[Work], tuple[str, ...]] = no_streams
    guards: Callable[[Work], tuple[Guard, ...]] = no_guards
    records: Callable[[Work], RecordsWanted | None] = no_records
    lead: timedelta = timedelta()
    due: Callable[[Work, datetime], datetime] | None = None
    open_from: Callable[[Work, datetime], datetime] = at_once
    forecast: Callable[[Work, datetime], datetime] = at_once
    facts: Callable[[Work], Mapping[str, Any]] = nothing
    wanted: Callable[[Work], bool] = always
    part: str = ""
    forceable: bool = False
    silences_max: int = SILENCES_MAX
    ask: ByPartner | None = None
    draw: FromPool | None = None
    referral: Referral | None = None
    ending: Ending = Ending()
    renewal: Renewal = Renewal()

    def __post_init__(self) -> None:
        for event in (self.requested, self.fell_out, self.ask.undertaken if self.ask else None):
            if event is not None and event.step_name != self.name:
                raise ValueError(
                    f"step {self.name} declares {event.type_name} of step {event.step_name or '(none)'}; give it an event of its own"
                )
        if self.draw and not issubclass(self.fell_out, OutOfStock):
            raise ValueError(f"step {self.name} draws on stock; its fallout must be of the shape OutOfStock")

    def read_from(self, work: Work, known: Callable[[str], Any]) -> dict[str, Any]:
        """Give the states of the streams that the step reads, by `known`: of those that it names, and then of those that it names when it
        has read these. None for a stream that did not begin yet."""
        read = {stream: known(stream) for stream in self.reads(work)}
        further = self.reads(changed(work, read=read)) if read else ()
        return read | {stream: known(stream) for stream in further if stream not in read}

    @property
    def partner(self) -> str:
        """The name of the partner that carries the step out; empty for none."""
        return self.ask.partner if self.ask else ""

    @property
    def recalls(self) -> bool:
        """Whether this step asks a partner to drop the work of another step."""
        return self.requested is not None and self.requested.shape == RecallRequested.shape

    def pool(self, work: Work) -> str:
        """Give the name of the stock pool this work draws on; empty for none."""
        return self.draw.pool(work) if self.draw else ""

    def due_at(self, work: Work, at: datetime) -> datetime:
        """Give the time at which the step is due if it is asked for at the given time."""
        return self.due(work, at) if self.due else at + self.lead

    def expected(self, work: Work, at: datetime) -> datetime:
        """Give the time by which the step is normally done when it is asked for at a time."""
        return self.forecast(work, self.open_from(work, at + self.lead))

    def request(self, work: Work, at: datetime, *, attempt: int = 1, due_at: datetime | None = None) -> Decision:
        """Ask for the step and claim its guards. ValueError for a step without a Requested event."""
        if self.requested is None:
            raise ValueError(f"step {self.name} cannot be asked for")
        opens_at = self.open_from(work, due_at or self.due_at(work, at))
        body = {"item": work.item, "attempt": attempt, "due_at": opens_at, **self.facts(work)}
        return Decision((self.requested(**body),), claims=self.guards(work))
