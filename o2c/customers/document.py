"""Reading a TMF632 party: its names, birth date, contacts and characteristics, in every shape that the standard allows.

Source: TMF632 v4.0.0 (Individual, Organization, ContactMedium, TimePeriod); of v5.0.0 the contact media that say their values themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused

_MEDIA = {"emailAddress": "email", "phoneNumber": "sms", "street1": "letter", "postCode": "letter"}
_ADDRESS = ("street1", "street2", "city", "stateOrProvince", "postCode", "country")
_OF_INDIVIDUAL = ("givenName", "familyName", "birthDate")
_OF_ORGANISATION = ("tradingName", "organizationType", "isLegalEntity", "isHeadOffice", "nameType")
_WHOLE_NAMES = ("fullName", "formattedName", "legalName")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def kind_of(document: Mapping[str, Any]) -> str:
    """Give what a party is, `individual` or `organisation`: by its `@type` in any case, else by the fields that only one of them has."""
    for told in (_text(document, "@type"), _text(document, "@baseType")):
        if told.casefold().startswith("individual"):
            return "individual"
        if told.casefold().startswith(("organization", "organisation")):
            return "organisation"
    if any(document.get(key) is not None for key in _OF_INDIVIDUAL):
        return "individual"
    named = any(document.get(key) is not None for key in (*_OF_ORGANISATION, "name")) and not any(
        _text(document, key) for key in _WHOLE_NAMES
    )
    return "organisation" if named else "individual"


def name_of(document: Mapping[str, Any], kind: str, at: datetime) -> str:
    """Give the name of a party; the first of its other names that holds at a time stands in for a missing one.

    Raises Refused for a party without any name: nobody could find or identify it.
    """
    others = (one for one in _parts(document, "otherName") if _holds(one, at))
    name = next((name for one in (document, *others) if (name := _name(one, kind))), "")
    if not name:
        wanted = "tradingName or name" if kind == "organisation" else "givenName and familyName, or fullName"
        raise Refused(f"customers: party {_text(document, 'id')} has no name; say its {wanted}")
    return name


def _name(document: Mapping[str, Any], kind: str) -> str:
    if kind == "organisation":
        return _text(document, "tradingName") or _text(document, "name")
    parts = [_text(document, key) for key in ("givenName", "familyNamePrefix", "familyName")]
    whole = next((name for key in (*_WHOLE_NAMES, "name") if (name := _text(document, key))), "")
    return " ".join(filter(None, parts)) if (parts[0] and parts[2]) or not whole else whole


def birth_date_of(document: Mapping[str, Any]) -> str:
    """Give the day of birth as the paper has it; of a date with a time of day, as v4 writes it, the date. Empty for none."""
    text = _text(document, "birthDate")
    day, time = text[:10], text[10:]
    return day if _DAY.fullmatch(day) and time[:1] in ("T", "t", " ") else text


def email_of(document: Mapping[str, Any], at: datetime) -> str:
    """Give the e-mail address to write to at a time; empty for none."""
    return _text(_medium(document, ("emailAddress",), at), "emailAddress")


def address_of(document: Mapping[str, Any], at: datetime) -> str:
    """Give the postal address to write to at a time, its parts in one line; empty for none."""
    medium = _medium(document, ("street1", "street2", "city", "postCode"), at)
    return ", ".join(filter(None, (_text(medium, key) for key in _ADDRESS)))


def phone_of(document: Mapping[str, Any], at: datetime) -> str:
    """Give the telephone number to send texts to at a time; empty for none."""
    return _text(_medium(document, ("phoneNumber",), at), "phoneNumber")


def preferred_medium(document: Mapping[str, Any], at: datetime) -> str:
    """Give what the party wants to be written to by: `email`, `sms` or `letter`, of the medium marked as preferred; empty where none or
    several kinds are, or there is but one.

    Source: TMF632 v4.0.0 ContactMedium.preferred.
    """
    media = [medium for medium in _parts(document, "contactMedium") if _holds(medium, at)]
    preferred = _kinds(medium for medium in media if medium.get("preferred") is True)
    return preferred.pop() if len(preferred) == 1 < len(_kinds(media)) else ""


def _kinds(media: Iterable[Mapping[str, Any]]) -> set[str]:
    return {kind for medium in media for values in _values(medium) for key, kind in _MEDIA.items() if _text(values, key)}


def language_of(document: Mapping[str, Any]) -> str:
    """Give the language that the party wants, as its papers write it: the favourite of those that it speaks, else none.

    Source: TMF632 v4.0.0 LanguageAbility.isFavouriteLanguage.
    """
    spoken = [one for one in _parts(document, "languageAbility") if one.get("isFavouriteLanguage") is True]
    return _text(spoken[0], "languageCode") if spoken else ""


def traits_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Give the party characteristics that have a value, by name."""
    return {_text(one, "name"): text for one in _parts(document, "partyCharacteristic") if (text := _text(one, "value"))}


def _medium(document: Mapping[str, Any], keys: Sequence[str], at: datetime) -> Mapping[str, Any]:
    """Give the values of the contact medium to use: of those that have one of the keys and hold at a time the preferred one, else the
    first.

    Source: TMF632 v4.0.0 ContactMedium.preferred, .validFor.
    """
    found = [
        (medium.get("preferred") is not True, place, values)
        for place, medium in enumerate(_parts(document, "contactMedium"))
        if _holds(medium, at) and (values := next((v for v in _values(medium) if any(_text(v, key) for key in keys)), None))
    ]
    return min(found, key=lambda one: one[:2])[2] if found else {}


def _values(medium: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield medium.get("characteristic") or {}
    yield medium


def _holds(part: Mapping[str, Any], at: datetime) -> bool:
    """Whether a part of a party holds at a time; a period may lack its start, its end or both, and ends before its end."""
    period = part.get("validFor") or {}
    start, end = (_time(period.get(key)) for key in ("startDateTime", "endDateTime"))
    return (start is None or start <= at) and (end is None or at < end)


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    if _DAY.fullmatch(value):
        return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
    return parse_time(value)


def _parts(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Give the entries of a list of objects; null, as writers print what is absent, is none."""
    parts = document.get(key)
    if parts is None:
        return []
    if not isinstance(parts, list):
        raise TypeError(f"{key} is no list")
    for part in parts:
        if part is not None and not isinstance(part, dict):
            raise TypeError(f"{key} has what is no object")
    return [part for part in parts if part is not None]


def _text(document: Mapping[str, Any], key: str) -> str:
    """Give a value as text, its blanks collapsed; null is absent. TypeError for an object or a list."""
    value = document.get(key)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise TypeError(f"{key} is no text")
    return " ".join(str(value).split())
