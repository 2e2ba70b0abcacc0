"""Orders that are cancelled at the very moment when a partner has a request in hand."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from o2c.desk.orders import Cancelled
from o2c.kernel.partner import Answer, Answered, Request
from tests.world import Document, World, at, line, order, ported

BROUGHT = "+447700900123"
STILL_DUE = "SELECT stream, item, step FROM o2c.agenda WHERE starts_with(stream, 'order-')"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def in_the_air(world: World, answer: Answer, heard: list[Cancelled]) -> Callable[[Request], Answer]:
    """The order is cancelled while the partner has the request in hand and the runner waits for its answer."""

    def saying(request: Request) -> Answer:
        heard.append(world.cancel("WEB-1"))
        return answer

    return saying


def test_a_port_asked_for_at_that_very_moment_is_taken_back(world: World) -> None:
    """The donor's yes comes to nobody; because it may have come, the donor is told all the same."""
    world.stocked()
    world.scripted.will("porting", in_the_air(world, Answered(), []))
    world.take(order("WEB-1", ported()))
    world.run(at(6))
    assert "porting.scheduled" not in world.told("WEB-1")
    [recall] = world.scripted.asked("porting-cancel")
    assert recall.body == {"msisdn": BROUGHT, "window_opens_at": "", "market": "GB"}
    assert world.state("WEB-1") == "cancelled"
    assert world.app.reads.rows(STILL_DUE) == []


@pytest.mark.parametrize(
    ("wanted", "step"), [pytest.param(line(sim="physical"), "delivery", id="parcel"), pytest.param(line(), "activation", id="activation")]
)
def test_what_is_being_handed_over_at_that_very_moment_is_not_cancelled(world: World, wanted: Document, step: str) -> None:
    """Nobody cancels a parcel in the courier's hands or a service that is being switched on, though the answer is still to come."""
    world.stocked()
    heard: list[Cancelled] = []
    world.scripted.will(step, in_the_air(world, Answered(), heard))
    world.take(order("WEB-1", wanted))
    world.run(at(6))
    [refused] = heard
    assert "1: its" in refused.refused
    assert (world.state("WEB-1"), len(world.scripted.asked(step))) == ("completed", 1)
