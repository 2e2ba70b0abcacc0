"""What a business owes for paying late: interest by days, and a fixed sum for each invoice. Damages for a debt, which are no supply and have no tax."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from o2c.collections.lateness import Late
from o2c.kernel.money import half_up
from o2c.markets.collecting import LateInterest


@dataclass(frozen=True, slots=True)
class LateClaim:
    """What is owed for so many days of an invoice that were late, in minor units: interest, and the fixed sum. The days go from `from_day` up to, not
    including, `to_day`; those between them on which nothing was open do not count."""

    invoice: str
    currency: str
    from_day: date
    to_day: date
    days: int
    interest_minor: int
    fixed_minor: int


def claim_of(late: Late, rules: LateInterest, currency: str, today: date) -> LateClaim | None:
    """Give what is owed for the days that an invoice was late up to and including a local day, each counted once, at what was open as it began; None for
    no day. Interest is simple, rounded once, half-up; `currency` is that of the market's fixed sums.

    Source: Late Payment of Commercial Debts (Interest) Act 1998, s. 1, 4, 5A; Directive 2011/7/EU, art. 3 and 6.
    """
    counted = [(after, until, open_minor) for after, until, open_minor in _counted(late, today) if open_minor]
    if not counted:
        return None
    first, last = counted[0][0] + timedelta(days=1), counted[-1][1]
    parts = (
        open_minor * (until - after).days * Fraction(rules.percent_on(after + timedelta(days=1) if rules.follows else first))
        for after, until, open_minor in counted
    )
    return LateClaim(
        invoice=late.invoice,
        currency=late.currency,
        from_day=first,
        to_day=last + timedelta(days=1),
        days=sum((until - after).days for after, until, _ in counted),
        interest_minor=half_up(sum(parts, Fraction()) / 100 / rules.days_of_year),
        fixed_minor=rules.fixed_minor(counted[0][2]) if late.currency == currency else 0,
    )


def _counted(late: Late, today: date) -> Iterator[tuple[date, date, int]]:
    """Stretches of days, after one day and up to and including another, with what was open; none goes over the end of a half-year."""
    stretches = [(day, open_minor) for day, open_minor in late.stretches if day < today]
    for (day, open_minor), (until, _) in pairwise([*stretches, (today, 0)]):
        after = day
        while after < until:
            end = min(_half_year_ends(after + timedelta(days=1)), until)
            yield after, end, open_minor
            after = end


def _half_year_ends(day: date) -> date:
    return date(day.year, 6, 30) if day.month <= 6 else date(day.year, 12, 31)
