"""A port-in cancelled on its own: until when, what becomes of its steps, its claim and its promise, and what the donor is told."""

from datetime import UTC, datetime, timedelta

import pytest

from o2c.kernel.partner import Accepted, Failed, RefusedBy, Unknown
from o2c.kernel.refusal import Refused
from o2c.orders.rollup import ITEM_TRANSITIONS, ItemProgress, Progress, follow, item_state
from o2c.plan import PLANS, STEPS
from tests.given import MONDAY, PORTING, Story, item

NUMBER = PORTING["portInNumber"]
CUT_OFF = datetime(2026, 1, 5, 17, tzinfo=UTC)
OF_A_PORT = ("porting", "cutover", "number-change")


def bringing(**changes: str) -> Story:
    return Story(item(characteristics={**PORTING, **changes}))


def agreed() -> Story:
    """A line that is on and whose port is agreed for tomorrow."""
    return bringing().run(until="cutover")


def statuses(story: Story) -> set[str]:
    return {story.state.progress.items["1"].steps[step] for step in OF_A_PORT}


@pytest.mark.parametrize(
    ("at", "refused"),
    [
        pytest.param(CUT_OFF - timedelta(minutes=1), "", id="a-minute-before-the-cut-off"),
        pytest.param(CUT_OFF, "the cut-off of its port is past", id="at-the-cut-off"),
        pytest.param(CUT_OFF + timedelta(hours=15), "the cut-off of its port is past", id="before-the-window-opens"),
    ],
)
def test_a_port_is_cancelled_until_the_cut_off(at: datetime, refused: str) -> None:
    """Whatever the customer has of the line: it is on, and charged for; from the cut-off on nothing changes."""
    story = agreed()
    before, told = story.state.progress, len(story.events)
    story.cancel_port("1", at=at)
    if refused:
        assert [event.type_name for event in story.events[told:]] == ["cancellation.requested", "cancellation.refused"]
        assert (story.last("cancellation.refused").past, story.state.progress) == ({"1": refused}, before)
        return
    assert statuses(story) == {"given-up"}
    assert (story.agenda["1", "porting-cancel"].due_at, story.states()["1"]) == (at, "inProgress")
    assert story.holds("port-in")


def test_the_line_goes_on_with_our_number_and_the_order_completes() -> None:
    """The donor drops the port, the claim is free, the temporary number is the line's own, and it is charged as before."""
    story = agreed()
    ours = story.state.record("1", "number").outcome["msisdn"]
    charged = story.names().count("charging.started")
    story.cancel_port("1", at=MONDAY + timedelta(hours=2))
    story.run()
    assert story.states() == {"": "completed", "1": "completed"}
    assert story.last("number.kept").msisdn == ours
    assert {kind for kind, _ in story.holders} == {"sim", "number"}
    assert ("number", ours) in story.holders
    assert story.names().count("charging.started") == charged == 1
    assert [name for name, _ in story.elsewhere if name == f"number-{NUMBER}"] == []


@pytest.mark.parametrize(
    "fallen",
    [
        pytest.param(RefusedBy("CODE-EXPIRED"), id="NP-CODE"),
        pytest.param(RefusedBy("NAME-MISMATCH"), id="NP-NAME"),
        pytest.param(RefusedBy("NUMBER-INACTIVE"), id="NP-INACT"),
        pytest.param(RefusedBy("BARRED"), id="NP-BAR"),
        pytest.param(RefusedBy("never seen before"), id="SYS-BUG"),
        pytest.param(Failed("UNAVAILABLE"), id="NP-CONFLICT"),
    ],
)
def test_a_customer_withdraws_while_the_port_has_fallen_out(fallen: RefusedBy | Failed) -> None:
    """The line is complete: nobody is waited for any more, held or pending; the donor is told where it may have the request."""
    story = bringing().run(until="porting")
    story.attend("porting", "1", fallen)
    story.agenda.pop(("1", "porting"), None)
    story.run()
    assert story.states()["1"] in ("pending", "held")
    story.cancel_port("1", at=MONDAY + timedelta(hours=3))
    story.run()
    assert (story.states()["1"], story.state.record("1", "porting").fallout, story.holds("port-in")) == ("completed", "", False)
    assert ("porting-cancel.requested" in story.names()) == (fallen == RefusedBy("never seen before"))


