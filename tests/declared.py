"""Histories of one thing each, told in a few events, and what the declared rules say of them."""

import json
from collections.abc import Sequence
from typing import Any

from o2c.checks.conformance import Kept, held_against
from o2c.checks.rule_kinds import Rule
from o2c.checks.trade_rules import RULES
from o2c.kernel.event import types_by_name
from projections.engine.seen import Seen
from tests.histories import Told, captured, of_order, order_id, planned, seen

History = Sequence[Told]
EVENT_TYPES = types_by_name()
MSISDN, ICCID, IMEI = "+447700910001", "8944980000000000011", "001010120000003"


def held(history: History, rules: Sequence[Rule] = RULES, shares: int = 1) -> dict[str, Kept]:
    """What the rules say of a history."""
    return judged(seen(history), rules, shares)


def judged(records: Sequence[Seen], rules: Sequence[Rule] = RULES, shares: int = 1) -> dict[str, Kept]:
    kept = held_against(rules, lambda types: [record for record in records if record.type in types], shares=shares)
    return {each.rule: each for each in kept}


def broken(history: History) -> dict[str, list[str]]:
    """By rule, what broke it."""
    return {name: [one.what for one in kept.broken] for name, kept in held(history).items() if kept.broken}


def of(stream: str, name: str, minutes: int = 0, **changes: Any) -> Told:
    """An event of any stream: the example of its class with some fields changed."""
    cls = EVENT_TYPES[name]
    event = cls.model_validate({**cls.example, **changes})
    return Told(stream, name, json.loads(event.model_dump_json(exclude=set(cls.personal))), None, None, minutes)


def device(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of(f"device-{IMEI}", name, minutes, imei=IMEI, **changes)


def sim(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of(f"sim-{ICCID}", name, minutes, iccid=ICCID, **changes)


def number(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of(f"number-{MSISDN}", name, minutes, msisdn=MSISDN, **changes)


def owing(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of("collection-BA-1", name, minutes, **changes)


def bill(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of("invoice-INV-1", name, minutes, **changes)


def billed(order: int, item: str = "1", minutes: int = 0) -> Told:
    [line] = EVENT_TYPES["invoice.issued"].example["lines"]
    return bill("invoice.issued", minutes, order=order_id(order), lines=[{**line, "order": order_id(order), "item": item}])


def late_bill(minutes: int) -> Told:
    """A bill that charges for paying INV-1 late."""
    [line] = EVENT_TYPES["invoice.issued"].example["lines"]
    late = {**line, "order": "", "item": "", "kind": "late-interest", "tax_group": "late-payment", "of_invoice": "INV-1"}
    return of("invoice-INV-2", "invoice.issued", minutes, number="INV-2", lines=[late])


def charge(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of("account-BA-1", name, minutes, order=order_id(0), item="1", **changes)


def goods(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of("product-A:1", name, minutes, **changes)


def withdrawal(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of("withdrawal-A:1", name, minutes, **changes)


def tried(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of("journey-A", name, minutes, **changes)


def complained(name: str, minutes: int = 0, **changes: Any) -> Told:
    return of("complaint-A", name, minutes, **changes)


def window(name: str = "porting.scheduled", **changes: Any) -> Told:
    times = {"window_opens_at": "2026-01-06T09:00:00Z", "window_closes_at": "2026-01-06T17:00:00Z"}
    return of_order(0, name, 5, **{**times, **changes})


def steps(*names: str, item: str = "1") -> list[Told]:
    """An order of two items that passed its gates, and what happened to one of them."""
    return [captured(0), planned(0, 1), *(of_order(0, name, 2 + place, item=item) for place, name in enumerate(names))]
