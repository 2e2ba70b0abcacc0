"""When a journey begins, is lost, won back and joined; who is told apart; and that nothing that was tried is counted twice or not at all."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.journeys import rules
from o2c.journeys.events import BasketFilled, JourneyLookRequested, JourneyLost, OutreachOpened
from o2c.journeys.policy import ApartRule, Comer, in_force, packaged
from o2c.journeys.policy_events import JourneyPolicyLoaded
from o2c.journeys.state import KIND, JourneyState, PolicyState, evolve_policy
from o2c.kernel.agenda import Dropped, Entry
from o2c.kernel.event import Event
from o2c.kernel.refusal import Refused
from o2c.views.journeys import paper_of, places_in
from o2c.views.sealing import Keys
from tests.lives_of_journeys import CAMPAIGN, FAILED, LATER, NOW, after, tried

POLICY = packaged()
LOOKED_AT = BasketFilled(channel="web", tried_at=NOW)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def reached(state: JourneyState, outcome: str = "reached", at: datetime = LATER) -> JourneyState:
    return after(state, rules.reach(state, medium="call", outcome=outcome, at=at, policy=POLICY))  # type: ignore[arg-type] # words that are none, too


def ordered(state: JourneyState, found_by: str = "named") -> JourneyState:
    return after(state, rules.ordered(state, order="O", customer="C-1001", found_by=found_by))  # type: ignore[arg-type] # one of the two


def lost(state: JourneyState) -> JourneyState:
    return KIND.evolve(state, JourneyLost(attempts=state.attempts, failed=state.failed))


@pytest.mark.parametrize(
    ("state", "status"),
    [
        pytest.param(ordered(tried(what=LOOKED_AT)), "ordered", id="nothing failed"),
        pytest.param(ordered(tried()), "ordered", id="it failed, and the person came back alone"),
        pytest.param(ordered(reached(tried())), "recovered", id="it failed, and we got in touch"),
        pytest.param(ordered(reached(tried(), "no-answer")), "recovered", id="it failed, and we tried to"),
        pytest.param(ordered(lost(tried())), "ordered", id="lost, and found by its name"),
        pytest.param(ordered(lost(tried()), "customer"), "lost", id="lost, and the customer orders something else"),
        pytest.param(lost(tried()), "lost", id="nobody came back"),
    ],
)
def test_how_a_journey_ends(state: JourneyState, status: str) -> None:
    """Recovered is what failed and came to an order after we got in touch; a lost journey is found again by its name alone."""
    assert state.status == status


def test_what_fails_opens_one_outreach_within_the_days_of_the_journey() -> None:
    """The first failure opens it, a second one does not, and neither look nor outreach is later than the end of what is personal."""
    [opened] = [each for each in rules.attempt(JourneyState(), FAILED, **about()).events if isinstance(each, OutreachOpened)]
    state = tried()
    late = NOW + 29 * DAY
    last = rules.attempt(state, FAILED.model_copy(update={"tried_at": late}), **about(at=late)).events
    [look] = [each for each in last if isinstance(each, JourneyLookRequested)]

    assert (opened.open_from, opened.open_until, opened.budget_minor) == (NOW + HOUR, NOW + 7 * DAY, 1500)
    assert not any(isinstance(each, OutreachOpened) for each in last)
    assert look.due_at == state.ends_by == NOW + 30 * DAY


def about(**changes: Any) -> dict[str, Any]:
    return {"journey": "A", "market": "GB@2026-01", "kept_days": 30, "at": NOW, "policy": POLICY, **changes}


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        pytest.param({"client": "Mozilla/5.0"}, "", id="a person"),
        pytest.param({"client": "SomeBot/1.0"}, "declared-robot", id="a robot that says so"),
        pytest.param({"login": "ada@shop.test"}, "own-test", id="a test of our own"),
        pytest.param({"login": "ada@test.example.org"}, "", id="a person at a test's name"),
        pytest.param({"attempts": 20, "since": timedelta(seconds=60)}, "faster-than-a-person", id="too fast"),
        pytest.param({"attempts": 20, "since": timedelta(seconds=61)}, "", id="fast"),
        pytest.param({"attempts": 19, "since": timedelta(seconds=1)}, "", id="some at once"),
    ],
)
def test_who_is_told_apart(told: dict[str, Any], rule: str) -> None:
    """By what the client says, by a domain that nobody has, and by haste; each bound holds to the second."""
    found = POLICY.apart_of(Comer(**{"attempts": 1, **told}))

    assert (found.name if found else "") == rule
    set_apart = rules.attempt(JourneyState(), FAILED, **about(apart=found)).events
    assert any(isinstance(each, OutreachOpened) for each in set_apart) == (found is None)


@pytest.mark.parametrize(
    ("said", "who", "holds"),
    [
        pytest.param({"customers": ("C-T",)}, {"customer": "C-T"}, True, id="a customer of our own"),
        pytest.param({"customers": ("C-T",)}, {"customer": "C-T1"}, False, id="a customer with a longer name"),
        pytest.param({"customers": ("C-T",)}, {}, False, id="no customer"),
        pytest.param({"channel": "^probe$"}, {"channel": "probe"}, True, id="a channel"),
        pytest.param({"external_id": "^SMOKE-"}, {"external_id": "SMOKE-1"}, True, id="a name that only tests give"),
        pytest.param({"external_id": "^SMOKE-"}, {"external_id": "WEB-SMOKE-1"}, False, id="a name with it inside"),
        pytest.param({"note": "(?i)^test order$"}, {"note": "please ring\nTest order"}, True, id="one of several notes"),
        pytest.param({"token": "^probe-"}, {"token": "probe-7"}, True, id="a token"),
        pytest.param({"login": "^probe@", "channel": "web"}, {"login": "probe@shop.example", "channel": "store"}, False, id="only half of what it says"),
    ],
)  # fmt: skip
def test_what_an_operators_own_rule_may_say(said: dict[str, Any], who: dict[str, Any], holds: bool) -> None:
    """By a customer, a channel, a token, an external id or a note; all that it says holds, or it does not."""
    assert ApartRule("ours", "test", "we try it ourselves", **said).holds(Comer(**who)) == holds


_DAYS = st.integers(0, 60)


@hypothesis.given(loads=st.dictionaries(_DAYS, st.integers(1, 20), max_size=4), tries=st.lists(_DAYS, min_size=1, max_size=6))
def test_a_new_policy_changes_nothing_of_the_past(loads: dict[int, int], tries: list[int]) -> None:
    """Whatever is loaded when: each attempt, judged again once all of it was loaded, comes to what it came to on its day, and says by which version."""
    state, decided = PolicyState(), []
    for day in range(61):
        at = NOW + day * DAY
        if day in loads:
            [loaded] = rules.load_policy(state, own(day, loads[day]), at).events
            state = evolve_policy(state, loaded)
        decided += [(at, judged(state, at)) for _ in range(tries.count(day))]

    assert [judged(state, at) for at, _ in decided] == [events for _, events in decided]
    names = [
        f"own-{max(day for day in loads if NOW + day * DAY <= at)}" if at >= NOW + min(loads, default=99) * DAY else POLICY.version
        for at, _ in decided
    ]
    assert [look.policy for _, events in decided for look in events if isinstance(look, JourneyLookRequested)] == names


def test_it_would_be_seen_if_the_past_were_judged_anew() -> None:
    """Control: the last file, asked of its own day, says something else of an attempt that was made before it."""
    [loaded] = rules.load_policy(PolicyState(), own(1, 1), NOW + DAY).events
    state = evolve_policy(PolicyState(), loaded)

    assert judged(state, NOW) == judged(PolicyState(), NOW) != judged(state, NOW, by=NOW + DAY)


def test_files_of_before_their_days_were_kept_hold_as_they_did() -> None:
    """Of a store that was written before, the last file is in force whenever something happened."""
    state = PolicyState()
    for number in (1, 2):
        told = {"version": f"own-{number}", "document": own(number, 3), "since": datetime(1970, 1, 1, tzinfo=NOW.tzinfo)}
        state = evolve_policy(state, JourneyPolicyLoaded.model_validate(told))

    assert in_force(state.loaded, NOW - 999 * DAY).version == "own-2"


def own(number: int, lost_after_days: int) -> str:
    """A policy of the operator's own, by which a journey is lost after some days."""
    text = str(JourneyPolicyLoaded.example["document"])
    return text.replace("own-1", f"own-{number}").replace("lost_after_days = 7", f"lost_after_days = {lost_after_days}")


