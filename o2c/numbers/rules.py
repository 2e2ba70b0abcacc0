"""Taking numbers in, assigning them, reserving them, and letting them rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from o2c.kernel.decision import Decision, Guard, just
from o2c.kernel.event import Event
from o2c.kernel.identifiers import e164
from o2c.kernel.periods import stamp
from o2c.kernel.refusal import Refused
from o2c.kernel.telephones import country_code, country_code_of, possible_mobile
from o2c.kernel.work import Work
from o2c.markets.base import Market, NumberUse, number_rest
from o2c.markets.registry import numbering_regions
from o2c.numbers.events import (
    NumberAssigned,
    NumberBroughtIn,
    NumberChanged,
    NumberClaimDropped,
    NumberClaimed,
    NumberEarmarkDropped,
    NumberEarmarked,
    NumberKept,
    NumberPortedOut,
    NumberQuarantined,
    NumberReceived,
    NumberReleased,
    NumberReservationLapsed,
    NumberReservationReleased,
    NumberReserved,
    NumberRested,
    NumberReturned,
    NumbersAnnounced,
    NumbersArrived,
    NumberTaken,
    pool_named,
)
from o2c.numbers.state import NumberState, stream_of
from o2c.orders.wish import NUMBER
from o2c.products.serving import served_by
from o2c.stock.state import DeliveryState, field_missing, refused

CLASSES = frozenset({"normal", "golden"})
COLUMNS = ("msisdn", "class")


def announce(*, rows: tuple[tuple[str, ...], ...], at: datetime) -> NumbersAnnounced:
    """Announce a delivery of numbers for a time; the rows are (MSISDN, class), as text.

    Raises Refused naming the rows that lack a field, are no possible mobile number of a market of ours, have an unknown class, or repeat a
    number. Stock is judged by the rule that numbers brought in are. Source: ITU-T E.164; the markets' numbering rules.
    """
    regions = {country_code_of(region): region for region in numbering_regions()}
    seen: dict[str, int] = {}
    flaws: list[tuple[int, str]] = []
    for number, row in enumerate(rows, 1):
        if why := _flaw(row, regions) or (f"the same number as row {seen[row[0]]}" if row[0] in seen else ""):
            flaws.append((number, why))
        seen.setdefault(row[0] if row else "", number)
    if flaws:
        raise refused("numbers", flaws)
    return NumbersAnnounced(due_at=at, rows=rows)


def _flaw(row: tuple[str, ...], regions: Mapping[str, str]) -> str:
    """Say what is wrong with a row of numbers; empty when it can be taken in. `regions` are those of our markets, by country code."""
    if missing := field_missing(row, COLUMNS):
        return missing
    try:
        code = country_code(e164(row[0]))
    except ValueError as error:
        return str(error)
    if code not in regions:
        return f"no market of ours has numbers that begin with +{code}"
    if not possible_mobile(row[0], regions[code]):
        return f"it is no possible mobile number of {regions[code]}"
    return "" if row[1] in CLASSES else f"class is not one of {sorted(CLASSES)}"


def arrival_streams(work: Work) -> tuple[str, ...]:
    """Name the streams that an arrival reads: one for each number of the delivery."""
    return tuple(stream_of(row[0]) for row in work.state.rows)


def arrive(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Take a delivery in, with the count of each pool; numbers that are in the store already stay as they are, but for those of our range
    that come back from another operator."""
    fresh = [row for row in work.state.rows if comes(work.read.get(stream_of(row[0])))]
    received = tuple((stream_of(msisdn), NumberReceived(msisdn=msisdn, number_class=number_class)) for msisdn, number_class in fresh)
    return Decision((NumbersArrived(attempt=work.attempt, pools=_by_pool(fresh)),), received)


def comes(number: NumberState | None) -> bool:
    """Whether a delivery brings a number: one that is not known, or one of our range that serves at another operator until it is told back
    to us."""
    return number is None or (number.status == "ported_out" and not number.brought_in)


def brings(delivery: DeliveryState) -> Mapping[str, int]:
    """Give how many numbers a delivery brings to each pool."""
    return _by_pool(delivery.rows)


def brings_back(number: NumberState) -> Mapping[str, int]:
    """Give the pool that a number which rests comes back to, one piece. Its former customer may claim it before: then it does not come."""
    return {pool_named(country_code(number.resting), number.number_class): 1} if number.resting else {}


def _by_pool(rows: Iterable[Sequence[str]]) -> dict[str, int]:
    return Counter(pool_named(country_code(msisdn), number_class) for msisdn, number_class in rows)


