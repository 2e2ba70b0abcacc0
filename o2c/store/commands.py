"""What one append carries: commands with the streams they touch, their events, guards, agenda and pool changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from o2c.kernel.agenda import AgendaChange, Entry
from o2c.store.mapper import StoredFact

Verdict = Literal["appended", "repeated", "refused", "stale", "guarded"]


@dataclass(frozen=True, slots=True)
class Head:
    """What a command makes of one stream: the version it saw (0: none), the version it leaves, and the folded state as JSON."""

    stream: str
    expected: int
    version: int
    shape: int = 0
    state: str | None = None


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


APPEND_SQL = "SELECT * FROM o2c.append(" + ", ".join(
    f"%s::{kind}"
    for kind in (
        *("uuid[]", "text[]", "jsonb[]"),
        *("integer[]", "text[]", "bigint[]", "bigint[]", "integer[]", "json[]", "integer[]"),
        *("integer[]", "text[]", "bigint[]", "uuid[]", "text[]", "smallint[]", "timestamptz[]", "text[]", "text[]", "uuid[]"),
        *("uuid[]", "text[]", "jsonb[]", "jsonb[]"),
        *("integer[]", "boolean[]", "text[]", "text[]", "text[]"),
        *("integer[]", "boolean[]", "text[]", "text[]", "text[]", "text[]", "timestamptz[]", "smallint[]", "timestamptz[]"),
        *("integer[]", "text[]", "uuid[]", "bigint"),
        *("integer[]", "boolean[]", "text[]", "text[]", "timestamptz[]", "jsonb[]"),
    )
) + ")"  # fmt: skip


def append_parameters(commands: Sequence[Append], round_: int) -> list[Any]:
    """The arrays of `append()`, one group a table; see its definition for their order."""
    _refuse_doubles(commands)
    events = [(n, fact) for n, command in enumerate(commands, 1) for fact in command.facts]
    last = {(n, fact.originator_id): ordinal for ordinal, (n, fact) in enumerate(events, 1)}
    heads = [(n, head, last[n, head.stream]) for n, command in enumerate(commands, 1) for head in command.heads]
    guards = [(n, guard) for n, command in enumerate(commands, 1) for guard in command.guards]
    agenda = [(n, change, cause) for n, command in enumerate(commands, 1) for change, cause in command.agenda]
    pool = [(n, change) for n, command in enumerate(commands, 1) for change in command.pool]
    return [
        *_columns([(c.command_id, c.fingerprint, c.outcome) for c in commands], 3),
        *_columns([(n, h.stream, h.expected, h.version, h.shape, h.state, at) for n, h, at in heads], 7),
        *_columns([_event_row(n, fact) for n, fact in events], 14),
        *_columns([(n, g.take, g.kind, g.key, g.holder) for n, g in guards], 5),
        *_columns([_agenda_row(n, change, cause) for n, change, cause in agenda], 12),
        round_,
        *_columns([(n, p.put, p.pool, p.key, p.available_at, p.detail) for n, p in pool], 6),
    ]


def _refuse_doubles(commands: Sequence[Append]) -> None:
    ids = {command.command_id for command in commands}
    if len(ids) != len(commands):
        raise ValueError("one append cannot carry the same command id twice; send the second in an append of its own")


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[str]:
    return [array_literal(column) for column in zip(*rows, strict=True)] if rows else ["{}"] * width


def array_literal(values: Sequence[Any]) -> str:
    """A PostgreSQL array literal. The driver's own quoting runs a regular expression over every character of every body: 40 % of a run."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return str(value)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _event_row(n: int, fact: StoredFact) -> tuple[Any, ...]:
    return (
        n, fact.originator_id, fact.originator_version, fact.event_id, fact.topic, fact.schema, fact.occurred_at, fact.actor, fact.channel,
        fact.causation, fact.order_id, fact.customer_id, fact.state.decode(), fact.personal,
    )  # fmt: skip


def _agenda_row(n: int, change: AgendaChange, cause: str) -> tuple[Any, ...]:
    if isinstance(change, Entry):
        return (n, True, change.stream, change.item, change.step, change.kind, change.due_at, change.priority, change.since,
                change.attempt, change.pool, cause)  # fmt: skip
    return (n, False, change.stream, change.item, change.step, None, None, None, None, None, None, None)
