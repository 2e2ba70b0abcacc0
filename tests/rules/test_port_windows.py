"""Ports are timed by the SIM in hand: asked for the day it is there, given up before the cut-off when it is late, never cut over elsewhere."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from o2c.kernel.partner import Answered, Failed, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.markets.base import is_working_day
from o2c.markets.gb import GB
from o2c.markets.ports import code_expired, port_deadline, window_of, working_days_late
from tests.asking import asked, partner_of
from tests.given import MONDAY, PORTING, Story, item

ESIM, PHYSICAL = "esim", "physical"
WINDOW = datetime(2026, 1, 6, 9, tzinfo=UTC)


def bringing(sim: str = ESIM, **order: Any) -> Story:
    """A line that brings a number, whose donor accepted."""
    story = Story(item(characteristics={**PORTING, "simType": sim}), **order).run(until="porting")
    story.attend("porting", "1", Answered({"reference": "PRT-1"}))
    return story


def january(day: int, hour: int = 0, minute: int = 0, *, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("opens_at", "cutoff_at", "closes_at"),
    [
        pytest.param(january(6, 9), january(5, 17), january(6, 17), id="tuesday"),
        pytest.param(january(12, 9), january(9, 17), january(12, 17), id="monday-after-a-weekend"),
        pytest.param(january(7, 8, month=4), january(2, 16, month=4), january(7, 16, month=4), id="after-easter-in-summer-time"),
    ],
)
def test_a_window_has_a_cut_off_and_an_end(opens_at: datetime, cutoff_at: datetime, closes_at: datetime) -> None:
    """The port can be moved until five o'clock of the working day before; the window lasts from nine to five."""
    window = window_of(GB, opens_at)
    assert (window.cutoff_at, window.closes_at) == (cutoff_at, closes_at)
    assert [window.open(at) for at in (opens_at - timedelta(seconds=1), opens_at, closes_at)] == [False, True, False]
    assert [window.frozen(at) for at in (cutoff_at - timedelta(seconds=1), cutoff_at, closes_at)] == [False, True, False]


@pytest.mark.parametrize(
    ("agreed_on", "done_on", "days"),
    [
        pytest.param(date(2026, 1, 6), date(2026, 1, 6), 0, id="kept"),
        pytest.param(date(2026, 1, 9), date(2026, 1, 12), 1, id="over-a-weekend"),
        pytest.param(date(2026, 4, 2), date(2026, 4, 7), 1, id="over-easter"),
        pytest.param(date(2026, 1, 12), date(2026, 1, 9), 0, id="sooner-than-agreed"),
    ],
)
def test_days_late_are_counted_in_working_days(agreed_on: date, done_on: date, days: int) -> None:
    """Weekends and bank holidays are not counted."""
    assert working_days_late(GB.calendar, agreed_on, done_on) == days


def test_the_deadline_is_the_next_working_day_or_the_day_wished() -> None:
    """A customer who wishes a later day agrees to it; one who wishes a sooner one is served by the rule."""
    assert port_deadline(GB, MONDAY, None) == port_deadline(GB, MONDAY, date(2026, 1, 1)) == date(2026, 1, 6)
    assert port_deadline(GB, MONDAY, date(2026, 1, 30)) == date(2026, 1, 30)


@pytest.mark.parametrize(
    ("sim", "order", "agreed_on", "deadline_on"),
    [
        pytest.param(ESIM, {}, "2026-01-06", "2026-01-06", id="an-esim-is-there-at-once"),
        pytest.param(PHYSICAL, {}, "2026-01-09", "2026-01-06", id="a-parcel-takes-three-days"),
        pytest.param(ESIM, {"requestedStartDate": "2026-01-30T00:00:00Z"}, "2026-01-30", "2026-01-30", id="the-day-wished"),
        pytest.param(ESIM, {"requestedStartDate": "2026-01-31T00:00:00Z"}, "2026-02-02", "2026-01-31", id="a-saturday-wished"),
        pytest.param(PHYSICAL, {"requestedCompletionDate": "2026-01-07"}, "2026-01-09", "2026-01-07", id="wished-before-it-can-be-there"),
        pytest.param(PHYSICAL, {"requestedStartDate": "2026-01-19"}, "2026-01-23", "2026-01-19", id="sent-from-the-day-wished"),
    ],
)
def test_the_port_is_asked_for_the_day_on_which_the_sim_is_there(sim: str, order: dict[str, str], agreed_on: str, deadline_on: str) -> None:
    """And never before the day that the customer wished; what was wished, agreed and due is kept with the rules it follows from."""
    kept = bringing(sim, **order).last("porting.scheduled")
    assert (kept.agreed_on, kept.deadline_on, kept.missed_on) == (agreed_on, deadline_on, "")
    assert (kept.wished_on, kept.zone, kept.rules) == ("".join(order.values())[:10], "Europe/London", "GB@2026-01")
    window = window_of(GB, kept.window_opens_at)
    assert (kept.window_closes_at, kept.cutoff_at) == (window.closes_at, window.cutoff_at)


