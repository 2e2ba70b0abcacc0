"""The laws of the roll-up: whatever answers and decisions come, an order and its items move only as the state machine says."""

import itertools
import random
from datetime import timedelta
from typing import Any

import hypothesis
from hypothesis import strategies as st

from o2c.kernel.partner import Accepted, Answer, Answered, Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.refusal import Refused
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
from o2c.plan import STEPS
from tests.given import MONDAY, PORTING, Document, Story, item

ORDERS: dict[str, list[Document]] = {
    "one line": [item()],
    "a line with its number": [item(characteristics=PORTING)],
    "a parcel": [item(characteristics={"simType": "physical"})],
    "a parcel and a number": [item(characteristics={"simType": "physical", **PORTING}), item("2", "roaming", relies_on=("1",))],
    "a parcel to nowhere": [item(characteristics={"simType": "physical"}, place="somewhere")],
    "an access and what relies on it": [item("1", "fibre"), item("2", "roaming", relies_on=("1",)), item("3", "roaming", relies_on=("2",))],
    "a line twice and an add-on": [item("1", quantity=2, characteristics=PORTING), item("2", "roaming", relies_on=("1",))],
    "two that bring the same number": [item("1", characteristics=PORTING), item("2", characteristics=PORTING)],
    "flawed": [item(sold="moon-line")],
}
WAYS = ("correct", "approve", "decline", "force", "fail")


@st.composite
def answers(draw: st.DrawFn, step: str, *, query: bool) -> Answer:
    """Any answer a partner may give, done more often than not."""
    later = MONDAY + timedelta(days=1)
    codes = st.sampled_from((*STEPS[step].codes, "never seen before"))
    kinds: list[Any] = [st.just(Answered())] * 5 + [
        codes.map(RefusedBy),
        codes.map(lambda code: Failed(code, retryable=True)),
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


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """An order, and up to forty things that happen to it in any order the agenda and the queue allow."""
    story = Story(*draw(st.sampled_from(list(ORDERS.values()))))
    for _ in range(draw(st.integers(0, 40))):
        queue = stuck(story)
        if queue and (not story.agenda or draw(st.integers(0, 3)) == 0):
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
    """After every event of every history, the order and each item are where they were or where the declared machine lets them go."""
    illegal = [
        (of or "order", before, after, event)
        for of, before, after, event in story.passed
        if after not in (ITEM_TRANSITIONS if of else ORDER_TRANSITIONS)[before]
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
@hypothesis.given(stories(), st.sampled_from(sorted(STEPS)), st.sampled_from(["accepted", "silent", "fell-out", "done", "requested"]))
def test_an_item_that_ended_stays_ended(story: Story, step: str, shape: str) -> None:
    """No late event of a step moves an item that a person failed or that fell with its base."""
    for name, known in story.state.progress.items.items():
        if known.ended:
            assert item_state(follow(story.state.progress, shape, step, name, "us").items[name]) == known.ended


statuses = st.sampled_from(["planned", "requested", "done", "held", "pending", "cancelled", "undone"])
items = st.builds(
    ItemProgress,
    st.dictionaries(st.sampled_from(["sim", "number", "activation"]), statuses, max_size=3),
    st.lists(st.sampled_from("abcde"), max_size=2).map(tuple),
    st.sampled_from(["", "", "", "failed", "cancelled"]),
)
gates = st.dictionaries(st.sampled_from(GATES), st.sampled_from(["requested", "done", "done", "pending", "declined"]), max_size=3)
progresses = st.builds(Progress, gates, st.dictionaries(st.sampled_from("abcde"), items, max_size=5))


@hypothesis.given(progresses, st.randoms(use_true_random=False))
def test_the_order_of_items_steps_and_gates_does_not_matter(progress: Progress, chance: random.Random) -> None:
    """Turning the items, their steps and the gates round leaves the state as it is."""

    def turned(mapping: dict[str, Any]) -> dict[str, Any]:
        return dict(chance.sample(list(mapping.items()), len(mapping)))

    moved = {name: ItemProgress(turned(of.steps), tuple(reversed(of.relies_on)), of.ended) for name, of in progress.items.items()}
    assert order_state(Progress(turned(progress.gates), turned(moved))) == order_state(progress)


@hypothesis.given(progresses, st.sampled_from(["requested", "done", "fell-out", "silent", "cancelled"]), st.sampled_from("abcde"))
def test_the_same_event_twice_is_once(progress: Progress, shape: str, name: str) -> None:
    """Following an event that was followed already changes nothing."""
    once = follow(progress, shape, "sim", name, "customer")
    assert follow(once, shape, "sim", name, "customer") == once


@hypothesis.given(progresses)
def test_the_roll_up_is_the_published_one(progress: Progress) -> None:
    """First match wins, as the order life cycle tells it: gates, all final, held, pending, begun, acknowledged."""
    states = {name: item_state(of) for name, of in progress.items.items()}

    def leans(name: str, waiting: str, way: tuple[str, ...] = ()) -> bool:
        if name in way or name not in states or states[name] in FINAL:
            return False
        return states[name] == waiting or any(leans(base, waiting, (*way, name)) for base in progress.items[name].relies_on)

    still_open = [name for name, state in states.items() if state not in FINAL]
    waiting = [each for each in ("held", "pending") if each in states.values() and all(leans(name, each) for name in still_open)]
    if "declined" in progress.gates.values():
        expected = "rejected"
    elif "pending" in progress.gates.values():
        expected = "pending"
    elif states and not still_open:
        kinds = set(states.values())
        done = "completed" if kinds == {"completed"} else "partial"
        expected = done if "completed" in kinds else "failed" if "failed" in kinds else "cancelled"
    elif waiting:
        expected = waiting[0]
    else:
        expected = "inProgress" if set(states.values()) - {"acknowledged"} else "acknowledged"
    assert order_state(progress) == expected


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
        named = set(itertools.chain.from_iterable(machine.values()))
        assert named - set(machine) <= {"assessingCancellation", "pendingCancellation"}


def test_an_item_held_for_two_reasons_leaves_that_state_before_it_fails() -> None:
    """Held never becomes failed at one stroke, neither for the item given up nor for the order: the other fallout is let go first."""
    story = Story(item(characteristics={"simType": "physical", **PORTING}))
    story.run(but={("1", "delivery"): RefusedBy("LOST"), ("1", "porting"): RefusedBy("never seen before")})
    assert story.states() == {"": "held", "1": "held"}
    story.give_up("delivery")
    assert [(of, before, after) for of, before, after, _ in story.passed[-4:]] == [
        ("", "held", "inProgress"), ("1", "held", "inProgress"), ("", "inProgress", "failed"), ("1", "inProgress", "failed"),
    ]  # fmt: skip


def test_a_dependant_that_is_held_itself_leaves_that_state_with_its_base() -> None:
    """The base fails and takes a held dependant with it; the order does not end out of held."""
    story = Story(item(), item("2", characteristics={"simType": "physical"}, relies_on=("1",)))
    story.run(but={("1", "activation"): RefusedBy("PERMANENT"), ("2", "delivery"): RefusedBy("LOST")})
    assert story.states() == {"": "held", "1": "held", "2": "held"}
    story.give_up("activation")
    assert [(before, after) for of, before, after, _ in story.passed if not of][-2:] == [("held", "inProgress"), ("inProgress", "failed")]
