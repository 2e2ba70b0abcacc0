"""The day that is promised for each item, and how it moves: by the plan, the steps' own times and the calendar, and by nothing else."""

from datetime import timedelta
from typing import Any

import hypothesis
import pytest

from o2c.kernel.decision import Decision
from o2c.kernel.frozen import changed
from o2c.kernel.partner import Accepted, Failed, RefusedBy
from o2c.orders.promise import later_promises
from o2c.orders.promise_events import PromiseMade, PromiseRevised
from tests.given import BOOK, MONDAY, PORTING, Document, Story, item
from tests.laws.test_rollup import stories

PHYSICAL = {"simType": "physical"}
MARCH = MONDAY + timedelta(days=60)
ANNOUNCED = MONDAY + timedelta(days=16)


def promised(story: Story) -> dict[str, str]:
    """What was promised first, by item."""
    [made] = [event for event in story.events if isinstance(event, PromiseMade)]
    return {each.item: each.promised_on for each in made.items}


def limits(story: Story) -> dict[str, tuple[str, str]]:
    [made] = [event for event in story.events if isinstance(event, PromiseMade)]
    return {each.item: (each.of, each.step) for each in made.items}


def revisions(story: Story) -> list[tuple[str, str, str, str, str]]:
    """Each revision as (item, before, after, step, reason) of its cause."""
    revised = [event for event in story.events if isinstance(event, PromiseRevised)]
    return [(each.item, each.promised_before, each.promised_on, each.cause_step, each.cause_reason) for each in revised]


@pytest.mark.parametrize(
    ("items", "order", "days"),
    [
        # Monday 5 January 2026; working days of England.
        pytest.param([item()], {}, "2026-01-06", id="an-esim-is-downloaded-within-a-day"),
        pytest.param([item(characteristics=PHYSICAL)], {}, "2026-01-08", id="a-parcel-takes-three-working-days"),
        pytest.param([item("1", "fibre")], {}, "2026-01-13", id="a-fitter-six"),
        pytest.param(
            [item("1", "fibre"), item("2", "roaming", relies_on=("1",))], {}, "2026-01-13 2026-01-13", id="an-add-on-with-its-base"
        ),
        pytest.param([item("1", characteristics=PORTING)], {}, "2026-01-07", id="the-port-window"),
        pytest.param(
            [item("1", characteristics=PORTING), item("2", "roaming", relies_on=("1",))], {}, "2026-01-07 2026-01-07", id="a-base-s-promise"
        ),
        pytest.param([item()], {"requestedStartDate": "2026-01-20"}, "2026-01-21", id="an-esim-from-the-day-wished"),
        pytest.param([item(sold="roaming")], {"requestedStartDate": "2026-01-20"}, "2026-01-20", id="the-day-wished"),
        pytest.param(
            [item(characteristics=PHYSICAL)], {"requestedStartDate": "2026-01-16"}, "2026-01-21", id="a-parcel-from-the-day-wished"
        ),
        pytest.param([item("1", "fibre")], {"requestedCompletionDate": "2026-02-02"}, "2026-02-02", id="a-visit-before-the-day-wished"),
    ],
)
def test_a_promise_is_the_latest_of_what_it_depends_on(items: list[Document], order: dict[str, str], days: str) -> None:
    """Its own steps along their waits, the promise of its base, the port window, the day wished."""
    story = Story(*items, **order).run(until="sim")
    assert " ".join(promised(story).values()) == days
    assert [line.promised_on for line in story.state.items.values()] == days.split()
    assert [each.promised_on for each in story.last("order.planned").items] == days.split()


def test_a_promise_names_the_step_it_depends_on_most() -> None:
    """The parcel for a line, the visit for an access, and for an add-on the step of its base."""
    story = Story(item("1", "fibre"), item("2", "roaming", relies_on=("1",)), item("3", characteristics=PHYSICAL)).run(until="sim")
    assert limits(story) == {"1": ("", "appointment"), "2": ("1", "appointment"), "3": ("", "delivery")}


@pytest.mark.parametrize("days", [1, 2, 3])
def test_what_takes_as_long_as_it_normally_does_moves_no_promise(days: int) -> None:
    """A parcel of one to three days keeps its promise, and is not promised for an earlier day when it is early."""
    story = Story(item(characteristics=PHYSICAL)).run(until="delivery")
    story.attend("delivery", "1", Accepted("PCL-1", MONDAY + timedelta(days=days)))
    story.run()
    assert (story.states()[""], revisions(story), story.state.items["1"].promised_on) == ("completed", [], "2026-01-08")


def test_a_partner_that_names_a_later_day_moves_the_promise_when_it_does() -> None:
    """The fitter can come on the 16th only: what was promised for the 13th is promised for that day, and its add-on with it."""
    story = Story(item("1", "fibre"), item("2", "roaming", relies_on=("1",))).run(until="appointment")
    story.attend("appointment", "1", Accepted("VIS-1", MONDAY + timedelta(days=11)))
    assert revisions(story) == [
        ("1", "2026-01-13", "2026-01-16", "appointment", ""), ("2", "2026-01-13", "2026-01-16", "appointment", ""),
    ]  # fmt: skip
    story.run()
    assert (story.states()[""], len(revisions(story))) == ("completed", 2)


def test_a_retry_that_is_soon_moves_no_promise() -> None:
    """An outage of minutes is made up for on the same day."""
    story = Story(item(characteristics=PHYSICAL)).run(until="delivery")
    story.attend("delivery", "1", Failed("UNAVAILABLE"))
    story.run()
    assert "delivery.fell-out" in story.names()
    assert (story.states()[""], revisions(story)) == ("completed", [])


