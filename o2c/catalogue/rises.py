"""Raising the price of services that run, with notice, and what a service costs on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from o2c.catalogue.events import PriceRiseAnnounced
from o2c.catalogue.rules import price_at
from o2c.catalogue.state import STREAM, CatalogueState
from o2c.kernel.recurrence import Recurrence
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.markets.base import Market


def announce_rise(
    state: CatalogueState, *, offering: str, rise_minor: int, from_day: date, market: Market, on: date, at: datetime
) -> list[PriceRiseAnnounced]:
    """Announce on a local day that the services of an offering which are charged already cost more from another; nothing when it was
    announced so.

    `rise_minor` is what the recurring price rises by, net, in minor units: an amount, so that nobody has to reckon what a percentage of
    what comes to. Raises Refused: missing (no such offering in the market), usage (no recurring price, no rise, or a day before the notice
    is over). Source: the `source` of the market's rules for price changes.
    """
    published, rules = state.offerings.get(offering), market.price_changes
    if published is None or published.market != market.code:
        raise Refused(f"there is no offering {offering[:60]} in market {market.code}; see `o2c catalogue list`", kind="missing")
    price = price_at(published, "recurring", at)
    if price is None:
        raise Refused(f"offering {offering} has no recurring price in force: nothing can rise")
    if rise_minor < 1:
        raise Refused(f"offering {offering}: a rise is an amount above nothing; a lower price is published with `o2c load catalogue`")
    known = {(each.offering, each.from_day, each.rise_minor) for each in state.rises}
    if (offering, from_day.isoformat(), rise_minor) in known:
        return []
    if (notice := (from_day - on).days) < rules.notice_days:
        raise Refused(
            f"offering {offering}: {notice} days are no notice of {rules.notice_days} days, which market {market.code} wants; take a later day"
        )
    return [
        PriceRiseAnnounced(
            offering=offering,
            market=market.code,
            currency=market.currency,
            rise_minor=rise_minor,
            period_unit=price.period_unit,
            period_length=price.period_length,
            announced_on=on.isoformat(),
            from_day=from_day.isoformat(),
            exit_right=rules.exit_right,
            law=rules.source,
        )
    ]


def announced(work: Work) -> Sequence[PriceRiseAnnounced]:
    """Give the rises that were announced, of a work that read the catalogue's stream."""
    return getattr(work.read.get(STREAM), "rises", ())


def rises_of(
    rises: Sequence[PriceRiseAnnounced], *, offering: str, market: str, recurrence: Recurrence, starts_on: str
) -> tuple[PriceRiseAnnounced, ...]:
    """Give the rises that a service has, by the day on which each begins: of its offering, market (code) and period, announced after the
    service began."""
    own = (
        each
        for each in rises
        if (each.offering, each.market) == (offering, market)
        and Recurrence(each.period_unit, each.period_length) == recurrence
        and starts_on < each.announced_on
    )
    return tuple(sorted(own, key=lambda each: each.from_day))


def price_on(recurring_minor: int, rises: Sequence[PriceRiseAnnounced], day: date) -> int:
    """Give what a service costs a period on a day: the price that it began with, and the rises that have begun. Minor units."""
    return recurring_minor + sum(each.rise_minor for each in rises if each.from_day <= day.isoformat())
