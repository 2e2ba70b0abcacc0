"""Whether a paper wishes what its customer wished already, by another channel, some days before: one wish, or two? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from o2c.orders.wish import Wish

WITHIN = timedelta(days=7)
"""How far apart two papers may be dated that may be the same wish: the operator's own practice (decisions/0062)."""
TWO = "two"
"""What a correction of `wishes` says where the customer wants both."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An order that a customer came with before: its id, the channel that sent it, its date, and the offerings that it wished anew."""

    order: str
    channel: str
    ordered_at: datetime
    offerings: frozenset[str]


def wished(lines: Iterable[tuple[str, str, bool]]) -> frozenset[str]:
    """Give the offerings that lines (action, offering, whether it relies on another) wish anew, without what goes with another line."""
    return frozenset(offering for action, offering, relies in lines if action == "add" and offering and not relies)


def wished_by(wish: Wish) -> frozenset[str]:
    """Give the offerings that a paper wishes anew."""
    return wished((line.action, line.offering, bool(line.relies_on or line.parent)) for line in wish.lines)


def same_wish(wish: Wish, earlier: Iterable[Earlier]) -> str:
    """Give the order, the last before this paper, by which its customer wished one of the same offerings through another channel; empty for
    none.

    The same channel is not asked about: it knows what it sent, and by its external id a paper is known again.
    """
    offerings = wished_by(wish)
    alike = (
        (each.ordered_at, each.order)
        for each in earlier
        if each.channel not in ("", wish.channel) and each.offerings & offerings and abs(wish.order_date - each.ordered_at) <= WITHIN
    )
    return max(alike, default=(wish.order_date, ""))[1]
