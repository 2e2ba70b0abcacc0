"""Projection workers: they fold the log as it grows, and each projection belongs to one worker at a time.

A worker owns a projection while it holds an advisory lock. The lock only keeps two workers from doing the same work. Writes are safe
without it, for each moves the checkpoint in the same transaction, and only if the checkpoint is as the worker read it. The server ends
the session of a worker that stalls, which frees its projections for others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.horizon import blocker
from o2c.store.passing import passing
from o2c.store.turns import taken
from projections.engine import tables
from projections.engine.incremental import Forward, rebuild_outdated
from projections.engine.projection import Projection
from projections.engine.seen import START, last_mark

logger = structlog.get_logger(__name__)
POLL_FIRST_S, POLL_LONGEST_S = 0.002, 0.25
"""How long to wait after new events, and the longest wait: without new events each wait is twice the one before."""
LOOK_S = 1.0
"""How often to look for projections that no worker owns."""
STALLED_S = 10.0
"""The server ends the session of a worker that sends no statement for so long. A live worker sends at least four a second."""
HELD_S = 5.0
"""After so long without new events the worker warns of a transaction that holds the horizon, if there is one."""
PAUSE_FIRST_S, PAUSE_LONGEST_S = 0.2, 5.0
"""The first and the longest pause before the next attempt to reach the database: each is twice the one before."""

_NAME_SESSION = """SELECT set_config('application_name', 'o2c projections', false), set_config('idle_session_timeout', %s, false),
    set_config('idle_in_transaction_session_timeout', %s, false)"""
"""Names the session, and lets the server end it when it sends no statement for some time. Parameters: that time, twice."""


class Follower:
    """One worker: it keeps projections up to date until it is stopped.

    In the first turn of a session it takes at most `share` of them (None: all), later all that are free. `attended` counts the turns that
    folded new events.
    """

    def __init__(
        self, dsn: str, projections: Sequence[Projection], *, share: int | None = None, look_s: float = LOOK_S, stalled_s: float = STALLED_S
    ) -> None:
        self.dsn, self.projections = dsn, projections
        self.share = len(projections) if share is None else share
        self.look_s, self.stalled_s = look_s, stalled_s
        self.attended = 0
        self.owned: list[Projection] = []
        self._forward: Forward | None = None
        self._stopping = threading.Event()
        self._reached, self._last = 0, START
        self._news_at = self._look_at = 0.0
        self._wait_s = POLL_FIRST_S
        self._pause_s = 0.0

    def stop(self) -> None:
        """Let the worker finish or drop its batch, then end. To be called from another thread, never from a signal handler."""
        self._stopping.set()

    def run(self, until: datetime | None = None) -> None:
        """Work until `stop` is called, or until a time. When the database is away, wait for it.

        Raises Refused when the database refuses the login, when tables or log come from a newer program, or at an event of an unknown type.
        """
        while not self._over(until):
            try:
                with tables.session(self.dsn) as conn:
                    self._begin(conn)
                    while not self._over(until):
                        self.turn(conn)
                        self._stopping.wait(self._wait_s)
            except Refused as refused:
                if refused.kind != "unavailable":
                    raise
                self._pause(refused)
            except Exception as error:
                if not passing(error):
                    raise
                self._pause(error)

    def turn(self, conn: Connection) -> None:
        """Read the horizon with one statement, and fold the events that are new."""
        if time.monotonic() >= self._look_at:
            self._look(conn)
        mark = last_mark(conn)
        if not self.owned or mark.position <= self._reached:
            self._wait_s = min(self._wait_s * 2, POLL_LONGEST_S)
            return
        if self._forward is None:
            self._forward = Forward(conn, self.owned, stop=self._stopping.is_set)
        self._forward.fold_to(mark)
        self._reached, self._pause_s = mark.position, 0.0
        if mark != self._last:
            self._last, self._wait_s, self._news_at = mark, POLL_FIRST_S, time.monotonic()
            self.attended += 1

    def _over(self, until: datetime | None) -> bool:
        return self._stopping.is_set() or (until is not None and datetime.now(UTC) >= until)

    def _begin(self, conn: Connection) -> None:
        tables.prepare(conn, self.projections)
        idle = f"{int(self.stalled_s * 1000)}ms"
        conn.execute(_NAME_SESSION, (idle, idle))
        self.owned, self._forward, self._reached, self._look_at, self._news_at = [], None, 0, 0.0, time.monotonic()

    def _look(self, conn: Connection) -> None:
        """Take free projections, and warn of a transaction that holds the horizon.

        All checkpoints are read again, as a rollback sets them back.
        """
        most = self.share if self._look_at == 0.0 else len(self.projections)
        for projection in self.projections:
            if projection not in self.owned and len(self.owned) < most and _take(conn, projection):
                rebuild_outdated(conn, self.dsn, projection)
                self.owned.append(projection)
                logger.info("projection_taken", projection=projection.name)
        now = time.monotonic()
        self._forward, self._reached, self._look_at = None, 0, now + self.look_s
        if now - self._news_at >= HELD_S and (held_by := blocker(conn, HELD_S)):
            logger.warning("horizon_stands_still", held_by=held_by)
            self._news_at = now + 60

    def _pause(self, error: Exception) -> None:
        """Wait for the database, longer each time; only the first of several waits writes a line to the program's log."""
        if not self._pause_s:
            logger.warning("database_away", error=type(error).__name__)
        self._pause_s = min(self._pause_s * 2, PAUSE_LONGEST_S) or PAUSE_FIRST_S
        self._stopping.wait(self._pause_s)


def _take(conn: Connection, projection: Projection) -> bool:
    return taken(conn, f"follower of projection {projection.name}", "projection.checkpoint")
