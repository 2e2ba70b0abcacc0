"""Backups that were rehearsed: a base backup with its WAL brought back to a point in time, and a dump loaded into another cluster.

The steps are those of docs/operations.md, on the server of a data folder as on any other.
"""

import itertools
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from o2c.checks.diagnose import run_checks
from o2c.store import database, embedded, recorder
from o2c.store.cluster import unprivileged_account
from o2c.store.database import connect
from o2c.store.roles import flaws, roles_of
from o2c.views.following import EVERYTHING, Mark, OtherLog, pages
from projections.engine.operations import ALL, verify
from tests.faults.copies import DIGEST, SMALL, append, archiving, lived, one, opened, own_settings, place, run, wait_until
from tests.store.writing import command, verdicts
from tests.tables import tables
from tests.world import with_roles


@pytest.fixture(scope="module")
def archive(folder: Path) -> Path:
    """Where WAL is archived."""
    made = folder / "archive"
    made.mkdir()
    account = unprivileged_account(folder)
    if account:
        shutil.chown(made, account.uid, account.gid)
    return made


@pytest.fixture(scope="module")
def second(folder: Path, ground: Path, archive: Path, programs: Path) -> Iterator[str]:
    """Another cluster than the run's: it archives its WAL, its database is backed up, and dumps of the run's go into fresh ones of it."""
    home = ground / f"{folder.name}-home"
    with archiving(home, archive, programs) as dsn:
        yield dsn
    shutil.rmtree(home)


