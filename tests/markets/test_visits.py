"""The days that a customer may choose for a fitter's visit, and why others are refused."""

from datetime import UTC, date, datetime

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.markets.base import Market, is_working_day
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.markets.visits import VISITS, visit_days, visit_flaw, visit_rules

MONDAY = datetime(2026, 1, 5, 10, tzinfo=UTC)
BEFORE_EASTER = datetime(2026, 3, 30, 10, tzinfo=UTC)
"""Good Friday is 3 April, Easter Monday the 6th (gov.uk/bank-holidays)."""
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 1), timezones=st.just(UTC))


def test_every_market_names_its_source() -> None:
    """Terms without a source are nobody's."""
    assert VISITS.keys() == {"GB", "NL"}
    assert all(rules.source for rules in VISITS.values())


@pytest.mark.parametrize(
    ("at", "day", "window", "why"),
    [
        pytest.param(MONDAY, "2026-01-07", "", "", id="the first day"),
        pytest.param(MONDAY, "2026-01-20", "morning", "", id="a morning"),
        pytest.param(MONDAY, "2026-01-20", "any", "", id="any time"),
        pytest.param(MONDAY, "2026-01-27", "", "", id="the last day"),
        pytest.param(MONDAY, "2026-01-28", "", "too far ahead", id="too far"),
        pytest.param(MONDAY, "2026-01-06", "", "too soon", id="tomorrow is too soon"),
        pytest.param(MONDAY, "2026-01-05", "", "not to come", id="today"),
        pytest.param(MONDAY, "2026-01-02", "", "not to come", id="past"),
        pytest.param(MONDAY, "2026-01-11", "", "no working day", id="Sunday"),
        pytest.param(MONDAY, "2026-01-10", "", "no working day", id="Saturday"),
        pytest.param(BEFORE_EASTER, "2026-04-03", "", "no working day", id="Good Friday"),
        pytest.param(BEFORE_EASTER, "2026-04-06", "", "no working day", id="Easter Monday"),
        pytest.param(BEFORE_EASTER, "2026-04-07", "", "", id="after Easter"),
        pytest.param(MONDAY, "2026-01-20", "night", "no window of that name", id="no window"),
        pytest.param(MONDAY, "20260120", "", "a date such as", id="without dashes"),
        pytest.param(MONDAY, "2026-01-32", "", "a date such as", id="no date"),
        pytest.param(MONDAY, "", "morning", "a date such as", id="a window of no day"),
    ],
)
def test_a_day_is_refused_in_words(at: datetime, day: str, window: str, why: str) -> None:
    """Why no fitter comes; nothing where he does."""
    flaw = visit_flaw(GB, day, window, at)
    assert (why in flaw) is True
    assert bool(flaw) is bool(why)


def test_an_order_that_may_begin_later_is_visited_later() -> None:
    """The days begin with the first working one on which work may begin: 17 January is a Saturday."""
    assert visit_days(GB, MONDAY, not_before="2026-01-17")[0] == "2026-01-19"
    assert "too soon" in visit_flaw(GB, "2026-01-16", "", MONDAY, not_before="2026-01-17")


@hypothesis.given(st.sampled_from([GB, NL]), moments)
def test_what_is_offered_can_be_chosen(market: Market, at: datetime) -> None:
    """At least five working days, in order, each of them taken in every window."""
    days = visit_days(market, at)
    assert len(days) >= 5
    assert list(days) == sorted(set(days))
    assert all(is_working_day(market.calendar, date.fromisoformat(day)) for day in days)
    assert all(visit_flaw(market, day, window, at) == "" for day in days for window in visit_rules(market).windows)
