"""The desk for products in service: the code by which a customer takes a number to another operator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from secrets import randbelow
from uuid import uuid4

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.markets.life import LEAVING, SIM_SWAP
from o2c.products import rules as of_products
from o2c.products.events import product_stream
from o2c.products.state import ProductState
from o2c.views.invoices import open_minor
from o2c.views.reading import all_seen

WHY = {
    LEAVING: "the product is ending already; its number can be ported when that order is cancelled, or by its former customer while it rests",
    SIM_SWAP: "its SIM was changed a short time ago; ask again when the hold is over",
}
"""What is said of each ground on which a code is refused."""


@dataclass(frozen=True)
class PortingCode:
    """A code for the number of a product, good through a local day (ISO); what the contract costs that ends today before its term, net, and what is open of the
    account's invoices, in minor units. `refused` says why there is none, and is empty where there is."""

    written: Written
    product: str
    msisdn: str
    code: str
    valid_through: str
    early_minor: int
    owed_minor: int
    currency: str
    refused: str = ""


def porting_code(app: Engine, context: Context, product: str) -> PortingCode:
    """Give the customer the code by which another operator takes over the number of a product: the same one while it is good. Debt is no ground to refuse it.

    The customer is told of it at the contact that stands. Raises Refused: missing (no such product), conflict (it ended, has no number, or is changed at the
    same time), usage (the market ports without a code).
    """
    stream, before = product_stream(product), _state(app, product)
    all_seen(app)
    rules, account = app.book.market(before.market), before.standing.account if before.standing else ""
    owed_minor, drawn = open_minor(app, account), _drawn(rules)

    def give(state: ProductState, at: datetime) -> Decision:
        return of_products.porting_code(state, rules, drawn, owed_minor=owed_minor, at=at)

    # A code that is good today is not tomorrow, though nothing happened to the product: whoever asks again is answered anew.
    context = context if context.command_id else replace(context, command_id=str(uuid4()))
    written = act(app, context, "products.porting-code", Deed(stream, (give,), ["porting-code"]))
    return _answer(_state(app, product), rules, written, owed_minor, app.clock().now)


def _state(app: Engine, product: str) -> ProductState:
    stream = product_stream(product)
    state: ProductState = app.load([stream])[stream].state
    if state.standing is None:
        raise Refused(f"no product {product}; see `o2c products list`", kind="missing")
    return state


def _drawn(rules: Market) -> str:
    """A code that nobody can guess; whether it is wanted is decided by the rule."""
    given = rules.life.port_out
    return f"{given.code_prefix}{randbelow(10**given.code_digits):0{given.code_digits}d}" if given.code_digits else ""


def _answer(state: ProductState, rules: Market, written: Written, owed_minor: int, now: datetime) -> PortingCode:
    assert state.standing is not None
    today = local_date(now, rules.zone)
    code = None if state.code_refused else of_products.good_code(state, today)
    return PortingCode(
        written=written,
        product=state.product,
        msisdn=state.standing.holds.get("msisdn", ""),
        code=code.code if code else "",
        valid_through=code.valid_through if code else "",
        early_minor=of_products.early_minor(state.standing, rules, today),
        owed_minor=owed_minor,
        currency=state.currency,
        refused=WHY[state.code_refused.ground] if state.code_refused else "",
    )
