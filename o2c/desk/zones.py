"""Loading zones and time bands over those of a market, as a deed on their stream."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.desk.act import Deed
from o2c.kernel.decision import NOTHING, Decision
from o2c.markets.registry import MARKETS
from o2c.usage import rules, zoning
from o2c.usage.state import ZonesState

if TYPE_CHECKING:
    from o2c.engine.app import Engine
    from o2c.kernel.event import Fact


def load_zones_deed(app: Engine, document: str) -> Deed:
    """Put the text of a file of zones and time bands over those of its market; loaded again unchanged, it does nothing. Its rule raises
    Refused (see `zoning.checked`)."""
    used = _names_priced(app)

    def rule(state: ZonesState, at: datetime) -> Decision:
        if document in state.documents:
            return NOTHING
        own = {code: versions[-1].usage for code, versions in MARKETS.items()}
        made = zoning.checked(zoning.book_of(state.documents), document, own, used)
        return rules.load_zones(state, made=made, document=document)

    return Deed(zoning.STREAM, (rule,), document)


def _names_priced(app: Engine) -> dict[str, set[str]]:
    """The names of zones and time bands that prices of usage ever gave, by market: what runs may be charged by any of them."""
    found: dict[str, set[str]] = {}
    for fact in cast("list[Fact]", app.events.get(CATALOGUE)):
        for price in fact.event.prices if isinstance(fact.event, OfferingPublished) else ():
            of_usage = (*price.usage.zones, *price.usage.bands) if price.usage else ()
            found.setdefault(fact.event.market, set()).update(of_usage, price.allowance.zones if price.allowance else ())  # type: ignore[attr-defined] # an offering
    return found
