"""Papers of invoices and credit notes: what the law wants is on them, and the UBL keeps the rules of EN 16931."""

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing.events import CreditNoteIssued, InvoiceIssued
from o2c.invoicing.papers import tax_sums
from o2c.views.paper.content import Paper, paper_of_invoice, paper_of_note, quantity_text
from o2c.views.paper.en16931 import broken
from o2c.views.paper.page import page_of
from o2c.views.paper.pdf import pdf_of, sums
from o2c.views.paper.ubl import CAC, CBC, ubl_of
from tests.charges import account, charge, run
from tests.noted import in_notes, invoice


def an_invoice(**changes: Any) -> Paper:
    return paper_of_invoice(InvoiceIssued.model_validate({**InvoiceIssued.example, **changes}))


def a_note() -> Paper:
    return paper_of_note(CreditNoteIssued.model_validate(CreditNoteIssued.example))


def test_the_thirteen_particulars_are_on_the_page() -> None:
    """Number, tax point, date, supplier's name, address and VAT number, customer's name and address, and of each line description, quantity, unit
    price, rate and net; the sums of each rate, the tax and the totals. Source: VAT Regulations 1995, reg. 14(1); Directive 2006/112/EC, art. 226."""
    page = page_of(an_invoice())
    for particular in (
        *("GB1-INV-2026-000001", "Tax point", "2026-01-08", "Example Mobile Ltd", "1 Exchange Square", "GB123456782"),
        *("Ada Example", "1 Mill Lane", "mobile-line, 2026-01-08 to 2026-02-07", "1 month", "19.99", "20 %"),
        *("VAT 20 % on 19.99", "4.00", "Total GBP", "23.99"),
    ):
        assert particular in page


def test_the_tax_of_several_rates_is_said_in_all() -> None:
    """Regulation 14(1)(l): the total of the tax is a particular of its own, beside that of each rate; of one rate it is that."""
    state = invoice((10_000, "20"), (1_000, "5"))
    assert state.issued is not None
    told = sums(paper_of_invoice(state.issued))
    assert told[1:4] == (("VAT 20 % on 100.00", "20.00"), ("VAT 5 % on 10.00", "0.50"), ("VAT in all", "20.50"))
    assert "VAT in all" not in dict(sums(an_invoice()))


def test_a_bill_at_three_rates() -> None:
    """A line at each rate of the market: the sums of each group are its own, what is zero-rated is told as such, and the UBL keeps the rules."""
    events = []
    for item, group in enumerate(("standard", "reduced", "zero"), 1):
        one = charge("2026-01-08", 1999 + item, item=str(item))
        events.append(one.model_copy(update={"terms": one.terms.model_copy(update={"recurring_tax_group": group})}))
    _, issued = run(account(*events))
    assert issued is not None
    assert [(tax.percent, tax.category, tax.net_minor, tax.tax_minor) for tax in issued.taxes] == [
        *(("5", "S", 2453, 123), ("20", "S", 2452, 490), ("0", "Z", 2454, 0))
    ]
    paper = paper_of_invoice(issued.model_copy(update={"legal_number": "GB1-INV-2026-000001"}))
    assert broken(ubl_of(paper)) == []
    assert dict(sums(paper))["VAT in all"] == "6.13"


def test_a_bill_run_freezes_every_particular() -> None:
    """Of what a bill run issues, no particular is empty, and each line's price and quantity come to its net within half a minor unit."""
    _, issued = run(account(charge("2026-01-05", one_time_minor=1000)))
    assert issued is not None
    assert all((issued.series, issued.tax_point, issued.supplier.tax_id, issued.supplier.name, issued.supplier.address, issued.taxes))
    for part in issued.lines:
        assert all((part.description, part.quantity, part.unit, part.unit_price_minor, part.tax_percent, part.tax_category))
        assert abs(part.quantity * part.unit_price_minor - part.net_minor * part.price_per) * 2 <= part.price_per
    assert [quantity_text(line) for line in paper_of_invoice(issued).lines] == ["1", "3 days", "1 month"]
    assert broken(ubl_of(paper_of_invoice(issued.model_copy(update={"legal_number": "GB1-INV-2026-000001"})))) == []


