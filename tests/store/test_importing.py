"""A history taken over by COPY: everything derived is as it was there, a flawed file leaves nothing of its batch, and a break doubles nothing."""

import io
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from o2c import plan
from o2c.app import Engine
from o2c.entrypoints import importing, intake
from o2c.entrypoints.checks import run_checks
from o2c.entrypoints.event_file import exported
from o2c.entrypoints.importing import Import, Imported
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.store import importing as store
from o2c.store.commands import Guard
from o2c.store.database import connect
from projections.engine import ALL, catch_up
from tests.store.test_roles import database_apart, login
from tests.store.writing import command, send
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
Lines = list[dict[str, Any]]


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
    return Import(world.app, world.runner.book, progress=nothing, batch_events=batch_events).run(io.BytesIO(file))


def rows_of(dsn: str, table: str) -> list[str]:
    """The rows of a projection without positions."""
    with connect(dsn) as conn:
        found = conn.execute(f"SELECT to_jsonb(t) AS t FROM projection.{table} t".encode()).fetchall()
    kept = [{key: value for key, value in row["t"].items() if "position" not in key and key != "cause_event"} for row in found]
    return sorted(json.dumps(row, sort_keys=True) for row in kept)


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
    world.resolve("NP-NAME", changes={"portInNumber": "+447700900201"})
    world.scripted.will("activation", RefusedBy("PERMANENT"))
    waiting = order("WAITS-1", line(sim="physical"), on=at(11), party="C-2")
    world.take(waiting, order("FELL-1", line(), on=at(11), party="C-3"), name="third.jsonl")
    world.run(at(11, 1))
    world.take(order("GONE-1", ported(msisdn="+447700900300", sim="physical"), on=at(11, 1)), name="fourth.jsonl")
    world.run(at(11, 2))
    world.cancel("GONE-1")
    return world.run(at(12))


