"""What a failure of the database is to a face: try later, or refused; each in one line that shows no value."""

from __future__ import annotations

import psycopg

from o2c.kernel.refusal import Refused
from o2c.store.passing import AWAY as NO_ANSWER

__all__ = ["NO_ANSWER", "refused_by_server", "why_no_answer"]


def why_no_answer(error: Exception) -> str:
    """What to tell of a server that does not answer, has no connection left or no room on its disk."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(cause, psycopg.errors.DiskFull):
        return "PostgreSQL has no room left on its disk; nothing acknowledged is lost, make room and run again"
    return f"the database is not available ({type(error).__name__}); see that the server runs and try again"


def refused_by_server(error: Exception) -> Refused | None:
    """The refusal where the login may not do what was asked, the server takes no writes, or has no room for a number; None for any other
    error.

    The text of the server names the relation and no value.
    """
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(cause, psycopg.errors.ReadOnlySqlTransaction):
        return Refused("this server takes no writes (a standby, or set read-only), and this needs some; use the primary", kind="conflict")
    if isinstance(cause, psycopg.errors.NumericValueOutOfRange):
        return Refused("a number is larger than the store has room for; use a smaller one")
    if not isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return None
    return Refused(f"PostgreSQL refused: {cause.diag.message_primary}; make this login a member of the role that may (`o2c store roles`)")
