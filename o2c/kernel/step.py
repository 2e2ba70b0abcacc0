"""A step as its capability declares it: one `Step` a capability file, read by plan, runner and fallout alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from o2c.kernel.decision import NOTHING, Decision, Guard
from o2c.kernel.reasons import DEFECT
from o2c.kernel.shapes import FellOut, RecallRequested, Requested
from o2c.kernel.work import Work

RECALL_LEAD = timedelta(minutes=2)
"""A recall must not arrive before the request it recalls: so it goes out later than any worker's lease on a row of the agenda lasts."""


def nothing_wrong(work: Work, at: datetime) -> str:
    """Default of `check` and `no_return`: no reason."""
    return ""


def nothing(work: Work) -> Mapping[str, Any]:
    """Default of `payload` and `facts`."""
    return {}


def no_streams(work: Work) -> tuple[str, ...]:
    """Default of `reads`."""
    return ()


def no_guards(work: Work) -> tuple[Guard, ...]:
    """Default of `guards`."""
    return ()


def always(work: Work) -> bool:
    """Default of `wanted`."""
    return True


def _no_fields(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


def _no_undo(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    return NOTHING


def _no_release(work: Work, at: datetime) -> Decision:
    return NOTHING


@dataclass(frozen=True, kw_only=True)
class ByPartner:
    """A step that a partner carries out.

    `payload(work)` is the body of the request; `codes` maps the partner's codes to ours, or `code_of(work, code)` does
    where the market decides; `silence` is our code for a request that was never
    heard; `fallout_fields(data)` turns what the partner says of its no into further fields of the FellOut event.
    """

    partner: str
    payload: Callable[[Work], Mapping[str, Any]] = nothing
    codes: Mapping[str, str] = field(default_factory=dict)
    code_of: Callable[[Work, str], str] | None = None
    silence: str = "NET-TMO"
    fallout_fields: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _no_fields

    def our_code(self, work: Work, code: str) -> str:
        """Our reason code for the partner's. One that nobody mapped is a defect of ours and says so in the queue."""
        return self.code_of(work, code) if self.code_of else self.codes.get(code, DEFECT)


@dataclass(frozen=True, kw_only=True)
class FromPool:
    """A step that takes a piece from a stock pool: `pool(work)` names it (empty: none is needed), `out_of_stock` is our code for an empty one."""

    pool: Callable[[Work], str]
    out_of_stock: str


class Decide(Protocol):
    """`decide(work, approve, at)`: what a person's approval or refusal of a step yields."""

    def __call__(self, work: Work, approve: bool, at: datetime) -> Decision: ...


@dataclass(frozen=True, kw_only=True)
class Referral:
    """A step that a person may decide. `declines` are the codes that end the order for good without anybody being asked."""

    decide: Decide
    declines: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What becomes of a step's work when its item ends before it is complete.

    `undo(work, outcome, at)` takes back what is ours; `recall` names the step that asks the partner to drop what it was asked (not once the
    step is done, where that is `done_for_good`); `no_return(work, at)` says why the item cannot be cancelled any more (a hard point of no
    return), or nothing; `let_go(work, at)` gives back what was set aside for a step that will not come.
    """

    undo: Callable[[Work, Mapping[str, Any], datetime], Decision] = _no_undo
    recall: str = ""
    done_for_good: bool = False
    no_return: Callable[[Work, datetime], str] = nothing_wrong
    let_go: Callable[[Work, datetime], Decision] = _no_release


@dataclass(frozen=True, kw_only=True)
class Step:
    """One piece of fulfilment. Everything but the name, the fallout event and `complete` has a default.

    `requested` and `fell_out` are the step's own events; a step that nobody asks for has no `requested`. `complete(work, data, at)` builds the
    Done event and what happens to other streams; a step with neither `ask` nor `draw` completes by itself. `check(work, at)` names the reason
    code (`CODE` or `CODE: where`) that stops it before anything is sent; `reads(work)` the other streams its rules look at; `guards(work)` are
    claimed when it is asked for. It is due `lead` after it is asked for, or when `due(work, at)` says. `facts(work)` are further fields of the
    Requested event. One that is `forceable` may be counted as done by other means; one that is not `wanted` any more is cancelled instead of
    asked for, and its failure is no fallout.

    Raises ValueError when an event belongs to another step: its agenda row would stay, and be attended to for ever.
    """

    name: str
    requested: type[Requested] | None = None
    fell_out: type[FellOut]
    complete: Callable[[Work, Mapping[str, Any], datetime], Decision]
    check: Callable[[Work, datetime], str] = nothing_wrong
    reads: Callable[[Work], tuple[str, ...]] = no_streams
    guards: Callable[[Work], tuple[Guard, ...]] = no_guards
    lead: timedelta = timedelta()
    due: Callable[[Work, datetime], datetime] | None = None
    facts: Callable[[Work], Mapping[str, Any]] = nothing
    wanted: Callable[[Work], bool] = always
    forceable: bool = False
    ask: ByPartner | None = None
    draw: FromPool | None = None
    referral: Referral | None = None
    ending: Ending = Ending()

    def __post_init__(self) -> None:
        for event in (self.requested, self.fell_out):
            if event is not None and event.step_name != self.name:
                raise ValueError(
                    f"step {self.name} declares {event.type_name} of step {event.step_name or '(none)'}; give it an event of its own"
                )

    @property
    def partner(self) -> str:
        """The partner that carries it out; empty for none."""
        return self.ask.partner if self.ask else ""

    @property
    def recalls(self) -> bool:
        """Whether this step takes back what another one asked of a partner."""
        return self.requested is not None and self.requested.shape == RecallRequested.shape

    def pool(self, work: Work) -> str:
        """The stock pool this work draws on; empty for none."""
        return self.draw.pool(work) if self.draw else ""

    def due_at(self, work: Work, at: datetime) -> datetime:
        """When the step is due if it is asked for at the given time."""
        return self.due(work, at) if self.due else at + self.lead

    def request(self, work: Work, at: datetime, *, attempt: int = 1, due_at: datetime | None = None) -> Decision:
        """Ask for the step and claim its guards. ValueError for a step that nobody asks for."""
        if self.requested is None:
            raise ValueError(f"step {self.name} cannot be asked for")
        body = {"item": work.item, "attempt": attempt, "due_at": due_at or self.due_at(work, at), **self.facts(work)}
        return Decision((self.requested(**body),), claims=self.guards(work))