def judged(state: PolicyState, at: datetime, *, by: datetime | None = None) -> tuple[Event, ...]:
    """What an attempt at a time comes to, by the policy of that time, or of another one."""
    return rules.attempt(JourneyState(), FAILED, **{**about(at=at), "policy": in_force(state.loaded, by or at)}).events


@pytest.mark.parametrize(
    ("decide", "why"),
    [
        pytest.param(lambda: rules.attempt(lost(tried()), FAILED, **about()), "is over", id="one more attempt on a lost one"),
        pytest.param(lambda: reached(tried(what=LOOKED_AT)), "nothing failed", id="nothing to get in touch about"),
        pytest.param(lambda: reached(tried(), at=NOW), "get in touch from", id="too early"),
        pytest.param(lambda: reached(tried(), at=NOW + 7 * DAY), "get in touch from", id="too late, to the moment"),
        pytest.param(lambda: reached(reached(tried(), "not-wanted")), "does not want", id="not wanted"),
        pytest.param(lambda: reached(reached(reached(reached(tried())))), "3 times", id="too often"),
        pytest.param(lambda: reached(tried(), "shouted"), "say how", id="an outcome that is none"),
        pytest.param(lambda: reached(ordered(tried())), "is ordered", id="after the order"),
        pytest.param(lambda: rules.promise(tried(), "SORRY-A2", CAMPAIGN, LATER), "no voucher", id="no such code"),
        pytest.param(lambda: rules.promise(after(tried(), rules.promise(tried(), "SORRY-A1", CAMPAIGN, LATER)), "SORRY-B", CAMPAIGN, LATER), "promised SORRY-A1", id="two"),
        pytest.param(
            lambda: rules.promise(tried(what=FAILED.model_copy(update={"value_minor": 0})), "SORRY-A1", CAMPAIGN, LATER), "percentage", id="of nobody knows what"
        ),
        pytest.param(
            lambda: rules.promise(tried(what=FAILED.model_copy(update={"value_minor": 7501})), "SORRY-A1", CAMPAIGN, LATER), "1501 minor units", id="a penny too much"
        ),
        pytest.param(lambda: paper_of({"/a": "1", "/a/b": "2"}), "within another", id="a field within a value"),
        pytest.param(lambda: paper_of({"/a/1": "1"}), "gaps", id="a list with a gap"),
        pytest.param(lambda: paper_of({"/a/0": "1", "/a/b": "2"}), "both names and numbers", id="half a list"),
        pytest.param(lambda: paper_of({"a": "1"}), "no place", id="no place"),
    ],
)  # fmt: skip
def test_what_is_refused(decide: Any, why: str) -> None:
    """In a line that says why."""
    with pytest.raises(Refused, match=why):
        decide()


