"""The simulated back office: agents work the queue in office hours, err and repair it, and leave everything closed or with an owner and a date."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from o2c.checks.conformance import check_conformance
from o2c.kernel.event import types_by_name
from o2c.kernel.refusal import Refused
from o2c.markets.base import is_working_day
from o2c.markets.gb import GB
from o2c.markets.hours import OFFICE_HOURS
from o2c.partners.registry import simulated_partners
from o2c.simulation.launch import write_launch
from o2c.simulation.office import staffed
from o2c.simulation.office_table import Table, packaged
from o2c.views.fallouts import list_fallouts
from o2c.views.reading import caught_up
from tests.desk import Desk
from tests.world import World, at

SEED, UNTIL = 7, at(10, month=3)
FLAWLESS = replace(packaged(), mistakes=replace(packaged().mistakes, deed_percent=0, forgotten_percent=0, misrouted_percent=0))

ACTS = "SELECT type, actor, occurred_at, order_id FROM o2c.event WHERE starts_with(actor, 'desk-') ORDER BY position"
"""What agents did. No parameters."""

FELL = """SELECT count(*) AS n, count(*) FILTER (WHERE attempts > 1) AS again, sum(attempts)::int AS falls,
    count(*) FILTER (WHERE attempts > 1 AND state = 'closed') AS mended, count(*) FILTER (WHERE acts > 0) AS worked FROM projection.fallout"""
"""How many fallouts there were, how many fell out again, and how many of these are closed. No parameters."""

FALLS_IN_LOG = "SELECT count(*)::int AS n FROM o2c.event WHERE type = ANY(%s)"
"""Every fall of a step, counted in the log itself. Parameter: the types of event by which a step falls out."""
FALLS = [name for name, event in types_by_name().items() if event.shape == "fell-out" and event.of_stream != "partner"]


def worked(dsn: str, folder: Path, *, orders: int, desks: int, table: Table | None = None, until: datetime = UNTIL) -> World:
    """An invented launch, run with so many agents."""
    folder.mkdir()
    files = write_launch(folder, count=orders, seed=SEED)
    world = World(dsn, folder, simulated_partners(SEED)).launched(files)
    world.take_file(files.orders)
    if desks:
        with staffed(world.app, desks, table) as office:
            world.runner.run(until, office)
    else:
        world.run(until)
    caught_up(world.app)
    return world


@pytest.fixture(scope="module")
def months(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two months of 300 orders with five agents."""
    dsn = made(server_dsn, "back_office")
    world = worked(dsn, tmp_path_factory.mktemp("office") / "months", orders=300, desks=5)
    yield world
    world.close()


@pytest.fixture
def beside(server_dsn: str) -> Iterator[str]:
    """Another empty database."""
    return iter([made(server_dsn, "back_office_beside")])


EARLY = """SELECT f.fallout, f.reason FROM projection.fallout f JOIN projection.fallout_records r USING (fallout)
WHERE r.first_touch_at < f.opened_at OR f.closed_at < f.opened_at"""
"""Fallouts that somebody touched or closed before they were there. No parameters."""


def test_nobody_acts_on_what_is_still_to_come(months: World) -> None:
    """A file is taken in at once, and with it changed papers of days to come: agents see each on its day."""
    [to_come] = months.app.reads.rows("SELECT count(*) AS n FROM projection.fallout WHERE reason = 'DQ-DUP' AND closed_at IS NOT NULL")

    assert to_come["n"] > 0
    assert months.app.reads.rows(EARLY) == []


def made(server_dsn: str, name: str) -> str:
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return make_conninfo(server_dsn, dbname=name)


def acts(world: World) -> list[dict[str, Any]]:
    return world.app.reads.rows(ACTS)


def fell(world: World) -> dict[str, int]:
    [row] = world.app.reads.rows(FELL)
    return row


def test_every_fallout_is_closed_or_has_an_owner_and_a_next_date(months: World) -> None:
    """After two months most are closed; of the others each is in a queue, with a team or a person and a date to come."""
    now = months.app.clock().now
    found, left = fell(months), list_fallouts(months.app)
    assert found["n"] > 60
    assert len(left) < found["n"] / 5
    assert [row["fallout"] for row in left if not (row["queue"] and row["owner"] and row["next_at"])] == []
    late = [row for row in left if row["level"] < 3 and datetime.fromisoformat(row["next_at"]) < now - timedelta(days=4)]
    assert late == []


