"""Reading the discounts of a TMF620 price: its `priceAlteration`. Whatever one says about how it applies is understood, or refused by name.

Source: TM Forum TMF620 Product Catalog Management API v4.1.0, POPAlteration: priceType, priority, price (an amount or a percentage),
applicationDuration, validFor. The standard has no word for the day on which one begins, nor for how several meet: `applicationStart`
(withCharge, nextBill, or a day) and `combination` (stackable, bestOf, exclusive) are ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from o2c.catalogue.events import OfferedDiscount
from o2c.catalogue.fields import Document, folded, object_at, objects_at, one_line, refuse_others, text_at, unsupported, validity_at
from o2c.kernel.discounts import Discount
from o2c.kernel.recurrence import LENGTH_MAX, UNITS

FIELD = "priceAlteration"
_SAYS_NOTHING = frozenset({"id", "href", "name", "description", "@type", "@baseType", "@schemaLocation"})
_KNOWN = _SAYS_NOTHING | {
    *("priceType", "priority", "price", "applicationDuration", "applicationStart", "combination", "validFor", "recurringChargePeriod"),
}
_NOT_YET = "is not supported; it would change what is charged"
_COMBINES: dict[str, Literal["stackable", "best-of", "exclusive"]] = {
    "": "stackable",
    "stackable": "stackable",
    "bestof": "best-of",
    "exclusive": "exclusive",
}
_PRIORITY_MAX = 1_000_000
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


def read_discounts(
    of: str, price: Document, path: str, *, kind: str, period: tuple[str, int], period_of: Callable[[str], tuple[str, int] | None],
    kind_of: Callable[[str], str | None], money: Callable[[Document, str], int],
) -> tuple[OfferedDiscount, ...]:  # fmt: skip
    """Give the discounts of a recurring or one-time price; `period` is the price's own, `period_of` and `kind_of` know the words of the
    trade, and `money` reads an amount. Raises Refused, naming the field, for whatever is not understood, and for two of one name."""
    found: list[OfferedDiscount] = []
    for place, alteration in objects_at(of, price, f"{path}.{FIELD}"):
        refuse_others(of, alteration, place, _KNOWN, _NOT_YET)
        name = one_line(text_at(of, alteration, f"{place}.name") or text_at(of, alteration, f"{place}.id"))
        if not name:
            raise unsupported(of, f"{place}.name", "is missing; name the discount, as bills name it")
        if name in {one.discount.name for one in found}:
            raise unsupported(of, f"{place}.name", f"{name!r} is the name of two discounts of one price")
        told = text_at(of, alteration, f"{place}.priceType")
        if kind_of(folded(told)) != kind:
            raise unsupported(of, f"{place}.priceType", f"{told[:40]!r} is not the type of the price that it lowers ({kind})")
        charged = text_at(of, alteration, f"{place}.recurringChargePeriod")
        if charged and (kind != "recurring" or period_of(folded(charged)) not in (period, (period[0], 1))):
            raise unsupported(of, f"{place}.recurringChargePeriod", "is another than the price's own")
        percent, amount_minor = _much(of, alteration, place, money)
        begins, from_day = _start(of, alteration, place, kind)
        valid_from, valid_to = validity_at(of, alteration, f"{place}.validFor")
        discount = Discount(
            name=name,
            of="recurring" if kind == "recurring" else "one-time",
            percent=percent,
            amount_minor=amount_minor,
            starts=begins,
            from_day=from_day,
            priority=_priority(of, alteration, place),
            combines=_combines(of, alteration, place),
            **_lasts(of, alteration, place, kind, period, period_of),
        )
        found.append(OfferedDiscount(discount=discount, valid_from=valid_from, valid_to=valid_to))
    return tuple(found)


def _much(of: str, alteration: Document, place: str, money: Callable[[Document, str], int]) -> tuple[str, int]:
    """The percentage as decimal text, or the amount."""
    value = object_at(of, alteration, f"{place}.price")
    refuse_others(
        of, value, f"{place}.price", _SAYS_NOTHING | {"percentage", "dutyFreeAmount"}, f"{_NOT_YET}: a discount is given net of tax"
    )
    percent = text_at(of, value, f"{place}.price.percentage")
    if percent and value.get("dutyFreeAmount") is not None:
        raise unsupported(of, f"{place}.price", "has a percentage and an amount; give one of them")
    if not percent:
        amount_minor = money(value, f"{place}.price.dutyFreeAmount")
        if not amount_minor:
            raise unsupported(of, f"{place}.price", "takes nothing off; give a percentage or a dutyFreeAmount above nothing")
        return "", amount_minor
    if not _PERCENT.fullmatch(percent) or not 0 < Decimal(percent) <= 100:
        raise unsupported(of, f"{place}.price.percentage", f"{percent[:40]!r} is no percentage above 0 and up to 100")
    return format(Decimal(percent).normalize(), "f"), 0


def _start(of: str, alteration: Document, place: str, kind: str) -> tuple[Literal["charge", "bill", "day"], str]:
    told = text_at(of, alteration, f"{place}.applicationStart")
    word = folded(told)
    if word in ("", "withcharge"):
        return "charge", ""
    if kind != "recurring":
        raise unsupported(of, f"{place}.applicationStart", "is on a price that is charged once; leave it out")
    if word == "nextbill":
        return "bill", ""
    try:
        return "day", date.fromisoformat(told).isoformat()
    except ValueError:
        raise unsupported(
            of, f"{place}.applicationStart", f"{told[:40]!r} is not known; use withCharge, nextBill or a day (2026-01-31)"
        ) from None


def _priority(of: str, alteration: Document, place: str) -> int:
    told = text_at(of, alteration, f"{place}.priority") or "0"
    if not told.isdecimal() or int(told) > _PRIORITY_MAX:
        raise unsupported(of, f"{place}.priority", f"{told[:40]!r} is no whole number from 0 to {_PRIORITY_MAX:,}")
    return int(told)


def _combines(of: str, alteration: Document, place: str) -> Literal["stackable", "best-of", "exclusive"]:
    told = text_at(of, alteration, f"{place}.combination")
    if folded(told) not in _COMBINES:
        raise unsupported(of, f"{place}.combination", f"{told[:40]!r} is not known; use stackable, bestOf or exclusive")
    return _COMBINES[folded(told)]


def _lasts(
    of: str, alteration: Document, place: str, kind: str, period: tuple[str, int], period_of: Callable[[str], tuple[str, int] | None]
) -> dict[str, Any]:
    """How long it holds: `{amount, units}`, or a number of the price's own periods as TMF622 has it. Nothing: for good."""
    told = alteration.get("applicationDuration")
    if told is None:
        return {}
    if kind != "recurring":
        raise unsupported(of, f"{place}.applicationDuration", "is on a price that is charged once; leave it out")
    if isinstance(told, dict):
        duration = object_at(of, alteration, f"{place}.applicationDuration")
        refuse_others(of, duration, f"{place}.applicationDuration", _SAYS_NOTHING | {"amount", "units"}, _NOT_YET)
        amount = text_at(of, duration, f"{place}.applicationDuration.amount")
        unit = period_of(folded(text_at(of, duration, f"{place}.applicationDuration.units")))
    else:
        amount, unit = text_at(of, alteration, f"{place}.applicationDuration"), period
    if unit is None or unit[0] not in UNITS or not amount.isdecimal() or not 1 <= int(amount) * unit[1] <= LENGTH_MAX:
        raise unsupported(of, f"{place}.applicationDuration", f"is no number of days, weeks, months or years from 1 to {LENGTH_MAX}")
    return {"lasts_unit": unit[0], "lasts_length": int(amount) * unit[1]}
