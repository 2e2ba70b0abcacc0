"""Events of a billing account and of an invoice."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from o2c.invoicing.papers import DiscountEnding, InvoiceLine, NoteLine, NumberRange, Seller, TaxSum
from o2c.invoicing.range_events import RangeNumbered
from o2c.kernel.balances import CreditPart
from o2c.kernel.charges import account_stream
from o2c.kernel.event import Event, Names, Pii, Upcast
from o2c.kernel.shapes import Done, FellOut, Held, Requested


class BillRunRequested(Requested, name="account.bill-run-requested", step="bill-run", stream="account"):
    """The account is to be billed: everything active before the local day `run_on`, a bill day of its market."""

    example = {"attempt": 1, "due_at": "2026-01-08T06:00:00Z", "run_on": "2026-01-08"}
    run_on: str


class AccountBilled(Done, name="account.billed", step="bill-run", stream="account"):
    """A bill run covered everything up to the day before `billed_to`; `invoice` is empty when there was nothing to charge.

    `own_periods_to` names the charges with a period of their own, not the account's month (`ORDER/ITEM`), of which it billed one or more,
    and the day up to which these go. The bill is `final` when nothing was served any more: what was served and used until the end is on it,
    and no other follows.
    """

    example = {
        "run_on": "2026-01-08", "billed_to": "2026-02-08", "invoice": "BA-1001-20260108",
        "own_periods_to": {"6f9619ff-8b86-5d01-b42d-00cf4fc964ff/1": "2027-01-05"},
    }  # fmt: skip
    upcasts = (Upcast(defaults={"own_periods_to": {}}), Upcast(defaults={"final": False}))
    run_on: str
    billed_to: str
    final: bool = False
    own_periods_to: dict[str, str] = {}
    invoice: Annotated[str, Names("invoice")]


class BillRunFellOut(FellOut, name="account.bill-run-fell-out", step="bill-run", stream="account"):
    """The account could not be billed."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class OneOffRequested(Requested, name="account.one-off-invoice-requested", step="one-off-invoice", stream="account"):
    """Goods were delivered, or an agreement about instalments is settled: an invoice beside the bill runs is to be made of it."""

    example = {"attempt": 1, "due_at": "2026-01-07T12:00:00Z"}


class OneOffInvoiced(Done, name="account.one-off-invoiced", step="one-off-invoice", stream="account"):
    """An invoice was made beside the bill runs, over goods (their charges, `ORDER/ITEM`) or the rest of agreements; empty where nothing was
    left to invoice."""

    example = {"invoice": "BA-1001-20260107-G1", "charges": ["6f9619ff-8b86-5d01-b42d-00cf4fc964ff/2"]}
    invoice: Annotated[str, Names("invoice")]
    charges: tuple[str, ...] = ()


