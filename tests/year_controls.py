"""What shows that a year's eyes see: a penny more, told in each of the ways in which money is told of, is found in the events of an account."""

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.agreeing import heard, standing, wrong_papers, wrong_uses
from tests.oracle import Oracle
from tests.oracle_deposits import DepositOracle
from tests.planned_debts import Plans

Json = Mapping[str, Any]
Place = Callable[[Json], tuple[dict[str, Any], str] | None]
"""Where an event tells of an amount that can be told wrong: what holds it, and its name there; None for nowhere."""
BILLED_BEFORE = "2026-05"
"""What began before this day is on bills of the year, however few its months."""


def events_in(file: Path) -> Iterator[Json]:
    """The events of a log as it was printed."""
    with file.open("rb") as lines:
        yield from map(json.loads, lines)


def _field(kind: str, name: str, where: Callable[[Json], bool] = lambda body: True) -> Place:
    return lambda event: (event["data"], name) if event["type"] == kind and where(event["data"]) else None


def _line(kind: str, name: str, where: Callable[[Json, Json], bool] = lambda body, line: True) -> Place:
    def place(event: Json) -> tuple[dict[str, Any], str] | None:
        lines = event["data"]["lines"] if event["type"] == kind else ()
        return next(((line, name) for line in lines if where(event["data"], line)), None)

    return place


def _billed(kind: str, *, apart: bool = False) -> Place:
    """A line of a kind, of an invoice of a bill run or of one apart."""
    return _line("invoice.issued", "net_minor", lambda body, line: line["kind"] == kind and apart == ("-G" in body["number"]))


def _changed(event: Json) -> tuple[dict[str, Any], str] | None:
    """What a product costs that is changed, by an order that is early enough to be on bills."""
    items = event["data"]["items"] if event["type"] == "order.planned" and event["occurred_at"] < BILLED_BEFORE else ()
    return next(((item, "recurring_minor") for item in items if "offering" in item["attributes"] and item["recurring_minor"]), None)


FORGED: Mapping[str, Place] = {
    "total": _field("invoice.issued", "total_minor"),
    "period": _billed("period"),
    "discount": _billed("discount"),
    "usage line": _billed("usage"),
    "pack line": _billed("pack"),
    "pack": _field("account.pack-added", "net_minor", lambda body: body["bought_on"] < BILLED_BEFORE),
    "goods": _billed("one-time", apart=True),
    "instalment": _billed("instalment"),
    "settlement": _billed("instalment", apart=True),
    "late payment": _billed("late-interest"),
    "note": _line("credit-note.issued", "net_minor"),
    "usage": _line("account.usage-rated", "amount", lambda body, line: Fraction(line["amount"]) > 0),
    "payment": _field("payment.received", "amount_minor"),
    "chargeback": _field("payment.charged-back", "amount_minor"),
    "moved": _field("payment.moved", "amount_minor"),
    "deposit": _field("deposit.received", "amount_minor"),
    "deposit freed": _field("account.deposit-freed", "amount_minor"),
    "refund": _field("account.refund-reserved", "amount_minor"),
    "money back": _field("account.money-returned", "amount_minor"),
    "voucher": _field("voucher.reserved", "amount_minor"),
    "reduced rate": _line("invoice.issued", "net_minor", lambda body, line: line["tax_group"] == "reduced"),
    "zero rate": _line("invoice.issued", "net_minor", lambda body, line: line["tax_group"] == "zero"),
    "product": _changed,
    "early end": _field(
        "account.charge-started",
        "one_time_minor",
        lambda body: bool(body["product"]) and body["one_time_minor"] > 0 and body["starts_on"] < BILLED_BEFORE,
    ),
    "top-up": _field("prepaid.topped-up", "amount_minor"),
    "prepaid usage": _field("quota.committed", "charged_minor", lambda body: body["charged_minor"] > 0),
    "prepaid money back": _field("prepaid.returned", "fee_minor"),
    "plan": lambda event: (event["data"]["parts"][0], "amount_minor") if event["type"] == "collections.plan-agreed" else None,
}
"""The ways in which money is told of."""


def found(oracle: Oracle, file: Path) -> dict[str, bool]:
    """By way, whether a penny more in the last event that tells so of some account is found, and nothing without it."""
    owners = _owners(oracle, file)
    own = _own(set(owners.values()), oracle, file)
    return {way: way in owners and _finds(own[owners[way]], way) for way in FORGED}


def _finds(true: list[Json], way: str) -> bool:
    other = forged(true, way)
    one, another = heard(true), heard(other)
    books = [{name: (account.posted, standing(account)) for name, account in each.accounts.items()} for each in (one, another)]
    wrong = [[*wrong_papers(each), *wrong_uses(events), *wrong_plans(events)] for each, events in ((one, true), (another, other))]
    return not wrong[0] and (bool(wrong[1]) or books[0] != books[1])


def wrong_plans(events: Iterable[Json]) -> list[str]:
    """Where plans of debts are not as they must be, of events in their order."""
    plans = Plans(DepositOracle())
    for event in events:
        plans.oracle.take(event)
        plans.take(event)
    return plans.wrong


def _owners(oracle: Oracle, file: Path) -> dict[str, str]:
    """By way, the last account of which something is told so."""
    return {way: owner for event in events_in(file) if (owner := _owner(oracle, event)) for way, place in FORGED.items() if place(event)}


def _owner(oracle: Oracle, event: Json) -> str:
    kind, _, key = event["stream"].partition("-")
    if kind == "voucher":
        # What an order reserves that was never planned can be held against no price.
        return next((charge.account for item, charge in oracle.items.items() if item.startswith(event["data"].get("order", "?"))), "")
    if kind == "product":
        return next((charge.account for charge in oracle.items.values() if charge.product == key), "")
    return key if kind in ("account", "collection", "quota") else oracle.payers.get(key, "")


def _own(accounts: set[str], oracle: Oracle, file: Path) -> dict[str, list[Json]]:
    """The events of some accounts, and with each what is everybody's."""
    own: dict[str, list[Json]] = {account: [] for account in accounts}
    for event in events_in(file):
        for_all = event["stream"].startswith("catalogue") or event["type"] == "voucher.issued"
        for account in accounts if for_all else accounts & {_owner(oracle, event)}:
            own[account].append(event)
    return own


def forged(events: Iterable[Json], way: str) -> list[Json]:
    """The events with a penny more in the last that tells of money so; a price that is charged by days with a pound more, as a penny may go in the rounding."""
    made = copy.deepcopy(list(events))
    if place := next((place for event in reversed(made) if (place := FORGED[way](event))), None):
        holder, name = place
        holder[name] = (
            str(Fraction(holder[name]) + Fraction(1, 100))
            if isinstance(holder[name], str)
            else holder[name] + (100 if way == "product" else 1)
        )
    return made
