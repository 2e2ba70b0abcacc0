"""Prepaid: the money of each account that pays for usage before it is used. Amounts are minor units, tax included."""

from __future__ import annotations

from collections.abc import Iterator

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

_TOLD = {
    "prepaid.topped-up": ("topped_up", "amount_minor"), "quota.committed": ("charged", "charged_minor"), "prepaid.expired": ("expired", "amount_minor"),
    "prepaid.usage-charged": ("charged", "charged_minor"), "prepaid.returned": ("returned", "amount_minor"),
}  # fmt: skip


def _evolve(doc: Doc, record: Seen) -> Doc:
    what, field = _TOLD[record.type]
    amount_minor = record.body[field]
    if not amount_minor:
        return doc
    named = {key: record.body[key] for key in ("account", "customer", "currency") if record.body.get(key)}
    kept = doc["kept"] + record.body.get("fee_minor", 0)
    return {**doc, **named, what: doc[what] + amount_minor, "kept": kept, "moved_at": record.at}


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    if "account" in doc:
        yield {
            "account": doc["account"],
            "customer_id": doc["customer"],
            "currency": doc["currency"],
            "balance_minor": doc["topped_up"] - doc["charged"] - doc["expired"] - doc["returned"],
            "topped_up_minor": doc["topped_up"],
            "charged_minor": doc["charged"],
            "expired_minor": doc["expired"],
            "returned_minor": doc["returned"] - doc["kept"],
            "kept_minor": doc["kept"],
            "moved_at": doc["moved_at"],
        }


PREPAID = Projection(
    name="prepaid",
    meaning="One row an account that was ever topped up: what came, what usage was charged, what expired, what was given back when its customer left, what was kept for that, and what is left.",
    shape_version=3,
    columns={
        "account": "text", "customer_id": "text", "currency": "text", "balance_minor": "bigint", "topped_up_minor": "bigint", "charged_minor": "bigint",
        "expired_minor": "bigint", "returned_minor": "bigint", "kept_minor": "bigint", "moved_at": "timestamptz",
    },
    key=("account",),
    indexes=("account", "customer_id"),
    types=frozenset(_TOLD),
    fields=frozenset({"account", "customer", "currency", "amount_minor", "charged_minor", "fee_minor"}),
    group=lambda record: record.stream,
    found_by="stream",
    initial={"topped_up": 0, "charged": 0, "expired": 0, "returned": 0, "kept": 0},
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

STANDING = """SELECT currency, sum(balance_minor)::bigint AS prepaid, sum(charged_minor + expired_minor + kept_minor)::bigint AS billed FROM projection.prepaid GROUP BY 1"""
"""What all accounts together have to use in each currency, and what was earned of it or is tax, in minor units. No parameters."""
