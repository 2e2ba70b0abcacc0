"""The rules of order-to-bill assurance: one table, each rule a fold over what an item says on both sides. A rule more is a row more.

Source of the kinds: TM Forum GB941-D, leakage along order to cash, with the ids of its metrics (billing facts, section 6.7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

from o2c.checks.order_to_bill import Billed, Deposit, Item, day_after, terms_of
from o2c.kernel.charges import PriceTerms
from o2c.kernel.discounts import Discount, held, reductions
from o2c.kernel.money import half_up, part_of

Of = Item | Deposit


@dataclass(frozen=True, slots=True)
class Leak:
    """Money that leaks, or is taken wrongly: what a rule found on an item, since when, and the events of both sides (fulfilment, billing).

    `amount_minor` is what is at stake as far as the events say: unbilled for one bill, billed too much, or the difference.
    """

    rule: str
    order: str
    item: str
    account: str
    amount_minor: int
    currency: str
    since: str
    events_a: tuple[str, ...]
    events_b: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        """The leak for a face."""
        return {name: list(value) if isinstance(value := getattr(self, name), tuple) else value for name in Leak.__slots__}


Found = tuple[int, str, tuple[str, ...], tuple[str, ...]]
"""What a rule finds: the amount, since when, the events of fulfilment, the events of billing."""


@dataclass(frozen=True, slots=True)
class AssuranceRule:
    """A rule: its name, the metric that it counts into, a sentence, and how it looks at an item on a day, with the days of grace."""

    name: str
    metric: str
    says: str
    looks: Callable[[Item, str, int], Iterator[Found]]


def _all(*said: Any) -> tuple[str, ...]:
    return tuple(one.event for one in said if one is not None)


def _unbilled(item: Item, today: str, days: int) -> Iterator[Found]:
    """Nothing billed after so many days of service, or nothing more after so many days beyond the last one billed; or days, and not what is
    charged once."""
    served, charged = _periods(item), item.charge.body if item.charge else {}
    owed = item.withdrawn is None or item.withdrawn.body.get("one_time_owed", True)
    if owed and served and charged.get("one_time_minor") and not charged.get("goods") and not _once(item):
        yield charged["one_time_minor"], served[0].at, _all(item.active, item.begun, item.step), (*_all(item.charge), served[0].event)
    yield from _unbilled_days(item, today, days)


def _unbilled_days(item: Item, today: str, days: int) -> Iterator[Found]:
    price = item.terms.get("recurring_minor", 0) or (item.terms.get("one_time_minor", 0) if not item.lines else 0)
    if item.active is None or item.ended or item.waits_for_download or not price:
        return
    served = [billed.line["to_day"] for billed in item.lines if billed.served]
    if not served and not item.terms.get("recurring_minor", 0) and item.lines:
        return
    since = max(served) if served else (item.begun or item.active).at[:10]
    if day_after(since, days) <= today:
        yield price, since, _all(item.active, item.begun, item.step), (*_all(item.charge), *(billed.event for billed in item.lines[-1:]))


def _inactive(item: Item, today: str, days: int) -> Iterator[Found]:
    """Billed, and no event switched the service on."""
    if item.active is None and item.lines:
        amount = sum(billed.line["net_minor"] for billed in item.lines)
        yield amount, item.lines[0].at, _all(item.planned), (*_all(item.charge), *(billed.event for billed in item.lines))


def _other_start(item: Item, today: str, days: int) -> Iterator[Found]:
    """Charged from another day than the one on which the customer has the service or the device, or billed for days before it."""
    if item.charge is None:
        return
    if _begins_otherwise(item):
        price = item.charge.body["recurring_minor"] or item.charge.body["one_time_minor"]
        yield price, item.charge.at, _all(item.active, item.begun, item.step), _all(item.charge)
        return
    for billed in _periods(item)[:1]:
        if billed.line["from_day"] < item.charged_from:
            yield billed.line["net_minor"], billed.at, _all(item.active, item.begun, item.step), (*_all(item.charge), billed.event)


def _begins_otherwise(item: Item) -> bool:
    """Whether the charge begins on another day than the customer had what is charged (not where a person vouched for that, without a day),
    or than the order told its account."""
    had = item.begun or item.active
    had_on = (had.body.get("starts_on") or had.body.get("delivered_on")) if had and not item.vouched else ""
    told_on = item.step.body.get("starts_on", "") if item.step else ""
    return item.charge is not None and any(day and item.charge.body["starts_on"] != day for day in (had_on, told_on))


def _other_price(item: Item, today: str, days: int) -> Iterator[Found]:
    """Charged at other prices or terms than the order pinned, or for another offering; or billed at others than are charged."""
    if item.charge is None:
        return
    charged = item.charge.body
    if item.planned and (terms_of(item.planned.body), item.terms["offering"]) != (terms_of(charged), charged["offering"]):
        over = charged["recurring_minor"] + charged["one_time_minor"] - item.terms["recurring_minor"] - item.terms["one_time_minor"]
        yield over, item.charge.at, _all(item.planned), _all(item.charge)
    for billed in item.lines:
        net_minor, price = billed.line["net_minor"], _price(item, billed)
        if price is not None and (net_minor not in (price, -price) or billed.currency != charged["currency"]):
            yield net_minor - price, billed.at, _all(item.planned, item.charge), (billed.event,)


def _price(item: Item, billed: Billed) -> int | None:
    """What a line of a price should come to; None for usage, discounts and the like, and for a part of before lines said what it is a part
    of."""
    assert item.charge is not None
    match billed.line["kind"]:
        case "one-time":
            return int(item.charge.body["one_time_minor"])
        case "period":
            return item.price_on(billed.line["from_day"])
        case "part-period" if billed.line.get("unit"):
            whole = item.whole_days(billed)
            return part_of(item.price_on(billed.line["from_day"]), min(billed.days.days, whole), whole)
    return None


def _other_account(item: Item, today: str, days: int) -> Iterator[Found]:
    """Charging began on one side only or without a plan of an order, or on another account than the order named; or a bill of another
    account has it, or one of nothing that is charged."""
    accounts = {said.body["account"] for said in (item.planned, item.step, item.charge) if said}
    first = item.charge or item.step
    if first and (len(accounts) > 1 or not (item.planned and item.step and item.charge)):
        yield item.terms.get("recurring_minor", 0), first.at, _all(item.planned, item.step), _all(item.charge)
        return
    astray = [billed for billed in item.lines if billed.account not in accounts or (item.active and not first)]
    if astray:
        amount = sum(billed.line["net_minor"] for billed in astray)
        events = tuple(dict.fromkeys(billed.event for billed in astray))
        yield amount, astray[0].at, _all(item.planned, item.step), (*_all(item.charge), *events)


def _ceased(item: Item, today: str, days: int) -> Iterator[Found]:
    """Ended, and the charge goes on, or days after the end were billed after it."""
    if item.ended is None:
        return
    if item.charge and not item.withdrawn:
        yield item.charge.body["recurring_minor"], item.ended.at, _all(item.ended), _all(item.charge)
    if item.charge and item.withdrawn and item.withdrawn.body.get("ended_on", "") > max(item.ended_on(), item.local_day(item.withdrawn)):
        yield item.charge.body["recurring_minor"], item.ended.at, _all(item.ended), _all(item.charge, item.withdrawn)
    for billed in item.lines:
        if billed.position > item.ended_position and billed.served and billed.line["to_day"] > item.ended_on():
            yield billed.line["net_minor"], item.ended.at, _all(item.ended, item.withdrawn), (billed.event,)


def _pinned(item: Item) -> tuple[Discount, ...]:
    return PriceTerms.model_validate(item.charge.body.get("terms") or {}).discounts if item.charge else ()


def _discount_goes_on(item: Item, today: str, days: int) -> Iterator[Found]:
    """A discount on days outside its own, or one that the charge does not have."""
    pinned = {one.name: one for one in _pinned(item)}
    for billed in item.lines if item.charge else ():
        if billed.line["kind"] == "discount" and (wrong := _wrongly_off(item, pinned.get(billed.line["discount"]), billed)):
            yield wrong, billed.at, _all(item.planned, item.charge), (billed.event,)


def _wrongly_off(item: Item, one: Discount | None, billed: Billed) -> int:
    """How much of a line that a discount takes off is none of its: all of it where nobody promised it, else that on days outside its
    own."""
    off = -int(billed.line["net_minor"])
    if item.charge is None or one is None:
        return off
    outside = 0 if one.of == "one-time" else _outside(one, item.priced_from, billed)
    return half_up(Fraction(off * outside, billed.days.days)) if outside else 0


def _discount_differs(item: Item, today: str, days: int) -> Iterator[Found]:
    """A discount that takes off more or less than was promised on its days, or is not given at all."""
    pinned = {one.name: one for one in _pinned(item)}
    if item.charge is None or not (pinned or any(billed.line["kind"] == "discount" for billed in item.lines)):
        return
    off: dict[tuple[str, int], Counter[str]] = {}
    odd: set[tuple[str, int]] = set()
    for billed in item.lines:
        if billed.line["kind"] == "discount":
            of = (billed.invoice, billed.line.get("of_line", 0))
            off.setdefault(of, Counter())[billed.line["discount"]] -= billed.line["net_minor"]
            odd |= {of} if _wrongly_off(item, pinned.get(billed.line["discount"]), billed) else set()
    for billed in item.lines:
        if (of := (billed.invoice, billed.place)) in odd or billed.line["net_minor"] <= 0 or _price(item, billed) is None:
            continue
        given, promised = off.get(of, Counter()), _promised(item, billed)
        for name in sorted(given.keys() | promised.keys()):
            if given[name] != promised[name]:
                yield given[name] - promised[name], billed.at, _all(item.planned, item.charge), (billed.event,)


def _promised(item: Item, billed: Billed) -> Counter[str]:
    """What the discounts of a charge take off one of its lines, by their names."""
    assert item.charge is not None
    line, once = billed.line, billed.line["kind"] == "one-time"
    found = reductions(
        _pinned(item),
        of="one-time" if once else "recurring",
        price_minor=item.charge.body["one_time_minor"] if once else item.price_on(line["from_day"]),
        net_minor=line["net_minor"],
        days=billed.days,
        whole_days=item.whole_days(billed) if line["kind"] == "part-period" else billed.days.days,
        starts_on=date.fromisoformat(item.priced_from),
        bill_day=billed.bill_day,
    )
    off: Counter[str] = Counter()
    for one in found:
        off[one.discount.name] += one.minor
    return off


def _outside(discount: Discount, starts_on: str, billed: Billed) -> int:
    """How many days of a line are outside those of its discount."""
    span = held(discount, starts_on=date.fromisoformat(starts_on), bill_day=int(billed.issued_on[-2:]))
    first, after = (date.fromisoformat(billed.line[name]) for name in ("from_day", "to_day"))
    return sum(not span.has(date.fromordinal(day)) for day in range(first.toordinal(), after.toordinal()))


def _periods(item: Item) -> list[Billed]:
    return sorted((billed for billed in item.lines if billed.served), key=_first_day)


def _first_day(billed: Billed) -> tuple[str, str]:
    return billed.line["from_day"], billed.line["to_day"]


def _once(item: Item) -> list[Billed]:
    return [billed for billed in item.lines if billed.line["kind"] == "one-time" and billed.line["net_minor"] > 0]


def _twice(item: Item, today: str, days: int) -> Iterator[Found]:
    """The same days of service, or the same one-time charge, on two lines."""
    for one, other in (*pairwise(_once(item)), *pairwise(_periods(item))):
        if one.line["kind"] == "one-time" or other.line["from_day"] < item.billed_to(one):
            yield other.line["net_minor"], other.at, _all(item.active), (one.event, other.event)


def _while_barred(item: Item, today: str, days: int) -> Iterator[Found]:
    """Days on a bill of after a bar by whose policy they are not charged."""
    for bar in item.barred:
        for billed in _periods(item):
            from_day, to_day = max(bar.from_day, billed.line["from_day"]), min(bar.to_day or "9999", billed.line["to_day"])
            if billed.position > bar.position and from_day < to_day:
                yield billed.line["net_minor"], billed.at, (bar.said.event,), (billed.event,)


def _hole(item: Item, today: str, days: int) -> Iterator[Found]:
    """Days of service before or between those that were billed, which no line has."""
    price, periods = item.terms.get("recurring_minor", 0), _periods(item)
    for first in periods[:1]:
        if item.charge and item.charged_from < first.line["from_day"] and not _begins_otherwise(item):
            yield price, item.charged_from, _all(item.active), (item.charge.event, first.event)
    for one, other in pairwise(periods):
        if (to_day := item.billed_to(one)) < other.line["from_day"] and not item.barred_between(to_day, other.line["from_day"]):
            yield price, to_day, _all(item.active), (one.event, other.event)


def _unpaid_device(item: Item, today: str, days: int) -> Iterator[Found]:
    """A device is with the customer, and the day after no invoice has it, or no agreement where it is paid in instalments, or one about
    something else."""
    if item.device is None or item.delivered is None or not item.terms.get("one_time_minor", 0):
        return
    count = int(item.terms.get("characteristics", {}).get("instalments", "1"))
    invoiced = [billed for billed in item.lines if billed.line["kind"] == "one-time"]
    whole = sum(billed.alone_minor for billed in invoiced)
    agreed = (item.agreement.body["count"], item.agreement.body["total_minor"]) if item.agreement else (1, whole)
    if (invoiced and agreed == (count, whole or agreed[1])) or day_after(item.delivered.at[:10], 1) > today:
        return
    sides = _all(item.device, item.delivered, item.ended), (*_all(item.charge, item.agreement), *(billed.event for billed in invoiced))
    yield item.terms["one_time_minor"], item.delivered.at, *sides


RULES: tuple[AssuranceRule, ...] = (
    AssuranceRule(
        "activated-not-billed", "G-RM-RA-RLb", "A service that is on is billed within some days, and goes on being billed.", _unbilled
    ),
    AssuranceRule("billed-not-active", "G-RM-RA-RLj", "What is billed was switched on.", _inactive),
    AssuranceRule("start-differs", "G-RM-RA-DQb", "A service is charged from the day on which the customer has it.", _other_start),
    AssuranceRule("price-differs", "G-RM-RA-DQc", "What is charged and billed is what the order pinned.", _other_price),
    AssuranceRule("account-differs", "G-RM-RA-DQd", "Charging began on both sides, on the account that the order names.", _other_account),
    AssuranceRule("ceased-but-billed", "G-RM-RA-RLk", "What has ended is charged no more, and no day after the end is billed.", _ceased),
    AssuranceRule(
        "barred-but-billed",
        "G-RM-RA-RLk",
        "Days on which a line is barred are on no bill of after, where its market does not charge them.",
        _while_barred,
    ),
    AssuranceRule("billed-twice", "G-RM-RA-RLk", "No day of a service and no one-time charge is billed twice.", _twice),
    AssuranceRule(
        "discount-not-ended", "G-RM-RA-RLc", "A discount is given on its own days alone, to whom it was promised.", _discount_goes_on
    ),
    AssuranceRule(
        "discount-differs",
        "G-RM-RA-DQc",
        "A discount takes off what was promised, on every line that it is promised on.",
        _discount_differs,
    ),
    AssuranceRule(
        "device-without-agreement",
        "G-RM-RA-RLb",
        "A device that was delivered is on an invoice, and on an agreement where it is paid in instalments.",
        _unpaid_device,
    ),
    AssuranceRule(
        "days-not-billed",
        "G-RM-RA-RLc",
        "From the first day that is charged on, and between the days billed, there is none that was not.",
        _hole,
    ),
)


def leaks_of(item: Item, today: str, days: int, *, rule: str = "") -> Iterator[Leak]:
    """What the rules, or the one named, find of an item on a day."""
    for one in RULES:
        if rule in ("", one.name):
            for amount, since, events_a, events_b in one.looks(item, today, days):
                yield Leak(one.name, item.order, item.item, item.account, amount, item.currency, since[:10], events_a, events_b)
