"""Looking at a store again and again, as whoever tells customers or watches for triggers does, until told to end."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime

import structlog

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.store.passing import passing

logger = structlog.get_logger(__name__)
POLL_S = 1.0
PAUSE_LONGEST_S = 30.0


def is_waited_for(error: Exception) -> bool:
    """Whether what went wrong goes by itself: a database that is away, or what is not to be had now."""
    return passing(error) or (isinstance(error, Refused) and error.kind == "unavailable")


class Looker(ABC):
    """Looks every `poll_s` until `stop` is called; `begun` is called as `run` begins. A database that goes away is waited for, longer each
    time; `waits` is the word for that in the log of the program."""

    waits: str

    def __init__(self, app: Engine, poll_s: float, begun: Callable[[], None]) -> None:
        self.app, self._poll_s, self._begun = app, poll_s, begun
        self._stopping = threading.Event()

    @abstractmethod
    def look(self) -> object:
        """Do what there is to do by now."""

    def stop(self) -> None:
        """End after what is in hand. Another thread calls this."""
        self._stopping.set()

    def run(self, until: datetime | None = None) -> None:
        """Look until `stop` is called, or until a time."""
        pause_s = 0.0
        self._begun()
        while not self._stopping.is_set() and (until is None or self.app.clock().now < until):
            try:
                self.look()
                pause_s = 0.0
            except Exception as error:
                if not is_waited_for(error):
                    raise
                pause_s = min(pause_s * 2, PAUSE_LONGEST_S) or self._poll_s
                logger.warning(self.waits, error=type(error).__name__)
            self._stopping.wait(pause_s or self._poll_s)
