"""Hooks: a subscriber is told of every event once it can be, in the order of each stream, signed, and of nothing that it must not know."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.desk import hooks as desk
from o2c.engine.app import Context
from o2c.entrypoints.verbs_and_views import VERBS, VIEWS
from o2c.hooks.signing import BACK_OFF_S, delivery_id
from o2c.kernel.refusal import Refused
from o2c.running.hooks import beside
from o2c.store import outbox
from o2c.store.database import connect
from o2c.views.hooks import list_deliveries, list_hooks
from tests.hooked import ADMIN, FAILED, GONE, TAKEN, URL, Hooked, Post
from tests.receiver import receiving, status
from tests.world import World, at, line, order

OPERATIONS = {entry.name: entry for entry in (*VERBS, *VIEWS)}
NEVER = ("hook", "access")


@pytest.fixture
def post() -> Post:
    """A subscriber that takes everything."""
    return Post()


@pytest.fixture
def hooked(world: World, tmp_path: Path, post: Post) -> Iterator[Hooked]:
    """A deliverer on a store with one order that is done."""
    world.take(order("WEB-1", line()))
    world.run(at(12))
    made = Hooked(world.app, tmp_path, post=post)
    yield made
    made.deliverer.close()


def told(post: Post) -> list[Any]:
    return [json.loads(body) for _, _, body in post.sent]


def by_stream(post: Post) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for event in told(post):
        found.setdefault(event["subject"], []).append(event["id"])
    return found


def test_from_the_beginning_every_event_is_told_once_in_the_order_of_its_stream(hooked: Hooked, post: Post) -> None:
    """As a CloudEvent, with nothing personal; of whom is told what, and of who looked at what, nobody is told."""
    hook = hooked.subscribe(after="0").hook
    sent = hooked.tell(hook)

    events = [event for event in hooked.events() if event.stream.partition("-")[0] not in NEVER]
    wanted: dict[str, list[str]] = {}
    for event in events:
        wanted.setdefault(event.masked().stream, []).append(event.id)
    assert by_stream(post) == wanted
    assert (sent, hooked.tell(hook), hooked.states(hook)) == (len(events), 0, {"delivered": len(events)})
    assert "Holmquay" not in json.dumps(told(post))


def test_a_message_is_a_cloud_event(hooked: Hooked, post: Post) -> None:
    """With what the standard wants, the version of the type's shape, and a sequence that compares as text."""
    hook = hooked.subscribe(after="0", types=["order.captured"]).hook
    hooked.tell(hook)
    [event], [message], [(name, headers, _)] = hooked.events("order.captured"), told(post), post.sent

    assert {key: message[key] for key in ("specversion", "id", "source", "subject", "datacontenttype", "order")} == {
        "specversion": "1.0", "id": event.id, "source": "/o2c", "subject": event.stream, "datacontenttype": "application/json",
        "order": event.order,
    }  # fmt: skip
    assert message["type"].startswith("order.captured.v")
    assert message["sequence"] == f"{event.position:020}"
    assert message["data"] == event.masked().data
    assert None not in message.values()
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert name == delivery_id(hook, event.id, 0)


def test_only_what_was_asked_for_from_now_on(hooked: Hooked, post: Post, world: World) -> None:
    """Types by pattern, a customer, and what one captured; nothing from before."""
    hooks = {
        "types": hooked.subscribe(types=["order.capt*", "item.*"]).hook,
        "customer": hooked.subscribe(customer="C-2", types=["order.captured"]).hook,
        "captor": hooked.subscribe(captured_by="web-shop", types=["order.captured"]).hook,
    }
    OPERATIONS["orders.capture"].ask(Context("web-shop", roles=("service",)), world.app, order("WEB-2", line(), party="C-2"))
    world.take(order("WEB-3", line()))

    found = {}
    for name, hook in hooks.items():
        post.sent.clear()
        hooked.tell(hook)
        # What is told of different streams goes side by side: which of them arrives first is nobody's promise.
        found[name] = sorted(event["data"]["external_id"] for event in told(post) if event["type"].startswith("order.captured"))
    assert found == {"types": ["WEB-2", "WEB-3"], "customer": ["WEB-2"], "captor": ["WEB-2"]}


