"""Commands in whatever groups: what appends leave behind in which some follow others is what the commands leave one by one."""

import itertools
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.agenda import Dropped, Entry
from o2c.store.commands import Append, PoolChange
from o2c.store.database import connect
from o2c.store.recorder import LogRecorder
from tests.depth import depth
from tests.store.writing import NOON, command, rows, take
from tests.tables import empty_log

SHARED = ("account", "customer")
LEFT = {
    "events": "SELECT stream, version, event_id::text, command_id::text, body::text FROM o2c.event",
    "heads": "SELECT h.stream, h.version, h.state::text, h.last_position = max(e.position) AS at_last FROM o2c.head h JOIN o2c.event e USING (stream) "
    "GROUP BY h.stream",
    "guards": "SELECT key, holder FROM o2c.guard",
    "agenda": "SELECT stream, attempt, cause::text FROM o2c.agenda",
    "pool": "SELECT key, detail FROM o2c.pool",
}


@dataclass(frozen=True)
class Wish:
    """What somebody wants of one order of a customer, which may be another's too: events of it and of what it shares with others, perhaps
    something that one alone can hold, and a step that is due (`attempt`), or no longer."""

    name: str
    streams: tuple[str, ...]
    each: int
    guard: str
    attempt: int

    def decided(self, seen: dict[str, int], *, follows: bool) -> Append:
        """The command as it is decided on some versions of its streams: each event tells which."""
        command_id = _id(self.name)
        made = command(*((stream, seen.get(stream, 0)) for stream in self.streams), each=self.each, command_id=command_id, follows=follows)
        facts = tuple(
            replace(fact, event_id=_id(f"{self.name} {n}"), state=json.dumps(sorted(seen.items())).encode())
            for n, fact in enumerate(made.facts)
        )
        place = self.streams[-1]
        due = Entry(place, "1", "sim", "submit", NOON, 4, NOON, self.attempt) if self.attempt else Dropped(place, "1", "sim")
        return replace(
            made,
            facts=facts,
            heads=tuple(replace(head, state=json.dumps({"by": self.name})) for head in made.heads),
            agenda=((due, facts[-1].event_id),),
            pool=(PoolChange(self.attempt > 0, "sim/esim", place, NOON, json.dumps({"by": self.name})),),
            guards=(take(self.guard, self.name),) if self.guard else (),
        )


@dataclass(frozen=True)
class Group:
    """Wishes that are sent together; somebody else may write to a stream just before (`moved`), and the first answer may get lost."""

    wishes: tuple[Wish, ...]
    moved: str = ""
    lost: bool = False


def _id(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text))


@st.composite
def groups(draw: st.DrawFn) -> list[Group]:
    """Wishes of a few orders that share an account and a customer, cut into groups anywhere: either some want what one alone can hold, or
    somebody is in their way. With both, whoever is stale may find it taken by one who was not, as with any two processes."""
    contested, made = draw(st.booleans()), []
    for number in range(draw(st.integers(2, 8))):
        order = f"order{draw(st.integers(0, 3))}"
        streams = (order, *(name for name in SHARED if draw(st.booleans())))
        made.append(
            Wish(
                f"wish {number}",
                streams,
                draw(st.integers(1, 2)),
                draw(st.sampled_from(("", "", "number", "sim"))) if contested else "",
                draw(st.integers(0, 2)),
            )
        )
    cuts = [0, *sorted(draw(st.sets(st.integers(1, len(made) - 1)))), len(made)]
    moved = st.just("") if contested else st.sampled_from(("", "", *SHARED))
    return [Group(tuple(made[a:b]), draw(moved), draw(st.booleans())) for a, b in itertools.pairwise(cuts)]


def one_by_one(grouped: Sequence[Group]) -> list[Group]:
    """The same wishes in the same order, each alone; whoever is in the way is so before the first of a group."""
    return [Group((wish,), group.moved if n == 0 else "") for group in grouped for n, wish in enumerate(group.wishes)]


def sent(recorder: LogRecorder, group: Group) -> dict[str, str]:
    """Send a group until each wish is done or refused, deciding anew what is stale; gives the verdict on each."""
    left, told, moved, lost = list(group.wishes), dict[str, str](), group.moved, group.lost
    for _ in range(2 * len(group.wishes) + 3):
        if not left:
            return told
        versions = {row["stream"]: row["version"] for row in rows(recorder, "SELECT stream, version FROM o2c.head")}
        commands, written = list[Append](), set[str]()
        for wish in left:
            commands.append(wish.decided({s: versions.get(s, 0) for s in wish.streams}, follows=not written.isdisjoint(wish.streams)))
            versions |= {head.stream: head.version for head in commands[-1].heads}
            written |= set(wish.streams)
        if moved:
            [seen] = rows(recorder, "SELECT coalesce(max(version), 0) AS version FROM o2c.event WHERE stream = %s", moved)
            recorder.append([Wish(f"{moved} {seen['version']}", (moved,), 1, "", 0).decided({moved: seen["version"]}, follows=False)])
            moved = ""
        outcomes = recorder.append(commands)
        if lost:
            lost = False
            continue
        told |= {wish.name: outcome.verdict for wish, outcome in zip(left, outcomes, strict=True)}
        left = [wish for wish in left if told[wish.name] == "stale"]
        assert not left or group.moved or group.lost or any(wish.guard for wish in group.wishes), "nothing is in the way: it is one append"
    raise AssertionError(f"they never come to an end: {told}")


def lived(recorder: LogRecorder, grouped: Sequence[Group]) -> tuple[dict[str, list[dict[str, Any]]], set[str]]:
    """What groups leave in an empty log, and the names of those that were refused."""
    told: dict[str, str] = {}
    for group in grouped:
        told |= sent(recorder, group)
    assert set(told.values()) <= {"appended", "repeated", "guarded"}
    left = {table: sorted(rows(recorder, sql), key=str) for table, sql in LEFT.items()}
    return left, {name for name, verdict in told.items() if verdict == "guarded"}


@pytest.fixture
def emptied(log_dsn: str) -> Callable[[], None]:
    """Empties the log that the recorder writes to."""

    def empty() -> None:
        with connect(log_dsn) as conn:
            empty_log(conn)

    return empty


CONTESTED = (
    Wish("one", ("a",), 1, "", 0),
    Wish("two", ("a",), 1, "number", 0),
    Wish("three", ("b",), 1, "number", 0),
    Wish("four", ("c",), 1, "number", 0),
)
"""One that follows holds what two others want, who touch no stream of its own: it came first."""


@hypothesis.example(grouped=[Group(CONTESTED)])
@hypothesis.given(grouped=groups())
@hypothesis.settings(
    max_examples=depth(30, 2_000),
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
def test_groups_leave_what_their_wishes_leave_one_by_one(recorder: LogRecorder, emptied: Callable[[], None], grouped: list[Group]) -> None:
    """Events with their ids, versions and bodies, heads, guards, agenda and stock; whoever is refused is refused alone, and a stream that
    moved on or an answer that was lost takes nothing from anybody."""
    emptied()
    alone, refused_alone = lived(recorder, one_by_one(grouped))
    emptied()
    together, refused = lived(recorder, grouped)

    assert together == alone
    assert refused == refused_alone
