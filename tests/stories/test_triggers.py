"""Triggers on a store: what they match is what a search of the log finds, what they set off is done once, and by the version of the time."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from o2c.desk.customers import register_customer
from o2c.desk.fallout import Decide, resolve
from o2c.desk.suspending import resume_order
from o2c.desk.triggers import retire_trigger
from o2c.engine.app import Context
from o2c.kernel.refusal import Refused
from o2c.running.session import Session
from o2c.triggers import rules
from o2c.views.fallouts import list_fallouts
from o2c.views.following import Wanted, find_events
from o2c.views.reading import caught_up
from o2c.views.triggers import dry_run_triggers, list_firings, list_triggers, show_trigger
from tests.hooked import Hooked, Post
from tests.told import Telling
from tests.watched import OLGA, Watching
from tests.world import NINE, World, at, customer, line, order, ported

MEDIA = [{"characteristic": {"emailAddress": "ada@example.org"}}]
TASK = """[triggers.codes]
on = "porting.fell-out"
when = [{ compare = "equals", field = "reason", value = "NP-CODE" }]
then = { do = "task", queue = "porting", severity = 2, text = "Ask for another code" }
"""
ALARM = """[triggers.stuck]
on = "*.fell-out"
when = [{ compare = "at-most", field = "severity", value = 5 }]
then = { do = "alarm", severity = 2, text = "Something is stuck" }
"""
TELL = """[triggers.begun]
on = "order.captured"
when = [{ compare = "equals", field = "channel", value = "web" }]
then = { do = "notify", words = { en = { subject = "On $order", text = "We look after $order." } } }
"""


@pytest.fixture
def watch(world: World, tmp_path: Path) -> Watching:
    """A store that sells, and is watched."""
    world.run(NINE)
    return Watching(Session(world.app, tmp_path))


def fallen(world: World, *names: str) -> None:
    """Orders whose ports have no code."""
    world.take(*(order(name, ported(msisdn=f"+44770092100{n}", code="")) for n, name in enumerate(names)))
    world.run(at(6))


def test_a_dry_run_equals_a_search_of_the_log(world: World, watch: Watching) -> None:
    """Counted over the stored events, before anything is set; and it is what is then set off, once, however often anybody looks."""
    fallen(world, "WEB-1", "WEB-2")
    events = [event for event in find_events(world.app, Wanted()) if event.type.endswith(".fell-out") and event.data["severity"] <= 5]
    [tried] = dry_run_triggers(world.app, ALARM, since=NINE)
    watch.set(ALARM + TASK)

    assert tried["matched"] == len(events) >= 2
    assert [each["event"] for each in tried["sample"]] == [event.id for event in events[:5]]
    assert watch.fire() == 0, "what came before a trigger was set sets nothing off"
    assert list_firings(world.app) == []


def test_each_event_sets_off_once_by_the_version_of_its_time(world: World, watch: Watching) -> None:
    """The events before a change are judged as it stood then though they are read after it; those after it by the new version, and none after its end."""
    watch.set(TASK)
    fallen(world, "WEB-1")
    watch.set(TASK.replace("severity = 2", "severity = 1"))
    world.take(order("WEB-2", ported(msisdn="+447700921009", code="")))
    world.run(at(7))
    retire_trigger(world.app, OLGA, "codes")
    world.take(order("WEB-3", ported(msisdn="+447700921008", code="")))
    world.run(at(8))

    assert [watch.fire(), watch.fire()] == [2, 0]
    caught_up(world.app)
    tasks = list_fallouts(world.app, reason="OPS-TASK")
    assert [(row["version"], row["state"]) for row in list_firings(world.app)] == [(2, "fired"), (1, "fired")]
    assert sorted((row["severity"], row["queue"], row["order"] != "") for row in tasks) == [(1, "porting", True), (2, "porting", True)]
    assert [row["retired"] for row in list_triggers(world.app, retired=True)] == [True]
    assert [each["version"] for each in show_trigger(world.app, "codes")["versions"]] == [1, 2, None]


def test_a_task_is_done_at_the_desk_and_changes_nothing_of_its_order(world: World, watch: Watching) -> None:
    """It stands in the queue with the order named, and goes when a person says that it is done."""
    watch.set(TASK)
    fallen(world, "WEB-1")
    before = world.state("WEB-1")
    watch.fire()
    caught_up(world.app)
    [task] = list_fallouts(world.app, reason="OPS-TASK")
    resolve(world.app, Context("ann"), task["fallout"], Decide(approve=True), note="rang")
    caught_up(world.app)

    assert list_fallouts(world.app, reason="OPS-TASK") == []
    assert world.state("WEB-1") == before


def test_two_that_watch_set_nothing_off_twice(world: World, watch: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where both believe that it is their turn, and where how far was read is lost."""
    monkeypatch.setattr("o2c.running.triggers.turn", lambda store, name: nullcontext(True))
    watch.set(ALARM + TASK)
    fallen(world, "WEB-1", "WEB-2")
    other = Watching(watch.session)
    done = watch.fire()
    monkeypatch.setattr("o2c.running.triggers.policy_position", lambda store, name: None)

    assert done == len(list_firings(world.app)) > 0
    assert [other.fire(), watch.fire()] == [0, 0]
    assert len(list_firings(world.app)) == done


