"""Late ports are seen: which day was agreed and which it became, how late that is by the market's calendar, and why."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import holidays
import pytest

from o2c import Context, OrderToCash
from o2c.desk.orders import cancel_port
from o2c.kernel.partner import Accepted, Failed, RefusedBy, Request
from o2c.kernel.refusal import Refused
from o2c.views.ports import late_ports
from o2c.views.reading import caught_up
from projections.engine import operations as engine
from projections.ports import PORTS
from tests import ports
from tests.shell import Shell
from tests.world import World, at, order, ported

ENGLAND = holidays.country_holidays("GB", subdiv="ENG", years=2026)


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path).stocked(esims=4)
    yield made
    engine.catch_up(dsn)
    assert not engine.verify(dsn, PORTS).differing
    made.close()


def away(request: Request) -> Failed:
    return Failed("UNAVAILABLE", request.at + timedelta(hours=3))


def late(world: World, **wanted: Any) -> list[dict[str, Any]]:
    caught_up(world.app)
    return list(late_ports(world.app, **wanted))


def counted(world: World) -> dict[tuple[str, str], tuple[str, str, int, int]]:
    """First day missed, day done, days and working days between, by stream and item: worked out from the log, without the engine."""
    missed: dict[tuple[str, str], str] = {}
    found: dict[tuple[str, str], tuple[str, str, int, int]] = defaultdict()
    for row in world.app.reads.rows(ports.EVENTS_OF_PORTS):
        place = (row["stream"], row["item"])
        if row["type"] == "porting.window-missed":
            missed.setdefault(place, row["body"]["agreed_on"])
        elif row["type"] == "cutover.number-ported-in" and place in missed:
            first, done = date.fromisoformat(missed[place]), row["at"].date()
            between = [first + timedelta(days=n) for n in range(1, (done - first).days + 1)]
            worked = sum(day.weekday() < 5 and day not in ENGLAND for day in between)
            found[place] = (first.isoformat(), done.isoformat(), len(between), worked)
    return found


def test_a_port_that_missed_its_day_is_listed_with_its_days_and_cause(world: World) -> None:
    """Over a weekend four days are two working days; a port in time is not there; the figures are those of the log."""
    world.scripted.will("cutover", *[away] * 3)
    world.take(order("WEB-1", ported(), on=at(8, 9)))
    world.run(at(12))
    [open_one] = late(world)
    assert (open_one["state"], open_one["ported_on"], open_one["now_agreed_on"], open_one["late_days"]) == ("agreed", None, "2026-01-13", 4)
    world.take(order("WEB-2", ported(msisdn="+447700900456"), party="C-2", on=at(12, 9)))
    world.run(at(20))
    [row] = late(world)
    own = {
        key: row[key]
        for key in ("external_id", "item", "agreed_on", "ported_on", "late_days", "late_working_days", "cause", "market", "state")
    }
    assert own == {
        "external_id": "WEB-1", "item": "1", "agreed_on": "2026-01-09", "ported_on": "2026-01-13", "late_days": 4, "late_working_days": 2,
        "cause": "cut-over", "market": "GB@2026-01", "state": "ported",
    }  # fmt: skip
    assert counted(world) == {(f"order-{row['order']}", "1"): ("2026-01-09", "2026-01-13", 4, 2)}


def test_a_port_whose_day_is_over_is_late_while_its_cut_over_waits_for_somebody(world: World) -> None:
    """It stood in the list only when a person had tried it again; on its day it is not late yet."""
    world.scripted.will("cutover", RefusedBy("REFUSED"))
    world.take(order("WEB-1", ported(), on=at(8, 9)))
    world.run(at(9, 20))
    assert late(world) == []
    world.run(at(12))
    [row] = late(world, unfinished=True)
    assert (row["agreed_on"], row["now_agreed_on"], row["cause"], row["state"]) == ("2026-01-09", None, "cut-over", "agreed")


def test_a_window_given_up_in_time_was_not_missed(world: World) -> None:
    """The line came late and its port with it, as agreed anew before the cut-off."""
    world.scripted.will("delivery", lambda request: Accepted("PCL-1", request.at + timedelta(days=12)))
    world.take(order("WEB-1", ported(simType="physical")))
    world.run(at(30))
    assert (world.state("WEB-1"), late(world)) == ("completed", [])
    [row] = world.app.reads.rows("SELECT state, windows, windows_missed, first_agreed_on, agreed_on FROM projection.ports")
    assert (row["state"], row["windows"], row["windows_missed"], row["first_agreed_on"] < row["agreed_on"]) == ("ported", 2, 0, True)


def test_a_late_port_that_is_called_off_stays_late(world: World) -> None:
    """It was not done on the day agreed, whoever lost patience; it is not among those still to be done."""
    world.scripted.will("cutover", *[away] * 3)
    world.take(order("WEB-1", ported()))
    world.run(at(7))
    assert [row["state"] for row in late(world, unfinished=True)] == ["agreed"]
    cancel_port(world.app, Context("ann"), "WEB-1", note="lost patience")
    world.run(at(9))
    assert [row["state"] for row in late(world)] == ["cancelled"]
    assert late(world, unfinished=True) == []


def test_every_face_tells_the_same(world: World, dsn: str, tmp_path: Path) -> None:
    """The middle of numbers is masked at a desk; a service gets them in full; a market that is none is refused."""
    world.scripted.will("cutover", *[away] * 3)
    world.take(order("WEB-1", ported()))
    world.run(at(20))
    shell = Shell(dsn, tmp_path)
    [shown] = shell.data("ports", "late", "-o", "json")
    assert shown["number"] == "+4477***123"
    assert shell.data("ports", "late", "--market", "NL", "-o", "json") == []
    with OrderToCash(dsn) as o2c:
        [row] = o2c.late_ports()
    assert {**row, "number": ""} == {**shown, "number": ""}
    assert row["number"] == "+447700900123"
    [whole] = shell.data("ports", "late", "--identifiers", "-o", "json")
    assert whole == row
    with pytest.raises(Refused, match="no market XX"):
        late(world, market="XX")
    in_all = world.app.reads.rows("SELECT * FROM projection.port_lateness WHERE market = '*' AND cause = '*'")
    assert [(one["late"], one["ported"], one["late_days"], one["late_working_days"]) for one in in_all] == [(1, 1, 2, 2)]
