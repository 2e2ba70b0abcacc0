"""Who writes in the bench of the log: our engine, the stock library, and the plainest INSERT of the same row that PostgreSQL can do."""

import io
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast
from uuid import uuid4

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict

from o2c import plan
from o2c.customers.events import CustomerContacted, CustomerRegistered
from o2c.customers.state import stream_of
from o2c.engine.app import Engine
from o2c.engine.drafts import Command
from o2c.files.importing import BATCH_EVENTS, Import
from o2c.kernel.carry import happened
from o2c.kernel.decision import just
from o2c.kernel.identifiers import derived_id, digest
from o2c.store.commands import text_array

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
LONG = 25
"""Events of the stream that is loaded."""
STREAM_EVENTS = 20
"""Events of a stream that is imported."""
CONTACT = CustomerContacted(customer="C-1", medium="call", direction="inbound", topic="where-is-my-order", note="asked")
Write = Callable[[], Any]
Process = Callable[[], Write]
"""One process of a service: makes a writer for each of its threads."""
_COLUMNS = "position, stream, version, event_id, type, schema_version, occurred_at, actor, channel, command_id, customer_id, body, personal"
_VALUES = ", ".join(["%s"] * 13)


class Ours:
    """A command with an id, a fingerprint and a stored outcome, judged on the stream's head row, written by append()."""

    name = "ours"

    @staticmethod
    def process(dsn: str) -> Process:
        app = Engine(dsn, plan.KINDS)

        def writer() -> Write:
            [stream] = registered(app, 1)
            return lambda: told(app, [stream])

        return writer

    @staticmethod
    def reader(dsn: str) -> Write:
        """Loads a stream from the store, and decides whether its customer is registered."""
        app = Engine(dsn, plan.KINDS)
        [stream] = registered(app, 1)
        for _ in range(LONG - 1):
            told(app, [stream])

        def load() -> bool:
            app.forget()
            return app.load_one(stream).state.papers is not None

        return load

    @staticmethod
    def batches(dsn: str, size: int) -> Write:
        app = Engine(dsn, plan.KINDS)
        streams = registered(app, size)
        return lambda: told(app, streams)

    @staticmethod
    def imports(dsn: str, events: int) -> Write:
        """Takes over a file of so many events, each a command of its own, 20 a stream; it is read, judged and written."""
        app, file = Engine(dsn, plan.KINDS), exported_contacts(events)
        return lambda: Import(app, progress=lambda count: None).run(io.BytesIO(file))


def exported_contacts(events: int) -> bytes:
    """A history as `o2c events export` writes it, of streams that are nowhere yet."""
    body, personal = json.loads(CONTACT.model_dump_json(exclude={"note"})), {"note": CONTACT.note}
    lines = []
    for number in range(events):
        if number % STREAM_EVENTS == 0:
            stream = stream_of(f"B-{uuid4().hex}")
        command_id = str(uuid4())
        lines.append(
            {
                "stream": stream, "version": number % STREAM_EVENTS + 1, "event_id": str(uuid4()), "type": CONTACT.type_name,
                "schema_version": 1, "occurred_at": AT.isoformat(), "recorded_at": AT.isoformat(), "actor": "bench", "channel": "bench",
                "command_id": command_id, "fingerprint": digest(command_id), "causation": None, "order_id": None, "customer_id": "C-1",
                "body": body, "personal": personal,
            }
        )  # fmt: skip
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def registered(app: Engine, customers: int) -> list[str]:
    """Fresh customers, by stream."""
    names = [f"B-{uuid4().hex}" for _ in range(customers)]
    commands = []
    for name in names:
        papers = CustomerRegistered.model_validate({**CustomerRegistered.example, "customer": name})
        stream = stream_of(name)
        commands.append(Command(derived_id(name), stream, happened(stream, just(papers), AT), app.load([stream]), "bench", "bench"))
    assert {outcome.verdict for outcome in app.write(commands)} == {"appended"}
    return [stream_of(name) for name in names]


def told(app: Engine, streams: list[str]) -> int:
    """One contact a stream, each a command of its own; the position of the last."""
    loaded = app.load(streams, remembered=True)
    fact = just(CONTACT)
    commands = [Command(str(uuid4()), name, happened(name, fact, AT), {name: loaded[name]}, "bench", "bench") for name in streams]
    outcomes = app.write(commands)
    assert all(outcome.verdict == "appended" for outcome in outcomes)
    return outcomes[-1].last_position


class Contacted(Aggregate):
    """A customer that counts its contacts, as the stock library has it."""

    def __init__(self) -> None:
        self.contacts = 0

    @event("Contacted")
    def contact(self, customer: str, medium: str, direction: str, topic: str, order: str, note: str) -> None:
        self.contacts += 1