def test_a_customer_is_told_in_the_words_of_a_trigger(world: World, watch: Watching) -> None:
    """As of any milestone: once, by his medium."""
    register_customer(world.app, OLGA, {**customer("C-1"), "contactMedium": MEDIA})
    telling = Telling(world.app, world.folder)
    telling.start(email="file")
    watch.set(TELL)
    world.take(order("WEB-1", line(), channel="web"), order("WEB-2", line(), channel="store"))
    watch.fire()
    telling.send()
    telling.send()

    [told] = telling.rows(milestone="notice")
    [put_down] = [text for path in (world.folder / "outbox" / "email").iterdir() if "We look after WEB-1." in (text := path.read_text())]
    assert told["external_id"] == "WEB-1"
    assert "On WEB-1" in put_down


HOLD = """[triggers.first]
on = "order.validated"
then = { do = "hold", days = 3, text = "Look at it first" }

[triggers.late]
on = "order.completed"
then = { do = "hold", text = "Too late" }
"""


def test_an_order_is_held_once_and_goes_on_when_a_person_says_so(world: World, watch: Watching) -> None:
    """It is suspended by the firing, which stands as its cause; looked at again nothing happens; one that is over is not held, and its firing says so."""
    watch.set(HOLD)
    world.take(order("WEB-1", line()))
    world.attend(1)
    watch.fire()
    [firing] = list_firings(world.app)
    [held] = list(find_events(world.app, Wanted(types=("order.suspended",))))
    [fired] = list(find_events(world.app, Wanted(types=("trigger.fired",))))
    world.run(at(6))
    watch.fire()

    assert (held.causation, held.actor, firing["state"], firing["does"]) == (fired.id, "triggers", "fired", "hold")
    assert world.state("WEB-1") == "pending"
    resume_order(world.app, Context("ann"), "WEB-1", note="looked at")
    world.run(at(12))
    watch.fire()
    assert world.state("WEB-1") == "completed"
    assert [(row["trigger"], row["state"]) for row in list_firings(world.app)] == [("late", "not-possible"), ("first", "fired")]
    assert len(list(find_events(world.app, Wanted(types=("order.suspended",))))) == 1


def test_what_goes_round_ends(world: World, watch: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that was not plain ends after some firings, and says so."""
    loop = '[triggers.round]\non = "trigger.fired"\nthen = { do = "alarm", severity = 5, text = "x" }\n'
    with pytest.raises(Refused, match="round sets off round"):
        watch.set(loop)
    with monkeypatch.context() as patched:
        patched.setattr(rules, "loop", lambda standing: ())
        watch.set(loop + '[triggers.first]\non = "order.captured"\nthen = { do = "alarm", severity = 5, text = "x" }\n')
    world.take(order("WEB-1", line()))
    for _ in range(6):
        watch.fire()

    found = [(row["trigger"], row["state"], row["depth"]) for row in list_firings(world.app)][::-1]
    assert found == [("first", "fired", 1), ("round", "fired", 2), ("round", "fired", 3), ("round", "loop", 4)]


def test_what_one_leads_to_by_another_is_as_deep_as_it_is(world: World, watch: Watching) -> None:
    """An order is held, its customer told of that, a task opened for whoever was told, and an alarm set off by the task: the fourth is withheld, though a message was sent between."""
    register_customer(world.app, OLGA, {**customer("C-1"), "contactMedium": MEDIA})
    telling = Telling(world.app, world.folder)
    telling.start(email="file")
    watch.set(CHAIN)
    world.take(order("WEB-1", line()))
    for _ in range(4):
        watch.fire()
        telling.send()

    found = sorted((row["depth"], row["trigger"], row["state"]) for row in list_firings(world.app))
    of_receipt = [(1, "task", "fired"), (2, "alarm", "fired")]
    assert found == sorted([*of_receipt, (1, "hold", "fired"), (2, "notify", "fired"), (3, "task", "fired"), (4, "alarm", "loop")])


CHAIN = """[triggers.hold]
on = "order.captured"
then = { do = "hold", text = "Look at it" }
[triggers.notify]
on = "order.suspended"
then = { do = "notify", words.en = { subject = "Held", text = "We look at it." } }
[triggers.task]
on = "message.sent"
then = { do = "task", queue = "care", text = "Ring" }
[triggers.alarm]
on = "trigger.task-opened"
then = { do = "alarm", severity = 5, text = "x" }
"""


def test_a_hook_is_told_of_what_is_set_off(world: World, watch: Watching) -> None:
    """One that takes firings, and no other can be named; the message says which trigger, in which version, of which event."""
    hooked = Hooked(world.app, world.folder, post=(post := Post()))
    takes, other = (hooked.subscribe(types=[name]).hook for name in ("trigger.fired", "order.captured"))
    out = '[triggers.out]\non = "order.captured"\nthen = { do = "webhook", hook = "HOOK" }\n'
    with pytest.raises(Refused, match="is not told of"):
        watch.set(out.replace("HOOK", other))
    watch.set(out.replace("HOOK", takes))
    world.take(order("WEB-1", line()))
    watch.fire()
    hooked.tell(takes)
    hooked.deliverer.close()

    [captured] = find_events(world.app, Wanted(types=("order.captured",)))
    [(_, _, body)] = post.sent
    told = json.loads(body)["data"]
    assert {name: told[name] for name in ("trigger", "version", "event")} == {"trigger": "out", "version": 1, "event": captured.id}


def test_what_a_trigger_names_must_be_there(world: World, watch: Watching) -> None:
    """A queue or a hook that there is not is refused when it is set, not when it is needed."""
    with pytest.raises(Refused, match="no queue nowhere"):
        watch.set(TASK.replace('queue = "porting"', 'queue = "nowhere"'))
    with pytest.raises(Refused, match="no hook"):
        watch.set('[triggers.out]\non = "order.captured"\nthen = { do = "webhook", hook = "5d3f0a5e" }\n')
    assert list_triggers(world.app) == []
    assert json.dumps(dry_run_triggers(world.app)) == "[]"
