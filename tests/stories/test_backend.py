"""A backend service in Python: papers handed over, read back, waited for, followed; refusals that say what to do."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NotRequired, get_origin, get_type_hints
from uuid import uuid4

import psycopg
import pytest

from o2c import Captured, Context, EventRecord, Mark, OrderToCash, OtherLog, Refused
from o2c.customers.events import CustomerContacted
from o2c.desk.fallout import Decide, Retry
from o2c.kernel.decision import just
from o2c.kernel.event import Event
from o2c.kernel.partner import RefusedBy
from o2c.orders.events import OrderCompleted
from o2c.store.database import connect
from o2c.views import following
from o2c.views.shown import CustomerShown, FalloutListed, InvoiceShown, ItemShown, OrderRow, OrderShown
from tests.world import World, at, customer, line, order

SHOP = Context("shop", channel="web")
CRM = Context("crm")


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    world = World(dsn, tmp_path).stocked()
    yield world
    world.close()


@pytest.fixture
def o2c(world: World) -> Iterator[OrderToCash]:
    with OrderToCash(world.dsn) as open_store:
        yield open_store


def named() -> Context:
    return Context("shop", channel="web", command_id=str(uuid4()))


def contacted(topic: str = "bill") -> CustomerContacted:
    return CustomerContacted(customer="C-1", medium="call", direction="inbound", topic=topic, order="")


def refused(kind: str, says: str) -> Any:
    """What the caller gets: a refusal of a kind, saying so."""

    def fits(refusal: Refused) -> bool:
        return refusal.kind == kind and says in str(refusal)

    return pytest.RaisesExc(Refused, check=fits)


def test_an_order_handed_over_goes_its_way(world: World, o2c: OrderToCash) -> None:
    """A service captures an order, waits for its position, and reads the same order that the runner then completes."""
    captured = o2c.capture(order("WEB-1", line()), SHOP)
    o2c.wait(captured.position)
    before = o2c.order("WEB-1")["state"]
    world.run(at(6))

    assert (captured.repeated, captured.resubmitted) == (False, False)
    assert (before, o2c.order(captured.order)["state"]) == ("acknowledged", "completed")
    assert [row["external_id"] for row in o2c.orders(customer="C-1", state="completed")] == ["WEB-1"]


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(lambda paper: paper, id="parsed"),
        pytest.param(lambda paper: json.dumps(paper, indent=1), id="text"),
        pytest.param(lambda paper: json.dumps(paper).encode(), id="bytes"),
        pytest.param(lambda paper: {**paper, "orderDate": "2026-01-05T10:00:00Z"}, id="dated anew"),
    ],
)
def test_the_same_content_is_one_order(world: World, o2c: OrderToCash, again: Any) -> None:
    """Sent again with its command id, with another or with none, from a file or by a service, it is answered with where it stands."""
    paper, own = order("WEB-1", line()), named()
    first = o2c.capture(paper, own)

    answers = [o2c.capture(again(paper), context) for context in (own, named(), SHOP)]
    counts = world.take(paper)

    assert answers == [Captured(stream=first.stream, position=first.position, repeated=True, order=first.order, external_id="WEB-1")] * 3
    assert (counts.captured, counts.duplicates) == (0, 1)
    assert world.told("WEB-1").count("order.captured") == 1


def test_other_content_under_a_known_number_is_for_a_person(world: World, o2c: OrderToCash) -> None:
    """The first paper stays in force, the second is kept with a DQ-DUP fallout; a repeat of the second is answered as the second."""
    o2c.capture(order("WEB-1", line()), named())
    own = named()

    other = o2c.capture(order("WEB-1", line(), priority=0), own)
    repeat = o2c.capture(order("WEB-1", line(), priority=0), own)

    assert (other.resubmitted, other.repeated) == (True, False)
    assert (repeat.resubmitted, repeat.repeated, repeat.position) == (True, True, other.position)
    assert [fallout["reason"] for fallout in o2c.fallouts(order="WEB-1")] == ["DQ-DUP"]


@pytest.mark.parametrize(
    ("paper", "says"),
    [
        pytest.param(b'{"externalId": ', "not JSON", id="cut off"),
        pytest.param({"externalId": "WEB-1", "orderDate": "soon"}, "orderDate is no time", id="no time"),
        pytest.param({**order("WEB-1", line()), "note": "a\0b"}, "NUL", id="NUL"),
        pytest.param({"externalId": "WEB-1", "orderDate": object()}, "JSON", id="no JSON value"),
        pytest.param("[]", "not a JSON object", id="no object"),
    ],
)
def test_a_paper_that_cannot_be_read_is_refused(world: World, o2c: OrderToCash, paper: Any, says: str) -> None:
    """Nothing is stored, and the refusal says what is wrong without any value of the paper."""
    before = o2c.last()

    with refused("usage", says):
        o2c.capture(paper, named())

    assert o2c.last() == before


def test_a_command_id_is_for_one_wish(o2c: OrderToCash) -> None:
    """The id of one order does not serve another, nor another verb; one that is no UUID, and an actor without a name, are refused."""
    own = named()
    o2c.capture(order("WEB-1", line()), own)

    with refused("conflict", "used for something else"):
        o2c.capture(order("WEB-2", line()), own)
    with refused("conflict", "used for something else"):
        o2c.append("customer-C-1", [contacted()], own)
    with refused("usage", "UUID"):
        o2c.capture(order("WEB-2", line()), Context("shop", command_id="mine"))
    with refused("usage", "actor"):
        o2c.capture(order("WEB-2", line()), Context(" "))


def test_many_threads_hand_over_the_same_orders(world: World, o2c: OrderToCash) -> None:
    """Eight threads capture the same twenty papers at once: each order once, all told the same position."""
    papers = [order(f"WEB-{n}", line()) for n in range(20)]

    def all_of_them(_: int) -> list[int]:
        return [o2c.capture(paper, SHOP).position for paper in papers]

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(all_of_them, range(8)))

    assert all(positions == told[0] for positions in told)
    [log] = world.app.reads.rows("SELECT count(*) AS n FROM o2c.event WHERE type = 'order.captured'")
    assert log["n"] == 20


def test_a_fallout_is_resolved_once(world: World, o2c: OrderToCash) -> None:
    """A service decides a referral; the same command id again is told the same, another is told it is over."""
    world.scripted.will("identity", RefusedBy("REFER"))
    o2c.capture(order("WEB-1", line()), SHOP)
    world.run(at(6))
    [fallout] = o2c.fallouts(reason="KYC-DOC")
    own = Context("kyc-desk", command_id=str(uuid4()))

    decided = o2c.resolve(fallout["fallout"], own, Decide(approve=True), note="passport seen")
    again = o2c.resolve(fallout["fallout"], own, Decide(approve=True), note="passport seen")
    world.run(at(7))

    assert (decided.repeated, again.repeated, again.position) == (False, True, decided.position)
    assert o2c.order("WEB-1")["state"] == "completed"
    with refused("conflict", "closed"):
        o2c.resolve(fallout["fallout"], CRM, Retry(), note="")


def test_customers_are_registered_and_read_without_what_is_personal(world: World, o2c: OrderToCash) -> None:
    """A party is registered once; what is read back shows no name; a paper of another shape is refused."""
    first = o2c.register_customer(customer("C-9"), CRM)
    o2c.register_customer(customer("C-9"), CRM)

    assert [record.type for record in o2c.stream("customer-C-9")] == ["customer.registered"]
    assert o2c.stream("customer-C-9")[0].position == first.position
    assert "Tamsel" not in json.dumps([record.as_json() for record in o2c.follow(wait=False)])
    assert "Tamsel" not in str(o2c.customer("C-9"))
    with refused("usage", "shape"):
        o2c.register_customer({"id": "C-9", "partyCharacteristic": [7]}, CRM)
    with refused("missing", "no customer"):
        o2c.customer("C-10")


def test_facts_are_appended_at_a_version(o2c: OrderToCash) -> None:
    """With an expected version the second of two writers is told to look again; without one both facts stand; a repeat adds nothing."""
    seen = o2c.stream("customer-C-1")[-1].version
    own = Context("crm", command_id=str(uuid4()))

    o2c.append("customer-C-1", [contacted()], own, expected_version=seen)
    again = o2c.append("customer-C-1", [contacted()], own, expected_version=seen)
    with refused("conflict", f"at version {seen + 1}, not {seen}"):
        o2c.append("customer-C-1", [contacted("payment")], CRM, expected_version=seen)
    for _ in range(2):
        o2c.append("customer-C-1", [contacted("payment")], CRM)

    assert again.repeated
    assert [record.data["topic"] for record in o2c.stream("customer-C-1")[seen:]] == ["bill", "payment", "payment"]


class Foreign(Event, name="test.foreign"):
    """An event that only this test knows."""


@pytest.mark.parametrize(
    ("stream", "event", "says"),
    [
        pytest.param("order-1", OrderCompleted(), "moves by rules", id="a stream with steps"),
        pytest.param("customer-C-1", OrderCompleted(), "does not belong", id="another stream's event"),
        pytest.param("customer-C-1", Foreign(), "no event type of this program", id="an unknown type"),
        pytest.param("dream-1", contacted(), "no kind of stream", id="an unknown stream"),
        pytest.param("customer-C-1", contacted().model_copy(update={"order": "a\0"}), "NUL", id="text no database keeps"),
    ],
)
def test_what_a_stream_cannot_hold_is_refused(o2c: OrderToCash, stream: str, event: Event, says: str) -> None:
    """A bare fact bypasses no guard, lands in no wrong stream, and is of a type that every reader knows."""
    with refused("usage", says):
        o2c.append(stream, [event], CRM)


def test_a_service_brings_a_rule_of_its_own(o2c: OrderToCash) -> None:
    """The rule sees the state and decides; the same wish under the same id is not judged again."""
    judged: list[str] = []
    own = Context("crm", command_id=str(uuid4()))

    def courtesy(state: Any, _: Any) -> Any:
        judged.append(state.papers.tier)
        return just(contacted("other"))

    answers = [o2c.act("customer-C-1", own, courtesy, wish="courtesy") for _ in range(2)]

    assert (judged, [answer.repeated for answer in answers]) == (["standard"], [False, True])


def test_waiting_names_who_holds_readers_back(world: World, o2c: OrderToCash) -> None:
    """While another transaction with an id is open, readers stop before it: waiting says which process it is, and goes on once it ends."""
    with psycopg.connect(world.dsn) as holder:
        holder.execute("CREATE TEMP TABLE held (n integer)")
        captured = o2c.capture(order("WEB-1", line()), SHOP)
        with refused("unavailable", f"process {holder.info.backend_pid}"):
            o2c.wait(captured.position, timeout_s=0.05)

    o2c.wait(captured.position)
    assert o2c.order("WEB-1")["external_id"] == "WEB-1"


def test_a_position_of_another_store_is_not_waited_for(o2c: OrderToCash) -> None:
    """A position ahead of the log will not come by waiting."""
    with refused("conflict", "ahead of this log"):
        o2c.wait(2**60, timeout_s=60)


def test_following_goes_on_where_it_stopped(world: World, o2c: OrderToCash, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page or from a mark, by type or by order: the log in its order, each event once."""
    monkeypatch.setattr(following, "PAGE_EVENTS", 7)
    for n in (1, 2):
        o2c.capture(order(f"WEB-{n}", line()), SHOP)
    world.run(at(6))
    whole = list(o2c.follow(wait=False))
    half = len(whole) // 2

    [log] = world.app.reads.rows("SELECT array_agg(position ORDER BY position) AS positions FROM o2c.event")
    assert [record.position for record in whole] == log["positions"]
    assert list(o2c.follow(whole[half].mark, wait=False)) == whole[half + 1 :]
    assert list(o2c.follow(types=["order.*"], wait=False)) == [record for record in whole if record.type.startswith("order.")]
    own = o2c.order("WEB-2")["order"]
    assert list(o2c.follow(order="WEB-2", wait=False)) == [record for record in whole if record.order == own]
    with refused("usage", "did you mean order.completed"):
        o2c.follow(types=["order.complete"])


