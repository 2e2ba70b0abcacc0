"""The desk for products in service: the code by which a customer takes a number to another operator, that operator's request, the
customer's lock, and what an owner agrees to who gives a product to another customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from secrets import randbelow
from uuid import uuid4

from o2c.catalogue.events import PriceRiseAnnounced
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.customers.state import stream_of
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.chance import draw
from o2c.kernel.decision import Decision
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.markets.life import LEAVING, LOCKED, SIM_SWAP
from o2c.products import rules as of_products
from o2c.products import transfers
from o2c.products.events import product_stream
from o2c.products.state import ProductState
from o2c.products.transfer_events import Commitment as Commitment
from o2c.views.invoices import open_minor
from o2c.views.reading import all_seen
from projections import products as found

WHY = {
    LEAVING: "the product or its number is ending already; the number can be ported when that is cancelled, or by its former customer while it rests",
    SIM_SWAP: "its SIM was changed a short time ago; ask again when the hold is over",
    LOCKED: "its customer locked the number; lift the lock first (`o2c products lock --lift`)",
}
"""What is said of each ground on which a code is refused."""


@dataclass(frozen=True)
class PortingCode:
    """A code for the number of a product, good through a local day (ISO); what the contract costs that ends today before its term, net and
    with tax, and what is open of the account's invoices, in minor units. `refused` says why there is none, and is empty where there is."""

    written: Written
    product: str
    msisdn: str
    code: str
    valid_through: str
    early_minor: int
    early_gross_minor: int
    owed_minor: int
    currency: str
    refused: str = ""


def porting_code(app: Engine, context: Context, product: str) -> PortingCode:
    """Give the customer the code by which another operator takes over the number of a product: the same one while it is good. Debt is no
    ground to refuse it.

    The customer is told of it at the contact that stands. Raises Refused: missing (no such product), conflict (it ended, has no number, or
    is changed at the same time), usage (the market ports without a code).
    """
    stream, before = product_stream(product), _state(app, product)
    all_seen(app)
    rules, account = app.book.market(before.market), before.standing.account if before.standing else ""
    owed_minor, drawn, rises = open_minor(app, account), _drawn(app, rules, stream), app.load_one(CATALOGUE).state.rises

    def give(state: ProductState, at: datetime) -> Decision:
        return of_products.porting_code(state, rules, drawn, owed_minor=owed_minor, at=at, rises=rises)

    # A code that is good today is not tomorrow, though nothing happened to the product: whoever asks again is answered anew.
    context = context if context.command_id else replace(context, command_id=str(uuid4()))
    written = act(app, context, "products.porting-code", Deed(stream, (give,), ["porting-code"]))
    return _answer(_state(app, product), rules, rises, written, owed_minor, app.clock().now)


def _state(app: Engine, product: str) -> ProductState:
    state: ProductState = app.load_one(product_stream(product)).state
    if state.standing is None:
        raise Refused(f"no product {product}; see `o2c products list`", kind="missing")
    return state


def _drawn(app: Engine, rules: Market, stream: str) -> str:
    """A code that nobody can guess, but in simulated time, where the same seed gives the same run; whether it is wanted is decided by the
    rule."""
    given, clock = rules.life.port_out, app.clock()
    if not given.code_digits:
        return ""
    codes, version = 10**given.code_digits, app.load_one(stream).version
    number = int(draw(clock.seed, stream, version, "porting code") * codes) if clock.kind == "simulated" else randbelow(codes)
    return f"{given.code_prefix}{number:0{given.code_digits}d}"


def _answer(
    state: ProductState, rules: Market, rises: Sequence[PriceRiseAnnounced], written: Written, owed_minor: int, now: datetime
) -> PortingCode:
    assert state.standing is not None
    today = local_date(now, rules.zone)
    code = None if state.code_refused else of_products.good_code(state, today)
    early_minor = of_products.early_minor(state.standing, rules, today, since=state.priced_from, rises=rises)
    return PortingCode(
        written=written,
        product=state.product,
        msisdn=state.standing.holds.get("msisdn", ""),
        code=code.code if code else "",
        valid_through=code.valid_through if code else "",
        early_minor=early_minor,
        early_gross_minor=of_products.with_tax(state.standing, rules, early_minor, today),
        owed_minor=owed_minor,
        currency=state.currency,
        refused=WHY[state.code_refused.ground] if state.code_refused else "",
    )


@dataclass(frozen=True)
class PortOut:
    """What became of another operator's request for a number: `authorised`, for the local day `agreed_on` and to be taken back until
    `cutoff_at`, or `rejected`, with the market's `word`. Fields that do not apply are empty."""

    written: Written
    product: str
    state: str
    reference: str
    operator: str
    agreed_on: str = ""
    window_opens_at: datetime | None = None
    cutoff_at: datetime | None = None
    word: str = ""
    why: str = ""