class OneOffFellOut(FellOut, name="account.one-off-invoice-fell-out", step="one-off-invoice", stream="account"):
    """The invoice beside the bill runs could not be made."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
    upcasts = ()


class PutOnInstalments(Event, name="invoice.put-on-instalments", stream="invoice"):
    """Of what the invoice is over, with tax, `of_open_minor` is not paid for it but in instalments, which later bills of the account
    have."""

    example = {"currency": "GBP", "of_open_minor": 59900}
    currency: str
    of_open_minor: int


class InvoiceIssued(Held, RangeNumbered, name="invoice.issued", stream="invoice"):
    """An invoice was issued, with all that it says for good: nothing of it is looked up later. Tax is computed once per tax group over the
    sum of its lines, half-up; it is due on `due_on`.

    `number` is the name of its stream (account and day), `legal_number` the one that the law means, from the `series`; version 2 says how
    much of the total the account's credit covers (the rest is to be paid), version 3 the particulars of a VAT invoice: series and number,
    supplier, tax point, customer's name and address, the sums of each rate, and of each line what it is for, quantity, unit price and rate.
    Version 4 says whether it is the `final` bill of an account that has no service any more, version 5 has discounts as lines, and the
    `endings` of those that end before another bill comes, version 6 says what the credit that it uses is made of, the oldest first, version
    7 whether the customer is a `business`, who owes interest where it is paid late (before it, none was asked for), version 8 has lines
    that charge for late payment, each of the invoice that it names, version 9 of each line the cost centre and the customer's own purchase
    order, and that order (BT-13) where it is the only one, version 10 the approved range that its number is of. `market` is the account's.
    `order` is the one order that it bills, empty where it bills several: each line says its own.
    """

    example = {
        "number": "BA-1001-20260108", "account": "BA-1001", "customer": "C-1001", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff",
        "currency": "GBP", "issued_on": "2026-01-08", "due_on": "2026-01-22", "issued_at": "2026-01-08T06:00:00Z", "method": "card",
        "market": "GB@2026-01", "series": "GB1-INV-2026", "serial": 1, "legal_number": "GB1-INV-2026-000001", "tax_point": "2026-01-08",
        "supplier": {"entity": "GB1", "name": "Example Mobile Ltd", "address": ["1 Exchange Square"], "postcode": "ZZ1 1AA", "city": "Testford",
                     "country": "GB", "tax_id": "GB123456782"},
        "customer_name": "Ada Example", "customer_address": "1 Mill Lane, Testford, ZZ1 1AA",
        "lines": [{"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1", "offering": "mobile-line", "kind": "period",
                   "from_day": "2026-01-08", "to_day": "2026-02-08", "net_minor": 1999, "tax_group": "standard",
                   "description": "mobile-line, 2026-01-08 to 2026-02-07", "quantity": 1, "unit": "MON", "unit_price_minor": 1999, "price_per": 1,
                   "tax_category": "S", "tax_percent": "20"}],
        "taxes": [{"group": "standard", "category": "S", "percent": "20", "net_minor": 1999, "tax_minor": 400}],
        "net_minor": 1999, "tax_minor": 400, "total_minor": 2399, "credit_used_minor": 0, "credits_used": [],
        "business": False, "purchase_order": "PO-77120", "number_range": NumberRange().model_dump(mode="json"),
    }  # fmt: skip
    upcasts = (
        Upcast(defaults={"credit_used_minor": 0}),
        Upcast(
            defaults={
                "series": "",
                "serial": 0,
                "legal_number": "",
                "tax_point": "",
                "supplier": Seller().model_dump(mode="json"),
                "taxes": [],
                "customer_name": "",
                "customer_address": "",
            }
        ),
        Upcast(defaults={"final": False}),
        Upcast(defaults={"endings": []}),
        Upcast(defaults={"credits_used": []}),
        Upcast(defaults={"business": False}),
        Upcast(),  # lines of before: none charges for late payment
        Upcast(defaults={"purchase_order": ""}),
        Upcast(defaults={"number_range": NumberRange().model_dump(mode="json")}),
    )
    number: str
    account: str
    customer: str
    order: str
    currency: str
    issued_on: str
    issued_at: datetime
    due_on: str
    method: str
    lines: tuple[InvoiceLine, ...]
    net_minor: int
    tax_minor: int
    total_minor: int
    market: str
    credit_used_minor: int = 0
    final: bool = False
    credits_used: tuple[CreditPart, ...] = ()
    tax_point: str = ""
    supplier: Seller = Seller()
    customer_name: Annotated[str, Pii("name")] = ""
    customer_address: Annotated[str, Pii("address")] = ""
    taxes: tuple[TaxSum, ...] = ()
    endings: tuple[DiscountEnding, ...] = ()
    business: bool = False
    purchase_order: str = ""

    def holder(self) -> str:
        """An invoice number is its account's for good."""
        return f"{account_stream(self.account)}/"


NoteReason = Literal["billed-in-error", "disputed", "goodwill", "not-served", "price", "withdrawn"]
"""Why an invoice is credited: billed by mistake, a dispute settled for the customer, as a courtesy, a service that ended before what was
billed, a wrong price, goods that came back."""

_TAKEN_OFF = {
    "currency": "GBP", "net_minor": 1199, "tax_minor": 240, "total_minor": 1439, "of_open_minor": 1439, "credit_minor": 0,
    "lines": [{"line": 1, "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1", "description": "mobile-line, 2026-01-08 to 2026-02-07",
               "from_day": "2026-01-20", "to_day": "2026-02-08", "net_minor": 1199, "tax_group": "standard", "tax_category": "S",
               "tax_percent": "20"}],
    "taxes": [{"group": "standard", "category": "S", "percent": "20", "net_minor": 1199, "tax_minor": 240}],
}  # fmt: skip


