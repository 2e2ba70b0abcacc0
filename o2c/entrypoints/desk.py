"""The fallout desk: a person's action on a fallout, carried through and written as one command."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from eventsourcing.persistence import IntegrityError

from o2c.app import Command, Loaded, OrderToCash, guards_of
from o2c.entrypoints import queries
from o2c.fallout import rules
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.kernel.step import Step
from o2c.kernel.stream import Work, category_of
from o2c.orders.rules import fail_item
from o2c.plan import PlanBook
from o2c.runner import Carried


def resolve(
    app: OrderToCash,
    book: PlanBook,
    fallout_id: str,
    *,
    actor: str,
    note: str,
    changes: dict[str, str] | None = None,
    decide: str | None = None,
    fail: bool = False,
    force: bool = False,
    retry: bool = False,
) -> str:
    """Act on an open fallout in exactly one way; what follows closes it. Returns the stream acted on.

    Raises Refused: missing (no such fallout), conflict (closed already, or somebody else was faster), usage (not one way, or a way that
    this step does not have).
    """
    ways = [changes is not None, decide is not None, fail, force, retry]
    if sum(ways) != 1:
        raise Refused("say one way to resolve: --correct, --retry, --decide, --fail or --force")
    queries.caught_up(app)
    row = queries.fallout(app, fallout_id)
    if row["state"] != "open":
        raise Refused(f"fallout {fallout_id} was closed at {row['closed_at']}; nothing to do", kind="conflict")
    stream, item, step = str(row["stream"]), str(row["item"]), book.steps[row["step"]]
    loaded = app.load([stream])[stream]
    work = replace(app.kind(stream).work(loaded.state, stream, item, step.name), market=book.market, fallout=fallout_id)
    if not work.waiting_for:
        raise Refused(f"fallout {fallout_id}: step {step.name} is under way again; wait for what comes of it", kind="conflict")
    at = app.clock().now
    carried = Carried(app.kind(stream), stream, loaded.state)
    first, cause = _first(app, step, work, changes, decide, fail, force, note, at), _cause(app, row)
    carried.carry(first, at, book, cause)
    if fail and category_of(stream) == "order" and item:
        carried.carry(fail_item(carried.state, item, reason=row["reason"], note=note, at=at, book=book), at, book, cause)
    carried.close()
    arguments = json.dumps([fallout_id, changes, decide, fail, force, retry, actor, note], sort_keys=True)
    _write(app, stream, loaded, carried, actor, derived_id("person", arguments, str(loaded.version)))
    return stream


def _first(
    app: OrderToCash,
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


def _cause(app: OrderToCash, row: dict[str, Any]) -> str | None:
    """The event that opened the fallout."""
    [fact] = app.recorder.select_notifications(int(row["cause_event"]), 1)
    cause: str | None = getattr(fact, "event_id", None)
    return cause


def _write(app: OrderToCash, stream: str, loaded: Loaded, carried: Carried, actor: str, command_id: str) -> None:
    holders = app.reads.holders(list(carried.guards.claims))
    guards = guards_of(carried.guards, holders)
    try:
        app.do(Command(command_id, stream, tuple(carried.happened), {stream: loaded}, actor, "desk", guards, fingerprint=command_id))
    except IntegrityError:
        raise Refused(f"{stream} was changed by somebody else meanwhile; look at it again and decide anew", kind="conflict") from None
