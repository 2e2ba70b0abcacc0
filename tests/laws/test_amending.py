"""An order that was changed in flight, however often and whenever, ends as one that was placed so from the start."""

import os
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.charges import LATE_CHANGE, ChargeStarted, ChargeWithdrawn
from o2c.kernel.decision import NOTHING
from o2c.kernel.partner import Accepted, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.orders import revising
from o2c.orders.penalties import charge_of
from o2c.orders.revision_events import OrderRevised
from o2c.orders.rollup import FINAL
from o2c.orders.state import Planned
from o2c.porting.events import PortInCancelRefused
from tests.changing import PHASES, Changing, Phase
from tests.given import MARKET, MONDAY, Document, Story, item
from tests.moves import note, told, undeclared, unexplained
from tests.with_partners import outside, too_soon

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
        (_fibre(), _line("2")),
    ),
    tuple((_line(quantity=n, **more),) for n in (1, 2, 3) for more in ({}, {"sim": "physical"}, {"sold": "care-quarter"})),
    (
        _office(_line("1"), _line("2", "physical")),
        _office(_line("1")),
        _office(_line("1", "physical"), _line("2", "physical")),
        _office(_line("1"), _fibre("4")),
    ),
    (_whole(_line("1"), _fibre("2")), _whole(_line("1", "physical"), _fibre("2")), _whole(_line("1")), _whole(_line("1"), _line("3"))),
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


def kept(story: Story, names: Collection[str]) -> dict[str, Any]:
    """What stands of some items when their order is over: what each is, costs and obtained; what is held for it; and what is charged."""
    state = story.state
    held = Counter((kind, key if kind == "port-in" else "", of) for (kind, key), of in story.holders.items() if kind != CREDITED)
    return {
        "items": {name: _as_planned(state.items[name]) for name in names},
        "states": {name: story.states()[name] for name in names},
        "steps": {name: dict(sorted(state.progress.items[name].steps.items())) for name in names},
        "held": {one: times for one, times in held.items() if one[2].rpartition("/")[2] in names},
        "charges": Counter((one.item, one.recurring_minor) for one in charged(story) if one.item in names),
        "outside": Counter({one: times for one, times in outside(story).items() if one[0] in names}),
        "sims": {name: count for name, count in _net(story, "sim.assigned", "sim.released", "sim.lost").items() if name in names},
        "numbers": {name: count for name, count in _net(story, "number.assigned", "number.released").items() if name in names},
    }


def charged(story: Story) -> list[ChargeStarted]:
    """What is charged in the end but for what changes cost: a charge that was withdrawn, as what it is for was on and failed, is none."""
    running: list[ChargeStarted] = []
    for _, event in story.elsewhere:
        if isinstance(event, ChargeStarted) and event.offering != LATE_CHANGE:
            running.append(event)
        elif isinstance(event, ChargeWithdrawn):
            running = [one for one in running if (one.order, one.item) != (event.order, event.item)]
    return running


def _as_planned(one: Planned) -> tuple[Any, ...]:
    sold = one.offering, one.characteristics, one.place, one.recurring_minor, one.one_time_minor, one.terms
    return *sold, one.product, one.attributes, one.on_products, sorted(one.waits)


def counted(story: Story, *, completed: bool) -> set[str]:
    """The items of an order that is over which count in its state: those that were completed, or those that were not."""
    removed = story.state.progress.removed
    return {name for name, how in story.states().items() if name and name not in removed and (how == "completed") is completed}


CREDITED = "compensation"
"""The guards of what is credited to a customer for trouble that he had, such as a visit that nobody made: whatever becomes of the order, that was."""
NOTHING_KEPT: Mapping[str, Any] = {"held": {}, "charges": Counter(), "outside": Counter(), "sims": {}, "numbers": {}}
"""What stands outside of an item that came to nothing."""


class Residue(NamedTuple):
    """What a changed order costs beside what one placed so costs: the line and its attribute, the point of no return that was passed, the events, and how much."""

    line: str
    attribute: str
    ponr: str
    events: tuple[str, ...]
    minor: int


SEEN: Counter[tuple[str, str, int]] = Counter()
"""The residues of all histories by attribute, point and amount: printed at the end (`pytest -s`)."""


@pytest.fixture(scope="module", autouse=True)
def printed() -> Iterator[None]:
    yield
    for (attribute, ponr, minor), times in sorted(SEEN.items()):
        sys.stdout.write(f"\nresidue {attribute or chr(45)}, {ponr}, {minor} minor: {times} times")


