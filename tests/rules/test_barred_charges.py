"""Days on which a line is barred and not charged, by the rules of bills: of any period, billed in parts by days, and never twice."""

from datetime import date, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing import notes
from o2c.invoicing.charge import Charge, Rest
from o2c.invoicing.events import CreditDue, CreditNoteIssued, InvoiceIssued
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.rules import charge_lines
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import ChargeRested, ChargeResumed, PriceTerms
from o2c.kernel.periods import Period
from tests.charges import ORDER, account, charge, run, told
from tests.given import BOOK, MONDAY

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


PRICE = 24_995


def billed() -> tuple[AccountState, InvoiceIssued]:
    """A line at 249.95 a month, billed in advance for the 31 days from 8 December on."""
    state, issued = run(account(charge("2025-12-07", PRICE)))
    assert issued is not None
    assert told(issued)[-1] == ("period", "2025-12-08", "2026-01-08", PRICE)
    return state, issued


def barred(state: AccountState) -> AccountState:
    """It is barred on its eleventh day by a policy that gives such days back, as the account is told."""
    return account(ChargeRested(order=ORDER, item="1", rested_from="2025-12-18", credited=True), state=state)


def serving(state: AccountState, on: str) -> AccountState:
    return account(ChargeResumed(order=ORDER, item="1", resumed_on=on), state=state)


def credited(issued: InvoiceIssued) -> int:
    """What the invoice gives back for the days from the bar on, net."""
    state = INVOICE.evolve(InvoiceState(), issued)
    due = CreditDue(invoice=issued.number, order=ORDER, item="1", ended_on="2025-12-18")
    work = INVOICE.work(state, f"invoice-{issued.number}", "", "payment", BOOK)
    [note] = notes.unserved(work, order=due.order, item=due.item, ended_on=due.ended_on, at=MONDAY).events
    assert isinstance(note, CreditNoteIssued)
    return note.net_minor


def test_case_k18_days_of_a_bar_within_the_period_are_credited() -> None:
    """Of 31 days at 249.95 those from the 11th to the 20th were barred: 80.63 is credited, and the next period costs the whole price. By us in two steps: what is left
    of the period is credited as it is barred, and what is served of it after all is on the next bill.

    Source: billing facts, section 6.4, lesson 9 (K18); Kill Bill, beatrix, TestOverdueIntegration: the bar is over before the period is.
    """
    state, issued = billed()
    _, again = run(serving(barred(state), "2025-12-28"))
    lines = told(again)
    assert lines == [("part-period", "2025-12-28", "2026-01-08", 8_869), ("period", "2026-01-08", "2026-02-08", PRICE)]
    assert credited(issued) - lines[0][3] == 8_063


@pytest.mark.parametrize(
    ("serves_on", "next_bill"),
    [
        pytest.param("2026-01-08", ("period", "2026-01-08", "2026-02-08", PRICE), id="to the day of the bill"),
        pytest.param("2026-01-09", ("part-period", "2026-01-09", "2026-02-08", 24_189), id="a day into the next period"),
    ],
)
def test_case_k19_a_bar_up_to_the_end_of_the_period_or_beyond(serves_on: str, next_bill: tuple[str, str, str, int]) -> None:
    """The 21 days from the bar on are credited, 169.32 of 249.95; the next bill has the days from when it serves: all 31, or 30 of 31 for 241.89. While it is barred no
    bill has any of its days.

    Source: billing facts, section 6.4, lesson 9 (K19); Kill Bill, beatrix, TestOverdueIntegration: the bar is over on the day of the bill, and a day after it.
    """
    state, issued = billed()
    assert credited(issued) == 16_932
    state = barred(state)
    if serves_on > "2026-01-08":
        state, nothing = run(state)
        assert nothing is None
    assert next_bill in told(run(serving(state, serves_on))[1])
