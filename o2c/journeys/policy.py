"""What the operator does about journeys, as data (`policy.toml`): when one is lost, how people are got in touch with, and who is nobody that wants to buy."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ApartRule:
    """Who is no person that wants to buy: by what the `client` program calls itself, by the `login` (patterns), or by so many `attempts` within so many
    seconds of the first. What a rule does not say holds always; it says at least one thing."""

    name: str
    apart: Literal["bot", "test"]
    reason: str
    client: str = ""
    login: str = ""
    attempts: int = 0
    within_s: int = 0

    def holds(self, *, client: str, login: str, attempts: int, since: timedelta) -> bool:
        """Whether the rule holds for who comes by a client with a login, for so many attempts since the first."""
        told = [bool(re.search(self.client, client))] if self.client else []
        told += [bool(re.search(self.login, login))] if self.login else []
        told += [attempts >= self.attempts and since <= timedelta(seconds=self.within_s)] if self.attempts else []
        return bool(told) and all(told)


@dataclass(frozen=True, slots=True)
class JourneyPolicy:
    """One version of the rules. `budget_minor` is what an incentive may be worth at most, by market code; a market without one gives none."""

    version: str
    lost_after: timedelta
    follows_within: timedelta
    reach_after: timedelta
    reach_within: timedelta
    tries_max: int
    budget_minor: Mapping[str, int] = field(default_factory=dict)
    apart: tuple[ApartRule, ...] = ()

    def apart_of(self, *, client: str, login: str, attempts: int, since: timedelta) -> ApartRule | None:
        """The first rule that holds; None for somebody who may want to buy."""
        told: dict[str, Any] = {"client": client, "login": login, "attempts": attempts, "since": since}
        return next((rule for rule in self.apart if rule.holds(**told)), None)


def policy_of(document: Mapping[str, Any]) -> JourneyPolicy:
    """The rules that a document says. KeyError or TypeError for one that lacks or misspells something."""
    outreach = document["outreach"]
    return JourneyPolicy(
        version=document["version"],
        lost_after=timedelta(days=document["lost_after_days"]),
        follows_within=timedelta(days=document["follows_within_days"]),
        reach_after=timedelta(minutes=outreach["after_minutes"]),
        reach_within=timedelta(days=outreach["within_days"]),
        tries_max=outreach["tries_max"],
        budget_minor=outreach["budget_minor"],
        apart=tuple(ApartRule(**rule) for rule in document["apart"]),
    )


@cache
def packaged() -> JourneyPolicy:
    """The rules of the package."""
    return policy_of(tomllib.loads(resources.files(__package__).joinpath("policy.toml").read_text(encoding="utf-8")))
