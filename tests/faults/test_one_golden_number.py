"""Fifty at once want the last golden number: one gets it, and nobody gets it who lost."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from o2c.desk import numbers as number_desk
from o2c.engine.app import Context, Engine
from o2c.engine.drafts import Command
from o2c.files import loading
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.store.commands import Outcome
from tests.world import World, at, line, order

GOLDEN = "+447700911111"
WINDOWS, TRIES_EACH = 10, 5


def waiting(dsn: str, folder: Path) -> World:
    """Fifty orders that wait at the credit gate, and one golden number."""
    world = World(dsn, folder).stocked(esims=1, physical=0, numbers=1, customers=WINDOWS * TRIES_EACH)
    loading.load_stock(world.app, world.runner, "numbers", world.written("golden.csv", [("msisdn", "class"), (GOLDEN, "golden")]), None)
    world.scripted.will("credit", *[RefusedBy("REFER")] * (WINDOWS * TRIES_EACH))
    world.take(*(order(f"WEB-{n}", line(), party=f"C-{n + 1}") for n in range(WINDOWS * TRIES_EACH)))
    return world.run(at(5, 10))


def test_fifty_reserve_the_last_golden_number(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All saw it free before any wrote; exactly one order keeps it, the others are told, and the number went through one reservation."""
    world = waiting(dsn, tmp_path)
    windows = [World(dsn, tmp_path) for _ in range(WINDOWS)]
    together = threading.Barrier(WINDOWS * TRIES_EACH)
    write = Engine.write

    def at_once(app: Engine, commands: Sequence[Command]) -> list[Outcome]:
        together.wait(60)
        return write(app, commands)

    def click(n: int) -> str:
        window = windows[n % WINDOWS]
        try:
            number_desk.reserve(window.app, Context(f"agent-{n}"), GOLDEN, f"WEB-{n}")
        except Refused as refused:
            return refused.kind
        return "reserved"

    with monkeypatch.context() as patched, ThreadPoolExecutor(WINDOWS * TRIES_EACH) as clicks:
        patched.setattr(Engine, "write", at_once)
        told = Counter(clicks.map(click, range(WINDOWS * TRIES_EACH)))

    assert told == {"reserved": 1, "conflict": WINDOWS * TRIES_EACH - 1}
    assert world.types(f"number-{GOLDEN}") == ["number.received", "number.reserved"]
    earmarked = [n for n in range(WINDOWS * TRIES_EACH) if "number.earmarked" in world.told(f"WEB-{n}")]
    [guard] = world.app.reads.rows("SELECT holder FROM o2c.guard WHERE kind = 'number' AND key = %s", GOLDEN)
    assert [f"order-{world.order(f'WEB-{n}').order_id}/1" for n in earmarked] == [guard["holder"]]
    for each in (*windows, world):
        each.close()
