"""What an order says of products in service is taken as it is said: words that mean nothing are a flaw, and an order that names no account means that of the product."""

import pytest

from o2c.kernel.charges import ChargeStarted
from tests.given import item
from tests.in_service import LINE, InLife, change


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param({"simSwap": "eaten"}, "says simSwap eaten; the words for that are lost, stolen, damaged, form", id="sim"),
        pytest.param({"numberChange": "yes"}, "says numberChange yes; the words for that are true, false", id="number"),
        pytest.param({"status": "paused"}, "says status paused; the words for that are suspended, active", id="status"),
        pytest.param(
            {"sold": "care-quarter", "effective": "soon"}, "says effective soon; the words for that are at-once, bill-date", id="day"
        ),
        pytest.param({"simSwap": "damaged"}, "", id="a-word-that-is-one"),
        pytest.param({"sold": "care-quarter", "effective": "at-once"}, "", id="at-once"),
    ],
)
def test_a_word_that_means_nothing_is_a_flaw(said: dict[str, str], why: str) -> None:
    """Another SIM was given for a reason that nobody knows, and a plan changed at once that was to change `soon`."""
    story = InLife(change("1", LINE, **said))
    story.pass_by(3)
    told = [event.detail for event in story.events if event.type_name == "validation.fell-out"]
    assert told == ([f"item 1 (modify) {why}"] if why else [])


@pytest.mark.parametrize("named", [{}, {"billingAccount": None}], ids=["with-account", "without-account"])
def test_a_plan_changes_on_the_bill_date_of_the_account_that_is_charged(named: dict[str, None]) -> None:
    """Whether or not the order names that account: one that named none had the plan changed at once."""
    story = InLife(change("1", LINE, sold="care-quarter", effective="bill-date"), **named).run()
    assert story.last("product.changed").changed_on == "2026-02-01"


@pytest.mark.parametrize(
    ("named", "account"),
    [
        pytest.param({"billingAccount": None}, "BA-1001", id="none"),
        pytest.param({"billingAccount": {"id": "BA-2"}}, "BA-2", id="another-for-the-order"),
    ],
)
def test_an_add_on_is_charged_with_its_line(named: dict[str, object], account: str) -> None:
    """An order without an account opened a second one, with a bill of its own, for the add-on of a line that has one."""
    story = InLife(change("1", LINE, action="noChange"), item("2", "guard", relies_on=("1",)), **named).run()
    [started] = [event for _, event in story.elsewhere if isinstance(event, ChargeStarted)]
    assert (started.account, started.item) == (account, "2")