def earmarked(work: Work) -> Mapping[str, Any]:
    """Give the number that is reserved for the item, as its `number.earmarked` or `number.claimed` event says; empty when there is none."""
    kept = work.state.kept(work.item, work.step)
    return kept[-1] if kept else {}


def pool_of(work: Work) -> str:
    """Name the pool of the market's normal numbers; none for an item that has a number reserved."""
    return "" if earmarked(work) else pool_named(country_code_of(work.market.numbering.region), "normal")


def assign(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Assign the number reserved for the item, else the candidate from stock; the guard decides whether it is still free.

    An item that brings its own number gets a temporary one until the port window; one whose port-in was given up keeps it.
    """
    msisdn = (earmarked(work) or data)["msisdn"]
    temporary = work.state.brings(work.item)
    return Decision(
        (NumberAssigned(item=work.item, attempt=work.attempt, msisdn=msisdn, temporary=temporary),),
        ((stream_of(msisdn), NumberTaken(msisdn=msisdn, order=work.stream.removeprefix("order-"), item=work.item)),),
        takes=(work.guard("number", msisdn),),
    )


def stream_taken(outcome: Mapping[str, Any]) -> str:
    """Name the stream of the number that an item was given."""
    return stream_of(outcome["msisdn"])


def release(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Give the number back; it rests for the market's minimum of days for what it was before anybody else gets it.

    It was in use if its line was on, or may have been, and never used otherwise. A number that was brought in is given back, too; in place
    of the temporary one, which rests already, if it took that one's place. Source: the market's numbering rules (Great Britain: Ofcom
    General Condition C7.6).
    """
    brought = work.outcomes.get("cutover", {}).get("msisdn", "")
    if work.outcomes.get("number-change"):
        return _given_back(work, brought, "in-use", at)
    given_back = _given_back(
        work,
        outcome["msisdn"],
        "in-use" if work.with_partner("activation", at) or work.with_partner("service-change", at) else "never-used",
        at,
    )
    if not brought or work.state.record(work.item, "number-change").reason == "NP-NOTPORT":
        return given_back
    # It was cut over and came to us, though it never served.
    came = NumberBroughtIn(msisdn=brought, order=work.stream.removeprefix("order-"), item=work.item)
    rest = resting(work.market, brought, "in-use", customer=work.state.party, at=at)
    return given_back + Decision(elsewhere=((stream_of(brought), came), (stream_of(brought), rest)))


def _given_back(work: Work, msisdn: str, use: NumberUse, at: datetime) -> Decision:
    rest = resting(work.market, msisdn, use, customer=work.state.party, at=at)
    return just(NumberReleased(item=work.item, msisdn=msisdn)) + Decision(
        elsewhere=((stream_of(msisdn), rest),),
        frees=(work.guard("number", msisdn),),
    )


def cease(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Give the number of a service that ended its rest: the one that was ported in, where one took the first one's place. Source: the
    market's rests."""
    msisdn = work.outcomes["cutover"]["msisdn"] if work.outcomes.get("number-change") else outcome["msisdn"]
    rest = resting(work.market, msisdn, "in-use", customer=work.state.party, at=at)
    return Decision(elsewhere=((stream_of(msisdn), rest),), frees=(work.guard("number", msisdn),))


def ported_out(state: NumberState, msisdn: str, *, operator: str) -> Decision:
    """Let a number go to another operator: nobody holds it here any more, and it neither rests nor comes into stock. Nothing for one that
    is gone.

    Source: the market's numbering rules (it goes back to the holder of its range when it ceases there).
    """
    if state.status not in ("assigned", "ported_in"):
        return just()
    holder = f"order-{state.order}/{state.item}"
    freed = (Guard("number", msisdn, holder), Guard("port-in", msisdn, holder))
    return just(NumberPortedOut(msisdn=msisdn, operator=operator)) + Decision(frees=freed)


def resting(market: Market, msisdn: str, use: NumberUse, *, customer: str, at: datetime) -> NumberQuarantined:
    """Make the rest of a number that a customer had, from a time on: the minimum of the market for its use. Source: the market's rests."""
    rule = number_rest(market, use)
    return NumberQuarantined(
        msisdn=msisdn,
        due_at=at + timedelta(days=rule.days_min),
        use=use,
        customer=customer,
        claimable=rule.former_customer_may_claim,
        free_by=None if rule.days_max is None else at + timedelta(days=rule.days_max),
    )


def guards_of_change(work: Work) -> tuple[Guard, ...]:
    """Claim the number that was ported in; nothing before that."""
    ported = work.outcomes.get("cutover", {}).get("msisdn")
    return (work.guard("number", ported),) if ported else ()


def change_flaw(work: Work, at: datetime) -> str:
    """Give NP-NOTPORT when another item holds the number that was ported in; empty when it is free."""
    return "NP-NOTPORT" if any(holder != work.holder for holder in work.guards.values()) else ""


def provisioned(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the network to serve a line by the number that was ported in (`msisdn`), and to take the temporary
    one off (`replaced`)."""
    replaced, own = work.outcomes["number"]["msisdn"], served_by({**work.outcomes["sim"], "msisdn": work.outcomes["cutover"]["msisdn"]})
    return {"attributes": ["number"], "offering": work.subject.offering, **own, "replaced": {"msisdn": replaced}}


def change(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Put the number that was ported in in the place of the temporary one, by which the network serves the line no more: that rests for the
    market's minimum of days for such a one.

    Source: the market's numbering rules.
    """
    msisdn, replaced = work.outcomes["cutover"]["msisdn"], work.outcomes["number"]["msisdn"]
    rest = resting(work.market, replaced, "temporary", customer=work.state.party, at=at)
    brought = NumberBroughtIn(msisdn=msisdn, order=work.stream.removeprefix("order-"), item=work.item)
    return Decision(
        (NumberChanged(item=work.item, attempt=work.attempt, msisdn=msisdn, replaced=replaced),),
        ((stream_of(msisdn), brought), (stream_of(replaced), rest)),
        frees=(work.guard("number", replaced),),
    )


def keep(work: Work, at: datetime) -> Decision:
    """Give the temporary number to the line for good, because its port-in was given up; nothing while it has none."""
    msisdn = work.outcomes.get("number", {}).get("msisdn", "")
    return just(NumberKept(item=work.item, msisdn=msisdn)) if msisdn else just()


def rested(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Put a number on offer again whose rest is over; one that was brought in goes back to the holder of its range.

    It is asked for at the minimum of the rest, so that no rest goes beyond its maximum. Source: the market's numbering rules.
    """
    if work.state.brought_in:
        return just(NumberReturned(attempt=work.attempt, msisdn=work.state.resting))
    return just(NumberRested(attempt=work.attempt, msisdn=work.state.resting, number_class=work.state.number_class))


RESERVATION_DAYS = 7
"""How long a number is reserved unless the caller says otherwise: an order may wait that long for its customer."""


def reserve(work: Work, number: NumberState, *, msisdn: str, until: datetime | None, note: str, at: datetime) -> Decision:
    """Reserve a number for an item until a time (exclusive): it leaves the stock, and a number step that waits for stock goes on.

    `work` is the item's number step. The same wish again changes nothing; another time prolongs or shortens the reservation. A number that
    rests is reserved for its former customer's order only, where the market lets them claim it.

    Raises Refused: missing (no such number), conflict (the item has its number, brings one or has another reserved, or the number is not
    free), usage (a time that is over).
    """
    order = work.stream.removeprefix("order-")
    _refuse_served(work, msisdn)
    mine = number.status == "reserved" and (number.order, number.item) == (order, work.item)
    if not number.status:
        raise Refused(f"number {msisdn} is not in stock; see `o2c numbers show` or load it with `o2c load numbers`", kind="missing")
    if not mine and number.status not in ("available", "golden") and not _claimed(number, work.state.party):
        raise Refused(f"number {msisdn} {_not_free(number)}; choose another", kind="conflict")
    due_at = until or number.kept_until if mine else until or at + timedelta(days=RESERVATION_DAYS)
    if due_at is None or due_at <= at:
        raise Refused(f"number {msisdn} cannot be reserved until a time that is over; say a later one")
    if mine and due_at == number.kept_until:
        return just()
    reserved = NumberReserved(
        item=work.item, msisdn=msisdn, number_class=number.number_class, order=order, customer=work.state.party, due_at=due_at
    )
    kept = Decision(elsewhere=((stream_of(msisdn), reserved),), takes=(work.guard("number", msisdn),))
    if mine:
        return kept
    aside = {"item": work.item, "msisdn": msisdn, "number_class": number.number_class, "note": note}
    rests_until = number.rests_until
    return just(NumberClaimed(**aside, rests_until=rests_until) if rests_until else NumberEarmarked(**aside)) + kept


def claimant(number: NumberState) -> str:
    """Give the customer who may have a number back that rests, as the market says for what it was; empty for nobody."""
    return number.customer if number.status == "quarantined" and number.claimable else ""


def _claimed(number: NumberState, customer: str) -> bool:
    return bool(customer) and claimant(number) == customer


def _not_free(number: NumberState) -> str:
    """Say why a number is not free. Whose it was is not told to whoever asks for it."""
    if number.status != "quarantined" or number.rests_until is None:
        return f"is {number.status} and cannot be reserved"
    until = f"rests until {stamp(number.rests_until)}"
    return f"{until}; until then only its former customer may have it back" if claimant(number) else f"{until} and nobody may claim it"


def _refuse_served(work: Work, msisdn: str) -> None:
    """Raises Refused (conflict) when the item needs no number from stock, or has one already."""
    kept = earmarked(work).get("msisdn", msisdn)
    if work.outcomes.get("number"):
        raise Refused(f"{work.stream}: item {work.item} has its number already; a change of number is another order", kind="conflict")
    if work.state.brings(work.item) or (work.item not in work.state.items and NUMBER in work.subject.characteristics):
        raise Refused(f"{work.stream}: item {work.item} brings its own number; there is none to reserve", kind="conflict")
    if kept != msisdn:
        raise Refused(f"{work.stream}: item {work.item} has {kept} reserved; release that first", kind="conflict")


def release_reservation(number: NumberState, *, msisdn: str, at: datetime) -> Decision:
    """Give a reserved number back, by a person; a decision of the number's stream. Nothing when the number is free.

    Raises Refused: missing (no such number), conflict (the number is not reserved).
    """
    if number.status in ("available", "golden"):
        return just()
    if number.status != "reserved":
        kind = "conflict" if number.status else "missing"
        raise Refused(f"number {msisdn} is {number.status or 'not in stock'} and not reserved; there is nothing to release", kind=kind)
    released = NumberReservationReleased(item=number.item, msisdn=msisdn, number_class=number.number_class)
    return just(_rests_on(number.item, msisdn, number.rests_until) or released) + _dropped(number, msisdn, "released")


def lapse(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """End a reservation whose time is over; one that was prolonged meanwhile is put on the agenda for its new time."""
    number, msisdn = work.state, work.stream.removeprefix("number-")
    if at < number.kept_until:
        return just(NumberReserved(item=number.item, due_at=number.kept_until, **kept_for(work)))
    lapsed = NumberReservationLapsed(item=work.item, attempt=work.attempt, msisdn=msisdn, number_class=work.state.number_class)
    return just(_rests_on(work.item, msisdn, number.rests_until) or lapsed) + _dropped(number, msisdn, "lapsed")


def _rests_on(item: str, msisdn: str, rests_until: datetime | str | None) -> Event | None:
    """Make the end of a former customer's claim: the number rests on to its day. None for a number that did not rest."""
    if not rests_until:
        return None
    return NumberClaimDropped.model_validate({"msisdn": msisdn, "due_at": rests_until, "reserved_item": item})


def kept_for(work: Work) -> Mapping[str, Any]:
    """Give the fields of a reservation: the number, its class, and the order and customer it is reserved for."""
    number = work.state
    return {
        "msisdn": work.stream.removeprefix("number-"),
        "order": number.order,
        "customer": number.customer,
        "number_class": number.number_class,
    }


def at_rest(work: Work) -> Mapping[str, Any]:
    """Give the number that rests and what its rest is by, for the case that a person asks for the end of its rest once more."""
    number = work.state
    return {
        "msisdn": number.resting,
        "use": number.use,
        "customer": number.customer,
        "claimable": number.claimable,
        "free_by": number.free_by,
    }


def _dropped(number: NumberState, msisdn: str, why: Literal["released", "lapsed"]) -> Decision:
    """End a reservation for the order too, and free the guard."""
    order = f"order-{number.order}"
    dropped = NumberEarmarkDropped(item=number.item, msisdn=msisdn, why=why)
    return Decision(elsewhere=((order, dropped),), frees=(Guard("number", msisdn, f"{order}/{number.item}"),))


def let_go(work: Work, at: datetime) -> Decision:
    """Release the number reserved for an item that ended before it took it.

    Nothing when the item took the number: it is released then as any other.
    """
    kept = earmarked(work)
    if not kept or work.outcomes.get("number"):
        return just()
    msisdn, number_class = kept["msisdn"], kept["number_class"]
    released = NumberReservationReleased(item=work.item, msisdn=msisdn, number_class=number_class)
    dropped = NumberEarmarkDropped(item=work.item, msisdn=msisdn, why="ended")
    given_back = _rests_on(work.item, msisdn, kept.get("rests_until")) or released
    return Decision((dropped,), ((stream_of(msisdn), given_back),), frees=(work.guard("number", msisdn),))