def test_a_stream_that_fails_holds_back_itself_alone(hooked: Hooked, post: Post, world: World) -> None:
    """Of two orders one is refused: the other goes on, and the one comes whole once it is taken."""
    world.take(order("WEB-2", line()))
    hook = hooked.subscribe(after="0", types=["order.*", "item.*"]).hook
    one, other = (event.stream for event in hooked.events("order.captured"))
    of_one = [
        delivery_id(hook, event.id, 0) for event in hooked.events() if event.stream == one and event.type.startswith(("order.", "item."))
    ]
    post.answer = lambda name, attempt: FAILED if name == of_one[0] and attempt < 3 else TAKEN

    hooked.tell(hook)
    assert [name for name in post.ids if name in of_one] == [of_one[0]]
    assert other in by_stream(post)
    hooked.tell_later(hook)
    hooked.tell_later(hook)
    assert [name for name in post.ids if name in of_one] == [of_one[0]] * 2 + of_one
    assert hooked.states(hook).keys() == {"delivered"}


def test_what_is_never_taken_is_given_up_after_days_and_the_hook_suspended(hooked: Hooked, post: Post) -> None:
    """Ten attempts, each later; then it is dead, and a hook that took nothing meanwhile is told nothing more until somebody resumes it."""
    hook = hooked.subscribe(after="0", types=["order.captured", "order.completed"]).hook
    post.answer = lambda name, attempt: FAILED
    begun = hooked.now
    for _ in range(len(BACK_OFF_S) + 2):
        hooked.tell_later(hook)

    [dead] = list_deliveries(hooked.app, hook, state="dead")
    assert (len(post.sent), dead["attempts"], dead["status"], dead["word"]) == (10, 10, 500, "status-500")
    assert timedelta(days=2.7) < hooked.now - begun < timedelta(days=3.6)
    [row] = list_hooks(hooked.app)
    assert (row["state"], row["why"], row["pending"], row["dead"]) == ("suspended", "dead", 1, 1)

    post.answer = lambda name, attempt: TAKEN
    desk.resume(hooked.app, ADMIN, hook)
    hooked.tell(hook)
    assert hooked.states(hook) == {"dead": 1, "delivered": 1}
    desk.resend(hooked.app, ADMIN, hook, delivery=dead["delivery"])
    hooked.tell(hook)
    assert hooked.states(hook) == {"delivered": 2}
    assert post.ids[-1] == dead["delivery"] == post.ids[0]


def test_all_that_was_given_up_since_a_time_is_sent_again(hooked: Hooked, post: Post, world: World) -> None:
    """What was made before the time stays dead; a hook that took something meanwhile is not suspended."""
    hook = hooked.subscribe(after="0", types=["order.captured", "customer.registered"]).hook
    refused = {delivery_id(hook, event.id, 0) for event in hooked.events("order.captured")}
    post.answer = lambda name, attempt: FAILED if name in refused else TAKEN
    for _ in range(10):
        hooked.tell_later(hook)
    since = hooked.now = hooked.now + timedelta(hours=1)
    world.take(order("WEB-2", line()))
    refused |= {delivery_id(hook, event.id, 0) for event in hooked.events("order.captured")}
    post.answer = lambda name, attempt: FAILED if name in refused else TAKEN
    world.take(order("WEB-3", line()))
    for _ in range(10):
        hooked.tell_later(hook)
    assert hooked.states(hook)["dead"] == 2
    assert list_hooks(hooked.app)[0]["state"] == "active"

    post.answer = lambda name, attempt: TAKEN
    desk.resend(hooked.app, ADMIN, hook, since=since)
    hooked.tell(hook)
    assert hooked.states(hook)["dead"] == 1


def test_an_endpoint_that_is_gone_is_told_nothing_until_it_is_resumed(hooked: Hooked, post: Post) -> None:
    """410 suspends at once; what it did not take waits, and is tried first."""
    hook = hooked.subscribe(after="0", types=["order.captured"]).hook
    post.answer = lambda name, attempt: GONE if attempt == 1 else TAKEN

    assert (hooked.tell(hook), hooked.tell(hook)) == (1, 0)
    assert list_hooks(hooked.app)[0]["why"] == "gone"
    desk.resume(hooked.app, ADMIN, hook)
    assert hooked.tell(hook) == 1
    assert hooked.states(hook) == {"delivered": 1}


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(hooked: Hooked, post: Post, world: World) -> None:
    """The subscriber may change over at any time of it; then the old one signs nothing more."""
    with receiving() as receiver:
        real = Hooked(hooked.app, hooked.home)
        made = real.subscribe(receiver.url, types=["order.captured"])
        world.take(order("WEB-2", line()))
        real.tell(made.hook)
        new = desk.rotate(hooked.app, hooked.home, ADMIN, made.hook)
        world.take(order("WEB-3", line()))
        real.tell(made.hook)
        real.now += timedelta(hours=25)
        world.take(order("WEB-4", line()))
        real.tell(made.hook)
        real.deliverer.close()

    signed = [(heard.is_signed_by(made.secret), heard.is_signed_by(new.secret)) for heard in receiver.heard]
    assert signed == [(True, False), (True, True), (False, True)]
    assert [heard.headers["webhook-signature"].count("v1,") for heard in receiver.heard] == [1, 2, 1]


