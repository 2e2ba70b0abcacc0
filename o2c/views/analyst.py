"""What analysts see of the log: one view with typed columns for every type of event, made from the event classes.

The views stand in the schema `analyst`, over `o2c.analyst_event`: no personal field, and the identifiers of SIMs and numbers masked. Events
of an older schema version show the columns of the newest. Change the class, never a view.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import structlog
from psycopg import errors, sql
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from o2c.engine.app import Engine
from o2c.kernel.event import Event
from o2c.kernel.identifiers import digest
from o2c.store.database import SCHEMAS, wait_for_schema
from o2c.store.turns import patiently
from o2c.views.event_types import event_types

logger = structlog.get_logger(__name__)
SCHEMA = "analyst"
FORM = 5
"""Raised by whoever changes how views are made from classes, so that those that stand are made anew."""
ENVELOPE: Mapping[str, str] = {
    "position": "Place in the whole log.",
    "stream": "What the event happened to; the middle of SIM and number identifiers is masked.",
    "version": "Place in its stream, from 1.",
    "occurred_at": "Business time (UTC): what rules and metrics read.",
    "recorded_at": "Evidence from the clock of the server (UTC); read by no rule.",
    "actor": "Who did it.",
    "channel": "How the wish came in.",
    "command_id": "The wish it came of.",
    "causation": "The event that caused it.",
    "order_id": "The order it belongs to, if any.",
    "customer_id": "The customer it belongs to, if any.",
    "asked": "The partner whose answer it came of, if any: partner, answer, the partner's code, latency in ms.",
}
_KINDS: Mapping[Any, str] = {str: "text", int: "bigint", bool: "boolean", datetime: "timestamptz"}

QUIET = "SELECT set_config('client_min_messages', 'warning', true)"
"""Keeps notices away until the end of the transaction. No parameters."""

CREATE_SCHEMA = "CREATE SCHEMA IF NOT EXISTS analyst"
"""Makes the schema of the views. No parameters."""

STAMP = "SELECT obj_description(to_regnamespace('analyst')) AS told"
"""The comment on the schema, with the stamp of the views in it, and of the sources at its end; NULL where there is none. No parameters."""

VIEWS = "SELECT viewname FROM pg_views WHERE schemaname = 'analyst'"
"""The names of the views in the schema. No parameters."""

READERS = """SELECT DISTINCT r.rolname AS role FROM pg_namespace n, aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = 'analyst' AND a.grantee <> n.nspowner"""
"""The roles that may use the schema, NULL for everybody; its owner is left out. No parameters."""

DROP_VIEWS = sql.SQL("DROP VIEW {}")
"""Drops views. Parts: their names."""

GRANT_READING = sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA analyst TO {}")
"""Lets a role read all views. Part: the role."""

SET_STAMP = sql.SQL("COMMENT ON SCHEMA analyst IS {}")
"""Writes the comment on the schema. Part: its text."""

CREATE_VIEW = sql.SQL("CREATE VIEW {} AS SELECT {} FROM o2c.analyst_event WHERE type = {}")
"""Makes the view of one type of event. Parts: the view, its columns, the type's name."""

DESCRIBE_VIEW = sql.SQL("COMMENT ON VIEW {} IS {}")
"""Says in the database what a view shows. Parts: the view, the text."""

DESCRIBE_COLUMN = sql.SQL("COMMENT ON COLUMN {} IS {}")
"""Says in the database what a column of a view shows. Parts: the column, the text."""

DEFAULTED = sql.SQL("coalesce({}, {}::{})")
"""A value of an older event, or the default of its field. Parts: the value, the default, its SQL type."""

FILLED = sql.SQL("{}::jsonb || ({})")
"""A record of an older event with the fields its class has got since. Parts: their defaults, the record."""

FILLED_WITHIN = sql.SQL("{} || CASE WHEN ({value}) ? {field} THEN jsonb_build_object({field}, {filled}) ELSE '{{}}' END")
"""The same with a record within it, where it has that. Parts: the record with its own defaults; as it was stored, the field, and its value
so filled."""

FILLED_EACH = sql.SQL("""CASE WHEN jsonb_array_length({list}) > 0 THEN (SELECT jsonb_agg({filled} ORDER BY place)
FROM jsonb_array_elements({list}) WITH ORDINALITY AS parts (part, place)) ELSE {list} END""")
"""The same for each record of a list, in its order. Parts: the list, and one record, `part`, so filled."""

