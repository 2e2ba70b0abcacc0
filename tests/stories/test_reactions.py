"""Reactions: what follows of an event in another stream, by itself, once however often the log is followed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from o2c.customers.rules import contact
from o2c.customers.state import stream_of
from o2c.engine.reactions import TYPES, react
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event, Fact
from o2c.kernel.reaction import DecideOn, Reaction
from o2c.numbers.events import NumberRested
from o2c.orders.events import OrderCompleted
from o2c.plan import REACTIONS
from o2c.sim.events import SimReceived, SimsArrived
from o2c.stock.reaction import supply_of
from tests.world import World, at, line, order


@pytest.fixture
def world(store_dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(store_dsn, tmp_path).stocked()
    yield made
    made.close()


def completes(cls: type[Event]) -> bool:
    return issubclass(cls, OrderCompleted)


def courtesy(fact: Fact) -> tuple[DecideOn, ...]:
    """A courtesy call for an order that is complete."""

    def rule(state: Any, now: datetime, book: Any) -> Decision:
        return just(*contact(state, medium="courtesy", topic="other", direction="outbound", order=fact.order_id or ""))

    return (DecideOn(stream_of(str(fact.customer_id)), rule),)


CALL = Reaction(name="courtesy-call", concerns=completes, effects=courtesy)


def calls(world: World) -> list[dict[str, Any]]:
    sql = """SELECT stream, actor, body ->> 'order' AS about, occurred_at, causation::text AS causation FROM o2c.event
        WHERE type = 'customer.contacted' ORDER BY position"""
    return world.app.reads.rows(sql)


def test_a_rule_decides_on_another_stream_when_something_happened(world: World) -> None:
    """It is told in the log who did it, when, about which order, and of which event it came."""
    world.take(order("WEB-1", line()), order("WEB-2", line(), party="C-2"))
    world.run(at(7))
    react(world.app, round_=0, reactions=(CALL,))

    [first, second] = calls(world)
    assert {first["stream"], second["stream"]} == {"customer-C-1", "customer-C-2"}
    assert first["actor"] == "courtesy-call"
    assert first["about"] in {world.order("WEB-1").order_id, world.order("WEB-2").order_id}
    [cause] = world.app.reads.rows("SELECT type, occurred_at FROM o2c.event WHERE event_id::text = %s", first["causation"])
    assert (cause["type"], cause["occurred_at"]) == ("order.completed", first["occurred_at"])


def test_what_was_carried_out_is_not_carried_out_again(world: World) -> None:
    """Neither when it follows the log again from its checkpoint, nor when the checkpoint was lost."""
    world.take(order("WEB-1", line()))
    world.run(at(7))
    react(world.app, round_=0, reactions=(CALL,))
    react(world.app, round_=0, reactions=(CALL,))
    with world.app.log_recorder.datastore.get_connection() as conn:
        conn.execute(b"DELETE FROM o2c.policy_checkpoint WHERE policy = 'courtesy-call'")
    react(world.app, round_=0, reactions=(CALL,))

    assert len(calls(world)) == 1


@pytest.mark.parametrize(
    ("from_now", "called"), [pytest.param(True, ["WEB-2"], id="from now on"), pytest.param(False, ["WEB-1", "WEB-2"], id="all of it")]
)
def test_a_reaction_that_is_new_in_an_old_store(world: World, from_now: bool, called: list[str]) -> None:
    """From now on it leaves alone what was complete before it was known, and nothing that comes later; without that it follows all of it."""
    known = replace(CALL, from_now=from_now)
    world.take(order("WEB-1", line()))
    world.run(at(7))
    react(world.app, round_=0, reactions=(known,))
    world.take(order("WEB-2", line(), party="C-2", on=at(8)))
    world.run(at(14))
    for _ in range(2):
        react(world.app, round_=0, reactions=(known,))

    assert sorted(call["about"] for call in calls(world)) == sorted(world.order(name).order_id for name in called)


def test_a_defect_in_a_rule_keeps_no_other_effect_from_happening(world: World) -> None:
    """What a broken rule should have done is missing, is done once it is mended, and was never in the way of the rest."""

    def broken(fact: Fact) -> tuple[DecideOn, ...]:
        def rule(state: Any, now: datetime, book: Any) -> Decision:
            if fact.customer_id == "C-1":
                raise ZeroDivisionError
            return courtesy(fact)[0].rule(state, now, book)

        return (DecideOn(courtesy(fact)[0].stream, rule),)

    world.take(order("WEB-1", line()), order("WEB-2", line(), party="C-2"))
    world.run(at(7))
    react(world.app, round_=0, reactions=(Reaction(name=CALL.name, concerns=completes, effects=broken),))
    before = [call["stream"] for call in calls(world)]
    with world.app.log_recorder.datastore.get_connection() as conn:
        conn.execute(b"DELETE FROM o2c.policy_checkpoint WHERE policy = 'courtesy-call'")
    react(world.app, round_=0, reactions=(CALL,))

    assert before == ["customer-C-2"]
    assert sorted(call["stream"] for call in calls(world)) == ["customer-C-1", "customer-C-2"]


def test_what_one_did_another_reacts_to_at_once(world: World) -> None:
    """In the order of the plan: a note of each courtesy call, in the very pass that made it."""

    def noted(fact: Fact) -> tuple[DecideOn, ...]:
        def rule(state: Any, now: datetime, book: Any) -> Decision:
            return just(*contact(state, medium="mail", topic="other", direction="outbound", order=fact.order_id or ""))

        return (DecideOn(fact.stream, rule),) if getattr(fact.event, "medium", "") == "courtesy" else ()

    world.take(order("WEB-1", line()))
    world.run(at(7))
    note = Reaction(name="noted-call", concerns=lambda cls: cls.type_name == "customer.contacted", effects=noted)
    react(world.app, round_=0, reactions=(CALL, note))

    assert [call["actor"] for call in calls(world)] == ["courtesy-call", "noted-call"]


def test_where_nothing_came_that_concerns_any_no_page_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is asked once for all reactions; a page is read for one that something concerns, as before its first pass."""
    world.take(order("WEB-1", line()))
    world.run(at(7))
    read: list[int] = []
    select = world.app.recorder.select_notifications
    monkeypatch.setattr(
        world.app.recorder, "select_notifications", lambda start, *words, **more: read.append(start) or select(start, *words, **more)
    )

    seen = []
    for _ in range(2):
        react(world.app, round_=0, reactions=(CALL,))
        seen.append(len(read))

    assert seen == [1, 1]


