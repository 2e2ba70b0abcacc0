"""What the show of customers counts by itself, on small logs: where journeys end, that nobody is told twice, and that a delay is told in time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.customers_show import fates, told_in_time, told_once


def record(name: str, stream: str, at: str = "2026-01-05T09:00:00+00:00", **data: Any) -> Mapping[str, Any]:
    """An event as `o2c events find` prints it."""
    return {"type": name, "stream": stream, "occurred_at": at, "data": data}


def message(stream: str, key: str, at: str = "2026-01-05T10:00:00+00:00", **data: Any) -> list[Mapping[str, Any]]:
    """A message about a delay that was due and sent."""
    told = {"key": key, "order": "o-1", "milestone": "delay", "about": "2026-01-09", **data}
    return [record("message.scheduled", stream, **told), record("message.sent", stream, at)]


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "open"),
        ([record("journey.lost", "journey-a")], "lost"),
        ([record("journey.ordered", "journey-a", recovered=False)], "ordered"),
        ([record("journey.ordered", "journey-a", recovered=True)], "recovered"),
        ([record("journey.lost", "journey-a"), record("journey.ordered", "journey-a", recovered=True)], "recovered"),
        ([record("journey.followed", "journey-a")], None),
    ],
)
def test_a_journey_is_where_its_last_event_says(events: list[Mapping[str, Any]], state: str | None) -> None:
    """One that goes on in another is none of its own."""
    assert fates([record("journey.started", "journey-a"), *events]).get("a") == state


def test_who_is_told_twice_is_seen(tmp_path: Path) -> None:
    """The same thing decided twice, sent twice without anybody's wish, or a letter more than was sent."""
    (tmp_path / "outbox" / "email").mkdir(parents=True)
    (tmp_path / "outbox" / "email" / "m-1").touch()
    once = message("message-1", "order-o-1/delay/2026-01-09")
    asked = [*once, record("message.resend-asked", "message-1"), *once[1:]]

    assert told_once(once, tmp_path).good
    assert not told_once([*once, *message("message-2", "order-o-1/delay/2026-01-09")[:1]], tmp_path).good
    assert not told_once([*once, *once[1:]], tmp_path).good
    assert not told_once(once[:1], tmp_path).good
    (tmp_path / "outbox" / "email" / "m-2").touch()
    assert not told_once(once, tmp_path).good
    assert told_once(asked, tmp_path).good


@pytest.mark.parametrize(("sent_at", "good"), [("2026-01-06T08:00:00+00:00", True), ("2026-01-08T00:00:00+00:00", False)])
def test_a_delay_that_was_known_is_told_before_the_day_is_over(sent_at: str, good: bool) -> None:
    """Known on the fifth of what was promised for the seventh."""
    moved = record("promise.revised", "order-o-1", item="1", promised_on="2026-01-09", promised_before="2026-01-07")

    assert told_in_time([moved, *message("message-1", "k", sent_at)]).good is good