@pytest.fixture
def other(second: str) -> Iterator[str]:
    """An empty database in the other cluster."""
    name = f"other_{time.monotonic_ns()}"
    with connect(second) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        yield make_conninfo(second, dbname=name)
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def backed_up(folder: Path, archive: Path, second: str, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A base backup made between two appends, WAL archived past a target, and appends beyond the target that the restore must not know."""
    dsn = second
    lived(dsn, tmp_path_factory.mktemp("papers"), "A", "B")
    run(programs, folder, "pg_basebackup", *place(dsn), "-D", str(folder / "base"), "-X", "stream", "-c", "fast")
    append(dsn, "test-after-the-base")
    kept = one(dsn, DIGEST)
    lsn = str(one(dsn, "SELECT pg_current_wal_insert_lsn() AS lsn")["lsn"])
    lost = [append(dsn, f"test-after-the-target-{n}") for n in range(3)]
    wal = one(dsn, "SELECT pg_walfile_name(pg_switch_wal()) AS wal")["wal"]
    wait_until("the last WAL was not archived", dsn, f"SELECT last_archived_wal >= '{wal}' AS done FROM pg_stat_archiver")
    with closing(opened(dsn)) as app:
        states = {check.name: check.state for check in run_checks(app, quick=True)}
    system = one(dsn, "SELECT system_identifier::text AS system FROM pg_control_system()")["system"]
    return {"kept": kept, "lsn": lsn, "lost": lost, "archive": archive, "base": folder / "base", "states": states, "system": system}


def restored(home: Path, backup: dict[str, Any]) -> None:
    """Put the base backup in a new home and say up to where its WAL is to be replayed; the server does it when it starts."""
    home.mkdir()
    home.chmod(0o755)
    shutil.copytree(backup["base"], home / "data")
    account = unprivileged_account(backup["archive"])
    data = home / "data"
    for path in (data, *data.rglob("*")) if account else ():
        assert account is not None
        shutil.chown(path, account.uid, account.gid)
    own_settings(
        home,
        restore_command=f"cp {backup['archive']}/%f %p",
        recovery_target_lsn=backup["lsn"],
        recovery_target_action="promote",
        # Another life restored from the same archive may have put its own timeline there already.
        recovery_target_timeline="current",
        archive_mode="off",
    )
    (data / "recovery.signal").touch()
    if account:
        shutil.chown(data / "recovery.signal", account.uid, account.gid)


@contextmanager
def restored_server(home: Path, backup: dict[str, Any], programs: Path) -> Iterator[str]:
    restored(home, backup)
    try:
        with embedded.acquire(home, binaries=programs, settings=SMALL) as server:
            try:
                wait_until("recovery did not end", server.dsn, "SELECT NOT pg_is_in_recovery() AS done")
            except AssertionError as late:
                late.add_note((home / "run" / "server.log").read_text()[-2_000:])
                raise
            yield server.dsn
    finally:
        shutil.rmtree(home)


def test_a_base_backup_comes_back_to_a_point_in_time(folder: Path, backed_up: dict[str, Any], programs: Path) -> None:
    """Exactly the events up to the target are there and sound; the next life begins above every position ever given, and goes on growing."""
    with restored_server(folder / "home", backed_up, programs) as dsn:
        assert one(dsn, DIGEST) == backed_up["kept"]
        with closing(opened(dsn)) as app:
            flaws = {check.name: check.detail for check in run_checks(app) if check.state == "failed"}
            lives = app.reads.rows(
                "SELECT system_identifier AS system, timeline, position_offset, fork_position FROM o2c.incarnation ORDER BY id"
            )
            known = app.log_recorder.select_notifications(backed_up["lost"][-1], 10)
        # The two streams of the test are of a kind that the program does not know; all else is sound.
        assert set(flaws) <= {"streams are gapless and readable"}
        assert all("test-" in told for told in flaws.values())
        assert [verify(dsn, projection).differing for projection in ALL] == [()] * len(ALL)
        assert [life["system"] for life in lives] == [backed_up["system"]] * 2
        assert lives[1]["timeline"] > lives[0]["timeline"]
        assert lives[1]["fork_position"] == backed_up["kept"]["last"]
        assert known == [], "what was lost is not there"
        with pytest.raises(OtherLog, match="lies ahead of this log"):
            list(pages(dsn, EVERYTHING, Mark(backed_up["lost"][-1], str(uuid.uuid4())), wait=False))
        new = [append(dsn, f"test-new-{n}") for n in range(2)]
        assert max(backed_up["lost"]) < new[0] < new[1]
        with closing(opened(dsn)) as app:
            assert [fact.id for fact in app.log_recorder.select_notifications(backed_up["lost"][-1], 10)] == new
    assert backed_up["states"]["WAL is archived"] == "ok"


def test_without_a_new_incarnation_positions_are_given_twice(
    folder: Path, backed_up: dict[str, Any], programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: the same restore that declares nothing gives positions that others have read already, with other events."""
    for module in (database, recorder):
        monkeypatch.setattr(module, "declare_incarnation", lambda conn: None)
    with restored_server(folder / "home", backed_up, programs) as dsn:
        new = append(dsn, "test-new")
    assert new <= max(backed_up["lost"])


def dumped(programs: Path, folder: Path, dsn: str) -> Path:
    file = folder / f"o2c-{time.monotonic_ns()}.dump"
    run(programs, folder, "pg_dump", *place(dsn), "-Fc", "-f", str(file), str(conninfo_to_dict(dsn)["dbname"]))
    return file


def loaded(programs: Path, folder: Path, file: Path, dsn: str, *options: str) -> None:
    target = str(conninfo_to_dict(dsn)["dbname"])
    run(programs, folder, "pg_restore", *place(dsn), "--exit-on-error", *options, "-d", target, str(file))


def contents(dsn: str) -> dict[str, Any]:
    """The log's digest and every other table's."""
    with connect(dsn) as conn:
        named = [name for name in tables(conn) if name != "event"]
    rest = {
        name: one(dsn, f"SELECT count(*) AS n, md5(string_agg(md5(t::text), '' ORDER BY t::text)) AS digest FROM o2c.{name} t")
        for name in named
    }
    return {"event": one(dsn, DIGEST), **rest}


def test_a_dump_goes_into_another_cluster(folder: Path, dsn: str, other: str, tmp_path: Path, programs: Path) -> None:
    """Every row of every table is the same there, and so are the projections; appends go on above, and a follower may go on where it was."""
    lived(dsn, tmp_path, "A", "B")
    last = one(dsn, "SELECT position, event_id::text FROM o2c.event ORDER BY position DESC LIMIT 1")
    file = dumped(programs, folder, dsn)
    before = contents(dsn)
    loaded(programs, folder, file, other)
    assert contents(other) == before
    with closing(opened(other)) as app:
        assert [(check.name, check.detail) for check in run_checks(app) if check.state == "failed"] == []
        lives = app.reads.rows("SELECT system_identifier AS system, fork_position FROM o2c.incarnation ORDER BY id")
    assert [verify(other, projection).differing for projection in ALL] == [()] * len(ALL)
    assert len({life["system"] for life in lives}) == 2
    assert lives[1]["fork_position"] == last["position"]
    new = [append(other, f"test-{n}") for n in range(2)]
    assert last["position"] < new[0] < new[1]
    assert [record.position for page in pages(other, EVERYTHING, Mark(**last), wait=False) for record in page] == new
    with pytest.raises(OtherLog, match="is not in this log"):
        list(pages(other, EVERYTHING, Mark(last["position"] + 65536, str(uuid.uuid4())), wait=False))
    assert append(other, "test-2") > new[1]


def test_a_dump_of_a_store_with_roles_gets_roles_of_its_own(
    folder: Path, dsn: str, server_dsn: str, other: str, tmp_path: Path, programs: Path
) -> None:
    """Roles belong to a cluster and are in no dump: loaded without owners and grants, then arranged. A control: with them it does not load."""
    lived(dsn, tmp_path, "A")
    roles = [row["role"] for row in with_roles(dsn)]
    file = dumped(programs, folder, dsn)
    with pytest.raises(AssertionError, match=roles[0]):
        loaded(programs, folder, file, other)
    with connect(other) as conn:
        conn.execute("DROP SCHEMA IF EXISTS o2c, projection, analyst CASCADE")
    loaded(programs, folder, file, other, "--no-owner", "--no-privileges")
    there = roles_of(str(conninfo_to_dict(other)["dbname"]))
    try:
        with_roles(other)
        with connect(other) as conn:
            assert flaws(conn, there) == []
        assert [verify(other, projection).differing for projection in ALL] == [()] * len(ALL)
    finally:
        for place_of, names in ((other, there), (dsn, roles)):
            with connect(place_of) as conn:
                conn.execute(f"DROP OWNED BY {', '.join(names)} CASCADE; DROP ROLE {', '.join(names)}".encode())


def test_a_dump_without_a_new_incarnation_goes_back(
    folder: Path, dsn: str, other: str, tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: undeclared, the other cluster gives positions below those there are, and known streams stay stale for ever."""
    lived(dsn, tmp_path, "A")
    # The other cluster is younger: its transactions have smaller numbers, also once the dump is loaded there, statement by statement.
    young = int(one(other, "SELECT pg_current_xact_id()::text AS id")["id"])
    with connect(dsn) as conn:
        conn.execute(f"DO $$ BEGIN WHILE pg_current_xact_id()::text::bigint < {young + 20_000} LOOP COMMIT; END LOOP; END $$".encode())
    append(dsn, "test-last")
    last = one(dsn, "SELECT max(position) AS last FROM o2c.event")["last"]
    file = dumped(programs, folder, dsn)
    for module in (database, recorder):
        monkeypatch.setattr(module, "declare_incarnation", lambda conn: None)
    loaded(programs, folder, file, other)
    assert append(other, "test-new") < last
    with closing(opened(other)) as app:
        assert verdicts(app.log_recorder.append([command(("test-last", 1))])) == ["stale"]


HEADS = """SELECT coalesce(e.stream, h.stream) AS stream FROM o2c.head h
    FULL JOIN (SELECT stream, max(version) AS version, count(*) AS n, max(position) AS last FROM o2c.event GROUP BY stream) e USING (stream)
    WHERE e.version IS DISTINCT FROM h.version OR e.n IS DISTINCT FROM h.version OR e.last IS DISTINCT FROM h.last_position"""


def test_a_dump_taken_while_appends_go_on_is_of_one_moment(folder: Path, dsn: str, other: str, programs: Path) -> None:
    """Heads, commands and events agree with one another although the log grew all the while."""
    stop = threading.Event()
    opened(dsn).close()

    def write() -> None:
        with closing(opened(dsn)) as app:
            for n in itertools.count():
                if stop.is_set():
                    return
                app.log_recorder.append([command((f"test-{n // 20}", n % 20), (f"other-{n // 20}", n % 20))])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until("nothing was written", dsn, "SELECT count(*) > 200 AS done FROM o2c.event")
        before = one(dsn, "SELECT count(*) AS n FROM o2c.event")["n"]
        file = dumped(programs, folder, dsn)
        wait_until("nothing was written meanwhile", dsn, f"SELECT count(*) > {before} + 100 AS done FROM o2c.event")
    finally:
        stop.set()
        writer.join()
    loaded(programs, folder, file, other)
    counted = one(other, "SELECT (SELECT count(*) FROM o2c.event) AS events, 2 * (SELECT count(*) FROM o2c.command) AS commanded")
    with connect(other) as conn:
        assert conn.execute(HEADS.encode()).fetchall() == []
        conn.execute("UPDATE o2c.head SET version = version + 1 WHERE stream = 'test-0'")
        assert len(conn.execute(HEADS.encode()).fetchall()) == 1, "a control: the comparison sees what differs"
    assert counted["events"] == counted["commanded"] > before
