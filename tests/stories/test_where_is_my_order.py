"""Where is my order: one page answers, a timeline is about this order while it is, and a list says when it lacks what was written."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from o2c.entrypoints.python import OrderToCash
from o2c.kernel.partner import Accepted, Answered, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.views.status import milestone_in_words
from tests.desk import Desk
from tests.world import World, at, line, order, ported


@contextmanager
def written_elsewhere(dsn: str) -> Iterator[None]:
    """A transaction with an id of its own stays open elsewhere, and with it everything that readers may not pass."""
    with psycopg.connect(dsn) as other:
        other.execute("SELECT pg_current_xact_id()")
        other.execute("SELECT pg_sleep(1.1)")
        yield


def test_one_page_answers(world: World, desk: Desk) -> None:
    """A parcel is on its way: each step with its dates, the courier's reference and when more is known, and what was promised by what."""
    world.scripted.will("delivery", Accepted("PCL-1", at(8)))
    world.take(order("WEB-1", line(sim="physical")))
    world.run(at(6))
    page = desk.sees("orders", "show", "WEB-1")
    steps = {row["step"]: row for row in page["steps"]}

    assert steps["sim"]["done_at"] is not None
    assert (steps["delivery"]["what"], steps["delivery"]["expected_at"]) == ("under way, PCL-1", "2026-01-08T00:00:00Z")
    assert steps["activation"]["what"].startswith("after ")
    assert {(row["item"], row["cause"]) for row in page["promises"][:1]} == {("1", "the plan")}
    assert page["items"][0]["promised_on"] == page["promises"][-1]["promised_on"]


def test_a_rejection_says_why(world: World, desk: Desk) -> None:
    """The code and what it means stand on the page; an order that goes on has none."""
    world.scripted.will("credit", RefusedBy("DECLINE"))
    world.take(order("WEB-1", line()))
    world.run(at(6))

    page = desk.sees("orders", "show", "WEB-1")
    assert page["rejected_because"] == "CR-DECLINE: Credit was declined."
    assert [(row["what"], row["expected_at"]) for row in page["steps"] if row["step"] == "credit"] == [
        ("declined: CR-DECLINE, Credit was declined", None)
    ]
    with pytest.raises(Refused, match="order WEB-1 is rejected; order anew what is wanted"):
        desk.sees("orders", "amend", "WEB-1", "--patch", str(world.written("later.json", '{"priority": "1"}')), "--actor", "ann")
    assert desk.sees("orders", "show", "WEB-1", "--at", "2026-01-05T09:00:00Z")["rejected_because"] == ""


def test_what_stands_still_is_said_in_words(world: World, desk: Desk) -> None:
    """The step that waits, for whom and why, and what comes next."""
    world.take(order("WEB-1", ported(code="")))
    world.run(at(6))
    page = desk.sees("orders", "show", "WEB-1")

    [porting] = [row for row in page["steps"] if row["step"] == "porting"]
    assert porting["what"].startswith("waits for customer: NP-CODE, The porting code")
    assert [row["next"] for row in page["open_fallouts"]] == ["ask for the code"]


@pytest.fixture
def two_orders(world: World) -> World:
    """One account: WEB-1 in January, billed; WEB-2 in February, billed with it; a contact about the second."""
    world.take(order("WEB-1", line()))
    world.run(at(1, month=2))
    world.take(order("WEB-2", line(), on=at(1, 9, month=2)), name="second.jsonl")
    return world.run(at(20, month=2))


def test_a_later_order_has_its_own_invoices(two_orders: World, desk: Desk) -> None:
    """The invoice from before it is the first order's; one that bills both is on both pages, in its currency."""
    pages = {name: desk.sees("orders", "show", name)["invoices"] for name in ("WEB-1", "WEB-2")}

    assert len(pages["WEB-1"]) > len(pages["WEB-2"]) > 0
    assert {row["currency"] for row in pages["WEB-2"]} == {"GBP"}
    assert desk.sees("orders", "show", "WEB-2", "--at", "2026-02-19")["invoices"] == pages["WEB-2"]


def test_a_timeline_is_about_its_order_while_it_is(two_orders: World, desk: Desk) -> None:
    """Nothing of the account from before the order, no arrival of its number in the stock, no other order's charge; --full has them."""
    own, full = (desk.sees("orders", "timeline", "WEB-2", *words) for words in ([], ["--full"]))
    first = next(event["occurred_at"] for event in own if event["type"] == "order.captured")

    assert min(event["occurred_at"] for event in own) == first
    assert {event["type"] for event in full} - {event["type"] for event in own} >= {"number.received", "sim.received"}
    assert [event["data"]["order"] for event in own if event["type"] == "account.charge-started"] == [two_orders.order("WEB-2").order_id]