def test_following_yields_what_comes_until_it_is_told_to_stop(world: World, o2c: OrderToCash) -> None:
    """An event written while a follower waits is yielded; `stop` ends it."""
    done, seen = threading.Event(), []

    def followed() -> None:
        for record in o2c.follow(o2c.last(), types=["order.completed"], stop=done.is_set):
            seen.append(record.order)
            done.set()

    with ThreadPoolExecutor(1) as threads:
        ended = threads.submit(followed)
        captured = o2c.capture(order("WEB-1", line()), SHOP)
        world.run(at(6))
        ended.result(timeout=30)

    assert seen == [captured.order]


def test_readers_wait_for_events_that_could_still_come_before(world: World, o2c: OrderToCash) -> None:
    """What another transaction could still precede is not yielded yet."""
    mark = o2c.last()
    with psycopg.connect(world.dsn) as holder:
        holder.execute("CREATE TEMP TABLE held (n integer)")
        o2c.capture(order("WEB-1", line()), SHOP)
        assert list(o2c.follow(mark, wait=False)) == []

    assert [record.type for record in o2c.follow(mark, wait=False)] == ["order.captured", "validation.requested"]


@pytest.mark.parametrize(
    ("altered", "says"),
    [
        pytest.param(lambda mark: Mark(mark.position, str(uuid4())), "stands there", id="another event"),
        pytest.param(lambda mark: Mark(2**60, mark.event_id), "ahead of this log", id="ahead"),
        pytest.param(lambda mark: Mark(mark.position - 1, mark.event_id), "is not in this log", id="not there"),
    ],
)
def test_a_mark_of_another_log_stops_a_follower(o2c: OrderToCash, altered: Any, says: str) -> None:
    """A consumer that remembers what this log never told is stopped loudly, before anything is yielded."""
    o2c.append("customer-C-1", [contacted()], CRM)

    with pytest.raises(OtherLog, match=says):
        next(o2c.follow(altered(o2c.last())))


