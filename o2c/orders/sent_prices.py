"""The prices that a channel sent with its order, and their discounts, held against what the catalogue says; where none was sent, nothing is
checked.

Source: TMF622 v4.0.0 and v5.0.0: ProductOrderItem.itemPrice (of one piece) and .itemTotalPrice (times its quantity),
ProductOrder.orderTotalPrice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from math import prod

from o2c.catalogue.fields import folded
from o2c.catalogue.prices import KINDS, PERIODS, padded
from o2c.catalogue.state import CatalogueState
from o2c.kernel.money import from_minor, tax_on, to_minor
from o2c.kernel.periods import local_date
from o2c.markets.base import Market, tax_percent
from o2c.orders.event_parts import SentPrice
from o2c.orders.pricing import Prices, Total, totals
from o2c.orders.sent_alterations import flaw_of_alterations
from o2c.orders.wish import Line, around, quantity_of

_SHOWN_CHARACTERS = 24
_NOTHING = Total("", 0, {}, {})


def flaw_of_prices(
    sent: Sequence[SentPrice], lines: Sequence[Line], catalogue: CatalogueState, prices: Callable[[], Prices], market: Market, at: datetime
) -> str:
    """Give the first price or discount that a channel sent and that is another than ours, with both (`DQ-PRICE: detail`); empty for none.

    `sent` are those of the whole order, and `prices()` ours, with the discounts that it has. A channel may say the price as the catalogue
    has it, or what is left of it while all discounts hold: of TMF622's price, `priceAlteration` stands apart. Amounts without tax are
    compared, and those with tax by the market's rates of the day. Of a type that was not sent nothing is said, nor of usage, whose price is
    no part of an order's; a discount on usage is none of ours. A line within a bundle that has a price of its own has none alone: its
    bundle is judged, and the order, and of the line the discounts that were sent with it, by its part.
    """
    if not sent and not any(line.prices for line in lines):
        return ""
    ours, on = prices(), local_date(at, market.zone)
    by_id = {line.item: line for line in lines}
    for line in (line for line in lines if line.prices):
        upper = [each for each in around(line, by_id) if each is not line]
        shares = any(catalogue.offerings[each.offering].prices for each in upper)
        one, several = _pieces(line, by_id, ours, 1), _pieces(line, by_id, ours, quantity_of(line) or 1)
        for price in line.prices:
            of = several if price.field == "itemTotalPrice" else one
            if wrong := ("" if shares else _differs(price, of, market, on)) or flaw_of_alterations(price, of, market, on):
                return f"DQ-PRICE: {price.field} of item {line.item}: {wrong}"
    whole = ((_differs(price, ours, market, on) or flaw_of_alterations(price, ours, market, on)) for price in sent)
    wrong = next(filter(None, whole), "")
    return f"DQ-PRICE: orderTotalPrice: {wrong}" if wrong else ""


def _pieces(line: Line, by_id: Mapping[str, Line], prices: Prices, pieces: int) -> Prices:
    """The prices of so many pieces of a line: its own, or those of the lines within a bundle."""
    copies = prod(quantity_of(each) or 1 for each in around(line, by_id))
    within = {item: of for item, of in prices.items() if any(each is line for each in around(by_id[item], by_id))}
    return {item: of[: len(of) // copies * pieces] for item, of in within.items()}


def _differs(sent: SentPrice, prices: Prices, market: Market, on: date) -> str:
    """What the channel sent and what we have, in words; empty where they agree."""
    if KINDS.get(folded(sent.kind)) in ("usage", "allowance") or not (sent.net or sent.gross):
        return ""
    ours = totals(prices)
    meant = _meant(sent, ours)
    if meant is not None and sent.unit == market.currency:
        for nets in (meant.nets, meant.reduced):
            gross = sum(net + tax_on(net, tax_percent(market, group, on)) for group, net in nets.items())
            if all(not text or _minor(text, market) == minor for text, minor in ((sent.net, sum(nets.values())), (sent.gross, gross))):
                return ""
    amount = f"{(sent.net or sent.gross)[:_SHOWN_CHARACTERS]} {sent.unit[:3]}{'' if sent.net else ' with tax'}"
    told = " ".join(word for word in (sent.kind[:_SHOWN_CHARACTERS], sent.period[:_SHOWN_CHARACTERS]) if word)
    own = ", ".join(f"{_told(total, market.currency)} {words}" for words, total in ours.items())
    return f"the channel sent {amount} ({told or 'of no type'}), the catalogue has {own or 'no price'}, without tax"


def _told(total: Total, currency: str) -> str:
    reduced_minor = sum(total.reduced.values())
    reduced = f" ({from_minor(reduced_minor, currency)} with its discounts)" if reduced_minor != total.net_minor else ""
    return f"{from_minor(total.net_minor, currency)} {currency}{reduced}"


def _meant(sent: SentPrice, ours: Mapping[str, Total]) -> Total | None:
    """The sum that a price sent is held against: of its type and period, or the only one that recurs where its period is not of our words.
    None for a type that is none, and where several might be meant."""
    kind = KINDS.get(folded(sent.kind))
    if kind == "one-time":
        return ours.get("once", _NOTHING)
    if kind is None:
        return None
    recurring = [total for total in ours.values() if total.unit]
    period = PERIODS.get(folded(sent.period))
    if period is None:
        return recurring[0] if len(recurring) == 1 else _NOTHING if not recurring else None
    return next((total for total in recurring if (total.unit, total.length) == period), _NOTHING)


def _minor(text: str, market: Market) -> int | None:
    try:
        return to_minor(padded(text), market.currency)
    except ValueError:
        return None