def test_the_secret_stands_nowhere(hooked: Hooked, world: World) -> None:
    """Not in the log and in no list; a repeat of the wish by its id gets it again, for its answer may have been lost."""
    wish = Context("olga", command_id="0d8f5a51-1c8e-4a53-9d4c-5d3f0a35a0b8")
    made, again = (hooked.subscribe(by=wish) for _ in range(2))

    assert (made.hook, made.secret, again.repeated) == (again.hook, again.secret, True)
    everything = f"{world.log()} {list_hooks(hooked.app)}"
    assert made.secret.removeprefix("whsec_") not in everything
    assert (hooked.home / "hooks.key").read_text().strip() not in everything


def test_a_private_address_waits_for_an_admin(hooked: Hooked, world: World) -> None:
    """A service may name one, and is told nothing at it until an admin allows it; then nothing is lost."""
    shop, admin = Context("web-shop", roles=("service",)), Context("olga", roles=("admin",))
    with receiving() as receiver:
        real = Hooked(hooked.app, hooked.home)
        hook = OPERATIONS["hooks.subscribe"].ask(shop, hooked.app, hooked.home, receiver.url, types=["order.captured"]).hook
        OPERATIONS["orders.capture"].ask(shop, world.app, order("WEB-2", line(), party="C-2"))
        before = (real.tell(hook), list_hooks(hooked.app)[0]["state"], len(receiver.heard))
        with pytest.raises(Refused, match="may not use"):
            OPERATIONS["hooks.allow-private-address"].ask(shop, hooked.app, hook)
        OPERATIONS["hooks.allow-private-address"].ask(admin, hooked.app, hook)
        after = (real.tell(hook), list_hooks(hooked.app)[0]["state"], len(receiver.heard))
        real.deliverer.close()

    assert (before, after) == ((0, "not-allowed", 0), (1, "active", 1))


def test_a_service_is_told_of_its_own_orders_alone_and_sees_its_own_hooks_alone(hooked: Hooked, post: Post, world: World) -> None:
    """Whatever it asks for, and through whichever operation."""
    shop, rival = (Context(name, roles=("service",)) for name in ("web-shop", "rival"))
    hooks = {
        who.actor: OPERATIONS["hooks.subscribe"].ask(who, hooked.app, hooked.home, URL, captured_by="rival").hook for who in (shop, rival)
    }
    for who, name in ((shop, "WEB-2"), (rival, "RIV-1")):
        OPERATIONS["orders.capture"].ask(who, world.app, order(name, line(), party="C-2"))
    hooked.tell(hooks["web-shop"])

    assert {event["order"] for event in told(post)} == {world.order("WEB-2").order_id}
    assert [row["hook"] for row in OPERATIONS["hooks.list"].ask(shop, hooked.app)] == [hooks["web-shop"]]
    for name in ("deliveries", "resume", "rotate", "unsubscribe"):
        first = (hooked.app, hooked.home) if name == "rotate" else (hooked.app,)
        with pytest.raises(Refused) as caught:
            OPERATIONS[f"hooks.{name}"].ask(shop, *first, hooks["rival"])
        assert caught.value.kind == "missing"
        OPERATIONS[f"hooks.{name}"].ask(rival, *first, hooks["rival"])
    with pytest.raises(Refused, match="in full"):
        OPERATIONS["hooks.subscribe"].ask(shop, hooked.app, hooked.home, URL, unmasked=True)


@pytest.mark.parametrize("unmasked", [False, True])
def test_numbers_and_sims_are_masked_unless_they_were_asked_for(hooked: Hooked, post: Post, unmasked: bool) -> None:
    """In what is told and in the name of the stream; the log of deliveries never names them."""
    hook = hooked.subscribe(after="0", unmasked=unmasked, types=["sim.*", "number.*"]).hook
    hooked.tell(hook)
    whole = [event.stream for event in hooked.events() if event.stream.startswith(("sim-", "number-"))]

    assert whole
    assert any(name in json.dumps(told(post)) for name in whole) == unmasked
    assert not any(name in json.dumps(list_deliveries(hooked.app, hook)) for name in whole)


