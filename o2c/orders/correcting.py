"""One correction of an order that waits for validation, as its state takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from o2c.kernel.frozen import changed
from o2c.orders.same_wish import TWO
from o2c.orders.wish import corrected

if TYPE_CHECKING:
    from o2c.orders.state import OrderState

OURS = "ours"
"""The one value of the correction of prices: the channel takes what the catalogue says."""


def correct_wish(state: OrderState, key: str, value: str) -> OrderState | None:
    """Apply one correction of an order that waits for validation; None for an unknown key.

    The keys are `party`, `account`, `catalogue`, `requested_start`, `requested_completion`, `prices` (`ours`: what the channel sent counts
    no more), `wishes` (`two`: the customer wants this beside what he ordered elsewhere), and `line.N.FIELD`, with N counted from 1 in the
    order in which the channel sent the lines.
    """
    match key.split(".", 2):
        case ["party"]:
            # An order that names no account is billed to its party.
            return changed(state, party=value, account=value if state.account in ("", state.party) else state.account)
        case ["account" | "requested_start" | "requested_completion" as name]:
            return changed(state, **{name: value})
        case ["prices"] if value == OURS:
            return changed(state, prices=(), lines=tuple(changed(line, prices=()) for line in state.lines))
        case ["wishes"] if value == TWO:
            return changed(state, same_wish="")
        case ["catalogue"] if value.isdecimal():
            return changed(state, catalogue_version=int(value))
        case ["line", number, name] if number.isdecimal() and 1 <= int(number) <= len(state.lines):
            at = int(number) - 1
            return changed(state, lines=(*state.lines[:at], *corrected(state.lines[at], name, value), *state.lines[at + 1 :]))
    return None
