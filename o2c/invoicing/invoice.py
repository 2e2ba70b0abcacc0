"""Invoices as folds of their streams, and when their payment is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from o2c.customers.rules import PAYMENT_METHODS
from o2c.invoicing.debts import counted
from o2c.invoicing.events import CreditNoteRequested, InvoiceIssued, PutOnInstalments, TakenOff
from o2c.invoicing.noted import InvoiceState, came, note_wanted, reversed_by, taken_off
from o2c.invoicing.range_events import RANGES
from o2c.invoicing.range_state import RangesState
from o2c.invoicing.state import billing_agenda
from o2c.kernel.agenda import AgendaChange, Dropped
from o2c.kernel.charges import MoneyReceived, invoice_stream
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.refusal import Refused
from o2c.kernel.reversals import OfReversal
from o2c.kernel.shapes import CallParked, Done, FellOut, OfItem, PartnerSilent, Requested, StepCancelled, Undertaken, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import MarketBook, Work, build, next_attempt, noted


def evolve_invoice(state: InvoiceState, event: Event) -> InvoiceState:
    """Give an invoice after one of its events."""
    if isinstance(event, InvoiceIssued):
        return changed(state, issued=event, method=event.method)
    if isinstance(event, TakenOff):
        return taken_off(state, event)
    if isinstance(event, OfReversal):
        return reversed_by(state, event)
    if isinstance(event, PutOnInstalments):
        return changed(state, lowered_minor=state.lowered_minor + event.of_open_minor)
    if isinstance(event, CreditNoteRequested):
        return note_wanted(state, event)
    state = counted(state, event)
    if not isinstance(event, OfItem):
        return state
    step = step_of(event)
    state = changed(state, records=noted(state.records, event, step))
    if step == "overdue":
        return changed(state, overdue=state.overdue or isinstance(event, Done), to_look=False)
    return _paying(state, event) if step == "payment" else state


def _paying(state: InvoiceState, event: OfItem) -> InvoiceState:
    if isinstance(event, MoneyReceived):
        return _money(state, event)
    match event:
        case Requested():
            return changed(state, demanded_minor=0, asked_by=getattr(event, "method", ""), collecting=True)
        case FellOut():
            return changed(state, demanded_minor=0, collecting=False)
        case StepCancelled():
            return changed(state, collecting=False)
        case Undertaken() | PartnerSilent() | CallParked(query=True):
            return changed(state, demanded_minor=_demanded(state))
    if event.shape == "resumed":
        return changed(state, method=getattr(event, "changes", {}).get("method", state.method))
    return state


def _money(state: InvoiceState, event: MoneyReceived) -> InvoiceState:
    """Add money that came. The provider keeps its demand when it did not bring the money for it."""
    state = came(state, event)
    return changed(state, demanded_minor=0, collecting=False) if event.brought else state


def _demanded(state: InvoiceState) -> int:
    return state.demanded_minor or state.open_minor


def advance_invoice(state: InvoiceState, touched: frozenset[str], at: datetime, book: Any) -> Decision:
    """Ask for the payment of a new invoice that is open, and for the check the day after it is due; for the check alone where money was
    taken back."""
    if state.issued is None or state.open_minor <= 0:
        return NOTHING
    stream = invoice_stream(state.issued.number)
    if state.to_look:
        attempt = next_attempt(state.records, "overdue")
        return cast("Decision", book.steps["overdue"].request(invoice_work(state, stream, "", "overdue", book), at, attempt=attempt))
    if state.records:
        return NOTHING
    asked = (book.steps[step].request(invoice_work(state, stream, "", step, book), at) for step in ("payment", "overdue"))
    return cast("Decision", sum(asked, NOTHING))


def invoice_agenda(state: InvoiceState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put an invoice's steps on the agenda as for all of billing, and drop the check after the due day once it is paid.

    Money that the provider did not bring leaves a demand on the agenda which the provider has or is being sent: the money that it brings
    must find its row.
    """
    unasked = isinstance(event, MoneyReceived) and not event.brought
    changes = () if unasked else billing_agenda(state, event, stream)
    paid = isinstance(event, MoneyReceived | TakenOff) and state.open_minor <= 0
    return (*changes, Dropped(stream, "", "overdue")) if paid else changes


def invoice_work(state: InvoiceState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of a payment step, which sees plain values of the invoice and never billing's classes.

    `subject` holds number, currency, open_minor, issued_on, due_on and method; it is empty before the invoice is issued.
    """
    issued = state.issued
    subject: dict[str, Any] = {}
    if issued is not None:
        subject = {
            "number": issued.number,
            "currency": issued.currency,
            "open_minor": _demanded(state),
            "issued_on": issued.issued_on,
            "due_on": state.due_on,
            "method": state.method,
        }
    market = book.market(issued.market if issued else "")
    return build(stream, item, step, state=state, subject=subject, records=state.records, codes=book.codes, market=market)


def note_work(state: InvoiceState, stream: str, book: MarketBook, ranges: RangesState) -> Work:
    """Gather the work of whoever credits an invoice: as for its payment, with the approved ranges of numbers."""
    return changed(invoice_work(state, stream, "", "payment", book), read={RANGES: ranges})


def _invoice_owner(state: InvoiceState) -> tuple[str | None, str | None]:
    return (state.issued.order or None, state.issued.customer) if state.issued else (None, None)


def _correctable(state: InvoiceState, item: str, changes: Mapping[str, str]) -> bool:
    """Allow only the payment method of an invoice to be corrected. Raises Refused for a method that does not exist."""
    if changes.get("method", "card") not in PAYMENT_METHODS:
        number = state.issued.number if state.issued else ""
        raise Refused(f"invoice {number}: no such payment method; use one of {', '.join(sorted(PAYMENT_METHODS))}")
    return changes.keys() <= {"method"}


INVOICE = StreamKind(
    category="invoice",
    shape_version=19,
    state_type=InvoiceState,
    initial=lambda _: InvoiceState(),
    evolve=evolve_invoice,
    agenda=invoice_agenda,
    advance=advance_invoice,
    work=invoice_work,
    owner=_invoice_owner,
    correctable=_correctable,
)
