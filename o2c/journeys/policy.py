"""What the operator does about journeys, as data in versions (`policy.toml`, or a file of its own in place of it): when one is lost, how
people are got in touch with, and who is nobody that wants to buy."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal, get_args

from o2c.kernel.refusal import Refused

Apart = Literal["bot", "test"]
_VERSION = re.compile(r"[\w./-]{1,40}")
DAYS_MAX = 365


PATTERNS = ("client", "login", "token", "channel", "external_id", "note")
"""What is told of who comes that a rule may have a pattern for."""


@dataclass(frozen=True, slots=True)
class Comer:
    """What is told of who tries something, or of an order: what the program calls itself, login and token (an order may say several, one a
    line), channel, customer, and of an order its external id and its notes; how many attempts there were `since` the first."""

    client: str = field(default="", repr=False)
    login: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    channel: str = ""
    external_id: str = ""
    note: str = field(default="", repr=False)
    customer: str = ""
    attempts: int = 0
    since: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class ApartRule:
    """Who is no person that wants to buy: by what the `client` program calls itself, by `login`, `token`, `channel`, or an order's
    `external_id` or `note` (patterns), by being one of some `customers`, or by so many `attempts` within so many seconds of the first. What
    a rule does not say holds always; it says at least one thing."""

    name: str
    apart: Apart
    reason: str
    client: str = ""
    login: str = ""
    token: str = ""
    channel: str = ""
    external_id: str = ""
    note: str = ""
    customers: tuple[str, ...] = ()
    attempts: int = 0
    within_s: int = 0

    def holds(self, who: Comer) -> bool:
        """Whether the rule holds for who comes."""
        told = [bool(re.search(pattern, getattr(who, name), re.MULTILINE)) for name in PATTERNS if (pattern := getattr(self, name))]
        told += [who.customer in self.customers] if self.customers else []
        told += [who.attempts >= self.attempts and who.since <= timedelta(seconds=self.within_s)] if self.attempts else []
        return bool(told) and all(told)


@dataclass(frozen=True, slots=True)
class JourneyPolicy:
    """One version of the rules. `budget_minor` is what an incentive may be worth at most, by market code; a market without one gives
    none."""

    version: str
    lost_after: timedelta
    follows_within: timedelta
    reach_after: timedelta
    reach_within: timedelta
    tries_max: int
    budget_minor: Mapping[str, int] = field(default_factory=dict)
    apart: tuple[ApartRule, ...] = ()

    def apart_of(self, who: Comer) -> ApartRule | None:
        """The first rule that holds; None for somebody who may want to buy."""
        return next((rule for rule in self.apart if rule.holds(who)), None)


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
        apart=tuple(ApartRule(**{**rule, "customers": tuple(rule.get("customers", ()))}) for rule in document["apart"]),
    )


@cache
def packaged() -> JourneyPolicy:
    """The rules of the package."""
    return policy_of(tomllib.loads(resources.files(__package__).joinpath("policy.toml").read_text(encoding="utf-8")))


Loaded = tuple[str, str]
"""From when on (ISO 8601, UTC) a file is in force, and its text."""
Policies = Callable[[datetime], JourneyPolicy]
"""The rules that were in force at a time."""


def in_force(loaded: Sequence[Loaded], at: datetime) -> JourneyPolicy:
    """The rules of the file that was loaded last before a time; those of the package where none was, or where it says what this program has
    no more."""
    return next((_read(document) for since, document in reversed(loaded) if datetime.fromisoformat(since) <= at), packaged())


@lru_cache(maxsize=16)
def _read(document: str) -> JourneyPolicy:
    try:
        policy = policy_of(tomllib.loads(document))
        return packaged() if next(_flaws(policy, ()), "") else policy
    except (ValueError, KeyError, TypeError, re.error):
        return packaged()


def checked(loaded: Sequence[Loaded], text: str) -> JourneyPolicy:
    """The rules of a file that may be loaded after others.

    Raises Refused (usage) with the first thing that is wrong in it: no TOML, a version that was loaded, something that it lacks, days,
    minutes or amounts that are none, a rule that says nothing or a pattern that is none.
    """
    try:
        policy = policy_of(tomllib.loads(text))
        known = {packaged().version, *(tomllib.loads(document)["version"] for _, document in loaded)}
        if flaw := next(_flaws(policy, known), ""):
            raise ValueError(flaw)
    except (ValueError, KeyError, TypeError, OverflowError, re.error) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise Refused(f"no policy was loaded: {what[:200]}") from None
    return policy


def _flaws(policy: JourneyPolicy, versions: Collection[str]) -> Iterator[str]:
    if type(policy.version) is not str or not _VERSION.fullmatch(policy.version) or policy.version in versions:
        yield "give it a `version` of its own: a word that was not loaded before"
    longest = timedelta(days=DAYS_MAX)
    if not all(timedelta() < each <= longest for each in (policy.lost_after, policy.follows_within, policy.reach_within)):
        yield f"days are from 1 to {DAYS_MAX}"
    if not timedelta() <= policy.reach_after <= policy.reach_within:
        yield "after_minutes is from 0 on, and within the days of the outreach"
    if type(policy.tries_max) is not int or policy.tries_max < 1:
        yield "tries_max is a whole number from 1 on"
    if not all(type(minor) is int and minor >= 0 for minor in policy.budget_minor.values()):
        yield "budget_minor is by market, in whole minor units of its currency"
    yield from (f"{rule.name}: {flaw}" for rule in policy.apart for flaw in _wrong(rule))


def _wrong(rule: ApartRule) -> Iterator[str]:
    if rule.apart not in get_args(Apart) or not (rule.customers or rule.attempts or any(getattr(rule, name) for name in PATTERNS)):
        yield f"it says who is {' or '.join(get_args(Apart))}, by {', '.join(PATTERNS)}, customers or attempts"
    for name in PATTERNS:
        re.compile(getattr(rule, name))
