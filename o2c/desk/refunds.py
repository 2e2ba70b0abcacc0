"""The desk for refunds: money of an account that its customer gets back by the way in which it came."""

from __future__ import annotations

from datetime import datetime

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.refunds import rules
from o2c.refunds.state import RefundState, refund_stream
from o2c.views.reading import minor_of


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

    Ask the provider first where the outcome is unknown: what it paid all the same is recorded by `payments.refund`. The same once more
    changes nothing. Raises Refused: missing (no such account or refund), usage (no reason), conflict (it was paid, or is under way;
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


def _giving_up(app: Engine, context: Context, account: str, refund: str, reason: str) -> Deed:
    stream, whose = refund_stream(refund), account_stream(account)
    opened = app.load_one(stream).state.opened
    if opened is None or opened.account != account:
        raise Refused(
            f"account {account} has no refund {refund[:60]} that was asked of the provider; see `o2c balance show`", kind="missing"
        )
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