def test_a_port_that_the_donor_was_not_asked_for_is_dropped_at_once() -> None:
    """Two minutes lie between the order and the request: nobody is told of what nobody was asked, and the claim is free."""
    story = bringing().run(until="number")
    assert story.holds("port-in")
    story.cancel_port("1", at=MONDAY)
    assert "porting-cancel.requested" not in story.names()
    assert not story.holds("port-in")
    story.run()
    assert story.last("number.assigned").temporary is False
    assert (story.states()["1"], "number.kept" in story.names()) == ("completed", False)


def test_a_port_is_cancelled_while_the_order_waits_at_a_gate() -> None:
    """The line is planned without it, and its number is its own from the beginning."""
    story = bringing()
    story.cancel_port(at=MONDAY)
    with pytest.raises(Refused, match="brings no number"):
        story.cancel_port(at=MONDAY)
    story.run()
    assert set(story.state.items["1"].waits).isdisjoint(OF_A_PORT)
    assert (story.states()["1"], story.last("number.assigned").temporary) == ("completed", False)


def test_the_clearing_house_is_asked_as_every_partner_is() -> None:
    """Away, silent and asked again before the item is over; nothing is cut over meanwhile, however long that takes."""
    story = agreed()
    story.cancel_port("1", at=MONDAY + timedelta(hours=1))
    story.attend("porting-cancel", "1", Failed("UNAVAILABLE"))
    assert story.states()["1"] == "held"
    story.attend("porting-cancel", "1")
    story.attend("porting-cancel", "1", Unknown(MONDAY + timedelta(days=2)))
    assert (story.states()["1"], story.agenda["1", "porting-cancel"].kind) == ("inProgress", "query")
    story.run()
    assert (story.states()[""], story.holds("port-in"), "cutover.number-ported-in" in story.names()) == ("completed", False, False)


def test_a_port_that_is_kept_all_the_same_is_taken_by_the_line() -> None:
    """The clearing house was asked too late: the number comes in its window, or it would serve nobody."""
    story = agreed()
    story.cancel_port("1", at=CUT_OFF - timedelta(minutes=1))
    story.attend("porting-cancel", "1", RefusedBy("TOO-LATE"))
    told = story.names()
    assert told[told.index("porting.window-kept") :][:4] == [
        "porting.window-kept",
        "step.renewed",
        "step.renewed",
        "porting-cancel.refused",
    ]
    assert story.states()["1"] == "inProgress"
    with_port = story.run()
    assert with_port.states() == {"": "completed", "1": "completed"}
    assert with_port.last("number.changed").msisdn == NUMBER
    assert with_port.holds("port-in")


def test_a_second_wish_after_that_is_asked_under_a_key_of_its_own() -> None:
    """A window that is missed later can be given up: the clearing house hears a request that it has not answered yet."""
    story = agreed()
    story.cancel_port("1", at=CUT_OFF - timedelta(minutes=1))
    story.attend("porting-cancel", "1", RefusedBy("TOO-LATE"))
    story.cancel_port("1", at=CUT_OFF + timedelta(hours=3))
    assert story.names()[-1] == "cancellation.refused"
    story.attend("cutover", "1", at=CUT_OFF + timedelta(days=1))
    assert story.names()[-1] == "porting.requested"
    story.cancel_port("1", at=CUT_OFF + timedelta(days=1))
    assert story.agenda["1", "porting-cancel"].attempt == 2
    assert story.run().states() == {"": "completed", "1": "completed"}


def test_any_other_refusal_waits_for_a_person() -> None:
    """Who counts it as settled by other means, with the donor: the claim is free then, and the order complete."""
    story = agreed()
    story.cancel_port("1", at=MONDAY + timedelta(hours=1))
    story.attend("porting-cancel", "1", RefusedBy("PERMANENT"))
    assert (story.states()["1"], story.state.record("1", "porting-cancel").reason) == ("held", "NP-LATE")
    with pytest.raises(Refused, match="wants nothing of it any more; retry porting-cancel, or force it"):
        story.give_up("porting-cancel")
    story.force("porting-cancel")
    assert (story.states()[""], story.holds("port-in")) == ("completed", False)


