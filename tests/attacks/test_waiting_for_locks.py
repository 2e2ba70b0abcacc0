"""What must be done alone waits for whoever does it, says whom it waits for, and gives up in one line; nobody without a right to it keeps it waiting."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo
from structlog.testing import capture_logs

from o2c import plan
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.store import database, turns
from o2c.store.database import Migration, arrange_roles, connect, migrations, prepare
from o2c.views import analyst
from projections.catalogue import BY_NAME
from projections.engine import tables
from projections.engine.operations import By, catch_up, rebuild, rollback
from projections.engine.ownership import take_over
from tests.histories import append, captured
from tests.shell import Shell
from tests.store.test_roles import DENIED, GRANTED, database_apart, login, outcome

ORDERS = BY_NAME["orders"]
SCHEMA_ROW = "LOCK TABLE o2c.migration IN SHARE UPDATE EXCLUSIVE MODE"
MAKING_ROW = "LOCK TABLE projection.checkpoint IN SHARE UPDATE EXCLUSIVE MODE"
NAMED = "SELECT pg_advisory_lock(hashtextextended('{}', 0))"
OLD_LOCKS = (
    "SELECT pg_advisory_lock(7287395), pg_advisory_lock(1886547818), pg_advisory_lock(hashtextextended('o2c analyst views', 0)),"
    " pg_advisory_lock(hashtextextended('o2c schema', 0)), pg_advisory_lock(hashtextextended('o2c tables of projections', 0))"
)
"""Locks that anybody may take, as programs waited for them, and as they do still where there is no store yet."""


@pytest.fixture
def store(server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store with roles, and little patience."""
    monkeypatch.setattr(turns, "TOLD_S", 0.1)
    monkeypatch.setattr(turns, "PATIENCE_S", 0.4)
    with database_apart(server_dsn) as dsn:
        append(dsn, [captured(0)])
        catch_up(dsn)
        yield dsn


