"""What every money event posts to the accounts of the chart: one table, from the type of an event and its body to postings that sum to
zero.

A posting's amount is above zero for a debit and below it for a credit, in minor units of the event's currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from o2c.kernel.lateness import LATE_PAYMENT

Body = Mapping[str, Any]
Kind = Literal["asset", "liability", "income", "expense"]

CHART: Mapping[str, Kind] = {
    "cash": "asset",
    "receivable": "asset",
    "instalment-receivable": "asset",
    "customer-credit": "liability",
    "owed-to-customers": "liability",
    "deposit": "liability",
    "prepaid": "liability",
    "deferred-revenue": "liability",
    "tax": "liability",
    "tax-relief": "asset",
    "revenue": "income",
    "other-income": "income",
    "unallocated": "liability",
    "write-off": "expense",
    "compensation": "expense",
}
"""The accounts of the chart and what each is. `cash` is what banks and card schemes clear; `deferred-revenue` is billed and not yet served,
`prepaid` is paid and not yet used; `instalment-receivable` is of goods that were delivered, taxed and invoiced, and stands on no bill yet;
`tax-relief` is tax of bad debts that is claimed back, apart from the tax of what is billed (in Great Britain box 4 of the VAT return, not
box 1); `other-income` is charged for late payment, which is no revenue from customers; `unallocated` came above invoices before accounts
held money, so that no account has it."""


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount on an account of the chart. What is earned over a service period says its days: from `from_day` up to, not including,
    `to_day`."""

    account: str
    amount_minor: int
    from_day: str = ""
    to_day: str = ""


def _moved(amount_minor: int, *, debit: str, credit: str) -> tuple[Posting, ...]:
    return Posting(debit, amount_minor), Posting(credit, -amount_minor)


def _issued(body: Body) -> Iterator[Posting]:
    """A line with service days is earned day by day; any other is earned as it is billed, goods so when they are delivered. An instalment
    is a debt that moves from one receivable to the other. What is charged for late payment is no supply, and other income as it is billed.
    Source: IFRS 15, 31-35, 38 and 105-108."""
    yield Posting("receivable", body["total_minor"])
    yield Posting("tax", -body["tax_minor"])
    served = _served(body)
    for line in served:
        yield Posting("deferred-revenue", -line["net_minor"], line["from_day"], line["to_day"])
    owed, late = _of_group(body, "instalment"), _of_group(body, LATE_PAYMENT)
    yield Posting("instalment-receivable", -owed)
    yield Posting("other-income", -late)
    yield Posting("revenue", sum(line["net_minor"] for line in served) + owed + late - body["net_minor"])


def _served(body: Body) -> list[Mapping[str, Any]]:
    return [line for line in body["lines"] if line["from_day"] < line["to_day"] and line.get("tax_group") != LATE_PAYMENT]


def _of_group(body: Body, group: str) -> int:
    """What the lines of a group come to: that of instalments was earned when the goods were delivered, and late payment is no revenue."""
    return sum(line["net_minor"] for line in body["lines"] if line.get("tax_group") == group)


def _taken_off(body: Body) -> Iterator[Posting]:
    """What a note or a void takes off an invoice, as it was posted: what was not served is not earned, day by day of the line's own days.
    What is taken off an instalment is a debt that is given up."""
    yield Posting("receivable", -body["total_minor"])
    yield Posting("tax", body["tax_minor"])
    served = _served(body)
    for line in served:
        yield Posting("deferred-revenue", line["net_minor"], line["from_day"], line["to_day"])
    given_up, late = _of_group(body, "instalment"), _of_group(body, LATE_PAYMENT)
    yield Posting("write-off", given_up)
    yield Posting("other-income", late)
    yield Posting("revenue", body["net_minor"] - given_up - late - sum(line["net_minor"] for line in served))


def _returned(body: Body) -> Iterator[Posting]:
    yield Posting("owed-to-customers", body["of_owed_minor"])
    yield Posting("customer-credit", body["amount_minor"] - body["of_owed_minor"])
    yield Posting("cash", -body["amount_minor"])


def _reserved(body: Body) -> tuple[Posting, ...]:
    """What is to go back is owed until it went; what was owed before is owed still."""
    return _moved(body["of_credit_minor"], debit="customer-credit", credit="owed-to-customers")


def _freed(body: Body) -> tuple[Posting, ...]:
    becomes = {"credit": "customer-credit", "owed": "owed-to-customers"}[body["becomes"]]
    return _moved(body["amount_minor"], debit="deposit", credit=becomes)


