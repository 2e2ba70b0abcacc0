"""A number that was ported late by us is made good by itself: the customer has a credit, which the next bill uses, and the books say so."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Correct, Retry
from o2c.desk.products import port_out, porting_code
from o2c.engine.app import Context
from o2c.files import loading
from o2c.files.intake import Intake
from o2c.kernel.partner import Accepted, Failed, RefusedBy, Request
from o2c.markets import registry
from o2c.markets.gb import GB
from o2c.markets.life import PortDelayRules
from o2c.simulation.launch_data import FIBRE
from o2c.views.balance import show_balance
from o2c.views.ledger import trial_balance
from o2c.views.reading import caught_up
from projections.engine import operations as engine
from tests.histories import differing
from tests.lives_of_products import in_service, product
from tests.world import ADDRESS, Document, World, at, item, order, ported

CLEARING = Context("clearing")


@pytest.fixture
def world(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A market with a tariff of 2.50 a number and day late."""
    tariff = PortDelayRules(minor_per_day=250, working_days=False, source="for this story")
    monkeypatch.setitem(registry._BY_PIN, GB.pin, replace(GB, porting=replace(GB.porting, delay=tariff)))
    made = World(dsn, tmp_path).stocked(esims=4)
    yield made
    engine.catch_up(dsn)
    assert differing(dsn) == []
    assert [check for check in run_checks(made.app) if check.state == "failed"] == []
    made.close()


def away(request: Request) -> Failed:
    """A clearing house that cannot be had for some hours."""
    return Failed("UNAVAILABLE", request.at + timedelta(hours=3))


