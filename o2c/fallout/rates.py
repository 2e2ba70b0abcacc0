"""The rate card of the desk: what each action about a fallout costs, in minor units of the market's currency."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from o2c.fallout.actions import ACTIONS
from o2c.kernel.refusal import Refused

USES = ("kit", "truck_roll")
"""What an action can use up: a replacement kit (a SIM with packing and postage), a visit of a fitter."""
_OF_MARKET = frozenset({"currency", "labour_minute_minor", *(f"{what}_minor" for what in USES)})


@dataclass(frozen=True, slots=True)
class RateCard:
    """Minutes by action; what an action uses up, by action and reason code (empty: any); and each market's currency and prices."""

    minutes: Mapping[str, int]
    uses: Mapping[tuple[str, str], str]
    markets: Mapping[str, Mapping[str, Any]]

    def cost_minor(self, action: str, reason: str, market: str) -> int:
        """What one action costs: its minutes of labour, and what it uses up. KeyError for a market that the card does not have."""
        prices = self.markets[market]
        used = self.uses.get((action, reason)) or self.uses.get((action, ""))
        beside: int = prices[f"{used}_minor"] if used else 0
        labour: int = self.minutes.get(action, 0) * prices["labour_minute_minor"]
        return labour + beside

    def currency(self, market: str) -> str:
        """The currency of a market's prices. KeyError for a market that the card does not have."""
        return str(self.markets[market]["currency"])


@cache
def packaged() -> RateCard:
    """The card of the package."""
    return card_of(resources.files(__package__).joinpath("rates.toml").read_text(encoding="utf-8"))


def card_of(text: str) -> RateCard:
    """The card that a file (TOML) says. Raises Refused (usage) with the first thing that is wrong in it."""
    try:
        told = tomllib.loads(text)
        if flaw := next(_flaws(told), ""):
            raise ValueError(flaw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"no rate card: {error}") from None
    uses = {(use["action"], use.get("reason", "")): use["what"] for use in told.get("uses", ())}
    return RateCard(told["minutes"], uses, told["markets"])


def _flaws(told: Mapping[str, Any]) -> Any:
    yield from (f"minutes of {name}: no action is called so" for name in told["minutes"] if name not in ACTIONS)
    yield from (f"minutes lack {name}" for name in ACTIONS if name not in told["minutes"])
    yield from (f"minutes of {name} are a whole number from 0" for name, minutes in told["minutes"].items() if not _whole(minutes))
    for use in told.get("uses", ()):
        if use["action"] not in ACTIONS or use["what"] not in USES:
            yield f"{use['action']} uses {use['what']}: name an action, and one of {', '.join(USES)}"
    for market, prices in told["markets"].items():
        if prices.keys() != _OF_MARKET:
            yield f"market {market} says exactly {', '.join(sorted(_OF_MARKET))}"
        yield from (f"{market}: {name} is a whole number from 0" for name, n in prices.items() if name != "currency" and not _whole(n))


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 0
