"""TMF688: what happened, a page at a time, found by type, order, customer and time, with nothing personal and identifiers masked where they must be."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.views.access import list_records
from o2c.views.following import EVERYTHING, find_events
from tests.service import Visitor, serving
from tests.world import World, at, line, order

PATH = "/tmf-api/event/v4/event"
ROLES = {name: Context(name, roles=(name,)) for name in ("analyst", "auditor", "service", "admin")}


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """Two orders that are done, and callers of several roles."""
    world.take(order("A", line()), order("B", line(), party="C-2"))
    world.run(at(12))
    with serving(world, tmp_path, who=lambda word: ROLES.get(word.removeprefix("Bearer "), Context("operator"))) as made:
        yield made


def ask(service: Visitor, by: str = "operator", **query: Any) -> Any:
    return service.client.get(PATH, params=query, headers={"Authorization": f"Bearer {by}"})


def test_every_event_is_listed_once_in_the_order_of_the_log(service: Visitor, world: World) -> None:
    """Over pages, each with how many there are; one alone is the same as in the list."""
    records = list(find_events(world.app, EVERYTHING))
    listed = [one for offset in range(0, len(records), 40) for one in ask(service, offset=offset, limit=40).json()]

    assert [(one["id"], one["eventId"], one["eventType"]) for one in listed] == [
        (str(each.position), each.id, each.type) for each in records
    ]
    part = ask(service, offset=len(records) + 5, limit=1)
    assert (part.json(), part.headers["x-total-count"]) == ([], str(len(records)))
    assert service.get(listed[7]["href"]).json() == listed[7]
    assert "Holmquay" not in json.dumps(listed)


def test_events_are_found(service: Visitor, world: World) -> None:
    """By what they are, whose, and when; all that is given must fit."""
    order_id, records = world.order("A").order_id, list(find_events(world.app, EVERYTHING))
    some = records[20]
    time = some.occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    wanted: list[tuple[dict[str, Any], Any]] = [
        ({"eventType": "order.captured"}, lambda each: each.type == "order.captured"),
        ({"eventType": "order.captured,order.completed", "correlationId": order_id},
         lambda each: each.type in ("order.captured", "order.completed") and each.order == order_id),
        ({"correlationId": order_id}, lambda each: each.order == order_id), ({"relatedParty.id": "C-2"}, lambda each: each.customer == "C-2"),
        ({"eventTime": time}, lambda each: each.occurred_at == some.occurred_at), ({"eventTime.gt": time}, lambda each: each.occurred_at > some.occurred_at),
        ({"eventTime.gte": time, "eventTime.lte": time}, lambda each: each.occurred_at == some.occurred_at),
        ({"eventTime.lt": time}, lambda each: each.occurred_at < some.occurred_at), ({"id": some.position}, lambda each: each == some),
        ({"eventType": "order.lost"}, lambda each: False), ({"correlationId": "none"}, lambda each: False), ({"id": "none"}, lambda each: False),
        ({"id": 2**63}, lambda each: False),
    ]  # fmt: skip

    for query, fits in wanted:
        found = ask(service, **query, limit=1000)
        assert (query, found.status_code, [one["id"] for one in found.json()]) == (
            query,
            200,
            [str(each.position) for each in records if fits(each)],
        )
        assert found.headers["x-total-count"] == str(len(found.json()))


@pytest.mark.parametrize(
    "query",
    [{"sort": "-eventTime"}, {"title": "x"}, {"eventTime": "soon"}, {"eventType.gt": "a"}, {"correlationId": "a,b"}, {"colour": "red"}],
    ids=str,
)
def test_what_would_have_to_be_looked_through_is_refused(service: Visitor, query: dict[str, str]) -> None:
    """The log is long; a reader is told what it is found by."""
    assert ask(service, **query).status_code == 400


def test_identifiers_are_masked_and_no_place_is_missing(service: Visitor, world: World) -> None:
    """Nobody but the operator is shown one here, so that nothing is to be taken down; who may see no events sees none."""
    [taken] = ask(service, eventType="sim.taken", **{"relatedParty.id": "C-2"}).json() or ask(service, eventType="sim.taken").json()[:1]
    iccid = taken["event"]["data"]["iccid"]

    for role in ("analyst", "auditor"):
        told = ask(service, by=role, limit=1000)
        assert told.headers["x-total-count"] == ask(service, limit=1).headers["x-total-count"]
        assert iccid not in told.text
        assert f"{iccid[:4]}***{iccid[-3:]}" in told.text
    assert [ask(service, by=role).status_code for role in ("service", "admin")] == [403, 403]
    assert [service.get(f"{PATH}/{name}").status_code for name in ("none", "0", "9" * 19)] == [404] * 3
    assert list_records(world.app) == []
