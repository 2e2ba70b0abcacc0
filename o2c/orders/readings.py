"""What the engine reads of an order: its agenda, whom it is for, the work of a step, what it promises, and whether a fallout is open."""

from __future__ import annotations

from o2c.kernel.agenda import AgendaChange, Dropped, by_shape
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.work import MarketBook, Work, build
from o2c.orders.rollup import GATES, SUSPENSION
from o2c.orders.state import OrderState
from o2c.orders.voucher_events import EXPIRY


def agenda(state: OrderState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put the steps of an order on the agenda with its priority; those that wait for stock are served by priority, then age.

    Of an order that is over no voucher expires, and no suspension ends.
    """
    assert state.captured_at is not None
    changes = by_shape(stream, event, priority=state.priority, since=state.captured_at)
    if state.closed:
        return (*changes, *(Dropped(stream, "", step) for step in (EXPIRY, SUSPENSION) if step in state.records.get("", {})))
    return changes


def owner(state: OrderState) -> tuple[str | None, str | None]:
    """Name the order and its party for the envelope."""
    return state.order_id, state.party or None


def work(state: OrderState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Give the work of a step, with the outcomes of the item's steps, under the order's market.

    What is being taken back is of the item as it was planned then.
    """
    records = state.records.get(item, {})
    back = (one.planned for name, one in state.taken_back.get(item, {}).items() if step in (name, one.recall))
    planned, market = next(back, state.items.get(item)), book.market(state.market)
    found = build(stream, item, step, state=state, subject=planned, records=records, codes=book.codes, market=market)
    return changed(found, put_off_to=state.suspended_until) if state.suspended and waits_while_suspended(state, item, step) else found


def waits_while_suspended(state: OrderState, item: str, step: str) -> bool:
    """Whether a step does not begin while its order is suspended: a gate, or work of an item that goes on; not what is asked back or being
    taken back."""
    if not item:
        return step in GATES
    progress = state.progress.items.get(item)
    return progress is not None and not progress.ended and step in progress.steps and step not in state.taken_back.get(item, {})


def promised_on(state: OrderState, item: str) -> str:
    """Give the day that an item is promised for, as last revised; empty before it is planned."""
    planned = state.items.get(item)
    return planned.promised_on if planned else ""


def on_record(work: Work, fallout: str) -> bool:
    """Whether a fallout is open: on a step of an item that goes on, at a gate of an order that goes on, or of a resubmission."""
    state: OrderState = work.state
    if work.step == "duplicate":
        return fallout in state.suspected
    item = state.progress.items.get(work.item)
    over = bool(item and item.ended and work.step not in item.recalls) or (work.step in (*GATES, EXPIRY, SUSPENSION) and bool(state.closed))
    return work.fallout == fallout and not over
