"""TMF622 hubs: a listener is told of what happens to orders, in the shape of its version, though it fails now and then."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.entrypoints.http.tmf.notifying import TELLERS
from o2c.kernel.partner import RefusedBy
from o2c.running.hooks import Deliverer
from o2c.running.jeopardy import note_jeopardy
from o2c.running.session import Session
from o2c.views.hooks import list_hooks
from o2c.views.reading import caught_up
from tests.hooked import Hooked, Post
from tests.receiver import TAKEN, Receiver, receiving, status
from tests.service import Visitor, serving
from tests.world import World, at, line, order, ported

VERSIONS = [pytest.param(4, id="v4"), pytest.param(5, id="v5")]


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """A service on a store without orders."""
    with serving(world, tmp_path) as made:
        yield made


def hub(version: int) -> str:
    return f"/tmf-api/productOrderingManagement/v{version}/hub"


def tell(world: World, home: Path, hook: str) -> None:
    """Let a deliverer tell a hub all there is, failures and all."""
    hooked = Hooked(world.app, home)
    hooked.deliverer.close()
    hooked.deliverer = Deliverer(Session(world.app, home), TELLERS, clock=lambda: hooked.now)
    hooked.tell(hook)
    while "pending" in hooked.states(hook):
        hooked.tell_later(hook)
    hooked.deliverer.close()


def kinds(receiver: Receiver) -> list[str]:
    """The notifications that were taken, without those that came again."""
    return list({heard.id: heard.told["eventType"] for heard in receiver.heard}.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_listener_hears_an_order_through(service: Visitor, world: World, tmp_path: Path, version: int) -> None:
    """Created, changed, done: each state once and in order, signed, with the order as it stood; a failure and a lost answer lose nothing."""
    with receiving(status(500), TAKEN, lambda connection: None) as receiver:
        made = service.post(hub(version), {"callback": receiver.url, "query": ""})
        world.take(order("WEB-1", line()))
        world.run(at(12))
        tell(world, tmp_path, made.json()["id"])

    assert (made.status_code, made.json()["callback"], made.headers["location"]) == (
        201,
        receiver.url,
        f"{hub(version)}/{made.json()['id']}",
    )
    assert all(heard.is_signed_by(made.headers["o2c-hook-secret"]) for heard in receiver.heard)
    firsts = {heard.id: heard.told for heard in receiver.heard}
    states = [told["event"]["productOrder"]["state"] for told in firsts.values() if told["eventType"] in STATES]
    assert states == ["acknowledged", "inProgress", "completed"]
    assert len(receiver.heard) == len(firsts) + 2
    assert ("ProductOrderMilestoneEvent" in kinds(receiver)) == (version == 5)
    assert {told["event"]["productOrder"]["id"] for told in firsts.values()} == {world.order("WEB-1").order_id}
    for told in firsts.values():
        assert told["eventTime"].endswith("Z")
        assert ("@type" in told) == (version == 5)
        assert "Holmquay" not in str(told)


STATES = ("ProductOrderCreateEvent", "ProductOrderStateChangeEvent")


@pytest.mark.parametrize("version", VERSIONS)
def test_what_needs_somebody_and_what_is_cancelled_is_told(service: Visitor, world: World, tmp_path: Path, version: int) -> None:
    """Information required, an error message, an attribute that changed, and the cancellation as a task."""
    world.scripted.will("identity", RefusedBy("REFER"))
    with receiving() as receiver:
        made = service.post(hub(version), {"callback": receiver.url})
        world.take(order("WEB-1", line()))
        world.run(at(5, 12))
        path = f"{hub(version).removesuffix('hub')}productOrder/{world.order('WEB-1').order_id}"
        changed = service.client.patch(path, json={"description": "gift"}, headers={"Authorization": "Bearer operator"})
        assert changed.status_code == 200, changed.text
        world.cancel("WEB-1")
        world.run(at(6))
        tell(world, tmp_path, made.json()["id"])

    told = kinds(receiver)
    wanted = [
        "ProductOrderCreateEvent",
        "ProductOrderInformationRequiredEvent",
        "ProductOrderAttributeValueChangeEvent",
        "CancelProductOrderCreateEvent",
    ]
    assert [name for name in told if name in wanted] == wanted
    assert ("ProductOrderErrorMessageEvent" in told) == (version == 5)
    tasks = [heard.told["event"]["cancelProductOrder"] for heard in receiver.heard if heard.told["eventType"].startswith("Cancel")]
    assert tasks[-1]["state"] == "done"
    assert {task["productOrder"]["id"] for task in tasks} == {world.order("WEB-1").order_id}


@pytest.mark.parametrize("unmasked", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_listener_is_told_numbers_and_sims_masked_unless_it_may_see_them(
    world: World, tmp_path: Path, version: int, unmasked: bool
) -> None:
    """Wherever in the order they stand: a product that is named by its number, and what a channel calls the order."""
    post = Post()
    hooked = Hooked(world.app, tmp_path, post=post)
    hooked.deliverer.close()
    hook = hooked.subscribe(format=f"tmf622-v{version}", unmasked=unmasked).hook
    world.take(order("8944100000000000017", {**line(), "product": {"id": "447700900123"}}))
    hooked.deliverer = Deliverer(Session(world.app, tmp_path), TELLERS, send=post, clock=lambda: hooked.now)
    hooked.tell(hook)
    hooked.deliverer.close()

    everything = b"".join(body for _, _, body in post.sent)
    assert [number in everything for number in (b"447700900123", b"8944100000000000017")] == [unmasked] * 2
    assert (b"4477***123" in everything) == (not unmasked)


def test_a_query_leaves_what_it_names(service: Visitor, world: World, tmp_path: Path) -> None:
    """Of all notifications those alone."""
    with receiving() as receiver:
        made = service.post(hub(5), {"@type": "Hub", "callback": receiver.url, "query": "eventType=ProductOrderCreateEvent"})
        world.take(order("WEB-1", line()))
        world.run(at(12))
        tell(world, tmp_path, made.json()["id"])

    assert kinds(receiver) == ["ProductOrderCreateEvent"]


def test_danger_is_told_though_no_promise_was_moved(service: Visitor, world: World, tmp_path: Path) -> None:
    """Of an item that is past its day, and of an order of which nothing is promised: an alert each, once, of the right kind."""
    with receiving() as receiver:
        made = service.post(hub(5), {"@type": "Hub", "callback": receiver.url, "query": "eventType=ProductOrderJeopardyAlertEvent"})
        world.take(order("PORT", ported(code="")), order("UNNAMED", line(), party="C-99"))
        world.run(at(5) + timedelta(days=60))
        for _ in range(2):
            caught_up(world.app)
            note_jeopardy(world.app)
        tell(world, tmp_path, made.json()["id"])

    told = {
        heard.id: heard.told["event"]["productOrder"] for heard in receiver.heard if heard.told["description"] == "order.jeopardy-raised"
    }
    alerts = {one["id"]: [(each["name"], each["jeopardyType"]) for each in one["productOrderJeopardyAlert"]] for one in told.values()}
    orders = {name: world.order(name).order_id for name in ("PORT", "UNNAMED")}
    assert len(told) == 2
    assert alerts == {orders["PORT"]: [("promise", "Critical")], orders["UNNAMED"]: [("agreed", "Critical")]}
    listed = {one["id"]: one.get("productOrderJeopardyAlert") for one in service.get(hub(5).replace("hub", "productOrder")).json()}
    alone = {name: service.get(hub(5).replace("hub", f"productOrder/{name}")).json()["productOrderJeopardyAlert"] for name in listed}
    assert listed == alone
    heard_of = {one["id"]: one["productOrderJeopardyAlert"] for one in told.values()}
    assert heard_of[orders["UNNAMED"]] == alone[orders["UNNAMED"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hub_that_is_taken_back_hears_nothing(service: Visitor, world: World, version: int) -> None:
    """204; what is no hub is not found, and no other is touched."""
    with receiving() as receiver:
        hooks = [service.post(hub(version), {"callback": receiver.url}).json()["id"] for _ in range(2)]
    gone = service.client.delete(f"{hub(version)}/{hooks[0]}", headers={"Authorization": "Bearer operator"})
    none = service.client.delete(f"{hub(version)}/nothing", headers={"Authorization": "Bearer operator"})

    assert (gone.status_code, gone.content, none.status_code) == (204, b"", 404)
    assert [row["hook"] for row in list_hooks(world.app)] == [hooks[1]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({}, 400, id="no callback"),
        pytest.param({"callback": 7}, 400, id="a callback that is no text"),
        pytest.param({"callback": "ftp://x/"}, 422, id="no address"),
        pytest.param({"callback": "https://user:pw@x.example/"}, 422, id="a login in the address"),
        pytest.param({"callback": "https://x.example/", "query": "eventType=Nothing"}, 400, id="no such notification"),
        pytest.param({"callback": "https://x.example/", "query": "productOrder.state=held"}, 400, id="a query that is not kept"),
    ],
)
def test_what_is_no_hub_is_refused(service: Visitor, world: World, body: Any, code: int) -> None:
    """With a problem, and nothing is subscribed."""
    answer = service.post(hub(4), body)
    assert (answer.status_code, answer.headers["content-type"], list_hooks(world.app)) == (code, "application/problem+json", [])
