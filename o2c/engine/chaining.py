"""The commands of one append, one after another: one that shares a stream with some before it is decided on what they leave, though nothing
is stored yet.

Else one append would have room for one of them: five hundred orders of one customer, each of which tells his account of something, were
five hundred.
"""

from __future__ import annotations

from collections.abc import Iterable

from o2c.engine.app import Engine
from o2c.engine.drafts import Command, Loaded
from o2c.engine.numbering import series_of
from o2c.kernel.decision import Decision, Guard


class Chain:
    """The commands that are to be written together, and what they leave of the streams that somebody after them asked for.

    Two things are not for those who come after: a stream in which a number of a series waits to be given, and a guard that is taken, freed
    or claimed.
    """

    def __init__(self, app: Engine) -> None:
        self._app = app
        self._writers: dict[str, Command] = {}
        self._left: dict[str, Loaded] = {}
        self._closed: set[str] = set()
        self._guards: set[tuple[str, str]] = set()

    def add(self, command: Command, guards: Decision) -> None:
        """Write this one too, after the others."""
        streams = _streams(command)
        self._writers |= dict.fromkeys(streams, command)
        self._guards |= {(guard.kind, guard.key) for guard in _changed(guards)}
        if series_of([command]):
            self._closed |= streams
        elif command.follows:
            self._app.drafts([command], self._left)

    def writes(self, stream: str) -> bool:
        """Whether one of them writes to a stream."""
        return stream in self._writers

    def shared(self, command: Command) -> set[str]:
        """The streams that it writes to and one before it writes to."""
        return self._writers.keys() & _streams(command)

    def left(self, streams: Iterable[str]) -> dict[str, Loaded]:
        """What the commands leave of some streams, as far as they write to them, and of all that was asked for before."""
        for stream in streams:
            if stream in self._writers and stream not in self._left and stream not in self._closed:
                self._app.drafts([self._writers[stream]], self._left)
        return self._left

    def holds(self, guards: Iterable[Guard]) -> bool:
        """Whether the commands change one of some guards."""
        return not self._guards.isdisjoint((guard.kind, guard.key) for guard in guards)

    def takes(self, command: Command, guards: Decision) -> bool:
        """Whether it can be written after the others: what they leave of its streams was asked for, and it shares no guard and no series
        with them."""
        return self.shared(command) <= self._left.keys() and not self.holds(_changed(guards)) and not series_of([command])


def _streams(command: Command) -> set[str]:
    return {command.stream, *(happened.stream for happened in command.happened)}


def _changed(guards: Decision) -> tuple[Guard, ...]:
    return (*guards.takes, *guards.claims, *guards.frees)
