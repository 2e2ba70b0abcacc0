"""Discounts: what they take off a price, for which days, and which of several count. Pure; all amounts are net, in minor units.

Source: TM Forum TMF620 v4.1.0, POPAlteration (priority, applicationDuration, price with an amount or a percentage).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from o2c.kernel.money import half_up
from o2c.kernel.periods import Period, next_cycle_day
from o2c.kernel.recurrence import Recurrence


class Discount(BaseModel):
    """A discount on one price of a service: `percent` of it (decimal text), or `amount_minor` off each of its periods.

    It holds for `lasts_length` times `lasts_unit` (0: for good), from the day on which the charge begins (`charge`), from the first bill
    day after that (`bill`), or from `from_day`, where that is later than the charge (`day`). Of those that hold on a day, an `exclusive`
    one counts alone; of the `best-of` ones the one counts that takes most off; `stackable` ones count beside it, each on what those before
    it leave. They go by `priority`, the smaller number first, then by name. `voucher` is the code that brought it, empty for one of the
    price list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    of: Literal["recurring", "one-time"] = "recurring"
    percent: str = ""
    amount_minor: int = 0
    lasts_unit: str = "month"
    lasts_length: int = 0
    starts: Literal["charge", "bill", "day"] = "charge"
    from_day: str = ""
    priority: int = 0
    combines: Literal["stackable", "best-of", "exclusive"] = "stackable"
    voucher: str = ""

    @property
    def words(self) -> str:
        """How much and for how long, for people: `20 % for 3 months`; an amount is told by the line that it makes."""
        much = f"{self.percent} %" if self.percent else "an amount"
        if self.of == "one-time" or not self.lasts_length:
            return much
        return f"{much} for {self.lasts_length} {self.lasts_unit}{'s' if self.lasts_length > 1 else ''}"

    def off(self, rest: Fraction) -> Fraction:
        """What it takes off a price of which so much is left: never more than that."""
        wanted = rest * Fraction(Decimal(self.percent)) / 100 if self.percent else Fraction(self.amount_minor)
        return min(max(wanted, Fraction(0)), rest)


class Held(NamedTuple):
    """The days of a discount: from `start` up to, not including, `end` (None: for good)."""

    start: date
    end: date | None

    def has(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.start <= day and (self.end is None or day < self.end)


class Reduction(NamedTuple):
    """What a discount takes off a line: for which days, and how much, above zero."""

    discount: Discount
    days: Period
    minor: int


def held(discount: Discount, *, starts_on: date, bill_day: int) -> Held:
    """Give the days of a discount of a charge that begins on a day, on an account that is billed on a day of the month."""
    start = starts_on
    if discount.starts == "bill":
        start = next_cycle_day(starts_on, (bill_day,))
    elif discount.starts == "day":
        start = max(starts_on, date.fromisoformat(discount.from_day))
    if not discount.lasts_length:
        return Held(start, None)
    return Held(start, Recurrence(discount.lasts_unit, discount.lasts_length).begins(start, 1))


def in_order(discounts: Sequence[Discount], of: str) -> list[Discount]:
    """Give the discounts of a kind of price in the order in which they count."""
    return sorted((one for one in discounts if one.of == of), key=lambda one: (one.priority, one.name, one.voucher))


def counted(discounts: Sequence[Discount], price: Fraction) -> Iterator[tuple[Discount, Fraction]]:
    """Give those of the discounts that count, in their order, each with what it takes off a price: in all never more than that."""
    alone = next((one for one in discounts if one.combines == "exclusive"), None)
    best = max((one for one in discounts if one.combines == "best-of"), key=lambda one: one.off(price), default=None)
    rest = price
    for one in [alone] if alone else [one for one in discounts if one.combines == "stackable" or one is best]:
        off = one.off(rest)
        rest -= off
        yield one, off


def reductions(
    discounts: Sequence[Discount],
    *,
    of: str,
    price_minor: int,
    net_minor: int,
    days: Period,
    whole_days: int,
    starts_on: date,
    bill_day: int,
) -> list[Reduction]:
    """Give what the discounts of a charge take off a line of it, prorated as the line is: `days` of a period of `whole_days` that costs
    `price_minor`.

    Each is half-up once, and the last ones give way where all of them would come to more than the line's `net_minor`.
    """
    own = in_order(discounts, of)
    if of == "one-time":
        off = {one: (cut, days) for one, cut in counted(own, Fraction(price_minor))}
    else:
        off = _by_days(own, price_minor, days, whole_days, starts_on, bill_day)
    found, rest = [], net_minor
    for one in own:
        exact, on = off.get(one, (Fraction(0), days))
        minor = min(half_up(exact), rest)
        if minor > 0:
            found.append(Reduction(one, on, minor))
            rest -= minor
    return found


def _by_days(
    own: Sequence[Discount], price_minor: int, days: Period, whole_days: int, starts_on: date, bill_day: int
) -> dict[Discount, tuple[Fraction, Period]]:
    """What each takes off, exactly, and on which days: stretch by stretch, in each of which the same ones hold."""
    holds = {one: held(one, starts_on=starts_on, bill_day=bill_day) for one in own}
    edges = {edge for span in holds.values() for edge in span if edge and days.start < edge < days.end}
    found: dict[Discount, tuple[Fraction, Period]] = {}
    for start, end in pairwise(sorted({days.start, days.end, *edges})):
        for one, off in counted([one for one in own if holds[one].has(start)], Fraction(price_minor)):
            if not off:
                continue
            before, on = found.get(one, (Fraction(0), Period(start, end)))
            found[one] = (before + off * (end - start).days / whole_days, Period(on.start, end))
    return found


def parts_off_a_period(discounts: Sequence[Discount], *, of: str, price_minor: int) -> Iterator[tuple[Discount, int]]:
    """Give what each discount of a kind of price that counts takes off one period of it, or off a price that is charged once, while they
    all hold."""
    rest = price_minor
    for one, off in counted(in_order(discounts, of), Fraction(price_minor)):
        minor = min(half_up(off), rest)
        rest -= minor
        yield one, minor


def off_on(discounts: Sequence[Discount], *, price_minor: int, day: date, starts_on: date, bill_day: int) -> int:
    """Give what the discounts of a recurring price that hold on a day take off one period of it; see `held`."""
    holding = [one for one in discounts if held(one, starts_on=starts_on, bill_day=bill_day).has(day)]
    return off_a_period(holding, of="recurring", price_minor=price_minor)


def off_a_period(discounts: Sequence[Discount], *, of: str, price_minor: int) -> int:
    """Give what all discounts of a kind of price take off one period of it, or off a price that is charged once, while they all hold."""
    return sum(minor for _, minor in parts_off_a_period(discounts, of=of, price_minor=price_minor))
