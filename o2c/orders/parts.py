"""The parts of a product order in the shapes that programs give them: TMF622 v4, v5 and the drafts of v5 between them.

Source: TM Forum TMF622 Product Ordering API REST specification v4.0.0 and v5.0.0, resource ProductOrder.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from o2c.kernel.frozen import changed
from o2c.orders.event_parts import SentAlteration, SentPrice
from o2c.orders.places import place_of
from o2c.orders.wish import Line

Document = Mapping[str, Any]
IDENTIFIERS = ("externalIdentifier", "externalId")
NAMING = (*IDENTIFIERS, "productOrderItem", "orderDate")
"""A paper with none of these is no product order."""
_PAYING = frozenset({"customer", "individual", "organization", "organisation"})
"""The types of a party that may be the customer where its role is not said."""
_TAKING = frozenset({"agent", "salesagent", "salesperson", "salesrepresentative", "seller", "dealer"})
"""The roles of a party that took the order down for the customer, as small letters alone."""
_TOLD = {"login": "login", "user": "login", "token": "token", "session": "token", "useragent": "client"}
"""The roles of a party by whose id a channel says who ordered where it knew no customer, as small letters alone."""
_PURCHASE_ORDER = frozenset({"purchaseorder", "purchaseordernumber", "ponumber", "po"})
"""The types of an identifier that is the customer's own number of an order, as small letters alone."""
_HOLDS = frozenset({"bundles", "haschild"})
_IS_HELD = frozenset({"bundledby", "hasparent"})
WHOLE_MAX = 10**15


class Fraction(str):
    """A JSON number written with a fraction or an exponent, kept to the letter: a float would round it."""


def text(value: Any) -> str:
    """Give a value as text; a whole number is the same however its program writes it (1 or 1.0), and what is no plain value is empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        number = Decimal(value)
        return str(int(number)) if abs(number) < WHOLE_MAX and number == number.to_integral_value() else str(value)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def named(value: Any) -> str:
    """Give the id that a reference names; empty for none."""
    return text(value.get("id")) if isinstance(value, dict) else ""


def objects(value: Any) -> list[dict[str, Any]]:
    """Give the objects of a list; nothing for what is no list."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def identity_of(document: Document) -> tuple[str, str]:
    """Give the owner that a paper names for its id, and the id; both are empty where it says nothing.

    v5 has a list of identifiers with their owners (`externalIdentifier`, in drafts `externalId`): the first with an owner counts. In v4 the
    id is text and its owner is not said.
    """
    for key in IDENTIFIERS:
        told = [each for each in objects(document.get(key)) if text(each.get("id"))]
        # A purchase order may stand for several orders: it is what an order is known by only where nothing else is said, as in the examples
        # of TMF622 v5.
        if known := [each for each in told if not _is_purchase_order(each)] or told:
            first = next((each for each in known if text(each.get("owner"))), known[0])
            return text(first.get("owner")), text(first.get("id"))
    return "", text(document.get("externalId")) or text(document.get("id"))


def purchase_order_of(document: Document) -> str:
    """Give the customer's own purchase order: the identifier of that type (v5), or the text that channels send with v4, which has no field
    for it.

    Source: TMF622 v5.0.0 ExternalIdentifier.externalIdentifierType.
    """
    known = (text(each.get("id")) for each in objects(document.get("externalIdentifier")) if _is_purchase_order(each))
    return next((one for one in known if one), "") or text(document.get("purchaseOrderNumber"))


def _is_purchase_order(identifier: Document) -> bool:
    return "".join(filter(str.isalpha, text(identifier.get("externalIdentifierType")).lower())) in _PURCHASE_ORDER


def customer_of(document: Document) -> str:
    """Give the id of the customer: the first party with that role, else the only party of a type that can be one and of no role.

    Several of no role are not chosen from. In v5 a party stands in `partyOrPartyRole`.
    """
    parties = [_party(each) for each in objects(document.get("relatedParty"))]
    if customer := next((party for role, party, _ in parties if role == "customer"), ""):
        return customer
    without_role = [party for role, party, kind in parties if not role and kind in _PAYING]
    return without_role[0] if len(without_role) == 1 else ""


def agent_of(document: Document) -> str:
    """Give the id of the first party that took the order down for the customer; empty for none, as where customers order by themselves.

    Source: TMF622 v4.0.0 RelatedParty.role, which is free text (its examples have "Seller").
    """
    parties = (_party(each) for each in objects(document.get("relatedParty")))
    return next((party for role, party, _ in parties if party and "".join(filter(str.isalpha, role)) in _TAKING), "")


def told_of(document: Document) -> dict[str, str]:
    """Give what a paper says of who ordered it, by what it is: `login`, `token` and `client` (what the program calls itself), and its notes
    (`note`), several in lines.

    Source: TMF622 v4.0.0 RelatedParty.role, which is free text; .note.
    """
    told = [("note", text(each.get("text"))) for each in objects(document.get("note"))]
    for role, party, _ in (_party(each) for each in objects(document.get("relatedParty"))):
        told.append((_TOLD.get("".join(filter(str.isalpha, role)), ""), party))
    return {name: "\n".join(said for of, said in told if of == name) for name, said in told if name and said}


def _party(related: Document) -> tuple[str, str, str]:
    """The role, id and type of a related party, role and type in lower case."""
    inner = related.get("partyOrPartyRole")
    party = inner if isinstance(inner, dict) else related
    kind = text(party.get("@referredType")) or text(party.get("@type"))
    return text(related.get("role")).lower(), text(party.get("id")), kind.lower()


