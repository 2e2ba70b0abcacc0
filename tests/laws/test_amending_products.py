"""An order that changes products in service and was changed in flight, however often and whenever, leaves them as one that was placed so from the start."""

import os
import sys
from typing import Any

import hypothesis
from hypothesis import strategies as st

from o2c.orders.changing import TAKEN_BACK, products_of
from tests.as_placed import carried, ends_as_placed, ends_cancelled
from tests.changing import Phase, met, phases
from tests.given import Document, item
from tests.in_service import BASES, EXTRA, FIBRE, LINE, RESTING, InLife, as_stands, books, change
from tests.laws.test_amending import PLACES
from tests.moves import OF_PRODUCTS, told, undeclared, unexplained

DEEP = bool(os.environ.get("O2C_DEEP"))
Papers = list[tuple[Phase, tuple[Document, ...]]]
STUCK = met(("service-change", "esim-download"), ("mute", "refused", "failed"), (("fail",), ("fail",), ("correct",), ()))
"""The network does not answer, or a profile is not downloaded; most often a person gives the item up, and what was asked for is taken back."""
PHASES = st.one_of(
    *(phases(st.sampled_from((3, 3, 4, 4, 5, 6, 8)), ("", "", "", "", "service-change", "esim-download", "delivery")) for _ in range(3)),
    STUCK,
)
"""The gates take three rows; another number is had, changed at the network and in the inventory after three more."""
ALL = (LINE, FIBRE, EXTRA, RESTING)
DAYS = ("", "2026-01-08", "2026-01-20", "2026-02-10")
PLANS = (
    {},
    {"sold": "care-quarter"},
    {"sold": "care-quarter", "effective": "bill-date"},
    {"sold": "care-quarter", "commitmentMonths": "24"},
)
SIMS = ({}, {"simType": "physical"}, {"simSwap": "lost"}, {"simSwap": "stolen", "simType": "physical"})
RESTS = ({"status": "suspended", "statusReason": "lost-phone"}, {"status": "suspended", "statusReason": "seasonal"})
STAYS = (change("1", LINE, action="noChange"), item("4", "guard", relies_on=("1",)))
NEW = item("3", "line", characteristics={"simType": "esim"})


@st.composite
def changes_of_a_line(draw: st.DrawFn) -> tuple[Document, ...]:
    """Another plan, SIM or number, a rest, an end, or something added: now, for a day or for the day of the next bill."""
    on, turn = draw(st.sampled_from(DAYS)), draw(st.integers(0, 9))
    if turn == 0:
        return STAYS
    if turn == 1:
        return (change("1", LINE, action="delete", on=on),)
    if turn == 2:
        return (change("1", LINE, on=on, **draw(st.sampled_from(RESTS))),)
    wanted = {**draw(st.sampled_from(PLANS)), **draw(st.sampled_from(SIMS)), **draw(st.sampled_from(({}, {"numberChange": "true"})))}
    return (change("1", LINE, on=on, **{**({} if wanted else {"numberChange": "true"}), "place": draw(st.sampled_from(PLACES)), **wanted}),)


@st.composite
def papers(draw: st.DrawFn) -> tuple[Document, ...]:
    """A change of the line, a move or the end of the fixed access, what rests serves again or ends, and a line beside: one of these at least."""
    on = draw(st.sampled_from(DAYS))
    access = (
        (),
        (change("2", FIBRE, place=PLACES[1], on=on),),
        (change("2", FIBRE, place=PLACES[0], on=on),),
        (change("2", FIBRE, action="delete", on=on),),
    )
    rests = ((), (), (change("5", RESTING, status="active", on=on),), (change("5", RESTING, action="delete", on=on),))
    told = (
        *draw(st.one_of(changes_of_a_line(), changes_of_a_line(), st.just(()))),
        *draw(st.sampled_from(access)),
        *draw(st.sampled_from(rests)),
    )
    return (*told, *draw(st.sampled_from(((), (), (NEW,))))) or (NEW,)


