"""What an offering needs beside it: read from the price list, found in the order or asked for, never sold alone."""

from datetime import date
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.catalogue.events import OfferingPublished
from o2c.catalogue.rules import publish
from o2c.catalogue.state import CatalogueState
from o2c.kernel.frozen import changed
from o2c.kernel.refusal import Refused
from o2c.orders.needs import bound
from o2c.orders.planning import plan_order
from tests.given import BOOK, CATALOGUE, MARKET, MONDAY, Document, Story, captured, flaw_of, item

SOLD = {"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z"}


def bundle(name: str, *children: Document, sold: str = "office", **changes: Any) -> Document:
    return item(name, sold, productOrderItem=list(children), **changes)


def published(*related: Document, **changes: Any) -> OfferingPublished:
    document = {
        "id": "guard", "productSpecification": {"id": "spec-add-on"}, "validFor": SOLD, "productOfferingRelationship": list(related), **changes,
    }  # fmt: skip
    [event] = publish(CatalogueState(), document=document, market=MARKET, on=date(2026, 1, 5), specifications={"spec-add-on"})
    return event


@pytest.mark.parametrize("word", ["requires", "Requires", "REQUIRES", "reliesOn", "relies on", "relies-on", "dependency", "dependsOn"])
def test_the_usual_words_for_a_need_are_known(word: str) -> None:
    """TMF620's relationshipType is free text: capitals, spaces and hyphens make no difference; who is named twice is needed once."""
    related = {"relationshipType": word}
    assert published({**related, "id": "line"}, {**related, "id": "fibre"}, {**related, "id": "line"}).requires == ("line", "fibre")


@pytest.mark.parametrize("word", ["bundled", "alternative", "upgradeTo", "exchangableTo", "optionalFor", "", None])
def test_other_relationships_say_nothing_of_an_order(word: str | None) -> None:
    """Whatever else they lack, they are left aside, as they were."""
    assert (
        published({"id": "line", "relationshipType": word}, {"relationshipType": word, "validFor": {"startDateTime": "soon"}}).requires
        == ()
    )


@pytest.mark.parametrize(
    "period",
    [
        None, {}, SOLD, {"startDateTime": SOLD["startDateTime"]}, {"endDateTime": SOLD["endDateTime"]},
        {"startDateTime": "2020-01-01T00:00:00Z", "endDateTime": "2030-01-01T00:00:00Z"}, {"startDateTime": "2026-01-01T01:00:00+01:00"},
    ],
)  # fmt: skip
def test_a_need_for_as_long_as_the_offering_is_sold_is_taken(period: Document | None) -> None:
    """An open period, the offering's own or a longer one."""
    assert published({"id": "line", "relationshipType": "requires", "validFor": period}).requires == ("line",)


@pytest.mark.parametrize(
    ("related", "changes", "why"),
    [
        pytest.param(
            {"validFor": {"startDateTime": "2026-02-01T00:00:00Z"}}, {}, "validFor is a part of the offering's", id="begins-later"
        ),
        pytest.param({"validFor": {"endDateTime": "2026-02-01T00:00:00Z"}}, {}, "validFor is a part of the offering's", id="ends-earlier"),
        pytest.param({"validFor": SOLD}, {"validFor": None}, "validFor is a part of the offering's", id="sold-for-ever"),
        pytest.param({"validFor": {"startDateTime": "soon"}}, {}, "validFor.startDateTime is no time", id="no-time"),
        pytest.param({"id": ""}, {}, "id is missing", id="nobody-named"),
        pytest.param({"id": ["line"]}, {}, "id is not of the standard's shape", id="a-list-of-ids"),
        pytest.param({"id": "guard"}, {}, "offering guard requires itself", id="itself"),
        pytest.param({"relationshipType": True}, {}, "relationshipType is not of the standard's shape", id="a-type-that-is-no-text"),
    ],
)
def test_a_need_that_cannot_be_held_to_is_refused_by_name(related: Document, changes: Document, why: str) -> None:
    """The line names the offering and the field, so nothing of the list is sold on a condition that nobody keeps."""
    with pytest.raises(Refused, match=r"^catalogue: offering guard") as refused:
        published({"id": "line", "relationshipType": "requires", **related}, **changes)
    assert why in str(refused.value)


