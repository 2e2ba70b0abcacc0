"""What customers came with some days before they come with a paper, as capturing looks for the same wish from another channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from o2c.engine.app import Engine
from o2c.orders.same_wish import WITHIN, Earlier, same_wish, wished, wished_by
from o2c.orders.wish import Wish

CAPTURED_OF = """SELECT order_id, customer_id AS customer, body->>'channel' AS channel, (body->>'order_date')::timestamptz AS ordered_at, body->'lines' AS lines
FROM o2c.event WHERE type = 'order.captured' AND customer_id = ANY(%s) AND (body->>'order_date')::timestamptz BETWEEN %s AND %s
    AND coalesce(body->>'apart', '') = ''"""
"""The orders that some customers came with, dated between two times, without those of programs and of tests of our own. Parameters: the
customers, the two times."""
APART = """SELECT 1 AS apart FROM o2c.event o JOIN o2c.event a USING (stream)
WHERE o.type = 'journey.ordered' AND o.order_id = %s AND a.type = 'journey.set-apart' LIMIT 1"""
"""Whether an order followed a journey of a program or of a test of our own, which orders themselves say since later. Parameter: the
order."""
NOT_TO_BE = frozenset({"order.cancelled", "order.rejected", "order.failed"})
"""The ends of an order by which its wish is open again."""


def earlier_of(app: Engine, wishes: Iterable[Wish]) -> dict[str, list[Earlier]]:
    """The orders of the customers that papers name, by customer, which are dated near enough to be the same wish."""
    named = [wish for wish in wishes if wish.party]
    if not named:
        return {}
    dates = [wish.order_date for wish in named]
    found: dict[str, list[Earlier]] = {}
    for row in app.reads.rows(CAPTURED_OF, sorted({wish.party for wish in named}), min(dates) - WITHIN, max(dates) + WITHIN):
        lines = (
            (line.get("action", ""), line.get("offering", ""), bool(line.get("relies_on") or line.get("parent"))) for line in row["lines"]
        )
        one = Earlier(str(row["order_id"]), row["channel"], row["ordered_at"], wished(lines))
        found.setdefault(row["customer"], []).append(one)
    return found


def earlier_by(wish: Wish, stream: str) -> Earlier:
    """A paper as those that come after it see the order of this stream which it becomes."""
    return Earlier(stream.removeprefix("order-"), wish.channel, wish.order_date, wished_by(wish))


def twin_of(app: Engine, wish: Wish, earlier: Mapping[str, list[Earlier]]) -> str:
    """The order that may be the same wish as a paper, by its id; empty for none, for one that came to nothing, and for one of a program or
    of a test of our own, which nobody wished."""
    known = list(earlier.get(wish.party, ()))
    while known and (order := same_wish(wish, known)):
        if app.load_one(f"order-{order}").state.closed not in NOT_TO_BE and not app.reads.rows(APART, order):
            return order
        known = [each for each in known if each.order != order]
    return ""
