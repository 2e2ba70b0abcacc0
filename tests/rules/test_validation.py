"""Judging a captured order: every flaw has its code, and an order that passes can be planned."""

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from o2c.kernel.refusal import Refused
from o2c.orders.planning import commitment_minor, plan_order
from o2c.plan import STEPS
from tests.given import BOOK, CATALOGUE, MONDAY, PORTING, Document, Story, captured, flaw_of, item


def test_twenty_four_numbers_are_no_bulk_port() -> None:
    """Nor are more that come under codes of their own: each code is a customer's with another donor."""
    assert flaw_of(captured(item(quantity=24, characteristics=bringing(24)))) == ""
    own = {f"portInCode#{n}": f"ABC{n:06d}" for n in range(1, 31)}
    assert flaw_of(captured(item(quantity=30, characteristics={**bringing(30), **own}))) == ""


def bundle(name: str, *children: Document, **changes: Any) -> Document:
    return item(name, "office", productOrderItem=list(children), **changes)


def bringing(count: int) -> dict[str, str]:
    """Characteristics of an item that brings so many numbers under one code."""
    return {"portInCode": PORTING["portInCode"], **{f"portInNumber#{n}": f"+4477009001{n:02d}" for n in range(1, count + 1)}}


FLAWED = [
    pytest.param([], {"relatedParty": []}, "DQ-PARTY: no related party has the role customer", id="party-none"),
    pytest.param([item()], {"relatedParty": [{"id": "", "role": "customer"}]}, "DQ-PARTY: no related party", id="party-empty"),
    pytest.param([item()], {"relatedParty": [{"id": "C-1001", "role": "seller"}]}, "DQ-PARTY: no related party", id="party-seller-only"),
    pytest.param([item()], {"relatedParty": [{"id": "C-9", "role": "customer"}]}, "DQ-PARTY: the party is not", id="party-unknown"),
    pytest.param([], {}, "DQ-ITEM: no items", id="item-none"),
    pytest.param([item(action="noChange")], {}, "DQ-ITEM: no items", id="item-nothing-changes"),
    pytest.param([bundle("1", item("1.1", action="noChange"))], {}, "DQ-ITEM: no items", id="item-nothing-changes-in-a-bundle"),
    pytest.param([item("1"), item("1")], {}, "DQ-ITEM: item id 1 ", id="item-twice"),
    pytest.param([item("1"), item(1)], {}, "DQ-ITEM: item id 1 ", id="item-twice-as-text-and-number"),
    pytest.param([bundle("1", item("1"))], {}, "DQ-ITEM: item id 1 ", id="item-named-like-its-bundle"),
    pytest.param([item("")], {}, "DQ-ITEM: item id (empty)", id="item-without-id"),
    pytest.param([item("1", quantity=2), item("1#2")], {}, "DQ-ITEM: item id 1#2", id="item-named-like-a-line-of-another"),
    pytest.param([item(quantity=1001)], {}, "DQ-ITEM: quantity", id="quantity-1001"),
    *(
        pytest.param([item(quantity=quantity)], {}, "DQ-ITEM: quantity of item 1", id=f"quantity-{name}")
        for name, quantity in {
            "0": 0, "minus-1": -1, "a-half-more": 1.5, "1e9": 1e9, "1e9-whole": 10**9, "null": None, "empty": "",
            "words": "two", "arabic-indic": "٣", "superscript": "²", "full-width": "７", "spaces": " 1", "plus": "+1", "hex": "0x1",
            "true": True, "list": [1], "4000-digits": 10**4000,
        }.items()
    ),
    pytest.param([item(str(n), quantity=1000) for n in range(6)], {}, "DQ-ITEM: more than 5000 lines", id="lines-6000"),
    pytest.param([bundle("1", item("2", quantity=71), quantity=71)], {}, "DQ-ITEM: more than 5000 lines", id="lines-71-times-71"),
    pytest.param([item("1", relies_on=("2",))], {}, "DQ-ITEM: item 1 relies on 2", id="relies-on-nothing-there"),
    pytest.param([item("1", relies_on=("1",))], {}, "DQ-ITEM: reliesOn of item 1 is cyclic", id="relies-on-itself"),
    pytest.param([item("1", relies_on=("2",)), item("2", relies_on=("1",))], {}, "DQ-ITEM: reliesOn", id="circle-of-two"),
    pytest.param([item(n, relies_on=(b,)) for n, b in ("12", "23", "34", "42")], {}, "DQ-ITEM: reliesOn", id="circle-with-a-tail"),
    pytest.param([bundle("1", item("2", relies_on=("1",)))], {}, "DQ-ITEM: reliesOn", id="relies-on-its-own-bundle"),
    pytest.param([bundle("1", item("2"), relies_on=("2",))], {}, "DQ-ITEM: reliesOn", id="bundle-relies-on-its-own-line"),
    pytest.param(
        [bundle("1", item("2", relies_on=("3",))), bundle("3", item("4", relies_on=("2",)))], {}, "DQ-ITEM: reliesOn", id="circle-by-bundle"
    ),
    pytest.param([item(quantity=3, characteristics=PORTING)], {}, "DQ-ITEM: item 1 is 3 lines and brings one number; send one line a number, or",
                 id="one-number-for-three-lines"),
    pytest.param([bundle("1", item("2", characteristics=bringing(2)), quantity=3)], {}, "DQ-ITEM: item 2 is 3 lines and brings 2 numbers",
                 id="two-numbers-for-three-lines-by-its-bundle"),
    pytest.param([item(quantity=2, characteristics=bringing(3))], {}, "DQ-ITEM: item 1 is 2 lines and brings 3 numbers", id="a-number-too-many"),
    pytest.param([item(characteristics=bringing(2))], {}, "DQ-ITEM: item 1 is one line and brings 2 numbers", id="two-numbers-for-a-line"),
    pytest.param([item(quantity=25, characteristics=bringing(25))], {}, "DQ-ITEM: 25 numbers under one code are a bulk port", id="a-bulk-port"),
    pytest.param([item("1", quantity=20, characteristics=bringing(20)), item("2", quantity=5, characteristics=bringing(5))], {},
                 "DQ-ITEM: 25 numbers under one code", id="a-bulk-port-of-two-items"),
    pytest.param([item(action="")], {}, "DQ-ACTION: item 1 has an unknown", id="action-none"),
    pytest.param([item(action="ADD")], {}, "DQ-ACTION: item 1 has an unknown", id="action-in-capitals"),
    pytest.param([item(action="upgrade")], {}, "DQ-ACTION: item 1 has an unknown", id="action-unknown"),
    pytest.param([item(action="modify")], {}, "DQ-ACTION: item 1 (modify) names no", id="modify-without-product"),
    pytest.param([item(action="delete")], {}, "DQ-ACTION: item 1 (delete) names no", id="delete-without-product"),
    pytest.param([item(action="delete", product={"id": "P-1"})], {}, "DQ-ACTION: item 1 (delete) names a", id="delete-of-what-is-not-there"),
    pytest.param([item(action="noChange", productOffering=None, product={"id": "P-1"}), item("2")], {},
                 "DQ-ACTION: item 1 (noChange) names a product that is not in the inventory", id="no-change-of-what-is-not-there"),
    pytest.param([item(action="noChange", productOffering=None), item("2")], {}, "DQ-ACTION: item 1 (noChange) names no product", id="no-change-of-nothing"),
    pytest.param([item(sold="")], {}, "DQ-OFFER: item 1 names no offering", id="offer-none"),
    pytest.param([item(sold="moon-line")], {}, "DQ-OFFER: the offering of item 1 is unknown", id="offer-unknown"),
    pytest.param([item(sold="Line")], {}, "DQ-OFFER: the offering of item 1 is unknown", id="offer-in-capitals"),
    pytest.param([item(sold="retired-line")], {}, "DQ-OFFER: the offering of item 1 is retired", id="offer-retired"),
    pytest.param([item(sold="in-test")], {}, "DQ-OFFER: the offering of item 1 is not on sale: its state is In test", id="offer-in-test"),
    pytest.param([item(sold="next-year")], {}, "DQ-OFFER: the offering of item 1 is not yet valid", id="offer-not-yet-valid"),
    pytest.param([item(sold="last-year")], {}, "DQ-OFFER: the offering of item 1 is not valid any more", id="offer-not-valid-any-more"),
    pytest.param([item(sold="inside")], {}, "DQ-OFFER: the offering of item 1 is not sold alone", id="offer-sold-in-a-bundle-only"),
    pytest.param([item(sold="dear-in-may")], {}, "DQ-OFFER: the offering of item 1 has no recurring price", id="offer-without-a-valid-price"),
    pytest.param([item(sold="office")], {}, "DQ-OFFER: item 1 is a bundle", id="bundle-without-lines"),
    pytest.param([item("1", productOrderItem=[item("2")])], {}, "DQ-OFFER: item 1 is a bundle", id="lines-under-no-bundle"),
    pytest.param([item(characteristics={"simType": "steam"})], {}, "DQ-OFFER: simType of item 1", id="characteristic-outside"),
    pytest.param([item(characteristics={"simType": "eSIM"})], {}, "DQ-OFFER: simType of item 1", id="characteristic-in-capitals"),
    pytest.param([item(product={})], {}, "DQ-OFFER: simType of item 1", id="characteristic-missing"),
    pytest.param([bundle("1", item("2", sold="moon-line"))], {}, "DQ-OFFER: the offering of item 2", id="offer-in-a-bundle"),
]  # fmt: skip


