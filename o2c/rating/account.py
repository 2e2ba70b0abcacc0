"""What the usage of an account comes to: allowances first, then prices, never beyond a limit without agreement; in the order in which it
was used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from o2c.kernel.money import minor_units
from o2c.kernel.periods import parse_time
from o2c.kernel.records import UsageRecord
from o2c.rating.allowances import Grant, used
from o2c.rating.models import charge, charge_events
from o2c.rating.tariff import Allowance, UsagePrice, price_for
from o2c.rating.units import in_base, in_unit

NEVER_LIMITED = frozenset({"premium"})
"""What no limit of a bill counts: content of others (Communications Act 2003, s. 124S, as Ofcom reads it, 28 September 2018)."""


@dataclass(frozen=True, slots=True)
class PriceHeld:
    """A usage price, its tax group, and the times of use for which it holds (empty: open)."""

    price: UsagePrice
    tax_group: str
    valid_from: str = ""
    valid_to: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether it holds for what is used at a time."""
        return (not self.valid_from or at >= parse_time(self.valid_from)) and (not self.valid_to or at < parse_time(self.valid_to))


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a line's usage costs, and what is included."""

    offering: str
    prices: tuple[PriceHeld, ...] = ()
    allowances: tuple[Allowance, ...] = ()

    @property
    def lasting(self) -> bool:
        """Whether all of its prices hold at any time."""
        return not any(held.valid_from or held.valid_to for held in self.prices)

    def price(self, record: UsageRecord) -> PriceHeld | None:
        """The price of a record, None where none holds."""
        holding = [held for held in self.prices if held.holds(record.started_at)]
        best = price_for([held.price for held in holding], record.usage, record.zone, record.band)
        return next((held for held in holding if held.price is best), None)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an account, as they were at each time: (kind, minor units or None, from when), what was agreed to be gone beyond, and
    from when.

    `periods` are the first days of its bill periods, the earliest first; `usual` are the limits that hold unless others were chosen.
    """

    chosen: tuple[tuple[str, int | None, datetime], ...] = ()
    agreed: tuple[tuple[str, str, datetime], ...] = ()
    usual: Mapping[str, int | None] = field(default_factory=dict)

    def amount_minor(self, kind: str, at: datetime) -> int | None:
        """The limit of a kind in force at a time, None for none."""
        set_before = [amount for of, amount, from_at in self.chosen if of == kind and from_at <= at]
        return set_before[-1] if set_before else self.usual.get(kind)

    def agreed_at(self, kind: str, period: str, at: datetime) -> bool:
        """Whether the customer had agreed to go beyond the limit of a period by a time."""
        return any(of == kind and began == period and from_at <= at for of, began, from_at in self.agreed)


def kinds_of(usage: str) -> tuple[str, ...]:
    """The limits that a kind of usage counts towards."""
    if usage in NEVER_LIMITED:
        return ()
    return ("bill", "roaming") if usage == "roaming" else ("bill",)


@dataclass(slots=True)
class Tally:
    """What was used under one price of a line: exact quantities in the price's unit, and the records."""

    owner: str
    held: PriceHeld
    records: list[UsageRecord] = field(default_factory=list)
    quantity: Fraction = Fraction(0)
    included: Fraction = Fraction(0)
    not_chargeable: Fraction = Fraction(0)
    amounts: list[Fraction] = field(default_factory=list)
    charged: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)

    def with_more(self, quantity: Fraction) -> Fraction:
        """What all of it would cost with some more."""
        model = self.held.price.model
        return charge_events(model, [*self.amounts, quantity]) if model.kind == "percentage" else charge(model, self.charged + quantity)

    def add(self, quantity: Fraction, amount: Fraction) -> None:
        """Take a quantity in that makes everything cost an amount."""
        self.charged, self.amount = self.charged + quantity, amount
        if self.held.price.model.kind == "percentage":
            self.amounts.append(quantity)


