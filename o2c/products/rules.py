"""When a product ends that no order ends: its account was terminated, or its customer takes the number to another operator.

Source: porting facts, section 3.1 (UK mobile: code within a minute, with charge and balance, good for 30 days; debt is no ground; no charge
for notice after the day of the port) and 3.3 (port-out); Directive (EU) 2018/1972, art. 106 (the donor switches the service on again where
a port fails).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from o2c.catalogue.events import PriceRiseAnnounced
from o2c.catalogue.rises import announced, rises_of
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.customers.events import CustomerContacted
from o2c.customers.state import stream_of
from o2c.kernel.charges import EARLY, ChargeStarted, ChargeWithdrawn, account_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.money import part_of, tax_on
from o2c.kernel.periods import local_date, local_time, stamp
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work, next_attempt
from o2c.markets.base import Market, port_window, tax_percent
from o2c.markets.life import CODE, CODE_EXPIRED, LEAVING, LOCKED, PORTING, SIM_SWAP
from o2c.markets.ports import compensation, port_deadline, window_of, working_days_late
from o2c.products import leaving_events as leaving
from o2c.products.bases import ends_charge, ends_with_base
from o2c.products.events import PortingCodeIssued, PortingCodeRefused, ProductTerminated, Standing, place_of, product_stream
from o2c.products.leaving_events import PortOutAuthorised, PortOutRejected
from o2c.products.serving import base_streams, in_service, known_by, lines_read, rests_or_serves, sold_as
from o2c.products.state import TERMINATION, ProductState

PORTED_OUT = "ported-out"
"""Why a product ended whose number went to another operator."""
NOT_TAKEN = "FAILED"
"""The clearing house's word for a number that was not cut over."""
NUMBER = "number"
NOT_WITH_US = "its number is not in service with us"


def terminate(state: ProductState, *, cause: str, ended_on: str) -> Decision:
    """End a product that is in service, with all that it holds, and then those that rely on it; nothing for one that ended already, or that
    there is not."""
    if state.standing is None or state.ended_on:
        return NOTHING
    return just(ProductTerminated(cause=cause, ended_on=ended_on, gives_back=state.standing.pieces, ends=state.relied_on_by))


def with_tax(stands: Standing, market: Market, net_minor: int, on: date) -> int:
    """Give what a customer pays of something that is charged once, in minor units, with the tax of a day."""
    return net_minor + tax_on(net_minor, tax_percent(market, stands.terms.one_time_tax_group, on))


def period_minor(stands: Standing, market: Market, on: date) -> int:
    """Give what a period of a product costs at its price, in minor units, with the tax of a day; what is taken off it is not."""
    return stands.recurring_minor + tax_on(stands.recurring_minor, tax_percent(market, stands.terms.recurring_tax_group, on))


