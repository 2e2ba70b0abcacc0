"""An order as a fold of its events, which never judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.identifiers import derived_id
from o2c.kernel.periods import parse_time
from o2c.kernel.shapes import (
    CallParked,
    CallResumed,
    FellOut,
    LetGo,
    OfItem,
    PartnerSilent,
    Replanned,
    Requested,
    SetAside,
    StepForced,
    Undertaken,
    step_of,
)
from o2c.kernel.work import NO_RECORD, Record, recorded
from o2c.orders import events
from o2c.orders.correcting import correct_wish
from o2c.orders.jeopardy_events import JeopardyCleared, JeopardyRaised
from o2c.orders.planned import Planned as Planned
from o2c.orders.planned import planned_of
from o2c.orders.promise_events import PromiseRevised
from o2c.orders.purchase_order_events import PurchaseOrderGiven
from o2c.orders.revised import TakenBack, gone_on, lines_of, relied_on_by, revised, without
from o2c.orders.revision_events import OrderRevised
from o2c.orders.rollup import SUSPENSION, Progress, follow, plan
from o2c.orders.suspension_events import OrderSuspended
from o2c.orders.voucher_events import VouchersExpired
from o2c.orders.wish import NUMBER, PORT_IN, Line, bringing_nothing, resolved

SHAPE_VERSION = 24
LONG_AFTER = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for the day of a code that was corrected before that day was kept: it never grows too old."""


@dataclass(frozen=True, slots=True)
class Resubmission:
    """A paper that came under the order's external id with other content.

    `fallout` is that by which a person is asked, `decision` what was decided (empty while nobody has), and `order` the order of its own
    that it became. The channel and its date are empty where they were not kept yet.
    """

    fingerprint: str
    intake: str
    line: int
    fallout: str
    channel: str = ""
    order_date: str = ""
    differing: tuple[str, ...] = ()
    decision: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order so far. `lines` and the `prices` that the channel sent are dropped once it is planned; then `items` take their place.

    `relied_on_by` gives, by item, the items that rely on it, or wait to be released with it. `records`, `set_aside` and `let_go` (what is
    kept for a step no more) stand under item and step; the item of a gate is empty. `suspected` are the open fallouts of resubmissions, of
    which an order may have several. `due` gives, by item and step under way, the time at which more is known and whether a partner took the
    work on; `forced`, by item, the step that was last counted as done by other means after a fallout, and the reason of that. `ceased` are
    the items whose service ended after they were complete, and `ITEM/STEP` what of an item serves no more; `in_service` are the items that
    became products. `revisions` are the fingerprints of the papers that it was changed to, and `taken_back` gives, by item and step, the
    work of before that is still being taken back. `committed` gives, by item whose promise was moved, the day that its customer could count
    on: the first one, but for what he moved himself. `purchase_order` is the customer's own. `suspended_until` and `suspended_for` (who is
    waited for) are those of the last time that it was suspended. `same_wish` is the order that may be the same wish, until somebody said
    that it is another. `danger` gives the level that was written down last of each item that is not normal.
    """

    order_id: str = ""
    external_id: str = ""
    owner: str = ""
    party: str = ""
    channel: str = ""
    after: str = ""
    category: str = ""
    priority: int = 4
    market: str = ""
    captured_at: datetime | None = None
    account: str = ""
    requested_start: str = ""
    requested_completion: str = ""
    fingerprint: str = ""
    intake: str = ""
    line: int = 0
    catalogue_version: int = 0
    resubmissions: tuple[Resubmission, ...] = ()
    lines: tuple[Line, ...] = ()
    prices: tuple[events.SentPrice, ...] = ()
    items: dict[str, Planned] = field(default_factory=dict)
    relied_on_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    records: dict[str, dict[str, Record]] = field(default_factory=dict)
    closed: str = ""
    suspected: tuple[str, ...] = ()
    set_aside: dict[str, dict[str, tuple[dict[str, Any], ...]]] = field(default_factory=dict, repr=False)
    let_go: dict[str, dict[str, tuple[dict[str, Any], ...]]] = field(default_factory=dict, repr=False)
    due: dict[str, dict[str, tuple[datetime, bool]]] = field(default_factory=dict)
    forced: dict[str, tuple[str, str]] = field(default_factory=dict)
    ceased: tuple[str, ...] = ()
    in_service: tuple[str, ...] = ()
    revisions: tuple[str, ...] = ()
    taken_back: dict[str, dict[str, TakenBack]] = field(default_factory=dict)
    committed: dict[str, str] = field(default_factory=dict)
    purchase_order: str = ""
    suspended_until: datetime | None = None
    suspended_for: str = ""
    same_wish: str = ""
    danger: dict[str, str] = field(default_factory=dict)

    def kept(self, item: str, step: str) -> tuple[dict[str, Any], ...]:
        """Give the events by which something was set aside for a step, oldest first, as plain values."""
        return self.set_aside.get(item, {}).get(step, ())

    def had(self, item: str, step: str) -> tuple[dict[str, Any], ...]:
        """Give all that was ever set aside for a step, oldest first: what was let go, too."""
        return self.let_go.get(item, {}).get(step, ()) + self.kept(item, step)

    def record(self, item: str, step: str) -> Record:
        """Give the record of a step; an empty one for a step without events. The item of a gate is empty."""
        return self.records.get(item, {}).get(step, NO_RECORD)

    def brings(self, item: str) -> bool:
        """Whether an item brings a number, and its port-in was not given up."""
        given_up = self.progress.items[item].steps.get("porting") == "given-up" if item in self.progress.items else False
        return item in self.items and NUMBER in self.items[item].characteristics and not given_up

    @property
    def suspended(self) -> bool:
        """Whether nothing new of it begins: it was suspended, and not resumed."""
        return self.progress.gates.get(SUSPENSION) == "pending"

    @property
    def planned(self) -> bool:
        """Whether the order has its plan."""
        return bool(self.items)


def initial(stream: str) -> OrderState:
    """Start with the order id from the stream's name."""
    return OrderState(order_id=stream.removeprefix("order-"))


