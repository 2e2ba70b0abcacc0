"""Readers stay behind the horizon: whatever writers do meanwhile, they see every event once and in order. A reader without it does not."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from o2c.store.commands import Append
from o2c.store.database import connect
from o2c.store.recorder import LogRecorder
from tests.store.writing import command, rows, send, versions

WRITERS = 6
EVENTS_EACH = 350
_POSITIONS = "SELECT position FROM o2c.event ORDER BY position"

Page = Callable[[int], Sequence[tuple[int, str, int]]]


def _behind_the_horizon(recorder: LogRecorder) -> Page:
    def page(last: int) -> list[tuple[int, str, int]]:
        found = recorder.select_notifications(last, 40, inclusive_of_start=False)
        return [(event.id, str(event.originator_id), event.originator_version) for event in found]

    return page


def _beyond_the_horizon(recorder: LogRecorder) -> Page:
    def page(last: int) -> list[tuple[int, str, int]]:
        found = rows(recorder, "SELECT position, stream, version FROM o2c.event WHERE position > %s ORDER BY position LIMIT 40", last)
        return [(row["position"], row["stream"], row["version"]) for row in found]

    return page


@dataclass
class Tail:
    """A reader that asks for what follows the last position it saw, until the writers are done and nothing follows."""

    page: Page
    seen: list[tuple[int, str, int]] = field(default_factory=list)

    def run(self, done: threading.Event) -> None:
        while True:
            over = done.is_set()
            found = self.page(self.seen[-1][0] if self.seen else 0)
            self.seen += found
            if over and not found:
                return

    def streams(self) -> dict[str, list[int]]:
        """The versions of each stream in the order in which they came."""
        told: dict[str, list[int]] = {}
        for _, stream, version in self.seen:
            told.setdefault(stream, []).append(version)
        return told


class TakenBack(Exception):
    """A writer changed its mind before its commit."""


def _write(dsn: str, writer: int) -> None:
    """Append to two streams of its own in transactions that linger, some of which are rolled back, until enough events stand."""
    choice, standing = random.Random(writer), {f"w{writer}-0": 0, f"w{writer}-1": 0}
    with connect(dsn) as conn:
        while sum(standing.values()) < EVENTS_EACH:
            chosen = choice.sample(sorted(standing), choice.randint(1, 2))
            sent = command(*((stream, standing[stream]) for stream in chosen), each=choice.randint(1, 5))
            if _committed(conn, sent, choice):
                standing.update({head.stream: head.version for head in sent.heads})


def _committed(conn: Any, sent: Append, choice: random.Random) -> bool:
    try:
        with conn.transaction():
            send(conn, sent)
            time.sleep(choice.choice((0, 0, 0.001, 0.01)))
            if choice.random() < 0.15:
                raise TakenBack
    except TakenBack:
        return False
    return True


def test_a_reader_misses_nothing(recorder: LogRecorder, log_dsn: str) -> None:
    """While six writers linger, commit and roll back, a reader behind the horizon sees all, once, in stream order; the control does not."""
    sound, control, done = Tail(_behind_the_horizon(recorder)), Tail(_beyond_the_horizon(recorder)), threading.Event()
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(tail.run, done) for tail in (sound, control)]
        writers = [pool.submit(_write, log_dsn, n) for n in range(WRITERS)]
        try:
            for writer in writers:
                writer.result()
        finally:
            done.set()
        for reader in readers:
            reader.result()
    written = versions(recorder)
    assert sum(map(len, written.values())) >= 2000
    assert sound.streams() == written
    assert [position for position, _, _ in sound.seen] == [row["position"] for row in rows(recorder, _POSITIONS)]
    assert set(sound.seen) - set(control.seen)


def test_the_horizon_stands_in_the_snapshot_of_its_statement(recorder: LogRecorder) -> None:
    """It is STABLE: a VOLATILE one would take a snapshot of its own, later than the one its statement reads with, and pass events by."""
    found = rows(recorder, "SELECT provolatile::text FROM pg_proc WHERE oid IN ('o2c.horizon'::regproc, 'o2c.current_offset'::regproc)")
    assert found == [{"provolatile": "s"}] * 2


def test_nothing_appears_behind_a_reader(recorder: LogRecorder, log_dsn: str) -> None:
    """An event committed after an older append that is still open waits for it; the control shows it and then misses the older one."""
    sound, control = _behind_the_horizon(recorder), _beyond_the_horizon(recorder)
    with connect(log_dsn) as slow:
        with slow.transaction():
            [older] = send(slow, command(("a-1", 0)))
            [newer] = recorder.append([command(("b-1", 0))])
            assert older.first_position < newer.first_position
            assert list(sound(0)) == []
            assert recorder.max_notification_id() is None
            assert [stream for _, stream, _ in control(0)] == ["b-1"]
        assert [stream for _, stream, _ in sound(0)] == ["a-1", "b-1"]
        assert recorder.max_notification_id() == newer.last_position
        assert list(control(newer.last_position)) == []


def test_a_page_that_fills_stops_where_the_next_begins(recorder: LogRecorder) -> None:
    """Pages of two over one append of five events are whole, and `stop` counts itself."""
    [outcome] = recorder.append([command(("a-1", 0), each=5)])
    first = outcome.first_position
    pages = [[e.id - first for e in recorder.select_notifications(first + n, 2)] for n in range(0, 6, 2)]
    assert pages == [[0, 1], [2, 3], [4]]
    assert [e.id - first for e in recorder.select_notifications(None, 10, first + 2)] == [0, 1, 2]


def test_the_highest_notification(recorder: LogRecorder) -> None:
    """An empty log has none; then it is the position of the last event."""
    assert recorder.max_notification_id() is None
    [outcome] = recorder.append([command(("a-1", 0), each=3)])
    assert recorder.max_notification_id() == outcome.last_position


@pytest.mark.parametrize("gt", [pytest.param(None, id="from the beginning"), pytest.param(2, id="after the second event")])
def test_a_subscription_yields_everything_and_stops(recorder: LogRecorder, gt: int | None) -> None:
    """What was there before and what comes while it runs arrive in order; leaving it ends its threads and its iteration."""
    recorder.append([command((f"old-{n}", 0)) for n in range(3)])
    before = [row["position"] for row in rows(recorder, _POSITIONS)]
    threads = set(threading.enumerate())
    with ThreadPoolExecutor(2) as pool, recorder.subscribe(gt=gt and before[gt - 1]) as subscription:
        reading = pool.submit(lambda: [next(subscription).id for _ in range(23 - (gt or 0))])
        pool.submit(lambda: [recorder.append([command((f"new-{n}", 0))]) for n in range(20)]).result()
        seen = reading.result(timeout=30)
    assert seen == [row["position"] for row in rows(recorder, _POSITIONS)][gt or 0 :]
    assert list(subscription) == []
    deadline = time.monotonic() + 5
    while (left := [t for t in threading.enumerate() if t not in threads and "pool" not in t.name]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left == []
