"""Invoices of which the books do not count on anything any more: written off, their tax relieved, and taken back where money comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast

from o2c.invoicing.events import InvoiceWrittenOff, TaxRelieved
from o2c.invoicing.noted import InvoiceState
from o2c.kernel.debts import WriteOffReversed
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.money import part_of
from o2c.kernel.periods import local_time
from o2c.kernel.recurrence import Recurrence
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work, next_attempt

RELIEF = "tax-relief"


def write_off(work: Work, *, amount_minor: int, at: datetime, book: Any) -> Decision:
    """Write off an amount of an invoice, what is open of it at most, and ask for the relief of its tax where the market's law gives one.

    Nothing for one of which something is written off already. Nothing of it is collected by its method any more, unless the provider has
    been asked.
    """
    state: InvoiceState = work.state
    amount_minor = min(amount_minor, state.open_minor)
    if amount_minor <= 0 or state.written_off_minor:
        return NOTHING
    called_off = (StepCancelled(step="payment"),) if _stands_still(work, state) and amount_minor == state.open_minor else ()
    decision = just(InvoiceWrittenOff(amount_minor=amount_minor), *called_off)
    if work.market.collections.relief is None:
        return decision
    due_at = max(at, relief_due(work, at))
    return decision + cast("Decision", book.steps[RELIEF].request(work, at, attempt=next_attempt(state.records, RELIEF), due_at=due_at))


def _stands_still(work: Work, state: InvoiceState) -> bool:
    record = state.records.get("payment")
    return bool(record and not state.demanded_minor and (record.waiting_for or record.retry_at))


def relief_due(work: Work, at: datetime) -> datetime:
    """Give the time from which the tax of a written-off invoice can be claimed back. Source: the market's rules of bad debt relief."""
    relief = work.market.collections.relief
    assert relief is not None
    claimed_from = Recurrence("month", relief.months).begins(date.fromisoformat(work.subject["due_on"]), 1)
    return local_time(claimed_from, 0, 0, work.market.zone)


def nothing_written_off(work: Work, at: datetime) -> Decision:
    """Call the claim off where all that was written off has come since."""
    return NOTHING if work.state.written_off_minor else just(StepCancelled(step=RELIEF))


def relieve(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Claim the tax of what is written off: its share of the invoice's tax, less what notes took off both, half-up."""
    state: InvoiceState = work.state
    assert state.issued is not None
    tax_minor = state.issued.tax_minor - sum(state.noted.taxes.values())
    total_minor = state.issued.total_minor - state.noted.total_minor
    return just(TaxRelieved(attempt=work.attempt, tax_minor=part_of(tax_minor, state.written_off_minor, total_minor)))


def counted(state: InvoiceState, event: Event) -> InvoiceState:
    """Give the invoice after something of it was written off, relieved or taken back."""
    match event:
        case InvoiceWrittenOff():
            return changed(state, written_off_minor=state.written_off_minor + event.amount_minor)
        case TaxRelieved():
            return changed(state, relieved_minor=state.relieved_minor + event.tax_minor)
        case WriteOffReversed():
            left_minor, relieved_minor = state.written_off_minor - event.amount_minor, state.relieved_minor - event.tax_minor
            return changed(state, written_off_minor=left_minor, relieved_minor=relieved_minor)
    return state