def test_only_what_concerns_it_is_reacted_to(world: World) -> None:
    """An order that waits is called by nobody."""
    world.take(order("WEB-1", line(simType="physical", place="")))
    world.run(at(7))
    react(world.app, round_=0, reactions=(CALL,))

    assert (world.state("WEB-1"), calls(world)) == ("pending", [])


def test_stock_wakes_as_many_as_it_brings() -> None:
    """A delivery by pool, a piece that is free again one."""
    arrived = SimsArrived(pools={"sim/esim": 3, "sim/physical": 1})
    rested = NumberRested(msisdn="+447700910001", number_class="golden")
    assert [(wake.pool, wake.count) for wake in supply_of(arrived)] == [("sim/esim", 3), ("sim/physical", 1)]
    assert [(wake.pool, wake.count) for wake in supply_of(rested)] == [("number/44/golden", 1)]


def test_the_plan_lists_what_follows_by_itself() -> None:
    """Names are unique, for command ids hang on them; a delivery and a piece that comes back concern one, a piece of a delivery none."""
    assert len({reaction.name for reaction in REACTIONS}) == len(REACTIONS) >= 1
    assert {"sims.arrived", "number.rested", "sim.restocked", "number.reservation-lapsed"} <= TYPES
    assert {"sims.announced", "sims.fell-out", "sim.returned", "number.quarantined", "number.reserved", "sim.fell-out"} <= TYPES
    assert SimReceived.type_name not in TYPES