def test_nobody_works_outside_office_hours(months: World) -> None:
    """Each act is on a working day of the market, between opening and closing."""
    hours = OFFICE_HOURS["GB"]
    times = [row["occurred_at"].astimezone(ZoneInfo(GB.zone)) for row in acts(months)]
    assert len(times) > 200
    assert [time for time in times if not is_working_day(GB.calendar, time.date()) or not hours.opens <= time.time() <= hours.closes] == []


def test_agents_use_many_verbs_and_all_of_them_work(months: World) -> None:
    """They claim, ask, resume, correct, decide, assign, snooze and give back; two propose and agree to force; deposits come; nobody is idle."""
    did = acts(months)
    assert {row["actor"] for row in did} == {f"desk-{n}" for n in range(1, 6)}
    assert {
        "fallout.claimed", "fallout.released", "fallout.information-requested", "fallout.resumed", "fallout.correction-applied",
        "fallout.decided", "fallout.assigned", "fallout.snoozed", "fallout.force-proposed", "step.forced", "deposit.received",
    } <= {row["type"] for row in did}  # fmt: skip


def test_mistakes_occur_are_counted_and_repaired(months: World, dsn: str, tmp_path: Path) -> None:
    """Some fallouts fell out again, each fall is counted as the log has it, and most of these are closed; without mistakes fewer fall out again."""
    found = fell(months)
    [log] = months.app.reads.rows(FALLS_IN_LOG, FALLS)
    assert found["falls"] == log["n"]
    assert 0 < found["mended"] <= found["again"]
    assert found["again"] > 3
    flawless = worked(dsn, tmp_path / "flawless", orders=150, desks=5, table=FLAWLESS)
    assert fell(flawless)["again"] / 150 < found["again"] / 300
    flawless.close()


def test_what_agents_do_breaks_no_rule(months: World) -> None:
    """The log of the two months is held against every declared rule."""
    assert [violation.row() for kept in check_conformance(months.app) for violation in kept.broken] == []


def test_without_desks_fallouts_stay_open(dsn: str, beside: Iterator[str], tmp_path: Path) -> None:
    """The control: the same orders, and nobody who works the queue; with one agent they are closed."""
    alone = worked(dsn, tmp_path / "alone", orders=40, desks=0)
    helped = worked(next(beside), tmp_path / "helped", orders=40, desks=1)
    assert acts(alone) == []
    assert len(list_fallouts(alone.app)) > 5 * max(1, len(list_fallouts(helped.app)) - 1)
    alone.close()
    helped.close()


def test_the_same_seed_works_the_same(dsn: str, beside: Iterator[str], tmp_path: Path) -> None:
    """The whole log twice, event for event; the second time in many runs, as after so many ends of a process."""
    one = worked(dsn, tmp_path / "one", orders=40, desks=3, until=at(2, month=2))
    other = worked(next(beside), tmp_path / "other", orders=40, desks=3, until=at(9))
    for days in range(1, 25):
        with staffed(other.app, 3) as office:
            other.runner.run(at(9) + timedelta(days=days), office)
    assert len(acts(one)) > 20
    assert other.log() == one.log()
    one.close()
    other.close()


def test_desks_need_a_simulated_clock(dsn: str, tmp_path: Path) -> None:
    """On a real one people work: refused in one line, and nothing is run."""
    World(dsn, tmp_path, clock="real").close()
    with pytest.raises(Refused, match="leave out --desks") as refused:
        Desk(dsn, tmp_path).types("run", "--until", "2026-01-02", "--desks", "2")
    assert refused.value.kind == "conflict"


def test_the_command_line_staffs_the_desks(world: World, desk: Desk) -> None:
    """`o2c run --desks` is the same office; the agents' names stand in the log."""
    from tests.world import order, ported

    world.take(order("WEB-1", ported(code="")))
    desk.types("run", "--until", "2026-01-30", "--desks", "2")
    assert {row["actor"] for row in acts(world)} <= {"desk-1", "desk-2"}
    assert acts(world)
