"""What invoices tell of money that is owed past its due day. Invoicing and payments say it, collections go by it; they do not import one another."""

from __future__ import annotations

from typing import Any, Literal

from o2c.kernel.event import Event

Cause = Literal["overdue", "payment", "dispute", "chargeback", "credit"]


class ArrearsChanged(Event, name="collections.arrears-changed", stream="collection"):
    """What an account owes past its due day on one invoice is `open_minor` now, in minor units, of which `disputed_minor` is in dispute; nothing
    when it is paid. An invoice knows of no dispute: it says 0, and what was said where the dispute was opened or settled (cause dispute) holds on. `answer` is our code for how the last attempt to collect it ended, empty where none fell out."""

    example = {
        "account": "BA-1001", "customer": "C-1001", "market": "GB@2026-01", "currency": "GBP", "invoice": "BA-1001-20260108",
        "due_on": "2026-01-22", "open_minor": 2399, "cause": "overdue", "answer": "PAY-AUTH",
    }  # fmt: skip
    account: str
    customer: str
    market: str
    currency: str
    invoice: str
    due_on: str
    open_minor: int
    cause: Cause
    answer: str = ""
    disputed_minor: int = 0


def collection_stream(account: str) -> str:
    """Give the name of the stream of an account's collections: `collection-` and the id of the account."""
    return f"collection-{account}"


def arrears(issued: Any, *, open_minor: int, due_on: str, cause: Cause, answer: str = "") -> tuple[str, ArrearsChanged]:
    """Give what collections are told of an invoice, as it was issued and is due now, with the name of their stream."""
    changed = ArrearsChanged(
        account=issued.account,
        customer=issued.customer,
        market=issued.market,
        currency=issued.currency,
        invoice=issued.number,
        due_on=due_on,
        open_minor=open_minor,
        cause=cause,
        answer=answer,
    )
    return collection_stream(issued.account), changed


def eased(state: Any, amount_minor: int, cause: Cause) -> tuple[tuple[str, ArrearsChanged], ...]:
    """Give what collections are told when an amount comes off an invoice: nothing of one that is not overdue, or of which nothing is owed.

    What was written off is owed all the same.
    """
    if not state.overdue or state.owed_minor <= 0 or not amount_minor:
        return ()
    return (arrears(state.issued, open_minor=max(state.owed_minor - amount_minor, 0), due_on=state.due_on, cause=cause),)
