"""A file of usage records whose loading is killed at any statement and begun again: each record is there once, and none that was acknowledged is missing."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from o2c.files import usage, usage_lines
from tests.faults.dying import Countdown, killed_at
from tests.metered import load, metered, number_of, record
from tests.world import World

pytestmark = pytest.mark.once

RECORDS = 5
STRIDE = 3
POINTS_MIN, POINTS_MAX = 20, 400
OF_FILE = "SELECT count(*) AS n FROM o2c.usage_record WHERE source = %s"
EVENTS = "SELECT body FROM o2c.event WHERE type = 'usage.loaded' AND stream = %s"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several transactions where there would be one."""
    monkeypatch.setattr(usage, "PAGE", 2)


def deaths(dsn: str, folder: Path) -> Iterator[tuple[int, int, dict[str, object]]]:
    """Kill the loading of a file of its own at one point after the other, load that file again, and look: records, and what is told of the file."""
    world = metered(dsn, folder)
    me = number_of(world)
    world.close()
    for point in range(1, POINTS_MAX, STRIDE):
        records = [record(str(n), me, sequence=n) for n in range(1, RECORDS + 1)]
        source = f"switch-{point}"

        def loaded(source: str = source, records: list[dict[str, object]] = records) -> dict[str, object]:
            mine = World(dsn, folder)
            try:
                return dict(load(mine, *records, source=source))
            finally:
                mine.close()

        def watched(countdown: Countdown, loaded: Callable[[], object] = loaded) -> None:
            countdown.watch_statements()
            loaded()

        alive = not killed_at(point, watched)
        told = loaded()
        mine = World(dsn, folder)
        [there] = mine.app.reads.rows(OF_FILE, source)
        events = mine.app.reads.rows(EVENTS, f"usage-{told['file']}")
        mine.close()
        assert len(events) == 1, f"the file has {len(events)} events after a death at point {point}"
        yield point, there["n"], told
        if alive:
            assert point > POINTS_MIN
            return
    raise AssertionError(f"still not at the end after {POINTS_MAX} points")


def test_a_death_anywhere_leaves_each_record_once(dsn: str, tmp_path: Path) -> None:
    """Whatever the statement: the same file again is whole, and counted as if nothing had happened."""
    for point, there, told in deaths(dsn, tmp_path):
        assert (there, told["records"], told["duplicates"], told["gaps"]) == (RECORDS, RECORDS, 0, {}), point


def test_without_keys_some_would_be_there_twice(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: were the key of a record another one at every call, what a killed process copied would be copied again."""
    whole = usage_lines.record_of

    def keyless(told: object, source: str) -> object:
        read = whole(told, source)  # type: ignore[arg-type] # as it is called
        if isinstance(read, usage_lines.Record):
            read.key = str(uuid.uuid4())
        return read

    monkeypatch.setattr(usage_lines, "record_of", keyless)
    assert any(there > RECORDS for _, there, _ in deaths(dsn, tmp_path))
