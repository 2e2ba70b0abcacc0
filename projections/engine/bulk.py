"""Reading the log in bulk: one COPY of no more than a projection declares, in position order, whole or one shard of its groups."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from psycopg import sql

from o2c.kernel.event import EVENT_TYPES
from projections.engine.projection import Projection
from projections.engine.seen import NOTHING_PERSONAL, Connection, Reader, Seen, refuse_unknown

BLOCK_EVENTS = 500
"""How many rows are parsed at once: JSON is read fastest in blocks that still fit the processor's cache."""

_KEYS = {"stream": "stream", "order": "order_id::text", "event": "stream"}
"""What all events of one group have in common, by what the group is named after (`Projection.found_by`)."""

# Joined by hand: json_build_array looks every argument's type up again in every row. What stands in bare quotes needs no escape.
_ROW = """concat('[', position, ',"', event_id, '",', to_json(stream), ',', version, ',"', type, '",', schema_version, ',', to_json(occurred_at),
',"', order_id, '",', coalesce(to_json(customer_id), 'null'), ',', to_json(channel), ',"', command_id, '",', {body}, ',', {personal}, ',',
coalesce(body -> 'step', '""'), ',', coalesce(body -> 'item', '""'), ']')"""
"""One event as a line of JSON. Parts: its body, its personal fields."""

_COPY = """COPY (SELECT {row} FROM o2c.event WHERE position > {after} AND position <= {upto} AND {wanted} AND {place} AND {shard} AND {only} ORDER BY position)
TO STDOUT (ENCODING 'UTF8')"""
"""Events of a stretch of the log in position order. Parts: what of an event is read, the stretch, and the conditions on an event."""

_DECLARED = """CASE WHEN {whole} THEN body WHEN type = ANY({bare}) THEN '{{}}'
ELSE coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(body) WHERE key = ANY({fields})), '{{}}') END"""
"""The declared fields of a body. Parts: when the body is read whole, the types that have none of the fields, the fields."""


class Shard(NamedTuple):
    """One of several equal parts of a projection's groups."""

    number: int
    of: int


WHOLE = Shard(0, 1)
EVERYTHING = sql.SQL("true")


def shardable(projection: Projection) -> bool:
    """Whether the log can be split so that all events of a group fall into one part."""
    return projection.found_by is not None


class BulkReader(Reader):
    """Reads the log for one projection. Events of an older schema, and all where personal fields are declared, come whole, to be read one by one.

    `only` is a condition on the rows of the log.
    """

    def __init__(self, projection: Projection, only: sql.Composable = EVERYTHING) -> None:
        super().__init__([projection.types], projection.personal)
        self._projection, self._only = projection, only
        self._changed = {name: how.schema for name, how in self._resolved.items() if how.schema > 1}

    def blocks(self, conn: Connection, after: int, upto: int, shard: Shard = WHOLE) -> Iterator[list[Seen]]:
        """The wanted events of a shard after a position up to another (behind the horizon), in position order.

        Needs a session in UTC. Raises Refused at an event of a type that this program does not know and cannot judge.
        """
        with conn.cursor().copy(self._copy(after, upto, shard)) as copy:
            rows = iter(copy.read, b"")
            while block := b",".join(islice(rows, BLOCK_EVENTS)):
                # COPY doubles backslashes; nothing else in JSON needs an escape of its own.
                yield self._read(json.loads(b"[" + (block.replace(b"\\\\", b"\\") if b"\\" in block else block) + b"]"))

    def _read(self, rows: list[list[Any]]) -> list[Seen]:
        resolved, whole, made = self._resolved, bool(self._projection.personal), []
        for row in rows:
            position, event_id, stream, version, name, schema, at, order_id, customer_id, channel, command_id, body, _, step, item = row
            how = resolved.get(name)
            if whole or how is None or schema < how.schema:
                made.append(self._one_by_one(row))
                continue
            place = (position, event_id, stream, version, name, how.shape, step if how.generic else how.step, item if how.of_item else "")
            made.append(tuple.__new__(Seen, (*place, at, order_id or None, customer_id, channel, command_id, body, NOTHING_PERSONAL)))
        return made

    def _one_by_one(self, row: list[Any]) -> Seen:
        position, event_id, stream, version, name, schema, at, order_id, customer_id, channel, command_id, body, personal, *_ = row
        if self._known is not None:
            refuse_unknown([row], self._known)
        place = (
            position,
            event_id,
            stream,
            version,
            name,
            schema,
            datetime.fromisoformat(at),
            order_id or None,
            customer_id,
            channel,
            command_id,
        )
        return self.seen((*place, json.dumps(body), json.dumps(personal)))

    def _copy(self, after: int, upto: int, shard: Shard) -> sql.Composed:
        wanted = sql.SQL("type = ANY({})").format(_texts(self.wanted))
        if self._known is not None:
            wanted = sql.SQL("({} OR type <> ALL({}))").format(wanted, _texts(self._known))
        whole = self._whole()
        row = sql.SQL(_ROW).format(
            body=self._body(whole), personal=sql.SQL("CASE WHEN {} THEN coalesce(personal, '{{}}') ELSE '{{}}' END").format(whole)
        )
        return sql.SQL(_COPY).format(
            row=row,
            after=sql.Literal(after),
            upto=sql.Literal(upto),
            wanted=wanted,
            place=self._place(),
            shard=self._shard(shard),
            only=self._only,
        )

    def _whole(self) -> sql.Composable:
        if self._projection.personal:
            return sql.SQL("true")
        older = sql.SQL("(type = {} AND schema_version < {})")
        changed = [older.format(sql.Literal(name), sql.Literal(schema)) for name, schema in sorted(self._changed.items())]
        return sql.SQL(" OR ").join(changed) if changed else sql.SQL("false")

    def _body(self, whole: sql.Composable) -> sql.Composable:
        fields = self._projection.fields
        if fields is None:
            return sql.SQL("body")
        known = {name: EVENT_TYPES[name].model_fields.keys() for name in self.wanted if name in EVENT_TYPES}
        bare = frozenset(name for name, own in known.items() if not own & fields)
        return sql.SQL(_DECLARED).format(whole=whole, bare=_texts(bare), fields=_texts(fields))

    def _place(self) -> sql.Composable:
        """Many an event elsewhere names its order; those of the order's own streams are one range."""
        return sql.SQL("stream >= 'order-' AND stream < 'order.'" if self._projection.found_by == "order" else "true")

    def _shard(self, shard: Shard) -> sql.Composable:
        if shard.of == 1:
            return sql.SQL("true")
        key = sql.SQL(_KEYS[self._projection.found_by or "stream"])
        # Without a key an event is of no group, but somebody must see it if its type is unknown.
        hashed = sql.SQL("abs(coalesce(hashtext({}), 0)::bigint) % {} = {}")
        return hashed.format(key, sql.Literal(shard.of), sql.Literal(shard.number))


def _texts(names: frozenset[str]) -> sql.Composed:
    return sql.SQL("{}::text[]").format(sql.Literal(sorted(names)))
