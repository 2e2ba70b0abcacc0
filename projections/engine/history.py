"""Who exchanged or mended the tables of a projection, and why: a line for each deed, written in its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from o2c.kernel.refusal import Refused
from projections.engine import tables
from projections.engine.projection import Projection
from projections.engine.seen import Connection

What = Literal["rebuilt", "rolled back", "retried", "skipped", "mended"]

_NOTE = """INSERT INTO projection.history (name, what, actor, reason, group_key, position, from_shape, to_shape)
SELECT name, %s, %s, %s, %s, coalesce(%s, position), shape_version, coalesce(%s, shape_version) FROM projection.checkpoint WHERE name = %s"""
"""Writes a deed down. Parameters: what, by whom, why, the group, the position and the shape afterwards (NULL: as at the checkpoint), the projection."""

_SAID = b"""SELECT name, what, actor, reason, group_key, position, from_shape, to_shape, at FROM projection.history
    WHERE name = ANY(%s) ORDER BY at, name"""
"""What was done to some projections, the first deed first. Parameter: their names."""


class By(NamedTuple):
    """Who does it, and why."""

    actor: str
    reason: str = ""


ITSELF = By("o2c", "the program does it by itself")


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done to a projection: where its tables stood afterwards (of a skip: the event), and which shape they had before and after."""

    projection: str
    what: str
    actor: str
    reason: str
    group: str | None
    position: int
    from_shape: int
    to_shape: int
    at: datetime


def answering(by: By, deed: str) -> By:
    """Raises Refused (usage) when nobody answers for a deed that somebody decides."""
    if not by.actor.strip() or not by.reason.strip():
        raise Refused(f"{deed}; say who decides and why")
    return by


def note(
    conn: Connection,
    projection: Projection,
    what: What,
    by: By,
    *,
    group: str | None = None,
    position: int | None = None,
    to_shape: int | None = None,
) -> None:
    """Write a deed down before the checkpoint is moved by it. Needs the transaction that does it and holds the checkpoint."""
    conn.execute(_NOTE.encode(), (what, by.actor, by.reason, group, position, to_shape, projection.name))


def history(dsn: str, projections: Sequence[Projection]) -> list[Deed]:
    """What was done to projections, the first first."""
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        return [Deed(*row.values()) for row in conn.execute(_SAID, ([known.name for known in projections],)).fetchall()]