def evolve(state: OrderState, event: Event) -> OrderState:
    """Fold one event. An event that says nothing of the state leaves it as it is."""
    change = _OWN.get(type(event))
    if change is not None:
        return change(state, event)
    if isinstance(event, OfItem):
        return _step_event(state, event)
    return state


def _captured(state: OrderState, event: events.OrderCaptured) -> OrderState:
    return changed(
        state,
        external_id=event.external_id,
        owner=event.owner,
        channel=event.channel,
        after=event.after,
        requested_start=event.requested_start,
        requested_completion=event.requested_completion,
        party=event.party,
        category=event.category,
        priority=event.priority,
        market=event.market,
        captured_at=parse_time(event.order_date),
        account=event.account,
        fingerprint=event.fingerprint,
        intake=event.intake,
        line=event.line,
        catalogue_version=event.catalogue_version,
        lines=lines_of(event),
        prices=event.prices,
        same_wish=event.same_wish,
    )


def _resubmitted(state: OrderState, event: events.OrderResubmitted) -> OrderState:
    came = Resubmission(
        fingerprint=event.fingerprint,
        intake=event.intake,
        line=event.line,
        fallout=suspicion(state.order_id, event.fingerprint),
        channel=event.channel,
        order_date=event.order_date,
        differing=event.differing,
    )
    return changed(state, resubmissions=(*state.resubmissions, came))


def suspicion(order_id: str, fingerprint: str) -> str:
    """Give the id of the fallout by which a person is asked what a changed paper is."""
    return derived_id("fallout", order_id, "duplicate", fingerprint)


def _planned(state: OrderState, event: events.OrderPlanned) -> OrderState:
    places = {line.item: line.place for line in state.lines}
    items = {
        item.item: planned_of(item, place=places.get(item.line, ""), account=event.account, currency=event.currency) for item in event.items
    }
    progress = plan(state.progress, ((item.item, item.waits, item.needs) for item in items.values()))
    # What was in danger as a whole, without a promise, has one now.
    danger = {item: level for item, level in state.danger.items() if item}
    return changed(
        state, items=items, lines=(), prices=(), progress=progress, account=event.account, relied_on_by=relied_on_by(items), danger=danger
    )


