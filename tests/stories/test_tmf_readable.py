"""TM Forum's interfaces that are read only: catalogue, tickets, customers and parties, what is in service, accounts and bills."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.desk.gate import asked
from o2c.entrypoints.http.tmf.readable import READABLE
from o2c.kernel.partner import RefusedBy
from o2c.views.customers import list_customers
from o2c.views.products import list_products
from tests.service import Visitor, serving
from tests.world import World, at, line, order, ported


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

    assert (part.status_code, len(part.json()), part.headers["x-total-count"]) == (206, 2, "4")
    assert (own.headers["x-total-count"], {one["productOrderItem"][0]["orderItemId"] for one in own.json()}) == ("2", {"1"})
    assert looked.headers["x-total-count"] == "1"
    assert service.get(f"{path}?offset=9").json() == []


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
