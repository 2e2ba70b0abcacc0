"""Every operation of the description has an example of its request, and each example does what it shows."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from o2c.entrypoints.http.examples import EXAMPLES
from o2c.entrypoints.http.links import CANCELLED_BY, LINKS
from o2c.entrypoints.http.service import from_environment
from tests.console import rich_world
from tests.sent import CALLS, OPERATIONS, StandIns, sent
from tests.service import Visitor, serving
from tests.world import World

REFUSED = {
    "collections.plan": 409,
    "collections.promise": 409,
    "credit-notes.approve": 404,
    "disputes.open": 409,
    "instalments.settle": 404,
    "invoices.void": 409,
    "journeys.reach": 409,
    "orders.amend": 409,
    "orders.withdraw": 409,
    "limits.agree": 404,
    **dict.fromkeys(("payments.chargeback", "payments.chargeback-won", "payments.move", "payments.preview"), 404),
    "payments.retry": 409,
    **dict.fromkeys(("allowances.buy", "prepaid.refund"), 404),
    **dict.fromkeys(("products.port-out-cancel", "products.transfer"), 404),
    "products.withdraw": 409,
    **dict.fromkeys(("products.switch", "products.switch-match"), 404),
    **dict.fromkeys(("returns.grade", "returns.sent", "returns.show"), 404),
    "quota.commit": 404,
    **dict.fromkeys(("refunds.approve", "refunds.give-up", "refunds.paid"), 404),
}
"""Examples that something stands against, and how that is told: the account that they name owes nothing, was told of no limit, and has no note and no refund that wait for a second
person; its session holds nothing; nobody withdrew from its product; no other operator was given its number; its journey was ordered before; nobody knows the customer who is to take it over, or a switch; nobody sells such a pack, nothing is left of its prepaid money; its invoice is paid, was not refused by the payment provider, and no
money came for it that could be charged back or moved, nor is there the invoice it would go to; its product is served, and its order is, longer ago than one may withdraw."""


AFTER = dict.fromkeys(("payments.refund", "refunds.request"), "payments.record")
"""Examples that another one makes possible, which is sent right before with MUCH: there is money above what was owed, whatever was sent
before."""
MUCH = "500.00"


def answered(service: Visitor, stand_ins: StandIns, operation: str, **other: str) -> httpx.Response:
    request = sent(operation, stand_ins, key=str(uuid4()))
    body = {**request.body, **other} if other else request.body
    return service.client.request(
        request.method, request.path, params=request.query, json=body, headers={"Authorization": "Bearer ann", **request.headers}
    )  # fmt: skip


world = rich_world()


@pytest.fixture(scope="module")
def service(world: World) -> Iterator[Visitor]:
    """The service on a store in which everything has happened."""
    with serving(world, world.folder) as made:
        yield made


@pytest.fixture(scope="module")
def stand_ins(world: World) -> StandIns:
    return StandIns(world)


@pytest.mark.parametrize("operation", sorted(OPERATIONS, key=lambda name: (name in CALLS and CALLS[name].verb, name)))
def test_an_example_does_what_it_shows(service: Visitor, stand_ins: StandIns, operation: str) -> None:
    """Sent as it is, with the names of what stands in the store; views first, then what changes."""
    before = [answered(service, stand_ins, AFTER[operation], amount=MUCH)] if operation in AFTER else []
    told = answered(service, stand_ins, operation)

    assert all(each.status_code == 200 for each in before)
    assert told.status_code == REFUSED.get(operation, 200), told.text


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    """The OpenAPI document."""
    return from_environment().openapi()


def operations(description: dict[str, Any]) -> dict[str, Any]:
    """What is told of each operation of the native API."""
    return {
        told["operationId"]: told
        for methods in description["paths"].values()
        for told in methods.values()
        if told["operationId"] in OPERATIONS
    }


def test_no_operation_lacks_an_example(description: dict[str, Any]) -> None:
    """One that needs something shows it; what shows something, shows what its parameters take."""
    assert sorted(EXAMPLES) == OPERATIONS == sorted(operations(description))
    for name, told in operations(description).items():
        needed = [each for each in told.get("parameters", ()) if each["required"]]
        assert [each["name"] for each in needed if "example" not in each] == [], name
        body = told.get("requestBody")
        assert body is None or "example" in body["content"]["application/json"], name
        shown = {each["name"] for each in told.get("parameters", ()) if "example" in each} - {"Idempotency-Key", "If-Match", "why"}
        whole = CALLS[name].whole if name in CALLS else ""
        within = set() if body is None or whole else set(body["content"]["application/json"]["example"])
        assert shown | within | ({whole} - {""}) == set(EXAMPLES[name]) - {"why"}, name


def test_what_can_go_wrong_is_told(description: dict[str, Any]) -> None:
    """Each operation tells its problems in the form of problems; only what is decided by a page asks for its version."""
    for name, told in operations(description).items():
        codes = {int(code) for code in told["responses"] if code.isdigit()}
        assert {400, 401, 403, 409, 422, 429, 503} <= codes, name
        assert ({412, 428} <= codes) == bool(name in CALLS and CALLS[name].operation.decided_by), name
        problems = [each for code, each in told["responses"].items() if code == "default" or int(code) >= 400]
        assert {kind for each in problems for kind in each["content"]} <= {"application/problem+json"}, name


def test_the_parts_are_told_of(description: dict[str, Any]) -> None:
    """Every tag of the native API has a sentence, and the version is that of the package."""
    used = {tag for told in operations(description).values() for tag in told["tags"]}
    assert used <= {each["name"] for each in description["tags"] if each["description"].endswith(".")}
    assert description["info"]["version"] != "1"
    assert description["openapi"].startswith("3.1")
    assert all(told["security"] for told in operations(description).values())


def test_links_lead_to_what_takes_them(description: dict[str, Any]) -> None:
    """A link names an operation that there is, and a parameter of it; what it takes from an answer is a field of that answer."""
    every = {told["operationId"]: told for methods in description["paths"].values() for told in methods.values()}
    seen = 0
    for operation, (status, pointer, targets) in LINKS.items():
        answer = every[operation]["responses"][status]
        schema = _resolved(description, answer["content"]["application/json"]["schema"])
        field = pointer.rpartition("/")[2]
        assert field in _resolved(description, schema.get("items", schema))["properties"], operation
        assert set(answer["links"]) == {*targets, *filter(None, [CANCELLED_BY.get(operation)])}, operation
        for target, parameter in targets.items():
            assert parameter in {each["name"] for each in every[target]["parameters"] if each["in"] == "path"}, (operation, target)
            seen += 1
    assert seen >= 39


def _resolved(description: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = description["components"]["schemas"][name] if name else schema
    return found


def test_what_tm_forum_has_is_told_of(description: dict[str, Any]) -> None:
    """Each path has a name, a shape for what it answers and takes, and its problems by their numbers."""
    operations = [told for path, methods in description["paths"].items() for told in methods.values() if path.startswith("/tmf-api/")]
    assert len(operations) == 38
    assert len({told["operationId"] for told in operations}) == 38
    for told in operations:
        answers = {code: answer for code, answer in told["responses"].items() if code.startswith("2") and code != "204"}
        assert all(answer["content"]["application/json"]["schema"] for answer in answers.values()), told["operationId"]
        assert {"400", "401", "403", "429", "503"} <= set(told["responses"]), told["operationId"]
        assert all(kind["schema"] for kind in told.get("requestBody", {"content": {}})["content"].values()), told["operationId"]