def _used(body: Body) -> Iterator[Posting]:
    """What prepaid money paid for is earned as it is used; the tax is due then, for until then nobody knows on what it will be spent.
    Source: IFRS 15, B44 to B47; multi-purpose vouchers: directive 2006/112/EC, art. 30b, and VAT Act 1994, Schedule 10B [M]."""
    yield Posting("prepaid", body["charged_minor"])
    yield Posting("tax", -body["tax_minor"])
    yield Posting("revenue", body["tax_minor"] - body["charged_minor"])


def _prepaid_back(body: Body) -> Iterator[Posting]:
    """What is kept for a refund of prepaid money is earned, and taxed. The rest is owed by what the account says in the same append."""
    return _used({"charged_minor": body["fee_minor"], "tax_minor": body["tax_minor"]})


def _relieved(body: Body) -> tuple[Posting, ...]:
    return _moved(body["tax_minor"], debit="tax-relief", credit="write-off")


def _reversed(body: Body) -> Iterator[Posting]:
    """What was written off is open again: a recovery, whose tax is payable again as far as it was relieved."""
    yield Posting("receivable", body["amount_minor"])
    yield Posting("tax-relief", -body["tax_minor"])
    yield Posting("write-off", body["tax_minor"] - body["amount_minor"])


def _moves(*, debit: str, credit: str) -> Callable[[Body], tuple[Posting, ...]]:
    return lambda body: _moved(body["amount_minor"], debit=debit, credit=credit)


TABLE: Mapping[str, Callable[[Body], tuple[Posting, ...] | Iterator[Posting]]] = {
    "invoice.issued": _issued,
    "credit-note.issued": _taken_off,
    "invoice.voided": _taken_off,
    "invoice.written-off": _moves(debit="write-off", credit="receivable"),
    "invoice.tax-relieved": _relieved,
    "invoice.write-off-reversed": _reversed,
    "invoice.put-on-instalments": lambda body: _moved(body["of_open_minor"], debit="instalment-receivable", credit="receivable"),
    "payment.received": _moves(debit="cash", credit="receivable"),
    "payment.part-received": _moves(debit="cash", credit="receivable"),
    "payment.charged-back": _moves(debit="receivable", credit="cash"),
    "payment.moved": _moves(debit="receivable", credit="cash"),
    "payment.refund-reclaimed": _moves(debit="receivable", credit="cash"),
    "account.credit-received": _moves(debit="receivable", credit="customer-credit"),
    "account.compensated": _moves(debit="compensation", credit="customer-credit"),
    "account.goodwill-given": _moves(debit="compensation", credit="customer-credit"),
    "account.credit-taken-back": _moves(debit="customer-credit", credit="receivable"),
    "account.credit-used": _moves(debit="customer-credit", credit="receivable"),
    "account.deposit-kept": _moves(debit="cash", credit="deposit"),
    "account.deposit-freed": _freed,
    "account.money-returned": _returned,
    "prepaid.topped-up": _moves(debit="cash", credit="prepaid"),
    "prepaid.returned": _prepaid_back,
    "account.prepaid-owed": _moves(debit="prepaid", credit="owed-to-customers"),
    "prepaid.expired": _moves(debit="prepaid", credit="revenue"),
    "quota.committed": _used,
    "prepaid.usage-charged": _used,
    "account.refund-reserved": _reserved,
    "account.refund-released": lambda body: _moved(body["of_credit_minor"], debit="owed-to-customers", credit="customer-credit"),
}
"""The events that post, each with what it posts of its body. Money that comes above an invoice is posted to it, and from it to the credit.
What is moved leaves the cash of one account, and is received in that of another in the same append."""

