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
from o2c.kernel.periods import local_date
from o2c.kernel.reasons import DEFECT, HOURS, MOMENTS, UNSURE, Reason, Retries
from o2c.kernel.shapes import Declined, PartnerAccepted, PartnerSilent, RetryScheduled, RetryStopped, StepCancelled, StepStopped
from o2c.kernel.step import Step
from o2c.kernel.work import Work


def settle(step: Step, work: Work, answer: partner.Answer, at: datetime, *, seed: int) -> Decision:
    """Decide about a partner's answer: the step is done, goes on waiting, or falls out.

    A partner's code that is mapped to none of ours is `unclassified`, in a queue of its own. No answer leads to queries, at most
    `silences_max` of the step; then the step falls out under its own code for silence and a person decides about the next attempt.

    Source: fallout table, rules (an unknown outcome is queried before any retry).
    """
    ask = step.ask
    assert ask is not None
    answer = ask.judged(work, answer, at)
    silence = work.codes.at(at).steps[step.name].silence
    match answer:
        case partner.Answered(data):
            return step.complete(work, data, at)
        case partner.Accepted(reference, ask_again_at):
            told = partial(ask.undertaken) if ask.undertaken else partial(PartnerAccepted, step=step.name)
            return just(told(item=work.item, attempt=work.attempt, reference=reference, ask_again_at=ask_again_at))
        case partner.Unknown() if work.silences >= step.silences_max:
            return fall_out(step, work, silence, at, seed=seed, partner_code="silent", again=False)
        case partner.Unknown(ask_again_at):
            return just(PartnerSilent(item=work.item, step=step.name, attempt=work.attempt, ask_again_at=ask_again_at))
        case partner.NeverHeard():
            return fall_out(step, work, silence, at, seed=seed, partner_code="never heard")
        case partner.RefusedBy(code) if other_end := ask.refused(work, code, at):
            return other_end
        case partner.RefusedBy(code, data):
            fields = ask.fallout_fields(data)
            fallen = fall_out(step, work, ask.our_code(work, code, at), at, seed=seed, partner_code=code, fields=fields)
            return fallen + ask.beside(work, code, data, at)
        case partner.Failed(code, not_before):
            return fall_out(step, work, ask.our_code(work, code, at), at, seed=seed, partner_code=code, not_before=not_before)


def exchange(name: str, body: Mapping[str, Any], answer: partner.Answer, latency_ms: int) -> Asked:
    """Describe an exchange with a partner as it is stored beside the event; of the request's body only a digest (SHA-256) is kept."""
    data = getattr(answer, "data", None)
    return Asked(name, _ANSWERS[type(answer)], getattr(answer, "code", ""), latency_ms, digest_of(body), dict(data) if data else {})


def digest_of(body: Mapping[str, Any]) -> str:
    """Give the digest (SHA-256) by which the body of a request is known again."""
    return digest(to_json(body))


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
    """Give the fallout of a step under our code (`CODE` or `CODE: detail`), and its retry if the code has one by itself and attempts are
    left.

    A transient code is tried again after a while, a scheduled one at the moment that the table says for it. Retries stop in
    time for the day promised (`retry.stopped`): a person takes over while it can still be kept.

    A code that the step's referral counts as a final no declines the gate of the order instead; a step that is no longer wanted is
    cancelled. `again=False` leaves the next attempt to a person, because the partner may have done the work and must not do it twice.
    `awaits` is the stock pool that the step waits for, `fields` are further fields of its FellOut event, and a retry is due no sooner than
    `not_before`.

    Source: fallout table, retry classes T (five tries, then the queue) and S (at a cut-off, at a timer).
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
    event = step.fell_out.model_validate({**_fallout(work, code, partner_code, detail, at), "awaits": awaits, **fields})
    due_at = next_try(step, work, code, at, seed=seed) if again and not awaits else None
    if due_at is None:
        return just(event)
    due_at = max(due_at, not_before or at)
    if _too_late(step, work, due_at):
        return just(event, RetryStopped(item=work.item, step=step.name, attempt=work.attempt + 1, promised_on=work.promised_on))
    return just(event, RetryScheduled(item=work.item, step=step.name, attempt=work.attempt + 1, due_at=due_at))


def next_try(step: Step, work: Work, code: str, at: datetime, *, seed: int) -> datetime | None:
    """When a step that falls out under a code is tried again by itself; None where it is not, or waits for something by itself.

    Never where nobody knows whether the partner did the work: a person asks first.
    """
    codes = work.codes.at(at)
    if code in UNSURE or work.attempt > codes.retries.attempts_max:
        return None
    if codes.reasons[code].retry == "transient":
        return at + retry_delay(work, codes.retries, seed=seed)
    moment = _moment(codes.scheduled.get(code, ""), work, at)
    return step.open_from(work, moment) if moment else None


def _moment(schedule: str, work: Work, at: datetime) -> datetime | None:
    if HOURS.fullmatch(schedule):
        return at + timedelta(hours=int(schedule.removesuffix("h")))
    moment: datetime | None = work.market.next_moment(schedule, at) if schedule in MOMENTS and work.market else None
    return moment


def _too_late(step: Step, work: Work, due_at: datetime) -> bool:
    """Whether an attempt that is due then would normally end after the day promised, which it could still keep if it were done now."""
    if not work.promised_on:
        return False
    return local_date(step.expected(work, due_at), work.market.zone).isoformat() > work.promised_on


def stopped(work: Work, at: datetime) -> Decision:
    """Take a step off the agenda, for engineering, because no decision about it moved it on (SYS-BUG)."""
    return just(StepStopped.model_validate({**_fallout(work, DEFECT, "", "nothing that was decided moved it", at), "step": work.step}))


def _fallout(work: Work, code: str, partner_code: str, detail: str, at: datetime) -> dict[str, Any]:
    return {
        "item": work.item,
        "fallout": work.fallout or derived_id("fallout", work.key),
        "attempt": work.attempt,
        "partner_code": partner_code,
        "detail": detail,
        **fields_of(work.codes.at(at).reasons[code]),
    }


def fields_of(reason: Reason) -> dict[str, Any]:
    """Give what a fallout keeps of its reason code, as the code stands in the version in force."""
    return {
        "reason": reason.code,
        "fault_class": reason.fault_class,
        "origin": reason.origin,
        "recoverability": reason.recoverability,
        "waiting_for": reason.waiting_for,
        "queue": reason.queue,
        "code_version": reason.version,
        "severity": reason.severity,
    }


def retry_delay(work: Work, retries: Retries, *, seed: int) -> timedelta:
    """Give the wait before the next attempt, longer each time up to a limit, with jitter from the seed.

    The jitter keeps the orders that one outage stopped from coming back all at once. Source: fallout table, retry class T.
    """
    wait_s = min(retries.first_s * retries.factor ** (work.attempt - 1), retries.longest_s)
    spread = jitter(seed, work.key, work.attempt, retries.jitter_percent / 100)
    return timedelta(seconds=min(round(wait_s * spread, 3), retries.longest_s))
