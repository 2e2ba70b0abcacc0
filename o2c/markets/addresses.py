"""Postal addresses by market: the parts that a parcel or a fitter needs. They are judged on a copy; the paper's own text is never
changed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_BREAK = re.compile(r"[,;\n\r]+")
_NUMBER_ALONE = re.compile(r"[0-9]{1,5}[a-z]?", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]{2}")
# A house name, its street and its town.
_PARTS_WITH_NAME = 3


@dataclass(frozen=True, slots=True)
class AddressRules:
    """How an address is written in a market; the patterns are matched without regard to case.

    `postcode` has one group, or two that are shown with a space between them. `premises` matches a part with a house number and its street,
    `unit` what may stand before them (a flat, a floor). Where `house_names` are in use, a name may take the place of the number, in a part
    of its own before street and town. `countries` are the names of the country itself that may end an address, in small letters.
    """

    postcode: str
    premises: str
    unit: str
    house_names: bool
    countries: frozenset[str]
    source: str


def postcode_of(rules: AddressRules, text: str) -> str:
    """Give the postcode of an address in its usual form (`ZX1 1AA`); empty when there is none."""
    return _apart(rules, text)[0]


def address_flaw(rules: AddressRules, text: str) -> str:
    """Give what an address lacks to be delivered to or installed at, in words; empty when it lacks nothing.

    Source: the `source` of the market's rules.
    """
    postcode, parts = _apart(rules, text)
    if not postcode:
        return "without a postcode"
    return "" if _has_premises(rules, parts) else "without a house number or name and its street"


def _apart(rules: AddressRules, text: str) -> tuple[str, list[str]]:
    """Give the postcode, and the other parts of an address without the country. The last postcode counts: names may look like one."""
    parts = [part for part in (" ".join(part.split()) for part in _BREAK.split(text)) if part]
    if parts and parts[-1].casefold() in rules.countries:
        parts.pop()
    for index in reversed(range(len(parts))):
        found = next(reversed(list(re.finditer(rf"\b{rules.postcode}\b", parts[index], re.IGNORECASE))), None)
        if found:
            around = (parts[index][: found.start()].strip(), parts[index][found.end() :].strip())
            return " ".join(found.groups()).upper(), [*parts[:index], *filter(None, around), *parts[index + 1 :]]
    return "", parts


def _has_premises(rules: AddressRules, parts: Sequence[str]) -> bool:
    """Whether some part has a number with its street, which may follow in a part of its own; or, in its place, a name before street and
    town."""
    joined = [f"{one} {other}" for one, other in pairwise(parts) if _NUMBER_ALONE.fullmatch(one)]
    if any(re.fullmatch(f"(?:{rules.unit} )?{rules.premises}", part, re.IGNORECASE) for part in (*parts, *joined)):
        return True
    named = [part for part in parts if _NAME.search(part) and not re.fullmatch(rules.unit, part, re.IGNORECASE)]
    return rules.house_names and len(named) >= _PARTS_WITH_NAME
