"""What a partner was asked and answered stands beside the event that came of it, so that the decision can be made again; what tells of a person
stands apart."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json

from o2c.kernel.identifiers import digest
from o2c.kernel.partner import Accepted, Answered, Failed, Link, RefusedBy, Unknown
from tests.world import NINE, World, at, everywhere, line, order


@pytest.fixture
def world(store_dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(store_dsn, tmp_path).stocked()
    yield made
    made.close()


def exchanges(world: World) -> list[tuple[str, Any, Any]]:
    """Type, public and personal part of every exchange of the log, in order."""
    sql = "SELECT type, body -> 'asked' AS asked, personal -> 'exchange' AS exchange FROM o2c.event WHERE body ? 'asked' ORDER BY position"
    return [(row["type"], row["asked"], row["exchange"]) for row in world.app.reads.rows(sql)]


def test_every_answer_is_beside_the_event_it_became(world: World) -> None:
    """Done, refused, silent, accepted: the partner, its own code and its data."""
    world.scripted.will("identity", Unknown(NINE))
    world.scripted.will("credit", RefusedBy("DEPOSIT", {"deposit_minor": 5000, "currency": "GBP"}))
    world.take(order("WEB-1", line()))
    world.run(at(6))

    assert [(kind, asked["partner"], asked["answer"], asked["code"], exchange["data"]) for kind, asked, exchange in exchanges(world)] == [
        ("partner.silent", "identity-agency", "silent", "", {}),
        ("identity.passed", "identity-agency", "done", "", {}),
        ("credit.fell-out", "credit-bureau", "refused", "DEPOSIT", {"deposit_minor": 5000, "currency": "GBP"}),
    ]


def test_the_question_is_known_by_its_digest(world: World) -> None:
    """Whoever has the request's body can prove that this was it; the body is not in the log, and the digest is no public field."""
    world.take(order("WEB-1", line()))
    world.run(at(6))

    bodies = {digest(to_json(request.body)) for how, request in world.scripted.heard if how == "submit"}
    assert {exchange["digest"] for _, _, exchange in exchanges(world)} <= bodies
    assert len(bodies) > 3
    assert all("digest" not in asked and "data" not in asked for _, asked, _ in exchanges(world))


def test_the_exchange_is_read_back_with_its_event(world: World) -> None:
    """The event is as its class has it, with the exchange in its envelope; an event of no answer has none."""
    world.scripted.will("esim", Failed("UNAVAILABLE"), Answered({"matching_id": "K2-1AB-9C4"}))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    facts: list[Any] = list(world.app.events.get(f"order-{world.order('WEB-1').order_id}"))

    of_esim = [fact for fact in facts if fact.event.step_name == "esim" or getattr(fact.event, "step", "") == "esim"]
    told = [(fact.event.type_name, fact.asked and (fact.asked.answer, fact.asked.code)) for fact in of_esim]
    assert told == [
        ("esim.requested", None), ("esim.fell-out", ("failed", "UNAVAILABLE")), ("retry.scheduled", None), ("esim.requested", None),
        ("esim.confirmed", ("done", "")),
    ]  # fmt: skip
    assert of_esim[-1].asked.data == {"matching_id": "K2-1AB-9C4"}
    assert world.app.replay(of_esim[0].stream) == world.order("WEB-1")


def test_how_long_it_took_is_known_of_real_partners_only(store_dsn: str, tmp_path: Path) -> None:
    """A simulated partner answers from memory: the same seed gives the same log to the letter."""
    made = World(store_dsn, tmp_path, {name: Link(one, calls_max=4) for name, one in everywhere(_Slow()).items()}).stocked()
    made.take(order("WEB-1", line()))
    made.run(at(6))
    real = {asked["latency_ms"] > 0 for _, asked, _ in exchanges(made)}
    made.close()

    assert real == {True}


class _Slow:
    """Takes a moment for every answer."""

    def submit(self, request: Any) -> Any:
        time.sleep(0.002)
        return Answered({"matching_id": "K2-1AB-9C4"})

    query = submit


def test_a_simulated_answer_takes_no_time(world: World) -> None:
    """The control of the above."""
    world.scripted.will("delivery", Accepted("PCL-1", at(6)))
    world.take(order("WEB-1", line(sim="physical")))
    world.run(at(8))

    assert {asked["latency_ms"] for _, asked, _ in exchanges(world)} == {0}
