"""What follows on invoices by itself: what was billed of a service that ended is credited, and what is given up is written off."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from o2c.invoicing import debts, late_payment, notes, withdrawal_notes
from o2c.invoicing.events import CreditDue, WithdrawalCreditAsked
from o2c.invoicing.invoice import invoice_work, note_work
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.range_events import RANGES
from o2c.invoicing.range_state import RangesState
from o2c.kernel.charges import ChargeRested, ChargeWithdrawn, GoodsTakenBack, invoice_stream
from o2c.kernel.debts import DebtGivenUp
from o2c.kernel.decision import Decision
from o2c.kernel.event import Event, Fact
from o2c.kernel.lateness import LateOvercharged, LatePaymentNoted
from o2c.kernel.reaction import DecideOn, Reaction


def _concerns(cls: type[Event]) -> bool:
    """The end or rest of a charge as well: the account says what is due in the same append, as what follows of it, and a runner looks for
    what was decided."""
    return issubclass(cls, CreditDue | ChargeRested | ChargeWithdrawn | GoodsTakenBack)


def _effects(fact: Fact) -> tuple[DecideOn, ...]:
    if not isinstance(fact.event, CreditDue):
        return ()
    due = fact.event
    stream = invoice_stream(due.invoice)

    def credit(state: InvoiceState, at: datetime, book: Any, ranges: RangesState) -> Decision:
        work = note_work(state, stream, book, ranges)
        of = {"order": due.order, "item": due.item, "ended_on": due.ended_on}
        if isinstance(due, WithdrawalCreditAsked):
            return withdrawal_notes.credit(work, **of, kept_minor=due.kept_minor, at=at)
        return notes.unserved(work, **of, at=at)

    return (DecideOn(stream, credit, reads=(RANGES,)),)


UNSERVED = Reaction(name="credit-what-is-not-served", concerns=_concerns, effects=_effects)


def _given_up(cls: type[Event]) -> bool:
    return issubclass(cls, DebtGivenUp)


def _written_off(fact: Fact) -> tuple[DecideOn, ...]:
    due = cast("DebtGivenUp", fact.event)
    return tuple(_write_off(invoice_stream(one.invoice), one.amount_minor) for one in due.invoices)


def _write_off(stream: str, amount_minor: int) -> DecideOn:
    def write_off(state: InvoiceState, at: datetime, book: Any) -> Decision:
        return debts.write_off(invoice_work(state, stream, "", "payment", book), amount_minor=amount_minor, at=at, book=book)

    return DecideOn(stream, write_off)


WRITTEN_OFF = Reaction(name="write-off-what-is-given-up", concerns=_given_up, effects=_written_off)


def _not_owed(cls: type[Event]) -> bool:
    """What an account is told as well: collections say in the same append what was charged too much, as what follows of it."""
    return issubclass(cls, LatePaymentNoted | LateOvercharged)


def _not_owed_of(fact: Fact) -> tuple[DecideOn, ...]:
    if not isinstance(fact.event, LateOvercharged):
        return ()
    event = fact.event
    stream = invoice_stream(event.bill)
    of = {"interest_minor": event.interest_minor, "fixed_minor": event.fixed_minor}

    def credit(state: InvoiceState, at: datetime, book: Any, ranges: RangesState) -> Decision:
        return late_payment.not_owed(note_work(state, stream, book, ranges), invoice=event.invoice, at=at, **of)

    return (DecideOn(stream, credit, reads=(RANGES,)),)


NOT_OWED = Reaction(name="credit-late-payment-not-owed", concerns=_not_owed, effects=_not_owed_of)


def credits_disputed(settled: type[Event]) -> Reaction:
    """The reaction by which what was disputed is credited once it is `settled` for the customer. Disputes of before it was known were
    credited by hand."""

    def effects(fact: Fact) -> tuple[DecideOn, ...]:
        event: Any = fact.event
        if event.outcome != "customer":
            return ()
        stream = invoice_stream(event.invoice)

        def credit(state: InvoiceState, at: datetime, book: Any, ranges: RangesState) -> Decision:
            work = note_work(state, stream, book, ranges)
            told = {"dispute": fact.event_id, "author": fact.actor, "comment": event.note}
            return notes.conceded(work, amount_minor=event.amount_minor, at=at, **told)

        return (DecideOn(stream, credit, reads=(RANGES,)),)

    return Reaction(name="credit-what-was-disputed", concerns=lambda cls: issubclass(cls, settled), effects=effects, from_now=True)
