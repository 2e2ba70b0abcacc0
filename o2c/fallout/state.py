"""The table of reason codes as a fold of its stream: what an operator loaded over the packaged one."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.fallout.events import CodesLoaded
from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind


@dataclass(frozen=True, slots=True)
class CodesState:
    """The files that were loaded, as text, the oldest first."""

    documents: tuple[str, ...] = ()


def evolve(state: CodesState, event: Event) -> CodesState:
    return CodesState((*state.documents, event.document)) if isinstance(event, CodesLoaded) else state


KIND = StreamKind(category="codes", shape_version=1, state_type=CodesState, initial=lambda _: CodesState(), evolve=evolve)
