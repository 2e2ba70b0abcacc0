"""The embedded server starts for its first user, stops after its last one, and touches no process and no folder of others."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from o2c.store.embedded import EmbeddedServer, ServerUnavailable, acquire, default_home, stopped

pytestmark = pytest.mark.once

SMALL = {"shared_buffers": "16MB"}
ROOT = os.geteuid() == 0
USE = """
import sys, time
from pathlib import Path
from o2c.store.embedded import acquire

server = acquire(Path(sys.argv[1]), binaries=Path(sys.argv[2]) if sys.argv[2] else None, settings={"shared_buffers": "16MB"})
print("using", flush=True)
sys.stdin.read()
server.release()
"""


@pytest.fixture
def home(ground: Path) -> Path:
    """A data folder that does not exist yet."""
    return ground / uuid.uuid4().hex[:8]


@pytest.fixture
def use(binaries: Path | None) -> Callable[[Path], EmbeddedServer]:
    """Take the server of a folder into use."""
    return lambda home: acquire(home, binaries=binaries, settings=SMALL)


@pytest.fixture
def user(binaries: Path | None) -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Start another process that uses the server until its standard input ends."""
    started: list[subprocess.Popen[str]] = []

    def start(home: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", USE, str(home), str(binaries or "")]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def postmaster(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().splitlines()[0])


def runs(home: Path) -> bool:
    return (home / "data" / "postmaster.pid").exists()


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def answer(server: EmbeddedServer) -> int:
    with psycopg.connect(server.dsn) as connection:
        row = connection.execute("SELECT 42").fetchone()
        assert row is not None
        return int(row[0])


def test_the_server_runs_from_its_first_user_to_its_last(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given two users, when one leaves, then the server goes on for the other, and stops after that one."""
    first = use(home)
    second = use(home)
    first.release()
    first.release()
    assert answer(second) == 42
    second.release()
    # The watch may see the last user leave before that user sees itself alone; then the watch stops the server.
    assert eventually(lambda: not runs(home))


def test_what_was_written_is_there_at_the_next_start(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given a committed row, when the server was stopped and started, then the row is there."""
    with use(home) as server, psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    with use(home) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_the_server_is_durable_and_private(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given a new server, then it syncs, checks its pages, listens on no address, and nobody else can enter its folders."""
    with use(home) as server, psycopg.connect(server.dsn) as connection:
        names = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums", "listen_addresses", "unix_socket_permissions")
        values = [connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names]
        assert values == [("on",), ("on",), ("on",), ("on",), ("",), ("0700",)]
        assert {(home / name).stat().st_mode & 0o777 for name in ("data", "run")} == {0o700}


def test_a_path_with_a_space_works(ground: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given a data folder with spaces in its path, then the server runs in it."""
    with use(ground / "our data folder" / "o2c") as server:
        assert answer(server) == 42


def test_a_long_path_has_its_socket_elsewhere(ground: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given a path too long for a socket, then the socket stands in a private folder, the same one at the next start."""
    home = ground / ("long" * 25)
    with use(home) as server:
        first = server.dsn
        assert answer(server) == 42
    noted = Path((home / "socket-folder").read_text())
    assert noted.stat().st_mode & 0o777 == 0o700
    with use(home) as server:
        assert server.dsn == first
        assert answer(server) == 42
    noted.rmdir()


def test_a_foreign_process_named_by_a_stale_file_is_left_alone(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given a pid file of a crash whose number another live process has now, then the server starts, stops, and that process lives."""
    use(home).release()
    owner = (home / "data").stat()
    as_owner: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if ROOT else {}
    with subprocess.Popen(["sleep", "600"], **as_owner) as foreign:
        try:
            for stale in (home / "data" / "postmaster.pid", home / "run" / ".s.PGSQL.5432.lock"):
                stale.write_text(f"{foreign.pid}\n{home / 'data'}\n1\n5432\n{home / 'run'}\n\n\nready\n")
                os.chown(stale, owner.st_uid, owner.st_gid)
                stale.chmod(0o600)
            with use(home) as server:
                assert answer(server) == 42
                assert postmaster(home) != foreign.pid
            assert foreign.poll() is None
        finally:
            foreign.kill()


def test_a_killed_user_does_not_keep_the_server(
    home: Path, use: Callable[[Path], EmbeddedServer], user: Callable[[Path], subprocess.Popen[str]]
) -> None:
    """Given a user that was killed, when it was the last one, then the server stops by itself."""
    process = user(home)
    assert process.stdout is not None
    assert process.stdout.readline() == "using\n"
    with use(home) as server:
        process.kill()
        process.wait()
        time.sleep(0.3)
        assert answer(server) == 42
    assert not runs(home)
    process = user(home)
    assert process.stdout is not None
    assert process.stdout.readline() == "using\n"
    process.kill()
    assert eventually(lambda: not runs(home))


def test_a_user_killed_on_its_way_leaves_no_server(home: Path, user: Callable[[Path], subprocess.Popen[str]]) -> None:
    """Given a user killed at the moment its server started, then that server stops by itself."""
    process = user(home)
    assert eventually(lambda: runs(home))
    process.kill()
    assert eventually(lambda: not runs(home))


def test_two_commands_started_at_once_share_one_server(home: Path, user: Callable[[Path], subprocess.Popen[str]]) -> None:
    """Given no data folder, when three commands start together, then all use one server, which stops after them."""
    processes = [user(home) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "using\n"
    assert runs(home)
    for process in processes:
        process.communicate("")
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert not runs(home)


def test_a_half_made_folder_is_made_again(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given what a crash during initdb leaves, then the next start makes the cluster from the beginning."""
    (home / "data.part-crash" / "base").mkdir(parents=True)
    (home / "data.part-crash" / "PG_VERSION").write_text("18\n")
    home.chmod(0o755)
    with use(home) as server:
        assert answer(server) == 42
    assert list(home.glob("data.part*")) == []


def test_the_watch_of_a_removed_home_leaves_the_next_one_alone(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """A home that is removed and made again at once keeps its server, whatever still watches over the old one."""
    use(home).release()
    shutil.rmtree(home)
    with use(home) as server:
        time.sleep(2.5)  # the old watch looks a second after its last user left
        with psycopg.connect(server.dsn) as connection:
            assert connection.execute("SELECT 7").fetchall() == [(7,)]


def test_a_server_that_nobody_uses_is_stopped_on_request(home: Path, user: Callable[[Path], subprocess.Popen[str]]) -> None:
    """Given a user killed a moment ago, then the server that it left is stopped at once; one in use is left alone."""
    alive = user(home)
    assert alive.stdout is not None
    assert alive.stdout.readline() == "using\n"
    assert not stopped(home)
    assert runs(home)

    alive.kill()
    alive.wait()

    assert stopped(home)
    assert not runs(home)


def test_a_look_of_the_watch_is_no_use_of_the_server(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given the watch's hold on the users for an instant, when the server is to be stopped, then nobody uses it."""
    use(home).release()
    held = os.open(home / "users", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    threading.Timer(0.2, os.close, [held]).start()

    assert stopped(home)


def test_a_killed_server_recovers(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given a server killed under its user, then the next user gets it back with every committed row."""
    with use(home) as server:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        os.kill(postmaster(home), signal.SIGKILL)
        with use(home) as again, psycopg.connect(again.dsn) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_a_folder_that_is_no_cluster_is_refused_and_kept(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given somebody's files where the cluster would stand, then the server refuses and the files stay."""
    use(home).release()
    (home / "data").rename(home / "away")
    (home / "data").mkdir(0o700)
    owner = (home / "away").stat()
    os.chown(home / "data", owner.st_uid, owner.st_gid)
    (home / "data" / "letter.txt").write_text("mine")
    with pytest.raises(ServerUnavailable, match="no PostgreSQL cluster; move it away"):
        use(home)
    assert (home / "data" / "letter.txt").read_text() == "mine"


def test_a_cluster_of_another_version_is_refused(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given a cluster of PostgreSQL 12, then the refusal names both versions."""
    use(home).release()
    (home / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(ServerUnavailable, match=r"was made by PostgreSQL 12 and this is 1\d"):
        use(home)


def test_an_unreachable_folder_is_refused_and_keeps_its_permissions(ground: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given a parent folder that the server's user cannot enter, then one line names it, and its permissions stay."""
    closed = ground / f"closed-{uuid.uuid4().hex[:8]}"
    closed.mkdir()
    closed.chmod(0o700 if ROOT else 0o500)
    with pytest.raises(ServerUnavailable, match=str(closed)) as refusal:
        use(closed / "o2c")
    assert "\n" not in str(refusal.value)
    assert "O2C_HOME" in str(refusal.value)
    assert closed.stat().st_mode & 0o777 == (0o700 if ROOT else 0o500)
    assert list(closed.iterdir()) == []


def test_a_path_that_a_connection_string_cannot_hold_is_refused(ground: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given a comma in the path (libpq reads two hosts), then the refusal names the sign and nothing is made."""
    with pytest.raises(ServerUnavailable, match="has ',' in its path"):
        use(ground / "a,b")
    assert not (ground / "a,b").exists()


def test_a_dead_socket_is_no_server(home: Path, use: Callable[[Path], EmbeddedServer]) -> None:
    """Given the socket file of a dead server, then a new one starts in its place."""
    use(home).release()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home / "run" / ".s.PGSQL.5432"))
    with use(home) as server:
        assert answer(server) == 42


def test_the_home_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given O2C_HOME, then it is the home; without it root's stands in /var/lib and anybody else's in their data folder."""
    monkeypatch.setenv("O2C_HOME", "/srv/o2c")
    assert default_home() == Path("/srv/o2c")
    monkeypatch.delenv("O2C_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert default_home() == Path("/var/lib/o2c" if ROOT else "/srv/data/o2c")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_home() == Path("/home/someone/.local/share/o2c")
