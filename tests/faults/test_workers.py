"""Real time: workers share one agenda, one that is killed is stood in for, a database that goes away is waited for."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from o2c.engine.worker import Worker
from o2c.kernel.partner import Accepted, Answer, Answered, Request
from o2c.kernel.refusal import Refused
from o2c.store.embedded import acquire
from o2c.store.passing import passing
from o2c.store.reads import DueRow
from o2c.views.orders import find_order
from tests.faults.working import LIMIT_S, ORDERS, WorkerProcess, at_work, attend, completed, doubled, due, eventually, opened, today
from tests.world import World

SMALL = {"shared_buffers": "16MB"}


def leases(world: World) -> int:
    """Rows that are kept from other workers now."""
    [row] = world.app.reads.rows("SELECT count(*) AS held FROM o2c.agenda WHERE lease_until > clock_timestamp()")
    return int(row["held"])


def requests(folder: Path, what: str) -> list[str]:
    return [text for text in (folder / "partner").read_text().splitlines() if text.startswith(what)]


Start = Callable[..., WorkerProcess]


@pytest.fixture
def start(dsn: str, tmp_path: Path) -> Iterator[Start]:
    """Start a worker process on the test's store; whatever still runs at the end is killed."""
    started: list[WorkerProcess] = []

    def begun(**how: Any) -> WorkerProcess:
        started.append(WorkerProcess(dsn, tmp_path, **how))
        return started[-1]

    yield begun
    for worker in started:
        if worker.process.poll() is None:
            worker.end(signal.SIGKILL)


# -- several


@pytest.mark.once
def test_workers_share_the_work_and_do_nothing_twice(dsn: str, tmp_path: Path, start: Start) -> None:
    """Three processes on one store: the work is no single one's, and every order tells each outcome once."""
    world = opened(dsn, tmp_path)
    crew = [start(pause_s=0.05) for _ in range(3)]
    world.take(*(today(n) for n in range(1, ORDERS + 1)))
    assert eventually(lambda: completed(world))
    shares = [worker.end() for worker in crew]
    assert sum(share > 0 for share in shares) > 1, "a slow starter may find nothing left"
    assert doubled(world) == {}
    assert len(requests(tmp_path, "submit")) == len(requests(tmp_path, "effect"))
    world.close()


def victim_killed(dsn: str, folder: Path, start: Start, lease_s: float) -> tuple[World, WorkerProcess]:
    """A worker is killed with a page in hand, in the middle of a request; another goes on."""
    world = opened(dsn, folder)
    victim = start(lease_s=lease_s, holds_after=10)
    world.take(*(today(n) for n in range(1, ORDERS + 1)))
    assert eventually(lambda: len(requests(folder, "submit")) == 10)
    victim.end(signal.SIGKILL)
    return world, start(lease_s=lease_s)


@pytest.mark.once
def test_a_killed_worker_is_stood_in_for(dsn: str, tmp_path: Path, start: Start) -> None:
    """What it had in hand is taken up when its lease runs out: everything is done, nothing twice."""
    world, other = victim_killed(dsn, tmp_path, start, lease_s=2)
    assert eventually(lambda: completed(world))
    other.end()
    assert doubled(world) == {}
    assert len(set(requests(tmp_path, "effect"))) == len(requests(tmp_path, "effect"))
    world.close()


@pytest.mark.once
def test_the_harness_sees_a_lease_that_never_ends(dsn: str, tmp_path: Path, start: Start) -> None:
    """The control: with leases for hours, what the killed worker had in hand stays undone while the other does what comes."""
    world, other = victim_killed(dsn, tmp_path, start, lease_s=3600)
    world.take(today(ORDERS + 1), name="later.jsonl")
    assert eventually(lambda: world.state(f"WEB-{ORDERS + 1}") == "completed")
    other.end()
    assert leases(world) > 0
    assert not completed(world)
    world.close()


