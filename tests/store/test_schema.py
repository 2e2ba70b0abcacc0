"""The schema, its migrations and its incarnations: many may start at once, an unsafe server is refused, the log never changes."""

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool
from structlog.testing import capture_logs

from o2c import plan
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.store.database import connect, migrations, prepare
from o2c.store.embedded import acquire
from o2c.store.recorder import LogRecorder
from projections.engine.operations import ALL
from tests.store.writing import command, rows, send, verdicts

ROOT = Path(__file__).parents[2]


def test_many_may_prepare_at_once(dsn: str) -> None:
    """Eight starts on one empty database all succeed; each migration and the first incarnation are there once."""
    start = threading.Barrier(8)

    def begin(_: int) -> None:
        start.wait()
        prepare(dsn)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(8)))
    with connect(dsn) as conn:
        applied = conn.execute("SELECT number, note FROM o2c.migration ORDER BY number").fetchall()
        incarnations = conn.execute("SELECT position_offset, fork_position, reason FROM o2c.incarnation").fetchall()
    assert applied == [{"number": each.number, "note": each.note} for each in migrations()]
    assert incarnations == [{"position_offset": 0, "fork_position": 0, "reason": "created"}]


def test_sixteen_programs_may_start_at_once(dsn: str) -> None:
    """Processes, not threads: engine, first append and projections of all sixteen on an empty database, and everything is there once."""
    done = subprocess.run([sys.executable, "-m", "tests.store.starting", dsn, "16"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    with connect(dsn) as conn:
        found = conn.execute(
            "SELECT (SELECT count(*) FROM o2c.event) AS events, (SELECT count(*) FROM o2c.incarnation) AS lives,"
            " (SELECT count(DISTINCT number) = count(*) FROM o2c.migration) AS migrated, (SELECT count(*) FROM projection.checkpoint) AS folds"
        ).fetchone()
    assert found == {"events": 16, "lives": 1, "migrated": True, "folds": len(ALL)}


def test_migrations_are_numbered_without_gaps() -> None:
    """The number of a migration is its place, and its first line says what it is for."""
    assert [each.number for each in migrations()] == list(range(1, len(migrations()) + 1))
    assert [each.number for each in migrations() if each.note.startswith("--") or not each.note] == []


def test_a_newer_store_is_refused(dsn: str) -> None:
    """A store that a newer program migrated is left as it is."""
    prepare(dsn)
    with connect(dsn) as conn:
        conn.execute("INSERT INTO o2c.migration (number, note) VALUES (9999, 'from the future')")
    with pytest.raises(Refused, match=r"at migration 9999, this program knows \d+; use a newer program") as refused:
        prepare(dsn)
    assert refused.value.kind == "conflict"
    with pytest.raises(Refused, match="at migration 9999"):
        Engine(dsn, {})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE o2c.event SET actor = 'somebody else'", id="UPDATE"),
        pytest.param("UPDATE o2c.event SET personal = NULL WHERE version = 1", id="UPDATE of personal fields"),
        pytest.param("DELETE FROM o2c.event", id="DELETE"),
        pytest.param("TRUNCATE o2c.event", id="TRUNCATE"),
        pytest.param("TRUNCATE o2c.head, o2c.event CASCADE", id="TRUNCATE with others"),
        pytest.param("INSERT INTO o2c.event SELECT * FROM o2c.event ON CONFLICT (position) DO UPDATE SET actor = 'me'", id="an upsert"),
        pytest.param("MERGE INTO o2c.event e USING o2c.head h ON e.stream = h.stream WHEN MATCHED THEN DELETE", id="MERGE"),
    ],
)
def test_the_log_never_changes(recorder: LogRecorder, log_dsn: str, change: str) -> None:
    """Not even its owner changes, deletes or empties it."""
    recorder.append([command(("a-1", 0), each=2)])
    before = rows(recorder, "SELECT event::text AS row FROM o2c.event ORDER BY position")
    with connect(log_dsn) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        conn.execute(change.encode())
    assert rows(recorder, "SELECT event::text AS row FROM o2c.event ORDER BY position") == before


@pytest.fixture
def role(server_dsn: str) -> Iterator[str]:
    """A role of nobody's, gone afterwards."""
    name = f"writer_{uuid.uuid4().hex}"
    with connect(server_dsn) as conn:
        conn.execute(f"CREATE ROLE {name} LOGIN".encode())
        yield name
        conn.execute(f"DROP ROLE {name}".encode())


def test_a_writer_needs_no_right_to_insert(dsn: str, role: str) -> None:
    """A role that may execute append() and read can append; inserting into the log itself, or appending unasked, is refused."""
    prepare(dsn)
    writer = make_conninfo(dsn, user=role)
    with connect(dsn) as owner:
        owner.execute(f"GRANT USAGE ON SCHEMA o2c TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA o2c TO {role}".encode())
        with connect(writer) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege, match="append"):
            send(conn, command(("a-1", 0)))
        owner.execute(f"GRANT EXECUTE ON FUNCTION o2c.append TO {role}".encode())
        with connect(writer) as conn:
            assert verdicts(send(conn, command(("a-1", 0)))) == ["appended"]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("INSERT INTO o2c.event SELECT * FROM o2c.event")
        owner.execute(f"DROP OWNED BY {role}".encode())


