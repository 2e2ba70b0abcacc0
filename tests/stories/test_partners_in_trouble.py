"""Partners that never answer, and lines that break: nothing is sent twice, nothing is forgotten, nobody acts on a step under way."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Never

import pytest

from o2c.desk.fallout import Correct, Retry
from o2c.kernel.partner import Accepted, Failed, RefusedBy, Request, Unknown
from o2c.kernel.refusal import Refused
from o2c.kernel.step import SILENCES_MAX
from tests.world import Saying, World, at, line, order


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def silent(request: Request) -> Unknown:
    return Unknown(request.at + timedelta(minutes=5))


def broken(request: Request) -> Never:
    raise ConnectionResetError(f"reset by {request.step}")


def test_a_partner_that_is_silent_for_ever_ends_in_the_queue(world: World) -> None:
    """After so many questions without an answer a person is asked, and nothing was sent again."""
    world.stocked()
    world.scripted.will("activation", *[silent] * 40)
    world.take(order("WEB-1", line()))

    world.run(at(6))

    [fallout] = world.fallouts("WEB-1")
    assert (fallout["reason"], fallout["waiting_for"], world.state("WEB-1")) == ("NET-TMO", "us", "held")
    assert len(world.scripted.asked("activation")) == 1
    assert len(world.scripted.asked("activation", "query")) == SILENCES_MAX


def test_a_line_that_breaks_is_an_unknown_outcome(world: World) -> None:
    """A request that may have got there is asked about before anything is sent again; other orders go on."""
    world.stocked()
    world.scripted.will("activation", broken)
    world.take(order("WEB-1", line()), order("WEB-2", line(), party="C-2"))

    world.run(at(6))

    assert (world.state("WEB-1"), world.state("WEB-2")) == ("completed", "completed")
    assert len(world.scripted.asked("activation", "query")) == 1
    assert [name for order_ in ("WEB-1", "WEB-2") for name in world.told(order_) if name == "partner.silent"] == ["partner.silent"]


SENT_BEFORE = [
    pytest.param("activation", [silent], id="silence"),
    pytest.param("delivery", [Accepted("PCL-1", at(7, 12))], id="under way"),
    pytest.param("delivery", [silent, Accepted("PCL-1", at(7, 12))], id="silence, then under way"),
]


@pytest.mark.parametrize(("step", "answers"), SENT_BEFORE)
@pytest.mark.parametrize("not_before", [None, at(7, 18)])
def test_a_question_that_reaches_nobody_is_asked_again(world: World, step: str, answers: list[Saying], not_before: datetime | None) -> None:
    """It says nothing of the work, which may be done: nothing falls out and nothing is sent a second time, under whatever key."""
    world.stocked()
    world.scripted.will(step, *answers, Failed("UNAVAILABLE", not_before), Failed("UNAVAILABLE"))
    world.take(order("WEB-1", line(sim="physical")))

    world.run(at(9))

    assert (world.state("WEB-1"), len(world.scripted.asked(step))) == ("completed", 1)
    assert f"{step}.fell-out" not in world.told("WEB-1")
    asked = [request.at for request in world.scripted.asked(step, "query")]
    assert len(asked) == len(answers) + 2
    assert not_before is None or asked[-2] >= not_before


def test_nobody_acts_twice_on_one_fallout(world: World) -> None:
    """Once a step was asked for again it is under way: a second click is refused until something comes of the first."""
    world.stocked()
    world.scripted.will("delivery", RefusedBy("WRONG-ADDRESS"), Accepted("PCL-1", datetime(2026, 1, 12, 12, tzinfo=at(5).tzinfo)))
    world.take(order("WEB-1", line(sim="physical")))
    world.run(at(7))

    world.resolve("LOG-ADDR", Correct({"place": "2 Mill Lane, Testford, ZZ1 1AA"}))
    with pytest.raises(Refused, match="under way"):
        world.resolve("LOG-ADDR", Retry())
    world.run(at(8))
    with pytest.raises(Refused, match="under way"):
        world.resolve("LOG-ADDR", Retry())
    world.run(at(13))

    assert len(world.scripted.asked("delivery")) == 2
    assert (world.state("WEB-1"), world.fallouts("WEB-1")) == ("completed", [])
