"""Events of a billing account and of an invoice."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from o2c.invoicing.papers import InvoiceLine, Seller, TaxSum
from o2c.kernel.charges import account_stream
from o2c.kernel.event import Names, Pii, Upcast
from o2c.kernel.series import Numbered
from o2c.kernel.shapes import Done, FellOut, Held, Requested


class BillRunRequested(Requested, name="account.bill-run-requested", step="bill-run", stream="account"):
    """The account is to be billed: everything active before the local day `run_on`, a bill day of its market."""

    example = {"attempt": 1, "due_at": "2026-01-08T06:00:00Z", "run_on": "2026-01-08"}
    run_on: str


class AccountBilled(Done, name="account.billed", step="bill-run", stream="account"):
    """A bill run covered everything up to the day before `billed_to`; `invoice` is empty when there was nothing to charge.

    `own_periods_to` names the charges with a period of their own, not the account's month (`ORDER/ITEM`), of which it billed one or more, and
    the day up to which these go.
    """

    example = {
        "run_on": "2026-01-08", "billed_to": "2026-02-08", "invoice": "BA-1001-20260108",
        "own_periods_to": {"6f9619ff-8b86-5d01-b42d-00cf4fc964ff/1": "2027-01-05"},
    }  # fmt: skip
    upcasts = (Upcast(defaults={"own_periods_to": {}}),)
    run_on: str
    billed_to: str
    own_periods_to: dict[str, str] = {}
    invoice: Annotated[str, Names("invoice")]


class BillRunFellOut(FellOut, name="account.bill-run-fell-out", step="bill-run", stream="account"):
    """The account could not be billed."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class InvoiceIssued(Held, Numbered, name="invoice.issued", stream="invoice"):
    """An invoice was issued, with all that it says for good: nothing of it is looked up later. Tax is computed once per tax group over the sum of
    its lines, half-up; it is due on `due_on`.

    `number` is the name of its stream (account and day), `legal_number` the one that the law means, from the `series`; version 2 says how much of
    the total the account's credit covers (the rest is to be paid), version 3 the particulars of a VAT invoice: series and number, supplier, tax
    point, customer's name and address, the sums of each rate, and of each line what it is for, quantity, unit price and rate.
    `market` is the account's. `order` is the one order that it bills, empty where it bills several: each line says its own.
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
        "net_minor": 1999, "tax_minor": 400, "total_minor": 2399, "credit_used_minor": 0,
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
    tax_point: str = ""
    supplier: Seller = Seller()
    customer_name: Annotated[str, Pii("name")] = ""
    customer_address: Annotated[str, Pii("address")] = ""
    taxes: tuple[TaxSum, ...] = ()

    def holder(self) -> str:
        """An invoice number is its account's for good."""
        return f"{account_stream(self.account)}/"


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
