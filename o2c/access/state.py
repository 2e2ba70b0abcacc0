"""Access as folds of its streams: the record of what was shown of a customer, a key, and the issuers whose tokens are believed."""

from __future__ import annotations

from dataclasses import dataclass, field

from o2c.access.events import IssuerDistrusted, IssuerTrusted, KeyIssued, KeyRevoked, KeyUsed, PersonalDataDisclosed
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.stream import StreamKind

NOBODY = "nobody"
"""Stands in the name of the stream for personal data that belong to no customer we know."""
ISSUERS_STREAM = "issuers-main"
"""The one stream of all issuers."""


@dataclass(frozen=True, slots=True)
class AccessState:
    """Of whom the record is; no rule reads what was shown."""

    customer: str = ""


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key as it was `issued` (None: never), whether it was `revoked`, and the last day (ISO) on which it was used; empty for none."""

    issued: KeyIssued | None = field(default=None, repr=False)
    revoked: bool = False
    used_on: str = ""


@dataclass(frozen=True, slots=True)
class IssuersState:
    """The issuers that are trusted, by name, and the names of those that once were."""

    trusted: dict[str, IssuerTrusted] = field(default_factory=dict)
    gone: tuple[str, ...] = ()


def access_stream(customer: str) -> str:
    """Give the name of the stream of what was shown of a customer: `access-` and the customer's id."""
    return f"access-{customer or NOBODY}"


def key_stream(prefix: str) -> str:
    """Give the name of the stream of a key: `key-` and its prefix."""
    return f"key-{prefix}"


def evolve_access(state: AccessState, event: Event) -> AccessState:
    """Fold one event."""
    return AccessState(event.customer) if isinstance(event, PersonalDataDisclosed) else state


def evolve_key(state: KeyState, event: Event) -> KeyState:
    """Fold one event."""
    match event:
        case KeyIssued():
            return KeyState(event)
        case KeyUsed():
            return changed(state, used_on=event.on_day)
        case KeyRevoked():
            return changed(state, revoked=True)
    return state


def evolve_issuers(state: IssuersState, event: Event) -> IssuersState:
    """Fold one event."""
    if not isinstance(event, IssuerTrusted | IssuerDistrusted):
        return state
    others = {name: each for name, each in state.trusted.items() if name != event.issuer}
    gone = tuple(name for name in state.gone if name != event.issuer)
    if isinstance(event, IssuerTrusted):
        return IssuersState({**others, event.issuer: event}, gone)
    return IssuersState(others, (*gone, event.issuer))


def owner(state: AccessState) -> tuple[str | None, str | None]:
    """Name no order and this customer for the envelope."""
    return None, state.customer or None


ACCESS = StreamKind(
    category="access", shape_version=1, state_type=AccessState, initial=lambda _: AccessState(), evolve=evolve_access, owner=owner
)
KEY = StreamKind(category="key", shape_version=1, state_type=KeyState, initial=lambda _: KeyState(), evolve=evolve_key)
ISSUERS = StreamKind(category="issuers", shape_version=1, state_type=IssuersState, initial=lambda _: IssuersState(), evolve=evolve_issuers)
