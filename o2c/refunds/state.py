"""A refund as a fold of its stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from o2c.customers.rules import PAYMENT_METHODS
from o2c.kernel.agenda import NEVER, AgendaChange, by_shape
from o2c.kernel.charges import BANK_TRANSFER
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import OfItem, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import MarketBook, Record, Work, build, noted
from o2c.refunds.events import RefundGivenUp, RefundOpened, RefundReportedPaid

PRIORITY = 9
"""Refunds come after what customers wait for in front of a screen."""


@dataclass(frozen=True, slots=True)
class RefundState:
    """A refund as it was opened, the method by which it is tried now, and how that stands (`records`); one that is `given_up` is not tried
    any more, though it may have been `paid_after_all`."""

    opened: RefundOpened | None = None
    method: str = ""
    records: dict[str, Record] = field(default_factory=dict)
    given_up: bool = False
    paid_after_all: bool = False


def refund_stream(refund: str) -> str:
    """Give the name of a refund's stream: `refund-` and its id."""
    return f"refund-{refund}"


def evolve(state: RefundState, event: Event) -> RefundState:
    """Give the refund after one of its events."""
    if isinstance(event, RefundOpened):
        return changed(state, opened=event, method=event.method)
    if isinstance(event, RefundGivenUp):
        return changed(state, given_up=True)
    if isinstance(event, RefundReportedPaid):
        return changed(state, paid_after_all=True)
    if not isinstance(event, OfItem):
        return state
    state = changed(state, records=noted(state.records, event, step_of(event)))
    if event.shape == "resumed":
        return changed(state, method=getattr(event, "changes", {}).get("method", state.method))
    return state


def advance(state: RefundState, touched: frozenset[str], at: Any, book: Any) -> Decision:
    """Ask the provider once the refund is opened."""
    if state.opened is None or state.records:
        return NOTHING
    step = book.steps["refund"]
    return cast("Decision", step.request(refund_work(state, refund_stream(state.opened.refund), "", step.name, book), at, due_at=at))


def agenda(state: RefundState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put the refund on the agenda as any step."""
    return by_shape(stream, event, priority=PRIORITY, since=NEVER)


def refund_work(state: RefundState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of the step, under the market that the account followed; none where it was never charged."""
    market = book.market(state.opened.market) if state.opened and state.opened.market else None
    return build(stream, item, step, state=state, subject=state, records=state.records, codes=book.codes, market=market)


def _owner(state: RefundState) -> tuple[str | None, str | None]:
    return None, (state.opened.customer or None) if state.opened else None


def _correctable(state: RefundState, item: str, changes: Mapping[str, str]) -> bool:
    """Allow only the method to be corrected. Raises Refused for a method that does not exist."""
    if changes.get("method", BANK_TRANSFER) not in {BANK_TRANSFER, *PAYMENT_METHODS}:
        refund = state.opened.refund if state.opened else ""
        methods = ", ".join(sorted({BANK_TRANSFER, *PAYMENT_METHODS}))
        raise Refused(f"refund {refund}: no such payment method; use one of {methods}")
    return changes.keys() <= {"method"}


KIND = StreamKind(
    category="refund",
    shape_version=4,
    state_type=RefundState,
    initial=lambda _: RefundState(),
    evolve=evolve,
    agenda=agenda,
    advance=advance,
    work=refund_work,
    owner=_owner,
    correctable=_correctable,
)
