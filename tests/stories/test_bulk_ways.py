"""Many fallouts at once, in the ways that a table of actions has beside the usual ones; and calls that wait for their partner."""

import json
from typing import Any
from uuid import uuid4

import pytest

from o2c.desk.fallout import Force, Park, resolve
from o2c.desk.partners import partner_down, partner_up
from o2c.engine.app import Context, Written
from o2c.kernel.partner import Answered, Failed
from o2c.kernel.refusal import Refused
from tests.desk import Desk
from tests.world import World, at, line, order, ported

THREE = 3


@pytest.fixture
def many(world: World) -> World:
    """Three orders without the code of the number that they bring."""
    world.take(*(order(f"WEB-{n}", ported(msisdn=f"+44770092000{n}", code=""), party=f"C-{n}") for n in range(1, THREE + 1)))
    return world.run(at(5, 11))


def bulk(desk: Desk, *words: str, why: str = "the shop sent a list") -> dict[str, Any]:
    said = desk.types("fallout", "bulk", *words, "--reason", why, "-o", "json")
    told: dict[str, Any] = json.loads(said[said.index("{") :])
    return told


def test_all_are_asked_for_what_is_missing(many: World, desk: Desk) -> None:
    """Each waits for its customer from then on."""
    assert bulk(desk, "--query", "reason=NP-CODE", "--ask", "customer")["done"] == THREE
    rows = desk.sees("fallout", "list", "--reason", "NP-CODE")
    assert {(row["state"], row["waiting"][0]["for"]) for row in rows} == {("awaitingInformation", "customer")}


def test_all_are_somebody_else_s_fault(many: World, desk: Desk) -> None:
    """Who says so and why stands with each."""
    assert bulk(desk, "--query", "reason=NP-CODE", "--origin", "upstream")["done"] == THREE
    assert {row["origin"] for row in desk.sees("fallout", "list", "--reason", "NP-CODE")} == {"upstream"}


def test_what_is_closed_is_looked_at_again_and_settled(many: World, desk: Desk) -> None:
    """Closed ones are found for that alone, and then only those that are looked at again are found to be settled."""
    with pytest.raises(Refused, match="no open fallout"):
        bulk(desk, "--query", "reason=NP-CODE", "--settle")
    bulk(desk, "--query", "reason=NP-CODE", "--correct", "portInCode=ABC123456")
    many.run(at(20))
    assert desk.sees("fallout", "list", "--reason", "NP-CODE") == []

    assert (lambda told: (told["matched"], told["done"]))(bulk(desk, "--query", "reason=NP-CODE", "--reopen")) == (THREE, THREE)
    assert len(desk.sees("fallout", "list", "--reason", "NP-CODE")) == THREE
    with pytest.raises(Refused, match="no open fallout"):
        bulk(desk, "--query", "reason=NP-CODE", "--reopen")
    assert bulk(desk, "--query", "reason=NP-CODE", "--settle")["done"] == THREE
    assert desk.sees("fallout", "list", "--reason", "NP-CODE") == []


def test_what_fell_out_is_parked_until_its_partner_is_up(world: World, desk: Desk) -> None:
    """Nothing is sent while the partner is down; then each call is made once, and closes its fallout."""
    world.scripted.will("activation", *[Failed("PERMANENT")] * THREE)
    world.take(*(order(f"WEB-{n}", line(), party=f"C-{n}") for n in range(1, THREE + 1)))
    world.run(at(5, 12))
    assert len(desk.sees("fallout", "list", "--reason", "NET-CFG")) == THREE
    asked = len(world.scripted.asked("activation"))
    with pytest.raises(Refused, match="network is not known to be down"):
        desk.types("fallout", "resolve", world.fallouts("WEB-1")[0]["fallout"], "--park", "--reason", "they rebuild it")

    partner_down(world.app, Context("ann"), "network", reason="a rebuild")
    assert any("--park" in action for action in desk.sees("fallout", "show", world.fallouts("WEB-1")[0]["fallout"])["actions"])
    assert bulk(desk, "--query", "reason=NET-CFG", "--park", why="they rebuild it")["done"] == THREE
    world.run(at(6, 12))
    assert len(world.scripted.asked("activation")) == asked
    assert [world.told(f"WEB-{n}").count("call.parked") for n in range(1, THREE + 1)] == [1] * THREE

    world.scripted.will("activation", *[Answered()] * THREE)
    partner_up(world.app, Context("ann"), "network", reason="done", rate_per_min=60)
    world.run(at(7, 12))
    assert len(world.scripted.asked("activation")) == asked + THREE
    assert desk.sees("fallout", "list", "--reason", "NET-CFG") == []


def test_a_step_that_asks_nobody_cannot_be_parked(world: World, desk: Desk) -> None:
    """What waits for stock waits for no partner of ours."""
    world.take(*(order(f"WEB-{n}", line(), party="C-1") for n in range(1, 6)))
    world.run(at(5, 12))
    with pytest.raises(Refused, match="asks no partner"):
        desk.types("fallout", "resolve", world.fallouts(reason="INV-SIM")[0]["fallout"], "--park", "--reason", "they rebuild it")


def test_a_repeat_gets_the_first_answer_however_it_stands_by_then(world: World) -> None:
    """A call parked, or a step proposed to be forced, whose answer was lost: the same wish again is answered as before, once and for all."""
    world.scripted.will("activation", Failed("PERMANENT"))
    world.take(order("WEB-1", line(), party="C-1"))
    world.run(at(5, 12))
    world.scripted.will("esim-download", Failed("PERMANENT"))
    world.take(order("WEB-2", line(), party="C-2"), name="two.jsonl")
    world.run(at(6))
    ann = [Context("ann", command_id=str(uuid4())) for _ in range(2)]
    wishes = [(ann[0], world.fallouts("WEB-1")[0]["fallout"], Park()), (ann[1], world.fallouts("WEB-2")[0]["fallout"], Force())]

    def wished() -> list[Written]:
        return [resolve(world.app, who, fallout, way, note="they rebuild it") for who, fallout, way in wishes]

    partner_down(world.app, Context("ann"), "network", reason="a rebuild")
    first = wished()
    partner_up(world.app, Context("ann"), "network", reason="done")
    again = wished()

    assert [(one.position, one.repeated) for one in again] == [(one.position, True) for one in first]
    with pytest.raises(Refused, match="somebody else has to agree"):
        resolve(world.app, Context("ann"), wishes[1][1], Force(), note="they rebuild it")
