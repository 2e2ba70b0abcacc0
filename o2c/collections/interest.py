"""What a business owes for paying late: interest by days, and a fixed sum for each invoice. Damages for a debt, which are no supply and
have no tax."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from o2c.collections.lateness import Late
from o2c.kernel.lateness import LateCharged, LateOvercharged, LateRate, LateRules
from o2c.kernel.money import half_up

Stretch = tuple[date, date, int]
"""Days after one and up to and including another, with what was open, in minor units."""


@dataclass(frozen=True, slots=True)
class LateClaim:
    """What is owed for so many days of an invoice that were late, in minor units: interest, and the fixed sum. The days go from `from_day`
    up to, not including, `to_day`; those between them on which nothing was open do not count. `rates` are the percent a year, each with its
    first day."""

    invoice: str
    currency: str
    from_day: date
    to_day: date
    days: int
    interest_minor: int
    fixed_minor: int
    rates: tuple[tuple[date, Decimal], ...]


def claim_of(late: Late, rules: LateRules, currency: str, today: date) -> LateClaim | None:
    """Give what is owed for the days that an invoice was late up to and including a local day, each counted once, at what was open as it
    began; None for no day. Interest is simple, rounded once, half-up; `currency` is that of the market's fixed sums. Days that a bill has
    are reckoned at its rate.

    Source: Late Payment of Commercial Debts (Interest) Act 1998, s. 1, 4, 5A; Directive 2011/7/EU, art. 3 and 6.
    """
    counted = _counted(late, today)
    if not counted:
        return None
    first = counted[0][0] + timedelta(days=1)
    rated = [(stretch, _rate(late, rules, stretch, first)) for stretch in counted]
    parts = (open_minor * (until - after).days * Fraction(percent) for (after, until, open_minor), (_, percent) in rated)
    return LateClaim(
        invoice=late.invoice,
        currency=late.currency,
        from_day=first,
        to_day=counted[-1][1] + timedelta(days=1),
        days=_days(counted),
        interest_minor=half_up(sum(parts, Fraction()) / 100 / rules.days_of_year),
        fixed_minor=rules.fixed_minor(counted[0][2]) if late.currency == currency else 0,
        rates=tuple(dict.fromkeys(rate for _, rate in rated)),
    )


def charge_of(late: Late, rules: LateRules, currency: str, *, bill: str, before: date) -> LateCharged | None:
    """Give what a bill charges for the late days of an invoice before a local day, beyond what bills have charged; None where that is
    nothing.

    What all bills charge, without what was too much, comes to what is owed for all of these days, rounded once.
    """
    claim = claim_of(late, rules, currency, before - timedelta(days=1))
    interest_minor, fixed_minor = _beyond(claim, late)
    if claim is None or interest_minor < 0 or fixed_minor < 0 or not interest_minor + fixed_minor:
        return None
    fresh = _counted(late, before - timedelta(days=1), late.billed_to)
    if not fresh:
        return None
    rates = dict.fromkeys(_rate(late, rules, stretch, claim.from_day) for stretch in fresh)
    return LateCharged(
        invoice=late.invoice,
        bill=bill,
        currency=late.currency,
        from_day=(fresh[0][0] + timedelta(days=1)).isoformat(),
        to_day=(fresh[-1][1] + timedelta(days=1)).isoformat(),
        days=_days(fresh),
        interest_minor=interest_minor,
        fixed_minor=fixed_minor,
        rates=tuple(LateRate(from_day=day.isoformat(), percent=format(percent.normalize(), "f")) for day, percent in rates),
    )


def overcharged(late: Late, rules: LateRules, currency: str) -> LateOvercharged | None:
    """Give what the last bill that charged for an invoice charged more than is owed for all the days that bills have; None where that is
    nothing. What is above what that bill charged is the bill's before it."""
    if late.billed_to is None:
        return None
    interest_minor, fixed_minor = _beyond(claim_of(late, rules, currency, late.billed_to - timedelta(days=1)), late)
    for each in reversed(late.billed):
        of_interest, of_fixed = min(max(-interest_minor, 0), each.interest_minor), min(max(-fixed_minor, 0), each.fixed_minor)
        if of_interest or of_fixed:
            said = {"invoice": late.invoice, "bill": each.bill, "currency": late.currency}
            return LateOvercharged(**said, interest_minor=of_interest, fixed_minor=of_fixed)
    return None


def _beyond(claim: LateClaim | None, late: Late) -> tuple[int, int]:
    """What is owed beyond what bills charged, in minor units; below nothing where they charged too much: interest, and fixed sum."""
    interest_minor, fixed_minor = (claim.interest_minor, claim.fixed_minor) if claim else (0, 0)
    billed_interest_minor, billed_fixed_minor = late.billed_minor
    return interest_minor - billed_interest_minor, fixed_minor - billed_fixed_minor


def _rate(late: Late, rules: LateRules, stretch: Stretch, first: date) -> tuple[date, Decimal]:
    """The rate of a stretch and the day it is from: by its half-year, or as it stays from the first day on; as a bill has said it, where
    one has."""
    day = stretch[0] + timedelta(days=1)
    since = date(day.year, 1 if day.month <= 6 else 7, 1) if rules.follows else first
    told = dict(late.rates).get(since.isoformat()) if rules.follows else next((percent for _, percent in late.rates), None)
    return since, Decimal(told) if told else rules.percent_on(day if rules.follows else first)


def _days(stretches: list[Stretch]) -> int:
    return sum((until - after).days for after, until, _ in stretches)


def _counted(late: Late, today: date, since: date | None = None) -> list[Stretch]:
    """The stretches up to and including a day, from another on, on which anything was open; none goes over the end of a half-year."""
    found = []
    stretches = [(day, open_minor) for day, open_minor in late.stretches if day < today]
    for (day, open_minor), (until, _) in pairwise([*stretches, (today, 0)]):
        after = max(day, since - timedelta(days=1)) if since else day
        while after < until and open_minor:
            end = min(_half_year_ends(after + timedelta(days=1)), until)
            found.append((after, end, open_minor))
            after = end
    return found


def _half_year_ends(day: date) -> date:
    return date(day.year, 6, 30) if day.month <= 6 else date(day.year, 12, 31)
