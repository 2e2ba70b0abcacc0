"""An order that was changed in flight, however often and whenever, ends as one that was placed so from the start."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.charges import LATE_CHANGE, ChargeStarted
from o2c.kernel.decision import NOTHING
from o2c.kernel.frozen import changed
from o2c.kernel.partner import Accepted
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import Done, step_of
from o2c.orders import revising
from o2c.orders.assessing import Assessed, as_it_stands, assess, laid_over
from o2c.orders.events import OrderPlanned
from o2c.orders.penalties import charge_of
from o2c.orders.planning import planned_minor
from o2c.orders.revised import as_before_plan
from o2c.orders.revising import ChangedPaper, revise_order
from o2c.orders.revision_events import OrderRevised
from o2c.orders.rollup import FINAL, SUSPENSION
from o2c.orders.state import OrderState
from o2c.orders.step import KIND as ORDER
from o2c.plan import STEPS
from tests.given import BOOK, MARKET, MONDAY, Document, Story, flaw_of, item, wish
from tests.moves import note, told, undeclared, unexplained

PLACES = ("1 Mill Lane, Testford, ZZ1 1AA", "7 Quay Street, Testford, ZZ1 2BB")
MOMENTS = st.integers(1, 7)
"""How many rows are attended to before the paper is changed: the gates take three, and most orders of one line are over after twenty."""
DEEP = bool(os.environ.get("O2C_DEEP"))
NUMBERS = ("+447700900123", "+447700900188")


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


def _office(*within: Document) -> tuple[Document, ...]:
    return ({**item("9", "office"), "productOrderItem": list(within)},)


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
    ((_line(), _GUARD), (_line(),), (_line(), _GUARD, _PLUS), (_line("1", "physical"), _PLUS, _GUARD)),
)
"""Papers that one order may be changed between: fixed accesses, several of one line, parts of a bundle, add-ons upon add-ons."""


@st.composite
def papers(draw: st.DrawFn) -> tuple[Document, ...]:
    """One line or two, and an add-on of the first or none."""
    told = [draw(lines("1"))]
    if draw(st.booleans()):
        told.append(draw(lines("2")))
    if draw(st.booleans()):
        told.append(item("3", draw(st.sampled_from(("roaming", "care-week"))), relies_on=("1",)))
    return tuple(told)


class Changing(Story):
    """A story whose paper is changed on its way."""

    def __init__(self, *items: Document) -> None:
        self.papers = [items]
        super().__init__(*items)

    def drafted(self) -> OrderState:
        """The order before its plan, by the paper in force."""
        state, planned = ORDER.initial(self.stream), False
        for event in self.events:
            planned = planned or isinstance(event, OrderPlanned)
            if isinstance(event, OrderRevised):
                state = as_before_plan(state, event)
            elif not planned:
                state = ORDER.evolve(state, event)
        return state

    def assessed(self, items: tuple[Document, ...], at: datetime) -> tuple[OrderState, Assessed] | None:
        """What the paper would take; None for one that could not be carried out."""
        drafted = self.drafted()
        before, after = wish(*self.papers[-1]).lines, wish(*items).lines
        in_force = as_it_stands(self.state, drafted.lines)
        wished = changed(drafted, lines=laid_over(in_force, before, after), prices=(), records=self.state.records)
        return None if flaw_of(wished) else (wished, assess(self.state, in_force, wished, at, BOOK))

    def change(self, items: tuple[Document, ...]) -> bool:
        """Change the paper at the moment at which something is due next; whether it was accepted."""
        at = min((entry.due_at for entry in self.agenda.values() if entry.kind != "stock"), default=MONDAY)
        found = self.assessed(items, at) if self.state.planned and not self.state.closed else None
        if found is None:
            return False
        told, paper = len(self.events), ChangedPaper("{}", f"paper-{len(self.papers)}", "store", 0)
        self.take(revise_order(self.state, *found, paper, planned_minor(self.state, found[1].plan.items), at, BOOK), at=at)
        if "order.revision-refused" in self.names()[told:]:
            return False
        self.papers.append(items)
        return True

    def suspend_or_resume(self) -> "Changing":
        """Suspend the order, or let it go on; where a number is on its way, or nothing is left, nothing."""
        at = min((entry.due_at for entry in self.agenda.values() if entry.kind != "stock"), default=MONDAY)
        with suppress(Refused):
            self.resume(at=at) if self.state.suspended else self.suspend(at=at, until=at + timedelta(days=2))
        return self

    def pass_by(self, steps: int) -> None:
        """Attend to so many rows that are due; an order that is suspended goes on when that is to end."""
        for _, (name, step) in zip(range(steps), self._due(), strict=False):
            self.attend(step, name) if step != SUSPENSION else self.suspend_or_resume()


def kept(story: Story) -> dict[str, Any]:
    """What stands when an order is over: of each item that counts what it is, costs and obtained; what is held for it; and what is charged."""
    state = story.state
    items = {name: planned for name, planned in state.items.items() if name not in state.progress.removed}
    held = Counter((kind, key if kind == "port-in" else "", holder) for (kind, key), holder in story.holders.items())
    charges = [event for stream, event in story.elsewhere if isinstance(event, ChargeStarted) and event.offering != LATE_CHANGE]
    return {
        "items": {
            name: (one.offering, one.characteristics, one.place, one.recurring_minor, one.one_time_minor, one.terms, sorted(one.waits))
            for name, one in items.items()
        },
        "states": {name: of for name, of in story.states().items() if name in items or not name},
        "steps": {name: dict(sorted(state.progress.items[name].steps.items())) for name in items},
        "held": held,
        "charges": Counter((one.item, getattr(one, "recurring_minor", None)) for one in charges),
        "outside": outside(story),
        "sims": Counter(_net(story, "sim.assigned", "sim.released")),
        "numbers": Counter(_net(story, "number.assigned", "number.released")),
    }


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


RECALLED = {step.ending.recall: name for name, step in STEPS.items() if step.ending.recall}
"""By the step that asks a partner to drop something, the step by which the partner got it."""


def outside(story: Story) -> Counter[tuple[str, str, str]]:
    """What partners have of each item in the end, by their own answers: the numbers whose port they agreed to, how many profiles, whether a visit."""
    has: set[tuple[str, str, str]] = set()
    for event in story.events:
        if isinstance(event, Done):
            step, item = step_of(event), event.item
            if step in RECALLED.values():
                has.add((item, step, str(getattr(event, "msisdn", "") or _piece(event))))
            elif step in RECALLED:
                has = {one for one in has if one[:2] != (item, RECALLED[step])}
    return Counter((item, step, what if step == "porting" else "") for item, step, what in has)


def _piece(event: Done) -> str:
    """What a partner keeps for an item: the profile of an eSIM."""
    return str(getattr(event, "iccid", ""))


def _net(story: Story, taken: str, given: str) -> dict[str, int]:
    """How many pieces each item has in the end."""
    count: Counter[str] = Counter()
    for event in story.events:
        if event.type_name in (taken, given):
            count[event.item] += 1 if event.type_name == taken else -1
    return {name: number for name, number in count.items() if number}


@hypothesis.given(first=papers(), later=st.lists(st.tuples(MOMENTS, papers(), st.booleans()), min_size=1, max_size=3))
@hypothesis.settings(max_examples=10_000 if DEEP else 500, deadline=None)
def test_a_changed_order_ends_as_one_that_was_placed_so(
    first: tuple[Document, ...], later: list[tuple[int, tuple[Document, ...], bool]]
) -> None:
    """Its items, what they obtained, what is held and what is charged are the same; nothing of an earlier paper stays with anybody. So it is where the order is suspended
    before a change, and resumed before another."""
    _ends_as_placed(first, later)


@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=5_000 if DEEP else 200, deadline=None)
def test_so_does_one_of_another_shape(data: st.DataObject) -> None:
    """Fixed accesses with a fitter's visit, several of one line, parts of a bundle, add-ons upon add-ons."""
    pool = st.sampled_from(data.draw(st.sampled_from(POOLS)))
    _ends_as_placed(data.draw(pool), data.draw(st.lists(st.tuples(MOMENTS, pool, st.booleans()), min_size=1, max_size=3)))


