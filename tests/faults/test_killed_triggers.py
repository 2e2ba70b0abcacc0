"""A watch for triggers that is killed anywhere: each event sets off once, nothing is forgotten, and an order that is to be held is held once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from o2c.engine.app import Engine
from o2c.running.session import Session
from o2c.running.triggers import NAME, Watch
from o2c.store.clock import move_policy
from o2c.triggers.rules import Version
from o2c.views.following import EventRecord
from tests.faults.dying import Countdown, Scene, as_soon_as_released, killed_at
from tests.watched import Watching
from tests.world import NINE, World, line, order

pytestmark = pytest.mark.once

POINTS_MAX, STRIDE, LOOKS_MAX = 600, 3, 20
TRIGGERS = """[triggers.told]
on = "order.captured"
then = { do = "alarm", severity = 4, text = "An order came" }

[triggers.first]
on = "order.validated"
then = { do = "hold", days = 3, text = "Look at it first" }

[triggers.work]
on = "order.validated"
then = { do = "task", queue = "care", severity = 2, text = "Look at it" }
"""
WANTED = Counter({"told": 3, "first": 3, "work": 3})
DONE = """SELECT count(*) FILTER (WHERE type = 'order.suspended') AS held, count(DISTINCT stream) FILTER (WHERE type = 'order.suspended') AS orders
FROM o2c.event"""


@pytest.fixture
def scene(dsn: str, tmp_path: Path) -> Scene:
    """Three orders that came and were validated since triggers were set, which nobody looked at yet."""
    world = World(dsn, tmp_path).stocked().run(NINE)
    Watching(Session(world.app, tmp_path)).set(TRIGGERS)
    world.take(*(order(f"WEB-{n}", line(), party=f"C-{n}") for n in (1, 2, 3)))
    world.attend(1)
    world.close()
    return Scene(dsn)


def set_off(scene: Scene, folder: Path) -> tuple[Counter[str], int, int]:
    """What was set off once whoever comes after a death has done what was left: firings by trigger, how often orders were held, and how many."""

    def look() -> tuple[Counter[str], int, int]:
        app = Engine(scene.dsn)
        try:
            watch = Watch(Session(app, folder))
            for _ in range(LOOKS_MAX):
                watch.look()
            rows = app.reads.rows("SELECT body ->> 'trigger' AS trigger FROM o2c.event WHERE type = 'trigger.fired'")
            [done] = app.reads.rows(DONE)
            return Counter(row["trigger"] for row in rows), done["held"], done["orders"]
        finally:
            app.close()

    return as_soon_as_released(look)


def deaths(scene: Scene, folder: Path) -> Iterator[tuple[int, tuple[Counter[str], int, int]]]:
    """After each death what was set off in the end; until a point lies behind the end."""
    for point in range(1, POINTS_MAX, STRIDE):
        scene.set_again()

        def work(countdown: Countdown) -> None:
            app = Engine(scene.dsn)
            countdown.watch_statements()
            Watch(Session(app, folder)).look()

        alive = not killed_at(point, work)
        yield point, set_off(scene, folder)
        if alive:
            return
    raise AssertionError(f"still not at the end after {POINTS_MAX} points")


def test_a_death_anywhere_sets_nothing_off_twice_and_forgets_nothing(scene: Scene, tmp_path: Path) -> None:
    """Whatever the statement: every event sets off each of its triggers once, and each order is held once."""
    points = 0
    for point, found in deaths(scene, tmp_path):
        assert found == (WANTED, 3, 3), f"after a death at point {point}"
        points += 1
    assert points > 5


def test_were_it_read_on_before_it_is_done_something_would_be_forgotten(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: how far was read is written down before what it set off."""
    attend = Watch._attend

    def hasty(watch: Watch, page: Sequence[EventRecord], versions: Mapping[str, Sequence[Version]]) -> None:
        if page:
            move_policy(watch.app.log_recorder.datastore, NAME, page[-1].position)
        attend(watch, page, versions)

    monkeypatch.setattr(Watch, "_attend", hasty)
    assert any(found != (WANTED, 3, 3) for _, found in deaths(scene, tmp_path))
