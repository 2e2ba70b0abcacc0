"""Compensation: what a market's scheme owes a customer for days and visits that were missed stands with the account, once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import NamedTuple

from o2c.checks.assurance_rules import Leak
from o2c.checks.order_to_bill import Item, Said
from o2c.markets import registry
from o2c.markets.compensating import LATE_START, MISSED_VISIT

COMPENSATION_RULE = (
    "compensation-differs",
    "G-RM-RA-RLj",
    "What a late start, a visit that nobody made or a late port is worth by the market's rules stands with the account, once.",
)
PORT_IN, PORT_OUT = "port-in", "port-out"


class Due(NamedTuple):
    """What is due for a cause, in minor units, and the events that say so."""

    amount_minor: int
    events: tuple[str, ...]


def not_made_good(item: Item, organisations: Collection[str]) -> Iterator[Leak]:
    """What is due to the customer of an item that is charged and was not credited, or was credited beyond it (below zero), for each cause.

    What is due for a number that left follows from its product, which is no item: it is not looked at.
    """
    if item.charge is None:
        return
    of, due, since = item.compensating, dict(_due(item, item.charge, organisations)), item.charge.at[:10]
    for cause in sorted({*due, *of.credited} - {PORT_OUT}):
        owed = due.get(cause, Due(0, ()))
        if amount := owed.amount_minor - of.credited.get(cause, 0):
            told = (item.order, item.item, item.account, amount, item.currency, since, owed.events, tuple(of.credits))
            yield Leak(COMPENSATION_RULE[0], *told)


def _due(item: Item, charge: Said, organisations: Collection[str]) -> Iterator[tuple[str, Due]]:
    of, market = item.compensating, registry.market(str(charge.body["market"]))
    if market is None:
        return
    if of.ported and (late_days := of.ported[1]["late_days"]):
        minor = market.porting.delay.due_minor(late_days, of.ported[1]["late_working_days"])
        yield PORT_IN, Due(minor, (of.ported[0],))
    scheme = market.life.compensation
    is_left_out = scheme and charge.body["customer"] in organisations and not scheme.businesses
    if scheme is None or is_left_out or item.terms.get("specification") not in scheme.specifications:
        return
    if of.missed:
        minor = sum(scheme.due_minor(MISSED_VISIT, date.fromisoformat(day)) for day, _ in of.missed)
        yield MISSED_VISIT, Due(minor, tuple(event for _, event in of.missed))
    on = str(item.active.body.get("starts_on", "")) if item.active else ""
    if on and of.counted_on and on > of.counted_on:
        first = date.fromisoformat(of.counted_on)
        minor = scheme.due_minor(LATE_START, first) * (date.fromisoformat(on) - first).days
        yield LATE_START, Due(minor, (of.promised, item.active.event if item.active else ""))
