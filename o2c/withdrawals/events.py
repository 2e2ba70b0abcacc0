"""Events of a withdrawal from one contract: the declaration, the goods that come back, and the refund.

Source: Directive 2011/83/EU, art. 9 to 16; the statutes of each market stand with its rules (`markets.life.WithdrawalRules`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from o2c.kernel.event import Event, Names, Upcast
from o2c.kernel.shapes import Done, FellOut, Requested, Undertaken

Grade = Literal["as-new", "used", "damaged", "lost"]
"""How goods came back: as new; used more than it takes to see what they are like; damaged; or lost on their way back under our label."""
AskedBy = Literal["paper", "channel", ""]
"""What says whether the customer asked that the service begins within the period: the paper of the order, or the form of its channel; empty
for goods."""
_PRODUCT = "960dd07c-b654-5d95-9a31-65845ce3ab78:1"
_FELL = {
    "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "LOG-LOST", "fault_class": "technical", "origin": "partner",
    "recoverability": "fatal", "waiting_for": "us", "queue": "logistics", "partner_code": "LOST",
}  # fmt: skip


class WithdrawalDeclared(Event, name="withdrawal.declared", stream="withdrawal"):
    """A consumer withdrew from the contract of a product on the local date `declared_on`; the period ran through `last_day` (empty: it had
    not begun to end).

    `ended_with` is the product whose contract this one depends on, empty where it was withdrawn from itself; `relies_on` are the products
    that it was added to. `charge` is the `ORDER/ITEM` under which it is charged. A service is owed by days, `owed_minor` in all, net, in
    minor units, where the customer `asked_to_start` within the period; for goods it is nothing. Money goes back by `refund_by` (empty: once
    the goods are back or were proven sent); `goods` are sent back by `send_back_by`.
    """

    upcasts = (Upcast(defaults={"relies_on": ()}),)
    example = {
        "product": _PRODUCT, "order": "960dd07c-b654-5d95-9a31-65845ce3ab78", "item": "1", "customer": "C-1001", "account": "BA-1001", "market": "GB@2026-01",
        "currency": "GBP", "offering": "mobile-line", "goods": False, "imei": "", "charge": "960dd07c-b654-5d95-9a31-65845ce3ab78/1", "declared_on": "2026-01-10",
        "last_day": "2026-01-19", "asked_to_start": True, "asked_by": "channel", "owed_minor": 298, "refund_by": "2026-01-24", "send_back_by": "", "ended_with": "",
    }  # fmt: skip
    product: str
    order: str
    item: str
    customer: str
    account: str
    market: str
    currency: str
    offering: str
    goods: bool
    imei: Annotated[str, Names("device")]
    charge: str
    declared_on: str
    last_day: str
    asked_to_start: bool
    asked_by: AskedBy
    owed_minor: int
    refund_by: str
    send_back_by: str
    ended_with: str = ""
    relies_on: tuple[str, ...] = ()


class WithdrawalAwaited(Requested, name="withdrawal-to-come.requested", step="withdrawal-to-come", stream="withdrawal"):
    """A consumer withdrew on the local date `declared_on` from a contract whose `item` could be stopped no more: the contract ends once the
    item is there, as of its first day. It is looked at again at `due_at`; the period ran through `last_day` (empty: it had not begun to
    end). `account` is the one that the item is billed to."""

    example = {
        "attempt": 1, "due_at": "2026-01-11T09:00:00Z", "product": _PRODUCT, "order": "960dd07c-b654-5d95-9a31-65845ce3ab78", "of": "1", "customer": "C-1001",
        "account": "BA-1001", "market": "GB@2026-01", "declared_on": "2026-01-10", "last_day": "2026-01-19",
    }  # fmt: skip
    product: str
    order: str
    of: str
    customer: str
    account: str
    market: str
    declared_on: str
    last_day: str


class WithdrawnFromCame(Done, name="withdrawal-to-come.came", step="withdrawal-to-come", stream="withdrawal"):
    """The item that was withdrawn from while it was on its way is there since the local date `came_on`: its contract is over
    (`withdrawal.declared`)."""

    example = {"attempt": 1, "came_on": "2026-01-12"}
    came_on: str


class WithdrawalToComeFellOut(FellOut, name="withdrawal-to-come.fell-out", step="withdrawal-to-come", stream="withdrawal"):
    """The contract of an item that was withdrawn from while it was on its way could not be ended."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class WithdrawalSwitchOffRequested(Requested, name="withdrawal-switch-off.requested", step="withdrawal-switch-off", stream="withdrawal"):
    """The network is to switch the service off; it is not charged from the day of the declaration on, whenever that is done."""

    example = {"attempt": 1, "due_at": "2026-01-10T09:00:00Z"}


