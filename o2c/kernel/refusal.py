"""A caller's mistake. A business no is an event, never an exception."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Refused(Exception):
    """The request cannot be carried out as it stands. The message is one line: the event, the thing it concerns, and a way out.

    `kind` is `usage`, `missing` (no such thing), `conflict` (another fact stands against it), `forbidden` (the caller may not),
    `unauthenticated` (nobody knows who the caller is) or `unavailable` (try later); faces map it to their exit or status code.
    """

    def __init__(self, message: str, *, kind: str = "usage") -> None:
        super().__init__(message)
        self.kind = kind


class Stale(Refused):
    """What the caller decided about has changed since: `seen` are the versions of streams that he decided by, by their names."""

    def __init__(self, message: str, *, seen: Mapping[str, int]) -> None:
        super().__init__(message, kind="conflict")
        self.seen = dict(seen)


class IdTaken(Refused):
    """A command id was used for another wish."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind="conflict")


class Lost(Refused):
    """What the caller wished to change was changed by somebody else since: `lost` has a row for each attribute, with who, when and what it
    is now."""

    def __init__(self, message: str, *, lost: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(message, kind="conflict")
        self.lost = [dict(one) for one in lost]
