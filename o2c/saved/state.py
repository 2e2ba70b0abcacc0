"""The saved views of a person as a fold of their stream."""

from __future__ import annotations

from dataclasses import dataclass, field

from o2c.kernel.event import Event
from o2c.kernel.identifiers import derived_id
from o2c.kernel.stream import StreamKind
from o2c.saved.events import ViewForgotten, ViewSaved


@dataclass(frozen=True, slots=True)
class ViewsState:
    """Whose views they are, the filters of each by its name, and the names of those that were forgotten."""

    owner: str = ""
    views: dict[str, dict[str, str]] = field(default_factory=dict)
    gone: tuple[str, ...] = ()


def stream_of(owner: str) -> str:
    """Give the name of the stream of a person's views: `views-` and an id made of the person's name, which may have any letters."""
    return f"views-{derived_id('views', owner)}"


def evolve(state: ViewsState, event: Event) -> ViewsState:
    """Fold one event."""
    if not isinstance(event, ViewSaved | ViewForgotten):
        return state
    others = {name: filters for name, filters in state.views.items() if name != event.name}
    gone = tuple(name for name in state.gone if name != event.name)
    if isinstance(event, ViewSaved):
        return ViewsState(event.owner, {**others, event.name: event.filters}, gone)
    return ViewsState(event.owner, others, (*gone, event.name))


KIND = StreamKind(category="views", shape_version=1, state_type=ViewsState, initial=lambda _: ViewsState(), evolve=evolve)
