"""The products in service that a changed paper names: which lines are judged anew, how they are read, and what the order claims of their
products from then on.

Source: order life cycle, section 4 (rules a and b: judged line by line, and by what differs alone); decisions/0041 (one order an attribute)
and 0078.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from o2c.kernel.decision import Decision
from o2c.kernel.frozen import changed
from o2c.orders.changing import Products, accepted, held, let_go, products_of
from o2c.orders.event_parts import HeldProduct
from o2c.orders.planning import CHANGED
from o2c.orders.revised import with_products
from o2c.orders.state import OrderState
from o2c.orders.wish import Line, resolved


def as_known(state: OrderState, in_force: Sequence[Line], lines: Sequence[Line]) -> dict[str, HeldProduct]:
    """Give the products of the lines of a changed paper that name one as they did, or were carried out, by line: they stand as they were
    when that was judged. What the order itself has made of a product is no more than what its paper said."""
    before, had, done = {line.item: line for line in in_force}, products_of(state), _carried_out(state)
    return {
        line.item: had[line.item]
        for line in lines
        if line.item in had and line.item in before and (line.item in done or _bare(line) == _bare(before[line.item]))
    }


def _carried_out(state: OrderState) -> set[str]:
    """The lines whose products are as they say."""
    return {item.line for name, item in state.items.items() if state.progress.items[name].steps.get(CHANGED) == "done"}


def _bare(line: Line) -> Line:
    """A line without what its paper does not say of it."""
    return changed(line, prices=(), costs_anew=True)


def said_anew(state: OrderState, lines: Sequence[Line], known: Mapping[str, HeldProduct], paper: Iterable[Line]) -> tuple[Line, ...]:
    """Give lines of which those that name a product otherwise than before say only what a person or the `paper` said: what they had of the
    product is to be read anew."""
    had, said, alike = products_of(state), {line.item: line for line in paper}, known.keys() - _carried_out(state)
    return tuple(
        line if line.item in alike or line.item not in had else _as_said(line, had[line.item], said.get(line.item, line)) for line in lines
    )


def _as_said(line: Line, had: HeldProduct, said: Line) -> Line:
    stood = had.standing.characteristics
    own = {name: value for name, value in line.characteristics.items() if name in said.characteristics or stood.get(name) != value}
    return changed(line, offering=line.offering if said.offering else "", characteristics=own)


def other_product(state: OrderState, lines: Sequence[Line]) -> str:
    """Give the first line that names another product than it did: what was asked of the first one could not be taken back any more. Empty
    for none."""
    had = products_of(state)
    return next((line.item for line in lines if line.item in had and line.product != had[line.item].product), "")


def named_anew(
    state: OrderState, wished: OrderState, known: Mapping[str, HeldProduct], products: Products, bill_dates: Mapping[str, str]
) -> OrderState:
    """Give a changed order without a flaw as one that was validated with the products that its lines name: those `known` as they were, the
    others as they are now.

    The products of lines that go stay for what is to be taken back of their items. `bill_dates` are the days of the next bill, by
    account."""
    now = held(wished.lines, products, bill_dates, state.party, known)
    named = {one.line: one for one in now}
    with_items = {item.line for item in state.items.values()} - {line.item for line in wished.lines}
    kept = tuple(one for line, one in products_of(state).items() if line in with_items)
    records = (
        {**wished.records, "": with_products(wished.records.get("", {}), (*now, *kept))} if now or products_of(state) else wished.records
    )
    return changed(wished, lines=tuple(resolved(wished.lines, named)), records=records)


def read_alike(state: OrderState, in_force: Sequence[Line], wished: OrderState) -> tuple[Line, ...]:
    """Give the lines in force with what they have of their products as the changed order has it: what another order made of a product
    meanwhile is no difference of this paper."""
    had, has = products_of(state), products_of(wished)
    return tuple(_under(line, had[line.item], has[line.item]) if line.item in had.keys() & has.keys() else line for line in in_force)


def _under(line: Line, had: HeldProduct, has: HeldProduct) -> Line:
    stood = had.standing.characteristics
    own = {name: value for name, value in line.characteristics.items() if stood.get(name) != value}
    offering = has.standing.offering if line.offering == had.standing.offering else line.offering
    return changed(line, offering=offering, characteristics={**has.standing.characteristics, **own})


def claimed_otherwise(state: OrderState, wished: OrderState) -> Decision:
    """Tell the products what the changed order is to change of them, and that it will not change any more what it was to: by the versions
    of their streams."""
    had, has = products_of(state), products_of(wished)
    gone = [one for line, one in had.items() if line not in has or has[line].attributes != one.attributes]
    come = [one for line, one in has.items() if line not in had or had[line].attributes != one.attributes]
    return let_go(state, gone) + accepted(come, state.order_id)
