"""What a change in flight costs where a partner has work that is taken back for it: told before it is accepted, charged when it is.

Source: order life cycle, section 4, rule (e): past a soft point of no return a change is allowed, with its price shown first. The prices
are the market's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from o2c.kernel.charges import LATE_CHANGE, ChargeStarted, ChargeWithdrawn, PriceTerms, account_stream
from o2c.kernel.event import Event
from o2c.kernel.periods import local_date
from o2c.orders.changing import cost_centre, payer_in
from o2c.orders.ending import to_recall
from o2c.orders.planning import Book
from o2c.orders.points_of_no_return import steps_of
from o2c.orders.state import OrderState


class Penalty(NamedTuple):
    """What taking a step of an item back costs, net, in minor units: the line that it is of, and those of its `attributes` that were asked
    for otherwise."""

    line: str
    item: str
    step: str
    attributes: tuple[str, ...]
    amount_minor: int


def penalties(
    state: OrderState, undone: Iterable[tuple[str, str]], differing: Iterable[tuple[str, str]], at: datetime, book: Book
) -> Iterator[Penalty]:
    """Give what it costs to take steps back (item, step), as what differs (line, attribute) wants it: of those that their partners have, or
    may have.

    What an earlier change is taking back has no request any more, and costs nothing again.
    """
    told, prices = list(differing), book.market(state.market).life.change_penalties_minor
    for item, step in undone:
        amount_minor, line = prices.get(step, 0), state.items[item].line
        if amount_minor and to_recall(state, item, (step,), at, book):
            attributes = tuple(name for of, name in told if of == line and step in steps_of((name,)))
            yield Penalty(line, item, step, attributes, amount_minor)


def charged(state: OrderState, found: Iterable[Penalty], revision: int, at: datetime, book: Book) -> Iterator[tuple[str, Event]]:
    """Give the charges of the penalties of a change (its number among those of the order), one an item: once, by the next bill of its
    account."""
    sums: dict[str, int] = {}
    for one in found:
        sums[one.item] = sums.get(one.item, 0) + one.amount_minor
    today = local_date(at, book.market(state.market).zone).isoformat()
    for item, amount_minor in sums.items():
        planned, name = state.items[item], charge_of(item, revision)
        payer = payer_in(state, planned.account)
        stream = account_stream(payer)
        yield (
            stream,
            ChargeStarted(
                account=payer,
                customer=state.party,
                order=state.order_id,
                item=name,
                offering=LATE_CHANGE,
                recurring_minor=0,
                one_time_minor=amount_minor,
                currency=planned.currency,
                starts_on=today,
                market=state.market,
                terms=PriceTerms(one_time_tax_group=planned.terms.one_time_tax_group),
                cost_centre=cost_centre(state, planned.account, payer),
            ),
        )
        yield stream, ChargeWithdrawn(order=state.order_id, item=name, ended_on=today, served=True, by_product=True)


def charge_of(item: str, revision: int) -> str:
    """Give the name under which the penalty of an item is charged: the item's, and the number of the change."""
    return f"{item}-change-{revision}"
