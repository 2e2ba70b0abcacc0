"""Servers of a test that are backed up, copied and restored, and what is looked up in them."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from o2c import plan
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.store import embedded
from o2c.store.cluster import execute, unprivileged_account
from o2c.store.database import connect
from projections.engine.operations import catch_up
from tests.store.writing import command
from tests.world import World, line, order

SMALL = {"shared_buffers": "16MB", "max_wal_size": "128MB"}
DIGEST = (
    """SELECT count(*) AS events, max(position) AS last, md5(string_agg(md5(e::text), '' ORDER BY position)) AS digest FROM o2c.event e"""
)


def run(programs: Path, home: Path, name: str, *arguments: str) -> None:
    """One program of PostgreSQL, as the server's user."""
    done = execute([str(programs / name), *arguments], unprivileged_account(home))
    assert done.returncode == 0, done.stderr


def place(dsn: str) -> tuple[str, ...]:
    told = conninfo_to_dict(dsn)
    return ("-h", str(told["host"]), "-p", str(told["port"]), "-U", str(told["user"]))


def one(dsn: str, sql: str) -> dict[str, Any]:
    with connect(dsn) as conn:
        row = conn.execute(sql.encode()).fetchone()
        assert row is not None
        return row


def opened(dsn: str) -> Engine:
    return Engine(dsn, plan.KINDS)


def append(dsn: str, stream: str) -> int:
    """The position of a new stream's first event."""
    with closing(opened(dsn)) as app:
        [outcome] = app.log_recorder.append([command((stream, 0))])
    assert outcome.verdict == "appended"
    return outcome.first_position


def lived(dsn: str, tmp_path: Path, *orders: str) -> None:
    """A store with some orders, and its projections."""
    (tmp_path / "papers").mkdir(exist_ok=True)
    world = World(dsn, tmp_path / "papers")
    world.stocked(esims=6)
    world.take(*(order(name, line()) for name in orders))
    world.attend(4)
    catch_up(dsn)
    world.close()


def own_settings(home: Path, **settings: str) -> None:
    """What an operator writes after the include in data/postgresql.conf."""
    with (home / "data" / "postgresql.conf").open("a") as out:
        out.writelines(f"{name} = '{value}'\n" for name, value in settings.items())


@contextmanager
def archiving(home: Path, archive: Path, programs: Path) -> Iterator[str]:
    """The server of a data folder whose operator turned archiving on in his own settings."""
    with embedded.acquire(home, binaries=programs, settings=SMALL):
        pass
    own_settings(home, archive_mode="on", archive_command=f"test ! -f {archive}/%f && cp %p {archive}/%f")
    with embedded.acquire(home, binaries=programs, settings=SMALL) as server:
        yield server.dsn


def wait_until(what: str, dsn: str, sql: str) -> None:
    """A server that recovers answers and hangs up; that is no end of the waiting."""
    deadline = time.monotonic() + 60
    done = False
    while not done:
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
        with suppress(Refused):
            done = one(dsn, sql)["done"]
