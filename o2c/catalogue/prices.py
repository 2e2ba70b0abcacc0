"""Reading the prices of a TMF620 offering. Whatever a price says about how it applies is understood, or refused by name.

Source: TM Forum TMF620 Product Catalog Management API v4.1.0, ProductOfferingPriceRefOrValue and ProductPriceValue.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import combinations
from typing import Literal

from o2c.catalogue.alterations import FIELD as ALTERATIONS
from o2c.catalogue.alterations import read_discounts
from o2c.catalogue.events import OfferingPrice
from o2c.catalogue.fields import (
    Document,
    flag_at,
    folded,
    object_at,
    objects_at,
    one_line,
    refuse_others,
    text_at,
    unsupported,
    validity_at,
)
from o2c.catalogue.usage_prices import read_allowance, read_usage_price
from o2c.kernel.money import tax_on, to_minor
from o2c.kernel.periods import parse_time
from o2c.kernel.recurrence import LENGTH_MAX, UNITS
from o2c.markets.base import Market, tax_group, tax_percent
from o2c.rating.tariff import alike

PRICES = "productOfferingPrice"
SAYS_NOTHING_OF_MONEY = frozenset(
    {"id", "href", "name", "description", "lastUpdate", "version", "@type", "@baseType", "@schemaLocation", "@referredType"}
)
OF_A_PRICE = SAYS_NOTHING_OF_MONEY | {
    *("priceType", "price", "tax", "validFor", "lifecycleStatus", "isBundle"),
    *("recurringChargePeriod", "recurringChargePeriodType", "recurringChargePeriodLength"),
}
OF_A_VALUE = SAYS_NOTHING_OF_MONEY | {"dutyFreeAmount", "taxIncludedAmount", "taxCategory", "taxRate", "percentage"}
OF_USAGE = frozenset({"unitOfMeasure", "pricingLogicAlgorithm", "prodSpecCharValueUse"})
"""Fields that a price of usage has beside those of any."""
NOT_YET = "is not supported; it would change what is charged"
KINDS: dict[str, Literal["recurring", "one-time", "usage", "allowance"]] = {
    "recurring": "recurring",
    "usage": "usage",
    "allowance": "allowance",
    **dict.fromkeys(("onetime", "onetimefee", "onetimecharge", "nonrecurring"), "one-time"),
}
"""The words of the trade for the types of price, in small letters without spaces and marks."""
PERIODS = {word: (unit, 1) for unit in UNITS for word in (unit, f"{unit}s", f"{unit}ly")} | {
    **dict.fromkeys(("quarter", "quarters", "quarterly"), ("month", 3)),
    **dict.fromkeys(("annual", "annually"), ("year", 1)),
    "daily": ("day", 1),
}
"""The words of the trade for periods, as (unit, how many)."""
ON_SALE = frozenset({"", "active", "launched"})


@dataclass(frozen=True, slots=True)
class _Reader:
    """One price of an offering as it is read: whose it is, its fields, the market, and the day on which it is read."""

    of: str
    path: str
    document: Document
    market: Market
    on: date

    def refused(self, field: str, why: str) -> Exception:
        return unsupported(self.of, f"{self.path}.{field}", why)

    def text(self, field: str) -> str:
        return text_at(self.of, self.document, f"{self.path}.{field}")


def read_prices(offering: str, document: Document, market: Market, on: date) -> tuple[OfferingPrice, ...]:
    """Give the prices of an offering, net of tax, in minor units of the market's currency.

    Raises Refused, with the offering, the price and the field, for whatever is not understood or not supported, and for two prices of one
    type that hold at one time.
    """
    prices, names = [], []
    for path, price in objects_at(f"offering {offering}", document, PRICES):
        name = next((one_line(price[key]) for key in ("id", "name") if isinstance(price.get(key), str) and price[key]), path)
        names.append(name)
        prices.append(_read(_Reader(f"offering {offering}, price {name}", PRICES, price, market, on)))
    _refuse_overlap(offering, names, prices)
    return tuple(prices)


def _read(price: _Reader) -> OfferingPrice:
    _refuse_reference(price)
    kind = _kind(price)
    of_its_kind = OF_A_PRICE | ({ALTERATIONS} if kind in ("recurring", "one-time") else OF_USAGE)
    refuse_others(price.of, price.document, PRICES, of_its_kind, NOT_YET)
    if flag_at(price.of, price.document, f"{PRICES}.isBundle", default=False):
        raise price.refused("isBundle", "is not supported: give the prices of the bundle one by one")
    if price.text("lifecycleStatus").casefold() not in ON_SALE:
        raise price.refused("lifecycleStatus", f"is {price.text('lifecycleStatus')[:40]!r}: leave a price that is not in force out")
    unit, length = _period(price, kind)
    valid_from, valid_to = validity_at(price.of, price.document, f"{PRICES}.validFor")
    if kind == "usage" or kind == "allowance":
        return _of_usage(price, kind, (valid_from, valid_to))
    amount_minor, group = _amount(price)
    discounts = read_discounts(
        price.of,
        price.document,
        PRICES,
        kind=kind,
        period=(unit, length),
        period_of=PERIODS.get,
        kind_of=KINDS.get,
        money=partial(_net, price),
    )
    return OfferingPrice(
        kind=kind,
        amount_minor=amount_minor,
        period_unit=unit,
        period_length=length,
        tax_group=group,
        valid_from=valid_from,
        valid_to=valid_to,
        discounts=discounts,
    )


def _of_usage(price: _Reader, kind: Literal["usage", "allowance"], valid: tuple[str, str]) -> OfferingPrice:
    terms = {"kind": kind, "amount_minor": 0, "valid_from": valid[0], "valid_to": valid[1]}
    if kind == "allowance":
        read = read_allowance(price.of, PRICES, price.document, price.market, price.refused)
        return OfferingPrice.model_validate({**terms, "allowance": read})
    value = object_at(price.of, price.document, f"{PRICES}.price")
    refuse_others(price.of, value, f"{PRICES}.price", OF_A_VALUE - {"taxIncludedAmount", "percentage"}, NOT_YET)
    usage = read_usage_price(price.of, PRICES, price.document, price.market, price.refused)
    return OfferingPrice.model_validate({**terms, "tax_group": _tax_group(price, value), "usage": usage})


def _refuse_reference(price: _Reader) -> None:
    if price.document.get("price") is None and not OF_USAGE & price.document.keys():
        if price.document.get("priceType") is None:
            field = "href" if price.document.get("href") else "id"
            raise price.refused(field, "refers to a price elsewhere, which is not supported: give priceType and price with the offering")
        raise price.refused("price", "is missing; give its dutyFreeAmount")


def _kind(price: _Reader) -> Literal["recurring", "one-time", "usage", "allowance"]:
    told = price.text("priceType")
    kind = KINDS.get(folded(told))
    if kind is None:
        raise price.refused("priceType", f"{told[:40]!r} is not supported; use recurring, oneTime, usage or allowance")
    return kind


def _period(price: _Reader, kind: str) -> tuple[str, int]:
    """The period as (unit, length). TMF620 says that the length is zero where there is none."""
    names = [name for name in ("recurringChargePeriod", "recurringChargePeriodType") if price.text(name)]
    told = {folded(price.text(name)) for name in names}
    length = price.text("recurringChargePeriodLength")
    if kind != "recurring":
        if names or length not in ("", "0"):
            raise price.refused(
                [*names, "recurringChargePeriodLength"][0], "is on a price that is charged once; say which of the two it is"
            )
        return "month", 1
    if len(told) != 1 or not told <= PERIODS.keys():
        why = f"{price.text(names[-1])[:40]!r} is not known" if names else "is missing from a recurring price"
        raise price.refused(names[-1] if names else "recurringChargePeriod", f"{why}; use day, week, month, quarter or year")
    unit, times = PERIODS[told.pop()]
    # Some writers give every number a fraction.
    whole = re.fullmatch(r"(0*[1-9][0-9]{0,3})(\.0+)?", length or "1")
    if whole is None or int(whole[1]) * times > LENGTH_MAX:
        raise price.refused("recurringChargePeriodLength", f"{length[:40]!r} is no number of periods from 1 to {LENGTH_MAX // times}")
    return unit, int(whole[1]) * times


def _amount(price: _Reader) -> tuple[int, str]:
    """The net amount in minor units, and its tax group."""
    path = f"{PRICES}.price"
    value = object_at(price.of, price.document, path)
    refuse_others(price.of, value, path, OF_A_VALUE, NOT_YET)
    if text_at(price.of, value, f"{path}.percentage") not in ("", "0", "0.0"):
        raise price.refused("price.percentage", NOT_YET)
    if value.get("dutyFreeAmount") is None:
        raise price.refused("price.dutyFreeAmount", "is missing; prices are taken net of tax")
    net_minor, group = _money(price, value, "dutyFreeAmount"), _tax_group(price, value)
    if value.get("taxIncludedAmount") is not None:
        gross_minor = net_minor + tax_on(net_minor, tax_percent(price.market, group, price.on))
        if _money(price, value, "taxIncludedAmount") != gross_minor:
            raise price.refused("price.taxIncludedAmount", f"is not dutyFreeAmount and the market's tax on it ({gross_minor} minor units)")
    return net_minor, group


def _money(price: _Reader, value: Document, field: str) -> int:
    return _net(price, value, f"{PRICES}.price.{field}")


def _net(price: _Reader, value: Document, path: str) -> int:
    """The amount of a field in minor units; `path` is where it stands in the offering."""
    money = object_at(price.of, value, path)
    refuse_others(price.of, money, path, SAYS_NOTHING_OF_MONEY | {"unit", "value"}, NOT_YET)
    field = path.partition(".")[2]
    currency = text_at(price.of, money, f"{path}.unit")
    if currency != price.market.currency:
        raise price.refused(f"{field}.unit", f"is {currency[:40]!r}; the market's currency is {price.market.currency}")
    amount = text_at(price.of, money, f"{path}.value")
    try:
        minor = to_minor(padded(amount), currency)
    except ValueError as error:
        raise price.refused(f"{field}.value", str(error)) from None
    if minor < 0:
        raise price.refused(f"{field}.value", "is below zero; give a discount as priceAlteration")
    return minor


def padded(text: str) -> str:
    """`10.0` and `29.9` are how JSON writers print 10.00 and 29.90; trailing zeros carry no meaning."""
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text.lower() else text


def _tax_group(price: _Reader, value: Document) -> str:
    """The tax group that the price's category or rate means, `standard` where it names neither."""
    stated = [(f"{PRICES}.price", value)]
    for path, item in objects_at(price.of, price.document, f"{PRICES}.tax"):
        refuse_others(price.of, item, path, SAYS_NOTHING_OF_MONEY | {"taxCategory", "taxRate"}, NOT_YET)
        stated.append((path, item))
    groups = {_stated_group(price, path, each) for path, each in stated} - {""}
    if len(groups) > 1:
        raise price.refused("tax", f"names several taxes ({', '.join(sorted(groups))}); one is supported")
    return groups.pop() if groups else "standard"


