"""What one append carries: commands with the streams they touch, their events, guards, agenda and pool changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any, Literal

from o2c.kernel.agenda import AgendaChange, Entry
from o2c.store.mapper import StoredFact

Verdict = Literal["appended", "repeated", "refused", "stale", "guarded"]


@dataclass(frozen=True, slots=True)
class Head:
    """What a command makes of one stream: the version it saw (0: none), the version it leaves, and the folded state as JSON (None: not now).

    `seen` is the position of the last event it saw, where that is known: after a restore the same version may be another event.
    """

    stream: str
    expected: int
    version: int
    shape: int = 0
    state: str | None = None
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Guard:
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
    """One command, ready to write. An agenda change stands with the id of the event it indexes."""

    command_id: str
    fingerprint: str
    outcome: str = "{}"
    heads: tuple[Head, ...] = ()
    guards: tuple[Guard, ...] = ()
    agenda: tuple[tuple[AgendaChange, str], ...] = ()
    pool: tuple[PoolChange, ...] = ()
    facts: tuple[StoredFact, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one command of an append.

    `appended` and `repeated` carry the positions and the stored answer; `stale` and `guarded` wrote nothing and may be decided again
    (`detail` names the guards held by others); `refused` means the id was used before for something else.
    """

    verdict: Verdict
    detail: str
    first_position: int
    last_position: int
    outcome: dict[str, Any]


STALE = Outcome("stale", "", 0, 0, {})

_GROUPS = ("new_command", "touched_stream", "new_event", "guard_change", "agenda_change", "pool_change")
APPEND_SQL = f"SELECT * FROM o2c.append({', '.join(f'%s::o2c.{group}[]' for group in _GROUPS)}, %s::bigint)"


def append_parameters(commands: Sequence[Append], round_: int) -> list[Any]:
    """The arguments of `append()`: an array of rows for each table; the types in its migration name their fields."""
    events = [(n, fact) for n, command in enumerate(commands, 1) for fact in command.facts]
    last = {(n, fact.originator_id): ordinal for ordinal, (n, fact) in enumerate(events, 1)}
    return [
        row_array((c.command_id, c.fingerprint, c.outcome, *span) for c, span in zip(commands, spans(commands), strict=True)),
        row_array((n, *_head_fields(h), last[n, h.stream]) for n, command in enumerate(commands, 1) for h in command.heads),
        row_array((n, *_event_fields(fact)) for n, fact in events),
        row_array((n, g.take, g.kind, g.key, g.holder) for n, command in enumerate(commands, 1) for g in command.guards),
        row_array((n, *_agenda_fields(*change)) for n, command in enumerate(commands, 1) for change in command.agenda),
        row_array((n, p.put, p.pool, p.key, p.available_at, p.detail) for n, command in enumerate(commands, 1) for p in command.pool),
        round_,
    ]


def spans(commands: Sequence[Append]) -> list[tuple[int, int]]:
    """The ordinals, from 0, of each command's first and last event in the append."""
    ends = list(accumulate((len(command.facts) for command in commands), initial=0))
    return [(start if end > start else 0, max(end - 1, 0) if end > start else 0) for start, end in pairwise(ends)]


def outcomes_of(commands: Sequence[Append], rows: Sequence[dict[str, Any]]) -> list[Outcome]:
    """What `append()` returned, a command each; its one row with ordinal 0 says that all were appended, and from which position on."""
    if rows[0]["ordinal"] == 0:
        base = rows[0]["first_position"]
        found = zip(commands, spans(commands), strict=True)
        return [Outcome("appended", "", base + first, base + last, json.loads(command.outcome)) for command, (first, last) in found]
    return [
        Outcome(row["verdict"], row["detail"] or "", row["first_position"] or 0, row["last_position"] or 0, row["outcome"] or {})
        for row in rows
    ]


def takes_turns(commands: Sequence[Append]) -> tuple[list[Append], set[int]]:
    """The commands that can go together, and the places of those that wait for another append: an earlier one touches the same stream."""
    ids = {command.command_id for command in commands}
    if len(ids) != len(commands):
        raise ValueError("one append cannot carry the same command id twice; send the second in an append of its own")
    touched: set[str] = set()
    late: set[int] = set()
    for place, command in enumerate(commands):
        streams = {head.stream for head in command.heads}
        if touched & streams:
            late.add(place)
        touched |= streams
    return [command for place, command in enumerate(commands) if place not in late], late


def text_array(values: Iterable[str | None]) -> str:
    """A PostgreSQL array literal. The driver's own quoting runs a regular expression over every character of every body: 40 % of a run."""
    quoted = ["NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    return "{" + ",".join(quoted) + "}"


def plain_array(values: Iterable[int | str | None]) -> str:
    """An array literal of values that need no quotes: numbers and UUIDs."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def row_array(rows: Iterable[Iterable[Any]]) -> str:
    """An array literal of rows: texts, numbers, booleans, times and NULLs."""
    return text_array(["(" + ",".join([_field(value) for value in row]) + ")" for row in rows])


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '""') + '"'
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _head_fields(head: Head) -> tuple[Any, ...]:
    return head.stream, head.expected, head.seen, head.version, head.shape, head.state


def _event_fields(fact: StoredFact) -> tuple[Any, ...]:
    return (
        fact.originator_id, fact.originator_version, fact.event_id, fact.topic, fact.schema, fact.occurred_at, fact.actor, fact.channel,
        fact.causation, fact.order_id, fact.customer_id, fact.state.decode(), fact.personal,
    )  # fmt: skip


def _agenda_fields(change: AgendaChange, cause: str) -> tuple[Any, ...]:
    if isinstance(change, Entry):
        return (change.stream, change.item, change.step, change.kind, change.due_at, change.priority, change.since,
                change.attempt, change.pool, cause)  # fmt: skip
    return change.stream, change.item, change.step, None, None, None, None, None, None, None
