"""Laws of waiting and of promises: at each instant exactly one is waited for, and every promise made is kept, broken or open."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.views.promised import STATES, judged
from o2c.views.waiting import path_of, working_s
from projections.critical_path import WAITERS, Stretch, critical_path, waited_s, whole_s
from projections.engine.fold import Fold
from projections.engine.projection import Projection, derive
from projections.engine.seen import names_of, stamp
from projections.promises import PROMISES
from projections.waits import WAITS
from tests.given import MARKET
from tests.histories import DAY_ONE, captured, histories, of_order, planned, seen

BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)
MOMENTS = st.integers(0, 4_000_000).map(lambda milliseconds: BEGUN + timedelta(milliseconds=milliseconds))
PLACES = ("/validation", "1/sim", "1/delivery", "1/cutover", "2/sim")


@st.composite
def steps(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Steps of an order as the fold keeps them: who is waited for from when on, in any order of affairs."""
    found = {}
    for place in draw(st.lists(st.sampled_from(PLACES), unique=True)):
        times = sorted(draw(st.lists(MOMENTS, min_size=1, max_size=6, unique=True)))
        line = [[stamp(at), draw(st.sampled_from(("", *WAITERS)))] for at in times]
        known = draw(st.one_of(st.none(), MOMENTS.map(stamp)))
        found[place] = {"line": line, "waits": draw(st.lists(st.sampled_from(PLACES), max_size=2)), "known": known}
    return found


def is_whole(path: list[Stretch], begun: datetime, ended: datetime) -> bool:
    """Whether stretches follow on one another from one time to another, and sum to all of it in whole seconds."""
    bounds = [begun, *(part.ended for part in path)]
    follows = all(part.begun == before for part, before in zip(path, bounds, strict=False)) and bounds[-1] == ended
    return follows and sum(waited_s(path).values()) == whole_s(begun, ended)


@hypothesis.given(steps=steps(), ended=MOMENTS)
@hypothesis.settings(max_examples=200, deadline=None)
def test_each_instant_is_waited_for_somebody(steps: dict[str, dict[str, Any]], ended: datetime) -> None:
    """From capture to any later time without a gap and without an overlap, whatever the steps did; to the second."""
    path = critical_path(steps, BEGUN, ended)

    assert is_whole(path, BEGUN, ended) or ended == BEGUN == (path or ended)
    assert all(part.begun < part.ended and part.who in WAITERS for part in path)
    assert 0 <= working_s(path, MARKET) <= waited_s(path)["us"]


def test_a_gap_is_seen() -> None:
    """The control: a path that leaves a minute out is not whole, nor one that counts it twice."""
    minute = timedelta(minutes=1)
    halves = [Stretch(BEGUN, BEGUN + minute, "us", ""), Stretch(BEGUN + 2 * minute, BEGUN + 3 * minute, "us", "")]
    assert not is_whole(halves, BEGUN, BEGUN + 3 * minute)
    assert not is_whole([*halves[:1], Stretch(BEGUN, BEGUN + 3 * minute, "us", "")], BEGUN, BEGUN + 3 * minute)


def rows_of(projection: Projection, history: list[Any]) -> list[dict[str, Any]]:
    fold = Fold(projection, names_of(projection.types), strict=True)
    fold.take(fold.assign_groups(seen(history)))
    return [row for group, doc in fold.docs.items() for row in derive(projection, group, doc).values()]


@hypothesis.given(history=histories(), later=st.integers(0, 900))
@hypothesis.settings(max_examples=60, deadline=None)
def test_what_the_fold_tells_is_whole(history: list[Any], later: int) -> None:
    """Of any history, sensible or not: open orders until any time, those that are over until their end."""
    for row in rows_of(WAITS, history):
        captured_at = datetime.fromisoformat(row["captured_at"])
        ended = datetime.fromisoformat(row["closed_at"]) if row["closed_at"] else captured_at + timedelta(minutes=later)
        path = path_of({**row, "captured_at": captured_at}, ended)
        assert path == [] if ended <= captured_at else is_whole(path, captured_at, ended)


@st.composite
def promised(draw: st.DrawFn) -> list[Any]:
    """A history in which promises are revised, too."""
    history = draw(histories(max_size=30))
    wishes = st.sampled_from(({}, {"by_customer": True}, {"by_customer": True, "cause_reason": ""}))
    days = draw(
        st.lists(st.tuples(st.integers(0, 2), st.sampled_from(("1", "2")), st.integers(1, 28), st.integers(2, 500), wishes), max_size=6)
    )
    revised = [
        of_order(number, "promise.revised", minutes, item=item, promised_on=f"2026-01-{day:02}", promised_before="2026-01-01", **wish)
        for number, item, day, minutes, wish in days
    ]
    return [*(planned(number, 1) for number in range(3)), *history, *revised]


@hypothesis.given(history=promised(), days=st.integers(-10, 60))
@hypothesis.settings(max_examples=80, deadline=None)
def test_every_promise_is_kept_broken_or_open(history: list[Any], days: int) -> None:
    """At any time: the three sum to all that were made; one that is over stays as it is; each revised one names the event that revised it."""
    now = DAY_ONE + timedelta(days=days)
    for row in map(dated, rows_of(PROMISES, history)):
        found = judged(row, now)
        counted = [sum(one["state"] == state for one in found) for state in STATES]
        assert sum(counted) == len(row["made"]) == len(found)
        assert [one["revised_by"] for one in found] == [made["by_event"] for made in row["made"][1:]] + [None] * bool(found)
        later = judged(row, now + timedelta(days=30))
        assert [one["state"] for one in later if one["state"] == "open"] == [] or row["ended_on"] is None
        assert all(after["state"] == before["state"] for before, after in zip(found, later, strict=True) if before["state"] != "open")
        assert all((one["late_days"] is None) == (one["state"] == "open") for one in found)


@pytest.mark.parametrize(
    ("asked", "by_customer", "reason", "must"),
    [
        pytest.param(1, True, "", ("kept", True), id="its customer wished something else before its day was over"),
        pytest.param(9, True, "", ("broken", False), id="only when it was over"),
        pytest.param(1, True, "LOG-HOME", ("broken", False), id="it is not what he wished, but what came of him"),
        pytest.param(1, False, "", ("broken", False), id="we moved it"),
    ],
)
def test_a_promise_that_its_customer_let_go_was_not_broken(asked: int, by_customer: bool, reason: str, must: tuple[str, bool]) -> None:
    """Promised for the 6th and then for the 20th, which passes too: that one is broken, whoever moved the first."""
    moved = {"item": "1", "promised_before": "2026-01-06", "promised_on": "2026-01-20", "by_customer": by_customer, "cause_reason": reason}
    history = [planned(0), of_order(0, "promise.revised", asked * 24 * 60, **moved)]
    [row] = [row for row in map(dated, rows_of(PROMISES, [captured(0), *history])) if row["item"] == "1"]
    first, last = judged(row, DAY_ONE + timedelta(days=40))

    assert (first["promised_on"].isoformat(), first["state"], first["withdrawn"]) == ("2026-01-06", *must)
    assert (last["state"], last["withdrawn"]) == ("broken", False)
    assert first["broken_by"] == (None if must[1] else first["revised_by"])


def dated(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its days as days, as the table gives them."""
    days = {name: date.fromisoformat(row[name]) if row[name] else None for name in ("completed_on", "ended_on")}
    return {**row, **days}
