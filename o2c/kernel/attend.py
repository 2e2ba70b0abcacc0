"""Attending to a due row of the agenda: what is decided at once, or what a partner must be asked first. Pure, the same for every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from o2c.kernel import flow
from o2c.kernel.agenda import Entry
from o2c.kernel.decision import Decision
from o2c.kernel.frozen import changed
from o2c.kernel.partner import Accepted, Answer, Request, Unknown
from o2c.kernel.step import Step
from o2c.kernel.work import Work

ASK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Ask:
    """A partner must answer before anything can be decided: do it (`query` False), or say what became of it."""

    partner: str
    request: Request
    query: bool

    @property
    def key(self) -> tuple[str, bool]:
        """What makes two questions one: the same key is never asked twice for one decision."""
        return self.request.key, self.query


@dataclass(frozen=True, slots=True)
class Reply:
    """What a partner answered, and how long it took."""

    answer: Answer
    latency_ms: int = 0


def attend(
    step: Step, work: Work, entry: Entry, piece: Mapping[str, Any] | None, at: datetime, *, seed: int, asked: bool = False
) -> Decision | Ask:
    """What a due row means for its step: a decision, or the question to a partner that `settle` turns into one.

    `work` is the step's at the row's attempt; `piece` what the stock offers when the step draws on a pool; `asked` says that the partner was
    asked already, so that its answer must be settled even though the step is not wanted any more.
    """
    if entry.kind == "query":
        return _question(step, work, at, query=True)
    if not step.wanted(work) and not asked:
        return flow.no_longer_wanted(step, work)
    if entry.kind == "retry":
        return step.request(work, at, attempt=entry.attempt, due_at=at)
    if entry.kind == "stock":
        return step.request(work, at, attempt=entry.attempt + 1, due_at=at)
    if reason := step.check(work, at):
        return flow.fall_out(step, work, reason, at, seed=seed)
    if step.draw and (pool := step.pool(work)):
        return step.complete(work, piece, at) if piece else flow.fall_out(step, work, step.draw.out_of_stock, at, seed=seed, awaits=pool)
    return _question(step, work, at, query=False) if step.ask else step.complete(work, {}, at)


def settle(step: Step, work: Work, ask: Ask, reply: Reply, at: datetime, *, seed: int) -> Decision:
    """What a partner's reply means for the step, with the exchange on the event that comes of it."""
    decision = flow.settle(step, work, _later(reply.answer, at), at, seed=seed)
    return changed(decision, asked=flow.exchange(ask.partner, ask.request.body, reply.answer, reply.latency_ms))


def _question(step: Step, work: Work, at: datetime, *, query: bool) -> Ask:
    assert step.ask is not None
    request = Request(work.key, work.stream, work.item, step.name, work.attempt, at, step.ask.payload(work))
    return Ask(step.ask.partner, request, query)


def _later(answer: Answer, at: datetime) -> Answer:
    """An answer that wants to be asked again at once is asked a little later: at the same moment it would be the same command for ever."""
    if isinstance(answer, Accepted | Unknown) and answer.ask_again_at <= at:
        return replace(answer, ask_again_at=at + ASK_AGAIN)
    return answer
