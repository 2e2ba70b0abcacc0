"""What a command opens, and times as a person writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from o2c.entrypoints.cli.output import err
from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused
from o2c.running.session import Session, opened

__all__ = ["Session", "looking", "opened", "time_of"]


@contextmanager
def looking() -> Iterator[Session]:
    """The store for a command that only reads; of a standby it says that it is one."""
    with opened(reading=True) as session:
        if not session.app.takes_writes:
            err.print(
                "this server takes no writes (a standby?): its log as far as it has it, projections as far as the primary folded them"
            )
        yield session


def time_of(text: str) -> datetime:
    """A time as a person writes it: RFC 3339, or a bare date meaning midnight UTC. Raises Refused."""
    try:
        return parse_time(text if "T" in text.upper() or " " in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise Refused(f"{text} is no time: {error}; write 2026-04-15 or 2026-04-15T09:00:00Z") from None
