"""Complaints as they stand, and what whoever speaks to a customer next should know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, current
from o2c.orders.rollup import FINAL
from o2c.views.customers import show_customer
from o2c.views.journeys import list_journeys
from o2c.views.reading import PART_MAX, Page, plain
from o2c.views.shown import ComplaintPage, ComplaintShown, ContextShown, OfferDueShown

if TYPE_CHECKING:
    from o2c.complaints.offers import OfferBook
    from o2c.complaints.state import ComplaintState
    from o2c.kernel.event import Fact

PREFIX = "complaint-"
AT_ONCE = 500
State = Literal["", "open", "answered", "resolved"]
STATES = ("open", "answered", "resolved")

OF_CUSTOMER = (
    """SELECT 'complaint-' || (body ->> 'complaint') AS stream FROM o2c.event WHERE stream = %s AND type = 'customer.complaint-noted'"""
)
"""The streams of the complaints of a customer. Parameter: the customer's stream."""

RAISED = """SELECT stream, occurred_at, personal ->> 'note' AS note FROM o2c.event WHERE stream = ANY(%s) AND version = 1"""
"""When complaints were raised, and what was said. Parameter: their streams."""


def list_complaints(
    app: Engine,
    *,
    complaints: Sequence[str] = (),
    customer: str = "",
    state: State = "",
    personal: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> Page[ComplaintShown]:
    """Complaints, those first whose way outside opens first: topic, channels, state, clock, answers and remedy, and what they are about.

    With `complaints` those alone, with `customer` those of one, with `state` those in it; what was said with `personal` alone. The page
    says how many more there are. Raises Refused (usage).
    """
    if state not in ("", *STATES):
        raise Refused(f"no complaint is {state}; use one of {', '.join(STATES)}")
    if offset < 0 or not 0 <= limit <= PART_MAX:
        raise Refused(f"give an offset of 0 or more, and at most {PART_MAX} rows at once")
    streams = [f"{PREFIX}{complaint}" for complaint in complaints] or _streams(app, customer)
    found = [(stream, one) for stream, one in _states(app, streams) if state in ("", one.status) and customer in ("", _whose(one))]
    raised = {row["stream"]: row for row in app.reads.rows(RAISED, [stream for stream, _ in found])}
    rows = [_row(one, raised[stream], personal=personal) for stream, one in found]
    rows.sort(key=lambda row: (row["outside_from"] or "9999", row["complaint"]))
    page = Page[ComplaintShown](rows[offset : offset + limit])
    page.more = max(len(rows) - offset - len(page), 0)
    return page


def show_complaint(app: Engine, complaint: str, *, personal: bool = False) -> ComplaintPage:
    """One complaint, and what happened about it: raised, answered, escalated, open to the body outside, resolved, when, where, by whom and
    with what.

    What was said with `personal` alone. Raises Refused (missing).
    """
    found = list_complaints(app, complaints=(complaint,), personal=personal)
    if not found:
        raise Refused(f"no complaint {complaint[:40]}; see `o2c complaints list`", kind="missing")
    facts = [cast("Fact", fact) for fact in app.events.get(f"{PREFIX}{complaint}")]
    steps = [_step(fact, personal=personal) for fact in facts if not fact.event.type_name.endswith("-requested")]
    return cast("ComplaintPage", plain({**found[0], "steps": steps}))


def _step(fact: Fact, *, personal: bool) -> dict[str, Any]:
    event: Any = fact.event
    return {
        "at": fact.occurred_at,
        "type": event.type_name,
        "channel": getattr(event, "channel", ""),
        "actor": fact.actor,
        "remedy": getattr(event, "remedy", ""),
        "team": getattr(event, "team", ""),
        "account": getattr(event, "account", ""),
        "amount_minor": getattr(event, "amount_minor", 0),
        "currency": getattr(event, "currency", ""),
        "product": getattr(event, "product", ""),
        **({"note": getattr(event, "note", "")} if personal else {}),
    }


def _streams(app: Engine, customer: str) -> list[str]:
    """The streams of all complaints, or of those of a customer."""
    if not customer:
        return app.reads.streams_like(PREFIX)
    return [row["stream"] for row in app.reads.rows(OF_CUSTOMER, customer_stream(customer))]


def _whose(state: ComplaintState) -> str:
    return state.raised.customer if state.raised else ""


def _states(app: Engine, streams: Sequence[str]) -> Iterator[tuple[str, ComplaintState]]:
    for start in range(0, len(streams), AT_ONCE):
        for stream, loaded in app.load(streams[start : start + AT_ONCE]).items():
            if loaded.version:
                yield stream, loaded.state


def _row(state: ComplaintState, raised: dict[str, Any], *, personal: bool) -> ComplaintShown:
    told = state.raised
    assert told is not None
    row = {
        "complaint": told.complaint,
        "customer": told.customer,
        "topic": told.topic,
        "state": state.status,
        "channels": list(state.channels),
        "raised_at": raised["occurred_at"],
        "answer_by": told.answer_by,
        "outside_from": told.outside_from,
        "outside": state.outside,
        "answers": state.answers,
        "team": state.team,
        "remedy": state.remedy,
        "order": told.order,
        "invoice": told.invoice,
        "fallout": told.fallout,
        **({"note": raised["note"]} if personal else {}),
    }
    return cast("ComplaintShown", plain(row))


def customer_context(app: Engine, customer: str) -> ContextShown:
    """What whoever speaks to a customer next should know, in any channel: what he tried, what is ordered and stuck, what he complains of,
    what was promised for a day that went by, and what may be offered, each with its reason.

    The projections must be caught up. Nothing of it is personal. Raises Refused (missing).
    """
    page = show_customer(app, customer)
    now = app.clock().now
    today = local_date(now, current(HOME, now.date()).zone).isoformat()
    journeys = list(list_journeys(app, customer=customer, state="open"))
    complaints = [row for row in list_complaints(app, customer=customer) if row["state"] != "resolved"]
    broken = [row for row in page["promised"] if row["promised_on"] and row["promised_on"] < today]
    grounds = {
        "complaint-open": bool(complaints),
        "promise-broken": bool(broken),
        "attempt-failed": any(row["failed_at"] for row in journeys),
    }
    told = {
        "customer": customer,
        "journeys": journeys,
        "orders": [row for row in page["orders"] if row["state"] not in FINAL],
        "open_fallouts": page["open_fallouts"],
        "complaints": complaints,
        "broken_promises": broken,
        "offers": offers_due(app, customer, {ground for ground, there in grounds.items() if there}),
    }
    return cast("ContextShown", told)


def offers_due(app: Engine, customer: str, grounds: set[str]) -> list[OfferDueShown]:
    """What may be offered to a customer on some grounds: nothing that the customer is held out of."""
    return [{"offer": one.name, "remedy": one.remedy, "reason": one.reason} for one in offer_book(app).due(customer, grounds)]


def offer_book(app: Engine) -> OfferBook:
    """The offers in force: those that the operator loaded last, or else those of the package."""
    from o2c.complaints.offers import in_force
    from o2c.complaints.state import OFFERS_STREAM, OffersState

    state: OffersState = app.load_one(OFFERS_STREAM).state
    return in_force(state.documents)
