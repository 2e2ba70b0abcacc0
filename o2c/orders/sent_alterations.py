"""The discounts that a channel sent with its prices, held against those that our prices have.

A discount is ours by what it takes off, for how long and of which price: what a channel calls it is free text, which may say anything. One
that we do not know is not given in silence and not dropped in silence either: the customer was told of it. Where a channel sends none,
nothing is said.

Source: TMF622 v4.0.0 and v5.0.0, PriceAlteration: priceType, recurringChargePeriod, applicationDuration (a number of these periods), price
(percentage, dutyFreeAmount, taxIncludedAmount).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from o2c.catalogue.fields import folded
from o2c.catalogue.prices import KINDS, PERIODS, padded
from o2c.kernel.discounts import Discount, parts_off_a_period
from o2c.kernel.money import from_minor, half_up, tax_on, to_minor
from o2c.markets.base import Market, tax_percent
from o2c.orders.event_parts import SentAlteration, SentPrice
from o2c.orders.pricing import Prices

_SHOWN_CHARACTERS = 24
_DIGITS_MAX = 24
_ONCE = ("", 0)
_IN_UNITS = {"year": ("month", 12), "week": ("day", 7)}


@dataclass(slots=True)
class _Off:
    """What one discount takes off what is charged together: net minor units by tax group, off how many of its items, and of what."""

    discount: Discount
    every: tuple[str, int]
    nets: dict[str, int] = field(default_factory=dict)
    items: int = 0


@dataclass(slots=True)
class _Charged:
    """What is charged together: every so often (`_ONCE` for once), net minor units by tax group, and for how many items."""

    nets: dict[str, int] = field(default_factory=dict)
    items: int = 0


def flaw_of_alterations(sent: SentPrice, ours: Prices, market: Market, on: date) -> str:
    """Give the first discount of a price that a channel sent and that our prices do not have, in words with ours; empty for none.

    `ours` are the prices of the items that the sent one is for, with all of their discounts. Each of ours answers for one that was sent.
    """
    if not any(map(_takes_off, sent.alterations)):
        return ""
    charged, left = _taken_off(ours)
    known = tuple(left)
    for each in filter(_takes_off, sent.alterations):
        kind = KINDS.get(folded(each.kind)) or KINDS.get(folded(sent.kind))
        every = PERIODS.get(folded(sent.period if KINDS.get(folded(sent.kind)) == "recurring" else each.period))
        found = next((off for off in left if _is_of(off, kind, every) and _equals(each, off, charged[off.every], market, on)), None)
        if found is None:
            return _words(each, sent, known, market)
        left.remove(found)
    return ""


def _takes_off(sent: SentAlteration) -> bool:
    """Whether it takes anything off at all, for all that is plain: a nought is no promise."""
    return any(_number(value) != 0 for value in (sent.percent, sent.net, sent.gross) if value)


def _number(value: str) -> Fraction | None:
    """A decimal text; its sign says nothing, as channels write what is taken off with one or without. None for what is no number."""
    try:
        number = Decimal(value) if len(value) <= _DIGITS_MAX else Decimal("NaN")
    except InvalidOperation:
        return None
    return abs(Fraction(number)) if number.is_finite() and number.adjusted() < _DIGITS_MAX else None


def _taken_off(prices: Prices) -> tuple[Mapping[tuple[str, int], _Charged], list[_Off]]:
    """What is charged together, and what each of its discounts takes off it while all hold; those of one name are one."""
    charged: dict[tuple[str, int], _Charged] = {}
    off: dict[tuple[object, ...], _Off] = {}
    for each in (each for of_line in prices.values() for each in of_line):
        terms = each.terms
        for of, every, group, price_minor in (
            ("one-time", _ONCE, terms.one_time_tax_group, each.one_time_minor),
            ("recurring", (terms.period_unit, terms.period_length), terms.recurring_tax_group, each.recurring_minor),
        ):
            if not price_minor:
                continue
            whole = charged.setdefault(every, _Charged())
            _add(whole, group, price_minor)
            for one, minor in parts_off_a_period(terms.discounts, of=of, price_minor=price_minor):
                if minor:
                    alike = (every, one.name, one.voucher, one.percent, one.lasts_unit, one.lasts_length)
                    _add(off.setdefault(alike, _Off(one, every)), group, minor)
    return charged, list(off.values())


def _add(to: _Off | _Charged, group: str, minor: int) -> None:
    to.nets[group] = to.nets.get(group, 0) + minor
    to.items += 1


def _is_of(off: _Off, kind: str | None, every: tuple[str, int] | None) -> bool:
    """Whether a discount is on the price that was meant. A month may stand for three that are charged together, as in a catalogue."""
    if kind == "one-time":
        return off.every == _ONCE
    unit, length = off.every
    return kind == "recurring" and off.every != _ONCE and (every is None or every in ((unit, length), (unit, 1)))


def _equals(sent: SentAlteration, off: _Off, charged: _Charged, market: Market, on: date) -> bool:
    """Whether a discount takes off what was sent, for as long: all that was said of it. How long is told in its own periods, else in those
    of the price."""
    lasts = _lasts_as(sent, PERIODS.get(folded(sent.period)) or off.every, off.discount)
    return lasts and (not sent.percent or _is_share(sent.percent, off, charged)) and _is_amount(sent, off, charged, market, on)


def _is_share(percent: str, off: _Off, charged: _Charged) -> bool:
    """A percentage is that of the discount where it is on all that was meant, or one that comes to as much."""
    number = _number(percent)
    if number is None:
        return False
    if off.discount.percent and off.items == charged.items and number == Fraction(Decimal(off.discount.percent)):
        return True
    return half_up(sum(charged.nets.values()) * number / 100) == sum(off.nets.values())


def _is_amount(sent: SentAlteration, off: _Off, charged: _Charged, market: Market, on: date) -> bool:
    """Amounts are without tax, or with it: that of what is taken off, or what the tax of the price is less by."""
    if not sent.net and not sent.gross:
        return True
    if sent.unit != market.currency:
        return False

    def gross(nets: Mapping[str, int]) -> int:
        return sum(net + tax_on(net, tax_percent(market, group, on)) for group, net in nets.items())

    rest = {group: net - off.nets.get(group, 0) for group, net in charged.nets.items()}
    with_tax = {gross(off.nets), gross(charged.nets) - gross(rest)}
    return (not sent.net or _minor(sent.net, market) == sum(off.nets.values())) and (
        not sent.gross or _minor(sent.gross, market) in with_tax
    )


def _minor(value: str, market: Market) -> int | None:
    try:
        return abs(to_minor(padded(value), market.currency))
    except ValueError:
        return None


def _lasts_as(sent: SentAlteration, every: tuple[str, int], discount: Discount) -> bool:
    """Whether it lasts as long; a channel that does not say how long, or sends it with a price that is charged once, has said nothing of
    it."""
    if not sent.lasts or discount.of == "one-time":
        return True
    number = _number(sent.lasts)
    if number is None:
        return False
    return number == 0 or _length(every, number) == _length((discount.lasts_unit, discount.lasts_length), Fraction(1))


def _length(every: tuple[str, int], times: Fraction) -> tuple[str, Fraction]:
    """A length of time in months or days, so that a year and twelve months are one."""
    unit, length = every
    base, factor = _IN_UNITS.get(unit, (unit, 1))
    return base, length * factor * times


def _words(sent: SentAlteration, of: SentPrice, known: Sequence[_Off], market: Market) -> str:
    """What the channel sent and what we have, in words."""
    amount = f"{(sent.net or sent.gross)[:_SHOWN_CHARACTERS]} {sent.unit[:3]}{'' if sent.net else ' with tax'}"
    much = " and ".join(
        [*([f"{sent.percent[:_SHOWN_CHARACTERS]} %"] if sent.percent else []), *([amount] if sent.net or sent.gross else [])]
    )
    told = " ".join(word[:_SHOWN_CHARACTERS] for word in (sent.kind or of.kind, sent.period or of.period) if word)
    times = f" {sent.lasts[:_SHOWN_CHARACTERS]} times" if sent.lasts else ""
    return f"the channel sent a discount of {much} ({told or 'of no type'}){times}, ours are {', '.join(_own(known, market)) or 'none'}"


def _own(known: Sequence[_Off], market: Market) -> Iterator[str]:
    """Our discounts; the name of a voucher may be its code, which is not repeated."""
    for off in known:
        one, amount = off.discount, f"{from_minor(sum(off.nets.values()), market.currency)} {market.currency}"
        much = f"{one.percent} % ({amount})" if one.percent else amount
        often = (
            ""
            if off.every == _ONCE or not one.lasts_length
            else f" for {one.lasts_length} {one.lasts_unit}{'s' if one.lasts_length > 1 else ''}"
        )
        yield f"{'a voucher' if one.voucher else one.name} {much}{' once' if off.every == _ONCE else often}"
