"""What invoices tell of money that is owed past its due day. Invoicing and payments say it, collections go by it; they do not import one another."""

from __future__ import annotations

from typing import Any, Literal

from o2c.kernel.event import Event, Upcast

Cause = Literal["overdue", "payment", "dispute", "chargeback", "credit"]


class ArrearsChanged(Event, name="collections.arrears-changed", stream="collection"):
    """What an account owes past its due day on one invoice is `open_minor` now, in minor units, of which `disputed_minor` is in dispute; nothing
    when it is paid. An invoice knows of no dispute: it says 0, and what was said where the dispute was opened or settled (cause dispute) holds on. `answer` is our code for how the last attempt to collect it ended, empty where none fell out.

    Version 2 says whether the customer is a `business`, who owes interest for late payment, and by which local day what is paid had come (`paid_on`), or
    how much was credited of the invoice in all, paid or not (`credited_minor`); before it nothing was said of interest, and none was owed.
    """

    example = {
        "account": "BA-1001", "customer": "C-1001", "market": "GB@2026-01", "currency": "GBP", "invoice": "BA-1001-20260108",
        "due_on": "2026-01-22", "open_minor": 2399, "cause": "overdue", "answer": "PAY-AUTH",
        "business": False, "paid_on": "", "credited_minor": 0,
    }  # fmt: skip
    upcasts = (Upcast(defaults={"business": False, "paid_on": "", "credited_minor": 0}),)
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
    business: bool = False
    paid_on: str = ""
    credited_minor: int = 0


def collection_stream(account: str) -> str:
    """Give the name of the stream of an account's collections: `collection-` and the id of the account."""
    return f"collection-{account}"


def arrears(issued: Any, *, open_minor: int, due_on: str, cause: Cause, **more: Any) -> tuple[str, ArrearsChanged]:
    """Give what collections are told of an invoice, as it was issued and is due now, with the name of their stream. `more` are other fields of it."""
    changed = ArrearsChanged(
        account=issued.account,
        customer=issued.customer,
        market=issued.market,
        currency=issued.currency,
        invoice=issued.number,
        due_on=due_on,
        open_minor=open_minor,
        cause=cause,
        business=issued.business,
        **more,
    )
    return collection_stream(issued.account), changed


def paid_off(state: Any, amount_minor: int, paid_on: str) -> tuple[tuple[str, ArrearsChanged], ...]:
    """Give what collections are told when money comes for an invoice, on a local day: nothing of one that is not overdue, or of which nothing is owed.

    What was written off is owed all the same.
    """
    if not state.overdue or state.owed_minor <= 0 or not amount_minor:
        return ()
    open_minor = max(state.owed_minor - amount_minor, 0)
    return (arrears(state.issued, open_minor=open_minor, due_on=state.due_on, cause="payment", paid_on=paid_on),)


def credited_of(state: Any, of_open_minor: int, credited_minor: int) -> tuple[tuple[str, ArrearsChanged], ...]:
    """Give what collections are told when an invoice is credited, as `paid_off` does. A business is told for of what was paid as well: it was never owed,
    and no interest on it."""
    owed_minor = max(state.owed_minor, 0)
    lowers = owed_minor and of_open_minor
    if not state.overdue or not (lowers or (credited_minor and state.issued.business)):
        return ()
    open_minor = max(owed_minor - of_open_minor, 0)
    return (arrears(state.issued, open_minor=open_minor, due_on=state.due_on, cause="credit", credited_minor=credited_minor),)
