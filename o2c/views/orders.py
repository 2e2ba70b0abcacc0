"""Orders: find one, list them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

from o2c.engine.app import Engine
from o2c.engine.drafts import Loaded
from o2c.kernel.refusal import Refused
from o2c.orders.rollup import FINAL, ORDER_TRANSITIONS
from o2c.views.reading import Page, page_of
from o2c.views.shown import OrderRow
from projections import orders

if TYPE_CHECKING:
    from o2c.orders.state import OrderState

ORDER_STATES = tuple(ORDER_TRANSITIONS)
"""The states an order can be in."""
FINAL_STATES = FINAL
"""Those of them that nothing leads out of."""

BY_EXTERNAL_ID = """SELECT stream, body ->> 'external_id' AS external_id, coalesce(body ->> 'owner', '') AS owner, body ->> 'party' AS party,
    coalesce(nullif(body ->> 'channel', ''), channel) AS channel, coalesce(body ->> 'after', '') AS after
FROM o2c.event WHERE type = 'order.captured' AND body ->> 'external_id' = ANY(%s) ORDER BY position"""
"""The orders that bear one of some external ids, the first captured first. Parameter: the external ids."""


OUR_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How an id of ours is written: what looks otherwise is no order's, and is not looked for as one."""
_FOUND: ContextVar[dict[str, Loaded] | None] = ContextVar("found", default=None)


@contextmanager
def found_once() -> Iterator[None]:
    """While it is open, an order that was found by a name is not looked up again: of one request, the entity tag and the page are of one
    state."""
    token = _FOUND.set({})
    try:
        yield
    finally:
        _FOUND.reset(token)


def find_order(app: Engine, name: str) -> tuple[str, OrderState]:
    """An order by its id, by its external id, or by `OWNER/ID` where several owners use that id.

    Raises Refused: missing, conflict when several orders bear the external id; it names them all.
    """
    loaded = load_order(app, name)
    return loaded.stream, cast("OrderState", loaded.state)


def load_order(app: Engine, name: str) -> Loaded:
    """The same, as its stream was read."""
    found = _FOUND.get()
    if found is None:
        return _looked_up(app, name)
    if name not in found:
        found[name] = _looked_up(app, name)
    return found[name]


def _looked_up(app: Engine, name: str) -> Loaded:
    stream = f"order-{name}"
    if OUR_ID.fullmatch(name) and (loaded := app.load_one(stream)).version:
        return loaded
    stream = _stream_of(app, name)
    return app.load_one(stream)


def _stream_of(app: Engine, name: str) -> str:
    """The stream of the one order that is meant by an external id, with or without its owner. Raises Refused."""
    # An owner and an id may both hold slashes.
    halves = [(name[:place], name[place + 1 :]) for place, letter in enumerate(name) if letter == "/"]
    rows = app.reads.rows(BY_EXTERNAL_ID, [name, *(external_id for _, external_id in halves)])
    if bearing := [row for row in rows if row["external_id"] == name]:
        if len(bearing) == 1:
            return str(bearing[0]["stream"])
        orders_told = "; ".join(
            f"{_owner_of(row)}/{name} from {row['channel']} is {row['stream'].removeprefix('order-')}" for row in bearing
        )
        raise Refused(f"{len(bearing)} orders bear {name}: {orders_told}; name one as OWNER/ID or by our id", kind="conflict")
    # Of an owner, the first to bear the id is meant: what came after it is an order of its own by a person's decision.
    owned = [row for row in rows if (_owner_of(row), row["external_id"]) in halves]
    if not owned:
        raise Refused(f"no order {name}; see `o2c orders list`", kind="missing")
    return str(min(owned, key=lambda row: bool(row["after"]))["stream"])


def _owner_of(row: Mapping[str, Any]) -> str:
    """Whose name the external id is: of an order taken down before that was kept, its customer, else its channel."""
    return str(row["owner"] or row["party"] or row["channel"])


def list_orders(app: Engine, *, state: str = "", customer: str = "", captured_by: str = "", limit: int | None = None) -> Page[OrderRow]:
    """Orders as they stand, by capture time, of a state, a customer or who captured them where these are given; the page says how many more
    there are.

    The projections must be caught up. Raises Refused (usage) for a state that is none.
    """
    if state and state not in ORDER_STATES:
        raise Refused(f"there is no such state of an order; use one of {', '.join(ORDER_STATES)}")
    if captured_by:
        return page_of(app.reads.rows(orders.LISTED_OF_ACTOR, state, state, customer, customer, captured_by, limit), "n")
    return page_of(app.reads.rows(orders.LISTED, state, state, customer, customer, limit), "n")
