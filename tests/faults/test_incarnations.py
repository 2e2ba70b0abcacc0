"""Lives of the log on real servers: a standby that is followed and promoted, and copies of a data folder, noticed or adopted.

A recovery to a point in time and a dump into a fresh cluster are in test_backup.py.
"""

import random
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from o2c.kernel.refusal import Refused
from o2c.store import database, embedded, recorder
from o2c.store.cluster import unprivileged_account
from o2c.store.database import adopt, connect
from o2c.views.following import EVERYTHING, EventRecord, Mark, OtherLog, matching_events, pages
from projections.engine.operations import ALL, as_of, catch_up, status, verify
from tests.faults.copies import SMALL, append, lived, one, opened, place, run, wait_until
from tests.shell import Program
from tests.store.writing import command, send

LOST = 20
"""Appends that a copy does not know: more than it may spend of transaction ids by itself."""
WRITERS, EVENTS_EACH = 4, 120


def homed(data: Path, home: Path) -> Path:
    """A copy of a data folder in a home of its own, owned by whom the server runs as."""
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    shutil.copytree(data, home / "data", ignore=shutil.ignore_patterns("postmaster.pid"))
    account = unprivileged_account(data)
    for path in (home / "data", *(home / "data").rglob("*")) if account else ():
        shutil.chown(path, account.uid, account.gid)
    return home


