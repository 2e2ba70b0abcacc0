"""A customer as it is shown: what it ordered, holds and owes."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from o2c.views.shown.fallouts import FalloutShown
from o2c.views.shown.orders import OrderOfCustomer

HeldShown = TypedDict(
    "HeldShown",
    {
        "msisdn": NotRequired[str],
        "iccid": NotRequired[str],
        "imei": NotRequired[str],
        "class": str,
        "state": str,
        "since": str,
        "order": str,
    },
)
"""A number (`msisdn`), SIM (`iccid`) or device (`imei`) that a customer holds, its class, kind or SKU (`class`), and the order it came
with."""


class InServiceShown(TypedDict):
    """What a customer has in service, its status by TMF637, and since when."""

    product: str
    order: str
    item: str
    offering: str
    status: str
    in_service_since: str


class PromisedShown(TypedDict):
    """What a customer still waits for, and the day promised; None before it is planned."""

    order: str
    item: str
    offering: str
    state: str
    promised_on: str | None


class ContactShown(TypedDict):
    """A contact with a customer: who of us (`actor`) spoke, how (`medium`), about what and which order; `note` where what is personal is
    shown."""

    contacted_at: str
    medium: str
    direction: str
    topic: str
    order: str | None
    actor: str
    note: NotRequired[str | None]


class InvoiceOfCustomer(TypedDict):
    """An invoice in the list of a customer, in minor units."""

    invoice: str
    legal_number: str
    account: str
    state: str
    currency: str
    total_minor: int
    credit_used_minor: int
    lowered_minor: int
    written_off_minor: int
    paid_minor: int
    above_minor: int
    issued_on: str
    due_on: str


class BalanceShown(TypedDict):
    """What a customer was invoiced, paid, owes and is owed in a currency, in minor units, and what notes `lowered` of that; see
    `views.customers.balance`."""

    invoiced_minor: int
    credit_used_minor: int
    lowered_minor: int
    written_off_minor: int
    paid_minor: int
    open_minor: int
    overdue_minor: int
    credit_minor: int
    deposits_minor: int
    owed_minor: int
    returned_minor: int


class CreditShown(TypedDict):
    """The bureau's last decision in a currency: its limit where it has one, what running orders have used of it, and whether it still
    holds."""

    decision: str
    limit_minor: NotRequired[int]
    used_minor: int
    expires_at: str
    expired: bool


class MoneyHeldShown(TypedDict):
    """What an account holds for its customer, in minor units."""

    account: str
    currency: str
    owed_minor: int
    credit_minor: int
    deposits_minor: int
    returned_minor: int


class CustomerShown(TypedDict):
    """A customer. What is personal is there where it is asked for, what else its papers say is there once it is registered; `balance` and
    `credit` are by currency; `credit_notices_owed` gives the last day by order; `money_held` is by account: owed to the customer, credit,
    deposits, paid back.
    """

    customer: str
    registered: bool
    kind: NotRequired[str]
    payment_method: NotRequired[str]
    tier: NotRequired[str]
    name: NotRequired[str]
    birth_date: NotRequired[str]
    email: NotRequired[str]
    address: NotRequired[str]
    orders: list[OrderOfCustomer]
    in_service: list[InServiceShown]
    promised: list[PromisedShown]
    numbers: list[HeldShown]
    sims: list[HeldShown]
    devices: list[HeldShown]
    open_fallouts: list[FalloutShown]
    contacts: list[ContactShown]
    invoices: list[InvoiceOfCustomer]
    balance: dict[str, BalanceShown]
    credit: dict[str, CreditShown]
    credit_notices_owed: dict[str, str]
    money_held: list[MoneyHeldShown]


class ProductShown(TypedDict):
    """A product: whose it is, the item that it came with, its status by TMF637, and its number, SIM (`sim_kind`: esim, physical) or device
    where it has one.

    `price_minor` recurs, net of tax; `commitment_ends_on` is the first day on which it may end without a charge, `ended_on` that from which
    it is not served.
    """

    product: str
    order: str
    item: str
    customer: str
    account: str
    offering: str
    specification: str
    status: str
    started_on: str
    in_service_since: str
    commitment_ends_on: str | None
    ended_on: str | None
    price_minor: int
    currency: str
    msisdn: str | None
    iccid: str | None
    sim_kind: str | None
    imei: str | None


class ProductEventShown(TypedDict):
    """What happened to a product: when, by whom, by which order (empty for none), and in a word `what`: the attributes that changed, a
    reason, a cause."""

    at: str
    event: str
    what: str
    order: str
    actor: str


class NoticeShown(TypedDict):
    """A notice of the end of a product's term, or of the best prices after it (`about`): when it is due, whether it is `awaited`, was
    `given`, or need not be (`moved`: another term took the place of its own; `called-off`; or why nobody is told), when it was given, and
    what was told. Amounts are a period's, net, in minor units."""

    about: str
    ends_on: str
    state: str
    due_at: str
    told_on: str
    price_minor: int | None
    price_after_minor: int | None
    exit_minor: int | None
    currency: str
    offers: list[dict[str, object]]


class PartyShown(TypedDict):
    """A registered customer in a list; what is personal is there where it is asked for."""

    customer: str
    kind: str
    payment_method: str
    tier: str
    name: NotRequired[str]
    birth_date: NotRequired[str]
    email: NotRequired[str]
    address: NotRequired[str]
