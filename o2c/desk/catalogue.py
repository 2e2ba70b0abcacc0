"""The desk for the catalogue: raising the price of services that run."""

from __future__ import annotations

from datetime import date, datetime

from o2c.catalogue.rises import announce_rise as announce
from o2c.catalogue.state import STREAM, CatalogueState
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision, just
from o2c.kernel.money import to_minor
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, current


def announce_rise(app: Engine, context: Context, offering: str, *, amount: str, from_day: date, market: str = HOME) -> Written:
    """Announce that the services of an offering which are charged already cost more from a local day on, and bill them so from that day.

    `amount` is what the recurring price rises by, net, as decimal text in the market's currency: never a percentage. Announced again it is
    as it was. New orders take the price list as it is published. Raises Refused: missing (no such offering in the market), usage (no
    amount, no recurring price, a day before the market's notice is over).
    """
    rules = current(market, app.clock().now.date())
    try:
        rise_minor = to_minor(amount, rules.currency)
    except ValueError as error:
        raise Refused(f"offering {offering}: {error}; say by how much the price rises, such as 1.50") from None

    def rule(state: CatalogueState, at: datetime) -> Decision:
        on = local_date(at, rules.zone)
        return just(*announce(state, offering=offering, rise_minor=rise_minor, from_day=from_day, market=rules, on=on, at=at))

    return act(app, context, "catalogue.announce-rise", Deed(STREAM, (rule,), ["rise", offering, amount, from_day.isoformat(), market]))
