"""A database, a disk, a terminal or a person that does not play along: one line on stderr, an exit code, nothing half done."""

import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from o2c.simulation.launch_data import catalogue
from o2c.store.database import CONNECT_SECONDS, connect, prepare
from o2c.store.embedded import acquire
from tests.shell import run_here
from tests.world import World, line, order

PROGRAM = [sys.executable, "-m", "o2c.entrypoints.cli.main"]
ROOT = Path(__file__).parents[2]
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24


def o2c(*arguments: str, home: Path | None = None, dsn: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the program, by default on nothing; in a process of its own where that process is not like others."""
    env = environment(home or Path("/nowhere"), dsn)
    if not options:
        return run_here(env, *arguments)
    outputs = {} if "stdout" in options else {"stdout": subprocess.PIPE}
    return subprocess.run(
        [*PROGRAM, *arguments], env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=120, check=False, **outputs, **options
    )


def environment(home: Path, dsn: str = "", **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("O2C_") and name != "PYTHONUNBUFFERED"}
    return {**kept, "O2C_HOME": str(home), **({"O2C_DSN": dsn} if dsn else {}), **more}


def ended(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    """It ended with the code, and told why in one line."""
    assert done.returncode == code, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("o2c: ")
    assert all(part in line for part in said), line


@pytest.fixture(scope="module")
def home(ground: Path) -> Iterator[Path]:
    """A data folder whose store was made by one of two processes that began in the same moment."""
    folder = ground / "started-twice"
    begun = [
        subprocess.Popen([*PROGRAM, "init", "--clock", "simulated"], env=environment(folder), cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[1] for process in begun]
    assert sorted(process.returncode for process in begun) == [0, 4], told
    # On a busy machine who waits for the other says so in the log.
    assert all(len([line for line in text.splitlines() if not line.startswith("{")]) == 1 for text in told)
    with acquire(folder):  # kept running, for the sake of speed
        yield folder


def test_two_processes_that_start_one_data_folder_both_succeed(home: Path) -> None:
    """Of two that made the store in the same moment one did and the other says so; of two that read it both do."""
    begun = [
        subprocess.Popen(
            [*PROGRAM, "status", "-o", "json"], env=environment(home), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120) for process in begun]

    assert [process.returncode for process in begun] == [0, 0], told
    assert [json.loads(out)["clock"]["kind"] for out, _ in told] == ["simulated"] * 2


@pytest.mark.parametrize("arguments", [("status",), ("load", "sims", "x.csv")])
def test_a_mistyped_data_folder_makes_no_store(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Only init and demo make a store; everything else says that there is none."""
    ended(o2c(*arguments, home=tmp_path / "typo"), 3, "there is no store in", str(tmp_path / "typo"), "o2c init")
    assert not (tmp_path / "typo").exists()


def test_a_data_folder_that_takes_no_writes(ground: Path) -> None:
    """A read-only folder is named, and stays as it was. Root obeys permissions once it gave up its power over files."""
    folder = ground / "read-only"
    folder.mkdir(mode=0o555)
    ended(o2c("init", "--clock", "real", home=folder, preexec_fn=obeying), 75, str(folder), "Permission denied", "O2C_HOME")
    assert list(folder.iterdir()) == []


def obeying() -> None:
    """Let permissions hold for the program to come, whoever runs it (capabilities(7), the bounding set)."""
    if os.geteuid() == 0:
        for power in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, power, 0, 0, 0)


