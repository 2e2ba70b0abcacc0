"""Shapes of a stock delivery; SIMs and numbers give them their names."""

from __future__ import annotations

from o2c.kernel.shapes import Done, Requested


class StockAnnounced(Requested):
    """A delivery is to be taken in at `due_at`; `rows` are the lines of its paper, as text."""

    rows: tuple[tuple[str, ...], ...]


class StockArrived(Done):
    """A delivery was taken in: how many pieces each pool received, without those that were in the store already."""

    pools: dict[str, int]
