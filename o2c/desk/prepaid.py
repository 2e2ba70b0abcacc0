"""The desk for prepaid money: a top-up came, and what is left goes back to who left."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Loaded
from o2c.kernel.balances import PrepaidOwed
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision
from o2c.kernel.money import to_minor
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.refusal import Refused
from o2c.quota import rules
from o2c.quota.events import PrepaidToppedUp
from o2c.quota.state import QuotaState, stream_of
from o2c.refunds.rules import request

if TYPE_CHECKING:
    from o2c.invoicing.state import AccountState

_DAYS_MAX = 3650
_REFERENCE_MAX = 100


def top_up(
    app: Engine, context: Context, account: str, *, amount: str, reference: str, method: str = "card", valid_days: int | None = None
) -> Written:
    """Record money that came to pay for usage in advance, tax included: it is charged as prepaid usage is committed, and lists on no
    invoice.

    `amount` is decimal text in the account's currency; `reference` is the payment's own, and the same one is the same top-up. What is left
    of it expires after `valid_days`, the market's when left out (0: never). Raises Refused: missing (no such account), usage (no amount, no
    reference, no number of days), conflict (that reference came with another amount).
    """
    opened = _opened(app.load_one(account_stream(account)), account)
    market = app.book.market(opened.market)
    currency, days = opened.currency or market.currency, market.usage.quota.top_up_days if valid_days is None else valid_days
    try:
        amount_minor = to_minor(amount, currency)
    except ValueError as error:
        raise Refused(f"{error}; write what came as 10.00") from None
    if not reference.strip() or not reference.isprintable() or len(reference) > _REFERENCE_MAX:
        raise Refused(f"a top-up has the reference of its payment, of at most {_REFERENCE_MAX} printable characters")
    if days is not None and not 0 <= days <= _DAYS_MAX:
        raise Refused(f"a top-up is valid for 1 to {_DAYS_MAX} days, or for good with 0")

    def take(state: QuotaState, at: datetime) -> Decision:
        today = local_date(at, market.zone)
        topped_up = PrepaidToppedUp(
            account=account,
            customer=opened.customer,
            currency=currency,
            market=opened.market,
            amount_minor=amount_minor,
            method=method,
            reference=reference,
            topped_up_on=today.isoformat(),
            expires_at=local_time(today + timedelta(days=days + 1), 0, 0, market.zone) if days else None,
        )
        return rules.top_up(state, topped_up)

    wish = ["top-up", amount_minor, reference, method, valid_days]
    return act(app, context, "prepaid.top-up", Deed(stream_of(account), (take,), wish))


def refund_prepaid(app: Engine, context: Context, account: str) -> Written:
    """Give back what is left of an account's prepaid money to a customer who is served no more and asks for it, by the way in which it
    came.

    A fee is kept where the contract has one. The refunds are those of any account (`balance.show`); a statute gives them, so that no second
    person is asked. Asked again, once all of it went back, nothing changes. Raises Refused: missing (no such account, nothing is left),
    conflict (a line can still use it, a session holds units, the fee is all there is).
    """
    from o2c.invoicing.state import evolve_account

    whose = account_stream(account)
    beside = app.load([whose])
    opened = _opened(beside[whose], account)
    market = app.book.market(opened.market)
    lines = [charge for charge in opened.charges.values() if charge.terms.usage_version]
    serving = [charge.place for charge in lines if not charge.withdrawn]
    leaver = rules.Leaver(account, opened.customer, serving, max((charge.ended_on for charge in lines), default=""))

    def give(owed: tuple[PrepaidOwed, ...], today: str) -> Decision:
        amount_minor = sum(event.amount_minor for event in owed)
        how = {"author": context.actor, "market": opened.market, "today": today}
        return request(reduce(evolve_account, owed, opened), amount_minor=amount_minor, limit_minor=amount_minor, **how)

    def take(state: QuotaState, at: datetime) -> Decision:
        return rules.give_back(state, leaver, market, give, at=at)

    return act(app, context, "prepaid.refund", Deed(stream_of(account), (take,), ["refund prepaid"], beside=beside))


def _opened(loaded: Loaded, account: str) -> AccountState:
    """The account of a customer. Raises Refused (missing) for none."""
    opened: AccountState = loaded.state
    if not opened.customer:
        raise Refused(f"no account {account[:60]}; see `o2c customers show`", kind="missing")
    return opened
