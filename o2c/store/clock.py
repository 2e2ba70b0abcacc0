"""Keeping the clock in the store."""

from __future__ import annotations

from datetime import datetime

from eventsourcing.postgres import PostgresDatastore

from o2c.kernel.refusal import Refused


def create_clock(datastore: PostgresDatastore, *, kind: str, start: datetime, window_s: int, seed: int) -> None:
    """Give the store its clock, once for life. Raises Refused (conflict) when it has one."""
    with datastore.get_connection() as conn:
        made = conn.execute(
            "INSERT INTO o2c.clock (kind, now, window_s, round, seed) VALUES (%s, %s, %s, 0, %s) ON CONFLICT DO NOTHING RETURNING kind",
            (kind, start, window_s, seed),
        ).fetchone()
    if made is None:
        raise Refused("the store has a clock already, and a clock is for life; use another O2C_HOME or database", kind="conflict")


def move_clock(datastore: PostgresDatastore, *, now: datetime, window_end: datetime | None, round_: int) -> None:
    """Move simulated time. Losing the last move in a crash is harmless: the pass is found empty and ended again; so it need not be flushed."""
    sql = """WITH unflushed AS (SELECT set_config('synchronous_commit', 'off', true))
        UPDATE o2c.clock SET now = %s, window_end = %s, round = %s FROM unflushed"""
    with datastore.get_connection() as conn:
        conn.execute(sql, (now, window_end, round_), prepare=True)


def policy_position(datastore: PostgresDatastore, policy: str) -> int:
    with datastore.get_connection() as conn:
        row = conn.execute("SELECT position FROM o2c.policy_checkpoint WHERE policy = %s", (policy,)).fetchone()
    return int(row["position"]) if row else 0


def move_policy(datastore: PostgresDatastore, policy: str, position: int) -> None:
    with datastore.get_connection() as conn:
        conn.execute(
            "INSERT INTO o2c.policy_checkpoint VALUES (%s, %s) ON CONFLICT (policy) DO UPDATE SET position = excluded.position"
            " WHERE policy_checkpoint.position < excluded.position",
            (policy, position),
        )
