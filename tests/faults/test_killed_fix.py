"""A fix that is applied by a process which is killed at any statement, and applied again under the same command id, meets each fallout once."""

import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk import jobs as desk
from o2c.desk.proving import Applied, apply_fix
from o2c.engine.app import Context
from o2c.jobs import rules
from o2c.kernel.refusal import Refused
from o2c.views.jobs import show_job
from projections.engine.operations import catch_up
from tests.faults.dying import Countdown, Scene, killed_at
from tests.world import World, at, line, order

pytestmark = pytest.mark.once

FALLOUTS = 5
POINTS_MAX, STRIDE = 900, 23
COMMAND_ID = "1d8f5a51-1c8e-4a53-9d4c-5d3f0a35a0b8"
FIX = 'version = "fix-1"\nvalid_from = "2026-01-01"\n[codes.DQ-PARTY]\nseverity = 1\n[correct]\nparty = "C-2"\n'


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many appends where there would be one."""
    monkeypatch.setattr(desk, "CHUNK", 2)
    monkeypatch.setattr(rules, "TRIED_MIN", 2)


@pytest.fixture
def scene(dsn: str, tmp_path: Path) -> Scene:
    """Orders of a party that nobody knows: corrected to one that is known, each passes its validation."""
    world = World(dsn, tmp_path).stocked()
    world.take(*(order(f"WEB-{n}", line(), party="C-99") for n in range(1, FALLOUTS + 1)))
    world.run(at(5, 10))
    world.close()
    catch_up(dsn)
    return Scene(dsn, projected=True)


def called(scene: Scene, folder: Path, fix: str = FIX) -> Applied:
    """The command as a person types it, in a process that has just begun."""
    world = World(scene.dsn, folder)
    try:
        return apply_fix(world.app, Context("ann", command_id=COMMAND_ID), fix, reason="DQ-PARTY", note="the channel's export was wrong")
    finally:
        world.close()


def deaths(scene: Scene, folder: Path, stride: int = STRIDE) -> Iterator[tuple[int, Applied, Counter[str]]]:
    """Kill it at a point, call it again; so for one point after the other, until one lies behind its end."""

    def watched(countdown: Countdown) -> None:
        countdown.watch_statements()
        called(scene, folder)

    for point in range(1, POINTS_MAX, stride):
        scene.set_again()
        alive = not killed_at(point, watched)
        applied = called(scene, folder)
        world = World(scene.dsn, folder)
        rows = world.app.reads.rows("SELECT coalesce(body ->> 'fallout', type) AS of FROM o2c.event WHERE type = ANY(%s)",
                                    ["fallout.correction-applied", "codes.loaded"])  # fmt: skip
        told = Counter(item["result"] for item in show_job(world.app, applied.job))
        assert told == Counter(done=len(applied.done), failed=len(applied.refused), stopped=applied.stopped)
        world.close()
        yield point, applied, Counter(row["of"] for row in rows)
        if alive:
            assert point > stride * 5
            return
    raise AssertionError(f"still not at the end after {POINTS_MAX} points")


def test_a_death_anywhere_leaves_each_corrected_once(scene: Scene, tmp_path: Path) -> None:
    """Whatever the statement, the same command again ends the job under the proof that it began with: each fallout is corrected once, the codes are loaded
    once, and each is reported."""
    for point, applied, written in deaths(scene, tmp_path):
        row = applied.row()
        told = (row["fallouts"], row["resolves"], row["fails_again"], row["unknown"], row["done"], row["refused"], row["loaded"])
        assert told == (FALLOUTS, FALLOUTS, 0, 0, FALLOUTS, 0, "fix-1"), point
        assert (len(written), set(written.values()), len(applied.rows())) == (FALLOUTS + 1, {1}, FALLOUTS), point

    with pytest.raises(Refused, match="used for"):
        called(scene, tmp_path, FIX.replace("C-2", "C-3"))


def test_without_derived_ids_some_would_be_refused(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: were the id of each fallout another one at every call, what a killed process did would count as done by somebody else. Few
    statements lie between the append of a chunk and what is told of it, so that it is killed at more points, until it is seen."""
    monkeypatch.setattr(desk, "item_id", lambda job, fallout: str(uuid.uuid4()))
    assert any(applied.refused for _, applied, _ in deaths(scene, tmp_path, stride=7))
