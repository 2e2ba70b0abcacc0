"""Whether every captured price is billed by its period: price list, plans, charges and invoice lines held against each other.

Works on plain values of the log, and imports nothing of the engine. A price once a month follows the bill runs of its account, with a first
part by days; any other begins on the anniversaries of its first day and is charged whole in the first run on or after each.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

Json = Mapping[str, Any]
Line = tuple[str, str, str, int]
"""Kind, from, to (exclusive), net in minor units."""
LENGTHS = {"day": (0, 1), "week": (0, 7), "month": (1, 0), "quarter": (3, 0), "year": (12, 0)}

PLANS = """SELECT substr(stream, 7) || '/' || (item ->> 'item') AS key, item FROM o2c.event, jsonb_array_elements(body -> 'items') AS item
    WHERE type IN ('order.planned', 'order.revised') ORDER BY position"""
ACCOUNTS = """SELECT stream, type, body FROM o2c.event
    WHERE type IN ('account.charge-started', 'account.charge-withdrawn', 'account.billed') ORDER BY stream, version"""
STARTED = "SELECT substr(stream, 7) || '/' || (body ->> 'item') AS key FROM o2c.event WHERE type = 'charging.started'"
LINES = "SELECT line FROM o2c.event, jsonb_array_elements(body -> 'lines') AS line WHERE type = 'invoice.issued'"


class Price(NamedTuple):
    """An amount in minor units every so many months and days; neither for a price that is charged once."""

    amount_minor: int
    months: int = 0
    days: int = 0


@dataclass
class Charged:
    """A charge as its account was told, and the runs that came while it stood."""

    body: Json
    runs: list[date] = field(default_factory=list)
    withdrawn: bool = False


def prices_of(offering: Json) -> set[Price]:
    """What a price list in pounds or euros says of an offering."""
    found = set()
    for price in offering.get("productOfferingPrice") or []:
        months, days = LENGTHS.get(price.get("recurringChargePeriod", ""), (0, 0))
        length = int(price.get("recurringChargePeriodLength", 1))
        found.add(Price(int(Decimal(str(price["price"]["dutyFreeAmount"]["value"])) * 100), months * length, days * length))
    return found


def planned_prices(item: Json) -> set[Price]:
    """What a plan, or a charge, says of the prices of an item; none for an amount of nothing."""
    terms = item["terms"]
    months, days = (part * terms["period_length"] for part in LENGTHS[terms["period_unit"]])
    told = (Price(item["recurring_minor"], months, days), Price(item["one_time_minor"]))
    return {price for price in told if price.amount_minor}


def charges_of(events: Iterable[Json]) -> dict[str, Charged]:
    """The charges of all accounts under ORDER/ITEM; events stand in the order of their streams."""
    charges: dict[str, Charged] = {}
    of_account: dict[str, list[Charged]] = defaultdict(list)
    for event in events:
        body, known = event["body"], of_account[event["stream"]]
        match event["type"]:
            case "account.charge-started":
                known.append(charges.setdefault(f"{body['order']}/{body['item']}", Charged(body)))
            case "account.charge-withdrawn":
                charges[f"{body['order']}/{body['item']}"].withdrawn = True
            case "account.billed":
                run = date.fromisoformat(body["run_on"])
                for charge in known:
                    if not charge.withdrawn and date.fromisoformat(charge.body["starts_on"]) < run:
                        charge.runs.append(run)
    return charges


def due(charge: Charged) -> Iterator[Line]:
    """The lines that a charge must have led to by its last run."""
    if not charge.runs:
        return
    starts = date.fromisoformat(charge.body["starts_on"])
    for price in planned_prices(charge.body):
        if price.months == price.days == 0:
            yield "one-time", str(starts), str(starts), price.amount_minor
        elif (price.months, price.days) == (1, 0):
            yield from _by_the_cycle(starts, charge.runs, price.amount_minor)
        else:
            yield from _by_anniversaries(starts, charge.runs[-1], price)


def _by_the_cycle(starts: date, runs: Sequence[date], minor: int) -> Iterator[Line]:
    days = [_months_on(runs[-1], 1)]
    while (day := _months_on(days[0], -1)) > starts:
        days.insert(0, day)
    whole = _months_on(days[0], -1)
    part = (2 * minor * (days[0] - starts).days + (days[0] - whole).days) // (2 * (days[0] - whole).days)
    yield "period" if whole == starts else "part-period", str(starts), str(days[0]), part
    for start, end in pairwise(days):
        yield "period", str(start), str(end), minor


def _by_anniversaries(starts: date, last_run: date, price: Price) -> Iterator[Line]:
    turn = 0
    while (begins := _anniversary(starts, price, turn)) <= last_run:
        turn += 1
        yield "period", str(begins), str(_anniversary(starts, price, turn)), price.amount_minor


def _anniversary(starts: date, price: Price, turn: int) -> date:
    return _months_on(starts, price.months * turn) + timedelta(price.days * turn)


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def wrong(
    catalogue: Iterable[Json], plans: Iterable[Json], started: Iterable[str], accounts: Iterable[Json], lines: Iterable[Json]
) -> Iterator[str]:
    """Say what differs: a plan from the price list, a charge from its plan, invoice lines from what the charge must have led to."""
    offerings = {offering["id"]: prices_of(offering) for offering in catalogue}
    planned = {row["key"]: row["item"] for row in plans}  # the last one counts
    charges = charges_of(accounts)
    billed: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        billed[f"{line['order']}/{line['item']}"].append((line["kind"], line["from_day"], line["to_day"], line["net_minor"]))
    for key, item in planned.items():
        if not planned_prices(item) <= offerings[item["offering"]] or bool(planned_prices(item)) != bool(offerings[item["offering"]]):
            yield f"item {key} is planned at {planned_prices(item)}, and the price list says {offerings[item['offering']]}"
    for key in sorted({*started} ^ charges.keys()):
        yield f"item {key}: the order and the account differ in whether it is charged"
    for key, charge in charges.items():
        if planned_prices(charge.body) != planned_prices(planned[key]):
            yield f"item {key} is charged {planned_prices(charge.body)}, and planned at {planned_prices(planned[key])}"
    for key in sorted(charges.keys() | billed.keys()):
        must = sorted(due(charges[key])) if key in charges else []
        if sorted(billed[key]) != must:
            yield f"item {key}: must be billed {must}, is {sorted(billed[key])}"