def limited(size: int) -> Callable[[], None]:
    """No file may grow beyond a size, for the program and all that it starts: a disk without room, as writers see it (EFBIG)."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_data_folder_without_room_is_told_and_begun_anew(ground: Path) -> None:
    """The server cannot be made, in one line; nothing that looks like a store is left, and with room again the same command works."""
    folder = ground / "full"
    ended(o2c("init", "--clock", "real", home=folder, preexec_fn=limited(1_000_000)), 75, "initdb failed", "File too large")
    ended(o2c("status", home=folder), 3, "there is no store")
    assert o2c("init", "--clock", "real", home=folder).returncode == 0


@pytest.fixture
def fed(dsn: str, tmp_path: Path) -> str:
    """A store with a catalogue and a customer."""
    world = World(dsn, tmp_path).stocked(esims=0, physical=0, numbers=0, customers=1)
    world.close()
    return dsn


def test_a_quarantine_without_room_takes_in_what_it_may(fed: str, tmp_path: Path) -> None:
    """When a refused line cannot be kept the intake stays open; with room again it goes on, and nothing is lost or doubled."""
    path = tmp_path / "orders.jsonl"
    bad = b'{"note": "' + b"x" * 3_000_000
    path.write_bytes(json.dumps(order("ONE", line())).encode() + b"\n" + bad + b"\n" + json.dumps(order("TWO", line())).encode())
    done = o2c("ingest", str(path), dsn=fed, home=tmp_path, preexec_fn=limited(1_000_000))
    ended(done, 75, "File too large", "nothing acknowledged is lost")
    again = o2c("ingest", str(path), "-o", "json", dsn=fed, home=tmp_path)
    [kept] = (tmp_path / "quarantine").iterdir()

    assert (again.returncode, json.loads(again.stdout)["captured"], json.loads(again.stdout)["refused"]) == (6, 2, 1)
    assert kept.read_bytes() == bad + b"\n"


def test_a_server_without_room(fed: str, tmp_path: Path) -> None:
    """What PostgreSQL says of a full disk (class 53) is passed on in a line of ours; the command wrote nothing."""
    with connect(fed) as conn:
        conn.execute(
            """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"""
        )
        conn.execute("CREATE TRIGGER full_disk BEFORE INSERT ON o2c.event EXECUTE FUNCTION full_disk()")
    path = tmp_path / "orders.jsonl"
    path.write_text(json.dumps(order("ONE", line())))

    ended(o2c("ingest", str(path), dsn=fed, home=tmp_path), 75, "no room left on its disk", "nothing acknowledged is lost")
    with connect(fed) as conn:
        assert conn.execute("SELECT FROM o2c.event WHERE stream LIKE 'order-%'").fetchall() == []


@pytest.fixture(scope="module")
def locked(home: Path) -> str:
    """A server that asks the user `clerk` for a password, has an empty database, and lets `guest` in without rights."""
    with acquire(home) as server:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("CREATE ROLE clerk LOGIN PASSWORD 'sesame'")
            connection.execute("CREATE ROLE guest LOGIN")
            connection.execute("CREATE DATABASE empty")
            rules = home / "data" / "pg_hba.conf"
            rules.write_text("local all clerk scram-sha-256\n" + rules.read_text())
            connection.execute("SELECT pg_reload_conf()")
        return server.dsn


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        pytest.param({"user": "clerk", "password": "open-up"}, 2, "password authentication failed", id="wrong password"),
        pytest.param({"user": "clerk"}, 2, "no password supplied", id="no password"),
        pytest.param({"user": "nobody-here"}, 2, 'role "nobody-here" does not exist', id="unknown user"),
        pytest.param({"dbname": "elsewhere"}, 2, 'database "elsewhere" does not exist', id="unknown database"),
        pytest.param({"user": "guest", "dbname": "empty"}, 2, "the role guest may not make the store in empty", id="no rights"),
        pytest.param({"port": "5999"}, 75, "cannot reach PostgreSQL", id="nobody listens"),
    ],
)
def test_a_database_that_does_not_let_us_in(locked: str, tmp_path: Path, changes: dict[str, str], code: int, said: str) -> None:
    """What the server said is passed on, never the password; only what may pass by itself asks to be tried later."""
    done = o2c("status", dsn=make_conninfo(locked, **changes), home=tmp_path)
    ended(done, code, said)
    assert "open-up" not in done.stderr


def test_a_database_that_takes_no_writes(locked: str, tmp_path: Path) -> None:
    """What would write is refused; what only reads is shown as far as it was ever projected."""
    with psycopg.connect(locked, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS projection CASCADE")
    dsn = make_conninfo(locked, options="-c default_transaction_read_only=on")
    ended(o2c("run", "--until", "2026-01-06T12:00:00Z", dsn=dsn, home=tmp_path), 4, "takes no writes")
    never = o2c("status", dsn=dsn, home=tmp_path)
    assert o2c("status", dsn=locked, home=tmp_path).returncode == 0
    once = o2c("status", dsn=dsn, home=tmp_path)
    assert (never.returncode, "let the primary project once" in never.stderr, never.stdout) == (4, True, "")
    assert (once.returncode, "this server takes no writes" in once.stderr) == (0, True)


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    """A server that takes the connection and keeps silent is given up after ten seconds, or as many as its DSN says."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        dsn = f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=o2c user=clerk password=sesame connect_timeout=2"
        begun = time.monotonic()
        ended(o2c("status", dsn=dsn, home=tmp_path), 75, "cannot reach PostgreSQL", "timeout")
        assert time.monotonic() - begun < 45
    assert CONNECT_SECONDS == 10