def test_the_look_is_put_off_by_each_attempt_and_dropped_by_the_order() -> None:
    """One row of the agenda a journey, as long as it is open."""
    stream, state = "journey-A", JourneyState()
    rows: dict[tuple[str, str], Entry] = {}
    decisions = [*rules.attempt(state, FAILED, **about()).events]
    decisions += rules.attempt(tried(), LOOKED_AT.model_copy(update={"tried_at": LATER}), **about(at=LATER)).events
    dues = []
    for event in [*decisions, *rules.ordered(tried(), order="O", customer="C", found_by="named").events]:
        state = KIND.evolve(state, event)
        for change in KIND.agenda(state, event, stream):
            rows.pop((change.item, change.step), None)
            if not isinstance(change, Dropped):
                rows[change.item, change.step] = change
                dues.append(change.due_at)

    assert dues == [NOW + POLICY.lost_after, LATER + POLICY.lost_after]
    assert rows == {}


@hypothesis.given(
    moves=st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(("fail", "look", "reach", "order", "lose", "join"))), max_size=30)
)
def test_what_was_tried_is_ordered_recovered_lost_or_open(moves: list[tuple[str, str]]) -> None:
    """Whatever happens to journeys, in any order: each is in one of four states, and the attempts of all add up to those that were made, joined ones once."""
    journeys: dict[str, JourneyState] = {}
    made = 0
    for hours, (name, move) in enumerate(moves):
        at, state = NOW + hours * 6 * HOUR, journeys.get(name, JourneyState())
        made += move in ("fail", "look") and state.status in ("", "open")
        _moved(journeys, name, move, at)

    counted = Counter[str]()
    for state in journeys.values():
        counted[state.status] += state.attempts if state.status != "followed" else 0
    assert counted.keys() <= {"open", "ordered", "recovered", "lost", "followed"}
    assert sum(counted.values()) == made