@pytest.fixture(scope="module")
def lived(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A store that nobody changes."""
    with fresh(server_dsn) as dsn:
        world = living(World(dsn, tmp_path_factory.mktemp("lived")))
        yield world
        world.close()


@pytest.fixture(scope="module")
def file(lived: World) -> bytes:
    """Its whole log."""
    return history(lived.dsn)


@pytest.fixture
def empty(dsn: str, tmp_path: Path) -> Iterator[World]:
    """An empty store whose clock stands where that of the other stands."""
    with closing(Engine(dsn, plan.KINDS)) as app:
        app.create_clock(kind="simulated", seed=7, start=at(12))
    world = World(dsn, tmp_path)
    yield world
    world.close()


def test_what_is_derived_is_as_it_was_there(lived: World, file: bytes, empty: World) -> None:
    """Heads, commands, guards, agenda and stock equal the original's row for row, states when they are loaded; no check finds a flaw."""
    assert lived.fallouts(reason="INV-SIM")
    assert lived.fallouts(reason="NP-NOTPORT")
    assert lived.state("GONE-1") == "cancelled"
    assert lived.state("FELL-1") == "held"

    done = taken_over(empty, file)

    there, here = contents(lived.dsn), contents(empty.dsn)
    assert {table: len(rows) for table, rows in here.items()} == {table: len(rows) for table, rows in there.items()}
    assert here == there
    assert (done.events, done.known, done.streams) == (len(there["event"]), 0, len(there["head"]))
    streams = lived.app.reads.streams_like("")
    assert {s: one.state for s, one in empty.app.load(streams).items()} == {s: one.state for s, one in lived.app.load(streams).items()}
    assert [check for check in run_checks(empty.app) if check.state == "failed"] == []


def test_projections_of_it_are_the_same(lived: World, file: bytes, empty: World) -> None:
    """Projections see the imported events as new ones and come to the same rows."""
    taken_over(empty, file)
    for dsn in (lived.dsn, empty.dsn):
        catch_up(dsn)
    for projection in ALL:
        assert rows_of(empty.dsn, projection.name) == rows_of(lived.dsn, projection.name)


def delivered(world: World, count: int) -> None:
    """Physical SIMs that no delivery before brought."""
    rows = [("iccid", "imsi", "kind"), *(sim(900 + n, "physical") for n in range(count))]
    intake.load_stock(world.app, world.runner, "sims", world.written("late.csv", rows), None)


def test_time_passes_on_both_alike(server_dsn: str, empty: World, tmp_path: Path) -> None:
    """What comes later is the same in both, every event by its id: ports cut over, bills, stock that wakes who waits."""
    with fresh(server_dsn) as dsn:
        original = living(World(dsn, tmp_path))
        taken_over(empty, history(dsn))
        for world in (original, empty):
            world.run(at(9, month=2))
            delivered(world, 2)
            world.run(at(20, month=2))
        later = original.log()
        original.close()
    assert empty.log() == later
    assert empty.state("WAITS-1") == "completed"


def test_stock_that_came_and_woke_nobody_yet_wakes_here(server_dsn: str, empty: World, tmp_path: Path) -> None:
    """A delivery taken in after the last run is reacted to in the other store; those before it are not again."""
    with fresh(server_dsn) as dsn:
        original = living(World(dsn, tmp_path))
        delivered(original, 1)
        taken_over(empty, history(dsn))
        for world in (original, empty):
            world.run(at(20))
        later = original.log()
        original.close()
    assert empty.log() == later
    assert empty.state("WAITS-1") == "completed"


# -- again and again


def test_the_same_file_again_is_nothing_new(file: bytes, empty: World) -> None:
    """Also when the store has lived on with what it took over: nothing is written and nothing is put back."""
    taken_over(empty, file)
    empty.run(at(9, month=2))
    before = contents(empty.dsn)

    done = taken_over(empty, file, batch_events=100)

    assert done.known == done.events
    assert contents(empty.dsn) == before


def test_a_longer_history_goes_on_with_its_streams(file: bytes, empty: World, lived: World) -> None:
    """A first part that was a file of its own, then all of it: streams, agenda and stock are those of the whole."""
    lines = file.splitlines(keepends=True)
    half = next(n for n in range(len(lines) // 2, len(lines)) if _command(lines[n - 1]) != _command(lines[n]))
    taken_over(empty, b"".join(lines[:half]))

    assert taken_over(empty, file).known == half
    assert contents(empty.dsn) == contents(lived.dsn)


def test_folding_anew_what_went_out_of_mind(file: bytes, empty: World, lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no state is kept from batch to batch every stream is folded from what was written of it."""
    monkeypatch.setattr(importing, "KEPT_STREAMS", 0)
    taken_over(empty, file, batch_events=25)
    assert contents(empty.dsn) == contents(lived.dsn)


def _command(raw: bytes) -> str:
    return str(json.loads(raw)["command_id"])


# -- what is refused

SECRET = "Tamsel"


def changed(place: int, **members: Any) -> Callable[[Lines], None]:
    return lambda lines: lines[place].update(members)


def _in_body(lines: Lines) -> None:
    lines[4]["body"] = {**lines[4]["body"], "name": SECRET}


def _twice(lines: Lines) -> None:
    lines[5]["event_id"] = lines[4]["event_id"]


NOBODY = str(uuid.uuid5(uuid.NAMESPACE_URL, "nobody"))
FLAWS = {
    "a version left out": (changed(5, version=7), r"line 6: .* version 7: it does not follow version"),
    "a stream without its beginning": (
        changed(5, stream="customer-X", version=2),
        r"line 6: customer-X version 2: it does not follow version 0",
    ),
    "an unknown type": (changed(5, type="order.forgotten"), r"line 6: .* version 1: this program knows no event"),
    "a newer schema": (changed(5, schema_version=9), r"line 6: .* schema version is unknown"),
    "a body its class does not take": (changed(5, body={"colour": SECRET}), r"line 6: .* fields .*colour"),
    "a personal field in the body": (_in_body, r"line 5: .* personal fields of"),
    "a stream of no kind": (changed(5, stream="parcel-1", version=1), r"line 6: parcel-1 version 1: this program knows no such stream"),
    "a version of a catalogue": (changed(5, stream="catalogue-main@3", version=1), r"line 6: .*no such stream"),
    "an event that cannot be first": (
        changed(5, stream="order-1", version=1),
        r"line 6: order-1 version 1: .* cannot follow what is before it",
    ),
    "the same event twice": (_twice, r"line 6: .* its event id stands twice"),
    "an id that is none": (changed(5, event_id="7"), "line 6 is no event with its whole envelope"),
    "a time without a zone": (changed(5, occurred_at="2026-01-05T09:00:00"), "line 6 is no event"),
    "a time that there is not": (changed(5, occurred_at="2026-02-30T09:00:00Z"), "line 6 is no event"),
    "a member too many": (changed(5, position=7), "line 6 is no event"),
    "a number for a name": (changed(5, actor=7), "line 6 is no event"),
    "NUL": (changed(5, actor="a\0"), "line 6: .*NUL"),
}


def lines_of(file: bytes) -> Lines:
    """The lines of a file whose sixth is the registration of a customer, and whose fifth is another."""
    lines = [json.loads(raw) for raw in file.splitlines()]
    people = [line for line in lines if line["type"] == "customer.registered"]
    rest = [line for line in lines if line not in people]
    return [*rest[:3], *people, *rest[3:]]


def written(lines: Lines) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.mark.parametrize(("spoil", "told"), [pytest.param(*flaw, id=name) for name, flaw in FLAWS.items()])
def test_a_flawed_line_is_named_and_nothing_is_written(
    file: bytes, log: Engine, book: plan.PlanBook, spoil: Callable[[Lines], None], told: str
) -> None:
    """One line, by its number, stream and version, never with a value of the body."""
    lines = lines_of(file)
    spoil(lines)

    with pytest.raises(Refused, match=told) as refusal:
        Import(log, book, progress=nothing).run(io.BytesIO(written(lines)))

    assert "\n" not in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert not any(contents(log.dsn).values())


@pytest.fixture
def log(log_dsn: str) -> Iterator[Engine]:
    """An engine on an empty log."""
    with closing(Engine(log_dsn, plan.KINDS)) as app:
        yield app


@pytest.fixture
def book(lived: World) -> plan.PlanBook:
    return lived.runner.book


def test_lines_that_are_no_lines(log: Engine, book: plan.PlanBook) -> None:
    """Broken JSON, a blank line, a file that is cut off in the middle of a line."""
    for raw in (b"{", b"\n", b"[]\n", b'{"stream": "order-1"', b"\xff\xfe\n", b'"' + b"\\ud800" + b'"\n'):
        with pytest.raises(Refused, match="line 1 is no event"):
            Import(log, book, progress=nothing).run(io.BytesIO(raw))


def test_the_batches_before_a_flaw_stay_and_the_mended_file_goes_on(file: bytes, empty: World, lived: World) -> None:
    """What was whole is kept; of the flawed batch nothing is there."""
    lines = [json.loads(raw) for raw in file.splitlines()]
    place = len(lines) - 5
    good, lines[place]["body"] = lines[place]["body"], {"colour": "red"}
    with pytest.raises(Refused, match=f"line {place + 1}: "):
        taken_over(empty, written(lines), batch_events=30)
    kept = contents(empty.dsn)
    assert 0 < len(kept["event"]) < place
    assert kept["agenda"] == kept["pool"] == []

    lines[place]["body"] = good
    taken_over(empty, written(lines), batch_events=30)
    assert contents(empty.dsn) == contents(lived.dsn)


def test_what_this_log_has_from_elsewhere_is_refused(file: bytes, log: Engine, book: plan.PlanBook, lived: World) -> None:
    """A stream, a command id and a guard that are here already are named, and nothing of the batch is written."""
    lines = [json.loads(raw) for raw in file.splitlines()]
    last = lines[-1]
    port = next(line for line in contents(lived.dsn)["guard"] if line.startswith("(port-in,"))
    key = port.split(",")[1]
    for foreign, told in (
        (command((last["stream"], 0), each=last["version"]), f"{last['stream']} version 1: this log has other events"),
        (command(("customer-mine", 0), command_id=last["command_id"]), r"line \d+: .* command id .* was used"),
        (command(("customer-mine", 0), guards=(store_guard("port-in", key),)), f"port-in .{key[1:]} is held in this log by me"),
    ):
        with connect(log.dsn) as conn:
            conn.execute("SET session_replication_role = replica")
            conn.execute("TRUNCATE o2c.event, o2c.head, o2c.command, o2c.guard, o2c.agenda, o2c.pool")
            send(conn, foreign)
        before = contents(log.dsn)
        with pytest.raises(Refused, match=told):
            Import(log, book, progress=nothing).run(io.BytesIO(file))
        assert contents(log.dsn) == before


def store_guard(kind: str, key: str) -> Any:
    return Guard(True, kind, key, "me")


def test_a_stream_that_comes_while_the_batch_is_written(
    file: bytes, log: Engine, book: plan.PlanBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was faster has it; the import says which line met it."""
    stream = json.loads(file.splitlines()[0])["stream"]
    write = store.write

    def late(conn: store.Connection, batch: store.Batch) -> int:
        with connect(log.dsn) as other:
            send(other, command((stream, 0)))
        return write(conn, batch)

    monkeypatch.setattr(store, "write", late)
    with pytest.raises(Refused, match=f"line 1: {stream} version 1: this log has other events"):
        Import(log, book, progress=nothing).run(io.BytesIO(file))
    assert len(contents(log.dsn)["event"]) == 1


def test_only_the_owner_imports(server_dsn: str, file: bytes, book: plan.PlanBook) -> None:
    """An appender is refused in one line, before anything is read; a member of the owner may."""
    with database_apart(server_dsn) as dsn:
        for role in ("appender", "owner"):
            with closing(Engine(login(dsn, role), plan.KINDS)) as app:
                if role == "appender":
                    with pytest.raises(Refused, match=r"appender.*_login does not own the store, and only its owner imports"):
                        Import(app, book, progress=nothing).run(io.BytesIO(b"{"))
                else:
                    assert Import(app, book, progress=nothing).run(io.BytesIO(file)).events == file.count(b"\n")


# -- the conditions of append() (decisions/0002)

CONDITIONS = {
    "an id was assigned before": ("BEGIN", "SELECT pg_current_xact_id()"),
    "a row was locked before": ("BEGIN", "SELECT FROM o2c.incarnation FOR UPDATE"),
    "asynchronous commit": ("SET synchronous_commit = off",),
    "repeatable read": ("BEGIN ISOLATION LEVEL REPEATABLE READ",),
    "serializable": ("BEGIN ISOLATION LEVEL SERIALIZABLE",),
    "on good terms": (),
}


@pytest.mark.parametrize("prelude", [pytest.param(before, id=name) for name, before in CONDITIONS.items()])
def test_an_import_begins_under_the_conditions_of_an_append(log_dsn: str, prelude: tuple[str, ...]) -> None:
    """What append() refuses begin_import() refuses, with the same code."""
    codes = []
    for work in (lambda conn: send(conn, command(("a-1", 0))), lambda conn: conn.execute("SELECT o2c.begin_import(1)")):
        with connect(log_dsn) as conn:
            for statement in prelude:
                conn.execute(statement.encode())
            try:
                work(conn)
                codes.append("")
            except psycopg.Error as error:
                codes.append(error.sqlstate or "?")
    assert codes[0] == codes[1]
    assert bool(codes[0]) == bool(prelude)


def test_an_import_takes_no_more_positions_than_a_transaction_has(log_dsn: str) -> None:
    """65,536, as append()."""
    with connect(log_dsn) as conn, pytest.raises(psycopg.errors.ProgramLimitExceeded, match="65537 events in one transaction"):
        conn.execute("SELECT o2c.begin_import(65537)")


def test_a_command_is_in_one_batch(file: bytes, log: Engine, book: plan.PlanBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch ends with a whole command; one that no transaction can hold is refused."""
    Import(log, book, progress=nothing, batch_events=1).run(io.BytesIO(file))
    with connect(log.dsn) as conn:
        rows = conn.execute("SELECT count(DISTINCT position / 65536) AS n FROM o2c.event GROUP BY command_id").fetchall()
    assert {row["n"] for row in rows} == {1}

    monkeypatch.setattr(store, "EVENTS_MAX", 2)
    with pytest.raises(Refused, match="its command has more than"):
        Import(log, book, progress=nothing, batch_events=1).run(io.BytesIO(file))
