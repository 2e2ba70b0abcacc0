"""What users of other billing systems complain about, each as a case of ours.

Source: billing facts, section 6.2: the issue is named in each test.
"""

from dataclasses import replace

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing import notes
from o2c.invoicing.events import CreditNoteIssued, InvoiceIssued
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.rules import bill
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn
from o2c.kernel.money import from_minor
from o2c.kernel.work import Work
from o2c.views.paper.content import paper_of_invoice
from o2c.views.paper.en16931 import broken
from o2c.views.paper.ubl import ubl_of
from tests.charges import ORDER, STREAM, account, charge, run, told
from tests.given import BOOK, CUSTOMER, MONDAY
from tests.noted import in_notes

CHANGED = "2026-01-20"


def anew(item: str, recurring_minor: int) -> ChargeStarted:
    """A charge that takes the place of another one on the day of the change."""
    return charge(CHANGED, item=item, recurring_minor=recurring_minor).model_copy(update={"product": f"{ORDER}:1"})


def ended(item: str) -> ChargeWithdrawn:
    return ChargeWithdrawn(order=ORDER, item=item, ended_on=CHANGED, served=True, by_product=True)


def of(state: InvoiceState) -> Work:
    """The work on an invoice."""
    return INVOICE.work(state, "invoice-1", "", "payment", BOOK)


def second_bill(*events: ChargeStarted | ChargeWithdrawn) -> list[tuple[str, str, str, int]]:
    """What the bill of 8 February charges, after that of 8 January charged the first plan in advance."""
    state, first = run(account(charge("2026-01-01")))
    assert first is not None
    return told(run(account(*events, state=state))[1])


def test_two_changes_on_one_day_are_billed_once() -> None:
    """Free, then paid, then another paid plan on one day: each day has one price, and the account goes on (killbill #877 and #783)."""
    lines = second_bill(anew("2", 0), ended("1"), anew("3", 2999), ended("2"))

    assert lines == [("part-period", CHANGED, "2026-02-08", 1838), ("period", "2026-02-08", "2026-03-08", 2999)]  # 19 of 31 days at 29.99


def test_there_and_back_on_one_day_costs_what_it_did() -> None:
    """A change that is taken back at once leaves no day with two prices (killbill #877)."""
    lines = second_bill(anew("2", 2999), ended("1"), anew("3", 1999), ended("2"))

    assert [(start, end) for _, start, end, _ in lines] == [(CHANGED, "2026-02-08"), ("2026-02-08", "2026-03-08")]


def test_what_was_free_is_repaired_too() -> None:
    """A plan that costs nothing and ends leaves nothing to credit, and no run that comes again for it (killbill #783 and #640)."""
    state, first = run(account(charge("2026-01-01", recurring_minor=0)))
    assert first is None
    state = account(anew("2", 2999), ended("1"), state=state)
    state, second = run(state)

    assert told(second)[0] == ("part-period", CHANGED, "2026-02-08", 1838)
    assert [line for line in told(run(state)[1]) if line[1] < "2026-03-08"] == []


def test_a_run_that_is_repeated_is_the_same_invoice() -> None:
    """A run that was cut off before it was taken down makes the same lines under the same number, which a guard has once (killbill #640)."""
    state = account(charge("2026-01-05"))

    def decided() -> tuple[InvoiceIssued, tuple[str, str]]:
        decision = bill(replace(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK), read={"customer-C-1001": CUSTOMER}), {}, MONDAY)
        [issued] = [event for _, event in decision.elsewhere if isinstance(event, InvoiceIssued)]
        [guard] = decision.takes
        return issued, (guard.kind, guard.key)

    assert decided() == decided()
    assert decided()[1] == ("invoice", decided()[0].number)


def test_what_was_credited_is_not_billed_again() -> None:
    """A line that a person credited in full stays credited: the next bill has the next days alone (killbill #154)."""
    state, first = run(account(charge("2026-01-05")))
    assert first is not None
    note = notes.request(
        of(InvoiceState(issued=first)), lines=None, reason="goodwill", comment="", author="ann", at=MONDAY, begun_by=MONDAY
    )
    assert note.events

    assert [start for _, start, _, _ in told(run(state)[1])] == ["2026-02-08"]


