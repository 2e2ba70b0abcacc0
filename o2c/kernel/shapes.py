"""The shapes all steps share. Fallout queue, cycle times, timeline, agenda and roll-up subscribe to shapes, never to single events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from o2c.kernel.event import Event, Upcast

WaitingFor = Literal["us", "customer", "partner", "regulator", "channel"]
FaultClass = Literal["technical", "business", "data", "manual", "defect"]
Origin = Literal["upstream", "direct", "partner", "customer", "reference-data"]
Recoverability = Literal["transient", "correctable", "fatal"]


CODE_KEPT = Upcast(defaults={"code_version": "", "severity": 0})
"""Fallouts keep the version and the severity of their reason code."""


class OfItem(Event):
    """Base of the events that speak of one order item (empty: of the whole order, invoice or account)."""

    item: str = ""


class Requested(OfItem):
    """A step was asked for: it is due on the agenda from `due_at`. `attempt` counts from 1 and is part of the partner's request key."""

    shape: ClassVar[str] = "requested"
    attempt: int = 1
    due_at: datetime


class Done(OfItem):
    """A step ended well. Its further fields are the outcome that later steps of the item read."""

    shape: ClassVar[str] = "done"
    attempt: int = 1


class Declined(OfItem):
    """A gate of the order said a final business no, with the reason code that rejects the order."""

    shape: ClassVar[str] = "declined"
    attempt: int = 1
    reason: str
    partner_code: str = ""


class FellOut(OfItem):
    """A step could not go on by itself. `fallout` stays the same while attempts repeat; `awaits` names the stock pool it waits for, if any;
    `detail` says where the flaw is, without personal values. `code_version` is that of the reason code (empty where it was not kept), and
    `severity` goes from 1, the worst, to 5 (0 where it was not kept)."""

    shape: ClassVar[str] = "fell-out"
    upcasts: ClassVar[tuple[Upcast, ...]] = (CODE_KEPT,)
    fallout: str
    attempt: int = 1
    reason: str
    fault_class: FaultClass
    origin: Origin
    recoverability: Recoverability
    waiting_for: WaitingFor
    queue: str
    partner_code: str = ""
    awaits: str = ""
    detail: str = ""
    code_version: str = ""
    severity: int = 0


class OutOfStock(FellOut):
    """A step that takes a piece of stock fell out. `expected_at` is when the delivery is due that is announced and will bring its piece;
    None when none is announced, or when something else than the stock stopped it."""

    expected_at: datetime | None = None


class Undone(OfItem):
    """The result of a step was taken back; `noun` says in a word what that was (a SIM, a charge)."""

    shape: ClassVar[str] = "undone"
    noun: ClassVar[str] = ""


class Renewed(OfItem):
    """The result of a step is lost or void: the step is planned anew, and asked for under the next attempt when its waits are over."""

    shape: ClassVar[str] = "renewed"


class Replanned(Renewed):
    """A step that was asked for, or done, is put off: it waits for `waits` from now on, or (empty) for what it waited for before.

    Its outcome stands, and the further fields of the event are added to it.
    """

    waits: tuple[str, ...] = ()


class GivenUp(OfItem):
    """A step will not be done and is not missed: the customer gave that part of the item up, and the item is complete without it."""

    shape: ClassVar[str] = "given-up"


class RecallRequested(Requested):
    """A partner is asked to drop what a step had asked of it: the item ended, or goes on without. It is not over before the partner has.

    `noun` says in a word what is asked back.
    """

    shape: ClassVar[str] = "recall"
    noun: ClassVar[str] = ""


class SetAside(OfItem):
    """Something was set aside for a step before the step is done: a number for the item, a deposit for the gate. The step reads it."""

    shape: ClassVar[str] = "set-aside"


class LetGo(OfItem):
    """Something that was set aside for a step is no longer kept for it."""

    shape: ClassVar[str] = "let-go"


class OfStep(OfItem):
    """Base of the few generic events that carry the step's name as a field."""

    step: str


class Undertaken(OfItem):
    """The partner took the request under a reference of its own and will know more at `ask_again_at`."""

    shape: ClassVar[str] = "accepted"
    attempt: int
    reference: str
    ask_again_at: datetime


class PartnerAccepted(Undertaken, OfStep, name="partner.accepted", stream="*"):
    """The partner took the request under a reference of its own and will know more at `ask_again_at`."""

    example = {"item": "1", "step": "delivery", "attempt": 1, "reference": "PCL-20394", "ask_again_at": "2026-01-07T12:00:00Z"}


class PartnerSilent(OfStep, name="partner.silent", stream="*"):
    """No answer came: the work may or may not have been done, so the partner is queried at `ask_again_at` before anything is sent again."""

    shape: ClassVar[str] = "silent"
    example = {"item": "1", "step": "activation", "attempt": 1, "ask_again_at": "2026-01-05T09:05:00Z"}
    attempt: int
    ask_again_at: datetime


class RetryScheduled(OfStep, name="retry.scheduled", stream="*"):
    """A fallout is tried again by itself at `due_at`, as attempt number `attempt`: a transient one after a while, a scheduled one at its
    moment."""

    shape: ClassVar[str] = "retry"
    example = {"item": "1", "step": "activation", "attempt": 2, "due_at": "2026-01-05T09:00:31Z"}
    attempt: int
    due_at: datetime


class StockExpected(OfStep, name="stock.expected", stream="order"):
    """What is known of the stock that a step waits for has changed: its piece is due at `expected_at`, or (nothing) no delivery is
    announced for it any more.

    `detail` says the day, local to the market.
    """

    shape: ClassVar[str] = "expected"
    example = {"item": "1", "step": "sim", "expected_at": "2026-02-02T00:00:00Z", "detail": "expected on 2026-02-02"}
    expected_at: datetime | None
    detail: str = ""


