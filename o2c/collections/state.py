"""The collections of an account as a fold of their stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from o2c.collections.events import (
    BarLifted,
    Barred,
    BarRequested,
    Cleared,
    DebtPlaced,
    DisputeOpened,
    DisputeSettled,
    HoldPlaced,
    HoldReleased,
    Looked,
    LookRequested,
    OfHold,
    OfNotice,
    PlanAgreed,
    PlanBroken,
    PlanKept,
    PlanPartKept,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    StageEntered,
    Warned,
)
from o2c.collections.interest import charge_of, overcharged
from o2c.collections.lateness import Late, charged, later
from o2c.kernel.agenda import NEVER, AgendaChange, by_shape
from o2c.kernel.arrears import ArrearsChanged, collection_stream
from o2c.kernel.debts import DebtGivenUp
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.lateness import LateCharged, LateOvercharged, LateRules
from o2c.kernel.shapes import OfItem, StepCancelled, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import MarketBook, Record, Work, build, noted

PRIORITY = 9


@dataclass(frozen=True, slots=True)
class Arrear:
    """What is open past its due day on an invoice, and how much of that is in dispute, or is charged for late payment itself, in minor
    units."""

    invoice: str
    currency: str
    due_on: str
    open_minor: int
    disputed_minor: int = 0
    answer: str = ""
    claims_minor: int = 0

    @property
    def collected_minor(self) -> int:
        """What is collected: all but what is in dispute."""
        return max(self.open_minor - self.disputed_minor, 0)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that was given on a local day, of these invoices; one that `warns` is what a bar may rest on."""

    notice: str
    stage: str
    currency: str
    told_on: str
    invoices: tuple[str, ...]
    warns: bool


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise to pay up to and including a local day, and what came of it, in minor units."""

    amount_minor: int
    currency: str
    by_on: str
    paid_minor: int = 0


@dataclass(frozen=True, slots=True)
class DebtPlan:
    """A debt that is paid in parts, each a last local day and an amount in minor units; `kept` parts have come."""

    currency: str
    parts: tuple[tuple[str, int], ...]
    invoices: tuple[str, ...]
    kept: int = 0

    @property
    def debt_minor(self) -> int:
        """The whole debt."""
        return self.due_minor(len(self.parts))

    def due_minor(self, number: int) -> int:
        """What is to have come with so many parts."""
        return sum(amount_minor for _, amount_minor in self.parts[:number])


@dataclass(frozen=True, slots=True)
class CollectionState:
    """The collections of an account: arrears by invoice, the stage by currency (absent: none), notices given since each was last cleared.

    `disputes` are the amounts in dispute by invoice, `conceded` those that were settled for the customer and are not credited yet, in minor
    units. `holds` are the last days by kind, empty for one without an end. `bar` is the level at which the network bars the lines,
    `bar_asked` the one it was last asked for, with the warnings it rests on. A look is asked for and to come while it is `looking`; `moved`
    says that something changed since it was asked for. `placed` are the invoices that an agency collects, with its name, `written_off`
    those that the books were told to give up. `late` is what businesses owed past due days, by invoice, paid since or not.
    """

    account: str = ""
    customer: str = ""
    market: str = ""
    arrears: dict[str, Arrear] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    holds: dict[str, str] = field(default_factory=dict)
    disputes: dict[str, int] = field(default_factory=dict)
    conceded: dict[str, int] = field(default_factory=dict)
    promise: Promise | None = None
    promises_broken: int = 0
    plan: DebtPlan | None = None
    plans_broken: int = 0
    bar: str = ""
    bar_asked: str = ""
    bar_notices: tuple[str, ...] = ()
    looking: bool = False
    moved: bool = False
    placed: dict[str, str] = field(default_factory=dict)
    written_off: tuple[str, ...] = ()
    late: dict[str, Late] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)

    def uncollected(self, invoice: str) -> int:
        """What of an invoice is not collected, in minor units: in dispute, or conceded and not credited yet."""
        return self.disputes.get(invoice, 0) + self.conceded.get(invoice, 0)

    def collected(self, currency: str) -> list[Arrear]:
        """The invoices that are collected in a currency, the earliest due first."""
        found = (arrear for arrear in self.arrears.values() if arrear.currency == currency and arrear.collected_minor)
        return sorted(found, key=lambda arrear: (arrear.due_on, arrear.invoice))

    def late_charges(self, rules: LateRules, currency: str, *, bill: str, before: date, of_currency: str) -> list[LateCharged]:
        """What a bill in `of_currency` charges for late days before a local day, invoice by invoice; `currency` is that of the market's
        fixed sums."""
        lates = (late for _, late in sorted(self.late.items()) if late.currency == of_currency)
        return [each for late in lates if (each := charge_of(late, rules, currency, bill=bill, before=before))]


def evolve(state: CollectionState, event: Event) -> CollectionState:
    match event:
        case ArrearsChanged():
            return _owes(state, event)
        case LateCharged() | LateOvercharged():
            late = state.late.get(event.invoice)
            return changed(state, late={**state.late, event.invoice: charged(late, event)}) if late else state
        case StageEntered():
            return changed(state, stages={**state.stages, event.currency: event.stage})
        case Cleared():
            return _cleared(state, event)
        case DebtPlaced():
            return changed(state, placed={**state.placed, **{owed.invoice: event.agency for owed in event.invoices}})
        case DebtGivenUp():
            return changed(state, written_off=(*state.written_off, *(owed.invoice for owed in event.invoices)))
        case OfNotice():
            return changed(state, notices=(*state.notices, _notice(event)))
        case OfHold():
            return _held(state, event)
        case PromiseKept():
            return changed(state, promise=None)
        case PromiseBroken():
            return changed(state, promise=None, promises_broken=state.promises_broken + 1)
        case PlanPartKept() | PlanKept() | PlanBroken():
            return _planned(state, event)
        case OfItem():
            return _stepped(changed(state, records=noted(state.records, event, step_of(event))), event)
    return state


def _planned(state: CollectionState, event: PlanPartKept | PlanKept | PlanBroken) -> CollectionState:
    if isinstance(event, PlanPartKept):
        return changed(state, plan=changed(state.plan, kept=event.number)) if state.plan else state
    return changed(state, plan=None, plans_broken=state.plans_broken + isinstance(event, PlanBroken))


def _owes(state: CollectionState, event: ArrearsChanged) -> CollectionState:
    before = state.arrears.get(event.invoice)
    arrears = {name: arrear for name, arrear in state.arrears.items() if name != event.invoice}
    if event.business:
        was_minor = max(before.open_minor - before.claims_minor, 0) if before else 0
        state = changed(state, late={**state.late, event.invoice: later(state.late.get(event.invoice), event, was_minor)})
    if before and event.cause == "credit":
        state = _credited(state, event.invoice, before.open_minor - max(event.open_minor, 0))
    if event.open_minor > 0:
        answer = event.answer or (before.answer if before else "")
        disputed_minor = event.disputed_minor or state.uncollected(event.invoice)
        owed = Arrear(event.invoice, event.currency, event.due_on, event.open_minor, disputed_minor, answer, event.claims_minor)
        arrears[event.invoice] = owed
    else:
        placed = {name: agency for name, agency in state.placed.items() if name != event.invoice}
        state = changed(state, placed=placed, written_off=tuple(name for name in state.written_off if name != event.invoice))
    promise = state.promise
    if promise and before and event.cause == "payment" and event.currency == promise.currency:
        promise = changed(promise, paid_minor=promise.paid_minor + max(before.open_minor - max(event.open_minor, 0), 0))
    known = {"account": event.account, "customer": event.customer, "market": event.market}
    return changed(state, **known, arrears=arrears, promise=promise, moved=bool(arrears or state.stages or state.promise or state.plan))


def _credited(state: CollectionState, invoice: str, amount_minor: int) -> CollectionState:
    """A credit takes off the invoice what was conceded first."""
    left = max(state.conceded.get(invoice, 0) - amount_minor, 0)
    return changed(state, conceded={**_without(state.conceded, invoice), **({invoice: left} if left else {})})


def _without(amounts: dict[str, int], invoice: str) -> dict[str, int]:
    return {name: amount for name, amount in amounts.items() if name != invoice}


def _disputed(state: CollectionState, event: DisputeOpened | DisputeSettled) -> CollectionState:
    disputes = _without(state.disputes, event.invoice)
    if isinstance(event, DisputeOpened):
        state = changed(state, disputes={**disputes, event.invoice: event.amount_minor})
    else:
        conceded = state.conceded.get(event.invoice, 0) + (event.amount_minor if event.outcome == "customer" else 0)
        more = {event.invoice: conceded} if conceded else {}
        state = changed(state, disputes=disputes, conceded={**_without(state.conceded, event.invoice), **more})
    known = state.arrears.get(event.invoice)
    if known is None:
        return state
    return changed(state, arrears={**state.arrears, event.invoice: changed(known, disputed_minor=state.uncollected(event.invoice))})


def _cleared(state: CollectionState, event: Cleared) -> CollectionState:
    stages = {currency: stage for currency, stage in state.stages.items() if currency != event.currency}
    notices = tuple(notice for notice in state.notices if notice.currency != event.currency)
    broken = {} if stages else {"promises_broken": 0, "plans_broken": 0}
    return changed(state, stages=stages, notices=notices, **broken)


def _notice(event: OfNotice) -> Notice:
    invoices = tuple(owed.invoice for owed in event.invoices)
    return Notice(event.notice, event.stage, event.currency, event.told_on, invoices, isinstance(event, Warned))


def _held(state: CollectionState, event: OfHold) -> CollectionState:
    known = {"account": event.account, "customer": event.customer, "market": event.market}
    state = changed(state, **known, moved=bool(state.arrears))
    match event:
        case HoldPlaced():
            return changed(state, holds={**state.holds, event.kind: event.until})
        case HoldReleased():
            return changed(state, holds={kind: until for kind, until in state.holds.items() if kind != event.kind})
        case DisputeOpened() | DisputeSettled():
            return _disputed(state, event)
        case PromiseMade():
            return changed(state, promise=Promise(event.amount_minor, event.currency, event.by_on))
        case PlanAgreed():
            parts = tuple((part.due_on, part.amount_minor) for part in event.parts)
            return changed(state, plan=DebtPlan(event.currency, parts, event.invoices))
    return state


def _stepped(state: CollectionState, event: OfItem) -> CollectionState:
    match event:
        case LookRequested():
            return changed(state, looking=True, moved=False)
        case Looked():
            return changed(state, looking=False)
        case BarRequested():
            return changed(state, bar_asked=event.level, bar_notices=event.notices)
        case Barred():
            return changed(state, bar=event.level)
        case BarLifted():
            return changed(state, bar="")
        case StepCancelled(step="collections"):
            return changed(state, looking=False)
    return state


def advance(state: CollectionState, touched: frozenset[str], at: datetime, book: Any) -> Decision:
    """Ask for a look: at once when something changed, else on the next day on which the account could be in another stage. What bills
    charged too much for late payment, as it turns out, is told first."""
    if too_much := _too_much(state, book):
        return just(too_much)
    step = book.steps["collections"]
    if not state.moved and state.looking:
        return NOTHING
    work = collection_work(state, collection_stream(state.account), "", step.name, book)
    if state.moved:
        return cast("Decision", step.request(work, at, due_at=at))
    due_at = step.due(work, at) if step.wanted(work) else NEVER
    return cast("Decision", step.request(work, at, due_at=due_at)) if due_at < NEVER else NOTHING


def _too_much(state: CollectionState, book: Any) -> LateOvercharged | None:
    billed = [late for _, late in sorted(state.late.items()) if late.billed]
    market = book.market(state.market) if billed else None
    rules = market.collections.late_interest if market else None
    if market is None or rules is None:
        return None
    return next(filter(None, (overcharged(late, rules, market.currency) for late in billed)), None)


def agenda(state: CollectionState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put looks and bars on the agenda, behind everything else that is due at the same time."""
    return by_shape(stream, event, priority=PRIORITY, since=NEVER)


def collection_work(state: CollectionState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of a step, under the market that the account follows."""
    return build(stream, item, step, state=state, subject=state, records=state.records, codes=book.codes, market=book.market(state.market))


def _owner(state: CollectionState) -> tuple[str | None, str | None]:
    return None, state.customer or None


KIND = StreamKind(
    category="collection",
    shape_version=7,
    state_type=CollectionState,
    initial=lambda _: CollectionState(),
    evolve=evolve,
    agenda=agenda,
    advance=advance,
    work=collection_work,
    owner=_owner,
)
