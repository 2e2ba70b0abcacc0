"""Who orders waited for, what was promised and told, what differs, and when queues clear: of a small store, on every face."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.desk.customers import record_contact
from o2c.desk.fallout import Correct, Wait, work
from o2c.entrypoints.verbs_and_views import VIEWS
from o2c.kernel.event import EVENT_TYPES
from o2c.kernel.refusal import Refused
from o2c.views.reading import caught_up
from tests.console import console
from tests.histories import Told, append, differing
from tests.shell import Shell, one_line
from tests.store.test_roles import database_apart
from tests.world import World, at, line, order, ported

VIEW = {view.name: view for view in VIEWS}
ANN = Context("ann")
AUDITOR = Context("otto", roles=("auditor",))
PARTS = ("us_s", "customer_s", "partner_s", "regulator_s", "channel_s")


@pytest.fixture(scope="module")
def worked(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An order that was at once complete, one whose port waited for its customer four days and for its notice, and one that waits for its code.

    One store for all, which only ask.
    """
    with database_apart(server_dsn) as dsn:
        world = World(dsn, tmp_path_factory.mktemp("world")).stocked()
        world.take(order("WEB-1", line()), order("WEB-2", ported(code=""), party="C-2"))
        world.take(order("WEB-3", ported(code="", msisdn="+447700900124"), party="C-3"), name="later.jsonl")
        world.run(at(7))
        [row] = world.fallouts("WEB-3")
        work(world.app, ANN, row["fallout"], Wait("partner", None))
        record_contact(world.app, ANN, "C-2", medium="call", topic="where-is-my-order", direction="outbound", order="WEB-2")
        world.run(at(9))
        world.resolve("NP-CODE", Correct({"portInCode": "ABC123456"}), of="WEB-2")
        world.run(at(16))
        [row] = world.app.reads.rows("SELECT order_id FROM projection.orders WHERE external_id = 'WEB-3'")
        append(dsn, [sent("message.scheduled", row["order_id"], media=["email"]), sent("message.sent", row["order_id"])])
        caught_up(world.app)
        yield world
        assert differing(dsn) == []
        world.close()


def sent(name: str, order_id: str, **changes: Any) -> Told:
    """An event of a message about an order of C-3: the example of its class, without its personal fields."""
    cls = EVENT_TYPES[name]
    about = {"order": order_id, "customer": "C-3"} if name == "message.scheduled" else {}
    event = cls.model_validate({**cls.example, **about, **changes})
    body = json.loads(event.model_dump_json(exclude=set(cls.personal)))
    return Told("message-1", name, body, order_id, "C-3", 7_200)


def asked(world: World, name: str, *arguments: Any, **options: Any) -> Any:
    return VIEW[name].ask(AUDITOR, world.app, *arguments, **options)


def waits(world: World, **options: Any) -> dict[str, Any]:
    return {row["external_id"]: row for row in asked(world, "metrics.waiting", **options)}


def test_it_is_told_who_was_waited_for(worked: World) -> None:
    """The parts of each order sum to its time; the customer was waited for until his code came, the regulator until the window opened."""
    rows = waits(worked)

    assert {name: row["cycle_s"] - sum(row[part] for part in PARTS) for name, row in rows.items()} == {"WEB-1": 0, "WEB-2": 0, "WEB-3": 0}
    assert (rows["WEB-1"]["us_s"], rows["WEB-1"]["closed_at"]) == (195, "2026-01-05T09:03:15Z")
    assert (rows["WEB-2"]["customer_s"], rows["WEB-2"]["regulator_s"]) == (313_030, 291_600)
    assert (rows["WEB-3"]["waits_for"], rows["WEB-3"]["waits_on"], rows["WEB-3"]["waits_since"]) == (
        "partner",
        "1/porting",
        "2026-01-07T00:00:00Z",
    )
    assert rows["WEB-3"]["partner_s"] == (at(16) - at(7)).total_seconds()
    assert list(rows) == ["WEB-3", "WEB-2", "WEB-1"]


