"""Postings: what each money event posted to the accounts of the chart. Amounts are minor units, above zero for a debit, below it for a
credit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from o2c.kernel.reversals import TAKEN_BACK
from o2c.ledger.postings import (
    TABLE,
    Posting,
    above_before_accounts_held_money,
    deposit_before_accounts_held_money,
    postings_of,
)
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

_NAMED = ("account", "customer", "currency", "market")
"""What one event of a stream says for all of them: a payment says neither whose invoice it pays nor in which currency."""
_PAYMENTS = frozenset({"payment.received", "payment.part-received"})
_CONTEXT = frozenset({"account.opened", "account.charge-started"})


def _evolve(doc: Doc, record: Seen) -> Doc:
    named = {**doc["named"], **{name: record.body[name] for name in _NAMED if record.body.get(name)}}
    posted = postings_of(record.type, record.body)
    if not posted:
        return {**doc, "named": named}
    stands, earlier = _stands(doc, record)
    entry = {
        "event": record.event_id,
        "position": record.position,
        "type": record.type,
        "at": record.at,
        "said_day": record.body.get("issued_on"),
        "order_id": record.order_id,
        "lines": [_line(posting) for posting in (*posted, *earlier)],
    }
    return {**doc, **stands, "named": named, "entries": [*doc["entries"], entry]}


def _stands(doc: Doc, record: Seen) -> tuple[Doc, tuple[Posting, ...]]:
    """What is open of an invoice and kept of deposits after an event, and what it posts besides where the log is older than money that
    accounts hold."""
    body = record.body
    if record.type == "invoice.issued":
        return {"open": doc["open"] + body["total_minor"] - body.get("credit_used_minor", 0)}, ()
    if record.type == "invoice.put-on-instalments":
        return {"open": doc["open"] - body["of_open_minor"]}, ()
    if record.type in TAKEN_BACK:
        return {"open": doc["open"] + body["amount_minor"] - body["of_credit_minor"]}, ()
    if record.type in _PAYMENTS:
        above = body["amount_minor"] - max(doc["open"], 0) - body.get("credit_minor", 0)
        return {"open": doc["open"] - body["amount_minor"] + body.get("credit_minor", 0)}, above_before_accounts_held_money(
            above
        ) if above > 0 else ()
    if record.type == "account.deposit-kept":
        return {"kept": {**doc["kept"], body["order"]: doc["kept"].get(body["order"], 0) + body["amount_minor"]}}, ()
    if record.type == "account.deposit-freed":
        missing = body["amount_minor"] - doc["kept"].get(body["order"], 0)
        left = {order: minor for order, minor in doc["kept"].items() if order != body["order"]}
        left |= {body["order"]: -missing} if missing < 0 else {}
        return {"kept": left}, deposit_before_accounts_held_money(missing) if missing > 0 else ()
    return {}, ()


def _line(posting: Posting) -> list[Any]:
    return [posting.account, posting.amount_minor, posting.from_day or None, posting.to_day or None]


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    named = doc["named"]
    if "currency" not in named:
        return
    for entry in doc["entries"]:
        told = {name: value for name, value in entry.items() if name != "lines"}
        for number, (ledger_account, amount_minor, from_day, to_day) in enumerate(entry["lines"], 1):
            yield {
                **told,
                "line": number,
                "market": named.get("market", ""),
                "account": named["account"],
                "customer_id": named.get("customer"),
                "currency": named["currency"],
                "ledger_account": ledger_account,
                "amount_minor": amount_minor,
                "from_day": from_day,
                "to_day": to_day,
            }


POSTINGS = Projection(
    name="postings",
    meaning="One row a posting: the event, the account of the chart, the billing account, the amount (a debit above zero, a credit below it). `said_day`: the day "
    "that the event names for itself, else it is that of `at` by the market's clock. From `from_day` to before `to_day` it is earned by days.",
    shape_version=8,
    columns={
        "event": "text", "line": "integer", "position": "bigint", "type": "text", "at": "timestamptz", "said_day": "date", "market": "text",
        "ledger_account": "text", "account": "text", "customer_id": "text", "order_id": "text", "currency": "text", "amount_minor": "bigint",
        "from_day": "date", "to_day": "date",
    },
    key=("event", "line"),
    indexes=("account", "customer_id", "position"),
    types=frozenset({*_CONTEXT, *TABLE}),
    fields=frozenset({
        *_NAMED, "amount_minor", "becomes", "charged_minor", "fee_minor", "credit_minor", "credit_used_minor", "issued_on", "order", "lines", "net_minor", "of_credit_minor", "of_open_minor", "of_owed_minor", "tax_minor", "total_minor",
    }),
    group=lambda record: record.stream,
    found_by="stream",
    initial={"named": {}, "entries": [], "open": 0, "kept": {}},
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

_POSTED = """bound AS MATERIALIZED (
        SELECT closed_on, upto, lead(upto) OVER (ORDER BY upto) AS next_upto FROM projection.closings WHERE upto < %(upto)s),
    posted AS (SELECT p.*, d.own_day, greatest(d.own_day, b.closed_on + 1) AS day FROM projection.postings p
        CROSS JOIN LATERAL (SELECT coalesce(p.said_day, (p.at AT TIME ZONE coalesce(%(zones)s::jsonb ->> p.market, %(home)s))::date) AS own_day) d
        LEFT JOIN bound b ON p.position > b.upto AND (b.next_upto IS NULL OR p.position <= b.next_upto)
        WHERE p.position <= %(upto)s AND (%(at)s::timestamptz IS NULL OR p.at <= %(at)s))"""
"""The postings with the day of each in the books (`day`), which is its own day, or the first one that was open when it came. Parameters:
`upto` (the last position), `at` (the last time of an event; NULL: any), `zones` (time zones by market), `home` (the one where no market is
named)."""

SUMS = f"""WITH {_POSTED},
    earned AS (SELECT currency, sign(amount_minor)::bigint * ((2 * abs(amount_minor) * s.served + s.days) / (2 * s.days)) AS amount FROM posted
        CROSS JOIN LATERAL (SELECT to_day - from_day AS days, least(greatest(%(earned_by)s::date - from_day + 1, 0), to_day - from_day) AS served) s
        WHERE to_day IS NOT NULL AND day <= %(earned_by)s::date)
    SELECT ledger_account, currency, sum(amount)::bigint AS balance_minor FROM (
        SELECT ledger_account, currency, amount_minor AS amount FROM posted WHERE day <= %(on)s::date
        UNION ALL SELECT 'deferred-revenue', currency, -amount FROM earned UNION ALL SELECT 'revenue', currency, amount FROM earned) moved
    GROUP BY 1, 2 ORDER BY 2, 1"""
"""How every account of the chart stands at the end of a day, with what was earned by a day. Parameters: `on`, `earned_by` and those of
`_POSTED`."""

LINES = f"""WITH {_POSTED}
    SELECT day, nullif(own_day, day) AS of_day, position, event, line, type, ledger_account, account, customer_id AS customer, order_id AS "order", currency,
        amount_minor, from_day, to_day FROM posted
    WHERE day <= %(on)s::date AND (%(since)s::date IS NULL OR day >= %(since)s OR (greatest(to_day - 1, day) >= %(since)s AND to_day IS NOT NULL))
    ORDER BY day, position, line"""
"""The postings from the day `since` on (NULL: from the first) up to the end of a day, and those before of which something is earned in
these days; `of_day` is the day that a late one belongs to. Parameters: `since`, `on` and those of `_POSTED`."""
