"""The desk for collections: holding them, taking down promises to pay, agreeing on plans, letting them go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from o2c.collections import debt_plans, rules
from o2c.collections.state import CollectionState
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.invoicing.state import AccountState
from o2c.kernel.arrears import collection_stream
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision
from o2c.kernel.money import to_minor
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.views.invoices import issued_invoice
from o2c.views.reading import day_of

Decide = Callable[[CollectionState, date, Market, Mapping[str, str]], Decision]
"""From the state of an account's collections, the local day, its market and whose it is, to what happens."""


def hold(app: Engine, context: Context, account: str, kind: str, *, until: date | None = None, note: str = "") -> Written:
    """Hold the collections of an account: nothing becomes worse and nobody is written to, or (vulnerable) notices go on and no line is
    barred.

    `kind` is one of the market's: dispute, vulnerable, payment-pending, key-account (until the courtesy contact, which its release stands
    for). It lasts up to and including the day `until`, where one is given. The same hold once more changes nothing. Raises Refused: missing
    (no such account), usage (no such kind, a day that is over or too far off).
    """

    def decide(state: CollectionState, today: date, market: Market, of: Mapping[str, str]) -> Decision:
        return rules.hold(state, kind, until=until, note=note, today=today, market=market, of=of)

    return act(app, context, "collections.hold", _deed(app, account, decide, ["hold", kind, until and until.isoformat(), note]))


def release(app: Engine, context: Context, account: str, kind: str, *, note: str = "") -> Written:
    """Release a hold on the collections of an account; they go on from where they stand, and bar nobody who was not warned before.

    A hold that there is not changes nothing. Raises Refused: missing (no such account).
    """

    def decide(state: CollectionState, today: date, market: Market, of: Mapping[str, str]) -> Decision:
        return rules.release(state, kind, note=note, of=of)

    return act(app, context, "collections.release", _deed(app, account, decide, ["release", kind, note]))


def promise(app: Engine, context: Context, account: str, *, amount: str, by: date, currency: str = "", note: str = "") -> Written:
    """Take down a customer's promise to pay up to and including a day: until then nothing becomes worse; the day after, it is kept or
    broken.

    `amount` is decimal text in the currency, the account's where none is named. The same promise once more changes nothing. Raises Refused:
    missing (no such account), usage (no amount, more than is owed, a day that is over or too far off), conflict (nothing is owed, another
    promise stands, too many were broken).
    """
    currency = currency or _account(app, account).currency
    amount_minor = _minor(amount, currency)

    def decide(state: CollectionState, today: date, market: Market, of: Mapping[str, str]) -> Decision:
        return rules.promise(state, amount_minor=amount_minor, currency=currency, by=by, note=note, today=today, market=market, of=of)

    return act(app, context, "collections.promise", _deed(app, account, decide, ["promise", amount_minor, currency, by.isoformat(), note]))


def plan(app: Engine, context: Context, account: str, parts: Mapping[str, str], *, currency: str = "", note: str = "") -> Written:
    """Agree with a customer how all that is owed past its due day is paid in parts: while they come in time nothing becomes worse.

    `parts` are decimal amounts in the currency (the account's where none is named) by the last day of each; they sum to the debt to the
    penny. A part that is too late, or an invoice that falls due beside the plan and is not paid, breaks it: collections go on at the stage
    that is due. The same plan once more changes nothing. Raises Refused: missing (no such account), usage (no amounts or days, days that
    are over or too far off, too few or many parts, another sum), conflict (nothing is owed, a promise or another plan stands, something is
    in dispute, an agency collects it, too many plans were broken).
    """
    currency = currency or _account(app, account).currency
    agreed = sorted((day_of(day), _minor(amount, currency)) for day, amount in parts.items())

    def decide(state: CollectionState, today: date, market: Market, of: Mapping[str, str]) -> Decision:
        return debt_plans.agree(state, agreed, currency=currency, note=note, today=today, market=market, of=of)

    wish: list[object] = ["plan", [[day.isoformat(), amount_minor] for day, amount_minor in agreed], currency, note]
    return act(app, context, "collections.plan", _deed(app, account, decide, wish))


def open_dispute(app: Engine, context: Context, invoice: str, *, amount: str = "", note: str = "") -> Written:
    """Open a dispute about an invoice: its amount (all that is open where none is named) is not collected until it is settled; the rest is.

    The same dispute once more changes nothing. Raises Refused: missing (no such invoice), usage (no amount, more than is open), conflict
    (another dispute about it stands).
    """
    found = issued_invoice(app, invoice)
    assert found.issued is not None
    currency, open_minor = found.issued.currency, max(found.owed_minor, 0)
    amount_minor = _minor(amount, currency) if amount else open_minor
    if not open_minor:
        raise Refused(f"invoice {invoice} is paid; nothing of it is collected", kind="conflict")

    def decide(state: CollectionState, today: date, market: Market, of: Mapping[str, str]) -> Decision:
        return rules.dispute(state, invoice, amount_minor=amount_minor, open_minor=open_minor, currency=currency, note=note, of=of)

    return act(app, context, "disputes.open", _deed(app, found.issued.account, decide, ["dispute", invoice, amount_minor, note]))


def settle_dispute(app: Engine, context: Context, invoice: str, *, outcome: str, note: str = "") -> Written:
    """Settle the dispute about an invoice, for the customer (it stays uncollected until a credit note takes it off) or the operator (it is
    collected).

    A dispute that there is not changes nothing. Raises Refused: missing (no such invoice), usage (an outcome other than customer and
    operator).
    """
    found = issued_invoice(app, invoice)
    assert found.issued is not None
    currency = found.issued.currency

    def decide(state: CollectionState, today: date, market: Market, of: Mapping[str, str]) -> Decision:
        return rules.settle_dispute(state, invoice, outcome=outcome, currency=currency, note=note, of=of)

    return act(app, context, "disputes.settle", _deed(app, found.issued.account, decide, ["settle", invoice, outcome, note]))


def _minor(amount: str, currency: str) -> int:
    """An amount in minor units. Raises Refused for what is no decimal amount, or is nothing."""
    try:
        amount_minor = to_minor(amount, currency)
    except ValueError as error:
        raise Refused(f"{error}; write the amount as 23.99") from None
    if amount_minor <= 0:
        raise Refused("an amount is more than nothing; write it as 23.99")
    return amount_minor


def _deed(app: Engine, account: str, decide: Decide, wish: list[object]) -> Deed:
    found = _account(app, account)
    market: Market = app.book.market(found.market)
    of = {"account": account, "customer": found.customer, "market": found.market}

    def rule(state: CollectionState, at: datetime) -> Decision:
        return decide(state, local_date(at, market.zone), market, of)

    return Deed(collection_stream(account), (rule,), wish)


def _account(app: Engine, account: str) -> AccountState:
    """The billing account of an id. Raises Refused (missing) for one that no order named."""
    state: AccountState = app.load_one(account_stream(account)).state
    if not state.market:
        raise Refused(f"no account {account}; see `o2c collections list`, or the customer's page", kind="missing")
    return state
