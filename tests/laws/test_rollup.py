"""The laws of the roll-up: whatever answers and decisions come, an order and its items move only as the state machine says."""

import itertools
import random
from datetime import datetime, timedelta
from typing import Any

import hypothesis
from hypothesis import strategies as st

from o2c.kernel.charges import ChargeStarted
from o2c.kernel.partner import Accepted, Answer, Answered, Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.refusal import Refused
from o2c.orders.events import ItemCancelled
from o2c.orders.rollup import (
    FINAL,
    GATES,
    ITEM_TRANSITIONS,
    ORDER_TRANSITIONS,
    ItemProgress,
    Progress,
    follow,
    item_state,
    order_state,
)
from o2c.orders.rules import fail_item
from o2c.plan import STEPS
from o2c.porting.events import PortInScheduled
from tests.given import BOOK, MONDAY, PORTING, Document, Story, codes_of, item

ORDERS: dict[str, list[Document]] = {
    "one line": [item()],
    "a line with its number": [item(characteristics=PORTING)],
    "a parcel": [item(characteristics={"simType": "physical"})],
    "a parcel and a number": [item(characteristics={"simType": "physical", **PORTING}), item("2", "roaming", relies_on=("1",))],
    "a parcel to nowhere": [item(characteristics={"simType": "physical"}, place="somewhere")],
    "an access and what relies on it": [item("1", "fibre"), item("2", "roaming", relies_on=("1",)), item("3", "roaming", relies_on=("2",))],
    "a line twice and an add-on": [item("1", quantity=2, characteristics=PORTING), item("2", "roaming", relies_on=("1",))],
    "two that bring the same number": [item("1", characteristics=PORTING), item("2", characteristics=PORTING)],
    "a device": [item(sold="handset", characteristics={"sku": "lark-9"})],
    "flawed": [item(sold="moon-line")],
}
WAYS = ("correct", "approve", "decline", "force", "fail")
BEGUN_CANCELLATION = ("assessingCancellation", "pendingCancellation")


@st.composite
def answers(draw: st.DrawFn, step: str, *, query: bool) -> Answer:
    """Any answer a partner may give, done more often than not."""
    later = MONDAY + timedelta(days=1)
    codes = st.sampled_from((*codes_of(step), "never seen before"))
    kinds: list[Any] = [st.just(Answered())] * 5 + [
        codes.map(RefusedBy),
        codes.map(Failed),
        st.just(Unknown(later)),
        st.just(Accepted("REF-1", later)),
        *([st.just(NeverHeard())] if query else []),
    ]
    return draw(draw(st.sampled_from(kinds)))


def stuck(story: Story) -> list[tuple[str, str]]:
    """The steps with a fallout a person may act on: (item, step)."""
    found = [
        (name, step)
        for name, records in story.state.records.items()
        for step, record in records.items()
        if record.fallout and story.states().get(name) not in FINAL
    ]
    return [(name, step) for name, step in found if name or story.state.progress.gates.get(step) == "pending"]


def act(story: Story, name: str, step: str, way: str) -> None:
    """A person acts on a fallout; ways that the step does not have change nothing."""
    try:
        match way:
            case "correct":
                story.correct(step, name, {})
            case "force":
                story.force(step, name)
            case "fail" if name:
                story.give_up(step, name)
            case _:
                story.decide(step, name, approve=way == "approve")
    except Refused:
        return


def cancel(story: Story, names: tuple[str, ...], at: datetime) -> None:
    """A person cancels the order or some of its items; what is no wish (an ended order, an unplanned item) changes nothing."""
    try:
        story.cancel(*names, at=at)
    except Refused:
        return


def fail(story: Story, *names: str) -> None:
    """A person fails items for good; what is completed stays so."""
    for name in names:
        try:
            story.take(fail_item(story.state, name, reason="NP-INACT", note="", at=MONDAY, book=BOOK))
        except Refused:
            continue


