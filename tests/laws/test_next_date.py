"""The law of the next date: somebody or something comes back to every open fallout, and never in the past."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import hypothesis
from hypothesis import strategies as st

from o2c.fallout.codes import packaged
from o2c.views.fallout_state import with_record
from tests.world import World, at, line, order

CODES = packaged().newest
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
hours = st.integers(0, 24 * 90)
past = hours.map(lambda n: NOW - timedelta(hours=n))
some_time = st.one_of(st.none(), st.integers(-24 * 90, 24 * 90).map(lambda n: NOW + timedelta(hours=n)))
UNTOUCHED = {
    "class": "technical", "origin": "direct", "step": "sim", "offering": "", "channel": "web", "partner": "", "queue": "inventory", "state": "open",
    "closed_at": None, "origin_event": None, "origin_field": None, "origin_agent": None, "origin_channel": None,
}  # fmt: skip


@st.composite
def fallouts(draw: st.DrawFn) -> tuple[dict[str, Any], datetime | None]:
    """An open fallout as its row and record may be at NOW, and when its step goes on by itself."""
    opened = draw(past)
    begun = sorted(draw(st.lists(past.filter(lambda moment: moment >= opened), max_size=3)))
    waiting: list[dict[str, Any]] = [
        {"for": "partner", "from": start.isoformat(), "to": end.isoformat()} for start, end in pairwise([*begun, NOW])
    ]
    waits = bool(waiting) and draw(st.booleans())
    if waits:
        waiting[-1]["to"] = None
    snoozed = None if waits else draw(some_time)
    record = {
        "waits_for": "partner" if waits else "", "waits_until": draw(some_time) if waits else None, "snoozed_until": snoozed,
        "waiting": waiting, "level": draw(st.integers(0, 3)),
    }  # fmt: skip
    return {**UNTOUCHED, **record, "opened_at": opened.isoformat(), "severity": draw(st.integers(0, 5))}, draw(some_time)


@hypothesis.given(fallouts())
def test_the_next_date_of_an_open_fallout_is_to_come(told: tuple[dict[str, Any], datetime | None]) -> None:
    """Whatever happened to it, how old it is and how high it was put: it has a next date, no sooner than now, and so after all that happened."""
    row, retry_at = told
    due = [row["waits_until"], row["snoozed_until"], retry_at]
    shown = with_record({**row, "retry_at": retry_at}, CODES, NOW)

    assert shown["next_at"] is not None
    assert datetime.fromisoformat(shown["next_at"]) >= NOW
    named = next((moment for moment in due if moment), None)
    assert not named or datetime.fromisoformat(shown["next_at"]) == max(named, NOW), (
        "an end or a retry that was named goes before any level"
    )


@hypothesis.given(days=st.integers(0, 400), severity=st.integers(1, 5))
def test_at_the_top_it_comes_up_again_and_again(days: int, severity: int) -> None:
    """One that nobody touches goes up a level at a time, and from the highest on comes up as often as it took to get there."""
    opened, levels = NOW - timedelta(days=days), CODES.escalation[severity]
    shown = with_record({**UNTOUCHED, "opened_at": opened.isoformat(), "severity": severity}, CODES, NOW)
    next_at = datetime.fromisoformat(shown["next_at"])

    if shown["level"] < len(levels):
        assert next_at == opened + timedelta(hours=levels[shown["level"]])
    else:
        assert timedelta() < next_at - NOW <= timedelta(hours=levels[-1])
        assert (next_at - opened) % timedelta(hours=levels[-1]) == timedelta()


def test_one_that_was_forgotten_has_a_next_date_on_a_store(store_dsn: str, tmp_path: Any) -> None:
    """For two months nobody looked: it is at the highest level, and its next date is to come."""
    world = World(store_dsn, tmp_path)
    world.stocked(esims=0).take(order("WEB-1", line()))
    world.run(at(5, month=3))
    [fallout] = world.fallouts("WEB-1")

    assert fallout["level"] == 3
    assert world.app.clock().now < datetime.fromisoformat(fallout["next_at"])
    world.close()
