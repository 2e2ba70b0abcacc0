"""Processes that die: a forked child ends without a word at a chosen statement or partner call."""

import gc
import os
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

from o2c.kernel.partner import Answer, Partner, Request
from o2c.kernel.refusal import Refused
from tests.tables import tables

KILLED = 9
RELEASED_S = 10
T = TypeVar("T")


class Countdown:
    """Ends the process at a point; every statement and every partner call has one before and one after it."""

    def __init__(self, last: int) -> None:
        self.left = last

    def pass_point(self) -> None:
        self.left -= 1
        if self.left == 0:
            os._exit(KILLED)

    def watch_statements(self) -> None:
        execute = psycopg.Cursor.execute

        def counted(cursor: Any, *arguments: Any, **options: Any) -> Any:
            self.pass_point()
            done = execute(cursor, *arguments, **options)
            self.pass_point()
            return done

        psycopg.Cursor.execute = counted  # type: ignore[assignment, method-assign]  # only ever in a child that will die


class Mortal:
    """A partner whose caller may die just before the call or just after it."""

    def __init__(self, outside: Partner, countdown: Countdown) -> None:
        self.outside, self.countdown = outside, countdown

    def submit(self, request: Request) -> Answer:
        return self._called(self.outside.submit, request)

    def query(self, request: Request) -> Answer:
        return self._called(self.outside.query, request)

    def _called(self, call: Callable[[Request], Answer], request: Request) -> Answer:
        self.countdown.pass_point()
        answer = call(request)
        self.countdown.pass_point()
        return answer


def killed_at(point: int, work: Callable[[Countdown], None]) -> bool:
    """Whether a child that does the work died at its point; False when it finished before it. `work` starts the watch itself."""
    child = os.fork()
    if child == 0:
        # Nothing that the parent left behind may be collected here: closing its connections would end them for the parent too.
        gc.disable()
        try:
            work(Countdown(point))
        except BaseException:  # noqa: BLE001  # whatever it was, this child must not go on as a second test run
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED), f"the child failed at point {point} by itself, with {code}"
    return code == KILLED


def as_soon_as_released(work: Callable[[], T]) -> T:
    """Do the work once the server has noticed that the last driver is dead."""
    deadline = time.monotonic() + RELEASED_S
    while True:
        try:
            return work()
        except Refused as refusal:
            if refusal.kind != "unavailable" or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


class Scene:
    """A store as it stands now, to be set again and again: much faster than copying its database."""

    def __init__(self, dsn: str, *, projected: bool = False) -> None:
        """`projected`: the tables of projections stand as they do now, too; else there are none, as in a store whose log nobody has folded yet."""
        self.dsn = dsn
        with psycopg.connect(dsn) as connection:
            self._kept = {f"o2c.{table}": f"saved.{table}" for table in tables(connection)}
            if projected:
                named = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'projection' ORDER BY 1").fetchall()
                self._kept |= {f"projection.{table}": f"saved.projected_{table}" for (table,) in named}
        self._without = () if projected else ("DROP SCHEMA IF EXISTS projection CASCADE",)
        self._do("CREATE SCHEMA saved", *(f"CREATE TABLE {saved} AS TABLE {table}" for table, saved in self._kept.items()))

    def set_again(self) -> None:
        """Put every row back as it was; the log's own triggers, which would refuse that, are off for this one transaction."""
        emptied = (f"DELETE FROM {table}" for table in self._kept)
        filled = (f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {saved}" for table, saved in self._kept.items())
        self._do("SET LOCAL session_replication_role = replica", *emptied, *filled, *self._without)

    def _do(self, *statements: str) -> None:
        with psycopg.connect(self.dsn) as connection:
            connection.execute("SET client_min_messages = warning")
            for statement in statements:
                connection.execute(statement.encode())
