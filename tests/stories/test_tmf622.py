"""TMF622 over the orders of a store: stronger than the conformance kit, on an empty store and on one of many fates, in both versions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.kernel.partner import RefusedBy
from tests.service import Visitor, serving
from tests.tmf import EXAMPLES, example, flaws
from tests.world import World, at, line, order, ported, site

V4, V5 = "/tmf-api/productOrderingManagement/v4", "/tmf-api/productOrderingManagement/v5"
BOTH = {4: V4, 5: V5}
MINIMAL = {"productOrderItem": [{"id": "1", "action": "add"}], "relatedParty": [{"id": "C-1", "@referredType": "Individual"}]}
"""What the conformance kit posts: no offering, no external id, no role."""
MANDATORY = {
    4: ("id", "href", "orderDate", "state", "relatedParty", "productOrderItem"),
    5: ("id", "href", "creationDate", "state", "relatedParty", "productOrderItem", "@type"),
}
STRANGE: list[Any] = [
    {**MINIMAL, "priority": 1, "externalId": "S-1", "note": "no list", "channel": [{"id": 7}, "web"], "description": 4},
    {**MINIMAL, "externalId": "S-2", "relatedParty": "C-1", "productOrderItem": [{"action": "upgrade"}, 4, {"id": 2, "quantity": 1.0, "product": []}]},
    {**MINIMAL, "externalId": "S-3", "requestedStartDate": "soon", "billingAccount": {"name": "no id"}, "agreement": {"id": "A"}},
    {**MINIMAL, "externalId": "S-4", "relatedParty": [{"role": "customer"}, {"id": 5}], "quote": [{"id": "Q"}, {}], "@type": 9},
    {"externalId": "S-5", "productOrderItem": None},
    {"externalId": "S-6", "productOrderItem": [{"id": "1", "action": "add", "product": {"status": "lost", "place": [{"name": "1 Mill Lane"}, {"role": "x", "id": "P"}],
     "productCharacteristic": [{"name": "n", "value": v} for v in ("a", 1, 1.5, True, {"b": 1}, ["c"], [1, "d"], None, [])],
     "productTerm": [{"duration": {"amount": 1, "units": "month"}}], "productPrice": [{"name": "x"}], "relatedParty": [{"id": "9"}],
     "realizingService": [{"id": "s"}, {}], "productRelationship": [{"relationshipType": "x", "product": {"id": "p"}}], "productOrderItem": [{"role": "r"}],
     "productSpecification": {"id": "s"}}, "quoteItem": {"id": "1", "quoteId": "Q"}, "productOfferingQualificationItem": {"id": "1"},
     "itemPrice": [{"priceType": "recurring", "price": {"taxRate": "x", "dutyFreeAmount": {"unit": "EUR", "value": 0.99}}, "priceAlteration": [{"name": "half"}]}]}]},
]  # fmt: skip
"""What channels send all the same."""


@pytest.fixture
def bare(dsn: str, tmp_path: Path) -> Iterator[Visitor]:
    """A service on a store that has nothing at all: no catalogue, no customer."""
    world = World(dsn, tmp_path)
    with serving(world, tmp_path) as made:
        yield made
    world.close()


@pytest.fixture
def lived(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """A service on a store with orders of many fates and forms."""
    world.sims(esim=20)
    world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
    world.take(
        order("DONE", line(quantity=2)), order("SITE", site("1", line("1.1"), line("1.2"))), order("PORT", ported(), party="C-2", priority=1),
        order("EMPTY", channel="store"), order("GONE", line(sim="physical"), party="C-3"), *STRANGE,
        *(example(name) for name in EXAMPLES if name.startswith("CreateProductOrder")),
    )  # fmt: skip
    world.run(at(5, 9, 30))
    world.cancel("GONE")
    world.run(at(6))
    with serving(world, tmp_path) as made:
        yield made


@pytest.mark.parametrize("version", BOTH)
def test_the_smallest_order_is_captured_on_an_empty_store(bare: Visitor, version: int) -> None:
    """201, where it is, and all that is mandatory; every list has it; it is found by id, and by its creation to the letter."""
    base, created = BOTH[version], MANDATORY[version][2]

    answer = bare.post(f"{base}/productOrder", MINIMAL)
    made = answer.json()

    assert (answer.status_code, answer.headers["location"], made["state"]) == (201, made["href"], "acknowledged")
    assert [name for name in MANDATORY[version] if not made.get(name)] == []
    assert made["productOrderItem"][0] == {"id": "1", "action": "add", "state": "acknowledged", "@type": "ProductOrderItem"}
    assert made[created].endswith("Z")
    assert len(made[created]) == len("2026-01-01T00:00:00.000Z")
    for query in ("", f"?id={made['id']}", f"?{created}={made[created]}", "?fields=id", "?fields=href"):
        found = bare.get(f"{base}/productOrder{query}")
        assert (found.status_code, [one["id"] for one in found.json()]) == (200, [made["id"]])
    assert bare.get(made["href"]).json() == made
    assert bare.get(f"{base}/productOrder/none").status_code == 404
    assert flaws(made, version) == []


def test_an_empty_store_has_an_empty_list(bare: Visitor) -> None:
    """And says so."""
    answer = bare.get(f"{V4}/productOrder")

    assert (answer.status_code, answer.json(), answer.headers["x-total-count"], answer.headers["x-result-count"]) == (200, [], "0", "0")


def test_every_order_ever_listed_is_valid_in_both_versions(lived: Visitor) -> None:
    """Whatever version its paper is of, and whatever is wrong with it; one alone is the same as in the list."""
    for version, base in BOTH.items():
        listed = lived.get(f"{base}/productOrder?limit=1000").json()
        assert len(listed) == 13
        for one in listed:
            assert flaws(one, version) == []
            assert [name for name in MANDATORY[version] if name not in one] == []
            assert lived.get(one["href"]).json() == one
            assert all(item["id"] and item["action"] and item["state"] for item in one["productOrderItem"])


def test_both_versions_tell_the_same(lived: Visitor) -> None:
    """The same orders in the same states, with the same items."""
    told = {}
    for version, base in BOTH.items():
        listed = lived.get(f"{base}/productOrder").json()
        told[version] = [
            (one["id"], one["state"], one["priority"], [(i["id"], i["action"], i["state"]) for i in one["productOrderItem"]])
            for one in listed
        ]

    assert told[4] == told[5]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.startswith("CreateProductOrder")])
def test_the_examples_are_accepted_and_come_back_as_they_were_sent(bare: Visitor, name: str) -> None:
    """Each attribute of the example is in the answer, to the letter, but for what v5 spells otherwise than its own type."""
    sent = example(name)

    answer = bare.post(f"{V5}/productOrder", sent)

    assert answer.status_code == 201
    assert set(flaws(answer.json(), 5)) <= set(flaws(sent, 5))  # One example holds an object where its own schema wants a text.
    assert _differing(sent, answer.json()) == []


def _differing(sent: Any, told: Any, place: str = "") -> list[str]:
    """Where what was sent is not in what is told."""
    if isinstance(sent, dict):
        parts = {key: value for key, value in sent.items() if key not in ("@type", "quantity")}
        return [
            flaw
            for key, value in parts.items()
            for flaw in _differing(value, told.get(key) if isinstance(told, dict) else None, f"{place}/{key}")
        ]
    if isinstance(sent, list):
        if not isinstance(told, list) or len(told) != len(sent):
            return [place]
        return [flaw for n, (one, other) in enumerate(zip(sent, told, strict=True)) for flaw in _differing(one, other, f"{place}/{n}")]
    return [] if sent == told else [place]


def test_the_same_order_is_one_order(bare: Visitor) -> None:
    """By its external id, and by the name of the wish; another paper under a name that was used is refused."""
    paper = {**MINIMAL, "externalId": "WEB-1"}

    first, again = bare.post(f"{V4}/productOrder", paper), bare.post(f"{V4}/productOrder", paper)
    keyed = [bare.post(f"{V4}/productOrder", MINIMAL, Idempotency_Key="k-1") for _ in range(2)]
    other = bare.post(f"{V4}/productOrder", {**MINIMAL, "priority": "0"}, Idempotency_Key="k-1")

    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert keyed[0].content == keyed[1].content
    assert [one.headers["idempotent-replayed"] for one in (first, again, *keyed)] == ["false", "true", "false", "true"]
    assert other.status_code == 422
    assert bare.get(f"{V4}/productOrder").headers["x-total-count"] == "2"


def test_another_paper_under_a_known_external_id_waits_for_a_person(bare: Visitor) -> None:
    """The first stays in force, and the answer is that one."""
    first = bare.post(f"{V5}/productOrder", {**MINIMAL, "externalId": "WEB-1"})
    other = bare.post(f"{V5}/productOrder", {**MINIMAL, "externalId": "WEB-1", "priority": "0"})

    assert (other.status_code, other.json()["id"], other.json()["priority"]) == (202, first.json()["id"], "4")


FILTERS = [
    ("externalId=PORT", ["PORT"]), ("externalId=PORT,DONE", ["DONE", "PORT"]), ("state=cancelled", ["GONE"]), ("state=draft", []),
    ("relatedParty.id=C-2", ["PORT"]), ('priority="1"&externalId=PORT', ["PORT"]), ("priority=9", []), ("channel.id=store", ["EMPTY"]),
    ("productOrderItem.productOrderItem.id=1.1", ["SITE"]), ("productOrderItem.productOffering.id=none", []), ("productOrderItem.state=cancelled", ["GONE"]),
    ("category=consumer&externalId=DONE", ["DONE"]), ("cancellationDate.gt=2026-01-01T00:00:00Z", ["GONE"]), ("externalId=NONE", []),
    ("orderDate.gte=2026-01-05T09:00:00Z&orderDate.lt=2026-01-05T09:00:00.001Z&externalId=GONE", ["GONE"]), ("orderDate.gt=2027-01-01T00:00:00Z", []),
    ("orderDate.lte=2026-01-01T00:00:00Z&externalId=DONE", []), ("completionDate.gt=2026-01-01T00:00:00Z&externalId=DONE,GONE", ["DONE"]),
    ("relatedParty.id=456-dd-df45&externalId=456,785", ["456", "785"]), ("priority.lte=1&externalId=PORT,DONE", ["PORT"]),
    ("sort=-externalId&externalId=DONE,PORT", ["PORT", "DONE"]), ("sort=productOrderItem.id,externalId&externalId=DONE,SITE", ["DONE", "SITE"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "external_ids"), [pytest.param(*case, id=case[0]) for case in FILTERS])
def test_orders_are_filtered_by_any_attribute(lived: Visitor, query: str, external_ids: list[str]) -> None:
    """By equality through any depth, by order where a word says so, with commas for or; the counts fit."""
    answer = lived.get(f"{V4}/productOrder?{query}")

    assert answer.status_code == 200
    found = [one["externalId"] for one in answer.json()]
    assert found == external_ids if "sort" in query else sorted(set(found)) == sorted(external_ids)
    assert answer.headers["x-total-count"] == answer.headers["x-result-count"] == str(len(found))


def test_a_page_is_a_part_where_one_was_asked_for(lived: Visitor) -> None:
    """206 with the way to the others, 200 where all are there or nobody asked for a part; the pages together are the whole."""
    whole = [one["id"] for one in lived.get(f"{V4}/productOrder").json()]
    pages, path = [], f"{V4}/productOrder?limit=5&fields=id"
    for _ in range(3):
        answer = lived.get(path)
        assert answer.status_code == 206
        pages += [one["id"] for one in answer.json()]
        links = dict(reversed(part.strip("<> ").split('>; rel="')) for part in answer.headers["link"].rstrip('"').split('", '))
        path = links.get("next", "")

    assert pages == whole
    assert (path, set(links)) == ("", {"self", "first", "prev", "last"})
    assert lived.get(f"{V4}/productOrder?limit=1000").status_code == 200
    assert lived.get(f"{V4}/productOrder?offset=13").json() == []


def test_what_was_captured_is_shown_only_where_it_is_asked_for(lived: Visitor) -> None:
    """Attributes that are asked for come, and what says which order it is."""
    [one] = lived.get(f"{V4}/productOrder?externalId=DONE&fields=state,orderDate").json()

    assert set(one) == {"id", "href", "@type", "state", "orderDate"}


REFUSED = [
    ("GET", "/productOrder?limit=-1", None, 400), ("GET", "/productOrder?limit=1001", None, 400), ("GET", "/productOrder?offset=x", None, 400),
    ("GET", "/productOrder?colour=red", None, 400), ("GET", "/productOrder?orderDate=today", None, 400), ("GET", "/productOrder/none", None, 404),
    ("POST", "/productOrder", b"{", 400), ("POST", "/productOrder", b"[]", 400), ("POST", "/productOrder", b"{}", 400),
    ("POST", "/productOrder", b'{"externalId": "x", "externalId": "y"}', 400), ("PUT", "/productOrder", b"{}", 405), ("DELETE", "/productOrder/x", None, 405),
    ("POST", "/productOrder", json.dumps({**MINIMAL, "requestedInitialState": "draft"}).encode(), 422),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSED)
def test_what_does_not_fit_is_told(bare: Visitor, method: str, path: str, body: bytes | None, status: int) -> None:
    """As a problem (RFC 9457), and nothing is stored."""
    headers = {"Authorization": "Bearer ann", "Content-Type": "application/json"}

    answer = bare.client.request(method, V4 + path, content=body, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert bare.get(f"{V4}/productOrder").json() == []


@pytest.mark.parametrize("version", BOTH)
def test_an_order_is_shown_as_it_stood(lived: Visitor, version: int) -> None:
    """In the shape that it has today, with the paper as it came."""
    [now] = lived.get(f"{BOTH[version]}/productOrder?state=cancelled").json()

    then = lived.get(f"{now['href']}?at=2026-01-05T09:20:00Z")

    assert (then.json()["state"], now["state"]) == ("inProgress", "cancelled")
    assert then.json()["relatedParty"] == now["relatedParty"]
    assert flaws(then.json(), version) == []
    assert [lived.get(f"{now['href']}?at={when}").status_code for when in ("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "soon")] == [
        404,
        422,
        400,
    ]


def test_milestones_errors_and_what_is_in_jeopardy_are_told(lived: Visitor, world: World) -> None:
    """In v5: what was reached and is promised, what stands in the way, and once the day is over that it was missed."""
    world.run(at(28))
    [told] = lived.get(f"{V5}/productOrder?externalId.id=PORT").json()

    assert [(one["code"], one["productOrderItem"][0]["productOrderItemId"]) for one in told["productOrderErrorMessage"]] == [
        ("NP-CODE", "1")
    ]
    assert {"Completed", "Violated"} == {one["status"] for one in told["productOrderMilestone"]}
    assert [one["jeopardyType"] for one in told["productOrderJeopardyAlert"]] == ["Critical"]
    assert flaws(told, 5) == []


def test_a_reader_that_has_the_order_is_told_so(lived: Visitor) -> None:
    """304 for the entity tag that stands."""
    [one] = lived.get(f"{V4}/productOrder?externalId=DONE&fields=id").json()
    first = lived.get(one["href"])

    assert lived.get(one["href"], If_None_Match=first.headers["etag"]).status_code == 304


ODD = ("%00", "%ff", "a%2Fb", "..", "%22", "'", "%F0%9F%98%80", "x" * 400)
"""Names that no order has, and that a program may send by a slip."""


@pytest.mark.parametrize("version", BOTH)
def test_odd_names_are_told_and_break_nothing(bare: Visitor, version: int) -> None:
    """Whatever stands in a path or a query: an answer of the caller's fault at most, never of ours."""
    bare.post(f"{V4}/productOrder", {**MINIMAL, "externalId": "WEB-1"})
    paths = [f"/productOrder/{name}" for name in ODD] + [f"/cancelProductOrder/{name}" for name in ODD]
    words = ("id", "externalId", "state", "relatedParty.id", "channel.id", "orderDate.gt", "creationDate", "priority", "note.text", "fields", "sort", "at",
             "limit", "offset", "why", "productOrder.id", "externalId.", ".id", "productOrderItem..id", "completionDate.lt", "a.b.gt")  # fmt: skip
    paths += [f"/{kind}?{word}={name}" for kind in ("productOrder", "cancelProductOrder") for word in words for name in ("", ",", *ODD[:7])]

    found = {path: bare.client.get(BOTH[version] + path, headers={"Authorization": "Bearer ann"}) for path in paths}

    assert {path: answer.status_code for path, answer in found.items() if answer.status_code not in (200, 206, 400, 404, 409, 422)} == {}
    assert {answer.headers["content-type"] for answer in found.values() if answer.status_code >= 400} == {"application/problem+json"}


ODD_BODIES = (
    {"productOrder": {"id": "\0"}}, {"productOrder": {"id": ["x"]}}, {"productOrder": {"id": "x"}, "cancellationReason": {"a": 1}},
    {"productOrder": {"id": "x"}, "requestedCancellationDate": 5}, {"externalId": "\0"}, {"productOrderItem": {}}, {"productOrderItem": "x", "externalId": [4]},
    {"productOrderItem": [[]], "externalId": {"id": 1}, "relatedParty": [[]], "channel": [None], "priority": None}, [], "text", 4, None,
)  # fmt: skip


@pytest.mark.parametrize("version", BOTH)
def test_odd_bodies_are_told_and_break_nothing(bare: Visitor, version: int) -> None:
    """What is taken down is listed validly afterwards; everything else is the caller's fault."""
    answers = [bare.post(f"{BOTH[version]}/{kind}", body) for kind in ("productOrder", "cancelProductOrder") for body in ODD_BODIES]

    assert {answer.status_code for answer in answers} <= {201, 202, 400, 415, 422}
    assert [flaw for one in bare.get(f"{BOTH[version]}/productOrder").json() for flaw in flaws(one, version)] == []