def test_a_connection_string_that_is_none(tmp_path: Path) -> None:
    """It is not repeated: it may hold a password."""
    done = o2c("status", dsn="postgres//clerk:sesame", home=tmp_path)
    ended(done, 2, "O2C_DSN is no connection string")
    assert "sesame" not in done.stderr


def test_a_store_newer_than_the_program(dsn: str, tmp_path: Path) -> None:
    """It is not touched."""
    prepare(dsn)
    with connect(dsn) as conn:
        conn.execute("INSERT INTO o2c.migration (number, note) VALUES (9999, 'of the future')")
    ended(o2c("status", dsn=dsn, home=tmp_path), 4, "the store is at migration 9999", "use a newer program")


def test_ctrl_c_before_a_command_has_begun(tmp_path: Path) -> None:
    """The imports take their time; whoever stops the program meanwhile reads a line and no traceback."""
    (tmp_path / "psycopg.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    env = {**environment(tmp_path), "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen([*PROGRAM, "status"], env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)

    assert told == "o2c: stopped; nothing acknowledged is lost\n"
    assert process.returncode == -signal.SIGINT


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("status",), id="a table"),
        pytest.param(("status", "-o", "json"), id="one object"),
        pytest.param(("projections", "status", "-o", "jsonl"), id="lines"),
        pytest.param(("--help",), id="help"),
        pytest.param(("simulate", "orders", "--count", "1", "-o", "json", "--out"), id="a short object"),
    ],
)
def test_an_output_without_room(home: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A file system that is full under the output is an error, told once."""
    arguments = (*arguments, str(tmp_path)) if arguments[-1] == "--out" else arguments
    with Path("/dev/full").open("w") as full:
        ended(o2c(*arguments, home=home, stdout=full), 75, "No space left on device")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("orders", "list", "--state", "nonsense"), ("--state nonsense", "acknowledged", "partial"), id="state"),
        pytest.param(("fallout", "list", "--queue", "nonsense"), ("queue nonsense", "porting", "kyc"), id="queue"),
        pytest.param(("fallout", "list", "--reason", "nonsense"), ("reason nonsense", "NP-CODE", "DQ-DUP"), id="reason"),
        pytest.param(("load", "customers", "x.jsonl", "--actor", " "), ("--actor",), id="a blank actor"),
    ],
)
def test_what_there_is_not_is_no_filter(home: Path, arguments: tuple[str, ...], said: tuple[str, ...]) -> None:
    """A typo would find nothing and look like good news; what there is is listed."""
    ended(o2c(*arguments, home=home), 2, *said)


def test_a_quarantine_on_the_command_line(dsn: str, tmp_path: Path) -> None:
    """Ingest, correct, ingest again: exit 6, then 0; who did it, by option or environment, stands in the log."""
    World(dsn, tmp_path).close()
    (tmp_path / "c.json").write_text(json.dumps(catalogue()))
    good = json.dumps(order("ONE", line()))
    (tmp_path / "o.jsonl").write_text(good.replace('"orderDate": "', '"orderDate": "on '))
    o2c("load", "catalogue", str(tmp_path / "c.json"), "--actor", "ann", dsn=dsn, home=tmp_path)
    first = o2c("ingest", str(tmp_path / "o.jsonl"), dsn=dsn, home=tmp_path)
    [kept] = (tmp_path / "quarantine").iterdir()
    kept.write_text(good)
    env = environment(tmp_path, dsn, O2C_ACTOR="cid")
    second = subprocess.run(
        [*PROGRAM, "ingest", "--quarantine", str(kept), "-o", "json"], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    with connect(dsn) as conn:
        rows = conn.execute("SELECT type, actor FROM o2c.event WHERE version = 1 OR type = 'intake.closed' ORDER BY position").fetchall()

    assert (first.returncode, first.stderr.splitlines()[0]) == (6, "refused: line 1: orderDate is no time with a zone (RFC 3339)")
    assert str(kept) in first.stderr.splitlines()[1]
    assert (second.returncode, json.loads(second.stdout)["captured"], kept.exists()) == (0, 1, False)
    assert [(row["type"], row["actor"]) for row in rows] == [
        ("catalogue.offering-published", "ann"),
        ("intake.line-refused", "intake"),
        ("intake.closed", "intake"),
        ("order.captured", "cid"),
        ("intake.closed", "cid"),
    ]
