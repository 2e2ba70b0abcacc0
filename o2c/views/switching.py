"""Whose fixed service a new provider asks for: those of a name, each with where it is."""

from __future__ import annotations

from pathlib import Path

from o2c.engine.app import Engine
from o2c.products.events import product_stream
from o2c.products.switching import FIXED, Candidate
from o2c.views.finding import Reading, customers_by
from o2c.views.lookup_key import key_of
from projections import products

MOVED_BY = """SELECT body ->> 'order' AS "order", body ->> 'item' AS item FROM o2c.event
WHERE stream = %s AND type = 'product.changed' AND body -> 'attributes' ? 'place' ORDER BY version DESC LIMIT 1"""
"""The item that moved a product last. Parameter: its stream."""
ROWS_MAX = 200


def fixed_services(app: Engine, home: Path, name: str) -> list[Candidate]:
    """The fixed services of customers of a name, or of its surname where they are persons, found by the operator's key. The projections
    must be caught up. Raises Refused (usage): there is no key."""
    named, kin = (customers_by(app, key_of(home), Reading(by, name)) for by in ("name", "surname"))
    customers = sorted({*named, *kin})
    picked = {"orders": [], "items": [], "customers": customers, "offerings": [], "statuses": [], "captured_by": ""}
    rows = app.reads.rows(products.LISTED, **picked, offset=0, limit=ROWS_MAX) if customers else []
    return [
        Candidate(row["product"], row["account"], _place(app, row["product"], row["order"], row["item"]), row["customer"] in named)
        for row in rows
        if row["specification"] == FIXED
    ]


def _place(app: Engine, product: str, order: str, item: str) -> str:
    """Where a fixed service is: where it was ordered, or moved to last."""
    moved = app.reads.rows(MOVED_BY, product_stream(product))
    by, of = (moved[0]["order"], moved[0]["item"]) if moved else (order, item)
    state = app.load_one(f"order-{by}").state
    planned = state.items.get(of)
    return planned.place if planned else ""
