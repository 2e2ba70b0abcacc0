"""Zones and time bands as they are in force: those of the markets, and what an operator loaded over them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from o2c.engine.app import Engine
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.registry import MARKETS, current
from o2c.usage.zoning import DAYS, STREAM, ZoneBook, Zoning, book_of, in_force
from o2c.views.shown import ZoneShown

if TYPE_CHECKING:
    from datetime import date

    from o2c.markets.base import Market
    from o2c.usage.state import ZonesState


def zones_loaded(app: Engine) -> ZoneBook:
    """What was loaded, of all markets."""
    state: ZonesState = app.load_one(STREAM).state
    return book_of(state.documents)


def market_priced(app: Engine, code: str, on: date) -> Market:
    """The version of a market in force on a day, with the zones and time bands that prices may name. Raises Refused for an unknown
    market."""
    market = current(code, on)
    return replace(market, usage=zones_loaded(app).names_known(market.code, market.usage))


def list_zones(app: Engine, *, market: str = "") -> list[ZoneShown]:
    """Zones and time bands by market and version, the market's own first (`version` empty): what belongs to each, and which version is in
    force today.

    A row with neither prefixes, countries nor hours is where everything else belongs. Raises Refused (usage) for a market that there is
    not.
    """
    if market and market not in MARKETS:
        raise Refused(f"there is no market {market[:40]}; use one of {', '.join(sorted(MARKETS))}")
    book, now, found = zones_loaded(app), app.clock().now, list[ZoneShown]()
    for code in sorted([market] if market else MARKETS):
        rules = current(code, now.date())
        versions = book.of(code, rules.usage)
        holds = in_force(versions, local_date(now, rules.zone).isoformat())
        for version in versions:
            found += _rows(version, version == holds)
    return found


def _rows(version: Zoning, holds: bool) -> list[ZoneShown]:
    told = {"market": version.market, "version": version.version, "valid_from": version.valid_from, "in_force": holds}
    nothing: dict[str, Any] = {"prefixes": [], "countries": [], "weekdays": [], "from_hour": None, "to_hour": None}
    table = version.table
    zones = [{"kind": "zone", "name": one.name, "prefixes": [*one.prefixes], "countries": sorted(one.countries)} for one in table.zones]
    bands = [
        {"kind": "band", "name": one.name, "weekdays": [DAYS[day] for day in sorted(one.weekdays)], "from_hour": one.from_hour, "to_hour": one.to_hour}
        for one in table.bands
    ]  # fmt: skip
    rows: list[dict[str, Any]] = [*zones, {"kind": "zone", "name": table.other_zone}, *bands, {"kind": "band", "name": table.other_band}]
    return [cast("ZoneShown", {**told, **nothing, **row}) for row in rows]
