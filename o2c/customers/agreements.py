"""What was agreed with customers, by tier and with some of their own, as data in versions (`agreements.toml`): unasked contacts, hours, and
by when an order is complete.

What was reached on a day is judged by the version of that day. Pure.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from importlib import resources
from itertools import chain
from typing import Any

from o2c.customers.care_events import CareAgreed
from o2c.kernel.event import Event
from o2c.kernel.refusal import Refused
from o2c.kernel.stream import StreamKind

STREAM = "care-main"
"""The one stream of the operator's own agreements."""
MILESTONES = ("received", "delay", "active", "cancelled", "declined")
"""At what a courtesy contact may be agreed."""
STANDARD = "standard"
"""The tier of whoever has no other."""
DAYS_MAX, HOURS = 365, range(1, 24)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_VERSION = re.compile(r"[\w./-]{1,40}")


@dataclass(frozen=True, slots=True)
class Agreement:
    """By milestone, the working days after the day of it by whose end the contact is to be made (0: the same day, if it is worked); the
    local hour at which such a day ends; within how many days an order is complete of which nothing else was promised. `customers` are those
    who have it of their own; none of a tier's.

    What is delivered anew is promised for `promised_working_days` after its order came (0: for as long as it takes). `markets` are the
    codes of those whose orders it holds for (none: of all). Days and hours are those of the order's own market, or of the market
    `calendar`; on the days `closed_on` (ISO) nobody works for these customers besides.
    """

    contacts: Mapping[str, int]
    until_hour: int
    complete_within_days: int
    customers: tuple[str, ...] = ()
    promised_working_days: int = 0
    markets: tuple[str, ...] = ()
    calendar: str = ""
    closed_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgreementBook:
    """The agreements of one version, by tier, and those of customers' own by their name."""

    version: str
    tiers: Mapping[str, Agreement]
    own: Mapping[str, Agreement] = field(default_factory=dict)

    def own_of(self, customer: str, market: str) -> str:
        """The name of the agreement that a customer has of its own for its orders of a market; empty for none."""
        return next((name for name, each in self.own.items() if customer in each.customers and market in (each.markets or (market,))), "")

    def name_of(self, customer: str, tier: str, market: str) -> str:
        """The name of the agreement that holds for a customer's orders of a market (its code): that of its own, else its tier's."""
        return self.own_of(customer, market) or (tier if tier in self.tiers else STANDARD)

    def of(self, customer: str, tier: str, market: str) -> Agreement:
        """What holds for a customer's orders of a market: its own agreement, else that of its tier, of one that is none the standard."""
        name = self.name_of(customer, tier, market)
        return self.own.get(name) or self.tiers[name]


Loaded = tuple[str, str]
"""From when on (ISO 8601, UTC) a file is in force, and its text."""


@dataclass(frozen=True, slots=True)
class AgreementsState:
    """The files that were loaded, the oldest first."""

    loaded: tuple[Loaded, ...] = ()


def evolve(state: AgreementsState, event: Event) -> AgreementsState:
    """Fold one event."""
    return AgreementsState((*state.loaded, (event.since.isoformat(), event.document))) if isinstance(event, CareAgreed) else state


KIND = StreamKind(category="care", shape_version=1, state_type=AgreementsState, initial=lambda _: AgreementsState(), evolve=evolve)


def book_of(document: Mapping[str, Any]) -> AgreementBook:
    """The agreements that a document says. KeyError or TypeError for one that lacks or misspells something."""
    own = {name: _agreement({**row, "customers": row["customers"]}) for name, row in document.get("agreements", {}).items()}
    return AgreementBook(document["version"], {tier: _agreement(row) for tier, row in document["tiers"].items()}, own)


def _agreement(row: Mapping[str, Any]) -> Agreement:
    return Agreement(**{**row, **{name: tuple(row[name]) for name in ("customers", "markets", "closed_on") if name in row}})


@cache
def packaged() -> AgreementBook:
    """The agreements of the package."""
    return book_of(tomllib.loads(resources.files(__package__).joinpath("agreements.toml").read_text(encoding="utf-8")))


