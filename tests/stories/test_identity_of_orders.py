"""Whose name an external id is: two parties may use the same one, and what a channel sent ends as an order or as a refusal that it sees."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.capture import capture, earlier_stream
from o2c.desk.fallout import Decide
from o2c.engine.app import Context
from o2c.kernel.event import upcast
from o2c.kernel.refusal import Refused
from o2c.orders.wish import Wish
from o2c.views.order_page import show_order
from o2c.views.orders import find_order
from o2c.views.reading import caught_up
from tests.world import NINE, Document, World, at, line, order

SERVICE = Context("shop.service", channel="web")


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path).stocked().run(NINE)
    yield made
    made.close()


def page(world: World, name: str, **when: Any) -> dict[str, Any]:
    caught_up(world.app)
    return show_order(world.app, name, **when)


def named(*owners: str, **more: Any) -> Document:
    """An order of C-1 whose id 77 is said to be of these owners."""
    identifiers = [{"owner": owner, "externalIdentifierType": "POnumber", "id": "77"} for owner in owners]
    return {**order("", line()), "externalId": identifiers, **more}


def test_the_same_id_of_two_parties_is_two_orders(world: World) -> None:
    """Web and store both number an order 1001 for customers of their own: both are captured and served, and none is a resubmission."""
    counts = world.take(order("1001", line(), party="C-1"), order("1001", line(), party="C-2", channel="store"))

    assert (counts.captured, counts.resubmitted) == (2, 0)
    world.run(at(6, 12))
    assert {page(world, f"{party}/1001")["state"] for party in ("C-1", "C-2")} == {"completed"}


def test_one_customers_wish_through_two_channels_is_one_order(world: World) -> None:
    """The same paper, sent again by another channel at another time, is the same order."""
    counts = world.take(order("1001", line()), order("1001", line(), on=at(5, 11), channel="store"))

    assert (counts.captured, counts.duplicates) == (1, 1)


@pytest.mark.parametrize(
    ("papers", "orders"),
    [
        pytest.param((named("shop"), named("shop")), 1, id="the same owner"),
        pytest.param((named("shop"), named("agency")), 2, id="two owners"),
        pytest.param((named("", "shop"), named("shop")), 1, id="the first that is named counts"),
        pytest.param((order("77", line(), channel="web") | {"relatedParty": []}, order("77", line(), channel="app") | {"relatedParty": []}), 2,
                     id="nobody named, two channels"),
        pytest.param((order("77", line()) | {"relatedParty": []}, order("77", line()) | {"relatedParty": []}), 1, id="nobody named, one channel"),
        pytest.param((named("C-1"), order("77", line())), 1, id="the customer is the owner, said or not"),
    ],
)  # fmt: skip
def test_whose_name_an_id_is(world: World, papers: tuple[Document, Document], orders: int) -> None:
    """v5 says the owner; in v4 it is the customer, and where nobody is named the channel."""
    assert world.take(*papers).captured == orders


def test_an_id_that_several_orders_bear_is_not_guessed(world: World) -> None:
    """The refusal names them all by owner, channel and our id; owner/ID or our id picks one, and slashes in either do no harm."""
    world.take(order("10/01", line(), party="C-1"), order("10/01", line(), party="C-2", channel="store"), order("10", line(), party="C-3"))
    first, second = (find_order(world.app, f"{party}/10/01")[1].order_id for party in ("C-1", "C-2"))

    with pytest.raises(Refused, match="2 orders bear 10/01") as refused:
        find_order(world.app, "10/01")
    assert refused.value.kind == "conflict"
    assert f"C-1/10/01 from web is {first}" in str(refused.value)
    assert f"C-2/10/01 from store is {second}" in str(refused.value)
    assert find_order(world.app, second)[1].party == "C-2"
    assert find_order(world.app, "10")[1].party == "C-3"
    for nobody in ("C-9/10/01", "10/02", "C-1/", "/"):
        with pytest.raises(Refused, match="no order"):
            find_order(world.app, nobody)


def resubmitted(world: World) -> str:
    """An order, and the same id again from another channel with another priority; the fallout that asks a person."""
    world.take(order("WEB-1", line()), order("WEB-1", line(), priority=1, channel="store", on=at(5, 8)))
    [fallout] = world.fallouts(reason="DQ-DUP")
    return str(fallout["fallout"])


def test_the_fallout_says_what_differs_and_both_channels(world: World) -> None:
    """Names of fields and channels, never values."""
    world.take(order("WEB-1", line()), order("WEB-1", line(place="9 Weir Lane, Quenleigh, ZX3 4AB"), priority=1, channel="store"))

    [suspected] = [event for event in world.log()[find_order(world.app, "WEB-1")[0]] if event[0] == "duplicate.suspected"]
    detail = suspected[5]["detail"]
    assert detail.startswith("came from store, first from web; differs in priority, productOrderItem[0]")
    assert "Weir" not in detail


def test_an_approved_resubmission_is_an_order_of_its_own(world: World) -> None:
    """It is captured in the same command as the decision, is fulfilled beside the first, and each names the other."""
    resubmitted(world)
    world.resolve("DQ-DUP", Decide(approve=True))

    first = page(world, "C-1/WEB-1")
    [came] = first["resubmissions"]
    other = page(world, came["order"])
    assert came["became"] == "an order of its own"
    assert (other["external_id"], other["owner"], other["channel"], other["priority"]) == ("WEB-1", "C-1", "store", 1)
    assert other["after"] == first["order"] != other["order"]
    told = world.app.reads.rows(
        "SELECT type FROM o2c.event WHERE command_id = (SELECT command_id FROM o2c.event WHERE type = 'duplicate.settled')"
    )
    assert {"fallout.decided", "duplicate.settled", "order.captured", "validation.requested"} == {row["type"] for row in told}
    world.run(at(6, 12))
    assert {page(world, one)["state"] for one in (first["order"], other["order"])} == {"completed"}
    with pytest.raises(Refused, match="2 orders bear WEB-1"):
        find_order(world.app, "WEB-1")


def test_a_declined_resubmission_is_refused_where_its_channel_sees_it(world: World) -> None:
    """An event with the reason, shown on the order; nothing else happens to the order."""
    resubmitted(world)
    world.resolve("DQ-DUP", Decide(approve=False))

    [came] = page(world, "WEB-1")["resubmissions"]
    assert (came["channel"], came["differs_in"], came["became"]) == ("store", "priority", "refused (DQ-DUP)")
    [told] = [event[5] for event in world.log()[find_order(world.app, "WEB-1")[0]] if event[0] == "order.resubmission-refused"]
    assert (told["channel"], told["reason"]) == ("store", "DQ-DUP")


@pytest.mark.parametrize(
    ("decision", "refused"), [pytest.param(None, "", id="nobody decided"), pytest.param(True, "", id="approved"), pytest.param(False, "DQ-DUP", id="declined")]
)  # fmt: skip
def test_the_paper_again_is_a_repeat_that_says_what_became_of_it(world: World, decision: bool | None, refused: str) -> None:
    """The service gets the order that the paper became, or the code of its refusal, and nothing happens."""
    first = capture(world.app, SERVICE, order("WEB-1", line()))
    changed = order("WEB-1", line(), priority=1)
    capture(world.app, SERVICE, changed)
    if decision is not None:
        world.resolve("DQ-DUP", Decide(approve=decision))
    before = world.log()

    again = capture(world.app, SERVICE, changed)

    assert (again.repeated, again.resubmitted, again.refused, again.external_id) == (True, True, refused, "WEB-1")
    assert (again.order == first.order) is (decision is not True)
    assert world.app.load_one(f"order-{again.order}").version
    assert world.log() == before
    assert world.take(changed).duplicates == 1


def of_an_older_store(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order as it was captured before owners of external ids were told apart: under the old id, without owner."""
    with monkeypatch.context() as before:
        before.setattr("o2c.desk.capture.order_stream", earlier_stream)
        before.setattr("o2c.files.intake.order_stream", earlier_stream)
        before.setattr("o2c.orders.document.parts.identity_of", lambda document: ("", document["externalId"]))
        before.setattr("o2c.orders.document.Wish", lambda **fields: Wish(**{**fields, "owner": ""}))
        world.take(order("WEB-1", line()))
    [stream] = [name for name in world.log() if name.startswith("order-")]
    assert world.app.load_one(stream).state.owner == ""


@pytest.mark.parametrize(
    ("paper", "counted"),
    [
        pytest.param(order("WEB-1", line(), channel="store"), "duplicates", id="the same"),
        pytest.param(order("WEB-1", line(), priority=1), "resubmitted", id="changed"),
        pytest.param(order("WEB-1", line(), party="C-2"), "captured", id="of another customer"),
    ],
)
def test_an_order_of_an_older_store_is_known_again(world: World, monkeypatch: pytest.MonkeyPatch, paper: Document, counted: str) -> None:
    """Its paper sent again is no second order, a changed one is a resubmission of it, and it is found by its external id and its customer."""
    of_an_older_store(world, monkeypatch)

    assert getattr(world.take(paper, name="again.jsonl"), counted) == 1
    assert find_order(world.app, "C-1/WEB-1")[1].party == "C-1"


def test_an_approval_of_before_is_read_as_one_without_an_order() -> None:
    """Approving did not capture the paper then: no order is named."""
    body = upcast("duplicate.settled", 1, {"fallout": "x", "decision": "approve"})
    assert json.dumps(body, sort_keys=True) == '{"decision": "approve", "fallout": "x", "order": ""}'