_PROMISE = "what a customer commits to or may owe is no money that moved"
_WISHED = "it says what somebody wished for is worth: nothing was bought"
_PRICE = "a price is no money before it is billed"
_LIMIT = "a limit says what usage may cost, which posts as it is billed"
_OPEN = "it says what is open, which the invoice posted"
_MIRRORED = "its counterpart on the account's stream posts it"
POSTS_NOTHING: Mapping[str, str] = {
    "account.charge-started": _PRICE,
    "account.deposit-retained": "it stays the deposit that it was",
    "account.credit-return-settled": "what is set off and what is set aside for refunds post it, in the same append",
    "account.instalment-billed": "the invoice of the same bill run posts it, line by line",
    "account.instalments-agreed": "what the same command puts on instalments of the invoice posts it",
    "account.instalments-settled": "the invoice over the rest posts it",
    "account.settlement-asked": _PROMISE,
    "account.limit-noticed": _LIMIT,
    "account.limit-set": _LIMIT,
    "account.pack-added": "the bill that has it posts it",
    "account.refund-withdrawn": "nothing was set aside for it",
    "account.refund-wanted": "it waits for a second person, and nothing is set aside for it",
    "account.usage-rated": "the invoice of the same bill run posts it, line by line",
    "catalogue.offering-published": _PRICE,
    **dict.fromkeys(
        ("account.goods-taken-back", "account.withdrawal-credit-asked", "goods-return.graded", "withdrawal.declared"),
        "the credit note that follows posts it, and the bill that has what stays owed",
    ),
    "withdrawal-refund.settled": "the account posts what is set aside for it, in the same append",
    "collections.arrears-changed": _OPEN,
    "collections.late-payment-charged": "the bill that charges it posts it, line by line",
    "collections.late-payment-overcharged": "the credit note that follows posts it",
    "collections.dispute-opened": _OPEN,
    "collections.dispute-settled": "a credit note posts what was settled for the customer",
    **dict.fromkeys(
        ("collections.plan-agreed", "collections.plan-broken", "collections.plan-kept", "collections.plan-part-kept"), _PROMISE
    ),
    "collections.promise-broken": _PROMISE,
    "collections.promise-kept": "what came of it is a payment, which posts it",
    "collections.promise-made": _PROMISE,
    "collections.debt-placed": _OPEN,
    "collections.reminded": _OPEN,
    "collections.stage-entered": _OPEN,
    "collections.warned": _OPEN,
    "collections.given-up": "each invoice posts what is written off of it",
    "catalogue.price-rise-announced": _PRICE,
    "complaint.resolved": _MIRRORED,
    "credit-note.requested": "it waits for a second person or a number, and posts as it is issued",
    "credit.approved": _PROMISE,
    "credit.committed": _PROMISE,
    "credit.decided": _PROMISE,
    "credit.fell-out": _PROMISE,
    "credit.released": _PROMISE,
    "deposit.received": _MIRRORED,
    "deposit.released": _MIRRORED,
    "invoice.overdue": _OPEN,
    "payment.chargeback-reversed": "the payment that is received in the same append posts it",
    "ledger.closed": "it says how the accounts stand, by what was posted to them",
    "inventory.updated": "the charge of a contract that ended early posts it, on the bill that has it",
    "order.planned": _PRICE,
    "order.revised": _PRICE,
    "port-out.completed": "the charge of a contract that ended early posts it, on the bill that has it",
    "product.changed": _PRICE,
    "product.porting-code-issued": _PROMISE,
    "end-notice.given": _PROMISE,
    "switch-out.matched": _PROMISE,
    "switch-out.completed": _PROMISE,
    "product.started": _PRICE,
    "order.priced": _PRICE,
    "refund.opened": _MIRRORED,
    "refund.completed": _MIRRORED,
    "refund.given-up": _MIRRORED,
    "refund.reported-paid": "the account posts what it held of it, and the invoice the rest, in the same append",
    "voucher.issued": _PRICE,
    **dict.fromkeys(
        (f"journey.{name}" for name in ("basket-filled", "quote-given", "attempt-failed", "call-abandoned", "store-visited", "resumed")),
        _WISHED,
    ),
    "journey.outreach-opened": _PROMISE,
    "journey.incentive-given": _PROMISE,
    "voucher.reserved": _PROMISE,
    "order.validated": _PRICE,
    "sim.lost": "it says what a replacement costs us, which the supplier's bill posts in the books of purchases",
}
"""The events that name an amount and post nothing, each with the reason."""


def above_before_accounts_held_money(amount_minor: int) -> tuple[Posting, ...]:
    """Give what money above an invoice posts of which no account took note, as it was before accounts held any."""
    return _moved(amount_minor, debit="receivable", credit="unallocated")


def deposit_before_accounts_held_money(amount_minor: int) -> tuple[Posting, ...]:
    """Give what a deposit posts of which the account learned only when it was freed, as it was before accounts held any."""
    return _moved(amount_minor, debit="cash", credit="deposit")


def postings_of(name: str, body: Body) -> tuple[Posting, ...]:
    """Give what an event posts, by its type and its body in the newest schema; nothing for one that is no money event.

    Postings of nothing are left out; the rest sum to zero.
    """
    row = TABLE.get(name)
    return tuple(posting for posting in row(body) if posting.amount_minor) if row else ()
