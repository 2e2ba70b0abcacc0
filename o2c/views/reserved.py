"""Which pieces of stock the steps of an order took, and since when each lay free, as the log has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.event import Fact
from o2c.kernel.shapes import Done, item_of, step_of
from o2c.kernel.step import Step


@dataclass(frozen=True, slots=True)
class Taken:
    """A piece that a step took, with what its event says of it, and since when it had lain free: since the event before in its own stream.

    From then on until it was taken the piece was free, and nobody else took it. Later, had the step not taken it, it or another of its pool
    would have been left: whoever draws takes one piece.
    """

    outcome: Mapping[str, Any]
    free_from: datetime


class _Pieces(Mapping[tuple[str, str], Taken]):
    """The pieces by item and step; each stream of a piece is read when it is asked for."""

    def __init__(self, app: Engine, facts: Sequence[Fact], steps: Mapping[str, Step]) -> None:
        self._app = app
        self._done = {
            (item_of(fact.event), step.name): (fact, step)
            for fact in facts
            if isinstance(fact.event, Done) and (step := steps.get(step_of(fact.event))) and step.draw
        }

    def __getitem__(self, place: tuple[str, str]) -> Taken:
        fact, step = self._done[place]
        assert step.draw is not None
        outcome = fact.event.model_dump(mode="json")
        before = None
        for each in cast("Iterator[Fact]", self._app.events.get(step.draw.stream_of(outcome))):
            if each.command_id == fact.command_id:
                break
            before = each.occurred_at
        return Taken(outcome, before or fact.occurred_at)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._done)

    def __len__(self) -> int:
        return len(self._done)


def taken_pieces(app: Engine, facts: Sequence[Fact], steps: Mapping[str, Step]) -> Mapping[tuple[str, str], Taken]:
    """The pieces that the steps of an order took in the end, by item and step."""
    return _Pieces(app, facts, steps)
