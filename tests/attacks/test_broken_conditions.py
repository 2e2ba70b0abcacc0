"""What the order of positions rests on, broken on purpose: our append() and reader refuse or bear it, the same without the guard do not."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from o2c.store.commands import APPEND_SQL
from o2c.store.database import connect
from o2c.store.roles import Roles, arrange
from tests.attacks.harness import UNGUARDED_SQL, Connection, Flaws, Place, column, flaws, page_after, settle, take_out, until, write
from tests.store.writing import command

FIRST_WRITE = "pg_current_xact_id_if_assigned() IS NOT NULL"
OVERTAKEN = "h.last_position >= base"
GATE = 4711
"""The advisory lock before which a reading statement waits, its snapshot taken."""


@pytest.fixture
def conn(log_dsn: str) -> Iterator[Connection]:
    with connect(log_dsn) as made:
        yield made


def _read(conn: Connection, last: int = 0) -> list[Place]:
    """All that a reader finds after a position."""
    settle(conn)
    return page_after(conn, last)


def _standing(conn: Connection) -> set[tuple[str, int]]:
    return {(row["stream"], row["version"]) for row in conn.execute("SELECT stream, version FROM o2c.event").fetchall()}


# -- 1: append is the first write of its transaction


def _written_late(conn: Connection, log_dsn: str, sql: str, cause: str, effect: tuple[str, int]) -> str:
    """An id is taken, another transaction appends the cause meanwhile, then the effect is appended with the old id; the verdict."""
    with connect(log_dsn) as early, early.transaction():
        early.execute("SELECT pg_current_xact_id()")
        write(conn, command((cause, 0)))
        return write(early, command(effect), sql).verdict


def test_an_early_id_is_refused(conn: Connection, log_dsn: str) -> None:
    """Nothing of the append is written: its position would lie before what it was decided on."""
    with pytest.raises(psycopg.errors.InvalidTransactionState, match="first write"):
        _written_late(conn, log_dsn, APPEND_SQL, "a-1", ("b-1", 0))
    assert _standing(conn) == {("a-1", 1)}


def test_control_with_an_early_id_an_effect_stands_before_its_cause(conn: Connection, log_dsn: str) -> None:
    """Without the guard readers meet b-1, written because of a-1, before a-1."""
    take_out(conn, FIRST_WRITE)
    assert _written_late(conn, log_dsn, UNGUARDED_SQL, "a-1", ("b-1", 0)) == "appended"
    assert [stream for _, stream, _ in _read(conn)] == ["b-1", "a-1"]


def test_a_stream_that_went_on_is_guarded_twice(conn: Connection, log_dsn: str) -> None:
    """Where the early id slips through, the head still knows a later position: the append is stale."""
    take_out(conn, FIRST_WRITE)
    assert _written_late(conn, log_dsn, UNGUARDED_SQL, "a-1", ("a-1", 1)) == "stale"
    assert flaws(_read(conn), _standing(conn)) == Flaws()


def test_control_with_neither_guard_a_stream_runs_backwards(conn: Connection, log_dsn: str) -> None:
    """Version 2 stands before version 1, and a reader meets them so."""
    take_out(conn, FIRST_WRITE, OVERTAKEN)
    assert _written_late(conn, log_dsn, UNGUARDED_SQL, "a-1", ("a-1", 1)) == "appended"
    assert flaws(_read(conn), _standing(conn)) == Flaws(out_of_order=1)


# -- 2: who writes may append, and not insert

INSERT = """INSERT INTO o2c.event (position, stream, version, event_id, type, schema_version, occurred_at, actor, channel, command_id, body)
    VALUES (%s, 'forged-1', 1, gen_random_uuid(), 'test.happened', 1, now(), 'test', 'web', gen_random_uuid(), '{}')"""


@pytest.fixture
def roles(conn: Connection) -> Iterator[Roles]:
    """The roles of the log; they belong to the whole cluster and are taken away again."""
    with conn.transaction():
        made = arrange(conn)
    yield made
    conn.execute(SQL("RESET ROLE; DROP OWNED BY {roles}; DROP ROLE {roles}").format(roles=SQL(", ").join(map(Identifier, made))))


def _met(conn: Connection) -> list[Place]:
    """What a reader has met after three appends, each read at once."""
    seen: list[Place] = []
    for n in range(3):
        write(conn, command(("a-1", n)))
        seen += _read(conn, seen[-1][0] if seen else 0)
    return seen


def test_a_direct_insert_is_refused(conn: Connection, roles: Roles) -> None:
    """Who appends, folds or reads may insert nowhere; readers have met all that stands."""
    conn.execute(SQL("SET ROLE {}").format(Identifier(roles.appender)))
    seen = _met(conn)
    for role in (roles.appender, roles.projector, roles.reader):
        conn.execute(SQL("SET ROLE {}").format(Identifier(role)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(INSERT, [seen[-1][0] - 1])
    conn.execute("RESET ROLE")
    seen += _read(conn, seen[-1][0])
    assert flaws(seen, _standing(conn)) == Flaws()


def test_control_an_insert_below_the_horizon_is_never_read(conn: Connection) -> None:
    """Whoever may insert puts an event where every reader has been already."""
    seen = _met(conn)
    conn.execute(INSERT, [seen[-1][0] - 1])
    seen += _read(conn, seen[-1][0])
    assert flaws(seen, _standing(conn)) == Flaws(missed=1)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE o2c.event SET actor = 'nobody'", id="update"),
        pytest.param("DELETE FROM o2c.event", id="delete"),
        pytest.param("TRUNCATE o2c.event", id="truncate"),
    ],
)
def test_what_stands_is_not_changed(conn: Connection, change: str) -> None:
    """Not even by the owner, unless the triggers are put aside first: the control, which is a superuser's to do."""
    write(conn, command(("a-1", 0)))
    before = column(conn, "SELECT e::text FROM o2c.event AS e")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        conn.execute(change.encode())
    assert column(conn, "SELECT e::text FROM o2c.event AS e") == before
    conn.execute("SET session_replication_role = replica")
    conn.execute(change.encode())
    assert column(conn, "SELECT e::text FROM o2c.event AS e") != before


