"""A bundle whose lines are released together: whatever keeps one of them, none is switched on before, and none waits for what is not to come."""

import pytest

from o2c.kernel.partner import Accepted, RefusedBy
from tests.changing import Changing
from tests.given import MONDAY, PORTING, Document, Story, captured, flaw_of, item

REJECTED = {("1", "porting"): RefusedBy("NAME-MISMATCH")}


def bundle(*within: Document, **more: object) -> Document:
    return {**item("9", "whole-office", **more), "productOrderItem": list(within)}


def lines() -> tuple[Document, Document]:
    """A line that brings its number, and one whose SIM comes by post."""
    return item("1", characteristics=PORTING), item("2", characteristics={"simType": "physical"})


def switched_on(story: Story) -> list[str]:
    return [event.item for event in story.events if event.type_name == "service.activated"]


def test_one_rejected_port_holds_the_whole_bundle() -> None:
    """Nobody is switched on, and the order waits as a whole; once the port is agreed all go on, and are on one after another."""
    story = Story(bundle(*lines())).run(but=REJECTED)
    assert (switched_on(story), story.states()) == ([], {"": story.states()["1"], "1": story.states()["1"], "2": "inProgress"})
    assert story.states()[""] in ("held", "pending")
    story.correct("porting", "1", {}, at=MONDAY)
    story.run()
    assert (sorted(switched_on(story)), story.states()[""]) == (["1", "2"], "completed")


def test_an_offering_that_does_not_say_so_goes_on_line_by_line() -> None:
    """Nor does one of which the order chose that each goes on by itself."""
    each = bundle(*lines(), characteristics={"release": "each"})
    for paper in (each, {**item("9", "office"), "productOrderItem": list(lines())}):
        story = Story(paper).run(but=REJECTED)
        assert sorted(switched_on(story)) == ["1", "2"]


@pytest.mark.parametrize("how", ["cancelled", "failed", "without its number"])
def test_a_line_that_does_not_come_holds_nobody(how: str) -> None:
    """The rest is switched on once the one that held it ended, or goes without its number."""
    story = Story(bundle(*lines())).run(but=REJECTED)
    if how == "cancelled":
        story.cancel("1")
    elif how == "failed":
        story.give_up("porting")
    else:
        story.cancel_port("1")
    story.run()
    assert "2" in switched_on(story)
    assert story.states()["2"] == "completed"
    assert story.states()["1"] == {"without its number": "completed"}.get(how, how)


def test_what_ends_takes_no_other_line_with_it() -> None:
    """They are released together and do not rely on each other."""
    story = Story(bundle(*lines())).run(until="activation")
    story.cancel("2")
    assert story.states()["1"] != "cancelled"


def test_a_promise_is_that_of_the_slowest() -> None:
    """The line that could be on today is promised for the day on which the parcel of the other comes, and both move with it."""
    story = Story(bundle(item("1"), item("2", characteristics={"simType": "physical"}))).run(until="delivery")
    assert (
        story.state.items["1"].promised_on
        >= story.state.items["2"].promised_on
        > Story(item("1")).run(until="sim").state.items["1"].promised_on
    )
    story.attend("delivery", "2", Accepted("PCL-1", MONDAY.replace(day=20)))
    moved = {event.item: event.promised_on for event in story.events if event.type_name == "promise.revised"}
    assert moved["1"] >= moved["2"] >= "2026-01-20"


def test_copies_of_a_bundle_do_not_wait_for_each_other() -> None:
    """Two bundles of two lines: each line waits for the other one of its own copy."""
    story = Story(bundle(item("1"), item("2"), quantity=2)).run(until="sim")
    waits = {name: {wait.rpartition("/")[0] for wait in one.waits["activation"]} - {""} for name, one in story.state.items.items()}
    assert waits == {"1#1": {"2#1"}, "1#2": {"2#2"}, "2#1": {"1#1"}, "2#2": {"1#2"}}


def test_too_many_lines_are_not_released_together() -> None:
    """Each would wait for all the others."""
    assert flaw_of(captured(bundle(item("1", quantity=20)))) == ""
    assert flaw_of(captured(bundle(item("1", quantity=21)))) == "DQ-ITEM: item 9 has more than 20 lines that are released together"


def waits_for(story: Story, name: str) -> set[str]:
    """The other lines whose work an item waits for before it is switched on."""
    return {wait.rpartition("/")[0] for wait in story.state.items[name].waits["activation"]} - {""}


def moved(story: Story) -> dict[str, tuple[str, str, bool]]:
    """What promises were moved to, by what, and whether the customer wished it."""
    return {
        event.item: (event.promised_on, event.cause_step, event.by_customer)
        for event in story.events
        if event.type_name == "promise.revised"
    }


def test_a_changed_paper_ties_lines_together_and_lets_them_go_again() -> None:
    """The plan has whom each waits for from then on, and the day of the line that could be on sooner moves with it, both ways."""
    quick, slow = item("1"), item("2", characteristics={"simType": "physical"})
    each, together = bundle(quick, slow, characteristics={"release": "each"}), bundle(quick, slow)
    story = Changing(each)
    story.run(until="sim")
    own, later = (story.state.items[name].promised_on for name in ("1", "2"))
    assert waits_for(story, "1") == set()

    assert story.change((together,))

    assert (waits_for(story, "1"), waits_for(story, "2")) == ({"2"}, {"1"})
    assert moved(story) == {"1": (story.state.items["1"].promised_on, "revision", True)}
    assert own < later <= story.state.items["1"].promised_on
    story.run(until="delivery")
    assert story.change((each,))
    assert waits_for(story, "1") == waits_for(story, "2") == set()
    assert moved(story)["1"] == (own, "revision", True)
    assert story.run().states()[""] == "completed"


def test_a_line_that_is_on_is_not_tied_to_others_any_more() -> None:
    """To be released together is refused once one of them is on, and letting go of each other never is."""
    quick, slow = item("1"), item("2", characteristics={"simType": "physical"})
    each, together = bundle(quick, slow, characteristics={"release": "each"}), bundle(quick, slow)
    story = Changing(each)
    story.run(until="esim-download").attend("esim-download", "1")
    found = story.assessed((together,), story.next_at())
    assert found
    assert found[1].verdicts["1"] == ("hard", "activation", "its service is on, or being switched on")
    assert not story.change((together,))

    tied = Changing(together)
    tied.run(until="activation").attend("activation", "1")
    assert tied.change((each,))
    assert switched_on(tied.run()).count("1") == 1
