"""A run with simulated agents may die at any statement: the next one goes on to the log that would have been."""

from pathlib import Path

import pytest

from o2c.simulation.office import staffed
from tests.faults.dying import Countdown, Mortal, Scene, as_soon_as_released, killed_at
from tests.faults.test_killed_anywhere import Log
from tests.world import RecordingPartner, World, at, line, order, ported

pytestmark = pytest.mark.once

STRIDE, POINTS_MAX, DEATHS_MIN = 61, 6_000, 10
DESKS, UNTIL = 2, at(12)


def run(dsn: str, folder: Path, outside: RecordingPartner | Mortal, countdown: Countdown | None = None) -> Log:
    """Run to the end, or to the death that is counted down to; the log that is left."""
    world = World(dsn, folder, outside)
    if countdown:
        countdown.watch_statements()
    with staffed(world.app, DESKS) as office:
        world.runner.run(UNTIL, office)
    log = world.log()
    world.close()
    return log


def test_a_death_anywhere_leaves_the_same_log(dsn: str, tmp_path: Path) -> None:
    """Whatever the statement, of the run or of the desks, what agents did is the same, event for event."""
    world = World(dsn, tmp_path, RecordingPartner(tmp_path / "before")).stocked(esims=3, physical=1, numbers=4, customers=3)
    world.take(
        order("WEB-1", ported(code="")),
        order("WEB-2", line(place="Weir Lane, Quenleigh, ZX3 4AB", sim="physical"), party="C-2"),
        order("WEB-3", line() | {"quantity": 0}, party="C-3"),
    )
    world.run(at(5, 9, 30)).close()
    scene = Scene(dsn)
    wanted = run(dsn, tmp_path, RecordingPartner(tmp_path / "calm"))
    assert sum(str(event[4]).startswith("desk-") for events in wanted.values() for event in events) > DEATHS_MIN
    deaths = 0
    for point in range(1, POINTS_MAX, STRIDE):
        outside = RecordingPartner(tmp_path / f"point-{point}")
        scene.set_again()
        died = killed_at(point, lambda countdown, outside=outside: run(dsn, tmp_path, Mortal(outside, countdown), countdown))
        log = as_soon_as_released(lambda outside=outside: run(dsn, tmp_path, outside))
        assert log == wanted, f"another log after a death at point {point}"
        deaths += died
        if not died:
            break
    assert deaths > DEATHS_MIN