def test_an_unsubscribed_hook_is_told_nothing_and_forgotten(hooked: Hooked, post: Post) -> None:
    """What it was to be told goes; it stands in no list."""
    hook = hooked.subscribe(after="0").hook
    post.answer = lambda name, attempt: FAILED
    hooked.tell(hook)
    desk.unsubscribe(hooked.app, ADMIN, hook)
    count = len(post.sent)
    with connect(hooked.app.dsn) as conn:
        outbox.forget(conn, hooked.now - timedelta(days=7), [hook])
        left = outbox.pending(conn, hook)

    assert (hooked.tell(hook), len(post.sent), left, list_hooks(hooked.app)) == (0, count, 0, [])
    with pytest.raises(Refused, match="there is no hook"):
        list_deliveries(hooked.app, hook)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        pytest.param({"url": "ftp://shop.example/"}, "usage", id="no address"),
        pytest.param({"types": ["order.lost"]}, "usage", id="no such type"),
        pytest.param({"after": "2026-01-05"}, "usage", id="no position"),
        pytest.param({"after": "9000000000000000"}, "conflict", id="a position of another log"),
        pytest.param({"types": ["order.*"] * 101}, "usage", id="too many types"),
        pytest.param({"query": "eventType=ProductOrderCreateEvent"}, "usage", id="a query of our own format"),
        pytest.param({"format": "tmf622-v5", "query": "state=held"}, "usage", id="a query that cannot be read"),
        pytest.param({"format": "tmf622-v4", "types": ["order.*"]}, "usage", id="types of another format"),
    ],
)
def test_what_cannot_be_subscribed_is_refused(hooked: Hooked, options: dict[str, Any], kind: str) -> None:
    """And nothing is written."""
    with pytest.raises(Refused) as caught:
        hooked.subscribe(**options)
    assert (caught.value.kind, list_hooks(hooked.app)) == (kind, [])


def test_a_deliverer_that_runs_tells_all_hooks_and_a_slow_one_holds_up_no_other(hooked: Hooked, world: World) -> None:
    """What happens while it runs is told within a moment, although another subscriber does not answer."""
    with receiving() as quick, receiving() as slow:
        slow.answers = lambda heard: lambda connection: connection.settimeout(5) or connection.recv(1)
        real = Hooked(hooked.app, hooked.home)
        real.deliverer.poll_s = 0.02
        stuck = real.subscribe(slow.url, types=["order.*"]).hook
        real.subscribe(quick.url, types=["order.captured"])
        with beside(real.deliverer):
            world.take(order("WEB-2", line()))
            for _ in range(500):
                if quick.heard and slow.heard:
                    break
                real.deliverer._stopping.wait(0.01)
            world.take(order("WEB-3", line()))
            for _ in range(500):
                if len(quick.heard) == 2:
                    break
                real.deliverer._stopping.wait(0.01)
            seen = len(quick.heard)

    assert seen == 2
    assert hooked.states(stuck).keys() <= {"pending"}


def test_no_defect_ends_the_telling_beside_a_service(hooked: Hooked, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged, and the next look is made; run by itself, the deliverer ends by it, so that whoever runs it notices."""
    hooked.subscribe(after="0", types=["order.captured"])
    monkeypatch.setattr("o2c.running.hooks.PAUSE_FIRST_S", 0.02)
    defects = [KeyError("a"), KeyError("b")]
    look = hooked.deliverer._look

    def faulty() -> None:
        if defects:
            raise defects.pop()
        look()

    monkeypatch.setattr(hooked.deliverer, "_look", faulty)
    with pytest.raises(KeyError):
        hooked.deliverer.run()
    with beside(hooked.deliverer):
        for _ in range(500):
            if post.sent:
                break
            hooked.deliverer._stopping.wait(0.01)

    assert (len(defects), len(post.sent)) == (0, 1)


def test_a_hook_whose_stream_cannot_be_read_holds_up_no_other(hooked: Hooked, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left out with an error in the log; the others are told."""
    bad, good = (hooked.subscribe(after="0", types=["order.captured"]).hook for _ in range(2))
    load = hooked.app.load

    def faulty(streams: Any, **options: Any) -> Any:
        if f"hook-{bad}" in streams:
            raise KeyError("format")
        return load(streams, **options)

    monkeypatch.setattr(hooked.app, "load", faulty)
    hooked.deliverer._look()
    hooked.deliverer.close()
    monkeypatch.undo()

    assert (hooked.states(bad), hooked.states(good)) == ({}, {"delivered": 1})


def test_a_redirect_is_not_followed(hooked: Hooked, world: World) -> None:
    """It is a failure like any other: what another address says it wants, nobody subscribed."""
    with receiving() as elsewhere, receiving(status(307, f"Location: {elsewhere.url}")) as receiver:
        real = Hooked(hooked.app, hooked.home)
        hook = real.subscribe(receiver.url, types=["order.captured"]).hook
        world.take(order("WEB-2", line()))
        real.tell(hook)
        real.deliverer.close()

    assert (len(receiver.heard), elsewhere.heard) == (1, [])
    assert [(row["state"], row["word"]) for row in list_deliveries(hooked.app, hook)] == [("pending", "redirect")]
