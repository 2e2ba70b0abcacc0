"""Triggers: which conditions hold, what may not be set, which version judges an event, what an event sets off, and that a dry run is a search of the log."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.customers.events import CustomerPreferencesStated, CustomerRegistered
from o2c.desk.triggers import _of_words
from o2c.kernel.event import Event, types_by_name
from o2c.kernel.refusal import Refused
from o2c.markets.telling import telling_of
from o2c.messages.composing import About, compose
from o2c.messages.milestones import told_of
from o2c.triggers.conditions import holds
from o2c.triggers.definition import NEVER_ON, Definition, on_types, read
from o2c.triggers.events import TaskOpened, TriggerFired, TriggerRetired, TriggerSet, TriggerWithheld
from o2c.triggers.rules import DEPTH_MAX, Happening, fire, in_force, matches, retire, set_off, set_triggers
from o2c.triggers.state import FIRING, FiringState
from o2c.triggers.step import close_task
from o2c.views.following import EventRecord
from o2c.views.triggers import SAMPLE, depth_of, matched, versions_of
from tests.given import BOOK
from tests.told import STARTED, messaging
from tests.watched import CODES, FIRED, SET, defined, trigger, triggers

BODY: Mapping[str, Any] = {
    "reason": "NP-CODE", "severity": 2, "closed": False, "agreed_on": "2026-01-09", "nothing": None, "empty": [],
    "lines": [{"item": "1", "offering": "lark-line"}, {"item": "2", "offering": "lark-sim", "codes": ["A", "B"]}],
}  # fmt: skip
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def condition(**told: Any) -> Any:
    return Definition.model_validate({"on": "porting.fell-out", "when": [told], "then": {"do": "alarm", "severity": 1, "text": "x"}}).when[
        0
    ]


@pytest.mark.parametrize(
    ("told", "held"),
    [
        pytest.param({"compare": "equals", "field": "reason", "value": "NP-CODE"}, True, id="equals"),
        pytest.param({"compare": "equals", "field": "reason", "value": "NP-PIN"}, False, id="equals another"),
        pytest.param({"compare": "equals", "field": "severity", "value": "2"}, False, id="a number is no text"),
        pytest.param({"compare": "equals", "field": "closed", "value": 0}, False, id="false is not 0"),
        pytest.param({"compare": "equals", "field": "closed", "value": False}, True, id="false"),
        pytest.param({"compare": "differs", "field": "reason", "value": "NP-PIN"}, True, id="differs"),
        pytest.param({"compare": "differs", "field": "missing", "value": "NP-PIN"}, True, id="what is missing differs"),
        pytest.param({"compare": "one-of", "field": "reason", "values": ["NP-PIN", "NP-CODE"]}, True, id="one of"),
        pytest.param({"compare": "none-of", "field": "reason", "values": ["NP-PIN", "NP-CODE"]}, False, id="none of"),
        pytest.param({"compare": "under", "field": "severity", "value": 2}, False, id="not under itself"),
        pytest.param({"compare": "at-most", "field": "severity", "value": 2}, True, id="at most itself"),
        pytest.param({"compare": "over", "field": "severity", "value": 2}, False, id="not over itself"),
        pytest.param({"compare": "at-least", "field": "severity", "value": 3}, False, id="at least more"),
        pytest.param({"compare": "over", "field": "agreed_on", "value": "2026-01-08"}, True, id="a later day"),
        pytest.param({"compare": "over", "field": "agreed_on", "value": 0}, False, id="a day is no number"),
        pytest.param({"compare": "under", "field": "missing", "value": 9}, False, id="what is missing is not under"),
        pytest.param({"compare": "contains", "field": "reason", "value": "CODE"}, True, id="contains"),
        pytest.param({"compare": "present", "field": "reason"}, True, id="present"),
        pytest.param({"compare": "present", "field": "nothing"}, False, id="nothing is not present"),
        pytest.param({"compare": "absent", "field": "empty"}, True, id="an empty list is absent"),
        pytest.param({"compare": "equals", "field": "lines.offering", "value": "lark-sim"}, True, id="any of a list"),
        pytest.param({"compare": "differs", "field": "lines.offering", "value": "lark-sim"}, False, id="none of a list differs"),
        pytest.param({"compare": "one-of", "field": "lines.codes", "values": ["B"]}, True, id="lists in a list"),
        pytest.param(
            {"compare": "any", "of": [{"compare": "absent", "field": "reason"}, {"compare": "over", "field": "severity", "value": 1}]}, True, id="any of two"
        ),
        pytest.param({"compare": "any", "of": [{"compare": "absent", "field": "reason"}]}, False, id="any of none"),
    ],
)  # fmt: skip
def test_conditions(told: Mapping[str, Any], held: bool) -> None:
    """Each comparison, on a value, a list, what is missing, and what is of another kind."""
    assert holds(condition(**told), BODY) is held


ALARM = 'then = { do = "alarm", severity = 1, text = "look" }'


def definition(on: str = "porting.fell-out", when: str = "", then: str = ALARM, name: str = "one") -> str:
    return f'[triggers.{name}]\non = "{on}"\nwhen = [{when}]\n{then}\n'


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("[triggers", "no trigger was read", id="no TOML"),
        pytest.param("x = 1", "triggers", id="no triggers"),
        pytest.param(definition(name="ONE"), "small letters", id="a name of capitals"),
        pytest.param(definition(on="porting.fell-over"), "no event is called", id="no such event"),
        pytest.param(definition(on="key.issued"), "no event is called", id="who is let in"),
        pytest.param(definition(on="trigger.set"), "no event is called", id="triggers themselves"),
        pytest.param(definition(when='{ compare = "equals", field = "raisin", value = "X" }'), "no field 'raisin'", id="no such field"),
        pytest.param(definition(on="complaint.raised", when='{ compare = "contains", field = "note", value = "X" }'), "note of complaint.raised is personal", id="a personal field"),
        pytest.param(definition(on="customer.*", when='{ compare = "present", field = "name" }'), "is personal", id="a personal field of a pattern"),
        pytest.param(definition(on="complaint.raised", when='{ compare = "any", of = [{ compare = "present", field = "note" }] }'), "is personal", id="a personal field in any"),
        pytest.param(definition(when='{ compare = "matches", field = "reason", value = "X" }'), "when", id="no such comparison"),
        pytest.param(definition(when='{ compare = "equals", field = "reason", value = 1.5 }'), "when", id="no float"),
        pytest.param(definition(then='then = { do = "run", code = "1" }'), "then", id="no such effect"),
        pytest.param(definition(then='then = { do = "alarm", severity = 9, text = "x" }'), "severity", id="no such severity"),
        pytest.param(definition(on="catalogue.*", then='then = { do = "hold", text = "x" }'), "does to neither", id="no order to hold"),
        pytest.param(definition(on="catalogue.*", then='then = { do = "notify", words = { en = { subject = "a", text = "b" } } }'), "does to neither", id="nobody to notify"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(text: str, word: str) -> None:
    """A file with a flaw is refused with it, and nothing of it is kept."""
    with pytest.raises(Refused, match=word):
        read(text)


def test_no_refusal_shows_a_value() -> None:
    """What stands in a file that does not fit may be anything."""
    with pytest.raises(Refused) as refused:
        read(definition(when='{ compare = "equals", field = "reason", value = ["geheim"] }'))
    assert "geheim" not in str(refused.value)


def test_every_event_but_those_of_access_may_be_triggered_on() -> None:
    """The pattern of all covers all that is not hidden from triggers."""
    assert on_types("*") == {name for name, cls in types_by_name().items() if cls.of_stream not in NEVER_ON}


NOTIFY = 'then = { do = "notify", words = { en = { subject = "a", text = "b" } } }'


@pytest.mark.parametrize(
    ("standing", "text", "names"),
    [
        pytest.param("", definition(on="trigger.fired"), "one sets off one", id="on every firing"),
        pytest.param("", definition(on="*"), "one sets off one", id="on everything"),
        pytest.param("", definition(on="message.sent", then=NOTIFY), "one sets off one", id="a message about a message"),
        pytest.param("", definition(on="message.sent"), "", id="an alarm about a message"),
        pytest.param(definition(on="message.sent", then=NOTIFY, name="a"), definition(on="trigger.task-*", name="b"), "", id="no loop of its own"),
        pytest.param(
            definition(on="message.sent", then='then = { do = "task", queue = "care", text = "x" }', name="b"),
            definition(on="trigger.task-opened", then=NOTIFY, name="a"), "a sets off b sets off a", id="two in turn",
        ),
    ],
)  # fmt: skip
def test_plain_loops(standing: str, text: str, names: str) -> None:
    """Triggers that would set off one another by themselves are refused together with those that stand, by their names."""
    state = triggers(
        *(
            TriggerSet(trigger=n, version=1, on=d.on, when=d.when, then=d.then)
            for n, d in (read(standing) if standing and names else {}).items()
        )
    )
    if not names:
        assert set_triggers(state, read(text))
        return
    with pytest.raises(Refused, match=names):
        set_triggers(state, read(text))


def test_versions() -> None:
    """Set again as it stands is nothing; set otherwise, and set after it was retired, is the next version."""
    assert not set_triggers(triggers(SET), defined())
    again = (set_triggers(triggers(SET), defined(when=())), set_triggers(triggers(SET, TriggerRetired(trigger=SET.trigger)), defined()))

    assert [event.version for each in again for event in each.events if isinstance(event, TriggerSet)] == [2, 2]


def test_retiring_what_never_was() -> None:
    """It is missing."""
    with pytest.raises(Refused, match="no trigger other"):
        retire(triggers(SET), "other")


def test_a_version_judges_what_comes_after_it() -> None:
    """An event is judged by the last version that stands before it in the log, and by none after the trigger was retired."""
    second = SET.model_copy(update={"version": 2})
    [versions] = versions_of([(10, SET), (20, second), (30, TriggerRetired(trigger=SET.trigger)), (40, SET)]).values()

    judged = [told.version if (told := in_force(versions, at)) else 0 for at in (9, 10, 11, 20, 21, 30, 31, 41)]
    assert judged == [0, 0, 1, 1, 2, 2, 0, 1]


def by(**changes: Any) -> Happening:
    told = {"position": 9, "event": "e-1", "type": "porting.fell-out", "data": BODY, "order": "o-1", "customer": "C-1", **changes}
    return Happening(**told)


HOLD = trigger(definition(then='then = { do = "hold", days = 3, text = "x" }'))
TELL = trigger(definition(then=NOTIFY))


@pytest.mark.parametrize(
    ("told", "happening", "reason"),
    [
        pytest.param(SET, by(), "", id="a task"),
        pytest.param(SET, by(order="", customer=""), "", id="a task of nobody"),
        pytest.param(TELL, by(order=""), "", id="a customer is told"),
        pytest.param(TELL, by(order="", customer=""), "no-customer", id="nobody to tell"),
        pytest.param(HOLD, by(), "", id="an order is held"),
        pytest.param(HOLD, by(order=""), "no-order", id="nothing to hold"),
        pytest.param(SET, by(depth=DEPTH_MAX - 1), "", id="deep"),
        pytest.param(SET, by(depth=DEPTH_MAX), "loop", id="too deep"),
    ],
)
def test_what_an_event_sets_off(told: TriggerSet, happening: Happening, reason: str) -> None:
    """The effect, named with trigger, version and event; or the reason why there is none."""
    firing = set_off(told, happening)

    assert (firing.trigger, firing.version, firing.event, firing.depth) == (told.trigger, 1, "e-1", happening.depth + 1)
    assert (firing.reason if isinstance(firing, TriggerWithheld) else "") == reason


def test_a_task_is_opened_with_its_firing_and_closed_by_a_person() -> None:
    """In the queue and at the severity of the trigger, whatever the code says; the guard of the event holds it for good."""
    decision = fire(FiringState(), FIRED, CODES)
    _, opened = decision.events
    assert isinstance(opened, TaskOpened)
    state = FiringState()
    for event in decision.events:
        state = FIRING.evolve(state, event)
    [closed] = close_task(FIRING.work(state, "firing-1", "", "task", BOOK), True, NOON).events

    assert (opened.queue, opened.severity, opened.reason, opened.detail) == ("urgent", 1, "OPS-TASK", "Call the other provider now")
    assert [(guard.kind, guard.key) for guard in decision.takes] == [("firing", f"{FIRED.trigger}/{FIRED.event}")]
    assert FIRING.evolve(state, closed).closed == "approve"


def test_the_depth_of_an_event_is_that_of_the_last_firing_before_it() -> None:
    """Causes are followed through whatever lies between; a circle of causes ends."""
    told = {"e": ("d", None), "d": ("c", None), "c": ("b", 2), "b": ("a", 1), "x": ("y", None), "y": ("x", None)}

    assert [depth_of(name, told) for name in ("e", "c", "b", "a", "x", "unknown")] == [2, 2, 1, 0, 0, 0]


def reached(language: str) -> list[tuple[datetime, Event]]:
    """A customer who is reached in a language."""
    stated = CustomerPreferencesStated.model_validate({**CustomerPreferencesStated.example, "language": language})
    return [(NOON, CustomerRegistered.model_validate(CustomerRegistered.example)), (NOON, stated)]


WORDS = {"en": {"subject": "About $order", "text": "Dear $name, we are late."}, "nl": {"subject": "Over $order", "text": "Wij zijn laat."}}


@pytest.mark.parametrize(("wanted", "subject"), [("nl-NL", "Over $order"), ("pt", "About $order"), ("", "About $order")])
def test_a_notice_is_told_in_words_of_its_own(wanted: str, subject: str) -> None:
    """In the customer's language where the trigger has words in it, else in the market's, else in the first that it has."""
    body = FIRED.model_copy(
        update={"then": Definition.model_validate({"on": "x", "then": {"do": "notify", "words": WORDS}}).then}
    ).model_dump(mode="json")
    [told] = told_of("trigger.fired", body, NOON, "Europe/London")
    about = About("firing-1", "trigger.fired", "o-1", "WEB-1", "C-1", "Europe/London")
    due, _ = compose(told, body, about, reached(wanted), telling_of("GB"), messaging(STARTED), at=NOON)

    assert (due.milestone, due.key, due.values["subject"]) == ("notice", "firing-1/notice/", subject)


@pytest.mark.parametrize(
    ("words", "flaw"),
    [
        pytest.param({"en": ("a", "b $order")}, "", id="a field"),
        pytest.param({"en": ("a", "b $phone")}, r"there is no \$phone", id="no such field"),
        pytest.param({"english": ("a", "b")}, "no language", id="no language"),
        pytest.param({"en": ("a\nb", "b")}, "one line", id="a subject of two lines"),
    ],
)
def test_words(words: Mapping[str, tuple[str, str]], flaw: str) -> None:
    """The words of a trigger name the fields that templates name, and no others."""
    assert (next(_of_words(words), "") == "") is (flaw == "")


# -- a dry run is a search of the log

FIELDS = st.fixed_dictionaries({
    "reason": st.sampled_from(["NP-CODE", "NP-PIN", "NP-NOANS"]), "severity": st.integers(1, 5), "queue": st.sampled_from(["porting", "care"]),
})  # fmt: skip
EVENTS = st.lists(st.tuples(st.sampled_from(["porting.fell-out", "delivery.fell-out", "order.captured"]), FIELDS), max_size=30)
TRIED: list[tuple[str, Callable[[str, Mapping[str, Any]], bool]]] = [
    (definition(), lambda name, body: name == "porting.fell-out"),
    (definition(on="*.fell-out"), lambda name, body: name.endswith(".fell-out")),
    (definition(when='{ compare = "equals", field = "reason", value = "NP-CODE" }'), lambda name, body: name == "porting.fell-out" and body["reason"] == "NP-CODE"),
    (
        definition(on="*.fell-out", when='{ compare = "at-most", field = "severity", value = 2 }, { compare = "differs", field = "queue", value = "care" }'),
        lambda name, body: name.endswith(".fell-out") and body["severity"] <= 2 and body["queue"] != "care",
    ),
    (
        definition(when='{ compare = "any", of = [{ compare = "over", field = "severity", value = 4 }, { compare = "contains", field = "reason", value = "PIN" }] }'),
        lambda name, body: name == "porting.fell-out" and (body["severity"] > 4 or "PIN" in body["reason"]),
    ),
]  # fmt: skip
"""A trigger, and the same said in Python."""


def record(place: int, name: str, body: Mapping[str, Any]) -> EventRecord:
    at = NOON + timedelta(minutes=place)
    return EventRecord(place, f"e-{place}", "order-1", place, name, at, at, "ann", "web", "c", None, None, None, dict(body))


@hypothesis.given(EVENTS, st.sampled_from(TRIED))
def test_a_dry_run_is_a_search_of_the_log(
    events: list[tuple[str, Mapping[str, Any]]], tried: tuple[str, Callable[[str, Mapping[str, Any]], bool]]
) -> None:
    """Counted, first, last and sample are those of the events that plain Python finds."""
    text, plainly = tried
    records = [record(place, name, body) for place, (name, body) in enumerate(events, 1)]
    [shown] = matched({"one": trigger(text)}, records)

    found = [each for each in records if plainly(each.type, each.data)]
    assert shown["matched"] == len(found)
    assert [each["event"] for each in shown["sample"]] == [each.id for each in found[:SAMPLE]]
    ends = [f"{each.occurred_at:%Y-%m-%dT%H:%M:%SZ}" for each in (found[0], found[-1])] if found else [None, None]
    assert [shown["first"], shown["last"]] == ends


def test_what_matches_is_set_off_and_nothing_else() -> None:
    """The watch asks what the dry run asks."""
    told = trigger(TRIED[2][0])

    assert matches(told, "porting.fell-out", BODY)
    assert not matches(told, "delivery.fell-out", BODY)
    assert isinstance(set_off(told, by()), TriggerFired)
