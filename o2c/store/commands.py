"""What one append carries: commands with the streams they touch, their events, guards, agenda and pool changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any, Literal, TypeVar

from o2c.kernel import series
from o2c.kernel.agenda import AgendaChange, Entry
from o2c.store.mapper import StoredFact

Changes = TypeVar("Changes")
Verdict = Literal["appended", "repeated", "refused", "stale", "guarded"]


@dataclass(frozen=True, slots=True)
class Head:
    """One stream that a command writes to.

    The command was decided at version `expected` (0: the stream had no events) and leaves the stream at `version`, with the folded `state`
    as JSON (None: not written this time). `seen` is the position of the last event at the version expected, 0 when the caller has not read
    it: after a restore the same version may be another event.
    """

    stream: str
    expected: int
    version: int
    shape: int = 0
    state: str | None = None
    seen: int = 0


@dataclass(frozen=True, slots=True)
class GuardChange:
    """Take or free the guard row (kind, key) for `holder`."""

    take: bool
    kind: str
    key: str
    holder: str


@dataclass(frozen=True, slots=True)
class PoolChange:
    """Offer `key` as a candidate of `pool` from `available_at` on (`detail` is JSON), or withdraw it."""

    put: bool
    pool: str
    key: str
    available_at: datetime
    detail: str = "{}"


@dataclass(frozen=True, slots=True)
class Append:
    """One command, ready to write. Each agenda change comes with the id of the event it indexes.

    One that `follows` was decided on what the commands before it in its append leave, and is written with all of them or not at all.
    """

    command_id: str
    fingerprint: str
    outcome: str = "{}"
    heads: tuple[Head, ...] = ()
    guards: tuple[GuardChange, ...] = ()
    agenda: tuple[tuple[AgendaChange, str], ...] = ()
    pool: tuple[PoolChange, ...] = ()
    facts: tuple[StoredFact, ...] = field(default=(), repr=False)
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one command of an append.

    `appended` and `repeated` carry the positions and the stored answer, `appended` also the events that were written, in the order of their
    positions; `stale` and `guarded` wrote nothing and may be decided again (`detail` names the guards held by others); `refused` means that
    the id was used before for something else.
    """

    verdict: Verdict
    detail: str
    first_position: int
    last_position: int
    outcome: dict[str, Any]
    facts: tuple[StoredFact, ...] = field(default=(), repr=False, compare=False)


STALE = Outcome("stale", "", 0, 0, {})

_GROUPS = ("new_command", "touched_stream", "touched_stream", "new_event", "guard_change", "agenda_change", "pool_change")
APPEND_SQL = f"SELECT * FROM o2c.append({', '.join(f'%s::o2c.{group}[]' for group in _GROUPS)}, %s::bigint)"
"""Write commands through `append()`, the only way to write the log. Parameters: `append_parameters`; its rows: `outcomes_of`."""


def append_parameters(commands: Sequence[Append], round_: int) -> list[Any]:
    """The arguments of `append()`: an array of rows for each table; the types in its migration name their fields."""
    events = [(n, fact) for n, command in enumerate(commands, 1) for fact in command.facts]
    last = {(n, fact.originator_id): ordinal for ordinal, (n, fact) in enumerate(events, 1)}
    heads = [(n, head, last[n, head.stream]) for n, command in enumerate(commands, 1) for head in command.heads]
    return [
        text_array(_command_row(command, *span) for command, span in zip(commands, spans(commands), strict=True)),
        text_array(_head_row(*each) for each in heads if each[1].expected),
        text_array(_head_row(*each) for each in heads if not each[1].expected),
        text_array(_event_row(*each) for each in events),
        text_array(_guard_row(n, guard) for n, command in enumerate(commands, 1) for guard in command.guards),
        text_array(agenda_row(n, *change) for n, command in enumerate(commands, 1) for change in command.agenda),
        text_array(pool_row(n, change) for n, command in enumerate(commands, 1) for change in command.pool),
        round_,
    ]


def spans(commands: Sequence[Append]) -> list[tuple[int, int]]:
    """The ordinals, from 0, of each command's first and last event in the append."""
    ends = list(accumulate((len(command.facts) for command in commands), initial=0))
    return [(start if end > start else 0, max(end - 1, 0) if end > start else 0) for start, end in pairwise(ends)]


def outcomes_of(commands: Sequence[Append], rows: Sequence[dict[str, Any]]) -> list[Outcome]:
    """The outcome of each command from the rows of `append()`; a single row with ordinal 0 says that all were appended from a position
    on."""
    if rows[0]["ordinal"] == 0:
        base = rows[0]["first_position"]
        return [
            Outcome("appended", "", base + first, base + last, json.loads(command.outcome), command.facts)
            for command, (first, last) in zip(commands, spans(commands), strict=True)
        ]
    return [
        Outcome(row["verdict"], row["detail"] or "", row["first_position"] or 0, row["last_position"] or 0, row["outcome"] or {})
        for row in rows
    ]


