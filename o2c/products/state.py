"""A product as a fold of its stream.

Source: TM Forum TMF637 Product Inventory v4.0.0, ProductStatusType: created, pendingActive, active, suspended, pendingTerminate,
terminated, cancelled. The first two and the last are of an item in its order, which is no product yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast

from o2c.kernel.agenda import NEVER, AgendaChange, by_shape
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.periods import local_time
from o2c.kernel.recurrence import Recurrence
from o2c.kernel.shapes import OfItem, StepCancelled, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import MarketBook, Record, Work, build, next_attempt, noted
from o2c.products import events
from o2c.products import leaving_events as leaving
from o2c.products.events import PortingCodeIssued, PortingCodeRefused, Standing
from o2c.products.leaving_events import PortOutAuthorised, PortOutRejected
from o2c.products.notice_events import About, EndNoticeAwaited, EndNoticeGiven
from o2c.products.switch_events import SwitchMatched, SwitchOrdered, SwitchTriggered, SwitchWithdrawn
from o2c.products.transfer_events import TransferAgreed, TransferWithdrawn

TERMINATION = "termination"
"""The attribute that an order ends a product by."""
OWNER = "owner"
"""The attribute that an order changes by which another customer takes a product over."""
NOTICE = "end-notice"
"""The step by which a customer is told that a term ends."""
END_OF_CONTRACT, BEST_PRICE = "end-of-contract", "best-price"
NOTICE_PRIORITY = 8
"""A letter waits for everything that serves."""
NOTICE_HOUR = 10
"""The local hour at which notices are given: the operator's own practice."""
PRIORITY = 1
"""A customer whose number is on its way has no service meanwhile: these steps come before others that are due."""


@dataclass(frozen=True, slots=True)
class ProductState:
    """A product so far; `standing` is None before it was started, `priced_from` the day from which it is what it is sold as, at the price
    of that. `changing` gives, by attribute, the `ORDER/ITEM` that is to change it.

    `suspended_for` is the reason for which it rests (empty while it serves), since `suspended_on`, and `rests_with` the product that it was
    added to and rests with (empty: it rests by itself); `relied_on_by` are the products that end with it. Days are ISO dates of the market.
    `sim_changed_on` is when its SIM was last replaced; `porting_code` is the last code that was given for its number (None when it is worth
    nothing any more; `code_lapsed` when nobody used it in time), and `code_refused` the last answer, if it was a no. `locked` says that the
    customer wants the number to go to nobody. `port_out` is the port to another operator that was authorised and is not over, `rejected`
    the last request if it was rejected, `withdrawn` the reference of the last port that was taken back. `records` are the steps of the day.
    `notice_awaited` names the notice of a term's end that was asked for (see `NoticeDue.name`); `transfer` is what its owner agreed to, so
    that another customer may take it over (None: nothing, or the product became another since). `told_of` is the end of the last term that
    there was a notice of, and `told_on` the day of the last notice. `switching` is the last match of a new provider that was not called
    off, `switch_on` the day (ISO, local) for which it ordered (empty: it did not), `switched_on` that since which its service is on,
    `switch_called_off` the reference of the last one that was called off.
    """

    product: str = ""
    order: str = ""
    item: str = ""
    market: str = ""
    currency: str = ""
    started_on: str = ""
    priced_from: str = ""
    standing: Standing | None = None
    relies_on: tuple[str, ...] = ()
    relied_on_by: tuple[str, ...] = ()
    changing: dict[str, str] = field(default_factory=dict)
    suspended_for: str = ""
    suspended_on: str = ""
    rests_with: str = ""
    charged_while: bool = True
    ended_on: str = ""
    sim_changed_on: str = ""
    porting_code: PortingCodeIssued | None = None
    code_lapsed: bool = False
    code_refused: PortingCodeRefused | None = None
    locked: bool = False
    port_out: PortOutAuthorised | None = None
    rejected: PortOutRejected | None = None
    withdrawn: str = ""
    records: dict[str, Record] = field(default_factory=dict)
    transfer: TransferAgreed | None = None
    switching: SwitchMatched | None = None
    switch_on: str = ""
    switched_on: str = ""
    switch_called_off: str = ""
    notice_awaited: str = ""
    told_of: str = ""
    told_on: str = ""

    @property
    def rests_uncharged(self) -> bool:
        """Whether it rests and costs nothing meanwhile: it is to be charged again when it serves."""
        return bool(self.suspended_for) and not self.charged_while

    @property
    def status(self) -> str:
        """Its status by TMF637; empty before it was started."""
        if self.standing is None:
            return ""
        if self.ended_on:
            return "terminated"
        if TERMINATION in self.changing or self.port_out or self.switch_on:
            return "pendingTerminate"
        return "suspended" if self.suspended_for else "active"

    def number_free_from(self, hold_days: int) -> date:
        """The first day on which its number may leave, or be changed, where it is held for some days after another SIM was given (0:
        any)."""
        held = bool(self.sim_changed_on) and hold_days > 0
        return date.fromisoformat(self.sim_changed_on) + timedelta(days=hold_days) if held else date.min


