"""Parts of the events of an order: a line as it was captured, in the half that is personal and the half that is not, and an item as
planned."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.charges import MONTHLY, PriceTerms
from o2c.kernel.discounts import Discount
from o2c.products.events import Standing

CancelReason = Literal[
    "", "changed-mind", "delay", "ordered-twice", "ordered-in-error", "price", "other-provider", "no-answer", "withdrawal"
]
"""Why an order is cancelled, in a word that can be counted: empty where nobody said; `withdrawal` where a consumer withdrew from its
contracts by statute. The operator's own words."""


class Part(BaseModel):
    """Base of the parts of events: frozen and closed like the events themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SentAlteration(Part):
    """A discount that a channel sent on a price, unjudged: its type and period, how many of these it lasts, and the percentage or the
    amounts that it takes off, as decimal text; absent ones empty. Its name is free text, which may say anything and is not kept here."""

    kind: str = ""
    period: str = ""
    lasts: str = ""
    percent: str = ""
    net: str = ""
    gross: str = ""
    unit: str = ""


class SentPrice(Part):
    """A price that a channel sent with its order, unjudged: where it stood, its type and period, its amounts as decimal text, absent ones
    empty, and the discounts that the channel says it has. Prices stored without `alterations` were taken down before these were read."""

    field: str
    kind: str = ""
    period: str = ""
    net: str = ""
    gross: str = ""
    unit: str = ""
    alterations: tuple[SentAlteration, ...] = ()


class CapturedLine(Part):
    """One order item as the channel sent it, unjudged: every value is text, absent ones empty."""

    item: str
    parent: str = ""
    action: str = ""
    quantity: str = ""
    offering: str = ""
    product: str = ""
    relies_on: tuple[str, ...] = ()
    account: str = ""
    requested_start: str = ""
    requested_completion: str = ""
    prices: tuple[SentPrice, ...] = ()


class LineDetail(Part):
    """The part of a line that may be personal: its characteristics as the channel gave them, and its place."""

    characteristics: dict[str, str] = {}
    place: str = ""


class PlannedStep(Part):
    """A step of the plan and the steps it waits for: of its own item by name, of another as `item/step`."""

    step: str
    waits: tuple[str, ...] = ()


class PlannedItem(Part):
    """One line to fulfil. Quantity n became n lines (`1#1`, `1#2`, ...). Prices are pinned, net of tax, in minor units.

    Nothing begins before `start_on`; it is neither switched on nor charged before `wished_on` (days local to the market, empty for any
    day). `terms` say how often the recurring price is charged and how the prices are taxed; plans stored without them meant a month and the
    standard rate. `account` is the one that the item is billed to, empty where a plan was stored without it: then it is the order's. An
    item that changes a `product` in service names the `attributes` that it changes; one that is added to products in service names these
    (`on_products`).
    """

    item: str
    line: str
    offering: str
    specification: str
    characteristics: dict[str, str]
    quantity: int = 1
    relies_on: tuple[str, ...] = ()
    recurring_minor: int
    one_time_minor: int
    terms: PriceTerms = MONTHLY
    commitment_months: int = 1
    steps: tuple[PlannedStep, ...]
    promised_on: str
    start_on: str = ""
    wished_on: str = ""
    account: str = ""
    product: str = ""
    attributes: tuple[str, ...] = ()
    on_products: tuple[str, ...] = ()


class HeldVoucher(Part):
    """A voucher that an order holds: its code and which use of that, the lines of the order that it is for, what it takes off their prices,
    and all that this can come to, in net minor units. It is held until `held_until`, empty for one that is held as long as the order goes
    on."""

    code: str
    turn: int
    amount_minor: int
    lines: tuple[str, ...]
    discount: Discount
    held_until: str = ""


class HeldProduct(Part):
    """A product in service that a line of an order names, as it stood when the order was validated, and the attributes that the line
    changes.

    `next_bill_on` is the day of its account's next bill (ISO, empty for none), `commitment` what becomes of the term of a product that is
    taken over (empty: it is not). The rest as the product's own events say it.
    """

    line: str
    product: str
    attributes: tuple[str, ...]
    standing: Standing
    started_on: str
    status: str = "active"
    suspended_for: str = ""
    suspended_on: str = ""
    charged_while: bool = True
    relied_on_by: tuple[str, ...] = ()
    relies_on: tuple[str, ...] = ()
    next_bill_on: str = ""
    commitment: str = ""


class PromisedItem(Part):
    """The day by which an item is promised, and the step that it depends on most: one of its own, or of another item (`of`); or the
    agreement with the customer from which it follows (`agreed_by`, as VERSION/NAME; the step is then `agreement`)."""

    item: str
    promised_on: str
    step: str
    of: str = ""
    agreed_by: str = ""


class RecurringTotal(Part):
    """What recurs together: every `period_length` times `period_unit`, net of tax, in minor units; `reduced_minor` is what discounts take
    off one period of it while all of them hold."""

    period_unit: str
    period_length: int
    amount_minor: int
    reduced_minor: int = 0
