"""Prices by the year, the quarter, the week and the month on one account, from the price list to fourteen months of invoices."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.files import loading
from o2c.views.timeline import order_timeline
from tests import billed
from tests.agreeing import disagreements
from tests.world import ADDRESS, Document, World, order

STOCK = {"esims": 0, "physical": 1, "numbers": 2, "customers": 1}


def price(kind: str, pounds: str, period: str = "", length: int = 1) -> Document:
    recurs = {"recurringChargePeriod": period, "recurringChargePeriodLength": length} if period else {}
    return {"priceType": kind, "price": {"dutyFreeAmount": {"unit": "GBP", "value": pounds}}, **recurs}


def offering(name: str, *prices: Document, specification: str = "spec-add-on", **more: Any) -> Document:
    return {
        "id": name,
        "productSpecification": {"id": specification},
        "productOfferingPrice": list(prices),
        "lifecycleStatus": "Launched",
        **more,
    }


SIM = [{"name": "simType", "productSpecCharacteristicValue": [{"value": "physical", "isDefault": True}]}]
CATALOGUE = [
    offering("by-the-month", price("Recurring", "10.00", "month"), price("One time fee", "5.00"),
             specification="spec-mobile", prodSpecCharValueUse=SIM),
    offering("by-the-quarter", price("recurring", "30.00", "quarter")),
    offering("by-the-year", price("recurring", "120.00", "month", 12), isSellable=True),
    offering("by-the-week", price("recurring", "7.00", "week")),
]  # fmt: skip


def wanted() -> list[Document]:
    """The line and three add-ons that rely on it."""
    items = []
    for number, sold in enumerate(CATALOGUE, 1):
        relies = {"productOrderItemRelationship": [{"id": "1", "relationshipType": "reliesOn"}]} if number > 1 else {}
        product = {"place": [{"role": "delivery address", "name": ADDRESS}]}
        items.append({"id": str(number), "action": "add", "productOffering": {"id": sold["id"]}, "product": product, **relies})
    return items


@pytest.fixture
def world(dsn: str, tmp_path: Any) -> World:
    """An order of Monday 5 January 2026, active the same day, run to the spring of the year after."""
    made = World(dsn, tmp_path).stocked(**STOCK)
    loading.load_catalogue(made.app, made.written("periods.json", json.dumps(CATALOGUE)))
    made.take(order("ONE", *wanted()))
    made.run(datetime(2027, 2, 20, tzinfo=UTC))
    return made


def test_fourteen_months_have_exactly_their_invoices(world: World) -> None:
    """The account is billed on the 8th. What each invoice must hold, in pence, and how many weeks began since the last, by the calendar."""
    month, quarter, year, week, once = 1000, 3000, 12_000, 700, 500
    part = 97  # three of the 31 days to 8 January: 96.77
    must = {
        "2026-01-08": once + part + month + quarter + year + 1 * week,  # the week of the 5th
        "2026-02-08": month + 4 * week,  # 12, 19, 26 January, 2 February
        "2026-03-08": month + 4 * week,  # 9, 16, 23 February, 2 March
        "2026-04-08": month + quarter + 5 * week,  # 9, 16, 23, 30 March, 6 April
        "2026-05-08": month + 4 * week,  # 13, 20, 27 April, 4 May
        "2026-06-08": month + 5 * week,  # 11, 18, 25 May, 1 June, and the 8th itself, a Monday
        "2026-07-08": month + quarter + 4 * week,  # 15, 22, 29 June, 6 July
        "2026-08-08": month + 4 * week,  # 13, 20, 27 July, 3 August
        "2026-09-08": month + 5 * week,  # 10, 17, 24, 31 August, 7 September
        "2026-10-08": month + quarter + 4 * week,  # 14, 21, 28 September, 5 October
        "2026-11-08": month + 4 * week,  # 12, 19, 26 October, 2 November
        "2026-12-08": month + 5 * week,  # 9, 16, 23, 30 November, 7 December
        "2027-01-08": month + quarter + year + 4 * week,  # 14, 21, 28 December, 4 January
        "2027-02-08": month + 5 * week,  # 11, 18, 25 January, 1 February, and the 8th, a Monday
    }
    issued = {body["issued_on"]: body for body in bodies(world, "invoice.issued")}
    assert {on: body["net_minor"] for on, body in issued.items()} == must
    assert issued["2026-01-08"]["total_minor"] == 17_297 + 3_459  # 20 %: 34.594
    assert [line["from_day"] for body in issued.values() for line in body["lines"] if line["offering"] == "by-the-year"] == [
        "2026-01-05", "2027-01-05",
    ]  # fmt: skip


def test_the_oracle_says_the_same(world: World) -> None:
    """Worked out again from the timeline by a program that shares nothing with the engine."""
    told = [json.loads(json.dumps(event)) for event in order_timeline(world.app, "ONE")]
    assert len({event["stream"] for event in told if event["type"] == "invoice.issued"}) == 14
    assert disagreements(told) == []


def test_diagnose_finds_nothing(world: World) -> None:
    """Periods of every length follow each other without gap or overlap, each at its price."""
    [found] = [check for check in run_checks(world.app) if check.name == "charges are billed without gap or overlap"]
    assert (found.state, found.detail) == ("ok", "14 invoices")


def bodies(world: World, name: str) -> list[Document]:
    return [row["body"] for row in world.app.reads.rows("SELECT body FROM o2c.event WHERE type = %s ORDER BY position", name)]


def evidence(world: World) -> dict[str, Any]:
    rows = world.app.reads.rows
    return {
        "catalogue": json.loads(json.dumps(CATALOGUE)),
        "plans": rows(billed.PLANS),
        "started": [row["key"] for row in rows(billed.STARTED)],
        "accounts": rows(billed.ACCOUNTS),
        "lines": [row["line"] for row in rows(billed.LINES)],
    }


def dropped(found: dict[str, Any]) -> None:
    found["lines"].pop()


def doubled(found: dict[str, Any]) -> None:
    found["lines"].append(found["lines"][3])


def dearer(found: dict[str, Any]) -> None:
    found["lines"][2]["net_minor"] += 1


def relisted(found: dict[str, Any]) -> None:
    found["catalogue"][2]["productOfferingPrice"][0]["recurringChargePeriodLength"] = 1


def charged_otherwise(found: dict[str, Any]) -> None:
    started = [row["body"] for row in found["accounts"] if row["type"] == "account.charge-started"]
    started[2]["terms"]["period_unit"] = "week"


def never_charged(found: dict[str, Any]) -> None:
    found["started"].append("order/9")


@pytest.mark.parametrize("forge", [dropped, doubled, dearer, relisted, charged_otherwise, never_charged])
def test_the_proof_of_periods_can_fail(world: World, forge: Callable[[dict[str, Any]], None]) -> None:
    """What `scripts/prove` claims of captured prices holds of this store, and not once any part of the evidence is otherwise."""
    found = evidence(world)
    assert list(billed.wrong(**found)) == []
    forge(found)
    assert list(billed.wrong(**found))
