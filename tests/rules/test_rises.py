"""The price of services that run rises with notice, from its day, for those who had them when it was announced."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.catalogue.events import PriceRiseAnnounced
from o2c.catalogue.rises import announce_rise
from o2c.catalogue.state import KIND, CatalogueState
from o2c.invoicing.events import InvoiceIssued
from o2c.invoicing.rules import bill
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.refusal import Refused
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from tests.charges import STREAM, account, charge, told
from tests.given import BOOK, CATALOGUE, CUSTOMER, MONDAY
from tests.rises import WISH


def rise(from_day: str, rise_minor: int = 150, announced_on: str = "2026-01-05", **changes: Any) -> PriceRiseAnnounced:
    values = {"offering": "mobile-line", "from_day": from_day, "rise_minor": rise_minor, "announced_on": announced_on, **changes}
    return PriceRiseAnnounced.model_validate({**PriceRiseAnnounced.example, **values})


def run(state: AccountState, *rises: PriceRiseAnnounced) -> tuple[AccountState, InvoiceIssued | None]:
    """The next bill run of an account under a catalogue with these rises."""
    read = {"customer-C-1001": CUSTOMER, "catalogue-main": CatalogueState(rises=rises)}
    decision = bill(replace(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK), read=read), {}, MONDAY)
    issued = next((event for _, event in decision.elsewhere if isinstance(event, InvoiceIssued)), None)
    return account(*decision.events, state=state), issued


def second(*rises: PriceRiseAnnounced, starts_on: str = "2026-01-01") -> list[tuple[str, str, str, int]]:
    """The lines of the second bill, of 8 February to 8 March, of a service that began before the announcement."""
    return told(run(run(account(charge(starts_on)))[0], *rises)[1])


@pytest.mark.parametrize(
    ("days", "refused"), [(30, ""), (45, ""), (29, "29 days are no notice of 30"), (0, "0 days"), (-5, "-5 days")]
)  # fmt: skip
def test_a_rise_takes_the_notice_of_its_market(days: int, refused: str) -> None:
    """Source: Ofcom General Conditions of Entitlement, C1.14: at least 30 days."""
    wish = {**WISH, "from_day": MONDAY.date() + timedelta(days)}
    if refused:
        with pytest.raises(Refused, match=refused):
            announce_rise(CATALOGUE, **wish)
        return
    [told] = announce_rise(CATALOGUE, **wish)
    assert (told.rise_minor, told.currency, told.exit_right, told.law) == (150, "GBP", True, GB.price_changes.source)
    assert announce_rise(KIND.evolve(CATALOGUE, told), **wish) == []


def test_each_market_has_its_notice() -> None:
    """Directive (EU) 2018/1972, art. 105(4): one month, whatever its length."""
    assert (GB.price_changes.notice_days, NL.price_changes.notice_days) == (30, 31)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"offering": "moon"}, "there is no offering moon in market GB"), ({"market": NL}, "no offering line in market NL"),
        ({"offering": "office"}, "no recurring price"), ({"rise_minor": 0}, "above nothing"), ({"rise_minor": -1}, "above nothing"),
    ],
)  # fmt: skip
def test_what_cannot_rise_is_refused(changes: dict[str, Any], why: str) -> None:
    """By name, and with what to do."""
    with pytest.raises(Refused, match=why):
        announce_rise(CATALOGUE, **{**WISH, **changes})


@pytest.mark.parametrize(
    ("from_day", "lines"),
    [
        ("2026-02-08", [("period", "2026-02-08", "2026-03-08", 2149)]),
        ("2026-03-08", [("period", "2026-02-08", "2026-03-08", 1999)]),
        # 14 of 28 days at 19.99 and 14 at 21.49.
        ("2026-02-22", [("part-period", "2026-02-08", "2026-02-22", 1000), ("part-period", "2026-02-22", "2026-03-08", 1075)]),
    ],
)  # fmt: skip
def test_a_rise_counts_from_its_day(from_day: str, lines: list[tuple[str, str, str, int]]) -> None:
    """A month in which it begins is charged in two parts, by days."""
    assert second(rise(from_day)) == lines


@pytest.mark.parametrize(
    "other",
    [
        rise("2026-02-08", offering="roaming"), rise("2026-02-08", market="NL"), rise("2026-02-08", announced_on="2026-01-01"),
        rise("2026-02-08", announced_on="2025-12-01"), rise("2026-02-08", period_unit="year"),
    ],
)  # fmt: skip
def test_a_rise_is_for_those_who_had_the_service_when_it_was_announced(other: PriceRiseAnnounced) -> None:
    """Another offering, market or period, and a service that began on the day or later, cost what they did."""
    assert second(other) == [("period", "2026-02-08", "2026-03-08", 1999)]


def test_a_rest_is_no_way_around_a_rise() -> None:
    """A charge that began anew after the announcement, and goes on with one of before, has the rise; without that it would cost what it did years ago."""
    anew = charge("2026-01-20")
    raised = rise("2026-02-08", announced_on="2026-01-10")
    bills = [run(account(each), raised)[1] for each in (anew.model_copy(update={"since": "2025-06-01"}), anew)]

    assert [told(issued)[-1] for issued in bills if issued] == [
        ("part-period", "2026-02-08", "2026-02-22", 971),  # 14 of 31 days at 21.49
        ("period", "2026-01-22", "2026-02-22", 1999),
    ]


def test_rises_add_up_and_bills_of_before_stay() -> None:
    """Two rises one after the other; what the first bill charged in advance is not charged again."""
    two = (rise("2026-02-15", 100), rise("2026-03-01", 50))
    assert [(start, minor) for _, start, _, minor in second(*two)] == [("2026-02-08", 500), ("2026-02-15", 1050), ("2026-03-01", 537)]
    assert second(rise("2026-01-20", 100)) == [("period", "2026-02-08", "2026-03-08", 2099)]


def test_a_yearly_price_rises_with_its_next_period() -> None:
    """A period of its own costs what holds on the day it begins."""
    yearly = charge("2026-01-02").model_copy(update={"terms": charge("2026-01-02").terms.model_copy(update={"period_unit": "year"})})
    billed, first = run(account(yearly), rise("2026-06-01", 500, "2026-02-01", period_unit="year"))
    assert [minor for *_, minor in told(first)] == [1999]
    for _ in range(12):
        billed, later = run(billed, rise("2026-06-01", 500, "2026-02-01", period_unit="year"))
    assert [minor for *_, minor in told(later)] == [2499]


@hypothesis.given(st.integers(1, 10**5), st.dates(date(2026, 2, 9), date(2026, 3, 7)))
def test_the_parts_of_a_month_are_its_days_at_their_prices(minor: int, day: date) -> None:
    """Each rounded half-up, so the whole is within a minor unit of the exact sum, and no day is charged twice or left out."""
    lines = second(rise(day.isoformat(), minor))
    assert [(start, end) for _, start, end, _ in lines] == [("2026-02-08", day.isoformat()), (day.isoformat(), "2026-03-08")]
    exact = 1999 + minor * (date(2026, 3, 8) - day).days / 28
    assert abs(sum(net for *_, net in lines) - exact) <= 1