def test_two_leases_never_share_a_stream(dsn: str, tmp_path: Path) -> None:
    """Rows of a stream that another has in hand are left to him; given back, they can be had."""
    world = opened(dsn, tmp_path, customers=2)
    world.take(today(1), today(2))
    attend(world, 3)
    assert len(due(world)) == 4
    now = datetime.now(UTC)
    [first] = world.app.reads.lease(now, 1, 60)
    others = world.app.reads.lease(now, 10, 60)
    assert {row.entry.step for row in others} == {"sim", "number"}
    assert {row.entry.stream for row in others} & {first.entry.stream} == set()
    assert world.app.reads.lease(now, 10, 60) == []
    world.app.reads.release([first])
    assert len(world.app.reads.lease(now, 10, 60)) == 2
    world.close()


def test_rows_that_another_worker_settled_are_left_alone(dsn: str, tmp_path: Path) -> None:
    """A worker that slept over its lease comes back to rows that are done: it does nothing to them."""
    world = opened(dsn, tmp_path, customers=1)
    world.take(today(1))
    attend(world, 3)
    rows = due(world)
    world.runner.attend(rows, round_=0)
    before = world.told("WEB-1")
    assert len(rows) == 2
    for late in ([rows[0]], [rows[1]], rows):
        assert world.runner.attend(late, round_=0) == frozenset()
    assert world.told("WEB-1") == before
    world.close()


# -- one


@pytest.mark.once
def test_a_worker_told_to_stop_ends_soon_and_leaves_no_lease(dsn: str, tmp_path: Path, start: Start) -> None:
    """In the middle of much work for a slow partner SIGTERM ends it with 0, long before its leases would."""
    world = opened(dsn, tmp_path)
    worker = start(lease_s=3600, pause_s=0.3)
    world.take(*(today(n) for n in range(1, ORDERS + 1)))
    assert eventually(lambda: len(requests(tmp_path, "submit")) > 4)
    told = datetime.now(UTC)
    assert worker.end() > 0
    assert worker.process.returncode == 0
    assert datetime.now(UTC) - told < timedelta(seconds=20)
    assert leases(world) == 0
    assert not completed(world)
    world.close()


@pytest.mark.once
def test_a_page_shrinks_to_what_slow_partners_allow(dsn: str, tmp_path: Path) -> None:
    """With a partner that takes longer than a page should, a page is one row."""
    pages: list[int] = []

    class Slow:
        def submit(self, request: Request) -> Answer:
            threading.Event().wait(0.3)
            return Answered()

        query = submit

    world = opened(dsn, tmp_path, customers=6, outside=Slow())
    lease = world.app.reads.lease

    def counted(before: datetime, limit: int, lease_s: float) -> list[DueRow]:
        pages.append(limit)
        return lease(before, limit, lease_s)

    world.app.reads.lease = counted  # type: ignore[method-assign]  # only watched
    world.take(*(today(n) for n in range(1, 7)))
    with at_work(Worker(world.runner)):
        assert eventually(lambda: len(pages) > 12)
    assert min(pages[6:]) == 1
    assert max(pages) <= 16
    world.close()