@pytest.mark.parametrize(("reason", "says"), [("not-served", ", credited from 2026-01-20"), ("goodwill", "")])
def test_a_note_says_from_which_day_only_where_it_credits_days(reason: str, says: str) -> None:
    """An amount that is given for goodwill is for no days."""
    [line] = CreditNoteIssued.example["lines"]
    note = {**CreditNoteIssued.example, "reason": reason, "lines": [{**line, "from_day": "2026-01-20", "to_day": "2026-02-08"}]}
    [shown] = paper_of_note(CreditNoteIssued.model_validate(note)).lines
    assert shown.description == f"{line['description']}{says}"


def test_what_a_person_wrote_is_text_on_the_page() -> None:
    page = page_of(an_invoice(customer_name="<script>alert(1)</script>"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_pdf_is_the_same_each_time_and_has_a_page_for_many_lines() -> None:
    """Names with letters of other alphabets are set; sixty lines run over pages; the bytes are the same when it is made again."""
    [example] = InvoiceIssued.example["lines"]
    long = an_invoice(customer_name="Łukasz Čapek Жуков Ωδή", lines=[example] * 60)
    assert pdf_of(long) == pdf_of(long)
    assert pdf_of(long).count(b"/Type /Page\n") > pdf_of(an_invoice()).count(b"/Type /Page\n") == 1


@pytest.mark.parametrize(
    ("paper", "last"),
    [
        pytest.param(an_invoice(), ("To pay GBP", "23.99"), id="an invoice"),
        pytest.param(an_invoice(credit_used_minor=399), ("To pay GBP", "20.00"), id="covered in part"),
        pytest.param(paper_of_invoice(InvoiceIssued.model_validate(InvoiceIssued.example), void=True), ("To pay GBP", "0.00"), id="void"),
        pytest.param(a_note(), ("Total GBP", "14.39"), id="a credit note"),
    ],
)
def test_the_last_line_of_the_sums(paper: Paper, last: tuple[str, str]) -> None:
    assert sums(paper)[-1] == last


@pytest.mark.parametrize(
    "paper",
    [
        pytest.param(an_invoice(), id="an invoice"),
        pytest.param(an_invoice(credit_used_minor=399), id="covered in part"),
        pytest.param(an_invoice(credit_used_minor=2399), id="covered whole"),
        pytest.param(paper_of_invoice(InvoiceIssued.model_validate(InvoiceIssued.example), personal=False), id="without a name"),
        pytest.param(a_note(), id="a credit note"),
    ],
)
def test_ubl_keeps_the_rules(paper: Paper) -> None:
    assert broken(ubl_of(paper)) == []


@hypothesis.given(st.lists(st.tuples(st.integers(-30_000, 90_000), st.sampled_from(["20", "5", "17.5"])), min_size=1, max_size=6))
@hypothesis.settings(deadline=None)
def test_ubl_of_any_invoice_and_its_notes_keeps_the_rules(lines: list[tuple[int, str]]) -> None:
    """Whatever the lines, discounts among them, and at whatever rates: sums, tax by rate and totals are as the norm wants."""
    state = invoice(*lines)
    assert state.issued is not None
    assert state.issued.taxes == tax_sums(state.issued.lines)
    assert broken(ubl_of(paper_of_invoice(state.issued))) == []
    if all(net for net, _ in lines) and state.issued.net_minor > 0:
        _, notes = in_notes(state, [None])
        for note in notes:
            numbered = note.model_copy(update={"legal_number": "GB1-CRN-2026-000001"})
            assert broken(ubl_of(paper_of_note(numbered))) == []


def _set(path: str, text: str) -> Callable[[ET.Element], None]:
    def change(root: ET.Element) -> None:
        [element] = root.findall(path, {"cbc": CBC, "cac": CAC})
        element.text = text

    return change


def _drop(parent: str, name: str) -> Callable[[ET.Element], None]:
    def change(root: ET.Element) -> None:
        above = root if parent == "." else root.find(parent, {"cbc": CBC, "cac": CAC})
        assert above is not None
        for element in above.findall(name, {"cbc": CBC, "cac": CAC}):
            above.remove(element)

    return change


_TOTALS, _SUM, _LINE = "cac:LegalMonetaryTotal", "cac:TaxTotal/cac:TaxSubtotal", "cac:InvoiceLine"
_SELLER, _BUYER = "cac:AccountingSupplierParty/cac:Party", "cac:AccountingCustomerParty/cac:Party"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        pytest.param(_drop(".", "cbc:CustomizationID"), "BR-1", id="BR-1"),
        pytest.param(_drop(".", "cbc:ID"), "BR-2", id="BR-2"),
        pytest.param(_drop(".", "cbc:IssueDate"), "BR-3", id="BR-3"),
        pytest.param(_drop(".", "cbc:InvoiceTypeCode"), "BR-4", id="BR-4"),
        pytest.param(_drop(".", "cbc:DocumentCurrencyCode"), "BR-5", id="BR-5"),
        pytest.param(_drop(_SELLER, "cac:PartyLegalEntity"), "BR-6", id="BR-6"),
        pytest.param(_drop(_BUYER, "cac:PartyLegalEntity"), "BR-7", id="BR-7"),
        pytest.param(_drop(_SELLER, "cac:PostalAddress"), "BR-8", id="BR-8"),
        pytest.param(_drop(f"{_SELLER}/cac:PostalAddress", "cac:Country"), "BR-9", id="BR-9"),
        pytest.param(_drop(_BUYER, "cac:PostalAddress"), "BR-10", id="BR-10"),
        pytest.param(_drop(_SELLER, "cac:PartyTaxScheme"), "BR-CO-26", id="BR-CO-26"),
        pytest.param(_drop(_SELLER, "cac:PartyTaxScheme"), "BR-S-2", id="BR-S-2"),
        pytest.param(_drop(".", _LINE), "BR-16", id="BR-16"),
        pytest.param(_drop(_LINE, "cbc:InvoicedQuantity"), "BR-22", id="BR-22"),
        pytest.param(_drop(_LINE, "cac:Item"), "BR-CO-4", id="BR-CO-4"),
        pytest.param(_set(f"{_LINE}/cac:Price/cbc:PriceAmount", "-1"), "BR-27", id="BR-27"),
        pytest.param(_drop(_SUM, "cac:TaxCategory"), "BR-47", id="BR-47"),
        pytest.param(_set(f"{_TOTALS}/cbc:LineExtensionAmount", "19.98"), "BR-CO-10", id="BR-CO-10"),
        pytest.param(_set(f"{_TOTALS}/cbc:TaxExclusiveAmount", "19.98"), "BR-CO-13", id="BR-CO-13"),
        pytest.param(_set("cac:TaxTotal/cbc:TaxAmount", "4.01"), "BR-CO-14", id="BR-CO-14"),
        pytest.param(_set(f"{_TOTALS}/cbc:TaxInclusiveAmount", "24.00"), "BR-CO-15", id="BR-CO-15"),
        pytest.param(_set(f"{_TOTALS}/cbc:PayableAmount", "24.00"), "BR-CO-16", id="BR-CO-16"),
        pytest.param(_drop("cac:TaxTotal", "cac:TaxSubtotal"), "BR-CO-18", id="BR-CO-18"),
        pytest.param(_drop(".", "cbc:DueDate"), "BR-CO-25", id="BR-CO-25"),
        pytest.param(_set(f"{_SUM}/cac:TaxCategory/cbc:Percent", "5"), "BR-S-1", id="BR-S-1"),
        pytest.param(_set(f"{_SUM}/cac:TaxCategory/cbc:Percent", "0"), "BR-S-5", id="BR-S-5"),
        pytest.param(_set(f"{_SUM}/cbc:TaxableAmount", "19.98"), "BR-S-8", id="BR-S-8"),
        pytest.param(_set(f"{_SUM}/cbc:TaxAmount", "4.02"), "BR-S-9", id="BR-S-9"),
        pytest.param(_set(f"{_TOTALS}/cbc:PayableAmount", "23.990"), "BR-DEC", id="BR-DEC"),
    ],
)
def test_each_rule_is_seen_to_be_broken(change: Callable[[ET.Element], None], rule: str) -> None:
    """The control: a valid invoice with one thing wrong breaks the rule about it."""
    root = ET.fromstring(ubl_of(an_invoice()))
    change(root)
    assert rule in broken(ET.tostring(root, encoding="unicode"))


def test_an_invoice_of_before_the_particulars_breaks_what_it_lacks() -> None:
    old = {
        name: value
        for name, value in InvoiceIssued.example.items()
        if name not in ("supplier", "taxes", "legal_number", "series", "serial")
    }
    [example] = InvoiceIssued.example["lines"]
    bare = {name: example[name] for name in ("order", "item", "offering", "kind", "from_day", "to_day", "net_minor", "tax_group")}
    paper = paper_of_invoice(InvoiceIssued.model_validate({**old, "lines": [bare]}))
    assert (paper.number, paper.unit_price(paper.lines[0])) == ("BA-1001-20260108", "19.99")
    assert {"BR-6", "BR-CO-18", "BR-CO-4"} <= set(broken(ubl_of(paper)))