def cancel_port(story: Story, name: str, at: datetime) -> bool:
    """A person cancels the port-in of an item; whether it was a wish that could be, and was accepted or refused by it."""
    try:
        story.cancel_port(name, at=at)
    except Refused:
        return False
    return True


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """An order, every second one past its gates, and up to forty things that happen to it in any order the agenda and the queue allow."""
    story = Story(*draw(st.sampled_from(list(ORDERS.values()))))
    for gate in (gate for gate in GATES if ("", gate) in story.agenda) if draw(st.booleans()) else ():
        story.attend(gate)
    for _ in range(draw(st.integers(0, 40))):
        queue = stuck(story.suspend_or_resume() if draw(st.integers(0, 19)) == 0 else story)
        if draw(st.integers(0, 14)) == 0:
            cancel_port(
                story,
                draw(st.sampled_from(sorted(story.state.items) or ["1"])),
                draw(st.sampled_from((MONDAY, MONDAY + timedelta(hours=1)))),
            )
        elif draw(st.integers(0, 19)) == 0:
            names = draw(st.lists(st.sampled_from(sorted(story.state.items) or ["1"]), max_size=2).map(tuple))
            cancel(story, names, draw(st.sampled_from((MONDAY, MONDAY + timedelta(hours=1), MONDAY + timedelta(days=3)))))
        elif queue and (not story.agenda or draw(st.integers(0, 3)) == 0):
            name, step = draw(st.sampled_from(queue))
            act(story, name, step, draw(st.sampled_from(WAYS)))
        elif story.agenda:
            name, step = draw(st.sampled_from(sorted(story.agenda)))
            query = story.agenda[name, step].kind == "query"
            story.attend(step, name, draw(answers(step, query=query)), in_stock=draw(st.integers(0, 4)) > 0)
        else:
            break
    return story