class TakenOff(Event):
    """Base of the events that take something off an invoice: line by line, with the tax of each of its groups, in minor units.

    Of the total, `of_open_minor` lowers what is to be paid; the rest, `credit_minor`, was paid already and becomes a credit of the account.
    """

    currency: str
    lines: tuple[NoteLine, ...]
    taxes: tuple[TaxSum, ...]
    net_minor: int
    tax_minor: int
    total_minor: int
    of_open_minor: int
    credit_minor: int


class CreditNoteRequested(Event, name="credit-note.requested", stream="invoice"):
    """Somebody wants a note over more than the market lets one person issue: it waits for the approval of a second one. Or it
    `awaits_number`: notes take theirs from approved ranges, and none has one left; it is issued by itself once one is approved. `lines` are
    the net amounts, in minor units, by the place of the line in the invoice. Version 2 names the settlement of the `dispute` that it comes
    of (the id of its event; empty: none), version 3 says whether it waits for a number, who approved it before (empty: nobody had to), and
    the day from which on days that it credits are not served (empty: it credits lines). The comment is personal."""

    example = {
        "note": "BA-1001-20260108-C1", "reason": "goodwill", "author": "ann", "lines": {"1": 1199}, "total_minor": 1439,
        "dispute": "", "comment": "two weeks without service", "awaits_number": False, "approved_by": "", "ended_on": "",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"dispute": ""}), Upcast(defaults={"awaits_number": False, "approved_by": "", "ended_on": ""}))
    note: str
    reason: NoteReason
    author: str
    lines: dict[str, int]
    total_minor: int
    dispute: str = ""
    awaits_number: bool = False
    approved_by: str = ""
    ended_on: str = ""
    comment: Annotated[str, Pii("note")] = ""


class NoteNumberRequested(Requested, name="invoice.note-number-requested", step="credit-note", stream="invoice"):
    """A credit note of the invoice is to be issued as soon as a range with a number for it is approved."""

    example = {"attempt": 1, "due_at": "2026-01-20T10:00:00Z"}


class NotesNumbered(Done, name="invoice.notes-numbered", step="credit-note", stream="invoice"):
    """Every credit note of the invoice that waited for a number has one, and is issued."""

    example = {"attempt": 2}


class NoteNumberFellOut(FellOut, name="invoice.note-number-fell-out", step="credit-note", stream="invoice"):
    """A credit note of the invoice waits: no approved number is left for it."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "BIL-SERIES", "fault_class": "business", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "payments", "awaits": "numbers/GB1-CRN",
        "detail": "no range approved for GB1 has a number left on 2026-01-20",
    }  # fmt: skip


class CreditNoteIssued(TakenOff, RangeNumbered, name="credit-note.issued", stream="invoice"):
    """A credit note was issued for an invoice, which itself stays as it is. It says for good all that the law wants of one; its number is
    from a series of its own. `author` wanted it, `approved_by` is the second person where one was needed (empty: none was). Version 2 names
    the settlement of the `dispute` that it comes of (the id of its event; empty: none), version 3 the approved range that its number is of.
    The comment is personal.
    Source: Directive 2006/112/EC, art. 219 (what amends an invoice and refers to it is treated as one); VAT Regulations 1995, reg. 15C
    [M]."""

    example = {
        **_TAKEN_OFF, "note": "BA-1001-20260108-C1", "series": "GB1-CRN-2026", "serial": 1, "legal_number": "GB1-CRN-2026-000001",
        "invoice": "BA-1001-20260108", "invoice_number": "GB1-INV-2026-000001", "account": "BA-1001", "customer": "C-1001",
        "reason": "not-served", "author": "engine", "approved_by": "", "issued_on": "2026-01-20", "issued_at": "2026-01-20T10:00:00Z",
        "market": "GB@2026-01",
        "supplier": {"entity": "GB1", "name": "Example Mobile Ltd", "address": ["1 Exchange Square"], "postcode": "ZZ1 1AA", "city": "Testford",
                     "country": "GB", "tax_id": "GB123456782"},
        "customer_name": "Ada Example", "customer_address": "1 Mill Lane, Testford, ZZ1 1AA", "dispute": "", "comment": "the line ended",
        "number_range": NumberRange().model_dump(mode="json"),
    }  # fmt: skip
    upcasts = (Upcast(defaults={"dispute": ""}), Upcast(defaults={"number_range": NumberRange().model_dump(mode="json")}))
    note: str
    invoice: str
    invoice_number: str
    account: str
    customer: str
    market: str
    reason: NoteReason
    author: str
    approved_by: str
    issued_on: str
    issued_at: datetime
    supplier: Seller
    customer_name: Annotated[str, Pii("name")] = ""
    customer_address: Annotated[str, Pii("address")] = ""
    dispute: str = ""
    comment: Annotated[str, Pii("note")] = ""


class InvoiceVoided(TakenOff, name="invoice.voided", stream="invoice"):
    """An invoice of which nothing was paid was declared void: it keeps its number, and nothing of it is to be paid. What it billed stays
    billed and is not billed again by itself. A credit of the account that it used is given back. The comment is personal."""

    example = {**_TAKEN_OFF, "reason": "billed-in-error", "comment": "sent to the wrong customer"}
    reason: NoteReason
    comment: Annotated[str, Pii("note")] = ""


class InvoiceWrittenOff(Event, name="invoice.written-off", stream="invoice"):
    """What was open of an invoice is not counted on any more: the books write it off. The customer owes it all the same, and what comes for
    it is a recovery. Minor units, tax included."""

    example = {"amount_minor": 2399}
    amount_minor: int


class ReliefRequested(Requested, name="invoice.relief-requested", step="tax-relief", stream="invoice"):
    """The tax of what was written off is to be claimed back, once it was due for as long as the market's law asks."""

    example = {"attempt": 1, "due_at": "2026-07-22T00:00:00Z"}


