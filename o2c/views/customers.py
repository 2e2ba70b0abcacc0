"""Everything about one customer on one page. Personal fields only where they are asked for."""

from __future__ import annotations

from typing import Any, cast

from o2c.customers.state import CustomerState, stream_of
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.orders.rollup import FINAL
from o2c.views.fallouts import FALLOUT_COLUMNS
from o2c.views.orders import list_orders
from o2c.views.reading import Rows, plain

_ITEMS = """SELECT order_id AS "order", item, offering, ended_at AS in_service_since FROM projection.items
    WHERE customer_id = %s AND state = 'completed' ORDER BY ended_at, order_id, item"""
_PROMISED = """SELECT order_id AS "order", item, offering, state, promised_on FROM projection.items
    WHERE customer_id = %s AND state <> ALL(%s) ORDER BY promised_on, order_id, item"""
_HELD = """SELECT key, class, state, since, order_id AS "order" FROM projection.stock
    WHERE order_id IN (SELECT order_id FROM projection.orders WHERE customer_id = %s) AND kind = %s ORDER BY since, key"""
_FALLOUTS = f"""SELECT {FALLOUT_COLUMNS} FROM projection.fallout WHERE state = 'open'
    AND order_id IN (SELECT order_id FROM projection.orders WHERE customer_id = %s) ORDER BY opened_at, fallout"""
_CONTACTS = """SELECT contacted_at, medium, direction, topic, order_id AS "order" FROM projection.contacts
    WHERE customer_id = %s ORDER BY position"""
_INVOICES = """SELECT invoice, account, state, currency, total_minor, paid_minor, issued_on, due_on FROM projection.invoices
    WHERE customer_id = %s ORDER BY issued_on, invoice"""


def show_customer(app: Engine, name: str, *, personal: bool = False) -> dict[str, Any]:
    """A customer: papers, orders, items in service, numbers and SIMs held, open fallouts, contacts, invoices, balance, what is promised.

    The projections must be caught up. A customer whom only orders name is shown as not registered. Raises Refused (missing).
    """
    state: CustomerState = app.load([stream_of(name)])[stream_of(name)].state
    ordered = list_orders(app, customer=name)
    if state.papers is None and not ordered:
        raise Refused(f"no customer {name}; find one by number, name or e-mail with `o2c orders find`", kind="missing")
    invoices = app.reads.rows(_INVOICES, name)
    page = {
        "customer": name,
        "registered": state.papers is not None,
        **_papers(state, personal),
        "orders": [{key: value for key, value in row.items() if key != "customer"} for row in ordered],
        "in_service": app.reads.rows(_ITEMS, name),
        "promised": app.reads.rows(_PROMISED, name, list(FINAL)),
        "numbers": _held(app, name, "number", "msisdn"),
        "sims": _held(app, name, "sim", "iccid"),
        "open_fallouts": app.reads.rows(_FALLOUTS, name),
        "contacts": app.reads.rows(_CONTACTS, name),
        "invoices": invoices,
        "balance": balance(invoices),
    }
    return cast("dict[str, Any]", plain(page))


def balance(invoices: Rows) -> dict[str, dict[str, int]]:
    """What was invoiced, what was paid, what is open, and how much of that is overdue: minor units by currency."""
    found: dict[str, dict[str, int]] = {}
    for invoice in invoices:
        sums = found.setdefault(invoice["currency"], dict.fromkeys(("invoiced_minor", "paid_minor", "open_minor", "overdue_minor"), 0))
        open_minor = invoice["total_minor"] - invoice["paid_minor"]
        sums["invoiced_minor"] += invoice["total_minor"]
        sums["paid_minor"] += invoice["paid_minor"]
        sums["open_minor"] += open_minor
        sums["overdue_minor"] += open_minor if invoice["state"] == "overdue" else 0
    return dict(sorted(found.items()))


def _papers(state: CustomerState, personal: bool) -> dict[str, Any]:
    if state.papers is None:
        return {}
    hidden = set() if personal else set(state.papers.personal)
    return {key: value for key, value in state.papers.model_dump().items() if key != "customer" and key not in hidden}


def _held(app: Engine, name: str, kind: str, key: str) -> Rows:
    """What the customer holds of the stock; what it gave back is with no order any more."""
    return [{key: row.pop("key"), **row} for row in app.reads.rows(_HELD, name, kind)]