@contextmanager
def serving(home: Path, programs: Path) -> Iterator[str]:
    """The server of a home for as long as it is needed; the home is gone afterwards."""
    try:
        with embedded.acquire(home, binaries=programs, settings=SMALL) as server:
            yield server.dsn
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def primary(ground: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own with a store that has lived."""
    with serving(ground / f"primary-{time.monotonic_ns()}", programs) as dsn:
        lived(dsn, tmp_path_factory.mktemp("papers"), "A", "B")
        yield dsn


@contextmanager
def standing_by(primary: str, folder: Path, ground: Path, programs: Path) -> Iterator[str]:
    """A streaming standby."""
    base = folder / f"base-{time.monotonic_ns()}"
    run(programs, folder, "pg_basebackup", *place(primary), "-D", str(base), "-X", "stream", "-c", "fast", "-R")
    home = homed(base, ground / f"standby-{time.monotonic_ns()}")
    shutil.rmtree(base)
    with serving(home, programs) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def standby(primary: str, folder: Path, ground: Path, programs: Path) -> Iterator[str]:
    """A standby of the primary that stays one."""
    with standing_by(primary, folder, ground, programs) as dsn:
        yield dsn


def level(primary: str, standby: str) -> None:
    """Wait until the standby has replayed what the primary wrote."""
    lsn = one(primary, "SELECT pg_current_wal_lsn()::text AS lsn")["lsn"]
    wait_until("the standby stays behind", standby, f"SELECT pg_last_wal_replay_lsn() >= '{lsn}' AS done")


def lose(dsn: str, name: str) -> list[Mark]:
    """Events that another life of the log will not know, as a consumer remembers them."""
    positions = [append(dsn, f"test-{name}-{n}") for n in range(LOST)]
    return [record.mark for page in pages(dsn, EVERYTHING, Mark(positions[0] - 1, None), wait=False) for record in page][-LOST:]


def noticed(dsn: str, mark: Mark) -> str:
    """What a consumer is told that goes on from a mark."""
    with pytest.raises(OtherLog) as told:
        list(pages(dsn, EVERYTHING, mark, wait=False))
    return str(told.value)


def lives(dsn: str) -> list[dict[str, Any]]:
    with connect(dsn) as conn:
        return conn.execute("SELECT timeline, fork_position, reason, actor FROM o2c.incarnation ORDER BY id").fetchall()


# A streaming standby


def _written(dsn: str, writer: int) -> None:
    """Appends whose transactions linger and are sometimes taken back, so that they commit in another order than they began."""
    choice, version = random.Random(writer), 0
    with connect(dsn) as conn:
        while version < EVENTS_EACH:
            gone = choice.random() < 0.15
            with conn.transaction(force_rollback=gone):
                send(conn, command((f"test-{writer}", version)))
                time.sleep(choice.choice((0, 0, 0.002, 0.01)))
            version += not gone


def _naive(dsn: str, done: threading.Event, left: Callable[[int], bool]) -> list[int]:
    """A control: a reader of the standby that takes whatever lies above what it saw, without the horizon."""
    seen: list[int] = [0]
    with connect(dsn) as conn:
        while not (done.is_set() and not left(seen[-1])):
            rows = conn.execute("SELECT position FROM o2c.event WHERE position > %s ORDER BY position LIMIT 40", (seen[-1],)).fetchall()
            seen += [row["position"] for row in rows]
    return seen[1:]


def _follow(dsn: str, after: Mark, seen: list[EventRecord], over: threading.Event) -> None:
    for page in pages(dsn, EVERYTHING, after, stop=over.is_set):
        seen += page


def test_a_standby_is_followed_as_the_primary_is(primary: str, standby: str) -> None:
    """A follower of the standby sees every event once and in order while writers linger and take back; one without the horizon does not."""
    done, over, seen = threading.Event(), threading.Event(), list[EventRecord]()
    start = list(matching_events(primary, EVERYTHING))[-1].mark
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        following = pool.submit(_follow, standby, start, seen, over)
        control = pool.submit(
            _naive, standby, done, lambda last: one(standby, f"SELECT count(*) AS n FROM o2c.event WHERE position > {last}")["n"]
        )
        for writer in [pool.submit(_written, primary, n) for n in range(WRITERS)]:
            writer.result()
        level(primary, standby)
        done.set()
        naive = control.result()
        written = list(matching_events(primary, EVERYTHING, after=start))
        deadline = time.monotonic() + 30
        while len(seen) < len(written) and time.monotonic() < deadline:
            time.sleep(0.05)
        over.set()
        following.result()
    assert len(written) >= WRITERS * EVENTS_EACH
    assert seen == written
    assert {record.position for record in written} - set(naive), "a control: without the horizon some are passed by"


def test_projections_are_read_on_a_standby(primary: str, standby: str) -> None:
    """Rows, their check against the log and a look back are there as on the primary; what would write is refused."""
    catch_up(primary, upto=one(primary, "SELECT position FROM projection.checkpoint LIMIT 1")["position"])
    level(primary, standby)
    for projection in ALL:
        position = next(known.position for known in status(standby, [projection]))
        assert verify(standby, projection).differing == ()
        assert as_of(standby, projection, position) == as_of(primary, projection, position)
    with pytest.raises(Refused, match="takes no writes") as refused:
        opened(standby)
    assert refused.value.kind == "conflict"
    with pytest.raises(Refused, match="takes no writes"):
        adopt(standby, actor="ann", reason="no", command_id=str(uuid.uuid4()))


def test_reading_commands_work_on_a_standby(primary: str, standby: str, tmp_path: Path) -> None:
    """What the primary projected and all of the log is shown, with a line that says so; what would write is refused in one line."""
    level(primary, standby)
    here = Program(standby, tmp_path / "home")
    for arguments in (
        ("orders", "list", "-o", "json"), ("orders", "show", "A", "-o", "json"), ("fallout", "list", "-o", "json"),
        ("events", "tail", "--once"), ("projections", "status", "-o", "json"), ("projections", "verify", "orders", "-o", "json"),
    ):  # fmt: skip
        shown = here.run(*arguments)
        assert (shown.returncode, len(shown.stdout) > 2) == (0, True), (arguments, shown.stderr)
        assert "this server takes no writes" in shown.stderr
    assert {row["external_id"] for row in here.data("orders", "list", "-o", "json")} == {"A", "B"}
    assert here.run("events", "tail", "--once").stdout == Program(primary, tmp_path / "home").run("events", "tail", "--once").stdout
    for arguments in (
        ("run",),
        ("projections", "rebuild", "orders", "--actor", "ann"),
        ("orders", "cancel", "A", "--actor", "ann", "--reason", "no"),
    ):
        refused = here.run(*arguments)
        assert (refused.returncode, "takes no writes" in refused.stderr) == (4, True), refused.stderr


def cut_off(standby: str) -> None:
    """The standby receives no more: what the primary acknowledges from now on is lost when it is gone."""
    with connect(standby) as conn:
        conn.execute("ALTER SYSTEM SET primary_conninfo = ''")
        conn.execute("SELECT pg_reload_conf()")
    wait_until("the standby still receives", standby, "SELECT count(*) = 0 AS done FROM pg_stat_wal_receiver")


def test_a_promoted_standby_begins_a_life(
    primary: str, folder: Path, ground: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the primary wrote and the standby never got is lost; new positions lie above it, a consumer that knows it is told, work goes on.

    A control first: undeclared, the promoted server gives positions that consumers of the old primary have read already.
    """
    with standing_by(primary, folder, ground, programs) as promoted:
        level(primary, promoted)
        cut_off(promoted)
        lost = lose(primary, "lost")
        data = Path(one(promoted, "SELECT current_setting('data_directory') AS data")["data"])
        run(programs, data, "pg_ctl", "-D", str(data), "-s", "-w", "promote")
        with monkeypatch.context() as undeclared:
            for module in (database, recorder):
                undeclared.setattr(module, "declare_incarnation", lambda conn: None)
            assert append(promoted, "test-undeclared") <= lost[-1].position

        kept = list(matching_events(promoted, EVERYTHING))[-1].mark
        assert "lies ahead of this log" in noticed(promoted, lost[-1])
        before, now = lives(promoted)
        assert now["timeline"] > before["timeline"]
        assert (now["fork_position"], now["reason"]) == (kept.position, "another cluster or timeline was found")
        new = [append(promoted, f"test-new-{n}") for n in range(2)]
        assert lost[-1].position < new[0] < new[1]
        assert "is not in this log" in noticed(promoted, lost[-1])
        assert [record.position for page in pages(promoted, EVERYTHING, kept, wait=False) for record in page] == new


# A plain copy of the data folder


@pytest.fixture(scope="module")
def copied(ground: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Mark]]]:
    """A data folder copied while its server was stopped, and what the original wrote afterwards."""
    original, copy = ground / f"original-{time.monotonic_ns()}", ground / f"copy-{time.monotonic_ns()}"
    with embedded.acquire(original, binaries=programs, settings=SMALL) as server:
        lived(server.dsn, tmp_path_factory.mktemp("papers"), "A")
    homed(original / "data", copy)
    with serving(original, programs) as dsn:
        lost = lose(dsn, "lost")
    yield copy / "data", lost
    shutil.rmtree(copy)