def test_an_address_put_right_in_march_renews_the_promise() -> None:
    """While the order waits nobody can promise more than the soonest day; when it goes on, the new day is told with its cause."""
    story = Story(item(characteristics=PHYSICAL, place="nowhere")).run()
    assert revisions(story) == []
    story.correct("delivery", "1", {"place": "1 Mill Lane, Testford, ZZ1 1AA"}, at=MARCH)
    assert revisions(story) == [("1", "2026-01-08", "2026-03-11", "delivery", "DQ-ADDR")]


def test_stock_that_comes_late_renews_the_promise_of_what_waited_for_it() -> None:
    """No SIM in January: when one comes in March the parcel's three days begin, and the cause is the SIM, not the parcel."""
    story = Story(item(characteristics=PHYSICAL)).run(until="sim")
    story.attend("sim", "1", in_stock=False)
    assert revisions(story) == []
    story.attend("sim", "1", at=MARCH)
    assert revisions(story) == [("1", "2026-01-08", "2026-03-11", "sim", "INV-SIM")]


def test_stock_that_is_announced_renews_the_promise_on_the_spot() -> None:
    """The SIM is announced for the 21st: the parcel is promised for three working days after that at once, and not again when it comes."""
    story = Story(item("1", characteristics=PHYSICAL), item("2", "roaming", relies_on=("1",))).run(until="sim")
    story.attend("sim", "1", in_stock=False, expected_at=ANNOUNCED)
    late = [(of, before, "2026-01-26", "sim", "INV-SIM") for of, before in promised(story).items()]
    assert revisions(story) == late
    story.attend("sim", "1", at=ANNOUNCED)
    story.run()
    assert (story.states()[""], revisions(story)) == ("completed", late)


def test_announced_stock_that_does_not_come_renews_the_promise_when_it_does() -> None:
    """Announced for the 21st, there in March: the promise moves twice."""
    story = Story(item(characteristics=PHYSICAL)).run(until="sim")
    story.attend("sim", "1", in_stock=False, expected_at=ANNOUNCED)
    story.attend("sim", "1", at=MARCH)
    assert revisions(story) == [("1", "2026-01-08", "2026-01-26", "sim", "INV-SIM"), ("1", "2026-01-26", "2026-03-11", "sim", "INV-SIM")]


def test_stock_that_is_announced_in_time_moves_no_promise() -> None:
    """The SIM comes two hours later: the parcel's days begin the same day."""
    story = Story(item(characteristics=PHYSICAL)).run(until="sim")
    story.attend("sim", "1", in_stock=False, expected_at=MONDAY + timedelta(hours=2))
    assert revisions(story) == []


def test_an_ended_dependant_of_a_late_base_is_left_alone() -> None:
    """The add-on was cancelled; the base's new day is not its own."""
    story = Story(item("1", "fibre"), item("2", "roaming", relies_on=("1",))).run(until="appointment")
    story.cancel("2")
    story.attend("appointment", "1", Accepted("VIS-1", MONDAY + timedelta(days=11)))
    assert revisions(story) == [("1", "2026-01-13", "2026-01-16", "appointment", "")]


def test_what_was_done_by_other_means_after_the_day_names_the_fallout() -> None:
    """A visit forced in March: the access is switched on at once, and its promise says why it is late."""
    story = Story(item("1", "fibre")).run(but={("1", "appointment"): RefusedBy("PERMANENT")})
    story.force("appointment", "1", at=MARCH)
    assert revisions(story) == [("1", "2026-01-13", "2026-03-06", "appointment", "LOG-NOVISIT")]


def test_a_partner_that_takes_a_day_on_the_way_moves_what_follows_when_it_says_so() -> None:
    """The access is looked at until tomorrow: the visit that is agreed after it comes a day later than promised, though tomorrow is long before."""
    story = Story(item("1", "fibre")).run(until="qualification")
    story.attend("qualification", "1", Accepted("REF-1", MONDAY + timedelta(days=1)))
    assert revisions(story) == [("1", "2026-01-13", "2026-01-14", "appointment", "")]


def test_a_window_that_is_given_up_moves_the_promise_when_it_is() -> None:
    """With the SIM still asked for the donor gives the window up: the next one is of a later day, which is said before another is agreed."""
    story = Story(item("1", characteristics=PORTING)).run(until="sim")
    for step in ("number", "porting", "cutover", "porting"):
        if ("1", step) in story.agenda:
            story.attend(step, "1")
    assert "porting.postponed" in story.names()
    assert revisions(story) == [("1", "2026-01-07", "2026-01-08", "cutover", "")]


def test_an_order_of_before_keeps_its_day_and_moves_it_when_it_must() -> None:
    """A plan stored with a day of its own, and no promise, is revised from that day."""
    story = Story(item("1", "fibre")).run(until="appointment")
    state = changed(story.state, items={"1": changed(story.state.items["1"], promised_on="2026-01-06")})
    [event] = later_promises(state, ("1",), MONDAY, BOOK).events
    assert isinstance(event, PromiseRevised)
    assert (event.promised_before, event.promised_on) == ("2026-01-06", "2026-01-13")


@hypothesis.settings(max_examples=100, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(stories())
def test_promises_only_move_to_later_days(story: Story) -> None:
    """Whatever happens: each revision begins at the day promised before, ends later, and the state holds the last; no two say the same.

    Two alone may be sooner: of an item without the port that it was promised with, and of an order that goes on before the day until which it was suspended.
    """
    days: dict[str, Any] = promised(story) if story.state.planned else {}
    for of, before, after, step, _ in revisions(story):
        assert before == days[of] != after
        assert before < after or step in ("porting-cancel", "suspension")
        days[of] = after
    assert {name: line.promised_on for name, line in story.state.items.items()} == days
    assert later_promises(story.state, story.state.items, MONDAY, BOOK) == Decision()
