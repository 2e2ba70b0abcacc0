"""Charges on one account, and its bill runs, by the rules alone."""

from dataclasses import replace
from typing import Any

from o2c.invoicing.events import InvoiceIssued
from o2c.invoicing.rules import bill
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.charges import ChargeStarted
from tests.given import BOOK, CUSTOMER, MONDAY

STREAM = "account-BA-1001"
ORDER = "order-1001"


def charge(starts_on: str, recurring_minor: int = 1999, one_time_minor: int = 0, item: str = "1", order: str = ORDER) -> ChargeStarted:
    """A monthly price from a day on, and a price once."""
    values = {"recurring_minor": recurring_minor, "one_time_minor": one_time_minor, "item": item, "starts_on": starts_on, "order": order}
    return ChargeStarted.model_validate({**ChargeStarted.example, **values})


def account(*events: Any, state: AccountState | None = None) -> AccountState:
    """The account after these events, each with what follows from it."""
    state = state or AccountState()
    for event in events:
        state = ACCOUNT.evolve(state, event)
        for following in ACCOUNT.advance(state, frozenset({""}), MONDAY, BOOK).events:
            state = ACCOUNT.evolve(state, following)
    return state


def run(state: AccountState) -> tuple[AccountState, InvoiceIssued | None]:
    """The next bill run of an account: the account after it, and the invoice if there was anything to charge."""
    work = replace(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK), read={"customer-C-1001": CUSTOMER})
    decision = bill(work, {}, MONDAY)
    invoices = [event for _, event in decision.elsewhere if isinstance(event, InvoiceIssued)]
    return account(*decision.events, state=state), invoices[0] if invoices else None


def told(invoice: InvoiceIssued | None) -> list[tuple[str, str, str, int]]:
    """The lines of an invoice: kind, from, to (exclusive), net."""
    return [(line.kind, line.from_day, line.to_day, line.net_minor) for line in invoice.lines] if invoice else []
