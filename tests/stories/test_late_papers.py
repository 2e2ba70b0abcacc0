"""Papers that come late or early: what was no sale happened when it came, and no look back sees a fallout before it was there."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.fallout import Correct
from o2c.kernel.periods import stamp
from o2c.kernel.refusal import Refused
from o2c.views.order_page import show_order
from o2c.views.orders import find_order
from o2c.views.reading import caught_up
from tests.world import NINE, Document, World, at, line, order

NOON = NINE + timedelta(hours=3)
STRANGER = "C-99"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path).stocked()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("dated", "happened"),
    [
        pytest.param(NINE - timedelta(days=30), NOON, id="long before it came"),
        pytest.param(NINE + timedelta(hours=1), NOON, id="a little before it came"),
        pytest.param(NOON + timedelta(days=1), NOON + timedelta(days=1), id="ahead of a simulated clock"),
    ],
)
def test_a_resubmission_happens_when_it_comes(world: World, dated: datetime, happened: datetime) -> None:
    """Its fallout is opened at noon, when it came, or when its own day comes; the date of the paper is a field of the event."""
    world.run(NINE).take(order("WEB-1", line()))
    world.run(NOON).take(order("WEB-1", line(), priority=1, on=dated), name="later.jsonl")

    assert {world.when("WEB-1", name) for name in ("order.resubmitted", "duplicate.suspected")} == {happened}
    [told] = [event[5] for event in world.log()[find_order(world.app, "WEB-1")[0]] if event[0] == "order.resubmitted"]
    assert told["order_date"] == stamp(dated)


def test_a_resubmission_never_happens_before_the_order(world: World) -> None:
    """A file may hold the later paper's changed copy with an earlier date."""
    world.run(NINE).take(order("WEB-1", line(), on=NOON), order("WEB-1", line(), priority=1, on=NINE))

    assert world.when("WEB-1", "order.resubmitted") == NOON


def test_a_sale_happens_when_its_channel_says_and_is_judged_when_it_came(world: World) -> None:
    """A paper of three weeks ago was sold then; that nobody is registered to pay for it shows from today."""
    sold = NINE - timedelta(days=4)
    world.run(NOON).take(order("WEB-1", line(), on=sold, party=STRANGER))
    world.run(NOON + timedelta(hours=1))

    assert world.when("WEB-1", "order.captured") == sold
    assert world.when("WEB-1", "validation.fell-out") >= NOON
    assert show_order(world.app, "WEB-1", at=NOON - timedelta(hours=1))["open_fallouts"] == []


COMING: list[tuple[datetime, list[Document]]] = [
    (at(5, 9), [order("A", line(), on=at(5, 8)), order("B", line(), on=at(1), party=STRANGER), order("C", line(), on=at(5, 15), party=STRANGER)]),
    (at(5, 12), [order("A", line(), on=at(2), priority=1), order("D", line(), on=at(3), party=STRANGER)]),
    (at(6, 9), [order("A", line(), on=at(6, 8), priority=2), order("D", line(), on=at(5), party=STRANGER, priority=0)]),
    (at(7, 9), [order("E", line(place="Weir Lane"), on=at(1)), order("B", line(), on=at(8), party=STRANGER, priority=1)]),
]  # fmt: skip
"""When what comes: papers dated long before, just before and after their coming, with flaws and changes."""
LOOKS = [day + timedelta(hours=hours) for day in (at(5), at(6), at(7), at(8), at(9)) for hours in (10, 13, 18)]
MENDED = at(7, 14)


def test_no_look_back_sees_a_fallout_before_it_was_there(world: World) -> None:
    """Whatever `--at` shows of a time was in the queue when the clock stood there, and it shows all of it that had happened by then."""
    seen: dict[datetime, dict[str, str]] = {}
    coming = dict(COMING)
    for moment in sorted({*LOOKS, *coming, MENDED}):
        world.run(moment)
        if moment in coming:
            world.take(*coming[moment], name=f"{moment:%d-%H}.jsonl")
        elif moment == MENDED:
            world.resolve("DQ-PARTY", Correct({"party": "C-3"}), of="D")
        else:
            seen[moment] = {row["fallout"]: row["opened_at"] for row in world.fallouts()}

    for moment, then in seen.items():
        assert _shown(world, moment) == {fallout for fallout, opened_at in then.items() if opened_at <= stamp(moment)}
    assert len({fallout for then in seen.values() for fallout in then}) >= 6
    assert seen[at(7, 13)].keys() - seen[LOOKS[-1]].keys(), "one was mended"


def _shown(world: World, moment: datetime) -> set[str]:
    """The fallouts that a look back at every order shows of a time."""
    caught_up(world.app)
    pages = (_page(world, name, moment) for name in "ABCDE")
    return {fallout["fallout"] for page in pages for fallout in page.get("open_fallouts", ())}


def _page(world: World, name: str, moment: datetime) -> dict[str, Any]:
    """The order as it stood; nothing where it was not captured yet."""
    with suppress(Refused):
        return show_order(world.app, name, at=moment)
    return {}


def test_the_law_would_see_time_bent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: were a resubmission dated by its paper, as it once was, a look back would see its fallout hours before it came."""
    monkeypatch.setattr("o2c.files.intake.came_at", lambda state, wish, now: wish.order_date)
    world.run(NINE).take(order("A", line()))
    world.run(NOON).take(order("A", line(), priority=1, on=NINE), name="later.jsonl")

    assert len(_page(world, "A", NOON - timedelta(hours=1))["open_fallouts"]) == 1
