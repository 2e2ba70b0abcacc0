"""Access as folds of its streams: the record of what was shown of a customer."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.access.events import PersonalDataDisclosed
from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind

NOBODY = "nobody"
"""Stands in the name of the stream for personal data that belong to no customer we know."""


@dataclass(frozen=True, slots=True)
class AccessState:
    """Of whom the record is; no rule reads what was shown."""

    customer: str = ""


def access_stream(customer: str) -> str:
    """Give the name of the stream of what was shown of a customer: `access-` and the customer's id."""
    return f"access-{customer or NOBODY}"


def evolve_access(state: AccessState, event: Event) -> AccessState:
    """Fold one event."""
    return AccessState(event.customer) if isinstance(event, PersonalDataDisclosed) else state


def owner(state: AccessState) -> tuple[str | None, str | None]:
    """Name no order and this customer for the envelope."""
    return None, state.customer or None


ACCESS = StreamKind(
    category="access", shape_version=1, state_type=AccessState, initial=lambda _: AccessState(), evolve=evolve_access, owner=owner
)
