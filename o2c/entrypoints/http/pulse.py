"""How far the log is, for all who read on as it grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from o2c.running.session import Session
from o2c.views.following import START, Mark, last_event

LOOK_S = 0.25


class Pulse:
    """The last event of the log, looked up once for all readers of a process: a thousand idle streams ask the database no more than one."""

    def __init__(self, *, look_s: float = LOOK_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._look_s, self._clock = look_s, clock
        self._lock = threading.Lock()
        self._last, self._at = START, float("-inf")

    def last(self, session: Session) -> Mark:
        """The last event, at most a look old."""
        with self._lock:
            if self._clock() - self._at >= self._look_s:
                self._last, self._at = last_event(session.app), self._clock()
            return self._last
