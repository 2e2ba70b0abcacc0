"""The open fallouts as the simulated back office sees them: kept up with the log, so that a look costs what has changed and not what is
open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from o2c.desk.fallout import stage_of
from o2c.engine.app import Engine
from o2c.fallout.record import stream_of
from o2c.kernel.reasons import UNCLASSIFIED, Codes
from o2c.simulation.office_case import Case
from o2c.simulation.office_table import Table
from projections import fallout as queue
from projections.ranking import rank

PREFIX = stream_of("")
STREAMS_MAX = 5_000
"""Where so many streams have changed, all cases are read again."""
CHANGED = "SELECT DISTINCT stream FROM o2c.event WHERE position > %s AND position <= %s LIMIT %s"
"""The streams that were written between two positions. Parameters: the two, and how many there may be at most."""


class Backlog:
    """The open cases by rank. `catch_up` brings the queue up to date.

    What it keeps from one look to the next is what the log says up to a position, so that one that begins anew sees the same.
    """

    def __init__(self, app: Engine, table: Table, crew: int, catch_up: Callable[[], None]) -> None:
        self.app, self.table, self.crew = app, table, crew
        self._catch_up, self._seed = catch_up, app.clock().seed
        self._cases: dict[str, Case] = {}
        self._of_stream: dict[str, set[str]] = {}
        self._position = -1
        self._codes: Codes | None = None

    def cases(self, at: datetime) -> list[Case]:
        """Every open case as it stands, by rank, then age."""
        self.app.settled()
        position = self.app.log_recorder.max_notification_id() or 0
        self._catch_up()
        codes = self.app.codes().at(at)
        changed = self._changed(position) if codes is self._codes else None
        self._take(codes, changed)
        self._position, self._codes = position, codes
        return self._by_rank(at.date())

    def case_of(self, row: Mapping[str, Any], state: Any, codes: Codes) -> Case:
        """A row of `projections.fallout.WORKLIST` as a case, by the state of its stream."""
        work = self.app.work(row["stream"], state, row["item"], row["step"])
        reason = codes.reasons.get(row["reason"]) or codes.reasons[UNCLASSIFIED]
        waits = stage_of(self.app, row, state) == "waiting"
        return Case(row, work, self.app.book.steps[row["step"]], reason, self.table, self._seed, self.crew, waits)

    def _changed(self, position: int) -> set[str] | None:
        """The streams that were written since the last look; None for too many."""
        rows = self.app.reads.rows(CHANGED, self._position, position, STREAMS_MAX)
        return {row["stream"] for row in rows} if len(rows) < STREAMS_MAX else None

    def _take(self, codes: Codes, changed: set[str] | None) -> None:
        """Read again the cases of the streams that changed, or (None) all; those that are open no longer go."""
        if changed is None:
            self._cases, self._of_stream = {}, {}
        records = {stream.removeprefix(PREFIX) for stream in changed or () if stream.startswith(PREFIX)}
        for fallout in records.union(*(self._of_stream.pop(stream, ()) for stream in changed or ())):
            self._cases.pop(fallout, None)
        chosen = {"all": changed is None, "streams": sorted(changed or ()), "fallouts": sorted(records)}
        rows = self.app.reads.rows(queue.WORKLIST, **chosen)
        loaded = self.app.load({row["stream"] for row in rows})
        for row in rows:
            self._cases[row["fallout"]] = self.case_of(row, loaded[row["stream"]].state, codes)
            self._of_stream.setdefault(row["stream"], set()).add(row["fallout"])

    def _by_rank(self, today: date) -> list[Case]:
        tiers = self._codes.tiers if self._codes else {}
        return sorted(self._cases.values(), key=lambda case: (_rank(case.row, tiers, today), case.row["opened_at"], case.fallout))


def _rank(row: Mapping[str, Any], tiers: Mapping[str, int], today: date) -> int:
    return rank(row["priority"], row["tier"], row["category"], row["promised_on"], tiers=tiers, today=today)