# -- 3: the horizon is of the snapshot that the rows are of


VOLATILE = """CREATE SCHEMA unguarded;
    CREATE FUNCTION unguarded.horizon() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$ BEGIN
        RETURN (SELECT (o2c.current_offset() + pg_snapshot_xmin(pg_current_snapshot())::text::bigint) * 65536);
    END $$"""


def _read_across_a_commit(conn: Connection, log_dsn: str, horizon: str) -> Sequence[Place]:
    """A reader's statement begins between the commits of two appends and goes on, to its horizon, after both; then it reads once more."""
    with connect(log_dsn) as older, connect(log_dsn) as reader, ThreadPoolExecutor(1) as pool:
        conn.execute("SELECT pg_advisory_lock(%s)", [GATE])
        with older.transaction():
            write(older, command(("older-1", 0)))
            write(conn, command(("newer-1", 0)))
            behind_the_gate = f"(SELECT {horizon} FROM (SELECT pg_advisory_lock_shared({GATE}) OFFSET 0) AS gate)"
            reading = pool.submit(page_after, reader, 0, behind_the_gate)
            until(lambda: conn.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchall())
        settle(conn)
        conn.execute("SELECT pg_advisory_unlock(%s)", [GATE])
        seen = reading.result()
        return [*seen, *page_after(reader, seen[-1][0] if seen else 0, horizon)]


def test_a_horizon_of_the_statements_own_snapshot_misses_nothing(conn: Connection, log_dsn: str) -> None:
    """What was committed while the statement ran is left for the next page, with all that stands after it."""
    seen = _read_across_a_commit(conn, log_dsn, "o2c.horizon()")
    assert flaws(seen, _standing(conn)) == Flaws()


def test_control_a_horizon_of_a_later_snapshot_passes_an_event_by(conn: Connection, log_dsn: str) -> None:
    """In a VOLATILE function it is taken after the older append's commit, which the rows of the statement do not show."""
    conn.execute(VOLATILE.encode())
    seen = _read_across_a_commit(conn, log_dsn, "unguarded.horizon()")
    assert flaws(seen, _standing(conn)) == Flaws(missed=1)