def test_a_store_put_back_stops_a_follower_that_knew_more(world: World, o2c: OrderToCash) -> None:
    """After a restore from before the follower's mark, its next connection finds that out."""
    o2c.capture(order("WEB-1", line()), SHOP)
    mark = o2c.last()
    with connect(world.dsn) as conn:
        conn.execute("SET session_replication_role = replica")  # what a restore does, no writer may
        conn.execute("DELETE FROM o2c.event WHERE position = %s", (mark.position,))

    with pytest.raises(OtherLog):
        list(o2c.follow(mark, wait=False))


def test_a_follower_outlives_its_connection(world: World, o2c: OrderToCash) -> None:
    """Its server process is ended in the middle; it connects again and misses and repeats nothing."""
    mark, done, seen, ended_for_it = o2c.last(), threading.Event(), list[EventRecord](), 0

    def followed() -> None:
        seen.extend(o2c.follow(mark, stop=done.is_set))

    with ThreadPoolExecutor(1) as threads:
        ended = threads.submit(followed)
        for n in range(3):
            o2c.capture(order(f"WEB-{n}", line()), SHOP)
            ended_for_it += _ended_follower(world.dsn)
        wanted = list(o2c.follow(mark, wait=False))
        for _ in range(200):
            if len(seen) >= len(wanted):
                break
            time.sleep(0.05)
        done.set()
        ended.result(timeout=30)

    assert seen == wanted
    assert (len(wanted), ended_for_it > 0) == (6, True)