def credited(world: World) -> list[dict[str, Any]]:
    """What customers were credited."""
    return [row["body"] for row in world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'account.compensated' ORDER BY position")]


def test_a_number_that_came_late(world: World) -> None:
    """Agreed for Friday and ours on Tuesday: four days, ten pounds, which the next bill uses; one that came in time brings none."""
    world.scripted.will("cutover", *[away] * 3)
    world.take(order("WEB-1", ported(), on=at(8, 9)))
    world.run(at(12))
    world.take(order("WEB-2", ported(msisdn="+447700900456"), party="C-2", on=at(12, 9)))
    world.run(at(13, 12))

    [one] = credited(world)
    assert (one["account"], one["amount_minor"], one["days"], one["per_day_minor"], one["cause"]) == ("BA-C-1", 1000, 4, 250, "port-in")
    caught_up(world.app)
    assert [row["credit_minor"] for row in show_balance(world.app, "BA-C-1")] == [1000]
    world.run(at(1, month=3))
    [used] = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'account.credit-used'")
    assert (used["body"]["account"], used["body"]["amount_minor"]) == ("BA-C-1", 1000)
    caught_up(world.app)
    told = trial_balance(world.app)
    assert told["balanced"]
    assert {row["ledger_account"]: row["debit_minor"] for row in told["accounts"]}["compensation"] == 1000


def test_a_number_that_went_late_by_us(world: World) -> None:
    """The network switched the service off two days after the agreed one: five pounds, on the final bill; what the other operator took is not ours."""
    in_service(world)
    code = porting_code(world.app, Context("ann"), product(world, "FIRST").product).code
    port_out(world.app, CLEARING, product(world, "FIRST").product, operator="Other Mobile", reference="PRT-901", code=code)
    world.scripted.will("port-out", Accepted("OFF-1", at(15, 10)))
    world.scripted.will("port-out-cutover", Accepted("CUT-1", at(19, 10)))

    world.run(at(1, month=3))

    [one] = credited(world)
    assert (one["amount_minor"], one["days"], one["cause"]) == (500, 2, "port-out")
    [done] = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'port-out.completed'")
    assert (done["body"]["agreed_on"], done["body"]["ported_on"], done["body"]["late_days"]) == ("2026-01-13", "2026-01-19", 6)
    assert world.app.reads.rows("SELECT 1 FROM o2c.event WHERE type = 'account.credit-used'") != []


PORTUGUESE: Document = {
    "id": "linha-pt", "version": "1.0", "lifecycleStatus": "Active", "isBundle": False, "productSpecification": {"id": "spec-mobile"},
    "validFor": {"startDateTime": "2026-01-01T00:00:00Z"},
    "productOfferingPrice": [{"priceType": "recurring", "recurringChargePeriod": "month", "price": {"dutyFreeAmount": {"unit": "EUR", "value": "20.00"}}}],
    "prodSpecCharValueUse": [
        {"name": "simType", "productSpecCharacteristicValue": [{"value": "esim"}, {"value": "physical"}]},
        {"name": "commitmentMonths", "productSpecCharacteristicValue": [{"value": "12"}]},
    ],
}  # fmt: skip


def test_a_number_that_came_late_in_portugal(dsn: str, tmp_path: Path) -> None:
    """The country as it is: a code of twelve digits, IVA of 23 %, the window in Lisbon, and three euros for each of four days, which the second bill uses."""
    world = World(dsn, tmp_path).stocked()
    loading.load_catalogue(world.app, world.written("pt.json", json.dumps([PORTUGUESE])), market="PT")
    rows = [("msisdn", "class"), *((f"+35191234560{n}", "normal") for n in range(3))]
    loading.load_stock(world.app, world.runner, "numbers", world.written("pt.csv", rows), None)
    world.scripted.will("cutover", *[away] * 3)
    paper = order("PT-1", ported(msisdn="+351912345678", code="123456789012", place="Rua Augusta 12, 1100-053 Lisboa"), on=at(8, 9))
    paper["productOrderItem"][0]["productOffering"] = {"id": "linha-pt"}
    Intake(world.app, world.written("pt.jsonl", json.dumps(paper)), tmp_path / "quarantine", market="PT").run()

    world.run(at(1, month=3))

    assert world.state("PT-1") == "completed"
    [one] = credited(world)
    assert (one["amount_minor"], one["days"], one["currency"], one["rules"]) == (1200, 4, "EUR", "PT@2025-11")
    [first, *_] = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'invoice.issued' ORDER BY position")
    assert (first["body"]["currency"], {row["percent"] for row in first["body"]["taxes"]}) == ("EUR", {"23"})
    assert world.app.reads.rows("SELECT 1 FROM o2c.event WHERE type = 'account.credit-used'") != []
    world.close()


def fixed(world: World, name: str, party: str = "C-1") -> None:
    """A fixed line, ordered on Monday the 5th."""
    world.take(order(name, item(FIBRE, "1", place=ADDRESS, commitmentMonths="24"), party=party))


def test_a_fitter_who_did_not_come(world: World) -> None:
    """Nobody came on the 9th, and the next visit was on the 20th, seven days after the one promised: the visit and each day are credited, and used by the bill."""
    world.scripted.will("appointment", Accepted("VIS-1", at(9, 13)), RefusedBy("NOT-KEPT"), Accepted("VIS-2", at(20, 9)))
    fixed(world, "WEB-1")
    world.run(at(6))
    promised = world.order("WEB-1").items["1"].promised_on

    world.run(at(9, 15)).resolve("LOG-MISSED", Retry())
    world.run(at(1, month=3))

    visit, late = credited(world)
    assert (visit["cause"], visit["amount_minor"], visit["missed_on"], visit["days"]) == ("missed-visit", 3_119, "2026-01-09", 1)
    days = 20 - int(promised[-2:])
    assert (late["cause"], late["amount_minor"], late["missed_on"], late["days"]) == ("late-start", days * 624, promised, days)
    assert days > 0
    [used, *_] = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'account.credit-used'")
    assert used["body"]["amount_minor"] <= 3_119 + days * 624
    guards = world.app.reads.rows("SELECT key FROM o2c.guard WHERE kind = 'compensation' ORDER BY key")
    assert [row["key"].partition("/")[2] for row in guards] == ["1/late-start", "1/missed-visit/1"]


def test_a_customer_who_was_not_at_home(world: World) -> None:
    """The fitter came and found nobody, and comes again on the day that the customer chose: nothing is owed, though it is later than was promised first."""
    world.scripted.will("appointment", Accepted("VIS-1", at(9, 13)), RefusedBy("NOBODY-HOME"), Accepted("VIS-2", at(27, 9)))
    fixed(world, "WEB-1")
    world.run(at(9, 15))
    world.resolve("LOG-HOME", Correct({"visitOn": "2026-01-27", "visitWindow": "morning"}))

    world.run(at(1, month=2))

    assert world.state("WEB-1") == "completed"
    assert credited(world) == []


def test_an_organisation_has_no_scheme(world: World) -> None:
    """The scheme is for residential customers: the same missed visit of a business brings nothing."""
    papers = {
        "@type": "Organization",
        "id": "B-1",
        "tradingName": "Quenleigh Mills",
        "partyCharacteristic": [{"name": "paymentMethod", "value": "card"}],
    }
    loading.load_customers(world.app, world.written("businesses.jsonl", json.dumps(papers)))
    world.scripted.will("appointment", Accepted("VIS-1", at(9, 13)), RefusedBy("NOT-KEPT"), Accepted("VIS-2", at(20, 9)))
    fixed(world, "WEB-1", party="B-1")
    world.run(at(9, 15)).resolve("LOG-MISSED", Retry())

    world.run(at(1, month=2))

    assert world.state("WEB-1") == "completed"
    assert credited(world) == []
