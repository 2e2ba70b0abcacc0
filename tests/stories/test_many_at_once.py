"""Acting on many streams at once is the general case of acting on one: one append, each deed whole or not at all, one permission asked."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Deed, Stale, act, act_on_all
from o2c.desk.bulk import Query, bulk
from o2c.desk.customers import record_contact, register_customer
from o2c.desk.fallout import Assign, Claim, Correct, Decide, Force, deed_of, resolve
from o2c.desk.proving import apply_fix
from o2c.desk.roles import OPERATOR, may, roles_for
from o2c.engine.app import Context, Written
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from tests.world import World, at, customer, line, order

ANN = Context("ann")
CODES = 'version = "ours-1"\nvalid_from = "2026-01-01"\n[codes.CR-REFER]\nretry = "transient"\n'
"""A fix that is nothing but codes."""


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


def interrupted(world: World, monkeypatch: pytest.MonkeyPatch, by: Callable[[], object]) -> None:
    """Let somebody else write just before the next append, once."""
    write, left = world.app.write, [by]

    def first(commands: Any, **more: Any) -> Any:
        while left:
            left.pop()()
        return write(commands, **more)

    monkeypatch.setattr(world.app, "write", first)


def decided_by(world: World, deed: Deed) -> Context:
    """Ann, who looked at an order and at its fallout's record."""
    streams = {deed.stream, f"fallout-{deed.wish[0]}"}
    return Context("ann", expected=tuple((name, world.app.load_one(name).version) for name in sorted(streams)))


def test_what_moved_at_the_last_moment_is_told_like_what_moved_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever said by what he decided is told that it does not stand, however late that became so."""
    [deed, *_] = deeds(world, *[Decide(approve=True)] * 3)
    context = decided_by(world, deed)
    interrupted(world, monkeypatch, lambda: resolve(world.app, Context("bob"), deed.wish[0], Decide(approve=False), note="too late"))

    with pytest.raises(Stale) as stale:
        act(world.app, context, "fallout.resolve", deed)

    assert stale.value.seen == dict(context.expected)


def test_what_nobody_decided_by_may_move(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact with the customer, to whom the decision is written as well, refuses nobody: all that Ann looked at stands."""
    [deed, *_] = deeds(world, *[Decide(approve=True)] * 3)
    about = {"medium": "call", "topic": "bill"}
    register_customer(world.app, Context("crm"), customer("C-1"))
    interrupted(world, monkeypatch, lambda: record_contact(world.app, Context("bob", command_id=str(uuid.uuid4())), "C-1", **about))

    assert isinstance(act(world.app, decided_by(world, deed), "fallout.resolve", deed), Written)


def test_a_key_for_bulk_alone_may_not_what_takes_more(world: World) -> None:
    """To give a fallout to somebody else is asked for by itself, one by one or many at once."""
    key = Context("robot", roles=("supervisor",), scopes=frozenset({"fallout.bulk"}))
    job = bulk(world.app, key, Query(reason="CR-REFER"), Assign("cleo"), note="yours")
    own = bulk(world.app, key, Query(reason="CR-REFER"), Claim(), note="mine")

    assert (job.done, job.failed, own.done) == (0, 3, 3)


def test_codes_of_a_fix_take_more_than_to_apply_it(world: World) -> None:
    """They hold for the whole store and stay; whoever may not load codes puts none in force by way of a fix."""
    supervisor = Context("sue", roles=("supervisor",))
    with pytest.raises(Refused, match=r"fallout\.apply-fix/codes") as refused:
        apply_fix(world.app, supervisor, CODES, reason="CR-REFER", note="try")
    assert refused.value.kind == "forbidden"


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
