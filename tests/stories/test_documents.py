"""Orders in full, as programs exchange them: a page of many, one alone, and one as it stood; what of them may be amended."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from o2c.desk import amending
from o2c.desk.act import Context, IdTaken
from o2c.desk.amending import Amendment, annotate_order
from o2c.desk.capture import capture
from o2c.desk.gate import asked
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.views.begun import begun_document
from o2c.views.cancellations import list_cancellations
from o2c.views.documents import documents_at, list_documents, show_document
from o2c.views.following import Wanted, find_events
from o2c.views.order_folds import FOLDS
from o2c.views.reading import caught_up
from projections.engine.projection import Projection
from tests.world import World, at, line, order, ported, site

SHOP = Context("shop")


@pytest.fixture
def lived(world: World) -> World:
    """Orders of many fates: completed, in pieces, cancelled, refused a cancellation, without items, and with a fallout."""
    world.sims(esim=10)
    world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
    world.take(
        order("DONE", line(quantity=2)),
        order("BUNDLE", site("1", line("1.1"), line("1.2"))),
        order("PORT", ported(), party="C-2", priority=1),
        order("EMPTY", channel="store"),
        order("GONE", line(sim="physical"), party="C-3"),
    )
    world.run(at(5, 9, 30))
    world.cancel("GONE")
    world.run(at(6))
    caught_up(world.app)
    return world


def names(page: list[dict[str, Any]]) -> list[str]:
    return [row["external_id"] for row in page]


def test_a_page_tells_of_each_what_it_tells_alone(lived: World) -> None:
    """A page reads tables, one order its events: both say the same, with and without what is personal."""
    for personal in (False, True):
        page = list_documents(lived.app, personal=personal)
        alone = [show_document(lived.app, row["order"], personal=personal) for row in page]

        assert page == alone
        assert len(page) == 5
        assert [row["paper"] is not None for row in page] == [personal] * 5


def test_what_a_paper_began_is_told_as_it_is_read_back(world: World) -> None:
    """Of an order that begins with a paper the events are at hand; of one that is known, or comes with other content, they are not."""
    papers = [
        order("ONE"),
        order("SITE", site("1", line("1.1"), line("1.2"))),
        order("PORT", ported(), party="C-2", priority=1),
        order("NONE", channel="store"),
    ]
    for paper in papers:
        done = capture(world.app, SHOP, paper)

        assert begun_document(world.app, done.order, done.began, done.position) == show_document(world.app, done.order)
        assert capture(world.app, SHOP, paper).began == ()
    assert capture(world.app, SHOP, order("ONE", line(quantity=2))).began == ()


def test_an_id_of_another_wish_takes_down_no_new_order(world: World) -> None:
    """An order that stands nowhere is not asked for by the id first: the append finds the id used, and says for what."""
    named = Context("shop", command_id="6e7a3a54-3a1f-4c55-8f0b-5d7a4b1d2c91")
    first = capture(world.app, named, order("ONE"))

    with pytest.raises(IdTaken, match="used for something else"):
        capture(world.app, named, order("TWO"))
    assert [
        row["external_id"]
        for row in world.app.reads.rows("SELECT body->>'external_id' AS external_id FROM o2c.event WHERE type = 'order.captured'")
    ] == ["ONE"]
    assert capture(world.app, named, order("ONE")) == replace(first, repeated=True)


def test_lines_stand_as_the_items_that_they_became(lived: World) -> None:
    """Of a quantity and of a bundle all together, and as the order where nothing was planned."""
    found = {row["external_id"]: {told["item"]: told["state"] for told in row["lines"]} for row in list_documents(lived.app)}

    assert found["DONE"] == {"1": "completed"}
    assert found["BUNDLE"] == dict.fromkeys(("1", "1.1", "1.2"), lived.items("BUNDLE")["1.1"])
    assert found["EMPTY"] == {}
    assert found["GONE"] == {"1": "cancelled"}


PICKED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("by state", {"states": ("cancelled",)}, ["GONE"]),
    ("by either of two", {"external_ids": ("DONE", "PORT", "NONE")}, ["DONE", "PORT"]),
    ("by customer", {"customers": ("C-2",)}, ["PORT"]),
    ("by channel", {"channels": ("store",)}, ["EMPTY"]),
    ("by priority", {"priorities": (1,)}, ["PORT"]),
    ("by category", {"categories": ("business",)}, []),
    ("by a word of the paper", {"mentioning": ("portInNumber",), "personal": True}, ["PORT"]),
    ("by the moment", {"captured_at": (at(5, 9),), "external_ids": ("PORT",)}, ["PORT"]),
    ("by another moment", {"captured_at": (at(5, 10),)}, []),
    ("from a time on", {"captured_since": at(5, 9, 1)}, []),
    ("until a time", {"captured_until": at(5, 9)}, []),
    ("closed", {"closed_since": at(5), "closed_until": at(7), "customers": ("C-3",)}, ["GONE"]),
    ("promised by a day", {"promised_to": date(2026, 1, 4)}, []),
    ("sorted downwards", {"sort": "-external_id", "limit": 2}, ["PORT", "GONE"]),
    ("by how urgent", {"sort": "priority", "limit": 1}, ["PORT"]),
    ("whoever captured it", {"captured_by": "nobody"}, []),
]


@pytest.mark.parametrize(("picked", "external_ids"), [pytest.param(*case[1:], id=case[0]) for case in PICKED])
def test_orders_are_picked(lived: World, picked: dict[str, Any], external_ids: list[str]) -> None:
    """All that is given must fit, and the page says how many more there are."""
    page = list_documents(lived.app, **picked)
    beyond = list_documents(lived.app, **{**picked, "limit": 1000}, offset=1000)

    assert sorted(names(page)) == sorted(external_ids)
    assert page.more == (3 if picked.get("limit") == 2 else 4 if picked.get("limit") == 1 else 0)
    assert (beyond, beyond.more) == ([], 0)


@pytest.mark.parametrize("wrong", [{"states": ("lost",)}, {"sort": "paper"}, {"offset": -1}, {"limit": 1001}])
def test_what_cannot_be_picked_by_is_refused(world: World, wrong: dict[str, Any]) -> None:
    """A slip is told, and not answered with an empty page."""
    with pytest.raises(Refused):
        list_documents(world.app, **wrong)


def test_an_order_is_told_as_it_stood(lived: World) -> None:
    """At a time in its past, and not before it was captured or after the present."""
    then, now = show_document(lived.app, "GONE", at=at(5, 9, 20)), show_document(lived.app, "GONE")

    assert (then["state"], now["state"]) == ("pending", "cancelled")
    assert (then["cancellations"], len(now["cancellations"])) == ([], 1)
    with pytest.raises(Refused, match="was not captured yet"):
        show_document(lived.app, "GONE", at=at(5, 8))
    with pytest.raises(Refused, match="still to come"):
        show_document(lived.app, "GONE", at=at(30))


def test_fallouts_promises_and_milestones_are_told(lived: World) -> None:
    """What stands in the way, what is promised, what was reached and what is still to come."""
    told = show_document(lived.app, "PORT")

    assert [(one["reason"], one["state"]) for one in told["fallouts"]] == [("NP-CODE", "open")]
    assert told["promised_on"] == told["promises"][0]["promised_on"]
    assert ("completed", "to come") in [(one["milestone"], one["status"]) for one in told["milestones"]]
    assert ("number", "reached") in [(one["milestone"], one["status"]) for one in told["milestones"]]


def test_a_missed_day_is_said(lived: World) -> None:
    """The day promised is over, and nobody completed the item."""
    told = show_document(lived.run(at(28)).app, "PORT")

    assert [one["status"] for one in told["milestones"] if one["milestone"] == "completed"] == ["missed"]


def test_cancellations_are_tasks(lived: World) -> None:
    """Each wish to cancel an order, what the answer was, and the note where it is asked for."""
    page = list_cancellations(lived.app, personal=True)

    assert [(row["external_id"], row["state"], row["note"]) for row in page] == [("GONE", "done", "changed their mind")]
    assert list_cancellations(lived.app, ids=[page[0]["cancellation"]])[0]["note"] is None
    assert list_cancellations(lived.app, offset=5).more == 0
    with pytest.raises(Refused):
        list_cancellations(lived.app, offset=-1)


def test_what_may_change_is_amended(lived: World) -> None:
    """The priority holds from then on, texts take the place of those before, and a note is one more."""
    wish = Amendment(priority=0, category="business", description="for the shop", contact="ada@example.org", note="rang")

    first = annotate_order(lived.app, SHOP, "PORT", wish)
    again = annotate_order(lived.app, SHOP, "PORT", Amendment(priority=0, description="for the shop"))
    caught_up(lived.app)

    assert (first.unchanged, again.unchanged) == (False, True)
    assert lived.order("PORT").priority == 0
    assert names(list_documents(lived.app, priorities=(0,))) == ["PORT"]
    [fallout] = lived.fallouts("PORT")
    assert [
        row["priority"] for row in lived.app.reads.rows("SELECT priority FROM projection.fallout WHERE fallout = %s", fallout["fallout"])
    ] == [0]
    [told] = show_document(lived.app, "PORT", personal=True)["amendments"]
    assert (told["description"], told["note"], told["by"]) == ("for the shop", "rang", "shop")
    [hidden] = show_document(lived.app, "PORT")["amendments"]
    assert not hidden.keys() & {"description", "contact", "note"}


@pytest.mark.parametrize(
    ("name", "wish", "kind"),
    [
        ("PORT", Amendment(priority=5), "usage"),
        ("PORT", Amendment(note="x" * 4001), "usage"),
        ("GONE", Amendment(priority=1), "conflict"),
        ("NONE", Amendment(note="x"), "missing"),
    ],
)
def test_what_may_not_change_is_refused(lived: World, name: str, wish: Amendment, kind: str) -> None:
    """Nothing of the wish is done."""
    with pytest.raises(Refused) as caught:
        annotate_order(lived.app, SHOP, name, wish)

    assert caught.value.kind == kind


def test_a_note_may_be_added_to_an_order_that_is_over(lived: World) -> None:
    """It says what came of it."""
    assert not annotate_order(lived.app, SHOP, "GONE", Amendment(note="the parcel came back")).unchanged


def test_words_of_a_paper_tell_nothing_to_who_may_not_see_it(lived: World) -> None:
    """An analyst who asks by such a word gets the orders that he would get without."""
    for word in ("portInNumber", "nowhere"):
        options = {"personal": True, "mentioning": (word,)}
        seen = asked(Context("ann", roles=("analyst",)), "orders.documents", list_documents, (lived.app,), options)
        assert len(seen) == 5


def test_what_is_personal_is_shown_to_who_may_and_taken_down(lived: World) -> None:
    """An analyst gets no paper; an auditor gets it, and the log says so; a service gets what it captured itself, and no other's."""

    def seen(*roles: str) -> list[Any]:
        return list(asked(Context("ann", roles=roles), "orders.documents", list_documents, (lived.app,), {"personal": True}))

    assert [row["paper"] for row in seen("analyst")] == [None] * 5
    assert all(row["paper"] for row in seen("auditor"))
    assert seen("service") == []
    assert "personal-data.disclosed" in lived.types("access-C-1")


