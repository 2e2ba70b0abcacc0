"""The decisions of a person about a fallout. It closes by the event that follows, never by the click."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import PartnerSilent, StepForced, StepSkipped
from o2c.kernel.step import Step
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Work
from o2c.orders.events import CorrectionApplied, FalloutDecided
from o2c.orders.renewal import renew, replace


@dataclass(frozen=True, slots=True)
class Correct:
    """Correct values that stopped the step, and try again. The keys are the order's own: `portInCode`, `party`, `line.1.offering`."""

    changes: Mapping[str, str]
    action = "correct"


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again as it is."""

    action = "retry"


@dataclass(frozen=True, slots=True)
class Park:
    """Try again once the partner is up: the call is parked until then, as all calls of a partner that is down are."""

    action = "park"


@dataclass(frozen=True, slots=True)
class Decide:
    """Decide what was referred to a person."""

    approve: bool
    action = "decide"


@dataclass(frozen=True, slots=True)
class Force:
    """Count the step as done by other means: one proposes it, and it is done when another agrees."""

    action = "force"


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave the step out: nothing is done, and what waits for it goes on."""

    action = "skip"


@dataclass(frozen=True, slots=True)
class Replace:
    """Give up the SIM or device that the step works with, and take another; then the step is done anew."""

    action = "replace"


@dataclass(frozen=True, slots=True)
class Fail:
    """End the item, and cancel the items that rely on it. For a whole order, invoice or account: decline the referral."""

    action = "fail-item"


@dataclass(frozen=True, slots=True)
class FailOrder:
    """End every open item of the order."""

    action = "fail-order"


Resolution = Correct | Retry | Park | Decide | Force | Skip | Replace | Fail | FailOrder
"""The ways in which a person can resolve a fallout, each the `action` of that name."""
PIECES = ("sim", "device")
"""The steps whose piece of stock can be replaced."""


def resolve(resolution: Resolution, step: Step, work: Work, kind: StreamKind, book: Any, *, note: str, at: datetime) -> Decision:
    """Decide as a person resolved a fallout of the step. The item's own end follows a `Fail` (`orders.rules.fail_item`).

    Raises Refused for a resolution that this step does not have. Source: order life cycle, section 5 (fallout loop: an action has an author
    and a reason, and a success event closes it).
    """
    match resolution:
        case Correct(changes):
            return correct(step, work, kind, book, changes=changes, note=note, at=at)
        case Retry() | Park():
            return correct(step, work, kind, book, changes={}, note=note, at=at)
        case Decide(approve):
            return decide(step, work, approve=approve, note=note, at=at)
        case Force():
            return force(step, work, note=note)
        case Skip():
            return skip(step, work, note=note)
        case Replace():
            return replaced(step, work, book, note=note, at=at)
        case Fail() | FailOrder() if work.item:
            return give_up(step, work, note=note)
        case FailOrder():
            raise Refused(f"{work.stream}: a gate is decided or its order cancelled; items fail once they are planned", kind="conflict")
        case Fail():
            return decide(step, work, approve=False, note=note, at=at)