def takes_turns(commands: Sequence[Append]) -> tuple[list[Append], set[int]]:
    """The commands that stand by themselves in one append, and the places of the others: those that follow, those of which an earlier one
    touches a stream, and those that change a guard which one of these changes: it came first."""
    ids = {command.command_id for command in commands}
    if len(ids) != len(commands):
        raise ValueError("one append cannot carry the same command id twice; send the second in an append of its own")
    touched: set[str] = set()
    waited_for: set[tuple[str, str]] = set()
    late: set[int] = set()
    for place, command in enumerate(commands):
        streams = {head.stream for head in command.heads}
        guards = {(guard.kind, guard.key) for guard in command.guards if guard.kind != series.GUARD}
        if command.follows or touched & streams or waited_for & guards:
            late.add(place)
            waited_for |= guards
        touched |= streams
    return [command for place, command in enumerate(commands) if place not in late], late


def as_one(commands: Sequence[Append]) -> list[Append]:
    """Commands of which some follow, as one append has them, which knows each thing once: a stream from where the first of them saw it to
    where the last leaves it, and a row of the agenda or of a pool as the last changes it. All of them are written, or none; there are none
    where one does not go on from where those before it leave a stream, as it was decided on something else.
    """
    heads: dict[str, tuple[int, Head]] = {}
    agenda: dict[tuple[str, str, str], tuple[int, tuple[AgendaChange, str]]] = {}
    pool: dict[tuple[str, str], tuple[int, PoolChange]] = {}
    for place, command in enumerate(commands):
        for head in command.heads:
            before = heads[head.stream][1] if head.stream in heads else None
            if before and (head.expected != before.version or head.seen):
                return []
            heads[head.stream] = place, replace(head, expected=before.expected, seen=before.seen) if before else head
        agenda |= {(change.stream, change.item, change.step): (place, (change, cause)) for change, cause in command.agenda}
        pool |= {(change.pool, change.key): (place, change) for change in command.pool}
    return [
        replace(command, heads=_of(place, heads), agenda=_of(place, agenda), pool=_of(place, pool))
        for place, command in enumerate(commands)
    ]


def _of(place: int, changes: Mapping[Any, tuple[int, Changes]]) -> tuple[Changes, ...]:
    return tuple(change for at, change in changes.values() if at == place)


def text_array(values: Iterable[str | None]) -> str:
    """A PostgreSQL array literal. The driver's own quoting runs a regular expression over every character of every body: 40 % of a run."""
    quoted = ["NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    return "{" + ",".join(quoted) + "}"


def plain_array(values: Iterable[int | str | None]) -> str:
    """An array literal of values that need no quotes: numbers and UUIDs."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _quoted(text: str | None) -> str:
    """A text as a field of a row; nothing at all is NULL."""
    return "" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


# Numbers, UUIDs, booleans and times need no quotes in a row. Written out field by field: every event goes through here.


def _command_row(command: Append, first: int, last: int) -> str:
    return f"({command.command_id},{_quoted(command.fingerprint)},{_quoted(command.outcome)},{first},{last})"


def _head_row(n: int, head: Head, last: int) -> str:
    return f"({n},{_quoted(head.stream)},{head.expected},{head.seen},{head.version},{head.shape},{_quoted(head.state)},{last})"


def _event_row(n: int, fact: StoredFact) -> str:
    return (
        f"({n},{_quoted(str(fact.originator_id))},{fact.originator_version},{fact.event_id},{_quoted(fact.topic)},{fact.schema},"
        f"{fact.occurred_at.isoformat()},{_quoted(fact.actor)},{_quoted(fact.channel)},{fact.causation or ''},{fact.order_id or ''},"
        f"{_quoted(fact.customer_id)},{_quoted(fact.state.decode())},{_quoted(fact.personal)})"
    )


def _guard_row(n: int, guard: GuardChange) -> str:
    return f"({n},{guard.take},{_quoted(guard.kind)},{_quoted(guard.key)},{_quoted(guard.holder)})"


def agenda_row(n: int, change: AgendaChange, cause: str) -> str:
    """An `agenda_change` of the command with number n, as text."""
    place = f"{n},{_quoted(change.stream)},{_quoted(change.item)},{_quoted(change.step)}"
    if not isinstance(change, Entry):
        return f"({place},,,,,,,)"
    return (
        f"({place},{_quoted(change.kind)},{change.due_at.isoformat()},{change.priority},{change.since.isoformat()},{change.attempt},"
        f"{_quoted(change.pool)},{cause})"
    )


def pool_row(n: int, change: PoolChange) -> str:
    """A `pool_change` of the command with number n, as text."""
    return f"({n},{change.put},{_quoted(change.pool)},{_quoted(change.key)},{change.available_at.isoformat()},{_quoted(change.detail)})"
