"""The money that an account holds for its customer, as a fold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from o2c.kernel.balances import (
    Compensated,
    CreditPart,
    CreditReceived,
    CreditTakenBack,
    CreditUsed,
    DepositFreed,
    DepositKept,
    DepositRetained,
    GoodwillGiven,
    MoneyReturned,
    OfBalance,
    PrepaidOwed,
    RefundReleased,
    RefundReserved,
    RefundWanted,
    RefundWithdrawn,
)
from o2c.kernel.frozen import changed

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Lot:
    """Money of one origin, in minor units, and how it came: what came above an `invoice`, the `deposit` of an order, a
    `compensation` for a number or an order, or what was left of a `prepaid` payment, which `of` names."""

    origin: str
    of: str
    amount_minor: int
    method: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """Money on no invoice, in minor units: credits and what is owed, each by lots, the oldest first, and deposits by order, with the
    methods by which they came. `returned` are (reference, day, amount) of paybacks. `refunding` goes back by refunds that are under way;
    `refunds` are the names of all that there were, and `wanted` the (amount, author) of those that wait for a second person. `refunded` is
    what goes or went back of a payment, by the payment provider's reference of it, and `set_aside` are the lots, owed and credits, of which
    refunds that are under way are made. `bills` are the numbers of the invoices, the first one first; `retained` are, of the deposits of
    orders that are complete, by order, after how many good bills each is freed, and before which of `bills` none counts. `withdrawn` are
    the refunds that were given up before a second person approved them."""

    credits: tuple[Lot, ...] = ()
    owed: tuple[Lot, ...] = ()
    deposits: dict[str, int] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)
    returned: tuple[tuple[str, str, int], ...] = field(default=(), repr=False)
    refunding: dict[str, int] = field(default_factory=dict)
    refunds: tuple[str, ...] = ()
    wanted: dict[str, tuple[int, str]] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)
    set_aside: dict[str, tuple[tuple[Lot, ...], tuple[Lot, ...]]] = field(default_factory=dict, repr=False)
    bills: tuple[str, ...] = ()
    retained: dict[str, tuple[int, int]] = field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()

    @property
    def credit_minor(self) -> int:
        """The credit that the next invoices use."""
        return _sum(self.credits)

    def credit_of(self, invoice: str, method: str, reference: str) -> int:
        """What is left of the credit that a payment of an invoice made, in minor units."""
        return _sum(lot for lot in self.credits if _made_by(lot, invoice, method, reference))

    def of_credit(self, refund: str) -> int:
        """What of a refund that is under way was a credit, in minor units."""
        return _sum(self.set_aside[refund][1]) if refund in self.set_aside else 0

    @property
    def owed_minor(self) -> int:
        """What is owed to the customer, what goes back by refunds that are under way with it."""
        return _sum(self.owed) + sum(self.refunding.values())

    @property
    def free_owed_minor(self) -> int:
        """What is owed to the customer and goes back by no refund yet."""
        return _sum(self.owed)

    @property
    def returnable_minor(self) -> int:
        """What can be paid back: all but the deposits that are kept and what goes back already."""
        return self.credit_minor + self.free_owed_minor


def _made_by(lot: Lot, invoice: str, method: str, reference: str) -> bool:
    """Whether a payment of an invoice made a credit; one of before it was kept how it came may be of any of them."""
    came_so = not lot.method or (lot.method, lot.reference) == (method, reference)
    return came_so and (lot.origin, lot.of) == ("invoice", invoice)


def _sum(lots: Iterable[Lot]) -> int:
    return sum(lot.amount_minor for lot in lots)


def oldest(lots: Iterable[Lot], amount_minor: int) -> Iterator[Lot]:
    """Give the lots that an amount is made of, the oldest first; less when they hold less."""
    for lot in lots:
        part_minor = min(lot.amount_minor, amount_minor)
        if part_minor > 0:
            amount_minor -= part_minor
            yield changed(lot, amount_minor=part_minor)


def parts_used(balance: Balance, amount_minor: int) -> tuple[CreditPart, ...]:
    """Give what a credit that an invoice uses is made of, the oldest first."""
    return tuple(CreditPart(origin=lot.origin, of=lot.of, amount_minor=lot.amount_minor) for lot in oldest(balance.credits, amount_minor))


def moved(balance: Balance, event: OfBalance) -> Balance:
    """Give the balance after one of its events. A deposit that came before accounts kept any counts from when it is freed."""
    amount_minor = event.amount_minor
    match event:
        case DepositKept():
            deposits = {**balance.deposits, event.order: balance.deposits.get(event.order, 0) + amount_minor}
            return changed(balance, deposits=deposits, methods={**balance.methods, event.order: event.method})
        case DepositFreed():
            return _freed(balance, event)
        case DepositRetained():
            return changed(balance, retained={event.order: (event.good_bills, len(balance.bills)), **balance.retained})
        case CreditReceived():
            lot = Lot("invoice", event.invoice, amount_minor, event.method, event.reference)
            return changed(balance, credits=_with(balance.credits, lot))
        case Compensated():
            return changed(balance, credits=_with(balance.credits, Lot("compensation", event.msisdn or event.order, amount_minor)))
        case GoodwillGiven():
            return changed(balance, credits=_with(balance.credits, Lot("goodwill", event.complaint, amount_minor)))
        case PrepaidOwed():
            return changed(balance, owed=_with(balance.owed, Lot("prepaid", event.reference, amount_minor, event.method, event.reference)))
        case CreditTakenBack():
            return _taken_back(balance, event)
        case CreditUsed():
            return changed(balance, credits=_less(balance.credits, amount_minor))
        case RefundWanted():
            names = {"refunds": (*balance.refunds, event.refund)}
            return changed(balance, **names, wanted={**balance.wanted, event.refund: (amount_minor, event.author)})
        case RefundWithdrawn():
            wanted = {name: one for name, one in balance.wanted.items() if name != event.refund}
            return changed(balance, wanted=wanted, withdrawn=(*balance.withdrawn, event.refund))
        case RefundReleased():
            return _released(balance, event)
        case RefundReserved():
            return _reserved(balance, event)
        case MoneyReturned(refund=refund) if refund in balance.refunding:
            return changed(balance, refunding=_without(balance.refunding, refund), set_aside=_but(balance.set_aside, refund))
        case MoneyReturned():
            return changed(
                balance,
                owed=_less(balance.owed, event.of_owed_minor),
                credits=_less(balance.credits, amount_minor - event.of_owed_minor),
                returned=(*balance.returned, (event.remittance, event.returned_on, amount_minor)),
            )
    return balance


def _taken_back(balance: Balance, event: CreditTakenBack) -> Balance:
    """The balance without a credit that one payment made; whatever of it is not there, which no rule decides, comes off the oldest."""
    left_minor, credits = event.amount_minor, []
    for lot in balance.credits:
        part_minor = min(lot.amount_minor, left_minor) if _made_by(lot, event.invoice, event.method, event.reference) else 0
        left_minor -= part_minor
        if lot.amount_minor > part_minor:
            credits.append(changed(lot, amount_minor=lot.amount_minor - part_minor))
    return changed(balance, credits=_less(tuple(credits), left_minor) if left_minor else tuple(credits))


def _reserved(balance: Balance, event: RefundReserved) -> Balance:
    known = event.refund in balance.refunds
    of_owed_minor, before = event.amount_minor - event.of_credit_minor, balance.set_aside.get(event.refund, ((), ()))
    owed, credits = oldest(balance.owed, of_owed_minor), oldest(balance.credits, event.of_credit_minor)
    of_payment = balance.refunded.get(event.reference, 0) + event.amount_minor
    return changed(
        balance,
        owed=_less(balance.owed, event.amount_minor - event.of_credit_minor),
        credits=_less(balance.credits, event.of_credit_minor),
        refunding={**balance.refunding, event.refund: balance.refunding.get(event.refund, 0) + event.amount_minor},
        refunds=balance.refunds if known else (*balance.refunds, event.refund),
        wanted={name: one for name, one in balance.wanted.items() if name != event.refund},
        set_aside={**balance.set_aside, event.refund: ((*before[0], *owed), (*before[1], *credits))},
        refunded={**balance.refunded, event.reference: of_payment} if event.reference else balance.refunded,
    )


def _released(balance: Balance, event: RefundReleased) -> Balance:
    """The balance with the money of a refund that was given up, in front: it is the oldest again."""
    owed, credits = balance.set_aside.get(event.refund, ((), ()))
    of_payment = balance.refunded.get(event.reference, 0) - event.amount_minor
    return changed(
        balance,
        owed=(*owed, *balance.owed),
        credits=(*credits, *balance.credits),
        refunding=_without(balance.refunding, event.refund),
        set_aside=_but(balance.set_aside, event.refund),
        refunded={**balance.refunded, event.reference: of_payment} if event.reference else balance.refunded,
    )


def _but(lots: Mapping[str, Any], refund: str) -> dict[str, Any]:
    return {name: of for name, of in lots.items() if name != refund}


def billed(balance: Balance, invoice: str) -> Balance:
    """Give the balance after an invoice was issued: it counts for the deposits that are kept, and one that comes later may be set off
    against it."""
    return changed(balance, bills=(*balance.bills, invoice)) if invoice else balance


def _kept_less(balance: Balance, event: DepositFreed) -> Balance:
    """The balance with so much less of a deposit."""
    deposits = {order: minor - (event.amount_minor if order == event.order else 0) for order, minor in balance.deposits.items()}
    deposits = {order: minor for order, minor in deposits.items() if minor > 0}
    retained = {order: of for order, of in balance.retained.items() if order in deposits}
    return changed(balance, deposits=deposits, retained=retained)


def _freed(balance: Balance, event: DepositFreed) -> Balance:
    balance = _kept_less(balance, event)
    lot = Lot("deposit", event.order, event.amount_minor, balance.methods.get(event.order, ""))
    if event.becomes == "credit":
        return changed(balance, credits=_with(balance.credits, lot))
    return changed(balance, owed=_with(balance.owed, lot))


def _with(lots: tuple[Lot, ...], lot: Lot) -> tuple[Lot, ...]:
    """The lots with one more. What was taken out before it came, in a history that no rule decided, is taken out of it."""
    return _less((), -lots[0].amount_minor - lot.amount_minor) if lots and lots[0].amount_minor < 0 else (*lots, lot)


def _less(lots: tuple[Lot, ...], amount_minor: int) -> tuple[Lot, ...]:
    """The lots without an amount, the oldest used up first. More than there is, which no rule decides, stands as less than nothing."""
    left = []
    for lot in lots:
        part_minor = min(lot.amount_minor, amount_minor)
        amount_minor -= part_minor
        if lot.amount_minor > part_minor:
            left.append(changed(lot, amount_minor=lot.amount_minor - part_minor))
    return (*left, Lot("", "", -amount_minor)) if amount_minor else tuple(left)


def _without(amounts: Mapping[str, int], name: str) -> dict[str, int]:
    return {other: amount_minor for other, amount_minor in amounts.items() if other != name}
