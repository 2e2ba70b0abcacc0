"""Products: what customers have and had in service, as it stands now."""

from __future__ import annotations

from collections.abc import Iterator

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen

_SERVES = {"product.started": "active", "product.suspended": "suspended", "product.resumed": "active", "product.terminated": "terminated"}
_LEAVES = {"port-out.authorised": True, "port-out.withdrawn": False, "reactivation.completed": False, "product.terminated": False,
           "switch-out.ordered": True, "switch-out.withdrawn": False}  # fmt: skip
_STANDING = frozenset({"product.started", "product.changed"})
_HELD = ("msisdn", "iccid", "sim_kind", "imei")
TERMINATION = "termination"


def _evolve(doc: Doc, record: Seen) -> Doc:
    body = record.body
    changing = {name: by for name, by in doc["changing"].items() if by != f"{body.get('order')}/{body.get('item')}"}
    made = {**doc, "changing": changing, "status": _SERVES.get(record.type, doc["status"])}
    if record.type == "product.change-accepted":
        return {**made, "changing": {**changing, **dict.fromkeys(body["attributes"], f"{body['order']}/{body['item']}")}}
    if record.type in _LEAVES:
        made["leaves"] = _LEAVES[record.type]
    if record.type in _STANDING:
        made["standing"] = body["standing"]
    if record.type == "product.started":
        own = {name: body[name] for name in ("product", "order", "item", "currency", "started_on")}
        return {**made, **own, "in_service_since": record.at}
    if record.type == "product.resumed":
        made["standing"] = {**made["standing"], "commitment_ends_on": body["commitment_ends_on"]}
    if record.type == "product.terminated":
        made["ended_on"] = body["ended_on"]
    return made


def _rows(stream: str, doc: Doc) -> Iterator[Row]:
    if "product" not in doc:
        return
    stands, holds = doc["standing"], doc["standing"].get("holds", {})
    ending = doc["status"] != "terminated" and (TERMINATION in doc["changing"] or doc.get("leaves", False))
    yield {
        "product": doc["product"],
        "order_id": doc["order"],
        "item": doc["item"],
        "customer_id": stands["customer"],
        "account": stands["account"],
        "offering": stands["offering"],
        "specification": stands["specification"],
        "status": "pendingTerminate" if ending else doc["status"],
        "started_on": doc["started_on"],
        "in_service_since": doc["in_service_since"],
        "commitment_ends_on": stands.get("commitment_ends_on") or None,
        "ended_on": doc.get("ended_on") or None,
        "price_minor": stands.get("recurring_minor", 0),
        "currency": doc["currency"],
        **{name: holds.get(name) for name in _HELD},
    }


PRODUCTS = Projection(
    name="products",
    meaning="One row a product that is or was in service: whose it is, what was sold, what serves it, its price net of tax, and its status by TMF637.",
    shape_version=2,
    columns={
        "product": "text", "order_id": "text", "item": "text", "customer_id": "text", "account": "text", "offering": "text", "specification": "text",
        "status": "text", "started_on": "date", "in_service_since": "timestamptz", "commitment_ends_on": "date", "ended_on": "date", "price_minor": "bigint",
        "currency": "text", "msisdn": "text", "iccid": "text", "sim_kind": "text", "imei": "text",
    },
    key=("product",),
    indexes=("order_id", "customer_id", "account", "offering", "msisdn", "iccid"),
    types=frozenset({*_SERVES, *_STANDING, *_LEAVES, "product.change-accepted", "product.change-dropped"}),
    fields=frozenset({"product", "order", "item", "currency", "started_on", "standing", "attributes", "commitment_ends_on", "ended_on"}),
    group=lambda record: record.stream,
    found_by="stream",
    initial={"changing": {}, "status": "", "standing": {}},
    evolve=_evolve,
    rows=_rows,
)  # fmt: skip

IN_SERVICE_OF_CUSTOMER = """SELECT product, order_id AS "order", item, offering, status, in_service_since FROM projection.products
WHERE customer_id = %s AND status <> 'terminated' ORDER BY in_service_since, order_id, item"""
"""What a customer has in service, the oldest first. Parameter: the customer's id."""

BY_NUMBER = "SELECT product FROM projection.products WHERE msisdn = %s AND status <> 'terminated' ORDER BY in_service_since DESC LIMIT 1"
"""The product in service that has a number. Parameter: the number, in E.164 form."""

_PICKED = """(cardinality(%(orders)s::text[]) = 0 OR p.order_id = ANY(%(orders)s))
AND (cardinality(%(items)s::text[]) = 0 OR p.item = ANY(%(items)s))
AND (cardinality(%(customers)s::text[]) = 0 OR p.customer_id = ANY(%(customers)s))
AND (cardinality(%(offerings)s::text[]) = 0 OR p.offering = ANY(%(offerings)s))
AND CASE WHEN cardinality(%(statuses)s::text[]) = 0 THEN p.status <> 'terminated' ELSE p.status = ANY(%(statuses)s) END
AND (%(captured_by)s = '' OR EXISTS (SELECT FROM o2c.event e WHERE e.stream = 'order-' || p.order_id AND e.version = 1 AND e.actor = %(captured_by)s))"""

LISTED = f"""SELECT p.product, p.order_id AS "order", p.item, p.customer_id AS customer, p.account, p.offering, p.specification, p.status, p.started_on,
    p.in_service_since, p.commitment_ends_on, p.ended_on, p.price_minor, p.currency, p.msisdn, p.iccid, p.sim_kind, p.imei, count(*) OVER () AS n
FROM projection.products p WHERE {_PICKED}
ORDER BY p.in_service_since, p.order_id, p.item OFFSET %(offset)s LIMIT %(limit)s"""
"""Products, the oldest first, and how many there are in all (`n`). Parameters: `orders`, `items`, `customers`, `offerings` (empty: any),
`statuses` (empty: all but terminated), `captured_by`, who captured the order (empty text: anybody), `offset`, `limit`."""

COUNT = f"SELECT count(*) AS n FROM projection.products p WHERE {_PICKED}"
"""How many products. Parameters: those of LISTED that pick."""

ENDED_OF_CUSTOMERS = (
    "SELECT customer_id, ended_on::date AS ended_on FROM projection.products WHERE ended_on IS NOT NULL AND customer_id = ANY(%s)"
)
"""When products of some customers ended. Parameter: the customers."""
