"""The law of what is on: whatever happens to an order, the network serves what the log says is in service, and nothing else."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.decision import NOTHING
from o2c.kernel.partner import Answer, Failed, RefusedBy, Unknown
from o2c.kernel.refusal import Refused
from o2c.kernel.step import SILENCES_MAX
from o2c.orders import ending
from o2c.orders.in_life import holds
from o2c.orders.rollup import FINAL
from o2c.orders.rules import fail_item
from o2c.plan import STEPS
from tests.changing import Changing
from tests.given import BOOK, MONDAY, PORTING, Document, Story, item
from tests.laws.test_amending import papers
from tests.laws.test_rollup import act, cancel, stories, stuck
from tests.network import Books

MOMENTS = st.integers(1, 7)
"""How many rows are attended to before the paper is changed."""
LATER = MONDAY + timedelta(days=60)
"""After all that partners were asked: who decides earlier than a request is sent has nothing to take back."""


def books(story: Story) -> Books:
    """What the network has on by what it was asked, and answered."""
    told = Books()
    for ask, answer in story.asked:
        if ask.partner == "network":
            told.note(ask.request, answer, query=ask.query)
    told.note_by_hand(forced_off(story) & over(story))
    return told


def forced_off(story: Story) -> set[str]:
    """The products that a person says are off, in place of the network."""
    by_hand = [event for event in story.events if event.type_name == "step.forced" and getattr(event, "step", "") == "activation-cancel"]
    return {f"{story.name}:{getattr(event, 'item', '')}" for event in by_hand}


def in_service(story: Story) -> dict[str, str]:
    """What must be on: of each completed item that the network switched on, the SIM, line or offering that it has."""
    on = {}
    for name, state in story.states().items():
        if name and state == "completed" and story.state.record(name, "activation").outcome.get("starts_on"):
            obtained = (story.state.record(name, step).outcome.get(key) for step, key in (("sim", "iccid"), ("qualification", "line_id")))
            on[f"{story.name}:{name}"] = next((str(piece) for piece in obtained if piece), story.state.items[name].offering)
    return on


def numbers(story: Story) -> dict[str, list[str]]:
    """The number under which each completed line must be reached: the one that it brought, where it brought one."""
    return {f"{story.name}:{name}": [held] for name, state in story.states().items()
            if name and state == "completed" and (held := holds(story.state, name).get("msisdn"))}  # fmt: skip


def over(story: Story) -> set[str]:
    """The products that never came to be: of items that ended."""
    return {f"{story.name}:{name}" for name, state in story.states().items() if name and state in FINAL - {"completed"}}


def assert_agrees(story: Story) -> None:
    """What is in service is on, by what it has; what is over is off."""
    told = books(story)
    on = told.on
    assert {product: on.get(product) for product in in_service(story)} == in_service(story)
    assert {product: told.numbers.get(product, [])[-1:] for product in numbers(story)} == numbers(story)
    assert {product for product in over(story) if product in on} == set()


def fail(story: Story, *names: str) -> None:
    """A person fails items for good, when all that they were asked for is sent; what is completed stays so."""
    for name in names:
        with suppress(Refused):
            story.take(fail_item(story.state, name, reason="NP-INACT", note="", at=LATER, book=BOOK), at=LATER)


def ended(story: Story) -> Story:
    """The story after all of its recalls were answered, by the network or by a person."""
    story.resume().run()
    for name, step in stuck(story):
        if STEPS[step].recalls:
            act(story, name, step, "force")
    return story.run()


@hypothesis.settings(max_examples=200, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(stories(), st.booleans())
def test_what_failed_or_was_cancelled_is_off(story: Story, fails: bool) -> None:
    """At any moment of any history of answers and decisions: once its items are over, nothing is on that no product has."""
    if fails:
        fail(story, *story.state.items)
    else:
        cancel(story, (), LATER)
    assert_agrees(ended(story))


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(first=papers(), later=st.lists(st.tuples(MOMENTS, papers()), max_size=2), last=st.integers(0, 12), fails=st.booleans())
def test_so_is_what_was_changed_in_flight(
    first: tuple[Document, ...], later: list[tuple[int, tuple[Document, ...]]], last: int, fails: bool
) -> None:
    """However often the paper changed: what is completed is on by the SIM that it ended with, and what fails or is cancelled on the way is off."""
    story = Changing(*first)
    story.pass_by(2)
    for steps, wanted in later:
        story.pass_by(steps)
        story.change(wanted)
    story.pass_by(last)
    if fails:
        fail(story, *list(story.state.items)[:1])
    assert_agrees(ended(story))


NOT_DOWNLOADED = RefusedBy("8.8.5-3.8")
SILENT = Unknown(MONDAY + timedelta(hours=1))


@pytest.mark.parametrize(
    ("items", "answers", "fails"),
    [
        pytest.param([item()], {("1", "esim-download"): NOT_DOWNLOADED}, "esim-download", id="a-profile-that-nobody-downloads"),
        pytest.param([item(characteristics=PORTING)], {("1", "cutover"): RefusedBy("PERMANENT")}, "cutover", id="a-port-that-fails-at-its-cut-over"),
        pytest.param(
            [item(), item("2", "roaming", relies_on=("1",)), item("3", relies_on=("1",))],
            {("1", "esim-download"): NOT_DOWNLOADED},
            "esim-download",
            id="with-what-relies-on-it",
        ),
    ],
)  # fmt: skip
def test_a_line_that_was_on_is_switched_off_before_its_sim_is_anybodys(
    items: list[Document], answers: Mapping[tuple[str, str], Answer], fails: str
) -> None:
    """The network is asked, and only when it has answered SIM and number go back to stock and the item is over."""
    story = Story(*items).run(but=answers)
    assert books(story).on
    story.give_up(fails)
    assert "activation-cancel.requested" in story.names()
    given_back = {event.type_name for event in story.events if getattr(event, "item", "") == "1"}
    assert {"service.deactivated", "sim.released", "number.released"}.isdisjoint(given_back)
    assert story.states()["1"] == "inProgress"

    story.run()

    assert books(story).on == {}
    of_line = [event.type_name for event in story.events if getattr(event, "item", "") == "1"]
    off, gone = (of_line.index(name) for name in ("service.deactivated", "sim.released"))
    assert of_line.index("activation-cancel.confirmed") < off < gone
    assert story.states()["1"] == "failed"


def test_a_line_that_nobody_knows_of_is_switched_off_too() -> None:
    """The network never said whether it switched the line on: it is asked to have it off, and nothing is undone that never was."""
    story = Story(item()).run(until="activation")
    for _ in range(SILENCES_MAX + 1):
        story.attend("activation", "1", SILENT)
    assert books(story).may_serve
    story.give_up("activation")
    story.run()
    assert (books(story).on, "service.deactivated" in story.names()) == ({}, False)


def test_one_that_the_network_refused_is_not() -> None:
    """Control: what certainly is not on is not asked about."""
    story = Story(item()).run(but={("1", "activation"): RefusedBy("PERMANENT")})
    story.give_up("activation")
    assert "activation-cancel.requested" not in story.run().names()


@pytest.mark.parametrize(
    ("answer", "waits_for"), [pytest.param(Failed("PERMANENT"), "us", id="fails"), pytest.param(RefusedBy("REFUSED"), "us", id="refuses")]
)
def test_a_network_that_leaves_it_on_is_a_fallout(answer: Answer, waits_for: str) -> None:
    """The item is not over and its SIM is nobody's, until the network does it or a person says that it is done."""
    story = Story(item()).run(but={("1", "esim-download"): NOT_DOWNLOADED})
    story.give_up("esim-download")
    story.run(but={("1", "activation-cancel"): answer})
    record = story.state.record("1", "activation-cancel")
    assert (record.reason, record.waiting_for, story.states()["1"]) == ("NET-CFG", waits_for, "held")
    assert ("sim.released" in story.names(), bool(books(story).on)) == (False, True)

    story.force("activation-cancel")

    assert (story.run().states()["1"], books(story).on) == ("failed", {})
    assert story.last("sim.scrapped")


def test_a_profile_nobody_downloaded_is_cancelled_and_off() -> None:
    """An order that is cancelled before the download leaves neither a profile to download nor a line that is on."""
    story = Story(item()).run(until="esim-download")
    story.cancel(at=MONDAY + timedelta(minutes=20))
    story.run()
    assert {"activation-cancel.confirmed", "esim-cancel.confirmed", "service.deactivated"} <= set(story.names())
    assert (story.states()[""], books(story).on) == ("cancelled", {})


def test_a_network_that_nobody_asks_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: where what is on is not asked back, the law finds a SIM that is on for nobody."""
    monkeypatch.setattr(ending, "ask_back", lambda *told: NOTHING)
    story = Story(item()).run(but={("1", "esim-download"): NOT_DOWNLOADED})
    story.give_up("esim-download")
    with pytest.raises(AssertionError, match="1001:1"):
        assert_agrees(story.run())
