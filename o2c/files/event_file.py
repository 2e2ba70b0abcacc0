"""A history as a file: an event a line, JSON, with its whole envelope and its personal fields, causes before effects."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, BinaryIO, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from o2c.engine.app import PINNED
from o2c.kernel.event import Event, types_by_name, upcast
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import Offered, Withdrawn
from o2c.kernel.stream import StreamKind, category_of
from o2c.store.database import connect
from o2c.store.importing import event_row
from o2c.store.mapper import ASKED, EXCHANGE, asked_of
from o2c.store.queries import ENVELOPE, EXPORTED, ONE_SNAPSHOT

LINE_BYTES_MAX = 16_000_000
STREAM_LENGTH_MAX = 500
FIELDS_LENGTH_MAX = 200
PAGE_EVENTS = 5_000
_MEMBERS = frozenset(ENVELOPE)
"""The members of a line. `recorded_at` says when the log it comes from recorded the event, `fingerprint` tells repeats of its command apart
from other commands; both may be left out, as may all that are null."""
_UUID = "[0-9a-f]{8}-[0-9a-f-]{27}"
"""As far as it is looked at line by line; PostgreSQL refuses the batch of one whose hyphens stand elsewhere."""
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)"
_SHAPE = re.compile(f"{_UUID} {_UUID} (?:{_UUID})? (?:{_UUID})? {_TIME}", re.ASCII)
_TEXT, _APART = (str, NoneType), (dict, NoneType)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class EventLine(NamedTuple):
    """An event of a file with the number of its line; `row` is what COPY takes of it. Many are made: a tuple is made fastest.

    `event` is kept where something is derived from it: of streams that carry steps, and stock.
    """

    number: int
    stream: str
    version: int
    event_id: str
    occurred_at: datetime
    command_id: str
    causation: str | None
    fingerprint: str | None
    event: Event | None
    row: str

    def refused(self, why: str) -> Refused:
        """That this line cannot be taken in, named by its place and never by a value."""
        return _refused(self.number, self.stream, self.version, why)


# -- out


@contextmanager
def made_anew(file: Path) -> Iterator[BinaryIO]:
    """A file made anew, for its owner alone; none where the writing broke off. Raises Refused: conflict when it is there, usage."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(f"{file} is there already and is not overwritten; name another file, or delete it", kind="conflict") from None
    except OSError as error:
        raise Refused(f"cannot make {file}: {error.strerror}; name another file") from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(descriptor)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


@contextmanager
def there_to_read(file: Path) -> Iterator[BinaryIO]:
    """A file that is there. Raises Refused (missing)."""
    try:
        source = file.open("rb")
    except OSError as error:
        raise Refused(f"cannot read {file}: {error.strerror}; check its name", kind="missing") from None
    with source:
        yield source


def exported(dsn: str, out: BinaryIO, *, progress: Callable[[int], None]) -> int:
    """Write the log as readers see it now, personal fields too; how many events that were."""
    count = 0
    with connect(dsn) as conn, conn.transaction():
        conn.execute(ONE_SNAPSHOT)
        conn.execute("SET LOCAL timezone = 'UTC'")
        with conn.cursor("export") as cursor:
            cursor.itersize = PAGE_EVENTS
            cursor.execute(EXPORTED.encode())
            for row in cursor:
                out.write(row["line"].encode() + b"\n")
                count += 1
                if count % PAGE_EVENTS == 0:
                    progress(count)
    return count


# -- in


def lines_of(source: BinaryIO, kinds: Mapping[str, StreamKind]) -> Iterator[EventLine]:
    """The events of a file, each judged by itself. Raises Refused, naming the line."""
    carrying = frozenset(name for name, kind in kinds.items() if kind.carries_steps)
    number = 0
    while raw := source.readline(LINE_BYTES_MAX + 1):
        number += 1
        yield _line(raw, number, kinds, carrying)


