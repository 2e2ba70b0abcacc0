"""Suspending an order in flight: what is under way goes on, nothing else begins, and its days move with it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from o2c.kernel.partner import Accepted, Answered, Unknown
from o2c.kernel.refusal import Refused
from o2c.orders.rules import fail_item
from tests.given import BOOK, MONDAY, PORTING, Story, item

LATER = MONDAY + timedelta(days=20)


def suspended(story: Story, at: datetime = MONDAY, **changes: Any) -> Story:
    """The story with its order suspended until LATER, unless said otherwise."""
    story.suspend(**{"at": at, "until": LATER, **changes})
    return story


def resumed(story: Story, at: datetime) -> Story:
    story.resume(at=at)
    return story


def physical(**changes: Any) -> Story:
    """A line whose parcel the courier has, which he brings on Thursday."""
    story = Story(item(characteristics={"simType": "physical"}, **changes)).run(until="delivery")
    story.attend("delivery", "1", Accepted("PCL-1", MONDAY + timedelta(days=3)))
    return story


def test_what_a_partner_has_is_let_finish_and_nothing_follows() -> None:
    """The parcel comes; the line is not switched on before the order is resumed."""
    story = suspended(physical())
    story.attend("delivery", "1", Answered())

    assert (story.states()[""], story.state.progress.items["1"].steps["delivery"]) == ("pending", "done")
    assert sorted(step for _, step in story.agenda) == ["suspension"]
    resumed(story, MONDAY + timedelta(days=5)).run()
    assert story.states()[""] == "completed"


def test_what_was_asked_for_and_not_begun_is_put_off() -> None:
    """A line that was to be switched on next week waits until the order is resumed, and is switched on then."""
    story = Story(item(characteristics={"simType": "esim"}), requestedStartDate="2026-01-12").run(until="activation")
    before = story.agenda["1", "activation"]
    suspended(story)
    story.attend("activation", "1")
    assert story.agenda["1", "activation"].due_at == LATER

    resumed(story, MONDAY + timedelta(days=9))
    again = story.agenda["1", "activation"]
    assert (again.attempt, again.due_at - MONDAY - timedelta(days=9) < timedelta(minutes=5)) == (before.attempt, True)
    assert story.run().states()[""] == "completed"


def test_its_promises_move_and_say_why() -> None:
    """To what is expected of it when it is to go on; and back when that is sooner."""
    story = Story(item()).run(until="sim")
    day = story.state.items["1"].promised_on
    suspended(story)
    revised = story.last("promise.revised")
    assert (revised.promised_before, revised.cause_step) == (day, "suspension")
    assert revised.promised_on >= LATER.date().isoformat()

    resumed(story, MONDAY + timedelta(hours=1))
    assert story.state.items["1"].promised_on == day


def test_beyond_its_limit_it_comes_to_a_queue() -> None:
    """It waits for us from then on, stays suspended, and a person who decides for it lets it go on."""
    story = suspended(Story(item()).run(until="sim"))
    for _ in range(3):
        story.attend("sim", "1")
    story.attend("suspension")
    fell = story.last("order.suspension-fell-out")

    assert (fell.reason, fell.waiting_for, story.states()[""], story.state.suspended) == ("ORD-SUSP", "us", "pending", True)
    assert story.agenda["1", "sim"].due_at > LATER
    story.decide("suspension", approve=True, at=LATER + timedelta(days=1))
    assert not story.state.suspended


def test_it_is_suspended_anew_with_another_end() -> None:
    """The agenda has the new end alone; the same wish again is nothing."""
    story = suspended(Story(item()).run(until="sim"))
    told = len(story.events)
    suspended(story)
    assert len(story.events) == told
    suspended(story, until=LATER + timedelta(days=9))
    assert story.agenda["", "suspension"].due_at == LATER + timedelta(days=9)


@pytest.mark.parametrize("until", ["validation", "credit", "sim", "activation"])
def test_it_can_be_cancelled_meanwhile(until: str) -> None:
    """At a gate or later: nothing stays with anybody, and nothing is due any more."""
    story = suspended(Story(item()).run(until=until))
    story.cancel(at=MONDAY)
    story.run()

    assert (story.states()[""], story.agenda, story.holders) == ("cancelled", {}, {})


def test_so_can_one_between_two_gates() -> None:
    """It was suspended while the agency was silent, whose answer came then: no gate is open that the cancellation could end, and the next one was asked for. The order was carried out."""
    story = Story(item()).run(until="identity")
    story.attend("identity", answer=Unknown(MONDAY + timedelta(hours=1)))
    suspended(story).attend("identity")
    story.cancel()

    assert story.names()[-3:] == ["cancellation.accepted", "step.cancelled", "order.cancelled"]
    assert (story.states()[""], story.agenda) == ("cancelled", {})


def test_an_order_of_which_nothing_is_left_is_over() -> None:
    """A person gives up its only item: there is nothing to resume, and the order ends."""
    story = suspended(Story(item()).run(until="sim"))
    story.take(fail_item(story.state, "1", reason="NP-INACT", note="", at=MONDAY, book=BOOK))

    assert (story.states()[""], story.agenda) == ("failed", {})


def test_before_its_plan_it_is_not_planned() -> None:
    """The gate under way is passed, and the next one is not asked for."""
    story = Story(item())
    story.run(until="identity")
    suspended(story)
    story.attend("identity")
    assert story.agenda["", "identity"].due_at == LATER
    resumed(story, MONDAY + timedelta(days=2)).run()
    assert story.states()[""] == "completed"


def ported() -> Story:
    """A line whose number the donor agreed to give."""
    return Story(item(characteristics={"simType": "esim", **PORTING})).run(until="cutover")


@pytest.mark.parametrize(
    ("story", "wish", "why"),
    [
        pytest.param(lambda: Story(item()).run(), {}, "is completed; there is nothing to suspend", id="over"),
        pytest.param(lambda: Story(item()).run(until="sim"), {"until": MONDAY}, "a time to come", id="past"),
        pytest.param(lambda: Story(item()).run(until="sim"), {"until": MONDAY + timedelta(days=999)}, "at the latest", id="too far"),
        pytest.param(lambda: Story(item()).run(until="sim"), {"waits_for": "nobody"}, "say for whom it waits", id="nobody"),
        pytest.param(ported, {}, "the number of item 1 is on its way", id="a port under way"),
    ],
)
def test_what_cannot_be_suspended(story: Any, wish: dict[str, Any], why: str) -> None:
    """An order that is over, an end that is none, and a number that would come on a line which is not on."""
    made = story()
    told = len(made.events)
    with pytest.raises(Refused, match=why):
        suspended(made, **wish)
    assert len(made.events) == told


def test_what_is_not_suspended_is_not_resumed() -> None:
    """Nothing happens."""
    story = Story(item()).run(until="sim")
    told = len(story.events)
    assert len(resumed(story, MONDAY).events) == told
