"""The schema a what-if is folded into: of its own, gone with its run unless kept, filled by one who can write nothing else."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from o2c.kernel.refusal import Refused
from o2c.store.database import connect, prepare
from projections.catalogue import ALL, BY_NAME
from projections.engine import tables
from projections.engine import what_if as asking
from projections.engine.operations import catch_up, rebuild
from projections.engine.scratch import scratch
from projections.engine.what_if import Stretch, what_if
from tests.histories import append, captured, order_id, planned, query
from tests.store.test_roles import GRANTED, WRITES, database_apart, login, named, outcome
from tests.store.test_what_if import louder, schemas
from tests.store.writing import command, send
from tests.world import with_roles

ORDERS = BY_NAME["orders"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def log(dsn: str) -> str:
    """A log of twelve orders that is folded."""
    prepare(dsn)
    append(dsn, [*(captured(number, number) for number in range(12)), planned(3, 20)])
    catch_up(dsn, [ORDERS])
    return dsn


def test_kept_rows_can_be_queried(log: str) -> None:
    """Whole, whatever was shown of them; of a stretch with what the live fold makes of it beside. Without being kept nothing is left."""
    whole = what_if(log, louder(ORDERS), keep=True)
    part = what_if(log, louder(ORDERS), Stretch(order=order_id(3)), keep=True)
    what_if(log, louder(ORDERS))

    assert sorted(schemas(log)) == sorted(filter(None, (whole.schema, part.schema)))
    assert query(log, f"SELECT count(*) AS n, min(channel) AS channel FROM {whole.schema}.orders") == [{"n": 12, "channel": "WEB"}]
    both = f"SELECT n.channel, o.channel AS live FROM {part.schema}.orders n JOIN {part.schema}.orders_live o USING (order_id)"
    assert query(log, both) == [{"channel": "WEB", "live": "web"}]


def test_two_at_once_do_not_meet(log: str) -> None:
    """Each has a schema of its own and finds all of it there."""
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: what_if(log, louder(ORDERS), keep=True), range(4)))
    assert len({outcome.schema for outcome in outcomes}) == 4
    assert {outcome.diff.changed for outcome in outcomes} == {12}


def test_several_passes_come_to_the_same(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into memory is folded a part of the groups at a time."""
    monkeypatch.setattr(asking, "PASS_EVENTS", 5)
    several = what_if(log, louder(ORDERS))
    assert (several.events, several.rows, several.diff.changed) == (13, 12, 12)
    by_channel = what_if(log, replace(ORDERS, group=lambda seen: seen.channel, rows=lambda group, doc: [], found_by=None))
    assert (by_channel.events, by_channel.diff.lost) == (13, 12)


def test_what_comes_meanwhile_is_no_difference(log: str) -> None:
    """The live tables move on while the history is folded: what they took since is folded on before they are compared."""

    def told(stage: str, share: float) -> None:
        if stage == "indexed":
            append(log, [planned(0), captured(70)])
            catch_up(log, [ORDERS])

    outcome = what_if(log, louder(ORDERS), progress=told)
    assert (outcome.diff.columns, outcome.diff.gained, outcome.diff.lost) == ({"channel": 13}, 0, 0)


def test_live_tables_that_are_exchanged_meanwhile(log: str) -> None:
    """There is nothing left to compare with; it says so."""
    with pytest.raises(Refused, match="exchanged or mended meanwhile; ask again"):
        what_if(log, louder(ORDERS), progress=lambda stage, share: rebuild(log, ORDERS) and None if stage == "indexed" else None)
    assert schemas(log) == []


_DIES = """
import os, signal, sys
from dataclasses import replace
from projections.catalogue import BY_NAME
from projections.engine.what_if import what_if
what_if(sys.argv[1], replace(BY_NAME["orders"]), progress=lambda stage, share: os.kill(os.getpid(), 9) if stage == "copied" else None)
"""


def test_what_a_killed_run_leaves_goes_with_the_next(log: str) -> None:
    """Nobody holds its lock any more; what was kept, and what is at work, stays."""
    kept = what_if(log, louder(ORDERS), keep=True).schema
    died = subprocess.run([sys.executable, "-c", _DIES, log], cwd=ROOT, check=False, capture_output=True, timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert len(schemas(log)) == 2
    with scratch(log) as (_, at_work):
        what_if(log, louder(ORDERS))
        assert sorted(schemas(log)) == sorted((str(kept), at_work))
    assert schemas(log) == [kept]


LIVE = {
    "live rows": "DELETE FROM projection.orders",
    "live rows put": "INSERT INTO projection.orders SELECT * FROM projection.orders",
    "a checkpoint": "UPDATE projection.checkpoint SET position = 0",
    "a live table dropped": "DROP TABLE projection.orders",
    "a table among the live ones": "CREATE TABLE projection.more (n integer)",
}


def test_the_scratch_connection_can_write_nothing_else(server_dsn: str) -> None:
    """Not even by its own hands, and whoever asked: a superuser or a projector; a control: with their own rights each may."""
    with database_apart(server_dsn) as dsn:
        append(dsn, [captured(0)])
        catch_up(dsn)
        for asked in (dsn, login(dsn, "projector")):
            with scratch(asked) as (conn, schema):
                for statement in (*WRITES.values(), *LIVE.values()):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
                        conn.execute(statement.encode())
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    send(conn, command(("order-scratch", 0)))
                tables.make_shadow(conn, replace(ORDERS, schema=schema))
                conn.execute(f"INSERT INTO {schema}.orders_new_doc VALUES ('1', '{{}}')".encode())
        assert {outcome(login(dsn, "projector"), LIVE[name]) for name in ("live rows", "a checkpoint")} == {GRANTED}


@pytest.mark.parametrize("role", ["projector", "appender", "reader"])
def test_who_may_ask(server_dsn: str, role: str) -> None:
    """Who may read the log and act as the reader; of the others each is told in a line what it lacks."""
    with database_apart(server_dsn) as dsn:
        append(dsn, [captured(0)])
        catch_up(dsn)
        asked = login(dsn, role)
        if role == "projector":
            assert what_if(asked, louder(ORDERS)).diff.changed == 1
            return
        with pytest.raises(Refused, match="may not make a schema to fold in"):
            what_if(asked, louder(ORDERS))
        if role == "reader":
            with connect(dsn) as conn:
                conn.execute(f"GRANT EXECUTE ON FUNCTION o2c.make_scratch TO {named(dsn).reader}".encode())
            with pytest.raises(Refused, match="may not read what a fold needs"):
                what_if(asked, louder(ORDERS))


def test_without_roles_it_works_with_the_rights_there_are(log: str) -> None:
    """A store whose roles were never made has no reader to act as."""
    assert what_if(log, louder(ORDERS)).diff.changed == 12
    with_roles(log)
    assert what_if(log, louder(ORDERS)).diff.changed == 12
    assert {projection.schema for projection in ALL} == {"projection"}