def channel_of(document: Document) -> str:
    """Give the first channel; empty for none. In v5 it stands in a RelatedChannel."""
    for each in objects(document.get("channel")):
        inner = each.get("channel")
        channel = inner if isinstance(inner, dict) else each
        if found := text(channel.get("id")) or text(channel.get("name")):
            return found
    return ""


def lines_of(document: Document) -> tuple[Line, ...]:
    """Give the items of an order, bundles before what is nested in them; bundles told by relations equal nested ones."""
    items = list(_items(document.get("productOrderItem"), ""))
    return tuple(_bundled([_line(item, parent) for item, parent in items], [item for item, _ in items]))


def _items(items: Any, parent: str) -> Iterator[tuple[dict[str, Any], str]]:
    for item in objects(items):
        yield item, parent
        yield from _items(item.get("productOrderItem"), text(item.get("id")))


def _line(item: Document, parent: str) -> Line:
    product = item.get("product")
    product = product if isinstance(product, dict) else {}
    return Line(
        item=text(item.get("id")),
        parent=parent,
        action=text(item.get("action")),
        quantity=text(item.get("quantity", 1)) or "?",
        offering=named(item.get("productOffering")),
        product=text(product.get("id")),
        relies_on=tuple(other for kind, other in _relations(item) if kind == "relieson"),
        characteristics=_characteristics(product),
        place=place_of(objects(product.get("place"))),
        account=named(item.get("billingAccount")),
        requested_start=text(item.get("requestedStartDate")),
        requested_completion=text(item.get("requestedCompletionDate")),
        prices=(*prices_of(item, "itemPrice"), *prices_of(item, "itemTotalPrice")),
    )


def _characteristics(product: Document) -> dict[str, str]:
    """The characteristics by name. One that is sent twice with different values has all of them, which is none of what it may be: neither
    is left out in silence."""
    found = dict[str, dict[str, None]]()
    for each in objects(product.get("productCharacteristic")):
        found.setdefault(text(each.get("name")), {})[text(each.get("value"))] = None
    return {name: ", ".join(values) for name, values in found.items()}


def prices_of(document: Document, field: str) -> tuple[SentPrice, ...]:
    """Give the prices that stand in a field of an order or an item; those without an amount and without a discount are none.

    Source: TMF622 v4.0.0 and v5.0.0, OrderPrice, PriceAlteration and Price.
    """
    if field not in document:
        return ()
    found = (_price(each, field) for each in objects(document[field]))
    return tuple(price for price in found if price.net or price.gross or price.alterations)


def _price(sent: Document, field: str) -> SentPrice:
    altered = (_alteration(each) for each in objects(sent.get("priceAlteration")))
    return SentPrice(
        field=field,
        kind=text(sent.get("priceType")),
        period=text(sent.get("recurringChargePeriod")),
        **_amounts(_inner(sent, "price")),
        alterations=tuple(one for one in altered if one.percent or one.net or one.gross),
    )


def _alteration(sent: Document) -> SentAlteration:
    """A discount; how long it lasts is a number of periods in TMF622, and a duration in drafts of v5 and in catalogues (TMF620)."""
    price, lasts, duration = _inner(sent, "price"), sent.get("applicationDuration"), _inner(sent, "applicationDuration")
    return SentAlteration(
        kind=text(sent.get("priceType")),
        period=text(duration.get("units")) or text(sent.get("recurringChargePeriod")),
        lasts=text(duration.get("amount") if duration else lasts),
        percent=text(price.get("percentage")),
        **_amounts(price),
    )


def _inner(of: Document, name: str) -> Document:
    return inner if isinstance(inner := of.get(name), dict) else {}


def _amounts(price: Document) -> dict[str, str]:
    """The amounts of a price without tax and with it, and their currency."""
    net, gross = (_inner(price, name) for name in ("dutyFreeAmount", "taxIncludedAmount"))
    return {"net": text(net.get("value")), "gross": text(gross.get("value")), "unit": text(net.get("unit")) or text(gross.get("unit"))}


def _relations(item: Document) -> Iterator[tuple[str, str]]:
    """The relations of an item to others: type in lower case, and the other's id."""
    for relation in objects(item.get("productOrderItemRelationship")):
        yield text(relation.get("relationshipType")).lower(), text(relation.get("id"))


def _bundled(lines: list[Line], items: list[dict[str, Any]]) -> Iterator[Line]:
    """The lines with the parents that relations give them.

    A line keeps the bundle it is nested in, and one that two bundles claim is in neither: the bundle that misses it is judged. A relation
    to what is not in the order stays as something the line relies on, where that is judged.
    """
    known = {line.item for line in lines}
    parents: dict[str, dict[str, None]] = defaultdict(dict)
    missing: dict[str, tuple[str, ...]] = {}
    for line, item in zip(lines, items, strict=True):
        for kind, other in _relations(item):
            if kind not in _HOLDS | _IS_HELD:
                continue
            if other not in known:
                missing[line.item] = (*missing.get(line.item, ()), other)
            elif kind in _HOLDS:
                parents[other][line.item] = None
            else:
                parents[line.item][other] = None
    for line in lines:
        told = list(parents.get(line.item, ()))
        relies_on = (*line.relies_on, *missing.get(line.item, ()))
        parent = line.parent or (told[0] if len(told) == 1 else "")
        yield line if (parent, relies_on) == (line.parent, line.relies_on) else changed(line, parent=parent, relies_on=relies_on)
