"""An order that was changed in flight, however often and whenever, ends as one that was placed so from the start."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.decision import NOTHING
from o2c.kernel.partner import Accepted, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.orders import revising
from tests.as_placed import SEEN, Residue, as_charged, carried, ends_as_placed, ends_cancelled, kept, residue
from tests.changing import PHASES, Changing, Phase, met, phases
from tests.given import MARKET, MONDAY, Document, Story, item
from tests.moves import told, undeclared, unexplained
from tests.with_partners import outside

PLACES = ("1 Mill Lane, Testford, ZZ1 1AA", "7 Quay Street, Testford, ZZ1 2BB")
DEEP = bool(os.environ.get("O2C_DEEP"))
NUMBERS = ("+447700900123", "+447700900188")
BRINGS = {"portInNumber": NUMBERS[1], "portInCode": "ABC123456"}


@st.composite
def lines(draw: st.DrawFn, name: str) -> Document:
    """A mobile line: its form of SIM, plan, address, term, and the number that it brings, if any."""
    wanted = {"simType": draw(st.sampled_from(("esim", "physical"))), "commitmentMonths": draw(st.sampled_from(("12", "24")))}
    if number := draw(st.sampled_from(("", *NUMBERS))):
        wanted |= {"portInNumber": number if name == "1" else number[:-1] + "9", "portInCode": "ABC123456"}
    return item(name, draw(st.sampled_from(("line", "care-quarter"))), place=draw(st.sampled_from(PLACES)), characteristics=wanted)


def _line(name: str = "1", sim: str = "esim", **more: Any) -> Document:
    return item(name, more.pop("sold", "line"), characteristics={"simType": sim}, **more)


def _fibre(name: str = "1", **more: Any) -> Document:
    return item(name, "fibre", **more)


def _office(*within: Document, sold: str = "office") -> tuple[Document, ...]:
    return ({**item("9", sold), "productOrderItem": list(within)},)


def _whole(*within: Document) -> tuple[Document, ...]:
    return _office(*within, sold="whole-office")


_GUARD, _PLUS = item("3", "guard", relies_on=("1",)), item("4", "guard-plus", relies_on=("3",))
POOLS: tuple[tuple[tuple[Document, ...], ...], ...] = (
    (
        (_fibre(),),
        (_fibre(place=PLACES[1]),),
        (_fibre(characteristics={"commitmentMonths": "24"}),),
        (_fibre(), _GUARD),
        (_fibre(place=PLACES[1]), _GUARD),
        (_fibre(), _line("2")),
    ),
    tuple((_line(quantity=n, **more),) for n in (1, 2, 3) for more in ({}, {"sim": "physical"}, {"sold": "care-quarter"})),
    (
        _office(_line("1"), _line("2", "physical")),
        _office(_line("1")),
        _office(_line("1", "physical"), _line("2", "physical")),
        _office(_line("1"), _fibre("4")),
    ),
    (
        _whole(_line("1"), _fibre("2")),
        _whole(_line("1", "physical"), _fibre("2")),
        _whole(_line("1", "physical"), _fibre("2", place=PLACES[1])),
        _whole(_line("1")),
        _whole(_line("1"), _line("3")),
    ),
    (
        _office(_line("1"), item("2", characteristics=BRINGS), sold="pair"),
        _office(_line("1"), sold="pair"),
        _office(item("2", characteristics=BRINGS), sold="pair"),
        _office(_line("1"), _line("2"), _line("3", "physical"), sold="pair"),
    ),
    ((_line(), _GUARD), (_line(),), (_line(), _GUARD, _PLUS), (_line("1", "physical"), _PLUS, _GUARD)),
)
"""Papers that one order may be changed between: fixed accesses, several of one line, parts of a bundle, of one that has a price, of one whose lines are released together, add-ons upon add-ons."""


@st.composite
def papers(draw: st.DrawFn) -> tuple[Document, ...]:
    """One line or two, and an add-on of the first or none."""
    told = [draw(lines("1"))]
    if draw(st.booleans()):
        told.append(draw(lines("2")))
    if draw(st.booleans()):
        told.append(item("3", draw(st.sampled_from(("roaming", "care-week"))), relies_on=("1",)))
    return tuple(told)


@pytest.fixture(scope="module", autouse=True)
def printed() -> Iterator[None]:
    yield
    for (attribute, ponr, minor), times in sorted(SEEN.items()):
        sys.stdout.write(f"\nresidue {attribute or chr(45)}, {ponr}, {minor} minor: {times} times")


def _ends_as_placed(story: Changing) -> None:
    ends_as_placed(story, lambda *papers: Story(*papers).run())
    assert as_charged(story)


@hypothesis.given(first=papers(), later=st.lists(st.tuples(PHASES, papers()), min_size=1, max_size=3))
@hypothesis.settings(max_examples=10_000 if DEEP else 300, deadline=None)
def test_a_changed_order_ends_as_one_that_was_placed_so(
    first: tuple[Document, ...], later: list[tuple[Phase, tuple[Document, ...]]]
) -> None:
    """Its items, what they obtained, what is held and what is charged are the same; nothing of an earlier paper stays with anybody, nor of an item that came to nothing. So it
    is where partners refuse, fail, are silent or late, people resolve that, and the order is suspended before a change and resumed before another."""
    _ends_as_placed(carried(Changing(*first), later))


VISITED = st.one_of(phases(st.integers(1, 9)), met(("activation",), ("refused",)), met(("appointment",), ("accepted", "silent")))
"""What happens to a fixed access: often its visit is booked, or took place, when its paper is changed."""


@st.composite
def shapes(draw: st.DrawFn) -> tuple[tuple[Document, ...], list[tuple[Phase, tuple[Document, ...]]]]:
    """Papers of one pool; twice as often of fixed accesses, as no other has a visit."""
    pool = draw(st.sampled_from((POOLS[0], *POOLS)))
    paper, passing = st.sampled_from(pool), VISITED if pool is POOLS[0] else PHASES
    return draw(paper), draw(st.lists(st.tuples(passing, paper), min_size=1, max_size=3))


@hypothesis.given(papers=shapes())
@hypothesis.settings(max_examples=5_000 if DEEP else 150, deadline=None)
def test_so_does_one_of_another_shape(papers: tuple[tuple[Document, ...], list[tuple[Phase, tuple[Document, ...]]]]) -> None:
    """Fixed accesses with a fitter's visit, several of one line, parts of a bundle, add-ons upon add-ons."""
    first, later = papers
    _ends_as_placed(carried(Changing(*first), later))


