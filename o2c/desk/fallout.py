"""The desk for fallouts: a person acts on one in exactly one way, and what follows closes it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from o2c.desk.act import Deed, Rule, act
from o2c.desk.capture import follow_up_of
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Loaded
from o2c.fallout import rules
from o2c.fallout.rules import Correct, Decide, Fail, Force, Resolution, Retry
from o2c.kernel.decision import Decision
from o2c.kernel.frozen import changed
from o2c.kernel.refusal import Refused
from o2c.kernel.stream import category_of
from o2c.kernel.work import Work
from o2c.orders.rules import fail_item
from o2c.orders.step import DUPLICATE
from o2c.views.fallouts import row_of_fallout
from o2c.views.reading import caught_up, plain

__all__ = ["Correct", "Decide", "Fail", "Force", "Resolution", "Retry", "deed_of", "resolve"]


def resolve(app: Engine, context: Context, fallout: str, resolution: Resolution, *, note: str) -> Written:
    """Act on an open fallout; the event that follows closes it.

    Raises Refused: missing (no such fallout), conflict (closed already, or somebody else was faster), usage (a way that this step does not
    have).
    """
    caught_up(app)
    return act(app, context, "fallout.resolve", deed_of(app, fallout, resolution, note=note))


def deed_of(app: Engine, fallout: str, resolution: Resolution, *, note: str) -> Deed:
    """A resolution as a deed on the stream of its fallout. Where that is, the queue tells; whether it is open, the stream itself."""
    row = row_of_fallout(app, fallout)
    fallout = row["fallout"]
    stream, item, step = str(row["stream"]), str(row["item"]), app.book.steps[row["step"]]

    def work_on(state: Any) -> Work:
        work = app.work(stream, state, item, step.name)
        if not app.kind(stream).on_record(work, fallout):
            raise Refused(f"fallout {fallout} was closed at {plain(row['closed_at']) or 'this moment'}; nothing to do", kind="conflict")
        if not work.waiting_for:
            raise Refused(f"fallout {fallout}: step {step.name} is under way again; wait for what comes of it", kind="conflict")
        return changed(app.reading(work), fallout=fallout)

    def first(state: Any, at: datetime) -> Decision:
        return rules.resolve(resolution, step, work_on(state), app.kind(stream), app.book, note=note, at=at)

    def end(state: Any, at: datetime) -> Decision:
        return fail_item(state, item, reason=app.work(stream, state, item, step.name).reason, note=note, at=at, book=app.book)

    ends = isinstance(resolution, Fail) and item and category_of(stream) == "order"
    steps: tuple[Rule, ...] = (first, end) if ends else (first,)
    beside: dict[str, Loaded] = {}
    if step.name == DUPLICATE.name and resolution == Decide(approve=True):
        follow, beside = follow_up_of(app, stream, fallout)
        steps = (first, follow)
    wish = [fallout, type(resolution).__name__, asdict(resolution), note]
    return Deed(stream, steps, wish, cause=_cause(app, row), beside=beside)


def _cause(app: Engine, row: dict[str, Any]) -> str | None:
    """The event that opened the fallout."""
    [fact] = app.recorder.select_notifications(int(row["cause_event"]), 1)
    cause: str | None = getattr(fact, "event_id", None)
    return cause
