"""The clock of the store, and how far each reaction has read the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from eventsourcing.postgres import PostgresDatastore

from o2c.kernel.refusal import Refused
from o2c.store import queries


def create_clock(datastore: PostgresDatastore, *, kind: str, start: datetime, window_s: int, seed: int) -> None:
    """Give the store its clock, once for life. Raises Refused (conflict) when it has one."""
    with datastore.get_connection() as conn:
        row = conn.execute(queries.CREATE_CLOCK, (kind, start, window_s, seed)).fetchone()
    if row is None:
        raise Refused("the store has a clock already, and a clock is for life; use another O2C_HOME or database", kind="conflict")


def move_clock(datastore: PostgresDatastore, *, now: datetime, window_end: datetime | None, round_: int) -> None:
    """Move simulated time. It is not flushed: when a crash loses the last move, the next run makes the same pass again and finds it
    empty."""
    with datastore.get_connection() as conn:
        conn.execute(queries.MOVE_CLOCK, (now, window_end, round_), prepare=True)


def policy_position(datastore: PostgresDatastore, policy: str) -> int | None:
    """The position up to which a reaction has read the log; None when it never did."""
    with datastore.get_connection() as conn:
        row = conn.execute(queries.POLICY_POSITION, (policy,)).fetchone()
    return int(row["position"]) if row else None


def policy_positions(datastore: PostgresDatastore, policies: Sequence[str]) -> dict[str, int]:
    """The positions up to which those of some reactions that ever did have read the log, by name."""
    with datastore.get_connection() as conn:
        rows = conn.execute(queries.POLICY_POSITIONS, (list(policies),), prepare=True).fetchall()
    return {row["policy"]: int(row["position"]) for row in rows}


def move_policy(datastore: PostgresDatastore, policy: str, position: int) -> None:
    """Record that a reaction has read the log up to a position; never moves it back."""
    with datastore.get_connection() as conn:
        conn.execute(queries.MOVE_POLICY, (policy, position))
