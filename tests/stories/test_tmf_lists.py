"""Lists of TM Forum's interfaces: what the store finds by itself is what a reader would find by looking, and only what is shown is taken down."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.entrypoints.http.tmf.queries import at_path
from o2c.files import loading
from o2c.kernel.partner import RefusedBy
from o2c.views.access import list_records
from tests.service import Visitor, serving
from tests.stories.test_tmf622 import MINIMAL, STRANGE, V4, V5
from tests.tmf import EXAMPLES, example
from tests.world import World, at, line, order, ported, site

TWO = {
    **order("TWO", line(), party="C-3"),
    "relatedParty": [{"id": "C-3", "role": "customer"}, {"id": "C-2", "role": "payer"}],
    "channel": [{"id": "web"}, {"id": "store"}],
}
"""An order that names two parties and two channels."""
AUDITOR, ANALYST = Context("aud", roles=("auditor",)), Context("ana", roles=("analyst",))
OF_ORDERS = (
    "id", "state", "priority", "category", "completionDate", "cancellationDate", "expectedCompletionDate", "productOrderItem.id", "productOrderItem.action",
    "productOrderItem.productOffering.id", "productOrderItem.state",
)  # fmt: skip
"""Attributes by which the store finds orders itself, in both versions."""
FOUND_BY = {
    4: (*OF_ORDERS, "orderDate", "externalId", "relatedParty.id", "channel.id"),
    5: (*OF_ORDERS, "creationDate", "externalId.id", "relatedParty.partyOrPartyRole.id", "channel.channel.id", "productOrderErrorMessage.code"),
}  # fmt: skip


def who(authorization: str) -> Context:
    return {"aud": AUDITOR, "ana": ANALYST}.get(authorization.removeprefix("Bearer "), Context("operator"))


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """A store with orders of many fates and forms, some of which name several parties and channels, and with an organisation."""
    world.sims(esim=20)
    world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
    world.take(
        order("DONE", line(quantity=2)), order("SITE", site("1", line("1.1"), line("1.2"))), order("PORT", ported(), party="C-2", priority=1),
        order("GONE", line(sim="physical"), party="C-3"), TWO, *STRANGE, {**MINIMAL, "externalId": "BIG", "productOrderItem": [{"id": "1", "quantity": 10**300}]},
        *(example(name) for name in EXAMPLES if name.startswith("CreateProductOrder")),
    )  # fmt: skip
    world.run(at(5, 9, 30))
    world.cancel("GONE")
    world.run(at(6))
    shop = {"@type": "Organization", "id": "C-SHOP", "tradingName": "The Shop"}
    loading.load_customers(world.app, world.written("shop.jsonl", json.dumps(shop)))
    with serving(world, tmp_path, who=who) as made:
        yield made


def ask(service: Visitor, path: str, by: str = "operator", **query: Any) -> Any:
    answer = service.client.get(path, params=query, headers={"Authorization": f"Bearer {by}"})
    assert answer.status_code in (200, 206), answer.text
    return answer


@pytest.mark.parametrize("by", ["operator", "ana"])
@pytest.mark.parametrize("version", [4, 5])
def test_the_store_finds_what_a_reader_would_find_by_looking(service: Visitor, version: int, by: str) -> None:
    """By every value that there is of each attribute, in what this reader is shown: the same orders, each once, whatever else their papers hold."""
    path = f"{V4 if version == 4 else V5}/productOrder"
    every = ask(service, path, by, limit=1000).json()

    compared = 0
    for attribute in FOUND_BY[version]:
        values = {str(value) for one in every for value in at_path(one, attribute.split("."))}
        assert values or attribute == "channel.id"
        for value in values - {value for value in values if "," in value}:
            wanted = [one["id"] for one in every if value in map(str, at_path(one, attribute.split(".")))]
            found = ask(service, path, by, **{attribute: value, "fields": "id"})
            assert (attribute, value, [one["id"] for one in found.json()]) == (attribute, value, wanted)
            assert found.headers["x-total-count"] == str(len(wanted))
            compared += 1
    assert compared > 50


@pytest.mark.parametrize("operator", ["gt", "gte", "lt", "lte"])
def test_orders_are_found_by_when_they_are_expected(service: Visitor, operator: str) -> None:
    """Before, at and behind every day that there is, as a reader would find them by looking; no calendar has every day."""
    path, attribute = f"{V4}/productOrder", "expectedCompletionDate"
    every = ask(service, path, limit=1000).json()
    told = {one["id"]: datetime.fromisoformat(one[attribute]) for one in every if attribute in one}
    compared = {"gt": lambda a, b: a > b, "gte": lambda a, b: a >= b, "lt": lambda a, b: a < b, "lte": lambda a, b: a <= b}[operator]
    for day in {each + timedelta(hours=hours) for each in told.values() for hours in (-30, -1, 0, 1)}:
        found = ask(service, path, **{f"{attribute}.{operator}": day.isoformat(), "fields": "id", "limit": 1000}).json()
        assert {one["id"] for one in found} == {name for name, each in told.items() if compared(each, day)}
    assert len(set(told.values())) > 1
    odd = service.client.get(path, params={f"{attribute}.{operator}": "9999-12-31T23:00:00Z"}, headers={"Authorization": "Bearer operator"})
    assert odd.status_code == 400


def test_an_order_is_found_by_every_party_and_channel_that_it_names(service: Visitor) -> None:
    """Beside those of which that party or channel is the first."""
    found = [
        {one["externalId"] for one in ask(service, f"{V4}/productOrder", **query).json()}
        for query in ({"relatedParty.id": "C-2"}, {"channel.id": "store"}, {"relatedParty.id": "C-2", "channel.id": "store"})
    ]

    assert found == [{"PORT", "TWO"}, {"TWO"}, {"TWO"}]


def subjects(world: World, actor: str = "aud") -> list[str]:
    return [subject for record in list_records(world.app, actor=actor) for subject in record["subjects"]]


def looked_through(service: Visitor) -> Sequence[tuple[str, dict[str, Any], int]]:
    """Lists that are looked through by something personal, with how many rows each shows."""
    party, task = "/tmf-api/partyManagement/v4/individual", f"{V4}/cancelProductOrder"
    return [
        (f"{V4}/productOrder", {"productOrderItem.quantity": "2"}, 1), (f"{V4}/productOrder", {"sort": "note.text", "limit": 2, "fields": "id"}, 2),
        (party, {"sort": "-fullName", "limit": 1}, 1), (party, {"fullName": "Nobody"}, 0), (task, {"cancellationReason": "nothing"}, 0),
        (task, {"sort": "state", "limit": 1}, 1),
    ]  # fmt: skip


def test_only_what_is_shown_is_taken_down(service: Visitor, world: World) -> None:
    """Not all that had to be looked through for it."""
    for path, query, count in looked_through(service):
        before = len(subjects(world))
        shown = ask(service, path, "aud", **query).json()
        assert (path, query, len(shown)) == (path, query, count)
        assert (path, query, len(subjects(world)) - before) == (path, query, count)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        pytest.param("/tmf-api/partyManagement/v4/individual", {"fullName": "Tamsel Holmquay"}, id="a name"),
        pytest.param(f"{V4}/productOrder", {"productOrderItem.quantity": "2"}, id="what was ordered"),
    ],
)
def test_who_asks_for_a_count_alone_learns_nothing_unseen(service: Visitor, world: World, path: str, query: dict[str, str]) -> None:
    """That something personal is so of somebody counts as shown."""
    whole = ask(service, path, "aud", **query).json()
    before = len(subjects(world))

    none = ask(service, path, "aud", **query, limit=0)

    assert (none.json(), none.headers["x-total-count"]) == ([], str(len(whole)))
    assert len(subjects(world)) - before == len(whole) > 0


def test_parties_of_a_kind_are_paged_by_themselves(service: Visitor) -> None:
    """Individuals and organisations each have their own count, and none is in both."""
    base = "/tmf-api/partyManagement/v4"
    people, shops = (ask(service, f"{base}/{kind}", offset=0, limit=2) for kind in ("individual", "organization"))

    assert (len(people.json()), people.headers["x-total-count"]) == (2, "3")
    assert ([one["tradingName"] for one in shops.json()], shops.headers["x-total-count"]) == (["The Shop"], "1")
    assert service.get(f"{base}/individual/C-SHOP").status_code == 404