def _stated_group(price: _Reader, path: str, stated: Document) -> str:
    category, rate = (text_at(price.of, stated, f"{path}.{name}") for name in ("taxCategory", "taxRate"))
    group = tax_group(price.market, category) if category else ""
    if group is None:
        raise unsupported(price.of, f"{path}.taxCategory", f"{category[:40]!r} is no tax category of market {price.market.code}")
    if not rate:
        return group
    known = {each.group for each in price.market.tax_rates if each.valid_from <= price.on}
    fitting = [name for name in sorted(known) if tax_percent(price.market, name, price.on) == _percent(rate)]
    if group not in ("", *fitting) or not fitting:
        raise unsupported(price.of, f"{path}.taxRate", f"{rate[:40]} % is not the rate of market {price.market.code} for it")
    return group or fitting[0]


def _percent(rate: str) -> Decimal | None:
    return Decimal(rate) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", rate) else None


def _refuse_overlap(offering: str, names: Sequence[str], prices: Sequence[OfferingPrice]) -> None:
    for (one, first), (other, second) in combinations(zip(names, prices, strict=True), 2):
        if _alike(first, second) and _starts_before_end(first, second) and _starts_before_end(second, first):
            both = f"{one} and {other}"
            raise unsupported(f"offering {offering}, prices {both}", f"{PRICES}.validFor", f"lets two {first.kind} prices hold at one time")


def _alike(one: OfferingPrice, other: OfferingPrice) -> bool:
    """Whether two prices are of one type, and of usage both would fit some record equally; included units may stand beside others."""
    if one.usage is not None and other.usage is not None:
        return alike(one.usage, other.usage)
    return one.kind == other.kind != "allowance"


def _starts_before_end(one: OfferingPrice, other: OfferingPrice) -> bool:
    return not one.valid_from or not other.valid_to or parse_time(one.valid_from) < parse_time(other.valid_to)