def test_an_item_cancelled_while_its_port_is_being_dropped_waits_for_that_alone() -> None:
    """The donor is asked once, and the number stays claimed until it has answered."""
    story = bringing().run(until="esim")
    story.attend("esim", "1", Accepted("PRF-1", MONDAY + timedelta(days=4)))
    story.run(until="cutover")
    story.cancel_port("1", at=MONDAY + timedelta(hours=1))
    story.cancel("1", at=MONDAY + timedelta(hours=1))
    assert (story.states()["1"], story.holds("port-in")) == ("pendingCancellation", True)
    assert story.names().count("porting-cancel.requested") == 1
    story.run()
    assert (story.states()[""], story.holders) == ("cancelled", {})


def test_the_promise_follows() -> None:
    """Without its port a line is promised for the day on which the rest of it is expected, and so is what relies on it."""
    parcel = {**PORTING, "simType": "physical"}
    story = Story(item(characteristics=parcel), item("2", "roaming", relies_on=("1",))).run(until="porting")
    before = {name: planned.promised_on for name, planned in story.state.items.items()}
    story.cancel_port("1", at=MONDAY + timedelta(minutes=1))
    revised = [event for event in story.events if event.type_name == "promise.revised"]
    assert [(event.item, event.promised_before, event.cause_item, event.cause_step) for event in revised] == [
        (name, before[name], "1", "porting-cancel") for name in before if before[name] == before["1"]
    ]
    assert story.state.items["1"].promised_on < before["1"]
    story.run()
    assert story.states()[""] == "completed"


def test_what_is_no_wish_is_refused() -> None:
    """No such item, one that brings nothing, several that do and none is named, an order that is over, an item that ended."""
    two = Story(item("1", characteristics=PORTING), item("2", characteristics={**PORTING, "portInNumber": "+447700900124"}), item("3"))
    for text, story, names in (
        ("brings 2 numbers; say which with --item: 1, 2", two.run(until="porting"), ()),
        ("no item 3 that brings a number; those that do are 1, 2", two, ("3",)),
        ("no item 7 that brings a number", two, ("7",)),
        ("brings no number", Story(item()).run(until="sim"), ()),
        ("is completed; there is no port", bringing().run(), ()),
    ):
        with pytest.raises(Refused, match=text):
            story.cancel_port(*names)
    half = Story(item("1", characteristics=PORTING), item("2")).run(until="number")
    half.cancel("1", at=MONDAY)
    with pytest.raises(Refused, match="item 1 is cancelled, and its port with it"):
        half.cancel_port("1")


def test_a_number_that_was_cut_over_is_ours() -> None:
    """Only a new port undoes it: the line says so while it is not complete."""
    story = bringing().run(until="number-change")
    story.cancel_port("1", at=MONDAY + timedelta(days=1))
    assert story.last("cancellation.refused").past == {"1": "its number was cut over, or is about to be"}


def test_nothing_else_waits_for_a_part_that_can_be_given_up() -> None:
    """Or it would wait for ever."""
    waiting = {
        (step, wait)
        for plan in PLANS.values()
        for step, waits, _ in plan
        for wait in waits
        if STEPS[wait].part and STEPS[step].part != STEPS[wait].part
    }
    assert waiting == set()
    assert {step for step in STEPS if STEPS[step].part} == set(OF_A_PORT)


def test_a_correction_of_a_number_that_is_not_brought_any_more_is_refused() -> None:
    """Nobody would ask for it."""
    story = agreed()
    assert story.state.brings("1")
    story.cancel_port("1", at=MONDAY + timedelta(hours=1))
    story.attend("porting-cancel", "1", RefusedBy("PERMANENT"))
    assert not story.state.brings("1")
    with pytest.raises(Refused, match="no such thing to correct"):
        story.correct("porting-cancel", "1", {"portInCode": "ABC654321"})


def test_an_item_held_by_a_part_that_it_gave_up_may_be_cancelled() -> None:
    """A partner has not dropped the part, so the item waits for us; when it is cancelled it waits for that partner, at one stroke."""
    held = ItemProgress({"number": "done", "porting": "given-up", "activation": "planned"}, recalls={"porting-cancel": "held"})
    after = follow(Progress(items={"1": held}), "item-cancelled", "", "1").items["1"]

    assert (item_state(held), item_state(after)) == ("held", "pendingCancellation")
    assert item_state(after) in ITEM_TRANSITIONS["held"]
