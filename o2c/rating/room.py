"""How much more of a kind of usage an account may use right now: what its allowances, its limits and its prepaid balance leave room for.
Pure.

Source: 3GPP TS 32.299, 6.3 (granted units, final unit) and TS 32.290, 5.3 (quota management); the words are theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from o2c.kernel.money import half_up, minor_units
from o2c.kernel.records import UsageRecord
from o2c.rating.account import Rated, Rules, copied, rate, rate_on, rated_with
from o2c.rating.allowances import Grant

Why = Literal["", "no-price", "limit", "balance"]
"""Why nothing is granted: no price holds, a limit of the bill is reached, or the prepaid balance is used up."""


class Cost(NamedTuple):
    """What prepaid usage costs, in minor units: net, and the tax on it."""

    net_minor: int
    tax_minor: int

    @property
    def gross_minor(self) -> int:
        """Both together, which is what the balance pays."""
        return self.net_minor + self.tax_minor

    def over(self, paid: Cost, left_minor: int) -> Cost:
        """What is to be paid beyond what was paid already, never more than is left; the tax of a part is its share, half-up."""
        net, tax = max(self.net_minor - paid.net_minor, 0), max(self.tax_minor - paid.tax_minor, 0)
        if net + tax <= left_minor:
            return Cost(net, tax)
        part = half_up(Fraction(tax * left_minor, net + tax))
        return Cost(left_minor - part, part)


@dataclass(frozen=True, slots=True)
class Basis:
    """By what usage of a bill period is judged: its records, the rules, the units granted for it, what counted already towards each limit,
    and the rates of tax in percent by tax group. `period_from` is its first day. With `begun`, that is what earlier records came to, and
    `records` are those after."""

    records: Sequence[UsageRecord]
    rules: Rules
    grants: tuple[Grant, ...]
    spent: Mapping[tuple[str, str], Fraction]
    percents: Mapping[str, Decimal]
    period_from: str
    begun: Rated | None = None

    def rated(self, holds: Sequence[UsageRecord] = ()) -> Rated:
        """What the records come to, with what is held as if it had been used when it was reserved."""
        if self.begun is None:
            return rate([*self.records, *holds], self.rules, self.grants, self.spent)
        rated = copied(self.begun)
        rate_on(rated, [*self.records, *holds], self.rules)
        return rated

    def cost(self, rated: Rated) -> Cost:
        """What all that is prepaid costs in the period: rounded once for each tax group, half-up."""
        exact: dict[str, Fraction] = {}
        for tally in rated.tallies.values():
            if tally.held.price.prepaid:
                exact[tally.held.tax_group] = exact.get(tally.held.tax_group, Fraction(0)) + tally.amount
        minor = {group: amount * 10 ** minor_units(self.rules.currency) for group, amount in exact.items()}
        taxes = (half_up(amount * Fraction(self.percents[group]) / 100) for group, amount in minor.items())
        return Cost(sum(map(half_up, minor.values())), sum(taxes))


class Room(NamedTuple):
    """What is granted of what was asked for, in whole base units. `final` says that nothing more can be granted after it; `why` why it is
    nothing."""

    granted: int
    final: bool
    why: Why = ""


def room(basis: Basis, holds: Sequence[UsageRecord], wanted: UsageRecord, *, left_minor: int, paid: Cost) -> Room:
    """How much of a wanted quantity (whole base units) can be granted beside what others hold.

    `left_minor` is the prepaid balance as it is, and `paid` what the period's prepaid usage was paid with already: more than both is not
    granted, so that the balance pays for whatever comes of it. Usage that a limit does not let be charged is not granted either.
    """
    before = basis.rated(holds)
    asked, due = int(wanted.quantity), basis.cost(before).gross_minor
    if rated_with(before, replace(wanted, quantity=Decimal(0)), basis.rules) is None:
        return Room(0, True, "no-price")

    def refused(quantity: int) -> Why:
        after = rated_with(before, replace(wanted, quantity=Decimal(quantity)), basis.rules)
        assert after is not None
        if len(after.beyond) > len(before.beyond):
            return "limit"
        return "balance" if basis.cost(after).gross_minor > max(due, paid.gross_minor + left_minor) else ""

    if not refused(asked + 1):
        return Room(asked, False)
    low, high = 0, asked + 1  # what fits, and what does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refused(middle) else (middle, high)
    return Room(low, True, "" if low else refused(1))
