"""The catalogue as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from o2c.catalogue.events import OfferingPrice, OfferingPublished
from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind

STREAM = "catalogue-main"


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """Offerings by id, each as last published, all of them with `prices`."""

    offerings: dict[str, OfferingPublished] = field(default_factory=dict)


def evolve(state: CatalogueState, event: Event) -> CatalogueState:
    if isinstance(event, OfferingPublished):
        return replace(state, offerings={**state.offerings, event.offering: _priced(event)})
    return state


def _priced(event: OfferingPublished) -> OfferingPublished:
    """Give an offering that was stored before there were `prices` those that it meant."""
    before = {"recurring": event.recurring_minor, "one-time": event.one_time_minor}
    prices = tuple(OfferingPrice.model_validate({"kind": kind, "amount_minor": minor}) for kind, minor in before.items() if minor)
    return event.model_copy(update={"prices": prices, "recurring_minor": 0, "one_time_minor": 0}) if prices else event


KIND = StreamKind(category="catalogue", shape_version=2, state_type=CatalogueState, initial=lambda _: CatalogueState(), evolve=evolve)