class WithdrawnServiceOff(Done, name="withdrawal-switch-off.completed", step="withdrawal-switch-off", stream="withdrawal"):
    """The service is off, since the local date `switched_off_on`."""

    example = {"attempt": 1, "switched_off_on": "2026-01-10"}
    switched_off_on: str


class WithdrawalSwitchOffFellOut(FellOut, name="withdrawal-switch-off.fell-out", step="withdrawal-switch-off", stream="withdrawal"):
    """The network did not switch the service off."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NET-HLR", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "network", "partner_code": "UNAVAILABLE",
    }  # fmt: skip


class ReturnLabelRequested(Requested, name="goods-return.label-requested", step="goods-return", stream="withdrawal"):
    """The courier is to give a label by which the customer sends the goods back."""

    example = {"attempt": 1, "due_at": "2026-01-10T09:30:00Z"}


class ReturnLabelIssued(Undertaken, name="goods-return.label-issued", step="goods-return", stream="withdrawal"):
    """The courier gave a label under a reference of its own, which is that of the parcel; it is asked about it at `ask_again_at`."""

    example = {"attempt": 1, "reference": "PCL-20395", "ask_again_at": "2026-01-12T12:00:00Z"}


class GoodsReceived(Done, name="goods-return.received", step="goods-return", stream="withdrawal"):
    """The parcel is back, since the local date `received_on`, to be looked at; the money goes back by `refund_by`."""

    example = {"attempt": 1, "reference": "PCL-20395", "received_on": "2026-01-12", "refund_by": "2026-01-26"}
    reference: str
    received_on: str
    refund_by: str


class GoodsReturnFellOut(FellOut, name="goods-return.fell-out", step="goods-return", stream="withdrawal"):
    """The courier gave no label, or lost the parcel."""

    upcasts = ()
    example = _FELL


class GoodsProvenSent(Event, name="goods-return.proven-sent", stream="withdrawal"):
    """The customer proved that the goods were sent back, on the local date `sent_on`, under a carrier's reference; the money goes back by
    `refund_by` at the latest."""

    example = {"sent_on": "2026-01-11", "reference": "PCL-20395", "refund_by": "2026-01-25"}
    sent_on: str
    reference: str
    refund_by: str


class GoodsGraded(Event, name="goods-return.graded", stream="withdrawal"):
    """The goods were looked at on the local date `graded_on`: of their price `kept_minor` is kept, net, in minor units, for what they lost
    in value."""

    example = {"grade": "as-new", "kept_minor": 0, "graded_on": "2026-01-13", "refund_by": "2026-01-26", "author": "ann"}
    grade: Grade
    kept_minor: int
    graded_on: str
    refund_by: str
    author: str


class GoodsCredited(Event, name="goods-return.credited", stream="withdrawal"):
    """The goods are on their way, as was proven, and nobody has looked at them: their whole price is credited, so that the money goes back
    in time."""

    example = {"credited_on": "2026-01-23"}
    credited_on: str


class WithdrawalRefundRequested(Requested, name="withdrawal-refund.requested", step="withdrawal-refund", stream="withdrawal"):
    """What was paid and is not owed is to go back."""

    example = {"attempt": 1, "due_at": "2026-01-11T09:00:00Z"}


class WithdrawalSettled(Done, name="withdrawal-refund.settled", step="withdrawal-refund", stream="withdrawal"):
    """What was paid and is not owed, `amount_minor` with tax, goes back by these `refunds` of the account; by none where nothing was
    paid."""

    example = {"attempt": 1, "amount_minor": 2041, "refunds": ["BA-1001-R1"]}
    amount_minor: int
    refunds: tuple[str, ...]


class WithdrawalRefundFellOut(FellOut, name="withdrawal-refund.fell-out", step="withdrawal-refund", stream="withdrawal"):
    """The refund could not be asked for."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
