"""What a crash takes back: transaction ids are given again. Whoever relied on more than a position and the id of its event reads past events."""

import psycopg
import pytest

from o2c.store.database import connect
from tests.attacks.harness import UNGUARDED_SQL, Connection, Mortal, column, one, page_after, take_out, write
from tests.store.writing import command

ASYNCHRONOUS = "current_setting('synchronous_commit') = 'off'"
TAKEN_BACK = 300


def _event_at(conn: Connection, position: int) -> str | None:
    return next(iter(column(conn, "SELECT event_id::text FROM o2c.event WHERE position = %s", position)), None)


def test_an_append_whose_commit_may_be_lost_is_refused(mortal: Mortal) -> None:
    """With synchronous_commit off on the connection nothing is appended; what was appended before outlives the crash."""
    with connect(mortal.dsn) as conn:
        kept = write(conn, command(("a-1", 0)))
        conn.execute("SET synchronous_commit = off")
        with pytest.raises(psycopg.errors.InvalidTransactionState, match="synchronous_commit"):
            write(conn, command(("a-1", 1)))
        mortal.kill()
    mortal.start()
    with connect(mortal.dsn) as conn:
        assert page_after(conn, 0) == [(kept.first_position, "a-1", 1)]


def test_control_what_a_reader_saw_is_gone_and_its_position_is_given_again(mortal: Mortal) -> None:
    """The same append() without that guard: the reader had seen the event, and after the crash its position belongs to another."""
    with connect(mortal.dsn) as conn:
        take_out(conn, ASYNCHRONOUS)
        mortal.hold_wal()
        conn.execute("SET synchronous_commit = off")
        for n in range(20):
            write(conn, command((f"lost-{n}", 0)), UNGUARDED_SQL)
        seen = {position: _event_at(conn, position) for position, _, _ in page_after(conn, 0)}
        mortal.kill()
    mortal.start()
    with connect(mortal.dsn) as conn:
        assert page_after(conn, 0) == []
        new = [write(conn, command((f"new-{n}", 0))).first_position for n in range(20)]
        assert set(new) & set(seen)
        assert not {_event_at(conn, position) for position in new} & set(seen.values())


def _taken_back(conn: Connection) -> None:
    """Transactions that had an id and left nothing: not even their ids outlive a crash."""
    for _ in range(TAKEN_BACK):
        with conn.transaction(force_rollback=True):
            conn.execute("SELECT pg_current_xact_id()")


def test_a_position_outlives_a_crash_and_a_horizon_does_not(mortal: Mortal) -> None:
    """Who goes on from the position of the last event it saw reads what came after the crash; the control goes on from a horizon and does not."""
    with connect(mortal.dsn) as conn:
        last = write(conn, command(("a-1", 0))).last_position
        event_id = _event_at(conn, last)
        mortal.hold_wal()
        _taken_back(conn)
        horizon = one(conn, "SELECT o2c.horizon()")
        mortal.kill()
    mortal.start()
    with connect(mortal.dsn) as conn:
        new = write(conn, command(("b-1", 0)))
        assert last < new.first_position < horizon
        assert _event_at(conn, last) == event_id
        assert page_after(conn, last) == [(new.first_position, "b-1", 1)]
        control = page_after(conn, horizon - 1)
        assert control == []
