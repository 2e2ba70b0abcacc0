"""When a product ends that no order ends: its account was terminated."""

from __future__ import annotations

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.products.events import ProductTerminated
from o2c.products.state import ProductState


def terminate(state: ProductState, *, cause: str, ended_on: str) -> Decision:
    """End a product that is in service, with all that it holds; nothing for one that ended already, or that there is not."""
    if state.standing is None or state.ended_on:
        return NOTHING
    return just(ProductTerminated(cause=cause, ended_on=ended_on, gives_back=state.standing.pieces))
