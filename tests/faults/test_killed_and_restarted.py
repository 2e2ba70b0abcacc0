"""An intake, or a simulated run, that is killed at random statements and started again ends as if nothing had happened."""

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.engine import reactions
from o2c.engine import tasks as engine_tasks
from o2c.files import intake
from o2c.kernel.partner import Accepted, Answer, Answered, Request
from o2c.partners.registry import simulated_partners
from o2c.simulation.launch import LaunchFiles, write_launch
from o2c.views.reading import caught_up
from o2c.views.status import show_status
from tests.depth import depth
from tests.faults.dying import Countdown, Scene, as_soon_as_released, killed_at
from tests.world import World, at, line, order

pytestmark = pytest.mark.once

ORDERS = 40
SEED = 3
UNTIL = at(9, month=2)
KILLS_MAX = 400
POINTS_MIN = 20
STRIDE = depth(5, 1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> LaunchFiles:
    return write_launch(tmp_path_factory.mktemp("launch"), count=ORDERS, seed=SEED)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many appends where there would be few, so that there is much to be interrupted."""
    monkeypatch.setattr(intake, "BATCH", 6)
    monkeypatch.setattr(engine_tasks, "CHUNK_ROWS", 2)
    monkeypatch.setattr(reactions, "PAGE", 1)


def opened(dsn: str, folder: Path) -> World:
    return World(dsn, folder, simulated_partners(SEED))


def status(world: World) -> dict[str, Any]:
    caught_up(world.app)
    told = show_status(world.app)
    told.pop("position")
    return told


def killed_until_done(points: Iterator[int], work: Callable[[], None], over: Callable[[], bool]) -> int:
    """Let a process do the work, kill it at a point, let the next go on, and so forth until it is over; how many were killed."""

    def watched(countdown: Countdown) -> None:
        countdown.watch_statements()
        as_soon_as_released(work)

    for kills in range(KILLS_MAX):
        if not killed_at(next(points), watched) or over():
            return kills
    raise AssertionError(f"not over after {KILLS_MAX} kills")


def some_points(seed: int, high: int, *, growing: int = 0) -> Iterator[int]:
    """Points to die at, drawn from a seed; later processes live longer where the work begins from the start each time."""
    dice = random.Random(seed)
    for turn in range(KILLS_MAX):
        yield dice.randint(1, high + turn * growing)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_intake_counts_every_line_once(dsn: str, tmp_path: Path, files: LaunchFiles, seed: int) -> None:
    """However often it dies on the way, it closes with the same counts and the same log; a second intake adds its closing only."""
    given = opened(dsn, tmp_path)
    given.launched(files).close()
    scene = Scene(dsn)

    def taken_in() -> None:
        opened(dsn, tmp_path).take_file(files.orders)

    def closed() -> bool:
        world = opened(dsn, tmp_path)
        found = [events for stream, events in world.log().items() if stream.startswith("intake-")]
        world.close()
        return bool(found)

    taken_in()
    calm = opened(dsn, tmp_path)
    wanted, counts = calm.log(), status(calm)["ingest"]
    calm.close()
    scene.set_again()

    kills = killed_until_done(some_points(seed, 40, growing=4), taken_in, closed)
    after = opened(dsn, tmp_path)
    again = after.take_file(files.orders)
    log = after.log()
    second = [events.pop() for stream, events in log.items() if stream.startswith("intake-")]
    after.close()
    assert kills > 4
    assert log == wanted
    assert counts == {
        "lines": ORDERS,
        "captured": ORDERS - counts["duplicates"],
        **{k: counts[k] for k in ("duplicates", "resubmitted", "refused")},
    }
    assert [event[0] for event in second] == ["intake.closed"]
    assert (again.captured, again.duplicates) == (0, ORDERS)


def test_a_killed_run_ends_as_an_undisturbed_one(dsn: str, tmp_path: Path, files: LaunchFiles) -> None:
    """Stock runs out and comes, orders wait and wake, bills run: every stream tells the same, event by event, and so does the status."""
    given = opened(dsn, tmp_path).launched(files)
    given.take_file(files.orders)
    given.close()
    scene = Scene(dsn)
    wanted, told = ended(dsn, tmp_path)
    scene.set_again()
    kills = killed_until_done(some_points(SEED, 240), lambda: opened(dsn, tmp_path).runner.run(UNTIL), lambda: False)
    log, told_after = ended(dsn, tmp_path)
    assert kills > 20
    assert [stream for stream in sorted(wanted.keys() | log.keys()) if wanted.get(stream) != log.get(stream)] == []
    assert told_after == told


def ended(dsn: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The log and the status of a run to its end."""
    world = opened(dsn, folder)
    world.run(UNTIL)
    log, told = world.log(), status(world)
    world.close()
    return log, told


class SlowMorning:
    """Everything is done at once, but between 10:13 and 10:14 the identity agency takes half a minute."""

    def submit(self, request: Request) -> Answer:
        slow = request.step == "identity" and at(5, 10, 13) <= request.at < at(5, 10, 14)
        return Accepted("ID-1", request.at + timedelta(seconds=30)) if slow else Answered()

    def query(self, request: Request) -> Answer:
        return Answered()


def woken_by_priority(world: World) -> tuple[datetime, datetime]:
    """One SIM comes; in the same pass an order takes it, and another begins to wait who goes before the one that waits already."""
    world.stocked(esims=0, physical=0)
    world.sims(esim=1, on=at(5, 10, 4))
    waits = order("WAITS", line(), on=at(5, 9))
    takes = order("TAKES", line(), on=at(5, 10, 2) + timedelta(seconds=20), party="C-2")
    first = order("FIRST", line(), on=at(5, 10, 2) + timedelta(seconds=30), party="C-3", priority=0)
    world.take(waits, takes, first)
    return at(5, 10, 3) + timedelta(seconds=45), at(5, 10, 5)


def served_by_due_time(world: World) -> tuple[datetime, datetime]:
    """Two orders want the last SIM in the next window; the one whose turn is first was asked for in a later pass."""
    world.stocked(esims=1, physical=0)
    sooner = order("SOONER", line(), on=at(5, 10, 13) + timedelta(seconds=25))
    later = order("LATER", line(), on=at(5, 10, 13) + timedelta(seconds=45), party="C-2")
    world.take(sooner, later)
    return at(5, 10, 13), at(5, 10, 16)


@pytest.mark.parametrize("story", [woken_by_priority, served_by_due_time])
def test_a_pass_killed_at_any_statement_serves_whom_it_would_have(
    dsn: str, tmp_path: Path, story: Callable[[World], tuple[datetime, datetime]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who gets the only SIM does not hang on where the process died."""
    monkeypatch.setattr(engine_tasks, "CHUNK_ROWS", 1)  # an append for each order
    world = World(dsn, tmp_path, SlowMorning())
    before, until = story(world)
    world.run(before).close()
    scene = Scene(dsn)

    def ran() -> dict[str, Any]:
        world = World(dsn, tmp_path, SlowMorning())
        world.run(until)
        log = world.log()
        world.close()
        return log

    def watched(countdown: Countdown) -> None:
        world = World(dsn, tmp_path, SlowMorning())
        countdown.watch_statements()
        world.run(until)

    wanted = ran()
    for point in itertools.count(2, STRIDE):
        scene.set_again()
        alive = not killed_at(point, watched)
        assert as_soon_as_released(ran) == wanted, f"another log after a death at point {point}"
        if alive:
            assert point > POINTS_MIN
            return
