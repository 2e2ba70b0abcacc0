"""Reading what an offering says of usage: its usage prices, and the units that it includes.

The standard has `priceType` usage, `unitOfMeasure` and `prodSpecCharValueUse`; how an amount follows from a quantity stands in
`pricingLogicAlgorithm`, whose fields it leaves open: here they are those of `o2c.rating.models`, with its `kind`. Without one, every unit
costs the `dutyFreeAmount`.
Source: TM Forum TMF620 Product Catalog Management API v4.1.0, ProductOfferingPrice and PricingLogicAlgorithm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from o2c.catalogue.fields import Document, folded, object_at, objects_at, refuse_others, text_at
from o2c.markets.base import Market
from o2c.rating.models import ChargeModel
from o2c.rating.tariff import KINDS as USAGE_KINDS
from o2c.rating.tariff import Allowance, UsagePrice

Read = TypeVar("Read", UsagePrice, Allowance)
Refuse = Callable[[str, str], Exception]
MEASURE, LOGIC, CHOICES = "unitOfMeasure", "pricingLogicAlgorithm", "prodSpecCharValueUse"
_WORDS = {"usagetype": "usage", "zone": "zones", "timeband": "bands", "increment": "increment", "prepaid": "prepaid"}
_YES_OR_NO = frozenset({"true", "false"})
_SAYS_NOTHING = frozenset({"id", "href", "name", "description", "plaSpecId", "@type", "@baseType", "@schemaLocation"})
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_MODEL: TypeAdapter[ChargeModel] = TypeAdapter(ChargeModel)


def read_usage_price(of: str, path: str, document: Document, market: Market, refused: Refuse) -> UsagePrice:
    """Give a usage price. Raises what `refused` makes of a field and a reason, for whatever is not understood."""
    amount, unit = _measure(of, path, document, refused)
    chosen = _chosen(of, path, document, market, refused)
    if len(chosen["usage"]) != 1 or amount != "1":
        raise refused(
            CHOICES if amount == "1" else f"{MEASURE}.amount",
            "names no usageType" if amount == "1" else "is not 1; packages say so in their model",
        )
    body: dict[str, Any] = {
        "name": _name(document),
        "usage": chosen["usage"][0],
        "unit": unit,
        "zones": chosen["zones"],
        "bands": chosen["bands"],
    }
    body["prepaid"] = chosen["prepaid"] == ["true"]
    increment = next(iter(chosen["increment"]), None)
    logic = _logic(of, path, document, refused)
    model = logic or {"kind": "per-unit", "unit_amount": _amount(of, path, document, market, refused)}
    return _valid(lambda: UsagePrice.model_validate({**body, "increment": increment, "model": _MODEL.validate_python(model)}), refused)


def read_allowance(of: str, path: str, document: Document, market: Market, refused: Refuse) -> Allowance:
    """Give included units. Raises what `refused` makes of a field and a reason, for whatever is not understood."""
    amount, unit = _measure(of, path, document, refused)
    chosen = _chosen(of, path, document, market, refused)
    if chosen["bands"] or chosen["increment"] or chosen["prepaid"] or not chosen["usage"]:
        raise refused(CHOICES, "of included units names usageType, and zone where it is for some only")
    logic = {name: value for name, value in _logic(of, path, document, refused).items() if name != "kind"}
    body = {"name": _name(document), "usage": chosen["usage"], "zones": chosen["zones"], "unit": unit, "quantity": amount}
    return _valid(lambda: Allowance.model_validate({**logic, **body}), refused)


def _valid(make: Callable[[], Read], refused: Refuse) -> Read:
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise refused(LOGIC, f"cannot be read: {where}: {first['msg']}") from None


def _name(document: Document) -> str:
    return " ".join(str(document.get("name") or document.get("id") or "usage").split())[:60]


def _measure(of: str, path: str, document: Document, refused: Refuse) -> tuple[str, str]:
    measure = object_at(of, document, f"{path}.{MEASURE}")
    amount, unit = text_at(of, measure, f"{path}.{MEASURE}.amount") or "1", text_at(of, measure, f"{path}.{MEASURE}.units")
    if not unit:
        raise refused(f"{MEASURE}.units", "is missing; say in what it is counted, as in second, MB or message")
    if _DECIMAL.fullmatch(amount) is None:
        raise refused(f"{MEASURE}.amount", f"{amount[:40]!r} is no number")
    return (re.sub(r"\.0*$", "", amount), unit)


def _chosen(of: str, path: str, document: Document, market: Market, refused: Refuse) -> dict[str, list[str]]:
    """The usage types, zones, bands and increment that a price names, and whether it is prepaid."""
    found: dict[str, list[str]] = {name: [] for name in _WORDS.values()}
    for place, use in objects_at(of, document, f"{path}.{CHOICES}"):
        word = _WORDS.get(folded(text_at(of, use, f"{place}.name")))
        if word is None:
            raise refused(
                CHOICES,
                f"names {text_at(of, use, f'{place}.name')[:40]!r}; a price of usage has usageType, zone, timeBand, increment and prepaid",
            )
        values = objects_at(of, use, f"{place}.productSpecCharacteristicValue")
        found[word] += [text_at(of, value, f"{spot}.value") for spot, value in values]
    known = {"usage": USAGE_KINDS, "zones": market.usage.zone_names, "bands": market.usage.band_names, "prepaid": _YES_OR_NO}
    for word, names in known.items():
        if strange := next((value for value in found[word] if value not in names), None):
            raise refused(CHOICES, f"names {strange[:40]!r}, which is none of {', '.join(sorted(names))}")
    return found


def _logic(of: str, path: str, document: Document, refused: Refuse) -> dict[str, Any]:
    found = [logic for _, logic in objects_at(of, document, f"{path}.{LOGIC}")]
    if len(found) > 1:
        raise refused(LOGIC, "has several entries; one is supported")
    return {name: value for name, value in (found[0] if found else {}).items() if name not in _SAYS_NOTHING}


def _amount(of: str, path: str, document: Document, market: Market, refused: Refuse) -> str:
    """The amount of one unit, which may have more places than the currency has."""
    value: Mapping[str, Any] = object_at(of, document, f"{path}.price")
    money = object_at(of, value, f"{path}.price.dutyFreeAmount")
    refuse_others(of, money, f"{path}.price.dutyFreeAmount", {"unit", "value"}, "is not supported")
    unit, amount = (text_at(of, money, f"{path}.price.dutyFreeAmount.{name}") for name in ("unit", "value"))
    if unit != market.currency:
        raise refused("price.dutyFreeAmount.unit", f"is {unit[:40]!r}; the market's currency is {market.currency}")
    if _DECIMAL.fullmatch(amount) is None:
        raise refused("price.dutyFreeAmount.value", f"{amount[:40]!r} is not a decimal amount")
    return amount
