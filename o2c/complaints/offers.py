"""What a customer whom we let down may be offered to stay, as data (`offers.toml`), and who is held out of it so that its effect can be told."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from o2c.kernel.chance import draw

GROUNDS = ("complaint-open", "promise-broken", "attempt-failed")
"""On what an offer may rest: a complaint that is open, a promise whose day went by, an attempt to order that failed."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be offered: the `remedy`, when all of the grounds in `when` are there, with the `reason` in words; `held_out_percent` of the customers never
    get it, always the same ones."""

    name: str
    remedy: str
    when: tuple[str, ...]
    reason: str
    held_out_percent: int

    def held_out(self, customer: str) -> bool:
        """Whether a customer is one of those who never get it: by a digest of both names, so that it is the same on every face and every day."""
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
