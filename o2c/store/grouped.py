"""Group commit of one process: the appends that its threads ask for while one is under way are written together in the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from o2c.store.commands import Append, Outcome

Write = Callable[[Sequence[Append], int], list[Outcome]]
MOST_EVENTS = 4_096
"""The most events in a group: every thread of a group waits for all of it."""
PATIENCE_S = 0.1
"""How long a thread waits for the append of others before it writes for itself: that append may be stuck behind a lock held elsewhere."""


class _Waiting:
    """The append of one thread, which sleeps until it is written, could not be written, or `leads` the next group."""

    def __init__(self, commands: Sequence[Append], round_: int) -> None:
        self.commands = commands
        self.round = round_
        self.events = sum(len(command.facts) for command in commands)
        self.names = {name for command in commands for name in (command.command_id, *(head.stream for head in command.heads))}
        self.leads = False
        self.outcomes: list[Outcome] | None = None
        self.woken = Lock()
        self.woken.acquire()


class Grouped:
    """Writes through `write(commands, round)`, for many threads at once.

    The first thread writes at once. Threads that come meanwhile wait, and one of them writes for all: one transaction, one round trip, one
    flush of the server's log. A thread that touches a stream or a command id of another one in the group waits for a later group. When a
    group could not be written, each of its threads writes for itself, so that none pays for another's fault; a command that was written all
    the same is recognised by its id.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._lock = Lock()
        self._busy = False
        self._queue: list[_Waiting] = []

    def append(self, commands: Sequence[Append], round_: int) -> list[Outcome]:
        """The outcome of each command, in order. Raises what `write` raises for these commands alone."""
        mine = _Waiting(commands, round_)
        if self._must_wait(mine):
            self._wait(mine)
        if mine.leads:
            self._lead(mine)
        return self._write(commands, round_) if mine.outcomes is None else mine.outcomes

    def _must_wait(self, mine: _Waiting) -> bool:
        with self._lock:
            mine.leads, self._busy = not self._busy, True
            if not mine.leads:
                self._queue.append(mine)
            return not mine.leads

    def _wait(self, mine: _Waiting) -> None:
        try:
            if not mine.woken.acquire(timeout=PATIENCE_S) and not self._left(mine):
                mine.woken.acquire()
        except BaseException:  # an interrupt: the other threads must not wait for this one
            self._left(mine)
            raise

    def _left(self, mine: _Waiting) -> bool:
        """Take an append out of the group, so that its thread writes it alone; False when another thread is writing it already."""
        with self._lock:
            if mine in self._queue:
                self._queue.remove(mine)
                return True
            if mine.leads:
                self._hand_over()
                mine.leads = False
                return True
            return False

    def _lead(self, mine: _Waiting) -> None:
        others = self._joining(mine)
        try:
            written = iter(self._write([command for one in (mine, *others) for command in one.commands], mine.round))
            for one in (mine, *others):
                one.outcomes = [next(written) for _ in one.commands]
        except Exception:
            if not others:
                raise
        finally:
            with self._lock:
                self._hand_over()
            for one in others:
                one.woken.release()

    def _joining(self, mine: _Waiting) -> list[_Waiting]:
        with self._lock:
            joining: list[_Waiting] = []
            staying: list[_Waiting] = []
            names, events = set(mine.names), mine.events
            for one in self._queue:
                events += one.events
                joins = one.round == mine.round and events <= MOST_EVENTS and names.isdisjoint(one.names)
                (joining if joins else staying).append(one)
                names |= one.names
            self._queue = staying
            return joining

    def _hand_over(self) -> None:
        if self._queue:
            first = self._queue.pop(0)
            first.leads = True
            first.woken.release()
        else:
            self._busy = False
