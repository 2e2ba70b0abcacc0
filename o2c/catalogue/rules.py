"""Publishing offerings, and asking whether one can be ordered.

Source: TM Forum TMF620 Product Catalog Management API v4.1.0, resource ProductOffering.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from o2c.catalogue.events import OfferedDiscount, OfferingPrice, OfferingPublished
from o2c.catalogue.fields import Document, flag_at, folded, object_at, objects_at, one_line, text_at, unsupported, validity_at
from o2c.catalogue.prices import read_prices
from o2c.catalogue.state import CatalogueState, stage
from o2c.kernel.discounts import Discount, in_order
from o2c.kernel.periods import parse_time
from o2c.kernel.recurrence import LENGTH_MAX
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market

NEEDS = frozenset({"requires", "relieson", "dependency", "dependson"})
"""The words of the trade for a relationship that an offering cannot be sold without, in small letters without spaces and marks."""
CHARACTERISTICS, VALUES = "prodSpecCharValueUse", "productSpecCharacteristicValue"


def publish(
    state: CatalogueState, *, document: Mapping[str, Any], market: Market, on: date, specifications: Collection[str]
) -> list[OfferingPublished]:
    """Publish a TMF620 ProductOffering; nothing when it stands so already.

    Prices are net of tax, in minor units of the market's currency; a JSON number must have been read as text. `on` is the day whose tax
    rates the prices must agree with. `specifications` are the product specifications that some plan fulfils.

    Raises Refused, naming the field, when the offering has no id, a field of another shape than the standard's, a specification that no
    plan fulfils, a `commitmentMonths` or `instalments` that is no number, a validity that is no RFC 3339 time with a zone, a characteristic
    by range or pattern, a needed offering that is not named, is the offering itself or is needed for a part of its validity only, and for
    every price that is not understood (`read_prices`). What a bundle's own price means for its parts is told at `orders.pricing.priced`.
    """
    offering = document.get("id")
    if not isinstance(offering, str) or not offering:
        raise Refused("catalogue: an offering without id; give it one")
    of = f"offering {one_line(offering)}"
    valid_from, valid_to = validity_at(of, document, "validFor")
    choices = {choice.name: choice for choice in _choices(of, document)}
    event = OfferingPublished(
        offering=offering,
        version=text_at(of, document, "version") or "1.0",
        specification=text_at(of, object_at(of, document, "productSpecification"), "productSpecification.id"),
        status=text_at(of, document, "lifecycleStatus") or "Active",
        bundle=flag_at(of, document, "isBundle", default=False),
        sellable=flag_at(of, document, "isSellable", default=True),
        valid_from=valid_from,
        valid_to=valid_to,
        market=market.code,
        currency=market.currency,
        prices=read_prices(offering, document, market, on),
        characteristics={name: choice.values for name, choice in choices.items()},
        optional=tuple(name for name, choice in choices.items() if choice.optional),
        defaults={name: choice.default for name, choice in choices.items() if choice.default},
        requires=tuple(dict.fromkeys(_needed(of, document, (valid_from, valid_to)))),
    )
    _refuse_what_cannot_be_sold(of, event, specifications)
    return [] if _stands(state, event) else [event]


def _stands(state: CatalogueState, event: OfferingPublished) -> bool:
    """Whether it was published so already, or says of a version that it is sold no more of which another has taken the place."""
    counts, draft = state.offerings.get(event.offering), state.drafts.get(event.offering)
    if event in (counts, draft):
        return True
    over = stage(event) == "retired" and event.version in state.replaced.get(event.offering, ())
    return over and (draft is None or draft.version != event.version)


def _refuse_what_cannot_be_sold(of: str, event: OfferingPublished, specifications: Collection[str]) -> None:
    if event.bundle and any(price.usage or price.allowance for price in event.prices):
        raise Refused(f"catalogue: bundle {one_line(event.offering)} has a price of usage or includes units; price its children")
    if not event.bundle and event.specification not in specifications:
        raise Refused(f"catalogue: {of} has specification {event.specification}, which no plan fulfils; add it to the plan first")
    if any(not months.isdecimal() or int(months) > LENGTH_MAX for months in event.characteristics.get("commitmentMonths", ())):
        raise Refused(f"catalogue: {of} has a commitmentMonths that is no number of months up to {LENGTH_MAX}; correct it")
    if any(not count.isdecimal() or not 1 <= int(count) <= LENGTH_MAX for count in event.characteristics.get("instalments", ())):
        raise Refused(f"catalogue: {of} has an instalments that is no number from 1 to {LENGTH_MAX}; correct it")
    if event.offering in event.requires:
        raise Refused(f"catalogue: {of} requires itself; name the offering that it needs")


def _needed(of: str, document: Document, sold: tuple[str, str]) -> Iterator[str]:
    """The offerings of which one is needed; relationships of other types say nothing about whether an order is whole."""
    for path, related in objects_at(of, document, "productOfferingRelationship"):
        if folded(text_at(of, related, f"{path}.relationshipType")) not in NEEDS:
            continue
        if not _covers(validity_at(of, related, f"{path}.validFor"), sold):
            raise unsupported(of, f"{path}.validFor", "is a part of the offering's, which is not supported: load it when it begins or ends")
        needed = text_at(of, related, f"{path}.id")
        if not needed:
            raise unsupported(of, f"{path}.id", "is missing; name the offering that is needed")
        yield needed


def _covers(period: tuple[str, str], sold: tuple[str, str]) -> bool:
    """Whether a period holds for as long as the offering is sold."""
    begun = not period[0] or bool(sold[0] and parse_time(period[0]) <= parse_time(sold[0]))
    return begun and (not period[1] or bool(sold[1] and parse_time(period[1]) >= parse_time(sold[1])))


@dataclass(frozen=True, slots=True)
class _Choice:
    """A characteristic of an offering: the values an order may choose from, and what holds when it chooses none."""

    name: str
    values: tuple[str, ...]
    optional: bool
    default: str


def _choices(of: str, document: Document) -> Iterator[_Choice]:
    for path, use in objects_at(of, document, CHARACTERISTICS):
        name = text_at(of, use, f"{path}.name")
        if not name:
            raise unsupported(of, f"{path}.name", "is missing; name the characteristic")
        values, defaults = [], []
        for place, value in objects_at(of, use, f"{path}.{VALUES}"):
            values.append(_discrete(of, value, place))
            if flag_at(of, value, f"{place}.isDefault", default=False):
                defaults.append(values[-1])
        if len(defaults) > 1:
            raise unsupported(of, f"{path}.{VALUES}", "has several values with isDefault; one is the default")
        optional = text_at(of, use, f"{path}.minCardinality") == "0"
        yield _Choice(name, tuple(values), optional, next(iter(defaults), ""))


def _discrete(of: str, value: Document, path: str) -> str:
    for name in ("valueFrom", "valueTo", "regex", "rangeInterval"):
        if value.get(name) is not None:
            raise unsupported(of, f"{path}.{name}", "is not supported: list the single values, each as value")
    if isinstance(value.get("value"), bool):
        return "true" if value["value"] else "false"
    text = text_at(of, value, f"{path}.value")
    if not text:
        raise unsupported(of, f"{path}.value", "is missing; give the value")
    return text


def unorderable(state: CatalogueState, *, offering: str, at: datetime, alone: bool) -> str:
    """Say why an offering cannot be ordered at a time; empty when it can. `alone`: it is not part of a bundle in the order.

    The end of a validity is excluded. Source: TMF620 user guide, life cycle of catalogue elements; ProductOffering.isSellable;
    ProductOfferingPrice.validFor.
    """
    candidate = state.offerings.get(offering)
    if candidate is None:
        return "is unknown"
    if stage(candidate) != "active":
        return (
            "is retired" if candidate.status.casefold() in ("retired", "obsolete") else f"is not on sale: its state is {candidate.status}"
        )
    if candidate.valid_from and at < parse_time(candidate.valid_from):
        return f"is not yet valid: it is sold from {candidate.valid_from}"
    if candidate.valid_to and at >= parse_time(candidate.valid_to):
        return f"is not valid any more: it was sold until {candidate.valid_to}"
    if alone and not candidate.sellable:
        return "is not sold alone (isSellable false); order it within a bundle"
    if any(price.kind == "recurring" for price in candidate.prices) and price_at(candidate, "recurring", at) is None:
        return "has no recurring price that is valid on the day of the order"
    return ""


def price_at(offering: OfferingPublished, kind: str, at: datetime) -> OfferingPrice | None:
    """Give the price of a kind (recurring, one-time) that holds for an order taken at a time, None when there is none."""
    return next((price for price in offering.prices if price.kind == kind and _holds(price, at)), None)


def discounts_at(price: OfferingPrice, at: datetime) -> tuple[Discount, ...]:
    """Give the discounts of a price that an order taken at a time has, in the order in which they count."""
    return tuple(
        in_order([each.discount for each in price.discounts if _holds(each, at)], "one-time" if price.kind == "one-time" else "recurring")
    )


def in_force(offering: OfferingPublished, on: datetime) -> OfferingPublished:
    """Give an offering as it is on sale at a time, for orders of whatever time: validities that hold then bound it no more, prices that do
    not hold then are left out."""
    always = {"valid_from": "", "valid_to": ""}
    prices = [
        each.model_copy(update={**always, "discounts": tuple(one.model_copy(update=always) for one in each.discounts if _holds(one, on))})
        for each in offering.prices
        if _holds(each, on)
    ]
    begun = not offering.valid_from or parse_time(offering.valid_from) <= on
    bounds = always if begun and not (offering.valid_to and parse_time(offering.valid_to) <= on) else {}
    return offering.model_copy(update={"prices": tuple(prices), **bounds})


def _holds(price: OfferingPrice | OfferedDiscount, at: datetime) -> bool:
    begun = not price.valid_from or at >= parse_time(price.valid_from)
    return begun and (not price.valid_to or at < parse_time(price.valid_to))
