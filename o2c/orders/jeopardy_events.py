"""Events of promises in danger: an item came to a level of danger, or is out of it."""

from __future__ import annotations

from typing import Literal

from o2c.kernel.shapes import OfItem


class JeopardyRaised(OfItem, name="order.jeopardy-raised", stream="order"):
    """An item is in danger of missing the day that it was promised first, as it was foretold from items of before: `hazard`, or worse,
    `critical`; without an item the order, of which nothing is promised, that of what is agreed with its customer (`promised_on` is empty
    then). A milder level than that of `before` is told, too.

    `chance_percent` is that of being late, `projected_on` the day by which half of its like were complete (empty: none that was so slow
    ever was). Of its `open_steps` those are `violated` that take longer already than nine of ten of theirs.
    """

    example = {
        "item": "1", "level": "critical", "before": "normal", "chance_percent": 62, "promised_on": "2026-01-13", "projected_on": "2026-01-16",
        "open_steps": ["delivery"], "violated": ["delivery"],
    }  # fmt: skip
    level: Literal["hazard", "critical"]
    before: Literal["normal", "hazard", "critical"]
    chance_percent: int
    promised_on: str
    projected_on: str
    open_steps: tuple[str, ...]
    violated: tuple[str, ...]


class JeopardyCleared(OfItem, name="order.jeopardy-cleared", stream="order"):
    """An item that was in danger, of the level `before`, is normal again and still open."""

    example = {"item": "1", "before": "hazard", "chance_percent": 4}
    before: Literal["hazard", "critical"]
    chance_percent: int
