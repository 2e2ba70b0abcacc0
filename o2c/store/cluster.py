"""One PostgreSQL cluster in a folder of ours: made, started, recognised and stopped with the programs of one PostgreSQL.

Callers hold the lock of the home folder, except for `dsn`, `answers` and `postmaster`.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

if sys.platform != "win32":
    import pwd

SUPERUSER = "postgres"
START_SECONDS = 120
SOCKET_PATH_BYTES_MAX = 100  # Linux takes 107 and macOS 103
_CAUSE = re.compile(r"(FATAL|PANIC|error):.*")
SOCKET_NAME = ".s.PGSQL.5432"
_DATABASE = "SELECT FROM pg_database WHERE datname = %s"
"""One empty row if the database is there. Parameter: its name."""
ELSEWHERE = "choose another folder with O2C_HOME, or set O2C_DSN to a PostgreSQL 15+ server"


@dataclass(frozen=True)
class Account:
    """The unprivileged user that runs the server when this process is root."""

    name: str
    uid: int
    gid: int


class ServerUnavailable(Exception):
    """The embedded server cannot be used; the message is one line saying what happened, to what, and what to do."""


def unprivileged_account(home: Path) -> Account | None:
    """The user that runs the server when this process is root, since PostgreSQL refuses to run as root; None when it is not root."""
    data = home / "data"
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise ServerUnavailable(f"the data folder {data} belongs to another user (id {owner}); run as that user, or {ELSEWHERE}")
        return None
    if owner == 0:
        raise ServerUnavailable(f"the data folder {data} belongs to root, and PostgreSQL refuses to run as root; {ELSEWHERE}")
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name) if owner is None else pwd.getpwuid(owner)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ServerUnavailable(
        "PostgreSQL refuses to run as root and there is no user 'postgres' or 'nobody' to run it; add one, or set O2C_DSN"
    )


def may(account: Account | None, test: str, path: Path) -> bool:
    """Whether a shell test of the path (as $1) succeeds for the account: only the shell knows of modes, access lists and mounts
    together."""
    return execute(["/bin/sh", "-c", test, "sh", str(path)], account).returncode == 0


def execute(command: list[str], account: Account | None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as the account (None: as this user). Raises ServerUnavailable when this process may not become that
    account."""
    # A clean environment: PGDATA, PGOPTIONS and LC_ALL of the caller would change what the programs do.
    env = {"PATH": os.defpath, "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd="/", env=env, umask=0o077,
            user=account.uid if account else None, group=account.gid if account else None, extra_groups=[] if account else None,
        )  # fmt: skip
    except PermissionError as error:
        if account is None:
            raise
        raise ServerUnavailable(
            f"cannot run {command[0]} as the user {account.name}: {error.strerror}; run as an ordinary user, or set O2C_DSN"
        ) from error


