"""A document of TMF622 in the shape of the other version, or of its own: what does not fit its type is left out, whatever a channel sent.

What a type does not have stays as it came, for TM Forum's types may be extended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from o2c.entrypoints.http.tmf.types import TYPES, Attribute
from o2c.entrypoints.http.tmf.values import flag, number, text, time, whole

META = ("@type", "@baseType", "@schemaLocation", "@referredType")
ACTIONS = ("add", "modify", "delete", "noChange")
PRODUCT_STATES = ("created", "pendingActive", "cancelled", "active", "pendingTerminate", "terminated", "suspended", "aborted ")
_WRAPPED = {
    "RelatedChannel": "channel",
    "RelatedParty": "partyOrPartyRole",
    "RelatedPartyRefOrPartyRoleRef": "partyOrPartyRole",
    "RelatedPartyOrPartyRole": "partyOrPartyRole",
    "RelatedPlaceRefOrValue": "place",
}
"""Types in which v5 puts what v4 has beside the role into an object of its own, by the name that it has there."""
UNTYPED = frozenset({"Money", "Quantity", "Duration", "TimePeriod"})
"""Types that need not say what they are in v5 either."""
_RENAMED = {"QuoteItemRef": ("id", "quoteItemId"), "ProductOfferingQualificationItemRef": ("id", "itemId")}
"""By type, the name of an attribute in v4 and in v5."""
_DEFAULTS = {
    "RelatedParty": {"@referredType": "Party"},
    "RelatedPlaceRefOrValue": {"role": "place"},
    "ProductOrderItem": {"action": "noChange"},
}
"""What v4 must have and v5 need not: what stands for it."""
_ROLES = frozenset({"customer", "supplier", "seller", "partyrole", "businesspartner", "consumer", "producer"})
"""Types of what a party refers to that are roles, in small letters."""
_PLACES = frozenset({"GeographicLocation", "GeographicSite", "GeographicAddress", "PlaceRef"})


def shaped(value: Any, kind: str, version: int) -> Any:
    """A value as its kind in a version has it; None for one that does not fit."""
    plain = _PLAIN.get(kind)
    if plain is not None:
        return plain(value)
    return _object(value, kind, version) if isinstance(value, dict) else None


def _object(value: Mapping[str, Any], kind: str, version: int) -> dict[str, Any] | None:
    attributes = TYPES[version].get(kind, {})
    value = _unwrapped(value, kind) if version == 4 else _wrapped(value, kind)
    made: dict[str, Any] = {}
    for name, part in _named(value, kind, version).items():
        fitting = _attribute(part, attributes[name], version) if name in attributes else _extension(name, part)
        if fitting is not None:
            made[name] = fitting
    for name, default in _DEFAULTS.get(kind, {}).items() if version == 4 else ():
        made.setdefault(name, default)
    if kind == "Characteristic" and version == 5:
        made = _characteristic(made)
    if any(attribute.needed and name not in made for name, attribute in attributes.items()):
        return None
    if version == 5 and kind not in UNTYPED:
        made.setdefault("@type", _type_of(made, kind))
    return made


def _named(value: Mapping[str, Any], kind: str, version: int) -> Mapping[str, Any]:
    """The attributes under the names that the version has for them."""
    old, new = _RENAMED.get(kind, ("", ""))
    there, wanted = (old, new) if version == 5 else (new, old)
    if not old or wanted in value or there not in value:
        return value
    return {wanted if name == there else name: part for name, part in value.items()}


def _attribute(value: Any, attribute: Attribute, version: int) -> Any:
    if not attribute.several:
        return shaped(value, attribute.kind, version)
    parts = value if isinstance(value, list) else [value]
    fitting = [made for part in parts if (made := shaped(part, attribute.kind, version)) is not None]
    return fitting if fitting or value == [] else None


def _extension(name: str, value: Any) -> Any:
    """What the type does not have stays; what is told of types themselves is text."""
    return text(value) if name in META else value


def _wrapped(value: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """As v5 has it: the role outside, what bears it inside, each with its type."""
    inner_name = _WRAPPED.get(kind)
    if inner_name is None:
        return value
    inner = value.get(inner_name)
    outer = {name: part for name, part in value.items() if name == "role" or (isinstance(inner, dict) and name != inner_name)}
    held = dict(inner) if isinstance(inner, dict) else {name: part for name, part in value.items() if name != "role"}
    if not held:
        return outer
    held["@type"] = _type_within(held, inner_name)
    if not isinstance(inner, dict):
        outer["@type"] = kind
    return {**outer, inner_name: _inside(held, inner_name)}


def _inside(held: dict[str, Any], inner_name: str) -> dict[str, Any] | None:
    if held["@type"] in TYPES[5]:
        return _object(held, held["@type"], 5)
    return _object(held, "EntityRef", 5) if inner_name != "place" or held["@type"] == "PlaceRef" else held


def _type_within(held: Mapping[str, Any], inner_name: str) -> str:
    own, referred = text(held.get("@type")) or "", text(held.get("@referredType")) or ""
    if inner_name == "channel":
        return "ChannelRef"
    if inner_name == "place":
        refers = "id" in held and not {"streetName", "city", "postcode", "name"} & held.keys()
        return own if own in _PLACES else "PlaceRef" if refers or (referred and "id" in held) else "GeographicAddress"
    return own if own in ("PartyRef", "PartyRoleRef") else "PartyRoleRef" if referred.lower() in _ROLES else "PartyRef"


def _unwrapped(value: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """As v4 has it: what bears the role stands beside it."""
    inner_name = _WRAPPED.get(kind)
    inner = value.get(inner_name) if inner_name else None
    if not isinstance(inner, dict):
        return value
    beside = {name: part for name, part in value.items() if name not in (inner_name, *META)}
    told = {name: part for name, part in inner.items() if name != "@type" or kind == "RelatedPlaceRefOrValue"}
    return {**told, **beside}


def _type_of(made: Mapping[str, Any], kind: str) -> str:
    """The type of an object that does not say it."""
    if kind == "ProductRefOrValue":
        return "ProductRef" if "@referredType" in made and "id" in made else "Product"
    return kind


def _characteristic(made: dict[str, Any]) -> dict[str, Any]:
    """v5 tells characteristics apart by the type of their value."""
    if "value" not in made:
        return made if made.get("@type") == "Characteristic" else {**made, "@type": "Characteristic"}
    return {**made, "@type": _type_by_value(made["value"])}


def _type_by_value(value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    kinds = {_KINDS.get(type(part), "") for part in parts}
    kind = kinds.pop() if len(kinds) == 1 else ""
    return f"{kind}{'Array' if kind and isinstance(value, list) else ''}Characteristic"


_KINDS = {str: "String", bool: "Boolean", int: "Integer", float: "Number", dict: "Object"}


def _action(value: Any) -> str:
    """What is none of the standard's actions is shown as one by which nothing changes: nothing is done by it, and a fallout says why."""
    return value if value in ACTIONS else "noChange"


def _typed(value: Any) -> Any:
    return value if isinstance(value, dict) and isinstance(value.get("@type"), str) else None


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "text": text,
    "time": time,
    "whole": whole,
    "number": number,
    "flag": flag,
    "any": lambda value: value,
    "action": _action,
    "state": lambda value: value if value in PRODUCT_STATES else None,
    "typed": _typed,
}
"""By kind of plain value, how one is read."""
