"""Acting on many streams at once is the general case of acting on one: one append, each deed whole or not at all, one permission asked."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk.act import Deed, act, act_on_all
from o2c.desk.fallout import Correct, Decide, Force, deed_of
from o2c.desk.roles import OPERATOR, may, roles_for
from o2c.engine.app import Context, Written
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from tests.world import World, at, line, order

ANN = Context("ann")


@pytest.fixture
def world(store_dsn: str, tmp_path: Path) -> Iterator[World]:
    """Three orders that wait for an underwriter."""
    made = World(store_dsn, tmp_path).stocked(esims=3, numbers=4)
    made.scripted.will("credit", *[RefusedBy("REFER")] * 3)
    made.take(*(order(f"WEB-{n}", line(), party=f"C-{n}") for n in (1, 2, 3)))
    made.run(at(6))
    yield made
    made.close()


def deeds(world: World, *resolutions: object) -> list[Deed]:
    """One resolution for each open fallout, oldest first."""
    waiting = world.fallouts(reason="CR-REFER")
    assert len(waiting) == len(resolutions) == 3
    return [deed_of(world.app, one["fallout"], way, note="seen", by="ann") for one, way in zip(waiting, resolutions, strict=True)]


def positions(world: World) -> set[int]:
    return {row["xact"] for row in world.app.reads.rows("SELECT position / 65536 AS xact FROM o2c.event WHERE type = 'credit.approved'")}


def test_many_deeds_are_one_append(world: World) -> None:
    """Three referrals approved at once stand in one transaction, each as a command of its own order."""
    done = act_on_all(world.app, ANN, "fallout.resolve", deeds(world, *[Decide(approve=True)] * 3))

    assert all(isinstance(one, Written) and not one.repeated for one in done)
    assert len({one.stream for one in done if isinstance(one, Written)}) == 3
    assert len(positions(world)) == 1
    world.run(at(8))
    assert [world.state(f"WEB-{n}") for n in (1, 2, 3)] == ["completed"] * 3


def test_one_that_is_refused_keeps_no_other_from_being_done(world: World) -> None:
    """A way that the step does not have is this deed's refusal; its stream is as it was."""
    first, second, third = act_on_all(
        world.app, ANN, "fallout.resolve", deeds(world, Decide(approve=True), Force(), Correct({"party": "C-9"}))
    )

    assert isinstance(first, Written)
    assert isinstance(second, Refused)
    assert "cannot be forced" in str(second)
    assert isinstance(third, Refused)
    assert len(positions(world)) == 1
    assert len(world.fallouts(reason="CR-REFER")) == 2


def test_the_same_many_again_are_done_once(world: World) -> None:
    """With a command id of the caller's every deed gets the first answer, whoever died in between."""
    context = Context("ann", command_id=str(uuid.uuid4()))
    wished = deeds(world, *[Decide(approve=True)] * 3)
    first = act_on_all(world.app, context, "fallout.resolve", wished)
    again = act_on_all(world.app, context, "fallout.resolve", wished)

    assert [(one.stream, one.position) for one in again if isinstance(one, Written) and one.repeated] == [
        (one.stream, one.position) for one in first if isinstance(one, Written)
    ]
    assert len(world.app.reads.rows("SELECT 1 FROM o2c.event WHERE type = 'fallout.decided'")) == 3


def test_who_moves_first_is_the_other_s_conflict(world: World) -> None:
    """A deed decided on what moved on meanwhile is refused and the others are written."""
    wished = deeds(world, *[Decide(approve=True)] * 3)
    moved = Deed(wished[0].stream, wished[0].rules, wished[0].wish, expected_version=1)
    done = act_on_all(world.app, ANN, "fallout.resolve", [moved, *wished[1:]])

    assert isinstance(done[0], Refused)
    assert done[0].kind == "conflict"
    assert [isinstance(one, Written) for one in done[1:]] == [True, True]


def test_a_role_that_may_not_is_refused_before_anything_is_read(world: World) -> None:
    """One place asks: whoever has no role that may use the verb changes nothing, by one deed or by many."""
    stranger = Context("eve", roles=("visitor",))
    wished = deeds(world, *[Decide(approve=True)] * 3)
    for attempt in (
        lambda: act(world.app, stranger, "fallout.resolve", wished[0]),
        lambda: act_on_all(world.app, stranger, "fallout.resolve", wished),
    ):
        with pytest.raises(Refused, match=r"eve may not use fallout\.resolve \(visitor\)") as caught:
            attempt()
        assert caught.value.kind == "forbidden"
    assert positions(world) == set()
    assert isinstance(act(world.app, ANN, "fallout.resolve", wished[0]), Written)


def test_roles_are_data() -> None:
    """The operator may everything; a role that nobody knows, and no role, may nothing."""
    assert may((OPERATOR,), "orders.cancel")
    assert not may(("visitor",), "orders.cancel")
    assert not may((), "orders.cancel")
    assert roles_for("store.adopt") == (OPERATOR,)
    assert roles_for("orders.cancel") == (OPERATOR, "service", "agent", "supervisor")
