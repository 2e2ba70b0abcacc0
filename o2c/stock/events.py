"""Shapes of a stock delivery; SIMs and numbers give them their names."""

from __future__ import annotations

from o2c.kernel.event import Event
from o2c.kernel.shapes import Done, Requested, Supply


class StockAnnounced(Requested):
    """A delivery is to be taken in at `due_at`; `rows` are the lines of its paper, as text."""

    rows: tuple[tuple[str, ...], ...]


class Identified(Event):
    """A piece of stock with identifiers, beside the one its stream is named for, that no other piece may have."""

    def identifiers(self) -> tuple[tuple[str, str], ...]:
        """Give the identifiers as (kind, value). Raises NotImplementedError for a class that does not say."""
        raise NotImplementedError(f"{type(self).__name__} must say what identifies it")


class StockArrived(Done, Supply):
    """A delivery was taken in: how many pieces each pool received, without those that were in the store already."""

    pools: dict[str, int]

    def brings(self) -> dict[str, int]:
        """What each pool received."""
        return self.pools
