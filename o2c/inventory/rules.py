"""What becomes of a product, and of its charge, when an order has changed it, let it rest, or ended it.

Source: TM Forum TMF637 (statuses of a product); order life cycle, section 3 (upgrade, SIM swap, suspend, number change, cease) and 4
(tariff after activation: pro rata); billing facts, section 6 (a plan changed within a month is charged by days).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from o2c.catalogue.rises import announced
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.customers.events import CreditReleased
from o2c.customers.state import stream_of
from o2c.inventory.events import InventoryUpdated
from o2c.kernel.charges import EARLY, ChargeStarted, ChargeWithdrawn, account_stream
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.orders.changing import REASON, STATUS, SUSPENDED, cost_centre, held_by, payer_in, products_of
from o2c.orders.event_parts import HeldProduct
from o2c.orders.in_life import ends_on, holds_on, pieces
from o2c.products.bases import ends_charge, ends_with_base, rests_with_base
from o2c.products.events import (
    ProductChanged,
    ProductResumed,
    ProductSuspended,
    ProductTerminated,
    Standing,
    place_of,
    product_stream,
)
from o2c.products.rules import early_minor
from o2c.products.state import OWNER, TERMINATION, ProductState

_OBTAINED = {"sim": ("sim",), "number": ("number",)}
"""The steps by which an order obtains what takes another piece's place, by attribute."""
_COSTS_ANEW = frozenset({"offering", "account"})
"""The attributes with which a product has another charge."""


def products(work: Work) -> tuple[str, ...]:
    """Name the streams of the product that the item changes, and of those that end with it; of one that ends, or goes to another owner, the
    catalogue's too, for announced rises."""
    held = held_by(work)
    if held is None:
        return ()
    rises = (CATALOGUE,) if {TERMINATION, OWNER} & set(held.attributes) else ()
    return (product_stream(held.product), *_dependants(work, held), *rises)


def _dependants(work: Work, held: HeldProduct) -> tuple[str, ...]:
    """The streams of the products that end with the one that the item changes, or rest with it: of these, those that rely on it by now."""
    if TERMINATION in held.attributes:
        return tuple(map(product_stream, held.relied_on_by))
    if STATUS not in held.attributes:
        return ()
    state = cast("ProductState | None", work.read.get(product_stream(held.product)))
    return tuple(map(product_stream, state.relied_on_by if state else held.relied_on_by))