def test_a_line_that_is_on_is_cut_over_when_its_window_opens() -> None:
    """It is looked at once before the cut-off; the donor is asked nothing more, and the port is not late."""
    story = bringing().run()
    done = story.last("cutover.number-ported-in")
    assert [name for name in story.names() if name.startswith(("porting.", "cutover."))] == [
        "porting.requested", "porting.scheduled", "cutover.requested", "cutover.requested", "cutover.number-ported-in",
    ]  # fmt: skip
    assert (done.agreed_on, done.ported_on, done.late_days, done.late_working_days) == ("2026-01-06", "2026-01-06", 0, 0)


def late_line() -> Story:
    """A line that is not on before the cut-off of its port."""
    story = bringing().run(until="activation")
    story.attend("activation", "1", RefusedBy("PERMANENT"))
    return story.run(until="cutover")


def test_a_window_that_cannot_be_met_is_given_up_before_its_cut_off() -> None:
    """Once, however long the line takes; when it is on, another window is agreed: the port moved, and is not late."""
    story = late_line()
    assert story.agenda["1", "cutover"].due_at < WINDOW - timedelta(hours=16)
    story.run()
    assert (story.last("porting.postponed").held_up_by, set(story.agenda)) == ("activation", set())

    story.correct("activation", "1", {}, at=january(20, 10))
    story.run()
    moved, done = story.last("porting.rescheduled"), story.last("cutover.number-ported-in")
    assert (moved.replaced, moved.window_opens_at, moved.cause) == (WINDOW, january(21, 9), "activation")
    assert (moved.late_days, moved.missed_on, done.ported_on, done.late_days) == (0, "", "2026-01-21", 0)
    assert story.states()["1"] == "completed"


def test_a_window_that_can_no_longer_be_moved_is_used_if_the_line_comes_on_in_it() -> None:
    """The clearing house says that it is too late: the agreed window stands, and the line is looked for in it."""
    story = late_line()
    story.attend("cutover", "1", at=january(5, 16, 59))
    story.attend("porting", "1", RefusedBy("TOO-LATE"), at=january(5, 17))
    assert (story.names()[-2:], story.agenda["1", "cutover"].due_at) == (["porting.window-kept", "cutover.requested"], WINDOW)

    story.attend("cutover", "1")
    story.correct("activation", "1", {}, at=WINDOW + timedelta(minutes=30))
    story.attend("activation", "1")
    story.attend("esim-download", "1")
    story.attend("cutover", "1", at=WINDOW + timedelta(hours=1))
    assert story.last("cutover.number-ported-in").late_days == 0


def test_a_missed_window_is_a_late_port_with_its_days_counted() -> None:
    """The cut-over fails through its window, on a Friday; by Friday at five only Tuesday can be agreed: four days, two working days late."""
    story = bringing(PHYSICAL).run(until="cutover")
    while "porting.window-missed" not in story.names():
        due = story.agenda["1", "cutover"].due_at
        if due < january(9, 9) or due >= january(9, 17):
            story.attend("cutover", "1")
            continue
        story.attend("cutover", "1", Failed("UNAVAILABLE"), at=max(due, january(9, 16)))
        if ("1", "cutover") not in story.agenda:
            story.correct("cutover", "1", {}, at=january(9, 17))
    missed = story.last("porting.window-missed")
    assert (missed.agreed_on, missed.cause) == ("2026-01-09", "cut-over")

    story.run()
    moved, done = story.last("porting.rescheduled"), story.last("cutover.number-ported-in")
    assert (moved.missed_on, moved.agreed_on, moved.late_days, moved.late_working_days) == ("2026-01-09", "2026-01-13", 4, 2)
    assert (done.ported_on, done.late_days, done.late_working_days) == ("2026-01-13", 4, 2)


