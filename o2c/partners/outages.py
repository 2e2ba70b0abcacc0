"""How the calls of a partner show that it is down. By which figures they do is data, in the file of reason codes
(`kernel.reasons.OutageRule`).

Both ways are dampened. A partner goes down by calls of several orders, so that one order that is tried again and again takes no partner
down, and by more of them the more often it fails while it is well. It comes up by several answers in a row, with a time between them, so
that it does not flap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from o2c.kernel.reasons import OutageRule

DETECTION = "detection"
"""Who says that a partner is down or up where the calls themselves showed it."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a partner: of which stream, when, and whether it met nobody."""

    stream: str
    at: datetime
    failed: bool


@dataclass(frozen=True, slots=True)
class Detected:
    """An outage as calls show it: `since` the first call in a row that met nobody, found with the call `at`; `calls` are all of that row,
    of so many `orders`."""

    since: datetime
    at: datetime
    calls: int
    orders: int


def detected(calls: Iterable[Call], rule: OutageRule, *, after: datetime = LONG_AGO, judged_from: datetime = LONG_AGO) -> Detected | None:
    """Find an outage in calls, in the order of their times; None when they show none.

    Calls up to `after`, when the partner came up last, only tell how often it usually meets nobody. Whether it is down is asked at each
    call from `judged_from` on.
    """
    answered = failed = 0
    row: list[Call] = []
    for call in _in_order(calls):
        if not call.failed:
            answered, failed, row = answered + 1, failed + len(row), []
        elif call.at <= after:
            failed += 1
        else:
            row.append(call)
            recent = [one for one in row if one.at > call.at - timedelta(seconds=rule.window_s)]
            if call.at >= judged_from and _shows(recent, _usual(answered, failed, rule), rule):
                return Detected(recent[0].at, call.at, len(recent), len({one.stream for one in recent}))
    return None


def undecided(calls: Iterable[Call], rule: OutageRule, *, judged_from: datetime = LONG_AGO) -> bool:
    """Whether calls might show an outage at one of those from `judged_from` on, by themselves or together with calls before them.

    They might wherever so many in a row met nobody, or the row goes back to before them; by how many it takes, only calls before tell.
    """
    row, whole = 0, False
    for call in _in_order(calls):
        row, whole = (row + 1, whole) if call.failed else (0, True)
        if row and call.at >= judged_from and (not whole or row >= rule.calls_min):
            return True
    return False


def weight_of(row: Sequence[Call], rule: OutageRule) -> int:
    """How many calls in a row count; none where they are of too few orders.

    Of the order with most of them one does. Of each other the first and, because two may be in trouble of their own for a moment, those
    from the third on, up to its `tries_max`-th.
    """
    tries = sorted(min(count, rule.tries_max) for count in Counter(call.stream for call in row).values())
    return sum(max(1, count - 1) for count in tries[:-1]) + 1 if len(tries) >= max(rule.orders_min, 1) else 0


def _shows(row: Sequence[Call], usual: float, rule: OutageRule) -> bool:
    weight = weight_of(row, rule)
    return weight >= rule.calls_min and usual**weight * rule.once_in < 1


def _usual(answered: int, failed: int, rule: OutageRule) -> float:
    """The share of its calls with which a partner meets nobody while it is well, as far as some calls and what was thought before tell."""
    return (failed + rule.usual_percent / 100 * rule.usual_calls) / (answered + failed + rule.usual_calls)


def _in_order(calls: Iterable[Call]) -> list[Call]:
    return sorted(calls, key=lambda call: (call.at, call.stream, call.failed))
