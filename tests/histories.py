"""Random histories for the projections (what orders, stock, invoices and intakes may go through, sensible or not), and looks at the tables."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from o2c.kernel.event import EVENT_TYPES, load_event_types
from o2c.store.commands import APPEND_SQL, Append, Head, append_parameters
from o2c.store.database import connect
from o2c.store.mapper import StoredFact
from projections.catalogue import ALL
from projections.engine import tables
from projections.engine.compare import Difference
from projections.engine.projection import Doc, Projection
from projections.engine.seen import Reader, Seen, names_of
from projections.engine.verify import verify_together

load_event_types()
DAY_ONE = datetime(2026, 1, 5, 9, tzinfo=UTC)
SPACE = uuid.UUID("0b5c9c0e-6d55-4f0e-9d2b-3a1f3f1c7c11")
ITEMS = ("1", "2")
STEPS = ("sim", "number")


@dataclass(frozen=True)
class Told:
    """An event of a history, before it is stored."""

    stream: str
    type: str
    body: dict[str, Any]
    order_id: str | None = None
    customer_id: str | None = None
    minutes: int = 0

    @property
    def occurred_at(self) -> datetime:
        return DAY_ONE + timedelta(minutes=self.minutes, microseconds=self.minutes * 10)


def order_id(number: int, salt: str = "") -> str:
    return str(uuid.uuid5(SPACE, f"order {number} {salt}"))


def of_order(number: int, name: str, minutes: int = 0, salt: str = "", **changes: Any) -> Told:
    """An event of an order: the example of its class with some fields changed, without its personal fields."""
    cls, order = EVENT_TYPES[name], order_id(number, salt)
    event = cls.model_validate({**cls.example, **changes})
    body = json.loads(event.model_dump_json(exclude=set(cls.personal)))
    return Told(f"order-{order}", name, body, order, f"C-{number}", minutes)


def captured(number: int, minutes: int = 0, salt: str = "", channel_items: Sequence[str] = ITEMS) -> Told:
    lines = [{"item": item, "offering": "mobile-line"} for item in channel_items]
    lines.append({"item": "1.1", "parent": "1", "offering": "sim-card"})
    return of_order(number, "order.captured", minutes, salt, external_id=f"WEB-{number}", party=f"C-{number}", lines=lines)


def planned(number: int, minutes: int = 0, salt: str = "") -> Told:
    base = EVENT_TYPES["order.planned"].example["items"][0]
    items = [
        {
            **base,
            "item": item,
            "offering": f"offer-{item}",
            "relies_on": ITEMS[: ITEMS.index(item)],
            "steps": [{"step": step} for step in STEPS],
        }
        for item in ITEMS
    ]
    return of_order(number, "order.planned", minutes, salt, items=items)


_GATES = (
    "validation.requested",
    "order.amended",
    "order.validated",
    "validation.fell-out",
    "duplicate.suspected",
    "duplicate.settled",
    "deposit.received",
    "order.suspended",
    "order.resumed",
    "order.suspension-fell-out",
)
_OF_ITEMS = (
    "sim.requested", "sim.assigned", "sim.fell-out", "sim.released", "number.requested", "number.assigned", "number.fell-out", "number.earmarked",
    "number.earmark-dropped", "item.failed",
    "item.cancelled", "porting-cancel.requested", "porting-cancel.confirmed", "cancellation.requested", "cancellation.accepted", "porting-cancel.refused",
    "porting.scheduled", "porting.window-kept", "porting.postponed", "porting.window-missed", "porting.rescheduled", "cutover.number-ported-in",
)  # fmt: skip
_OF_STEPS = (
    "partner.accepted",
    "partner.silent",
    "step.cancelled",
    "step.given-up",
    "step.renewed",
    "step.forced",
    "fallout.correction-applied",
    "fallout.decided",
    "stock.expected",
)
_FELL_OUT = ("sim.fell-out", "number.fell-out", "porting-cancel.fell-out")
_CANCELLATIONS = ("cancellation.requested", "cancellation.refused", "cancellation.accepted")
_ENDS = ("order.rejected", "order.completed", "order.partially-completed", "order.failed", "order.cancelled")


@st.composite
def order_events(draw: st.DrawFn, salt: str = "") -> Told:
    """One event of one of three orders."""
    number, minutes = draw(st.integers(0, 2)), draw(st.integers(0, 500))
    kind = draw(st.sampled_from(("captured", "planned", "gate", "gate", "item", "item", "fell", "fell", "step", "step", "cancel", "end")))
    if kind == "captured":
        return captured(number, minutes, salt)
    if kind == "planned":
        return planned(number, minutes, salt)
    if kind == "end":
        return of_order(number, draw(st.sampled_from(_ENDS)), minutes, salt)
    changes: dict[str, Any] = {} if kind in ("gate", "cancel") else {"item": draw(st.sampled_from((*ITEMS, "3")))}
    name = draw(st.sampled_from({"gate": _GATES, "item": _OF_ITEMS, "fell": _FELL_OUT, "step": _OF_STEPS, "cancel": _CANCELLATIONS}[kind]))
    if kind == "step":
        changes["step"] = draw(st.sampled_from(STEPS))
    if name.endswith("fell-out") or name == "duplicate.suspected":
        changes["fallout"] = f"{order_id(number, salt)} {draw(st.integers(0, 1))} {name} {changes.get('item', '')}"
        changes["waiting_for"] = draw(st.sampled_from(("us", "customer", "partner")))
    return of_order(number, name, minutes, salt, **changes)


RESTED = {"use": "in-use", "customer": "C-1", "claimable": True, "free_by": None}


@st.composite
def other_events(draw: st.DrawFn, salt: str = "") -> Told:
    """One event of a SIM, a number, an invoice or an intake."""
    minutes, number = draw(st.integers(0, 500)), draw(st.integers(0, 1))
    sim = {"iccid": f"8944{number}{salt}", "kind": "esim"}
    msisdn = {"msisdn": f"+44770091000{number}{salt}"}
    stream, name, body = draw(
        st.sampled_from((
            (f"sim-{sim['iccid']}", "sim.received", {**sim, "imsi": "001"}),
            (f"sim-{sim['iccid']}", "sim.taken", {**sim, "order": order_id(number), "item": "1"}),
            (f"sim-{sim['iccid']}", "sim.returned", {**sim, "imsi": "001", "due_at": "2026-01-06T00:00:00Z"}),
            (f"number-{msisdn['msisdn']}", "number.received", {**msisdn, "number_class": ("normal", "golden")[number]}),
            (f"number-{msisdn['msisdn']}", "number.quarantined", {**msisdn, "due_at": "2026-02-06T00:00:00Z", **RESTED}),
            (f"number-{msisdn['msisdn']}", "number.claim-dropped", {**msisdn, "due_at": "2026-02-06T00:00:00Z", "reserved_item": "1"}),
            (f"number-{msisdn['msisdn']}", "number.reserved", {**msisdn, "item": "1", "attempt": 1, "due_at": "2026-01-12T00:00:00Z",
                                                               "number_class": ("normal", "golden")[number], "order": order_id(number)}),
            (f"number-{msisdn['msisdn']}", "number.taken", {**msisdn, "order": order_id(number), "item": "1"}),
            (f"number-{msisdn['msisdn']}", "number.reservation-released", {**msisdn, "item": "1", "number_class": ("normal", "golden")[number]}),
            (f"number-{msisdn['msisdn']}", "number.reservation-lapsed", {**msisdn, "item": "1", "number_class": ("normal", "golden")[number]}),
            (f"number-{msisdn['msisdn']}", "number.rested", {**msisdn, "item": "", "number_class": ("normal", "golden")[number]}),
            (f"number-{msisdn['msisdn']}", "number.returned", {**msisdn, "item": ""}),
            (f"invoice-{number}{salt}", "payment.part-received", {"item": "", "amount_minor": 500, "method": "bank-transfer"}),
            (f"invoice-{number}{salt}", "invoice.issued", invoice(f"INV-{number}{salt}", 1999)),
            (f"invoice-{number}{salt}", "payment.received", {"item": "", "attempt": 1, "amount_minor": 1000, "method": "card"}),
            (f"invoice-{number}{salt}", "invoice.overdue", {}),
            (f"account-{number}{salt}", "account.deposit-kept", held(number, order=order_id(number))),
            (f"account-{number}{salt}", "account.deposit-freed", held(number, order=order_id(number), becomes=("owed", "credit")[minutes % 2])),
            (f"account-{number}{salt}", "account.credit-received", held(number, invoice="INV-1")),
            (f"account-{number}{salt}", "account.credit-used", held(number, invoice="INV-2")),
            (f"account-{number}{salt}", "account.money-returned", held(number, of_owed_minor=200, method="bank-transfer", returned_on="2026-01-20")),
            (f"account-{number}{salt}", "account.refund-reserved", held(number, refund="R1", of_credit_minor=300, method="card")),
            (f"intake-{number}{salt}", "intake.closed", {"lines": 5, "captured": 3, "duplicates": 1, "resubmitted": 0, "refused": 1}),
        ))
    )  # fmt: skip
    return Told(stream, name, body, order_id(number) if stream.startswith("invoice") else None, None, minutes)


def held(number: int, **changes: Any) -> dict[str, Any]:
    return {"account": f"BA-{number}", "customer": "C-1", "currency": "GBP", "amount_minor": 500, **changes}


def invoice(number: str, total_minor: int) -> dict[str, Any]:
    return {
        "number": number, "account": "BA-1", "currency": "GBP", "issued_on": "2026-01-31", "due_on": "2026-02-14",
        "net_minor": total_minor, "tax_minor": 0, "total_minor": total_minor, "lines": [],
    }  # fmt: skip


@st.composite
def histories(draw: st.DrawFn, salt: str = "", max_size: int = 60) -> list[Told]:
    """Events of several streams in any order; most orders were captured and planned before."""
    begun = draw(st.integers(0, 3))
    prelude = [told for number in range(begun) for told in (captured(number, 0, salt), planned(number, 1, salt))]
    cut = draw(st.sampled_from((len(prelude), len(prelude), 1, 0)))
    return prelude[:cut] + draw(st.lists(st.one_of(order_events(salt), order_events(salt), other_events(salt)), max_size=max_size))


def seen(history: Sequence[Told]) -> list[Seen]:
    """The history as folds see it, without a database."""
    reader = Reader([names_of(lambda cls: True) | {told.type for told in history}])
    rows = [
        (position, str(uuid.UUID(int=position)), told.stream, 1, told.type, 1, told.occurred_at, told.order_id, told.customer_id, "web",
         str(uuid.UUID(int=0)), "test", json.dumps(told.body))
        for position, told in enumerate(history, 1)
    ]  # fmt: skip
    return [reader.record(row) for row in rows]


def stored(told: Told, version: int, event_id: str) -> StoredFact:
    """An event as the store takes it."""
    return StoredFact(
        originator_id=told.stream, originator_version=version, topic=told.type, state=json.dumps(told.body).encode(), id=0, event_id=event_id,
        schema=1, occurred_at=told.occurred_at, actor="test", channel="web", command_id=event_id, causation=None, order_id=told.order_id,
        customer_id=told.customer_id, personal=None, recorded_at=None,
    )  # fmt: skip


def append(dsn: str, history: Sequence[Told]) -> list[int]:
    """Store a history through append(), one command and transaction an event; their positions."""
    with connect(dsn) as conn:
        return [append_one(conn, told) for told in history]


def append_one(conn: Any, told: Told) -> int:
    """Append one event at the end of its stream, within whatever transaction the connection is in."""
    row = conn.execute("SELECT version FROM o2c.head WHERE stream = %s", (told.stream,)).fetchone()
    version = row["version"] if row else 0
    event_id = str(uuid.uuid4())
    fact = stored(told, version + 1, event_id)
    command = Append(event_id, "test", heads=(Head(told.stream, version, version + 1),), facts=(fact,))
    outcome = conn.execute(APPEND_SQL, append_parameters([command], 0)).fetchone()
    assert outcome["verdict"] == "appended"
    return int(outcome["first_position"])


def query(dsn: str, text: str) -> list[dict[str, Any]]:
    """The rows a query yields."""
    with connect(dsn) as conn:
        return conn.execute(text.encode()).fetchall()


def table_of(dsn: str, projection: Projection) -> list[dict[str, Any]]:
    """The rows of a projection as stored, in the order in which as_of gives them."""
    with tables.session(dsn) as conn, conn.transaction():
        rows = list(tables.stored_rows(conn, projection))
    return sorted(rows, key=lambda row: (row["group_key"], *(row[column] for column in projection.key)))


def differing(dsn: str) -> list[Difference]:
    """What the tables of all projections have otherwise than a fold of the log says."""
    return [difference for report in verify_together(dsn, ALL) for difference in report.differing]


def failing_on(name: str, projection: Projection) -> Projection:
    """The projection with a fold that cannot take events of one type."""

    def evolve(doc: Doc, seen: Seen) -> Doc:
        if seen.type == name:
            raise ValueError("a value nobody may see")
        return projection.evolve(doc, seen)

    return replace(projection, evolve=evolve)
