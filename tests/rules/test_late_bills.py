"""Late payment on bills: lines outside VAT that post as other income, a last bill of its own once the account has ended, and notes where less was owed."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from o2c.invoicing import late_payment
from o2c.invoicing.events import CreditNoteIssued, InvoiceIssued
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.rules import bill, streams_read
from o2c.invoicing.state import ACCOUNT, AccountState, bill_run
from o2c.kernel.arrears import ArrearsChanged, arrears, collection_stream
from o2c.kernel.charges import ChargeWithdrawn
from o2c.kernel.event import Event
from o2c.kernel.lateness import LateCharged, LatePaymentNoted
from o2c.kernel.work import Work
from o2c.ledger.postings import postings_of
from o2c.markets.base import Market
from o2c.markets.gb import GB
from o2c.views.paper.content import paper_of_invoice, paper_of_note
from o2c.views.paper.en16931 import broken
from o2c.views.paper.pdf import sums
from o2c.views.paper.ubl import CAC, CBC, ubl_of
from tests.charges import STREAM, account, charge
from tests.given import BOOK, CUSTOMER, MONDAY
from tests.noted import after
from tests.noted import work as of_invoice
from tests.owing import ACCOUNT as OWES
from tests.owing import Owing

LATE_INVOICE = "INV-1"
LAW: Any = GB.collections.late_interest
UNCHARGED = replace(GB, collections=replace(GB.collections, late_interest=replace(LAW, charged=False)))


def said(on: str, *, open: bool = True) -> LatePaymentNoted:
    return LatePaymentNoted(account="BA-1001", customer="C-1001", invoice=LATE_INVOICE, open=open, on=on)


def owes() -> Owing:
    """1,000.00 were due on 22 January 2026: 5.15 for the 16 days up to the bill of 8 February, and 70.00."""
    assert OWES == "BA-1001"
    return Owing().owes(100_000, LATE_INVOICE, business=True)


def running() -> AccountState:
    """A line since 5 January, billed on 8 January; an invoice is late."""
    state = account(charge("2026-01-05", 2_000))
    return account(*billed(state, owes(), read=False)[0], said("2026-01-23"), state=state)


def billed(
    state: AccountState, owing: Owing, market: Market = GB, *, read: bool = True
) -> tuple[tuple[Any, ...], InvoiceIssued | None, list[Any]]:
    """The next bill run: the account's events, the invoice, and what collections are told."""
    work = replace(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK), market=market)
    assert (collection_stream("BA-1001") in streams_read(work)) == read
    streams: dict[str, Any] = {"customer-C-1001": CUSTOMER, **({collection_stream("BA-1001"): owing.state} if read else {})}
    decision = bill(replace(work, read=streams), {}, MONDAY)
    invoices = [event for _, event in decision.elsewhere if isinstance(event, InvoiceIssued)]
    return decision.events, invoices[0] if invoices else None, [event for _, event in decision.elsewhere if isinstance(event, LateCharged)]


def lines(issued: InvoiceIssued | None) -> list[tuple[str, str, int, str, str]]:
    assert issued is not None
    return [(one.kind, one.of_invoice, one.net_minor, one.tax_category, one.tax_percent) for one in issued.lines]


def numbered(issued: InvoiceIssued) -> InvoiceIssued:
    return issued.model_copy(update={"legal_number": "GB1-INV-2026-000001"})


def posted(name: str, body: Any) -> dict[str, int]:
    told: dict[str, int] = {}
    for one in postings_of(name, body.model_dump(mode="json")):
        told[one.account] = told.get(one.account, 0) + one.amount_minor
    return told


def test_the_next_bill_has_it_beside_what_is_supplied() -> None:
    """Interest over its days and the fixed sum, without tax; they are no revenue, which is that of the month; VAT is on the month alone."""
    _, issued, told = billed(running(), owes())
    assert issued is not None

    assert lines(issued) == [
        ("period", "", 2_000, "S", "20"),
        ("late-interest", LATE_INVOICE, 515, "E", "0"),
        ("late-sum", LATE_INVOICE, 7_000, "E", "0"),
    ]
    assert (issued.net_minor, issued.tax_minor, issued.total_minor, issued.order) == (9_515, 400, 9_915, "order-1001")
    assert "16 days from 2026-01-23 to 2026-02-07 at 11.75 % a year" in issued.lines[1].description
    assert [(each.bill, each.interest_minor, each.fixed_minor) for each in told] == [(issued.number, 515, 7_000)]
    assert posted("invoice.issued", issued) == {"receivable": 9_915, "tax": -400, "deferred-revenue": -2_000, "other-income": -7_515}