def _moved(journeys: dict[str, JourneyState], name: str, move: str, at: datetime) -> None:
    state = journeys.get(name, JourneyState())
    try:
        if move in ("fail", "look"):
            journeys[name] = tried(state, journey=name, at=at, what=FAILED if move == "fail" else LOOKED_AT)
        elif state.status and move == "reach":
            journeys[name] = reached(state, at=at)
        elif state.status and move == "order":
            journeys[name] = ordered(state)
        elif state.is_open and move == "lose":
            journeys[name] = lost(state)
        elif state.is_open and move == "join":
            _joined(journeys, name)
    except Refused:
        pass


def _joined(journeys: dict[str, JourneyState], name: str) -> None:
    for other, theirs in list(journeys.items()):
        if other != name and theirs.is_open:
            decision = rules.join(journeys[name], theirs)
            journeys[name] = after(journeys[name], decision)
            events: list[Event] = [event for stream, event in decision.elsewhere if stream == f"journey-{other}"]
            journeys[other] = KIND.evolve(theirs, events[0])


@hypothesis.given(text=st.text(max_size=50), other=st.text(max_size=50))
def test_what_is_sealed_is_opened_with_its_key_alone(text: str, other: str) -> None:
    """A text comes back whole under its own key, and under none when that is gone or is another one; digests tell people apart and do not outlive the key."""
    keys, changed = Keys({"GB-2026-01-05": b"a" * 32}), Keys({"GB-2026-01-05": b"b" * 32})
    sealed = keys.seal("GB-2026-01-05", text)

    assert keys.opened(sealed) == text
    assert changed.opened(sealed) is None
    assert Keys({}).opened(sealed) is None
    assert sealed != keys.seal("GB-2026-01-05", text)
    assert keys.digests("token", text) != changed.digests("token", text)
    assert (keys.digests("token", text) == keys.digests("token", other)) == (text.strip() == other.strip())


def test_one_person_is_recognised_however_it_is_written() -> None:
    """A login in capitals and a number with blanks are the same; a login and a token of the same letters are not."""
    keys = Keys({"k": b"a" * 32})

    assert keys.digest("k", "login", " Ada@Example.org ") == keys.digest("k", "login", "ada@example.org")
    assert keys.digest("k", "phone", "+44 7700 900-123") == keys.digest("k", "phone", "+447700900123")
    assert keys.digest("k", "login", "ada") != keys.digest("k", "token", "ada")


@hypothesis.given(
    st.recursive(
        st.text("abc", max_size=3),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text("xyz", min_size=1, max_size=3), inner, min_size=1, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_a_paper_comes_back_from_its_places(part: Any) -> None:
    """Taken apart into places and values and put together again, a paper of texts is as it was."""
    paper = {"order": part}

    assert paper_of(dict(places_in(paper))) == paper
