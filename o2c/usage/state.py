"""A file of usage records as a fold of its stream."""

from __future__ import annotations

from dataclasses import dataclass, replace

from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind
from o2c.usage.events import UsageLoaded, UsagePurged

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