@pytest.fixture
def newer(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program with a migration more than the store has."""
    number = migrations()[-1].number + 1
    more = [
        *migrations(),
        Migration(number, "more", "ALTER TABLE event ADD more text; ALTER TABLE event DROP more"),
    ]
    monkeypatch.setattr(database, "migrations", lambda: more)


def publish(dsn: str) -> None:
    """The views of analysts made anew."""
    with closing(Engine(dsn, plan.KINDS)) as app:
        analyst.publish(app)


def make(dsn: str) -> None:
    """The tables of a projection made that are missing."""
    with tables.session(dsn) as conn:
        conn.execute("RESET ROLE; DELETE FROM projection.checkpoint WHERE name = 'orders'")
        tables.prepare(conn, [ORDERS])


def take(dsn: str) -> None:
    """What stands among the tables of projections taken over, again."""
    with connect(dsn) as conn:
        take_over(conn)


@contextmanager
def held(dsn: str, statement: str) -> Iterator[str]:
    """Somebody at psql has a transaction open after a statement; what is told of him."""
    with connect(make_conninfo(dsn, application_name="psql")) as conn, conn.transaction():
        conn.execute(statement.encode())
        yield rf"process {conn.info.backend_pid} of {conn.info.user} \(psql, since 20.* UTC\)"


@contextmanager
def other_form(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A program that makes other views of analysts."""
    with monkeypatch.context() as patched:
        patched.setattr(analyst, "FORM", analyst.FORM + 1)
        yield


HELD_UP: dict[str, tuple[Callable[[str], object], str, str]] = {
    "a migration": (prepare, SCHEMA_ROW, "the schema of the store"),
    "roles": (arrange_roles, SCHEMA_ROW, "the schema of the store"),
    "views of analysts": (publish, SCHEMA_ROW, "the schema of the store"),
    "tables": (make, MAKING_ROW, "the making of tables of projections"),
    "taking over": (take, MAKING_ROW, "the making of tables of projections"),
    "a rebuild": (lambda dsn: rebuild(dsn, ORDERS), NAMED.format("rebuild of projection orders"), "the rebuild of projection orders"),
}
"""What is done alone, the lock it needs, and what it calls its work."""


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("name", HELD_UP)
def test_who_waits_says_for_whom_and_ends(store: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At first a line in the log, with process, login, program and since when; then a refusal that can be tried again."""
    does, statement, work = HELD_UP[name]
    if name != "a migration":
        prepare(store)
    with held(store, statement) as holder, capture_logs() as logged, other_form(monkeypatch):
        with pytest.raises(Refused, match=f"{work} is held up by {holder}; wait for it or end that process") as refused:
            does(store)
        assert refused.value.kind == "unavailable"
    waited = [entry for entry in logged if entry["event"] == "waiting"]
    assert {entry["turn"] for entry in waited} == {work}


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("name", HELD_UP)
def test_control_it_goes_on_when_the_other_lets_go(store: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told once, and then done."""
    monkeypatch.setattr(turns, "PATIENCE_S", 30)
    does, statement, _ = HELD_UP[name]
    if name != "a migration":
        prepare(store)
    with connect(store) as conn, other_form(monkeypatch), capture_logs() as logged:
        conn.execute("BEGIN")
        conn.execute(statement.encode())
        at_work = threading.Thread(target=does, args=(store,))
        at_work.start()
        assert at_work.join(1) is None
        assert at_work.is_alive()
        conn.execute("ROLLBACK; SELECT pg_advisory_unlock_all()")
        at_work.join(30)
        assert not at_work.is_alive()
    assert len([entry for entry in logged if entry["event"] == "waiting"]) == 1


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("role", ["reader", "appender", "projector"])
def test_nobody_without_a_right_to_the_work_keeps_it_waiting(store: str, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not change the schema, or write the tables, cannot take the locks of those who do, and the locks he can take hold up nobody."""
    held_by_name, asked = login(store, role), login(store, role)
    with held(held_by_name, OLD_LOCKS), other_form(monkeypatch), capture_logs() as logged:
        for name, (does, _, _) in HELD_UP.items():
            if name != "a rebuild":
                does(store)
    assert [entry for entry in logged if entry["event"] == "waiting"] == []
    assert outcome(asked, SCHEMA_ROW) == DENIED
    assert outcome(asked, MAKING_ROW) == (GRANTED if role == "projector" else DENIED)


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize(
    ("name", "reads", "work"),
    [
        ("a migration", "SELECT FROM o2c.analyst_event", "the schema of the store"),
        ("views of analysts", "SELECT FROM analyst.order_captured", "the views of analysts"),
    ],
)
def test_a_reader_who_leaves_a_transaction_open_is_named(
    store: str, name: str, reads: str, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He need take no lock to be in the way: what he has read cannot be changed while he may read it again."""
    if name != "a migration":
        prepare(store)
    told = pytest.raises(Refused, match=f"{work} is held up by process .*reader.*_login \\(psql")
    with held(login(store, "reader"), reads), capture_logs() as logged, other_form(monkeypatch), told:
        HELD_UP[name][0](store)
    assert [entry["turn"] for entry in logged if entry["event"] == "waiting"] == [work, work]


def test_a_stranger_in_the_place_of_a_rebuild_is_told_as_one(store: str) -> None:
    """A rebuild takes many transactions, so its lock is one that anybody may take; whoever has it without a right to the work is named so."""
    with held(login(store, "reader"), NAMED.format("rebuild of projection orders")) as holder:
        with pytest.raises(Refused, match=f"{holder}, which has no right to it"):
            rebuild(store, ORDERS)
        with pytest.raises(Refused, match=f"is being rebuilt by {holder}"):
            rollback(store, ORDERS, By("ann", "wrong"))


def test_a_store_that_is_being_made_is_waited_for(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before there is a table to lock the lock is one of a name."""
    monkeypatch.setattr(turns, "TOLD_S", 0.1)
    monkeypatch.setattr(turns, "PATIENCE_S", 0.4)
    with (
        held(dsn, NAMED.format("o2c schema")) as holder,
        pytest.raises(Refused, match=f"the making of the store is held up by {holder}; wait"),
    ):
        prepare(dsn)
    prepare(dsn)
    with (
        held(dsn, NAMED.format("o2c tables of projections")) as holder,
        pytest.raises(Refused, match=f"tables of projections is held up by {holder}; wait"),
    ):
        catch_up(dsn)
    catch_up(dsn)


def test_a_session_of_less_patience_keeps_it(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks wait for no lock for long, and neither does what they call."""
    monkeypatch.setattr(turns, "PATIENCE_S", 3_600)
    hurried = make_conninfo(store, options="-c lock_timeout=50ms")
    with held(store, MAKING_ROW), pytest.raises(Refused, match="is held up by"):
        make(hurried)
    with tables.session(hurried) as conn:
        tables.prepare(conn, [ORDERS])
        assert conn.execute("SHOW lock_timeout").fetchone() == {"lock_timeout": "50ms"}


def test_on_the_command_line_it_is_two_lines_and_try_later(store: str, tmp_path: Path) -> None:
    """The one while it waits, the other at its end with the exit code of whatever can be tried again."""
    with held(store, NAMED.format("rebuild of projection orders")):
        done = Shell(store, tmp_path).run("projections", "rebuild", "orders", "--actor", "ann")
    waiting, *_, ended = done.stderr.strip().splitlines()
    assert done.returncode == 75
    assert "waiting" in waiting
    assert ended.startswith("o2c: the rebuild of projection orders is held up by process")
