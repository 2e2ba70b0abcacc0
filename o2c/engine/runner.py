"""Driving simulated time: from one window of due rows to the next, in passes that a new run continues after a kill."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from o2c.engine import reactions
from o2c.engine.app import Engine
from o2c.engine.asking import Asking
from o2c.engine.attending import Attending
from o2c.kernel.partner import Link, Partner
from o2c.kernel.refusal import Refused
from o2c.store.clock import move_clock
from o2c.store.database import single_driver
from o2c.store.reads import Clock, DueRow

OnTime = Callable[[datetime], None]
"""Called with the simulated time at which a window begins."""


class Between(Protocol):
    """Whoever acts between windows of simulated time, as people do while partners and timers go on.

    A run that was killed goes on as it would have if what is done follows from the log and the time alone, and if it makes no difference to
    be asked at a time when there is nothing to do. Times are ends of windows, so that no window is cut.
    """

    def next_at(self, after: datetime) -> datetime | None:
        """When, not before a time, there may be something to do; None for not before something new happens."""

    def told(self, types: frozenset[str]) -> None:
        """Types of the events that a pass wrote, by stored name."""

    def act(self, at: datetime) -> bool:
        """Do what is to be done at a time, by the clock of the store; whether anything was done that others may react to."""


class Runner:
    """Carries out due rows. It drives simulated time itself; in real time a `Worker` calls it.

    `partners` are the partners or the links to them, by name. `progress` is called with the simulated time at every new window.
    """

    def __init__(self, app: Engine, partners: Mapping[str, Partner | Link], *, progress: OnTime | None = None) -> None:
        self.app = app
        self.progress = progress or (lambda at: None)
        clock = app.clock()
        self.simulated = clock.kind == "simulated"
        self._asking = Asking(partners)
        self._attending = Attending(app, self._asking, seed=clock.seed, simulated=self.simulated)
        self._unsure = True
        self._between: Between | None = None

    def attend(self, rows: Sequence[DueRow], *, round_: int) -> frozenset[str]:
        """Carry out due rows, write the events that follow, and give their types by stored name."""
        return self._attending.attend(rows, round_=round_)

    def close(self) -> None:
        """Give up the connections to partners."""
        self._asking.close()

    # -- driving time

    def run(self, until: datetime, between: Between | None = None) -> None:
        """Drive simulated time up to a time, and let `between` act between its windows.

        Raises Refused when the clock is real (workers attend to that), and Refused (try later) when another process drives it.
        """
        if not self.simulated:
            raise Refused("the clock of this store is real and nobody drives it; start a worker with `o2c run`")
        self._between = between
        with single_driver(self.app.dsn, "o2c simulated time"), fewer_collections():
            self._unsure = True
            self._attending.partners.look_again()
            clock = self._gone_on_with(self.app.clock(), until)
            clock = self._driven(clock, until)
            while between and clock.now < until:
                if between.act(clock.now):
                    # As after a kill: what was done may have brought stock back that others wait for.
                    self._unsure = True
                    self._react(frozenset(), clock.round)
                clock = self._driven(clock, until)

    def _driven(self, clock: Clock, until: datetime) -> Clock:
        """Drive time up to a time, or to the next one before it at which somebody acts between windows."""
        while window := self.app.reads.next_window(clock, stop := self._stop(clock, until)):
            clock = self._pass(clock, *window)
        clock = replace(clock, now=max(stop, clock.now, clock.window_end or stop), window_end=None)
        move_clock(self.app.log_recorder.datastore, now=clock.now, window_end=None, round_=clock.round)
        return clock

    def _stop(self, clock: Clock, until: datetime) -> datetime:
        next_at = self._between.next_at(clock.window_end or clock.now) if self._between else None
        return min(next_at, until) if next_at else until

    def _gone_on_with(self, clock: Clock, until: datetime) -> Clock:
        """Finish the pass in which a run was killed. Its reactions come even when no row is left: an order may wait to be woken."""
        if clock.window_end is None:
            self._react(frozenset(), clock.round)
            return clock
        window_end, rows = self.app.reads.next_window(clock, until) or (None, [])
        return self._pass(clock, clock.window_end, rows if window_end == clock.window_end else [])

    def _pass(self, clock: Clock, window_end: datetime, rows: Sequence[DueRow]) -> Clock:
        """Carry out the rows that are due in a window; rows that follow from them are left to the next pass.

        The first append of a pass notes its round, so that a run after a kill continues with that pass.
        """
        if clock.window_end != window_end:
            clock = replace(clock, now=max(clock.now, clock.window_end or clock.now), window_end=window_end)
            move_clock(self.app.log_recorder.datastore, now=clock.now, window_end=window_end, round_=clock.round)
            self.progress(clock.now)
        types = self.attend(rows, round_=clock.round + 1)
        self._react(types, clock.round + 1)
        if self._between:
            self._between.told(types)
        return replace(clock, round=clock.round + 1)

    def _react(self, types: frozenset[str], round_: int) -> None:
        """Carry out the reactions, between passes only; the first time always, for what other processes or a killed run left."""
        if self._unsure or types & reactions.TYPES:
            # An event that readers cannot see yet would wake nobody, and simulated time does not wait for it.
            self.app.settled()
            reactions.react(self.app, round_=round_, reactions=reactions.REACTIONS if self._unsure else reactions.OF_NOW)
            self._unsure = False


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Let the garbage collector run less often.

    Attending makes many short-lived values and no reference cycles: a collection every 700 objects took a quarter of a run.
    """
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
