"""Reading the log in bulk, for all groups of a projection or one shard of them: one COPY of the declared fields only, in position order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from psycopg import sql

from o2c.kernel.event import types_by_name
from o2c.store.connection import Connection
from projections.engine.projection import Projection
from projections.engine.seen import NOTHING_PERSONAL, Reader, Seen, refuse_unknown

BLOCK_EVENTS = 500
"""How many events are parsed at once. JSON is parsed fastest in blocks that fit into the processor's cache."""

_KEYS = {"stream": "stream", "order": "order_id::text", "event": "stream"}
"""The column by which the log is divided into shards, for each `Projection.found_by`: all events of a group have one value in it."""

# Joined by hand, for json_build_array looks up the type of every argument in every row. The values put in bare quotes need no escape.
_ROW = """concat('[', position, ',"', event_id, '",', to_json(stream), ',', version, ',"', type, '",', schema_version, ',', to_json(occurred_at),
',"', order_id, '",', coalesce(to_json(customer_id), 'null'), ',', to_json(channel), ',"', command_id, '",', to_json(actor), ',', {body}, ',', {personal}, ',',
coalesce(body -> 'step', '""'), ',', coalesce(body -> 'item', '""'), ']')"""
"""One event as a line of JSON. Parts: its body, its personal fields."""

_COPY = """COPY (SELECT {row} FROM o2c.event WHERE position > {after} AND position <= {upto} AND {types} AND {place} AND {shard} AND {only} ORDER BY position)
TO STDOUT (ENCODING 'UTF8')"""
"""Copies events out in position order. Parts: `_ROW`, the positions from (excluded) and to (included), and the conditions on an event."""

_DECLARED = """CASE WHEN {whole} THEN body WHEN type = ANY({bare}) THEN '{{}}'
ELSE coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(body) WHERE key = ANY({fields})), '{{}}') END"""
"""The declared fields of a body. Parts: the condition for reading it whole, the types that have none of the fields, the fields."""


class Shard(NamedTuple):
    """One of several parts, of about the same size, of a projection's groups."""

    number: int
    of: int


ONE_SHARD = Shard(0, 1)
NO_CONDITION = sql.SQL("true")


def shardable(projection: Projection) -> bool:
    """Whether the log can be split so that all events of a group are in one part."""
    return projection.found_by is not None


class BulkReader(Reader):
    """Reads the log for one projection. `only` is a condition on events.

    An event of an older schema is copied with its whole body and upcast by itself; so is every event when the projection declares
    personal fields.
    """

    def __init__(self, projection: Projection, only: sql.Composable = NO_CONDITION) -> None:
        super().__init__([projection.types], projection.personal)
        self._projection, self._only = projection, only
        self._newest = {name: facts.schema for name, facts in self._facts.items() if facts.schema > 1}

    def blocks(self, conn: Connection, after: int, upto: int, shard: Shard = ONE_SHARD) -> Iterator[list[Seen]]:
        """The events of a shard after the position `after` and up to `upto`, which is before the horizon, in position order.

        Needs a session in UTC. Raises Refused at an event of an unknown type when the projection chooses its types by a predicate.
        """
        with conn.cursor().copy(self._copy(after, upto, shard)) as copy:
            rows = iter(copy.read, b"")
            while block := b",".join(islice(rows, BLOCK_EVENTS)):
                # COPY doubles backslashes, and changes nothing else that JSON can contain.
                yield self._records(json.loads(b"[" + (block.replace(b"\\\\", b"\\") if b"\\" in block else block) + b"]"))

    def _records(self, rows: list[list[Any]]) -> list[Seen]:
        facts_of, whole, records = self._facts, bool(self._projection.personal), []
        for row in rows:
            (
                position,
                event_id,
                stream,
                version,
                name,
                schema,
                at,
                order_id,
                customer_id,
                channel,
                command_id,
                actor,
                body,
                _,
                step,
                item,
            ) = row
            facts = facts_of.get(name)
            if whole or facts is None or schema < facts.schema:
                records.append(self._upcast(row))
                continue
            place = (
                position,
                event_id,
                stream,
                version,
                name,
                facts.shape,
                step if facts.generic else facts.step,
                item if facts.of_item else "",
            )
            records.append(
                tuple.__new__(Seen, (*place, at, order_id or None, customer_id, channel, command_id, actor, body, NOTHING_PERSONAL))
            )
        return records

    def _upcast(self, row: list[Any]) -> Seen:
        position, event_id, stream, version, name, schema, at, order_id, customer_id, channel, command_id, actor, body, personal, *_ = row
        if self._judged is not None:
            refuse_unknown([row], self._judged)
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
            actor,
        )
        return self.record((*place, json.dumps(body), json.dumps(personal)))

    def _copy(self, after: int, upto: int, shard: Shard) -> sql.Composed:
        types = sql.SQL("type = ANY({})").format(_texts(self.type_names))
        if self._judged is not None:
            types = sql.SQL("({} OR type <> ALL({}))").format(types, _texts(self._judged))
        whole = self._whole()
        row = sql.SQL(_ROW).format(
            body=self._body(whole), personal=sql.SQL("CASE WHEN {} THEN coalesce(personal, '{{}}') ELSE '{{}}' END").format(whole)
        )
        return sql.SQL(_COPY).format(
            row=row,
            after=sql.Literal(after),
            upto=sql.Literal(upto),
            types=types,
            place=self._place(),
            shard=self._shard(shard),
            only=self._only,
        )

    def _whole(self) -> sql.Composable:
        if self._projection.personal:
            return sql.SQL("true")
        is_older = sql.SQL("(type = {} AND schema_version < {})")
        older = [is_older.format(sql.Literal(name), sql.Literal(schema)) for name, schema in sorted(self._newest.items())]
        return sql.SQL(" OR ").join(older) if older else sql.SQL("false")

    def _body(self, whole: sql.Composable) -> sql.Composable:
        fields = self._projection.fields
        if fields is None:
            return sql.SQL("body")
        declared = {name: cls.model_fields.keys() for name, cls in types_by_name().items() if name in self.type_names}
        bare = frozenset(name for name, own in declared.items() if not own & fields)
        return sql.SQL(_DECLARED).format(whole=whole, bare=_texts(bare), fields=_texts(fields))

    def _place(self) -> sql.Composable:
        """The condition on the stream.

        Events of other streams name orders too, but those of the orders' own streams are one range of an index.
        """
        return sql.SQL("stream >= 'order-' AND stream < 'order.'" if self._projection.found_by == "order" else "true")

    def _shard(self, shard: Shard) -> sql.Composable:
        if shard.of == 1:
            return sql.SQL("true")
        key = sql.SQL(_KEYS[self._projection.found_by or "stream"])
        # An event without a key is in no group; it goes to the first shard, which must stop at it if its type is unknown.
        in_shard = sql.SQL("abs(coalesce(hashtext({}), 0)::bigint) % {} = {}")
        return in_shard.format(key, sql.Literal(shard.of), sql.Literal(shard.number))


def _texts(names: frozenset[str]) -> sql.Composed:
    return sql.SQL("{}::text[]").format(sql.Literal(sorted(names)))
