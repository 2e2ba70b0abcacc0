"""What a command opens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from o2c.entrypoints.cli.output import err
from o2c.running.session import Session, opened
from o2c.views.reading import caught_up

__all__ = ["Session", "current", "looking", "opened"]


def current(session: Session) -> None:
    """Bring what is shown up to date, and say so where that is not possible now: an empty list would look like good news."""
    if reason := caught_up(session.app):
        err.print(reason)


@contextmanager
def looking() -> Iterator[Session]:
    """The store for a command that only reads; of a standby it says that it is one."""
    with opened(reading=True) as session:
        yield session
        # Last, so that what is refused is one line.
        if not session.takes_writes:
            err.print(
                "this server takes no writes from here (a standby, or a login that only reads): its log as far as it has it,"
                " projections as far as others folded them"
            )
