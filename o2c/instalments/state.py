"""Agreements to pay in instalments, as a fold of the account's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from o2c.instalments.events import AtEnd, InstalmentBilled, InstalmentsAgreed, InstalmentsSettled, OfInstalments, SettlementAsked
from o2c.kernel.frozen import changed
from o2c.kernel.money import allocate


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement over `total_minor` in `count` instalments. `billed_on` are the days of the bills that have one, in order.

    `settling_minor` is what is to be billed at once and is not yet; `settled_on` the day on which that was asked for, or on which all was
    due as the service had ended (empty: neither). `at_end` is what was agreed for that.
    """

    order: str
    item: str
    offering: str
    invoice: str
    total_minor: int
    count: int
    agreed_on: str
    billed_on: tuple[str, ...] = ()
    settling_minor: int = 0
    settled_on: str = ""
    at_end: AtEnd = "on-plan"

    @property
    def shares(self) -> tuple[int, ...]:
        """The instalments, in minor units: they sum to the total, and the first ones bear what cannot be shared out (largest remainder)."""
        return shares_of(self.total_minor, self.count)

    @property
    def left_minor(self) -> int:
        """What is on no bill yet and will be on one with an instalment: nothing once it is settled."""
        return 0 if self.settled_on else sum(self.shares[len(self.billed_on) :])


Agreements = Mapping[str, Agreement]
"""By `ORDER/ITEM`."""


def shares_of(total_minor: int, count: int) -> tuple[int, ...]:
    """Share a price out over instalments, exactly: 599.00 in 24 is 20 times 24.96 and then 4 times 24.95.

    ValueError for less than one instalment. Source: billing facts, section 6.4 (largest remainder; of equal remainders the first).
    """
    return allocate(total_minor, [1] * count)


def stood(agreements: Agreements, event: OfInstalments) -> dict[str, Agreement]:
    """Give the agreements of an account after one of their events."""
    key = f"{event.order}/{event.item}"
    if isinstance(event, InstalmentsAgreed):
        names = (event.order, event.item, event.offering, event.invoice)
        return {**agreements, key: Agreement(*names, event.total_minor, event.count, event.agreed_on, at_end=event.at_end)}
    before = agreements.get(key)
    if before is None:
        return dict(agreements)
    match event:
        case InstalmentBilled():
            return {**agreements, key: changed(before, billed_on=(*before.billed_on, event.billed_on))}
        case SettlementAsked():
            return {**agreements, key: changed(before, settling_minor=event.amount_minor, settled_on=event.asked_on)}
        case InstalmentsSettled():
            return {**agreements, key: changed(before, settling_minor=0, settled_on=before.settled_on or event.billed_on)}
    return dict(agreements)