def test_it_is_told_as_of_before(worked: World) -> None:
    """At a time and as far as was known, by the same fold: before the desk waited for the donor, it was the customer's turn; no order is older than the time."""
    then = waits(worked, at=at(6))
    [known] = worked.app.reads.rows("SELECT max(position) AS position FROM o2c.event WHERE occurred_at < %s", at(7))
    assert {row["waits_for"] for row in then.values()} == {"customer", None}
    assert {row["cycle_s"] for row in then.values()} == {195, 54_000}
    assert waits(worked, order="WEB-3", known_at=known["position"])["WEB-3"]["waits_for"] == "customer"
    assert [row["external_id"] for row in asked(worked, "metrics.waiting", order="WEB-3", at=at(6))] == ["WEB-3"]
    assert asked(worked, "metrics.waiting", since=at(6)) == []
    for nonsense in ({"at": at(20)}, {"known_at": 2**60}):
        with pytest.raises(Refused, match="give"):
            asked(worked, "metrics.waiting", **nonsense)


def test_open_orders_stand_beside_those_that_completed(worked: World) -> None:
    """The one that is open is older than any that completed."""
    told = asked(worked, "metrics.ageing")
    [old] = told["orders"]
    assert (told["count"], told["longest_s"], told["open"]) == (2, 604_800.0, 1)
    assert (old["external_id"], old["age_s"], old["band"], old["cohort"]) == ("WEB-3", 918_000, "beyond all", "*")
    assert sum(told["bands"].values()) == told["open"]


def test_each_promise_is_told_with_what_became_of_it(worked: World) -> None:
    """Web-2 was promised the 7th, which its missing code broke, and then the 12th, which was kept; the first it was told on the telephone."""
    first, second = asked(worked, "orders.promises", "WEB-2")
    assert (first["promised_on"], first["state"], first["late_days"], first["cause"]) == ("2026-01-07", "broken", 5, "porting NP-CODE")
    assert first["revised_by"] == first["broken_by"] == second["by_event"]
    assert (first["channel"], first["audience"], first["told_at"]) == ("call", "customer", "2026-01-07T00:00:00Z")
    assert (second["promised_on"], second["state"], second["late_days"], second["channel"], second["audience"]) == (
        "2026-01-12",
        "kept",
        0,
        "web",
        "channel",
    )
    every = asked(worked, "promises.list")
    assert [row for row in every if row["external_id"] == "WEB-2"] == [first, second]
    assert {row["external_id"] for row in asked(worked, "promises.list", state="broken")} == {"WEB-2", "WEB-3"}
    assert asked(worked, "promises.list", customer="C-3", limit=0).more == 1
    whole, web = asked(worked, "promises.count")
    assert {**whole, "channel": "web"} == web
    assert (whole["made"], whole["kept"], whole["broken"], whole["open"]) == (len(every), 2, 2, 0)
    with pytest.raises(Refused, match="a promise is kept, broken, open"):
        asked(worked, "promises.list", state="forgotten")


def test_what_was_told_is_told(worked: World) -> None:
    """The days promised to its channel, the call, the bill; of another customer nothing."""
    told = asked(worked, "orders.told", "WEB-2")
    assert [(row["type"], row["audience"], row["channel"]) for row in told] == [
        ("promise.made", "channel", "web"), ("customer.contacted", "customer", "call"), ("invoice.issued", "customer", "account"),
        ("promise.revised", "channel", "web"), ("order.completed", "channel", "web"),
    ]  # fmt: skip
    assert told[3]["what"] == "another day promised: item 1 for 2026-01-12, not 2026-01-07"
    assert asked(worked, "customers.told", "C-2") == told
    assert [row["type"] for row in asked(worked, "orders.told", "WEB-3")] == ["promise.made", "invoice.issued", "message.sent"]
    mail = asked(worked, "customers.told", "C-3")[-1]
    assert (mail["what"], mail["channel"], mail["audience"]) == ("a message: received", "email", "customer")
    with pytest.raises(Refused, match="no customer C-9"):
        asked(worked, "customers.told", "C-9")