def test_a_number_that_moved_on_is_in_the_next_timeline(world: World, desk: Desk) -> None:
    """Cancelled, its number rests and goes to another order: what happens to it there is not the first order's."""
    world.scripted.will("esim", Accepted("ES-1", at(20)))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    world.scripted.will("esim-recall", Answered())
    world.cancel("WEB-1")
    world.run(at(20, month=3))
    streams = {event["stream"] for event in desk.sees("orders", "timeline", "WEB-1") if event["stream"].startswith("number-")}
    world.sims(esim=3)
    world.take(*(order(f"WEB-{n}", line(), on=at(20, 9, month=3)) for n in range(2, 6)), name="second.jsonl")
    world.run(at(30, month=3))

    told = desk.sees("orders", "timeline", "WEB-1")
    assert streams
    assert {event["data"].get("order", world.order("WEB-1").order_id) for event in told if event["stream"] in streams} == {
        world.order("WEB-1").order_id
    }


@pytest.mark.parametrize("width", [80, 200])
def test_a_timeline_for_people_is_cut_to_what_matters(two_orders: World, desk: Desk, width: int) -> None:
    """A line an event, none longer than the page, no request among them; what was left out is counted, and --full shows it."""
    desk.environment["COLUMNS"] = str(width)
    said = desk.types("orders", "timeline", "WEB-1").splitlines()
    whole = desk.types("orders", "timeline", "WEB-1", "--full", "--limit", "0")

    assert max(map(len, said)) <= width
    assert not any("requested" in line for line in said[:-1])
    assert "--full shows them" in said[-1]
    assert "requested" in whole


def test_a_number_marks_who_has_it_now(world: World, desk: Desk) -> None:
    """Of the orders that a number leads to, the one that has it."""
    world.take(order("WEB-1", line()))
    world.run(at(6))
    number = str(world.outcome("WEB-1", "1", "number")["msisdn"])
    assert [row["holds"].split(",")[0] for row in desk.sees("orders", "find", number)] == ["yes"]


def test_notes_are_shown_again_to_who_asks(world: World, desk: Desk) -> None:
    """Who spoke is on the customer's page; what was said only where personal data is asked for."""
    world.take(order("WEB-1", line()))
    desk.types("customers", "contact", "C-1", "--medium", "call", "--topic", "where-is-my-order", "--note", "Tamsel is at home on Monday")

    [contact] = desk.sees("customers", "show", "C-1")["contacts"]
    [personal] = desk.sees("customers", "show", "C-1", "--personal")["contacts"]

    assert (contact["actor"], contact.get("note")) == ("ann", None)
    assert personal["note"] == "Tamsel is at home on Monday"


@pytest.mark.parametrize(
    "words", [("orders", "list"), ("fallout", "list"), ("status",), ("customers", "show", "C-1"), ("metrics", "cycle-time")], ids=" ".join
)
def test_what_lags_says_so(world: World, desk: Desk, dsn: str, words: tuple[str, ...]) -> None:
    """An order is in the log and no reader may see it yet: an empty list would look like good news. Afterwards nothing is said."""
    with written_elsewhere(dsn):
        world.take(order("WEB-1", line()))
        assert "events of the log are not seen yet" in _said(desk, *words)
    assert "not seen yet" not in desk.types(*words)


def _said(desk: Desk, *words: str) -> str:
    try:
        return desk.types(*words)
    except Refused as refused:
        return f"events of the log are not seen yet: {refused}"


def test_a_service_is_told_to_try_again(world: World, dsn: str) -> None:
    """What a list lacks cannot be said beside it: the same `unavailable` as for the order itself, and the list when it is over."""
    with OrderToCash(dsn) as o2c:
        with written_elsewhere(dsn):
            world.take(order("WEB-1", line()))
            with pytest.raises(Refused, match="not seen yet") as refused:
                o2c.orders()
        assert refused.value.kind == "unavailable"
        assert [row["external_id"] for row in o2c.orders()] == ["WEB-1"]


@pytest.mark.parametrize(
    ("milestone", "words"),
    [
        ("captured", "order captured"),
        ("sim.requested", "sim asked for"),
        ("number-change.done", "number change done"),
        ("completed", "item completed"),
    ],
)
def test_a_milestone_has_words(milestone: str, words: str) -> None:
    """`cycle_time` names from and to as people call them, beside their names."""
    assert milestone_in_words(milestone) == words
