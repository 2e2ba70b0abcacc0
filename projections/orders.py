"""Orders: one row an order, with its customer and its state."""

from __future__ import annotations

from collections.abc import Iterator

from o2c.kernel.event import Event
from projections import order_progress as progress
from projections.captures import APART
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.order_progress import FIELDS, INITIAL, leaf_items, order_of, state_of

JEOPARDY = ("order.jeopardy-raised", "order.jeopardy-cleared")
_OVER = ("completed", "failed", "cancelled", "rejected")


def _concerns(event: type[Event]) -> bool:
    return progress.concerns(event) or event.type_name in JEOPARDY


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.type not in JEOPARDY:
        return progress.evolve(doc, record)
    return doc if record.item else {**doc, "danger": [record.body.get("level", ""), record.at]}


def _danger(doc: Doc) -> tuple[str, str | None]:
    """The danger of the order as a whole, and since when: as it was written down last, while it is open and nothing open of it is
    promised."""
    level, at = doc.get("danger", ("", None))
    if not level or "closed_at" in doc or any(leaf.promised_on and leaf.state not in _OVER for leaf in leaf_items(doc)):
        return "", None
    return level, at


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    if "captured_at" in doc:
        danger, danger_at = _danger(doc)
        yield {
            "order_id": order_id,
            "external_id": doc["external_id"],
            "customer_id": doc["customer"],
            "state": state_of(doc),
            "channel": doc["channel"],
            "captured_at": doc["captured_at"],
            "items": len(doc["items"].keys() | doc["leaves"].keys()),
            "open_fallouts": len(doc["open"]),
            "priority": doc["priority"],
            "category": doc.get("category", ""),
            "closed_at": doc.get("closed_at"),
            "danger": danger,
            "danger_at": danger_at,
        }


