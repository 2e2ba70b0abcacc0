"""What the attacks share: how far they go, many at once, a server to kill, append() without one of its guards, the stock library's recorder."""

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import psycopg
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.postgres import PostgresApplicationRecorder
from eventsourcing.utils import Environment
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from o2c.engine.app import Engine
from o2c.store.commands import APPEND_SQL, Append, Outcome, append_parameters, outcomes_of
from o2c.store.database import connect
from o2c.store.embedded import EmbeddedServer
from o2c.store.recorder import LogRecorder
from tests.faults.working import alive, children

Connection = psycopg.Connection[dict[str, Any]]
Place = tuple[int, str, int]
"""An event as a reader meets it: position, stream, version."""
T = TypeVar("T")
PATIENCE_S = 60
UNGUARDED_SQL = APPEND_SQL.replace("o2c.append(", "unguarded.append(")


def at_once(threads: int, act: Callable[[int], T]) -> list[T]:
    """Run act(0) .. act(threads - 1), each in its thread, from the same moment; what they returned, or the first error."""
    start = threading.Barrier(threads)

    def wait_and_act(n: int) -> T:
        start.wait(PATIENCE_S)
        return act(n)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(wait_and_act, range(threads)))


def until(holds: Callable[[], Any]) -> None:
    """Wait for something that will come."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def one(conn: Connection, sql: str, *parameters: Any) -> Any:
    """The one value of the one row."""
    row = conn.execute(sql.encode(), parameters).fetchone()
    assert row is not None
    [value] = row.values()
    return value


def column(conn: Connection, sql: str, *parameters: Any) -> list[Any]:
    return [next(iter(row.values())) for row in conn.execute(sql.encode(), parameters).fetchall()]


# -- what a reader got wrong


@dataclass(frozen=True)
class Flaws:
    """What a reader got wrong of a log; `unreal` are events that it was told and that are not there."""

    missed: int = 0
    doubled: int = 0
    out_of_order: int = 0
    unreal: int = 0


def flaws(seen: Sequence[Place], written: set[tuple[str, int]]) -> Flaws:
    """What differs between what a reader was told, in order, and the (stream, version) that stand in the log."""
    told = {(stream, version) for _, stream, version in seen}
    latest: dict[str, int] = {}
    out_of_order = 0
    for _, stream, version in seen:
        out_of_order += version < latest.get(stream, 0)
        latest[stream] = version
    return Flaws(len(written - told), len(seen) - len(told), out_of_order, len(told - written))


def page_after(conn: Connection, last: int, horizon: str = "o2c.horizon()") -> list[Place]:
    """What a reader finds after the last position it saw, in the product's own way unless another horizon is named."""
    sql = f"""WITH bound AS MATERIALIZED (SELECT {horizon} AS h) SELECT position, stream, version FROM o2c.event
        WHERE position > %s AND position < (SELECT h FROM bound) ORDER BY position"""
    return [(row["position"], row["stream"], row["version"]) for row in conn.execute(sql.encode(), [last]).fetchall()]


def settle(conn: Connection) -> None:
    """Wait until readers may see all that stands: whatever writes anywhere on the server, be it an autovacuum, holds them back."""
    until(lambda: one(conn, "SELECT coalesce(max(position), 0) < o2c.horizon() FROM o2c.event"))


# -- the log, ours and the stock library's


def recorder_of(dsn: str, opened: ExitStack) -> LogRecorder:
    """Our recorder on a log, until the stack closes."""
    return cast("LogRecorder", _recorder({**Engine.env, "DSN": dsn}, opened))


def stock_environment(dsn: str) -> dict[str, str]:
    """What the stock library must be told to work on the same database."""
    told = conninfo_to_dict(dsn)
    place = {f"POSTGRES_{key.upper()}": str(told[key]) for key in ("dbname", "host", "port", "user")}
    return {"PERSISTENCE_MODULE": "eventsourcing.postgres", "ORIGINATOR_ID_TYPE": "text", "POSTGRES_PASSWORD": "none", **place}


def stock_recorder(dsn: str, opened: ExitStack, **settings: str) -> PostgresApplicationRecorder:
    """The stock recorder, its tables made in the same database."""
    return cast("PostgresApplicationRecorder", _recorder({**stock_environment(dsn), **settings}, opened))


def _recorder(environment: dict[str, str], opened: ExitStack) -> Any:
    factory = InfrastructureFactory.construct(Environment("Stored", environment))
    opened.callback(factory.close)
    return factory.application_recorder()


def write(conn: Connection, sent: Append, sql: str = APPEND_SQL) -> Outcome:
    """Append one command in whatever transaction the connection is in, by our append() unless another is named."""
    [outcome] = outcomes_of([sent], conn.execute(sql.encode(), append_parameters([sent], 0)).fetchall())
    return outcome


def take_out(conn: Connection, *guards: str) -> None:
    """Make `unguarded.append()`: our append() with these conditions never true. It writes the same tables."""
    definition = str(one(conn, "SELECT pg_get_functiondef('o2c.append'::regproc)"))
    for text in guards:
        assert definition.count(text) == 1, f"append() has no single guard {text!r}"
        definition = definition.replace(text, "false")
    conn.execute("CREATE SCHEMA unguarded")
    conn.execute(definition.replace("FUNCTION o2c.append(", "FUNCTION unguarded.append(").encode())


# -- a server to kill


class Mortal:
    """A server that may be killed with all its processes and started again."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self.dsn = server.dsn
        self._held = 0

    def renew(self) -> None:
        """Give the next attack an empty database, whatever the last one left behind."""
        self.release()
        self.start()
        name = f"attacked_{uuid.uuid4().hex}"
        with connect(self._server.dsn) as conn:
            conn.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        self.dsn = make_conninfo(self._server.dsn, dbname=name)

    def hold_wal(self) -> None:
        """From here to the kill only a commit that waits for its WAL has it flushed."""
        with connect(self.dsn) as conn:
            self._held = one(conn, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
        os.kill(self._held, signal.SIGSTOP)

    def kill(self) -> None:
        """SIGKILL the postmaster and every process of it."""
        postmaster = self._server._cluster.postmaster()
        assert postmaster
        # Stopped first, so that it starts nothing and nobody hears of the end of another.
        os.kill(postmaster, signal.SIGSTOP)
        processes = [*children(postmaster), postmaster]
        for pid in processes:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in processes))
        self._held = 0

    def start(self) -> None:
        self._server._cluster.start()
        self._server._cluster.create_database("o2c")

    def release(self) -> None:
        """Let its WAL flow again, if it was held."""
        if self._held:
            os.kill(self._held, signal.SIGCONT)
        self._held = 0
