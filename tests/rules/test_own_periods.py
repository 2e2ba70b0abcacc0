"""Prices with a period of their own: charged whole, once a period, in the first run on or after the day it begins; and tax by price."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing.events import InvoiceIssued
from o2c.invoicing.rules import bill
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn, PriceTerms
from o2c.markets.base import TaxRate
from o2c.markets.gb import GB
from tests.charges import ORDER, STREAM, account, charge, run, told
from tests.given import BOOK, CUSTOMER, MONDAY

days = st.dates(date(2024, 1, 1), date(2029, 12, 31))


def own(starts_on: str, unit: str, length: int, minor: int, item: str = "1", once_minor: int = 0) -> ChargeStarted:
    """A charge with a period of its own."""
    return charge(starts_on, minor, once_minor, item).model_copy(update={"terms": PriceTerms(period_unit=unit, period_length=length)})


@pytest.mark.parametrize(
    ("started", "bills"),
    [
        pytest.param(
            own("2026-01-31", "month", 3, 3000, once_minor=500),
            {
                "2026-02-01": [("one-time", "2026-01-31", "2026-01-31", 500), ("period", "2026-01-31", "2026-04-30", 3000)],
                "2026-05-01": [("period", "2026-04-30", "2026-07-31", 3000)],
            },
            id="a-quarter-from-the-31st",
        ),
        pytest.param(
            own("2026-01-08", "year", 1, 12_000),
            {
                "2026-01-15": [("period", "2026-01-08", "2027-01-08", 12_000)],
                "2027-01-15": [("period", "2027-01-08", "2028-01-08", 12_000)],
            },
            id="a-year",
        ),
        pytest.param(
            own("2026-01-25", "week", 1, 700),
            {
                "2026-02-01": [("period", "2026-01-25", "2026-02-01", 700), ("period", "2026-02-01", "2026-02-08", 700)],
                "2026-03-01": [
                    ("period", "2026-02-08", "2026-02-15", 700),
                    ("period", "2026-02-15", "2026-02-22", 700),
                    ("period", "2026-02-22", "2026-03-01", 700),
                    ("period", "2026-03-01", "2026-03-08", 700),
                ],
            },
            id="a-week-that-begins-on-the-run-is-charged-in-advance",
        ),
        pytest.param(
            own("2026-01-31", "month", 2, 100),
            {"2026-02-01": [("period", "2026-01-31", "2026-03-31", 100)], "2026-04-01": [("period", "2026-03-31", "2026-05-31", 100)]},
            id="two-months-over-a-short-february",
        ),
    ],
)
def test_a_price_with_a_period_of_its_own_is_charged_once_a_period(started: ChargeStarted, bills: dict[str, list[Any]]) -> None:
    """In the first run on or after the day the period begins, whole; runs between have nothing to charge and make no invoice."""
    state, issued = account(started), {}
    while state.next_run <= max(bills):
        state, invoice = run(state)
        issued |= {invoice.issued_on: told(invoice)} if invoice else {}
    assert issued == bills


def test_a_monthly_charge_beside_a_yearly_one_keeps_its_cycle() -> None:
    """K2: from 17 February 2011 with bills on the 3rd, 14 of 28 days and the period in advance are 1.5 cycles; the year is charged once."""
    state = AccountState(account="BA-1001", next_run="2011-03-03", market="GB@2026-01")
    state = account(charge("2011-02-17", 1000), own("2011-02-17", "year", 1, 9000, "2"), state=state)
    state, first = run(state)
    assert told(first) == [
        ("part-period", "2011-02-17", "2011-03-03", 500),
        ("period", "2011-03-03", "2011-04-03", 1000),
        ("period", "2011-02-17", "2012-02-17", 9000),
    ]
    _, second = run(state)
    assert told(second) == [("period", "2011-04-03", "2011-05-03", 1000)]


def test_a_charge_told_late_is_billed_for_every_period_it_missed() -> None:
    """The run that sees it first charges all periods that have begun, each once."""
    state, _ = run(account(charge("2026-01-05", 700, 0, "0")))
    state = account(own("2025-12-10", "week", 2, 100), state=state)
    state, invoice = run(state)
    assert [line[:3] for line in told(invoice) if line[3] == 100] == [
        ("period", "2025-12-10", "2025-12-24"), ("period", "2025-12-24", "2026-01-07"), ("period", "2026-01-07", "2026-01-21"),
        ("period", "2026-01-21", "2026-02-04"), ("period", "2026-02-04", "2026-02-18"),
    ]  # fmt: skip
    _, next_invoice = run(state)
    assert [line[1] for line in told(next_invoice) if line[3] == 100] == ["2026-02-18", "2026-03-04"]


def test_a_withdrawn_yearly_charge_is_not_billed() -> None:
    """Withdrawn before its bill it is never billed; withdrawn after, no further year is."""
    early = account(own("2026-01-05", "year", 1, 9000), charge("2026-01-05", 700, 0, "2"), ChargeWithdrawn(order=ORDER, item="1"))
    _, invoice = run(early)
    assert {line.item for line in (invoice.lines if invoice else ())} == {"2"}
    state, _ = run(account(own("2026-01-05", "week", 1, 9000), charge("2026-01-05", 700, 0, "2")))
    _, later = run(account(ChargeWithdrawn(order=ORDER, item="1"), state=state))
    assert {line.item for line in (later.lines if later else ())} == {"2"}


def test_each_line_bears_the_tax_group_of_its_price() -> None:
    """The recurring and the one-time price of one service may be taxed otherwise; an invoice sums tax by group."""
    reduced = TaxRate("reduced", Decimal(5), date(2011, 1, 4), "a test's own")
    market = replace(GB, tax_rates=(*GB.tax_rates, reduced))
    started = charge("2026-01-05", 1000, 300).model_copy(update={"terms": PriceTerms(one_time_tax_group="reduced")})
    work = replace(ACCOUNT.work(account(started), STREAM, "", "bill-run", BOOK), read={"customer-C-1001": CUSTOMER}, market=market)
    [(_, issued)] = bill(work, {}, MONDAY).elsewhere
    assert isinstance(issued, InvoiceIssued)
    assert [(line.net_minor, line.tax_group) for line in issued.lines] == [(300, "reduced"), (97, "standard"), (1000, "standard")]
    assert issued.tax_minor == 15 + 219  # 5 % of 3.00; 20 % of 10.97: 219.4


@hypothesis.given(days, st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 15), st.integers(1, 16))
def test_own_periods_are_each_charged_once_without_gap(starts: date, unit: str, length: int, runs: int) -> None:
    """For any start and period: the periods billed are half-open, follow each other from the start on, are charged the price each, and reach
    beyond the last run, which is the first after each of them began. The bill cycle follows from the start."""
    state, lines, last_run = account(own(starts.isoformat(), unit, length, 100)), [], ""
    for _ in range(runs):
        state, invoice = run(state)
        lines += [(line.from_day, line.to_day, line.net_minor, invoice.issued_on) for line in invoice.lines] if invoice else []
        last_run = str(run_before(date.fromisoformat(state.next_run)))
    assert lines[0][0] == starts.isoformat()
    assert all(one[1] == two[0] for one, two in pairwise(lines))
    if (unit, length) != ("month", 1):
        assert all(from_day < to_day and minor == 100 for from_day, to_day, minor, _ in lines)
        assert lines[-1][0] <= last_run < lines[-1][1]
        assert all(
            from_day <= on < str(max(date.fromisoformat(from_day), starts + timedelta(1)) + timedelta(31)) for from_day, _, _, on in lines
        )


def run_before(day: date) -> date:
    """The run a month before a run."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=day.day)
