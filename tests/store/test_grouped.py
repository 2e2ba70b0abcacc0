"""Group commit: what threads of one process append while an append is under way goes together in the next, and nobody pays for another."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest

from o2c.store import grouped
from o2c.store.commands import Append, Outcome
from o2c.store.database import connect
from o2c.store.grouped import Grouped
from o2c.store.recorder import LogRecorder
from tests.store.writing import command, rows, send, verdicts

WAIT_S = 10


class Slow:
    """Writes when it is let go, and keeps what it was given; what touches stream `bad` cannot be written."""

    def __init__(self) -> None:
        self.called, self.let_go = threading.Semaphore(0), threading.Semaphore(0)
        self.groups: list[list[str]] = []

    def __call__(self, commands: Sequence[Append], round_: int) -> list[Outcome]:
        names = [sent.heads[0].stream for sent in commands]
        self.groups.append(names)
        self.called.release()
        assert self.let_go.acquire(timeout=WAIT_S)
        if "bad" in names:
            raise psycopg.DataError("a body that cannot be stored")
        return [Outcome("appended", name, round_, round_, {}) for name in names]


def crowd(slow: Slow, *waves: Sequence[Append], rounds: Sequence[int] = ()) -> list[Future[list[Outcome]]]:
    """The first wave is being written while the others come, one after the other; then all is let go."""
    group = Grouped(slow)
    with ThreadPoolExecutor(len(waves)) as pool:
        sent = []
        for n, (wave, round_) in enumerate(zip(waves, rounds or [0] * len(waves), strict=True)):
            sent.append(pool.submit(group.append, wave, round_))
            if n == 0:
                assert slow.called.acquire(timeout=WAIT_S)
            else:
                deadline = time.monotonic() + WAIT_S
                while len(group._queue) < n:
                    assert time.monotonic() < deadline
                    time.sleep(0.001)
        slow.let_go.release(100)
    return sent


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody loses patience unless a test is about that."""
    monkeypatch.setattr(grouped, "PATIENCE_S", WAIT_S)


def on(*streams: str) -> list[Append]:
    return [command((stream, 0)) for stream in streams]


TWICE = command(("k", 0), command_id="2c1b0f6a-8c53-5d7e-9a41-0c8f7b6a5d4e")
AGAIN = command(("l", 0), command_id="2c1b0f6a-8c53-5d7e-9a41-0c8f7b6a5d4e")


@pytest.mark.parametrize(
    ("waves", "groups"),
    [
        pytest.param([on("a")], [["a"]], id="alone"),
        pytest.param([on("a"), on("b"), on("c", "d")], [["a"], ["b", "c", "d"]], id="who-waits-goes-together"),
        pytest.param([on("a"), on("a"), on("b")], [["a"], ["a", "b"]], id="what-is-under-way-is-no-hindrance"),
        pytest.param([on("a"), on("b"), on("b"), on("c")], [["a"], ["b", "c"], ["b"]], id="one-stream-in-turn"),
        pytest.param([on("a"), on("b"), on("b", "c"), on("c")], [["a"], ["b"], ["b", "c"], ["c"]], id="nobody-overtakes-on-a-stream"),
        pytest.param([on("a"), [TWICE], [AGAIN]], [["a"], ["k"], ["l"]], id="one-command-id-in-turn"),
    ],
)
def test_who_goes_with_whom(waves: list[list[Append]], groups: list[list[str]]) -> None:
    """Given an append under way and others that come one after the other, then these are the groups, and each hears of its own."""
    slow = Slow()
    sent = crowd(slow, *waves)
    assert slow.groups == groups
    assert [[told.detail for told in each.result()] for each in sent] == [[one.heads[0].stream for one in wave] for wave in waves]


def test_another_round_goes_apart() -> None:
    """A group is of one round: it stands on the agenda rows of all its commands."""
    slow = Slow()
    sent = crowd(slow, on("a"), on("b"), on("c"), rounds=[1, 2, 3])
    assert slow.groups == [["a"], ["b"], ["c"]]
    assert [each.result()[0].first_position for each in sent] == [1, 2, 3]


