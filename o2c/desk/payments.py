"""The desk for money: deposits of orders, payments that arrived by bank, paying back, collecting once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from o2c.balance import rules as balance
from o2c.credit import rules as credit
from o2c.credit.step import STEP as CREDIT
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.fallout import rules as fallouts
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import account_stream, invoice_stream
from o2c.kernel.decision import Decision
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.orders.state import OrderState
from o2c.payments import rules as payments
from o2c.payments.step import STEP as PAYMENT
from o2c.views.invoices import issued_invoice
from o2c.views.orders import find_order
from o2c.views.reading import amount_text, minor_of

NEARLY_DUE = timedelta(minutes=5)
"""A demand due so soon may be on its way to the provider already (clocks differ, calls take time): its answer must find its row."""
BECOMES_CREDIT = frozenset({"order.completed", "order.partially-completed"})
"""The ends of an order whose deposit is kept for its bills."""


def deposit(
    app: Engine,
    context: Context,
    order: str,
    *,
    amount: str,
    reference: str,
    currency: str = "",
    method: str = "bank-transfer",
    arrived_on: date | None = None,
    sure: bool = False,
) -> Written:
    """Record a deposit of an order; the credit gate passes once it is enough. What comes when the order is over is kept by the account, or
    owed at once.

    `amount` is decimal text in the currency, the market's when none is named. The same reference, day and amount are the same deposit: then
    the answer says `repeated`. Raises Refused: missing (no such order), conflict (the order never waited for one or far more came than is
    missing, and nobody is `sure`; it is not validated; the same came on another day), usage (no amount, another currency, no reference, a
    day that has not come).
    """
    deed = deed_of_deposit(
        app, order, amount=amount, reference=reference, currency=currency, method=method, arrived_on=arrived_on, sure=sure
    )
    return known_before(act(app, context, "payments.deposit", deed))


def deed_of_deposit(
    app: Engine,
    order: str,
    *,
    amount: str,
    reference: str,
    currency: str = "",
    method: str = "bank-transfer",
    arrived_on: date | None = None,
    sure: bool = False,
) -> Deed:
    """A deposit of an order as a deed on the order; see `deposit`."""
    stream, found = find_order(app, order)
    market = app.book.market(found.market)
    currency = currency or market.currency
    amount_minor, remittance = minor_of(amount, currency), reference_of(reference)

    def take(state: OrderState, at: datetime) -> Decision:
        today = day_that_came(f"order {order}", arrived_on, local_date(at, market.zone))
        return credit.deposit(
            app.reading(app.work(stream, state, "", CREDIT.name)),
            amount_minor=amount_minor,
            currency=currency,
            reference=remittance,
            method=method,
            arrived_on=_iso(arrived_on),
            today=today.isoformat(),
            sure=sure,
            at=at,
        )

    wish = ["deposit", amount_minor, currency, remittance, method, *([_iso(arrived_on)] if arrived_on else [])]
    return Deed(stream, (take,), wish)


def deposit_stands(app: Engine, order: str) -> str:
    """How an order stands with its deposit, in words: what is still missing, that the gate is passed, or what became of it."""
    state = find_order(app, order)[1]
    if state.closed:
        good_bills = app.book.market(state.market).credit.deposit_good_bills
        kept_on = f"kept until {good_bills} bills in a row were paid by their due day" if good_bills else "a credit of its account"
        became = kept_on if state.closed in BECOMES_CREDIT else "owed to the customer: see `o2c payments owed`"
        return f"the order is over, so it is {became}"
    kept = state.kept("", CREDIT.name)
    if kept and kept[-1]["missing_minor"] and state.record("", CREDIT.name).waiting_for:
        return f"{amount_text(int(kept[-1]['missing_minor']), str(kept[-1]['currency']))} is still missing"
    passed = state.progress.gates.get(CREDIT.name) == "done"
    return "the credit gate is passed" if passed else "it is kept while the order is open"


def record(
    app: Engine,
    context: Context,
    invoice: str,
    *,
    amount: str,
    reference: str,
    currency: str = "",
    arrived_on: date | None = None,
    sure: bool = False,
) -> Written:
    """Record a payment that arrived by bank: in part, in full, or too much, which is a credit that the next invoice uses.

    `amount` is decimal text in the invoice's currency. The same reference, day and amount are the same payment: then the answer says
    `repeated`. Another amount or day under one reference is another payment. Raises Refused: missing (no such invoice), conflict (the same
    came on another day and nobody says which is meant; far more than the invoice comes to, and nobody is `sure`; somebody was faster),
    usage (no amount, another currency, a day that has not come).
    """
    stream = invoice_stream(invoice)
    issued = issued_invoice(app, invoice).issued
    assert issued is not None
    if currency and currency != issued.currency:
        raise Refused(f"invoice {invoice} is in {issued.currency}, not in {currency}; have the bank convert it and record what arrived")
    amount_minor, remittance = minor_of(amount, issued.currency), reference_of(reference)

    def take(state: InvoiceState, at: datetime) -> Decision:
        work = app.work(stream, state, "", PAYMENT.name)
        today = day_that_came(f"invoice {invoice}", arrived_on, local_date(at, work.market.zone))
        return payments.record(
            work,
            amount_minor=amount_minor,
            remittance=remittance,
            arrived_on=_iso(arrived_on),
            today=today.isoformat(),
            begun_by=app.clock().latest(at) + NEARLY_DUE,
            sure=sure,
        )

    wish = ["record payment", amount_minor, remittance, arrived_on and arrived_on.isoformat()]
    return known_before(act(app, context, "payments.record", Deed(stream, (take,), wish)))


def refund(
    app: Engine,
    context: Context,
    account: str,
    *,
    amount: str,
    reference: str,
    method: str = "bank-transfer",
    returned_on: date | None = None,
) -> Written:
    """Record that money was paid back to the customer of an account: what is owed first, then a credit. It moves no money itself.

    `amount` is decimal text in the account's currency. The same reference, day and amount are the same transfer: then the answer says
    `repeated`. Raises Refused: missing (the account holds nothing and never did), conflict (more than can be paid back), usage (no amount,
    no reference, a day that has not come).
    """
    stream = account_stream(account)
    held: AccountState = app.load_one(stream).state
    if not held.currency:
        raise Refused(f"no account {account} that holds money; see `o2c payments owed`", kind="missing")
    amount_minor, remittance = minor_of(amount, held.currency), reference_of(reference)

    def give(state: AccountState, at: datetime) -> Decision:
        # An account that was never charged follows no market yet.
        zone = app.book.market(state.market).zone if state.market else "UTC"
        today = day_that_came(f"account {account}", returned_on, local_date(at, zone))
        day = (returned_on or today).isoformat()
        return balance.pay_back(state, amount_minor=amount_minor, remittance=remittance, method=method, returned_on=day)

    wish = ["refund", amount_minor, remittance, method, _iso(returned_on)]
    return known_before(act(app, context, "payments.refund", Deed(stream, (give,), wish)))


def known_before(written: Written) -> Written:
    """Give what was written; what was recorded before is not recorded again, and the answer says so."""
    return replace(written, repeated=True) if written.unchanged else written


def day_that_came(what: str, day: date | None, today: date) -> date:
    """Give the present day. Raises Refused when the day that is named is still to come."""
    if day is not None and day > today:
        raise Refused(f"{what}: {day} has not come yet; record money once it moved")
    return today


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def retry(app: Engine, context: Context, invoice: str, *, note: str) -> Written:
    """Collect an invoice once more whose payment fell out, or was taken back: charged back, or moved to where it belongs. Whoever charged a
    payment back is not asked again but by a person. Raises Refused: missing (no such invoice), conflict (nothing to collect again)."""
    issued_invoice(app, invoice)
    stream = invoice_stream(invoice)

    def again(state: InvoiceState, at: datetime) -> Decision:
        work = app.work(stream, state, "", PAYMENT.name)
        if state.to_collect_anew:
            return PAYMENT.request(work, at, attempt=work.attempt + 1)
        if not work.fallout or not work.waiting_for:
            how = "is paid" if state.open_minor <= 0 else "was not refused, or is collected again already"
            raise Refused(f"invoice {invoice} {how}; there is nothing to retry", kind="conflict")
        return fallouts.resolve(fallouts.Retry(), PAYMENT, work, app.kind(stream), app.book, note=note, at=at)

    return act(app, context, "payments.retry", Deed(stream, (again,), ["retry payment", note]))


def reference_of(text: str) -> str:
    """Give a payer's reference in one spelling: bank statements pad and break it. Raises Refused when there is none."""
    words = " ".join(text.split())
    if not words:
        raise Refused("say the reference the bank shows: by it the same payment is known when it is recorded again")
    return words
