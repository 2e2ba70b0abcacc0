"""The catalogue as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from o2c.catalogue.events import OfferingPublished
from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind

STREAM = "catalogue-main"


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """Offerings by id, each as last published."""

    offerings: dict[str, OfferingPublished] = field(default_factory=dict)


def evolve(state: CatalogueState, event: Event) -> CatalogueState:
    if isinstance(event, OfferingPublished):
        return replace(state, offerings={**state.offerings, event.offering: event})
    return state


KIND = StreamKind(category="catalogue", shape_version=1, state_type=CatalogueState, initial=lambda _: CatalogueState(), evolve=evolve)
