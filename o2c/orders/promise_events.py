"""Events of promises: a day for every item, and another for one whose day cannot be kept."""

from __future__ import annotations

from o2c.kernel.event import Event, Upcast
from o2c.kernel.shapes import OfItem
from o2c.orders.event_parts import PromisedItem


class PromiseMade(Event, name="promise.made", stream="order"):
    """The customer was promised a day for every item, by the calendar of `zone`, from what the steps of the plan normally take, or by what
    is agreed with it."""

    upcasts = (Upcast(),)
    example = {"items": [{"item": "1", "promised_on": "2026-01-08", "step": "delivery", "agreed_by": ""}], "zone": "Europe/London"}
    items: tuple[PromisedItem, ...]
    zone: str


class PromiseRevised(OfItem, name="promise.revised", stream="order"):
    """The promised day of an item cannot be kept and was moved to a later one; or a part of the item was given up, and the day is another
    without.

    `cause_step` of `cause_item` is where the new day comes from; `cause_reason` is its fallout's (empty: it takes longer without one).
    Version 2: `by_customer`, of his own wish or doing. Version 3: `agreed_by`, the agreement with the customer (VERSION/NAME) from which
    the new day follows.
    """

    example = {
        "item": "1", "promised_before": "2026-01-08", "promised_on": "2026-01-13", "cause_item": "1", "cause_step": "delivery", "cause_reason": "LOG-LOST", "by_customer": False,
        "agreed_by": "",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"by_customer": False}), Upcast(defaults={"agreed_by": ""}))
    promised_before: str
    promised_on: str
    cause_item: str
    cause_step: str
    cause_reason: str = ""
    by_customer: bool = False
    agreed_by: str = ""