def test_the_papers_of_it_keep_the_rules() -> None:
    """EN 16931 lets O stand on no invoice beside anything else (BR-O-11): there it is E, with its reason; people read that it is outside VAT."""
    _, issued, _ = billed(running(), owes())
    assert issued is not None
    paper = paper_of_invoice(numbered(issued))

    assert broken(document := ubl_of(paper)) == []
    assert "damages, which are outside the scope of VAT" in document
    assert ("Late payment, outside VAT, on 75.15", "0.00") in sums(paper)


def ended() -> AccountState:
    """The line ended on 10 January, and the final bill was made on 8 February; the invoice is late still."""
    withdrawn = ChargeWithdrawn(order="order-1001", item="1", ended_on="2026-01-10", served=True)
    state = account(withdrawn, state=running())
    return account(*billed(state, owes())[0], state=state)


def test_an_account_that_has_ended_gets_a_last_bill_of_its_own_once_nothing_is_open() -> None:
    """None while the invoice is open; paid on 3 June, the bill of the 8th has all days that are left, and nothing else: it is outside the scope of VAT."""
    state, owing = ended(), owes()
    owing.bills(17)
    assert (state.settled_on, state.due_run) == ("2026-02-08", "")

    over = account(said("2026-06-03", open=False), state=state)
    assert over.due_run == "2026-06-08"
    owing.pays(0, LATE_INVOICE, business=True, paid_on="2026-06-03")
    events, issued, _ = billed(over, owing)
    assert lines(issued) == [("late-interest", LATE_INVOICE, 4_249 - 515, "O", "0")]
    assert issued is not None
    assert (issued.tax_minor, issued.final, issued.order) == (0, False, "")
    assert posted("invoice.issued", issued) == {"receivable": 3_734, "other-income": -3_734}

    after_it = account(*events, state=over)
    assert (after_it.paid_late, after_it.due_run) == ({}, ""), "it is over, and no bill comes any more"


def test_the_day_on_which_a_bill_is_made_is_left_to_the_next() -> None:
    """What was paid on the day of the run: that day is late too, and the run has the days before it; the account waits for one more."""
    state = account(said("2026-02-08", open=False), state=running())
    events, _, _ = billed(state, owes())
    assert account(*events, state=state).paid_late == {LATE_INVOICE: "2026-02-08"}


def test_a_run_of_an_account_that_pays_in_time_reads_no_collections() -> None:
    state = account(charge("2026-01-05"))
    assert collection_stream("BA-1001") not in streams_read(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK))
    assert bill_run(ACCOUNT.work(running(), STREAM, "", "bill-run", BOOK)) == {"run_on": "2026-02-08"}


def test_a_market_that_does_not_charge_it_has_it_on_no_bill() -> None:
    """It is told all the same; and the account is told of nothing."""
    _, issued, told = billed(running(), owes(), UNCHARGED)
    assert [kind for kind, *_ in lines(issued)] == ["period"]
    assert told == []
    state = INVOICE.evolve(INVOICE.initial("invoice-X"), InvoiceIssued.model_validate({**InvoiceIssued.example, "business": True}))
    about: dict[str, Any] = {"open_minor": 100, "due_on": "2026-01-22", "cause": "overdue", "on": "2026-01-23"}
    assert [event.type_name for _, event in arrears(state, UNCHARGED, **about)] == ["collections.arrears-changed"]
    assert [event.type_name for _, event in arrears(state, GB, **about)] == ["collections.arrears-changed", "account.late-payment-noted"]


def of_bill(*, alone: bool = False) -> Work:
    """The bill of 8 February as a state, of which something may be taken; `alone` without what was supplied."""
    _, issued, _ = billed(running(), owes())
    assert issued is not None
    issued = numbered(issued).model_copy(update={"business": True})
    if alone:
        mine = tuple(one.model_copy(update={"tax_category": "O"}) for one in issued.lines[1:])
        taxes = tuple(one.model_copy(update={"category": "O"}) for one in issued.taxes if one.group == "late-payment")
        issued = issued.model_copy(update={"lines": mine, "taxes": taxes, "net_minor": 7_515, "tax_minor": 0, "total_minor": 7_515})
    return of_invoice(INVOICE.evolve(INVOICE.initial(f"invoice-{issued.number}"), issued))


