"""Balances: the money that each account holds for its customer and that stands on no invoice. Amounts are minor units."""

from __future__ import annotations

from collections.abc import Iterator

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

_TYPES = frozenset({
    "account.deposit-kept", "account.deposit-freed", "account.credit-received", "account.credit-taken-back", "account.credit-used",
    "account.money-returned", "account.refund-released", "account.refund-reserved", "account.compensated", "account.prepaid-owed",
    "account.goodwill-given",
})  # fmt: skip


def _evolve(doc: Doc, record: Seen) -> Doc:
    body, amount = record.body, record.body["amount_minor"]
    sums = {"credit": 0, "owed": 0, "returned": 0, **doc.get("sums", {})}
    deposits = dict(doc.get("deposits", {}))
    match record.type:
        case "account.deposit-kept":
            deposits[body["order"]] = deposits.get(body["order"], 0) + amount
        case "account.deposit-freed":
            left = deposits.pop(body["order"], 0) - amount
            deposits |= {body["order"]: left} if left > 0 else {}
            sums[body["becomes"]] += amount
        case "account.credit-received" | "account.compensated" | "account.goodwill-given":
            sums["credit"] += amount
        case "account.prepaid-owed":
            sums["owed"] += amount
        case "account.credit-used" | "account.credit-taken-back":
            sums["credit"] -= amount
        case "account.refund-reserved":
            sums["credit"] -= body["of_credit_minor"]
            sums["owed"] += body["of_credit_minor"]
        case "account.refund-released":
            sums["credit"] += body["of_credit_minor"]
            sums["owed"] -= body["of_credit_minor"]
        case "account.money-returned":
            sums["owed"] -= body["of_owed_minor"]
            sums["credit"] -= amount - body["of_owed_minor"]
            sums["returned"] += amount
    named = {key: body[key] for key in ("account", "customer", "currency")}
    return {**doc, **named, "sums": sums, "deposits": deposits, "since": doc.get("since") or record.at, "moved_at": record.at}


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    yield {
        "account": doc["account"],
        "customer_id": doc["customer"],
        "currency": doc["currency"],
        "owed_minor": doc["sums"]["owed"],
        "credit_minor": doc["sums"]["credit"],
        "deposits_minor": sum(doc["deposits"].values()),
        "returned_minor": doc["sums"]["returned"],
        "moved_at": doc["moved_at"],
    }


BALANCES = Projection(
    name="balances",
    meaning="One row an account that holds or held money: owed to the customer, credit for its next invoices, deposits that are kept, paid back.",
    shape_version=6,
    columns={
        "account": "text", "customer_id": "text", "currency": "text", "owed_minor": "bigint", "credit_minor": "bigint",
        "deposits_minor": "bigint", "returned_minor": "bigint", "moved_at": "timestamptz",
    },
    key=("account",),
    indexes=("account", "customer_id"),
    types=_TYPES,
    fields=frozenset({"account", "customer", "currency", "amount_minor", "order", "becomes", "of_credit_minor", "of_owed_minor"}),
    group=lambda record: record.stream if record.stream.startswith("account-") else None,
    found_by="stream",
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

OWED = """SELECT account, customer_id AS customer, currency, owed_minor, credit_minor, deposits_minor, returned_minor, moved_at
FROM projection.balances WHERE (owed_minor <> 0 OR credit_minor <> 0 OR deposits_minor <> 0) AND (cardinality(%(accounts)s::text[]) = 0 OR account = ANY(%(accounts)s))
ORDER BY owed_minor = 0, moved_at, account LIMIT %(limit)s"""
"""The accounts that hold money of their customers, those that owe it first, then by when it last moved. Parameters: accounts (none: all),
how many at most (NULL: all)."""

OF_CUSTOMER = """SELECT account, currency, owed_minor, credit_minor, deposits_minor, returned_minor FROM projection.balances
WHERE customer_id = %s ORDER BY account"""
"""What the accounts of a customer hold, and what was paid back. Parameter: the customer's id."""

STANDING = """SELECT currency, sum(credit_minor)::bigint AS "customer-credit", sum(owed_minor)::bigint AS "owed-to-customers",
    sum(deposits_minor)::bigint AS deposit FROM projection.balances GROUP BY 1"""
"""What all accounts together hold in each currency, in minor units. No parameters."""