ORDERS = Projection(
    name="orders",
    meaning="One row an order: state by the roll-up, leaf items, open fallouts; captured_at and closed_at are business time; the danger written down of an order of which nothing is promised.",
    shape_version=6,
    columns={
        "order_id": "text", "external_id": "text", "customer_id": "text", "state": "text", "channel": "text", "captured_at": "timestamptz",
        "items": "integer", "open_fallouts": "integer", "priority": "integer", "category": "text", "closed_at": "timestamptz", "danger": "text", "danger_at": "timestamptz",
    },
    key=("order_id",),
    indexes=("order_id", "external_id", "customer_id", "state, captured_at"),
    types=_concerns,
    fields=FIELDS | {"level"},
    group=order_of,
    found_by="order",
    initial=INITIAL,
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

LISTED = """SELECT order_id AS "order", external_id, customer_id AS customer, state, channel, captured_at, items, open_fallouts,
count(*) OVER () AS n FROM projection.orders WHERE (%s = '' OR state = %s) AND (%s = '' OR customer_id = %s) ORDER BY captured_at, order_id LIMIT %s"""
"""Orders by capture time, and how many there are in all (`n`). Parameters: the state twice and the customer twice (empty text: any), and
how many at most (NULL: all)."""

LISTED_OF_ACTOR = """SELECT o.order_id AS "order", o.external_id, o.customer_id AS customer, o.state, o.channel, o.captured_at, o.items,
    o.open_fallouts, count(*) OVER () AS n
FROM projection.orders o JOIN o2c.event e ON e.stream = 'order-' || o.order_id AND e.version = 1
WHERE (%s = '' OR o.state = %s) AND (%s = '' OR o.customer_id = %s) AND e.actor = %s ORDER BY o.captured_at, o.order_id LIMIT %s"""
"""The orders that somebody captured, by capture time, and how many there are in all (`n`). Parameters: the state twice and the customer
twice (empty text: any), who, and how many at most (NULL: all)."""

LISTED_BY_ID = """SELECT order_id AS "order", external_id, customer_id AS customer, state, channel, captured_at
FROM projection.orders WHERE order_id = ANY(%s) ORDER BY captured_at, order_id"""
"""Some orders by capture time. Parameter: their ids."""

ID_OF_ORDER = "SELECT order_id FROM projection.orders WHERE order_id = %s"
"""The id of an order if there is such an order. Parameter: the id."""

IDS_OF_EXTERNAL_ID = "SELECT order_id FROM projection.orders WHERE external_id = %s"
"""The ids of the orders with an external id. Parameter: the external id."""

IDS_OF_CUSTOMERS = "SELECT order_id FROM projection.orders WHERE customer_id = ANY(%s)"
"""The ids of all orders of some customers. Parameter: the customers' ids."""

CAPTURED_FROM = """SELECT order_id AS "order", external_id, captured_at,
    state = 'rejected' OR EXISTS (SELECT FROM projection.fallout f WHERE f.order_id = o.order_id) AS touched
FROM projection.orders o WHERE (captured_at, order_id) > (%s, %s) ORDER BY captured_at, order_id LIMIT %s"""
"""Orders by capture, with whether a step of theirs ever fell out or they were rejected (`touched`). Parameters: a time and an id, after
which they come; how many."""

COUNT_BY_STATE = "SELECT state AS key, count(*) AS n FROM projection.orders GROUP BY 1 ORDER BY 1"
"""How many orders are in each state. No parameters."""

_REVISED = "FROM o2c.event r WHERE r.stream = 'order-' || o.order_id AND r.type = 'order.revised'"
_PAPER = f"e.stream = 'order-' || o.order_id AND e.version = coalesce((SELECT max(r.version) {_REVISED}), 1)"
"""The event that has the paper in force of an order: the last that changed it, else the one that captured it."""
_SAYS = f"""EXISTS (SELECT FROM o2c.event e, LATERAL (SELECT nullif(CASE WHEN %(in_paper)s THEN e.personal ->> 'original' END, '')::json AS sent) p
    WHERE {_PAPER} AND CASE WHEN p.sent IS NULL THEN {{told}} ELSE {{sent}} END)"""
_PART_SENT = """EXISTS (SELECT FROM json_array_elements(CASE json_typeof(p.sent -> '{part}') WHEN 'array' THEN p.sent -> '{part}' {one} ELSE '[]' END) AS part
    WHERE json_typeof(part) = 'object' AND {fits})"""
_LINE_TOLD = """EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(e.body -> 'lines') WHEN 'array' THEN e.body -> 'lines' ELSE '[]' END) AS line
    WHERE coalesce(line ->> 'parent', '') = '' AND {fits})"""
"""A first event that captured no order may be asked too, before it is known whose it is."""


def _text(value: str) -> str:
    """A value of a paper as a text attribute tells it; NULL for a number with a fraction. Text, never jsonb: a number may be beyond all
    bounds."""
    raw = f"{value} #>> '{{}}'"
    return f"""CASE WHEN json_typeof({value}) IN ('string', 'boolean') OR {raw} ~ '^(0|-?[1-9][0-9]*)$' THEN {raw} WHEN {raw} = '-0' THEN '0' END"""


def _whole(value: str) -> str:
    """A value of a paper as an attribute of whole numbers tells it: a number without a fraction however it is written, or a text of up to
    nine digits. To fifteen digits, as numbers with a fraction are; an order with one beyond all bounds was never taken down."""
    raw = f"({value} #>> '{{}}')"
    return f"""CASE json_typeof({value}) WHEN 'string' THEN CASE WHEN {raw} ~ '^[0-9]{{1,9}}$' THEN {raw}::numeric END
        WHEN 'number' THEN CASE WHEN {raw} ~ '^-?[0-9]+$' THEN {raw}::numeric
            WHEN {raw} ~ '[eE][+-]?0*[0-9]{{5}}' THEN NULL WHEN abs({raw}::numeric) < 1e-300 THEN 0
            WHEN {raw}::numeric::float8 = floor({raw}::numeric::float8) THEN {raw}::numeric::float8::numeric END END"""


def _named(option: str, part: str, *values: str) -> str:
    """Whether one of the parts of a paper names one of the values of an option, at one of some places; a part that is none of a list counts
    as one."""
    fits = "(" + " OR ".join(f"{_text(f'part {value}')} = ANY(%({option})s)" for value in values) + ")"
    part_sent = _PART_SENT.format(part=part, one=f"WHEN 'object' THEN json_build_array(p.sent -> '{part}')", fits=fits)
    return _SAYS.format(told="false", sent=part_sent)


def _of_items(given: str, sent: str, told: str, *, none: str = "") -> str:
    """Whether an item of the outermost level is so: as it was sent, or where that is not to be read as it was taken down. `none`: or
    whether that an order without items is so too."""
    sent_so, told_so = _PART_SENT.format(part="productOrderItem", one="", fits=sent), _LINE_TOLD.format(fits=told)
    if none:
        no_item = _PART_SENT.format(part="productOrderItem", one="", fits="true"), _LINE_TOLD.format(fits="true")
        sent_so, told_so = (f"({so} OR ({none} AND NOT {any_}))" for so, any_ in zip((sent_so, told_so), no_item, strict=True))
    return f"AND ({given} OR {_SAYS.format(told=told_so, sent=sent_so)})"


def _none(option: str, kind: str = "text") -> str:
    return f"cardinality(%({option})s::{kind}[]) = 0"


def _item_names(option: str, value: str, name: str) -> str:
    """Whether an item of the outermost level names one of the values of an option."""
    return _of_items(_none(option), f"{_text(f'part {value}')} = ANY(%({option})s)", f"line ->> '{name}' = ANY(%({option})s)")


_ACCOUNT_TOLD = "e.body ->> 'account' = ANY(%(accounts_named)s)"
_ACCOUNT_SENT = _text("(p.sent -> 'billingAccount' -> 'id')") + " = ANY(%(accounts_named)s)"
_QUANTITY_SENT = _whole("(part -> 'quantity')")
_QUANTITY_TOLD = "CASE WHEN line ->> 'quantity' ~ '^[0-9]{1,9}$' THEN (line ->> 'quantity')::numeric END"
_ACTION = "CASE WHEN {action} IN ('add', 'modify', 'delete') THEN {action} ELSE 'noChange' END = ANY(%(actions)s)"
_BOUNDS = "BETWEEN coalesce(%(quantity_from)s::numeric, '-infinity') AND coalesce(%(quantity_to)s::numeric, 'infinity')"

_AS_SENT = f"""AND ({_none("parties_named")} OR o.customer_id = ANY(%(parties_named)s)
    OR (%(in_paper)s AND {_named("parties_named", "relatedParty", "-> 'id'", "-> 'partyOrPartyRole' -> 'id'")}))
AND ({_none("channels_named")} OR (o.channel = ANY(%(channels_named)s) AND NOT (%(in_paper)s AND EXISTS (SELECT {_REVISED})))
    OR (%(in_paper)s AND {_named("channels_named", "channel", "-> 'id'", "-> 'channel' -> 'id'")}))
AND ({_none("accounts_named")} OR {_SAYS.format(told=_ACCOUNT_TOLD, sent=_ACCOUNT_SENT)})
{_item_names("items_named", "-> 'id'", "item")}
{_item_names("offerings", "-> 'productOffering' -> 'id'", "offering")}
{_item_names("item_products", "-> 'product' -> 'id'", "product")}
{_item_names("item_accounts", "-> 'billingAccount' -> 'id'", "account")}
{_of_items(_none("actions"), _ACTION.format(action="part ->> 'action'"), _ACTION.format(action="line ->> 'action'"),
    none="'noChange' = ANY(%(actions)s)")}
{_of_items(_none("quantities", "numeric"), f"{_QUANTITY_SENT} = ANY(%(quantities)s::numeric[])", f"{_QUANTITY_TOLD} = ANY(%(quantities)s::numeric[])")}
{_of_items("num_nulls(%(quantity_from)s::numeric, %(quantity_to)s::numeric) = 2", f"{_QUANTITY_SENT} {_BOUNDS}", f"{_QUANTITY_TOLD} {_BOUNDS}")}"""  # fmt: skip

_FILTERED = (
    """(cardinality(%(orders)s::text[]) = 0 OR o.order_id = ANY(%(orders)s))
AND (cardinality(%(external_ids)s::text[]) = 0 OR o.external_id = ANY(%(external_ids)s))
AND (cardinality(%(states)s::text[]) = 0 OR o.state = ANY(%(states)s))
AND (cardinality(%(customers)s::text[]) = 0 OR o.customer_id = ANY(%(customers)s))
AND (cardinality(%(channels)s::text[]) = 0 OR o.channel = ANY(%(channels)s))
AND (cardinality(%(categories)s::text[]) = 0 OR o.category = ANY(%(categories)s))
AND (cardinality(%(mentioning)s::text[]) = 0 OR EXISTS (SELECT FROM o2c.event e, unnest(%(mentioning)s::text[]) AS word
    WHERE """
    + _PAPER
    + """
        AND (position(word IN e.personal ->> 'original') > 0 OR e.personal ->> 'original' ~ '[\\\\]u00[2-7]')))
AND (cardinality(%(priorities)s::integer[]) = 0 OR o.priority = ANY(%(priorities)s))
AND (cardinality(%(captured_at)s::timestamptz[]) = 0 OR date_trunc('milliseconds', o.captured_at) = ANY(%(captured_at)s))
AND (cardinality(%(closed_at)s::timestamptz[]) = 0 OR date_trunc('milliseconds', o.closed_at) = ANY(%(closed_at)s))
AND (%(captured_since)s::timestamptz IS NULL OR o.captured_at >= %(captured_since)s)
AND (%(captured_until)s::timestamptz IS NULL OR o.captured_at < %(captured_until)s)
AND (%(closed_since)s::timestamptz IS NULL OR o.closed_at >= %(closed_since)s)
AND (%(closed_until)s::timestamptz IS NULL OR o.closed_at < %(closed_until)s)
AND (%(captured_by)s = '' OR EXISTS (SELECT FROM o2c.event e WHERE e.stream = 'order-' || o.order_id AND e.version = 1 AND e.actor = %(captured_by)s))
AND (cardinality(%(item_states)s::text[]) = 0 OR o.state = ANY(%(item_states)s) OR (o.items > 1 AND %(item_states)s && '{inProgress,partial,failed}')
    OR EXISTS (SELECT FROM projection.items i WHERE i.order_id = o.order_id AND i.state = ANY(%(item_states)s)))
AND (num_nulls(%(promised_from)s::date, %(promised_to)s::date) = 2 OR EXISTS (SELECT FROM projection.items i WHERE i.order_id = o.order_id
    AND i.promised_on BETWEEN coalesce(%(promised_from)s, '-infinity') AND coalesce(%(promised_to)s, 'infinity')))
AND (cardinality(%(open_reasons)s::text[]) = 0 OR EXISTS (SELECT FROM projection.fallout f
    WHERE f.order_id = o.order_id AND f.stream = 'order-' || o.order_id AND f.state = 'open' AND f.reason = ANY(%(open_reasons)s)))
AND (%(captured_by)s <> '' OR cardinality(%(orders)s::text[] || %(external_ids)s::text[] || %(customers)s::text[] || %(parties_named)s::text[]) > 0
    OR NOT """
    + APART.format(order_id="o.order_id")
    + """)
"""
    + _AS_SENT
)
"""Orders `o` as a caller picks them. Parameters: `orders`, `external_ids`, `states`, `customers`, `channels`, `categories`, `mentioning`
(words of the paper, of which one stands in it, or some letter of it is escaped), `priorities`, `captured_at`, `closed_at` (to the
millisecond), `item_states` (some line of it may stand so), `promised_from` and `promised_to` (days between which an item is promised; NULL:
any), `open_reasons`; as they were sent where `in_paper` (by the paper in force), else as taken down: `parties_named`, `channels_named`,
`accounts_named` and, of an item, `items_named`, `actions`, `offerings`, `item_products`, `item_accounts`, `quantities` (each empty: any),
`quantity_from` and `quantity_to` (NULL: any); `captured_since`, `closed_since` and, not included, `captured_until`, `closed_until` (NULL:
any); `captured_by` (empty text: anybody). Where none of `orders`, `external_ids`, `customers`, `parties_named` and `captured_by` says
whose, those of programs and of tests of our own are left out."""

DOCUMENTED = f"""SELECT o.*, count(*) OVER () AS n FROM projection.orders o WHERE {_FILTERED}
ORDER BY CASE %(sort)s WHEN 'state' THEN o.state WHEN 'external_id' THEN o.external_id WHEN 'order' THEN o.order_id END,
    CASE %(sort)s WHEN '-state' THEN o.state WHEN '-external_id' THEN o.external_id WHEN '-order' THEN o.order_id END DESC,
    CASE %(sort)s WHEN 'priority' THEN o.priority END, CASE %(sort)s WHEN '-priority' THEN o.priority END DESC,
    CASE %(sort)s WHEN 'closed_at' THEN o.closed_at END, CASE %(sort)s WHEN '-closed_at' THEN o.closed_at END DESC NULLS LAST,
    CASE %(sort)s WHEN '-captured_at' THEN o.captured_at END DESC, o.captured_at, o.order_id OFFSET %(offset)s LIMIT %(limit)s"""
"""A page of orders, by capture time unless `sort` says otherwise, and how many there are in all (`n`). Parameters: those of the filter,
`sort` (a column, with a minus before it downwards), `offset`, `limit`."""

DOCUMENTED_COUNT = f"SELECT count(*) AS n FROM projection.orders o WHERE {_FILTERED}"
"""How many orders there are of those that a caller picks. Parameters: those of the filter."""

ORDERS_OF_CUSTOMER = "SELECT order_id::uuid FROM projection.orders WHERE customer_id = %s"
"""The orders of a customer, for a question about events. Parameter: the customer."""

CHANNELS = "SELECT order_id, channel FROM projection.orders WHERE order_id = ANY(%s)"
"""The channel that sent each of some orders. Parameter: their ids."""
