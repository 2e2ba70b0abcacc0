"""Each kind of damage, to the schema, the log, the server or the work under way, is named by the check that looks for it, and only by that."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from o2c import plan
from o2c.checks import diagnose as checks
from o2c.checks import server as checks_server
from o2c.checks.diagnose import Check, run_checks
from o2c.engine.app import Engine
from tests.world import World, at, line, order

SETTINGS, VERSION, INCARNATION, CLOCKS = "server settings are safe", "server version and encoding", "incarnation is current", "clocks agree"
CONNECTIONS, HOLDERS, DISK, BACKUPS = "connections are left", "nobody holds back readers", "the disk has room", "WAL is archived"
FITS, SCHEMA, WRITERS = "the store fits the program", "the schema is as migrated", "nobody writes past append()"
OVERDUE, LEASES, PARKED = "nothing is overdue", "leases end", "no projection is parked"
UNCHANGED, COMMANDS, INVOICES = "events are as their transactions wrote them", "every command has its events", "invoice numbers are guarded"
GAPLESS, HEADS, HOLDINGS = (
    "streams are gapless and readable",
    "head rows are the fold of their streams",
    "no SIM, number or device is held twice, guards agree",
)


def found(dsn: str, *, quick: bool = True, home: Path | None = None) -> dict[str, Check]:
    with closing(Engine(dsn, plan.KINDS)) as app:
        return {check.name: check for check in run_checks(app, quick=quick, home=home)}


def flawed(dsn: str, *, quick: bool = True) -> dict[str, str]:
    """What failed, and how it was told."""
    return {check.name: check.detail for check in found(dsn, quick=quick).values() if check.state == "failed"}


def plant(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        for statement in statements:
            assert conn.execute(statement.encode()).rowcount != 0


@pytest.fixture
def bare(new_store_dsn: str) -> str:
    """A store with a clock and nothing in it, and with whoever connects there the server begins anew."""
    with closing(Engine(new_store_dsn, plan.KINDS)) as app:
        app.create_clock(kind="simulated", seed=7)
    return new_store_dsn


@pytest.fixture
def lived(dsn: str, tmp_path: Path) -> str:
    """A store in which two orders were taken in and run past their first bills."""
    world = World(dsn, tmp_path)
    world.stocked().take(order("A", line()), order("B", line(), party="C-2"))
    world.run(at(20, month=2)).close()
    return dsn


def test_a_sound_store_has_no_flaw(lived: str) -> None:
    """A control: where nothing was planted nothing is found, and only the backups cannot be seen."""
    every = found(lived, quick=False)
    assert {check.name: check.state for check in every.values() if check.state != "ok"} == {BACKUPS: "could not check"}


@pytest.mark.parametrize(
    ("statement", "name", "told"),
    [
        pytest.param(
            "ALTER TABLE o2c.event DISABLE TRIGGER event_unchanged", SCHEMA, "event_unchanged on event is disabled", id="trigger off"
        ),
        pytest.param("DROP TRIGGER event_untruncated ON o2c.event", SCHEMA, "event_untruncated on event is missing", id="trigger gone"),
        pytest.param(
            "CREATE TRIGGER odd BEFORE INSERT ON o2c.head FOR EACH ROW EXECUTE FUNCTION o2c.refuse_change()",
            SCHEMA,
            "trigger odd on head is nobody's",
            id="trigger too many",
        ),
        pytest.param("DROP INDEX o2c.event_order", SCHEMA, "index event_order is missing", id="index gone"),
        pytest.param(
            "DROP INDEX o2c.event_external_id; CREATE INDEX event_external_id ON o2c.event ((body ->> 'party')) WHERE type = 'order.captured'",
            SCHEMA,
            "index event_external_id is another than it was made",
            id="index of something else",
        ),
        pytest.param(
            "DROP INDEX o2c.event_stream_version; CREATE INDEX event_stream_version ON o2c.event (stream, version)",
            SCHEMA,
            "event_stream_version is another",
            id="index no longer unique",
        ),
        pytest.param("ALTER TABLE o2c.command DROP CONSTRAINT command_pkey", SCHEMA, "command has lost its primary key", id="key gone"),
        pytest.param("DROP TABLE o2c.pool", SCHEMA, "pool is missing", id="table gone"),
        pytest.param("ALTER TABLE o2c.head SET UNLOGGED", SCHEMA, "head is unlogged", id="unlogged table"),
        pytest.param("ALTER TABLE o2c.event ENABLE ROW LEVEL SECURITY", SCHEMA, "event has row security", id="row security"),
        pytest.param("CREATE RULE lose AS ON INSERT TO o2c.guard DO INSTEAD NOTHING", SCHEMA, "guard has a rule", id="rule"),
        pytest.param(
            "DO $do$ BEGIN EXECUTE replace(pg_get_functiondef('o2c.append'::regproc), '<> ''read committed''', '<> ''read committed '''); END $do$",
            SCHEMA,
            "function append() is not that of the migration",
            id="append changed",
        ),
        pytest.param("ALTER FUNCTION o2c.horizon() VOLATILE", SCHEMA, "function horizon() is not that", id="horizon volatile"),
        pytest.param("GRANT EXECUTE ON FUNCTION o2c.append TO PUBLIC", WRITERS, "everybody may call append()", id="append for everybody"),
        pytest.param("GRANT INSERT ON o2c.event TO PUBLIC", WRITERS, "everybody may INSERT on event", id="inserts for everybody"),
    ],
)
def test_damage_to_the_schema_is_named(bare: str, statement: str, name: str, told: str) -> None:
    """What differs from the migrations is named with what it means; no other quick check fails for it."""
    plant(bare, statement)
    flaws = flawed(bare)
    assert list(flaws) == [name]
    assert told in flaws[name]


def test_a_store_of_another_version_is_told(bare: str) -> None:
    """A migration that was never noted is a misfit; a newer store does not open at all, and diagnose says so with exit 5."""
    environment = {**os.environ, "O2C_DSN": bare}
    plant(bare, "INSERT INTO o2c.migration (number, note) VALUES (9999, 'from the future')")
    command = [sys.executable, "-m", "o2c.entrypoints.cli.main", "diagnose", "--quick", "-o", "json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    [check] = json.loads(done.stdout)
    assert (check["check"], check["state"]) == ("the store opens", "failed")
    assert "9999" in check["detail"]
    plant(bare, "DELETE FROM o2c.migration WHERE number = 9999")
    healthy = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert healthy.returncode == 0
    assert {check["check"]: check["state"] for check in json.loads(healthy.stdout)}[FITS] == "ok"


@pytest.mark.parametrize(
    ("statements", "failing"),
    [
        pytest.param(
            ("UPDATE o2c.event SET actor = 'nobody' WHERE position = (SELECT max(position) FROM o2c.event WHERE type = 'order.captured')",),
            {UNCHANGED: "in 1 events by hand, first order-"},
            id="an actor was changed, which no state holds",
        ),
        pytest.param(
            ("UPDATE o2c.event SET recorded_at = recorded_at - interval '1 day' WHERE type LIKE 'sim.%'",),
            {UNCHANGED: "by hand, first sim-"},
            id="evidence of time was changed",
        ),
        pytest.param(
            (
                """INSERT INTO o2c.event SELECT 131072, 'customer-forged', 1, gen_random_uuid(), type, schema_version, recorded_at, occurred_at,
                    actor, channel, command_id, causation, order_id, customer_id, body, personal FROM o2c.event
                    WHERE type = 'customer.registered' LIMIT 1""",
                "INSERT INTO o2c.head SELECT 'customer-forged', 1, 131072, shape, state FROM o2c.head WHERE stream LIKE 'customer-%' LIMIT 1",
            ),
            {UNCHANGED: "first customer-forged version 1", COMMANDS: "customer-forged version 1 has no command"},
            id="an event was forged below the horizon",
        ),
        pytest.param(
            ("DELETE FROM o2c.event WHERE stream = (SELECT min(stream) FROM o2c.event WHERE type = 'order.captured') AND version = 4",),
            {GAPLESS: "version 5 follows version 3"},
            id="an event in the middle of a stream is gone",
        ),
        pytest.param(
            ("DELETE FROM o2c.guard WHERE kind = 'invoice'",),
            {INVOICES: "has no guard of its number"},
            id="the guards of invoices are gone",
        ),
        pytest.param(
            ("INSERT INTO o2c.guard VALUES ('invoice', 'X-1', 'account-1', 1)",), {INVOICES: "was never issued"}, id="a guard of no invoice"
        ),
        pytest.param(
            (
                "UPDATE o2c.event SET position = position + 65536 * 4294967296 WHERE position = (SELECT max(position) FROM o2c.event)",
                "UPDATE o2c.head SET last_position = (SELECT max(position) FROM o2c.event) WHERE last_position = (SELECT max(last_position) FROM o2c.head)",
            ),
            {INCARNATION: "lies ahead of what this server ever gave", COMMANDS: ""},
            id="an event lies in the future",
        ),
    ],
)
def test_damage_to_the_log_is_named(lived: str, statements: tuple[str, ...], failing: dict[str, str]) -> None:
    """What a superuser changed, added or took out with the triggers off is found, also where no state or row depends on it."""
    plant(lived, *statements)
    flaws = flawed(lived, quick=False)
    assert set(failing) <= set(flaws)
    assert [name for name, told in failing.items() if told not in flaws[name]] == []


def test_a_stream_that_was_taken_out_leaves_its_command(lived: str) -> None:
    """An order removed with its head and agenda still shows in the commands that wrote several of its events."""
    gone = "(SELECT min(stream) FROM o2c.head WHERE stream LIKE 'order-%')"
    plant(lived, f"DELETE FROM o2c.event WHERE stream = {gone}", f"DELETE FROM o2c.head WHERE stream = {gone}")
    assert "has lost events" in flawed(lived, quick=False)[COMMANDS]


def test_a_change_to_the_whole_log_is_not_passed_for_a_restore(lived: str) -> None:
    """One transaction that wrote everything may be a restore: that is said, and not called well."""
    plant(lived, "UPDATE o2c.event SET actor = actor")
    check = found(lived, quick=False)[UNCHANGED]
    assert check.state == "could not check"
    assert "a restore into the same cluster, or a change to the whole log" in check.detail


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        pytest.param("ALTER DATABASE {db} SET synchronous_commit = off", "synchronous_commit is off", id="for the database"),
        pytest.param("ALTER ROLE {role} SET synchronous_commit = off", "synchronous_commit=off is set for role {role}", id="for a role"),
        pytest.param(
            "ALTER DATABASE {db} SET default_transaction_isolation = 'serializable'", "default_transaction_isolation is", id="isolation"
        ),
    ],
)
def test_unsafe_settings_are_named_wherever_they_are_set(bare: str, statement: str, told: str) -> None:
    """Not only the server's own: what is set for the database or for another role counts as well."""
    role, db = f"writer_{uuid.uuid4().hex}", psycopg.conninfo.conninfo_to_dict(bare)["dbname"]
    with psycopg.connect(bare, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {role}".encode())
        conn.execute(statement.format(db=db, role=role).encode())
        flaws = flawed(bare)
        conn.execute(f"DROP ROLE {role}".encode())
    assert list(flaws) == [SETTINGS]
    assert told.format(role=role) in flaws[SETTINGS]


def test_who_holds_back_readers_is_named(bare: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session idle in its transaction by pid, a prepared transaction by name, each with what ends it; afterwards all is well."""
    monkeypatch.setattr(checks_server, "HELD_S_MAX", 0.05)
    name = f"left-{uuid.uuid4().hex}"
    with psycopg.connect(bare) as idle, psycopg.connect(bare, autocommit=True) as other:
        idle.execute("SELECT pg_current_xact_id()")
        other.execute("BEGIN")
        other.execute("SELECT pg_current_xact_id(), pg_sleep(0.1)")
        other.execute(f"PREPARE TRANSACTION '{name}'".encode())
        other.execute("SELECT pg_sleep(0.1)")
        told = flawed(bare)[HOLDERS]
        other.execute(f"ROLLBACK PREPARED '{name}'".encode())
        assert f"process {idle.info.backend_pid} " in told
        assert f"SELECT pg_terminate_backend({idle.info.backend_pid})" in told
        assert f"ROLLBACK PREPARED '{name}' in database" in told
    assert found(bare)[HOLDERS].state == "ok"


class Later(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> "datetime":  # type: ignore[override]  # a clock that goes wrong by a minute
        return datetime.now(tz) + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("change", "name", "told"),
    [
        pytest.param((checks_server, "VERSION_MIN", 99), VERSION, "the log needs 99 or newer", id="an old server"),
        pytest.param((checks_server, "CONNECTIONS_MIN", 10_000), CONNECTIONS, "end some, or raise max_connections", id="few connections"),
        pytest.param((checks_server, "datetime", Later), CLOCKS, "differ by", id="a clock that is wrong"),
        pytest.param((checks_server, "FREE_BYTES_MIN", 2**80), DISK, "without room the server stops", id="a full disk"),
    ],
)
def test_a_server_that_is_not_fit_is_told(
    bare: str, monkeypatch: pytest.MonkeyPatch, change: tuple[Any, str, Any], name: str, told: str
) -> None:
    """Too old, too full, too many sessions, another time: each fails with what to do."""
    monkeypatch.setattr(*change)
    flaws = flawed(bare)
    assert list(flaws) == [name]
    assert told in flaws[name]


def test_work_that_nobody_does_is_told(dsn: str) -> None:
    """In real time: a row that is long overdue, one that is leased for a year; a parked group; and no clock at all."""
    with closing(Engine(dsn, plan.KINDS)):
        assert list(flawed(dsn)) == [CLOCKS]
    with closing(Engine(dsn, plan.KINDS)) as app:
        app.create_clock(kind="real")
    row = "('order-1', '1', 's', 'submit', clock_timestamp() - interval '{ago}', 4, now(), 1, '', gen_random_uuid(), 0, {lease})"
    plant(dsn, f"INSERT INTO o2c.agenda VALUES {row.format(ago='10 minutes', lease='NULL')}")
    assert flawed(dsn) == {}
    plant(dsn, "UPDATE o2c.agenda SET due_at = due_at - interval '1 hour', lease_until = clock_timestamp() + interval '1 year'")
    flaws = flawed(dsn)
    assert "is a worker running?" in flaws.pop(OVERDUE)
    assert "1 rows are leased as far as" in flaws.pop(LEASES)
    assert flaws == {}


def test_parked_groups_are_told_quickly(lived: str) -> None:
    """Before any projection was made that is said; a parked group fails without a pass over the log."""
    plant(lived, "DROP SCHEMA projection CASCADE")
    assert "no projection was made yet" in found(lived)[PARKED].detail
    found(lived, quick=False)
    assert found(lived)[PARKED].detail == "no group is parked"
    plant(lived, "INSERT INTO projection.parked VALUES ('orders', 'order-1', 1, gen_random_uuid(), 'KeyError')")
    assert "groups parked: orders 1" in flawed(lived)[PARKED]


def test_refused_lines_that_wait_are_told(bare: str, tmp_path: Path) -> None:
    """Files of the quarantine are named; a folder that cannot be read is not called empty."""
    name = "refused lines"
    assert found(bare, home=tmp_path)[name].detail == "no refused lines"
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "intake-1.jsonl").write_bytes(b"{\n")
    assert "1 files with refused lines" in found(bare, home=tmp_path)[name].detail
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "quarantine").touch()
    assert found(bare, home=tmp_path / "elsewhere")[name].state == "could not check"


def _denied(*_: Any) -> Any:
    raise PermissionError(13, "Permission denied")


def _as_stranger(conn: psycopg.Connection[Any]) -> str:
    role = f"stranger_{uuid.uuid4().hex}"
    conn.execute(f"CREATE ROLE {role} LOGIN".encode())
    conn.execute(f"GRANT USAGE ON SCHEMA o2c TO {role}".encode())
    return role


def test_what_may_not_be_looked_at_is_not_called_well(lived: str) -> None:
    """A role that may read nothing learns of each check on the log that it could not be made, and none of them passes."""
    with psycopg.connect(lived, autocommit=True) as conn, closing(Engine(lived, plan.KINDS)) as app:
        found(lived, quick=False)
        role = _as_stranger(conn)
        app.dsn = make_conninfo(lived, user=role)
        states = {check.name: check for check in run_checks(app)}
        conn.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())
    denied = [name for name, check in states.items() if check.state == "could not check" and "permission denied" in check.detail]
    assert {GAPLESS, HEADS, UNCHANGED, COMMANDS, INVOICES, OVERDUE, LEASES, PARKED, FITS} <= set(denied)
    assert [name for name, check in states.items() if check.state == "failed"] == []
    blind = {name for name, check in states.items() if check.state == "ok"}
    assert blind <= {SETTINGS, VERSION, CONNECTIONS, HOLDERS, SCHEMA, WRITERS, "only what the owner made runs", "roles are kept apart"}


def test_a_table_that_is_locked_is_not_waited_for(lived: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds the log for himself keeps the checks from looking, not from ending."""
    monkeypatch.setattr(checks, "LOCK_WAIT", "200ms")
    with closing(Engine(lived, plan.KINDS)) as app, psycopg.connect(lived) as other:
        found(lived, quick=False)
        other.execute("LOCK TABLE o2c.agenda IN ACCESS EXCLUSIVE MODE")
        states = {check.name: check for check in run_checks(app)}
        other.rollback()
    assert {name for name in (GAPLESS, HEADS, OVERDUE, LEASES) if states[name].state == "could not check"} == {
        GAPLESS,
        HEADS,
        OVERDUE,
        LEASES,
    }
    assert "lock timeout" in states[OVERDUE].detail


def test_the_disk_of_another_host_is_not_guessed(bare: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder that cannot be looked at, for whatever reason, is said to be so."""
    monkeypatch.setattr(shutil, "disk_usage", _denied)
    check = found(bare)[DISK]
    assert (check.state, "cannot be looked at" in check.detail) == ("could not check", True)


def test_a_defect_in_a_check_is_no_pass(bare: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a check raises, it could not look, and the value that broke it is not shown."""

    def broken(conn: Any) -> Any:
        raise KeyError("Tamsel Holmquay")

    monkeypatch.setitem(checks.ABOUT_SERVER, "a broken check", broken)
    check = found(bare)["a broken check"]
    assert check.state == "could not check"
    assert "KeyError" in check.detail
    assert "Tamsel" not in check.detail
