"""Events and names that orders, payments and billing share. They stand below all three, which do not import one another."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from o2c.kernel.discounts import Discount
from o2c.kernel.event import Event, Pii, Upcast
from o2c.kernel.recurrence import Recurrence
from o2c.kernel.shapes import OfItem

EARLY, LATE_CHANGE = "early-termination", "late-change"
"""What stands for an offering where nothing is served: a contract that ended before its term; an order that was changed when work of it had
begun."""
BANK_TRANSFER = "bank-transfer"
"""The payment method of money that a person saw arrive in the bank account."""
SET_OFF = "set-off"
"""The payment method of a deposit that is set off against what is owed, and the way in which it was given back: no money moves."""
NOT_BROUGHT = frozenset({BANK_TRANSFER, SET_OFF})
"""The methods of money that no payment provider brings, and none takes back."""
WhileBarred = Literal["charged", "not-charged", "credited"]
"""What becomes of recurring prices on days on which a line is barred: they are charged; or charged by no bill that comes after the bar; or,
besides, what was billed of such days in advance is credited by days. The day of the bar is the first of them, the day on which the line
serves again is none."""


class MoneyReceived(OfItem):
    """Base of the events that say money came for an invoice, in minor units of its currency.

    `reference` is the payment provider's own; `remittance` is what the payer's bank gave with a transfer, free text that may name a person;
    `arrived_on` the local date on which a transfer arrived. `moved_from` is the invoice that it was recorded for before, and `won_back` the
    case of the chargeback after which it came again; both empty for money that came just so.
    """

    amount_minor: int
    method: str
    reference: str = ""
    remittance: Annotated[str, Pii("remittance")] = ""
    arrived_on: str = ""
    moved_from: str = ""
    won_back: str = ""

    @property
    def brought(self) -> bool:
        """Whether the payment provider brought it for a demand: not what came by bank, was set off, moved here or won back."""
        return self.method not in NOT_BROUGHT and not self.moved_from and not self.won_back


class OfCustomer(Protocol):
    """A billing account, as far as the rules of its money need it."""

    @property
    def account(self) -> str:
        """Its id."""

    @property
    def customer(self) -> str:
        """Whose it is."""

    @property
    def currency(self) -> str:
        """The currency of its money (ISO 4217)."""


class PriceTerms(BaseModel):
    """How the prices of a service apply. The recurring one is charged every `period_length` times `period_unit` (day, week, month, year);
    the tax groups are the market's. `usage_version` is the version of the catalogue whose prices of usage hold for it, 0 where it has none.
    `discounts` are what is taken off these prices, net."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period_unit: str = "month"
    period_length: int = 1
    recurring_tax_group: str = "standard"
    one_time_tax_group: str = "standard"
    usage_version: int = 0
    discounts: tuple[Discount, ...] = ()

    @property
    def recurrence(self) -> Recurrence:
        """How often the recurring price is charged."""
        return Recurrence(self.period_unit, self.period_length)

    def without(self, vouchers: Collection[str]) -> PriceTerms:
        """Give these terms without the discounts that some vouchers brought."""
        return self.model_copy(update={"discounts": tuple(one for one in self.discounts if one.voucher not in vouchers)})


MONTHLY = PriceTerms()
"""What was meant before prices had terms: a month, at the standard rate."""


class AccountOpened(Event, name="account.opened", stream="account"):
    """An order that was validated named the account for the first time: from now on it is this customer's, and nobody else is billed to it.

    Where the market's law asks that a limit of the bill is offered before the contract, `limit_offered_on` is the local day on which it
    was: the event is the record of it. `account.limit-set` follows when the customer chooses one.
    """

    example = {"account": "BA-1001", "customer": "C-1001", "market": "GB@2026-01", "limit_offered_on": "2026-01-05"}
    upcasts = (Upcast(defaults={"limit_offered_on": ""}),)
    account: str
    customer: str
    market: str
    limit_offered_on: str = ""


