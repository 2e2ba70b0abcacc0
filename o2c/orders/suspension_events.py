"""Events of an order that is suspended while it is carried out: what is under way goes on, and nothing else begins until it is resumed."""

from __future__ import annotations

from typing import Annotated, Literal

from o2c.kernel.event import Pii
from o2c.kernel.shapes import Done, FellOut, Requested
from o2c.orders.rollup import SUSPENSION


class OrderSuspended(Requested, name="order.suspended", step=SUSPENSION, stream="order"):
    """Nothing new of the order begins until it is resumed, which is looked for at `due_at`; what partners have of it goes on. It waits for
    whom `waits_for` names; the `note` says why. Suspended anew it has another end.

    Source: order life cycle, section 1 (pending: it waits, and has a time-out).
    """

    example = {"attempt": 1, "due_at": "2026-02-01T00:00:00Z", "waits_for": "customer", "note": "moves in a month later"}
    waits_for: Literal["us", "customer", "partner", "regulator", "channel"]
    note: Annotated[str, Pii("note")] = ""


class OrderResumed(Done, name="order.resumed", step=SUSPENSION, stream="order"):
    """The order goes on where it was suspended; the `note` says why."""

    example = {"attempt": 1, "note": "the keys came early"}
    note: Annotated[str, Pii("note")] = ""


class SuspensionFellOut(FellOut, name="order.suspension-fell-out", step=SUSPENSION, stream="order"):
    """An order is suspended still after the day until which it was to be: a person resumes it, suspends it anew or cancels it."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "ORD-SUSP", "fault_class": "business", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "care",
    }  # fmt: skip
