"""What a command opens, and times as a person writes them."""

from __future__ import annotations

from datetime import datetime

from o2c.entrypoints.session import Session, opened
from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused

__all__ = ["Session", "opened", "time_of"]


def time_of(text: str) -> datetime:
    """A time as a person writes it: RFC 3339, or a bare date meaning midnight UTC. Raises Refused."""
    try:
        return parse_time(text if "T" in text.upper() or " " in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise Refused(f"{text} is no time: {error}; write 2026-04-15 or 2026-04-15T09:00:00Z") from None
