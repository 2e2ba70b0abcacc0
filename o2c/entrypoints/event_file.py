"""A history as a file: an event a line, JSON, with its whole envelope and its personal fields, causes before effects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from o2c.app import PINNED
from o2c.kernel.event import EVENT_TYPES, Event, upcast
from o2c.kernel.identifiers import digest
from o2c.kernel.refusal import Refused
from o2c.kernel.stream import category_of
from o2c.store.database import connect
from o2c.store.importing import event_row

LINE_BYTES_MAX = 16_000_000
STREAM_LENGTH_MAX = 500
PAGE_EVENTS = 5_000
MEMBERS = (
    *("stream", "version", "event_id", "type", "schema_version", "occurred_at", "recorded_at", "actor", "channel", "command_id"),
    *("fingerprint", "causation", "order_id", "customer_id", "body", "personal"),
)
"""The members of a line. `recorded_at` says when the event was recorded there and `fingerprint` tells repeats of its command; both may be left out,
as may those that are null."""
_KNOWN = frozenset(MEMBERS)
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IDS = re.compile(f"{_UUID} {_UUID} (?:{_UUID})? (?:{_UUID})?")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Line:
    """An event of a file with the number of its line; `row` is what COPY takes of it."""

    number: int
    stream: str
    version: int
    event_id: str
    occurred_at: datetime
    command_id: str
    fingerprint: str
    event: Event
    row: str

    def refused(self, why: str) -> Refused:
        """That this line cannot be taken in, named by its place and never by a value."""
        return Refused(f"line {self.number}: {self.stream} version {self.version}: {why}", kind="conflict")


# -- out


def exported(dsn: str, out: BinaryIO, *, progress: Callable[[int], None]) -> int:
    """Write the log as readers see it now, personal fields too; how many events that were."""
    members = ", ".join(f"'{name}', {'c' if name == 'fingerprint' else 'e'}.{name}" for name in MEMBERS)
    sql = f"""SELECT json_build_object({members})::text AS line FROM o2c.event e LEFT JOIN o2c.command c USING (command_id)
        WHERE e.position < o2c.horizon() ORDER BY e.position"""
    count = 0
    with connect(dsn) as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        conn.execute("SET LOCAL timezone = 'UTC'")
        with conn.cursor("export") as cursor:
            cursor.itersize = PAGE_EVENTS
            cursor.execute(sql.encode())
            for row in cursor:
                out.write(row["line"].encode() + b"\n")
                count += 1
                if count % PAGE_EVENTS == 0:
                    progress(count)
    return count


# -- in


def lines_of(source: BinaryIO, kinds: frozenset[str]) -> Iterator[Line]:
    """The events of a file, each judged by itself. Raises Refused, naming the line."""
    number = 0
    while raw := source.readline(LINE_BYTES_MAX + 1):
        number += 1
        yield _line(raw, number, kinds)


def _line(raw: bytes, number: int, kinds: frozenset[str]) -> Line:
    if len(raw) > LINE_BYTES_MAX:
        raise Refused(f"line {number} is longer than {LINE_BYTES_MAX:,} bytes; no event is")
    try:
        found: dict[str, Any] = from_json(raw, allow_inf_nan=False)
        if found.keys() - _KNOWN:
            raise ValueError
        stream, version, name, schema = found["stream"], found["version"], found["type"], found["schema_version"]
        command_id, event_id, actor, channel = found["command_id"], found["event_id"], found["actor"], found["channel"]
        causation, order_id, customer_id = found.get("causation"), found.get("order_id"), found.get("customer_id")
        fingerprint, body, personal = found.get("fingerprint"), found["body"], found.get("personal")
        occurred_at = datetime.fromisoformat(found["occurred_at"])
        texts = f"{event_id} {command_id} {causation or ''} {order_id or ''}"
        if not _IDS.fullmatch(texts) or occurred_at.tzinfo is None or type(version) is not int or type(schema) is not int:
            raise ValueError
        if not (type(stream) is type(name) is type(actor) is type(channel) is str) or type(body) is not dict or not 1 <= version < 2**62:
            raise ValueError
        if not (isinstance(customer_id, str | None) and isinstance(fingerprint, str | None) and isinstance(personal, dict | None)):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refused(f"line {number} is no event with its whole envelope; see `o2c events import --help` for what a line has") from None
    place = f"line {number}: {stream[:STREAM_LENGTH_MAX]} version {version}"
    if category_of(stream) not in kinds or PINNED.fullmatch(stream) or len(stream) > STREAM_LENGTH_MAX:
        raise Refused(f"{place}: this program knows no such stream; see the kinds of streams in docs/architecture.md")
    if b"\\u0000" in raw and _NUL.search(raw):
        raise Refused(f"{place}: it holds the character NUL, which the log cannot keep")
    apart = to_json(personal) if personal is not None else None
    kept = to_json(body)
    event = _event(place, name, schema, body, personal or {}, kept, apart)
    row = event_row(
        *(stream, version, event_id, name, schema, occurred_at, actor, channel, command_id, causation, order_id, customer_id, kept, apart)
    )
    return Line(number, stream, version, event_id, occurred_at, command_id, fingerprint or digest(command_id), event, row)


def _event(place: str, name: str, schema: int, body: dict[str, Any], personal: dict[str, Any], kept: bytes, apart: bytes | None) -> Event:
    """The event as its class takes it. Strictly: what it would have to convert first, readers of the stored body would see as it came."""
    cls = EVENT_TYPES.get(name)
    if cls is None:
        raise Refused(f"{place}: this program knows no event of its type; use the program that wrote it, or convert it")
    if not 1 <= schema <= cls.schema_version():
        raise Refused(f"{place}: {name} of schema version {schema} is unknown; use a newer program")
    try:
        whole = {**body, **personal} if schema < cls.schema_version() else {}
        text = to_json(upcast(name, schema, whole)) if whole else _merged(kept, apart)
        if not _apart(cls, schema, body, personal):
            raise Refused(f"{place}: personal fields of {name} stand in personal, all others in body")
        return cls.__pydantic_validator__.validate_json(text, strict=True)  # type: ignore[no-any-return] # the validator of a model makes one
    except ValidationError as error:
        fields = ", ".join(".".join(str(part) for part in flaw["loc"]) or flaw["type"] for flaw in error.errors(include_input=False))
        raise Refused(f"{place}: fields {fields} do not fit {name}") from None


def _merged(kept: bytes, apart: bytes | None) -> bytes:
    """Two JSON objects as one."""
    return kept if apart in (None, b"{}") else apart if kept == b"{}" else kept[:-1] + b"," + apart[1:]


def _apart(cls: type[Event], schema: int, body: dict[str, Any], personal: dict[str, Any]) -> bool:
    """Whether personal fields, and only they, stand apart."""
    if not cls.personal and not personal:
        return True
    here, there = set(body), set(personal)
    for change in cls.upcasts[schema - 1 :]:
        here, there = ({change.renames.get(key, key) for key in keys} for keys in (here, there))
    return cls.personal.isdisjoint(here) and cls.personal.issuperset(there)
