"""An order under way at the console: what a change would take is seen before it is done, others are not overwritten, and it is suspended and resumed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk.act import Context
from o2c.desk.revising import amend_order
from o2c.kernel.partner import Accepted
from o2c.orders.rollup import order_state
from o2c.simulation.launch_data import SECOND_LINE
from o2c.views.reading import caught_up
from tests.console import Console, Person, Seen, console
from tests.world import World, at, line, order, ported

ELSEWHERE, WEB = "7 Quay Street, Testford, ZZ1 2BB", Context("web-shop", channel="web")


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Console]:
    """The console of a store with a parcel that waits for its courier, and two lines of which one brings its number."""
    world.scripted.will("delivery", Accepted("PCL-1", at(9)))
    world.take(order("POST", line(sim="physical")))
    world.run(at(5, 9, 5))
    caught_up(world.app)
    with console(world, tmp_path) as made:
        yield made


def path_of(world: World, name: str = "POST") -> str:
    return f"/console/orders/{world.order(name).order_id}"


def looked_at(ann: Person, path: str, **values: str) -> Seen:
    """The page of the change, sent with some values of line 1: the first form to that address is the one by fields."""
    page = ann.opens(f"{path}/change")
    return ann.sends(page, f"{path}/change/preview", {f"{name}.1": value for name, value in values.items()})


def test_a_change_is_seen_before_it_is_done(site: Console, world: World) -> None:
    """The page says what is done anew and writes nothing; sent on, the parcel goes to the new place."""
    path = path_of(world)
    with site.by("ann", "agent") as ann:
        assert f"{path}/change" in {node.attributes.get("href") for node in ann.opens(path).root.all("a")}
        stream = f"order-{world.order('POST').order_id}"
        before = world.app.load_one(stream).version
        seen = looked_at(ann, path, place=ELSEWHERE)
        assert world.app.load_one(stream).version == before
        changed = ann.sends(seen, f"{path}/change")

    [offered] = seen.root.all("select", name="offering.1")
    assert SECOND_LINE.id in {option.text for option in offered.all("option")}
    assert "It can be done." in seen.text
    assert "soft: work is taken back or done anew" in seen.text
    [work] = [table for table in seen.root.all("table") if "Work, in its order" in table.text]
    assert [row.text for row in work.all("tr")][1].startswith("1 delivery is taken back and done anew")
    assert "Done: changed" in changed.text
    world.run(at(12))
    assert world.order("POST").items["1"].place == ELSEWHERE
    assert order_state(world.order("POST").progress) == "completed"


def test_two_channels_are_not_overwritten(site: Console, world: World) -> None:
    """Another attribute merges; the same one is told with who was first, through which channel, and what it is now; nothing is done then."""
    path = path_of(world)
    with site.by("ann", "agent") as ann:
        seen = looked_at(ann, path, offering=SECOND_LINE.id)
        amend_order(world.app, WEB, "POST", order("POST", line(sim="physical", place=ELSEWHERE)))
        merged = ann.sends(seen, f"{path}/change")
        assert (world.order("POST").items["1"].place, world.order("POST").items["1"].offering) == (ELSEWHERE, SECOND_LINE.id)
        late = looked_at(ann, path, sim="esim")
        amend_order(world.app, WEB, "POST", order("POST", line(offering=SECOND_LINE, place=ELSEWHERE)))
        lost = ann.sends(late, f"{path}/change")

    assert "Done: changed" in merged.text
    assert (lost.status, len(lost.alerts)) == (409, 1)
    [table] = [table for table in lost.root.all("table") if "What others changed" in table.text]
    assert "sim type web-shop web" in table.text
    [chosen] = [node for select in lost.root.all("select", name="sim.1") for node in select.all("option") if "selected" in node.attributes]
    assert chosen.text == "esim"


def test_what_is_past_its_point_of_no_return_has_no_button(site: Console, world: World) -> None:
    """It says why, and that it takes an order of its own; a form that says nothing is told so; a paper is taken as well."""
    path = path_of(world)
    with site.by("ann", "agent") as ann:
        nothing = looked_at(ann, path)
        page = ann.opens(f"{path}/change")
        by_patch = ann.sends(page, f"{path}/change/preview", {"how": "patch", "paper": '{"requestedCompletionDate": "2026-01-20"}'})
        world.run(at(8))
        caught_up(world.app)
        hard = looked_at(ann, path, sim="esim")

    assert (nothing.status, nothing.alerts) == (422, ["nothing is to be otherwise; write at least one new value"])
    assert "requested completion" in by_patch.text
    assert "Change the order so" in by_patch.buttons()
    assert "Change the order so" not in hard.buttons()
    assert "past its point of no return" in hard.text


def test_an_order_is_suspended_and_goes_on(site: Console, world: World) -> None:
    """Its page says until when and for whom; a time that is past is told in a line; resumed, nothing of it is left."""
    path = path_of(world)
    with site.by("ann", "agent") as ann:
        page = ann.opens(path)
        early = ann.sends(page, f"{path}/suspend", {"until": "2026-01-01T09:00", "waits_for": "customer", "note": "moves in later"})
        held = ann.sends(page, f"{path}/suspend", {"until": "2026-02-01T09:00", "waits_for": "customer", "note": "moves in later"})
        assert world.order("POST").suspended
        resumed = ann.sends(held, f"{path}/resume", {"note": "the keys came"})

    assert len(early.alerts) == 1
    assert "Suspended until 01 Feb 2026 09:00 UTC" in held.text
    assert "it waits for the customer" in held.text
    assert "Done: resumed" in resumed.text
    assert "Suspended until" not in resumed.text
    assert not world.order("POST").suspended


@pytest.mark.parametrize(("role", "may"), [("agent", True), ("supervisor", True), ("auditor", False), ("analyst", False)])
def test_only_who_may_changes_suspends_and_resumes(site: Console, world: World, role: str, may: bool) -> None:
    """An auditor reads the page without these forms, and a form of his own is refused."""
    path = path_of(world)
    with site.by("kim", role) as kim:
        buttons = kim.opens(path).buttons()
    assert ("Suspend" in buttons) == may


def test_a_cancellation_says_what_is_beyond_its_point(site: Console, world: World) -> None:
    """The page of the order keeps why, item by item, and what it needs."""
    world.take(order("PORT", ported()), name="port.jsonl")
    world.run(at(6, 8))
    caught_up(world.app)
    path = path_of(world, "PORT")
    with site.by("ann", "agent") as ann:
        asked = ann.sends(ann.opens(path), f"{path}/cancel", {"note": "changed her mind", "reason": "changed-mind"})
        caught_up(world.app)
        kept = ann.opens(path)

    assert (asked.status, len(asked.alerts)) == (409, 1)
    assert "refused, because of changed mind. Item 1 is past its point of no return:" in kept.text
    assert "changed or ended by an order of its own" in kept.text
