"""Every single change that a superuser can make by hand: `diagnose` notices it, or docs/operations.md says that it cannot."""

import re
import uuid
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from o2c import plan
from o2c.checks.diagnose import run_checks
from o2c.engine.app import Engine
from projections.engine.operations import catch_up
from tests.conftest import database
from tests.world import World, at, line, order

ROOT = Path(__file__).parents[2]
ONE_EVENT = "(SELECT max(position) FROM o2c.event WHERE type = 'order.captured')"
MANY = "(SELECT command_id FROM o2c.command WHERE last_position > first_position LIMIT 1)"
SINGLE = "(SELECT command_id FROM o2c.command WHERE last_position = first_position LIMIT 1)"


@pytest.fixture(scope="module")
def lived(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with a store to copy: two orders past their first bills, another under way, roles, projections."""
    with database(server_dsn) as dsn:
        world = World(dsn, tmp_path_factory.mktemp("lived"))
        world.stocked().take(order("A", line()), order("B", line(), party="C-2"))
        world.run(at(20, month=2))
        world.take(order("C", line()))
        world.close()
        catch_up(dsn)
        yield str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture
def store(server_dsn: str, lived: str) -> Iterator[str]:
    """A copy that a change may be made to."""
    with database(server_dsn, lived) as dsn:
        yield dsn


def failing(dsn: str) -> Generator[str, None, None]:
    """The checks that fail, as they are made: whoever looks for one need not wait for those after it."""
    with closing(Engine(dsn, plan.KINDS)) as app:
        yield from (check.name for check in run_checks(app) if check.state == "failed")


def change(dsn: str, statements: str) -> None:
    """By a superuser, with the triggers of the log off. A role that it makes is no member of anything and goes with the store's server."""
    names = {"role": f"x_{uuid.uuid4().hex[:8]}", "database": str(conninfo_to_dict(dsn)["dbname"])}
    for name, value in names.items():
        statements = statements.replace(f"{{{name}}}", value)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute(statements.encode())


NOTICED = {
    "event: actor": ("events are as their transactions wrote them", f"UPDATE o2c.event SET actor = 'x' WHERE position = {ONE_EVENT}"),
    "event: body": ("events are as their transactions wrote them", f"UPDATE o2c.event SET body = body || '{{\"x\": 1}}' WHERE position = {ONE_EVENT}"),
    "event: personal fields": ("events are as their transactions wrote them", f"UPDATE o2c.event SET personal = NULL WHERE position = {ONE_EVENT}"),
    "event: business time": ("events are as their transactions wrote them", f"UPDATE o2c.event SET occurred_at = occurred_at - interval '1 s' WHERE position = {ONE_EVENT}"),
    "event: recorded time": ("events are as their transactions wrote them", f"UPDATE o2c.event SET recorded_at = recorded_at - interval '1 s' WHERE position = {ONE_EVENT}"),
    "event: id": ("events are as their transactions wrote them", f"UPDATE o2c.event SET event_id = gen_random_uuid() WHERE position = {ONE_EVENT}"),
    "event: taken out": ("streams are gapless and readable", f"DELETE FROM o2c.event WHERE position = {ONE_EVENT}"),
    "event: written anew as it was": ("events are as their transactions wrote them", f"UPDATE o2c.event SET actor = actor WHERE position = {ONE_EVENT}"),
    "head: version": ("head rows are the fold of their streams", "UPDATE o2c.head SET version = version + 1 WHERE stream LIKE 'order-%'"),
    "head: position": ("head rows are the fold of their streams", "UPDATE o2c.head SET last_position = last_position - 1 WHERE stream LIKE 'order-%'"),
    "head: state": ("head rows are the fold of their streams", "UPDATE o2c.head SET state = '{}' WHERE stream LIKE 'order-%'"),
    "head: gone": ("head rows are the fold of their streams", "DELETE FROM o2c.head WHERE stream LIKE 'order-%'"),
    "head: of no stream": ("head rows are the fold of their streams", "INSERT INTO o2c.head SELECT 'order-x', version, last_position, shape, state FROM o2c.head LIMIT 1"),
    "agenda: due": ("the agenda is what the events call for", "UPDATE o2c.agenda SET due_at = due_at + interval '1 day'"),
    "agenda: gone": ("the agenda is what the events call for", "DELETE FROM o2c.agenda"),
    "agenda: kind": ("the agenda is what the events call for", "UPDATE o2c.agenda SET kind = 'query'"),
    "agenda: attempt": ("the agenda is what the events call for", "UPDATE o2c.agenda SET attempt = attempt + 1"),
    "agenda: priority": ("the agenda is what the events call for", "UPDATE o2c.agenda SET priority = priority + 1"),
    "agenda: since": ("the agenda is what the events call for", "UPDATE o2c.agenda SET since = since - interval '1 day'"),
    "agenda: pool": ("the agenda is what the events call for", "UPDATE o2c.agenda SET pool = 'x'"),
    "agenda: cause": ("the agenda is what the events call for", "UPDATE o2c.agenda SET cause = gen_random_uuid()"),
    "agenda: of no event": ("the agenda is what the events call for", "INSERT INTO o2c.agenda SELECT 'order-x', item, step, kind, due_at, priority, since, attempt, pool, cause, round FROM o2c.agenda LIMIT 1"),
    "guard: holder of a SIM": ("no SIM, number or device is held twice, guards agree", "UPDATE o2c.guard SET holder = 'x' WHERE kind = 'sim'"),
    "guard: of a SIM gone": ("no SIM, number or device is held twice, guards agree", "DELETE FROM o2c.guard WHERE kind = 'sim'"),
    "guard: of a number gone": ("no SIM, number or device is held twice, guards agree", "DELETE FROM o2c.guard WHERE kind = 'number'"),
    "guard: of an invoice gone": ("invoice numbers are guarded", "DELETE FROM o2c.guard WHERE kind = 'invoice'"),
    "guard: of a SIM there is not": ("no SIM, number or device is held twice, guards agree", "INSERT INTO o2c.guard VALUES ('sim', 'x', 'x', 1)"),
    "pool: gone": ("stock pools are what is on offer", "DELETE FROM o2c.pool"),
    "pool: detail": ("stock pools are what is on offer", "UPDATE o2c.pool SET detail = '{}'"),
    "pool: when": ("stock pools are what is on offer", "UPDATE o2c.pool SET available_at = available_at + interval '1 day'"),
    "pool: of no stock": ("stock pools are what is on offer", "INSERT INTO o2c.pool SELECT pool, 'x', available_at, detail, round FROM o2c.pool LIMIT 1"),
    "command: gone, of several events": ("every command has its events", f"DELETE FROM o2c.command WHERE command_id = {MANY}"),
    "command: gone, of one event": ("every command has its events", f"DELETE FROM o2c.command WHERE command_id = {SINGLE}"),
    "command: id": ("every command has its events", f"UPDATE o2c.command SET command_id = gen_random_uuid() WHERE command_id = {MANY}"),
    "command: first position": ("every command has its events", f"UPDATE o2c.command SET first_position = first_position - 1 WHERE command_id = {MANY}"),
    "reactions: beyond the log": ("policies are not beyond the log", "INSERT INTO o2c.policy_checkpoint VALUES ('x', 9223372036854775807)"),
    "clock: kind": ("nothing is overdue", "UPDATE o2c.clock SET kind = 'real'"),
    "projection: row": ("projection orders is the fold of the log", "UPDATE projection.orders SET state = 'x'"),
    "projection: row gone": ("projection orders is the fold of the log", "DELETE FROM projection.orders"),
    "projection: document": ("projection orders is the fold of the log", "UPDATE projection.orders_doc SET doc = '{}'"),
    "projection: checkpoint": ("projection orders is the fold of the log", "UPDATE projection.checkpoint SET position = 1 WHERE name = 'orders'"),
    "projection: parked": ("projection orders is the fold of the log", "INSERT INTO projection.parked VALUES ('orders', 'order-1', 1, gen_random_uuid(), 'x')"),
    "projection: event skipped": ("projection orders is the fold of the log", f"INSERT INTO projection.skipped SELECT 'orders', stream, position, event_id, 'x', 'x', 'x' FROM o2c.event WHERE position = {ONE_EVENT}"),
    "projection: trigger": ("only what the owner made runs", "CREATE TRIGGER x BEFORE INSERT ON projection.orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"),
    "projection: rule": ("only what the owner made runs", "CREATE RULE x AS ON INSERT TO projection.orders DO ALSO SELECT 1"),
    "projection: owner": ("only what the owner made runs", "CREATE ROLE {role}; ALTER TABLE projection.orders OWNER TO {role}"),
    "grant: insert": ("nobody writes past append()", "GRANT INSERT ON o2c.event TO PUBLIC"),
    "grant: update of heads": ("nobody writes past append()", "GRANT UPDATE ON o2c.head TO PUBLIC"),
    "grant: append": ("nobody writes past append()", "GRANT EXECUTE ON FUNCTION o2c.append TO PUBLIC"),
    "grant: read personal fields": ("only what the owner made runs", "GRANT SELECT ON o2c.event TO PUBLIC"),
    "grant: make functions": ("only what the owner made runs", "GRANT CREATE ON SCHEMA o2c TO PUBLIC"),
    "trigger: off": ("the schema is as migrated", "ALTER TABLE o2c.event DISABLE TRIGGER event_unchanged"),
    "trigger: gone": ("the schema is as migrated", "DROP TRIGGER event_unchanged ON o2c.event"),
    "trigger: another": ("the schema is as migrated", "CREATE TRIGGER x BEFORE INSERT ON o2c.event FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"),
    "function: text": ("the schema is as migrated", "CREATE OR REPLACE FUNCTION o2c.current_offset() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 0::bigint'"),
    "function: volatility": ("the schema is as migrated", "ALTER FUNCTION o2c.horizon() VOLATILE"),
    "function: search path": ("the schema is as migrated", "ALTER FUNCTION o2c.append SET search_path = public, o2c"),
    "function: owner": ("only what the owner made runs", "CREATE ROLE {role}; ALTER FUNCTION o2c.append OWNER TO {role}"),
    "function: one more": ("the schema is as migrated", "CREATE FUNCTION o2c.x() RETURNS integer LANGUAGE sql AS 'SELECT 1'"),
    "table: owner": ("only what the owner made runs", "CREATE ROLE {role}; ALTER TABLE o2c.event OWNER TO {role}"),
    "setting: triggers off for everybody": ("server settings are safe", "ALTER DATABASE {database} SET session_replication_role = replica"),
    "setting: no flush": ("server settings are safe", "ALTER DATABASE {database} SET synchronous_commit = off"),
}  # fmt: skip
"""A change by table and column, and the check that names it."""

UNSEEN = {
    "guard: of a kind there is not": ("guards of ports and other kinds", "INSERT INTO o2c.guard VALUES ('x', 'x', 'x', 1)"),
    "guard: position": ("position of a guard", "UPDATE o2c.guard SET position = 1"),
    "command: fingerprint": ("fingerprint and outcome of a command", f"UPDATE o2c.command SET fingerprint = 'x' WHERE command_id = {MANY}"),
    "command: outcome": ("fingerprint and outcome of a command", f"UPDATE o2c.command SET outcome = '{{\"x\": 1}}' WHERE command_id = {MANY}"),
    "reactions: back at the start": ("where a reaction stands", "UPDATE o2c.policy_checkpoint SET position = 0"),
    "clock: now": ("now and seed of the clock", "UPDATE o2c.clock SET now = now + interval '1 day'"),
    "clock: seed": ("now and seed of the clock", "UPDATE o2c.clock SET seed = seed + 1"),
    "life: offset": ("offset and reason of a life", "UPDATE o2c.incarnation SET position_offset = position_offset + 4294967296"),
    "life: reason": ("offset and reason of a life", "UPDATE o2c.incarnation SET reason = 'x'"),
    "projection: last event": ("the id of a projection's last event", "UPDATE projection.checkpoint SET event_id = gen_random_uuid() WHERE name = 'orders'"),
    "projection: history": ("the history of projections", "INSERT INTO projection.history VALUES ('orders', now(), 'rebuilt', 'x', 'x', NULL, 1, 1, 1)"),
    "projection: shape": ("the registered shapes", "UPDATE o2c.projection_shape SET definition = definition || '{\"meaning\": \"x\"}'"),
    "projection: view": ("the text of views", "CREATE OR REPLACE VIEW projection.cycle_time AS SELECT * FROM projection.cycle_time WHERE false"),
    "projection: index": ("missing indexes of projections", "DROP INDEX projection.orders_external_id_idx"),
    "analysts: view": ("the text of views", "CREATE OR REPLACE VIEW o2c.analyst_event AS SELECT * FROM o2c.analyst_event WHERE false"),
    "trigger: of the whole database": ("event triggers of the whole database", "CREATE FUNCTION public.x() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION public.x()"),
    "table: check": ("columns, defaults, checks and NOT NULL", "ALTER TABLE o2c.event ADD CHECK (version < 1000000)"),
    "table: default": ("columns, defaults, checks and NOT NULL", "ALTER TABLE o2c.event ALTER recorded_at SET DEFAULT now()"),
    "table: column": ("columns, defaults, checks and NOT NULL", "ALTER TABLE o2c.event ADD x integer"),
    "table: not null": ("columns, defaults, checks and NOT NULL", "ALTER TABLE o2c.event ALTER actor DROP NOT NULL"),
    "migration: note": ("notes of migrations", "UPDATE o2c.migration SET note = 'x'"),
}  # fmt: skip
"""A change that no check notices, and where docs/operations.md says so."""


def test_control_nothing_was_changed(store: str) -> None:
    """A store as the engine left it is well."""
    assert list(failing(store)) == []


@pytest.mark.parametrize(("check", "statement"), [pytest.param(*row, id=name) for name, row in NOTICED.items()])
def test_a_change_that_is_noticed(store: str, check: str, statement: str) -> None:
    """The check that looks after it fails."""
    change(store, statement)
    with closing(failing(store)) as found:
        assert check in found


def test_changes_that_are_not(store: str) -> None:
    """Nothing fails where all of them were made: none makes up for another, for each is of something else."""
    for _, statement in UNSEEN.values():
        change(store, statement)
    assert list(failing(store)) == []


@pytest.mark.parametrize("said", [pytest.param(row[0], id=name) for name, row in UNSEEN.items()])
def test_what_is_not_noticed_is_told(said: str) -> None:
    """The page for operators says what cannot be seen."""
    [named] = re.findall(r"Not visible to `diagnose`.*?\n\n(.*?)\n\n", (ROOT / "docs/operations.md").read_text(encoding="utf-8"), re.DOTALL)
    assert said in " ".join(named.split())
