"""TMF622: cancelling an order by a task, and changing part of one, in both versions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.entrypoints.http.tmf.asking import Asker
from o2c.kernel.partner import RefusedBy
from o2c.simulation.launch_data import SECOND_LINE
from tests.service import Visitor, serving
from tests.stories.test_tmf622 import BOTH, MINIMAL, V4, V5
from tests.tmf import EXAMPLES, example, flaws
from tests.world import World, at, line, order, ported

MERGE, PATCH, QUERY = "application/merge-patch+json", "application/json-patch+json", "application/json-patch-query+json"


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """A service with an order that is on its way, and one whose service is on."""
    world.take(order("NEW", line()), order("ON", line()))
    world.run(at(5, 9))
    with serving(world, tmp_path) as made:
        yield made


def id_of(service: Visitor, external_id: str) -> str:
    [found] = service.get(f"{V4}/productOrder?externalId={external_id}").json()
    return str(found["id"])


def wish(order_id: str, **more: Any) -> dict[str, Any]:
    return {"productOrder": {"id": order_id}, "cancellationReason": "ordered twice", **more}


@pytest.mark.parametrize("version", BOTH)
def test_an_order_is_cancelled_by_a_task(service: Visitor, version: int) -> None:
    """201 with the task, which is read back alone and in the list; asked for again it is the same one."""
    base, order_id = BOTH[version], id_of(service, "NEW")

    made = service.post(f"{base}/cancelProductOrder", wish(order_id))
    again = service.post(f"{base}/cancelProductOrder", wish(order_id))

    task = made.json()
    assert (made.status_code, made.headers["location"], task["state"]) == (201, task["href"], "done")
    assert (task["productOrder"]["id"], task["cancellationReason"]) == (order_id, "ordered twice")
    assert again.json()["id"] == task["id"]
    assert service.get(task["href"]).json() == task
    assert service.get(f"{base}/cancelProductOrder?productOrder.id={order_id}").json() == [task]
    assert service.get(f"{base}/cancelProductOrder?fields=state").json() == [
        {name: task[name] for name in ("id", "href", "state", "@type")}
    ]
    assert service.get(f"{base}/cancelProductOrder?state=inProgress").json() == []
    assert service.get(f"{base}/productOrder/{order_id}").json()["state"] == "cancelled"
    assert flaws(task, version, "CancelProductOrder") == []


def test_a_cancellation_that_was_there_before_tells_its_own_reason(service: Visitor) -> None:
    """Whoever asks again with another reason gets the task as it is."""
    first, again = (
        service.post(f"{V5}/cancelProductOrder", wish(id_of(service, "NEW"), cancellationReason=reason)).json() for reason in ("one", "two")
    )

    assert again == first == service.get(first["href"]).json()


def test_a_cancellation_that_comes_too_late_is_a_task_that_failed(service: Visitor, world: World) -> None:
    """One of its lines is on: nothing is cancelled, and the task says so. Of an order that is over there is no task."""
    world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
    world.take(order("HALF", line("1"), ported("2")))
    world.run(at(6))

    late = service.post(f"{V5}/cancelProductOrder", wish(id_of(service, "HALF")))
    over = service.post(f"{V5}/cancelProductOrder", wish(id_of(service, "ON")))

    assert (late.status_code, late.json()["state"]) == (201, "terminatedWithError")
    assert service.get(late.json()["href"]).json() == late.json()
    assert (world.state("HALF"), world.state("ON")) == ("pending", "completed")
    assert (over.status_code, over.json()["type"]) == (422, "/problems/usage")


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(wish("none"), 422, id="no such order"),
        pytest.param({}, 400, id="no order"),
        pytest.param({"productOrder": "x"}, 400, id="no reference"),
        pytest.param([], 400, id="no object"),
        pytest.param(wish("none", requestedCancellationDate="2099-01-01T00:00:00Z"), 422, id="for later"),
    ],
)
def test_a_cancellation_that_cannot_be_is_refused_at_once(service: Visitor, version: int, body: Any, status: int) -> None:
    """And there is no task of it."""
    answer = service.post(f"{BOTH[version]}/cancelProductOrder", body)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert service.get(f"{BOTH[version]}/cancelProductOrder").json() == []
    assert service.get(f"{BOTH[version]}/cancelProductOrder/none").status_code == 404


def test_the_example_of_a_cancellation_is_read(service: Visitor) -> None:
    """Its order is not ours, and that is what it is told."""
    answer = service.post(f"{V5}/cancelProductOrder", example("CreateCancelProductOrder_request"))

    assert (answer.status_code, "no order 45f-98f-ss45" in answer.json()["detail"]) == (422, True)


def patch(service: Visitor, body: Any, kind: str, *, version: int = 5, external_id: str = "NEW", **headers: str) -> Any:
    own = {"Authorization": "Bearer ann", "Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    content = body if isinstance(body, bytes) else json.dumps(body)
    return service.client.patch(f"{BOTH[version]}/productOrder/{id_of(service, external_id)}", content=content, headers=own)


CHANGES = [
    ("merge", MERGE, {"description": "for the shop", "priority": "0"}, {"description": "for the shop", "priority": "0"}),
    ("plain", "application/json", {"@type": "ProductOrder", "category": "business"}, {"category": "business"}),
    ("taken away", MERGE, {"description": None, "notificationContact": "ada@example.org"}, {"notificationContact": "ada@example.org"}),
    ("patch", PATCH, [{"op": "add", "path": "/description", "value": "x"}, {"op": "copy", "from": "/description", "path": "/category"}], {"category": "x"}),
    ("a test that holds", PATCH, [{"op": "test", "path": "/category", "value": "consumer"}, {"op": "replace", "path": "/category", "value": "y"}], {"category": "y"}),
    ("moved", PATCH, [{"op": "add", "path": "/description", "value": "z"}, {"op": "move", "from": "/description", "path": "/notificationContact"}], {"notificationContact": "z"}),
    ("removed", PATCH, [{"op": "add", "path": "/description", "value": "z"}, {"op": "remove", "path": "/description"}], {"category": "consumer"}),
    ("query", QUERY, [{"op": "replace", "path": "/priority", "value": "2"}], {"priority": "2"}),
]  # fmt: skip


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("kind", "body", "told"), [pytest.param(*case[1:], id=case[0]) for case in CHANGES])
def test_what_may_change_is_changed(service: Visitor, version: int, kind: str, body: Any, told: dict[str, Any]) -> None:
    """In each media type; the answer is the order as it is then, valid, and read back the same in the other version."""
    answer = patch(service, body, kind, version=version)

    assert answer.status_code == 200
    assert {name: answer.json().get(name) for name in told} == told
    assert flaws(answer.json(), version) == []
    assert service.get(answer.json()["href"]).json() == answer.json()
    other = service.get(f"{BOTH[9 - version]}/productOrder/{answer.json()['id']}").json()
    assert {name: other.get(name) for name in told} == told


REPEATS = [
    *CHANGES,
    ("a note", PATCH, [{"op": "add", "path": "/note", "value": [{"text": "rang"}]}], {}),
    ("a note by merging", MERGE, {"note": [{"text": "rang"}]}, {}),
]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("kind", "body"), [pytest.param(*case[1:3], id=case[0]) for case in REPEATS])
def test_a_change_that_is_sent_again_under_its_key_gets_the_first_answer(service: Visitor, version: int, kind: str, body: Any) -> None:
    """The order is as the first one left it by then, and the repeat is known by what was sent; another wish under the key is refused."""
    tag = service.get(f"{V5}/productOrder/{id_of(service, 'NEW')}").headers["etag"]

    first, again = (patch(service, body, kind, version=version, Idempotency_Key="wish-1", If_Match=tag) for _ in range(2))
    other = patch(service, {"category": "another"}, MERGE, version=version, Idempotency_Key="wish-1")

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert again.json() == first.json()
    assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("version", BOTH)
def test_what_is_carried_out_is_changed_by_a_merge_patch(service: Visitor, world: World, version: int) -> None:
    """The days, the account and the items: the order is then the one of the paper; not together with what it says beside that, and not past its point of no return."""
    base, order_id = BOTH[version], id_of(service, "NEW")
    url = f"{base}/productOrder/{order_id}"
    world.run(at(5, 9, 1))

    def patch(body: dict[str, Any], **headers: str) -> Any:
        return service.client.patch(url, json=body, headers={"Authorization": "Bearer operator", "Content-Type": MERGE, **headers})

    tag = service.get(url).headers["etag"]
    done = patch({"requestedStartDate": "2026-02-02T00:00:00Z"}, **{"If-Match": tag})
    stale = patch({"requestedStartDate": "2026-02-03T00:00:00Z"}, **{"If-Match": tag})
    both = patch({"requestedStartDate": "2026-02-03T00:00:00Z", "priority": "1"})
    world.run(at(20, month=2))
    late = patch({"productOrderItem": [line(offering=SECOND_LINE)]})

    assert (done.status_code, done.json()["requestedStartDate"][:10]) == (200, "2026-02-02"), done.text
    assert [stale.status_code, both.status_code, late.status_code] == [412, 422, 409]
    assert world.order("NEW").items["1"].start_on == "2026-02-02"
    assert flaws(done.json(), version, "ProductOrder") == []


def test_notes_are_added_and_stay(service: Visitor) -> None:
    """By either kind of patch; one that is there cannot be taken away."""
    first = patch(service, [{"op": "add", "path": "/note", "value": [{"text": "rang"}]}], PATCH)
    second = patch(service, [{"op": "add", "path": "/note/-", "value": {"text": "rang again"}}], PATCH)
    gone = patch(service, {"note": None}, MERGE)

    assert (first.status_code, gone.status_code) == (200, 422)
    assert [(note["text"], note["author"]) for note in second.json()["note"]] == [("rang", "ann"), ("rang again", "ann")]


FIXED = [
    ("the state", MERGE, {"state": "completed"}, 422, "state"),
    ("the items", PATCH, [{"op": "remove", "path": "/productOrderItem/0"}], 422, "productOrderItem"),
    ("a picked item", QUERY, [{"op": "replace", "path": "/productOrderItem/quantity?productOrderItem.id=1", "value": 2}], 422, "productOrderItem"),
    ("an item that is not", QUERY, [{"op": "replace", "path": "/productOrderItem/quantity?productOrderItem.id=7", "value": 2}], 409, "0 of"),
    ("a place that is not", PATCH, [{"op": "replace", "path": "/quote/0/id", "value": "x"}], 409, "place"),
    ("a list's end", PATCH, [{"op": "add", "path": "/productOrderItem/9", "value": {}}], 409, "place"),
    ("a test that fails", PATCH, [{"op": "test", "path": "/category", "value": "other"}], 409, "test"),
    ("no pointer", PATCH, [{"op": "add", "path": "category", "value": 1}], 400, "pointer"),
    ("no value", PATCH, [{"op": "add", "path": "/category"}], 400, "value"),
    ("no operation", PATCH, [{"op": "burn", "path": "/category"}], 400, "op"),
    ("no list", PATCH, {"category": "x"}, 400, "list"),
    ("an empty list", PATCH, [], 400, "list"),
    ("two documents", PATCH, b'[], "x": []', 400, "read"),
    ("no JSON", MERGE, b"{", 400, "read"),
    ("nothing left", PATCH, [{"op": "remove", "path": ""}], 422, "no order"),
    ("another kind", MERGE, {"priority": "urgent"}, 422, "priority"),
    ("a text that is none", MERGE, {"description": 4}, 422, "text"),
    ("a note without a text", MERGE, {"note": [{"author": "x"}]}, 422, "text"),
    ("another media type", "text/plain", b"x", 415, "sent as"),
]  # fmt: skip


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("kind", "body", "status", "says"), [pytest.param(*case[1:], id=case[0]) for case in FIXED])
def test_what_may_not_change_is_told(service: Visitor, version: int, kind: str, body: Any, status: int, says: str) -> None:
    """Nothing of the patch is done."""
    before = service.get(f"{BOTH[version]}/productOrder?externalId{'.id' * (version == 5)}=NEW").json()

    answer = patch(service, body, kind, version=version)

    assert (answer.status_code, says in answer.json()["detail"]) == (status, True)
    assert service.get(f"{BOTH[version]}/productOrder?externalId{'.id' * (version == 5)}=NEW").json() == before


def test_a_change_decided_by_what_does_not_stand_is_refused(service: Visitor) -> None:
    """If-Match counts where it is sent."""
    tag = service.get(f"{V5}/productOrder/{id_of(service, 'NEW')}").headers["etag"]

    first = patch(service, {"category": "one"}, MERGE, If_Match=tag)
    stale = patch(service, {"category": "two"}, MERGE, If_Match=tag)

    assert (first.status_code, stale.status_code) == (200, 412)
    assert first.headers["etag"] != tag


def test_a_page_is_not_older_than_its_tag(service: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another channel changes the order while a page is made: who decides by that page is refused, else the change was lost."""
    ask, order_id, changed = Asker.ask, id_of(service, "NEW"), list[int]()

    def meanwhile(asking: Asker, operation: str, *arguments: Any, **options: Any) -> Any:
        answer = ask(asking, operation, *arguments, **options)
        if operation == "orders.document" and not changed:
            changed.append(0)
            changed[0] = patch(service, {"category": "theirs"}, MERGE).status_code
        return answer

    monkeypatch.setattr(Asker, "ask", meanwhile)
    page = service.get(f"{V5}/productOrder/{order_id}")
    mine = patch(service, {"category": "mine"}, MERGE, If_Match=page.headers["etag"])

    assert (changed, page.json()["category"], mine.status_code) == ([200], "consumer", 412)


PATCHES = {
    "updateProductOrder_using_application-json_request": ("application/json", 200),
    "updateProductOrder_using_merge-patch_json_request": (MERGE, 200),
    "updateProductOrder_using_json-patch_json_request": (PATCH, 200),
    "updateProductOrder_using_json-patch_query_request": (QUERY, 422),
}


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.startswith("update")])
def test_the_examples_are_done_or_told_why_not(service: Visitor, name: str) -> None:
    """Three change the category; one wants another account for an item that is being billed."""
    kind, status = PATCHES[name]
    sent = service.post(f"{V5}/productOrder", {**example("CreateProductOrder1_request"), "externalId": "EXAMPLE"}).json()

    answer = patch(service, EXAMPLES[name], kind, external_id="EXAMPLE")

    assert answer.status_code == status
    assert status == 422 or answer.json()["category"] == "B2B product order" != sent["category"]


def test_a_new_order_may_be_amended_at_once(service: Visitor) -> None:
    """Before anybody has looked at it."""
    made = service.post(f"{V4}/productOrder", {**MINIMAL, "externalId": "FRESH"})

    assert made.status_code == 201
    assert patch(service, {"priority": "0"}, MERGE, version=4, external_id="FRESH").json()["priority"] == "0"
