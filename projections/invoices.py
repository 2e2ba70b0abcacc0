"""Invoices: the amount billed, the amount paid, and whether it is overdue. Amounts are minor units of the invoice's currency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from o2c.kernel.reversals import TAKEN_BACK
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

_MONEY = frozenset({"payment.received", "payment.part-received"})
_TAKEN_OFF = frozenset({"credit-note.issued", "invoice.put-on-instalments", "invoice.voided"})
_WRITTEN_OFF = {"invoice.written-off": 1, "invoice.write-off-reversed": -1}
"""What each adds to what the books do not count on any more."""


def _group(record: Seen) -> str | None:
    return record.stream if record.stream.startswith("invoice-") else None


def _evolve(doc: Doc, record: Seen) -> Doc:
    body = record.body
    if record.type == "invoice.overdue":
        return {**doc, "overdue": True}
    if record.type in _MONEY:
        above = doc.get("above_minor", 0) + body.get("credit_minor", 0)
        return _settled({**doc, "paid_minor": doc.get("paid_minor", 0) + body["amount_minor"], "above_minor": above}, record)
    if record.type in TAKEN_BACK:
        return _settled(_taken_back(doc, body), record)
    if record.type in _WRITTEN_OFF:
        return {**doc, "written_off_minor": doc.get("written_off_minor", 0) + _WRITTEN_OFF[record.type] * body["amount_minor"]}
    if record.type in _TAKEN_OFF:
        lowered = doc.get("lowered_minor", 0) + body["of_open_minor"]
        credited = doc.get("credited_minor", 0) + body.get("total_minor", 0)
        taken = {
            **doc,
            "lowered_minor": lowered,
            "credited_minor": credited,
            "instalments_minor": doc.get("instalments_minor", 0) - _instalments(body),
            "voided": record.type == "invoice.voided" or doc.get("voided", False),
        }
        return _settled(taken, record)
    credit_used = body.get("credit_used_minor", 0)
    return {
        "paid_minor": 0,
        "above_minor": 0,
        "lowered_minor": 0,
        "credited_minor": 0,
        "written_off_minor": 0,
        "paid_at": record.at if credit_used >= body["total_minor"] else None,
        **doc,
        "invoice": body["number"],
        "legal_number": body.get("legal_number") or body["number"],
        "account": body["account"],
        "customer_id": record.customer_id or body.get("customer"),
        "order_id": record.order_id or body.get("order") or None,
        "currency": body["currency"],
        "total_minor": body["total_minor"],
        "instalments_minor": doc.get("instalments_minor", 0) + _instalments(body),
        "credit_used_minor": credit_used,
        "issued_on": body["issued_on"],
        "due_on": body["due_on"],
        "issued_at": record.at,
    }


def _taken_back(doc: Doc, body: Mapping[str, Any]) -> Doc:
    """The invoice without money that was charged back or moved; what the account gave back of its credit need not be paid again."""
    amounts = {
        "paid_minor": -body["amount_minor"],
        "above_minor": -body["above_minor"],
        "lowered_minor": body["of_credit_minor"] - body["above_minor"],
    }
    return {**doc, **{name: doc.get(name, 0) + amount for name, amount in amounts.items()}}


def _instalments(body: Mapping[str, Any]) -> int:
    """What lines come to that bill instalments: the invoice of the goods has billed it already."""
    return sum(line["net_minor"] for line in body.get("lines", ()) if line.get("tax_group") == "instalment")


def _settled(doc: Doc, record: Seen) -> Doc:
    """The invoice with the time from which nothing of it is open, if nothing is."""
    settled = "total_minor" in doc and _over(doc) >= 0
    return {**doc, "paid_at": (doc.get("paid_at") or record.at) if settled else None}


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    if "invoice" in doc:
        settled = "void" if doc.get("voided") else "paid"
        state = (
            settled
            if doc.get("paid_at")
            else "written-off"
            if doc.get("written_off_minor")
            else "overdue"
            if doc.get("overdue")
            else "issued"
        )
        columns = {name: value for name, value in doc.items() if name not in ("overdue", "voided")}
        above = doc.get("above_minor", 0)
        yield {"paid_at": None, **columns, "above_minor": above, "credit_minor": max(_over(doc) + above, 0), "state": state}


def _over(doc: Doc) -> int:
    """What came above what was to be paid, without what is a credit of the account by that; below nothing for what is open."""
    return int(doc["paid_minor"] - doc.get("above_minor", 0) + doc["credit_used_minor"] + doc.get("lowered_minor", 0) - doc["total_minor"])


INVOICES = Projection(
    name="invoices",
    meaning="One row an invoice. paid: payments reach the total; overdue: unpaid past its due date; written-off: given up by the books. credit_used_minor: what the account's credit covers. "
    "credit_minor: what came above the rest, which the account holds. legal_number: that of its series; of before there were any, the invoice's own. credited_minor: what credit notes, or its void, "
    "took off it in all; lowered_minor: the part of that which lowered what is to be paid, and what is paid in instalments instead. above_minor: what of the money that came became a credit of the account by coming above it: it pays nothing of the invoice. written_off_minor: what the books do not count on any more; it is owed all the same. instalments_minor: what of it pays goods that another invoice has billed, without what was credited of that.",
    shape_version=9,
    columns={
        "invoice": "text", "legal_number": "text", "account": "text", "customer_id": "text", "order_id": "text", "currency": "text", "total_minor": "bigint",
        "paid_minor": "bigint", "issued_on": "date", "due_on": "date", "state": "text", "issued_at": "timestamptz", "paid_at": "timestamptz",
        "credit_minor": "bigint", "credit_used_minor": "bigint", "lowered_minor": "bigint", "credited_minor": "bigint",
        "written_off_minor": "bigint", "instalments_minor": "bigint", "above_minor": "bigint",
    },
    key=("invoice",),
    indexes=("invoice", "legal_number", "account", "customer_id", "order_id", "state, due_on"),
    types=frozenset({"invoice.issued", "invoice.overdue", *_MONEY, *TAKEN_BACK, *_TAKEN_OFF, *_WRITTEN_OFF}),
    fields=frozenset({"number", "legal_number", "account", "customer", "order", "currency", "issued_on", "due_on", "total_minor", "amount_minor",
                      "credit_used_minor", "of_open_minor", "lines", "credit_minor", "above_minor", "of_credit_minor"}),
    group=_group,
    found_by="stream",
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

LISTED_OF_CUSTOMER = """SELECT invoice, legal_number, account, state, currency, total_minor, credit_used_minor, lowered_minor, written_off_minor, paid_minor, above_minor, issued_on, due_on FROM projection.invoices
WHERE customer_id = %s ORDER BY issued_on, invoice"""
"""A customer's invoices by the day of issue. Parameter: the customer's id."""

COUNTS = """SELECT count(*) AS issued, count(*) FILTER (WHERE state = 'paid') AS paid, count(*) FILTER (WHERE state = 'overdue') AS overdue
FROM projection.invoices"""
"""How many invoices were issued, and how many of them are paid and overdue. No parameters."""

ISSUED_LATELY = """SELECT count(*)::bigint AS n FROM projection.invoices
WHERE issued_on > %(since)s AND EXISTS (SELECT FROM unnest(%(prefixes)s::text[]) AS p (prefix) WHERE starts_with(legal_number, prefix))"""
"""How many invoices were issued after a day with numbers that begin in certain ways. Parameters, by name: since, prefixes."""

SUMS_BY_CURRENCY = """SELECT currency, sum(total_minor)::bigint AS invoiced_minor, sum(paid_minor)::bigint AS paid_minor
FROM projection.invoices GROUP BY 1"""
"""What was invoiced and what was paid in each currency, in minor units. No parameters."""

_PICKED = """(cardinality(%(invoices)s::text[]) = 0 OR invoice = ANY(%(invoices)s) OR legal_number = ANY(%(invoices)s))
AND (cardinality(%(accounts)s::text[]) = 0 OR account = ANY(%(accounts)s))
AND (cardinality(%(customers)s::text[]) = 0 OR customer_id = ANY(%(customers)s))"""
"""Invoices as a caller picks them. Parameters: `invoices`, `accounts`, `customers` (each empty: any)."""

LISTED = f"""SELECT invoice, legal_number, account, customer_id AS customer, state, currency, total_minor, credit_used_minor, lowered_minor, written_off_minor, paid_minor, above_minor, issued_on, due_on,
    issued_at, paid_at, count(*) OVER () AS n FROM projection.invoices WHERE {_PICKED} ORDER BY issued_at, invoice OFFSET %(offset)s LIMIT %(limit)s"""
"""Invoices, the first issued first, and how many there are in all (`n`). Parameters: those of the filter, `offset`, `limit`."""

LISTED_COUNT = f"SELECT count(*) AS n FROM projection.invoices WHERE {_PICKED}"
"""How many invoices there are. Parameters: those of the filter."""

STANDING = """SELECT currency, sum(greatest(total_minor - credit_used_minor - lowered_minor - written_off_minor - paid_minor + above_minor, 0))::bigint AS receivable,
    sum(total_minor - credited_minor - instalments_minor)::bigint AS billed
FROM projection.invoices GROUP BY 1"""
"""What is open and what was billed, less what was credited of it and without instalments of goods billed before, in each currency, in minor
units. No parameters."""

BILLING = """SELECT e.stream FROM projection.invoices i JOIN o2c.event e ON e.stream = 'invoice-' || i.invoice AND e.type = 'invoice.issued'
WHERE i.customer_id = %(customer)s AND e.body -> 'lines' @> %(line)s::jsonb"""
"""The streams of a customer's invoices that bill an order. Parameters: `customer`, and a `line` of an invoice as JSON that names the
order."""
