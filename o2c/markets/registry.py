"""The markets of this program, by code, in all their versions. Adding a country is its file and a line here."""

from collections.abc import Mapping
from datetime import date

from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.markets.pt import PT, PT_2009, PT_2012

HOME = GB.code
"""The market of papers that name none."""
MARKETS: Mapping[str, tuple[Market, ...]] = {"GB": (GB,), "NL": (NL,), "PT": (PT_2009, PT_2012, PT)}
_BY_PIN = {market.pin: market for versions in MARKETS.values() for market in versions}


def market(pin: str) -> Market | None:
    """Give the market that an order or account pinned; None for an empty pin. KeyError for a version that this program does not have."""
    return _BY_PIN[pin] if pin else None


def zones() -> dict[str, str]:
    """Give the time zone of every version of every market, by what orders and accounts pin."""
    return {pin: market.zone for pin, market in _BY_PIN.items()}


def numbering_regions() -> tuple[str, ...]:
    """Give the regions of the numbers of all markets (ISO 3166)."""
    return tuple(dict.fromkeys(version.numbering.region for versions in MARKETS.values() for version in versions))


def current(code: str, on: date) -> Market:
    """Give the version of a market that is in force on a day, or its first one before that. Raises Refused for an unknown market."""
    if code not in MARKETS:
        raise Refused(f"there is no market {code}; use one of {', '.join(sorted(MARKETS))}")
    valid = [version for version in MARKETS[code] if version.valid_from <= on]
    return max(valid, key=lambda version: version.valid_from) if valid else MARKETS[code][0]