def stock_env(dsn: str) -> dict[str, str]:
    """The stock library's settings for a connection string."""
    parts = conninfo_to_dict(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(parts["dbname"]), "POSTGRES_HOST": str(parts.get("host", "localhost")),
        "POSTGRES_PORT": str(parts.get("port", 5432)), "POSTGRES_USER": str(parts.get("user", "postgres")),
        "POSTGRES_PASSWORD": str(parts.get("password", "none")), "POSTGRES_SCHEMA": "stock", "POSTGRES_POOL_SIZE": "1",
        "POSTGRES_MAX_OVERFLOW": "16",
        "CREATE_TABLE": "no",
    }  # fmt: skip


class Stock:
    """`Application.save` of an aggregate that is kept in memory: the library at its fastest, with its default table lock."""

    name = "stock"

    @staticmethod
    def process(dsn: str) -> Process:
        app: Application[Any] = Application(stock_env(dsn))
        fields = CONTACT.model_dump()

        def writer() -> Write:
            aggregate = Contacted()
            app.save(aggregate)

            def write() -> None:
                aggregate.contact(**fields)
                app.save(aggregate)

            return write

        return writer

    @staticmethod
    def reader(dsn: str) -> Write:
        app: Application[Any] = Application(stock_env(dsn))
        aggregate = Contacted()
        for _ in range(LONG - 1):
            aggregate.contact(**CONTACT.model_dump())
        app.save(aggregate)
        return lambda: cast("Any", app.repository.get(aggregate.id)).contacts > 0

    @staticmethod
    def imports(dsn: str, events: int) -> Write:
        """Saves aggregates that were made before, 20 events each, some 1,000 events at once."""
        app: Application[Any] = Application(stock_env(dsn))
        made = []
        for _ in range(events // STREAM_EVENTS):
            made.append(Contacted())
            for _ in range(STREAM_EVENTS - 1):
                made[-1].contact(**CONTACT.model_dump())

        def write() -> None:
            for start in range(0, len(made), 1_000 // STREAM_EVENTS):
                app.save(*made[start : start + 1_000 // STREAM_EVENTS])

        return write


class Bare:
    """One INSERT of the same row into a table with the same indexes; nothing is judged, nothing is remembered."""

    name = "bare"

    @staticmethod
    def process(dsn: str) -> Process:
        query = f"INSERT INTO bare.event ({_COLUMNS}) VALUES ({_VALUES})".encode()

        def writer() -> Write:
            conn, rows = psycopg.connect(dsn, autocommit=True), _rows()
            return lambda: conn.execute(query, next(rows), prepare=True)

        return writer

    @staticmethod
    def reader(dsn: str) -> Write:
        conn = psycopg.connect(dsn, autocommit=True)
        [row] = conn.execute("SELECT min(stream) FROM o2c.head").fetchall()
        query = b"SELECT state FROM o2c.head WHERE stream = %s"
        return lambda: conn.execute(query, row, prepare=True).fetchone()

    @staticmethod
    def batches(dsn: str, size: int) -> Write:
        conn, rows = psycopg.connect(dsn, autocommit=True), _rows()
        arrays = ", ".join(
            f"%s::{kind}[]"
            for kind in ("bigint", "text", "bigint", "uuid", "text", "int", "timestamptz", "text", "text", "uuid", "text", "jsonb", "jsonb")
        )
        query = f"INSERT INTO bare.event ({_COLUMNS}) SELECT * FROM unnest({arrays})".encode()

        def write() -> None:
            columns = zip(*(next(rows) for _ in range(size)), strict=True)
            conn.execute(query, [text_array([str(value) for value in column]) for column in columns], prepare=True)

        return write

    @staticmethod
    def imports(dsn: str, events: int) -> Write:
        """COPY of rows that were made before, as many a transaction as ours."""
        conn, rows = psycopg.connect(dsn, autocommit=True), _rows()
        batches = ["".join("\t".join(map(str, next(rows))) + "\n" for _ in range(BATCH_EVENTS)) for _ in range(events // BATCH_EVENTS)]

        def write() -> None:
            for batch in batches:
                with conn.cursor() as cursor, cursor.copy(f"COPY bare.event ({_COLUMNS}) FROM STDIN".encode()) as copy:
                    copy.write(batch)

        return write


def _rows() -> Any:
    """Rows as ours are, of a stream of this writer's own."""
    stream = stream_of(f"B-{uuid4().hex}")
    body, personal = CONTACT.model_dump_json(exclude={"note"}), CONTACT.model_dump_json(include={"note"})
    start = int.from_bytes(os.urandom(5)) << 20
    for version in count(1):
        yield (
            start + version,
            stream,
            version,
            str(uuid4()),
            CONTACT.type_name,
            1,
            AT,
            "bench",
            "bench",
            str(uuid4()),
            "C-1",
            body,
            personal,
        )


def prepare(dsn: str) -> None:
    """The tables of all three in one database."""
    Engine(dsn, plan.KINDS).close()
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA IF NOT EXISTS bare")
        conn.execute("CREATE SCHEMA IF NOT EXISTS stock")
        conn.execute("CREATE TABLE IF NOT EXISTS bare.event (LIKE o2c.event INCLUDING ALL)")
    # The library's writers crash when several make the tables at once.
    Application({**stock_env(dsn), "CREATE_TABLE": "yes"}).close()