def _claimed(story: InLife) -> None:
    """A product knows what an order is to change of it, or the network is still to take back of it for an item that ended, by which line, and nothing else."""
    state, wanted = story.state, dict[str, dict[str, str]]()
    for name, one in state.items.items() if state.planned else ():
        progress = state.progress.items[name]
        going_back = progress.recalls.get(TAKEN_BACK, "done") != "done"
        if one.product and (going_back if progress.ended else progress.steps.get("inventory") != "done"):
            attributes = products_of(state)[one.line].attributes if progress.ended else one.attributes
            wanted[one.product] = dict.fromkeys(attributes, f"{state.order_id}/{one.line}")
    for product in ALL if state.planned else ():
        claims = {name: by for name, by in story.kept[f"product-{product}"].changing.items() if not name.startswith("stays for")}
        assert claims == wanted.get(product, {})


def _ends_as_placed(story: InLife) -> None:
    placed, completed = ends_as_placed(story, lambda *papers: InLife(*papers).mended())
    _products_as_placed(story, placed, completed)
    _served(story)


def _products_as_placed(story: InLife, placed: InLife, completed: set[str]) -> None:
    """A product is as the order placed so leaves it where its item came to its end, else as it was; and no day of a change comes before the one that was wished."""
    for product in ALL:
        done = _lines_of(product, placed) <= {placed.state.items[name].line for name in completed}
        assert as_stands(story, product) == as_stands(placed if done else InLife(NEW), product)
    begun = {
        event.item: event.changed_on
        for stream, event in story.elsewhere
        if stream == f"product-{LINE}" and event.type_name == "product.changed"
    }
    assert all(day >= story.state.items[name].wished_on for name, day in begun.items())


def _lines_of(product: str, placed: InLife) -> set[str]:
    """The lines by whose items a product becomes another: its own, or those of what it relies on, or what is added to it."""
    bases = BASES[f"product-{product}"].relies_on
    own = {name.line for name in placed.state.items.values() if name.product in (product, *bases) or set(name.on_products) & {product}}
    return own or {"none"}


def _served(story: InLife) -> None:
    """The network serves each product by what it holds, and what ended by nothing."""
    told = books(story)
    for product in ALL:
        state = story.kept[f"product-{product}"]
        assert state.standing is not None
        held = state.standing.holds
        assert (product in told.on) != bool(state.ended_on)
        if not state.ended_on:
            assert told.on[product] == (held.get("iccid") or held.get("line_id") or state.standing.offering)
            assert told.numbers.get(product, [])[-1:] == [held["msisdn"]][: "msisdn" in held] if "msisdn" in held else True


@hypothesis.given(first=papers(), later=st.lists(st.tuples(PHASES, papers()), min_size=1, max_size=3))
@hypothesis.settings(max_examples=4_000 if DEEP else 100, deadline=None)
def test_products_are_as_an_order_placed_so_leaves_them(first: tuple[Document, ...], later: Papers) -> None:
    """Another plan, SIM, number or place, a rest or an end: what was asked for before and is wished no more leaves nothing at the product, its charge, the stock or a partner."""
    _ends_as_placed(carried(InLife(*first), later, _claimed))


@hypothesis.given(first=papers(), later=st.lists(st.tuples(PHASES, papers()), max_size=2), last=PHASES)
@hypothesis.settings(max_examples=2_000 if DEEP else 50, deadline=None)
def test_a_change_that_is_cancelled_leaves_products_as_they_were(first: tuple[Document, ...], later: Papers, last: Phase) -> None:
    """Where it is past its point of no return it ends as one that was placed so."""
    story = carried(InLife(*first), later, _claimed).go(last)
    if not ends_cancelled(story):
        _ends_as_placed(story)
        return
    assert {product: as_stands(story, product) for product in ALL} == _AS_IT_WAS
    _served(story)


def test_how_often_each_move_was_made() -> None:
    """Printed; in the deep profile each that is declared of products was made often enough, but for those that say why not."""
    rows = told(OF_PRODUCTS)
    sys.stdout.write("".join(f"{row.seen:>8} {row.machine:22} {row.state or '-'} -> {row.to} by {row.event}\n" for row in rows))

    assert undeclared(rows) == []
    assert not DEEP or unexplained(rows) == []


_AS_IT_WAS: dict[str, Any] = {product: as_stands(InLife(NEW), product) for product in ALL}