def test_orders_and_moments_are_held_against_one_another(worked: World) -> None:
    """Of two orders, times count from the capture of each; of two moments, they are as they are."""
    two = asked(worked, "orders.diff", "WEB-1", "WEB-2")
    assert {"path": "closed_at", "a": 195.0, "b": 604_800.0} in two["changed"]
    assert {"path": "steps[1 porting].done_at", "value": 313_200.0} in two["added"]
    assert two["removed"] == []
    assert (two["waiting"]["a"]["us_s"], two["waiting"]["b"]["customer_s"]) == (195, 313_030)
    assert (two["cohort_median"]["orders"], two["cohort_median"]["cycle_s"]) == (1, 604_800)
    moments = asked(worked, "orders.diff", "WEB-2", since=at(8), until=at(10))
    assert {"path": "items[1].promised_on", "a": "2026-01-07", "b": "2026-01-12"} in moments["changed"]
    assert [row["path"] for row in moments["removed"] if row["path"].startswith("open_fallouts")] != []
    for nonsense in ({}, {"other": "WEB-1", "since": at(6)}):
        with pytest.raises(Refused, match="give either"):
            asked(worked, "orders.diff", "WEB-2", **nonsense)


def test_a_queue_says_when_it_clears(worked: World) -> None:
    """By the days that it had: the one that is open is closed in half of the trials by a day, in nine of ten by a later one."""
    rows = {row["queue"]: row for row in asked(worked, "queues.forecast")}
    assert rows["*"] == {**rows["porting"], "queue": "*", **{key: rows["*"][key] for key in ("p50_on", "p85_on", "p90_on")}}
    assert (rows["porting"]["open"], rows["porting"]["days"]) == (1, 11)
    assert "2026-01-16" < rows["porting"]["p50_on"] <= rows["porting"]["p85_on"] <= rows["porting"]["p90_on"]
    assert rows["porting"] == {row["queue"]: row for row in asked(worked, "queues.forecast")}["porting"]


def test_the_console_shows_it(worked: World, tmp_path: Path) -> None:
    """The page of an order has its promises, whom it waited for and what was told; the page of waiting has every order. Who may not see figures does not."""
    with console(worked, tmp_path) as site, site.by("otto", "auditor") as otto:
        shown = otto.opens("/console/orders/WEB-2").text
        for said in ("Who was waited for", "5 days late", "porting NP-CODE", "What the customer was told", "another day promised"):
            assert said in shown
        page = otto.opens("/console/waiting").text
        for said in ("WEB-1", "WEB-3", "beyond all", "porting", "When queues clear"):
            assert said in page
        with site.by("priya", "privacy-officer") as priya:
            assert "Who was waited for" not in priya.opens("/console/orders/WEB-2").text
            assert priya.opens("/console/waiting").status == 403


def test_the_command_line_says_it(worked: World, tmp_path: Path) -> None:
    """The same rows, as JSON lines; a moment to come is refused in one line."""
    shell = Shell(worked.app.dsn, tmp_path)
    rows = [json.loads(text) for text in shell.run("metrics", "waiting", "-o", "jsonl").stdout.splitlines()]
    assert [row["external_id"] for row in rows] == ["WEB-3", "WEB-2", "WEB-1"]
    assert rows == json.loads(json.dumps(asked(worked, "metrics.waiting")))
    said = shell.run("orders", "promises", "WEB-2", "-o", "jsonl").stdout
    assert [json.loads(text)["state"] for text in said.splitlines()] == ["broken", "kept"]
    assert "still to come" in one_line(shell.run("metrics", "waiting", "--at", "2027-01-01"))