def _line(raw: bytes, number: int, kinds: Mapping[str, StreamKind], carrying: frozenset[str]) -> EventLine:
    """A line as it is taken in. This and what it calls is most of an import's time."""
    if len(raw) > LINE_BYTES_MAX:
        raise Refused(f"line {number} is longer than {LINE_BYTES_MAX:,} bytes; no event is")
    try:
        members: dict[str, Any] = from_json(raw, allow_inf_nan=False, cache_strings="none")
        stream, version, name, schema = members["stream"], members["version"], members["type"], members["schema_version"]
        command_id, event_id, actor, channel = members["command_id"], members["event_id"], members["actor"], members["channel"]
        causation, order_id, customer_id = members.get("causation"), members.get("order_id"), members.get("customer_id")
        fingerprint, body, personal, time = members.get("fingerprint"), members["body"], members.get("personal"), members["occurred_at"]
        occurred_at = datetime.fromisoformat(time)
        shaped = _SHAPE.fullmatch(f"{event_id} {command_id} {causation or ''} {order_id or ''} {time}")
        typed = type(stream) is type(name) is type(actor) is type(channel) is str and type(version) is type(schema) is int
        rest = type(customer_id) in _TEXT and type(fingerprint) in _TEXT and type(body) is dict and type(personal) in _APART
        if not (shaped and typed and rest and _MEMBERS.issuperset(members)):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refused(f"line {number} is no event with its whole envelope; see `o2c events import --help` for what a line has") from None
    kept, apart = to_json(body), None if personal is None else to_json(personal)
    try:
        if version == 1:
            _refuse_strange(stream, kinds)
        if b"\\u0000" in raw and _NUL.search(raw):
            raise ValueError("it holds the character NUL, which the log cannot keep")
        event = _event(name, schema, body, personal, kept, apart)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, flaw["loc"])) or flaw["type"] for flaw in error.errors(include_input=False))
        raise _refused(number, stream, version, f"fields {fields[:FIELDS_LENGTH_MAX]} do not fit {name}") from None
    except ValueError as error:
        raise _refused(number, stream, version, str(error)) from None
    row = event_row(
        *(stream, version, event_id, name, schema, time, actor, channel, command_id, causation, order_id, customer_id, kept, apart)
    )
    kept_event = event if category_of(stream) in carrying or isinstance(event, Offered | Withdrawn) else None
    return EventLine._make((number, stream, version, event_id, occurred_at, command_id, causation, fingerprint, kept_event, row))


def _refused(number: int, stream: str, version: int, why: str) -> Refused:
    return Refused(f"line {number}: {stream[:STREAM_LENGTH_MAX]} version {version}: {why}", kind="conflict")


def _refuse_strange(stream: str, kinds: Mapping[str, StreamKind]) -> None:
    """Raises ValueError for the name of a stream that this program would not find again."""
    if category_of(stream) not in kinds or PINNED.fullmatch(stream) or len(stream) > STREAM_LENGTH_MAX:
        raise ValueError("this program knows no such stream; see the kinds of streams in docs/architecture.md")


class _Reading(NamedTuple):
    """How events of a type and schema version are read."""

    validate: Callable[..., Event]
    personal: frozenset[str]
    renames: tuple[Mapping[str, str], ...]
    """Of what came after this version; a newest one has none."""


@cache
def _reading(name: str, schema: int) -> _Reading:
    """Raises ValueError for a type or schema version that there is not."""
    cls = types_by_name().get(name)
    if cls is None:
        raise ValueError("this program knows no event of its type; use the program that wrote it, or convert it")
    if not 1 <= schema <= cls.schema_version():
        raise ValueError(f"{name} of this schema version is unknown; use a newer program")
    return _Reading(cls.__pydantic_validator__.validate_json, cls.personal, tuple(change.renames for change in cls.upcasts[schema - 1 :]))


def _event(name: str, schema: int, body: dict[str, Any], personal: dict[str, Any] | None, kept: bytes, apart: bytes | None) -> Event:
    """The event as its class takes it. Strictly: what it would have to convert first, readers of the stored body would see as it came.

    Raises ValueError; ValidationError, which is one.
    """
    validate, marked, renames = _reading(name, schema)
    if ASKED in body or EXCHANGE in (personal or {}):
        body, personal = _without_exchange(name, body, personal)
        kept, apart = to_json(body), to_json(personal) if personal else None
    if marked or personal:
        here: Iterable[str] = body
        there: Iterable[str] = personal or {}
        for new in renames:
            here, there = ([new.get(key, key) for key in keys] for keys in (here, there))
        if not (marked.isdisjoint(here) and marked.issuperset(there)):
            raise ValueError(f"personal fields of {name} stand in personal, all others in body")
    if renames:
        return validate(to_json(upcast(name, schema, {**body, **(personal or {})})), strict=True)
    return validate(_merged(kept, apart) if personal and apart else kept, strict=True)


def _without_exchange(name: str, body: dict[str, Any], personal: dict[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Body and personal fields without what a partner was asked and answered. Raises ValueError where that has not the shape it is stored
    in."""
    fields = {ASKED: body.get(ASKED), EXCHANGE: (personal or {}).get(EXCHANGE)}
    try:
        asked_of(fields)
    except TypeError:
        raise ValueError(f"what a partner answered of {name} is not as it is stored") from None
    left = {key: value for key, value in body.items() if key != ASKED}
    return left, {key: value for key, value in (personal or {}).items() if key != EXCHANGE}


def _merged(kept: bytes, apart: bytes) -> bytes:
    """Two JSON objects as one; the second is not empty."""
    return apart if kept == b"{}" else kept[:-1] + b"," + apart[1:]
