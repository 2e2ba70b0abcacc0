"""A charge of an account, as its stream has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from o2c.invoicing.events import CreditDue, WithdrawalCreditAsked
from o2c.kernel.charges import (
    MONTHLY,
    ChargeRested,
    ChargeResumed,
    ChargeWithdrawn,
    GoodsTakenBack,
    OfRest,
    PriceTerms,
    WhileBarred,
)
from o2c.kernel.frozen import changed
from o2c.kernel.periods import Period


@dataclass(frozen=True, slots=True)
class Rest:
    """Days that are not charged as the line is barred, from one on, up to, not including, another (empty: it is barred still)."""

    from_day: str
    credited: bool
    to_day: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A service charged from `starts_on`; billed up to, not including, `billed_to` (empty: not yet).

    A monthly price follows the bill cycle of the account; any other has periods of its own, which begin on the anniversaries of
    `starts_on`. `first_invoice` billed it first, with what it charges once, and `invoice` last; `ended_on` is the day from which it is not
    served (empty: it is, or nobody knows), `served` says that days until then which are not billed still are, and `credited` that what was
    billed from that day on is being credited. The one-time price of `goods` is on `goods_invoice`, an invoice of its own, paid in so many
    `instalments`. `product` is what it is for, where another item brought that. `rests` are the days on which it is not charged, the first
    ones first. `since` is as in `account.charge-started`. Who withdrew from the contract does not owe what is charged once
    (`one_time_owed`); goods that he sent back were `taken_back_on` a day (empty: not), and `kept_minor` of their price is kept, net.
    `once_credited` says that what was charged once is being credited.
    """

    order: str
    item: str
    offering: str
    recurring_minor: int
    one_time_minor: int
    starts_on: str
    billed_to: str = ""
    withdrawn: bool = False
    terms: PriceTerms = MONTHLY
    invoice: str = ""
    ended_on: str = ""
    credited: bool = False
    served: bool = False
    goods: bool = False
    instalments: int = 1
    goods_invoice: str = ""
    product: str = ""
    rests: tuple[Rest, ...] = ()
    since: str = ""
    one_time_owed: bool = True
    taken_back_on: str = ""
    kept_minor: int = 0
    first_invoice: str = ""
    once_credited: bool = False

    @property
    def priced_from(self) -> str:
        """The day from which its discounts hold and rises of its price count: that on which an earlier charge began which it goes on
        with."""
        return self.since or self.starts_on

    @property
    def rest(self) -> Rest | None:
        """The rest that goes on; None where it is charged."""
        return self.rests[-1] if self.rests and not self.rests[-1].to_day else None

    @property
    def while_barred(self) -> WhileBarred:
        """By which policy its days of now are charged, or are not."""
        return "charged" if self.rest is None else "credited" if self.rest.credited else "not-charged"

    def charged_days(self, days: Period) -> Iterator[Period]:
        """The parts of some days on which it does not rest."""
        rests = [(date.fromisoformat(one.from_day), date.fromisoformat(one.to_day) if one.to_day else days.end) for one in self.rests]
        edges = sorted({days.start, days.end, *(day for rest in rests for day in rest if days.start < day < days.end)})
        parts = [Period(start, end) for start, end in pairwise(edges) if not any(one <= start < other for one, other in rests)]
        while parts:
            first = parts.pop(0)
            while parts and parts[0].start == first.end:
                first = Period(first.start, parts.pop(0).end)
            yield first

    @property
    def ends_with_its_invoice(self) -> bool:
        """Whether it is of goods alone, which no bill run charges."""
        return self.goods and not self.recurring_minor

    @property
    def owed_once(self) -> bool:
        """Whether it is over, and what it charges once is on no bill: a contract that ended before its term."""
        return self.withdrawn and self.served and not self.goods and not self.billed_to and bool(self.one_time_minor)

    @property
    def to_invoice(self) -> bool:
        """Whether it is of goods that were delivered and stand on no invoice."""
        return self.goods and not self.withdrawn and not self.goods_invoice and bool(self.one_time_minor)

    @property
    def place(self) -> str:
        """The item that it serves, as `ORDER/ITEM`: that which brought the product, where another item of after changed it."""
        return self.product.replace(":", "/") or f"{self.order}/{self.item}"

    @property
    def in_cycle(self) -> bool:
        """Whether its periods are those of the account's bill cycle."""
        return self.terms.recurrence.monthly

    @property
    def unserved(self) -> bool:
        """Whether days were billed that will not be served, and nobody credits them yet."""
        return bool(self.recurring_minor and self.invoice and self.not_served_from and self.not_served_from < self.billed_to)

    @property
    def not_served_from(self) -> str:
        """The day from which what was billed is to be credited: that of its end, or of a bar by whose policy it is; empty for none."""
        if self.withdrawn:
            return "" if self.credited else self.ended_on
        return self.rest.from_day if self.rest and self.rest.credited else ""

    @property
    def billed_once_by(self) -> str:
        """The invoice that has what it charges once, which is not owed any more as the customer withdrew, and nobody credits yet; empty for
        none. Goods have to be back first."""
        if self.one_time_owed or self.once_credited or not self.one_time_minor or (self.goods and not self.taken_back_on):
            return ""
        return self.goods_invoice if self.goods else self.first_invoice or self.invoice

    @property
    def billed_by(self) -> tuple[str, ...]:
        """The invoices that billed it, of which something may be given back: that with what is charged once, the first, and the last. A
        period for withdrawal is shorter than two of theirs."""
        return tuple(dict.fromkeys(each for each in (self.goods_invoice, self.first_invoice, self.invoice) if each))


def of_withdrawal(charge: Charge, event: ChargeWithdrawn | GoodsTakenBack) -> dict[str, Any]:
    """What changes of a charge that ends, or whose goods are back: what is charged once and is on no bill yet is not billed to who withdrew
    from the contract."""
    if isinstance(event, GoodsTakenBack):
        return {"taken_back_on": event.taken_back_on, "kept_minor": event.kept_minor}
    ended = {"withdrawn": True, "ended_on": event.ended_on, "served": event.served, "one_time_owed": event.one_time_owed}
    waived = not event.one_time_owed and not charge.goods and not charge.billed_to
    return ended | ({"one_time_minor": 0} if waived else {})


def resting(charge: Charge, event: OfRest | CreditDue) -> dict[str, Any]:
    """What changes of a charge that rests, serves again, or is credited: one that rests is billed anew from there on, once it serves."""
    match event:
        case ChargeRested():
            return {"rests": (*charge.rests, Rest(event.rested_from, event.credited))}
        case ChargeResumed():
            return {"rests": (*charge.rests[:-1], changed(charge.rests[-1], to_day=event.resumed_on))} if charge.rests else {}
        case CreditDue() if not charge.withdrawn:
            return {"billed_to": min(charge.billed_to, event.ended_on)}
        case WithdrawalCreditAsked():
            return {"credited": True, "once_credited": True}
    return {"credited": True}