@pytest.fixture
def copy(copied: tuple[Path, list[Mark]], ground: Path, programs: Path) -> Iterator[str]:
    """The server of a plain copy: same cluster, same timeline, an older log."""
    home = homed(copied[0], ground / f"copied-{time.monotonic_ns()}")
    with serving(home, programs) as dsn:
        yield dsn


def test_a_plain_copy_that_is_not_adopted_gives_positions_twice(copy: str, copied: tuple[Path, list[Mark]]) -> None:
    """A control: nothing shows that it is a copy. A consumer that keeps the bare position is fooled; the id of the event tells the others."""
    lost = copied[1]
    assert len(lives(copy)) == 1
    new = {append(copy, f"test-new-{n}") for n in range(LOST)}
    again = next(mark for mark in lost if mark.position in new)
    assert list(pages(copy, EVERYTHING, Mark(again.position, None), wait=False)) != [], "fooled: it goes on in another history"
    assert "stands there" in noticed(copy, again)


def test_an_adopted_copy_begins_a_life(copy: str, copied: tuple[Path, list[Mark]]) -> None:
    """Positions lie above everything the original can have given, consumers of the original are told, and a repeat adopts once."""
    lost, wish = copied[1], str(uuid.uuid4())
    adopted = adopt(copy, actor="ann", reason="last night's copy", command_id=wish)
    again = adopt(copy, actor="ann", reason="last night's copy", command_id=wish)
    assert (adopted.lives, adopted.repeated, again.lives, again.repeated) == (2, False, 2, True)
    assert [life["actor"] for life in lives(copy)] == [None, "ann"]
    new = [append(copy, f"test-new-{n}") for n in range(LOST)]
    assert new == sorted(new)
    assert lost[-1].position < new[0]
    assert not {mark.position for mark in lost} & set(new)
    assert "is not in this log" in noticed(copy, lost[-1])