class ChargeStarted(Event, name="account.charge-started", stream="account"):
    """A service is to be charged to the account from the local date `starts_on`, or `goods` were delivered on it. Prices are net of tax, in
    minor units, and apply as `terms` say; `market` is the one the order pinned, whose bill days and taxes the account follows. The one-time
    price of goods is invoiced at once, whole, and paid in so many `instalments`, where more than one. `product` is what it is charged for,
    where another item brought that. Version 7 says `since` when a charge that goes on where an earlier one ended, as after a rest, has been
    at this price: discounts hold, and rises count, from then on (empty: from `starts_on`). Version 8 has the `cost_centre`: the account
    that it was ordered for, where this one pays for it (empty: it is this one's own, or stays with the cost centre that the product
    has)."""

    example = {
        "account": "BA-1001", "customer": "C-1001", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1", "offering": "mobile-line",
        "recurring_minor": 1999, "one_time_minor": 1000, "currency": "GBP", "starts_on": "2026-01-05",
        "market": "GB@2026-01",
    }  # fmt: skip
    upcasts = (
        Upcast(defaults={"terms": MONTHLY.model_dump(mode="json")}),
        Upcast(),
        Upcast(),  # terms of before: no prices of usage, then no discounts
        Upcast(defaults={"goods": False, "instalments": 1}),
        Upcast(defaults={"product": ""}),
        Upcast(defaults={"since": ""}),
        Upcast(defaults={"cost_centre": ""}),
    )
    account: str
    customer: str
    order: str
    item: str
    offering: str
    recurring_minor: int
    one_time_minor: int
    currency: str
    starts_on: str
    market: str
    terms: PriceTerms = MONTHLY
    goods: bool = False
    instalments: int = 1
    product: str = ""
    since: str = ""
    cost_centre: str = ""


class PurchaseOrderStated(Event, name="account.purchase-order-stated", stream="account"):
    """The customer's own purchase order for an order that is charged to the account: bills of it name it from now on; empty for none any
    more.

    Source: EN 16931-1, BT-13 (Purchase order reference).
    """

    example = {"account": "BA-1001", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "purchase_order": "PO-77120"}
    account: str
    order: str
    purchase_order: str


class ChargeWithdrawn(Event, name="account.charge-withdrawn", stream="account"):
    """The item is not served from the local date `ended_on` on, and what was billed in advance of days from that one on is credited.

    An item that ended before it was complete is not billed any more. One that was `served` until then is billed once more for what was
    served and used, and is on no bill yet. Version 2 says the day: before it, nothing was credited. Version 3 says whether it was served.
    Version 4 names the `product`, where the item is not the one that brought it, and whether it ended `by_product`: an order changed or
    ended that, and it says itself what serves no more. Version 5 says whether what is charged once is owed all the same: it is not by who
    withdrew from the contract (`one_time_owed`), who gets it back where it was billed. Version 6 says whether the product only `rests`,
    uncharged: the account goes on, and charges it again when it serves.
    """

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1", "ended_on": "2026-01-20"}
    upcasts = (
        Upcast(defaults={"ended_on": ""}),
        Upcast(defaults={"served": False}),
        Upcast(defaults={"product": "", "by_product": False}),
        Upcast(defaults={"one_time_owed": True}),
        Upcast(defaults={"rests": False}),
    )
    order: str
    item: str
    ended_on: str = ""
    served: bool = False
    product: str = ""
    by_product: bool = False
    one_time_owed: bool = True
    rests: bool = False


class RestEnded(Event, name="account.rest-ended", stream="account"):
    """A product that rested, uncharged, will not be charged to the account again, from the local date `ended_on` on: it ended, or has
    another payer. `by_product` says that an order decided so of the product itself; else the account was ended, and the product with it."""

    example = {"product": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1", "ended_on": "2026-03-20", "by_product": True}
    product: str
    ended_on: str
    by_product: bool = False


class GoodsTakenBack(Event, name="account.goods-taken-back", stream="account"):
    """Goods that the customer withdrew from are back, or were proven sent, on the local date `taken_back_on`: their price is credited but
    for `kept_minor` of it, net, in minor units, for what they lost in value."""

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "2", "taken_back_on": "2026-01-20", "kept_minor": 0}
    order: str
    item: str
    taken_back_on: str
    kept_minor: int = 0


class OfRest(Event):
    """Base of the events that say from which day on an item's line is not charged, or is again."""

    order: str
    item: str


class ChargeRested(OfRest, name="account.charge-rested", stream="account"):
    """The item's line is barred, and by its market's policy its days are not charged from the local date `rested_from` on. Where they are
    `credited`, so is what was billed of them in advance, and the days from then on are billed when they were served.

    Source: billing facts, section 6.4, lesson 9.
    """

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1", "rested_from": "2026-02-08", "credited": True}
    rested_from: str
    credited: bool


class ChargeResumed(OfRest, name="account.charge-resumed", stream="account"):
    """The item's line serves again, or is charged although it is barred: its days are charged from the local date `resumed_on` on."""

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1", "resumed_on": "2026-02-25"}
    resumed_on: str


def account_stream(account: str) -> str:
    """Give the name of a billing account's stream: `account-` and the id of the account."""
    return f"account-{account}"


def invoice_stream(number: str) -> str:
    """Give the name of an invoice's stream: `invoice-` and its number."""
    return f"invoice-{number}"
