"""Ports and SIMs that come late, told in a store: moved in time, cut over in an agreed window, and counted when they are late."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.fallout import Correct
from o2c.files import loading
from o2c.kernel.partner import Accepted, Failed, Request
from o2c.kernel.refusal import Refused
from tests import ports
from tests.world import NINE, World, at, line, order, ported, sim


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def claimed(world: World) -> Any:
    [claim] = ports.claims(world.app.reads.rows(ports.EVENTS_OF_PORTS))
    return claim


def test_a_port_waits_for_the_stock_its_sim_comes_with(world: World) -> None:
    """The donor is asked at once, told once before the cut-off that the window is given up, and asked again when the line is on."""
    world.stocked(esims=0)
    world.sims(esim=1, on=at(14, 10))
    world.take(order("WEB-1", ported()))
    world.run(at(20))

    assert [request.body.get("postpone", False) for request in world.scripted.asked("porting")] == [False, True, False]
    assert world.when("WEB-1", "porting.postponed") == at(5, 16, 30)
    [cut_over] = world.scripted.asked("cutover")
    assert (cut_over.at, world.state("WEB-1")) == (at(15, 9), "completed")
    assert (claimed(world).good, "1 windows given up in time, 0 missed, 0 ports late" in claimed(world).figures) == (True, True)


def test_a_parcel_in_time_costs_the_clearing_house_nothing_more(world: World) -> None:
    """Asked for the day when the parcel will be there: one request and one cut-over."""
    world.stocked()
    world.scripted.will("delivery", lambda request: Accepted("PCL-1", request.at + timedelta(days=2)))
    world.take(order("WEB-1", ported(simType="physical")))
    world.run(at(20))

    assert [len(world.scripted.asked(step)) for step in ("porting", "cutover")] == [1, 1]
    assert world.when("WEB-1", "cutover.number-ported-in") == at(9, 9)
    assert claimed(world).good


def away(request: Request) -> Failed:
    return Failed("UNAVAILABLE", request.at + timedelta(hours=3))


def test_a_clearing_house_that_is_away_all_day_makes_a_late_port(world: World) -> None:
    """The window is missed, never silently moved: another is agreed, and the days late are counted from the first."""
    world.stocked()
    world.scripted.will("cutover", away, away, away)
    world.take(order("WEB-1", ported()))
    world.run(at(20))

    told = [name for name in world.told("WEB-1") if name.startswith(("porting.", "cutover."))]
    assert told.index("porting.window-missed") < told.index("porting.rescheduled") < told.index("cutover.number-ported-in")
    outcome = world.outcome("WEB-1", "1", "cutover")
    assert (outcome["ported_on"], outcome["late_days"], outcome["late_working_days"]) == ("2026-01-08", 2, 2)
    assert (world.fallouts(), claimed(world).good) == ([], True)
    assert "1 missed, 1 ports late by 2 days" in claimed(world).figures


@pytest.mark.parametrize("msisdn", ["+447700910001", "+447700910003"], ids=["given-to-a-customer", "in-stock"])
def test_a_number_of_our_own_is_not_brought_in(world: World, msisdn: str) -> None:
    """Whatever code is invented for it, and before the donor is asked: it lies in stock, or serves a customer of ours."""
    world.stocked(numbers=0)
    rows = [("msisdn", "class"), ("+447700910001", "normal"), ("+447700910002", "normal"), ("+447700910003", "golden")]
    loading.load_stock(world.app, world.runner, "numbers", world.written("numbers.csv", rows), None)
    world.take(order("FIRST", line()))
    world.run(NINE + timedelta(minutes=30))
    world.take(order("SECOND", ported(msisdn=msisdn), party="C-2", on=NINE + timedelta(hours=1)))
    world.run(at(6))

    [fallen] = world.fallouts("SECOND")
    assert (fallen["reason"], world.scripted.asked("porting")) == ("NP-NOTPORT", [])
    world.resolve("NP-NOTPORT", Correct({"portInNumber": "+447700900777"}), of="SECOND")
    assert world.run(at(9)).state("SECOND") == "completed"


def test_a_second_file_brings_no_imsi_of_another_sim(world: World) -> None:
    """Nor does one that is announced for later: the row is named, and nothing of the file is taken in."""
    world.stocked(esims=1, physical=0)
    head = ("iccid", "imsi", "kind")
    for name, when in (("again.csv", None), ("later.csv", at(20))):
        other = world.written(name, [head, (sim(900 if when is None else 901, "esim")[0], sim(0, "esim")[1], "esim")])
        with pytest.raises(Refused, match="row 1: its IMSI belongs to another SIM; nothing of the file was taken in"):
            loading.load_stock(world.app, world.runner, "sims", other, when)
    announced = world.written("announced.csv", [head, sim(500, "esim")])
    loading.load_stock(world.app, world.runner, "sims", announced, at(20))
    twice = world.written("twice.csv", [head, (sim(902, "esim")[0], sim(500, "esim")[1], "esim")])
    with pytest.raises(Refused, match="row 1: its IMSI belongs to another SIM"):
        loading.load_stock(world.app, world.runner, "sims", twice, None)


@pytest.mark.parametrize(
    ("cut_over_at", "opens_at"),
    [
        pytest.param("2026-01-06T08:59:00Z", "2026-01-06T09:00:00Z", id="before-it-opens"),
        pytest.param("2026-01-06T17:00:00Z", "2026-01-06T09:00:00Z", id="when-it-has-closed"),
        pytest.param("2026-01-07T09:00:00Z", "2026-01-06T09:00:00Z", id="on-another-day"),
        pytest.param("2026-01-10T09:00:00Z", "2026-01-10T09:00:00Z", id="on-a-saturday"),
        pytest.param("2026-04-03T09:00:00Z", "2026-04-03T08:00:00Z", id="on-good-friday"),
    ],
)
def test_the_claim_on_windows_can_fail(cut_over_at: str, opens_at: str) -> None:
    """A cut-over elsewhere than in its window is found, and so is a log without any."""
    place = {"stream": "order-1", "item": "1", "market": "GB@2026-01"}
    rows = [
        {**place, "type": "porting.scheduled", "at": NINE, "body": {"window_opens_at": opens_at}},
        {**place, "type": "cutover.number-ported-in", "at": datetime.fromisoformat(cut_over_at), "body": {"late_days": 0}},
    ]
    assert [claim.good for claim in (*ports.claims(rows), *ports.claims([]))] == [False, False]
