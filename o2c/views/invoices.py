"""One invoice: what it is over, what came in, what is open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from o2c.engine.app import Engine
from o2c.kernel.charges import invoice_stream
from o2c.kernel.refusal import Refused
from o2c.views.reading import Page, part_of, plain
from o2c.views.shown import InvoicePage, IssuedInvoiceShown, OwedShown
from projections import balances
from projections import invoices as issued

if TYPE_CHECKING:
    from o2c.invoicing.noted import InvoiceState

PAYMENTS_OF_INVOICE = """SELECT occurred_at, (body->>'amount_minor')::bigint * CASE WHEN type IN ('payment.charged-back', 'payment.moved', 'payment.refund-reclaimed') THEN -1 ELSE 1 END AS amount_minor,
    body->>'method' AS method, body->>'arrived_on' AS arrived_on, actor,
    CASE type WHEN 'payment.charged-back' THEN 'charged-back' WHEN 'payment.moved' THEN 'moved-away' WHEN 'payment.refund-reclaimed' THEN 'refund-reclaimed'
        ELSE CASE WHEN body->>'moved_from' <> '' THEN 'moved-here' WHEN body->>'won_back' <> '' THEN 'won-back' ELSE 'received' END END AS what,
    coalesce(body->>'reference', '') AS reference,
    coalesce(body->>'to_invoice', nullif(body->>'moved_from', ''), nullif(body->>'won_back', ''), body->>'case', '') AS of
FROM o2c.event WHERE stream = %s AND type IN ('payment.received', 'payment.part-received', 'payment.charged-back', 'payment.moved', 'payment.refund-reclaimed') ORDER BY version"""
"""The payments of an invoice in the order in which they were recorded, and what of them was taken back, below zero: `of` is the other
invoice, or the case of the chargeback. Parameter: the invoice's stream."""


AFTER_ACCOUNT = re.compile(r"[0-9]{8}(-G[0-9]+)?")
"""What follows an account's id and a dash in the number of an invoice: the day, and which one beside the bill runs it is."""

INVOICES_OF_ORDER = """SELECT body ->> 'number' AS invoice FROM o2c.event
WHERE stream = ANY(%s) AND type = 'invoice.issued' AND body -> 'lines' @> %s::jsonb"""
"""The numbers of those invoices that bill an order. Parameters: the streams of some invoices, a line as JSON that names it."""


def billing(app: Engine, invoices: Sequence[str], order: str) -> set[str]:
    """Those of some invoices that have a line of the order."""
    line = f'[{{"order": "{order}"}}]'
    return {row["invoice"] for row in app.reads.rows(INVOICES_OF_ORDER, [*map(invoice_stream, invoices)], line)} if invoices else set()


def show_invoice(app: Engine, invoice: str) -> InvoicePage:
    """An invoice: what it is over, what came in and how, what is open, and what came above that and is a credit of its account.

    Raises Refused (missing).
    """
    state = issued_invoice(app, invoice)
    issued = state.issued
    assert issued is not None
    told = {
        "invoice": issued.number,
        "legal_number": issued.legal_number or issued.number,
        "customer": issued.customer,
        "state": state.standing,
        "due_on": issued.due_on,
        "method": state.method,
        "currency": issued.currency,
        "total_minor": issued.total_minor,
        "credit_used_minor": issued.credit_used_minor,
        "lowered_minor": state.lowered_minor,
        "written_off_minor": state.written_off_minor,
        "paid_minor": state.paid_minor,
        "open_minor": max(state.open_minor, 0),
        "credit_minor": max(-state.owed_minor, 0) + state.above_minor,
        "payments": [{**row, "currency": issued.currency} for row in app.reads.rows(PAYMENTS_OF_INVOICE, invoice_stream(invoice))],
    }
    return cast("InvoicePage", plain(told))


def issued_invoice(app: Engine, invoice: str) -> InvoiceState:
    """Give an invoice by its number. Raises Refused (missing) when it was never issued."""
    state = cast("InvoiceState", app.load_one(invoice_stream(invoice)).state)
    if state.issued is None:
        raise Refused(f"no invoice {invoice}; see `o2c orders show` for an order's invoices", kind="missing")
    return state


def open_minor(app: Engine, account: str) -> int:
    """What is open of an account's invoices, in minor units, written off or not. The projections must be caught up."""
    rows = list_invoices(app, accounts=[account], limit=INVOICES_MAX)
    return sum(max(_open_minor(row), 0) for row in rows)


def _open_minor(row: IssuedInvoiceShown) -> int:
    return row["total_minor"] - row["credit_used_minor"] - row["lowered_minor"] - row["paid_minor"] + row["above_minor"]


INVOICES_MAX = 1_000
"""More than an account has in eighty years of months."""


def invoice_streams(app: Engine, account: str) -> list[str]:
    """The streams of an account's invoices, of bill runs and beside them; another account's id may begin as this one does, so the rest is
    read too."""
    own = invoice_stream(f"{account}-")
    return [name for name in app.reads.streams_like(own) if AFTER_ACCOUNT.fullmatch(name.removeprefix(own))]


def money_owed(app: Engine, *, accounts: Sequence[str] = (), limit: int | None = None) -> list[OwedShown]:
    """The money that accounts hold for their customers: owed and to be paid back, credit for the next invoice, deposits that are kept.

    Those that owe come first; with `accounts` those alone. Amounts are minor units. The projections must be caught up.
    """
    return [plain(row) for row in app.reads.rows(balances.OWED, accounts=list(accounts), limit=limit)]


def list_invoices(
    app: Engine,
    *,
    invoices: Sequence[str] = (),
    accounts: Sequence[str] = (),
    customers: Sequence[str] = (),
    offset: int = 0,
    limit: int = 100,
) -> Page[IssuedInvoiceShown]:
    """Invoices, the first issued first, with what is to be paid and what was; amounts are minor units. The page says how many more there
    are.

    The projections must be caught up. Raises Refused (usage).
    """
    picked = {"invoices": list(invoices), "accounts": list(accounts), "customers": list(customers)}
    return part_of(app, issued.LISTED, issued.LISTED_COUNT, picked, offset, limit)