BY_VERSION = sql.SQL("CASE schema_version {} ELSE {} END")
"""A value by the schema version of the event. Parts: the older versions, the value of the newest."""

OF_VERSION = sql.SQL("WHEN {} THEN {}")
"""One older version in it. Parts: the version, the value."""


AS_IN_PROJECTIONS = sql.SQL("{0}::text AS {0}")
"""An id in the type that projections have it in, so that both can be joined. Part: its column."""


def view_name(cls: type[Event]) -> str:
    """The view of a type of event: `order.captured` is `analyst.order_captured`."""
    return re.sub(r"[.-]", "_", cls.type_name)


def columns(cls: type[Event]) -> dict[str, tuple[str, str]]:
    """The columns a type adds to the envelope: the field and its SQL type by column name; a field named like the envelope's gets `body_`
    before."""
    public = {name: info for name, info in cls.model_fields.items() if name not in cls.personal}
    return {f"body_{name}" if name in ENVELOPE else name: (name, _kind(info)) for name, info in public.items()}


def publish(app: Engine) -> bool:
    """Make the views of this program where others stand or none; whether they were made. Who might read them before may read them again.

    Whoever may not make them, or finds other views built on them, leaves them as they are.
    """
    read_from = sources()
    if _told(app).endswith(read_from):
        return False
    stamp = digest(repr([FORM, *((cls.type_name, cls.__doc__, cls.upcasts, columns(cls)) for cls in event_types())]))
    try:
        return _made(app, stamp, read_from)
    except errors.DependentObjectsStillExist:
        logger.warning("analyst_views_kept", hint="a view of somebody's stands on them; drop it, then any command makes them anew")
    except errors.InsufficientPrivilege:
        logger.debug("analyst_views_kept", hint="this login may not make them; one that may does so")
    return False


def _made(app: Engine, stamp: str, read_from: str) -> bool:
    comment = SET_STAMP.format(sql.Literal(f"{_MEANING} {stamp}, read from the sources {read_from}"))

    def make() -> bool:
        conn.execute(QUIET)
        if stamp in _told(app):
            # The same classes, written otherwise.
            conn.execute(comment)
            return False
        conn.execute(CREATE_SCHEMA)
        readers = [row["role"] for row in conn.execute(READERS).fetchall()]
        if old := [sql.Identifier(SCHEMA, row["viewname"]) for row in conn.execute(VIEWS).fetchall()]:
            conn.execute(DROP_VIEWS.format(sql.SQL(", ").join(old)))
        conn.execute(sql.SQL("; ").join(part for cls in event_types() for part in _statements(cls)))
        for reader in readers:
            role = sql.SQL("PUBLIC") if reader is None else sql.Identifier(reader)
            conn.execute(GRANT_READING.format(role))
        conn.execute(comment)
        return True

    with app.log_recorder.datastore.pool.connection() as conn:
        return patiently(conn, "the views of analysts", SCHEMAS, lambda: wait_for_schema(conn), make)


def _told(app: Engine) -> str:
    """What the comment on the schema of the views says; empty where there is none."""
    [found] = app.reads.rows(STAMP)
    return str(found["told"] or "")


WRITTEN_IN = (
    "*/events.py",
    "*/event_parts.py",
    "customers/*_events.py",
    "invoicing/*_events.py",
    "journeys/*_events.py",
    "orders/*_events.py",
    "products/*_events.py",
    "kernel/*.py",
    "orders/rollup.py",
    "triggers/conditions.py",
    "triggers/effects.py",
    "rating/tariff.py",
    "rating/models.py",
    "rating/units.py",
    "invoicing/papers.py",
)
"""Where event classes and all that they are built on are written, below the package."""


def sources() -> str:
    """The digest of what the event classes are written in: with the same sources they are the same, and need not be imported to be
    compared."""
    return digest(b"".join([str(FORM).encode(), *(path.read_bytes() for path in written_in())]))


def written_in() -> list[Path]:
    """The files of WRITTEN_IN, in one order."""
    package = Path(__file__).parents[1]
    return [path for pattern in WRITTEN_IN for path in sorted(package.glob(pattern))]


_MEANING = "The log for analysis: a view for every type of event, made from the event classes by the program with the stamp"