def correct(step: Step, work: Work, kind: StreamKind, book: Any, *, changes: Mapping[str, str], note: str, at: datetime) -> Decision:
    """Correct values that stopped the step (none: a plain retry) and ask for it again at once.

    Guards of the wrong values are freed, those of the right ones claimed. Where the last attempt may have reached the partner, the partner
    is queried before anything is sent again; where the fallout lost the result of an earlier step, that is done anew first. Raises Refused
    when the stream has no such value, or the step is one that nobody asks for.
    """
    if step.requested is None:
        raise Refused(
            f"{work.stream}: step {step.name} has nothing to correct; see `o2c fallout show` for what it waits for", kind="conflict"
        )
    corrected = CorrectionApplied(
        item=work.item,
        step=step.name,
        fallout=work.fallout,
        changes=dict(changes),
        note=note,
        given_at=at,
        corrected=tuple(sorted(changes)),
    )
    if not kind.correctable(work.state, work.item, changes):
        raise Refused(f"{work.stream}: no such thing to correct, or nothing said for it ({', '.join(changes)}); see the order's lines")
    if amiss := step.correction_flaw(work, changes, at):
        raise Refused(f"{work.stream}: step {step.name} cannot go on with this correction: {amiss}")
    state = kind.evolve(work.state, corrected)
    after = kind.work(state, work.stream, work.item, step.name, book)
    if step.partner and work.unknown:  # the partner is asked before anything is sent again
        return just(corrected, PartnerSilent(item=work.item, step=step.name, attempt=work.attempt, ask_again_at=at))
    if work.reason in step.renewal.of:
        return just(corrected) + renew(state, work.item, step.name, at, book)
    again = step.request(after, at, attempt=work.attempt + 1, due_at=at)
    return just(corrected) + again + Decision(frees=tuple(guard for guard in step.guards(work) if guard not in again.claims))


def decide(step: Step, work: Work, *, approve: bool, note: str, at: datetime) -> Decision:
    """Decide a referral: the gate passes or declines. Raises Refused when the step has no such decision."""
    outcome = step.referral.decide(work, approve, at) if step.referral else None
    if not outcome:
        raise Refused(
            f"{work.stream}: step {step.name} cannot be {'approved' if approve else 'declined'}; it has no such decision", kind="conflict"
        )
    return just(_decided(step, work, "approve" if approve else "decline", note)) + outcome


def force(step: Step, work: Work, *, note: str) -> Decision:
    """Count the step as done by other means. Raises Refused for a step whose outcome later steps need."""
    if not step.forceable:
        raise Refused(f"{work.stream}: step {step.name} cannot be forced; only what was done by other means can", kind="conflict")
    forced = just(_decided(step, work, "force", note), StepForced(item=work.item, step=step.name, attempt=work.attempt))
    return forced + Decision(frees=step.guards(work)) if step.recalls else forced


def skip(step: Step, work: Work, *, note: str) -> Decision:
    """Leave a step out. Raises Refused (conflict) for a gate, for one whose outcome later steps need, and for the recall of a partner."""
    if not step.forceable or step.recalls or not work.item:
        raise Refused(f"{work.stream}: step {step.name} cannot be left out; a later step needs what it does", kind="conflict")
    return just(_decided(step, work, "skip", note), StepSkipped(item=work.item, step=step.name, attempt=work.attempt))


def replaced(step: Step, work: Work, book: Any, *, note: str, at: datetime) -> Decision:
    """Take another SIM or device in place of the one that the step works with. Raises Refused (conflict) where there is none to replace."""
    begun = work.state.items[work.item].waits if work.item and not step.recalls else {}
    tried = (replace(work.state, work.item, step.name, piece, at, book) for piece in PIECES if piece in begun)
    again = next((one for one in tried if one), NOTHING)
    if not again:
        raise Refused(
            f"{work.stream}: step {step.name} works with no SIM or device that could be replaced alone; retry it, fail the item, or change the order",
            kind="conflict",
        )
    return just(_decided(step, work, "replace", note)) + again


def give_up(step: Step, work: Work, *, note: str) -> Decision:
    """Decide that the item of this step ends; the item's own end follows in the same command.

    Raises Refused when the step only asks its partner to drop work that nobody wants any more.
    """
    if step.recalls:
        raise Refused(
            f"{work.stream}: item {work.item} wants nothing of it any more; retry {step.name}, or force it once it is settled by other means",
            kind="conflict",
        )
    return just(_decided(step, work, "fail", note))


def _decided(step: Step, work: Work, decision: str, note: str) -> FalloutDecided:
    return FalloutDecided.model_validate(
        {"item": work.item, "step": step.name, "fallout": work.fallout, "decision": decision, "note": note}
    )