def test_an_amendment_beside_another_is_not_taken_for_so_already(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody changes the description in the moment before ours is carried out, which asks for what stood before that: it is set again."""
    annotate_order(lived.app, SHOP, "PORT", Amendment(description="for the shop"))
    act = amending.act

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(amending, "act", act)
        annotate_order(lived.app, SHOP, "PORT", Amendment(description="for somebody else"))
        return act(*arguments)

    monkeypatch.setattr(amending, "act", late)
    done = annotate_order(lived.app, SHOP, "PORT", Amendment(description="for the shop"))

    assert not done.unchanged
    assert show_document(lived.app, "PORT", personal=True)["amendments"][-1]["description"] == "for the shop"


def test_an_order_at_many_moments_is_folded_once_and_is_what_it_is_at_each_alone(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever moments are asked for together, also one between two events and one before the first: an event is folded once for each fold."""
    orders = {name: lived.order(name).order_id for name in ("PORT", "GONE")}
    positions = {
        orders[name]: {
            0,
            *(event.position + more for event in find_events(lived.app, Wanted(stream=f"order-{orders[name]}")) for more in (-1, 0)),
        }
        for name in orders
    }
    alone = {
        (order_id, position): documents_at(lived.app, {order_id: (position,)})[order_id, position]
        for order_id in positions
        for position in positions[order_id]
    }
    folded = 0
    restrict = Projection.restrict

    def counting(projection: Projection, record: Any) -> Any:
        nonlocal folded
        folded += 1
        return restrict(projection, record)

    monkeypatch.setattr(Projection, "restrict", counting)
    together = documents_at(lived.app, positions)

    assert together == alone
    assert None in together.values()
    assert len({str(document) for document in together.values()}) > 10
    assert 0 < folded <= len(FOLDS) * sum(map(len, positions.values())) / 2
