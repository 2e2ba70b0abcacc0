"""How partners go down and come up: one row of figures a partner, and one for all others. Data, to be set to an operator's experience.

Both ways are dampened. A partner goes down by its last calls, each of another order, so that one order that is tried again and again takes no
partner down; and it comes up by several answers in a row, with a time between them, so that it does not flap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DETECTION = "detection"
"""Who says that a partner is down or up where the calls themselves showed it."""


@dataclass(frozen=True, slots=True)
class OutageRule:
    """When a partner counts as down and as up again, and how fast its parked calls are made.

    The usual figures: where one call in five fails by itself, eight orders in a row meet nobody by chance once in 400,000 calls; where two in a
    hundred do, never. It is down once `failed_percent` of the last `calls_min` calls met nobody, all within `window_s` seconds. Then one call is made every
    `probe_every_s` seconds, and it is up once `answers_min` of them in a row were answered. `rate_per_min` is how many parked calls are made in
    a minute from then on.
    """

    window_s: int = 3600
    calls_min: int = 8
    failed_percent: int = 100
    probe_every_s: int = 120
    answers_min: int = 2
    rate_per_min: int = 60


USUAL = OutageRule()
RULES: Mapping[str, OutageRule] = {"clearing-house": OutageRule(rate_per_min=30)}
"""The partners that the usual rule does not fit."""


def rule_of(partner: str) -> OutageRule:
    """Give the rule of a partner."""
    return RULES.get(partner, USUAL)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a partner: of which stream, when, and whether it met nobody."""

    stream: str
    at: datetime
    failed: bool


@dataclass(frozen=True, slots=True)
class Detected:
    """An outage as calls show it: `since` the first call that met nobody, found with the call `at`; `failed` of the last `calls` calls did."""

    since: datetime
    at: datetime
    calls: int
    failed: int


def detected(calls: Iterable[Call], rule: OutageRule) -> Detected | None:
    """Find an outage in calls, in the order of their times; None when they show none. Of calls of one stream only the last counts.

    Only a call that met nobody shows an outage: one that was answered shows that it is over.
    """
    for last, window in _windows(calls, rule):
        failed = [call for call in window if call.failed]
        if last.failed and len(window) == rule.calls_min and len(failed) * 100 >= rule.failed_percent * len(window):
            return Detected(min(call.at for call in failed), last.at, len(window), len(failed))
    return None


def undecided(calls: Iterable[Call], rule: OutageRule) -> bool:
    """Whether calls that show no outage might show one together with calls before them."""
    for last, window in _windows(calls, rule):
        failed = sum(call.failed for call in window) + rule.calls_min - len(window)
        if last.failed and len(window) < rule.calls_min and failed * 100 >= rule.failed_percent * rule.calls_min:
            return True
    return False


def _windows(calls: Iterable[Call], rule: OutageRule) -> Iterable[tuple[Call, Sequence[Call]]]:
    """Each call, with the last calls of other streams up to it and itself."""
    latest: dict[str, Call] = {}
    for call in sorted(calls, key=lambda call: (call.at, call.stream)):
        latest.pop(call.stream, None)
        latest[call.stream] = call
        began = call.at - timedelta(seconds=rule.window_s)
        yield call, [one for one in list(latest.values())[-rule.calls_min :] if one.at > began]
