"""Sixteen writers that linger in their transactions and end them in every way there is, and a reader that tails the log meanwhile."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import psycopg
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from o2c.store.database import connect
from tests.attacks.harness import Connection, Flaws, Place, column, flaws, one, recorder_of, settle, stock_recorder, write
from tests.depth import depth
from tests.store.test_reader import Page, Tail
from tests.store.writing import command

WRITERS = 16
SHARED = ("shared-1", "shared-2")
KILL_EVERY_S = 0.05
FATES: Mapping[str, tuple[int, Sequence[str]]] = {
    "committed": (60, ("{append}", "COMMIT")),
    "taken back": (8, ("{append}", "ROLLBACK")),
    "after a savepoint": (8, ("SAVEPOINT s", "RELEASE s", "{append}", "COMMIT")),
    "beside a savepoint that is taken back": (8, ("{append}", "SAVEPOINT s", "ROLLBACK TO s", "COMMIT")),
    "prepared": (8, ("{append}", "PREPARE TRANSACTION '{name}'", "COMMIT PREPARED '{name}'")),
    "prepared and taken back": (3, ("{append}", "PREPARE TRANSACTION '{name}'", "ROLLBACK PREPARED '{name}'")),
    "killed": (5, ("{append}", "SELECT pg_terminate_backend(pg_backend_pid())", "COMMIT")),
}
"""How often an append ends so, and the statements around it; a writer lingers before each."""

Seen = Mapping[str, int]
"""Streams with the version seen of each."""


@dataclass(frozen=True)
class Side:
    """A log under attack: how so many events are appended to each stream (False: one moved on), and what stands in it."""

    dsn: str
    append: Callable[[Connection, Seen, int], bool]
    page: Page
    version: str
    events: str
    fates: Mapping[str, tuple[int, Sequence[str]]]


class Writer:
    """Appends to two streams of its own and to shared ones, a random fate after the other, until enough events stand."""

    def __init__(self, side: Side, number: int) -> None:
        self.side, self.number, self.serial = side, number, 0
        self.choice = random.Random(number)
        self.dsn = make_conninfo(side.dsn, application_name="writer")

    def run(self, events: int) -> None:
        while events > 0:
            # What a killed backend was about to do is not known: it is read again.
            with suppress(psycopg.OperationalError), psycopg.connect(self.dsn, autocommit=True, row_factory=dict_row) as conn:
                self._end_what_was_prepared(conn)
                while events > 0:
                    events -= self._attempt(conn)

    def _end_what_was_prepared(self, conn: Connection) -> None:
        mine = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE %s"
        for name in column(conn, mine, f"writer-{self.number}-%"):
            conn.execute(f"COMMIT PREPARED '{name}'".encode())

    def _attempt(self, conn: Connection) -> int:
        """How many events now stand because of it."""
        own = [f"w{self.number}-{n}" for n in (1, 2)]
        chosen = self.choice.sample(own, self.choice.randint(1, 2)) + self.choice.choices([[], [self.choice.choice(SHARED)]], (9, 1))[0]
        seen, each = {stream: int(one(conn, self.side.version, stream)) for stream in chosen}, self.choice.randint(1, 3)
        [fate] = self.choice.choices(list(self.side.fates), [often for often, _ in self.side.fates.values()])
        self.serial += 1
        conn.execute("BEGIN")
        for statement in self.side.fates[fate][1]:
            time.sleep(self.choice.choice((0, 0, 0, 0.001, 0.01)))
            if statement != "{append}":
                conn.execute(statement.format(name=f"writer-{self.number}-{self.serial}").encode())
            elif not self.side.append(conn, seen, each):
                conn.execute("ROLLBACK")
                return 0
        return 0 if "taken back" in fate else each * len(seen)


def _kill_writers(dsn: str, over: threading.Event) -> None:
    """Terminate one writer's backend after the other, whatever it is at."""
    pick = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'writer' ORDER BY random() LIMIT 1"
    with connect(dsn) as conn:
        while not over.wait(KILL_EVERY_S):
            conn.execute(f"SELECT pg_terminate_backend(pid) FROM ({pick}) AS victim".encode())


@contextmanager
def _in_thread(act: Callable[[threading.Event], object]) -> Iterator[None]:
    """Something that goes on in a thread of its own until the end of the block."""
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(act, over)
        try:
            yield
        finally:
            over.set()
        running.result()


def attacked(side: Side, events: int) -> tuple[Flaws, int]:
    """What the tailing reader of a side got wrong, and how many events stand in the end."""
    tail = Tail(side.page)
    with connect(side.dsn) as conn, ThreadPoolExecutor(WRITERS) as pool, _in_thread(tail.run):
        with _in_thread(lambda over: _kill_writers(side.dsn, over)):
            for writer in [pool.submit(Writer(side, n).run, events // WRITERS) for n in range(WRITERS)]:
                writer.result()
        settle(conn)
        standing = {(row["stream"], row["version"]) for row in conn.execute(side.events.encode()).fetchall()}
    return flaws(tail.seen, standing), len(standing)


def _page(recorder: PostgresApplicationRecorder) -> Page:
    def page(last: int) -> list[Place]:
        found = recorder.select_notifications(last, 500, inclusive_of_start=False)
        return [(event.id, str(event.originator_id), event.originator_version) for event in found]

    return page


def _append(conn: Connection, seen: Seen, each: int) -> bool:
    return write(conn, command(*seen.items(), each=each)).verdict == "appended"


def _append_to_stock(conn: Connection, seen: Seen, each: int) -> bool:
    """By the function that the stock recorder calls in this setting, so that the writer may linger after it."""
    rows = [(stream, version + n) for stream, version in seen.items() for n in range(1, each + 1)]
    sql = """SELECT es_insert_events_text(array_agg(ROW(x.stream, x.version, 'test', ''::bytea)::stored_event_text))
        FROM unnest(%s::text[], %s::bigint[]) AS x (stream, version)"""
    try:
        conn.execute(sql, list(map(list, zip(*rows, strict=True))))
    except psycopg.errors.UniqueViolation:
        return False
    return True


def test_a_reader_behind_the_horizon_misses_nothing(log_dsn: str) -> None:
    """Whatever the writers do, every event that stands was read once, in the order of its stream, and nothing else."""
    version = "SELECT coalesce((SELECT version FROM o2c.head WHERE stream = %s), 0)"
    with ExitStack() as opened:
        page = _page(recorder_of(log_dsn, opened))
        side = Side(log_dsn, _append, page, version, "SELECT stream, version FROM o2c.event", FATES)
        found, standing = attacked(side, depth(3_000, 100_000))
    assert found == Flaws()
    assert standing >= depth(2_500, 100_000)


def test_control_a_reader_of_a_sequence_misses_some(log_dsn: str) -> None:
    """The same writers on the stock recorder without its table lock (POSTGRES_ENABLE_DB_FUNCTIONS=y), the same reader: events are missed."""
    version = "SELECT coalesce(max(originator_version), 0) FROM stored_events WHERE originator_id = %s"
    events = "SELECT originator_id AS stream, originator_version AS version FROM stored_events"
    # PostgreSQL prepares no transaction that has notified, and this one always does.
    fates = {name: told for name, told in FATES.items() if "prepared" not in name}
    with ExitStack() as opened:
        page = _page(stock_recorder(log_dsn, opened, POSTGRES_ENABLE_DB_FUNCTIONS="y"))
        found, _ = attacked(Side(log_dsn, _append_to_stock, page, version, events, fates), 1_000)
    assert found.missed > 0
