"""Events of the credit gate."""

from __future__ import annotations

from typing import Annotated, Literal

from o2c.kernel.event import Pii, Upcast
from o2c.kernel.shapes import CODE_KEPT, Declined, Done, FellOut, LetGo, Requested, SetAside


class CreditRequested(Requested, name="credit.requested", step="credit", stream="order"):
    """The bureau is to be asked, once for the whole order and the sum of its commitments: every call may be a recorded search."""

    example = {"attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class CreditApproved(Done, name="credit.approved", step="credit", stream="order"):
    """Credit was approved, with a limit or (0) without. Version 2 says which policy judged.

    Version 3 says what the order commits to in minor units (0: not on record), under which search at the bureau and until when that holds,
    and which order had the search made (`reused_from`; empty for this one). All three are empty where a person or a deposit decided.
    """

    example = {
        "attempt": 1, "decided_by": "bureau", "limit_minor": 60000, "policy": "credit/2026-02", "committed_minor": 47976,
        "search": "0c1d8a4e-52b7-5e0e-9c41-7d0a4be2f6a3", "reused_from": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff",
        "expires_at": "2026-02-04T09:00:20Z",
    }  # fmt: skip
    upcasts = (
        Upcast(renames={"by": "decided_by"}, defaults={"policy": "credit/unversioned"}),
        Upcast(defaults={"committed_minor": 0, "search": "", "reused_from": "", "expires_at": ""}),
    )
    decided_by: str
    limit_minor: int
    policy: str
    committed_minor: int = 0
    search: str = ""
    reused_from: str = ""
    expires_at: str = ""


class CreditDeclined(Declined, name="credit.declined", step="credit", stream="order"):
    """Credit was declined; the order is rejected. Asking a deposit because of a report is adverse action too (15 USC 1681m)."""

    example = {"reason": "CR-DECLINE", "partner_code": "DECLINE"}


class CreditFellOut(FellOut, name="credit.fell-out", step="credit", stream="order"):
    """The bureau referred the order to an underwriter, wants a deposit (version 2 says of how much, in minor units), or did not answer.

    So it does when the order goes beyond the limit that the bureau gave. Version 3 says by `reused_from` which earlier order had the search
    made; it is empty where this one had.
    """

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "CR-DEPOSIT", "fault_class": "business", "origin": "customer",
        "recoverability": "correctable", "waiting_for": "customer", "queue": "credit", "partner_code": "DEPOSIT",
        "detail": "a deposit of 100.00 GBP", "deposit_minor": 10000, "currency": "GBP", "reused_from": "",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"deposit_minor": 0, "currency": ""}), Upcast(defaults={"reused_from": ""}), CODE_KEPT)
    deposit_minor: int = 0
    currency: str = ""
    reused_from: str = ""


class CreditNoticeRequested(Requested, name="credit-notice.requested", step="credit-notice", stream="order"):
    """The customer is to be told that a decision about credit went against it because of a bureau's report. By when:
    `credit.notice-owed`."""

    example = {"attempt": 1, "due_at": "2026-01-05T09:00:20Z"}


class CreditNoticeSent(Done, name="credit-notice.sent", step="credit-notice", stream="order"):
    """The notice of a decision about credit went out to the customer. What it must say: 15 USC 1681m(a), where that is the law."""

    example = {"attempt": 1}


class CreditNoticeFellOut(FellOut, name="credit-notice.fell-out", step="credit-notice", stream="order"):
    """The notice of a decision about credit did not go out."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class DepositReceived(SetAside, name="deposit.received", step="credit", stream="order"):
    """Money came as a deposit of the order: of `wanted_minor` the bureau asked for, `missing_minor` is still missing with it. Amounts are
    minor units. The reference is what the payer's bank gave with it. Version 2 says on which day it came."""

    example = {
        "amount_minor": 10000, "currency": "GBP", "method": "bank-transfer", "reference": "TFR-88213", "wanted_minor": 10000,
        "missing_minor": 0, "arrived_on": "2026-01-07",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"arrived_on": ""}),)
    amount_minor: int
    currency: str
    method: str
    # Free text of the payer: it may name a person.
    reference: Annotated[str, Pii("remittance")]
    wanted_minor: int
    missing_minor: int
    arrived_on: str = ""


class DepositReleased(LetGo, name="deposit.released", step="credit", stream="order"):
    """The order is over, and keeps its deposit no more: it is retained by the account until enough bills were paid in time, a credit for
    its next invoices, or owed to the customer."""

    example = {"amount_minor": 10000, "currency": "GBP", "becomes": "owed"}
    amount_minor: int
    currency: str
    becomes: Literal["retained", "credit", "owed"]
