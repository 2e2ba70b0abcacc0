"""Ending an item for good: what it held is given back, what relies on it ends with it, the rest of the order goes on."""

from datetime import timedelta

import pytest

from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.kernel.step import RECALL_LEAD
from o2c.orders.rules import fail_item
from tests.given import BOOK, MONDAY, PORTING, Story, item

NUMBER = ("port-in", PORTING["portInNumber"])


def given_up(story: Story, step: str, name: str = "1") -> list[str]:
    """What a person's giving up yields, and what comes of it, on the order and elsewhere."""
    before, other = len(story.events), len(story.elsewhere)
    story.give_up(step, name)
    story.run()
    return [event.type_name for event in (*story.events[before:], *(event for _, event in story.elsewhere[other:]))]


def test_what_was_done_is_given_back_in_reverse_order() -> None:
    """Number before SIM, as they were taken SIM first; the donor and the SIM platform are told; the claim on the port-in is freed last,
    and the order takes nothing of a credit limit any more."""
    story = Story(item(characteristics=PORTING)).run(but={("1", "activation"): RefusedBy("PERMANENT")})
    assert {key[0] for key in story.holders} == {"sim", "number", "port-in"}
    assert given_up(story, "activation") == [
        "fallout.decided", "promise.revised", "esim-cancel.requested", "porting-cancel.requested", "item.failed", "step.cancelled", "number.released",
        "esim-cancel.confirmed", "sim.released", "porting-cancel.confirmed", "order.failed", "number.quarantined", "sim.returned",
        "credit.released",
    ]  # fmt: skip
    assert (story.holders, story.agenda) == ({}, {})


def test_a_returned_sim_and_a_number_that_was_never_on_rest_a_day() -> None:
    """The SIM is shelved before it can be taken again; nobody was ever called under the number."""
    story = Story(item()).run(but={("1", "activation"): RefusedBy("PERMANENT")})
    story.give_up("activation", at=MONDAY)
    story.run()
    assert story.last("sim.returned").due_at == MONDAY + RECALL_LEAD + timedelta(days=1)
    assert story.last("number.quarantined").due_at == MONDAY + timedelta(days=1)


def test_an_active_line_is_switched_off_and_not_charged() -> None:
    """A line that fails at its cut-over had been activated and charged: both are taken back."""
    story = Story(item(characteristics=PORTING)).run(but={("1", "cutover"): RefusedBy("PERMANENT")})
    names = given_up(story, "cutover")
    assert [name for name in names if name.startswith(("service", "charging", "account"))] == [
        "charging.stopped", "service.deactivated", "account.charge-withdrawn",
    ]  # fmt: skip
    assert story.last("account.charge-withdrawn").item == "1"
    assert story.last("sim.scrapped")
    assert NUMBER not in story.holders


def test_a_port_in_that_fell_out_frees_its_number_for_another_order() -> None:
    """Once the first order gave up, a second one may bring the number."""
    holders: dict[tuple[str, str], str] = {}
    first = Story(item(characteristics=PORTING), holders=holders).run(until="porting")
    first.attend("porting", "1", RefusedBy("NUMBER-INACTIVE"))
    second = Story(item(characteristics=PORTING), holders=holders, name="1002").run()
    assert second.state.record("1", "porting").reason == "NP-NOTPORT"
    first.give_up("porting")
    second.correct("porting", "1", {})
    assert second.run().states()[""] == "completed"


def test_a_failed_claim_frees_nothing_of_its_holder() -> None:
    """Giving up the order that came second leaves the number with the one that has it."""
    holders: dict[tuple[str, str], str] = {}
    Story(item(characteristics=PORTING), holders=holders).run(until="porting")
    second = Story(item(characteristics=PORTING), holders=holders, name="1002").run()
    second.give_up("porting")
    assert holders[NUMBER] == "order-1001/1"


@pytest.mark.parametrize(
    ("relies_on", "gone"),
    [
        pytest.param({"2": "1"}, {"2": "1"}, id="one"),
        pytest.param({"2": "1", "3": "2", "4": "3"}, {"2": "1", "3": "2", "4": "3"}, id="a-chain"),
        pytest.param({"2": "1", "3": "1"}, {"2": "1", "3": "1"}, id="two"),
        pytest.param({"3": "2"}, {}, id="of-others"),
        pytest.param({}, {}, id="none"),
    ],
)
def test_what_relies_on_it_ends_with_it(relies_on: dict[str, str], gone: dict[str, str]) -> None:
    """Dependants are cancelled transitively, each naming the base it lost; the rest is untouched."""
    others = [item(name, "roaming", relies_on=(relies_on[name],) if name in relies_on else ()) for name in "234"]
    story = Story(item("1"), *others).run(but={("1", "activation"): RefusedBy("PERMANENT")})
    story.give_up("activation")
    story.run()
    assert {event.item: event.base for event in story.events if event.type_name == "item.cancelled"} == gone
    assert {name: state for name, state in story.states().items() if state == "cancelled"} == dict.fromkeys(gone, "cancelled")


def test_a_dependant_gives_back_what_it_had_prepared() -> None:
    """A second line that waited for the first had its SIM and number already."""
    story = Story(item("1"), item("2", relies_on=("1",))).run(but={("1", "activation"): RefusedBy("PERMANENT")})
    assert len(story.holders) == 4
    story.give_up("activation")
    assert {key[0] for key in story.holders} == {"sim"}
    story.run()
    assert story.holders == {}


def test_the_rest_of_the_order_goes_on_to_a_partial_end() -> None:
    """Independent lines complete; the order ends partially completed."""
    story = Story(item("1"), item("2", "fibre")).run(but={("1", "activation"): RefusedBy("PERMANENT")})
    story.give_up("activation")
    assert story.run().names()[-1] == "order.partially-completed"
    assert story.states() == {"": "partial", "1": "failed", "2": "completed"}


def test_an_item_of_another_order_is_missing() -> None:
    """A name that is not in the plan is a caller's mistake."""
    story = Story(item()).run(until="sim")
    with pytest.raises(Refused, match="has no item 9") as refusal:
        fail_item(story.state, "9", reason="NP-INACT", note="", at=MONDAY, book=BOOK)
    assert refusal.value.kind == "missing"


def test_a_completed_item_cannot_fail() -> None:
    """What is delivered is ended by another order."""
    story = Story(item("1", "roaming"), item("2")).run(until="number")
    story.run(but={("2", "activation"): RefusedBy("PERMANENT")})
    with pytest.raises(Refused, match="is completed") as refusal:
        fail_item(story.state, "1", reason="NP-INACT", note="", at=MONDAY, book=BOOK)
    assert refusal.value.kind == "conflict"
