"""Filters of TMF622 over orders of every form: whatever the store finds by itself, a reader would find by looking at all; what it cannot find, it says."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.entrypoints.http.tmf import ordering
from o2c.entrypoints.http.tmf.finding import quick_filters
from o2c.entrypoints.http.tmf.queries import Filter, at_path
from o2c.kernel.partner import RefusedBy
from o2c.running.session import Session
from o2c.views import documents
from projections.engine.operations import catch_up
from tests.depth import depth
from tests.service import Visitor, serving
from tests.stories.test_tmf622 import BOTH, STRANGE
from tests.stories.test_tmf_lists import who
from tests.world import World, at, line, order, ported, site

ORDERS = 40
IDS: list[Any] = ["A", "B", "1", 1, 1.0, 1.5, -0.0, True, "", None, "1.0", {"x": 1}, ["A"], "#1", "noChange"]
"""What channels write where an id belongs."""
QUANTITIES: list[Any] = [1, 2, 3, 2.0, 1.5, "2", "03", "x", -1, 0, 10**12, 10**300, 1e12, 2e0, "", None, [2], True]
"""What they write where a quantity belongs."""
ODD = (
    '{"externalId": "R-1", "billingAccount": {"id": "\\u0041"}, "agreement": [{"id": "\\u0041GR"}], "productOrderItem": [{"id": "1", "quantity": 2.0e0}]}',
    '{"externalId": "R-2", "productOrderItem": {"id": "1", "action": "add"}}',
    '{"externalId": "R-3", "productOrderItem": [7], "billingAccount": [{"id": "A"}]}',
    '{"externalId": "R-4", "productOrderItem": [{"id": -0, "quantity": 1e300}, {"id": {"x": 1}, "product": {"id": "B"}, "quantity": 20e-1}]}',
    '{"externalId": "R-5", "productOrderItem": [{"id": "1", "quantity": 0.2e1, "productOrderItem": [{"id": "2", "quantity": 3, "product": {"id": "C"}}]}]}',
)
"""Papers that no program of ours would write, to the letter."""
OPERATORS = ("eq", "gt", "gte", "lt", "lte")
NUMBERS = ("0", "1", "2", "-1", "1.5", "2.0", "02", "x", "999999999", "1000000000000", "1" + "0" * 300)
LOOKED_AT = {
    4: ("externalId", "agreement.id", "productOrderItem.productOrderItemRelationship.id", "relatedParty.role", "href", "@type"),
    5: ("productOrderMilestone.status", "productOrderErrorMessage.status", "agreement.id", "channel.role", "href", "orderRelationship.id"),
}
"""By version: attributes by which the store does not find, or not alone."""


def drawn(of: random.Random, number: int) -> dict[str, Any]:
    """A paper whose references and quantities are of any form."""

    def ref() -> Any:
        return of.choice([{"id": of.choice(IDS)}, {"id": of.choice(IDS)}, None, "A", [{"id": "A"}]])

    def item() -> Any:
        parts = {
            "id": of.choice(IDS),
            "action": of.choice(["add", "modify", "noChange", "lose", None, 4]),
            "quantity": of.choice(QUANTITIES),
        }
        refs = {name: ref() for name in ("product", "billingAccount", "productOffering")}
        return {name: value for name, value in (parts | refs).items() if of.random() < 0.8}

    whole = {
        "billingAccount": ref(),
        "priority": of.choice(["0", "2", 4, None]),
        "category": of.choice(["A", "B", ""]),
        "agreement": [ref()],
    }
    kept = {name: value for name, value in whole.items() if of.random() < 0.7}
    return {
        "externalId": f"D-{number}",
        "relatedParty": [{"id": "C-1", "role": "customer"}],
        **kept,
        "productOrderItem": [item() for _ in range(of.randint(0, 3))],
    }


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """A store with drawn orders, odd ones, and some that were carried out."""
    of = random.Random(622)
    world.sims(esim=20)
    world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
    world.take(
        order("DONE", line(quantity=2)), order("SITE", site("1", line("1.1"), line("1.2"))), order("PORT", ported(), priority=1), *STRANGE
    )
    world.take(*(drawn(of, number) for number in range(ORDERS)))
    with serving(world, tmp_path, who=who) as made:
        for paper in ODD:
            answer = made.client.post(
                f"{BOTH[4]}/productOrder", content=paper, headers={"Authorization": "Bearer operator", "Content-Type": "application/json"}
            )
            assert answer.status_code == 201, answer.text
        world.run(at(5, 9, 30))
        yield made


def listed(service: Visitor, version: int, by: str, **query: Any) -> Any:
    return service.client.get(f"{BOTH[version]}/productOrder", params={"limit": 1000, **query}, headers={"Authorization": f"Bearer {by}"})


def fits(one: dict[str, Any], path: str, operator: str, value: str) -> bool:
    return Filter(path, operator, (value,)).fits(one)


def test_whatever_is_filtered_by_is_what_looking_at_all_would_find(service: Visitor) -> None:
    """Drawn filters, one or several at once, by values that there are and by others: the same orders in the same order, and as many; for who may read
    the papers and for who may not, in both versions."""
    for version in BOTH:
        for by in ("operator", "ana"):
            asked = answered_as_by_looking(service, version, by)
            assert min(asked.values()) >= 5, (version, by)


def answered_as_by_looking(service: Visitor, version: int, by: str) -> dict[str, int]:
    """How many drawn filters found some, and how many none."""
    every = listed(service, version, by).json()
    paths = [*quick_filters(version), "productOrderItem.state", "expectedCompletionDate", *LOOKED_AT[version]]
    found_by = {path: sorted({str(value) for one in every for value in at_path(one, path.split("."))} - {""}) for path in paths}
    asked = {"found": 0, "none": 0}

    @st.composite
    def a_filter(draw: st.DrawFn) -> tuple[str, str, str]:
        path = draw(st.sampled_from(paths))
        seen = [value for value in found_by[path] if "," not in value]
        others = () if path.endswith("Date") else (*NUMBERS, "A", "#1", "noChange", "\u00e9")
        operators = OPERATORS if path in ("productOrderItem.quantity", "priority") or path.endswith("Date") else OPERATORS[:1]
        return path, draw(st.sampled_from(operators)), draw(st.sampled_from([*seen, *others] or ["2026-01-05T00:00:00.000Z"]))

    @hypothesis.settings(max_examples=depth(40, 1_000), deadline=None)
    @hypothesis.given(st.lists(a_filter(), min_size=1, max_size=2))
    def law(filters: list[tuple[str, str, str]]) -> None:
        wanted = [one["id"] for one in every if all(fits(one, *each) for each in filters)]
        query = [(path if operator == "eq" else f"{path}.{operator}", value) for path, operator, value in filters]
        answer = service.client.get(
            f"{BOTH[version]}/productOrder", params=[*query, ("limit", "1000"), ("fields", "id")], headers={"Authorization": f"Bearer {by}"}
        )
        assert answer.status_code == 200, (filters, answer.text)
        assert (filters, [one["id"] for one in answer.json()]) == (filters, wanted)
        assert answer.headers["x-total-count"] == str(len(wanted))
        asked["found" if wanted else "none"] += 1

    law()
    return asked


QUICK = (
    "billingAccount.id",
    "productOrderItem.product.id",
    "productOrderItem.billingAccount.id",
    "productOrderItem.quantity",
    "productOrderItem.action",
)


def test_what_the_store_finds_by_itself_needs_no_looking_through(service: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many orders there are; what else is filtered or sorted by is refused beyond a bound, and the refusal names the quick ways."""
    monkeypatch.setattr(ordering, "LOOKED_AT_MAX", 5)
    for version in BOTH:
        for path in QUICK:
            assert listed(service, version, "operator", **{path: "noChange" if path.endswith("action") else "1"}).status_code == 200, path
        for query in ({"description.gt": "a"}, {"sort": "description"}, {"note.text.lt": "z"}):
            refused = listed(service, version, "operator", **query)
            assert refused.status_code == 400
            assert all(path in refused.json()["detail"] for path in quick_filters(version))
        assert listed(service, version, "operator", **{"description.gt": "a", "id": "none"}).status_code == 200


def test_a_number_that_orders_are_found_by_is_as_a_reader_sees_it(service: Visitor) -> None:
    """Two are two, however a channel wrote it; an item keeps the rest where its id is none."""
    found = {one["externalId"] for one in listed(service, 4, "operator", **{"productOrderItem.quantity": "2"}).json()}
    odd = next(one for one in listed(service, 4, "operator").json() if one["externalId"] == "R-4")

    assert {"DONE", "R-1", "R-4", "R-5"} <= found
    assert [(item["id"], item.get("product")) for item in odd["productOrderItem"]] == [("0", None), ("#2", {"id": "B"})]


def test_a_view_finds_by_a_quantity_without_papers(world: World, tmp_path: Path) -> None:
    """As it was taken down."""
    world.take(order("TWO", line(quantity=2)), order("ONE", line()))
    app = Session(world.app, tmp_path).app
    catch_up(app.dsn)

    assert [one["external_id"] for one in documents.list_documents(app, quantity_from=2)] == ["TWO"]
    assert [one["external_id"] for one in documents.list_documents(app, quantities=[1], personal=True)] == ["ONE"]
    assert json.dumps(documents.list_documents(app, quantity_to=0)) == "[]"