def left_and_credited(price_minor: int, ended_on: str) -> tuple[int, int, int]:
    """Of a bill of one period at a price, whose service ends on a day: the net of the note for the days that were not served, that of a second one for all that is left,
    and by how much the two differ from the invoice."""
    issued = run(account(charge("2025-12-07", price_minor)))[1]
    assert issued is not None
    state = INVOICE.evolve(InvoiceState(), issued)
    first = notes.unserved(of(state), order=ORDER, item="1", ended_on=ended_on, at=MONDAY)
    for event in first.events:
        state = INVOICE.evolve(state, event)
    state, rest = in_notes(state, [None])
    noted = [event for event in (*first.events, *rest) if isinstance(event, CreditNoteIssued)]
    return noted[0].net_minor, rest[0].net_minor, sum(note.total_minor for note in noted) - issued.total_minor


@pytest.mark.parametrize(
    ("price_minor", "ended_on", "credited"),
    [
        pytest.param(100, "2025-12-18", 68, id="ten-of-31-days-at-1.00"),  # kept 32.26 of 100
        pytest.param(1999, "2025-12-20", 1225, id="twelve-of-31-days-at-19.99"),  # kept 773.81
        pytest.param(24_995, "2025-12-18", 16_932, id="ten-of-31-days-at-249.95"),  # kept 8062.90
    ],
)
def test_what_was_rounded_is_held_against_what_was_rounded(price_minor: int, ended_on: str, credited: int) -> None:
    """A part by days is no whole number of pennies: what is credited of a line and what stays of it are, make it up, and are not found to be too much
    (killbill #1124 and #1125: the unrounded amounts were compared)."""
    note, _, differs = left_and_credited(price_minor, ended_on)

    assert (note, differs) == (credited, 0)


@hypothesis.given(price_minor=st.integers(2, 30_000), day=st.integers(0, 30))
def test_no_price_and_day_are_found_to_be_too_much(price_minor: int, day: int) -> None:
    """Whatever it costs and whenever it ends: two notes come to the invoice to the penny, and neither is refused (killbill #1124 and #1125)."""
    issued = run(account(charge("2025-12-07", price_minor)))[1]
    assert issued is not None
    state, ended_on = INVOICE.evolve(InvoiceState(), issued), f"2025-12-{8 + day:02d}" if day < 24 else f"2026-01-{day - 23:02d}"
    for event in notes.unserved(of(state), order=ORDER, item="1", ended_on=ended_on, at=MONDAY).events:
        state = INVOICE.evolve(state, event)
    if state.noted.total_minor < issued.total_minor:
        state, _ = in_notes(state, [None])

    assert state.noted.total_minor == issued.total_minor


def test_a_credit_is_for_what_was_billed_and_for_no_charge_of_later() -> None:
    """15 of 31 days at 31.00 that were billed in advance go back; a line that was added in the same period is on the next bill with all of its days, and lowered by nothing
    (lago-api #4436: what was billed ahead was credited against charges that came later)."""
    state, first = run(account(charge("2026-01-07", 3100)))
    assert first is not None
    invoice = INVOICE.evolve(InvoiceState(), first)
    ended_on = ChargeWithdrawn(order=ORDER, item="1", ended_on="2026-01-24", served=True)
    _, second = run(account(charge("2026-01-20", 3100, item="2"), ended_on, state=state))
    noted = [notes.unserved(of(invoice), order=ORDER, item=item, ended_on="2026-01-24", at=MONDAY) for item in ("1", "2")]

    assert [(line.item, line.net_minor) for event in noted[0].events if isinstance(event, CreditNoteIssued) for line in event.lines] == [
        ("1", 1500)
    ]
    assert not noted[1]
    assert told(second) == [("part-period", "2026-01-20", "2026-02-08", 1900), ("period", "2026-02-08", "2026-03-08", 3100)]


@pytest.mark.parametrize(("currency", "net", "tax", "total"), [("GBP", "19.99", "4.00", "23.99"), ("CLP", "1999", "400", "2399"), ("BHD", "1.999", "0.400", "2.399")])  # fmt: skip
def test_amounts_have_the_decimals_of_their_currency(currency: str, net: str, tax: str, total: str) -> None:
    """A currency without minor unit is billed in whole ones, one with three decimals in thousandths, on the page as well (killbill #1082)."""
    state: AccountState = account(charge("2025-12-15").model_copy(update={"currency": currency}))
    state, _ = run(state)
    _, issued = run(state)
    assert issued is not None

    assert [from_minor(minor, currency) for minor in (issued.net_minor, issued.tax_minor, issued.total_minor)] == [net, tax, total]
    paper = paper_of_invoice(issued)
    assert f">{total}</" in ubl_of(paper)
    assert [rule for rule in broken(ubl_of(paper)) if rule != "BR-DEC"] == []