@hypothesis.given(first=papers(), later=st.lists(st.tuples(PHASES, st.integers(0, 2), papers()), min_size=1, max_size=3))
@hypothesis.settings(max_examples=2_000 if DEEP else 60, deadline=None)
def test_so_does_one_of_which_items_are_cancelled(
    first: tuple[Document, ...], later: list[tuple[Phase, int, tuple[Document, ...]]]
) -> None:
    """An item is cancelled before each change, with what relies on it: the others are as they were placed, and nothing is left of these, nor comes for them any more."""
    story = Changing(*first)
    for phase, turn, items in later:
        story.go(phase)
        for name in list(story.state.items)[turn : turn + 1]:
            with suppress(Refused):
                story.cancel(name, at=story.next_at())
        story.change(items)
    _ends_as_placed(story)


@pytest.mark.parametrize("until", ["cutover", "number-change"])
def test_what_is_charged_is_not_priced_anew_beside_other_lines(until: str) -> None:
    """One of a pair waits for its number and is charged its half of the bundle: the other cannot go any more, as the whole would be on the first; until it was charged it could."""
    story = Changing(*_office(_line("1", "physical"), item("2", characteristics=BRINGS), sold="pair")).run(until=until)
    alone = _office(item("2", characteristics=BRINGS), sold="pair")
    assert story.state.progress.items["2"].steps["charging"] == "done"
    assert story.change(alone) is False
    refused = story.last("order.revision-refused")
    assert refused.past["2"] == "it is charged, and would cost otherwise"
    assert as_charged(story.run())

    early = Changing(*_office(_line("1", "physical"), item("2", characteristics=BRINGS), sold="pair")).run(until="sim")
    assert early.change(alone) is True
    assert as_charged(early.run())
    assert early.state.items["2"].recurring_minor == 3001


