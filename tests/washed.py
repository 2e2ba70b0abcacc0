"""Stores that are used again: what a test wrote in a copy of a store is taken away, and the next has the same tables, for which all is planned.

Rows are deleted and not truncated: a table that is truncated is a new one, for which each statement is planned again. A copy whose tables, views,
functions or rights were changed is thrown away, and so is one whose log was tampered with, or that somebody still uses.
"""

import os
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import tuple_row

from tests.kept import keep, kept_processes, let_go

LEAVING_SECONDS = 2.0
"""How long is waited for who used a store to be gone, before it is thrown away."""

_OURS = "n.nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast')"

_TABLES = f"""SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND {_OURS} ORDER BY 1, 2"""
"""Every table: schema and name. No parameters."""

_SEQUENCES = (
    f"""SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND {_OURS}"""
)
"""Every sequence: schema and name. No parameters."""

_SHAPE = " UNION ALL ".join(
    f"SELECT count(*), {'sum(xmin::text::bigint)' if whole else '0'} FROM {catalog}"
    for catalog, whole in (
        ("pg_class", True), ("pg_proc", True), ("pg_namespace", True), ("pg_trigger", True), ("pg_constraint", True), ("pg_index", True),
        ("pg_attribute", False), ("pg_attribute WHERE attacl IS NOT NULL", True), ("pg_description", False), ("pg_rewrite", False), ("pg_type", False),
        ("pg_default_acl", True), ("pg_extension", True), ("pg_db_role_setting WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))", True),
        ("pg_database WHERE datname = current_database()", True), ("pg_prepared_xacts", False),
    )
)  # fmt: skip
"""What stands in the catalogue: a change, a new thing or one less changes it. No parameters."""

_OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND pid <> ALL(%s)"""
"""How many others use the store, but for processes that are known. Parameter: these."""

_COUNTED = sql.SQL(
    "SELECT {0}, count(*) FILTER (WHERE NOT t.new), count(*) FILTER (WHERE t.new) FROM (SELECT xmin::text::bigint >= %(new)s AS new FROM {1}) t"
)
"""How many rows of a table are old, and how many new. Parts: its place among others, the table. Parameter: the first transaction of what is `new`."""

_NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
"""The id of the next transaction. No parameters."""

_DELETE = sql.SQL("DELETE FROM {} WHERE xmin::text::bigint >= %s")
"""Take the rows that transactions wrote from one on. Part: the table. Parameter: the first of them."""

_STANDS = sql.SQL("SELECT last_value, is_called FROM {}")
"""Where a sequence stands. Part: the sequence."""

_SET_SEQUENCE = "SELECT setval(%s::regclass, %s, %s)"
"""Set a sequence. Parameters: its name, its last value, whether that was given away."""

_LOG = sql.Identifier("o2c", "event")
"""Its rows show which transaction wrote them: what was changed or taken there cannot be put back."""


class Washed:
    """A copy of a store, and what stood in it when it was made."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        # Kept from one wash to the next, as its process of the server has planned all that is asked: that takes longer than the washing.
        self._conn = conn = psycopg.connect(dsn, autocommit=True, row_factory=tuple_row, application_name="washing")
        self._tables = [sql.Identifier(*names) for names in conn.execute(_TABLES)]
        self._sequences = [sql.Identifier(*names) for names in conn.execute(_SEQUENCES)]
        self._counting = sql.SQL(" UNION ALL ").join(_COUNTED.format(place, table) for place, table in enumerate(self._tables))
        self._shape = conn.execute(_SHAPE, prepare=True).fetchall()
        self._at = self._standing()
        self._begin()
        self._counts = {place: old for place, old, _ in self._counted()}
        self._rows = {place: self._copied(place) for place, count in self._counts.items() if count}

    def wash(self) -> bool:
        """Set everything to what it was when the copy was made; whether that could be done."""
        try:
            if self._used_by_others() or self._conn.execute(_SHAPE, prepare=True).fetchall() != self._shape:
                return False
            with self._conn.transaction():
                washed = self._set_all_back()
            self._begin()
        except psycopg.OperationalError:
            return False
        return washed

    def dropped(self) -> None:
        """Drop the copy."""
        self._conn.close()
        dropped(self.dsn)

    def _used_by_others(self) -> bool:
        """Processes of the server go a moment after who was connected."""
        until = time.monotonic() + LEAVING_SECONDS
        while (
            used := self._conn.execute(_OTHERS, (kept_processes(self.dsn),), prepare=True).fetchone() != (0,)
        ) and time.monotonic() < until:
            time.sleep(0.005)
        return used

    def _set_all_back(self) -> bool:
        self._conn.execute("SET LOCAL session_replication_role = replica", prepare=True)
        for place, old, new in self._counted():
            whole = old != self._counts[place]
            if whole and self._tables[place] == _LOG:
                return False
            if new or whole:
                self._set_back(place, whole=whole)
        for sequence, [(last, called)] in zip(self._sequences, self._at, strict=True):
            self._conn.execute(_SET_SEQUENCE, (sequence.as_string(self._conn), last, called), prepare=True)
        return True

    def _standing(self) -> list[list[tuple[Any, ...]]]:
        """Where each sequence stands."""
        return [self._conn.execute(_STANDS.format(each), prepare=True).fetchall() for each in self._sequences]

    def _begin(self) -> None:
        """What any later transaction writes is new."""
        [(self._new_from,)] = self._conn.execute(_NEXT, prepare=True).fetchall()

    def _counted(self) -> list[tuple[int, int, int]]:
        """Of each table, by its place, how many rows stood in it when the copy was made or last washed, and how many are new."""
        return self._conn.execute(self._counting, {"new": self._new_from}, prepare=True).fetchall() if self._tables else []

    def _set_back(self, place: int, *, whole: bool) -> None:
        table = self._tables[place]
        # Rows that nobody touched stay as their transactions wrote them: of the log that is looked at.
        self._conn.execute(_DELETE.format(table), (0 if whole else self._new_from,), prepare=True)
        if whole and place in self._rows:
            with self._conn.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(table)) as copy:
                copy.write(self._rows[place])

    def _copied(self, place: int) -> bytes:
        with self._conn.cursor() as cursor, cursor.copy(sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(self._tables[place])) as copy:
            return b"".join(bytes(part) for part in copy)


