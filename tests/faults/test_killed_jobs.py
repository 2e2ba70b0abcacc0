"""A job over many fallouts that is killed at any statement and called again meets each of them once."""

import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk import jobs as desk
from o2c.desk.bulk import BulkDone, Query, bulk
from o2c.desk.fallout import Force, Handling, Note, Resolution, Retry
from o2c.engine.app import Context
from o2c.jobs import rules
from o2c.kernel.partner import Failed
from o2c.views.jobs import show_job
from projections.engine.operations import catch_up
from tests.depth import depth
from tests.faults.dying import Countdown, Scene, killed_at
from tests.world import World, at, line, order

pytestmark = pytest.mark.once

FALLOUTS = 5
POINTS_MAX = 800
POINTS_MIN = 40
STRIDE = depth(19, 7)
COMMAND_ID = "0d8f5a51-1c8e-4a53-9d4c-5d3f0a35a0b8"
WRITTEN = "SELECT body ->> 'fallout' AS fallout FROM o2c.event WHERE type = ANY(%s)"
DONE_BY = {
    Note: ("fallout.noted",),
    Retry: ("fallout.correction-applied",),
    Force: ("fallout.force-proposed",),
}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many appends where there would be one."""
    monkeypatch.setattr(desk, "CHUNK", 2)
    monkeypatch.setattr(rules, "TRIED_MIN", 2)


@pytest.fixture
def scene(dsn: str, tmp_path: Path) -> Scene:
    """Some downloads that failed for good, of which one can be retried, forced, and written about."""
    world = World(dsn, tmp_path).stocked(esims=FALLOUTS, numbers=FALLOUTS + 3, customers=FALLOUTS)
    world.scripted.will("esim-download", *[Failed("PERMANENT")] * FALLOUTS)
    world.take(*(order(f"WEB-{n}", line(), party=f"C-{n}") for n in range(1, FALLOUTS + 1)))
    world.run(at(6))
    world.close()
    catch_up(dsn)
    return Scene(dsn, projected=True)


def called(scene: Scene, folder: Path, way: Resolution | Handling) -> BulkDone:
    """The command as a person types it, in a process that has just begun."""
    world = World(scene.dsn, folder)
    try:
        return bulk(world.app, Context("ann", command_id=COMMAND_ID), Query(reason="SIM-DPUNK"), way, note="one way for all")
    finally:
        world.close()


def deaths(scene: Scene, folder: Path, way: Resolution | Handling) -> Iterator[tuple[int, BulkDone, Counter[str]]]:
    """Kill it at a point, call it again, and look; so for one point after the other, until one lies behind its end."""

    def watched(countdown: Countdown) -> None:
        countdown.watch_statements()
        called(scene, folder, way)

    for point in range(1, POINTS_MAX, STRIDE):
        scene.set_again()
        alive = not killed_at(point, watched)
        done = called(scene, folder, way)
        world = World(scene.dsn, folder)
        events = Counter(row["fallout"] for row in world.app.reads.rows(WRITTEN, list(DONE_BY[type(way)])))
        told = [(item["result"], item["why"]) for item in show_job(world.app, done.job)]
        world.close()
        assert told == [("done", "")] * FALLOUTS, f"told otherwise after a death at point {point}"
        yield point, done, events
        if alive:
            assert point > POINTS_MIN
            return
    raise AssertionError(f"still not at the end after {POINTS_MAX} points")


@pytest.mark.parametrize(
    "way", [pytest.param(Note(), id="note"), pytest.param(Retry(), id="retry"), pytest.param(Force(), id="propose to force")]
)
def test_a_death_anywhere_leaves_each_done_once(scene: Scene, tmp_path: Path, way: Resolution | Handling) -> None:
    """Whatever the statement, the same command again ends the job: each fallout has its event once, and the counts say so."""
    for point, done, events in deaths(scene, tmp_path, way):
        assert (done.matched, done.done, done.failed, done.stopped, done.new_since) == (FALLOUTS, FALLOUTS, 0, 0, 0), point
        assert list(events.values()) == [1] * FALLOUTS, f"not one effect a fallout after a death at point {point}"


def test_without_derived_ids_some_would_be_done_twice(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: were the id of each fallout another one at every call, what a killed process did would be done again."""
    monkeypatch.setattr(desk, "item_id", lambda job, fallout: str(uuid.uuid4()))
    most = (max(events.values()) for _, _, events in deaths(scene, tmp_path, Note()))
    assert 2 in most
