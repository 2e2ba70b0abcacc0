"""What of an order a person may still correct."""

from __future__ import annotations

from collections.abc import Mapping

from o2c.orders.correcting import correct_wish
from o2c.orders.state import OrderState
from o2c.orders.wish import CODE, NUMBER, SWITCH_ACCOUNT, SWITCH_FROM, VISIT, VISIT_DAY, VISIT_WINDOW


def correctable(state: OrderState, item: str, changes: Mapping[str, str]) -> bool:
    """Whether every change names something that can still be corrected.

    Of an item, that is the part its steps read when they are asked for again: its place, the number it brings with its code, the provider
    it comes from, and, while the fitter's visit waits for somebody, the day and window of that; none of them empty. Of a whole order, it is
    the part that validation judges (see `correct_wish` for the keys), while the order waits there: an order that was not validated is not
    planned.
    """
    if item:
        own = ({NUMBER, CODE} if state.brings(item) else set()) | ({VISIT_DAY, VISIT_WINDOW} if _visit_waits(state, item) else set())
        own |= {SWITCH_FROM, SWITCH_ACCOUNT} if item in state.items and SWITCH_FROM in state.items[item].characteristics else set()
        return item in state.items and changes.keys() <= {"place"} | own and all(value.strip() for value in changes.values())
    if changes and state.progress.gates.get("validation") != "pending":
        return False
    for key, value in changes.items():
        corrected = correct_wish(state, key, value)
        if corrected is None:
            return False
        state = corrected
    return not state.planned


def _visit_waits(state: OrderState, item: str) -> bool:
    """Whether the fitter's visit of an item fell out and waits for somebody."""
    return item in state.progress.items and state.progress.items[item].steps.get(VISIT) in ("held", "pending")
