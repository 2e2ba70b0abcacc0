"""How an order goes on by itself: gate after gate, then every step as soon as what it waits for is done, then its end."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from o2c.kernel.carry import Carried
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.partner import Answered, RefusedBy
from o2c.orders.events import ItemTakenIntoUse, OrderAmended
from o2c.orders.rules import advance, close
from o2c.orders.state import OrderState
from o2c.orders.step import KIND as ORDER
from o2c.plan import STEPS
from tests.given import BOOK, MONDAY, PORTING, Document, Story, item


def open_steps(story: Story) -> list[str]:
    return sorted(f"{name}/{step}" for name, step in story.agenda)


def test_what_concerns_one_item_looks_at_that_item() -> None:
    """An item that became a product, as one of any base: an order of hundreds of lines is looked through once for it, not once a line."""
    state, looked = Story(item(), item("2")).run(until="number").state, list[frozenset[str]]()

    def noting(state: OrderState, touched: frozenset[str], at: datetime, book: Any) -> Decision:
        looked.append(touched)
        return NOTHING

    for event in (ItemTakenIntoUse(item="1", product="A:1"), OrderAmended(amended=("priority",), priority=1)):
        Carried(replace(ORDER, advance=noting), "order-1001", state).carry(just(event), MONDAY, BOOK, None)
    assert looked == [frozenset({"1"}), frozenset({""})]


def test_gates_are_asked_one_after_another() -> None:
    """Identity is not asked before the order is valid, credit not before the customer is known: each may be a recorded search."""
    story = Story(item())
    seen = [open_steps(story)]
    for gate in ("validation", "identity", "credit"):
        story.attend(gate)
        seen.append(open_steps(story))
    assert seen == [["/validation"], ["/identity"], ["/credit"], ["1/number", "1/sim"]]


@pytest.mark.parametrize(
    ("gate", "code", "state", "reason"),
    [
        pytest.param("identity", "REFER", "pending", "KYC-DOC", id="identity-refers"),
        pytest.param("identity", "FAIL", "rejected", "KYC-MATCH", id="identity-fails"),
        pytest.param("credit", "REFER", "pending", "CR-REFER", id="credit-refers"),
        pytest.param("credit", "DEPOSIT", "pending", "CR-DEPOSIT", id="credit-wants-a-deposit"),
        pytest.param("credit", "DECLINE", "rejected", "CR-DECLINE", id="credit-declines"),
        pytest.param("identity", "UNAVAILABLE", "pending", "KYC-TMO", id="agency-down"),
        pytest.param("credit", "UNAVAILABLE", "pending", "CR-TIMEOUT", id="bureau-down"),
    ],
)
def test_a_gate_that_does_not_open(gate: str, code: str, state: str, reason: str) -> None:
    """A gate is pending or rejects the order, it is never held; nothing of the order has begun."""
    story = Story(item()).run(until=gate)
    story.attend(gate, answer=RefusedBy(code))
    assert story.states() == {"": state}
    assert not any(name.startswith(("sim.", "order.planned")) for name in story.names())
    assert story.state.record("", gate).reason == reason


@pytest.mark.parametrize(("gate", "code"), [("identity", "FAIL"), ("credit", "DECLINE")])
def test_a_rejection_carries_its_code_and_opens_no_fallout(gate: str, code: str) -> None:
    """The order ends with the gate's code, the partner's own word is kept beside it, and nobody has to work on it."""
    story = Story(item()).run(until=gate)
    story.attend(gate, answer=RefusedBy(code))
    declined, rejected = story.events[-2:]
    assert (declined.shape, declined.partner_code) == ("declined", code)
    assert (rejected.type_name, rejected.reason) == ("order.rejected", declined.reason)
    assert story.agenda == {}
    assert not any(event.shape == "fell-out" for event in story.events)


IN_THE_WINDOW = MONDAY.replace(day=6)


@pytest.mark.parametrize(
    ("wanted", "after", "then"),
    [
        pytest.param({}, [], ["1/number", "1/sim"], id="first-what-waits-for-nothing"),
        pytest.param({}, ["sim"], ["1/esim", "1/number"], id="profile-after-the-sim"),
        pytest.param({"simType": "physical"}, ["sim"], ["1/delivery", "1/number"], id="parcel-after-the-sim"),
        pytest.param({}, ["sim", "esim"], ["1/number"], id="activation-waits-for-the-number"),
        pytest.param({}, ["sim", "esim", "number"], ["1/activation"], id="activation-after-all-three"),
        pytest.param({}, ["sim", "number", "esim", "activation"], ["1/esim-download"], id="download-after-activation"),
        pytest.param({}, ["sim", "number", "esim", "activation", "esim-download"], ["1/charging"], id="charging-after-the-download"),
        pytest.param({"simType": "physical"}, ["sim", "number", "delivery", "activation"], ["1/charging"], id="charging-after-activation"),
        pytest.param(PORTING, ["porting"], ["1/cutover", "1/number", "1/sim"], id="porting-runs-beside"),
        pytest.param(
            PORTING,
            ["sim", "number", "esim", "activation", "esim-download"],
            ["1/charging", "1/porting"],
            id="cut-over-waits-for-the-donor",
        ),
        pytest.param(
            PORTING,
            ["porting", "sim", "number", "esim", "activation", "esim-download"],
            ["1/charging", "1/cutover"],
            id="then-the-cut-over",
        ),
        pytest.param(
            PORTING,
            ["porting", "sim", "number", "esim", "activation", "esim-download", "cutover"],
            ["1/charging", "1/number-change"],
            id="then-the-change",
        ),
    ],
)
def test_a_step_is_asked_for_when_its_waits_are_over(wanted: dict[str, str], after: list[str], then: list[str]) -> None:
    """Each answer opens exactly the steps that waited for it alone."""
    story = Story(item(characteristics=wanted)).run(until="number")
    for step in after:
        story.attend(step, "1", Answered(), at=IN_THE_WINDOW if step == "cutover" else None)
    assert open_steps(story) == then


def test_what_relies_on_a_line_is_activated_after_it() -> None:
    """The add-on stands still until the customer has its line, and then goes on by itself."""
    story = Story(item("1"), item("2", "roaming", relies_on=("1",)))
    story.run(until="activation")
    assert (open_steps(story), story.states()) == (["1/activation"], {"": "inProgress", "1": "inProgress", "2": "acknowledged"})
    story.attend("activation", "1")
    assert open_steps(story) == ["1/esim-download"]
    story.attend("esim-download", "1")
    assert open_steps(story) == ["1/charging", "2/activation"]


def test_what_relies_on_two_lines_waits_for_both() -> None:
    """One of two bases is not enough."""
    story = Story(item("1", "roaming"), item("2", "roaming"), item("3", "roaming", relies_on=("1", "2"))).run(until="activation")
    story.attend("activation", "2")
    assert open_steps(story) == ["1/activation", "2/charging"]
    story.attend("activation", "1")
    assert open_steps(story) == ["1/charging", "2/charging", "3/activation"]


@pytest.mark.parametrize(
    ("items", "ending"),
    [
        pytest.param([item()], "order.completed", id="one-line"),
        pytest.param([item(quantity=3)], "order.completed", id="three-lines"),
        pytest.param([item("1", "fibre"), item("2", "roaming", relies_on=("1",))], "order.completed", id="access-and-add-on"),
    ],
)
def test_an_order_ends_once_all_its_lines_have(items: list[Document], ending: str) -> None:
    """The end is recorded once, last, and nothing is left on the agenda."""
    story = Story(*items).run()
    assert story.names()[-1] == ending
    assert story.names().count(ending) == 1
    assert story.agenda == {}


def test_an_ended_order_does_not_go_on() -> None:
    """Advancing or closing what is over yields nothing."""
    story = Story(item()).run()
    assert not advance(story.state, frozenset({"", "1"}), MONDAY, BOOK)
    assert not close(story.state)


@pytest.mark.parametrize(
    ("step", "wait_s"),
    [
        pytest.param("identity", 30, id="identity"),
        pytest.param("credit", 20, id="credit"),
        pytest.param("sim", 60, id="sim"),
        pytest.param("number", 20, id="number"),
        pytest.param("porting", 120, id="porting"),
        pytest.param("esim", 40, id="esim"),
        pytest.param("delivery", 1800, id="delivery"),
        pytest.param("activation", 45, id="activation"),
        pytest.param("charging", 0, id="charging"),
    ],
)
def test_a_step_is_due_its_lead_after_it_was_asked_for(step: str, wait_s: int) -> None:
    """Each step has its own time between being asked for and being due."""
    story = Story(item(characteristics=PORTING)).run(until="sim")
    assert STEPS[step].due_at(story.work("1", step), MONDAY) == MONDAY + timedelta(seconds=wait_s)