@hypothesis.given(
    sim=strategies.sampled_from([ESIM, PHYSICAL]),
    on_after=strategies.timedeltas(min_value=timedelta(), max_value=timedelta(days=24)),
    fails=strategies.lists(strategies.sampled_from([Failed("UNAVAILABLE"), RefusedBy("TOO-LATE")]), max_size=4).map(list),
    away=strategies.integers(0, 9),
)
def test_no_number_is_cut_over_outside_an_agreed_window_on_a_working_day(
    sim: str, on_after: timedelta, fails: list[Any], away: int
) -> None:
    """Whenever the line comes on, whatever the clearing house says to a move, and however often it is away at the cut-over."""
    story, on_at = bringing(sim), MONDAY + on_after
    story.run(until="activation")
    story.attend("activation", "1", RefusedBy("PERMANENT"))
    corrected = False
    for _ in range(60):
        due = min((entry.due_at for entry in story.agenda.values()), default=None)
        if not corrected and (due is None or due >= on_at):
            story.correct("activation", "1", {}, at=on_at)
            corrected = True
        elif due is None:
            break
        else:
            name, step = next(place for place, entry in story.agenda.items() if entry.due_at == due)
            asks = story.agenda[name, step].kind == "submit"
            answer = fails.pop() if step == "porting" and asks and fails else None
            if step == "cutover" and asks and away > 0:
                answer, away = Failed("UNAVAILABLE"), away - 1
            story.attend(step, name, answer)
            if not story.agenda and corrected and story.state.record("1", "cutover").waiting_for:
                story.correct("cutover", "1", {}, at=due + timedelta(hours=5))
    assert_in_an_agreed_window(story)


def assert_in_an_agreed_window(story: Story) -> None:
    agreed = [event for event in story.events if event.type_name in ("porting.scheduled", "porting.rescheduled")]
    for done in (event for event in story.events if event.type_name == "cutover.number-ported-in"):
        day = date.fromisoformat(done.ported_on)
        assert is_working_day(GB.calendar, day)
        assert done.ported_on == done.agreed_on == agreed[-1].agreed_on


@pytest.mark.parametrize(
    ("given_on", "on", "old"),
    [
        pytest.param(date(2026, 1, 5), date(2026, 2, 4), False, id="thirty-days"),
        pytest.param(date(2026, 1, 5), date(2026, 2, 5), True, id="thirty-one-days"),
    ],
)
def test_a_pac_is_good_for_thirty_days(given_on: date, on: date, old: bool) -> None:
    """Counted from the day on which we were given it."""
    assert code_expired(GB, given_on, on) is old


def test_a_code_grows_too_old_for_a_line_that_comes_late() -> None:
    """It is asked for anew, not used; the same code again is refused with a line, a new one goes through."""
    story = late_line().run()
    story.correct("activation", "1", {}, at=january(10, month=2))
    story.run()
    fallen = story.last("porting.fell-out")
    assert (fallen.reason, fallen.detail, fallen.partner_code) == ("NP-CODE", "the code is older than 30 days", "")

    with pytest.raises(Refused, match="that is the same code, and the code is older than 30 days; ask the customer for a new one"):
        story.correct("porting", "1", {"portInCode": PORTING["portInCode"]}, at=january(11, month=2))
    story.correct("porting", "1", {"portInCode": "NEW123456"}, at=january(11, 10, month=2))
    story.run()
    assert story.last("cutover.number-ported-in").ported_on == "2026-02-12"


def test_a_day_wished_beyond_the_age_of_the_code_is_judged_at_once() -> None:
    """The customer is asked for a code nearer to the day, before anybody is asked for the port."""
    story = Story(item(characteristics=PORTING), requestedStartDate="2026-03-02T00:00:00Z").run(until="porting")
    story.attend("porting", "1", Answered())
    fallen = story.last("porting.fell-out")
    assert (fallen.reason, "ask for a new one nearer to that day" in fallen.detail) == ("NP-CODE", True)


@pytest.mark.parametrize(
    ("at", "msisdn", "answer"),
    [
        pytest.param(january(5, 16, 30), "+447700900123", Answered({"postponed": True}), id="in-time"),
        pytest.param(january(5, 17), "+447700900123", RefusedBy("TOO-LATE"), id="at-the-cut-off"),
        pytest.param(january(6, 16, 59), "+447700900123", RefusedBy("TOO-LATE"), id="in-the-window"),
        pytest.param(january(6, 17), "+447700900123", Answered({"postponed": True}), id="after-a-window-that-was-missed"),
        pytest.param(january(5, 12), "+447700900999", Failed("UNAVAILABLE"), id="never-available"),
        pytest.param(january(5, 12), "+447700900998", RefusedBy("REFUSED"), id="always-refused"),
    ],
)
def test_the_clearing_house_gives_a_window_up_until_the_cut_off(at: datetime, msisdn: str, answer: object) -> None:
    """As the market's rules have it, with the faults that numbers ask for by their last digits."""
    partner = partner_of("porting")
    more = {"replaces": "2026-01-06T09:00:00Z", "postpone": True, "msisdn": msisdn}
    calm = next(
        n
        for n in range(100)
        if partner.submit(asked("porting", n, at=MONDAY, **{**more, "msisdn": "+447700900123"})) == Answered({"postponed": True})
    )
    assert partner.submit(asked("porting", calm, at=at, **more)) == answer
