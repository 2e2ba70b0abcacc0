"""A step as its capability declares it: one `Step` a capability file, read by plan, runner and fallout alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from o2c.kernel.decision import NOTHING, Decision, Guard
from o2c.kernel.shapes import FellOut, RecallRequested, Requested
from o2c.kernel.stream import Work

RECALL_LEAD = timedelta(minutes=2)
"""Longer than a worker's lease on a row of the agenda."""


def nothing_wrong(work: Work, at: datetime) -> str:
    """Default check: no reason code."""
    return ""


def no_payload(work: Work) -> Mapping[str, Any]:
    return {}


def no_reads(work: Work) -> tuple[str, ...]:
    return ()


def no_pool(work: Work) -> str:
    return ""


def no_undo(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    return NOTHING


def nothing_kept(work: Work, at: datetime) -> Decision:
    return NOTHING


def nothing_told(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


def still_wanted(work: Work) -> bool:
    return True


def recall_lead(work: Work) -> timedelta:
    """A recall goes out when whoever had the request in hand as it was written is through with it: it must not arrive before the request."""
    return RECALL_LEAD


def no_guards(work: Work) -> tuple[Guard, ...]:
    return ()


class Referral(Protocol):
    """`decide(work, approve, at)`: what a person's approval or refusal of this step yields."""

    def __call__(self, work: Work, approve: bool, at: datetime) -> Decision: ...


@dataclass(frozen=True, kw_only=True)
class Step:
    """One piece of fulfilment. Everything but the name and the three shapes has a default.

    `complete(work, data, at)` builds the Done event and what happens to other streams; a step with neither partner nor pool completes by
    itself. `check` names the reason code (`CODE` or `CODE: where`) that stops it before anything is sent. `codes` maps the partner's codes to ours, `silence` is the
    code of a request that was never heard. `lead(work)` is how long after being asked it is due. `decide` makes
    a referral decidable by a person; `declines` those that end the order for good. `guards` are claimed when the step is asked for.
    When an item ends, `undo` takes back what is ours; `recall` names the step that asks the partner to drop what it was asked (not once it
    is done, where that is `done_for_good`). `no_return` says why the item cannot be cancelled any more (a hard point of no return), or nothing.
    `told` turns what a partner tells of its no into fields of the FellOut event. `let_go` gives back what was set aside for a step whose item
    ended before it was done. A step that is not `wanted` any more is cancelled instead of asked for, and its failure is no fallout.
    """

    name: str
    requested: type[Requested]
    fell_out: type[FellOut]
    complete: Callable[[Work, Mapping[str, Any], datetime], Decision]
    check: Callable[[Work, datetime], str] = nothing_wrong
    partner: str = ""
    payload: Callable[[Work], Mapping[str, Any]] = no_payload
    codes: Mapping[str, str] = field(default_factory=dict)
    silence: str = "NET-TMO"
    guards: Callable[[Work], tuple[Guard, ...]] = no_guards
    reads: Callable[[Work], tuple[str, ...]] = no_reads
    pool: Callable[[Work], str] = no_pool
    out_of_stock: str = ""
    undo: Callable[[Work, Mapping[str, Any], datetime], Decision] = no_undo
    lead: Callable[[Work], timedelta] = lambda work: timedelta()
    due: Callable[[Work, datetime], datetime] | None = None
    decide: Referral | None = None
    declines: frozenset[str] = frozenset()
    forceable: bool = False
    recall: str = ""
    done_for_good: bool = False
    no_return: Callable[[Work, datetime], str] = nothing_wrong
    told: Callable[[Mapping[str, Any]], Mapping[str, Any]] = nothing_told
    let_go: Callable[[Work, datetime], Decision] = nothing_kept
    wanted: Callable[[Work], bool] = still_wanted

    @property
    def recalls(self) -> bool:
        """Whether this step takes back what another one asked of a partner."""
        return self.requested.shape == RecallRequested.shape

    def due_at(self, work: Work, at: datetime) -> datetime:
        """When the step is due if it is asked for at the given time."""
        return self.due(work, at) if self.due else at + self.lead(work)

    def request(self, work: Work, at: datetime, *, attempt: int = 1, due_at: datetime | None = None) -> Decision:
        """Ask for the step and claim its guards."""
        event = self.requested(item=work.item, attempt=attempt, due_at=due_at or self.due_at(work, at))
        return Decision((event,), claims=self.guards(work))
