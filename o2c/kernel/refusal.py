"""A caller's mistake. A business no is an event, never an exception."""

from __future__ import annotations


class Refused(Exception):
    """The request cannot be carried out as it stands. The message is one line: the event, the thing it concerns, and a way out.

    `kind` is `usage`, `missing` (no such thing), `conflict` (another fact stands against it), `forbidden` (the caller may not),
    `unauthenticated` (nobody knows who the caller is) or `unavailable` (try later); faces map it to their exit or status code.
    """

    def __init__(self, message: str, *, kind: str = "usage") -> None:
        super().__init__(message)
        self.kind = kind