@hypothesis.given(first=papers(), later=st.lists(st.tuples(PHASES, papers()), min_size=1, max_size=3), last=PHASES)
@hypothesis.settings(max_examples=4_000 if DEEP else 100, deadline=None)
def test_a_changed_order_that_is_cancelled_leaves_nothing(
    first: tuple[Document, ...], later: list[tuple[Phase, tuple[Document, ...]]], last: Phase
) -> None:
    """Whatever it was changed to, and whatever partners were still asked to drop: once it is cancelled nobody holds anything for it. Where that is refused, or nothing is left to cancel, it ends as one
    that was placed so."""
    story = carried(Changing(*first), later).go(last)
    if not ends_cancelled(story):
        _ends_as_placed(story)


def test_a_fitter_who_was_booked_is_paid_once_a_change() -> None:
    """The printed residue: another address costs the visit that was booked; the same change while that is still being called off costs nothing more."""
    story = Changing(_fibre()).run(until="appointment")
    story.attend("appointment", "1", Accepted("V-1", MONDAY + timedelta(days=4)))
    assert story.change((_fibre(place=PLACES[1]),))
    assert story.change((_fibre(),))
    story.run()

    visit = MARKET.life.change_penalties_minor["appointment"]
    assert residue(story) == [Residue("1", "place", "appointment", ("order.revised 1", "account.charge-started 1-change-1"), visit)]
    assert kept(story, {"1"}) == kept(Story(_fibre()).run(), {"1"})


def test_a_port_whose_window_was_given_up_is_asked_back() -> None:
    """It is planned again, and the clearing house has it still: found by the law with faults, which saw a number held for ever."""
    story = Changing(item("1", characteristics={"portInNumber": NUMBERS[0], "portInCode": "ABC123456"})).run(until="activation")
    story.attend("activation", "1", RefusedBy("PERMANENT"))
    story.run()
    assert "porting.postponed" in story.names()
    assert story.change((_line(),))
    story.mended()

    assert "porting-cancel.confirmed" in story.names()
    assert (story.states()[""], outside(story)["1", "porting", NUMBERS[0]], story.holds("port-in")) == ("completed", 0, False)


def test_a_port_is_asked_for_anew_when_the_one_of_before_is_dropped() -> None:
    """A window that was given up leaves the step planned, and the changed one waits for nothing: it was asked for while the clearing house still had the other number."""
    before, after = (item("1", characteristics={"portInNumber": number, "portInCode": "ABC123456"}) for number in NUMBERS)
    story = Changing(before).run(until="activation")
    story.attend("activation", "1", RefusedBy("PERMANENT"))
    story.run()
    assert story.change((after,))
    told = len(story.names())
    assert "porting.requested" not in story.names()[story.names().index("order.revised") : told]
    story.mended()

    of_port = [name for name in story.names()[told:] if name.startswith("porting")]
    assert of_port[:2] == ["porting-cancel.confirmed", "porting.requested"]
    assert outside(story) == outside(Story(after).run())


def test_a_partner_that_nobody_asks_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: where work is taken back and the partner that has it is not told, a port that nobody wants stays outside."""
    monkeypatch.setattr(revising, "ask_back", lambda *told: NOTHING)
    before, after = (item("1", characteristics={"portInNumber": number, "portInCode": "ABC123456"}) for number in NUMBERS)
    story = Changing(before).run(until="cutover")
    assert story.change((after,))
    with pytest.raises(AssertionError, match="porting"):
        assert outside(story.run()) == outside(Story(after).run())


def test_how_often_each_move_was_made() -> None:
    """Printed; in the deep profile each that is declared of an order, and of what it takes, was made often enough, but for those that say why not."""
    rows = told()
    sys.stdout.write("".join(f"{row.seen:>8} {row.machine:14} {row.state or '-'} -> {row.to} by {row.event or 'any'}\n" for row in rows))

    assert undeclared(rows) == []
    assert not DEEP or unexplained(rows) == []
