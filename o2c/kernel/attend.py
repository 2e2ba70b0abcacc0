"""Deciding about a due row of the agenda: events at once, or a question to a partner first. Pure, and the same for every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from o2c.kernel import flow
from o2c.kernel.agenda import Entry
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.frozen import changed
from o2c.kernel.partner import NO_ANSWER, Accepted, Answer, Failed, Request, Unknown
from o2c.kernel.periods import local_date
from o2c.kernel.shapes import StockExpected
from o2c.kernel.step import Step
from o2c.kernel.work import Work

ASK_AGAIN = timedelta(minutes=1)
"""How long a question waits that a partner wants to be asked again at once."""
LOOK_AGAIN = timedelta(days=7)
"""After how long work is looked at again that may not begin yet, at the soonest: its order is suspended, for longer than it was to be."""
NOBODY_MET = timedelta(minutes=5)
"""After how long a question is asked again that met nobody."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a partner that must be answered before the row can be decided.

    `query` False asks for the work (`Partner.submit`); True asks for the outcome of an earlier request under the same key
    (`Partner.query`).
    """

    partner: str
    request: Request
    query: bool

    @property
    def key(self) -> tuple[str, bool]:
        """The identity of the question, (request key, query): one decision asks the same question only once."""
        return self.request.key, self.query


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a partner, and the milliseconds it took."""

    answer: Answer
    latency_ms: int = 0


def attend(
    step: Step,
    work: Work,
    entry: Entry,
    piece: Mapping[str, Any] | None,
    at: datetime,
    *,
    seed: int,
    asked: bool = False,
    expected_at: datetime | None = None,
) -> Decision | Ask:
    """Decide about a due row of the agenda, or give the question to a partner whose answer `settle` decides about.

    `work` is the work of the step at the row's attempt. `piece` is the piece of stock on offer to a step that draws on a pool, None when
    the pool is empty; `expected_at` is then when the delivery is due that will bring its piece, None when none is known. `asked` says that
    the partner has been asked already: its answer is then settled even if the step is no longer wanted.
    """
    if entry.kind in ("query", "submit") and step.ask and (answer := step.ask.had(work, at)):
        return flow.settle(step, work, answer, at, seed=seed)
    if entry.kind == "query":
        return _question(step, work, at, query=True)
    if not step.wanted(work) and not asked:
        return flow.no_longer_wanted(step, work)
    if entry.kind == "retry":
        return step.request(work, at, attempt=entry.attempt, due_at=at)
    if entry.kind == "stock":
        return step.request(work, at, attempt=entry.attempt + 1, due_at=at)
    if work.put_off_to is not None and not asked:
        return step.request(work, at, attempt=entry.attempt, due_at=max(work.put_off_to, at + LOOK_AGAIN))
    if (opens_at := step.open_from(work, at)) > at:
        # The row comes too early (a worker was late, a rule is younger than the row): nothing is sent before its time.
        return step.request(work, at, attempt=entry.attempt, due_at=opens_at)
    if reason := step.check(work, at):
        return flow.fall_out(step, work, reason, at, seed=seed, awaits=step.awaits(work))
    if instead := step.instead(work, at):
        return instead
    if step.draw and (pool := step.pool(work)):
        return step.complete(work, piece, at) if piece else _out_of_stock(step, work, pool, expected_at, at, seed=seed)
    return _question(step, work, at, query=False) if step.ask else step.complete(work, {}, at)


def _out_of_stock(step: Step, work: Work, pool: str, expected_at: datetime | None, at: datetime, *, seed: int) -> Decision:
    """Let a step wait for its pool, and say when the pool is expected to have a piece for it, if that is known."""
    assert step.draw is not None
    code = step.draw.out_of_stock
    if expected_at is None:
        return flow.fall_out(step, work, code, at, seed=seed, awaits=pool)
    detail = _expected_on(expected_at, work)
    return flow.fall_out(step, work, f"{code}: {detail}", at, seed=seed, awaits=pool, fields={"expected_at": expected_at})


def expect(work: Work, expected_at: datetime | None) -> Decision:
    """Tell a step that waits for stock when its piece is due, as far as that is known now; nothing where it knows that already."""
    if work.retry_at == expected_at:
        return NOTHING
    detail = _expected_on(expected_at, work) if expected_at else ""
    return just(StockExpected(item=work.item, step=work.step, expected_at=expected_at, detail=detail))


def _expected_on(expected_at: datetime, work: Work) -> str:
    return f"expected on {local_date(expected_at, work.market.zone)}"


def settle(step: Step, work: Work, ask: Ask, reply: Reply, at: datetime, *, seed: int) -> Decision:
    """Decide about a partner's reply, and record the exchange on the first event of the decision.

    `ask` is the question that was answered, `at` business time, `seed` the one of the store (it spreads the retries).
    """
    decision = flow.settle(step, work, _later(_heard(ask, reply.answer, at), at), at, seed=seed)
    return changed(decision, asked=flow.exchange(ask.partner, ask.request.body, reply.answer, reply.latency_ms))


def _question(step: Step, work: Work, at: datetime, *, query: bool) -> Ask:
    assert step.ask is not None
    body = {**step.ask.payload(work), **step.ask.timed(work, at)}
    request = Request(step.ask.key(work), work.stream, work.item, step.name, work.attempt, at, body)
    return Ask(step.ask.partner, request, query)


def _heard(ask: Ask, answer: Answer, at: datetime) -> Answer:
    """What an answer says of the work. A query that met nobody says nothing: as a failure of the work it would be sent again, though it may
    be done."""
    if ask.query and isinstance(answer, Failed) and answer.code in NO_ANSWER:
        return Unknown(max(at + NOBODY_MET, answer.not_before or at))
    return answer


def _later(answer: Answer, at: datetime) -> Answer:
    """Put off a repeated question that is due at once: at the same moment it would make the same command for ever."""
    if isinstance(answer, Accepted | Unknown) and answer.ask_again_at <= at:
        return replace(answer, ask_again_at=at + ASK_AGAIN)
    return answer