def test_a_large_one_goes_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would make a group too large waits for the next one."""
    monkeypatch.setattr(grouped, "MOST_EVENTS", 3)
    slow = Slow()
    crowd(slow, on("a"), on("b"), on("c", "d", "e", "f"), on("g"))
    assert slow.groups == [["a"], ["b"], ["c", "d", "e", "f"], ["g"]]


def test_nobody_pays_for_another() -> None:
    """In a group that could not be written each writes for itself; only the one at fault hears of it."""
    slow = Slow()
    _, good, bad, other = crowd(slow, on("a"), on("b"), on("bad"), on("c"))
    assert slow.groups[1] == ["b", "bad", "c"]
    assert sorted(slow.groups[2:]) == [["b"], ["bad"], ["c"]]
    assert [verdicts(each.result()) for each in (good, other)] == [["appended"]] * 2
    with pytest.raises(psycopg.DataError):
        bad.result()


def test_who_waits_too_long_writes_for_himself(recorder: LogRecorder, log_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An append that waits for a lock held elsewhere holds up the others of its process for a moment only."""
    monkeypatch.setattr(grouped, "PATIENCE_S", 0.05)
    recorder.append([command(("a-1", 0))])
    with ThreadPoolExecutor(1) as pool, connect(log_dsn) as conn:
        with conn.transaction(force_rollback=True):
            send(conn, command(("a-1", 1)))
            held_up = pool.submit(recorder.append, [command(("a-1", 1))])
            time.sleep(0.05)
            assert verdicts(recorder.append(on("b-1"))) == ["appended"]
            assert not held_up.done()
        assert verdicts(held_up.result()) == ["appended"]


class Interruptible(threading.Semaphore):
    """A lock whose wait can be interrupted, as a signal does."""

    interrupted = False

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        while not super().acquire(timeout=0.005):
            if self.interrupted:
                raise KeyboardInterrupt
        return True


def test_an_interrupted_one_leaves_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is interrupted while waiting is gone; the next in the queue is written all the same."""
    monkeypatch.setattr(grouped, "Lock", Interruptible)
    slow = Slow()
    group = Grouped(slow)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(group.append, on("a"), 0)
        assert slow.called.acquire(timeout=WAIT_S)
        gone = pool.submit(group.append, on("b"), 0)
        while not group._queue:
            time.sleep(0.001)
        group._queue[0].woken.interrupted = True  # type: ignore[attr-defined]  # made above
        with pytest.raises(KeyboardInterrupt):
            gone.result(WAIT_S)
        last = pool.submit(group.append, on("c"), 0)
        slow.let_go.release(100)
        assert [verdicts(each.result(WAIT_S)) for each in (first, last)] == [["appended"]] * 2
    assert slow.groups == [["a"], ["c"]]


def test_a_crowd_of_threads_loses_nothing(recorder: LogRecorder) -> None:
    """Eight threads with streams of their own and one they share: each hears of its own events, in far fewer transactions than commands."""

    def write(n: int) -> list[str]:
        told = []
        for version in range(40):
            mine, shared = command((f"s-{n}", version)), command(("shared", version))
            [own], [ours] = recorder.append([mine]), recorder.append([shared])
            [row] = rows(recorder, f"SELECT command_id::text AS id FROM o2c.event WHERE position = {own.first_position}")
            assert row["id"] == mine.command_id
            told += [own.verdict, "shared " + ours.verdict]
        return told

    with ThreadPoolExecutor(8) as pool:
        told = Counter(verdict for found in pool.map(write, range(8)) for verdict in found)
    [shared] = rows(recorder, "SELECT count(*) AS n, max(version) AS last FROM o2c.event WHERE stream = 'shared'")
    assert told["appended"] == 8 * 40
    assert told["shared appended"] == shared["n"] == shared["last"]
    [found] = rows(recorder, "SELECT count(DISTINCT position / 65536) AS transactions, count(*) AS events FROM o2c.event")
    assert found["transactions"] < found["events"]
