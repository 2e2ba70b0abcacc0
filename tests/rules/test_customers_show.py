"""What the show of customers counts by itself, on small logs: where journeys end, that nobody is told twice, that a delay is told in time, and the clocks of complaints."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.bulk import BulkDone
from tests.customers_claims import heard, spoken_of, state_by_log, told_of_a_job
from tests.customers_people import some_of
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


FELL_OUT = record("porting.fell-out", "order-o-1", fallout="f-1")
JOB = [FELL_OUT, record("job.started", "job-1", fallouts=["f-1"]), record("order.failed", "order-o-1")]
DECLINED = record("message.scheduled", "message-1", order="o-1", milestone="declined")
DONE = BulkDone("job-1", matched=1, done=1, failed=0, stopped=0, new_since=0)


@pytest.mark.parametrize(
    ("records", "again", "good"),
    [
        pytest.param([*JOB, DECLINED], DONE, True, id="told once"),
        pytest.param(JOB, DONE, False, id="not told"),
        pytest.param([*JOB, DECLINED, DECLINED], DONE, False, id="told twice"),
        pytest.param([*JOB, DECLINED], replace(DONE, done=2), False, id="done again"),
        pytest.param([FELL_OUT, DECLINED], DONE, False, id="no job"),
    ],
)
def test_who_is_told_of_a_job(records: list[Mapping[str, Any]], again: BulkDone, good: bool) -> None:
    """Everybody whose order it ended, once; and what was asked for twice was done once."""
    assert told_of_a_job(records, [(DONE, again)]).good is good


RAISED = record("complaint.raised", "complaint-c", outside_from="2026-03-02T09:00:00+00:00")
ANSWERED = record("complaint.answered", "complaint-c", "2026-01-06T09:00:00+00:00")


def opened(at: str) -> Mapping[str, Any]:
    """The customer may go outside."""
    return record("complaint.opened-outside", "complaint-c", at)


@pytest.mark.parametrize(
    ("events", "on", "wrong"),
    [
        pytest.param([ANSWERED], "2026-02-01", "", id="answered the next day"),
        pytest.param([], "2026-01-18", "", id="nobody did, and there is time"),
        pytest.param([], "2026-01-20", "neither", id="nobody did"),
        pytest.param([record("complaint.escalated", "complaint-c", "2026-01-19T09:00:00+00:00")], "2026-02-01", "", id="given on by its day"),
        pytest.param([record("complaint.escalated", "complaint-c", "2026-01-20T09:00:00+00:00")], "2026-02-01", "after its day", id="given on a day late"),
        pytest.param([record("complaint.answered", "complaint-c", "2026-01-07T09:00:00+00:00")], "2026-02-01", "after its day", id="answered a day late"),
        pytest.param([ANSWERED, opened("2026-03-02T09:00:00+00:00")], "2026-03-05", "", id="opened outside to the moment"),
        pytest.param([ANSWERED], "2026-03-05", "opened outside", id="not opened"),
        pytest.param([ANSWERED, opened("2026-03-02T09:15:00+00:00")], "2026-03-05", "opened outside", id="opened late"),
        pytest.param([ANSWERED, record("complaint.resolved", "complaint-c", "2026-02-01T09:00:00+00:00")], "2026-03-05", "", id="resolved before"),
        pytest.param([ANSWERED, record("complaint.resolved", "complaint-c", "2026-02-01T09:00:00+00:00"), opened("2026-03-02T09:00:00+00:00")], "2026-03-05", "opened outside", id="opened though it was over"),
    ],
)  # fmt: skip
def test_the_clock_of_a_complaint(events: list[Mapping[str, Any]], on: str, wrong: str) -> None:
    """Answered the next day or given on within two weeks, and opened outside after eight weeks unless it is over, to the moment."""
    told = heard([RAISED, *events])["c"].wrong(datetime.fromisoformat(f"{on}T12:00:00+00:00"))
    assert wrong in told
    assert bool(wrong) == bool(told)


@pytest.mark.parametrize(
    ("contact", "state"),
    [
        pytest.param(("o-1", 10), "done", id="about the order"),
        pytest.param(("", 10), "done", id="about none in particular"),
        pytest.param(("o-2", 10), "missed", id="about another one"),
        pytest.param(("o-1", 8), "missed", id="before it"),
        pytest.param(("o-1", 18), "missed", id="when the time is over"),
    ],
)
def test_a_contact_with_a_key_account(contact: tuple[str, int], state: str) -> None:
    """Made in time, or missed; while there is time it is open."""
    row = {"customer": "C", "order": "o-1", "reached_at": "2026-01-05T09:00:00+00:00", "due_at": "2026-01-05T18:00:00+00:00"}
    spoken = spoken_of([record("customer.contacted", "customer-C", f"2026-01-05T{contact[1]:02}:00:00+00:00", customer="C", order=contact[0], direction="outbound")])  # fmt: skip

    assert state_by_log(row, spoken, datetime(2026, 1, 6, tzinfo=UTC)) == state
    assert state_by_log(row, {}, datetime(2026, 1, 5, 12, tzinfo=UTC)) == "open"


def test_some_papers_of_businesses_are_among_those_chosen() -> None:
    """They are few, and an even choice may leave all of them out; the order of the papers stays, and none is there twice."""
    lines = [b'{"n":%d,"category":"%s"}' % (number, b"business" if number % 20 == 7 else b"consumer") for number in range(200)]
    chosen = some_of(lines, 10)

    assert chosen == sorted(set(chosen), key=lines.index)
    assert [line for line in chosen if b"business" not in line] == lines[::20]
    assert len(chosen) == 12
