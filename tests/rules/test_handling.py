"""What people do with a fallout: the table of actions, and the record that follows, by whatever sequence of deeds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, get_args

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.fallout import events
from o2c.fallout.actions import ACTIONS, Stage, check
from o2c.fallout.events import OfFallout, Party
from o2c.fallout.handling import (
    Assign,
    ChangeOrigin,
    Claim,
    Escalate,
    Handling,
    LinkTicket,
    Note,
    Release,
    Reopen,
    RequestInformation,
    Resume,
    Settle,
    Snooze,
    Standing,
    Wait,
    handle,
)
from o2c.fallout.record import KIND, FalloutRecord
from o2c.fallout.rules import Resolution
from o2c.kernel.event import EVENT_TYPES
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import Origin
from projections.engine.seen import Seen, stamp
from projections.fallout_records import FALLOUT_RECORDS

FALLOUT = "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1"
BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)
STANDING = Standing(FALLOUT, "order-1001", "customer", ("care", "porting"))
PAIRS = [pytest.param(action, stage, id=f"{action}-{stage}") for action in ACTIONS for stage in get_args(Stage)]


@pytest.mark.parametrize(("action", "stage"), PAIRS)
def test_a_pair_that_is_not_listed_is_refused(action: str, stage: Stage) -> None:
    """As a conflict (exit 4), in one line that names the fallout and says why; one that is listed passes."""
    if stage in ACTIONS[action].stages:
        check(action, stage, FALLOUT)
        return
    with pytest.raises(Refused, match=FALLOUT) as refused:
        check(action, stage, FALLOUT)
    assert (refused.value.kind, "\n" in str(refused.value)) == ("conflict", False)


def test_the_table_is_what_can_be_done() -> None:
    """Each way to resolve or handle has its row, and each row its way: an order is cancelled by a verb of its own."""
    ways = {way.action for way in (*get_args(Resolution), *get_args(Handling))}
    assert ways | {"cancel"} == set(ACTIONS)


def test_the_events_of_the_table_are_events() -> None:
    """Those that are named in full are types of events; a star stands for those of any step."""
    named = {event for action in ACTIONS.values() for event in action.events if "*" not in event}
    assert named - EVENT_TYPES.keys() == set()


MINUTES = st.integers(-90, 600)


@st.composite
def _deed(draw: st.DrawFn) -> tuple[Handling, str, int, str]:
    until = BEGUN + timedelta(minutes=draw(MINUTES))
    way = draw(
        st.sampled_from(
            (
                Claim(draw(st.integers(0, 90))), Assign(draw(st.sampled_from(("", "ann", "cleo"))), draw(st.sampled_from(("", "care", "moon")))),
                Release(), Snooze(until), Wait(draw(st.sampled_from(get_args(Party))), draw(st.sampled_from((None, until)))),
                RequestInformation(draw(st.sampled_from(get_args(Party)))), Resume(), Reopen(), Settle(), Escalate(), Note(), LinkTicket("ENG-1"),
                ChangeOrigin(draw(st.sampled_from(get_args(Origin)))),
            )
        )
    )  # fmt: skip
    return way, draw(st.sampled_from(("ann", "ben"))), draw(st.integers(0, 120)), draw(st.sampled_from(("", "seen")))


def at_that_time(handling: Handling, at: datetime) -> Handling:
    """With the time that it names counted from when it is done, which was drawn as if that were the beginning."""
    until = getattr(handling, "until", None)
    return replace(handling, until=at + (until - BEGUN)) if isinstance(handling, Snooze | Wait) and until else handling


def seen(event: OfFallout, position: int, at: datetime) -> Seen:
    body = {name: value for name, value in event.model_dump(mode="json").items() if name != "note"}
    stream = f"fallout-{FALLOUT}"
    return Seen(position, "", stream, position, event.type_name, event.shape, "", "", stamp(at), None, None, "desk", "", "", body)


@hypothesis.given(deeds=st.lists(_deed(), max_size=25))
def test_rules_and_queue_see_the_same_record(deeds: list[tuple[Handling, str, int, str]]) -> None:
    """After any deeds, refused ones among them, the record that rules judge by and the row of the queue say the same; waits never overlap."""
    record, doc, at, position = FalloutRecord(), FALLOUT_RECORDS.initial, BEGUN, 0
    for handling, by, minutes, note in deeds:
        at += timedelta(minutes=minutes)
        try:
            decision = handle(at_that_time(handling, at), record, STANDING, by=by, note=note, at=at)
        except Refused:
            continue
        [event] = decision.events
        assert isinstance(event, OfFallout)
        position += 1
        record = KIND.evolve(record, event)
        doc = FALLOUT_RECORDS.evolve(doc, seen(event, position, at))

    assert (doc["owner"], doc["queue"], doc["level"], doc["waits_for"], doc["origin"]) == (
        record.owner,
        record.queue,
        record.level,
        record.waits_for,
        record.origin,
    )
    assert doc["touches"] == position
    waits: list[Any] = doc["waiting"]
    assert all(wait["from"] <= (wait["to"] or stamp(at)) for wait in waits)
    assert all(earlier["to"] and earlier["to"] <= later["from"] for earlier, later in pairwise(waits))
    assert bool(waits and waits[-1]["to"] is None) == bool(record.waits_for)


CLAIMS = st.tuples(
    st.sampled_from((Claim(30), Claim(5), Release(), Assign("cleo"))), st.sampled_from(("ann", "ben")), st.integers(0, 20), st.just("")
)


@hypothesis.given(deeds=st.lists(CLAIMS, max_size=12))
def test_two_people_never_hold_a_claim_at_once(deeds: list[tuple[Handling, str, int, str]]) -> None:
    """While one has claimed it, another's claim is refused, whatever happened before, unless it was given on or back."""
    record, at = FalloutRecord(), BEGUN
    for handling, by, minutes, note in deeds:
        at += timedelta(minutes=minutes)
        before = record
        try:
            [event] = handle(at_that_time(handling, at), record, STANDING, by=by, note=note, at=at).events
        except Refused:
            continue
        record = KIND.evolve(record, event)
        if isinstance(event, events.FalloutClaimed) and before.claimed_until and before.claimed_until > at:
            assert before.owner == by