class Washing:
    """Stores for the tests of a run, each a test's own while it lasts. `way` is how the server copies a database."""

    def __init__(self, server_dsn: str, way: str) -> None:
        self._server, self._way, self._waiting = server_dsn, way, defaultdict[str, list[Washed]](list)

    @contextmanager
    def like(self, template: str) -> Iterator[str]:
        """The connection string of a store that is as the one of that name."""
        waiting = self._waiting[template]
        one = waiting.pop() if waiting else self._made(template)
        yield one.dsn
        if not os.environ.get("O2C_TEST_NEW_STORES") and one.wash():
            waiting.append(one)
        else:
            one.dropped()

    def _made(self, template: str) -> Washed:
        made = Washed(copied(self._server, template, self._way))
        keep(name_of(made.dsn))
        return made

    def forget(self, template: str) -> None:
        """Throw away what waits to be used as the store of that name, which is to be dropped itself."""
        for one in self._waiting.pop(template, ()):
            one.dropped()

    def close(self) -> None:
        """Throw away all that waits."""
        for template in [*self._waiting]:
            self.forget(template)


def copied(server_dsn: str, template: str, way: str) -> str:
    """The connection string of a new copy of a database of the server, to which nobody is connected."""
    name = f"test_{uuid.uuid4().hex}"
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(copy.format(sql.Identifier(name), sql.Identifier(template), sql.Identifier(way.lower())))
    return make_conninfo(server_dsn, dbname=name)


def dropped(dsn: str) -> None:
    """Drop a database, with whatever is still connected to it."""
    let_go(name_of(dsn))
    with psycopg.connect(dsn, dbname="postgres", autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name_of(dsn))))


def name_of(dsn: str) -> str:
    """The name of the database of a connection string."""
    return str(conninfo_to_dict(dsn)["dbname"])
