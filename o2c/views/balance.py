"""What an account owes and what is held for it, at any instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from o2c.engine.app import Engine
from o2c.kernel.arrears import collection_stream
from o2c.kernel.charges import account_stream
from o2c.kernel.periods import local_date, stamp
from o2c.kernel.refusal import Refused
from o2c.views.invoices import invoice_streams
from o2c.views.shown import AccountBalanceShown, BalanceItemShown

if TYPE_CHECKING:
    from o2c.balance.state import Lot
    from o2c.collections.state import CollectionState
    from o2c.invoicing.noted import InvoiceState
    from o2c.invoicing.state import AccountState
    from o2c.kernel.event import Fact

Since = dict[str, str]
"""The day on which money first came from an origin, by the name of what it came from."""


def show_balance(app: Engine, account: str, *, at: datetime | None = None) -> list[AccountBalanceShown]:
    """What an account owes and what is held for it, a row a currency: at an instant (now, unless said), in minor units, the oldest item
    first.

    `open_minor` is owed by the customer on invoices, of which `disputed_minor` is in dispute; `credit_minor` the next bill uses, the oldest
    first; `owed_minor` is to be paid back; `deposits_minor` are kept; `unallocated_minor` came before accounts held money, and no account
    has it. Each is what the books say of the account. Credit and what is owed go back by themselves on the day `goes_back_on`, where the
    account has ended. Raises Refused (missing) for an account that nobody named by then.
    """
    when = at or app.clock().now
    state, since = _folded(app, account_stream(account), when)
    if not state.account:
        raise Refused(f"no account {account} at {stamp(when)}; see `o2c customers show` for a customer's", kind="missing")
    collected: CollectionState = _folded(app, collection_stream(account), when)[0]
    invoices = [_folded(app, stream, when)[0] for stream in sorted(invoice_streams(app, account))]
    issued: list[InvoiceState] = [invoice for invoice in invoices if invoice.issued]
    currencies = {state.currency, *(invoice.issued.currency for invoice in issued if invoice.issued)} - {""}
    goes_back_on = _goes_back_on(app, state)
    return [_row(state, since, collected, issued, currency, when, goes_back_on) for currency in sorted(currencies)]


def _goes_back_on(app: Engine, state: AccountState) -> str | None:
    """The local day on which what is left on an account goes back by itself; None where nothing does."""
    record = state.records.get("credit-return")
    if not record or not record.sent_from or not state.to_return:
        return None
    return local_date(record.sent_from, app.book.market(state.market).zone).isoformat()


def _folded(app: Engine, stream: str, at: datetime) -> tuple[Any, Since]:
    """A stream as it stood at an instant, and since when money of each origin is in it."""
    kind = app.kind(stream)
    state, since = kind.initial(stream), Since()
    for fact in cast("Iterator[Fact]", app.events.get(stream)):
        if fact.occurred_at > at:
            break
        state = kind.evolve(state, fact.event)
        for name in ("invoice", "order", "refund"):
            if origin := getattr(fact.event, name, ""):
                since.setdefault(origin, fact.occurred_at.date().isoformat())
    return state, since


def _row(
    state: AccountState,
    since: Since,
    collected: CollectionState,
    invoices: list[InvoiceState],
    currency: str,
    at: datetime,
    goes_back_on: str | None,
) -> AccountBalanceShown:
    own = [invoice for invoice in invoices if invoice.issued and invoice.issued.currency == currency]
    items = sorted(_items(state, since, collected, own, currency), key=lambda item: (item["since"], item["what"], item["of"]))

    def summed(what: str) -> int:
        return sum(item["amount_minor"] for item in items if item["what"] == what)

    return {
        "account": state.account,
        "customer": state.customer,
        "currency": currency,
        "at": stamp(at),
        "open_minor": summed("open"),
        "overdue_minor": sum(max(invoice.open_minor, 0) for invoice in own if invoice.overdue),
        "disputed_minor": sum(item["disputed_minor"] for item in items),
        "credit_minor": summed("credit"),
        "owed_minor": summed("owed") + summed("refund"),
        "deposits_minor": summed("deposit"),
        "unallocated_minor": sum(max(-invoice.owed_minor, 0) for invoice in own),
        "goes_back_on": goes_back_on if currency == state.currency else None,
        "items": items,
    }


def _items(
    state: AccountState, since: Since, collected: CollectionState, invoices: list[InvoiceState], currency: str
) -> Iterator[BalanceItemShown]:
    for invoice in invoices:
        if invoice.issued and invoice.open_minor > 0:
            number, open_minor = invoice.issued.number, invoice.open_minor
            disputed_minor = min(collected.uncollected(number), open_minor)
            yield _item("open", number, invoice.issued.issued_on, open_minor, due_on=invoice.issued.due_on, disputed_minor=disputed_minor)
    if currency != state.currency:
        return
    for what, lots in (("credit", state.balance.credits), ("owed", state.balance.owed)):
        yield from (_of_lot(what, lot, since) for lot in lots)
    for refund, amount_minor in state.balance.refunding.items():
        yield _item("refund", refund, since.get(refund, ""), amount_minor, origin="refund")
    for order, amount_minor in state.balance.deposits.items():
        origin = "good-bills" if order in state.balance.retained else "order"
        yield _item("deposit", order, since.get(order, ""), amount_minor, origin=origin)


def _of_lot(what: str, lot: Lot, since: Since) -> BalanceItemShown:
    return _item(what, lot.of, since.get(lot.of, ""), lot.amount_minor, origin=lot.origin)


def _item(
    what: str, of: str, since: str, amount_minor: int, *, origin: str = "", due_on: str | None = None, disputed_minor: int = 0
) -> BalanceItemShown:
    return {
        "what": what,
        "of": of,
        "origin": origin or "invoice",
        "since": since,
        "due_on": due_on,
        "amount_minor": amount_minor,
        "disputed_minor": disputed_minor,
    }
