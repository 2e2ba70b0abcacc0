"""Appends within a savepoint: what is taken back with it was answered as appended, and what is kept bears another transaction's number."""

from contextlib import closing

import psycopg
import pytest

from o2c import plan
from o2c.checks.diagnose import run_checks
from o2c.engine.app import Engine
from o2c.store.commands import APPEND_SQL
from o2c.store.database import connect
from tests.attacks.harness import UNGUARDED_SQL, Connection, column, take_out, write
from tests.store.writing import command

NESTED = "coalesce(bool_or(writer <> pg_current_xact_id()::xid), false)"
WRITTEN = "events are as their transactions wrote them"

OPEN = {
    "one": "SAVEPOINT s",
    "the second of two": "SAVEPOINT r; RELEASE r; SAVEPOINT s",
    "one gone back to": "SAVEPOINT s; ROLLBACK TO s",
    "one within another": "SAVEPOINT r; SAVEPOINT s",
}
"""Ways to a savepoint that is open."""


def streams(conn: Connection) -> list[str]:
    return column(conn, "SELECT stream FROM o2c.event ORDER BY position")


def evidence(dsn: str) -> str:
    """What `diagnose` says of who wrote the rows of the log."""
    with closing(Engine(dsn, plan.KINDS)) as app:
        return next(check.state for check in run_checks(app) if check.name == WRITTEN)


@pytest.mark.parametrize("statements", [pytest.param(statements, id=name) for name, statements in OPEN.items()])
def test_an_append_within_a_savepoint_is_refused(log_dsn: str, statements: str) -> None:
    """In one line that says why, and nothing of it is written; the next append, outside, is as any other."""
    with connect(log_dsn) as conn:
        conn.execute(f"BEGIN; {statements}".encode())
        with pytest.raises(psycopg.errors.InvalidTransactionState, match="append refused within a savepoint"):
            write(conn, command(("a-1", 0)))
        conn.execute("ROLLBACK")
        assert streams(conn) == []
        assert write(conn, command(("a-1", 0))).verdict == "appended"
    assert evidence(log_dsn) == "ok"


def test_a_nested_transaction_of_the_driver_is_a_savepoint(log_dsn: str) -> None:
    """psycopg makes one of every transaction() within another."""
    with connect(log_dsn) as conn:
        with conn.transaction(), pytest.raises(psycopg.errors.InvalidTransactionState, match="savepoint"), conn.transaction():
            write(conn, command(("a-1", 0)))
        assert streams(conn) == []


@pytest.mark.parametrize("statements", [pytest.param("", id="none"), pytest.param("SAVEPOINT s; RELEASE s", id="one that has ended")])
def test_without_an_open_savepoint_nothing_is_refused(log_dsn: str, statements: str) -> None:
    """A control: the same transaction appends, and a savepoint after it changes nothing."""
    with connect(log_dsn) as conn:
        with conn.transaction():
            conn.execute(statements.encode())
            assert write(conn, command(("a-1", 0))).verdict == "appended"
            with conn.transaction(force_rollback=True):
                conn.execute("SELECT 1")
        assert streams(conn) == ["a-1"]
    assert evidence(log_dsn) == "ok"


def test_control_without_the_guard_an_answered_append_is_gone(log_dsn: str) -> None:
    """The caller was told of a position at which no event stands."""
    with connect(log_dsn) as conn:
        take_out(conn, NESTED)
        with conn.transaction(), conn.transaction(force_rollback=True):
            assert write(conn, command(("a-1", 0)), UNGUARDED_SQL).verdict == "appended"
        assert streams(conn) == []
        assert write(conn, command(("a-1", 0)), APPEND_SQL).verdict == "appended"


def test_control_without_the_guard_what_stays_looks_put_in_by_hand(log_dsn: str) -> None:
    """Its rows bear the number of the savepoint: `diagnose` says for good that another transaction wrote them."""
    with connect(log_dsn) as conn:
        take_out(conn, NESTED)
        with conn.transaction(), conn.transaction():
            write(conn, command(("a-1", 0)), UNGUARDED_SQL)
        assert streams(conn) == ["a-1"]
    assert evidence(log_dsn) == "failed"
