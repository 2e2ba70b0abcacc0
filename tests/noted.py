"""Invoices of which something is taken off, by the rules alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from o2c.invoicing import notes
from o2c.invoicing.events import CreditNoteIssued, InvoiceIssued
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.papers import InvoiceLine, tax_sums
from o2c.kernel.decision import Decision
from o2c.kernel.work import Work
from tests.given import BOOK, MONDAY

STREAM = "invoice-BA-1001-20260108"


def invoice(*lines: tuple[int, str], **changes: Any) -> InvoiceState:
    """An invoice with lines of (net, rate in percent); each rate is a tax group of its own."""
    [example] = InvoiceIssued.example["lines"]
    made = [
        InvoiceLine.model_validate({**example, "net_minor": net, "tax_group": f"at {rate}", "tax_percent": rate, "item": str(place)})
        for place, (net, rate) in enumerate(lines or [(1999, "20")], 1)
    ]
    taxes = tax_sums(made)
    net, tax = sum(line.net_minor for line in made), sum(one.tax_minor for one in taxes)
    body = {**InvoiceIssued.example, "lines": made, "taxes": taxes, "net_minor": net, "tax_minor": tax, "total_minor": net + tax, **changes}
    return INVOICE.evolve(INVOICE.initial(STREAM), InvoiceIssued.model_validate(body))


def work(state: InvoiceState) -> Work:
    return INVOICE.work(state, STREAM, "", "payment", BOOK)


def credit(state: InvoiceState, lines: Mapping[int, int] | None = None, *, author: str = "ann", at: datetime = MONDAY) -> Decision:
    """Credit net amounts of lines, or all that is left."""
    return notes.request(work(state), lines=lines, reason="goodwill", comment="", author=author, at=at, begun_by=at)


def approved(state: InvoiceState, note: str, by: str = "bob") -> Decision:
    return notes.approve(work(state), note, approved_by=by, at=MONDAY, begun_by=MONDAY)


def after(state: InvoiceState, decision: Decision) -> InvoiceState:
    """The invoice after a decision about it."""
    for event in decision.events:
        state = INVOICE.evolve(state, event)
    return state


def in_notes(state: InvoiceState, steps: Sequence[Mapping[int, int] | None]) -> tuple[InvoiceState, list[CreditNoteIssued]]:
    """The invoice, and its notes, after these were issued one after another, with a second person where one is needed."""
    issued = []
    for lines in steps:
        decision = credit(state, lines)
        state = after(state, decision)
        for name in state.noted.wanted:
            decision = approved(state, name)
            state = after(state, decision)
        issued += [event for event in decision.events if isinstance(event, CreditNoteIssued)]
    return state, issued


def ended(state: InvoiceState, on: str = "2026-01-20", item: str = "1") -> Decision:
    order = InvoiceIssued.example["order"]
    return notes.unserved(work(state), order=order, item=item, ended_on=on, at=MONDAY)


def _wanted() -> InvoiceState:
    state = invoice((20_000, "20"))
    return after(state, credit(state, {1: 15_000}))


OF_NOTES = [
    pytest.param(INVOICE, invoice(), ended, id="credit-what-is-not-served"),
    pytest.param(INVOICE, _wanted(), lambda state: approved(state, "BA-1001-20260108-C1"), id="approve-a-credit-note"),
    pytest.param(
        INVOICE,
        invoice(),
        lambda state: notes.void(work(state), reason="billed-in-error", comment="", begun_by=MONDAY),
        id="void-an-invoice",
    ),
]
"""By kind of stream and state, the rules that decide once and, on what they made, nothing."""
