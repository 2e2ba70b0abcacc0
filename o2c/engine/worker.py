"""The real-time worker: takes due rows off the agenda page by page, carries them out, and sleeps until more are due.

Any number of workers on any number of machines share one agenda. A worker keeps no state: a lease only prevents two workers from doing the
same work at once, and when the lease of a killed worker ends, another one takes its rows. Simulated time is driven by the runner alone.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from o2c.engine import reactions
from o2c.engine.runner import Runner, fewer_collections
from o2c.kernel.refusal import Refused
from o2c.store.database import prepare
from o2c.store.passing import AWAY, passing
from o2c.store.reads import DueRow
from o2c.store.turns import turn

logger = structlog.get_logger(__name__)
PAGE_S = 0.5
"""How long a page should take: a worker that is asked to stop finishes the page in hand."""
PAGE_ROWS_FIRST = 2
PAGE_ROWS_MAX = 64
LEASE_S = 60
POLL_S = 0.5
PAUSE_FIRST_S, PAUSE_LONGEST_S = 0.2, 5.0
RECONNECT_S = 1.0


class Worker:
    """One worker of a store in real time. Raises Refused for a store with simulated time.

    `poll_s` is the longest sleep, because other processes may put rows on the agenda meanwhile. `lease_s` is how long the rows of a killed
    worker wait; it must be longer than a page takes. `attended` counts the rows carried out.
    """

    def __init__(self, runner: Runner, *, poll_s: float = POLL_S, lease_s: float = LEASE_S) -> None:
        if runner.simulated:
            raise Refused("the clock of this store is simulated and has one driver; let time pass with `o2c run --until TIME`")
        self.runner, self.app = runner, runner.app
        self.poll_s, self.lease_s = poll_s, lease_s
        self.attended = 0
        self._stopping = threading.Event()
        self._held: Sequence[DueRow] = ()
        self._page_rows = PAGE_ROWS_FIRST
        self._react_at = 0.0
        self._reactions = reactions.REACTIONS
        self._pause_s = 0.0
        # The pool must connect again soon after the server is back, and not sit out a long pause.
        self.app.log_recorder.datastore.pool.reconnect_timeout = RECONNECT_S

    def stop(self) -> None:
        """End after the page in hand. To be called from another thread: a signal handler must not take the lock of an event."""
        self._stopping.set()

    def run(self, until: datetime | None = None) -> None:
        """Work until `stop` is called, or until a time.

        A database that goes away is waited for. Raises Refused when it comes back and refuses the login, or holds a newer store.
        """
        with fewer_collections():
            self._work(until)
        if not self._pause_s:
            with contextlib.suppress(*AWAY):
                self._give_back()

    def _work(self, until: datetime | None) -> None:
        while not self._over(until):
            try:
                if self._pause_s:
                    prepare(self.app.dsn)
                self._turn(until)
                self._recovered()
            except Refused as refused:
                if refused.kind != "unavailable":
                    raise
                self._pause(refused, away=True)
            except Exception as error:  # noqa: BLE001 - a worker survives any error and logs its type; the values may be personal
                self._pause(error, away=passing(error))

    def _over(self, until: datetime | None) -> bool:
        return self._stopping.is_set() or (until is not None and datetime.now(UTC) >= until)

    def _turn(self, until: datetime | None) -> None:
        """Do one page of work, or sleep once."""
        self._give_back()
        self._held = self.app.reads.lease(datetime.now(UTC), self._page_rows, self.lease_s)
        if self._over(until):
            return
        idle = not self._held
        brought = self._page() if self._held else frozenset()
        if brought & reactions.TYPES or time.monotonic() >= self._react_at:
            self.react()
        if idle:
            self._stopping.wait(self._sleep_s(until))

    def _give_back(self) -> None:
        """Release the leases of rows that were not begun, or that broke off when the database went away."""
        if self._held:
            self.app.reads.release(self._held)
            self._held = ()

    def _page(self) -> frozenset[str]:
        began, rows = time.monotonic(), self._held
        try:
            types = self.runner.attend(rows, round_=0)
        except Exception as error:
            if passing(error):
                raise
            logger.error("page_failed", rows=len(rows), error=type(error).__name__)
            # A newer store is the likeliest reason for a whole page to fail.
            prepare(self.app.dsn)
            types = self._stream_by_stream(rows)
        self._held = ()
        self.attended += len(rows)
        took_s = max(time.monotonic() - began, 0.001)
        self._page_rows = max(1, min(2 * len(rows), int(len(rows) * PAGE_S / took_s), PAGE_ROWS_MAX))
        return types

    def _stream_by_stream(self, rows: Sequence[DueRow]) -> frozenset[str]:
        """Carry out each stream by itself. The rows of one that fails again stay leased: it is tried now and then, and never at once."""
        types: frozenset[str] = frozenset()
        for stream in dict.fromkeys(row.entry.stream for row in rows):
            try:
                types |= self.runner.attend([row for row in rows if row.entry.stream == stream], round_=0)
            except Exception as error:
                if passing(error):
                    raise
                logger.error("stream_failed", stream=stream, error=type(error).__name__)
        return types

    def react(self) -> None:
        """Carry out reactions and the sweep, one worker at a time: two would wake twice as many orders as stock came."""
        self._react_at = time.monotonic() + self.poll_s
        try:
            with turn(self.app.log_recorder.datastore, reactions.SWEEP) as ours:
                if ours:
                    reactions.react(self.app, round_=0, reactions=self._reactions)
                    self._reactions = reactions.OF_NOW
                    reactions.sweep(self.app, at=datetime.now(UTC))
        except Exception as error:
            if passing(error):
                raise
            logger.error("reaction_failed", error=type(error).__name__)

    def _sleep_s(self, until: datetime | None) -> float:
        """Give the seconds until the next row is due, at most a poll. Rows that are due but leased belong to another worker."""
        now = datetime.now(UTC)
        ends = [end for end in (self.app.reads.next_due(now), until) if end is not None]
        return min([self.poll_s, *(max((end - now).total_seconds(), 0) for end in ends)])

    def _pause(self, error: Exception, *, away: bool) -> None:
        """Log the first failure of a series, then sleep, each time longer."""
        if not self._pause_s:
            logger.warning("database_away" if away else "turn_failed", error=type(error).__name__)
        self._pause_s = min(self._pause_s * 2, PAUSE_LONGEST_S) or PAUSE_FIRST_S
        self._stopping.wait(self._pause_s)

    def _recovered(self) -> None:
        if self._pause_s:
            logger.info("going_on")
            self._pause_s = 0.0
