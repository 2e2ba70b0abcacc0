"""An import that is killed at any statement, two of one file at once, and a reader that follows the log meanwhile."""

import io
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from o2c import plan
from o2c.customers.events import CustomerContacted, CustomerRegistered
from o2c.engine.app import Engine
from o2c.files.importing import Import, Imported
from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from tests.attacks.harness import Flaws, at_once, flaws, one, page_after, settle, until
from tests.depth import depth
from tests.faults.dying import Countdown, as_soon_as_released, killed_at
from tests.store.writing import command, send
from tests.tables import empty_log

BATCH = 40
BOOK = plan.PlanBook(catalogue=lambda version: pytest.fail("an import plans nothing"))


def history(customers: int, contacts: int) -> bytes:
    """Customers with what they asked, and a delivery of SIMs, as another store would export them."""
    lines = []
    for n in range(customers):
        bodies: list[tuple[str, dict[str, Any], frozenset[str]]] = [
            ("customer.registered", {**CustomerRegistered.example, "customer": f"K-{n}"}, CustomerRegistered.personal),
            *[("customer.contacted", {**CustomerContacted.example, "customer": f"K-{n}"}, CustomerContacted.personal)] * contacts,
        ]
        lines += [_line(f"customer-K-{n}", version, *body) for version, body in enumerate(bodies, 1)]
    for n in range(customers):
        lines.append(_line(f"sim-{n}", 1, "sim.received", {"iccid": str(n), "imsi": str(n), "kind": "esim"}, frozenset()))
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _line(stream: str, version: int, name: str, body: dict[str, Any], personal: frozenset[str]) -> dict[str, Any]:
    return {
        "stream": stream, "version": version, "event_id": str(uuid.uuid4()), "type": name, "schema_version": 1,
        "occurred_at": "2026-01-05T09:00:00Z", "actor": "ann", "channel": "desk", "command_id": str(uuid.uuid4()),
        "body": {key: value for key, value in body.items() if key not in personal},
        "personal": {key: value for key, value in body.items() if key in personal} or None,
    }  # fmt: skip


def imported(dsn: str, file: bytes) -> Imported:
    with closing(Engine(dsn, plan.KINDS)) as app:
        return Import(app, progress=lambda count: None, batch_events=BATCH).run(io.BytesIO(file))


def standing(dsn: str) -> list[Any]:
    """How many there are of everything, and whether any event is there twice."""
    with connect(dsn) as conn:
        counts = [one(conn, f"SELECT count(*) FROM o2c.{table}") for table in ("event", "head", "command", "pool")]
        return [*counts, one(conn, "SELECT count(*) - count(DISTINCT event_id) FROM o2c.event")]


def test_killed_at_any_statement_and_begun_again(log_dsn: str) -> None:
    """Whole batches are there after a kill, and the same file again makes it whole; nothing is ever there twice."""
    file = history(customers=10, contacts=10)
    events = file.count(b"\n")
    point, partial = 1, set()
    while True:
        with connect(log_dsn) as conn:
            empty_log(conn)

        def work(countdown: Countdown) -> None:
            countdown.watch_statements()
            imported(log_dsn, file)

        died = killed_at(point, work)
        with connect(log_dsn) as conn:
            left = one(conn, "SELECT count(*) FROM o2c.event")
        assert left == events or left % BATCH == 0
        partial.add(left)
        done = as_soon_as_released(lambda: imported(log_dsn, file))
        assert done.known == left
        assert standing(log_dsn) == [events, 20, events, 10, 0]
        if not died:
            break
        point += depth(3, 1)
    assert partial == {0, BATCH, 2 * BATCH, events}


def test_two_imports_of_one_file_at_once(log_dsn: str) -> None:
    """One goes on, the others are told to come later; or they find all of it there."""
    file = history(customers=30, contacts=20)

    def take_in(_: int) -> str:
        try:
            return f"{imported(log_dsn, file).known} known"
        except Refused as refusal:
            return str(refusal).partition(";")[0]

    told = at_once(3, take_in)

    assert told.count("0 known") == 1
    assert {*told} <= {"0 known", "660 known", "another process already does this (o2c import)"}
    assert standing(log_dsn) == [660, 60, 660, 30, 0]


@pytest.fixture
def reader(log_dsn: str) -> Iterator[tuple[list[Any], threading.Event]]:
    """What a tailing reader is told, until it is asked to end."""
    seen: list[Any] = []
    ended = threading.Event()

    def follow() -> None:
        with connect(log_dsn) as conn:
            while not ended.is_set():
                seen.extend(page_after(conn, seen[-1][0] if seen else 0))

    thread = threading.Thread(target=follow)
    thread.start()
    yield seen, ended
    ended.set()
    thread.join()


def test_a_tailing_reader_misses_nothing_of_an_import(log_dsn: str, reader: tuple[list[Any], threading.Event]) -> None:
    """Commands are appended all the while: the reader meets every event once, each stream in order."""
    seen, ended = reader
    file = history(customers=depth(100, 1_000), contacts=20)
    stop = threading.Event()

    def append(n: int) -> None:
        with connect(log_dsn) as conn:
            count = 0
            while not stop.is_set():
                send(conn, command((f"other-{n}-{count}", 0)))
                count += 1

    writers = [threading.Thread(target=append, args=(n,)) for n in range(2)]
    for writer in writers:
        writer.start()
    imported(log_dsn, file)
    stop.set()
    for writer in writers:
        writer.join()
    with connect(log_dsn) as conn:
        settle(conn)
        written = {(row["stream"], row["version"]) for row in conn.execute("SELECT stream, version FROM o2c.event").fetchall()}
        until(lambda: len(seen) >= len(written))
    ended.set()
    assert len(written) > file.count(b"\n")
    assert flaws(seen, written) == Flaws()
