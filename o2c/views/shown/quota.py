"""Quota and prepaid money as they are shown."""

from __future__ import annotations

from typing import TypedDict


class QuotaShown(TypedDict):
    """What became of a request of a session, in base units. `granted` 0 says `why`: no-price, limit or balance.

    With `final_unit` nothing more can be granted after it. `used` and `freed` are of a commit, `charged_minor` is what it took off the
    prepaid balance, which leaves `balance_minor` (None where nothing was committed). `repeated` says that the request had come before: then
    nothing was done, and the answer is the first one.
    """

    account: str
    session: str
    request: int
    unit: str
    granted: int
    final_unit: bool
    why: str
    valid_until: str
    used: int
    freed: int
    charged_minor: int
    balance_minor: int | None
    repeated: bool


class TopUpShown(TypedDict):
    """What is left of a top-up; it expires at `expires_at` (empty: never)."""

    reference: str
    amount_minor: int
    left_minor: int
    expires_at: str


class HoldShown(TypedDict):
    """Units that are held for a session of a line."""

    session: str
    order: str
    item: str
    usage: str
    zone: str
    unit: str
    granted: int
    began_at: str
    valid_until: str


class PrepaidReturnedShown(TypedDict):
    """What went back of prepaid money, as its customer left and asked for it: what these top-ups had left, what was kept of it for that,
    its refunds, and the day by which they are due."""

    amount_minor: int
    fee_minor: int
    references: list[str]
    refunds: list[str]
    asked_on: str
    refund_by: str


class PrepaidShown(TypedDict):
    """The prepaid money of an account and the units that sessions hold, at a time."""

    account: str
    currency: str
    balance_minor: int
    top_ups: list[TopUpShown]
    holds: list[HoldShown]
    returned: list[PrepaidReturnedShown]
    at: str
