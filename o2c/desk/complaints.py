"""The desk for complaints: raising one, answering it, giving it to who may decide more, and ending it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from o2c.complaints import rules
from o2c.complaints.events import Channel, ComplaintRaised, Remedy, Topic
from o2c.complaints.state import OFFERS_STREAM, ComplaintState, OffersState, stream_of
from o2c.customers.state import stream_of as customer_stream
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.invoicing.state import AccountState
from o2c.kernel.balances import GoodwillGiven
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, current
from o2c.markets.registry import market as of_pin
from o2c.products.events import product_stream
from o2c.products.rules import period_minor
from o2c.products.serving import in_service
from o2c.products.state import ProductState
from o2c.views.fallouts import row_of_fallout
from o2c.views.invoices import show_invoice
from o2c.views.orders import find_order
from o2c.views.reading import minor_of

__all__ = [
    "Channel",
    "Raised",
    "Remedy",
    "Topic",
    "answer_complaint",
    "escalate_complaint",
    "load_offers",
    "open_complaint",
    "resolve_complaint",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised(Written):
    """A complaint that was raised: `complaint` is its id."""

    complaint: str


def open_complaint(
    app: Engine,
    context: Context,
    customer: str,
    *,
    topic: Topic,
    channel: Channel,
    order: str = "",
    invoice: str = "",
    fallout: str = "",
    note: str = "",
    market: str = HOME,
) -> Raised:
    """Take down what a customer complains of, in a channel, and about which order, invoice or fallout of it; the market's clock runs from
    now.

    The note of it is personal. Raises Refused: missing (no such customer, order, invoice or fallout), usage (no such topic, channel or
    market), conflict (the order, invoice or fallout is another customer's, or the command id was used for another wish), forbidden.
    """
    asked = context.checked()
    pinned = current(market, app.clock().now.date())
    about = {
        "order": _order_of(app, customer, order),
        "invoice": _invoice_of(app, customer, invoice),
        "fallout": _fallout_of(app, customer, fallout),
    }
    complaint = derived_id("complaint", customer, asked.command_id or str(uuid4()))
    told = {"complaint": complaint, "customer": customer, "topic": topic, "channel": channel, "market": pinned.pin, "note": note}
    raised = ComplaintRaised.model_validate({**told, **about})
    known = app.load_one(customer_stream(customer))

    def rule(state: ComplaintState, at: datetime) -> Decision:
        return rules.raise_complaint(state, raised, known.state, at=at, clock=pinned.care.complaints)

    deed = Deed(stream_of(complaint), (rule,), ["raise", customer, topic, channel, *about.values(), note])
    written = act(app, asked, "complaints.open", deed)
    return Raised(written.stream, written.position, written.repeated, written.unchanged, complaint=complaint)


def answer_complaint(app: Engine, context: Context, complaint: str, *, channel: Channel, remedy: Remedy, note: str = "") -> Written:
    """Answer a complaint, in whatever channel the customer came, with what is done about it or offered.

    Raises Refused: missing, usage (no such channel or remedy), conflict (it is resolved), forbidden.
    """

    def rule(state: ComplaintState, at: datetime) -> Decision:
        return rules.answer(state, channel=channel, remedy=remedy, note=note)

    return act(app, context, "complaints.answer", Deed(stream_of(complaint), (rule,), ["answer", channel, remedy, note]))


def escalate_complaint(app: Engine, context: Context, complaint: str, *, team: str = "", deadlock: bool = False) -> Written:
    """Give a complaint to a team that may decide more, or take down that the letter of deadlock was sent, after which the customer may go
    outside at once.

    Raises Refused: missing, usage (neither or both, a market without such letters), conflict (it is resolved), forbidden.
    """

    def rule(state: ComplaintState, at: datetime) -> Decision:
        market = of_pin(state.raised.market if state.raised else "") or current(HOME, at.date())
        return rules.escalate(state, team=team, deadlock=deadlock, clock=market.care.complaints)

    return act(app, context, "complaints.escalate", Deed(stream_of(complaint), (rule,), ["escalate", team, deadlock]))


def resolve_complaint(
    app: Engine,
    context: Context,
    complaint: str,
    *,
    remedy: Remedy,
    channel: Channel,
    account: str = "",
    amount: str = "",
    product: str = "",
) -> Written:
    """End a complaint, with what the customer got.

    A credit is given by that where an `account` and an `amount` are said (decimal text, tax included), and a period free of charge where a
    `product` is: what one costs at its price, with tax. It is a credit of the account, which the next bill uses; the tax of bills stays as
    it was. What was billed wrong is taken back by a credit note instead, and what is neither said is given otherwise.

    Raises Refused: missing (no such complaint, account or product), usage (no such remedy or channel, no amount, both ways at once),
    conflict (it ended otherwise, the account is another customer's, the product ended, or that is more than one person may give of the
    market), forbidden.
    """
    gives = _giving(app, complaint, account, amount, product)

    def rule(state: ComplaintState, at: datetime) -> Decision:
        return rules.resolve(state, remedy=remedy, channel=channel, gives=gives, free=product)

    done = ["resolve", remedy, channel, *([account, amount, product] if gives else [])]
    return act(app, context, "complaints.resolve", Deed(stream_of(complaint), (rule,), done))


def _giving(app: Engine, complaint: str, account: str, amount: str, product: str) -> Callable[[], tuple[GoodwillGiven, int]] | None:
    """What works out the credit of an account, and how much of that one person may give, in minor units; None for nothing to give."""
    if not (account or amount or product):
        return None
    if (product and (account or amount)) or bool(account) != bool(amount):
        raise Refused(f"complaint {complaint[:40]}: name an account and an amount, or a product of which a period is free")

    def given() -> tuple[GoodwillGiven, int]:
        of = _period_of(app, product) if product else _credit_of(app, account, amount)
        rules_of_account = app.book.market(of.pop("market"))
        gives = GoodwillGiven.model_validate({**of, "complaint": complaint, "product": product})
        return gives, rules_of_account.invoicing.note_approved_above_minor

    return given


def _period_of(app: Engine, product: str) -> dict[str, Any]:
    state: ProductState = app.load_one(product_stream(product)).state
    stands = in_service(state, "no period of it can be free")
    market = app.book.market(state.market)
    amount_minor = period_minor(stands, market, local_date(app.clock().now, market.zone))
    return {
        "account": stands.account,
        "customer": stands.customer,
        "currency": state.currency,
        "market": state.market,
        "amount_minor": amount_minor,
    }


def _credit_of(app: Engine, account: str, amount: str) -> dict[str, Any]:
    held: AccountState = app.load_one(account_stream(account)).state
    if not held.currency:
        raise Refused(f"no account {account[:40]} that was ever charged; see `o2c customers show`, or give a voucher", kind="missing")
    return {
        "account": account,
        "customer": held.customer,
        "currency": held.currency,
        "market": held.market,
        "amount_minor": minor_of(amount, held.currency),
    }


def _order_of(app: Engine, customer: str, name: str) -> str:
    if not name:
        return ""
    _, state = find_order(app, name)
    _own(state.party, customer, f"order {name}")
    return state.order_id


def _invoice_of(app: Engine, customer: str, name: str) -> str:
    if not name:
        return ""
    _own(str(show_invoice(app, name)["customer"]), customer, f"invoice {name}")
    return name


def _fallout_of(app: Engine, customer: str, name: str) -> str:
    if not name:
        return ""
    _own(str(row_of_fallout(app, name)["customer"]), customer, f"fallout {name}")
    return name


def _own(whose: str, customer: str, what: str) -> None:
    if whose != customer:
        raise Refused(f"{what} is not of customer {customer}; see `o2c customers show {customer}`", kind="conflict")


def load_offers(app: Engine, context: Context, *, definitions: str) -> Written:
    """Put the operator's own offers to customers whom we let down in force (the text of a TOML file), in place of those before: who is
    offered what on which grounds, and what share of them is held out of it. Loaded again unchanged, it does nothing.

    Who is held out of an offer follows from its name, so an offer that keeps its name keeps its held-out customers. Raises Refused (usage)
    with the first thing that is wrong; then nothing of it is loaded.
    """

    def rule(state: OffersState, at: datetime) -> Decision:
        return rules.load_offers(state, definitions)

    return act(app, context, "offers.load", Deed(OFFERS_STREAM, (rule,), ["load offers", definitions]))