class Promising:
    """Wants to be asked again in a while, and then has the answer."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.promised: list[datetime] = []

    def submit(self, request: Request) -> Answer:
        if request.step != "identity":
            return Answered()
        self.promised.append(request.at + timedelta(seconds=self.seconds))
        return Accepted("ID-1", self.promised[-1])

    def query(self, request: Request) -> Answer:
        return Answered()


@pytest.mark.once
def test_a_sleeping_worker_wakes_for_the_next_row(dsn: str, tmp_path: Path) -> None:
    """A row due in 1.5 s is attended to in time although it polls every half a minute only, and there are few looks at the agenda."""
    outside = Promising(1.5)
    world = opened(dsn, tmp_path, customers=1, outside=outside)
    world.take(today(1))
    found: list[int] = []
    lease = world.app.reads.lease

    def counted(before: datetime, limit: int, lease_s: float) -> list[DueRow]:
        rows = lease(before, limit, lease_s)
        found.append(len(rows))
        return rows

    world.app.reads.lease = counted  # type: ignore[method-assign]  # only watched
    with at_work(Worker(world.runner, poll_s=30)):
        assert eventually(lambda: completed(world, 1))
    late = world.when("WEB-1", "identity.passed") - outside.promised[0]
    assert timedelta() <= late < timedelta(seconds=1)
    assert found.count(0) <= 3
    world.close()


@pytest.mark.once
def test_a_worker_with_an_end_ends_then(dsn: str, tmp_path: Path) -> None:
    """Asleep for half a minute, it ends at its time all the same."""
    world = opened(dsn, tmp_path, customers=1)
    until = datetime.now(UTC) + timedelta(seconds=0.5)
    Worker(world.runner, poll_s=30).run(until)
    assert timedelta() <= datetime.now(UTC) - until < timedelta(seconds=10)
    world.close()


@pytest.mark.once
def test_a_page_that_breaks_stops_only_its_own_stream(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that breaks the program is told in the log and left leased; the others of its page go on."""
    world = opened(dsn, tmp_path, customers=3)
    world.take(*(today(n) for n in range(1, 4)))
    whole, broken = world.runner.attend, find_order(world.app, "WEB-2")[0]

    def attended(rows: Sequence[DueRow], *, round_: int) -> frozenset[str]:
        if any(row.entry.stream == broken for row in rows):
            raise KeyError("a defect")
        return whole(rows, round_=round_)

    monkeypatch.setattr(world.runner, "attend", attended)
    with capture_logs() as logs, at_work(Worker(world.runner)):
        assert eventually(lambda: sum(world.state(f"WEB-{n}") == "completed" for n in range(1, 4)) == 2)
    assert [entry["stream"] for entry in logs if entry["event"] == "stream_failed"] == [broken]
    world.close()


@pytest.mark.once
def test_a_worker_is_for_real_time_only(dsn: str, tmp_path: Path) -> None:
    """Simulated time has one driver, a real clock none."""
    world = World(dsn, tmp_path)
    with pytest.raises(Refused, match="simulated"):
        Worker(world.runner)
    world.close()


# -- a database that goes away


def test_a_restart_of_the_database_is_waited_for(ground: Path, binaries: Path | None, tmp_path: Path) -> None:
    """One line when it goes, one when it is back, and the work goes on in the same worker."""
    with acquire(ground / "restarted", binaries=binaries, settings=SMALL) as server:
        world = opened(server.dsn, tmp_path, customers=2)
        with capture_logs() as logs, at_work(Worker(world.runner)):
            world.take(today(1))
            assert eventually(lambda: completed(world, 1))
            server._cluster.stop()
            assert eventually(lambda: "database_away" in [entry["event"] for entry in logs])
            server._cluster.start()
            server._cluster.create_database("o2c")
            assert eventually(lambda: "going_on" in [entry["event"] for entry in logs])
            again = World(server.dsn, tmp_path)
            again.take(today(2))
            assert eventually(lambda: completed(again, 2))
        assert [entry["event"] for entry in logs if entry["event"] in ("database_away", "going_on", "turn_failed")] == [
            "database_away",
            "going_on",
        ]
        assert doubled(again, 2) == {}
        again.close()
        world.close()


def test_a_newer_store_ends_a_worker(dsn: str, tmp_path: Path) -> None:
    """A database that comes back as the store of a newer program is no place for this one."""
    world = opened(dsn, tmp_path, customers=1)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(Worker(world.runner).run)
        with psycopg.connect(dsn, autocommit=True) as other:
            other.execute("INSERT INTO o2c.migration (number, note) VALUES (9999, 'from the future')")
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(Refused, match="use a newer program"):
            running.result(LIMIT_S)
    world.close()


@pytest.mark.once
@pytest.mark.parametrize(
    ("error", "away"),
    [
        pytest.param(psycopg.errors.AdminShutdown(), True, id="restarted"),
        pytest.param(psycopg.OperationalError(), True, id="no-answer"),
        pytest.param(psycopg.errors.DeadlockDetected(), True, id="deadlock"),
        pytest.param(psycopg.errors.IdleInTransactionSessionTimeout(), True, id="stood-still"),
        pytest.param(psycopg.errors.ProgramLimitExceeded(), False, id="too-much-at-once"),
        pytest.param(KeyError("name"), False, id="defect"),
    ],
)
def test_what_passes_by_itself(error: Exception, away: bool) -> None:
    """What the database cannot do now is tried again; what the work in hand is the reason for is not."""
    assert passing(error) == away
