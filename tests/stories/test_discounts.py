"""Discounts from the price list to half a year of invoices, notes and books, held against an oracle that shares nothing with the engine."""

import json
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Fail
from o2c.files import loading
from o2c.kernel.partner import RefusedBy
from o2c.views.catalogue import list_prices
from o2c.views.invoice_papers import invoice_html, invoice_pdf, invoice_ubl
from o2c.views.ledger import trial_balance
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from tests.agreeing import disagreements
from tests.stories.test_price_periods import SIM, offering, price
from tests.world import ADDRESS, Document, World, at, order


def off(name: str, kind: str = "recurring", **more: Any) -> Document:
    """A discount as TMF620 has it."""
    return {"name": name, "priceType": kind, **more}


def pounds(text: str) -> Document:
    return {"dutyFreeAmount": {"unit": "GBP", "value": text}}


WELCOME = off(
    "WELCOME", price={"percentage": 20}, applicationDuration={"amount": 3, "units": "month"}, applicationStart="nextBill", priority=1
)
LOYAL = off("LOYAL", price=pounds("1.00"), priority=2)
SPRING = off(
    "SPRING", price={"percentage": 50}, applicationDuration={"amount": 10, "units": "day"}, applicationStart="2026-03-01", priority=0
)
NO_FEE = off("NO FEE", "one time fee", price={"percentage": 100})
CATALOGUE = [
    offering("line", price("Recurring", "20.00", "month") | {"priceAlteration": [WELCOME, LOYAL, SPRING]},
             price("One time fee", "5.00") | {"priceAlteration": [NO_FEE]}, specification="spec-mobile", prodSpecCharValueUse=SIM),
    offering("care", price("recurring", "120.00", "year") | {"priceAlteration": [off("HALF YEAR", price={"percentage": 25}, applicationDuration={"amount": 6, "units": "months"})]}),
]  # fmt: skip


def wanted(**characteristics: str) -> list[Document]:
    """A line, and care that relies on it."""
    product = {
        "place": [{"role": "delivery address", "name": ADDRESS}],
        "productCharacteristic": [{"name": name, "value": value} for name, value in characteristics.items()],
    }
    relies = {"productOrderItemRelationship": [{"id": "1", "relationshipType": "reliesOn"}]}
    line = {"id": "1", "action": "add", "productOffering": {"id": "line"}, "product": product}
    return [line, {"id": "2", "action": "add", "productOffering": {"id": "care"}, "product": {}, **relies}]


@pytest.fixture
def listed(world: World) -> World:
    """Stock, and the price list with its discounts."""
    world.stocked()
    loading.load_catalogue(world.app, world.written("discounts.json", json.dumps(CATALOGUE)))
    return world


def issued(world: World) -> dict[str, Document]:
    rows = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'invoice.issued' ORDER BY position")
    return {row["body"]["issued_on"]: row["body"] for row in rows}


def agreed(world: World, *orders: str) -> list[Document]:
    """What the log says, when the oracle, the checks and the books agree with it."""
    caught_up(world.app)
    told = [json.loads(json.dumps(event)) for name in orders for event in order_timeline(world.app, name)]
    assert disagreements(told) == []
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    assert [leak.row() for leak in check_assurance(world.app)] == []
    balance = trial_balance(world.app)
    assert balance["balanced"]
    assert [row for row in balance["compared"] if row["difference_minor"]] == []
    return told


def test_half_a_year_of_discounts_is_billed_to_the_penny(listed: World) -> None:
    """Activated on 5 January, billed on the 8th. In pence, net: 20.00 a month; 1.00 off for good; 20 % off from 8 January to 8 April, before it; half off
    from 1 to 10 March, before both; the fee is free; care 120.00 a year, a quarter off for half a year (181 of 365 days: 14.88)."""
    listed.take(order("ONE", *wanted()))
    listed.run(at(10, month=7))
    first = 194 - 10  # three of 31 days: 1.94, less 0.10
    whole = 2000 - 400 - 100
    # From 1 March half off (10.00), then a fifth of what is left (2.00), then 1.00: by days of a month.
    to_march = 2000 - round(1000 * 7 / 28) - (round(400 * 21 / 28 + 200 * 7 / 28)) - 100
    to_april = 2000 - round(1000 * 3 / 31) - (round(400 * 28 / 31 + 200 * 3 / 31)) - 100
    bills = issued(listed)
    assert {on: body["net_minor"] for on, body in bills.items()} == {
        "2026-01-08": first + whole + 12_000 - 1488, "2026-02-08": to_march, "2026-03-08": to_april, "2026-04-08": 1900, "2026-05-08": 1900,
        "2026-06-08": 1900, "2026-07-08": 1900,
    }  # fmt: skip
    assert {on: [one["discount"] for one in body["endings"]] for on, body in bills.items() if body["endings"]} == {
        "2026-01-08": ["HALF YEAR"],
        "2026-03-08": ["SPRING", "WELCOME"],
    }
    told = agreed(listed, "ONE")
    wrong = [
        {**event, "data": {**event["data"], "lines": [line for line in event["data"]["lines"] if line["kind"] != "discount"]}}
        if event["type"] == "invoice.issued"
        else event
        for event in told
    ]
    assert len(disagreements(wrong)) == 7, "without its discounts no bill is what it must be"
    [priced] = [event["data"] for event in told if event["type"] == "order.priced"]
    assert (priced["one_time_minor"], priced["one_time_reduced_minor"]) == (500, 500)
    for body in bills.values():
        assert "Discount LOYAL on line" in invoice_ubl(listed.app, body["number"], personal=True)["content"]
        assert invoice_pdf(listed.app, body["number"])["content"]
    assert "The discount WELCOME on line ends" in invoice_html(listed.app, bills["2026-03-08"]["number"])["content"]


def test_what_is_not_served_is_credited_less_its_discount(listed: World) -> None:
    """A line that brings its number fails after its first bill: what was billed of the rest of the month goes back, and the discount on it does not."""
    listed.scripted.will("cutover", RefusedBy("REFUSED"))
    listed.take(order("ONE", *wanted(portInNumber="+447700900123", portInCode="ABC123456")))
    listed.run(at(20, 10))
    listed.resolve("NP-CUTFAIL", Fail())
    listed.run(at(21))
    told = agreed(listed, "ONE")
    notes = [event["data"] for event in told if event["type"] == "credit-note.issued"]
    [bill] = issued(listed).values()
    credited = {line["line"]: line["net_minor"] for note in notes for line in note["lines"]}
    by_line = {bill["lines"][place - 1]["discount"] or bill["lines"][place - 1]["offering"]: net for place, net in credited.items()}
    assert by_line == {"line": 1226, "WELCOME": -245, "LOYAL": -61}
    assert sum(note["total_minor"] for note in notes) <= bill["total_minor"]


def test_the_price_list_says_what_is_taken_off(listed: World) -> None:
    """In plain words, beside how often it is charged."""
    charged = {(row["offering"], row["price"]): row["charged"] for row in list_prices(listed.app)}
    assert charged["line", "recurring"].startswith(
        "a month; less WELCOME: 20 % for 3 months from the next bill on; less LOYAL: 1.00 GBP; less SPRING: 50 % for 10 days from 2026-03-01 on"
    )
    assert charged["line", "one-time"] == "once; less NO FEE: 100 %"