def books(loaded: tuple[Loaded, ...]) -> tuple[AgreementBook, ...]:
    """The agreements of every version that ever was in force."""
    return (packaged(), *(_read(document) for _, document in loaded))


def in_force(loaded: tuple[Loaded, ...], at: datetime) -> AgreementBook:
    """The agreements of the file that was loaded last before a time; those of the package where none was, or where it says what this
    program has no more."""
    return next((_read(document) for since, document in reversed(loaded) if datetime.fromisoformat(since) <= at), packaged())


@lru_cache(maxsize=64)
def _read(document: str) -> AgreementBook:
    try:
        book = book_of(tomllib.loads(document))
        return packaged() if next(_flaws(book, ()), "") else book
    except (ValueError, KeyError, TypeError):
        return packaged()


def checked(loaded: tuple[Loaded, ...], text: str, markets: Collection[str]) -> AgreementBook:
    """The agreements of a file that may be loaded after others; `markets` are the codes of those that there are.

    Raises Refused (usage) with the first thing that is wrong in it: no TOML, a version that was loaded, no standard tier, a milestone, day
    or hour that there is not, a market that there is not, a customer with two agreements in one market.
    """
    try:
        book = book_of(tomllib.loads(text))
        known = {packaged().version, *(tomllib.loads(document)["version"] for _, document in loaded)}
        if flaw := next(chain(_flaws(book, known), _beyond(book, markets)), ""):
            raise ValueError(flaw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise Refused(f"no agreements were loaded: {what[:200]}") from None
    return book


def _flaws(book: AgreementBook, versions: Collection[str]) -> Iterator[str]:
    if type(book.version) is not str or not _VERSION.fullmatch(book.version) or book.version in versions:
        yield "give it a `version` of its own: a word that was not loaded before"
    if STANDARD not in book.tiers:
        yield f"say what holds for the tier {STANDARD}, which everybody has who has no other"
    if book.tiers.keys() & book.own.keys() or not all(map(_NAME.fullmatch, (*book.tiers, *book.own))):
        yield "the name of a tier or an agreement has up to 40 small letters, digits and hyphens, and is of one of them"
    named = Counter((customer, market) for each in book.own.values() for customer in each.customers for market in each.markets or ("",))
    of_all = Counter(customer for customer, market in named if market)
    twice = max(named.values(), default=0) > 1 or any(of_all[customer] for customer, market in named if not market)
    if twice or not all(each.customers for each in book.own.values()):
        yield "an agreement of its own names its customers, and a customer has one in a market"
    if any(each.customers or each.markets for each in book.tiers.values()):
        yield "what is agreed with a tier holds for all of its customers in all markets; make an agreement of their own for some"
    yield from (f"{name}: {flaw}" for name, each in {**book.tiers, **book.own}.items() for flaw in _wrong(each))


def _beyond(book: AgreementBook, markets: Collection[str]) -> Iterator[str]:
    for name, each in {**book.tiers, **book.own}.items():
        if unknown := sorted({*each.markets, each.calendar} - {*markets, ""}):
            yield f"{name}: there is no market {unknown[0][:40]}; use one of {', '.join(sorted(markets))}"


def _wrong(agreement: Agreement) -> Iterator[str]:
    if unknown := sorted(agreement.contacts.keys() - {*MILESTONES}):
        yield f"there is no milestone {unknown[0][:40]}; use one of {', '.join(MILESTONES)}"
    if [date.fromisoformat(day).isoformat() for day in agreement.closed_on] != list(agreement.closed_on):
        yield "closed_on has days as YYYY-MM-DD"
    days = [*agreement.contacts.values(), agreement.complete_within_days, agreement.promised_working_days]
    if not all(type(each) is int and 0 <= each <= DAYS_MAX for each in days) or agreement.complete_within_days < 1:
        yield f"days are whole numbers up to {DAYS_MAX}, and an order has at least one"
    if agreement.until_hour not in HOURS:
        yield "until_hour is a whole hour of the day"
