"""Connections that outlive who opened them: the next to connect to the same store gets one whose server process has learnt the catalogue already.

A fresh process of the server reads the catalogue and plans each statement anew, which took half of the time of stories. Each who connects gets a
session as it began: role, settings, locks, cursors and temporary tables of the one before are gone.
"""

import os
import select
import threading
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg._connection_base import BaseConnection
from psycopg._preparing import PrepareManager
from psycopg.abc import PQGenConn
from psycopg.conninfo import conninfo_to_dict

Key = tuple[tuple[str, str], ...]

_ANEW = (
    b"SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
)
"""Gives a session back as it began, but for its plans."""
_PREPARED_MAX = 2_000
"""Statements of all command lines and pages of a process, not of one."""
_IDLE_MAX = 40
"""Kept at once of all stores: a server of the tests takes a hundred connections."""
_OF_NO_SESSION = ("connect_timeout",)

_connect, _close = vars(BaseConnection)["_connect_gen"].__func__, psycopg.Connection.close
_stores: set[str] = set()
"""The databases whose connections are kept, by name."""
_idle: dict[Key, list[tuple[int, pq.abc.PGconn, PrepareManager]]] = {}
_lock = threading.Lock()
"""Of what is idle."""
_gone = pq.PGconn.connect(b"host=/nowhere")
"""What somebody holds who has closed a connection that is kept."""


class _Kept:
    """How a connection is found again, and who made it."""

    def __init__(self, key: Key) -> None:
        self.key, self.made_by, self.closing = key, os.getpid(), threading.Lock()


def keep(store: str) -> None:
    """From now on keep the connections to a database of this name. O2C_TEST_NEW_STORES=1 keeps none, to see whether that is what a test fails of."""
    if not os.environ.get("O2C_TEST_NEW_STORES"):
        _stores.add(store)


def let_go(store: str) -> None:
    """Close the connections that are kept to a database, and keep none any more."""
    _stores.discard(store)
    with _lock:
        ended = [_idle.pop(key) for key in [*_idle] if dict(key)["dbname"] == store]
    for _, handle, _ in (each for many in ended for each in many):
        handle.finish()


def kept_processes(dsn: str) -> list[int]:
    """The server's processes that wait for whoever connects next to the store of a connection string."""
    store, _ = _named(dsn)
    with _lock:
        return [handle.backend_pid for key, many in _idle.items() if dict(key)["dbname"] == store for _, handle, _ in many]


def _key(conninfo: str) -> Key | None:
    """What two connections must have in common; None for those to a database whose connections are not kept."""
    store, key = _named(conninfo)
    return key if store in _stores else None


@lru_cache(maxsize=4_096)
def _named(conninfo: str) -> tuple[str, Key]:
    named = conninfo_to_dict(conninfo)
    key = tuple(sorted((name, str(value)) for name, value in named.items() if name not in _OF_NO_SESSION))
    return str(named.get("dbname")), key


def _taken(key: Key) -> tuple[pq.abc.PGconn, PrepareManager] | None:
    """One that waits there and that the server has not ended meanwhile."""
    while True:
        with _lock:
            waiting = _idle.get(key)
            if not waiting:
                return None
            made_by, handle, prepared = waiting.pop()
        if made_by == os.getpid() and handle.status == pq.ConnStatus.OK and not select.select([handle.socket], [], [], 0)[0]:
            return handle, prepared
        handle.finish()


def _connected(cls: type[psycopg.Connection[Any]], conninfo: str = "") -> PQGenConn[psycopg.Connection[Any]]:
    key = _key(conninfo)
    if key is not None and (taken := _taken(key)):
        made = cls(taken[0])
        made._prepared = taken[1]
    else:
        made = yield from _connect(cls, conninfo)
    if key is not None:
        made._prepared.prepared_max = _PREPARED_MAX
        vars(made)["kept_as"] = _Kept(key)
    return made


def _closed(self: psycopg.Connection[Any]) -> None:
    kept: _Kept | None = vars(self).get("kept_as")
    # Whoever closes it second, at the same time, waits until it is closed: two would give the same session to two others.
    with kept.closing if kept else nullcontext():
        if not (kept and not self.closed and _put_aside(self, kept)):
            _close(self)


def _put_aside(connection: psycopg.Connection[Any], kept: _Kept) -> bool:
    if kept.made_by != os.getpid() or dict(kept.key)["dbname"] not in _stores or not connection.lock.acquire(blocking=False):
        return False
    try:  # With its lock nobody is in the midst of something, nor waits for what it is told.
        handle = connection.pgconn
        if handle.transaction_status != pq.TransactionStatus.IDLE or not _begun_anew(handle):
            return False
        with _lock:
            if sum(map(len, _idle.values())) >= _IDLE_MAX:
                return False
            connection.pgconn, connection._closed = _gone, True
            _idle.setdefault(kept.key, []).append((kept.made_by, handle, connection._prepared))
        return True
    finally:
        connection.lock.release()


def _begun_anew(handle: pq.abc.PGconn) -> bool:
    try:
        return handle.exec_(_ANEW).status == pq.ExecStatus.COMMAND_OK
    except psycopg.Error:
        return False


type.__setattr__(psycopg.Connection, "_connect_gen", classmethod(_connected))
type.__setattr__(psycopg.Connection, "close", _closed)
