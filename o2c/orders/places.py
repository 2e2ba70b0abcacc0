"""The place of an order item: which of those that a channel names, and as which text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Where something is installed or brought to, and where only papers go: no parcel and no fitter is sent there.
_ROLES = ("installation", "service", "delivery", "shipping", "shipto", "usage")
_PAPERS = ("billing", "invoic", "payment", "correspondence", "registered", "legal")
_SUB_ADDRESS = (
    ("subUnitType", "subUnitNumber"),
    ("levelType", "levelNumber"),
    ("buildingName",),
    ("privateStreetNumber", "privateStreetName"),
)
_ADDRESS = (
    ("streetNr", "streetNrSuffix", "streetName", "streetType"),
    ("locality",),
    ("city",),
    ("stateOrProvince",),
    ("postcode",),
    ("country",),
)


def place_of(places: Sequence[Mapping[str, Any]]) -> str:
    """Give the address that an item is brought to or installed at, as text: the paper's own words, or the parts of a structured one in one
    line.

    The first place with a role of installation or delivery, else the first without any role, else the first of another role that is not one
    for papers; empty when there is none.

    Source: TMF622 v4.0.0 RelatedPlaceRefOrValue.role (the one field it must have); TMF673 v4.0.0 GeographicAddress, GeographicSubAddress.
    """
    by_role = [(_folded(place.get("role")), place) for place in places]
    fitting = [place for role in _ROLES for told, place in by_role if told.startswith(role)]
    unnamed = [place for told, place in by_role if not told]
    others = [place for told, place in by_role if not told.startswith(_PAPERS)]
    return next((text for place in (*fitting, *unnamed, *others) if (text := _text(place))), "")


def _text(place: Mapping[str, Any]) -> str:
    inner = place.get("place")
    if isinstance(inner, Mapping):
        # TMF622 v5 wraps the address: its role stands outside.
        return _text(inner)
    structured = ", ".join(_parts(place))
    return structured if place.get("streetName") else _value(place.get("name")) or structured


def _parts(place: Mapping[str, Any]) -> Iterator[str]:
    inner = place.get("geographicSubAddress")
    for sub in inner if isinstance(inner, list) else [inner]:
        if isinstance(sub, Mapping):
            yield from _joined(sub, _SUB_ADDRESS)
    yield from _joined(place, _ADDRESS)


def _joined(address: Mapping[str, Any], groups: Sequence[Sequence[str]]) -> Iterator[str]:
    for group in groups:
        words = [word for field in group if (word := _value(address.get(field)))]
        if words:
            yield " ".join(words)


def _value(value: Any) -> str:
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _folded(role: Any) -> str:
    return "".join(letter for letter in _value(role).casefold() if letter.isalpha())
