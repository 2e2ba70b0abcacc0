"""A charge of an account, as its stream has it."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.kernel.charges import MONTHLY, PriceTerms


@dataclass(frozen=True, slots=True)
class Charge:
    """A service charged from `starts_on`; billed up to, not including, `billed_to` (empty: not yet).

    A monthly price follows the bill cycle of the account; any other has periods of its own, which begin on the anniversaries of `starts_on`.
    `invoice` billed it last; `ended_on` is the day from which it is not served (empty: it is, or nobody knows), `served` says that days until then which
    are not billed still are, and `credited` that what was billed from that day on is being credited. The one-time price of `goods` is on
    `goods_invoice`, an invoice of its own, paid in so many `instalments`. `product` is what it is for, where another item brought that.
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
    def in_cycle(self) -> bool:
        """Whether its periods are those of the account's bill cycle."""
        return self.terms.recurrence.monthly

    @property
    def unserved(self) -> bool:
        """Whether days were billed that will not be served, and nobody credits them yet."""
        billed = self.withdrawn and self.recurring_minor and self.invoice and not self.credited
        return bool(billed and self.ended_on and self.ended_on < self.billed_to)
