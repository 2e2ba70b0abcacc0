"""The history of a projection's tables: a line for each deed, with the person and the reason, written in the transaction of the deed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.engine import tables
from projections.engine.projection import Projection

DeedKind = Literal["rebuilt", "rolled back", "retried", "skipped", "mended"]

_NOTE = """INSERT INTO projection.history (name, what, actor, reason, group_key, position, from_shape, to_shape)
SELECT name, %s, %s, %s, %s, coalesce(%s, position), shape_version, coalesce(%s, shape_version) FROM projection.checkpoint WHERE name = %s"""
"""Adds a deed. A position or shape that is NULL is that of the checkpoint.

Parameters: its kind, the person, the reason, the group, the position and the shape afterwards, the projection.
"""

_DEEDS = b"""SELECT name, what, actor, reason, group_key, position, from_shape, to_shape, at FROM projection.history
    WHERE name = ANY(%s) ORDER BY at, name"""
"""The deeds done to some projections, the oldest first. Parameter: the names of the projections."""


class By(NamedTuple):
    """The person or program that does a deed, and the reason."""

    actor: str
    reason: str = ""


ITSELF = By("o2c", "the program does it by itself")


@dataclass(frozen=True, slots=True)
class Deed:
    """A rebuild, rollback, retry, skip or mend.

    `position` is how far the tables were folded afterwards; for a skip it is the position of the event. The shapes are those before and
    after.
    """

    projection: str
    what: str
    actor: str
    reason: str
    group: str | None
    position: int
    from_shape: int
    to_shape: int
    at: datetime


def require_reason(by: By, deed: str) -> By:
    """The same `by`. Raises Refused (usage) when it names no person or no reason; `deed` begins the message."""
    if not by.actor.strip() or not by.reason.strip():
        raise Refused(f"{deed}; say who decides and why")
    return by


def note(
    conn: Connection,
    projection: Projection,
    what: DeedKind,
    by: By,
    *,
    group: str | None = None,
    position: int | None = None,
    to_shape: int | None = None,
) -> None:
    """Write a deed into the history.

    Call it in the transaction of the deed, which holds the checkpoint, and before the checkpoint is moved.
    """
    conn.execute(_NOTE.encode(), (what, by.actor, by.reason, group, position, to_shape, projection.name))


def history(dsn: str, projections: Sequence[Projection]) -> list[Deed]:
    """The deeds done to some projections, the oldest first."""
    with tables.session(dsn) as conn:
        tables.prepare(conn, projections)
        return [Deed(*row.values()) for row in conn.execute(_DEEDS, ([projection.name for projection in projections],)).fetchall()]