@pytest.mark.parametrize("alone", [False, True])
def test_what_was_charged_too_much_is_credited(alone: bool) -> None:
    """Of the lines about that invoice, without tax, as other income; never more than is left of a line; nothing of a void bill or one about another."""
    work = of_bill(alone=alone)
    decision = late_payment.not_owed(work, invoice=LATE_INVOICE, interest_minor=215, fixed_minor=3_000, at=MONDAY)
    [note] = [event for event in decision.events if isinstance(event, CreditNoteIssued)]

    assert ([line.net_minor for line in note.lines], note.tax_minor, note.reason, note.author) == (
        [215, 3_000],
        0,
        "billed-in-error",
        "engine",
    )
    assert posted("credit-note.issued", note) == {"receivable": -3_215, "other-income": 3_215}
    assert broken(ubl_of(paper_of_note(note.model_copy(update={"legal_number": "GB1-CRN-2026-000001"})))) == []

    left = of_invoice(after(work.state, decision))
    rest = late_payment.not_owed(left, invoice=LATE_INVOICE, interest_minor=900, fixed_minor=9_000, at=MONDAY)
    assert [line.net_minor for event in rest.events if isinstance(event, CreditNoteIssued) for line in event.lines] == [300, 4_000]
    assert not late_payment.not_owed(work, invoice="INV-2", interest_minor=215, fixed_minor=0, at=MONDAY)
    assert not late_payment.not_owed(
        replace(work, state=replace(work.state, voided=True)), invoice=LATE_INVOICE, interest_minor=1, fixed_minor=0, at=MONDAY
    )


def changes(elsewhere: Iterable[tuple[str, Event]]) -> list[ArrearsChanged]:
    return [event for _, event in elsewhere if isinstance(event, ArrearsChanged)]


def test_what_is_charged_for_late_payment_bears_no_interest_itself() -> None:
    """The bill of 99.15 becomes overdue in its turn: 75.15 of it are told as such, less what is credited of them; one that has nothing else is told as
    late to nobody."""
    work = of_bill()
    about: dict[str, Any] = {"open_minor": 9_915, "due_on": "2026-02-22", "cause": "overdue", "on": "2026-02-23"}
    [told] = changes(arrears(replace(work.state, overdue=True), GB, **about))
    assert (told.claims_minor, told.bearing_minor) == (7_515, 2_400)

    decision = late_payment.not_owed(
        replace(work, state=replace(work.state, overdue=True)), invoice=LATE_INVOICE, interest_minor=215, fixed_minor=0, at=MONDAY
    )
    [credited] = changes(decision.elsewhere)
    assert (credited.open_minor, credited.claims_minor, credited.credited_minor) == (9_700, 7_300, 0)
    [only] = arrears(of_bill(alone=True).state, GB, **{**about, "open_minor": 7_515})
    assert only[1].type_name == "collections.arrears-changed"


def _outside() -> ET.Element:
    paper = paper_of_invoice(of_bill(alone=True).state.issued)
    assert broken(ubl_of(paper)) == []
    return ET.fromstring(ubl_of(paper))


def _find(root: ET.Element, path: str) -> ET.Element:
    found = root.find(path, {"cbc": CBC, "cac": CAC})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "name", "text", "rule"),
    [
        ("cac:AccountingSupplierParty/cac:Party", "PartyTaxScheme", "", "BR-O-2"),
        ("cac:InvoiceLine/cac:Item/cac:ClassifiedTaxCategory", "Percent", "0", "BR-O-5"),
        ("cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory", "TaxExemptionReason", None, "BR-O-10"),
        ("cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory", "ID", "E", "BR-O-11"),
        ("cac:InvoiceLine/cac:Item/cac:ClassifiedTaxCategory", "ID", "S", "BR-O-12"),
        ("cac:TaxTotal/cac:TaxSubtotal", "TaxAmount", "1.00", "BR-O-9"),
        ("cac:AccountingSupplierParty/cac:Party/cac:PartyLegalEntity", "CompanyID", None, "BR-CO-26"),
    ],
)
def test_each_rule_of_what_is_outside_vat_is_seen_to_be_broken(path: str, name: str, text: str | None, rule: str) -> None:
    """The control: a valid bill of late payment alone with one thing wrong."""
    root = _outside()
    parent = _find(root, path)
    known = next((child for child in parent if child.tag.endswith(f"}}{name}")), None)
    if text is None:
        assert known is not None
        parent.remove(known)
    elif name == "PartyTaxScheme":
        ET.SubElement(ET.SubElement(parent, f"{{{CAC}}}{name}"), f"{{{CBC}}}CompanyID").text = "GB123456782"
    else:
        (known if known is not None else ET.SubElement(parent, f"{{{CBC}}}{name}")).text = text
    assert rule in broken(ET.tostring(root, encoding="unicode"))
