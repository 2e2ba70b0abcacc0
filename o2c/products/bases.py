"""What ends, or rests, with the product that it relies on: its charge, and its service at the network.

Source: TM Forum TMF637 (a product that was terminated is served no more, nor one that is suspended); order life cycle, section 3 (cease:
what relies on it ends).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from o2c.kernel.charges import ChargeWithdrawn, RestEnded, account_stream
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.products.events import ProductTerminated, product_stream
from o2c.products.off_events import ProductOff, ProductOffRequested
from o2c.products.serving import served_by
from o2c.products.state import ProductState

ON = "activation"
"""The step of an item by which the network switched its service on; a product of goods has none."""
SWITCHED_WITHIN = timedelta(seconds=45)
"""How long it takes until the network is asked, as for any change of a service."""


def ends_with_base(stream: str, state: ProductState | None, today: date, at: datetime, **by: str) -> Iterator[tuple[str, Event]]:
    """Give the end of a product whose base ended on a day (`by` an order and item, or by none), of its charge, and the request that the
    network switch it off where it is on; nothing for one that ended before."""
    if state is None or state.standing is None or state.ended_on:
        return
    pieces = state.standing.pieces
    told: dict[str, Any] = {"gives_back": pieces, "ends": state.relied_on_by, **by}
    yield stream, ProductTerminated(cause="base-ended", ended_on=today.isoformat(), **told)
    if ON in pieces:
        yield stream, ProductOffRequested(due_at=at + SWITCHED_WITHIN)
    yield from ends_charge(state, today)


def end_with_base(state: ProductState, ended_on: str, at: datetime) -> Decision:
    """End a product whose base ended on a day (ISO) without it; nothing for one that ended before."""
    stream = product_stream(state.product)
    told = list(ends_with_base(stream, state, date.fromisoformat(ended_on), at))
    return Decision(tuple(event for of, event in told if of == stream), tuple(one for one in told if one[0] != stream))


def rests_with_base(state: ProductState) -> bool:
    """Whether a product in service rests when one rests that it was added to: the network switched it on, and serves it by nothing of its
    own, so that nothing of it is left while its base rests. A second line with a SIM of its own goes on, and so do goods; so does what
    rests already, or an order is letting rest or serve again."""
    assert state.standing is not None
    own = served_by(state.standing.holds)
    return ON in state.standing.pieces and not own and not state.suspended_for and "status" not in state.changing


def ends_charge(state: ProductState, today: date) -> Iterator[tuple[str, Event]]:
    """Give the end of a product's charge on a day; of one that rests, uncharged, that its account is not to wait for it."""
    assert state.standing is not None
    order, _, item = state.standing.charge.partition("/")
    of: dict[str, Any] = {"ended_on": today.isoformat(), "product": state.product, "by_product": True}
    if order:
        yield account_stream(state.standing.account), ChargeWithdrawn(order=order, item=item, served=True, **of)
    elif state.rests_uncharged:
        yield account_stream(state.standing.account), RestEnded(**of)


def off_with_base(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the network has a service off that ended with its base, from the present day of the market's calendar on."""
    return just(ProductOff(attempt=work.attempt, off_on=local_date(at, work.market.zone).isoformat()))
