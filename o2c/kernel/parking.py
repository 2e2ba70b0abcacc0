"""What becomes of a call while its partner is down: it is parked, and made again under the same key. Pure, and the same for every step."""

from __future__ import annotations

from datetime import datetime

from o2c.kernel import flow
from o2c.kernel.agenda import Entry, calls_of
from o2c.kernel.attend import Ask, Reply
from o2c.kernel.decision import Decision, just
from o2c.kernel.frozen import changed
from o2c.kernel.partner import NeverHeard, Unknown
from o2c.kernel.shapes import CallParked, CallResumed
from o2c.kernel.work import Work

PARKED = frozenset({"parked", "parked-query"})
"""The kinds of the agenda rows of parked calls."""


def park(work: Work, ask: Ask, outage: str, reply: Reply | None = None) -> Decision:
    """Park a call of a partner that is down. `reply` is how the partner failed to answer, None when it was not asked.

    After a silence the request may have been taken: the call is made again as a query. Source: fallout table, rules (an unknown outcome is
    queried before any retry).
    """
    query = ask.query or (reply is not None and isinstance(reply.answer, Unknown))
    parked = CallParked(item=work.item, step=work.step, attempt=work.attempt, partner=ask.partner, outage=outage, query=query)
    decision = just(parked)
    if reply is None:
        return decision
    return changed(decision, asked=flow.exchange(ask.partner, ask.request.body, reply.answer, reply.latency_ms))


def resume(entry: Entry, partner: str, outage: str, due_at: datetime) -> CallResumed:
    """Make the call of a parked row again at a time."""
    query = entry.kind == "parked-query"
    return CallResumed(item=entry.item, step=entry.step, attempt=entry.attempt, partner=partner, outage=outage, query=query, due_at=due_at)


def lost(entry: Entry, ask: Ask, reply: Reply) -> bool:
    """Whether a query that had been parked finds that its request was lost in the outage: it is no fallout, the same request is sent
    again."""
    return ask.query and entry.pool == calls_of(ask.partner) and isinstance(reply.answer, NeverHeard)


def send_again(work: Work, ask: Ask, reply: Reply, outage: str, at: datetime) -> Decision:
    """Ask for the work under the same key, because the partner never heard of it."""
    again = CallResumed(item=work.item, step=work.step, attempt=work.attempt, partner=ask.partner, outage=outage, due_at=at)
    return changed(just(again), asked=flow.exchange(ask.partner, ask.request.body, reply.answer, reply.latency_ms))
