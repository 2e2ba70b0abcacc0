"""What a person may do about a fallout: correct, decide, force, give up; refused where it cannot help."""

import pytest

from o2c.fallout.codes import packaged
from o2c.fallout.rules import correct
from o2c.kernel.partner import Failed, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.orders.receiving import Arrival, receive
from o2c.orders.step import KIND
from o2c.plan import STEPS
from tests.given import BOOK, MARKET, MONDAY, PORTING, Story, folded, item, wish

PHYSICAL = {"simType": "physical"}


def stopped(step: str, code: str, **wanted: str) -> Story:
    """An order whose step fell out under a partner's code."""
    story = Story(item(characteristics=wanted)).run(until=step)
    story.attend(step, "" if step in ("identity", "credit") else "1", RefusedBy(code))
    return story


@pytest.mark.parametrize(
    ("gate", "code", "approve", "then"),
    [
        pytest.param("identity", "REFER", True, "identity.passed", id="identity-approved"),
        pytest.param("identity", "REFER", False, "identity.failed", id="identity-declined"),
        pytest.param("credit", "REFER", True, "credit.approved", id="underwriter-approves"),
        pytest.param("credit", "REFER", False, "credit.declined", id="underwriter-declines"),
        pytest.param("credit", "DEPOSIT", True, "credit.approved", id="deposit-paid"),
        pytest.param("credit", "DEPOSIT", False, "credit.declined", id="deposit-not-paid"),
    ],
)
def test_a_referral_is_decided_by_a_person(gate: str, code: str, approve: bool, then: str) -> None:
    """Approval lets the order go on at once, refusal ends it; the decision is recorded before what follows from it."""
    story = stopped(gate, code)
    story.decide(gate, approve=approve)
    names = story.names()
    assert names[names.index("fallout.decided") + 1] == then
    assert (names[-1] == "order.rejected") is not approve
    assert story.last(then).model_dump().get("decided_by", "person") == "person"


def test_nobody_can_approve_what_cannot_be_planned() -> None:
    """A flawed order may be given up, and then is rejected under its own code."""
    story = Story(item(sold="moon-line"))
    story.attend("validation")
    with pytest.raises(Refused, match="cannot be approved"):
        story.decide("validation", approve=True)
    story.decide("validation", approve=False)
    assert (story.states()[""], story.last("order.rejected").reason) == ("rejected", "DQ-OFFER")


@pytest.mark.parametrize(
    "step", sorted(name for name, step in STEPS.items() if step.referral is None and step.partner and step.requested.of_stream == "order")
)
@pytest.mark.parametrize("approve", [True, False])
def test_a_step_without_referral_has_nothing_to_decide(step: str, approve: bool) -> None:
    """Only gates and suspected duplicates are decided; everything else is corrected, forced or failed."""
    story = Story(item(characteristics=PORTING)).run(until="sim")
    with pytest.raises(Refused, match="cannot be"):
        story.decide(step, "1", approve=approve)


@pytest.mark.parametrize(
    ("step", "forceable"),
    [
        pytest.param("delivery", True, id="a-parcel-handed-over-in-person"),
        pytest.param("esim", True, id="a-profile-confirmed-by-hand"),
        pytest.param("qualification", True, id="an-address-known-to-be-served"),
        pytest.param("appointment", True, id="a-visit-that-was-made"),
        pytest.param("sim", False, id="no-line-without-sim"),
        pytest.param("number", False, id="no-line-without-number"),
        pytest.param("porting", False, id="no-cut-over-without-window"),
        pytest.param("activation", False, id="no-charge-without-activation"),
        pytest.param("cutover", False, id="no-change-without-cut-over"),
        pytest.param("validation", False, id="no-plan-without-validation"),
        pytest.param("credit", False, id="no-order-without-credit"),
    ],
)
def test_only_steps_that_yield_nothing_can_be_forced(step: str, forceable: bool) -> None:
    """What later steps need cannot be left out."""
    story = Story(item(characteristics={**PHYSICAL, **PORTING})).run(until="sim")
    if forceable:
        story.force(step)
        assert story.names()[-2:] == ["fallout.decided", "step.forced"]
    else:
        with pytest.raises(Refused, match="cannot be forced"):
            story.force(step)


@pytest.mark.parametrize(
    ("items", "step"),
    [
        pytest.param([item(characteristics=PHYSICAL)], "delivery", id="delivery"),
        pytest.param([item()], "esim", id="esim"),
        pytest.param([item("1", "fibre")], "qualification", id="qualification"),
        pytest.param([item("1", "fibre")], "appointment", id="appointment"),
    ],
)
def test_an_order_with_a_forced_step_goes_on_to_its_end(items: list[dict[str, object]], step: str) -> None:
    """Later steps find what they need without it, and nothing asks for the step again."""
    story = Story(*items).run(until=step)
    story.attend(step, "1", Failed("UNAVAILABLE"))
    story.force(step)
    assert story.run().states()[""] == "completed"
    assert story.names().count(f"{step}.requested") == 1