def residue(story: Story) -> list[Residue]:
    """Give what it cost that the order was changed when partners had work of it; each has the price that its market declares, and is charged as it was told."""
    found = []
    for event in (one for one in story.events if isinstance(one, OrderRevised)):
        for one in event.penalties:
            names = (f"order.revised {event.revision}", f"account.charge-started {charge_of(one.item, event.revision)}")
            found.append(Residue(one.line, ",".join(one.attributes), one.step, names, one.amount_minor))
            assert one.amount_minor == MARKET.life.change_penalties_minor[one.step]
    late = [event for _, event in story.elsewhere if isinstance(event, ChargeStarted) and event.offering == LATE_CHANGE]
    assert sum(each.one_time_minor for each in late) == sum(one.minor for one in found)
    assert {f"account.charge-started {each.item}" for each in late} == {one.events[1] for one in found}
    assert len(late) == len({each.item for each in late})
    SEEN.update((one.attribute, one.ponr, one.minor) for one in found)
    return found


def _net(story: Story, taken: str, *given: str) -> dict[str, int]:
    """How many pieces each item has in the end."""
    count: Counter[str] = Counter()
    for event in story.events:
        if event.type_name in (taken, *given):
            count[event.item] += 1 if event.type_name == taken else -1
    return {name: number for name, number in count.items() if number}


@hypothesis.given(first=papers(), later=st.lists(st.tuples(PHASES, papers()), min_size=1, max_size=3))
@hypothesis.settings(max_examples=10_000 if DEEP else 300, deadline=None)
def test_a_changed_order_ends_as_one_that_was_placed_so(
    first: tuple[Document, ...], later: list[tuple[Phase, tuple[Document, ...]]]
) -> None:
    """Its items, what they obtained, what is held and what is charged are the same; nothing of an earlier paper stays with anybody, nor of an item that came to nothing. So it
    is where partners refuse, fail, are silent or late, people resolve that, and the order is suspended before a change and resumed before another."""
    _ends_as_placed(changed_by(first, later))


@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=5_000 if DEEP else 150, deadline=None)
def test_so_does_one_of_another_shape(data: st.DataObject) -> None:
    """Fixed accesses with a fitter's visit, several of one line, parts of a bundle, add-ons upon add-ons."""
    pool = st.sampled_from(data.draw(st.sampled_from((POOLS[0], *POOLS))))  # twice as many fixed accesses: no other has a visit
    _ends_as_placed(changed_by(data.draw(pool), data.draw(st.lists(st.tuples(PHASES, pool), min_size=1, max_size=3))))


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


def changed_by(first: tuple[Document, ...], later: list[tuple[Phase, tuple[Document, ...]]]) -> Changing:
    """An order that was changed so, and is still under way or not."""
    story = Changing(*first)
    for phase, items in later:
        story.go(phase)
        story.change(items)
    return story


def _ends_as_placed(story: Changing) -> None:
    note(story.mended())
    assert too_soon(story) == []
    placed = Story(*as_kept(story)).run()
    completed, lost = counted(story, completed=True), counted(story, completed=False)

    assert story.states()[""] in FINAL
    assert completed | lost == set(placed.state.items) or story.states()[""] == "rejected"
    assert (kept(story, completed), residue(placed)) == (kept(placed, completed), [])
    assert {what: kept(story, lost)[what] for what in NOTHING_KEPT} == NOTHING_KEPT
    assert as_charged(story)
    residue(story)


def as_kept(story: Changing) -> tuple[Document, ...]:
    """The paper in force with the numbers that come all the same, as the clearing house dropped their ports no more: a residue that costs nothing."""
    came = {event.item: event.msisdn for event in story.events if isinstance(event, PortInCancelRefused)}
    has = {
        name: one.characteristics
        for name, one in story.state.items.items()
        if came.get(name) == one.characteristics.get("portInNumber", "")
    }
    after = tuple(_bringing(document, has) for document in story.papers[-1])
    SEEN["portInNumber", "porting-cancel", 0] += after != story.papers[-1]
    return after


def _bringing(document: Document, has: Mapping[str, Mapping[str, str]]) -> Document:
    within = {"productOrderItem": [_bringing(one, has) for one in document["productOrderItem"]]} if "productOrderItem" in document else {}
    if document["id"] not in has:
        return {**document, **within}
    said = {each["name"]: each["value"] for each in document["product"]["productCharacteristic"] if each["name"] not in BRINGS}
    said |= {name: value for name, value in has[document["id"]].items() if name in BRINGS}
    return {
        **document,
        **within,
        "product": {**document["product"], "productCharacteristic": [{"name": n, "value": v} for n, v in said.items()]},
    }


def as_charged(story: Story) -> bool:
    """Whether every item costs what it is charged."""
    charged = {event.item: event.recurring_minor for _, event in story.elsewhere if isinstance(event, ChargeStarted)}
    return all(charged.get(name, planned.recurring_minor) == planned.recurring_minor for name, planned in story.state.items.items())


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
    story = changed_by(first, later).go(last)
    if story.state.closed:
        return
    story.cancel(at=story.next_at())
    if story.state.progress.cancellation != "pendingCancellation":
        _ends_as_placed(story)
        return
    note(story.mended())

    assert too_soon(story) == []
    assert story.states()[""] == "cancelled"
    everything = kept(story, set(story.state.items))
    assert (everything["held"], everything["sims"], everything["numbers"], everything["outside"]) == ({}, {}, {}, Counter())


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