@hypothesis.settings(max_examples=300, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(stories())
def test_every_history_keeps_to_the_state_machine(story: Story) -> None:
    """After every event of every history, the order and each item are where they were or where the declared machine lets them go without a change of the paper."""
    illegal = [
        (of or "order", before, after, event)
        for of, before, after, event in story.passed
        if after not in (ITEM_TRANSITIONS if of else ORDER_TRANSITIONS)[before] or (before, after) == ("inProgress", "acknowledged")
    ]
    assert illegal == []


@hypothesis.settings(max_examples=100, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(stories())
def test_an_order_that_is_not_over_has_somebody_to_move_it(story: Story) -> None:
    """Open items stand on the agenda, in the queue, or wait for a step of another item that does; an order that is over is closed once."""
    if story.states()[""] in FINAL:
        assert story.agenda == {}
        assert sum(name in ("order.completed", "order.partially-completed", "order.failed", "order.cancelled", "order.rejected")
                   for name in story.names()) == 1  # fmt: skip
        return
    moving = {name for name, _ in (*story.agenda, *stuck(story))}
    assert moving
    for name, state in story.states().items():
        waits = story.state.items[name].waits.values() if name else ()
        bases = {wait.rpartition("/")[0] for steps in waits for wait in steps} - {""}
        assert not name or state in FINAL or name in moving or any(story.states()[base] not in FINAL for base in bases)


@hypothesis.settings(max_examples=100, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(
    stories(), st.sampled_from(sorted(STEPS)), st.sampled_from(["accepted", "silent", "fell-out", "done", "requested", "recall"])
)
def test_an_item_that_ended_stays_ended(story: Story, step: str, shape: str) -> None:
    """No late event of a step moves an item that a person failed, that was cancelled or that fell with its base."""
    fail(story, *story.state.items)
    for name, known in story.state.progress.items.items():
        after = follow(story.state.progress, shape, step, name, "us").items[name]
        assert after.ended == known.ended
        if known.ended and item_state(known) in FINAL:
            assert item_state(after) == known.ended


statuses = st.sampled_from(["planned", "requested", "done", "held", "pending", "cancelled", "undone", "given-up"])
items = st.builds(
    ItemProgress,
    st.dictionaries(st.sampled_from(["sim", "number", "activation"]), statuses, max_size=3),
    st.lists(st.sampled_from("abcde"), max_size=2).map(tuple),
    st.sampled_from(["", "", "", "failed", "cancelled"]),
    st.dictionaries(
        st.sampled_from(["porting-cancel", "esim-cancel"]), st.sampled_from(["requested", "done", "held", "pending"]), max_size=2
    ),
)
gates = st.dictionaries(st.sampled_from(GATES), st.sampled_from(["requested", "done", "done", "pending", "declined"]), max_size=3)
progresses = st.builds(Progress, gates, st.dictionaries(st.sampled_from("abcde"), items, max_size=5),
                       st.sampled_from(["", "", "", *BEGUN_CANCELLATION]))  # fmt: skip


@hypothesis.given(progresses, st.randoms(use_true_random=False))
def test_the_order_of_items_steps_and_gates_does_not_matter(progress: Progress, chance: random.Random) -> None:
    """Turning the items, their steps and the gates round leaves the state as it is."""

    def turned(mapping: dict[str, Any]) -> dict[str, Any]:
        return dict(chance.sample(list(mapping.items()), len(mapping)))

    moved = {
        name: ItemProgress(turned(of.steps), tuple(reversed(of.relies_on)), of.ended, turned(of.recalls))
        for name, of in progress.items.items()
    }
    assert order_state(Progress(turned(progress.gates), turned(moved), progress.cancellation)) == order_state(progress)


@hypothesis.given(
    progresses, st.sampled_from(["requested", "done", "fell-out", "silent", "cancelled", "recall", "given-up"]), st.sampled_from("abcde")
)
def test_the_same_event_twice_is_once(progress: Progress, shape: str, name: str) -> None:
    """Following an event that was followed already changes nothing."""
    once = follow(progress, shape, "sim", name, "customer")
    assert follow(once, shape, "sim", name, "customer") == once


@hypothesis.given(progresses)
def test_the_roll_up_is_the_published_one(progress: Progress) -> None:
    """First match wins: declined, cancellation, open gate, all final, all waiting (held before pending), begun, acknowledged."""
    states = {name: item_state(of) for name, of in progress.items.items()}

    def waits(name: str, way: tuple[str, ...] = ()) -> bool:
        if name in way or name not in states or states[name] in FINAL:
            return False
        return states[name] in ("held", "pending") or any(waits(base, (*way, name)) for base in progress.items[name].relies_on)

    still_open = [name for name, state in states.items() if state not in FINAL]
    if "declined" in progress.gates.values():
        expected = "rejected"
    elif progress.cancellation == "pendingCancellation":
        expected = progress.cancellation if still_open or {"requested", "pending"} & set(progress.gates.values()) else "cancelled"
    elif progress.cancellation and (still_open or not states):
        expected = progress.cancellation
    elif "pending" in progress.gates.values():
        expected = "pending"
    elif states and not still_open:
        kinds = set(states.values())
        done = "completed" if kinds == {"completed"} else "partial"
        expected = done if "completed" in kinds else "failed" if "failed" in kinds else "cancelled"
    elif still_open and all(waits(name) for name in still_open):
        expected = "held" if "held" in states.values() else "pending"
    else:
        expected = "inProgress" if set(states.values()) - {"acknowledged"} else "acknowledged"
    assert order_state(progress) == expected


@hypothesis.given(progresses)
def test_a_stuck_order_does_not_look_busy(progress: Progress) -> None:
    """An order in progress has a leaf that is neither over nor waiting, so that somebody or something is at work on it."""
    states = {item_state(of) for of in progress.items.values()}
    if order_state(progress) == "inProgress":
        assert states & {"inProgress", "acknowledged", "pendingCancellation"}


def test_one_line_held_and_another_pending_is_held() -> None:
    """Nobody works on such an order, whatever relies on either line; a third line under way makes it busy."""
    stuck = {"1": ItemProgress({"sim": "held"}), "2": ItemProgress({"porting": "pending"}), "3": ItemProgress({"sim": "planned"}, ("2",))}
    assert order_state(Progress(items=stuck)) == "held"
    assert order_state(Progress(items={**stuck, "1": ItemProgress({"sim": "pending"})})) == "pending"
    assert order_state(Progress(items={**stuck, "4": ItemProgress({"sim": "requested"})})) == "inProgress"


def test_a_long_chain_and_a_dense_web_roll_up_at_once() -> None:
    """Five thousand items in a row, and sixty layers that each rely on both items of the one before, are no harder than others."""
    row = {str(n): ItemProgress({"sim": "planned"}, (str(n - 1),)) for n in range(1, 5000)}
    assert order_state(Progress(items={"0": ItemProgress({"sim": "held"}), **row})) == "held"
    web = {f"{n}{side}": ItemProgress({"sim": "planned"}, (f"{n - 1}a", f"{n - 1}b")) for n in range(1, 60) for side in "ab"}
    base = {f"0{side}": ItemProgress({"sim": "requested"}) for side in "ab"}
    assert order_state(Progress(items={**base, **web, "x": ItemProgress({"sim": "held"})})) == "inProgress"


def test_final_states_lead_nowhere() -> None:
    """The machine itself lets nothing out of a final state, and every state it names is one it knows."""
    for machine in (ORDER_TRANSITIONS, ITEM_TRANSITIONS):
        assert all(machine[state] == frozenset() for state in FINAL)
        assert set(itertools.chain.from_iterable(machine.values())) <= set(machine)


def test_an_item_held_for_two_reasons_leaves_that_state_before_it_fails() -> None:
    """Held never becomes failed at one stroke, neither for the item given up nor for the order: the other fallout is let go first."""
    story = Story(item(characteristics={"simType": "physical", **PORTING}))
    story.run(but={("1", "delivery"): RefusedBy("LOST"), ("1", "porting"): RefusedBy("never seen before")})
    assert story.states() == {"": "held", "1": "held"}
    story.give_up("delivery")
    story.run()
    assert [(of, before, after) for of, before, after, _ in story.passed[-4:]] == [
        ("", "held", "inProgress"), ("1", "held", "inProgress"), ("", "inProgress", "failed"), ("1", "inProgress", "failed"),
    ]  # fmt: skip


def test_a_dependant_that_is_held_itself_leaves_that_state_with_its_base() -> None:
    """The base fails and takes a held dependant with it; the order does not end out of held."""
    story = Story(item(), item("2", characteristics={"simType": "physical"}, relies_on=("1",)))
    story.run(but={("1", "activation"): RefusedBy("PERMANENT"), ("2", "delivery"): RefusedBy("LOST")})
    assert story.states() == {"": "held", "1": "held", "2": "held"}
    story.give_up("activation")
    story.run()
    assert [(before, after) for of, before, after, _ in story.passed if not of][-2:] == [("held", "inProgress"), ("inProgress", "failed")]


@hypothesis.given(progresses)
def test_a_refused_cancellation_leaves_the_order_exactly_where_it_was(progress: Progress) -> None:
    """Assessed, an order is in that state unless it is over; refused, it is back where it came from."""
    before = follow(progress, "cancellation-refused", "", "")
    assessed = follow(before, "cancellation-requested", "", "")
    assert order_state(assessed) in ("assessingCancellation", order_state(before))
    assert order_state(before) not in FINAL or order_state(assessed) == order_state(before)
    assert order_state(follow(assessed, "cancellation-refused", "", "")) == order_state(before)


@hypothesis.given(
    progresses, st.sampled_from(["done", "fell-out", "silent", "recall", "resumed", "undone", "cancelled"]), st.sampled_from("abcde")
)
def test_a_cancelled_order_stays_cancelled(progress: Progress, shape: str, name: str) -> None:
    """Once every item is over, no late event of a step or recall brings the order back."""
    cancelled = Progress({}, {n: ItemProgress(of.steps, of.relies_on, "cancelled", of.recalls) for n, of in progress.items.items()},
                         "pendingCancellation")  # fmt: skip
    if order_state(cancelled) == "cancelled":
        assert order_state(follow(cancelled, shape, "porting-cancel", name, "us")) == "cancelled"


def test_one_line_s_cancellation_is_no_state_of_the_order() -> None:
    """A cancellation that names an item leaves the order to the roll-up of its items."""
    progress = Progress(items={"1": ItemProgress({"sim": "requested"})})
    assert follow(progress, "cancellation-requested", "", "1") is progress


@hypothesis.settings(max_examples=150, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(stories(), st.sampled_from((timedelta(), timedelta(minutes=4), timedelta(hours=2), timedelta(days=3))))
def test_a_cancellation_is_refused_or_carried_through(story: Story, later: timedelta) -> None:
    """At any moment of any history: what is over is left alone, and what is refused; what is accepted ends cancelled with nothing left."""
    before, told = story.states(), len(story.events)
    try:
        story.cancel(at=MONDAY + later)
    except Refused:
        assert before[""] in FINAL
        return
    if len(story.events) == told or "cancellation.refused" in story.names()[told:]:
        # Nothing was left to cancel where every item has ended and only partners are still to drop their work.
        assert story.states() == before
        assert len(story.events) > told or all(of.ended for of in story.state.progress.items.values()) or before[""] == "cancelled"
        return
    assert story.states()[""] in ("pendingCancellation", "cancelled")
    for name, step in stuck(story):
        if STEPS[step].recalls:
            act(story, name, step, "force")
    story.run()
    assert (story.states()[""], story.agenda, story.holders) == ("cancelled", {}, {})


OF_A_PORT = ("porting", "cutover", "number-change")


@hypothesis.settings(max_examples=200, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(stories(), st.sampled_from("12"), st.sampled_from((timedelta(), timedelta(hours=2), timedelta(days=3))))
def test_a_port_is_cancelled_alone_or_not_at_all(story: Story, name: str, later: timedelta) -> None:
    """At any moment of any history: refused it changes nothing; accepted the item goes on without its port, its number is free in the end, and
    nothing of the port happens after."""
    before, told = story.state.progress, len(story.events)
    if not cancel_port(story, name, MONDAY + later) or len(story.events) == told or not story.state.planned:
        return
    ended = {of for of, known in before.items.items() if known.ended}
    assert {of for of, known in story.state.progress.items.items() if known.ended} == ended
    if "cancellation.refused" in story.names()[told:]:
        assert story.state.progress == before
        return
    own = story.state.progress.items[name]
    assert {own.steps[step] for step in OF_A_PORT} == {"given-up"}
    assert own.recalls or not story.holds("port-in", name)
    for of, step in stuck(story):
        if STEPS[step].recalls:
            act(story, of, step, "force")
    story.resume().run(but={(name, "porting-cancel"): Answered()})
    assert not story.holds("port-in", name)
    happened = [event for event in story.events[told:] if getattr(event, "item", "") == name]
    assert {event.type_name for event in happened}.isdisjoint({"porting.scheduled", "cutover.number-ported-in", "number.changed"})


@hypothesis.settings(max_examples=150, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(stories(), st.sampled_from((timedelta(), timedelta(hours=2), timedelta(days=3))))
def test_what_was_cancelled_was_never_charged_and_no_port_of_it_is_forgotten(story: Story, later: timedelta) -> None:
    """A line that a customer cancelled was not active; one that ended with a port scheduled was not over before the donor was told."""
    for name in story.state.items:
        cancel(story, (name,), MONDAY + later)
    story.resume().run()
    cancelled = {event.item for event in story.events if isinstance(event, ItemCancelled) and not event.base}
    assert cancelled.isdisjoint({event.item for _, event in story.elsewhere if isinstance(event, ChargeStarted)})
    scheduled = {event.item for event in story.events if isinstance(event, PortInScheduled)}
    for name, known in story.state.progress.items.items():
        if name in scheduled and known.ended and item_state(known) in FINAL:
            assert known.recalls == {**known.recalls, "porting-cancel": "done"}