def update(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Bring the product in line with the order, from the present day of the market's calendar on; what it costs follows from the same
    day."""
    held, today = _held(work), local_date(at, work.market.zone)
    is_end, is_left = TERMINATION in held.attributes, held.commitment == "ended"
    ends_term = is_end or is_left
    charged_minor = (
        early_minor(held.standing, work.market, today, since=_priced_from(work, held), rises=announced(work)) if ends_term else 0
    )
    done = InventoryUpdated(
        item=work.item,
        attempt=work.attempt,
        product=held.product,
        effective_on=today.isoformat(),
        early_minor=charged_minor,
        early_charge=place_of(work.state.order_id, _early_item(work, held)) if is_left and charged_minor else "",
    )
    if is_end:
        return Decision((done,)) + _terminated(work, held, today, charged_minor, at)
    if OWNER in held.attributes:
        return Decision((done,)) + _taken_over(work, held, today, charged_minor)
    return Decision((done,)) + _changed(work, held, today) + _rests_or_serves(work, held, today)


def _held(work: Work) -> HeldProduct:
    """The product as it stands now: another order may have changed something else of it since this one was validated."""
    held = products_of(work.state)[work.subject.line]
    state = _product(work, held)
    now = {name: getattr(state, name) for name in ("standing", "status", "suspended_for", "suspended_on", "charged_while")}
    return held.model_copy(update=now)


def _changed(work: Work, held: HeldProduct, today: date) -> Decision:
    attributes = tuple(name for name in held.attributes if name != "status")
    if not attributes:
        return NOTHING
    before, after = held.standing, _standing_after(work, held.standing, attributes, today)
    replaced = _obtained(attributes)
    event = ProductChanged(
        order=work.state.order_id,
        item=work.item,
        attributes=attributes,
        changed_on=today.isoformat(),
        standing=after,
        gives_back={step: before.pieces[step] for step in replaced if step in before.pieces},
    )
    decision = Decision(elsewhere=((product_stream(held.product), event),))
    if before.charge and _COSTS_ANEW & set(attributes):
        return decision + _charged_anew(work, held, after, today)
    return decision + Decision(elsewhere=tuple(ends_charge(_product(work, held), today))) if after.account != before.account else decision


def _obtained(attributes: Iterable[str]) -> list[str]:
    return [step for name in attributes for step in _OBTAINED.get(name, ())]


def _standing_after(work: Work, before: Standing, attributes: Sequence[str], today: date) -> Standing:
    """How a product stands from a day on, once the order has changed these attributes of it."""
    planned, fresh = work.subject, _obtained(attributes)
    after: dict[str, Any] = {
        "characteristics": {**before.characteristics, **_chosen_anew(work)},
        "holds": {**before.holds, **holds_on(work.state, work.item)},
        "pieces": {**before.pieces, **{step: place for step, place in pieces(work.state, work.item).items() if step in fresh}},
    }
    if "account" in attributes:
        after["account"] = payer_in(work.state, planned.account)
    if "offering" in attributes:
        after |= {name: getattr(planned, name) for name in ("offering", "specification", "recurring_minor", "terms")}
        if (months := int(planned.characteristics.get("commitmentMonths", "1"))) > 1:
            after["commitment_ends_on"] = ends_on(today.isoformat(), months)
    if before.charge and _COSTS_ANEW & set(attributes):
        after["charge"] = place_of(work.state.order_id, work.item)
    return before.model_copy(update=after)


def _taken_over(work: Work, held: HeldProduct, today: date, charged_minor: int) -> Decision:
    """The product is another customer's from the day on, with all that serves it: charged to his account, and no more to the one of before,
    which is billed up to the day. Of its term he takes over what is left, or the one who leaves it pays for its early end, as both agreed;
    its price goes on as it was."""
    before = held.standing
    after = before.model_copy(
        update={
            "customer": work.state.party,
            "account": payer_in(work.state, work.subject.account),
            "charge": place_of(work.state.order_id, work.item) if before.charge else "",
            "commitment_ends_on": "" if held.commitment == "ended" else before.commitment_ends_on,
        }
    )
    by = {"order": work.state.order_id, "item": work.item, "attributes": held.attributes, "changed_on": today.isoformat()}
    decision = Decision(elsewhere=((product_stream(held.product), ProductChanged(standing=after, **by)),))
    if before.charge:
        decision += _charged_anew(work, held, after, today)
    return decision + Decision(elsewhere=(*_early(work, held, today, charged_minor), *_released(held, today)))


def _released(held: HeldProduct, today: date) -> Iterator[tuple[str, Event]]:
    """Whoever gives a product away is committed no more to what was to come of its term."""
    stands, ends_on = held.standing, held.standing.commitment_ends_on
    if ends_on > today.isoformat() and stands.recurring_minor:
        left_minor = stands.recurring_minor * stands.terms.recurrence.begun(today, date.fromisoformat(ends_on) - timedelta(days=1))
        yield stream_of(stands.customer), CreditReleased(order=held.product.rpartition(":")[0], released_minor=left_minor)


def _early_item(work: Work, held: HeldProduct) -> str:
    """The item under which an early end is charged: the one that ended it, but where another charge begins under that."""
    return f"{work.item}-early" if OWNER in held.attributes else work.item


def _chosen_anew(work: Work) -> dict[str, str]:
    """The characteristics that the order itself chose otherwise than the product had them when it was validated."""
    had = products_of(work.state)[work.subject.line].standing.characteristics
    return {name: value for name, value in work.subject.characteristics.items() if name not in _WISHES and had.get(name) != value}


_WISHES = frozenset({"simSwap", "numberChange", "status", "statusReason", "effective", "commitment"})


def _charged_anew(work: Work, held: HeldProduct, after: Standing, today: date) -> Decision:
    """The charge of before ends and another begins on the same day; the new one first, so that the account is never without."""
    since = "" if "offering" in held.attributes else _priced_from(work, held)
    return Decision(
        elsewhere=(
            (account_stream(after.account), _charge(work, held.product, after, today, since)),
            _withdrawn(held.product, held.standing, today),
        )
    )


def _charge(work: Work, product: str, stands: Standing, today: date, since: str = "") -> ChargeStarted:
    """A charge that begins; with `since`, at the price that the one before it had since that day: a rest, or another payer, is no new
    contract."""
    return ChargeStarted(
        account=stands.account,
        customer=stands.customer,
        order=work.state.order_id,
        item=work.item,
        offering=stands.offering,
        recurring_minor=stands.recurring_minor,
        one_time_minor=0,
        terms=stands.terms,
        currency=work.subject.currency,
        starts_on=today.isoformat(),
        market=work.state.market,
        product=product,
        since=since,
        cost_centre=cost_centre(work.state, work.subject.account, stands.account),
    )


def _priced_from(work: Work, held: HeldProduct) -> str:
    return _product(work, held).priced_from


def _product(work: Work, held: HeldProduct) -> ProductState:
    return cast("ProductState", work.read[product_stream(held.product)])


def _withdrawn(product: str, stands: Standing, today: date, *, rests: bool = False) -> tuple[str, ChargeWithdrawn]:
    order, _, item = stands.charge.partition("/")
    told = {"order": order, "item": item, "ended_on": today.isoformat(), "product": product, "rests": rests}
    return account_stream(stands.account), ChargeWithdrawn.model_validate({**told, "served": True, "by_product": True})


def _rests_or_serves(work: Work, held: HeldProduct, today: date) -> Decision:
    if "status" not in held.attributes:
        return NOTHING
    return _suspended(work, held, today) if work.subject.characteristics[STATUS] == SUSPENDED else _resumed(work, held, today)


def _suspended(work: Work, held: HeldProduct, today: date) -> Decision:
    """The product rests, and with it what was added to it and is served by it alone: at the same reason's charge."""
    decision, resting = _rests(work, held.product, held.standing, today), {held.product}
    for _, added in _added(work, held):
        # What it was added to comes first; what relies on this product through a line that goes on, goes on with that.
        if rests_with_base(added) and added.standing and resting.intersection(added.relies_on[:1]):
            decision += _rests(work, added.product, added.standing, today, base=held.product)
            resting.add(added.product)
    return decision


def _rests(work: Work, product: str, stands: Standing, today: date, *, base: str = "") -> Decision:
    reason = work.subject.characteristics[REASON]
    charged = work.market.life.suspensions[reason].charged
    event = ProductSuspended(
        order=work.state.order_id,
        item=work.item,
        reason=reason,
        suspended_on=today.isoformat(),
        charged=charged,
        charge=stands.charge if charged else "",
        base=base,
    )
    ends = () if charged or not stands.charge else (_withdrawn(product, stands, today, rests=True),)
    return Decision(elsewhere=((product_stream(product), event), *ends))


def _added(work: Work, held: HeldProduct) -> Iterator[tuple[str, ProductState]]:
    """What was added to a product and is in service, by stream."""
    for stream in _dependants(work, held):
        state = cast("ProductState | None", work.read.get(stream))
        if state and state.standing and not state.ended_on:
            yield stream, state


def _resumed(work: Work, held: HeldProduct, today: date) -> Decision:
    """The product serves again, and with it what was added to it and rested with it."""
    decision = _serves(work, held.product, _product(work, held), today, work.item)
    for place, (_, added) in enumerate(_added(work, held), 1):
        if added.rests_with == held.product:
            decision += _serves(work, added.product, added, today, f"{work.item}-added-{place}")
    return decision


def _serves(work: Work, product: str, state: ProductState, today: date, item: str) -> Decision:
    """A product serves again, charged under an item where it was not charged meanwhile; its term ends later by the days that do not
    count."""
    assert state.standing is not None
    stands, anew = state.standing, not state.charged_while
    rule = work.market.life.suspensions.get(state.suspended_for)
    ends = stands.commitment_ends_on
    if ends and rule and rule.extends_term:
        ends = (date.fromisoformat(ends) + (today - date.fromisoformat(state.suspended_on))).isoformat()
    charge = place_of(work.state.order_id, item) if anew else stands.charge
    by = {"order": work.state.order_id, "item": item}
    serves = ProductResumed(resumed_on=today.isoformat(), charge=charge, commitment_ends_on=ends, **by)
    begun = _charge(work, product, stands, today, state.priced_from).model_copy(update={"item": item})
    return Decision(elsewhere=((product_stream(product), serves), *(((account_stream(stands.account), begun),) if anew else ())))


def _terminated(work: Work, held: HeldProduct, today: date, charged_minor: int, at: datetime) -> Decision:
    """The product ends, and with it those that rely on it, also what was added to it since the order was validated; what was to come until
    the end of its term is charged where the market lets it."""
    by: dict[str, Any] = {"order": work.state.order_id, "item": work.item}
    late = tuple(one for one in _product(work, held).relied_on_by if one not in held.relied_on_by)
    told = ProductTerminated(cause="ordered", ended_on=today.isoformat(), gives_back=held.standing.pieces, ends=late, **by)
    ended: list[tuple[str, Event]] = [(product_stream(held.product), told)]
    ended += [*_early(work, held, today, charged_minor), *ends_charge(_product(work, held), today)]
    for stream in _dependants(work, held):
        ended += ends_with_base(stream, cast("ProductState | None", work.read.get(stream)), today, at, **by)
    return Decision(elsewhere=tuple(ended))


def _early(work: Work, held: HeldProduct, today: date, charged_minor: int) -> Iterator[tuple[str, Event]]:
    """The charge of a contract that ended before its term: once, by the next bill."""
    if not charged_minor:
        return
    stands = held.standing.model_copy(update={"offering": EARLY, "recurring_minor": 0})
    stream, item = account_stream(stands.account), _early_item(work, held)
    yield stream, _charge(work, held.product, stands, today).model_copy(update={"item": item, "one_time_minor": charged_minor})
    ended = {"order": work.state.order_id, "item": item, "ended_on": today.isoformat(), "product": held.product}
    yield stream, ChargeWithdrawn(served=True, by_product=True, **ended)
