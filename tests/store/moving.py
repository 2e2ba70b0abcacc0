"""A store that lived, its history, and what must be the same where it is taken over."""

import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

from o2c.desk.fallout import Correct, Fail
from o2c.files import loading
from o2c.files.event_file import exported
from o2c.files.importing import Import, Imported
from o2c.kernel.partner import RefusedBy
from o2c.store.database import connect
from tests.world import World, at, line, order, ported, sim

COLUMNS = {
    "event": "stream, version, event_id, type, schema_version, occurred_at, actor, channel, command_id, causation, order_id, customer_id,"
    " body, personal",
    "head": "stream, version",
    "command": "command_id, fingerprint, outcome",
    "guard": "kind, key, holder",
    "agenda": "stream, item, step, kind, due_at, priority, since, attempt, pool, cause",
    "pool": "pool, key, available_at, detail",
}
"""What an import keeps: all but positions, rounds and what the server's clock said."""


def nothing(count: int) -> None:
    """Nobody watches."""


def contents(dsn: str) -> dict[str, list[str]]:
    with connect(dsn) as conn:
        conn.execute("SET timezone = 'UTC'")
        return {
            table: [row["t"] for row in conn.execute(f"SELECT ({columns})::text AS t FROM o2c.{table} ORDER BY 1".encode()).fetchall()]
            for table, columns in COLUMNS.items()
        }


def history(dsn: str) -> bytes:
    out = io.BytesIO()
    exported(dsn, out, progress=nothing)
    return out.getvalue()


def taken_over(world: World, file: bytes, batch_events: int = 40) -> Imported:
    return Import(world.app, progress=nothing, batch_events=batch_events).run(io.BytesIO(file))


@contextmanager
def fresh(server_dsn: str) -> Iterator[str]:
    """A database of its own for the length of a block."""
    name = f"import_{uuid.uuid4().hex}"
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        try:
            yield make_conninfo(server_dsn, dbname=name)
        finally:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def living(world: World) -> World:
    """Orders at every stage: billed, waiting for a SIM, with a port agreed, corrected, contested and given up, fallen out, cancelled."""
    world.stocked(esims=8, physical=0, numbers=12, customers=4)
    world.take(order("BILLED-1", line()), order("PORT-1", ported(), party="C-2"), name="first.jsonl")
    world.run(at(10))
    world.scripted.will("porting", RefusedBy("NAME-MISMATCH"))
    wrong = order("WRONG-1", ported(msisdn="+447700900200"), on=at(10), party="C-3")
    world.take(wrong, order("SAME-1", ported(), on=at(10), party="C-4"), name="second.jsonl")
    world.run(at(11))
    world.resolve("NP-NAME", Correct({"portInNumber": "+447700900201"}))
    world.scripted.will("activation", RefusedBy("PERMANENT"))
    world.take(order("FELL-1", line(), on=at(11), party="C-3"), name="third.jsonl")
    world.run(at(11, 0, 30))
    waiting = order("WAITS-1", line(sim="physical"), on=at(11, 0, 30), party="C-2")
    world.scripted.will("porting", RefusedBy("NAME-MISMATCH"))
    lost = order("LOST-1", ported(msisdn="+447700900400"), on=at(11, 0, 30), party="C-4")
    world.take(waiting, lost, name="fourth.jsonl")
    world.run(at(11, 1))
    world.resolve("NP-NAME", Fail())
    world.take(order("GONE-1", ported(msisdn="+447700900300", sim="physical"), on=at(11, 1)), name="fifth.jsonl")
    world.run(at(11, 2))
    world.cancel("GONE-1")
    return world.run(at(12))


def delivered(world: World, count: int) -> None:
    """Physical SIMs that no delivery before brought."""
    rows = [("iccid", "imsi", "kind"), *(sim(900 + n, "physical") for n in range(count))]
    loading.load_stock(world.app, world.runner, "sims", world.written("late.csv", rows), None)
