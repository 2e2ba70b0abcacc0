"""A withdrawal from one contract as a fold of its stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from o2c.kernel.agenda import NEVER, AgendaChange, by_shape
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.shapes import OfItem, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import MarketBook, Record, Work, build, noted
from o2c.withdrawals import events
from o2c.withdrawals.events import WithdrawalAwaited, WithdrawalDeclared

PRIORITY = 5
TO_COME = "withdrawal-to-come"
SWITCH_OFF, GOODS_RETURN, REFUND = "withdrawal-switch-off", "goods-return", "withdrawal-refund"


@dataclass(frozen=True, slots=True)
class WithdrawalState:
    """A withdrawal so far; `declared` is None before it, and `awaited` says what it is to end once that has come (None: nothing). Days are
    ISO dates of the market, empty for not yet: the goods were proven to be `sent_on` a day, were `received_on` another, and are credited
    since `taken_back_on`. `grade` is how they came back, `kept_minor` what is kept of their price, net. Money goes back by `refund_by`;
    once it is `settled` by these `refunds`, which come to `refunded_minor`. The courier's `label` is the reference of the parcel."""

    declared: WithdrawalDeclared | None = None
    awaited: WithdrawalAwaited | None = None
    sent_on: str = ""
    received_on: str = ""
    grade: str = ""
    kept_minor: int = 0
    taken_back_on: str = ""
    refund_by: str = ""
    settled: bool = False
    refunds: tuple[str, ...] = ()
    refunded_minor: int = 0
    records: dict[str, Record] = field(default_factory=dict)
    label: str = ""

    @property
    def standing(self) -> str:
        """How it stands, in a word: `declared` (of a service), `awaiting-goods`, `sent`, `received`, `graded`, `settled`; empty before it
        was declared."""
        if self.declared is None:
            return ""
        if self.settled or not self.declared.goods:
            return "settled" if self.settled else "declared"
        return "graded" if self.grade else "received" if self.received_on else "sent" if self.sent_on else "awaiting-goods"


def withdrawal_stream(product: str) -> str:
    """Give the name of the stream of a withdrawal: `withdrawal-` and the id of the product."""
    return f"withdrawal-{product}"


def evolve(state: WithdrawalState, event: Event) -> WithdrawalState:
    """Fold one event."""
    if isinstance(event, OfItem):
        state = changed(state, records=noted(state.records, event, step_of(event)))
    match event:
        case WithdrawalAwaited():
            return changed(state, awaited=event)
        case WithdrawalDeclared():
            return changed(state, declared=event, refund_by=event.refund_by)
        case events.ReturnLabelIssued():
            return changed(state, label=event.reference)
        case events.GoodsProvenSent():
            return changed(state, sent_on=event.sent_on, refund_by=event.refund_by)
        case events.GoodsReceived():
            return changed(state, received_on=event.received_on, refund_by=event.refund_by)
        case events.GoodsGraded():
            credited = {} if state.taken_back_on else {"taken_back_on": event.graded_on, "kept_minor": event.kept_minor}
            return changed(state, grade=event.grade, refund_by=event.refund_by, **credited)
        case events.GoodsCredited():
            return changed(state, taken_back_on=event.credited_on)
        case events.WithdrawalSettled():
            return changed(state, settled=True, refunds=event.refunds, refunded_minor=event.amount_minor)
    return state


def advance(state: WithdrawalState, touched: frozenset[str], at: datetime, book: Any) -> Decision:
    """Ask for what a declaration leads to: of a service that it is switched off and its money goes back, of goods that there is a label for
    their return."""
    if state.declared is None or not {SWITCH_OFF, GOODS_RETURN}.isdisjoint(state.records):
        return NOTHING
    decision = NOTHING
    for name in (GOODS_RETURN,) if state.declared.goods else (SWITCH_OFF, REFUND):
        work = withdrawal_work(state, withdrawal_stream(state.declared.product), "", name, book)
        decision += book.steps[name].request(work, at)
    return decision


def agenda(state: WithdrawalState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put the steps of a withdrawal on the agenda as any step."""
    return by_shape(stream, event, priority=PRIORITY, since=NEVER) if isinstance(event, OfItem) else ()


def withdrawal_work(state: WithdrawalState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of a step, under the market that the order of the product followed."""
    told = state.declared or state.awaited
    market = book.market(told.market) if told else None
    return build(stream, item, step, state=state, subject=state, records=state.records, codes=book.codes, market=market)


def _correctable(state: WithdrawalState, item: str, changes: Mapping[str, str]) -> bool:
    return not changes


def _owner(state: WithdrawalState) -> tuple[str | None, str | None]:
    told = state.declared or state.awaited
    return (told.order, told.customer) if told else (None, None)


KIND = StreamKind(
    category="withdrawal",
    shape_version=4,
    state_type=WithdrawalState,
    initial=lambda _: WithdrawalState(),
    evolve=evolve,
    agenda=agenda,
    advance=advance,
    work=withdrawal_work,
    correctable=_correctable,
    owner=_owner,
)
