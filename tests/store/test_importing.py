"""A history taken over by COPY: everything derived is as it was there, and nothing is ever there twice."""

import io
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from o2c.checks.diagnose import run_checks
from o2c.engine.app import Engine
from o2c.files import importing
from o2c.files.importing import Import
from o2c.kernel.refusal import Refused
from o2c.store import importing as store
from o2c.store.database import connect
from projections.engine.operations import ALL, catch_up
from tests.store.moving import contents, delivered, fresh, history, living, nothing, taken_over
from tests.store.writing import command, send
from tests.world import World, at


def rows_of(dsn: str, table: str) -> list[str]:
    """The rows of a projection without positions."""
    with connect(dsn) as conn:
        found = conn.execute(f"SELECT to_jsonb(t) AS t FROM projection.{table} t".encode()).fetchall()
    return sorted(json.dumps(_without_positions(row["t"]), sort_keys=True) for row in found)


def _without_positions(value: Any) -> Any:
    """What a fold keeps, however deep, but for where in the log it was: an imported event has another place."""
    if isinstance(value, list):
        return [_without_positions(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _without_positions(each) for key, each in value.items() if "position" not in key and key != "cause_event"}


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


def test_a_command_is_in_one_batch(file: bytes, taking: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch ends with a whole command; one that no transaction can hold is refused."""
    Import(taking, progress=nothing, batch_events=1).run(io.BytesIO(file))
    with connect(taking.dsn) as conn:
        rows = conn.execute("SELECT count(DISTINCT position / 65536) AS n FROM o2c.event GROUP BY command_id").fetchall()
    assert {row["n"] for row in rows} == {1}

    monkeypatch.setattr(store, "EVENTS_MAX", 2)
    with pytest.raises(Refused, match="its command has more than"):
        Import(taking, progress=nothing, batch_events=1).run(io.BytesIO(file))
