"""Commands as the store takes them, made by hand: what they say does not matter, only where they are written."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from o2c.store.commands import APPEND_SQL, Append, GuardChange, Head, Outcome, append_parameters, outcomes_of
from o2c.store.mapper import StoredFact
from o2c.store.reads import Reads
from o2c.store.recorder import LogRecorder

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TABLES = ("event", "head", "command", "guard", "series", "agenda", "pool")


def fact(stream: str, version: int, command_id: str, *, topic: str = "test.happened", state: bytes = b"{}") -> StoredFact:
    return StoredFact(
        originator_id=stream, originator_version=version, topic=topic, state=state, id=0, event_id=str(uuid.uuid4()), schema=1,
        occurred_at=NOON, actor="test", channel="web", command_id=command_id, causation=None, order_id=None, customer_id=None,
        personal=None, recorded_at=None,
    )  # fmt: skip


def command(*seen: tuple[str, int], each: int = 1, **fields: Any) -> Append:
    """A command that appends `each` events to every stream, after the version it saw of it (0: none)."""
    bare = replace(Append(str(uuid.uuid4()), "a request"), **fields)
    heads = tuple(Head(stream, version, version + each, 1, "{}") for stream, version in seen)
    facts = tuple(fact(head.stream, head.expected + n, bare.command_id) for head in heads for n in range(1, each + 1))
    return replace(bare, heads=heads, facts=facts)


def take(key: str, holder: str) -> GuardChange:
    return GuardChange(True, "sim", key, holder)


def number(series: str, serial: int) -> GuardChange:
    return GuardChange(True, "series", series, str(serial))


def free(key: str, holder: str) -> GuardChange:
    return GuardChange(False, "sim", key, holder)


def verdicts(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.verdict for outcome in outcomes]


def send(conn: Any, *commands: Append) -> list[Outcome]:
    """Append within whatever transaction the connection is in."""
    return outcomes_of(commands, conn.execute(APPEND_SQL, append_parameters(commands, 0)).fetchall())


def rows(recorder: LogRecorder, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    return Reads(recorder.datastore).rows(sql, *parameters)


def contents(recorder: LogRecorder) -> dict[str, list[str]]:
    """Everything in the tables that append() writes, as text, in order."""
    return {table: [row["t"] for row in rows(recorder, f"SELECT t::text AS t FROM o2c.{table} AS t ORDER BY 1")] for table in TABLES}


def versions(recorder: LogRecorder) -> dict[str, list[int]]:
    """The versions of each stream in position order."""
    found = rows(recorder, "SELECT stream, array_agg(version ORDER BY position) AS versions FROM o2c.event GROUP BY stream")
    return {row["stream"]: row["versions"] for row in found}