def evolve(state: ProductState, event: Event) -> ProductState:
    """Fold one event."""
    match event:
        case events.ProductStarted():
            told = {name: getattr(event, name) for name in ("product", "order", "item", "market", "currency", "started_on", "standing")}
            return changed(state, **told, priced_from=event.started_on, relies_on=event.relies_on)
        case events.ProductReliedOn():
            return changed(state, relied_on_by=tuple(dict.fromkeys((*state.relied_on_by, event.by))), transfer=None)
        case events.ProductChangeAccepted():
            return changed(state, changing={**state.changing, **dict.fromkeys(event.attributes, f"{event.order}/{event.item}")})
        case events.ProductChangeDropped():
            return changed(state, changing=_without(state.changing, event.order, event.item))
        case events.ProductChanged():
            priced_from = event.changed_on if "offering" in event.attributes else state.priced_from
            return changed(
                _after(state, event),
                standing=event.standing,
                priced_from=priced_from,
                changing=_without(state.changing, event.order, event.item),
            )
        case events.ProductSuspended():
            rests = {
                "suspended_for": event.reason,
                "suspended_on": event.suspended_on,
                "charged_while": event.charged,
                "rests_with": event.base,
            }
            return changed(_charged(state, event.charge), **rests, changing=_without(state.changing, event.order, event.item))
        case events.ProductResumed():
            return _resumed(state, event)
        case events.ProductTerminated():
            return changed(state, ended_on=event.ended_on, changing={}, porting_code=None, port_out=None, transfer=None)
        case TransferAgreed():
            return changed(state, transfer=event)
        case TransferWithdrawn():
            return changed(state, transfer=None)
        case PortingCodeIssued():
            return changed(state, porting_code=event, code_lapsed=False, code_refused=None)
        case PortingCodeRefused():
            return changed(state, code_refused=event)
    return _leaving(state, event)


def _leaving(state: ProductState, event: Event) -> ProductState:
    """Fold an event of a number that leaves, or is to stay."""
    if isinstance(event, OfItem):
        state = changed(state, records=noted(state.records, event, step_of(event)))
    match event:
        case leaving.ProductLocked() | leaving.ProductUnlocked():
            return changed(state, locked=isinstance(event, leaving.ProductLocked))
        case PortOutAuthorised():
            return changed(state, port_out=event, rejected=None)
        case PortOutRejected():
            return changed(state, rejected=event)
        case leaving.PortOutWithdrawn():
            return changed(state, port_out=None, withdrawn=event.reference)
        case leaving.ServiceReactivated():
            return changed(state, port_out=None)
        case leaving.PortingCodeLapsed():
            return changed(state, code_lapsed=True)
        case SwitchMatched():
            return changed(state, switching=event, switch_on="", switch_called_off="")
        case SwitchOrdered():
            return changed(state, switch_on=event.planned_on)
        case SwitchWithdrawn():
            return changed(state, switching=None, switch_on="", switch_called_off=event.reference)
        case SwitchTriggered():
            return changed(state, switched_on=event.activated_on)
        case EndNoticeAwaited():
            return changed(state, notice_awaited=f"{event.about} {event.ends_on}")
        case EndNoticeGiven():
            return changed(state, notice_awaited="", told_of=event.ends_on, told_on=event.told_on)
        case StepCancelled(step=step) if step == NOTICE:
            return changed(state, notice_awaited="")
    return state


class NoticeDue(NamedTuple):
    """A notice that is to be given: what it is about, the end of which term, on which day, and the days (ISO) between which it is in time,
    empty for any."""

    about: About
    ends_on: str
    on: date
    from_day: str = ""
    to_day: str = ""

    @property
    def name(self) -> str:
        """What tells it from the others of its product."""
        return f"{self.about} {self.ends_on}"