class TaxRelieved(Done, name="invoice.tax-relieved", step="tax-relief", stream="invoice"):
    """The tax of what is written off, and did not come since, is claimed back. Source: the market's rules of bad debt relief."""

    example = {"tax_minor": 400}
    tax_minor: int


class ReliefFellOut(FellOut, name="invoice.relief-fell-out", step="tax-relief", stream="invoice"):
    """The tax of what was written off could not be worked out."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class CreditDue(Event, name="account.days-not-served", stream="account"):
    """A service ended before what was billed of it in advance, or is barred by a policy that gives such days back: an invoice has charged
    days from `ended_on` on, and they are to be credited."""

    example = {"invoice": "BA-1001-20260108", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1", "ended_on": "2026-01-20"}
    invoice: Annotated[str, Names("invoice")]
    order: str
    item: str
    ended_on: str


class WithdrawalCreditAsked(CreditDue, name="account.withdrawal-credit-asked", stream="account"):
    """The customer withdrew from a contract of which an invoice charged something that is not owed: days from `ended_on` on, and what is
    charged once but for `kept_minor` of it, net, in minor units. It is to be credited."""

    example = {
        "invoice": "BA-1001-20260108", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1", "ended_on": "2026-01-20", "kept_minor": 0,
    }  # fmt: skip
    kept_minor: int = 0


class CreditReturnRequested(Requested, name="account.credit-return-requested", step="credit-return", stream="account"):
    """Everything that was charged is over and on its bills, and the account still holds money that no bill will use: it is to go back by
    itself."""

    example = {"attempt": 1, "due_at": "2026-02-22T09:00:00Z"}


class CreditReturned(Done, name="account.credit-return-settled", step="credit-return", stream="account"):
    """What was left on the account is on its way: `set_off_minor` paid what was still owed on its bills, and the rest goes back by these
    `refunds`. Minor units."""

    example = {"attempt": 1, "amount_minor": 500, "set_off_minor": 0, "refunds": ["BA-1001-R1"]}
    amount_minor: int
    set_off_minor: int
    refunds: tuple[str, ...]


class CreditReturnFellOut(FellOut, name="account.credit-return-fell-out", step="credit-return", stream="account"):
    """What was left on the account could not be given back."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class OverdueRequested(Requested, name="invoice.overdue-check-requested", step="overdue", stream="invoice"):
    """The invoice is to be looked at when it has passed its due date."""

    example = {"attempt": 1, "due_at": "2026-01-23T00:00:00Z"}


class InvoiceOverdue(Done, name="invoice.overdue", step="overdue", stream="invoice"):
    """The invoice passed its due date unpaid."""

    example = {"open_minor": 2399}
    open_minor: int


class OverdueFellOut(FellOut, name="invoice.overdue-fell-out", step="overdue", stream="invoice"):
    """The invoice could not be looked at."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
