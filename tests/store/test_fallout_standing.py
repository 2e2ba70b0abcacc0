"""How fallouts stand, in SQL: filters and pages find exactly those that the list shows so, after random histories."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.fallouts import STATES, list_fallouts
from projections.engine.operations import catch_up
from tests.histories import DAY_ONE, Told, append, captured, of_order, order_events, planned
from tests.store.test_fallout_groups import fell_out, waits

NOW_MINUTES = 20_000
TIERS = ("", "standard", "key-account", "gold")
_salts = itertools.count()


def moment(minutes: int) -> str:
    return (DAY_ONE + timedelta(minutes=minutes)).isoformat()


@st.composite
def deeds(draw: st.DrawFn, history: list[Told]) -> list[Told]:
    """What people did with the fallouts of a history, and when steps are tried again."""
    told = []
    for event in [event for event in history if event.type.endswith("fell-out")]:
        fallout, number = str(event.body["fallout"]), int(str(event.body["fallout"]).split()[0])
        of = {"fallout": fallout, "fell_out_in": event.stream}
        for minutes in sorted(draw(st.lists(st.integers(event.minutes, NOW_MINUTES - 50), max_size=3))):
            later = moment(draw(st.integers(minutes, NOW_MINUTES + 2_000)))
            name, body = draw(
                st.sampled_from(
                    (
                        ("fallout.claimed", {"by": "ann", "until": later}),
                        ("fallout.assigned", {"to": "ben", "queue": ""}),
                        ("fallout.assigned", {"to": "", "queue": "credit"}),
                        ("fallout.released", {}),
                        ("fallout.snoozed", {"until": later}),
                        ("fallout.escalated", {"level": 3}),
                        ("fallout.information-requested", {"waits_for": "customer", "until": later}),
                        ("fallout.reopened", {}),
                    )
                )
            )
            told.append(Told(f"fallout-{fallout}", name, {**of, **body}, minutes=minutes))
        if draw(st.booleans()):
            at = draw(st.integers(event.minutes, NOW_MINUTES))
            place = {"item": event.body["item"], "step": event.type.removesuffix(".fell-out")}
            salt = fallout.split()[3]
            told.append(of_order(number, "retry.scheduled", at, salt, **place, due_at=moment(at + draw(st.integers(0, 3_000)))))
            if draw(st.booleans()):
                told.append(of_order(number, "fallout.correction-applied", at, salt, **place, fallout=fallout))
    return told


@st.composite
def histories(draw: st.DrawFn) -> list[Told]:
    """Orders of customers of several tiers, most of them planned, and their fallouts, some of them handled and some closed."""
    salt = f"-s{next(_salts)}"
    begun = [told for number in range(4) for told in (captured(number, 0, salt), planned(number, 1, salt))]
    for told in begun[::2]:
        told.body.update(tier=draw(st.sampled_from(TIERS)), priority=draw(st.integers(0, 4)))
    history = [*begun, *draw(st.lists(fell_out(salt), min_size=6, max_size=16))]
    return [*history, *draw(st.lists(order_events(salt), max_size=12)), *draw(waits(history)), *draw(deeds(history))]


@hypothesis.given(data=st.data())
@hypothesis.settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
    phases=[hypothesis.Phase.generate],
)
def test_filters_and_pages_find_what_the_list_shows(log: str, data: st.DataObject) -> None:
    """State, owner, next date and rank of each are told by the record of one row; the filters in SQL find just those, and pages lack none."""
    append(log, data.draw(histories()))
    catch_up(log)
    with Engine(log) as app:
        # These histories have no personal fields, so that orders cannot be read; what blocks what is no matter here.
        app.sees_log = False
        if app.reads.clock() is None:
            app.create_clock(kind="simulated", start=DAY_ONE + timedelta(minutes=NOW_MINUTES))
        rows = list_fallouts(app, everything=True)
        now = app.clock().now

        def found(**filters: Any) -> set[str]:
            return {row["fallout"] for row in list_fallouts(app, everything=True, **filters)}

        for state in STATES:
            assert found(state=state) == {row["fallout"] for row in rows if row["state"] == state}, state
        for owner in {row["owner"] for row in rows}:
            assert found(owner=owner) == {row["fallout"] for row in rows if row["owner"] == owner}, owner
        for due_by in (now + timedelta(hours=hours) for hours in (-1, 0, 1, 5, 24, 100, 200)):
            due = {row["fallout"] for row in rows if row["next_at"] and datetime.fromisoformat(row["next_at"]) <= due_by}
            assert found(due_by=due_by) == due
        for rank_max in {row["rank"] for row in rows}:
            assert found(rank_max=rank_max) == {row["fallout"] for row in rows if row["rank"] <= rank_max}
        for days in (1, 2, 5):
            assert found(age_days=days) == {row["fallout"] for row in rows if row["age_s"] >= days * 86_400}

        pages, after = [], ""
        while page := list_fallouts(app, everything=True, limit=3, after=after):
            pages += [row["fallout"] for row in page]
            after = page[-1]["place"]
        assert pages == [row["fallout"] for row in rows]
        ranks = [(row["rank"], row["opened_at"], row["fallout"]) for row in rows]
        assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        pytest.param({"state": "lost"}, "no state lost", id="a state that is none"),
        pytest.param({"after": "here"}, "is no place", id="a place that is none"),
        pytest.param({"age_days": -1}, "is no age", id="an age that is none"),
        pytest.param({"age_days": 10**9}, "is no age", id="an age before any calendar"),
        pytest.param({"after": "1/2026-01-05T09:00:00Z/5d", "sort": "oldest"}, "by rank", id="a place where nothing goes by rank"),
    ],
)
def test_what_there_is_not_is_refused(log: str, filters: dict[str, Any], told: str) -> None:
    """In one line, before anything is looked up."""
    with Engine(log) as app, pytest.raises(Refused, match=told):
        list_fallouts(app, **filters)
