"""The port of a number called off on its own, told in a store: the line goes on with our number, the donor is told, and nothing is left."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from o2c import Context, OrderToCash
from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Retry
from o2c.desk.orders import Cancelled, cancel_port
from o2c.kernel.partner import Accepted, Failed, RefusedBy, Unknown
from projections.engine import operations as engine
from tests.desk import Desk
from tests.histories import differing
from tests.shell import Shell, one_line
from tests.world import NINE, World, at, line, order, ported

BROUGHT = "+447700900123"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path).stocked()
    yield made
    # Whatever became of it: what the tables say is what the log says, and every check holds.
    engine.catch_up(dsn)
    assert differing(dsn) == []
    assert [check for check in run_checks(made.app) if check.state == "failed"] == []
    made.close()


def called_off(world: World, *items: str) -> Cancelled:
    return cancel_port(world.app, Context("agent.smith"), "WEB-1", items=items, note="keeps the old contract")


def claims(world: World) -> list[str]:
    return [row["key"] for row in world.app.reads.rows("SELECT key FROM o2c.guard WHERE kind = 'port-in'")]


def charged(world: World) -> list[dict[str, Any]]:
    return world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'account.charge-started'")


def downloaded(world: World) -> World:
    world.take(order("WEB-1", ported()))
    return world.run(at(5, 12))


def delivered(world: World) -> World:
    """A parcel that came on the day after."""
    world.scripted.will("delivery", lambda request: Accepted("PCL-1", request.at + timedelta(days=1)))
    world.take(order("WEB-1", ported(simType="physical")))
    return world.run(at(6, 12))


@pytest.mark.parametrize("has", [pytest.param(downloaded, id="an-esim-downloaded"), pytest.param(delivered, id="a-sim-delivered")])
def test_a_line_that_the_customer_has_goes_on_without_its_port(world: World, has: Callable[[World], World]) -> None:
    """The donor is told of the window, the order completes on our number, and its charge is the one it was."""
    has(world)
    ours, before = world.outcome("WEB-1", "1", "number")["msisdn"], charged(world)
    window = world.outcome("WEB-1", "1", "porting")["window_opens_at"]
    done = called_off(world)
    assert (done.refused, done.state) == ("", "inProgress")
    told = {row["step"]: row["undone"] for row in done.undone}
    assert told["porting-cancel"] == f"port-in {BROUGHT} asked back from the clearing-house"
    assert told["number-change"] == f"number {ours} stays with the line"
    assert claims(world) == [BROUGHT]
    world.run(at(30, month=3))
    [withdrawal] = world.scripted.asked("porting-cancel")
    assert withdrawal.body == {"msisdn": BROUGHT, "window_opens_at": window, "market": "GB"}
    assert (world.state("WEB-1"), world.scripted.asked("cutover"), world.fallouts(), claims(world)) == ("completed", [], [], [])
    assert (charged(world), len(before)) == (before, 1)
    holders = world.app.reads.rows("SELECT key FROM o2c.guard WHERE kind = 'number'")
    assert [row["key"] for row in holders] == [ours]


def test_another_order_may_bring_the_number_then(world: World) -> None:
    """Not before the donor has dropped it."""
    downloaded(world)
    world.take(order("WEB-2", ported(), party="C-2", on=NINE + timedelta(hours=3)))
    world.run(at(5, 13))
    world.scripted.will("porting-cancel", lambda request: Unknown(request.at + timedelta(hours=1)))
    called_off(world)
    world.resolve("NP-NOTPORT", Retry())
    world.run(at(5, 13, 30))
    assert (world.state("WEB-1"), world.state("WEB-2")) == ("inProgress", "pending")
    world.run(at(5, 15))
    world.resolve("NP-NOTPORT", Retry())
    world.run(at(9))
    assert (world.state("WEB-1"), world.state("WEB-2"), world.outcome("WEB-2", "1", "cutover")["msisdn"]) == (
        "completed",
        "completed",
        BROUGHT,
    )


def test_from_the_cut_off_on_it_is_refused_in_a_line(world: World, dsn: str, tmp_path: Path) -> None:
    """Exit 4 with the reason, nothing changed, and the number comes in its window."""
    downloaded(world)
    world.run(at(5, 17))
    before = world.order("WEB-1").progress
    refused = Shell(dsn, tmp_path).run("ports", "cancel", "WEB-1", "--actor", "ann", "--reason", "keeps the old contract")
    assert (refused.returncode, world.order("WEB-1").progress) == (4, before)
    assert "item 1: the cut-off of its port is past" in one_line(refused)
    assert world.run(at(7)).outcome("WEB-1", "1", "number-change")["msisdn"] == BROUGHT


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        pytest.param(RefusedBy("CODE-EXPIRED"), "NP-CODE", id="the-code"),
        pytest.param(RefusedBy("BARRED"), "NP-BAR", id="the-donor-holds-it-back"),
        pytest.param(Failed("UNAVAILABLE"), "NP-CONFLICT", id="the-clearing-house-is-away"),
    ],
)
def test_a_customer_withdraws_while_the_port_has_fallen_out(
    world: World, dsn: str, tmp_path: Path, says: RefusedBy | Failed, reason: str
) -> None:
    """The queue names the command; the fallout closes by what followed, and the order is complete."""
    world.scripted.will("porting", *[says] * 8)
    world.take(order("WEB-1", ported()))
    world.run(NINE + timedelta(minutes=15))
    desk = Desk(dsn, tmp_path)
    [fallout] = world.fallouts("WEB-1", reason=reason)
    [way] = [action for action in desk.sees("fallout", "show", fallout["fallout"])["actions"] if "ports cancel" in action]
    assert way == 'o2c ports cancel WEB-1 --item 1 --reason "TEXT"'
    assert called_off(world, "1").refused == ""
    world.run(at(9))
    assert (world.state("WEB-1"), world.fallouts(), claims(world), world.scripted.asked("cutover")) == ("completed", [], [], [])
    closed = world.app.reads.rows("SELECT closed_by FROM projection.fallout WHERE fallout = %s", fallout["fallout"])
    assert closed[0]["closed_by"] in ("step.given-up", "step.cancelled")


def test_the_donor_is_told_however_long_that_takes(world: World) -> None:
    """Away, then silent beyond the window: nothing is cut over meanwhile, and the order is complete when it has answered."""
    downloaded(world)
    world.scripted.will("porting-cancel", Failed("UNAVAILABLE"), lambda request: Unknown(at(7, 12)))
    called_off(world)
    world.run(at(7, 11))
    assert (world.state("WEB-1"), world.scripted.asked("cutover")) == ("inProgress", [])
    world.run(at(8))
    assert (world.state("WEB-1"), len(world.scripted.asked("porting-cancel", "query"))) == ("completed", 1)
    [row] = world.app.reads.rows("SELECT reached FROM projection.milestones WHERE item = '1'") if not world.fallouts() else []
    assert row["reached"]["completed"] == row["reached"]["porting-cancel.done"]


def test_a_port_that_comes_all_the_same_is_taken(world: World) -> None:
    """The clearing house says that it is too late: the number serves the line, and nobody is left without one."""
    downloaded(world)
    world.scripted.will("porting-cancel", RefusedBy("TOO-LATE"))
    called_off(world)
    world.run(at(9))
    assert (world.state("WEB-1"), world.fallouts(), claims(world)) == ("completed", [], [BROUGHT])
    assert "porting-cancel.refused" in world.told("WEB-1")
    assert world.outcome("WEB-1", "1", "number-change")["msisdn"] == BROUGHT
    [row] = world.app.reads.rows("SELECT reached FROM projection.milestones WHERE item = '1'")
    assert row["reached"]["completed"] == row["reached"]["number-change.done"]


def test_calling_off_twice_is_once(world: World, dsn: str, tmp_path: Path) -> None:
    """Another wish finds nothing to do, on every face; one of two lines leaves the other's port alone."""
    world.take(order("WEB-1", ported(), ported("2", "+447700900456"), line("3")))
    world.run(at(5, 12))
    desk, shell = Desk(dsn, tmp_path), Shell(dsn, tmp_path)
    wish = ("ports", "cancel", "WEB-1", "--item", "2", "--actor", "ann", "--reason", "keeps it")
    assert {row["step"] for row in shell.data(*wish, "-o", "json")} == {"number-change", "cutover", "porting", "porting-cancel"}
    told = world.told("WEB-1")
    assert shell.data(*wish, "-o", "json") == []
    with OrderToCash(dsn) as o2c:
        again = o2c.cancel_port("WEB-1", Context("shop", command_id=str(uuid4())), items=["2"], note="keeps it")
    assert (again.undone, again.refused, world.told("WEB-1")) == ([], "", told)
    world.run(at(9))
    assert (world.state("WEB-1"), claims(world)) == ("completed", [BROUGHT])
    plan = {(row["item"], row["step"]): row["what"] for row in desk.sees("orders", "plan", "WEB-1")}
    assert (plan["2", "cutover"], plan["1", "cutover"]) == ("given up", "done")