def _corrected(state: OrderState, event: events.CorrectionApplied) -> OrderState:
    state = _step_event(state, event)
    if event.item in state.items:
        before = state.items[event.item]
        values = {key: value for key, value in event.changes.items() if key != "place"}
        place = event.changes.get("place", before.place)
        code = values.get("portInCode", before.characteristics.get("portInCode"))
        new_code = code != before.characteristics.get("portInCode")
        given_at = (event.given_at or LONG_AFTER) if new_code else before.code_given_at
        item = changed(before, characteristics={**before.characteristics, **values}, place=place, code_given_at=given_at)
        return changed(state, items={**state.items, event.item: item})
    if state.planned:
        return state
    for key, value in event.changes.items():
        state = correct_wish(state, key, value) or state
    return state


def _set_aside(state: OrderState, event: OfItem) -> OrderState:
    step, item = step_of(event), event.item
    kept = (*state.kept(item, step), event.model_dump(mode="json", exclude={"item"})) if isinstance(event, SetAside) else ()
    let_go = {item: {**state.let_go.get(item, {}), step: state.had(item, step)}} if isinstance(event, LetGo) else {}
    set_aside = {**state.set_aside, item: {**state.set_aside.get(item, {}), step: kept}}
    return changed(state, set_aside=set_aside, let_go={**state.let_go, **let_go})


def _step_event(state: OrderState, event: OfItem) -> OrderState:
    if isinstance(event, SetAside | LetGo):
        return _set_aside(state, event)
    step, item = step_of(event), event.item
    if event.shape == "given-up" and item in state.items and step in state.items[item].left:
        return without(state, item, step)
    waiting_for = event.waiting_for if isinstance(event, FellOut) else ""
    progress = follow(state.progress, event.shape, step, item, waiting_for)
    if item in state.taken_back:
        state = gone_on(changed(state, progress=progress), event, step)
        progress = state.progress
    record = recorded(state.record(item, step), event)
    if record is None:
        return changed(state, progress=progress)
    records = {**state.records, item: {**state.records.get(item, {}), step: record}}
    items = _waiting_anew(state, event) if isinstance(event, Replanned) and event.waits else state.items
    if item in items:
        state = _timed(state, event, step, item)
    return changed(state, progress=progress, records=records, items=items)


def _waiting_anew(state: OrderState, event: Replanned) -> dict[str, Planned]:
    before = state.items.get(event.item)
    anew = {event.item: changed(before, waits={**before.waits, step_of(event): event.waits})} if before else {}
    return {**state.items, **anew}


def _timed(state: OrderState, event: OfItem, step: str, item: str) -> OrderState:
    """Keep when more is known of a step that is under way, and what was forced."""
    steps = state.due.get(item, {})
    match event:
        case Requested():
            known = {**steps, step: (event.due_at, False)}
        case CallParked():
            known = steps
        case CallResumed():
            known = {**steps, step: (event.due_at, steps.get(step, (None, False))[1])}
        case Undertaken() | PartnerSilent():
            known = {**steps, step: (event.ask_again_at, isinstance(event, Undertaken) or steps.get(step, (None, False))[1])}
        case _:
            known = {name: time for name, time in steps.items() if name != step}
    due = {**state.due, item: known} if known else {name: times for name, times in state.due.items() if name != item}
    reason = state.record(item, step).reason
    if isinstance(event, StepForced) and reason:
        return changed(state, due=due, forced={**state.forced, item: (step, reason)})
    return changed(state, due=due)


def _promised(state: OrderState, event: PromiseRevised) -> OrderState:
    items = {name: changed(line, promised_on=event.promised_on) if name == event.item else line for name, line in state.items.items()}
    return changed(state, items=items, committed={**state.committed, event.item: _counted_on(state, event)})


