"""The desk: what a person or a backend service decides, carried through with all that follows and written as one command."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from o2c.desk.act import act
from o2c.engine.app import Context, Engine, Written
from o2c.fallout import rules
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.kernel.step import Step
from o2c.kernel.stream import Work, category_of
from o2c.orders.rules import fail_item
from o2c.plan import PlanBook
from o2c.views.fallouts import show_fallout
from o2c.views.reading import caught_up

"""From the stream's state and the time to what happens; several rules are carried one after another, each on what the last one left."""


def resolve(
    app: Engine,
    book: PlanBook,
    fallout_id: str,
    context: Context,
    *,
    note: str,
    changes: dict[str, str] | None = None,
    decide: str | None = None,
    fail: bool = False,
    force: bool = False,
    retry: bool = False,
) -> Written:
    """Act on an open fallout in exactly one way; what follows closes it.

    Raises Refused: missing (no such fallout), conflict (closed already, or somebody else was faster), usage (not one way, or a way that
    this step does not have).
    """
    ways = [changes is not None, decide is not None, fail, force, retry]
    if sum(ways) != 1:
        raise Refused("say one way to resolve: --correct, --retry, --decide, --fail or --force")
    caught_up(app)
    row = show_fallout(app, fallout_id)
    stream, item, step = str(row["stream"]), str(row["item"]), book.steps[row["step"]]
    wish = [fallout_id, changes, decide, fail, force, retry, note]

    def work_on(state: Any) -> Work:
        if row["state"] != "open":
            raise Refused(f"fallout {fallout_id} was closed at {row['closed_at']}; nothing to do", kind="conflict")
        work = replace(app.kind(stream).work(state, stream, item, step.name), market=book.market, fallout=fallout_id)
        if not work.waiting_for:
            raise Refused(f"fallout {fallout_id}: step {step.name} is under way again; wait for what comes of it", kind="conflict")
        return work

    def first(state: Any, at: datetime) -> Decision:
        return _first(app, step, work_on(state), changes, decide, fail, force, note, at)

    def end(state: Any, at: datetime) -> Decision:
        return fail_item(state, item, reason=row["reason"], note=note, at=at, book=book)

    rules_ = (first, end) if fail and item and category_of(stream) == "order" else (first,)
    return act(app, book, stream, context, *rules_, wish=wish, cause=_cause(app, row))


def _first(
    app: Engine,
    step: Step,
    work: Work,
    changes: dict[str, str] | None,
    decide: str | None,
    fail: bool,
    force: bool,
    note: str,
    at: datetime,
) -> Decision:
    if decide is not None:
        if decide not in ("approve", "decline"):
            raise Refused(f"cannot decide {decide}; say approve or decline")
        return rules.decide(step, work, approve=decide == "approve", note=note, at=at)
    if force:
        return rules.force(step, work, note=note)
    if fail:
        return rules.give_up(step, work, note=note) if work.item else rules.decide(step, work, approve=False, note=note, at=at)
    return rules.correct(step, work, app.kind(work.stream), changes=changes or {}, note=note, at=at)


def _cause(app: Engine, row: dict[str, Any]) -> str | None:
    """The event that opened the fallout."""
    [fact] = app.recorder.select_notifications(int(row["cause_event"]), 1)
    cause: str | None = getattr(fact, "event_id", None)
    return cause
