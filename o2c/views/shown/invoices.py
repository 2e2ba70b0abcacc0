"""Invoices and credit notes as they are shown whole."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class SupplierShown(TypedDict):
    """Who supplied, as the invoice says it for good."""

    entity: str
    name: str
    address: list[str]
    postcode: str
    city: str
    country: str
    tax_id: str


class InvoiceLineShown(TypedDict):
    """A line: `quantity` of a `unit` (UN/ECE Recommendation 20) at `unit_price_minor` for each `price_per` of it; `to_day` is exclusive. A
    discount (`discount` names it) is a line below nothing that lowers the line `of_line`, counted from 1; of any other line these are empty
    and 0. One that charges for late payment says `of_invoice` for which, and is of no order. `cost_centre` is the account that it was
    ordered for, where the one billed pays for it, and `purchase_order` the customer's own; empty for none."""

    order: str
    item: str
    offering: str
    kind: str
    description: str
    from_day: str
    to_day: str
    quantity: int
    unit: str
    unit_price_minor: int
    price_per: int
    net_minor: int
    tax_group: str
    tax_category: str
    tax_percent: str
    discount: str
    of_line: int
    of_invoice: str
    cost_centre: str
    purchase_order: str


class DiscountEndingShown(TypedDict):
    """The notice that a discount of a service ends: the first day without it."""

    order: str
    item: str
    offering: str
    discount: str
    ends_on: str


class TaxSumShown(TypedDict):
    """The sums of one tax group, in minor units."""

    group: str
    category: str
    percent: str
    net_minor: int
    tax_minor: int


class NoteLineShown(TypedDict):
    """What a note took off a line of the invoice, by its place from 1; the days are those that the credit is for."""

    line: int
    order: str
    item: str
    description: str
    from_day: str
    to_day: str
    net_minor: int
    tax_group: str
    tax_category: str
    tax_percent: str


class InvoicePartShown(TypedDict):
    """What of an invoice or a credit note is a cost centre's (empty: the paying account's own), in minor units: all parts sum to the
    paper."""

    cost_centre: str
    lines: int
    net_minor: int
    tax_minor: int
    total_minor: int


class CreditNoteShown(TypedDict):
    """A credit note, in minor units: `of_open_minor` lowered what was to be paid, `credit_minor` became a credit of the account;
    `purchase_order` is the customer's own where all of it is of one."""

    note: str
    legal_number: str
    purchase_order: str
    issued_on: str
    reason: str
    author: str
    approved_by: str
    net_minor: int
    tax_minor: int
    total_minor: int
    of_open_minor: int
    credit_minor: int
    lines: list[NoteLineShown]
    taxes: list[TaxSumShown]
    parts: list[InvoicePartShown]
    comment: NotRequired[str]


class CreditNotePreviewShown(TypedDict):
    """A credit note before it is issued, in minor units; `needs_approval`: it comes to more than `approved_above_minor`, so a second person
    has to agree."""

    invoice: str
    currency: str
    lines: list[NoteLineShown]
    taxes: list[TaxSumShown]
    parts: list[InvoicePartShown]
    net_minor: int
    tax_minor: int
    total_minor: int
    of_open_minor: int
    credit_minor: int
    needs_approval: bool
    approved_above_minor: int


class TakingBackPreviewShown(TypedDict):
    """Money before it is taken off an invoice, in minor units: of which payment, how much of it the account gives back of its credit, and
    how the invoice would stand. What begins with `to_` is of the invoice that it would move to, and empty where the payer's bank takes it
    back."""

    invoice: str
    currency: str
    reference: str
    method: str
    amount_minor: int
    of_credit_minor: int
    state: str
    open_minor: int
    to_invoice: str
    to_account: str
    to_customer: str
    to_state: str
    to_open_minor: int
    to_credit_minor: int


class WaitingNoteShown(TypedDict):
    """A credit note that waits for a second person, or (`awaits_number`) for a range of numbers to be approved."""

    note: str
    reason: str
    author: str
    total_minor: int
    awaits_number: bool
    comment: NotRequired[str]


class CreditPartShown(TypedDict):
    """A part of the credit that an invoice used, in minor units: from which invoice, or whose order's deposit."""

    origin: str
    of: str
    amount_minor: int


class InvoicePaperShown(TypedDict):
    """An invoice with all that it says, and what was taken off it; amounts are minor units. `final` says that it is the last of its
    account. The last two are there where they were asked for."""

    invoice: str
    legal_number: str
    state: str
    account: str
    customer: str
    currency: str
    purchase_order: str
    issued_on: str
    tax_point: str
    due_on: str
    method: str
    market: str
    net_minor: int
    tax_minor: int
    total_minor: int
    credit_used_minor: int
    final: bool
    credits_used: list[CreditPartShown]
    supplier: SupplierShown
    lines: list[InvoiceLineShown]
    taxes: list[TaxSumShown]
    parts: list[InvoicePartShown]
    endings: list[DiscountEndingShown]
    paid_minor: int
    credited_minor: int
    open_minor: int
    notes: list[CreditNoteShown]
    waiting_notes: list[WaitingNoteShown]
    customer_name: NotRequired[str]
    customer_address: NotRequired[str]


class NumberRangeShown(TypedDict):
    """A range of numbers that was approved, named by its first number, for which `papers` (invoices, credit-notes): where it stands, what
    is left of it, and whether another is needed (`low`)."""

    range: str
    papers: str
    entity: str
    last: str
    next: str
    taken: int
    left: int
    state: str
    low: bool
    days_left: int | None
    valid_from: str
    valid_to: str
    approval: str
    low_at: int
    low_days: int


class RenderedShown(TypedDict):
    """A paper as a file: its `content` is text, and base64 where the media type is that of a PDF."""

    invoice: str
    customer: str
    name: str
    media_type: str
    content: str
