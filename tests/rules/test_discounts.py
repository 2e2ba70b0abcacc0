"""Discounts: what they take off, on which days, which of several count, and what a bill says of them."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing import notes
from o2c.invoicing.events import InvoiceIssued
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import ChargeStarted
from o2c.kernel.discounts import Discount, counted, held, in_order, off_a_period, reductions
from o2c.kernel.money import half_up
from o2c.kernel.periods import Period
from o2c.ledger.postings import postings_of
from o2c.views.paper.content import paper_of_invoice, paper_of_note
from o2c.views.paper.en16931 import broken
from o2c.views.paper.page import page_of
from o2c.views.paper.ubl import ubl_of
from tests.charges import ORDER, account, charge, run, told
from tests.given import BOOK, MONDAY

DAY = date(2026, 1, 5)


def off(name: str = "WELCOME", percent: str = "20", **changes: Any) -> Discount:
    """A fifth off for good, unless said otherwise."""
    return Discount.model_validate({"name": name, "percent": "" if "amount_minor" in changes else percent, **changes})


def less(*discounts: Discount, starts_on: str = "2026-01-05", **changes: Any) -> ChargeStarted:
    """A charge with discounts."""
    made = charge(starts_on, **{name: changes.pop(name) for name in ("recurring_minor", "one_time_minor") if name in changes})
    return made.model_copy(update={"terms": made.terms.model_copy(update={"discounts": discounts, **changes})})


def bills(count: int, *charges: ChargeStarted) -> list[InvoiceIssued]:
    """The first bills of an account."""
    state, found = account(*charges), []
    for _ in range(count):
        state, issued = run(state)
        assert issued is not None
        found.append(issued)
    return found


@pytest.mark.parametrize(
    ("discount", "lines"),
    [
        # 19.99 a month from 5 January, billed on the 8th: 3 of 31 days (1.93) and a month in advance.
        pytest.param(off(), [("2026-01-05", "2026-01-08", -39), ("2026-01-08", "2026-02-08", -400)], id="a-fifth-with-the-charge"),  # 0.3869; 3.998
        pytest.param(off(percent="100"), [("2026-01-05", "2026-01-08", -193), ("2026-01-08", "2026-02-08", -1999)], id="free"),
        pytest.param(off(starts="bill"), [("2026-01-08", "2026-02-08", -400)], id="from-the-first-bill-day"),
        pytest.param(off(starts="day", from_day="2026-01-20"), [("2026-01-20", "2026-02-08", -245)], id="from-a-day-19-of-31"),  # 245.04
        pytest.param(off(starts="day", from_day="2025-12-01"), [("2026-01-05", "2026-01-08", -39), ("2026-01-08", "2026-02-08", -400)], id="a-day-before"),
        pytest.param(off(starts="day", from_day="2026-03-01"), [], id="a-day-to-come"),
        pytest.param(off(amount_minor=500), [("2026-01-05", "2026-01-08", -48), ("2026-01-08", "2026-02-08", -500)], id="five-pounds-by-days"),  # 48.39
        pytest.param(off(amount_minor=9999), [("2026-01-05", "2026-01-08", -193), ("2026-01-08", "2026-02-08", -1999)], id="never-below-nothing"),
        pytest.param(off(lasts_length=1), [("2026-01-05", "2026-01-08", -39), ("2026-01-08", "2026-02-05", -361)], id="a-month-28-of-31-days"),  # 361.11
        pytest.param(off(lasts_length=2, lasts_unit="week"), [("2026-01-05", "2026-01-08", -39), ("2026-01-08", "2026-01-19", -142)], id="two-weeks"),  # 141.86
        pytest.param(off(of="one-time"), [], id="on-a-price-that-there-is-not"),
    ],
)  # fmt: skip
def test_a_discount_is_prorated_with_what_it_reduces(discount: Discount, lines: list[tuple[str, str, int]]) -> None:
    """Each stands behind its line, names it, and is half-up once on the exact share."""
    [issued] = bills(1, less(discount))
    found = [line for line in issued.lines if line.kind == "discount"]
    assert [(line.from_day, line.to_day, line.net_minor) for line in found] == lines
    for line in found:
        of = issued.lines[line.of_line - 1]
        assert of.kind in ("period", "part-period")
        assert (line.item, line.tax_group, line.tax_percent, line.discount) == (of.item, of.tax_group, of.tax_percent, discount.name)
        assert of.from_day <= line.from_day < line.to_day <= of.to_day
    assert issued.net_minor == sum(line.net_minor for line in issued.lines) == 193 + 1999 + sum(minor for *_, minor in lines)
    assert issued.tax_minor == half_up(Fraction(issued.net_minor, 5))


def test_a_price_that_is_charged_once_has_its_own_discounts() -> None:
    """Half the fee, and nothing of the month."""
    [issued] = bills(1, less(off("NO FEE", "50", of="one-time"), one_time_minor=1000))
    assert told(issued)[:2] == [("one-time", "2026-01-05", "2026-01-05", 1000), ("discount", "2026-01-05", "2026-01-05", -500)]
    assert [line.of_line for line in issued.lines] == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("discounts", "off_minor"),
    [
        pytest.param([off("a", "10"), off("b", "50")], [200, 900], id="stacked-by-name-each-on-what-is-left"),
        pytest.param([off("a", "10", priority=2), off("b", amount_minor=999, priority=1)], [100, 999], id="stacked-by-priority"),
        pytest.param([off("a", "10", combines="best-of"), off("b", "20", combines="best-of")], [0, 400], id="the-best"),
        pytest.param([off("a", "10", combines="best-of"), off("b", amount_minor=100, combines="best-of"), off("c", "50")], [200, 0, 900], id="the-best-and-beside"),
        pytest.param([off("a", "10", combines="exclusive"), off("b", "90"), off("c", "95", combines="best-of")], [200, 0, 0], id="alone"),
        pytest.param([off("a", "10", combines="exclusive", priority=5), off("b", "20", combines="exclusive")], [0, 400], id="the-first-that-is-alone"),
        pytest.param([off("a", "60"), off("b", amount_minor=5000), off("c", "10")], [1199, 800, 0], id="in-all-never-below-nothing"),
    ],
)  # fmt: skip
def test_of_several_discounts_count_those_that_their_rule_says(discounts: list[Discount], off_minor: list[int]) -> None:
    """On 19.99: exclusive before best-of, the others in their order on what is left."""
    [issued] = bills(1, less(*discounts, starts_on="2026-01-01"))
    whole = next(place for place, line in enumerate(issued.lines, 1) if line.kind == "period")
    found = {line.discount: -line.net_minor for line in issued.lines if line.of_line == whole}
    assert [found.get(one.name, 0) for one in discounts] == off_minor
    assert off_a_period(discounts, of="recurring", price_minor=1999) == sum(off_minor)


def test_a_rest_begins_no_discount_anew() -> None:
    """Three months off from 5 November end on 5 February, though the charge began anew on 20 January; its end is told with that bill."""
    anew = less(off(lasts_length=3), starts_on="2026-01-20").model_copy(update={"since": "2025-11-05"})
    [issued] = bills(1, anew)
    found = [(line.from_day, line.to_day) for line in issued.lines if line.kind == "discount"]

    assert found == [("2026-01-20", "2026-01-22"), ("2026-01-22", "2026-02-05")]
    assert [one.ends_on for one in issued.endings] == ["2026-02-05"]


def test_the_end_stands_on_the_bill_before_it() -> None:
    """Three months from 8 January end on 8 April: the bill of 8 March, the last one before, says so; no other does, and from 8 April the price is whole."""
    issued = bills(5, less(off(lasts_length=3, starts="bill")))
    assert [(one.issued_on, [(end.discount, end.ends_on) for end in one.endings]) for one in issued] == [
        ("2026-01-08", []), ("2026-02-08", []), ("2026-03-08", [("WELCOME", "2026-04-08")]), ("2026-04-08", []), ("2026-05-08", []),
    ]  # fmt: skip
    assert [sum(line.kind == "discount" for line in one.lines) for one in issued] == [1, 1, 1, 0, 0]


@pytest.mark.parametrize(("lasts", "announced"), [({"lasts_unit": "day", "lasts_length": 10}, "2026-01-08"), ({"lasts_length": 1}, "2026-01-08"),
                                                  ({"lasts_length": 2}, "2026-02-08"), ({}, "")])  # fmt: skip
def test_an_end_within_a_period_is_announced_as_that_period_is_billed(lasts: dict[str, Any], announced: str) -> None:
    """Once, and never for one that is for good."""
    issued = bills(4, less(off(**lasts)))
    assert [one.issued_on for one in issued if one.endings] == [day for day in [announced] if day]


def test_a_yearly_price_announces_the_end_with_the_year_that_has_it() -> None:
    """A service with periods of its own is billed once a year: that bill is the last one before the end."""
    year = less(off(lasts_length=6), starts_on="2026-01-05", period_unit="year", recurring_minor=12_000)
    [issued] = bills(1, year)
    assert [one.ends_on for one in issued.endings] == ["2026-07-05"]
    assert told(issued) == [
        ("period", "2026-01-05", "2027-01-05", 12_000),
        ("discount", "2026-01-05", "2026-07-05", -1190),
    ]  # 181 of 365: 1190.14


def test_papers_name_the_discount_and_its_end() -> None:
    """Page and UBL: a line below nothing, valid by EN 16931 (its price is never below nothing, BR-27), and the notice as a note."""
    issued = bills(3, less(off(lasts_length=3, starts="bill")))[-1].model_copy(update={"legal_number": "GB1-INV-2026-000003"})
    paper = paper_of_invoice(issued)
    assert broken(ubl_of(paper)) == []
    notice = "The discount WELCOME on mobile-line ends: from 2026-04-08 on it is charged without it."
    for document in (ubl_of(paper), page_of(paper)):
        assert "Discount WELCOME 20 % on mobile-line, 2026-03-08 to 2026-04-07" in document
        assert notice in document
    assert '<cbc:InvoicedQuantity unitCode="C62">-1</cbc:InvoicedQuantity>' in ubl_of(paper)


def ended(issued: InvoiceIssued, day: str) -> tuple[InvoiceState, int]:
    """The invoice after its service ended on a day, and what was credited, net."""
    state = INVOICE.evolve(INVOICE.initial(""), issued)
    decision = notes.unserved(
        INVOICE.work(state, f"invoice-{issued.number}", "", "payment", BOOK), order=ORDER, item="1", ended_on=day, at=MONDAY
    )
    for event in decision.events:
        state = INVOICE.evolve(state, event)
    credited = [event for event in decision.events if event.type_name == "credit-note.issued"]
    for note in credited:
        assert broken(ubl_of(paper_of_note(note.model_copy(update={"legal_number": "GB1-CRN-2026-000001"})))) == []
    return state, sum(note.net_minor for note in credited)


def test_what_is_not_served_is_credited_as_it_was_billed() -> None:
    """19.99 less a fifth for 31 days from 8 January, ended on the 20th: 19 of 31 days of each, 12.25 less 2.45."""
    [issued] = bills(1, less(off()))
    state, credited = ended(issued, "2026-01-20")
    assert credited == 1225 - 245
    assert state.noted.lines == {"3": 1225, "4": -245}
    again, more = ended(issued, "2026-02-08")
    assert (again.noted.lines, more) == ({}, 0)


def test_what_is_free_is_credited_with_nothing() -> None:
    """Nothing was billed for it, so nothing goes back, whatever halves were rounded."""
    [issued] = bills(1, less(off(percent="100")))
    assert [ended(issued, f"2026-01-{day:02}")[1] for day in range(8, 32)] == [0] * 24


DISCOUNTS = st.lists(
    st.builds(
        Discount,
        name=st.sampled_from("abcd"),
        percent=st.sampled_from(["", "0.5", "12.5", "33.333333", "100"]),
        amount_minor=st.integers(0, 3000),
        lasts_unit=st.sampled_from(["day", "week", "month"]),
        lasts_length=st.integers(0, 5),
        starts=st.sampled_from(["charge", "bill", "day"]),
        from_day=st.dates(date(2026, 1, 1), date(2026, 3, 31)).map(date.isoformat),
        priority=st.integers(0, 2),
        combines=st.sampled_from(["stackable", "best-of", "exclusive"]),
    ),
    max_size=4,
    unique_by=lambda one: one.name,
)


@hypothesis.given(DISCOUNTS, st.integers(0, 5000), st.dates(date(2026, 1, 1), date(2026, 2, 28)))
def test_no_line_is_ever_below_nothing_and_no_day_after_the_end_is_reduced(discounts: list[Discount], price: int, starts: date) -> None:
    """Four bills of any discounts: no line with what lowers it is below nothing, none is lowered on days that its discount has not, and the sums of the
    invoice and its postings balance."""
    state: AccountState = account(less(*discounts, starts_on=starts.isoformat(), recurring_minor=price, one_time_minor=7))
    for _ in range(4):
        state, issued = run(state)
        if issued is None:
            continue
        bill_day = date.fromisoformat(issued.issued_on).day
        for place, line in enumerate(issued.lines, 1):
            lowered = [one for one in issued.lines if one.of_line == place]
            assert line.kind == "discount" or line.net_minor + sum(one.net_minor for one in lowered) >= 0
            for one in lowered:
                discount = next(each for each in discounts if each.name == one.discount)
                span = held(discount, starts_on=starts, bill_day=bill_day)
                assert discount.starts == "bill" or span.start <= date.fromisoformat(one.from_day)
                assert span.end is None or date.fromisoformat(one.to_day) <= span.end
        assert sum(posting.amount_minor for posting in postings_of("invoice.issued", issued.model_dump(mode="json"))) == 0
        assert issued.net_minor >= 0


@hypothesis.given(DISCOUNTS, st.integers(0, 5000), st.integers(0, 31))
def test_what_goes_back_is_between_nothing_and_what_was_billed(discounts: list[Discount], price: int, after: int) -> None:
    """Whenever a service ends, the credit of its line and discounts is neither below nothing nor more than they came to."""
    state = account(less(*discounts, starts_on="2026-01-01", recurring_minor=price))
    _, issued = run(state)
    if issued is not None:
        _, credited = ended(issued, (date(2026, 1, 8) + timedelta(after)).isoformat())
        assert 0 <= credited <= issued.net_minor


@hypothesis.given(DISCOUNTS, st.integers(1, 5000), st.lists(st.integers(1, 30), min_size=1, max_size=3, unique=True))
def test_parts_of_a_period_are_reduced_as_the_whole_is(discounts: list[Discount], price: int, cuts: list[int]) -> None:
    """However a period is parted into lines, what discounts take off the parts is what they take off it all, but for a half of a penny each."""
    days = Period(DAY, DAY + timedelta(31))
    edges = sorted({days.start, days.end, *(DAY + timedelta(cut) for cut in cuts)})
    common: dict[str, Any] = {
        "of": "recurring",
        "price_minor": price,
        "net_minor": price,
        "whole_days": 31,
        "starts_on": DAY,
        "bill_day": 8,
    }
    whole = sum(one.minor for one in reductions(discounts, days=days, **common))
    parts = sum(one.minor for start, end in pairwise(edges) for one in reductions(discounts, days=Period(start, end), **common))
    assert abs(whole - parts) <= len(edges) * max(len(discounts), 1)


@hypothesis.given(DISCOUNTS, st.integers(0, 5000))
def test_what_counts_is_never_more_than_the_price(discounts: list[Discount], price: int) -> None:
    """An exclusive one is alone, of the best-of ones at most one counts, and all together take off no more than there is."""
    found = list(counted(in_order(discounts, "recurring"), Fraction(price)))
    assert 0 <= sum(cut for _, cut in found) <= price
    assert sum(one.combines == "best-of" for one, _ in found) <= 1
    assert len(found) == 1 or not any(one.combines == "exclusive" for one, _ in found)
