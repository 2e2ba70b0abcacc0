"""Publishing offerings, and asking whether one can be ordered.

Source: TM Forum TMF620 Product Catalog Management API v4.1.0, resource ProductOffering.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.state import CatalogueState
from o2c.kernel.money import to_minor
from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused


def publish(
    state: CatalogueState, *, document: Mapping[str, Any], market: str, currency: str, specifications: Collection[str]
) -> list[OfferingPublished]:
    """Publish a TMF620 ProductOffering; nothing when it stands so already.

    Prices are read from text, net of tax, into minor units of the currency; a JSON number must have been read as text. `specifications` are
    the product specifications that some plan fulfils.

    Raises Refused when the offering has no id, a specification that no plan fulfils, a `commitmentMonths` that is no number, a validity
    that is no RFC 3339 time with a zone, a bundle with a price of its own (its children carry the prices), a price that is no amount of the
    currency, or two prices of one type.
    """
    offering = document.get("id")
    if not isinstance(offering, str) or not offering:
        raise Refused("catalogue: an offering without id; give it one")
    valid = document.get("validFor") or {}
    prices = _prices(offering, document.get("productOfferingPrice") or [], currency)
    event = OfferingPublished(
        offering=offering,
        version=str(document.get("version", "1.0")),
        specification=str((document.get("productSpecification") or {}).get("id", "")),
        status=str(document.get("lifecycleStatus", "Active")),
        bundle=document.get("isBundle") is True,
        valid_from=_time(offering, valid.get("startDateTime")),
        valid_to=_time(offering, valid.get("endDateTime")),
        market=market,
        currency=currency,
        recurring_minor=prices.get("recurring", 0),
        one_time_minor=prices.get("oneTime", 0),
        characteristics={
            str(use["name"]): tuple(str(value["value"]) for value in use.get("productSpecCharacteristicValue", []))
            for use in document.get("prodSpecCharValueUse") or []
        },
    )
    if not event.bundle and event.specification not in specifications:
        raise Refused(
            f"catalogue: offering {offering} has specification {event.specification}, which no plan fulfils; add it to the plan first"
        )
    if any(not months.isdecimal() for months in event.characteristics.get("commitmentMonths", ())):
        raise Refused(f"catalogue: offering {offering} has a commitmentMonths that is no number of months; correct it")
    if event.bundle and prices:
        raise Refused(f"catalogue: bundle {offering} has a price of its own; price its children")
    return [] if state.offerings.get(offering) == event else [event]


def _time(offering: str, value: Any) -> str:
    text = "" if value is None else str(value)
    try:
        if text:
            parse_time(text)
    except ValueError:
        raise Refused(f"catalogue: offering {offering} has a validFor that is no time with a zone (RFC 3339); correct it") from None
    return text


def _prices(offering: str, prices: list[Mapping[str, Any]], currency: str) -> dict[str, int]:
    amounts_minor: dict[str, int] = {}
    for price in prices:
        amount = price["price"]["dutyFreeAmount"]
        kind = str(price["priceType"])
        if amount.get("unit") != currency or kind in amounts_minor:
            raise Refused(
                f"catalogue: offering {offering} has a price in {amount.get('unit')} or two {kind} prices; one in {currency} each"
            )
        try:
            amounts_minor[kind] = to_minor(_padded(str(amount["value"])), currency)
        except ValueError as error:
            raise Refused(f"catalogue: offering {offering}: {error}") from None
    return amounts_minor


def _padded(text: str) -> str:
    """`10.0` and `29.9` are how JSON writers print 10.00 and 29.90; trailing zeros carry no meaning."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def orderable(state: CatalogueState, *, offering: str, at: datetime) -> OfferingPublished | None:
    """Give the offering if it is active and valid at the time (the end of its validity excluded), else None."""
    candidate = state.offerings.get(offering)
    if candidate is None or candidate.status != "Active":
        return None
    if candidate.valid_from and at < parse_time(candidate.valid_from):
        return None
    return None if candidate.valid_to and at >= parse_time(candidate.valid_to) else candidate