def _ends_as_placed(first: tuple[Document, ...], later: list[tuple[int, tuple[Document, ...], bool]]) -> None:
    story = Changing(*first)
    story.pass_by(2)
    for steps, items, suspends in later:
        story.pass_by(steps)
        if suspends:
            story.suspend_or_resume()
        story.change(items)
    if story.state.suspended:
        story.suspend_or_resume()
    note(story.run())
    placed = Story(*story.papers[-1]).run()

    assert placed.states()[""] in FINAL
    assert (kept(story), residue(placed)) == (kept(placed), [])
    residue(story)


@hypothesis.given(first=papers(), later=st.lists(st.tuples(MOMENTS, papers()), min_size=1, max_size=3), last=MOMENTS)
@hypothesis.settings(max_examples=2_000 if DEEP else 150, deadline=None)
def test_a_changed_order_that_is_cancelled_leaves_nothing(
    first: tuple[Document, ...], later: list[tuple[int, tuple[Document, ...]]], last: int
) -> None:
    """Whatever it was changed to, and whatever partners were still asked to drop: once it is cancelled nobody holds anything for it."""
    story = Changing(*first)
    story.pass_by(2)
    for steps, items in later:
        story.pass_by(steps)
        story.change(items)
    story.pass_by(last)
    if story.state.closed:
        return
    story.cancel(at=min((entry.due_at for entry in story.agenda.values() if entry.kind != "stock"), default=MONDAY))
    if story.names()[-1] == "cancellation.refused":
        return
    note(story.run())

    assert story.states()[""] == "cancelled"
    assert (story.holders, kept(story)["sims"], kept(story)["numbers"]) == ({}, Counter(), Counter())


def test_a_fitter_who_was_booked_is_paid_once_a_change() -> None:
    """The printed residue: another address costs the visit that was booked; the same change while that is still being called off costs nothing more."""
    story = Changing(_fibre()).run(until="appointment")
    story.attend("appointment", "1", Accepted("V-1", MONDAY + timedelta(days=4)))
    assert story.change((_fibre(place=PLACES[1]),))
    assert story.change((_fibre(),))
    story.run()

    visit = MARKET.life.change_penalties_minor["appointment"]
    assert residue(story) == [Residue("1", "place", "appointment", ("order.revised 1", "account.charge-started 1-change-1"), visit)]
    assert kept(story) == kept(Story(_fibre()).run())


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
