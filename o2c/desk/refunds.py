"""The desk for refunds: money of an account that its customer gets back by the way in which it came."""

from __future__ import annotations

from datetime import date, datetime

from o2c.desk import payments
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import account_stream, invoice_stream
from o2c.kernel.decision import Decision
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.refunds import rules
from o2c.refunds.events import RefundOpened
from o2c.refunds.state import RefundState, refund_stream
from o2c.views.invoices import invoice_streams
from o2c.views.reading import minor_of
from o2c.views.taking_back import meant_invoice


def request_refund(app: Engine, context: Context, account: str, *, amount: str) -> Written:
    """Ask the payment provider to give some of what an account holds back by the way in which it came: what is owed first, then credits,
    the oldest first.

    `amount` is decimal text in the account's currency. Over more than the market's limit it waits for a second person (`refunds.approve`).
    Until it is paid it is owed to the customer, and no bill uses it. Raises Refused: missing (the account holds nothing), conflict (more
    than can be given back), usage (no amount).
    """
    held = _holding(app, account)
    amount_minor = minor_of(amount, held.currency)

    def take(state: AccountState, at: datetime) -> Decision:
        limit_minor = app.book.market(state.market).invoicing.refund_approved_above_minor if state.market else 0
        how = {"market": state.market, "today": _today(app, state, at)}
        return rules.request(state, amount_minor=amount_minor, author=context.actor, limit_minor=limit_minor, **how)

    return act(app, context, "refunds.request", Deed(account_stream(account), (take,), ["request refund", amount_minor]))


def approve_refund(app: Engine, context: Context, account: str, refund: str) -> Written:
    """Give back what somebody else asked for and what one person may not give alone. Once it is approved, the same changes nothing.

    Raises Refused: missing (no such account or refund), forbidden (who asked for it), conflict (it was withdrawn, or so much is not held
    any more).
    """
    _holding(app, account)

    def take(state: AccountState, at: datetime) -> Decision:
        return rules.approve(state, refund, approved_by=context.actor, market=state.market, today=_today(app, state, at))

    return act(app, context, "refunds.approve", Deed(account_stream(account), (take,), ["approve refund", refund]))


def give_up_refund(app: Engine, context: Context, account: str, refund: str, *, reason: str) -> Written:
    """Give a refund up that the payment provider refused, or of which nobody knows what came: the account has the money again as it had it
    before. One that waits for a second person is withdrawn: nobody can approve it any more.

    Ask the provider first where the outcome is unknown: what it paid all the same is recorded by `refunds.paid`. The same once more changes
    nothing. Raises Refused: missing (no such account or refund), usage (no reason), conflict (it was paid, or is under way;
    somebody was faster).
    """
    if not reason.strip():
        raise Refused(f"refund {refund}: say why it is given up")
    whose = account_stream(account)
    balance = app.load_one(whose).state.balance
    if refund in balance.wanted or refund in balance.withdrawn:
        deed = _withdrawal(context, whose, refund, reason.strip())
    else:
        deed = _giving_up(app, context, account, refund, reason.strip())
    return act(app, context, "refunds.give-up", deed)


def paid_after_all(app: Engine, context: Context, account: str, refund: str, *, reference: str, paid_on: date | None = None) -> Written:
    """Take down that the payment provider paid a refund that was given up: what the account still holds of it is gone, and its customer
    owes the rest again: on the invoice whose payment the refund was of, else on the oldest one that is open, else on the last one.

    `reference` is the provider's own for the refund; `paid_on` is today where no day is named. Recorded twice it is once, and the answer
    says `repeated`. Raises Refused: missing (no such account or refund), usage (no reference, a day that has not come), conflict (it was
    not given up; the account holds less and has no invoice; somebody was faster).
    """
    stream, whose = refund_stream(refund), account_stream(account)
    opened, provider_reference = _opened(app, account, refund), payments.reference_of(reference)
    beside = app.load([whose, *([invoice_stream(number)] if (number := _owed_on(app, account, opened.reference)) else [])])

    def take(state: RefundState, at: datetime) -> Decision:
        work = app.work(stream, state, "", "refund")
        bill = app.work(invoice_stream(number), beside[invoice_stream(number)].state, "", "payment") if number else None
        today = payments.day_that_came(f"refund {refund}", paid_on, local_date(at, work.market.zone if work.market else "UTC"))
        how = {"paid_on": (paid_on or today).isoformat(), "today": today.isoformat(), "author": context.actor}
        return rules.paid_after_all(work, beside[whose].state, bill, reference=provider_reference, **how)

    wish = ["refund paid after all", refund, provider_reference, paid_on and paid_on.isoformat()]
    return payments.known_before(act(app, context, "refunds.paid", Deed(stream, (take,), wish, beside=beside)))


def _owed_on(app: Engine, account: str, reference: str) -> str:
    """The invoice on which a customer owes what went beyond what was held: that of the payment, by the provider's reference of it, else the
    one that a payment of the account would be for; empty for an account without one."""
    invoices: list[InvoiceState] = [loaded.state for loaded in app.load(invoice_streams(app, account)).values()]
    paid = (one for one in invoices if reference and not one.voided and any(reference == each.reference for each in one.payments))
    if found := next(paid, None):
        return found.issued.number if found.issued else ""
    return meant_invoice(app, account) if any(one.issued and not one.voided for one in invoices) else ""


def _opened(app: Engine, account: str, refund: str) -> RefundOpened:
    opened: RefundOpened | None = app.load_one(refund_stream(refund)).state.opened
    if opened is None or opened.account != account:
        raise Refused(
            f"account {account} has no refund {refund[:60]} that was asked of the provider; see `o2c balance show`", kind="missing"
        )
    return opened


def _giving_up(app: Engine, context: Context, account: str, refund: str, reason: str) -> Deed:
    stream, whose = refund_stream(refund), account_stream(account)
    _opened(app, account, refund)
    beside = app.load([whose])

    def take(state: RefundState, at: datetime) -> Decision:
        work = app.work(stream, state, "", "refund")
        return rules.give_up(work, beside[whose].state, author=context.actor, comment=reason)

    return Deed(stream, (take,), ["give up refund", refund, reason], beside=beside)


def _withdrawal(context: Context, stream: str, refund: str, reason: str) -> Deed:
    def take(state: AccountState, at: datetime) -> Decision:
        return rules.withdraw(state, refund, author=context.actor, comment=reason)

    return Deed(stream, (take,), ["withdraw refund", refund, reason])


def _holding(app: Engine, account: str) -> AccountState:
    held: AccountState = app.load_one(account_stream(account)).state
    if not held.currency:
        raise Refused(f"no account {account} that holds money; see `o2c payments owed`", kind="missing")
    return held


def _today(app: Engine, state: AccountState, at: datetime) -> str:
    return local_date(at, app.book.market(state.market).zone if state.market else "UTC").isoformat()
