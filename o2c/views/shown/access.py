"""Who may what, and who was shown what, as it is shown."""

from __future__ import annotations

from typing import NotRequired, TypedDict

PermissionShown = TypedDict(
    "PermissionShown",
    {
        "operation": str,
        "service": str,
        "agent": str,
        "supervisor": str,
        "analyst": str,
        "auditor": str,
        "privacy-officer": str,
        "admin": str,
    },
)
"""What each role may of an operation: `yes`, `masked` (nothing personal), `own` (what it began itself) or `-`."""


class AccessRecordShown(TypedDict):
    """Somebody was shown what is personal: by which operation, of which customer if of one, which things and kinds; `why` where that is
    asked for."""

    record: str
    recorded_at: str
    actor: str
    channel: str
    customer: str | None
    operation: str
    subjects: list[str]
    kinds: list[str]
    roles: list[str]
    why: NotRequired[str | None]


class KeyShown(TypedDict):
    """A key: in whose name and roles it acts, on which operations (None: all that these may), until when, and the last day of its use.

    `stands` is valid, expired or revoked.
    """

    prefix: str
    acts_as: str
    roles: list[str]
    operations: list[str] | None
    expires_at: str
    stands: str
    used_on: str | None


class IssuerShown(TypedDict):
    """An issuer whose tokens are believed: for which audience, from which claim roles come and to which of ours, and how long a token may
    live."""

    issuer: str
    audience: str
    claim: str
    roles: dict[str, str]
    life_s_max: int
    actor_prefix: str
    jwks: str
