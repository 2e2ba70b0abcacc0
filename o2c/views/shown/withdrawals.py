"""The right to withdraw from a contract, and withdrawals, as they are shown."""

from __future__ import annotations

from typing import TypedDict


class EndingShown(TypedDict):
    """A product that ends with a withdrawal: what stays owed of it, net; what is taken off invoices, with tax; and what of that goes back,
    with tax. Minor units."""

    product: str
    offering: str
    owed_net_minor: int
    credited_minor: int
    refund_minor: int


class WithdrawalRightShown(TypedDict):
    """Whether a customer may withdraw from the contract of a product (`why` not), through which day (nothing: it has not begun to end), and
    what that would come to today.

    `asked_to_start`: the service was to begin within the period, as the paper of the order or its channel says (`asked_by`), so that it is
    owed by days.
    """

    product: str
    may: bool
    why: str | None
    last_day: str | None
    goods: bool
    asked_to_start: bool
    asked_by: str | None
    declared_on: str | None
    currency: str
    ends: list[EndingShown]
    owed_net_minor: int
    refund_minor: int
    refund_by: str | None
    send_back_by: str | None


class WithdrawalShown(TypedDict):
    """A withdrawal from the contract of a product: whose it was, how it stands, what stays owed or is kept of the price of goods, both net
    of tax, and what goes back with tax, by when. `late` says that the money was, or is, later than the market lets it be; `goods_state` how
    goods stand that come back, and `overdue` that they were not sent back by their day, so that the money is withheld. Amounts are minor
    units."""

    product: str
    order: str
    item: str
    customer: str
    account: str
    offering: str
    goods: bool
    imei: str | None
    currency: str
    declared_on: str
    last_day: str | None
    asked_to_start: bool
    owed_net_minor: int
    send_back_by: str | None
    ended_with: str | None
    sent_on: str | None
    received_on: str | None
    grade: str | None
    kept_net_minor: int
    refund_by: str | None
    state: str
    refund_minor: int
    refunds: list[str]
    refunded_on: str | None
    late: bool
    goods_state: str | None
    overdue: bool


class WithdrawalEventShown(TypedDict):
    """Something that happened to a withdrawal, and by whom."""

    at: str
    event: str
    actor: str


class WithdrawalDetailShown(WithdrawalShown):
    """A withdrawal with what happened to it, oldest first."""

    history: list[WithdrawalEventShown]
