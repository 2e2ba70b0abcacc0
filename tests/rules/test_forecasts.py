"""How long each step normally takes, as it declares itself: a promise is made of these and of nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from o2c.kernel.work import Work
from o2c.orders.step import KIND as ORDER
from o2c.plan import PLANS, STEPS
from tests.given import BOOK, MONDAY, PORTING, Story, item

FRIDAY = datetime(2026, 4, 3, 10, tzinfo=UTC)
"""Good Friday 2026; Easter Monday follows."""


def started(**changes: Any) -> Story:
    return Story(item("1", characteristics={"simType": "physical", **PORTING}, **changes), item("2", "fibre")).run(until="sim")


def bare(story: Story, of: str, step: str) -> Work:
    return ORDER.work(story.state, story.stream, of, step, BOOK)


@pytest.mark.parametrize(
    ("step", "of", "at", "day"),
    [
        pytest.param("sim", "1", MONDAY, "2026-01-05", id="stock-is-taken-at-once"),
        pytest.param("delivery", "1", MONDAY, "2026-01-08", id="a-parcel-takes-three-working-days"),
        pytest.param("delivery", "1", FRIDAY, "2026-04-09", id="a-parcel-over-easter"),
        pytest.param("appointment", "2", MONDAY, "2026-01-13", id="a-fitter-comes-within-six"),
        pytest.param("appointment", "2", MONDAY + timedelta(days=4), "2026-01-19", id="a-fitter-over-a-weekend"),
        pytest.param("activation", "1", MONDAY, "2026-01-05", id="a-service-is-switched-on-at-once"),
        pytest.param("cutover", "1", MONDAY, "2026-01-09", id="a-number-on-the-working-day-after-its-parcel"),
    ],
)
def test_a_step_says_how_long_it_takes(step: str, of: str, at: datetime, day: str) -> None:
    """In working days of the market, from the time at which the step is asked for; before any other step has its outcome."""
    assert STEPS[step].expected(bare(started(), of, step), at).date().isoformat() == day


def test_every_step_of_a_plan_can_be_forecast_before_anything_is_done() -> None:
    """No forecast needs what an earlier step has yet to find out, and none lies before it is asked for."""
    story = started()
    for rows in PLANS.values():
        for step, _, _ in rows:
            assert STEPS[step].expected(bare(story, "1", step), MONDAY) >= MONDAY


def test_a_forecast_keeps_to_the_day_wished() -> None:
    """What may not begin before the 20th is not expected before it."""
    story = started(requestedStartDate="2026-01-20")
    assert STEPS["activation"].expected(bare(story, "1", "activation"), MONDAY) == datetime(2026, 1, 20, tzinfo=UTC)
