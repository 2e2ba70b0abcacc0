"""Orders cancelled at every point of their lives: what is undone, who is told, what cannot be undone any more, and that nothing is left."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Fail, Force, Retry
from o2c.desk.orders import Cancelled
from o2c.kernel.partner import Accepted, Answer, Answered, Failed, RefusedBy, Request, Unknown
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import FIBRE, LINE_ADD_ONS
from projections.engine.operations import ALL, rebuild
from tests.shell import Shell, one_line
from tests.world import ADDRESS, NINE, Document, World, at, item, line, order, ported

BROUGHT = "+447700900123"
WISH = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def later(day: int = 9) -> Callable[[Request], Answer]:
    """The partner has it in hand and will know more in some days."""
    return lambda request: Accepted(f"REF-{request.step}", at(day, 12))


def access(number: str = "1") -> Document:
    return item(FIBRE, number, place=ADDRESS, commitmentMonths="24")


def undone(cancelled: Cancelled) -> set[tuple[str, str]]:
    return {(row["item"], row["step"]) for row in cancelled.undone}


def left(world: World) -> dict[str, list[dict[str, Any]]]:
    """What is still due, held by orders, or charged."""
    tables = {
        "due": "SELECT stream, item, step FROM o2c.agenda WHERE starts_with(stream, 'order-')",
        "held": "SELECT kind, key FROM o2c.guard WHERE starts_with(holder, 'order-')",
        "charged": "SELECT stream FROM o2c.event WHERE stream ~ '^(account|invoice)-' AND type <> 'account.opened'",
    }
    return {name: rows for name, sql in tables.items() if (rows := world.app.reads.rows(sql))}


def stock(world: World) -> dict[str, str]:
    """State by key of every piece that is not simply available."""
    world.fallouts()
    sql = "SELECT key, state FROM projection.stock WHERE state NOT IN ('available', 'golden')"
    return {row["key"]: row["state"] for row in world.app.reads.rows(sql)}


def shown(world: World) -> dict[str, str]:
    """State of each order as the projection has it."""
    world.fallouts()
    return {row["external_id"]: row["state"] for row in world.app.reads.rows("SELECT external_id, state FROM projection.orders")}


def test_an_order_at_its_gates_is_cancelled_at_once(world: World) -> None:
    """Nothing was planned: the open gate is let go, and the order is over before anybody looked at it."""
    world.stocked()
    world.take(order("WEB-1", line()))
    cancelled = world.cancel("WEB-1")
    assert (cancelled.state, undone(cancelled)) == ("cancelled", {("", "validation")})
    assert world.told("WEB-1")[-4:] == ["cancellation.requested", "cancellation.accepted", "step.cancelled", "order.cancelled"]
    world.run(at(9))
    assert (world.told("WEB-1")[-1], left(world), stock(world)) == ("order.cancelled", {}, {})


def test_a_referral_is_closed_with_its_cancelled_order(world: World) -> None:
    """Who waited for the customer's papers waits no longer."""
    world.stocked()
    world.scripted.will("identity", RefusedBy("REFER"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    assert [found["reason"] for found in world.fallouts("WEB-1")] == ["KYC-DOC"]
    assert world.cancel("WEB-1").state == "cancelled"
    assert (world.fallouts("WEB-1"), left(world)) == ([], {})


def test_a_line_that_was_not_activated_gives_everything_back_and_costs_nothing(world: World) -> None:
    """Before its parcel goes out: SIM back in stock after a day, number resting, and at the end of the quarter no invoice."""
    world.stocked()
    world.take(order("WEB-1", line(sim="physical")))
    world.run(at(5, 9, 15))
    iccid, msisdn = world.outcome("WEB-1", "1", "sim")["iccid"], world.outcome("WEB-1", "1", "number")["msisdn"]
    cancelled = world.cancel("WEB-1")
    assert cancelled.state == "cancelled"
    assert cancelled.undone == [
        {"item": "1", "step": "", "undone": "cancelled"},
        {"item": "1", "step": "delivery", "undone": "request let go"},
        {"item": "1", "step": "number", "undone": f"number {msisdn} given back"},
        {"item": "1", "step": "sim", "undone": f"SIM {iccid} given back"},
    ]
    assert stock(world) == {iccid: "returned", msisdn: "quarantined"}
    assert left(world) == {}
    world.run(at(30, month=3))
    assert world.scripted.asked("delivery") == world.scripted.asked("activation") == []
    assert (stock(world), left(world), world.fallouts()) == ({}, {}, [])


def test_a_scheduled_port_is_taken_back_before_the_order_is_over(world: World) -> None:
    """The donor is told; until it has answered the order waits and the number stays claimed; then somebody else may bring it."""
    world.stocked()
    world.scripted.will("esim", later())
    world.take(order("WEB-1", ported()), order("WEB-2", ported(), party="C-2", on=NINE + timedelta(minutes=1)))
    world.run(at(5, 15))
    cancelled = world.cancel("WEB-1")
    told = {row["step"]: row["undone"] for row in cancelled.undone}
    assert told["porting-cancel"] == f"port-in {BROUGHT} asked back from the clearing-house"
    assert (cancelled.state, world.items("WEB-1"), world.state("WEB-1")) == (
        "pendingCancellation",
        {"1": "pendingCancellation"},
        "pendingCancellation",
    )
    world.resolve("NP-NOTPORT", Retry())
    world.run(at(5, 15, 1))
    assert world.state("WEB-2") == "pending"

    world.run(at(5, 16))
    assert (world.state("WEB-1"), world.told("WEB-1")[-1]) == ("cancelled", "order.cancelled")
    [recall] = world.scripted.asked("porting-cancel")
    assert recall.body == {"msisdn": BROUGHT, "window_opens_at": "2026-01-06T09:00:00Z", "market": "GB"}
    world.resolve("NP-NOTPORT", Retry())
    world.run(at(9))
    assert [request.stream for request in world.scripted.asked("cutover")] == [f"order-{world.order('WEB-2').order_id}"]
    assert (world.state("WEB-2"), world.fallouts()) == ("completed", [])


def test_a_port_that_cannot_be_taken_back_waits_for_a_person(world: World) -> None:
    """Past the donor's cut-off the number comes though nobody wants it: the order is not over until a person has settled it."""
    world.stocked()
    world.scripted.will("esim", later())
    world.scripted.will("porting-cancel", RefusedBy("TOO-LATE"))
    world.take(order("WEB-1", ported()))
    world.run(at(5, 15))
    world.cancel("WEB-1")
    world.run(at(7))
    [late] = world.fallouts("WEB-1")
    assert (late["reason"], late["step"], late["queue"], world.state("WEB-1")) == (
        "NP-LATE",
        "porting-cancel",
        "porting",
        "pendingCancellation",
    )
    assert {row["kind"] for row in left(world)["held"]} == {"port-in"}
    with pytest.raises(Refused, match="retry porting-cancel, or force it once it is settled"):
        world.resolve("NP-LATE", Fail())
    world.resolve("NP-LATE", Force())
    world.resolve("NP-LATE", Force(), by="agent.jones")
    assert (world.state("WEB-1"), world.fallouts(), left(world)) == ("cancelled", [], {})
    assert world.scripted.asked("cutover") == []


def test_a_recall_is_retried_like_any_step(world: World) -> None:
    """The clearing house is away for a while and silent for another: retried, queried, done."""
    world.stocked()
    world.scripted.will("esim", later())
    world.scripted.will("porting-cancel", Failed("UNAVAILABLE"), lambda request: Unknown(request.at + timedelta(minutes=5)))
    world.take(order("WEB-1", ported()))
    world.run(at(5, 15))
    world.cancel("WEB-1")
    world.run(at(6))
    assert [request.attempt for request in world.scripted.asked("porting-cancel")] == [1, 2]
    assert len(world.scripted.asked("porting-cancel", "query")) == 1
    assert (world.state("WEB-1"), world.fallouts(), left(world)) == ("cancelled", [], {})


def test_a_profile_and_a_visit_are_taken_back_too(world: World) -> None:
    """The SIM goes back to stock only when the platform has cancelled its profile; the fitter is called off."""
    world.stocked()
    world.scripted.will("esim", later())
    world.scripted.will("appointment", later())
    world.take(order("WEB-1", line(), access("2")))
    world.run(at(6))
    iccid = world.outcome("WEB-1", "1", "sim")["iccid"]
    cancelled = world.cancel("WEB-1")
    assert {("1", "esim-cancel"), ("2", "appointment-cancel")} <= undone(cancelled)
    assert stock(world)[iccid] == "assigned"
    world.run(at(6, 1))
    assert (stock(world)[iccid], world.state("WEB-1"), left(world)) == ("returned", "cancelled", {})
    assert len(world.scripted.asked("esim-cancel")) == len(world.scripted.asked("appointment-cancel")) == 1


def test_a_profile_that_was_downloaded_takes_its_sim_with_it(world: World) -> None:
    """Nobody else can be given a SIM whose profile is on a stranger's telephone."""
    world.stocked()
    world.scripted.will("esim", later())
    world.scripted.will("esim-cancel", RefusedBy("DOWNLOADED"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    iccid = world.outcome("WEB-1", "1", "sim")["iccid"]
    world.cancel("WEB-1")
    world.run(at(7))
    world.resolve("SIM-DL-DONE", Force())
    world.resolve("SIM-DL-DONE", Force(), by="agent.jones")
    assert (stock(world)[iccid], world.state("WEB-1"), left(world)) == ("scrapped", "cancelled", {})


def test_failing_an_item_tells_its_partners_too(world: World) -> None:
    """A person ends a line whose activation cannot be: its port is taken back before the item has failed."""
    world.stocked()
    world.scripted.will("activation", Failed("PERMANENT"))
    world.take(order("WEB-1", ported()))
    world.run(at(5, 15))
    world.resolve("NET-CFG", Fail())
    assert (world.items("WEB-1"), world.state("WEB-1")) == ({"1": "inProgress"}, "inProgress")
    world.run(at(9))
    assert (world.items("WEB-1"), world.state("WEB-1"), left(world)) == ({"1": "failed"}, "failed", {})
    assert (len(world.scripted.asked("porting-cancel")), world.scripted.asked("cutover")) == (1, [])


def moved_no_more(request: Request) -> Answer:
    """The donor accepts the port, and later moves it no more."""
    return RefusedBy("TOO-LATE") if request.body.get("replaces") else Answered()


REFUSED = [
    pytest.param(line(sim="physical"), {"delivery": later()}, "parcel was handed to the courier", id="parcel-handed-over"),
    pytest.param(line(), {"activation": lambda request: Unknown(at(9))}, "on, or being switched on", id="being-switched-on"),
    pytest.param(line(), {}, "on, or being switched on", id="active"),
    pytest.param(ported(), {"esim": later(), "porting": moved_no_more}, "the cut-off of its port is past", id="port-cut-off"),
]


@pytest.mark.parametrize(("wanted", "says", "why"), REFUSED)
def test_past_the_point_of_no_return_nothing_is_cancelled(world: World, wanted: Document, says: dict[str, Answer], why: str) -> None:
    """The order stays exactly as it was, is told which line stands against it and which could still go, and that one can."""
    world.stocked()
    for step, saying in says.items():
        world.scripted.will(f"1/{step}", saying, saying)
    world.scripted.will("2/appointment", later())
    world.take(order("WEB-1", wanted, access("2")))
    world.run(at(6, 10))
    before, agenda = asdict(world.order("WEB-1").progress), left(world)
    refused = world.cancel("WEB-1")
    assert why in refused.refused
    assert refused.refused.endswith("could still be cancelled: 2")
    assert (refused.undone, world.told("WEB-1")[-2:]) == ([], ["cancellation.requested", "cancellation.refused"])
    assert (asdict(world.order("WEB-1").progress), left(world)) == (before, agenda)
    assert world.cancel("WEB-1", "2").refused == ""
    world.run(at(13))
    assert (world.items("WEB-1"), world.state("WEB-1")) == ({"1": "completed", "2": "cancelled"}, "partial")


def test_a_base_stays_while_what_relies_on_it_is_past_the_point(world: World) -> None:
    """An add-on that is being switched on holds its line; a line that nothing holds goes with its add-on."""
    world.stocked()
    add_on = LINE_ADD_ONS[0]
    world.scripted.will("3/esim", later())
    world.take(order("WEB-1", line(), item(add_on, "2", relies_on="1"), line("3"), item(add_on, "4", relies_on="3")))
    world.run(at(6))
    refused = world.cancel("WEB-1", "1")
    assert "item 1: its service is on" in refused.refused
    assert "item 2: its service is on" in refused.refused
    assert refused.refused.endswith("could still be cancelled: 3, 4")
    cancelled = world.cancel("WEB-1", "3")
    assert {"item": "4", "step": "", "undone": "cancelled with item 3, which it relies on"} in cancelled.undone
    world.run(at(7))
    assert world.items("WEB-1") == {"1": "completed", "2": "completed", "3": "cancelled", "4": "cancelled"}
    assert world.state("WEB-1") == "partial"


def test_cancelling_every_line_one_by_one_cancels_the_order(world: World) -> None:
    """The last of them is the whole order's cancellation."""
    world.stocked()
    world.scripted.will("esim", later(), later())
    world.take(order("WEB-1", line(quantity=2)))
    world.run(at(6))
    world.cancel("WEB-1", "1#1")
    assert world.state("WEB-1") == "inProgress"
    assert world.cancel("WEB-1", "1").state == "pendingCancellation"
    world.run(at(7))
    assert (world.state("WEB-1"), left(world)) == ("cancelled", {})


def test_cancelling_twice_is_once(world: World) -> None:
    """The same wish under its id tells the same again; a new one finds nothing to do; a completed order cannot be cancelled."""
    world.stocked()
    world.scripted.will("1/esim", later())
    world.take(order("WEB-1", ported()), order("WEB-2", line("9"), party="C-2"))
    world.run(at(5, 15))
    first = world.cancel("WEB-1", command_id=WISH)
    events = world.told("WEB-1")
    assert world.cancel("WEB-1", command_id=WISH).undone == first.undone
    again = world.cancel("WEB-1")
    assert (again.undone, again.refused, again.state) == ([], "", "pendingCancellation")
    world.run(at(6))
    assert world.cancel("WEB-1", "1").undone == []
    assert world.told("WEB-1")[: len(events)] == events
    assert world.told("WEB-1").count("cancellation.requested") == 1
    with pytest.raises(Refused, match="WEB-2 is completed and cannot be cancelled") as refusal:
        world.cancel("WEB-2")
    assert refusal.value.kind == "conflict"


def test_an_item_that_is_not_there_is_missing(world: World) -> None:
    """A wrong name is a caller's mistake, and so is an item of an order that has no plan yet."""
    world.stocked()
    world.scripted.will("esim", later())
    world.take(order("WEB-1", line()))
    with pytest.raises(Refused, match="not planned yet; cancel it as a whole"):
        world.cancel("WEB-1", "1")
    world.run(at(6))
    with pytest.raises(Refused, match="has no item 7") as missing:
        world.cancel("WEB-1", "7")
    assert missing.value.kind == "missing"
    assert world.state("WEB-1") == "inProgress"


def test_who_waited_for_stock_leaves_the_queue_to_others(world: World) -> None:
    """The SIM that comes goes to the next in line."""
    world.stocked(esims=0)
    world.take(order("OLD", line()), order("YOUNG", line(), party="C-2", on=NINE + timedelta(hours=1)))
    world.run(at(6))
    assert world.cancel("OLD").state == "cancelled"
    assert [found["reason"] for found in world.fallouts()] == ["INV-SIM"]
    world.sims(esim=1)
    world.run(at(8))
    assert (world.state("OLD"), world.state("YOUNG"), world.fallouts()) == ("cancelled", "completed", [])


def test_cancelled_orders_stand_every_check_and_rebuild(world: World) -> None:
    """Transitions are declared, nothing is forgotten or held twice, and each projection equals a rebuild from the log."""
    world.stocked(esims=4, numbers=8)
    world.scripted.will("porting-cancel", RefusedBy("TOO-LATE"))
    world.scripted.will("2/esim", later(), later())
    world.take(
        order("GATE", line()),
        order("PORT", ported("1"), ported("2", "+447700900456"), party="C-2"),
        order("PART", line("1"), line("2"), party="C-3"),
    )
    world.cancel("GATE")
    world.scripted.will("1/esim", later())
    world.run(at(5, 15))
    world.cancel("PORT")
    world.cancel("PART", "2")
    world.cancel("PART")
    for until in (at(5, 15), at(5, 15, 30), at(9)):
        world.run(until)
        assert shown(world) == {name: world.state(name) for name in ("GATE", "PORT", "PART")}
        assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    world.fallouts()
    found = {projection.name: rebuild(world.dsn, projection) for projection in ALL}
    assert {name: how.differing for name, how in found.items() if how} == dict.fromkeys(found, 0)


def test_the_command_line_tells_what_was_undone_and_why_not(world: World, dsn: str, tmp_path: Path) -> None:
    """Rows as JSON, the same again under the same command id; a refusal is one line and exit code 4."""
    world.stocked()
    world.scripted.will("2/esim", later())
    world.take(order("WEB-1", line(), line("2")))
    world.run(at(6))
    shell = Shell(dsn, tmp_path / "home")
    wish = ("orders", "cancel", "WEB-1", "--actor", "ann", "--reason", "ordered twice")
    refused = shell.run(*wish)
    assert refused.returncode == 4
    product = f"{world.order('WEB-1').order_id}:1"
    assert f"item 1: its service is on, or being switched on, undone by an order that deletes product {product}" in one_line(refused)
    told = shell.data(*wish, "--item", "2", "--command-id", WISH, "-o", "json")
    assert isinstance(told, list)
    assert {"item": "2", "step": "", "undone": "cancelled"} in told
    assert shell.data(*wish, "--item", "2", "--command-id", WISH, "-o", "json") == told
    assert world.app.reads.rows("SELECT DISTINCT actor FROM o2c.event WHERE starts_with(type, 'cancellation.')") == [{"actor": "ann"}]
