"""Projection workers: each projection is followed by one of them at a time, and whoever follows it reads the log as it grows.

An advisory lock says whose a projection is and only keeps two from doing the same work: what makes a write safe is that it moves the checkpoint
from where its worker saw it, in the same transaction. A worker that stalls loses its session to the server, and with it its projections.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from o2c.kernel.refusal import Refused
from o2c.store.horizon import blocker
from o2c.store.passing import passing
from projections.engine import tables
from projections.engine.incremental import Forward, up_to_shape
from projections.engine.projection import Projection
from projections.engine.seen import START, Connection, last_mark

logger = structlog.get_logger(__name__)
POLL_FIRST_S, POLL_LONGEST_S = 0.002, 0.25
"""How long to wait for more after news, and at most when there is none for long: each wait is twice the last one."""
LOOK_S = 1.0
"""How often to look for projections that nobody follows."""
STALLED_S = 10.0
"""A worker that asks nothing of the server for so long is taken for dead: polling, it asks at least four times a second."""
HELD_S = 5.0
PAUSE_FIRST_S, PAUSE_LONGEST_S = 0.2, 5.0

_NAME_SESSION = """SELECT set_config('application_name', 'o2c projections', false), set_config('idle_session_timeout', %s, false),
    set_config('idle_in_transaction_session_timeout', %s, false)"""
"""Names the session and lets the server end it when it asks nothing for long. Parameters: for how long, twice."""

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS ours"
"""Takes a lock that only one session can have if it is free, and says whether it was. Parameter: its name."""


class Follower:
    """One worker: keeps projections up to date until it is told to stop.

    At first it takes at most `share` of them (None: all), a moment later whatever nobody else has. `attended` counts how often it moved on.
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
        self._told = threading.Event()
        self._reached, self._last = 0, START
        self._news_at = self._look_at = 0.0
        self._wait_s = POLL_FIRST_S
        self._pause_s = 0.0

    def stop(self) -> None:
        """Let the batch in hand be written or dropped, then end; to be called from another thread, as a signal handler may not."""
        self._told.set()

    def run(self, until: datetime | None = None) -> None:
        """Follow until told to stop, or until a time. A database that goes away is waited for.

        Raises Refused when it does not let us in, when tables or log come from a newer program, or when the log holds an event nobody here knows.
        """
        while not self._over(until):
            try:
                with tables.session(self.dsn) as conn:
                    self._begin(conn)
                    while not self._over(until):
                        self.turn(conn)
                        self._told.wait(self._wait_s)
            except Refused as refused:
                if refused.kind != "unavailable":
                    raise
                self._pause(refused)
            except Exception as error:
                if not passing(error):
                    raise
                self._pause(error)

    def turn(self, conn: Connection) -> None:
        """Look at the horizon once, with one statement; fold what is new."""
        if time.monotonic() >= self._look_at:
            self._look(conn)
        mark = last_mark(conn)
        if not self.owned or mark.position <= self._reached:
            self._wait_s = min(self._wait_s * 2, POLL_LONGEST_S)
            return
        if self._forward is None:
            self._forward = Forward(conn, self.owned, stop=self._told.is_set)
        self._forward.bring(mark)
        self._reached, self._pause_s = mark.position, 0.0
        if mark != self._last:
            self._last, self._wait_s, self._news_at = mark, POLL_FIRST_S, time.monotonic()
            self.attended += 1

    def _over(self, until: datetime | None) -> bool:
        return self._told.is_set() or (until is not None and datetime.now(UTC) >= until)

    def _begin(self, conn: Connection) -> None:
        tables.prepare(conn, self.projections)
        idle = f"{int(self.stalled_s * 1000)}ms"
        conn.execute(_NAME_SESSION, (idle, idle))
        self.owned, self._forward, self._reached, self._look_at, self._news_at = [], None, 0, 0.0, time.monotonic()

    def _look(self, conn: Connection) -> None:
        """Take what is free, see again where the tables stand (a rollback sets them back), and say who holds the horizon."""
        most = self.share if self._look_at == 0.0 else len(self.projections)
        for projection in self.projections:
            if projection not in self.owned and len(self.owned) < most and _taken(conn, projection):
                up_to_shape(conn, self.dsn, projection)
                self.owned.append(projection)
                logger.info("projection_taken", projection=projection.name)
        now = time.monotonic()
        self._forward, self._reached, self._look_at = None, 0, now + self.look_s
        if now - self._news_at >= HELD_S and (held_by := blocker(conn, HELD_S)):
            logger.warning("horizon_stands_still", held_by=held_by)
            self._news_at = now + 60

    def _pause(self, error: Exception) -> None:
        """Once a line for each time that it goes wrong, then longer and longer pauses."""
        if not self._pause_s:
            logger.warning("database_away", error=type(error).__name__)
        self._pause_s = min(self._pause_s * 2, PAUSE_LONGEST_S) or PAUSE_FIRST_S
        self._told.wait(self._pause_s)


def _taken(conn: Connection, projection: Projection) -> bool:
    row = conn.execute(_TRY_LOCK, (f"follower of projection {projection.name}",)).fetchone()
    return bool(row and row["ours"])
