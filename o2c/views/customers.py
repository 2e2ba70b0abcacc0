"""Everything about one customer on one page. Personal fields only where they are asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

from o2c.customers.state import Credit, CustomerState, stream_of
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.orders.rollup import FINAL
from o2c.views.orders import list_orders
from o2c.views.ownership import begun_by
from o2c.views.reading import Page, Rows, page_of_streams, plain
from o2c.views.shown import CustomerShown, PartyShown
from projections import balances, fallout, invoices, items, products, stock

CONTACTS_OF_CUSTOMER = """SELECT occurred_at AS contacted_at, body ->> 'medium' AS medium, body ->> 'direction' AS direction,
    body ->> 'topic' AS topic, nullif(body ->> 'order', '') AS "order", actor FROM o2c.event
WHERE stream = %s AND type = 'customer.contacted' ORDER BY version"""
"""The contacts with a customer, the first first, each with who of us spoke. Parameter: the customer's stream."""

NOTES_OF_CUSTOMER = "SELECT personal ->> 'note' AS note FROM o2c.event WHERE stream = %s AND type = 'customer.contacted' ORDER BY version"
"""What was noted down of the contacts with a customer, the first first. Parameter: the customer's stream."""

KINDS = ("individual", "organisation")
OF_KIND = """SELECT stream FROM (SELECT DISTINCT ON (stream) stream, body ->> 'kind' AS kind FROM o2c.event
    WHERE stream = ANY(%s) AND type = 'customer.registered' ORDER BY stream, version DESC) newest WHERE kind = %s"""
"""Which of some customers are of a kind by their newest papers. Parameters: their streams, the kind."""


def show_customer(app: Engine, name: str, *, personal: bool = False) -> CustomerShown:
    """A customer: papers, orders, items in service, numbers, SIMs and devices held, open fallouts, contacts, invoices, balance, what is
    promised, credit and the notices about it that are owed.

    The projections must be caught up. A customer whom only orders name is shown as not registered. Raises Refused (missing).
    """
    state: CustomerState = app.load_one(stream_of(name)).state
    ordered = list_orders(app, customer=name)
    if state.papers is None and not ordered:
        raise Refused(f"no customer {name}; find one by number, name or e-mail with `o2c orders find`", kind="missing")
    billed, held = app.reads.rows(invoices.LISTED_OF_CUSTOMER, name), app.reads.rows(balances.OF_CUSTOMER, name)
    page = {
        "customer": name,
        "registered": state.papers is not None,
        **_papers(state, personal),
        "orders": [{key: value for key, value in row.items() if key != "customer"} for row in ordered],
        "in_service": app.reads.rows(products.IN_SERVICE_OF_CUSTOMER, name),
        "promised": app.reads.rows(items.PROMISED_TO_CUSTOMER, name, list(FINAL)),
        "numbers": _held(app, name, "number", "msisdn"),
        "sims": _held(app, name, "sim", "iccid"),
        "devices": _held(app, name, "device", "imei"),
        "open_fallouts": app.reads.rows(fallout.OPEN_OF_CUSTOMER, name),
        "contacts": _contacts(app, name, personal),
        "invoices": billed,
        "balance": balance(billed, held),
        "credit": _credit(app, state.credit),
        "credit_notices_owed": dict(state.credit.notices),
        "money_held": held,
    }
    return cast("CustomerShown", plain(page))


def balance(billed: Rows, held: Rows) -> dict[str, dict[str, int]]:
    """By currency, in minor units: what was invoiced, the credit used for it, what notes took off what is to be paid, what the books wrote
    off, what was paid for it, what is open, how much of that is overdue; and what the accounts hold: credit, deposits, what is owed to the
    customer, and what was paid back."""
    found: dict[str, dict[str, int]] = {}
    names = ("invoiced", "credit_used", "lowered", "written_off", "paid", "open", "overdue", "credit", "deposits", "owed", "returned")
    for row in (*billed, *held):
        sums = found.setdefault(row["currency"], {f"{name}_minor": 0 for name in names})
        for name in ("credit", "deposits", "owed", "returned"):
            sums[f"{name}_minor"] += row.get(f"{name}_minor", 0)
        if "total_minor" in row:
            open_minor = max(
                row["total_minor"]
                - row["credit_used_minor"]
                - row["lowered_minor"]
                - row["paid_minor"]
                + row["above_minor"]
                - row.get("written_off_minor", 0),
                0,
            )
            sums["invoiced_minor"] += row["total_minor"]
            sums["credit_used_minor"] += row["credit_used_minor"]
            sums["lowered_minor"] += row["lowered_minor"]
            sums["written_off_minor"] += row.get("written_off_minor", 0)
            sums["paid_minor"] += row["paid_minor"]
            sums["open_minor"] += open_minor
            sums["overdue_minor"] += open_minor if row["state"] == "overdue" else 0
    return dict(sorted(found.items()))


def _credit(app: Engine, credit: Credit) -> dict[str, dict[str, Any]]:
    """The bureau's last decision by currency, its limit if it has one, what the orders that still run have used of it, and whether it
    holds."""
    now = app.clock().now
    return {
        currency: {
            "decision": report.result,
            **({"limit_minor": report.limit_minor} if report.limit_minor else {}),
            "used_minor": credit.used_minor(currency, now.date().isoformat()),
            "expires_at": report.expires_at,
            "expired": report.expires_at <= now,
        }
        for currency, report in sorted(credit.reports.items())
    }


def _papers(state: CustomerState, personal: bool) -> dict[str, Any]:
    if state.papers is None:
        return {}
    hidden = set() if personal else set(state.papers.personal)
    return {key: value for key, value in state.papers.model_dump().items() if key != "customer" and key not in hidden}


def _contacts(app: Engine, name: str, personal: bool) -> Rows:
    """The contacts with a customer; what was noted down only where that is asked for."""
    spoken = app.reads.rows(CONTACTS_OF_CUSTOMER, stream_of(name))
    notes = app.reads.rows(NOTES_OF_CUSTOMER, stream_of(name)) if personal else [{}] * len(spoken)
    return [{**contact, **note} for contact, note in zip(spoken, notes, strict=True)]


def _held(app: Engine, name: str, kind: str, key: str) -> Rows:
    """What the customer holds of the stock; what it gave back is with no order any more."""
    return [{key: row.pop("key"), **row} for row in app.reads.rows(stock.HELD_BY_CUSTOMER, name, kind)]


def list_customers(
    app: Engine,
    *,
    customers: Sequence[str] = (),
    kind: str = "",
    captured_by: str = "",
    offset: int = 0,
    limit: int = 100,
    personal: bool = False,
) -> Page[PartyShown]:
    """Registered customers by id, with what their papers say, all or of a `kind` (individual, organisation); the page says how many more
    there are. `captured_by` is who registered them.

    Names, birth dates and contacts only with `personal`. Raises Refused (usage).
    """
    if kind not in ("", *KINDS):
        raise Refused(f"{kind} is no kind of customer; use one of {', '.join(KINDS)}")

    def own(streams: Sequence[str]) -> Collection[str]:
        of_kind = {row["stream"] for row in app.reads.rows(OF_KIND, list(streams), kind)} if kind else streams
        return begun_by(app, captured_by, of_kind) if captured_by else of_kind

    streams, page = page_of_streams(app, stream_of(""), customers, offset, limit, own=own if kind or captured_by else None)
    loaded = app.load(streams)
    papers = [(stream, cast("CustomerState", loaded[stream].state)) for stream in streams]
    page += [{"customer": stream.removeprefix(stream_of("")), **_papers(state, personal)} for stream, state in papers if state.papers]
    return page
