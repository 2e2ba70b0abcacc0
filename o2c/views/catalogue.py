"""The price list as it stands: what is sold where, at which prices, how often they are charged and when they hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from o2c.catalogue.events import OfferedDiscount, OfferingPrice, OfferingPublished
from o2c.catalogue.state import STREAM
from o2c.engine.app import Engine
from o2c.kernel.money import from_minor
from o2c.kernel.refusal import Refused
from o2c.rating.tariff import Allowance
from o2c.views.shown import OfferingShown, PriceShown


def list_prices(app: Engine, *, offering: str = "") -> list[PriceShown]:
    """The offerings by id, a row for each price and one for an offering without any. Amounts are net of tax, in minor units; none where
    the price is one of usage, whose units may cost less than the smallest coin, or includes units.

    `charged` and the two validities are in plain words; the end of a validity is excluded. Raises Refused (missing) for an offering that
    was never published.
    """
    known = app.load_one(STREAM).state.offerings
    if offering and offering not in known:
        raise Refused(f"no offering {offering}; see `o2c catalogue list`", kind="missing")
    return cast("list[PriceShown]", [row for name in sorted(known) if offering in ("", name) for row in _rows(known[name])])


def _rows(published: OfferingPublished) -> Iterator[dict[str, Any]]:
    sold = "as a bundle" if published.bundle else "alone or in a bundle" if published.sellable else "in a bundle only"
    if published.requires:
        sold += f", beside {' or '.join(published.requires)}"
    of_offering = {
        "offering": published.offering,
        "version": published.version,
        "market": published.market,
        "state": published.status,
        "sold": sold,
        "on_sale": validity(published.valid_from, published.valid_to),
    }
    none = {"price": "none", "amount_minor": None, "currency": published.currency, "charged": "", "tax_group": "", "for_orders": ""}
    for price in published.prices:
        yield {**of_offering, **_price(price, published.currency)}
    if not published.prices:
        yield {**of_offering, **none}


def _price(price: OfferingPrice, currency: str) -> dict[str, Any]:
    return {
        "price": price.kind,
        "amount_minor": price.amount_minor if price.kind in ("recurring", "one-time") else None,
        "currency": currency,
        "charged": charged_words(price, currency),
        "tax_group": price.tax_group,
        "for_orders": validity(price.valid_from, price.valid_to),
    }


def charged_words(price: OfferingPrice, currency: str) -> str:
    """How often a price is charged, or for what, in plain words, and what is taken off."""
    if price.usage is not None:
        kind, where = price.usage.usage, " ".join([*price.usage.zones, *price.usage.bands])
        return f"{kind}{' ' + where if where else ''}: {price.usage.model.words(price.usage.unit, currency)}"
    if price.allowance is not None:
        return ", ".join(_included(price.allowance))
    often = price.recurrence.words if price.kind == "recurring" else "once"
    return "; ".join([often, *(f"less {_discount(one, currency)}" for one in price.discounts)])


def _included(units: Allowance) -> Iterator[str]:
    """Included units in plain words: whose they are, and what becomes of those that are left."""
    yield f"{units.quantity} {units.unit} of {', '.join(units.usage)} included"
    if units.shared:
        most = "" if units.line_max is None else f", each up to {units.line_max}"
        yield f"shared by all lines of the account{most}"
    if units.periods > 1:
        yield f"to be used for {units.periods} bill periods"
    if units.rollover_max:
        yield f"up to {units.rollover_max} carried over"


_COUNTS = {"stackable": "", "best-of": ", the best of such", "exclusive": ", instead of all others"}


def _discount(offered: OfferedDiscount, currency: str) -> str:
    """A discount in plain words: from when, how it counts beside others, and the orders that have it where not all do."""
    one = offered.discount
    much = one.words if one.percent else one.words.replace("an amount", f"{from_minor(one.amount_minor, currency)} {currency}")
    begins = {"charge": "", "bill": " from the next bill on", "day": f" from {one.from_day} on"}[one.starts]
    when = validity(offered.valid_from, offered.valid_to)
    return f"{one.name}: {much}{begins}{_COUNTS[one.combines]}{'' if when == 'always' else f', for orders {when}'}"


def validity(valid_from: str, valid_to: str) -> str:
    """Give a half-open validity in words: `always`, `from 2026-01-01`, `from 2026-01-01 until 2026-07-01`."""
    told = [f"{word} {_day(text)}" for word, text in (("from", valid_from), ("until", valid_to)) if text]
    return " ".join(told) or "always"


def _day(text: str) -> str:
    """Midnight is said as its day."""
    return text.removesuffix("T00:00:00Z")


def list_offerings(app: Engine) -> list[OfferingShown]:
    """Every offering that was ever published, by id, as it was published last, with all of its prices. Amounts are net of tax, in minor
    units."""
    known = app.load_one(STREAM).state.offerings
    return [cast("OfferingShown", known[name].model_dump(mode="json")) for name in sorted(known)]
