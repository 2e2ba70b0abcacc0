"""What one order, account or person does must never stop the others."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from o2c.desk.fallout import Correct, Decide, Fail, Retry
from o2c.engine.drafts import Command
from o2c.kernel.decision import Decision
from o2c.kernel.partner import Failed, RefusedBy, Request
from o2c.kernel.refusal import Refused
from o2c.store.commands import Outcome
from tests.world import Document, World, at, line, order


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def on_account(document: Document, account: str) -> Document:
    return {**document, "billingAccount": {"id": account}}


def test_ids_are_the_channels_own(world: World) -> None:
    """A party and an account named like an e-mail address are ids like others."""
    world.stocked()
    stranger = on_account(order("WEB-1", line(), party="ann@example.org"), "ann@example.org")

    world.take(stranger, order("WEB-2", line()))
    world.run(at(6))

    assert (world.state("WEB-1"), world.state("WEB-2")) == ("pending", "completed")
    assert [fallout["reason"] for fallout in world.fallouts("WEB-1")] == ["DQ-PARTY"]


def test_many_orders_of_one_account_take_turns(world: World) -> None:
    """Forty orders that are charged to one account in one moment are all charged, whatever the number of tries a stale command has."""
    world.stocked(esims=40, physical=0, numbers=41)
    world.take(*(on_account(order(f"WEB-{n}", line()), "BA-C-1") for n in range(40)))

    world.run(at(6))

    assert {world.state(f"WEB-{n}") for n in range(40)} == {"completed"}
    assert Counter(world.types("account-BA-C-1")) == {"account.opened": 1, "account.charge-started": 40, "account.bill-run-requested": 1}


def test_an_account_belongs_to_its_first_party(world: World) -> None:
    """An order that would be billed to somebody else's account is not planned."""
    world.stocked()
    world.take(on_account(order("WEB-1", line()), "BA-C-1"))
    world.run(at(6))

    world.take(on_account(order("WEB-2", line(), party="C-2", on=at(6, 9)), "BA-C-1"), name="later.jsonl")
    world.run(at(7))

    assert [fallout["reason"] for fallout in world.fallouts("WEB-2")] == ["DQ-PARTY"]


def test_nothing_is_planned_from_what_was_not_validated(world: World) -> None:
    """At a later gate the wish can be tried again, not changed: an offering that is none would only show when it is planned."""
    world.stocked()
    world.scripted.will("identity", RefusedBy("REFER"))
    world.take(order("WEB-1", line()))
    world.run(at(6))

    with pytest.raises(Refused, match="no such thing to correct"):
        world.resolve("KYC-DOC", Correct({"line.1.offering": "no-such"}))
    world.resolve("KYC-DOC", Decide(approve=True))
    world.run(at(7))

    assert world.state("WEB-1") == "completed"


def test_a_defect_in_a_rule_is_one_order_s_fallout(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that raises stops its order, for engineering to look at, and no other."""
    world.stocked()
    world.take(order("WEB-1", line()), order("WEB-2", line(), party="C-2"))
    own = world.order("WEB-1").order_id

    def defective(request: Request) -> Failed:
        raise KeyError(request.item)

    steps = dict(world.app.book.steps)
    whole = steps["activation"].complete

    def complete(work, data, at_):  # type: ignore[no-untyped-def]  # stands in for a rule of any shape
        if work.state.order_id == own:
            raise KeyError("a rule's own mistake")
        return whole(work, data, at_)

    monkeypatch.setitem(world.app.book.__dict__, "steps", {**steps, "activation": replace(steps["activation"], complete=complete)})
    world.run(at(6))

    [fallout] = world.fallouts("WEB-1")
    assert (fallout["reason"], fallout["queue"], world.state("WEB-1"), world.state("WEB-2")) == (
        "SYS-BUG",
        "engineering",
        "held",
        "completed",
    )


def test_a_resting_number_wakes_the_best_waiter_when_it_is_free(world: World) -> None:
    """A number given back serves whoever is first in the queue when its rest ends (a day, for it was never on), and nobody's state changes before."""
    world.stocked(esims=3, physical=0, numbers=2)
    world.scripted.will("activation", Failed("PERMANENT"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    world.take(
        order("LOW", line(), party="C-2", on=at(6, 9)), order("HIGH", line(), party="C-3", on=at(6, 10), priority=0), name="later.jsonl"
    )
    world.run(at(7))
    world.resolve("NET-CFG", Fail())

    world.run(at(8))
    assert (world.state("LOW"), world.state("HIGH")) == ("pending", "pending")
    world.run(at(10, month=2))

    assert (world.state("LOW"), world.state("HIGH")) == ("pending", "completed")
    assert world.when("HIGH", "number.assigned") >= at(8)


def test_what_a_defect_lost_is_asked_for_before_it_is_sent_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that broke on a partner's answer lost it; a person's retry finds it by query, and the work is not done twice."""
    world.stocked()
    world.take(order("WEB-1", line()))
    steps = dict(world.app.book.steps)

    def broken(work: object, data: object, at_: object) -> Decision:
        raise KeyError("a rule's own mistake")

    monkeypatch.setitem(world.app.book.__dict__, "steps", {**steps, "activation": replace(steps["activation"], complete=broken)})
    world.run(at(6))
    monkeypatch.setitem(world.app.book.__dict__, "steps", steps)

    world.resolve("SYS-BUG", Retry())
    world.run(at(7))

    assert (len(world.scripted.asked("activation")), len(world.scripted.asked("activation", "query"))) == (1, 1)
    assert world.state("WEB-1") == "completed"


def test_orders_that_move_while_they_are_woken_are_looked_at_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two waiting orders one is asked for by a person and one is resubmitted in the very moment of waking: both are served, once."""
    world.stocked(esims=0, physical=0)
    world.take(order("WEB-1", line()), order("WEB-2", line(), party="C-2"))
    world.run(at(6))
    whole, moved = world.app.write, []

    def write(commands: Sequence[Command], *, round_: int = 0) -> list[Outcome]:
        if not moved and any(command.actor == "wake-waiting-orders" for command in commands):
            moved.append(True)
            world.resolve("INV-SIM", Retry(), of="WEB-1")
            world.take(order("WEB-2", line(), party="C-2", priority=0), name="again.jsonl")
        return whole(commands, round_=round_)

    monkeypatch.setattr(world.app, "write", write)
    world.sims(esim=2)
    world.run(at(8))

    assert moved
    assert (world.state("WEB-1"), world.state("WEB-2")) == ("completed", "completed")
    assert world.told("WEB-2").count("sim.requested") == 2
