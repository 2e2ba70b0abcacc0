"""The course of any step: from a partner's answer to events, from a failure to a fallout and its next attempt. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from pydantic_core import to_json

from o2c.kernel import partner
from o2c.kernel.chance import jitter
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Asked
from o2c.kernel.identifiers import derived_id, digest
from o2c.kernel.reasons import DEFECT, REASONS
from o2c.kernel.shapes import Declined, PartnerAccepted, PartnerSilent, RetryScheduled, StepCancelled, StepStopped
from o2c.kernel.step import Step
from o2c.kernel.work import Work

RETRIES_MAX = 5
SILENCES_MAX = 12
RETRY_FIRST_S = 30
RETRY_FACTOR = 4
RETRY_LONGEST_S = 1800


def settle(step: Step, work: Work, answer: partner.Answer, at: datetime, *, seed: int) -> Decision:
    """Decide about a partner's answer: the step is done, goes on waiting, or falls out.

    A partner's code that is mapped to none of ours becomes SYS-BUG, in the queue of engineering. No answer leads to queries, at most
    SILENCES_MAX of them; then the step falls out under its own code for silence and a person decides about the next attempt.

    Source: fallout table, rules (an unknown outcome is queried before any retry).
    """
    ask = step.ask
    assert ask is not None
    answer = ask.judged(work, answer, at)
    match answer:
        case partner.Answered(data):
            return step.complete(work, data, at)
        case partner.Accepted(reference, ask_again_at):
            told = partial(ask.undertaken) if ask.undertaken else partial(PartnerAccepted, step=step.name)
            return just(told(item=work.item, attempt=work.attempt, reference=reference, ask_again_at=ask_again_at))
        case partner.Unknown() if work.silences >= SILENCES_MAX:
            return fall_out(step, work, ask.silence, at, seed=seed, partner_code="silent", again=False)
        case partner.Unknown(ask_again_at):
            return just(PartnerSilent(item=work.item, step=step.name, attempt=work.attempt, ask_again_at=ask_again_at))
        case partner.NeverHeard():
            return fall_out(step, work, ask.silence, at, seed=seed, partner_code="never heard")
        case partner.RefusedBy(code) if other_end := ask.refused(work, code, at):
            return other_end
        case partner.RefusedBy(code, data):
            fields = ask.fallout_fields(data)
            fallen = fall_out(step, work, ask.our_code(work, code), at, seed=seed, partner_code=code, fields=fields)
            return fallen + ask.beside(work, code, data, at)
        case partner.Failed(code, not_before):
            return fall_out(step, work, ask.our_code(work, code), at, seed=seed, partner_code=code, not_before=not_before)


def exchange(name: str, body: Mapping[str, Any], answer: partner.Answer, latency_ms: int) -> Asked:
    """Describe an exchange with a partner as it is stored beside the event; of the request's body only a digest (SHA-256) is kept."""
    data = getattr(answer, "data", None)
    return Asked(name, _ANSWERS[type(answer)], getattr(answer, "code", ""), latency_ms, digest(to_json(body)), dict(data) if data else {})


_ANSWERS: Mapping[type[partner.Answer], str] = {
    partner.Answered: "done", partner.RefusedBy: "refused", partner.Failed: "failed", partner.Unknown: "silent",
    partner.Accepted: "accepted", partner.NeverHeard: "never-heard",
}  # fmt: skip


def no_longer_wanted(step: Step, work: Work) -> Decision:
    """Cancel a step whose purpose was reached by other means, such as the collection of an invoice that was paid by bank."""
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
    fields: Mapping[str, Any] = MappingProxyType({}),
    not_before: datetime | None = None,
) -> Decision:
    """Give the fallout of a step under our code (`CODE` or `CODE: detail`), and its retry if the code is transient and attempts are left.

    A code that the step's referral counts as a final no declines the gate of the order instead; a step that is no longer wanted is
    cancelled. `again=False` leaves the next attempt to a person, because the partner may have done the work and must not do it twice.
    `awaits` is the stock pool that the step waits for, `fields` are further fields of its FellOut event, and a retry is due no sooner than
    `not_before`.

    Source: fallout table, retry class T (five tries, then the queue).
    """
    if not step.wanted(work):
        return no_longer_wanted(step, work)
    code, _, detail = code.partition(": ")
    if step.referral and code in step.referral.declines:
        declined = step.referral.decide(work, False, at)
        named = (
            e.model_copy(update={"partner_code": partner_code, "reason": code}) if isinstance(e, Declined) else e for e in declined.events
        )
        return replace(declined, events=tuple(named))
    event = step.fell_out.model_validate({**_fallout(work, code, partner_code, detail), "awaits": awaits, **fields})
    if REASONS[code].recoverability != "transient" or work.attempt > RETRIES_MAX or not again:
        return just(event)
    due_at = max(at + retry_delay(work, seed=seed), not_before or at)
    return just(event, RetryScheduled(item=work.item, step=step.name, attempt=work.attempt + 1, due_at=due_at))


def stopped(work: Work) -> Decision:
    """Take a step off the agenda, for engineering, because no decision about it moved it on (SYS-BUG)."""
    return just(StepStopped.model_validate({**_fallout(work, DEFECT, "", "nothing that was decided moved it"), "step": work.step}))


def _fallout(work: Work, code: str, partner_code: str, detail: str) -> dict[str, Any]:
    reason = REASONS[code]
    return {
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
        "detail": detail,
    }


def retry_delay(work: Work, *, seed: int) -> timedelta:
    """Give the wait before the next attempt: 30 s, four times as long each time, at most 30 minutes, with jitter from the seed.

    The jitter keeps the orders that one outage stopped from coming back all at once. Source: fallout table, retry class T.
    """
    wait_s = min(RETRY_FIRST_S * RETRY_FACTOR ** (work.attempt - 1), RETRY_LONGEST_S)
    return timedelta(seconds=min(round(wait_s * jitter(seed, work.key, work.attempt), 3), RETRY_LONGEST_S))
