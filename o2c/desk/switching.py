"""The desk for fixed services that go to another provider by One Touch Switch: the messages of the hub, as the provider that loses the
customer gets them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.markets.registry import HOME, current
from o2c.products import switching as rules
from o2c.products.events import product_stream
from o2c.products.rules import with_tax
from o2c.products.state import ProductState
from o2c.views.invoices import open_minor
from o2c.views.reading import all_seen
from o2c.views.switching import fixed_services

Message = Literal["order", "cancel", "trigger"]
"""What the hub passes on of a switch: its order for a day (or another day), its end, and that the new service is on."""


@dataclass(frozen=True)
class SwitchMatch:
    """A customer who was matched: the reference under which the new provider may order through a local day (ISO), and what the customer was
    told: what the contract costs that ends before its term, net and with tax, what is open of the account's invoices, in minor units, and
    the products that end with it."""

    written: Written
    product: str
    reference: str
    valid_through: str
    early_minor: int
    early_gross_minor: int
    owed_minor: int
    currency: str
    ends: tuple[str, ...] = ()


def switch_match(
    app: Engine, home: Path, context: Context, *, gaining: str, request: str, name: str, address: str, account: str = ""
) -> SwitchMatch:
    """Match a new provider's customer to one of our fixed services, by the surname or the whole name, the postcode and the numbers of house
    and flat of our bill, and by account where several fit. Our customer is told at once, at the contact that stands, what switching means.
    The same `request` again is answered as before. Debt and an open contract are no ground to refuse.

    Raises Refused: missing (none fits: NO-MATCH; no such product in service), conflict (several do: AMBIGUOUS; it is ending, or another
    provider's order stands), usage (a market without switching, nobody named, no key to look customers up by).
    """
    all_seen(app)
    found = fixed_services(app, home, name)
    product = rules.match(found, current(HOME, app.clock().now.date()), address=address, account=account)
    stream = product_stream(product)
    before: ProductState = app.load_one(stream).state
    market, rises = app.book.market(before.market), app.load_one(CATALOGUE).state.rises
    owed_minor, reference = open_minor(app, before.standing.account if before.standing else ""), str(uuid4())
    wish = rules.SwitchWish(gaining, request)

    def answer(state: ProductState, at: datetime) -> Decision:
        return rules.matched(state, market, wish, reference, owed_minor=owed_minor, rises=rises, at=at)

    written = act(app, context, "products.switch-match", Deed(stream, (answer,), ["switch-match", gaining, request]))
    return _told(app.load_one(stream).state, written, market)


def _told(state: ProductState, written: Written, market: Market) -> SwitchMatch:
    known = state.switching
    if known is None:
        raise Refused(f"product {state.product}: that switch was called off since; match the customer anew", kind="conflict")
    assert state.standing is not None
    return SwitchMatch(
        written,
        state.product,
        known.reference,
        known.valid_through,
        known.early_minor,
        with_tax(state.standing, market, known.early_minor, date.fromisoformat(known.matched_on)),
        known.owed_minor,
        known.currency,
        known.ends,
    )


def switch(app: Engine, context: Context, product: str, *, reference: str, message: Message, on: date | None = None) -> Written:
    """Take what the hub passes on of a switch that was matched: `order` it for the local day `on`, or move it there; `cancel` it; or
    `trigger` it, because the new service is on since the day `on` (today when left out): ours is switched off, and its charge ends with
    that day, without notice.

    Raises Refused: missing (no such product or switch), conflict (it ended or is ending, the reference is too old, it was triggered
    already, or not ordered), usage (a day that cannot be, none for an order).
    """
    stream = product_stream(product)
    before: ProductState = app.load_one(stream).state
    if before.standing is None:
        raise Refused(f"no product {product}; see `o2c products list`", kind="missing")
    market = app.book.market(before.market)
    if message == "order" and on is None:
        raise Refused(f"switch {reference[:60]}: say the day for which it is ordered")

    def answer(state: ProductState, at: datetime) -> Decision:
        if message == "cancel":
            return rules.withdrawn(state, reference)
        if message == "trigger":
            return rules.triggered(state, market, reference, on or local_date(at, market.zone), at=at)
        assert on is not None
        return rules.ordered(state, market, reference, on, at=at)

    said = ["switch", reference, message, on.isoformat() if on else ""]
    return act(app, context, "products.switch", Deed(stream, (answer,), said))