@pytest.mark.parametrize(("items", "changes", "why"), FLAWED)
def test_a_flaw_has_its_code_and_its_place(items: list[Document], changes: Document, why: str) -> None:
    """The first flaw of an order is told as code and place; it is the order's first pending gate, and the channel must answer."""
    assert flaw_of(captured(*items, **changes)).startswith(why)
    story = Story(*items, **changes)
    story.attend("validation")
    fell_out = story.last("validation.fell-out")
    assert f"{fell_out.reason}: {fell_out.detail}".startswith(why)
    assert (fell_out.waiting_for, story.states(), story.agenda) == ("channel", {"": "pending"}, {})


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([item()], id="one"),
        pytest.param([item(quantity=1000)], id="a-thousand"),
        pytest.param([item(str(n), quantity=1000) for n in range(5)], id="five-thousand"),
        pytest.param([bundle("1", bundle("2", item("3"), quantity=10), quantity=10)], id="bundle-in-a-bundle"),
        pytest.param([item("1", relies_on=("2", "3")), item("2", relies_on=("3",)), item("3")], id="relies-on-later-ones"),
        pytest.param([bundle("1", item("2", relies_on=("3",)), item("3"))], id="relies-on-a-sibling"),
        pytest.param([item("1", action="noChange"), item("2")], id="one-line-stays"),
        pytest.param([item(characteristics={"colour": "any"})], id="a-characteristic-nobody-asked-for"),
        pytest.param([item(sold="roaming", characteristics={"commitmentMonths": "forever"})], id="months-of-what-has-no-commitment"),
        pytest.param([item("1#2", quantity=2), item("1")], id="a-number-sign-in-an-id"),
        pytest.param([item(sold="launched")], id="launched"),
        pytest.param([bundle("1", item("2", sold="inside"))], id="not-sold-alone-within-a-bundle"),
        pytest.param([item(sold="easy", product={})], id="a-default-and-an-optional-characteristic"),
    ],
)
def test_a_sound_order_can_be_planned(items: list[Document]) -> None:
    """What is within the rules has no flaw, a sum to ask credit for, and a plan."""
    state = captured(*items)
    assert flaw_of(state) == ""
    assert commitment_minor(state, CATALOGUE) > 0
    assert plan_order(state, BOOK, MONDAY).items