@dataclass(slots=True)
class Rated:
    """The tallies by line and price, the grants as they are left, what each period cost (kind, first day), and the records without a price.

    `beyond` are the records that went beyond a limit without agreement, each with the kind of limit.
    """

    tallies: dict[tuple[str, str], Tally]
    grants: tuple[Grant, ...]
    spent: dict[tuple[str, str], Fraction]
    unpriced: int = 0
    beyond: list[tuple[UsageRecord, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rules:
    """Under what usage is rated: tariffs by line, limits, currency, the time zone of days, and the first days of the bill periods, earliest
    first."""

    tariffs: Mapping[str, Tariff]
    limits: Limits
    currency: str
    zone: ZoneInfo
    periods: Sequence[date]

    def period_of(self, day: date) -> str:
        """The first day of the bill period that has a day; the earliest known one for days before it."""
        begun = [first for first in self.periods if first <= day]
        return (begun[-1] if begun else self.periods[0]).isoformat()


def rate(records: Sequence[UsageRecord], rules: Rules, grants: Sequence[Grant], spent: Mapping[tuple[str, str], Fraction]) -> Rated:
    """Rate records of an account, in the order in which they began. `spent` is what bills before this one counted already."""
    rated = Rated(dict(_tallies(rules)), tuple(grants), dict(spent))
    rate_on(rated, records, rules)
    return rated


def rate_on(rated: Rated, records: Iterable[UsageRecord], rules: Rules) -> None:
    """Rate more records on what was rated already, which began no later than any of them: it is changed."""
    known: dict[tuple[str, str, str, str], PriceHeld | None] = {}
    for record in sorted(records, key=lambda record: (record.started_at, record.id)):
        held = _price(record, rules, known)
        if held is None:
            rated.unpriced += 1
            continue
        _rate_one(record, rated.tallies.setdefault((record.owner, held.price.name), Tally(record.owner, held)), rated, rules)


def _price(record: UsageRecord, rules: Rules, known: dict[tuple[str, str, str, str], PriceHeld | None]) -> PriceHeld | None:
    """The price of a record. Where none of a line's prices ends, records alike in kind, zone and band have the same."""
    tariff = rules.tariffs.get(record.owner)
    if tariff is None or not tariff.lasting:
        return tariff.price(record) if tariff else None
    key = (record.owner, record.usage, record.zone, record.band)
    if key not in known:
        known[key] = tariff.price(record)
    return known[key]


def _tallies(rules: Rules) -> Iterator[tuple[tuple[str, str], Tally]]:
    """The prices that cost something even where nothing was used: a flat amount of the first tier."""
    for owner, tariff in rules.tariffs.items():
        for held in tariff.prices:
            if amount := charge(held.price.model, 0):
                yield (owner, held.price.name), Tally(owner, held, amount=amount)


def copied(rated: Rated) -> Rated:
    """The same once more, to be rated on by itself. Its tallies have all sums, and no record."""
    tallies = {key: replace(tally, records=[], amounts=[*tally.amounts]) for key, tally in rated.tallies.items()}
    return Rated(tallies, rated.grants, {**rated.spent}, rated.unpriced, [*rated.beyond])


def rated_with(rated: Rated, record: UsageRecord, rules: Rules) -> Rated | None:
    """What it comes to with one record more, which is taken last; None where no price holds for it. What was given stays as it is.

    The tally of its price has the sums of all records, and of the records themselves only this one.
    """
    held = _price(record, rules, {})
    if held is None:
        return None
    key = (record.owner, held.price.name)
    tally = rated.tallies.get(key) or Tally(record.owner, held)
    own = replace(tally, records=[], amounts=[*tally.amounts])
    more = Rated({**rated.tallies, key: own}, rated.grants, {**rated.spent}, rated.unpriced, [*rated.beyond])
    _rate_one(record, own, more, rules)
    return more


def _rate_one(record: UsageRecord, tally: Tally, rated: Rated, rules: Rules) -> None:
    price, day = tally.held.price, record.started_at.astimezone(rules.zone).date()
    counted = price.counted(Fraction(record.quantity))
    rated.grants, rest = used(rated.grants, record.owner, record.usage, record.zone, day, in_base(counted, price.unit))
    left = in_unit(rest, price.unit)
    tally.records.append(record)
    tally.quantity += counted
    tally.included += counted - left
    if not left:
        return
    amount, period = tally.with_more(left), rules.period_of(day)
    more = amount - tally.amount
    kinds = () if price.prepaid else kinds_of(record.usage)
    for kind in kinds:
        limit_minor = rules.limits.amount_minor(kind, record.started_at)
        after = rated.spent.get((kind, period), Fraction(0)) + more
        over = limit_minor is not None and after * 10 ** minor_units(rules.currency) > limit_minor
        if over and not rules.limits.agreed_at(kind, period, record.started_at):
            rated.beyond.append((record, kind))
            tally.not_chargeable += left
            return
    for kind in kinds:
        rated.spent[kind, period] = rated.spent.get((kind, period), Fraction(0)) + more
    tally.add(left, amount)
