"""TM Forum's interfaces that are read only: catalogue, tickets, customers and parties, what is in service, accounts and bills."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.desk.gate import asked
from o2c.entrypoints.http.tmf.readable import READABLE
from o2c.files import loading
from o2c.kernel.partner import RefusedBy
from o2c.views.customers import list_customers
from o2c.views.products import list_products
from tests.lives_of_products import change, product
from tests.service import Visitor, serving
from tests.world import World, at, customer, line, order, ported


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """A store a month after some orders: lines in service, a bill that is paid, a fallout."""
    world.sims(esim=10)
    world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
    world.take(order("A", line("1"), line("2")), order("B", line(quantity=2), party="C-2"), order("C", ported(), party="C-3"))
    world.run(at(10, month=2))
    with serving(world, tmp_path) as made:
        yield made


@pytest.mark.parametrize("resource", READABLE, ids=lambda resource: f"{resource.api} {resource.name}")
def test_a_list_and_each_of_it_are_told_in_one_way(service: Visitor, resource: Any) -> None:
    """Each has an id, a place and a type, is the same alone, is found by its id, and every attribute is a known one."""
    path = f"{resource.base}/{resource.name}"
    listed = service.get(f"{path}?limit=1000")

    assert listed.status_code == 200
    things = listed.json()
    assert (listed.headers["x-total-count"], bool(things)) == (str(len(things)), resource.name != "organization")
    for thing in things:
        assert all(thing[name] for name in ("id", "href", "@type"))
        assert set(thing) <= resource.attributes
        assert service.get(thing["href"]).json() == thing
        assert set(service.get(f"{thing['href']}?fields=id").json()) == {"id", "href", "@type"}
    for thing in things[:1]:
        assert service.client.get(path, params={"id": thing["id"]}, headers={"Authorization": "Bearer ann"}).json() == [thing]
    assert service.get(f"{path}/none").status_code == 404
    assert service.get(f"{path}?colour=red").status_code == 400


def test_pages_and_filters_count(service: Visitor) -> None:
    """A part is told as one, and what the store finds by itself counts as what is looked through."""
    path = "/tmf-api/productInventory/v4/product"

    part, own = service.get(f"{path}?limit=2"), service.get(f"{path}?relatedParty.id=C-2")
    looked = service.get(f"{path}?productOrderItem.orderItemId=2&sort=-id")
    named, unknown = (service.get(f"{path}?name={name}") for name in ("lark-line", "none"))

    assert (part.status_code, len(part.json()), part.headers["x-total-count"]) == (206, 2, "4")
    assert (own.headers["x-total-count"], {one["productOrderItem"][0]["orderItemId"] for one in own.json()}) == ("2", {"1"})
    assert looked.headers["x-total-count"] == "1"
    assert (len(named.json()), {one["name"] for one in named.json()}) == (
        len([one for one in service.get(path).json() if one["name"] == "lark-line"]),
        {"lark-line"},
    )
    assert unknown.json() == []
    assert service.get(f"{path}?offset=9").json() == []


def test_an_id_narrows_what_was_asked_for_and_takes_nothing_back(service: Visitor) -> None:
    """Whichever of the two is said first, and where an id is said twice."""
    path = "/tmf-api/productInventory/v4/product"
    one, *_, other = service.get(path).json()
    of_other = f"productOrderItem.productOrderId={other['productOrderItem'][0]['productOrderId']}"
    named, named_other = (f"id={thing['id']}" for thing in (one, other))

    found = [service.get(f"{path}?{query}").json() for query in (f"{of_other}&{named}", f"{named}&{of_other}", f"{named}&{named_other}")]

    assert found == [[], [], []]
    assert service.get(f"{path}?{of_other}&{named_other}").json() == [other]


def test_a_product_that_ended_is_found_by_its_id_and_its_status(service: Visitor, world: World) -> None:
    """It was nowhere once it had ended; what is listed without a status is in service."""
    path, ended = "/tmf-api/productInventory/v4/product", product(world, "A").product
    world.take(order("END", change(world, "A", action="delete"), on=at(10, month=2)))
    world.run(at(11, month=2))

    one = service.get(f"{path}/{ended.replace(':', '%3A')}").json()
    assert (one["status"], one["terminationDate"]) == ("terminated", "2026-02-10T00:00:00.000Z")
    assert service.get(f"{path}?status=terminated").json() == [one]
    assert {each["status"] for each in service.get(path).json()} == {"active"}
    assert service.get(f"{path}?id={ended}&status=active").json() == []
    assert service.get(f"{path}?status=active&id={ended}").json() == []


def test_a_product_tells_its_number_and_its_sim(service: Visitor, world: World) -> None:
    """Each line its own, as its steps took them, also the second of two in one order; whoever may see no identifier gets them masked."""
    told = service.get("/tmf-api/productInventory/v4/product").json()
    masked = asked(Context("ann", roles=("analyst",)), "products.list", list_products, (world.app,), {})

    external_ids = {world.order(name).order_id: name for name in ("A", "B", "C")}
    for one, hidden in zip(told, masked, strict=True):
        order_id, _, item = one["id"].partition(":")
        numbers = {
            "MSISDN": world.outcome(external_ids[order_id], item, "number")["msisdn"],
            "ICCID": world.outcome(external_ids[order_id], item, "sim")["iccid"],
        }
        assert {each["name"]: each["value"] for each in one["productCharacteristic"]} == numbers
        assert {each["name"]: each["id"] for each in one["realizingResource"]} == {"MSISDN": numbers["MSISDN"], "SIM": numbers["ICCID"]}
        assert {each["@referredType"] for each in one["realizingResource"]} == {"LogicalResource"}
        assert ("***" in hidden["msisdn"], "***" in hidden["iccid"]) == (True, True)
    assert len({each["id"] for one in told for each in one["realizingResource"]}) == 2 * len(told) == 8


def test_bills_are_told_as_they_are_paid(service: Visitor, world: World) -> None:
    """With what is to be paid, as numbers of the currency, and the account and customer."""
    bills = service.get("/tmf-api/customerBillManagement/v4/customerBill?relatedParty.id=C-1").json()

    for bill in bills:
        state = world.invoice(bill["id"])
        assert state.issued is not None
        assert round(bill["taxIncludedAmount"]["value"] * 100) == state.issued.total_minor
        assert (bill["state"], bill["amountDue"]["value"]) == ("settled", 0.0)
    assert {bill["billingAccount"]["id"] for bill in bills} == {"BA-C-1"}
    assert service.get("/tmf-api/customerBillManagement/v4/customerBill?billingAccount.id=BA-C-9").json() == []


def test_a_fallout_is_a_ticket_of_its_order(service: Visitor) -> None:
    """What is wrong, since when, whose order, and what comes next."""
    [ticket] = service.get("/tmf-api/troubleTicket/v4/troubleTicket?name=NP-CODE").json()

    assert (ticket["status"], ticket["relatedParty"][0]["id"]) == ("acknowledged", "C-3")
    assert service.get(ticket["relatedEntity"][0]["href"]).json()["externalId"] == "C"


def test_what_is_ones_own_is_all_that_is_seen(service: Visitor, world: World) -> None:
    """A service sees what it captured and registered; an analyst sees no name, an auditor does."""

    def seen(view: str, function: Any, *roles: str, **options: Any) -> list[Any]:
        return list(asked(Context("ann", roles=roles), view, function, (world.app,), options))

    assert seen("products.list", list_products, "service") == []
    assert seen("customers.list", list_customers, "service") == []
    assert ["name" in one for one in seen("customers.list", list_customers, "analyst", personal=True)] == [False] * 3
    assert ["name" in one for one in seen("customers.list", list_customers, "auditor", personal=True)] == [True] * 3


@pytest.mark.parametrize("resource", [resource for resource in READABLE if resource.paged], ids=lambda resource: resource.name)
@pytest.mark.parametrize("part", ["offset=1", "offset=1&limit=1", "offset=50", "offset=50&limit=1", "limit=0", "offset=50&limit=0"])
def test_a_part_says_how_many_there_are_in_all(service: Visitor, resource: Any, part: str) -> None:
    """Also one that lies behind the end, or is empty."""
    path = f"{resource.base}/{resource.name}"
    whole = len(service.get(path).json())

    assert service.get(f"{path}?{part}").headers["x-total-count"] == str(whole)


def test_parties_are_sorted_by_their_names_either_way(service: Visitor, world: World) -> None:
    """A name is personal, and is asked for where it is sorted by, whatever its direction and the attributes that are shown."""
    renamed = {**customer("C-3"), "givenName": "Ada"}
    loading.load_customers(world.app, world.written("renamed.jsonl", json.dumps(renamed)))
    path = "/tmf-api/partyManagement/v4/individual"
    up, down = (service.get(f"{path}?fields=id&sort={sign}fullName").json() for sign in ("", "-"))
    names = {one["id"]: one["fullName"] for one in service.get(path).json()}

    assert sorted(names.values()) != [names[name] for name in sorted(names)]
    assert [names[one["id"]] for one in up] == sorted(names.values())
    assert [names[one["id"]] for one in down] == sorted(names.values(), reverse=True)
