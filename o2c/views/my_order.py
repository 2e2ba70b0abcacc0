"""Where an order is, in the words of the customer whose it is: what is done, what comes next and when, and what we need from him."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from o2c.engine.app import Engine
from o2c.markets.base import Market
from o2c.markets.visits import visit_rules
from o2c.views.guidance import ASKED_FIRST, correctable
from o2c.views.order_link import order_of_link
from o2c.views.order_page import show_order
from o2c.views.shown import AskedShown, ChoiceShown, MyOrderShown, NeedShown, StoneShown

_STATES: Mapping[str, str] = {
    "acknowledged": "We have your order and are checking it.", "inProgress": "We are working on your order.", "pending": "We need something before we can go on.",
    "held": "Something is in the way, and we are on it.", "completed": "Everything is done.", "partial": "What could be done is done.",
    "failed": "We could not carry out your order.", "rejected": "We cannot accept your order.", "cancelled": "Your order is cancelled.",
    "pendingCancellation": "Your order is being cancelled.", "assessingCancellation": "We look whether your order can still be cancelled.",
}  # fmt: skip
_STEPS: Mapping[str, str] = {
    "validation": "Your order is checked", "identity": "We know that it is you", "credit": "How you pay is settled", "qualification": "Your address can be served",
    "appointment": "The fitter's visit is agreed", "sim": "Your SIM is set aside", "number": "Your number is set aside", "device": "Your device is set aside", "esim": "Your eSIM is made",
    "esim-download": "Your eSIM is on your phone", "delivery": "Your parcel is with you", "porting": "Your old provider has agreed to hand over your number",
    "cutover": "Your number has come over to us", "activation": "Your line is switched on", "charging": "Your bill is set up",
    "switch-match": "Your old provider has found you", "switch-trigger": "Your old provider ends its service",
}  # fmt: skip
"""Milestones in the customer's words. A step that is not here is ours alone and is not told."""
ASKED: Mapping[str, tuple[str, str]] = {
    "portInCode": ("The code of your old provider", "Your old provider gives it to you, by text message or on its site."),
    "portInNumber": (
        "The number that you bring, with + and the country",
        "As it is on the contract with your old provider, such as +447700900123.",
    ),
    "place": ("The address", "With house number and postcode."),
    "switchFrom": ("Your old provider", "Its name, as it stands on its bill."),
    "switchAccount": ("Your account with your old provider", "It stands on its bill."),
    "visitOn": ("The day of the fitter's visit", "Somebody has to be at home to let him in."),
    "visitWindow": ("The time of that day", "He comes within these hours, local time."),
}
"""What a customer may correct himself: the words for it, and where he finds it."""


def my_order(app: Engine, home: Path, link: str) -> MyOrderShown:
    """What a link shows of its order: how it stands, its milestones, the days promised, what comes next, and what we need (`needs`).

    No name, number, address, price or person stands in it. A need has the fallout's id, and the `fields` that answer it. The projections
    must be caught up. Raises Refused: missing, gone.
    """
    shown = show_order(app, order_of_link(app, home, link))
    stones = [_milestone(step) for step in shown["steps"] if step["step"] in _STEPS]
    ahead = [stone for stone in stones if not stone["done_at"] and stone["expected_at"]]
    promised = [item["promised_on"] for item in shown["items"] if item["promised_on"]]
    return {
        "external_id": shown["external_id"],
        "state": shown["state"],
        "told": _STATES.get(shown["state"], "We are working on your order."),
        "captured_at": shown["captured_at"],
        "closed_at": shown["closed_at"],
        "promised_on": max(promised, default=None),
        "next": min(ahead, key=lambda stone: str(stone["expected_at"]), default=None),
        "milestones": sorted(stones, key=lambda stone: (stone["done_at"] is None, stone["done_at"] or "")),
        "needs": [need for row in shown["open_fallouts"] if (need := _need(app, shown["order"], row))],
    }


def _milestone(step: Mapping[str, Any]) -> StoneShown:
    return {"item": step["item"], "told": _STEPS[step["step"]], "done_at": step["done_at"], "expected_at": step["expected_at"]}


def _need(app: Engine, order: str, row: Mapping[str, Any]) -> NeedShown | None:
    """What we need of a customer about a fallout that waits for him; nothing for one that he can do nothing about."""
    stream = f"order-{order}"
    # What somebody acted on is under way again, though nothing came of it yet.
    waits = app.work(stream, app.load_one(stream).state, row["item"], row["step"]).waiting_for
    if row["waiting_for"] != "customer" or not waits:
        return None
    return {"fallout": row["fallout"], "item": row["item"], "fields": answerable(app, order, row)}


def answerable(app: Engine, order: str, row: Mapping[str, Any]) -> list[AskedShown]:
    """The fields by which a customer may answer a fallout himself, with their words; none where somebody has to speak with him."""
    stream = f"order-{order}"
    state = app.load_one(stream).state
    may: Sequence[str] = correctable(app, stream, state, row["item"])
    wanted = [key for key in ASKED_FIRST.get(row["reason"], tuple(ASKED)) if key in may]
    work = app.work(stream, state, row["item"], row["step"])
    offered = app.book.steps[row["step"]].choices(work, app.clock().now)
    told = partial(_choice, work.market)
    return [
        {"key": key, "told": ASKED[key][0], "hint": ASKED[key][1], "choices": [told(key, value) for value in offered.get(key, ())]}
        for key in wanted
    ]


def _choice(market: Market, key: str, value: str) -> ChoiceShown:
    """A day is told with its weekday, a window with its hours."""
    if key == "visitOn":
        return {"value": value, "told": f"{date.fromisoformat(value):%A, %d %b %Y}"}
    hours = visit_rules(market).windows.get(value)
    return {"value": value, "told": f"{value}, {hours[0]:%H:%M} to {hours[1]:%H:%M}" if hours else "any time of the day"}
