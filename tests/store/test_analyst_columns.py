"""Analysts' views with typed columns: one for every type of event, whatever version it was stored in."""

import ast
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from o2c import plan
from o2c.engine.app import Engine
from o2c.kernel.event import EVENT_TYPES
from o2c.views import analyst
from o2c.views.event_types import event_types
from tests.laws.test_events import GOLDEN, read_golden

AT = datetime(2026, 1, 5, tzinfo=UTC)
STORED = sorted(path for path in GOLDEN.glob("*.json") if json.loads(path.read_text(encoding="utf-8"))["type"] in EVENT_TYPES)


def store(conn: psycopg.Connection[Any], position: int, path: Path) -> None:
    told = json.loads(path.read_text(encoding="utf-8"))
    told["body"] |= renumbered(told["body"], position)
    conn.execute(
        "INSERT INTO o2c.event (position, stream, version, event_id, type, schema_version, occurred_at, actor, channel, command_id, body)"
        " VALUES (%s, %s, 1, %s, %s, %s, %s, 'test', 'test', %s, %s)",
        (position, f"test-{position}", uuid4(), told["type"], told["schema"], AT, uuid4(), Jsonb(told["body"])),
    )


def renumbered(body: dict[str, Any], position: int) -> dict[str, str]:
    """A number of its own for a paper: a store has every number once, and the same example is stored in several versions."""
    return {"legal_number": f"{body['legal_number']}-{position}"} if body.get("legal_number") else {}


def plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, date | datetime) else value


def test_every_field_has_its_column_in_every_stored_version(dsn: str) -> None:
    """A column shows what today's class reads from a body, of its type, masked like the rest of what analysts see; personal fields have none."""
    with Engine(dsn, plan.KINDS) as app, psycopg.connect(dsn, autocommit=True) as conn:
        for position, path in enumerate(STORED, 1):
            store(conn, position, path)
        analyst.publish(app)

        for position, path in enumerate(STORED, 1):
            event = read_golden(path)
            [row] = app.reads.rows(f"SELECT * FROM analyst.{analyst.view_name(type(event))} WHERE position = %s", position)
            expected = event.model_dump(mode="json", exclude=set(event.personal))
            expected |= renumbered(expected, position)
            [masked] = app.reads.rows("SELECT o2c.masked(%s) AS body", Jsonb(expected))
            shown = {field: plain(row[column]) for column, (field, _) in analyst.columns(type(event)).items()}
            assert shown == masked["body"], path.name
            assert not set(row) & event.personal


def test_views_are_made_once_and_told_of(dsn: str) -> None:
    """Every view and every column has a comment; made again they are only when the classes are other ones."""
    with Engine(dsn, plan.KINDS) as app:
        assert analyst.publish(app)
        assert not analyst.publish(app)
        untold = app.reads.rows(
            "SELECT relname, attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE relnamespace = 'analyst'::regnamespace"
            " AND (col_description(c.oid, attnum) IS NULL OR obj_description(c.oid) IS NULL)"
        )
        views = app.reads.rows("SELECT count(*) AS n FROM pg_views WHERE schemaname = 'analyst'")

    assert not untold
    assert views == [{"n": len(event_types())}]


def test_the_same_classes_written_otherwise_are_said_and_no_view_is_made(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that changes a comment leaves the views as they are; that it did is kept, so that the next look needs no class."""
    with Engine(dsn, plan.KINDS) as app:
        assert analyst.publish(app)
        monkeypatch.setattr(analyst, "sources", lambda: "0" * 64)
        assert not analyst.publish(app)
        [told] = app.reads.rows(analyst.STAMP)
        monkeypatch.setattr(analyst, "event_types", lambda: pytest.fail("the classes were looked at again"))
        assert not analyst.publish(app)

    assert told["told"].endswith("0" * 64)


def test_events_are_written_in_the_sources_that_are_compared() -> None:
    """An event class, and what it is built on, is made of nothing of ours but what stands in the files that are compared."""
    package = Path(analyst.__file__).parents[1]
    compared = analyst.written_in()
    imported = {
        (path, node.module)
        for path in compared
        if path.parent.name != "kernel"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("o2c.")
    }

    assert len(imported) > 10
    assert {(path.name, module) for path, module in imported if package.parent / f"{module.replace('.', '/')}.py" not in compared} == set()


@pytest.fixture
def published(dsn: str) -> str:
    with Engine(dsn, plan.KINDS) as app:
        analyst.publish(app)
    return dsn


def test_who_could_read_them_still_can(published: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer program makes the views anew and gives them back to whoever was let in; the log itself stays shut."""
    role = f"analyst_{uuid4().hex}"
    with psycopg.connect(published, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {role}".encode())
        conn.execute(f"GRANT USAGE ON SCHEMA analyst TO {role}".encode())
        monkeypatch.setattr(analyst, "FORM", analyst.FORM + 1)
        with Engine(published, plan.KINDS) as app:
            assert analyst.publish(app)
        conn.execute(f"SET ROLE {role}".encode())
        conn.execute("SELECT * FROM analyst.order_captured")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT * FROM o2c.event")
        conn.execute("RESET ROLE")
        conn.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_what_others_built_on_them_stays(published: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Views that an analyst made on ours are never dropped: ours then wait until his are gone."""
    with psycopg.connect(published, autocommit=True) as conn, Engine(published, plan.KINDS) as app:
        conn.execute("CREATE VIEW public.mine AS SELECT order_id FROM analyst.order_captured")
        monkeypatch.setattr(analyst, "FORM", analyst.FORM + 1)

        assert not analyst.publish(app)
        conn.execute("SELECT * FROM public.mine")
        conn.execute("DROP VIEW public.mine")
        assert analyst.publish(app)
