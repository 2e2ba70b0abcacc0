"""A run that dies while a partner drains, or while an outage is found: whoever goes on makes each call once, and the log is what it would have been."""

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from o2c import Context
from o2c.desk.partners import partner_down, partner_up
from o2c.engine import draining
from tests.faults.dying import Countdown, Scene, as_soon_as_released, killed_at
from tests.world import NINE, RecordingPartner, World, at, everywhere, line, order

ORDERS = 9
UNTIL = at(5, 13)
KILLS_MAX = 200


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three appends where there would be one, so that there is something between them."""
    monkeypatch.setattr(draining, "CHUNK_ROWS", 3)


def opened(dsn: str, folder: Path) -> World:
    return World(dsn, folder, everywhere(RecordingPartner(folder / "book")))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_drain_makes_each_call_once(dsn: str, tmp_path: Path, seed: int) -> None:
    """However often it dies between up and the last call, each call has one effect, at the time that it would have had."""
    world = opened(dsn, tmp_path).stocked(esims=ORDERS, physical=0, numbers=2 * ORDERS, customers=ORDERS)
    world.take(*(order(f"WEB-{n}", line(), on=NINE + timedelta(minutes=n), party=f"C-{n}", priority=1 + n % 2) for n in range(ORDERS)[1:]))
    partner_down(world.app, Context("ann"), "network", reason="planned work")
    world.run(at(5, 12))
    partner_up(world.app, Context("ann"), "network", reason="they called", rate_per_min=2)
    world.close()
    scene, book = Scene(dsn), (tmp_path / "book").read_text()

    calm = opened(dsn, tmp_path).run(UNTIL)
    wanted, effects = calm.log(), effects_of(tmp_path)
    calm.close()
    scene.set_again()
    (tmp_path / "book").write_text(book)

    def goes_on(countdown: Countdown) -> None:
        countdown.watch_statements()
        as_soon_as_released(lambda: opened(dsn, tmp_path).run(UNTIL))

    dice, kills = random.Random(seed), 0
    while kills < KILLS_MAX and killed_at(dice.randint(1, 60 + 8 * kills), goes_on):
        kills += 1
    after = opened(dsn, tmp_path)
    log = after.log()
    after.close()

    assert 3 < kills < KILLS_MAX
    assert log == wanted
    assert effects_of(tmp_path) == effects
    assert set(effects.values()) == {1}


def effects_of(folder: Path) -> Counter[str]:
    """How often each piece of work was done at the partners."""
    lines = (folder / "book").read_text().splitlines()
    return Counter(line_.split(" ", 1)[1] for line_ in lines if line_.startswith("effect "))