def _ended_follower(dsn: str) -> int:
    """End the server processes of whoever reads the log page by page; how many there were."""
    time.sleep(0.7)
    sql = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE %s"""
    with connect(dsn) as conn:
        return len(conn.execute(sql, ("%FROM o2c.event WHERE position%",)).fetchall())


def test_a_server_that_is_not_there_is_one_kind_of_refusal(tmp_path: Path) -> None:
    """Opening a store whose server does not answer says: try later."""
    with refused("unavailable", "cannot reach PostgreSQL"):
        OrderToCash(f"host={tmp_path} port=5999 dbname=o2c")


def always(shape: type) -> frozenset[str]:
    """The fields that are always there, by the types as a checker reads them."""
    hints = get_type_hints(shape, include_extras=True)
    return frozenset(name for name, kind in hints.items() if get_origin(kind) is not NotRequired)


def test_what_is_read_has_the_promised_fields(world: World, o2c: OrderToCash) -> None:
    """The types a caller sees are what comes back, field by field."""
    world.scripted.will("2/activation", RefusedBy("BAD"))
    o2c.capture(order("WEB-1", line("1"), line("2")), SHOP)
    o2c.capture(order("WEB-2", party="C-9"), SHOP)
    world.run(at(20, month=2))
    shown, [fallout, *_] = o2c.order("WEB-1"), o2c.fallouts()

    assert set(shown) == always(OrderShown)
    assert {frozenset(item) for item in shown["items"]} == {always(ItemShown)}
    assert {frozenset(invoice) for invoice in shown["invoices"]} == {always(InvoiceShown)}
    assert set(fallout) == always(FalloutListed)
    assert set(o2c.orders()[0]) == always(OrderRow) | {"customer"}
    assert set(o2c.customer("C-1")) == always(CustomerShown) | {"kind", "payment_method", "tier"}