class OfCall(OfStep):
    """Base of what becomes of a call while its partner is down. `query` says that it asks for the outcome of an earlier request, else for
    the work itself; `outage` is the id of the time without the partner."""

    attempt: int
    partner: str
    outage: str
    query: bool = False


class CallParked(OfCall, name="call.parked", stream="*"):
    """A partner is down, so what a step would have asked of it waits until it is up again. Nothing fell out, and no attempt is used up."""

    shape: ClassVar[str] = "parked"
    example = {
        "item": "1", "step": "activation", "attempt": 1, "partner": "network", "outage": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", "query": False,
    }  # fmt: skip


class CallResumed(OfCall, name="call.resumed", stream="*"):
    """A parked call is made at `due_at`, as the same attempt under the same key: its partner is up again, or it is to show whether it
    is."""

    shape: ClassVar[str] = "unparked"
    example = {
        "item": "1", "step": "activation", "attempt": 1, "partner": "network", "outage": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10",
        "due_at": "2026-01-05T12:00:01Z",
    }  # fmt: skip
    due_at: datetime


class RetryStopped(OfStep, name="retry.stopped", stream="*"):
    """A transient or scheduled fallout is not tried again by itself: the next attempt would end after the day promised (`promised_on`). A
    person decides.

    Source: fallout table, rules (retries stop at the date committed less the normal duration of the stage, and it becomes a jeopardy).
    """

    shape: ClassVar[str] = "retry-stopped"
    example = {"item": "1", "step": "activation", "attempt": 2, "promised_on": "2026-01-07"}
    attempt: int
    promised_on: str


class StepCancelled(OfStep, name="step.cancelled", stream="*"):
    """A step that was asked for, or had fallen out, is no longer wanted because its item ended."""

    shape: ClassVar[str] = "cancelled"
    example = {"item": "2", "step": "activation"}


class StepGivenUp(GivenUp, OfStep, name="step.given-up", stream="order"):
    """A step will not be done and is not missed: the customer gave that part of the item up, and the item is complete without it."""

    example = {"item": "1", "step": "cutover"}


class StepRenewed(Renewed, OfStep, name="step.renewed", stream="order"):
    """A step is planned anew because what it was done with, or for, was lost."""

    example = {"item": "1", "step": "delivery"}


class StepForced(OfStep, name="step.forced", stream="*"):
    """A step counts as done because a person says it was done by other means."""

    shape: ClassVar[str] = "done"
    example = {"item": "1", "step": "delivery"}
    attempt: int = 1


class StepSkipped(OfStep, name="step.skipped", stream="*"):
    """A step was left out by a person's decision: nothing was done, and what waits for it goes on. No later step reads its outcome."""

    shape: ClassVar[str] = "done"
    example = {"item": "1", "step": "delivery"}
    attempt: int = 1


class StepStopped(FellOut, OfStep, name="step.stopped", stream="*"):
    """Nothing that was decided about the step moved it on: a defect of ours. It is taken off the agenda and waits for engineering."""

    example = {
        "item": "1", "step": "activation", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect",
        "origin": "direct", "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


def step_of(event: Event) -> str:
    """The step an event speaks of: fixed by its class, or the field of a generic event; empty when it speaks of none."""
    return event.step if isinstance(event, OfStep) else event.step_name


def item_of(event: Event) -> str:
    """The order item an event speaks of; empty for one of the whole stream."""
    return event.item if isinstance(event, OfItem) else ""


class Supply(Event):
    """Pieces came of what steps wait for, of one pool or several: as many steps go on."""

    def brings(self) -> Mapping[str, int]:
        """Give how many pieces came, by pool. Raises NotImplementedError for a class that does not say."""
        raise NotImplementedError(f"{type(self).__name__} must say what it brings")


class Offered(Event):
    """A resource became a candidate of a stock pool.

    The store lists candidates in an index that is read without locks; a guard decides at the append whether the candidate is still free.
    """

    def offer(self) -> tuple[str, str, dict[str, str]]:
        """Give the candidate as (pool, key, details that a taker needs). Raises NotImplementedError for a class that does not say."""
        raise NotImplementedError(f"{type(self).__name__} must say what it offers")


class Withdrawn(Event):
    """A resource is no candidate of its stock pool any more."""

    def withdrawal(self) -> tuple[str, str]:
        """Give the candidate that leaves the index as (pool, key). Raises NotImplementedError for a class that does not say."""
        raise NotImplementedError(f"{type(self).__name__} must say what it withdraws")


class Held(Event):
    """The SIM, number or invoice number of the event's stream has a holder from now on, by a guard."""

    def holder(self) -> str:
        """Give the holder as guards name it, such as `order-…/1`. Raises NotImplementedError for a class that does not say."""
        raise NotImplementedError(f"{type(self).__name__} must say who holds it")


class HeldByItem(Held):
    """An item of an order holds the SIM or number of the event's stream."""

    order: str
    item: str

    def holder(self) -> str:
        """Give the item's order stream and id: `order-ORDER/ITEM`."""
        return f"order-{self.order}/{self.item}"


class Guarded(Event):
    """One of the uses that the event's stream counts changed hands: it has a guard of its own."""

    def held(self) -> tuple[tuple[str, str], str]:
        """Give the guard as (kind, key), and its holder after the event (empty: nobody). Raises NotImplementedError for a class that does
        not say."""
        raise NotImplementedError(f"{type(self).__name__} must say what is held, and by whom")


class Freed(Event):
    """The SIM or number of the event's stream has no holder any more."""