def test_a_corrected_address_is_delivered_to() -> None:
    """The item's place is corrected, the step asked for at once under the next attempt, and its success ends the fallout."""
    story = Story(item(characteristics=PHYSICAL, place="somewhere")).run(until="delivery")
    story.attend("delivery", "1")
    assert (story.state.record("1", "delivery").reason, story.states()["1"]) == ("DQ-ADDR", "pending")
    story.correct("delivery", "1", {"place": "7 Weir Lane, Testford, ZZ1 2BB"})
    entry = story.agenda["1", "delivery"]
    assert (entry.due_at, entry.attempt, story.states()["1"]) == (MONDAY, 2, "inProgress")
    assert story.state.items["1"].place == "7 Weir Lane, Testford, ZZ1 2BB"
    assert story.run().states()[""] == "completed"


@pytest.mark.parametrize(
    ("place", "good"),
    [
        pytest.param("1 Mill Lane, Testford, ZZ1 1AA", True, id="number-and-postcode"),
        pytest.param("Mill Lane, Testford, ZZ1 1AA", False, id="no-number"),
        pytest.param("1 Mill Lane, Testford", False, id="no-postcode"),
        pytest.param("1 Mill Lane, Testford, zz1 1aa", True, id="postcode-in-small-letters"),
        pytest.param("1 Mill Lane, Testford, ZZ11AA", True, id="postcode-without-its-space"),
        pytest.param("", False, id="empty"),
    ],
)
@pytest.mark.parametrize(
    ("sold", "wanted", "step"),
    [("line", PHYSICAL, "delivery"), ("fibre", {}, "qualification")],
)
def test_an_address_is_judged_where_an_item_needs_one(sold: str, wanted: dict[str, str], step: str, place: str, good: bool) -> None:
    """A parcel and an access need a house number and a postcode, as text; the code is the same for both."""
    story = Story(item("1", sold, characteristics=wanted, place=place)).run(until=step)
    story.attend(step, "1")
    assert story.state.record("1", step).reason == ("" if good else "DQ-ADDR")


def test_an_esim_needs_no_address() -> None:
    """Nothing is sent to anywhere, so nothing is asked."""
    assert Story(item(place="")).run().states()[""] == "completed"


def test_a_plain_retry_is_a_correction_of_nothing() -> None:
    """A person may simply ask again; the attempt counts on, the fallout stays the same."""
    story = stopped("activation", "PERMANENT")
    before = story.state.record("1", "activation").fallout
    story.correct("activation", "1", {})
    assert story.agenda["1", "activation"].attempt == 2
    story.attend("activation", "1", RefusedBy("PERMANENT"))
    assert story.last("activation.fell-out").fallout == before


def resubmitted() -> Story:
    """An order that completed, and came again with another priority."""
    story = Story(item()).run()
    again = wish(item(), priority="1")
    came = Arrival("intake-1", 2, 1, MARKET.pin, MONDAY)
    _, decision = receive(story.state, again, came, original=wish(item()).original, codes=packaged().newest)
    story.state = folded(story.state, decision)
    return story


@pytest.mark.parametrize(("approve", "decision"), [(True, "approve"), (False, "decline")])
def test_a_suspected_duplicate_is_settled_without_touching_the_order(approve: bool, decision: str) -> None:
    """Whatever is decided about the second paper, the first order stays where it is."""
    story = resubmitted()
    assert story.states()[""] == "completed"
    story.decide("duplicate", approve=approve)
    assert story.last("duplicate.settled").decision == decision
    assert story.states()[""] == "completed"
    assert story.agenda == {}


def test_a_suspected_duplicate_cannot_be_asked_for_again() -> None:
    """It is no step that a partner does: correcting it would set the validation of a finished order going again."""
    story = resubmitted()
    with pytest.raises(Refused, match="nothing to correct"):
        correct(STEPS["duplicate"], story.work("", "duplicate"), KIND, BOOK, changes={}, note="", at=MONDAY)


def test_notes_and_corrections_are_personal() -> None:
    """What a person writes or types in stays out of the body and of every log line."""
    story = stopped("activation", "PERMANENT")
    story.correct("activation", "1", {"place": "7 Weir Lane"})
    applied = story.last("fallout.correction-applied")
    assert applied.personal == {"changes", "note"}
    assert "Weir Lane" not in repr(applied)
