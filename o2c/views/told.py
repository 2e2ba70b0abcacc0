"""What a customer was told: every message, notice, paper, answer and promise that the log knows of, when, and through which channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from o2c.access.state import access_stream
from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.orders import find_order, list_orders
from o2c.views.reading import plain
from o2c.views.shown import ToldShown
from projections import balances, invoices, messages, orders, products

TO_CHANNEL: Mapping[str, str] = {
    "promise.made": "days promised", "promise.revised": "another day promised", "order.resubmission-refused": "a changed paper is no order",
    "order.revised": "the order is changed", "order.revision-refused": "what cannot be changed any more",
    "cancellation.refused": "what cannot be cancelled", "cancellation.accepted": "the cancellation goes on", "order.rejected": "the order is rejected",
    "order.completed": "the order is complete", "order.partially-completed": "what could be done is done", "order.failed": "the order could not be carried out",
    "order.cancelled": "the order is cancelled",
}  # fmt: skip
"""What the order itself says to the channel that sent it, as soon as it is so, in words."""
TO_CUSTOMER: Mapping[str, str] = {
    "customer.contacted": "a contact", "credit-notice.sent": "notice of a decision about credit", "fallout.information-requested": "something is needed",
    "invoice.issued": "an invoice", "credit-note.issued": "a credit note", "collections.reminded": "a reminder of what is owed",
    "collections.warned": "a warning that lines will be barred", "account.limit-noticed": "notice that a limit is nearly used",
    "product.porting-code-issued": "a code to take the number away", "product.porting-code-refused": "no code to take the number away",
}  # fmt: skip
"""What goes out to the customer, in words."""
NOTICED: Mapping[str, str] = {
    "product.porting-code-issued": "a code to take the number away was asked for", "product.porting-code-refused": "a code to take the number away was refused",
    "port-out.authorised": "the number goes to {operator} on {agreed_on}", "port-out.withdrawn": "the number stays", "port-out.failed": "the number stays",
    "switch-out.matched": "what switching to {gaining} means", "switch-out.ordered": "the service is switched on {planned_on}",
    "switch-out.withdrawn": "the service stays", "end-notice.given": "what comes after the term, which ends on {ends_on}",
    "product.transfer-agreed": "another customer may take the product over", "product.transfer-withdrawn": "the product stays with its owner",
}  # fmt: skip
"""What a customer was told of by a courtesy contact of the same transaction, in words and by what the event says."""
ON_ACCOUNT = "account"
"""Where bills, credit notes and what is said of them stand to be read: what a message says of one beside that is a row of its own."""
STANDS_ON_ACCOUNT = frozenset(
    {"invoice.issued", "credit-note.issued", "collections.reminded", "collections.warned", "account.limit-noticed"}
)
"""What stands on the account, by whomever it was made."""
BY_ITSELF = "engine"
"""The channel of what the engine did by itself, which reaches nobody."""
SHOWN_BY = frozenset({"service", "holder"})
"""The roles that show what they are given to the customer: a channel's own program. What staff are shown is in the access records."""

EVENTS_TOLD = """SELECT position, event_id::text AS event, stream, type, occurred_at, actor, channel, body,
    coalesce(nullif(body ->> 'order', ''), order_id::text) AS "order" FROM o2c.event
WHERE type = ANY(%(types)s) AND (stream = ANY(%(streams)s) OR order_id = ANY(%(orders)s::uuid[])) ORDER BY occurred_at, position"""
"""What was told in some streams and about some orders, the first first. Parameters: `types`, `streams`, `orders` (their ids)."""

HOOKS_TOLD = """SELECT e.position, e.event_id::text AS event, e.type, e.order_id::text AS "order", o.tried_at, o.hook
FROM o2c.outbox o JOIN o2c.event e USING (position) WHERE o.state = 'delivered' AND o.stream = ANY(%(streams)s) ORDER BY o.tried_at, o.position, o.part"""
"""What hooks took of some streams, the first first: for a week after it was delivered. Parameter: `streams`."""


def told_of_order(app: Engine, name: str) -> list[ToldShown]:
    """What the customer of an order was told about it, the first first: what, when, through which channel, and by which event.

    Promises, ends and refusals are the order's answers to the channel that sent it; `audience` says so. What went out to the customer is a
    contact (with its medium), a notice, a request for something needed, an invoice, or a page that a channel's program showed. A bill and
    what is said of it stand on the `account`; a channel is empty where the log does not say it. What hooks took stands for a week. No text
    that is personal is here. Raises Refused (missing).
    """
    stream, state = find_order(app, name)
    found = _of_streams(app, [stream, customer_stream(state.party), access_stream(state.party)], [state.order_id])
    billed = _billed(
        app, [row["stream"] for row in app.reads.rows(invoices.BILLING, line=f'[{{"order": "{state.order_id}"}}]', customer=state.party)]
    )
    return _in_order(
        [row for row in found if _about(row, state.order_id)] + billed + _messaged(app, [state.order_id]) + _hooked(app, [stream])
    )


def told_to_customer(app: Engine, name: str) -> list[ToldShown]:
    """What a customer was told about anything, the first first, as `orders.told` says it of one order; with bills, reminders and codes.

    The projections must be caught up. Raises Refused (missing).
    """
    ordered = [row["order"] for row in list_orders(app, customer=name)]
    streams = [customer_stream(name), access_stream(name), *(f"order-{order}" for order in ordered)]
    if not ordered and not app.load_one(customer_stream(name)).version:
        raise Refused(f"no customer {name}; find one by number, name or e-mail with `o2c orders find`", kind="missing")
    accounts = {row["account"] for row in app.reads.rows(balances.OF_CUSTOMER, name)}
    streams += [f"{kind}-{account}" for account in sorted(accounts) for kind in ("account", "collection")]
    streams += [f"invoice-{row['invoice']}" for row in app.reads.rows(invoices.LISTED_OF_CUSTOMER, name)]
    streams += [f"product-{row['product']}" for row in app.reads.rows(products.IN_SERVICE_OF_CUSTOMER, name)]
    return _in_order(_of_streams(app, streams, ordered) + _messaged(app, ordered, name) + _hooked(app, streams))


