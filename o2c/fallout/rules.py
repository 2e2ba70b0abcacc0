"""What a person may do about a fallout. It closes by the event that follows, never by the click."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from o2c.kernel.decision import Decision, just
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import PartnerSilent
from o2c.kernel.step import Step
from o2c.kernel.stream import StreamKind, Work
from o2c.orders.events import CorrectionApplied, FalloutDecided, StepForced


def correct(step: Step, work: Work, kind: StreamKind, *, changes: Mapping[str, str], note: str, at: datetime) -> Decision:
    """Correct what the step stumbled over (or nothing: a plain retry) and ask for it again, at once.

    Raises Refused when the stream has no such thing to correct, or the step asks for nothing that could be asked for again. Guards of
    what was wrong are freed, those of what is right claimed.
    """
    if step.requested.step_name != step.name:
        raise Refused(f"{work.stream}: step {step.name} has nothing to correct; see `o2c fallout show` for what it waits for")
    corrected = CorrectionApplied(item=work.item, step=step.name, fallout=work.fallout, changes=dict(changes), note=note)
    if not kind.correctable(work.state, work.item, changes):
        raise Refused(f"{work.stream}: no such thing to correct, or nothing said for it ({', '.join(changes)}); see the order's lines")
    state = kind.evolve(work.state, corrected)
    after = replace(kind.work(state, work.stream, work.item, step.name), market=work.market)
    if work.silences or (step.partner and work.reason == "SYS-BUG"):
        # Nobody knows whether the last attempt was done, or a defect lost the answer: the partner is asked before anything is sent again.
        return just(corrected, PartnerSilent(item=work.item, step=step.name, attempt=work.attempt, ask_again_at=at))
    again = step.request(after, at, attempt=work.attempt + 1, due_at=at)
    return just(corrected) + again + Decision(frees=tuple(guard for guard in step.guards(work) if guard not in again.claims))


def decide(step: Step, work: Work, *, approve: bool, note: str, at: datetime) -> Decision:
    """Decide a referral. Raises Refused when the step has nothing to decide, or approval could not make it right."""
    outcome = step.decide(work, approve, at) if step.decide else None
    if not outcome:
        raise Refused(f"{work.stream}: step {step.name} cannot be {'approved' if approve else 'declined'}; it has no such decision")
    return just(_decided(step, work, "approve" if approve else "decline", note)) + outcome


def force(step: Step, work: Work, *, note: str) -> Decision:
    """Count the step as done by other means. Raises Refused for a step whose outcome later steps need."""
    if not step.forceable:
        raise Refused(f"{work.stream}: step {step.name} cannot be forced; only what was done by other means can")
    forced = just(_decided(step, work, "force", note), StepForced(item=work.item, step=step.name, attempt=work.attempt))
    return forced + Decision(frees=step.guards(work)) if step.recalls else forced


def give_up(step: Step, work: Work, *, note: str) -> Decision:
    """A person decided to end the item this step belongs to; the item's own end follows in the same command.

    Raises Refused when the item ended already and the step only asks its partner to drop the work.
    """
    if step.recalls:
        raise Refused(f"{work.stream}: item {work.item} ended already; retry {step.name}, or force it once it is settled by other means")
    return just(_decided(step, work, "fail", note))


def _decided(step: Step, work: Work, decision: str, note: str) -> FalloutDecided:
    return FalloutDecided.model_validate(
        {"item": work.item, "step": step.name, "fallout": work.fallout, "decision": decision, "note": note}
    )
