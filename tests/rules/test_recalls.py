"""Partners that are asked to drop work: when they still can, and when it is too late."""

from datetime import UTC, datetime, timedelta

import pytest

from o2c.kernel.partner import Accepted, Answer, Answered, Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.step import SILENCES_MAX
from tests.given import MONDAY, Story, item
from tests.rules.test_partners import asked, assert_near, kinds, partner_of, submitted


@pytest.mark.parametrize(
    ("hours_before", "answer"),
    [
        pytest.param(23, Answered(), id="the-day-before"),
        pytest.param(16.01, Answered(), id="just-in-time"),
        pytest.param(16, RefusedBy("TOO-LATE"), id="at-the-cut-off"),
        pytest.param(-1, RefusedBy("TOO-LATE"), id="after-the-window-opened"),
        pytest.param(-8, Answered(), id="after-a-window-that-was-missed"),
    ],
)
def test_a_port_is_taken_back_until_five_on_the_working_day_before(hours_before: float, answer: Answer) -> None:
    """After the cut-off the number comes, whoever asks; a port that the donor never confirmed can be taken back at any time."""
    partner, at = partner_of("porting-cancel"), datetime(2026, 1, 6, 9, tzinfo=UTC) - timedelta(hours=hours_before)
    calm = next(n for n in range(100) if partner.submit(asked("porting-cancel", n, window_opens_at="")) == Answered())
    assert partner.submit(asked("porting-cancel", calm, at=at, window_opens_at=WINDOW)) == answer
    assert partner.query(asked("porting-cancel", calm, at=at, window_opens_at=WINDOW)) == answer
    assert partner.submit(asked("porting-cancel", calm, at=at, window_opens_at="")) == Answered()


@pytest.mark.parametrize(
    ("step", "code"), [pytest.param("esim-cancel", "DOWNLOADED", id="profile"), pytest.param("appointment-cancel", "EN-ROUTE", id="visit")]
)
def test_what_is_under_way_cannot_be_taken_back(step: str, code: str) -> None:
    """A few profiles were downloaded and a few fitters are on the road; asking again changes nothing."""
    late = [n for n, answer in enumerate(submitted(step)) if answer == RefusedBy(code)]
    assert_near(len(late), 3.0 * 0.977)
    again = kinds(partner_of(step).submit(asked(step, n, attempt=2)) for n in late)
    assert set(again) <= {code, "UNAVAILABLE", "PERMANENT", "Unknown"}
    assert again[code] > 0.9 * len(late)


WINDOW = "2026-01-06T09:00:00Z"
LATER = MONDAY + timedelta(days=1)
ANSWERS = [
    pytest.param((), False, id="not-due-yet"),
    pytest.param((Accepted("PCL-1", LATER),), True, id="taken"),
    pytest.param((Unknown(LATER),), True, id="silent"),
    pytest.param((RefusedBy("WRONG-ADDRESS"),), False, id="refused"),
    pytest.param((Failed("UNAVAILABLE"),), False, id="away"),
    pytest.param((Unknown(LATER), NeverHeard()), False, id="silent-then-never-heard"),
    pytest.param((Unknown(LATER),) * (SILENCES_MAX + 1), True, id="silent-for-ever"),
    pytest.param((Accepted("PCL-1", LATER), Failed("LOST")), False, id="taken-and-lost"),
    pytest.param((RefusedBy("never seen before"),), True, id="an-answer-nobody-understood"),
    pytest.param((Answered(),), True, id="done"),
]


@pytest.mark.parametrize(("answers", "sent"), ANSWERS)
def test_whether_a_partner_may_have_a_request(answers: tuple[Answer, ...], sent: bool) -> None:
    """What is known not to be with the courier, or lost by it, can be cancelled; what it has, brought, or may have cannot."""
    story = Story(item(characteristics={"simType": "physical"})).run(until="delivery")
    due_at = story.agenda["1", "delivery"].due_at
    now = due_at if answers else due_at - timedelta(minutes=30)
    for answer in answers:
        story.attend("delivery", "1", answer)
    assert story.work("1", "delivery").with_partner("delivery", now) == sent
    if story.state.record("1", "activation").sent_from is None:
        story.cancel(at=now)
        assert ("cancellation.refused" in story.names()) == sent


@pytest.mark.parametrize(("seconds_before", "refused"), [pytest.param(61, False, id="in-time"), pytest.param(59, True, id="too-near")])
def test_a_request_about_to_fall_due_counts_as_sent(seconds_before: int, refused: bool) -> None:
    """Who decides now writes a little later, and a worker may have sent it by then."""
    story = Story(item(characteristics={"simType": "physical"})).run(until="delivery")
    story.cancel(at=story.agenda["1", "delivery"].due_at - timedelta(seconds=seconds_before))
    assert ("cancellation.refused" in story.names()) == refused