def test_a_sound_order_passes_the_gates() -> None:
    """Validation, identity and credit are asked one after another, then the order is planned."""
    names = Story(item()).run(until="number").names()
    assert names[1:8] == [
        "validation.requested", "order.validated", "identity.requested", "identity.passed", "credit.requested", "credit.approved", "order.planned",
    ]  # fmt: skip


def test_flaws_are_told_in_their_order() -> None:
    """Party before items, items before actions, actions before offerings."""
    worst = {"items": [item(action="x", sold="x"), item(quantity=0)], "relatedParty": []}
    found = [
        flaw_of(captured(*worst["items"], relatedParty=[])),
        flaw_of(captured(*worst["items"])),
        flaw_of(captured(item(action="x", sold="x"))),
        flaw_of(captured(item(sold="x"))),
    ]
    assert [flaw.partition(":")[0] for flaw in found] == ["DQ-PARTY", "DQ-ITEM", "DQ-ACTION", "DQ-OFFER"]


def test_an_order_before_any_catalogue_lacks_its_offering() -> None:
    """Catalogue version 0 is an empty catalogue, read as no stream at all; the order waits for a correction."""
    state = captured(item(), catalogue_version=0)
    work = Story(item()).work("", "validation")
    empty = {"catalogue-main@0": None, "customer-C-1001": object()}
    assert STEPS["validation"].check(type(work)(work.stream, "", "validation", 1, state, None, read=empty), MONDAY).startswith("DQ-OFFER")


@pytest.mark.parametrize("links", [pytest.param(range(1, 2000), id="forwards"), pytest.param(range(1999, 0, -1), id="backwards")])
def test_a_long_chain_is_judged_as_well(links: range) -> None:
    """Two thousand items that each rely on the next are in order, however they stand."""
    items = [item("0", "roaming"), *(item(str(n), "roaming", relies_on=(str(n - 1),)) for n in links)]
    assert flaw_of(captured(*items)) == ""


names = strategies.sampled_from(["1", "2", "3", "4", "1#2"])