def _counted_on(state: OrderState, event: PromiseRevised) -> str:
    """The day that a customer can count on once a promise was moved: as many days later, or sooner, where he moved it himself."""
    before = state.committed.get(event.item, event.promised_before)
    if not (event.by_customer and before and event.promised_before):
        return before
    moved = date.fromisoformat(event.promised_on) - date.fromisoformat(event.promised_before)
    return (date.fromisoformat(before) + moved).isoformat()


def _amended(state: OrderState, event: events.OrderAmended) -> OrderState:
    own = {"priority": event.priority, "category": event.category}
    return changed(state, **{name: value for name, value in own.items() if name in event.amended})


def _accepted(state: OrderState, event: events.CancellationAccepted) -> OrderState:
    if event.part == PORT_IN and not state.planned:
        return changed(state, lines=tuple(bringing_nothing(line) if line.item == event.item else line for line in state.lines))
    return _step_event(state, event)


def _suspected(state: OrderState, event: events.DuplicateSuspected) -> OrderState:
    return changed(_step_event(state, event), suspected=(*state.suspected, event.fallout))


def _settled(state: OrderState, event: events.DuplicateSettled) -> OrderState:
    settled = tuple(
        changed(one, decision=event.decision, order=event.order) if one.fallout == event.fallout else one for one in state.resubmissions
    )
    suspected = tuple(one for one in state.suspected if one != event.fallout)
    return changed(_step_event(state, event), suspected=suspected, resubmissions=settled)


def _ceased_names(event: events.ItemCeased) -> tuple[str, ...]:
    return tuple(f"{event.item}/{step}" for step in event.steps) or (event.item,)


def _validated(state: OrderState, event: events.OrderValidated) -> OrderState:
    products = {one.line: one for one in event.products}
    return _step_event(changed(state, lines=tuple(resolved(state.lines, products))) if products else state, event)


def _expired(state: OrderState, event: VouchersExpired) -> OrderState:
    """The order holds these vouchers no more, and what they took off its items is gone."""
    state = _step_event(state, event)
    validated = state.record("", "validation")
    vouchers = validated.outcome.get("vouchers", ())
    lowered = {line for one in vouchers if one["code"] in event.codes for line in one["lines"]}
    outcome = {**validated.outcome, "vouchers": [one for one in vouchers if one["code"] not in event.codes]}
    gates = {**state.records.get("", {}), "validation": changed(validated, outcome=outcome)}
    items = {
        name: changed(item, terms=item.terms.without(event.codes)) if item.line in lowered else item for name, item in state.items.items()
    }
    return changed(state, records={**state.records, "": gates}, items=items)


def _suspended(state: OrderState, event: OrderSuspended) -> OrderState:
    return changed(_step_event(state, event), suspended_until=event.due_at, suspended_for=event.waits_for)


def _closed(state: OrderState, event: Event) -> OrderState:
    return changed(state, closed=event.type_name)


_OWN: dict[type[Event], Callable[[OrderState, Any], OrderState]] = {
    events.OrderCaptured: _captured,
    events.OrderResubmitted: _resubmitted,
    events.OrderPlanned: _planned,
    events.OrderAmended: _amended,
    PurchaseOrderGiven: lambda state, event: changed(state, purchase_order=event.purchase_order),
    OrderRevised: revised,
    events.CorrectionApplied: _corrected,
    events.CancellationAccepted: _accepted,
    PromiseRevised: _promised,
    events.DuplicateSuspected: _suspected,
    events.DuplicateSettled: _settled,
    VouchersExpired: _expired,
    OrderSuspended: _suspended,
    events.ItemCeased: lambda state, event: changed(state, ceased=(*state.ceased, *_ceased_names(event))),
    events.ItemTakenIntoUse: lambda state, event: changed(state, in_service=(*state.in_service, event.item)),
    events.OrderValidated: _validated,
    JeopardyRaised: lambda state, event: changed(state, danger={**state.danger, event.item: event.level}),
    JeopardyCleared: lambda state, event: changed(state, danger={item: of for item, of in state.danger.items() if item != event.item}),
    **dict.fromkeys(
        (events.OrderRejected, events.OrderCompleted, events.OrderPartiallyCompleted, events.OrderFailed, events.OrderCancelled), _closed
    ),
}
