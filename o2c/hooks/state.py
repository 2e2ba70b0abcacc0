"""A hook as a fold of its stream: what it is told, where, and whether it is told now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from o2c.hooks.events import (
    Format,
    HookPrivateAddressAllowed,
    HookResumed,
    HookSecretRotated,
    HookSubscribed,
    HookSuspended,
    HookUnsubscribed,
)
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.stream import StreamKind


@dataclass(frozen=True, slots=True)
class HookState:
    """`generation` is that of the secret, 0 before there is a subscription; the one before it signs too until `old_until`.

    `suspended` says why nothing is told now, empty where it is.
    """

    url: str = ""
    types: tuple[str, ...] = ()
    format: Format = "native"
    after: int = 0
    captured_by: str = ""
    customer: str = ""
    unmasked: bool = False
    query: str = ""
    generation: int = 0
    old_until: datetime | None = None
    private_allowed: bool = False
    suspended: Literal["", "gone", "dead"] = ""
    ended: bool = False

    @property
    def standing(self) -> bool:
        """Whether there is such a subscription."""
        return self.generation > 0 and not self.ended


def evolve(state: HookState, event: Event) -> HookState:
    """Fold one event."""
    match event:
        case HookSubscribed():
            return HookState(
                event.url, event.types, event.format, int(event.after) if event.after.isdecimal() else 0, event.captured_by,
                event.customer, event.unmasked, event.query, generation=1,
            )  # fmt: skip
        case HookPrivateAddressAllowed():
            return changed(state, private_allowed=True)
        case HookSecretRotated():
            return changed(state, generation=event.generation, old_until=event.old_until)
        case HookSuspended():
            return changed(state, suspended=event.reason)
        case HookResumed():
            return changed(state, suspended="")
        case HookUnsubscribed():
            return changed(state, ended=True)
    return state


def stream_of(hook: str) -> str:
    """Give the name of the stream of a hook: `hook-` and its id, which may be given with or without it."""
    return f"hook-{hook.removeprefix('hook-')}"


KIND = StreamKind(category="hook", shape_version=1, state_type=HookState, initial=lambda _: HookState(), evolve=evolve)
