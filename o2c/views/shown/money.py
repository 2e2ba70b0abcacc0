"""Money as it is shown: prices, an invoice, and what accounts hold."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class PriceShown(TypedDict):
    """A price of an offering, or the one row of an offering that has none. Amounts are net of tax, in minor units, and none for what is
    used or included, which `charged` says in words, as when it holds."""

    offering: str
    version: str
    market: str
    state: str
    sold: str
    on_sale: str
    price: str
    amount_minor: int | None
    currency: str
    charged: str
    tax_group: str
    for_orders: str


class PaymentShown(TypedDict):
    """A payment that came for an invoice, or what of one was taken back (below zero), in minor units. `what`: received, charged-back,
    won-back, moved-away, moved-here or refund-reclaimed (a refund that was paid beyond what the account held, and is owed again); `of` is
    the case of a chargeback, the other invoice, or the refund. `reference` is the payment provider's."""

    occurred_at: str
    amount_minor: int
    method: str
    arrived_on: str | None
    actor: str
    what: str
    reference: str
    of: str
    currency: str


class InvoicePage(TypedDict):
    """One invoice, in minor units: `open_minor` is still to come; `credit_minor` came above what it is over and is a credit of its
    account."""

    invoice: str
    legal_number: str
    customer: str
    state: str
    due_on: str
    method: str
    currency: str
    total_minor: int
    credit_used_minor: int
    lowered_minor: int
    written_off_minor: int
    paid_minor: int
    open_minor: int
    credit_minor: int
    payments: list[PaymentShown]


class OwedShown(TypedDict):
    """An account that holds money of its customer, in minor units: owed and to be paid back, credit for the next invoice, deposits."""

    account: str
    customer: str
    currency: str
    owed_minor: int
    credit_minor: int
    deposits_minor: int
    returned_minor: int
    moved_at: str


class BalanceItemShown(TypedDict):
    """One item of a balance, in minor units: `what` it is (open, credit, owed, refund under way, deposit), of which invoice, order or
    refund, and since which day."""

    what: str
    of: str
    origin: str
    since: str
    due_on: str | None
    amount_minor: int
    disputed_minor: int


class AccountBalanceShown(TypedDict):
    """What an account owes and what is held for it in one currency at an instant, in minor units; its `items` are the oldest first. What is
    left on an account that has ended goes back by itself on the day `goes_back_on`."""

    account: str
    customer: str
    currency: str
    at: str
    open_minor: int
    overdue_minor: int
    disputed_minor: int
    credit_minor: int
    owed_minor: int
    deposits_minor: int
    unallocated_minor: int
    goes_back_on: str | None
    items: list[BalanceItemShown]


class AccountShown(TypedDict):
    """A billing account, its customer, and how many `charges` run on it."""

    account: str
    customer: str
    currency: str
    market: str
    charges: int


class PlacedAccountShown(TypedDict):
    """A billing account in its customer's hierarchy: `depth` is 0 at the top, `payer` the account whose invoices have what is ordered for
    it, `charges` how many run for it. `contact`, where personal data is shown, is whom to ask for."""

    account: str
    depth: int
    level: str
    parent: str
    pays: str
    payer: str
    charges: int
    contact: NotRequired[str]


class PlanPartShown(TypedDict):
    """A part of a debt that is paid by a plan, in minor units, its last day, and whether it came."""

    due_on: str
    amount_minor: int
    kept: bool


class LateClaimShown(TypedDict):
    """What a business owes by law for paying an invoice late, up to and including today, in minor units: simple interest for so many days,
    from `from_day` up to, not including, `to_day`, and the fixed sum. `charged_minor` is what bills have of both, less what they gave back:
    nothing where the market's policy charges none."""

    invoice: str
    from_day: str
    to_day: str
    days: int
    interest_minor: int
    fixed_minor: int
    charged_minor: int


class CollectionShown(TypedDict):
    """What an account owes past its due day in one currency, in minor units, how far its collection went (`stage`, empty: held, or all in
    dispute) and at which level its lines are barred; `notices` is how many were given since it last owed nothing, `holds` are kinds with
    their last days, `plan` the parts in which it is paid by agreement, `late` what is owed for having paid late."""

    account: str
    customer: str
    currency: str
    stage: str
    open_minor: int
    disputed_minor: int
    due_on: str | None
    invoices: list[str]
    bar: str
    notices: int
    holds: list[str]
    promised_on: str | None
    promised_minor: int
    plan: list[PlanPartShown]
    late: list[LateClaimShown]


