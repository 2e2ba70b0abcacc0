"""The table of reason codes, and the rate card, as folds of their streams: what an operator loaded over the packaged ones."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.fallout.events import CodesLoaded, RatesLoaded
from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind


@dataclass(frozen=True, slots=True)
class CodesState:
    """The files that were loaded, as text, the oldest first."""

    documents: tuple[str, ...] = ()


def evolve(state: CodesState, event: Event) -> CodesState:
    return CodesState((*state.documents, event.document)) if isinstance(event, CodesLoaded) else state


KIND = StreamKind(category="codes", shape_version=1, state_type=CodesState, initial=lambda _: CodesState(), evolve=evolve)


@dataclass(frozen=True, slots=True)
class RatesState:
    """The rate cards that were loaded, as text, the oldest first."""

    documents: tuple[str, ...] = ()


def evolve_rates(state: RatesState, event: Event) -> RatesState:
    return RatesState((*state.documents, event.document)) if isinstance(event, RatesLoaded) else state


RATES = StreamKind(category="rates", shape_version=1, state_type=RatesState, initial=lambda _: RatesState(), evolve=evolve_rates)