def _set(conn: psycopg.Connection[dict[str, str]], setting: str, value: str) -> None:
    conn.execute(f"ALTER SYSTEM SET {setting} = {value}".encode())
    conn.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 10
    while conn.execute("SELECT current_setting(%s) AS value", (setting,)).fetchone() != {"value": value} and time.monotonic() < deadline:
        time.sleep(0.02)


def test_an_unsafe_server_is_refused(ground: Path, binaries: Path | None) -> None:
    """A server that may lose what it acknowledged is refused by the name of the setting, and nothing is made; a safe one is taken."""
    with (
        acquire(ground / "unsafe", binaries=binaries, settings={"shared_buffers": "16MB", "fsync": "off"}) as server,
        connect(server.dsn) as conn,
    ):
        with pytest.raises(Refused, match="fsync=off"):
            prepare(server.dsn)
        _set(conn, "fsync", "on")
        _set(conn, "full_page_writes", "off")
        with pytest.raises(Refused, match="full_page_writes=off"):
            prepare(server.dsn)
        assert conn.execute("SELECT to_regnamespace('o2c') AS made").fetchone() == {"made": None}
        _set(conn, "full_page_writes", "on")
        prepare(server.dsn)


# Incarnations


@pytest.fixture
def own_recorder(dsn: str) -> Iterator[LogRecorder]:
    """A recorder on a log whose incarnations the test may change."""
    prepare(dsn)
    factory = InfrastructureFactory.construct(Environment("Engine", {**Engine.env, "DSN": dsn}))
    made = factory.application_recorder()
    assert isinstance(made, LogRecorder)
    yield made
    factory.close()


def _all_connected(pool: ConnectionPool[Any]) -> None:
    """Wait until the connections are there that the pool asked for in haste too: each looks at the incarnation when it is made."""
    while (stats := pool.get_stats())["pool_size"] != stats["pool_available"]:
        time.sleep(0.01)


def _eventually(conn: psycopg.Connection[Any], query: str) -> None:
    """Wait until a query has a row."""
    deadline = time.monotonic() + 30
    while not conn.execute(query.encode()).fetchall():
        assert time.monotonic() < deadline, query
        time.sleep(0.01)


def _fork(dsn: str, column: str = "system_identifier", value: str = "'1'") -> None:
    """Make the log believe that its last incarnation lived elsewhere."""
    with connect(dsn) as conn:
        conn.execute(f"UPDATE o2c.incarnation SET {column} = {value}".encode())


@pytest.mark.parametrize(
    ("column", "value"),
    [pytest.param("system_identifier", "'1'", id="another cluster"), pytest.param("timeline", "77", id="another timeline")],
)
def test_a_new_incarnation_lies_above_all_before(own_recorder: LogRecorder, dsn: str, column: str, value: str) -> None:
    """The next connection notices it, says so, and appends above every old position, also by a recorder that was open before."""
    [old] = own_recorder.append([command(("a-1", 0), each=3)])
    _fork(dsn, column, value)
    with capture_logs() as logged:
        prepare(dsn)
        prepare(dsn)
    assert [(entry["event"], entry["fork_position"]) for entry in logged] == [("incarnation_declared", str(old.last_position))]
    [new] = own_recorder.append([command(("a-1", 3))])
    assert new.first_position > old.last_position + 2**32 * 65536 - 1
    assert [event.id for event in own_recorder.select_notifications(old.last_position, 10)] == [old.last_position, new.first_position]
    found = rows(own_recorder, "SELECT fork_position, reason FROM o2c.incarnation ORDER BY id")
    assert found[1:] == [{"fork_position": old.last_position, "reason": "another cluster or timeline was found"}]


def test_an_incarnation_waits_for_appends_under_way(own_recorder: LogRecorder, dsn: str) -> None:
    """An append that read the old offset ends before the horizon is raised above it, so that no reader passes it by."""
    own_recorder.max_notification_id()
    _all_connected(own_recorder.datastore.pool)
    _fork(dsn)
    with connect(dsn) as slow, ThreadPoolExecutor(1) as pool:
        with slow.transaction():
            [under_way] = send(slow, command(("a-1", 0)))
            declared = pool.submit(prepare, dsn)
            _eventually(slow, "SELECT FROM pg_locks WHERE relation = 'o2c.event'::regclass AND NOT granted")
            assert list(own_recorder.select_notifications(0, 10)) == []
            assert not declared.done()
        declared.result()
    [later] = own_recorder.append([command(("a-1", 1))])
    assert [event.id for event in own_recorder.select_notifications(0, 10)] == [under_way.first_position, later.first_position]
    assert rows(own_recorder, "SELECT max(fork_position) AS fork FROM o2c.incarnation") == [{"fork": under_way.last_position}]


def test_a_new_connection_of_the_pool_meets_a_new_incarnation(dsn: str) -> None:
    """A pool that connects again after a promotion or a restore declares the new incarnation by itself."""
    with Engine(dsn, plan.KINDS) as app:
        app.reads.next_due()
        pool = app.log_recorder.datastore.pool
        _all_connected(pool)
        with connect(dsn) as owner:
            owner.execute("UPDATE o2c.incarnation SET system_identifier = 'another cluster'")
        pool.drain()

        app.reads.next_due()

        assert len(app.reads.rows("SELECT id FROM o2c.incarnation")) == 2
