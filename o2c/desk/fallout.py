"""The desk for fallouts: what a person does with one, and the ways to resolve it; what follows closes it, never the click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from o2c.desk.act import Deed, Rule, act, permitted
from o2c.desk.capture import follow_up_of
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Loaded
from o2c.fallout import rules
from o2c.fallout.actions import ACTIONS, Stage, check
from o2c.fallout.events import ForceProposed
from o2c.fallout.handling import (
    Assign,
    ChangeOrigin,
    Claim,
    Escalate,
    Handling,
    LinkTicket,
    Note,
    Release,
    Reopen,
    RequestInformation,
    Resume,
    Settle,
    Snooze,
    Standing,
    Wait,
    handle,
)
from o2c.fallout.record import KIND as FALLOUT
from o2c.fallout.record import FalloutRecord, stream_of
from o2c.fallout.rules import Correct, Decide, Fail, FailOrder, Force, Park, Replace, Resolution, Retry, Skip
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.frozen import changed
from o2c.kernel.refusal import Refused
from o2c.kernel.step import Step
from o2c.kernel.stream import category_of
from o2c.kernel.work import Work
from o2c.orders.ending import open_item
from o2c.orders.rules import fail_item
from o2c.orders.step import DUPLICATE
from o2c.partners.state import stream_of as partner_stream
from o2c.views.fallouts import row_of_fallout
from o2c.views.reading import caught_up

__all__ = [
    "ACTIONS", "RESOLVE", "Assign", "ChangeOrigin", "Claim", "Correct", "Decide", "Escalate", "Fail", "FailOrder", "Force", "Handling", "LinkTicket", "Note",
    "Park", "Release", "Reopen", "Replace", "RequestInformation", "Resolution", "Resume", "Retry", "Settle", "Skip", "Snooze", "Wait", "Way", "deed_of",
    "deed_of_work", "deed_on", "permit", "resolve", "stage_of", "work",
]  # fmt: skip

RESOLVE, AGREE, ASSIGN = "fallout.resolve", "fallout.resolve/agree", "fallout.work/assign"
"""What another verb asks for that resolves a fallout on its way; and what takes more than the whole verb does: to agree to another's
proposal to force, and to give a fallout to somebody else."""
Way = Resolution | Handling
"""What can be done about a fallout: a way to resolve it, or to handle it before that."""


def resolve(app: Engine, context: Context, fallout: str, resolution: Resolution, *, note: str) -> Written:
    """Resolve an open fallout; the event that follows closes it. To force takes two people: the first call proposes it, another's does it.

    Raises Refused: missing (no such fallout), conflict (a pair of action and state that the table of actions does not list, a way that this
    step does not have, somebody else was faster), usage (a value that there is not), forbidden (to agree to a proposal takes more than to
    make it).
    """
    caught_up(app)
    deed = deed_of(app, fallout, resolution, note=note, by=context.actor)
    permit(context, resolution, deed)
    return act(app, context, "fallout.resolve", deed)


def work(app: Engine, context: Context, fallout: str, handling: Handling, *, note: str = "") -> Written:
    """Handle a fallout without resolving it: claim, assign, release, snooze, wait, ask, resume, escalate, note, link a ticket, say whose
    fault.

    Raises Refused: missing (no such fallout), conflict (what cannot be as it stands; see the table of actions), usage (see
    `fallout.handling`), forbidden (to give it to somebody else takes more than to handle it).
    """
    caught_up(app)
    permit(context, handling)
    return act(app, context, "fallout.work", deed_of(app, fallout, handling, note=note, by=context.actor))


def permit(context: Context, way: Way, deed: Deed | None = None) -> None:
    """Raise Refused (forbidden) for what takes more than the whole verb does: to give a fallout to somebody else, and to agree to a
    proposal."""
    if isinstance(way, Assign) and way.to not in ("", context.actor):
        permitted(context, ASSIGN)
    if isinstance(way, Force) and deed and category_of(deed.stream) != FALLOUT.category:  # no proposal any more
        permitted(context, AGREE)


def deed_of(app: Engine, fallout: str, way: Way, *, note: str, by: str) -> Deed:
    """What is done about a fallout as a deed. Where the fallout is, the queue tells; how it stands, the stream itself."""
    return deed_on(app, row_of_fallout(app, fallout), way, note=note, by=by)


def deed_on(app: Engine, row: Mapping[str, Any], way: Way, *, note: str, by: str) -> Deed:
    """The same for the row of a fallout."""
    return deed_of_work(app, row, (way,), note=note, by=by) if isinstance(way, Handling) else _resolving(app, row, way, note=note, by=by)


def deed_of_work(app: Engine, row: Mapping[str, Any], handlings: Sequence[Handling], *, note: str, by: str) -> Deed:
    """What a person does with a fallout without resolving it, one thing after another, as a deed on its record."""
    fallout, stream = row["fallout"], str(row["stream"])
    beside = app.load([stream])
    standing = Standing(fallout, stream, row["origin"], app.codes().queues)

    def rule(handling: Handling, record: FalloutRecord, at: datetime) -> Decision:
        stage = stage_of(app, row, beside[stream].state)
        check(handling.action, "reopened" if stage == "closed" and record.reopened else stage, fallout)
        return handle(handling, record, standing, by=by, note=note, at=at)

    wish = [fallout, *(part for handling in handlings for part in (handling.action, _plain(handling))), note]
    return Deed(stream_of(fallout), tuple(partial(rule, handling) for handling in handlings), wish, beside=beside)


def _resolving(app: Engine, row: Mapping[str, Any], resolution: Resolution, *, note: str, by: str) -> Deed:
    """A resolution as a deed on the stream of its fallout, or the proposal of one that takes two people."""
    if isinstance(resolution, Force) and not _agreed(app, row, by):
        return _proposal(app, row, note=note, by=by)
    fallout, stream, step = row["fallout"], str(row["stream"]), app.book.steps[row["step"]]
    beside, follows = app.load(_looked_at(fallout, step, resolution)), _ends(app, row, resolution, note)

    def first(state: Any, at: datetime) -> Decision:
        if isinstance(resolution, Park):
            _refuse_up(fallout, step, beside)
        return rules.resolve(resolution, step, _work_on(app, row, state, resolution), app.kind(stream), app.book, note=note, at=at)

    if step.name == DUPLICATE.name and resolution == Decide(approve=True):
        follow, beside = follow_up_of(app, stream, fallout)
        follows = (follow,)
    wish = [fallout, type(resolution).__name__, asdict(resolution), note]
    return Deed(stream, (first, *follows), wish, cause=row["opened_event"], beside=beside)


def _looked_at(fallout: str, step: Step, resolution: Resolution) -> list[str]:
    """The streams that a resolution is decided by beside the one of its fallout."""
    if isinstance(resolution, Force):
        return [stream_of(fallout)]
    return [partner_stream(step.partner)] if isinstance(resolution, Park) and step.partner else []


def _ends(app: Engine, row: Mapping[str, Any], resolution: Resolution, note: str) -> tuple[Rule, ...]:
    """What ends with a fallout that is resolved so: its item, or every open item of its order; nothing of what is no item of an order."""
    stream, item, step = str(row["stream"]), str(row["item"]), row["step"]
    if not item or category_of(stream) != "order":
        return ()

    def end(state: Any, at: datetime, *, name: str = item) -> Decision:
        reason = app.work(stream, state, item, step).reason
        return fail_item(state, name, reason=reason, note=note, at=at, book=app.book)

    def end_next(state: Any, at: datetime) -> Decision:
        return next((end(state, at, name=name) for name in state.items if open_item(state, name)), NOTHING)

    if isinstance(resolution, FailOrder):
        return (end_next,) * len(app.load_one(stream).state.items)
    return (end,) if isinstance(resolution, Fail) else ()


def stage_of(app: Engine, row: Mapping[str, Any], state: Any) -> Stage:
    """How a fallout stands by the state of its own stream. `row` names its `fallout`, `stream`, `item` and `step`."""
    found = app.work(str(row["stream"]), state, str(row["item"]), row["step"])
    if not app.kind(str(row["stream"])).on_record(found, row["fallout"]):
        return "closed"
    return "waiting" if found.waiting_for else "under-way"


def _work_on(app: Engine, row: Mapping[str, Any], state: Any, resolution: Resolution) -> Work:
    """The work of the step that fell out, if the resolution may be taken. Raises Refused (conflict)."""
    check(resolution.action, stage_of(app, row, state), row["fallout"])
    found = app.work(str(row["stream"]), state, str(row["item"]), row["step"])
    return changed(app.reading(found), fallout=row["fallout"])


def _refuse_up(fallout: str, step: Step, looked_at: Mapping[str, Loaded]) -> None:
    """Raise Refused (conflict) unless the partner of a step is down, so that what is asked of it is parked; and for a step that asks
    none."""
    if not step.partner:
        raise Refused(
            f"fallout {fallout}: step {step.name} asks no partner, so nothing of it can be parked; retry it, or snooze", kind="conflict"
        )
    if not looked_at[partner_stream(step.partner)].state.down:
        hint = f"retry it, or say that it is down: `o2c partners down {step.partner}`"
        raise Refused(f"fallout {fallout}: partner {step.partner} is not known to be down; {hint}", kind="conflict")


def _agreed(app: Engine, row: Mapping[str, Any], by: str) -> bool:
    """Whether somebody else proposed to force this very attempt."""
    record: FalloutRecord = app.load_one(stream_of(row["fallout"])).state
    state = app.load_one(str(row["stream"])).state
    attempt = app.work(str(row["stream"]), state, str(row["item"]), row["step"]).attempt
    return record.proposed_by not in ("", by) and record.proposed_attempt == attempt


def _proposal(app: Engine, row: Mapping[str, Any], *, note: str, by: str) -> Deed:
    """The proposal to force a step, as a deed on the record of its fallout."""
    fallout, stream = row["fallout"], str(row["stream"])
    beside: dict[str, Loaded] = app.load([stream])
    step: Step = app.book.steps[row["step"]]

    def propose(record: FalloutRecord, at: datetime) -> Decision:
        found = _work_on(app, row, beside[stream].state, Force())
        if record.proposed_by == by and record.proposed_attempt == found.attempt:
            raise Refused(f"fallout {fallout}: {by} proposed to force it; somebody else has to agree", kind="conflict")
        rules.force(step, found, note=note)
        return just(ForceProposed(fallout=fallout, fell_out_in=stream, attempt=found.attempt, by=by, note=note))

    return Deed(stream_of(fallout), (propose,), [fallout, "propose-force", note], beside=beside)


def _plain(handling: Handling) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(handling).items()}
