"""What if: the history folded through a projection of somebody's own, and how its rows differ from the live ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.orders import find_order
from o2c.views.reading import caught_up, position_of, time_of
from projections.engine.apart import Foreign, loaded_apart
from projections.engine.fill import OnStage
from projections.engine.what_if import Outcome, Stretch, what_if

__all__ = ["Outcome", "changes", "replay", "whole"]


def replay(
    app: Engine, file: Path, *, order: str = "", from_: str = "", to: str = "", keep: bool = False, progress: OnStage
) -> list[Outcome]:
    """Fold the history, or a part of it, through the projections of a Python file, and compare their rows with the live ones.

    `order` is an order's id or external id; `from_` and `to` are positions or times as a person writes them. With `keep` the scratch schema
    stays. Raises Refused: usage (an empty stretch, a file that defines none), missing (no such order); FoldFailed.
    """
    caught_up(app)
    stretch = _stretch(from_, to, find_order(app, order)[1].order_id if order else None)
    with loaded_apart(file) as foreign:
        return [_replayed(app, projection, stretch, keep, progress) for projection in foreign]


def _replayed(app: Engine, foreign: Foreign, stretch: Stretch, keep: bool, progress: OnStage) -> Outcome:
    def told(stage: str, share: float) -> None:
        progress(foreign.projection.name, stage, share)

    return what_if(app.dsn, foreign.projection, stretch, keep=keep, progress=told, fold=foreign.fold)


def _stretch(from_: str, to: str, order: str | None) -> Stretch:
    first, since = _place(from_)
    before, until = _place(to)
    if (first and before and first >= before) or (since and until and since >= until):
        raise Refused("--from lies behind --to; nothing is in between")
    return Stretch(order=order, first=first, before=before, since=since, until=until)


def _place(text: str) -> tuple[int | None, datetime | None]:
    position = position_of(text)
    return position, time_of(text) if text and position is None else None


def changes(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """A row for each value that differs, and for each row that only one side has."""
    for key, other, live in outcome.diff.rows:
        change = {"projection": outcome.name, "key": " ".join(map(str, dict.fromkeys(key)))}
        if live is None or other is None:
            yield {**change, "column": None, "live": live, "what_if": other}
        else:
            for name in outcome.diff.columns:
                if live.get(name) != other.get(name):
                    yield {**change, "column": name, "live": live.get(name), "what_if": other.get(name)}


def whole(outcome: Outcome) -> dict[str, Any]:
    """An outcome with all its changes, as one row."""
    return {
        "projection": outcome.name,
        "events": outcome.events,
        "rows": outcome.rows,
        "live_rows": outcome.live_rows,
        "compared_with": outcome.compared_with,
        "differing": outcome.diff.differing,
        "by_column": dict(outcome.diff.columns),
        "not_compared": list(outcome.diff.not_compared),
        "schema": outcome.schema,
        "changes": list(changes(outcome)),
    }