BOUND = [
    pytest.param([item("1"), item("2", "guard", relies_on=("1",))], {"2": ("1",)}, id="named"),
    pytest.param([item("1"), item("2", "guard")], {"2": ("1",)}, id="the-only-line"),
    pytest.param([item("2", "guard"), item("1", "fibre")], {"2": ("1",)}, id="the-only-one-of-another-offering-that-serves"),
    pytest.param([item("1"), item("3", "roaming"), item("2", "guard", relies_on=("3",))], {"2": ("3", "1")}, id="names-one-that-does-not-serve"),
    pytest.param([item("1"), item("3"), item("2", "guard", relies_on=("3",))], {"2": ("3",)}, id="named-among-two"),
    pytest.param([item("1"), item("3"), bundle("b", item("2", "guard"), relies_on=("3",))], {"2": ("3",)}, id="named-by-its-bundle"),
    pytest.param([bundle("b", item("1"), item("3", "roaming")), item("2", "guard", relies_on=("b",))], {"2": ("1", "3")}, id="named-as-a-bundle"),
    pytest.param([bundle("a", item("1"), item("2", "guard")), bundle("b", item("3"), item("4", "guard"))], {"2": ("1",), "4": ("3",)},
                 id="each-in-its-own-bundle"),
    pytest.param([item("0"), bundle("a", item("1"), bundle("b", item("2", "guard")))], {"2": ("1",)}, id="in-the-nearest-bundle"),
    pytest.param([bundle("a", item("1"), item("2", "guard"), quantity=2)], {"2#1": ("1#1",), "2#2": ("1#2",)}, id="two-bundles"),
    pytest.param([item("1", quantity=2), item("2", "guard", quantity=2)], {"2#1": ("1#1",), "2#2": ("1#2",)}, id="piece-by-piece"),
    pytest.param([item("1"), item("2", "guard", quantity=2)], {"2#1": ("1",), "2#2": ("1",)}, id="two-for-the-one"),
    pytest.param([item("1"), item("2", "guard"), item("3", "guard-plus")], {"2": ("1",), "3": ("2",)}, id="a-need-of-a-need"),
    pytest.param([item("3", "guard-plus"), item("2", "guard"), item("1")], {"2": ("1",), "3": ("2",)}, id="a-need-of-a-need-backwards"),
    pytest.param([item("1", "easy"), item("0", action="noChange", sold="guard")], {"1": ()}, id="what-stays-needs-nothing"),
    pytest.param([item("1", action="noChange"), item("2", "guard")], {"2": ()}, id="beside-a-line-that-stays"),
    pytest.param([bundle("b", item("1"), item("2", "lift"))], {"2": ()}, id="stands-in-what-it-needs"),
    pytest.param([bundle("b", item("1")), item("2", "lift")], {"2": ("1",)}, id="needs-a-bundle"),
    pytest.param([bundle("b", item("1"), sold="full-office")], {"1": ()}, id="a-bundle-around-what-it-needs"),
    pytest.param([item("1"), bundle("b", item("2", "roaming"), sold="full-office")], {"2": ("1",)}, id="a-bundle-beside-what-it-needs"),
    pytest.param([item("1", "left"), item("2", "right")], {"1": ("2",), "2": ()}, id="two-that-need-each-other"),
    pytest.param([item("2", "roaming")], {"2": ()}, id="an-offering-that-needs-nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("items", "relies_on"), BOUND)
def test_a_need_is_bound_to_the_one_line_that_meets_it(items: list[Document], relies_on: dict[str, tuple[str, ...]]) -> None:
    """As if the channel had named it, in the nearest bundle or in the order; what it named itself stays first."""
    state = captured(*items)
    assert flaw_of(state) == ""
    planned = plan_order(state, BOOK, MONDAY).items
    assert {line.item: line.relies_on for line in planned if line.item in relies_on} == relies_on
    for line in planned:
        waits = {wait.partition("/")[0] for step in line.steps if step.step == "activation" for wait in step.waits if "/" in wait}
        assert waits == set(line.relies_on)


OPEN = "DQ-ITEM: item 2 (guard) needs one of line, fibre and names none; "
ALONE = [
    pytest.param([item("2", "guard")], f"{OPEN}add the line or name it with reliesOn", id="alone"),
    pytest.param([item("2", "guard"), item("3", "easy")], f"{OPEN}add the line", id="beside-what-does-not-serve"),
    pytest.param([item("3", "easy"), item("2", "guard", relies_on=("3",))], f"{OPEN}add the line", id="on-what-does-not-serve"),
    pytest.param([item("2", "guard", product={"id": "P-1"})], f"{OPEN}add the line or name it with reliesOn; one in service is named",
                 id="for-a-product-in-service"),
    pytest.param([item("1"), item("2", "guard"), item("3")], f"{OPEN}name with reliesOn which it is for (item 1, 3)", id="two-fit"),
    pytest.param([item("1", "fibre"), item("2", "guard"), item("3")], f"{OPEN}name with reliesOn which it is for (item 3, 1)", id="two-kinds-fit"),
    pytest.param([*(item(f"{n}") for n in range(10, 17)), item("2", "guard")], f"{OPEN}name with reliesOn which it is for (item 10, 11, 12, 13, 14 and 2 more)",
                 id="seven-fit"),
    pytest.param([item("1", quantity=2), item("2", "guard")], f"{OPEN}name with reliesOn which it is for (item 1)", id="one-for-two-pieces"),
    pytest.param([bundle("b", item("1"), item("3")), item("2", "guard")], f"{OPEN}name with reliesOn", id="two-fit-in-a-bundle"),
    pytest.param([bundle("b", item("2", "guard"))], OPEN, id="alone-in-a-bundle"),
    pytest.param([item("1"), item("3"), item("2", "guard"), item("4", "guard", relies_on=("1",))], OPEN, id="another-named-one"),
    pytest.param([item("2", "guard-plus")], "DQ-ITEM: item 2 (guard-plus) needs one of guard and names none", id="a-need-of-a-need"),
    pytest.param([bundle("2", item("1", "roaming"), sold="full-office")], "DQ-ITEM: item 2 (full-office) needs one of line", id="a-bundle"),
    pytest.param([item("1", relies_on=("3",)), item("3", "guard-plus", relies_on=("2",)), item("2", "guard", relies_on=("4",)), item("4", "roaming")],
                 "DQ-ITEM: reliesOn of item 1 is cyclic", id="the-only-line-waits-for-it"),
]  # fmt: skip


@pytest.mark.parametrize(("items", "why"), ALONE)
def test_what_an_offering_needs_and_nobody_can_tell_is_asked_for(items: list[Document], why: str) -> None:
    """Nothing is guessed and nothing is charged: the channel is told which item lacks what, and which would do."""
    assert flaw_of(captured(*items)).startswith(why)
    story = Story(*items)
    story.attend("validation")
    assert (story.last("validation.fell-out").reason, story.states(), story.agenda) == ("DQ-ITEM", {"": "pending"}, {})


def test_only_who_named_a_product_is_told_how_one_is_named() -> None:
    """Who names none is not sent to look for one."""
    assert "in service" not in flaw_of(captured(item("2", "guard")))


@pytest.mark.parametrize("action", ["modify", "delete"])
def test_what_is_in_service_needs_nothing_anew(action: str) -> None:
    """It has what it needs: its end, or another account, is no sale of it, and is bound to no line that happens to come with it."""
    guard = changed(captured(item("2", "guard")).lines[0], action=action, product="A:2")
    in_force = changed(guard, costs_anew=False)
    assert bound([guard], CATALOGUE).flaw.startswith(OPEN)
    assert bound([in_force], CATALOGUE).flaw == ""
    assert bound([*captured(item("1")).lines, in_force], CATALOGUE).lines[1].relies_on == ()


def test_a_named_line_brings_the_order_to_its_plan() -> None:
    """The channel says which of two lines it is for; the order goes on, and the add-on is switched on after that line."""
    story = Story(item("1"), item("2", "guard"), item("3"))
    story.attend("validation")
    story.correct("validation", "", {"line.2.relies_on": "3"})
    assert story.run().states()[""] == "completed"
    assert [line.relies_on for line in story.last("order.planned").items] == [(), ("3",), ()]


@hypothesis.given(
    st.lists(
        st.tuples(st.sampled_from(["line", "guard", "guard-plus", "fibre", "left", "right"]), st.sampled_from([1, 1, 2])),
        min_size=1,
        max_size=6,
    )
)
@hypothesis.settings(max_examples=100, deadline=None)
def test_nothing_that_passes_is_bound_to_nothing(sold: list[tuple[str, int]]) -> None:
    """Every planned line whose offering needs another relies on one of those, or is relied on by one, and no line waits for itself."""
    state = captured(*(item(str(n), offering, quantity=quantity) for n, (offering, quantity) in enumerate(sold)))
    if flaw_of(state):
        return
    planned = {line.item: line for line in plan_order(state, BOOK, MONDAY).items}
    for line in planned.values():
        beside = {planned[base].offering for base in line.relies_on} | {
            each.offering for each in planned.values() if line.item in each.relies_on
        }
        needed = CATALOGUE.offerings[line.offering].requires
        assert not needed or beside & set(needed), f"{line.offering} is bound to nothing"
