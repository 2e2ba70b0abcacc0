"""What a customer whom we let down may be offered to stay, as data (`offers.toml`), and who is held out of it so that its effect can be
told."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, get_args

from o2c.complaints.events import Remedy
from o2c.kernel.chance import draw
from o2c.kernel.refusal import Refused

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_VERSION = re.compile(r"[\w./-]{1,40}")
GROUNDS = ("complaint-open", "promise-broken", "attempt-failed")
"""On what an offer may rest: a complaint that is open, a promise whose day went by, an attempt to order that failed."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be offered: the `remedy`, when all of the grounds in `when` are there, with the `reason` in words; `held_out_percent` of the
    customers never get it, always the same ones."""

    name: str
    remedy: str
    when: tuple[str, ...]
    reason: str
    held_out_percent: int

    def held_out(self, customer: str) -> bool:
        """Whether a customer is one of those who never get it: by a digest of both names, so that it is the same on every face and every
        day."""
        return draw(0, customer, 1, f"offer/{self.name}") * 100 < self.held_out_percent


@dataclass(frozen=True, slots=True)
class OfferBook:
    """The offers of one version."""

    version: str
    offers: tuple[Offer, ...]

    def due(self, customer: str, grounds: Collection[str]) -> Iterator[Offer]:
        """The offers for a customer for whom there are grounds, without those that the customer is held out of."""
        return (offer for offer in self.offers if set(offer.when) <= set(grounds) and not offer.held_out(customer))


def book_of(document: Mapping[str, Any]) -> OfferBook:
    """The offers that a document says. ValueError for grounds that there are not; KeyError or TypeError for what it lacks or misspells."""
    offers = tuple(Offer(**{**row, "when": tuple(row["when"])}) for row in document["offers"])
    if unknown := {ground for offer in offers for ground in offer.when} - set(GROUNDS):
        raise ValueError(f"offers: {min(unknown)} is no ground; use {', '.join(GROUNDS)}")
    return OfferBook(document["version"], offers)


@cache
def packaged() -> OfferBook:
    """The offers of the package."""
    return book_of(tomllib.loads(resources.files(__package__).joinpath("offers.toml").read_text(encoding="utf-8")))


def in_force(documents: Sequence[str]) -> OfferBook:
    """The offers of the file that was loaded last; those of the package where none was, or where it says what this program has no more."""
    try:
        return book_of(tomllib.loads(documents[-1])) if documents else packaged()
    except (ValueError, KeyError, TypeError):
        return packaged()


def checked(documents: Sequence[str], text: str) -> OfferBook:
    """The offers of a file that may be loaded after others.

    Raises Refused (usage) with the first thing that is wrong in it: no TOML, a version that was loaded, an offer that lacks something, or
    names a remedy, a ground or a share that there is not.
    """
    try:
        book = book_of(tomllib.loads(text))
        if flaw := next(_flaws(book, {packaged().version, *(tomllib.loads(each)["version"] for each in documents)}), ""):
            raise ValueError(flaw)
    except (ValueError, KeyError, TypeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise Refused(f"no offers were loaded: {what[:200]}") from None
    return book


def _flaws(book: OfferBook, versions: Collection[str]) -> Iterator[str]:
    if type(book.version) is not str or not _VERSION.fullmatch(book.version) or book.version in versions:
        yield "give it a `version` of its own: a word that was not loaded before"
    names = [offer.name for offer in book.offers]
    if len({*names}) < len(names):
        yield "two offers have one name"
    for offer in book.offers:
        if type(offer.name) is not str or not _NAME.fullmatch(offer.name):
            yield "the name of an offer has up to 40 small letters, digits and hyphens"
        if offer.remedy not in get_args(Remedy):
            yield f"{offer.name}: there is no such remedy; use one of {', '.join(get_args(Remedy))}"
        if not offer.when or type(offer.reason) is not str or not offer.reason.strip():
            yield f"{offer.name}: say on what grounds it is made, and the reason in words"
        if type(offer.held_out_percent) is not int or not 0 <= offer.held_out_percent <= 100:
            yield f"{offer.name}: held_out_percent is a whole number from 0 to 100"
