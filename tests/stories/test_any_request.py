"""Whatever is sent, the service answers as its description says: schemathesis makes the requests, good and bad ones, and judges the answers."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Refused
from o2c.entrypoints.http.problems import MEDIA_TYPE
from tests.inside import BASE, inside
from tests.requests_made import Trial
from tests.service import serving
from tests.world import World

DEEP = bool(os.environ.get("O2C_DEEP"))


@pytest.fixture
def trial(rich_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """The service on a store in which everything has happened; nobody waits there for what never comes."""
    monkeypatch.setattr("o2c.entrypoints.http.native.WAIT_S", 0.01)
    monkeypatch.setattr("o2c.entrypoints.http.feed.WAIT_S", 0.01)
    world = World(rich_dsn, tmp_path)
    with inside(world, tmp_path) as session:
        yield Trial(session)
    world.close()


def test_a_time_far_from_here_is_a_time(rich_dsn: str, tmp_path: Path) -> None:
    """A zone that PostgreSQL does not know of is one all the same, and a time before all time is a mistake of the caller's."""
    world = World(rich_dsn, tmp_path)
    with serving(world, tmp_path) as service:
        far = [
            service.get(f"/api/v1/metrics/flow?since={day}T20:25:24{zone}")
            for day, zone in (("2026-01-01", "-16:19"), ("0001-01-01", "%2B23:00"))
        ]
    world.close()

    assert [told.status_code for told in far] == [200, 422]


def test_what_failed_of_many_is_told(rich_dsn: str, tmp_path: Path) -> None:
    """A job of which some fail is answered, with the first of these by name."""
    world = World(rich_dsn, tmp_path)
    with inside(world, tmp_path) as session:
        told = session.post(f"{BASE}/api/v1/fallout/bulk", json={"way": {"action": "retry"}, "query": {"age_days": 1}, "note": "once more"})
    world.close()

    done = told.json()
    assert (told.status_code, done["failed"] > 0, len(done["failures"]) > 0) == (200, True, True)
    assert done["failures"][0].keys() == {"fallout", "result", "why"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/orders/documents?offset=9223372036854775808", 422),
        ("/api/v1/orders/documents?offset=-1", 422),
        ("/api/v1/orders/documents?priorities=9223372036854775808", 422),
        ("/api/v1/orders/cancellations?offset=1000000000000000000000", 422),
        ("/api/v1/orders/documents?offset=2147483648", 200),
    ],
)
def test_a_number_that_no_store_has_room_for_is_the_callers_mistake(rich_dsn: str, tmp_path: Path, path: str, status: int) -> None:
    """Beyond 64 bits, or fewer than none left out."""
    world = World(rich_dsn, tmp_path)
    with inside(world, tmp_path) as session:
        told = session.get(f"{BASE}{path}")
    world.close()

    assert (told.status_code, told.headers["Content-Type"]) == (status, MEDIA_TYPE if status == 422 else "application/json")


@pytest.mark.parametrize(
    ("broken", "instead"),
    [
        ("o2c.entrypoints.http.native.answered", lambda result: {"odd": 1}),
        ("o2c.entrypoints.http.native.all_seen", lambda app: 1 // 0),
        ("o2c.entrypoints.http.problems.MEDIA_TYPE", "application/json"),
        ("o2c.entrypoints.http.callers.known", lambda *words: (_ for _ in ()).throw(Refused("elsewhere", kind="misdirected"))),
    ],
    ids=["a shape", "a defect", "a media type", "a status"],
)
def test_what_is_not_as_described_is_seen(trial: Trial, monkeypatch: pytest.MonkeyPatch, broken: str, instead: Any) -> None:
    """A control: an answer of another shape, a defect, a refusal that is no problem, and a status that is not told of."""
    monkeypatch.setattr(broken, instead)
    trial.operations = [operation for operation in trial.operations if operation.label == "GET /api/v1/status"]

    trial.enumerated(20)

    assert trial.failures


@pytest.mark.once
def test_every_boundary_is_answered_as_described(trial: Trial) -> None:
    """Each parameter and field at its ends, beyond them, left out and of another type: no defect, no answer that is not described."""
    trial.enumerated(1_000 if DEEP else 64)

    assert not trial.failures, "\n".join(trial.failures.values())
    assert trial.answers.total() >= (25_000 if DEEP else 6_500), trial.answers


@pytest.mark.once
def test_whatever_is_drawn_is_answered_as_described(trial: Trial) -> None:
    """Requests by chance, most of which fit their description, half of them about what there is."""
    trial.drawn(*((400, 200) if DEEP else (17, 4)))

    assert not trial.failures, "\n".join(trial.failures.values())
    assert trial.answers.total() >= (65_000 if DEEP else 2_500), trial.answers


@pytest.mark.once
def test_what_an_answer_names_can_be_asked_for(trial: Trial) -> None:
    """Chains of requests, each about what the one before named."""
    trial.linked(10_000 if DEEP else 1_000, steps=10)

    assert not trial.failures, "\n".join(trial.failures.values())
    assert trial.answers.total() >= (10_000 if DEEP else 1_000), trial.answers