def _of_streams(app: Engine, streams: Sequence[str], ids: Sequence[str]) -> list[dict[str, Any]]:
    types = [*TO_CHANNEL, *TO_CUSTOMER, *NOTICED, "personal-data.disclosed"]
    rows = _noticed(app.reads.rows(EVENTS_TOLD, types=types, streams=list(streams), orders=list(ids)))
    sent_by = _channels(app, [order for row in rows if (order := row["order"])])
    return [told for row in rows if (told := _told(row, sent_by))]


def _noticed(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows, with the words of what a courtesy contact was about (`notice`); what is no answer of its own is such a contact's alone."""
    said = {int(row["position"]) >> 16: NOTICED[row["type"]].format_map(row["body"]) for row in rows if row["type"] in NOTICED}
    kept = (row for row in rows if row["type"] in TO_CUSTOMER or row["type"] not in NOTICED)
    return [{**row, "notice": said.get(int(row["position"]) >> 16, "") if row["body"].get("medium") == "courtesy" else ""} for row in kept]


def _channels(app: Engine, ids: Sequence[str]) -> dict[str, str]:
    return {row["order_id"]: row["channel"] for row in app.reads.rows(orders.CHANNELS, sorted(set(ids)))}


def _told(row: Mapping[str, Any], sent_by: Mapping[str, str]) -> dict[str, Any] | None:
    """What an event told, to whom and how; None for one that told the customer nothing."""
    body, kind = row["body"], row["type"]
    if kind == "personal-data.disclosed":
        if SHOWN_BY.isdisjoint(body["roles"]):
            return None
        order = next((name.removeprefix("order ") for name in body["subjects"] if name.startswith("order ")), None)
        what = f"shown by {row['actor']}: {body['operation']}"
        return {**_facts(row), "order": order, "what": what, "channel": row["channel"], "audience": "customer"}
    if kind == "fallout.information-requested" and body["waits_for"] not in ("customer", "channel"):
        return None
    audience = "channel" if kind in TO_CHANNEL or body.get("waits_for") == "channel" else "customer"
    by_order = sent_by.get(row["order"] or "", row["channel"])
    channel = body.get("medium") or (by_order if audience == "channel" else _reached_by(row))
    what = f"a notice: {notice}" if (notice := row.get("notice")) else _words(kind, body)
    return {**_facts(row), "what": what, "channel": channel, "audience": audience}


def _reached_by(row: Mapping[str, Any]) -> str:
    """The channel in which something reached the customer; empty where the log does not say."""
    if row["type"] in STANDS_ON_ACCOUNT:
        return ON_ACCOUNT
    return "" if row["channel"] == BY_ITSELF else str(row["channel"])


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {"at": row["occurred_at"], "order": row["order"], "about": row["stream"], "type": row["type"]}
    return {**told, "event": row["event"], "position": str(row["position"]), "actor": row["actor"]}


def _words(kind: str, body: Mapping[str, Any]) -> str:
    """What was told, in words: with the days of a promise, the topic of a contact, the sum of a bill."""
    said = {**TO_CHANNEL, **TO_CUSTOMER}[kind]
    if kind == "promise.made":
        return f"{said}: " + ", ".join(f"item {item['item']} for {item['promised_on']}" for item in body["items"])
    if kind == "promise.revised":
        return f"{said}: item {body['item']} for {body['promised_on']}, not {body['promised_before']}"
    if kind == "customer.contacted":
        return f"{said}, {body['direction']}: {body['topic']}"
    return f"{said} ({body['reason']})" if body.get("reason") else said


def _about(row: Mapping[str, Any], order: str) -> bool:
    """Whether something told to a customer was about an order: what names another, or none, was not."""
    return bool(row["order"] == order)


def _billed(app: Engine, streams: Sequence[str]) -> list[dict[str, Any]]:
    rows = app.reads.rows(EVENTS_TOLD, types=["invoice.issued", "credit-note.issued"], streams=list(streams), orders=[])
    return [told for row in rows if (told := _told(row, {}))]


def _messaged(app: Engine, ids: Sequence[str], customer: str = "") -> list[dict[str, Any]]:
    """The messages that went out, each by its medium."""
    rows = app.reads.rows(messages.SENT, orders=list(ids), customer=customer)
    return [{**_facts(row), "what": f"a message: {row['milestone']}", "channel": row["medium"], "audience": "customer"} for row in rows]


def _hooked(app: Engine, streams: Sequence[str]) -> list[dict[str, Any]]:
    """What hooks took of these streams: the channels' own programs were told of it."""
    found = []
    for row in app.reads.rows(HOOKS_TOLD, streams=list(streams)):
        facts = {"at": row["tried_at"], "order": row["order"], "about": row["type"], "type": row["type"], "event": row["event"]}
        told = {"position": str(row["position"]), "actor": row["hook"], "what": f"a hook was told of {row['type']}"}
        found.append({**facts, **told, "channel": f"hook {row['hook']}", "audience": "channel"})
    return found


def _in_order(rows: Sequence[dict[str, Any]]) -> list[ToldShown]:
    return [cast("ToldShown", plain(row)) for row in _once(sorted(rows, key=lambda row: (row["at"], int(row["position"]), row["channel"])))]


def _once(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each once, though it may have been found on two ways."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        key = (row["event"], row["channel"])
        if key not in seen:
            seen.add(key)
            yield row
