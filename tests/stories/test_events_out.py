"""`o2c events`: the log as JSON lines for a shell pipe."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from o2c.entrypoints.cli.main import app
from o2c.kernel.refusal import Refused
from o2c.views.following import EventRecord
from tests.world import ADDRESS, World, at, line, order, ported

COMMAND = [sys.executable, "-m", "o2c.entrypoints.cli.main", "events"]


@pytest.fixture(params=["simulated", "real"])
def world(request: pytest.FixtureRequest, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A store of each kind of clock with one order taken in; commands find it in the environment."""
    monkeypatch.setenv("O2C_DSN", dsn)
    world = World(dsn, tmp_path, clock=request.param).stocked()
    world.take(order("WEB-1", line(sim="physical")))
    yield world
    world.close()


def said(*arguments: str) -> Any:
    """The lines that a command prints, run in this process."""
    done = CliRunner().invoke(app, ["events", *arguments])
    if done.exception:
        raise done.exception
    return [json.loads(text) for text in done.stdout.splitlines()]


def test_find_filters_by_type_order_time_and_place(world: World) -> None:
    """Types by name or pattern, an order by either id, from a time or a place to another; positions are text; nothing personal."""
    whole = said("find")
    captured = said("find", "--type", "order.captured", "--order", "WEB-1")
    [one] = captured
    place = f"{one['position']}:{one['id']}"

    assert set(one) == set(EventRecord.__slots__)
    assert isinstance(one["position"], str)
    assert ADDRESS not in json.dumps(whole)
    assert said("find", "--type", "order.*", "--customer", "C-1", "--limit", "1") == captured
    assert said("find", "--since", place) == whole[whole.index(one) + 1 :]
    assert said("find", "--since", one["position"], "--limit", "1") == whole[whole.index(one) + 1 :][:1]
    assert said("find", "--until", one["position"]) == whole[: whole.index(one)]
    assert said("find", "--order", "WEB-1", "--since", one["occurred_at"], "--until", "2100-01-01")[:1] == captured
    assert said("find", "--type", "order.captured", "--since", "2100-01-01") == []


@pytest.mark.parametrize("world", ["simulated"], indirect=True)
def test_identifiers_are_masked_unless_asked_for(world: World) -> None:
    """Of SIMs and numbers a person sees the ends, as in the analysts' views; whoever needs them in full says so."""
    masked, full = (said("find", "--type", "sim.received", *more)[0] for more in ((), ("--identifiers",)))
    [told] = world.app.reads.rows(
        "SELECT stream, body, masked_stream, masked_body FROM (SELECT stream, position, body FROM o2c.event) e"
        " JOIN (SELECT position, stream AS masked_stream, body AS masked_body FROM o2c.analyst_event) a USING (position) WHERE position = %s",
        int(full["position"]),
    )

    assert (full["stream"], full["data"]) == (told["stream"], told["body"])
    assert masked["data"] == told["masked_body"] != told["body"]
    assert masked["stream"] == f"sim-{told['masked_stream']}"


@pytest.mark.parametrize("world", ["simulated"], indirect=True)
def test_what_a_port_brings_is_masked_whole(world: World) -> None:
    """The number to bring and its code stand in the plan of an order; neither is shown, however short it is."""
    world.take(order("WEB-7", ported(), party="C-3"), name="ports.jsonl")
    world.run(at(5, 12))

    masked, full = (json.dumps(said("find", "--order", "WEB-7", "--type", "order.planned", *more)) for more in ((), ("--identifiers",)))

    assert "ABC123456" in full
    assert "ABC123456" not in masked
    assert '"portInNumber": "***"' in masked


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        pytest.param(("find", "--type", "order.complete"), "usage", "did you mean order.completed", id="near a type"),
        pytest.param(("tail", "--type", "dreams"), "usage", "no event is called dreams", id="no type"),
        pytest.param(("find", "--order", "WEB-9"), "missing", "no order WEB-9", id="no order"),
        pytest.param(("find", "--since", "soon"), "usage", "is no time", id="no time"),
        pytest.param(("tail", "--since", "9000000000000000000"), "conflict", "ahead of this log", id="ahead"),
        pytest.param(("tail", "--since", "1:6f0c0d1e-0f0d-4c53-8b7c-3a4d5e6f7a8b"), "conflict", "is not in this log", id="another log"),
        pytest.param(("tail", "--since", "1:mine"), "usage", "POSITION:ID", id="no id"),
    ],
)
@pytest.mark.parametrize("world", ["simulated"], indirect=True)
def test_what_cannot_be_found_is_said(world: World, arguments: tuple[str, ...], kind: str, says: str) -> None:
    """A name, a place or a time that is none is refused in one line, near names beside it."""
    with pytest.raises(Refused, match=says) as refusal:
        said(*arguments)
    assert refusal.value.kind == kind


@pytest.fixture
def tail(world: World) -> Iterator[subprocess.Popen[str]]:
    """A tail from the beginning of the log that has printed what is there."""
    process = subprocess.Popen([*COMMAND, "tail", "--since", "2000-01-01"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def printed(process: subprocess.Popen[str], last: str) -> list[str]:
    """The ids of the events printed up to the one named."""
    assert process.stdout
    ids: list[str] = []
    for text in process.stdout:
        ids.append(json.loads(text)["id"])
        if ids[-1] == last:
            break
    return ids


def log_of(world: World) -> list[str]:
    return [row["id"] for row in world.app.reads.rows("SELECT event_id::text AS id FROM o2c.event ORDER BY position")]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_tail_follows_a_writer_until_it_is_told(world: World, tail: subprocess.Popen[str], ending: signal.Signals) -> None:
    """While this process writes, the other prints every event once, in order; a signal ends it with 0 and without a word."""
    before = printed(tail, log_of(world)[-1])
    world.take(order("WEB-3", line(), on=at(5, 11)), name="third.jsonl")
    world.take(order("WEB-2", line(), on=at(5, 10)), name="later.jsonl")
    after = printed(tail, log_of(world)[-1])

    tail.send_signal(ending)
    rest, errors = tail.communicate(timeout=30)

    assert before + after == log_of(world)
    assert (tail.returncode, rest, errors) == (0, "", "")


def test_a_tail_ends_when_nobody_reads(world: World, tail: subprocess.Popen[str]) -> None:
    """The reader goes away while nothing happens: the tail notices and ends with 0. What is there now is had with --once."""
    printed(tail, log_of(world)[-1])
    assert tail.stdout
    tail.stdout.close()

    assert tail.wait(timeout=30) == 0
    whole = subprocess.run([*COMMAND, "tail", "--once"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert [json.loads(text)["id"] for text in whole.splitlines()] == log_of(world)