def _statements(cls: type[Event]) -> Iterator[sql.Composed]:
    view = sql.Identifier(SCHEMA, view_name(cls))
    shown = columns(cls)
    listed: list[sql.Composable] = [
        AS_IN_PROJECTIONS.format(sql.Identifier(name)) if name == "order_id" else sql.Identifier(name) for name in ENVELOPE
    ]
    listed += [sql.SQL("{} AS {}").format(_value(cls, field, kind), sql.Identifier(name)) for name, (field, kind) in shown.items()]
    yield CREATE_VIEW.format(view, sql.SQL(", ").join(listed), sql.Literal(cls.type_name))
    hidden = f" Left out as personal: {', '.join(sorted(cls.personal))}." if cls.personal else ""
    yield DESCRIBE_VIEW.format(view, sql.Literal(" ".join((cls.__doc__ or "").split()) + hidden))
    told = {**ENVELOPE, **{name: _meaning(cls.model_fields[field], field) for name, (field, _) in shown.items()}}
    for name, text in told.items():
        yield DESCRIBE_COLUMN.format(sql.Identifier(SCHEMA, view_name(cls), name), sql.Literal(text))


def _value(cls: type[Event], field: str, kind: str) -> sql.Composable:
    """A field of the newest schema version out of a body of any: older ones by their declared renames and defaults, records in it by their
    own."""
    newest = _cast(sql.SQL("body"), field, kind)
    older = []
    for version in range(1, cls.schema_version()):
        name, default = field, None
        for change in reversed(cls.upcasts[version - 1 :]):
            default = change.defaults.get(name, default)
            name = next((old for old, new in change.renames.items() if new == name), name)
        value = _filled(_cast(sql.SQL("body"), name, kind), cls.model_fields[field].annotation)
        if default is not None:
            value = DEFAULTED.format(value, sql.Literal(_text(default, kind)), sql.SQL(kind))
        older.append(OF_VERSION.format(sql.Literal(version), value))
    return BY_VERSION.format(sql.SQL(" ").join(older), newest) if older else newest


def _filled(value: sql.Composable, shape: Any) -> sql.Composable:
    """A record, or a list of records, with the defaults of the fields that it may have been stored without; anything else as it is."""
    record = _record_in(shape)
    if record is None:
        return value
    if get_origin(shape) is tuple:
        return FILLED_EACH.format(list=value, filled=_filled(sql.SQL("part"), record))
    filled: sql.Composable = FILLED.format(sql.Literal(json.dumps(_defaults(record))), value)
    for name, info in record.model_fields.items():
        if _record_in(info.annotation):
            field = sql.Literal(name)
            within = _filled(sql.SQL("({})->{}").format(value, field), info.annotation)
            filled = FILLED_WITHIN.format(filled, value=value, field=field, filled=within)
    return filled


def _record_in(shape: Any) -> type[BaseModel] | None:
    """The class of a record, or of those of a list; None for anything else."""
    record = get_args(shape)[0] if get_origin(shape) is tuple else shape
    return record if isinstance(record, type) and issubclass(record, BaseModel) else None


def _defaults(record: type[BaseModel]) -> dict[str, Any]:
    optional = {name: info.get_default(call_default_factory=True) for name, info in record.model_fields.items() if not info.is_required()}
    return record.model_construct(**optional).model_dump(mode="json", include=set(optional))


def _cast(body: sql.SQL, field: str, kind: str) -> sql.Composed:
    arrow = sql.SQL("->") if kind == "jsonb" else sql.SQL("->>")
    value = sql.SQL("{}{}{}").format(body, arrow, sql.Literal(field))
    return value if kind in ("text", "jsonb") else sql.SQL("({})::{}").format(value, sql.SQL(kind))


def _text(default: Any, kind: str) -> str:
    return default if isinstance(default, str) and kind != "jsonb" else json.dumps(default)


def _kind(info: FieldInfo) -> str:
    return "text" if get_origin(info.annotation) is Literal else _KINDS.get(info.annotation, "jsonb")


def _meaning(info: FieldInfo, field: str) -> str:
    """What a field says of itself, else its name in words with its unit: amounts are in the currency's minor unit."""
    if info.description:
        return info.description
    words = field.replace("_", " ")
    return f"{words.removesuffix(' minor')}, in the currency's minor unit" if field.endswith("_minor") else words
