"""The example service of the documentation, run in a process of its own: nothing twice that must be once, nothing left out."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world import World, at, line, order

EXAMPLE = Path(__file__).parents[2] / "docs" / "example_service.py"
ORDERS = 8
ENDINGS = {"order.completed", "order.failed", "order.rejected", "order.cancelled", "order.partially-completed"}
DIES_AT = 6
Said = list[dict[str, Any]]


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    world = World(dsn, tmp_path).stocked(esims=ORDERS, numbers=2 * ORDERS)
    yield world
    world.close()


class Shop:
    """One life of the service after another, with the same orders on its standard input each time."""

    def __init__(self, world: World, folder: Path, program: Path = EXAMPLE) -> None:
        self.world, self.folder, self.program = world, folder, program
        self.papers = [json.dumps(order(f"WEB-{n}", line(), on=at(5, 9 + n))) for n in range(ORDERS)]

    @contextlib.contextmanager
    def life(self, program: Path | None = None) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, str(program or self.program), str(self.folder / "shop.mark")],
            env={**os.environ, "O2C_DSN": self.world.dsn, "PYTHONPATH": str(EXAMPLE.parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin
        process.stdin.write("\n".join(self.papers) + "\n")
        process.stdin.close()
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()

    @staticmethod
    def lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
        assert process.stdout
        for text in process.stdout:
            with contextlib.suppress(json.JSONDecodeError):  # a line cut off by the kill was not said
                yield json.loads(text)

    def news(self) -> Said:
        """What there was to tell, as the log has it."""
        sql = "SELECT position::text, event_id::text AS id FROM o2c.event WHERE type = 'order.captured' OR type = 'order.planned' OR type = ANY(%s) ORDER BY position"
        return self.world.app.reads.rows(sql, sorted(ENDINGS))


def until_told_of_all(shop: Shop, process: subprocess.Popen[str]) -> Said:
    """Let the runner work, and listen until every order's end was told and every paper was handed over; then end the service well."""
    said: Said = []
    lines = shop.lines(process)
    while sum("state" in each for each in said) < ORDERS:
        said.append(next(lines))
    shop.world.run(at(12))
    last = shop.news()[-1]["id"]
    while all(each.get("id") != last for each in said):
        said.append(next(lines))
    process.send_signal(signal.SIGTERM)
    rest = list(lines)
    assert process.wait(30) == 0
    return said + rest


def told(lives: list[Said]) -> list[list[str]]:
    """The ids of the events that each life told, in its order."""
    return [[each["id"] for each in said if "news" in each] for said in lives]


def left_out(shop: Shop, lives: list[Said]) -> list[str]:
    """Events that no life told."""
    known = {event_id for ids in told(lives) for event_id in ids}
    return [each["id"] for each in shop.news() if each["id"] not in known]


def test_a_service_killed_in_the_middle_leaves_nothing_out_and_orders_nothing_twice(world: World, tmp_path: Path) -> None:
    """Killed with -9 while it hands over and tells, started again with the same input: each order once, all news, in the log's order."""
    shop, first = Shop(world, tmp_path), []
    with shop.life() as process:
        for each in shop.lines(process):
            first.append(each)
            if sum("news" in said for said in first) == ORDERS // 2:
                break
        world.run(at(5, 11))
        process.kill()
        first += list(shop.lines(process))
    with shop.life() as process:
        second = until_told_of_all(shop, process)

    places = {each["id"]: n for n, each in enumerate(shop.news())}
    assert [world.told(f"WEB-{n}").count("order.captured") for n in range(ORDERS)] == [1] * ORDERS
    assert {world.state(f"WEB-{n}") for n in range(ORDERS)} == {"completed"}
    assert left_out(shop, [first, second]) == []
    for ids in told([first, second]):
        assert [places[event_id] for event_id in ids] == list(range(places[ids[0]], places[ids[-1]] + 1))
    assert any(each.get("repeated") for each in second)


def doctored(folder: Path, *, remembers_first: bool) -> Path:
    """The example, dying between its telling and its remembering of an event; in the right order or in the wrong one."""
    tell, note, keep = "tell(record)", "# After telling, not before", "remember(place, record.mark)"
    source = EXAMPLE.read_text()
    assert source.count(f"            {tell}\n") == source.count(f"            {keep}\n") == source.count(note) == 1
    first, second = (keep, tell) if remembers_first else (tell, keep)
    dying = f"{first}; count = globals().get('count', 0) + 1; globals().update(count=count); count == {DIES_AT} and os.kill(os.getpid(), 9)"
    changed = source.replace(f"            {keep}\n", f"            {second}\n").replace(
        f"            {tell}\n", f"            {dying}\n", 1
    )
    if remembers_first:
        changed = changed[::-1].replace(f"            {dying}\n"[::-1], f"            {second}\n"[::-1], 1)[::-1]
        changed = changed.replace(f"            {second}\n", f"            {dying}\n", 1)
    path = folder / "doctored.py"
    path.write_text(changed.replace("import json\n", "import json\nimport os\n", 1))
    return path


@pytest.mark.parametrize(("remembers_first", "missing"), [pytest.param(False, 0, id="as shown"), pytest.param(True, 1, id="control")])
def test_telling_comes_before_remembering(world: World, tmp_path: Path, remembers_first: bool, missing: int) -> None:
    """A death between the two repeats an event; the other way round it leaves one out, and this test would see it."""
    shop = Shop(world, tmp_path)
    with shop.life(doctored(tmp_path, remembers_first=remembers_first)) as process:
        first = list(shop.lines(process))
        assert process.wait(30) == -signal.SIGKILL
    with shop.life() as process:
        second = until_told_of_all(shop, process)

    assert len(left_out(shop, [first, second])) == missing