class IssuedInvoiceShown(TypedDict):
    """An invoice in a list, in minor units: what is to be paid and what was, and when it was issued and paid. `above_minor` of what was
    paid is a credit of the account and pays nothing of it."""

    invoice: str
    legal_number: str
    account: str
    customer: str
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
    issued_at: str
    paid_at: str | None


class OfferedPrice(TypedDict):
    """A price of an offering, net of tax in minor units; see `catalogue.events.OfferingPrice`. Of usage and of what is included, the terms
    stand in `usage` and `allowance`; what lowers it in `discounts`."""

    kind: str
    amount_minor: int
    period_unit: str
    period_length: int
    tax_group: str
    valid_from: str
    valid_to: str
    usage: dict[str, Any] | None
    allowance: dict[str, Any] | None
    discounts: list[dict[str, Any]]


class OfferingShown(TypedDict):
    """An offering as it was published last; see `catalogue.events.OfferingPublished`."""

    offering: str
    version: str
    specification: str
    status: str
    bundle: bool
    sellable: bool
    valid_from: str
    valid_to: str
    market: str
    currency: str
    prices: list[OfferedPrice]
    recurring_minor: int
    one_time_minor: int
    characteristics: dict[str, list[str]]
    optional: list[str]
    defaults: dict[str, str]
    requires: list[str]


class AccountStanding(TypedDict):
    """How an account of the chart stands in a currency, in minor units; the balance is above zero on the debit side."""

    ledger_account: str
    kind: str
    currency: str
    balance_minor: int
    debit_minor: int
    credit_minor: int


class ComparedShown(TypedDict):
    """What the books say, and what the projections that tell of the same money say, in minor units."""

    what: str
    currency: str
    ledger_minor: int
    projections_minor: int
    difference_minor: int


class TrialBalanceShown(TypedDict):
    """The accounts of the chart at the end of a day, by the events that had happened by `at` where a time was asked for. `balanced`: they
    sum to zero in every currency."""

    on: str
    at: str | None
    balanced: bool
    accounts: list[AccountStanding]
    compared: list[ComparedShown]


class LedgerLineShown(TypedDict):
    """A posting, or half of what a day earned. `of_day` is the closed day that it belongs to, where it came later; amounts are minor
    units."""

    day: str
    of_day: str | None
    position: str
    event: str
    line: int
    type: str
    ledger_account: str
    account: str
    customer: str | None
    order: str | None
    currency: str
    from_day: str | None
    to_day: str | None
    debit_minor: int
    credit_minor: int


class TotalShown(TypedDict):
    """How an account of the chart stood when the books were closed, in minor units; above zero on the debit side."""

    ledger_account: str
    currency: str
    balance_minor: int


class ClosingShown(TypedDict):
    """A closing of the books: events up to the position `upto` that belong to the days after `since` up to `closed_on` are in it."""

    closed_on: str
    since: str | None
    upto: str
    postings: int
    late: int
    totals: list[TotalShown]
    digest: str
    closed_at: str
    event: str


class OfferingChangeShown(TypedDict):
    """A difference between two versions of the catalogue: of an offering, a field of it, or one of its prices (net, minor units). `stage`:
    draft, active or retired."""

    offering: str
    stage: str
    what: str
    change: str
    was: str
    now: str
    before_minor: int | None
    after_minor: int | None
    currency: str


class DryRunSum(TypedDict):
    """What the orders that go through both times cost, net in minor units: once, or a period."""

    charged: str
    currency: str
    before_minor: int
    after_minor: int
    difference_minor: int


class DryRunOrder(TypedDict):
    """An order that comes out otherwise: `priced otherwise`, `falls out` or `goes through`; `why` is the flaw. Sums are net minor units, by
    how often they are charged."""

    order: str
    external_id: str
    came_out: str
    why: str
    currency: str
    before: dict[str, int]
    after: dict[str, int]


class DryRunShown(TypedDict):
    """What a price list that is not loaded would have meant for orders; `on` is the time as of which it was tried."""

    offerings_changed: int
    on: str
    orders: int
    priced_otherwise: int
    fall_out: int
    go_through: int
    sums: list[DryRunSum]
    items: list[DryRunOrder]