@strategies.composite
def odd_orders(draw: strategies.DrawFn) -> list[Document]:
    """Up to four items, each on its own or inside an earlier one, relying on each other; in about half of the orders nothing is wrong."""
    top: list[Document] = []
    made: list[Document] = []
    chosen = draw(strategies.lists(names, min_size=1, max_size=4, unique=draw(strategies.integers(0, 9)) > 0))
    for place, name in enumerate(chosen):
        base = draw(strategies.sampled_from([*[""] * 4, *chosen[:place] * 3, *chosen]))
        relies_on = (base,) if base else ()
        quantity, action = draw(strategies.sampled_from([1] * 9 + [2, 2, 0])), draw(strategies.sampled_from(["add"] * 5 + ["noChange"]))
        made.append(item(name, draw(strategies.sampled_from(["line", "roaming"])), relies_on=relies_on, quantity=quantity, action=action))
        around = draw(strategies.sampled_from([None, None, *made[:-1]]))
        if around is not None:
            around["productOffering"] = {"id": "office"}
        (top if around is None else around.setdefault("productOrderItem", [])).append(made[-1])
    return top


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(odd_orders())
def test_what_passes_can_be_planned_and_finished(items: list[Document]) -> None:
    """Whatever a channel sends is either told its flaw or planned into at least one line, none waiting for itself in a circle."""
    state = captured(*items)
    if flaw_of(state):
        return
    planned = plan_order(state, BOOK, MONDAY).items
    assert planned
    assert len({line.item for line in planned}) == len(planned)
    finished: set[str] = set()
    while ready := [line.item for line in planned if line.item not in finished and finished.issuperset(line.relies_on)]:
        finished.update(ready)
    assert finished == {line.item for line in planned}


def corrected(story: Story, **changes: str) -> Story:
    story.correct("validation", "", {key.replace("__", "."): value for key, value in changes.items()})
    return story


@pytest.mark.parametrize(
    ("items", "changes", "corrections"),
    [
        pytest.param([item()], {"relatedParty": []}, {"party": "C-1001"}, id="party"),
        pytest.param([item(quantity=0)], {}, {"line__1__quantity": "2"}, id="quantity"),
        pytest.param([item("1"), item("1")], {}, {"line__2__item": "2"}, id="item-id"),
        pytest.param([item("1"), item("1")], {}, {"line__2__drop": ""}, id="a-line-too-many"),
        pytest.param([item(action="x")], {}, {"line__1__action": "add"}, id="action"),
        pytest.param([item(sold="x")], {}, {"line__1__offering": "line"}, id="offering"),
        pytest.param([item(characteristics={"simType": "x"})], {}, {"line__1__simType": "esim"}, id="characteristic"),
        pytest.param([item(relies_on=("9",))], {}, {"line__1__relies_on": ""}, id="relation"),
    ],
)
def test_a_correction_brings_the_order_to_its_plan(items: list[Document], changes: Document, corrections: dict[str, str]) -> None:
    """The gate opens once what it stumbled over is corrected; nothing else has to be done."""
    story = Story(*items, **changes)
    story.attend("validation")
    assert corrected(story, **corrections).run().states()[""] == "completed"


@pytest.mark.parametrize(
    ("billing_account", "account"),
    [pytest.param(None, "C-1001", id="none-named"), pytest.param({"id": "BA-7"}, "BA-7", id="one-named")],
)
@pytest.mark.parametrize(
    "parties", [pytest.param([], id="no-party"), pytest.param([{"id": "C-9", "role": "customer"}], id="unknown-party")]
)
def test_a_corrected_party_is_billed_unless_an_account_was_named(billing_account: Any, account: str, parties: list[Document]) -> None:
    """An order without billing account is billed to its party, so the account follows a corrected party."""
    story = Story(item(), relatedParty=parties, billingAccount=billing_account)
    story.attend("validation")
    assert corrected(story, party="C-1001").run().last("order.planned").account == account


@pytest.mark.parametrize(
    "key",
    ["line.0.quantity", "line.-1.quantity", "line.3.quantity", "line.x.quantity", "item.1.quantity", "line.1", "quantity", "catalogue"],
)
def test_a_correction_of_what_is_not_there_is_refused(key: str) -> None:
    """Lines are counted from 1 to the last; any other name is a caller's mistake and changes nothing."""
    story = Story(item("1", quantity=0), item("2"))
    story.attend("validation")
    with pytest.raises(Refused, match="no such thing to correct"):
        story.correct("validation", "", {key: "new"})
    assert len(story.state.lines) == 2


def test_a_bundle_corrected_into_itself_is_cyclic() -> None:
    """A correction may name a line like the bundle it stands in once that has another name; this is told, not followed for ever."""
    story = Story(bundle("1", item("2", quantity=0)))
    story.attend("validation")
    story.correct("validation", "", {"line.1.item": "9", "line.2.item": "1", "line.2.quantity": "1"})
    story.attend("validation")
    assert story.last("validation.fell-out").reason == "DQ-ITEM"
