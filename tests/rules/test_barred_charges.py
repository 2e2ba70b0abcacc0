"""Days on which a line is barred and not charged, by the rules of bills: of any period, billed in parts by days, and never twice."""

from datetime import date, timedelta

import hypothesis
from hypothesis import strategies as st

from o2c.invoicing.charge import Charge, Rest
from o2c.invoicing.rules import charge_lines
from o2c.kernel.charges import PriceTerms
from o2c.kernel.periods import Period

START = date(2026, 1, 8)
offsets = st.lists(st.integers(0, 120), max_size=8).map(sorted)


def resting(days: list[int], **more: object) -> Charge:
    """A charge since the 8th of January that rests from the first of these days, counted from then, up to the second, and so on."""
    on = [(START + timedelta(day)).isoformat() for day in days]
    rests = tuple(Rest(one, credited=True, to_day=other) for one, other in zip(on[::2], on[1::2], strict=False))
    return Charge("o", "1", "lark-line", 9100, 0, START.isoformat(), rests=rests, **more)  # type: ignore[arg-type]  # names of its fields


def test_a_quarter_is_billed_without_the_days_of_a_bar() -> None:
    """A price of 91.00 a quarter of 90 days, barred on 30 of them: 30 and then 30 days, each its share."""
    charge = resting([30, 60], terms=PriceTerms(period_unit="month", period_length=3))
    found = [(line.from_day, line.to_day, line.net_minor) for line in charge_lines(charge, date(2026, 1, 15))]
    assert found == [("2026-01-08", "2026-02-07", 3033), ("2026-03-09", "2026-04-08", 3033)]


def test_a_quarter_billed_up_to_a_bar_goes_on_when_it_serves() -> None:
    """What was billed of the quarter stays, up to the bar; the days after it come with the next bill."""
    charge = resting([30, 60], terms=PriceTerms(period_unit="month", period_length=3), billed_to="2026-02-07", invoice="BA-1-20260115")
    found = [(line.from_day, line.to_day, line.net_minor) for line in charge_lines(charge, date(2026, 3, 15))]
    assert found == [("2026-03-09", "2026-04-08", 3033)]


@hypothesis.given(offsets)
def test_each_day_is_charged_unless_it_rests(days: list[int]) -> None:
    """Whatever days a charge rests on: those of a bill and those of its rests together are all days, and none is both."""
    charge = resting(days[: len(days) // 2 * 2])
    whole = Period(START, START + timedelta(100))
    charged = [day for part in charge.charged_days(whole) for day in range((part.start - START).days, (part.end - START).days)]
    rested = {day for one, other in zip(days[::2], days[1::2], strict=False) for day in range(one, min(other, 100))}
    assert charged == [day for day in range(100) if day not in rested]
