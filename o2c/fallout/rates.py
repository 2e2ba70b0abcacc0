"""The rate card of the desk: what each action about a fallout costs, in minor units of the market's currency. Versions, in force by day."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from typing import Any

from o2c.fallout.actions import ACTIONS
from o2c.kernel.refusal import Refused

USES = ("kit", "truck_roll")
"""What an action can use up: a replacement kit (a SIM with packing and postage), a visit of a fitter."""
STREAM = "rates-main"
"""The one stream of the rate card: what an operator loaded over the packaged one."""
PARTS = frozenset({"version", "valid_from", "minutes", "uses", "markets"})
_OF_MARKET = frozenset({"currency", "labour_minute_minor", *(f"{what}_minor" for what in USES)})


@dataclass(frozen=True, slots=True)
class RateCard:
    """One version, in force from `valid_from` (ISO day, UTC): minutes by action; what an action uses up, by action and reason code (empty:
    any); and each market's currency and prices."""

    version: str
    valid_from: str
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


@dataclass(frozen=True, slots=True)
class RateBook:
    """All versions of the card, the oldest first."""

    versions: tuple[RateCard, ...]

    def at(self, moment: datetime) -> RateCard:
        """The card in force at a moment: of those that are valid by then, the one that was loaded last."""
        day = moment.astimezone(UTC).date().isoformat()
        return next((card for card in reversed(self.versions) if card.valid_from <= day), self.versions[0])

    @property
    def newest(self) -> RateCard:
        """The card that was loaded last."""
        return self.versions[-1]


@cache
def packaged() -> RateBook:
    """The card of the package."""
    return RateBook((_over(None, tomllib.loads(resources.files(__package__).joinpath("rates.toml").read_text(encoding="utf-8"))),))


def book_of(documents: tuple[str, ...]) -> RateBook:
    """The packaged card with an operator's own files over it, in the order in which they were loaded."""
    versions = packaged().versions
    for document in documents:
        versions = (*versions, _over(versions[-1], tomllib.loads(document)))
    return RateBook(versions)


def checked(book: RateBook, text: str, markets: Mapping[str, str]) -> RateCard:
    """The card that a file (TOML) makes of the newest one. `markets` gives the currency of each market that there is.

    Raises Refused (usage) with the first thing in it that is wrong: an unknown part, action, market or key, a currency that is not the
    market's, an amount that is no whole number, a version that was loaded before.
    """
    try:
        told = tomllib.loads(text)
        if flaw := next(_flaws(told, book, markets), ""):
            raise ValueError(flaw)
        return _over(book.newest, told)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise Refused(f"no rate card was loaded: {what}") from None


def _over(before: RateCard | None, told: Mapping[str, Any]) -> RateCard:
    """A document over the card before it: what it names is changed, all else stays."""
    uses = {(use["action"], use.get("reason", "")): use["what"] for use in told.get("uses", ())}
    old = before.markets if before else {}
    markets = {market: {**old.get(market, {}), **prices} for market, prices in told.get("markets", {}).items()}
    return RateCard(
        str(told["version"]),
        str(told["valid_from"]),
        {**(before.minutes if before else {}), **told.get("minutes", {})},
        {**(before.uses if before else {}), **uses},
        {**old, **markets},
    )


def _flaws(told: Mapping[str, Any], book: RateBook, currencies: Mapping[str, str]) -> Iterator[str]:
    yield from (f"the file has {name!r}, which is none of {', '.join(sorted(PARTS))}" for name in told.keys() - PARTS)
    if not str(told.get("version", "")).strip() or str(told["version"]) in {card.version for card in book.versions}:
        yield "give it a `version` that was not loaded before"
    date.fromisoformat(str(told["valid_from"]))
    for name, minutes in told.get("minutes", {}).items():
        if name not in ACTIONS or not _whole(minutes):
            yield f"minutes of {name} are no whole number from 0" if name in ACTIONS else f"minutes of {name}: no action is called so"
    for use in told.get("uses", ()):
        if use["action"] not in ACTIONS or use["what"] not in (*USES, ""):
            yield f"{use['action']} uses {use['what']}: name an action, and one of {', '.join(USES)}, or an empty text for nothing"
    for market, prices in told.get("markets", {}).items():
        if market not in currencies:
            yield f"there is no market {market}; there are {', '.join(sorted(currencies))}"
        whole = {**book.newest.markets.get(market, {}), **prices}
        if whole.keys() != _OF_MARKET:
            yield f"market {market} says exactly {', '.join(sorted(_OF_MARKET))}"
        if whole["currency"] != currencies[market]:
            yield f"market {market} has its prices in {currencies[market]}, not in {whole['currency']}"
        yield from (f"{market}: {name} is a whole number from 0" for name, n in prices.items() if name != "currency" and not _whole(n))


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 0
