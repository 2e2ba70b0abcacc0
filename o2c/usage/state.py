"""A file of usage records, and the zones and time bands that were loaded, as folds of their streams."""

from __future__ import annotations

from dataclasses import dataclass, replace

from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind
from o2c.usage.events import UsageLoaded, UsagePurged, ZonesLoaded

PURGES = "usage-purges"
"""The stream of what was deleted."""


@dataclass(frozen=True, slots=True)
class UsageFileState:
    """A file as it was taken in, None before it was; of the stream of deletions, the last one."""

    loaded: UsageLoaded | None = None
    purged: UsagePurged | None = None


def stream_of(digest: str) -> str:
    """Give the name of the stream of a file, by the hash of its lines."""
    return f"usage-{digest[:16]}"


def evolve(state: UsageFileState, event: Event) -> UsageFileState:
    if isinstance(event, UsageLoaded):
        return replace(state, loaded=event)
    return replace(state, purged=event) if isinstance(event, UsagePurged) else state


KIND = StreamKind(category="usage", shape_version=1, state_type=UsageFileState, initial=lambda _: UsageFileState(), evolve=evolve)


@dataclass(frozen=True, slots=True)
class ZonesState:
    """The files of zones and time bands that were loaded, as text, the oldest first."""

    documents: tuple[str, ...] = ()


def evolve_zones(state: ZonesState, event: Event) -> ZonesState:
    return ZonesState((*state.documents, event.document)) if isinstance(event, ZonesLoaded) else state


ZONES = StreamKind(category="zones", shape_version=1, state_type=ZonesState, initial=lambda _: ZonesState(), evolve=evolve_zones)
