"""How any step goes on: from a partner's answer to events, from a failure to a fallout and its next attempt. Pure, the same for all steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from o2c.kernel import partner
from o2c.kernel.chance import jitter
from o2c.kernel.decision import Decision, just
from o2c.kernel.identifiers import derived_id
from o2c.kernel.reasons import REASONS
from o2c.kernel.shapes import Declined, PartnerAccepted, PartnerSilent, RetryScheduled, StepCancelled
from o2c.kernel.step import Step
from o2c.kernel.stream import Work

RETRIES_MAX = 5
SILENCES_MAX = 12
RETRY_FIRST_S = 30
RETRY_FACTOR = 4
RETRY_LONGEST_S = 1800


def settle(step: Step, work: Work, answer: partner.Answer, at: datetime, *, seed: int) -> Decision:
    """What a partner's answer means for the step. An unknown partner code is our defect and says so in the queue."""
    match answer:
        case partner.Answered(data):
            return step.complete(work, data, at)
        case partner.Accepted(reference, ask_again_at):
            return just(
                PartnerAccepted(item=work.item, step=step.name, attempt=work.attempt, reference=reference, ask_again_at=ask_again_at)
            )
        case partner.Unknown() if work.silences >= SILENCES_MAX:
            return fall_out(step, work, step.silence, at, seed=seed, partner_code="silent", again=False)
        case partner.Unknown(ask_again_at):
            return just(PartnerSilent(item=work.item, step=step.name, attempt=work.attempt, ask_again_at=ask_again_at))
        case partner.NeverHeard():
            return fall_out(step, work, step.silence, at, seed=seed, partner_code="never heard")
        case partner.RefusedBy(code, data):
            return fall_out(step, work, step.codes.get(code, "SYS-BUG"), at, seed=seed, partner_code=code, told=step.told(data))
        case partner.Failed(code, not_before):
            ours = step.codes.get(code, "SYS-BUG")
            return fall_out(step, work, ours, at, seed=seed, partner_code=code, not_before=not_before)


def no_longer_wanted(step: Step, work: Work) -> Decision:
    """What the step is for came about by other means."""
    return just(StepCancelled(item=work.item, step=step.name))


def fall_out(
    step: Step,
    work: Work,
    code: str,
    at: datetime,
    *,
    seed: int,
    partner_code: str = "",
    awaits: str = "",
    again: bool = True,
    told: Mapping[str, Any] = MappingProxyType({}),
    not_before: datetime | None = None,
) -> Decision:
    """The step cannot go on: a fallout under our code (`CODE` or `CODE: where`), and the next attempt when it is transient and some are left.

    `again=False` leaves the next attempt to a person: nobody knows whether the work was done, and it must not be done twice. `told` are
    further fields of the step's FellOut event; the next attempt is due no sooner than `not_before`.
    """
    if not step.wanted(work):
        return no_longer_wanted(step, work)
    code, _, detail = code.partition(": ")
    if code in step.declines and step.decide is not None:
        declined = step.decide(work, False, at)
        named = (
            e.model_copy(update={"partner_code": partner_code, "reason": code}) if isinstance(e, Declined) else e for e in declined.events
        )
        return replace(declined, events=tuple(named))
    reason = REASONS[code]
    body = {
        "item": work.item,
        "fallout": work.fallout or derived_id("fallout", work.key),
        "attempt": work.attempt,
        "reason": code,
        "fault_class": reason.fault_class,
        "origin": reason.origin,
        "recoverability": reason.recoverability,
        "waiting_for": reason.waiting_for,
        "queue": reason.queue,
        "partner_code": partner_code,
        "awaits": awaits,
        "detail": detail,
    }
    event = step.fell_out.model_validate({**body, **told})
    if reason.recoverability != "transient" or work.attempt > RETRIES_MAX or not again:
        return just(event)
    due_at = max(at + retry_delay(work, seed=seed), not_before or at)
    return just(event, RetryScheduled(item=work.item, step=step.name, attempt=work.attempt + 1, due_at=due_at))


def retry_delay(work: Work, *, seed: int) -> timedelta:
    """30 s, times four each time, at most 30 min, with jitter from the seed so that an outage's victims do not return together."""
    wait_s = min(RETRY_FIRST_S * RETRY_FACTOR ** (work.attempt - 1), RETRY_LONGEST_S)
    return timedelta(seconds=min(round(wait_s * jitter(seed, work.key, work.attempt), 3), RETRY_LONGEST_S))
