"""Zones and time bands as an operator's own data: a file (TOML) for a market, in versions, over what the market has. Pure.

A record is placed by the version in force on the day on which it began, of those that were loaded when it came, and names it. What was
placed stays so: a version that is loaded later, whatever day it begins on, changes no record that is somebody's already.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import Any

from o2c.kernel.refusal import Refused
from o2c.markets.usage import TimeBand, UsageRules, Zone, ZoneTable

STREAM = "zones-main"
"""The one stream of zones and time bands that were loaded."""
PARTS = frozenset({"version", "valid_from", "market", "zones", "other_zone", "bands", "other_band"})
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAME = re.compile(r"[\w-]{1,40}")
_PREFIX = re.compile(r"[1-9]\d{0,14}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_ZONE, _BAND = frozenset({"name", "prefixes", "countries"}), frozenset({"name", "weekdays", "from_hour", "to_hour"})


@dataclass(frozen=True, slots=True)
class Zoning:
    """One version for a market, in force from the local day `valid_from` (ISO): its zones and bands.

    `version` is empty for what the market itself has.
    """

    market: str
    version: str
    valid_from: str
    table: ZoneTable


@dataclass(frozen=True, slots=True)
class ZoneBook:
    """What was loaded, by market, each in the order in which it was loaded."""

    loaded: Mapping[str, tuple[Zoning, ...]]

    def of(self, code: str, own: ZoneTable) -> tuple[Zoning, ...]:
        """All versions for a market: what it has itself, then those loaded over it, a part that one does not have being as in the one
        before."""
        found: tuple[Zoning, ...] = (Zoning(code, "", "", own),)
        for each in self.loaded.get(code, ()):
            found = (*found, replace(each, table=_over(found[-1].table, each.table)))
        return found

    def names_known(self, code: str, own: UsageRules) -> UsageRules:
        """A market's rules with the zones and bands of all versions, whose names prices may give: one may begin with prices that are loaded
        before it."""
        found = own
        for each in self.of(code, own)[1:]:
            bands = (*found.bands, *each.table.bands, TimeBand(each.table.other_band, frozenset(), 0, 0))
            found = replace(found, zones=(*found.zones, *each.table.zones, Zone(each.table.other_zone)), bands=bands)
        return found


def in_force(versions: Iterable[Zoning], day: str) -> Zoning:
    """The version in force on a local day (ISO), of all versions for a market: of those that are valid by then, the one that was loaded
    last."""
    return [each for each in versions if each.valid_from <= day][-1]


def book_of(documents: Iterable[str]) -> ZoneBook:
    """What files come to, in the order in which they were loaded."""
    found: dict[str, tuple[Zoning, ...]] = {}
    for document in documents:
        each = _read(tomllib.loads(document))
        found[each.market] = (*found.get(each.market, ()), each)
    return ZoneBook(found)


def checked(book: ZoneBook, text: str, markets: Mapping[str, ZoneTable], used: Mapping[str, Collection[str]]) -> Zoning:
    """What a file makes of the newest version for its market. `markets` gives what each market has itself; `used` the names of zones and
    bands that its prices give.

    Raises Refused (usage) with the first thing in it that is wrong: an unknown part, a market that there is not, a version that was loaded
    before, a prefix or country in two zones, hours in two bands, no zone or band of a name that a price gives.
    """
    try:
        told = tomllib.loads(text)
        if flaw := next(_flaws(told, markets), ""):
            raise ValueError(flaw)
        made = _read(told)
        if made.version in {each.version for each in book.loaded.get(made.market, ())}:
            raise ValueError("give it a `version` that was not loaded before")
        whole = _over(book.of(made.market, markets[made.market])[-1].table, made.table)
        if missing := sorted({*used.get(made.market, ())} - whole.zone_names - whole.band_names):
            raise ValueError(f"prices name {missing[0]!r}, and no zone or time band would be called so")
        return replace(made, table=whole)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise Refused(f"no zones were loaded: {what}") from None


def _over(before: ZoneTable, told: ZoneTable) -> ZoneTable:
    zones = told if told.other_zone else before
    bands = told if told.other_band else before
    return ZoneTable(zones.zones, zones.other_zone, bands.bands, bands.other_band)


def _read(told: Mapping[str, Any]) -> Zoning:
    """A file as a version; a part that it does not have is empty."""
    zones = tuple(
        Zone(str(one["name"]), tuple(one.get("prefixes", ())), frozenset(one.get("countries", ()))) for one in told.get("zones", ())
    )
    bands = tuple(
        TimeBand(str(one["name"]), frozenset(map(DAYS.index, one["weekdays"])), one["from_hour"], one["to_hour"])
        for one in told.get("bands", ())
    )
    table = ZoneTable(zones, str(told.get("other_zone", "")), bands, str(told.get("other_band", "")))
    return Zoning(str(told["market"]), str(told["version"]), str(told["valid_from"]), table)


def _flaws(told: Mapping[str, Any], markets: Mapping[str, ZoneTable]) -> Iterator[str]:
    yield from (f"the file has {name[:40]!r}, which is none of {', '.join(sorted(PARTS))}" for name in told.keys() - PARTS)
    if not _NAME.fullmatch(str(told["version"]).replace(".", "-")):
        yield "`version` is a word of at most 40 letters, digits, dots and hyphens"
    date.fromisoformat(str(told["valid_from"]))
    if told["market"] not in markets:
        yield f"there is no market {str(told['market'])[:40]}; there are {', '.join(sorted(markets))}"
    if not {"zones", "bands"} & told.keys():
        yield "it has neither `zones` nor `bands`"
    for part, other in (("zones", "other_zone"), ("bands", "other_band")):
        if (part in told) != (other in told):
            yield f"`{part}` and `{other}` stand together: what none of them has must be called something"
    yield from _flaws_of_zones(told)
    yield from _flaws_of_bands(told)


def _flaws_of_zones(told: Mapping[str, Any]) -> Iterator[str]:
    where: dict[str, str] = {}
    names = [str(one["name"]) for one in told.get("zones", ())]
    yield from _flaws_of_names([*names, *([str(told["other_zone"])] if "other_zone" in told else [])], "zone")
    for one in told.get("zones", ()):
        name, prefixes, countries = str(one["name"]), one.get("prefixes", []), one.get("countries", [])
        yield from (f"zone {name} has {extra[:40]!r}, which is none of {', '.join(sorted(_ZONE))}" for extra in one.keys() - _ZONE)
        if not prefixes and not countries:
            yield f"zone {name} has neither prefixes nor countries"
        for place in (*prefixes, *countries):
            if not (_PREFIX if place in prefixes else _COUNTRY).fullmatch(place):
                yield f"zone {name}: {place[:40]!r} is neither the beginning of a number (digits, without +) nor a country (ISO 3166, two letters)"
            if place in where:
                yield f"{place} is in the zones {where[place]} and {name}"
            where[place] = name


def _flaws_of_bands(told: Mapping[str, Any]) -> Iterator[str]:
    bands = told.get("bands", ())
    names = [str(one["name"]) for one in bands]
    # A band may have several entries, as of week and weekend; its name stands for all of them, and for the rest as well where it is the
    # other's.
    yield from _flaws_of_names(dict.fromkeys([*names, *([str(told["other_band"])] if "other_band" in told else [])]), "band")
    for one in bands:
        name, hours = str(one["name"]), (one["from_hour"], one["to_hour"])
        yield from (f"band {name} has {extra[:40]!r}, which is none of {', '.join(sorted(_BAND))}" for extra in one.keys() - _BAND)
        if not all(type(hour) is int for hour in hours) or not 0 <= hours[0] < hours[1] <= 24:
            yield f"band {name} goes from an hour to a later one, 0 to 24"
        if not one["weekdays"] or (strange := [day for day in one["weekdays"] if day not in DAYS]):
            yield f"band {name}: {strange[0] if one['weekdays'] else 'nothing'!r} is no weekday; there are {', '.join(DAYS)}"
    for one, other in combinations(bands, 2):
        both = {*one["weekdays"]} & {*other["weekdays"]}
        if both and one["from_hour"] < other["to_hour"] and other["from_hour"] < one["to_hour"]:
            yield f"the bands {one['name']} and {other['name']} have the same hours of {min(both, key=DAYS.index)}"


def _flaws_of_names(names: Iterable[str], what: str) -> Iterator[str]:
    seen = set[str]()
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"{name[:40]!r} is no name of a {what}: at most 40 letters, digits and hyphens"
        if name in seen:
            yield f"two of the {what}s are called {name}"
        seen.add(name)