def early_minor(stands: Standing, market: Market, today: date, *, since: str, rises: Sequence[PriceRiseAnnounced]) -> int:
    """Give what an end on a day costs before the term is over, net, in minor units: the market's share of the recurring prices of the
    months that were still to come, a begun one by its days. 0 for a contract without a term, after it, and for who was told of a dearer
    price and leaves before it begins.

    `since` is the day from which the product is at its price, `rises` are all that were announced. Source: Directive (EU) 2018/1972, art.
    105(4); Ofcom General Conditions of Entitlement, C1.14 to C1.17 (the right to exit without costs when the price of a running contract is
    raised).
    """
    if not stands.commitment_ends_on or not stands.recurring_minor or today.isoformat() >= stands.commitment_ends_on:
        return 0
    known = rises_of(rises, offering=stands.offering, market=market.code, recurrence=stands.terms.recurrence, starts_on=since)
    if any(each.exit_right and each.announced_on <= today.isoformat() < each.from_day for each in known):
        return 0
    end, left_minor = date.fromisoformat(stands.commitment_ends_on), 0
    for own in stands.terms.recurrence.periods(today, since=today, through=end):
        days = min(own.end, end) - own.start
        left_minor += part_of(stands.recurring_minor, max(days.days, 0), own.days)
    return int(left_minor * market.life.early_percent // 100)


def good_code(state: ProductState, on: date) -> PortingCodeIssued | None:
    """Give the code that was given for the product's number, while it is good."""
    code = state.porting_code
    return code if code and on.isoformat() <= code.valid_through else None


def porting_code(
    state: ProductState, market: Market, code: str, *, owed_minor: int, at: datetime, rises: Sequence[PriceRiseAnnounced] = ()
) -> Decision:
    """Give a code for the number of a product, or refuse one on a ground of the market, and tell the customer at the contact that stands;
    nothing while an earlier code is good, or for a no that was said on the same day. `rises` are those of prices that were announced (see
    `early_minor`).

    Raises Refused: missing (no such product), conflict (it ended, or has no number), usage (the market ports without a code).
    """
    stands = in_service(state, "there is no code for it")
    if "msisdn" not in stands.holds:
        raise Refused(f"product {state.product} has no number; there is no code for it", kind="conflict")
    rules, today = market.life.port_out, local_date(at, market.zone)
    if not rules.code_digits:
        raise Refused(f"product {state.product}: numbers of {market.code} are ported without a code; the new operator asks for it")
    if ground := _ground(state, market, today):
        refused = PortingCodeRefused.model_validate({"ground": ground, "asked_on": today.isoformat()})
        return NOTHING if state.code_refused == refused else told(state, stands, refused)
    if good_code(state, today):
        return NOTHING
    valid_through = (today + timedelta(days=rules.code_valid_days)).isoformat()
    early = early_minor(stands, market, today, since=state.priced_from, rises=rises)
    issued = PortingCodeIssued(
        code=code,
        issued_on=today.isoformat(),
        valid_through=valid_through,
        early_minor=early,
        owed_minor=owed_minor,
        currency=state.currency,
    )
    lapses_at = local_time(today + timedelta(days=rules.code_valid_days + 1), 0, 0, market.zone)
    awaited = leaving.PortingCodeLapseAwaited(attempt=next_attempt(state.records, "porting-code"), due_at=lapses_at)
    return told(state, stands, issued) + just(awaited)


def _ground(state: ProductState, market: Market, today: date) -> str:
    """The first ground of the market on which no code is given; empty for none."""
    stands_in_the_way = {
        LEAVING: bool({TERMINATION, NUMBER} & state.changing.keys()) or state.port_out is not None,
        SIM_SWAP: today < state.number_free_from(market.life.sim_swap_hold_days),
        LOCKED: state.locked,
    }
    return next((ground for ground in market.life.port_out.grounds if stands_in_the_way[ground]), "")


def told(state: ProductState, stands: Standing, answer: Event) -> Decision:
    """Give an answer with the notice of it to the customer, at the contact that stands: whoever did not ask learns in time that somebody
    did."""
    notice = CustomerContacted(customer=stands.customer, medium="courtesy", direction="outbound", topic="port", order=state.order)
    return Decision((answer,), ((stream_of(stands.customer), notice),))


def code_wanted(work: Work) -> bool:
    """Whether a code can still lapse: it was not made worthless before."""
    return work.state.porting_code is not None and not work.state.code_lapsed


def code_lapsed(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that a code which nobody used in time is worth nothing any more."""
    return just(leaving.PortingCodeLapsed(attempt=work.attempt, valid_through=work.state.porting_code.valid_through))


def lock(state: ProductState, market: Market, *, locked: bool, at: datetime) -> Decision:
    """Keep the number of a product from going to another operator, or let it go again; nothing where that is so already. A port that is
    authorised goes on: it is taken back at the new operator.

    Raises Refused: missing (no such product), conflict (it ended).
    """
    in_service(state, NOT_WITH_US)
    if state.locked == locked:
        return NOTHING
    today = local_date(at, market.zone).isoformat()
    return just(leaving.ProductLocked(locked_on=today) if locked else leaving.ProductUnlocked(unlocked_on=today))


@dataclass(frozen=True, slots=True)
class PortOutWish:
    """What another operator asks for through the clearing house: its name, the clearing house's reference, the customer's code (the
    account, where the market has none), and the day wished (None: as soon as possible)."""

    operator: str
    reference: str
    code: str
    wished_on: date | None = None


def port_out(state: ProductState, market: Market, wish: PortOutWish, *, at: datetime) -> Decision:
    """Authorise a number to go to another operator, in the window that the market's calendar and cut-off give, and tell the customer; or
    reject it on a ground of the market, in its word. Debt is no ground. Nothing for a request that was answered so before.

    Raises Refused: missing (no such product), conflict (it ended, or has no number), usage (a day that is over, or nobody named).
    """
    stands, today = in_service(state, NOT_WITH_US), local_date(at, market.zone)
    if "msisdn" not in stands.holds:
        raise Refused(f"product {state.product} has no number; there is nothing to port", kind="conflict")
    if not wish.operator.strip() or not wish.reference.strip():
        raise Refused(f"product {state.product}: say which operator asks, and the clearing house's reference")
    if wish.wished_on and wish.wished_on < today:
        raise Refused(f"product {state.product}: {wish.wished_on} is over; say a later day")
    if state.port_out and state.port_out.reference == wish.reference:
        return NOTHING
    window = window_of(market, port_window(market, at, not_before=wish.wished_on))
    if ground := _rejected_for(state, market, wish, today, window.day):
        why = {"ground": ground, "word": market.life.port_out.words[ground], "asked_on": today.isoformat()}
        rejected = PortOutRejected.model_validate({"reference": wish.reference, "operator": wish.operator, **why})
        return NOTHING if state.rejected == rejected else just(rejected)
    authorised = PortOutAuthorised(
        reference=wish.reference,
        operator=wish.operator,
        msisdn=stands.holds["msisdn"],
        wished_on=wish.wished_on.isoformat() if wish.wished_on else "",
        agreed_on=window.day.isoformat(),
        deadline_on=port_deadline(market, at, wish.wished_on).isoformat(),
        window_opens_at=window.opens_at,
        window_closes_at=window.closes_at,
        cutoff_at=window.cutoff_at,
        zone=market.zone,
        rules=market.pin,
    )
    off = leaving.SwitchOffRequested(attempt=next_attempt(state.records, "port-out"), due_at=window.opens_at)
    return told(state, stands, authorised) + just(off)


def _rejected_for(state: ProductState, market: Market, wish: PortOutWish, today: date, on: date) -> str:
    """The first ground of the market on which a request is rejected: whether it is the customer's comes first. Empty for none."""
    assert state.standing is not None
    rules, code = market.life.port_out, state.porting_code
    if wish.code != ((code.code if code else None) if rules.code_digits else state.standing.account):
        return CODE
    if rules.code_digits and code and on.isoformat() > code.valid_through:
        return CODE_EXPIRED
    return PORTING if state.port_out else _ground(state, market, today)


def withdraw_port_out(state: ProductState, reference: str, *, at: datetime) -> Decision:
    """Take back a port to another operator, before the market's cut-off: the number and the product stay. Nothing for one that was taken
    back before.

    Of a port whose cut-over fell out a person has learned that the number stayed: its service is switched on again. Raises Refused: missing
    (no such port), conflict (its cut-off is past).
    """
    port = state.port_out
    if port is None or port.reference != reference:
        if reference and reference == state.withdrawn:
            return NOTHING
        raise Refused(f"product {state.product} has no port {reference[:60]} to another operator that is under way", kind="missing")
    cutover = state.records.get("port-out-cutover")
    if cutover and cutover.fallout:
        return _stays(state, cutover.attempt, "", at)
    if at >= port.cutoff_at:
        raise Refused(f"port {reference}: its cut-off was {stamp(port.cutoff_at)}; the number goes on {port.agreed_on}", kind="conflict")
    return just(leaving.PortOutWithdrawn(reference=reference), StepCancelled(step="port-out"))


def going(work: Work) -> bool:
    """Whether the number is still to leave, and the product is there."""
    return work.state.port_out is not None and not work.state.ended_on


def switch_off(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the network to switch off a service that ends, or whose number leaves."""
    return {**_service(work), "attributes": [TERMINATION], "status": "terminated"}


def switch_on(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the network to switch a service on again whose number stayed; one that rests is to rest again."""
    return {**_service(work), "attributes": ["status"], **rests_or_serves(work.state)}


def _service(work: Work) -> dict[str, Any]:
    state = cast("ProductState", work.state)
    assert state.standing is not None
    held = known_by(state) or lines_read(work.read, base_streams(state.relies_on))
    return {"product": state.product, **sold_as(state), **held}


def bases_read(work: Work) -> tuple[str, ...]:
    """Name the streams of the products that this one was added to."""
    return base_streams(work.state.relies_on)


def switched_off(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the service is off; the clearing house is asked whether the other operator has the number."""
    off = leaving.ServiceSwitchedOff(attempt=work.attempt, switched_off_on=local_date(at, work.market.zone).isoformat())
    return just(off, leaving.CutoverAwaited(attempt=next_attempt(work.state.records, "port-out-cutover"), due_at=at))


def cut_over(work: Work) -> Mapping[str, Any]:
    """Give the body of the question to the clearing house whether a number was cut over: its reference, number and market."""
    return {"reference": work.state.port_out.reference, "msisdn": work.state.port_out.msisdn, "market": work.market.code}


def end_reads(work: Work) -> tuple[str, ...]:
    """Name the streams of the products that end with this one, and the catalogue's, for the rises of prices that were announced."""
    return (CATALOGUE, *_dependants(work))


def _dependants(work: Work) -> tuple[str, ...]:
    return tuple(map(product_stream, work.state.relied_on_by))


def ported_out(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the number is with the other operator: the product ends on the day, with all that relies on it, and so do their charges,
    without notice. What the end of a contract before its term costs is charged once."""
    state, port = cast("ProductState", work.state), work.state.port_out
    assert state.standing is not None
    today, agreed_on = local_date(at, work.market.zone), date.fromisoformat(port.agreed_on)
    early = early_minor(state.standing, work.market, today, since=state.priced_from, rises=announced(work))
    done = leaving.PortOutCompleted(
        attempt=work.attempt,
        msisdn=port.msisdn,
        operator=port.operator,
        agreed_on=port.agreed_on,
        ported_on=today.isoformat(),
        late_days=max((today - agreed_on).days, 0),
        late_working_days=working_days_late(work.market.calendar, agreed_on, today),
        early_minor=early,
        early_charge=place_of(state.order, f"{state.item}-port-out") if early else "",
    )
    kept = {step: place for step, place in state.standing.pieces.items() if step != NUMBER}
    ended = ProductTerminated(cause=PORTED_OUT, ended_on=today.isoformat(), gives_back=kept)
    charges = (*charged_early(state, early, today, "port-out"), *ends_charge(state, today), *base_ended(work, today, at))
    return Decision((done, ended), (*_late_by_us(work, agreed_on), *charges))


def _late_by_us(work: Work, agreed_on: date) -> tuple[tuple[str, Event], ...]:
    """The credit for the days from the one agreed to that on which the service was switched off; what the other operator took beyond it is
    not ours."""
    state, off_on = (
        cast("ProductState", work.state),
        date.fromisoformat(work.outcomes["port-out"].get("switched_off_on") or agreed_on.isoformat()),
    )
    assert state.standing is not None
    assert state.port_out is not None
    return compensation(
        work.market,
        cause="port-out",
        account=state.standing.account,
        customer=state.standing.customer,
        currency=state.currency,
        msisdn=state.port_out.msisdn,
        order=state.order,
        item=state.item,
        late_days=(off_on - agreed_on).days,
        late_working_days=working_days_late(work.market.calendar, agreed_on, off_on),
    )


def base_ended(work: Work, today: date, at: datetime) -> Iterator[tuple[str, Event]]:
    """Give the ends of the products that rely on this one, and of their charges, on a day."""
    for stream in _dependants(work):
        yield from ends_with_base(stream, cast("ProductState | None", work.read.get(stream)), today, at)


def charged_early(state: ProductState, early: int, today: date, why: str) -> Iterator[tuple[str, Event]]:
    """Give the charge of a contract that ended before its term: once, by the next bill, under the product's own item and why it ended."""
    stands = state.standing
    if not early or stands is None:
        return
    of: dict[str, Any] = {"order": state.order, "item": f"{state.item}-{why}", "product": state.product}
    started = ChargeStarted(
        account=stands.account,
        customer=stands.customer,
        offering=EARLY,
        recurring_minor=0,
        one_time_minor=early,
        terms=stands.terms,
        currency=state.currency,
        starts_on=today.isoformat(),
        market=state.market,
        **of,
    )
    yield account_stream(stands.account), started
    yield account_stream(stands.account), ChargeWithdrawn(ended_on=today.isoformat(), served=True, by_product=True, **of)


def cutover_failed(work: Work, code: str, at: datetime) -> Decision:
    """Decide that the number stays, because the other operator could not take it (FAILED): the service is to be switched on again at once.
    Nothing for any other refusal: a person settles that."""
    if code != NOT_TAKEN:
        return NOTHING
    return _stays(work.state, work.attempt, code, at)


def _stays(state: ProductState, attempt: int, word: str, at: datetime) -> Decision:
    """The number was not cut over, as the clearing house says by a word, or a person without one."""
    assert state.port_out is not None
    assert state.standing is not None
    failed = leaving.PortOutFailed(attempt=attempt, reference=state.port_out.reference, word=word)
    on = leaving.ReactivationRequested(attempt=next_attempt(state.records, "reactivation"), due_at=at)
    return told(state, state.standing, failed) + just(on)


def reactivated(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that a service whose number stayed is on again; the customer can ask for another port."""
    return just(leaving.ServiceReactivated(attempt=work.attempt, reactivated_at=at))