WHY_REJECTED = {
    **WHY,
    "code": "it is not the customer's code for this number (where the market has no code: not the account that the number is charged to)",
    "code-expired": "the code is too old for the day of the port",
    "porting": "another operator was given the number already",
}
"""What is said of each ground on which a request is rejected."""


def port_out(
    app: Engine, context: Context, product: str, *, operator: str, reference: str, code: str, wished_on: date | None = None
) -> PortOut:
    """Take the request of another operator for the number of a product (or the number itself, as +447700900123), as the clearing house
    passes it on: authorised for a day by the market's calendar and cut-off, or rejected in the market's word. The customer is told at the
    contact that stands.

    Raises Refused: missing (no such product in service), conflict (it ended, has no number, or is changed at the same time), usage (a day
    that is over, nobody named).
    """
    name = _named(app, product)
    market = app.book.market(_state(app, name).market)
    wish = of_products.PortOutWish(operator, reference, code, wished_on)

    def answer(state: ProductState, at: datetime) -> Decision:
        return of_products.port_out(state, market, wish, at=at)

    said = ["port-out", operator, reference, code, wished_on.isoformat() if wished_on else ""]
    written = act(app, context, "products.port-out", Deed(product_stream(name), (answer,), said))
    return _answered(_state(app, name), written, reference)


def port_out_cancel(app: Engine, context: Context, product: str, *, reference: str) -> Written:
    """Take back a port to another operator by the clearing house's reference, before the market's cut-off: the number and the product stay.

    Where the cut-over fell out and the number turned out to have stayed, its service is switched on again. Raises Refused: missing (no such
    product or port), conflict (the cut-off is past).
    """
    name = _named(app, product)

    def stay(state: ProductState, at: datetime) -> Decision:
        return of_products.withdraw_port_out(state, reference, at=at)

    return act(app, context, "products.port-out-cancel", Deed(product_stream(name), (stay,), ["port-out-cancel", reference]))


def lock(app: Engine, context: Context, product: str, *, lift: bool = False) -> Written:
    """Keep the number of a product from going to another operator, as its customer wants, or lift that lock.

    Raises Refused: missing (no such product), conflict (it ended).
    """
    name = _named(app, product)
    market = app.book.market(_state(app, name).market)

    def keep(state: ProductState, at: datetime) -> Decision:
        return of_products.lock(state, market, locked=not lift, at=at)

    return act(app, context, "products.lock", Deed(product_stream(name), (keep,), ["lock", lift]))


def transfer(
    app: Engine, context: Context, product: str, *, to: str = "", commitment: Commitment = "taken-over", withdraw: bool = False
) -> Written:
    """Take down that the owner of a product agrees that another customer takes it over, or (`withdraw`) that he keeps it after all.
    `commitment` says whether its term is `taken-over`, or `ended` at its owner's cost. The customer `to` does it by an order of his own,
    for some days of the market: modify, with the product's id.

    The owner is told of it at the contact that stands. Raises Refused: missing (no such product or customer), conflict (it ended, is
    ending, or is being taken over), usage (it is his already).
    """
    name = _named(app, product)
    state = _state(app, name)
    market = app.book.market(state.market)
    if not withdraw and app.load_one(stream_of(to)).state.papers is None:
        raise Refused(f"customer {to[:60]} is not known; register the new owner first", kind="missing")
    others = app.load([product_stream(one) for one in state.relied_on_by])
    along = [one for one in state.relied_on_by if not others[product_stream(one)].state.ended_on]

    def agree(state: ProductState, at: datetime) -> Decision:
        if withdraw:
            return transfers.withdraw(state, market, at=at)
        return transfers.agree(state, market, to=to, commitment=commitment, along=along, at=at)

    # A word that is good today lapses though nothing happens: whoever gives it again is answered anew.
    context = context if context.command_id else replace(context, command_id=str(uuid4()))
    return act(app, context, "products.transfer", Deed(product_stream(name), (agree,), ["transfer", to, commitment, withdraw]))


def _named(app: Engine, product: str) -> str:
    """The id of a product that is named so, or by its number. Raises Refused (missing)."""
    if not product.startswith("+"):
        return product
    all_seen(app)
    rows = app.reads.rows(found.BY_NUMBER, product)
    if not rows:
        raise Refused(f"number {product[:20]} is in service with no product; see `o2c numbers show`", kind="missing")
    return str(rows[0]["product"])


def _answered(state: ProductState, written: Written, reference: str) -> PortOut:
    port, rejected = state.port_out, state.rejected
    if port and port.reference == reference:
        return PortOut(
            written,
            state.product,
            "authorised",
            reference,
            port.operator,
            agreed_on=port.agreed_on,
            window_opens_at=port.window_opens_at,
            cutoff_at=port.cutoff_at,
        )
    if rejected and rejected.reference == reference:
        why = WHY_REJECTED[rejected.ground]
        return PortOut(written, state.product, "rejected", reference, rejected.operator, word=rejected.word, why=why)
    return PortOut(written, state.product, "over", reference, "")
