"""Errors of the database that pass by themselves: long-running work waits for their end and goes on."""

from __future__ import annotations

import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError, ProgrammingError
from psycopg_pool import PoolTimeout

AWAY = (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError, PoolTimeout)
UNTOLD = (psycopg.ProgrammingError, ProgrammingError)
"""What a statement ends with whose table is not there yet, or which this login may not read."""
PASSING = ("08", "40", "53", "55", "57")
"""Classes of SQLSTATE that say nothing against the work in hand: connection, rollback, resources, state of an object, operator."""

ENDED = ("25P03", "25P04")
"""SQLSTATEs of a session that the server ended because it stood idle in a transaction, or was in one for too long."""


def passing(error: Exception) -> bool:
    """Whether the database, not the work in hand, is the cause of an error: it does not answer, restarts, breaks off, or has no room."""
    state = getattr(error.__cause__ or error, "sqlstate", None)
    return state in ENDED or (isinstance(error, AWAY) and (state is None or state.startswith(PASSING)))
