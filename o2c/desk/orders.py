"""Cancelling orders, or the port of a number alone: a person's wish carried through as one command, and what was undone by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from o2c.credit.events import DepositReleased
from o2c.desk.act import Deed, Refused, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.event import Event, types_by_name
from o2c.kernel.shapes import GivenUp, OfItem, RecallRequested, StepCancelled, Undone, step_of
from o2c.orders import giving_up
from o2c.orders.cancellation import REASONS, cancel, reason_of
from o2c.orders.events import CancellationAccepted, CancellationRefused, ItemCancelled
from o2c.orders.rollup import order_state
from o2c.orders.state import OrderState
from o2c.products.events import product_of
from o2c.products.state import TERMINATION
from o2c.views.orders import find_order
from o2c.views.reading import Rows, amount_text

CANCEL_REASONS = tuple(word for word in REASONS if word != "withdrawal")
"""The words for why an order is cancelled; a withdrawal has a verb of its own."""
_TOLD = (CancellationAccepted, CancellationRefused, ItemCancelled, Undone, GivenUp, RecallRequested, StepCancelled, DepositReleased)
"""The kinds of event that a cancellation is told by."""
_NAMING = tuple(
    dict.fromkeys(key for cls in types_by_name().values() for key, thing in cls.named.items() if thing in ("sim", "number", "device"))
)


@dataclass(frozen=True)
class Cancelled:
    """What came of the wish: the order's state now, what was undone (rows of item, step, undone), and why not, if it was refused.

    No rows and no refusal: there was nothing left to cancel. Recalls among the rows are done when their partners have answered.
    """

    written: Written
    state: str
    undone: Rows
    refused: str = ""


def cancel_order(
    app: Engine,
    context: Context,
    name: str,
    *,
    items: Sequence[str] = (),
    note: str,
    wished_for: datetime | None = None,
    reason: str = "",
) -> Cancelled:
    """Cancel an order, by id or external id, or some of its items with what relies on them; at once, whatever it is `wished_for` up to now.
    `reason` is a word that is counted (changed-mind, delay, ordered-twice, ordered-in-error, price, other-provider, no-answer), empty for
    none.

    Raises Refused: missing (no such order or item), conflict (the order ended otherwise, or somebody else was faster), usage (a time to
    come, no such reason).
    """
    if wished_for is not None and wished_for > app.clock().now:
        raise Refused(f"order {name}: a cancellation is carried out at once; ask for it when it is to be")
    deed = deed_of_cancel(app, name, items=items, note=note, reason=reason)
    return _cancelled(app, deed.stream, act(app, context, "orders.cancel", deed))


def deed_of_cancel(app: Engine, name: str, *, items: Sequence[str] = (), note: str, reason: str = "") -> Deed:
    """The cancellation of an order, or of some of its items, as a deed on it. Raises Refused (usage) for a reason that is none."""
    why = reason_of(reason)
    stream, _ = find_order(app, name)

    def rule(state: OrderState, at: datetime) -> Decision:
        return cancel(state, items, note=note, at=app.clock().latest(at), book=app.book, reason=why)

    return Deed(stream, (rule,), ["cancel", sorted(items), note, *([why] if why else [])])


def cancel_port(app: Engine, context: Context, name: str, *, items: Sequence[str] = (), note: str) -> Cancelled:
    """Cancel the port of the number that an item of an order brings, and nothing else: the line goes on with the number it has from us.

    Of the only item that brings a number when none is named. Possible until the clearing house's cut-off, whatever the customer has of the
    line. Raises Refused: missing (no such order or item, or it brings no number), conflict (the order or item is over, or somebody else was
    faster), usage (which item is not clear).
    """
    deed = deed_of_cancel_port(app, name, items=items, note=note)
    return _cancelled(app, deed.stream, act(app, context, "ports.cancel", deed))


def deed_of_cancel_port(app: Engine, name: str, *, items: Sequence[str] = (), note: str) -> Deed:
    """The cancellation of the port of a number alone as a deed on its order."""
    stream, _ = find_order(app, name)

    def rule(state: OrderState, at: datetime) -> Decision:
        return giving_up.cancel_port(state, items, note=note, at=app.clock().latest(at), book=app.book)

    return Deed(stream, (rule,), ["cancel-port", sorted(items), note])


def _cancelled(app: Engine, stream: str, written: Written) -> Cancelled:
    state: OrderState = app.load_one(stream).state
    told = [] if written.unchanged else list(_events(app, written))
    refused = next((_why_not(state, event) for event in told if isinstance(event, CancellationRefused)), "")
    rows = [row for event in told if (row := _row(app, state, stream, event))]
    return Cancelled(written, order_state(state.progress), rows, refused)


def _events(app: Engine, written: Written) -> Iterator[Event]:
    """The events of the order that the command wrote, then or now."""
    for row in app.reads.written_with(written.stream, written.position):
        cls = types_by_name()[row["type"]]
        if issubclass(cls, _TOLD):
            yield cls.model_validate(row["body"])


def _why_not(state: OrderState, event: CancellationRefused) -> str:
    """Why nothing was cancelled, what is past its point of no return, by which order that is undone, and what could be cancelled alone."""
    undone = {item: "" if event.part else f", undone by {_follow_up(state, item)}" for item in event.past}
    past = "; ".join(f"item {item}: {why}{undone[item]}" for item, why in event.past.items())
    what = f"the {event.part} of order {state.external_id}" if event.part else f"order {state.external_id}"
    rest = "it goes on as agreed" if event.part else "nothing else is left"
    if event.cancellable:
        rest = f"on their own (--item) could still be cancelled: {', '.join(event.cancellable)}"
    return f"{what} was not cancelled, it is past the point of no return ({past}); {rest}"


def _follow_up(state: OrderState, item: str) -> str:
    """The order that undoes what an item is past its point of no return with, once it is carried out."""
    planned = state.items[item]
    if not planned.product:
        return f"an order that deletes product {product_of(state.order_id, item)}, or within its days by `o2c orders withdraw`"
    if TERMINATION in planned.attributes:
        return "an order that adds it anew"
    return f"an order that changes product {planned.product} back"


def _row(app: Engine, state: OrderState, stream: str, event: Event) -> dict[str, Any]:
    match event:
        case ItemCancelled():
            what = f"cancelled with item {event.base}, which it relies on" if event.base else "cancelled"
        case Undone():
            what = f"{event.noun}{_name(event.model_dump())} given back"
        case RecallRequested():
            step = app.book.steps[step_of(event)]
            payload = step.ask.payload(app.work(stream, state, event.item, step.name)) if step.ask else {}
            what = f"{event.noun}{_name(payload)} asked back from the {step.partner}"
        case StepCancelled():
            what = "request let go"
        case GivenUp():
            what = f"number{_name(event.model_dump())} stays with the line" if _name(event.model_dump()) else "given up"
        case DepositReleased():
            what = f"deposit {amount_text(event.amount_minor, event.currency)} to pay back"
        case _:
            return {}
    assert isinstance(event, OfItem)
    return {"item": event.item, "step": step_of(event), "undone": what}


def _name(body: Any) -> str:
    """The SIM or number that was given back, as the events name such things."""
    return next((f" {body[key]}" for key in _NAMING if body.get(key)), "")