def next_notice(state: ProductState, market: Any) -> NoticeDue | None:
    """Give the next notice that a product's customer is to have, by the market's rules: of the end of its term, once; then, while there is
    no other term, of the best prices every so many months. None for a product without a term, or one that ended."""
    stands = state.standing
    if stands is None or state.ended_on or not stands.commitment_ends_on:
        return None
    rules, end = market.life.end_notice, date.fromisoformat(stands.commitment_ends_on)
    if state.told_of != stands.commitment_ends_on:
        first, last = (end - timedelta(days=days) for days in (rules.days_before_max, rules.days_before_min))
        return NoticeDue(
            "end-of-contract", end.isoformat(), end - timedelta(days=rules.told_days_before), first.isoformat(), last.isoformat()
        )
    if not rules.best_price_months:
        return None
    again_on = Recurrence("month", rules.best_price_months).begins(date.fromisoformat(state.told_on), 1)
    return NoticeDue("best-price", end.isoformat(), again_on)


def notice_body(due: NoticeDue) -> dict[str, str]:
    """Give what the request of a notice says of it."""
    return {"about": due.about, "ends_on": due.ends_on, "from_day": due.from_day, "to_day": due.to_day}


def advance(state: ProductState, touched: frozenset[str], at: datetime, book: Any) -> Decision:
    """Ask for the next notice of the term's end: anew where another term has begun. One that nobody is to have any more is called off."""
    market: Any = book.market(state.market) if state.standing else None
    due = next_notice(state, market)
    if due is None:
        return just(StepCancelled(step=NOTICE)) if state.notice_awaited else NOTHING
    if due.name == state.notice_awaited:
        return NOTHING
    work = product_work(state, f"product-{state.product}", "", NOTICE, book)
    due_at = max(local_time(due.on, NOTICE_HOUR, 0, market.zone), at)
    return cast("Decision", book.steps[NOTICE].request(work, at, attempt=next_attempt(state.records, NOTICE), due_at=due_at))


def agenda(state: ProductState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put the steps of a number that leaves, the lapse of its code, and the notice of a term's end on the agenda as any step."""
    if not isinstance(event, OfItem):
        return ()
    return by_shape(stream, event, priority=NOTICE_PRIORITY if step_of(event) == NOTICE else PRIORITY, since=NEVER)


def product_work(state: ProductState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of a step of the product, under the market that its order followed."""
    market = book.market(state.market)
    return build(stream, item, step, state=state, subject=state, records=state.records, codes=book.codes, market=market)


def _correctable(state: ProductState, item: str, changes: Mapping[str, str]) -> bool:
    return not changes


def _after(state: ProductState, event: events.ProductChanged) -> ProductState:
    """Another number, payer or owner makes a code worthless that was given before. What an owner wished of the number, or agreed to, is not
    the next one's."""
    if OWNER in event.attributes:
        return changed(state, porting_code=None, code_refused=None, locked=False, transfer=None)
    keeps = not {"number", "account"} & set(event.attributes)
    swapped_on = event.changed_on if "sim" in event.attributes else state.sim_changed_on
    return changed(state, porting_code=state.porting_code if keeps else None, sim_changed_on=swapped_on)


def _charged(state: ProductState, charge: str) -> ProductState:
    return changed(state, standing=state.standing and state.standing.model_copy(update={"charge": charge}))


def _resumed(state: ProductState, event: events.ProductResumed) -> ProductState:
    standing = state.standing and state.standing.model_copy(update={"charge": event.charge, "commitment_ends_on": event.commitment_ends_on})
    serves = {"suspended_for": "", "suspended_on": "", "rests_with": "", "charged_while": True, "standing": standing}
    return changed(state, **serves, changing=_without(state.changing, event.order, event.item))


def _without(changing: Mapping[str, str], order: str, item: str) -> dict[str, str]:
    return {name: by for name, by in changing.items() if by != f"{order}/{item}"}


KIND = StreamKind(
    category="product",
    shape_version=9,
    state_type=ProductState,
    initial=lambda _: ProductState(),
    evolve=evolve,
    agenda=agenda,
    advance=advance,
    work=product_work,
    correctable=_correctable,
    owner=lambda state: (state.order or None, state.standing.customer if state.standing else None),
)