@dataclass(frozen=True)
class Cluster:
    """The data folder and its server; everything but `postmaster`, `answers` and `dsn` is called with the home locked."""

    home: Path
    binaries: Path
    account: Account | None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data folder of the server."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The file in which the server logs."""
        return self.home / "run" / "server.log"

    def dsn(self, database: str) -> str:
        """The connection string of a database, as the superuser."""
        return make_conninfo(host=str(self.sockets()), port=5432, dbname=database, user=SUPERUSER)

    def start(self) -> None:
        """Make the cluster and start its server, each where needed. Raises ServerUnavailable."""
        self._private_folder(self.home / "run")
        self._initialise()
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            pid = self.postmaster()
            if pid is None:
                self._configure()
                self._launch()
                return
            if time.monotonic() > deadline:
                raise ServerUnavailable(f"the server of {self.data} (process {pid}) runs and does not answer; see {self.log}, or stop it")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server, ending its sessions, if it runs and is ours. Raises ServerUnavailable."""
        if self.postmaster() is None:
            return
        done = self._program("pg_ctl", "-D", str(self.data), "-s", "-m", "fast", "-w", "-t", str(START_SECONDS), "stop")
        if done.returncode != 0 and self.postmaster() is not None:
            raise ServerUnavailable(f"the server of {self.data} did not stop: {_telling_line(done.stderr)}; see {self.log}")

    def postmaster(self) -> int | None:
        """The process id of our running server. `pg_ctl status` would also take any other process which got that number later."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().partition("\n")[0])
        except (FileNotFoundError, ValueError):
            return None
        words = _command_line(pid)
        return pid if f"\0-D\0{self.data}\0" in words and Path(words.partition("\0")[0]).name == "postgres" else None

    def answers(self) -> bool:
        """Whether something listens on the socket, which only our server can: its folder is private."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(self.sockets() / SOCKET_NAME))
            except OSError:
                return False
        return True

    def create_database(self, name: str) -> None:
        """Make the database unless it is there, waiting for a server that still recovers."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with psycopg.connect(self.dsn("postgres"), autocommit=True, connect_timeout=10) as connection:
                    if not connection.execute(_DATABASE, [name]).fetchall():
                        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
                return
            except psycopg.Error as error:
                # A server that recovers from a crash answers, and takes connections later.
                if time.monotonic() > deadline or self.postmaster() is None:
                    raise ServerUnavailable(
                        f"no connection to the server of {self.data}: {_telling_line(str(error))}; see {self.log}"
                    ) from error
                time.sleep(0.2)

    def sockets(self) -> Path:
        """The private folder of the socket: `run`, or one in the temporary folder, noted in the home, when the path of `run` is too
        long."""
        run = self.home / "run"
        if len(os.fsencode(run / SOCKET_NAME)) < SOCKET_PATH_BYTES_MAX:
            return run
        note = self.home / "socket-folder"
        with contextlib.suppress(FileNotFoundError):
            noted = Path(note.read_text())
            if noted.is_dir() and not noted.is_symlink() and noted.stat().st_uid == self._uid():
                return noted
        made = Path(tempfile.mkdtemp(prefix="o2c-", dir=_short_temporary_folder()))
        if self.account:
            os.chown(made, self.account.uid, self.account.gid)
        _write(note, str(made))
        return made

    def _uid(self) -> int:
        return self.account.uid if self.account else os.geteuid()

    def _program(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return execute([str(self.binaries / name), *arguments], self.account)

    def _private_folder(self, folder: Path) -> None:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(0o700)
            if self.account:
                os.chown(folder, self.account.uid, self.account.gid)
        if folder.lstat().st_uid != self._uid():
            raise ServerUnavailable(f"{folder} belongs to another user than the server's (id {self._uid()}); {ELSEWHERE}")

    def _initialise(self) -> None:
        """Make the cluster under another name first, so that a crash on the way leaves nothing that looks like one."""
        if (self.data / "global" / "pg_control").exists():
            made_by = (self.data / "PG_VERSION").read_text().strip()
            version = re.search(r"PostgreSQL\) (\d+)", self._program("postgres", "--version").stdout)
            major = version[1] if version else "unknown"
            if major != made_by:
                raise ServerUnavailable(f"{self.data} was made by PostgreSQL {made_by} and this is {major}; {ELSEWHERE}")
            return
        if self.data.exists() and any(self.data.iterdir()):
            raise ServerUnavailable(f"{self.data} is not empty and no PostgreSQL cluster; move it away, or {ELSEWHERE}")
        for left in self.home.glob("data.part-*"):
            shutil.rmtree(left, ignore_errors=True)
        # A name of its own each time: the initdb of a killed command may still be writing in the last one.
        fresh = Path(tempfile.mkdtemp(prefix="data.part-", dir=self.home))
        if self.account:
            os.chown(fresh, self.account.uid, self.account.gid)
        made = self._program("initdb", "-D", str(fresh), "--locale=C", "--encoding=UTF8", "-k", "-A", "trust", "-U", SUPERUSER)
        if made.returncode == 0:
            line = 'printf "include \'../server.conf\'\\n" >> "$1/postgresql.conf"'
            made = execute(["/bin/sh", "-c", line, "sh", str(fresh)], self.account)
        if made.returncode != 0:
            raise ServerUnavailable(f"initdb failed in {self.home}: {_telling_line(made.stderr)}; {ELSEWHERE}")
        fresh.rename(self.data)

    def _configure(self) -> None:
        wanted = {**self.settings, "unix_socket_directories": f'"{self.sockets()}"'}
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in wanted.items()]
        _write(
            self.home / "server.conf",
            "\n".join(["# Written at each start: put your own settings after the include in data/postgresql.conf.", *lines, ""]),
        )

    def _launch(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            # Our server does not run, so these files are left from a crash; PostgreSQL would take any process with that number now for the
            # server.
            for stale in (self.data / "postmaster.pid", self.sockets() / SOCKET_NAME, self.sockets() / f"{SOCKET_NAME}.lock"):
                stale.unlink(missing_ok=True)
            logged = self.log.stat().st_size if self.log.exists() else 0
            done = self._program("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-s", "-w", "-t", str(START_SECONDS), "start")
            if done.returncode == 0:
                return
            output = self.log.read_bytes()[logged:].decode(errors="replace") if self.log.exists() else done.stderr
            if self.postmaster() is not None:
                raise ServerUnavailable(
                    f"the server of {self.data} is still recovering after {START_SECONDS} s; try again, or see {self.log}"
                )
            # Backends of a server killed a moment ago keep its shared memory until they notice.
            if "still in use" not in output or time.monotonic() > deadline:
                raise ServerUnavailable(f"PostgreSQL did not start in {self.data}: {_telling_line(output)}; see {self.log}")
            time.sleep(0.5)


def _command_line(pid: int) -> str:
    """The words of a process, each ended by NUL; empty for a process that is gone, a zombie, or not ours to see."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return ""
    listed = subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False)
    program, _, rest = listed.stdout.rstrip("\n").partition(" -D ")
    return f"{program}\0-D\0{rest}\0" if rest else ""


def _short_temporary_folder() -> str:
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) < SOCKET_PATH_BYTES_MAX - 40 else "/tmp"


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.chmod(0o644)
    part.replace(path)


def _telling_line(text: str) -> str:
    """The line that names the cause, without the time and process before it; PostgreSQL's programs print more lines after it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no message"]
    causes = (_CAUSE.search(line) for line in lines)
    return next((cause[0] for cause in causes if cause), lines[-1])
