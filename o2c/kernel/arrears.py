"""What invoices tell of money that is owed past its due day. Invoicing and payments say it, collections go by it; they do not import one
another."""

from __future__ import annotations

from typing import Any, Literal

from o2c.kernel.charges import account_stream
from o2c.kernel.event import Event, Upcast
from o2c.kernel.lateness import LatePaymentNoted, claims_minor

Cause = Literal["overdue", "payment", "dispute", "chargeback", "credit", "refund"]


class ArrearsChanged(Event, name="collections.arrears-changed", stream="collection"):
    """What an account owes past its due day on one invoice is `open_minor` now, in minor units, of which `disputed_minor` is in dispute;
    nothing when it is paid. An invoice knows of no dispute: it says 0, and what was said where the dispute was opened or settled (cause
    dispute) holds on. `answer` is our code for how the last attempt to collect it ended, empty where none fell out.

    Version 2 says whether the customer is a `business`, who owes interest for late payment, and by which local day what is paid had come
    (`paid_on`), or how much was credited of the invoice in all, paid or not (`credited_minor`); before it nothing was said of interest, and
    none was owed. Version 3 says how much of the open amount is itself charged for late payment (`claims_minor`), on which no interest
    runs: what is paid pays the rest first.
    """

    example = {
        "account": "BA-1001", "customer": "C-1001", "market": "GB@2026-01", "currency": "GBP", "invoice": "BA-1001-20260108",
        "due_on": "2026-01-22", "open_minor": 2399, "cause": "overdue", "answer": "PAY-AUTH",
        "business": False, "paid_on": "", "credited_minor": 0, "claims_minor": 0,
    }  # fmt: skip
    upcasts = (Upcast(defaults={"business": False, "paid_on": "", "credited_minor": 0}), Upcast(defaults={"claims_minor": 0}))
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
    claims_minor: int = 0

    @property
    def bearing_minor(self) -> int:
        """What of the open amount bears interest, in minor units."""
        return max(self.open_minor - self.claims_minor, 0)


def collection_stream(account: str) -> str:
    """Give the name of the stream of an account's collections: `collection-` and the id of the account."""
    return f"collection-{account}"


Told = tuple[tuple[str, Event], ...]
"""Events of other streams, each with the name of its stream."""


def arrears(state: Any, market: Any, *, open_minor: int, due_on: str, cause: Cause, on: str, of_claims_minor: int = 0, **more: Any) -> Told:
    """Give what collections are told of an invoice in arrears, as it was issued and is due now, with the name of their stream; and its
    account, where it is to charge for late payment. `on` is the local day of now, `of_claims_minor` what a note takes off that is charged
    for late payment itself, and `more` are other fields of it."""
    issued = state.issued
    taken_minor = sum(state.noted.lines.get(str(place), 0) * bool(claims_minor([line])) for place, line in enumerate(issued.lines, 1))
    claimed_minor = max(claims_minor(issued.lines) - taken_minor - of_claims_minor, 0)
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
        claims_minor=min(claimed_minor, max(open_minor, 0)),
        **more,
    )
    told = ((collection_stream(issued.account), changed),)
    if not (issued.business and market.collections.charges_late) or claims_minor(issued.lines) == issued.total_minor:
        return told
    of = {"account": issued.account, "customer": issued.customer, "invoice": issued.number}
    late = LatePaymentNoted(**of, open=changed.bearing_minor > 0, on=on)
    return (*told, (account_stream(issued.account), late))


def paid_off(state: Any, market: Any, amount_minor: int, *, paid_on: str, on: str) -> Told:
    """Give what is told when money comes for an invoice that had come by the local day `paid_on`, on the day `on`: nothing of one that is
    not overdue, or of which nothing is owed.

    What was written off is owed all the same.
    """
    if not state.overdue or state.owed_minor <= 0 or not amount_minor:
        return ()
    open_minor = max(state.owed_minor - amount_minor, 0)
    return arrears(state, market, open_minor=open_minor, due_on=state.due_on, cause="payment", on=on, paid_on=paid_on)


def credited_of(state: Any, market: Any, of_open_minor: int, credited_minor: int, of_claims_minor: int, on: str) -> Told:
    """Give what is told when an invoice is credited, as `paid_off` does. A business is told for of what was paid as well: it was never
    owed, and no interest on it; what is credited of what was charged for late payment lowers no debt that bears interest."""
    owed_minor = max(state.owed_minor, 0)
    lowers = owed_minor and of_open_minor
    if not state.overdue or not (lowers or (credited_minor and state.issued.business)):
        return ()
    open_minor, never_owed_minor = max(owed_minor - of_open_minor, 0), credited_minor - of_claims_minor
    return arrears(
        state,
        market,
        open_minor=open_minor,
        due_on=state.due_on,
        cause="credit",
        on=on,
        of_claims_minor=of_claims_minor,
        credited_minor=never_owed_minor,
    )
