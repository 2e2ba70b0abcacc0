"""Code that somebody hangs on what another's session writes runs with that session's rights: a trigger, a default, a view, a function found first.

Whoever may do so at the desk of a superuser may do anything. So only the owner of the store makes anything that runs.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections.catalogue import BY_NAME
from projections.engine.operations import ALL, as_of, catch_up, rebuild, verify
from projections.engine.scratch import scratch
from projections.engine.what_if import what_if
from tests.histories import append, captured, query, table_of
from tests.store.test_roles import DENIED, GRANTED, database_apart, login, named, outcome
from tests.store.test_what_if import louder

ORDERS = BY_NAME["orders"]


@pytest.fixture
def store(server_dsn: str) -> Iterator[str]:
    """A store with roles, a login in each, and one order that is folded."""
    with database_apart(server_dsn) as dsn:
        append(dsn, [captured(0)])
        catch_up(dsn)
        yield dsn


@pytest.fixture(scope="module")
def standing(server_dsn: str) -> Iterator[str]:
    """The same, for statements that are taken back."""
    with database_apart(server_dsn) as dsn:
        yield dsn


SPRUNG = """CREATE FUNCTION {schema}.sprung() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RESET ROLE;
    ALTER TABLE o2c.event DISABLE TRIGGER ALL;
    UPDATE o2c.event SET actor = 'nobody';
    RETURN NEW;
END $$;
CREATE TRIGGER trap BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {schema}.sprung()"""
"""Steps out of the role that the session acts in, and rewrites the log where that session's login may."""


def actors(dsn: str) -> set[str]:
    return {row["actor"] for row in query(dsn, "SELECT actor FROM o2c.event")}


def write_more(dsn: str) -> None:
    """Somebody with all rights catches projections up over one more order."""
    append(dsn, [captured(1)])
    catch_up(dsn)


HANGS = {
    "a function": "CREATE FUNCTION projection.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "a function found first": 'CREATE SCHEMA postgres; CREATE FUNCTION postgres.hashtextextended(text, integer) RETURNS bigint LANGUAGE sql AS \'SELECT 1\'',
    "a function in public": "CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "a trigger": "CREATE TRIGGER trap BEFORE INSERT ON projection.orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "a trigger on the checkpoints": "CREATE TRIGGER trap BEFORE UPDATE ON projection.checkpoint FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "a rule": "CREATE RULE trap AS ON INSERT TO projection.orders DO ALSO SELECT 1",
    "a default": "ALTER TABLE projection.orders ALTER state SET DEFAULT set_config('role', 'none', true)",
    "a check": "ALTER TABLE projection.orders ADD CHECK (set_config('role', 'none', true) IS NOT NULL)",
    "an index": "CREATE INDEX ON projection.orders (lower(state))",
    "a policy": "CREATE POLICY trap ON projection.orders USING (true)",
    "a table in another's place": "ALTER TABLE projection.orders RENAME TO away",
    "a view in its place": "CREATE OR REPLACE VIEW projection.cycle_time AS SELECT 1",
    "a view by the owner's hands": "INSERT INTO o2c.projection_shape VALUES ('orders', 9, '{}')",
    "a schema of a what-if": "CREATE SCHEMA what_if_000000000000",
}  # fmt: skip
"""What would run in the sessions of others."""


@pytest.mark.parametrize("statement", [pytest.param(statement, id=name) for name, statement in HANGS.items()])
@pytest.mark.parametrize("role", ["appender", "projector", "reader"])
def test_nobody_but_the_owner_makes_what_runs(standing: str, role: str, statement: str) -> None:
    """Each is refused to every role that is not the owner's."""
    assert outcome(login(standing, role), statement) == DENIED


@pytest.mark.parametrize(
    "statement", [pytest.param(statement, id=name) for name, statement in HANGS.items() if name != "a view in its place"]
)
def test_control_the_owner_may(standing: str, statement: str) -> None:
    """The statements themselves are in order: whoever owns everything is let through."""
    assert outcome(standing, statement) == GRANTED


def test_control_a_trigger_rewrites_the_log(store: str) -> None:
    """A role to act in holds nobody's code back: had the owner planted it, the log would say what it likes."""
    with connect(store) as conn:
        conn.execute(SPRUNG.format(schema="projection", table="projection.orders").encode())
    write_more(store)
    assert actors(store) == {"nobody"}


def as_before(dsn: str) -> None:
    """Make the store as an older program left it: the projector owns the tables, and may make schemas."""
    roles = named(dsn)
    with connect(dsn) as conn, conn.transaction():
        for row in conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'projection'::regnamespace AND relkind IN ('r', 'v')"
        ).fetchall():
            conn.execute(f"ALTER TABLE projection.{row['relname']} OWNER TO {roles.projector}".encode())
        conn.execute(f"GRANT CREATE ON DATABASE {conn.info.dbname} TO {roles.projector}".encode())
        conn.execute(f"ALTER SCHEMA projection OWNER TO {roles.projector}; DELETE FROM o2c.projection_shape".encode())


PLANTED = {
    "a trigger": SPRUNG.format(schema="projection", table="projection.orders"),
    "a trigger from elsewhere": f"CREATE SCHEMA postgres; {SPRUNG.format(schema='postgres', table='projection.orders')}",
    "a trigger on the checkpoints": SPRUNG.format(schema="projection", table="projection.checkpoint").replace("INSERT ON", "INSERT OR UPDATE ON"),
    "a default": """CREATE FUNCTION projection.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN
        RESET ROLE; ALTER TABLE o2c.event DISABLE TRIGGER ALL; UPDATE o2c.event SET actor = 'nobody'; RETURN now(); END $$;
        ALTER TABLE projection.orders_doc ADD at timestamptz, ALTER at SET DEFAULT projection.clock_timestamp()""",
    "a domain": """CREATE FUNCTION projection.fits(value jsonb) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        RESET ROLE; ALTER TABLE o2c.event DISABLE TRIGGER ALL; UPDATE o2c.event SET actor = 'nobody'; RETURN true; END $$;
        CREATE DOMAIN projection.doc AS jsonb; ALTER TABLE projection.orders_doc ALTER doc TYPE projection.doc;
        ALTER DOMAIN projection.doc ADD CHECK (projection.fits(VALUE)) NOT VALID""",
}  # fmt: skip
"""Traps that a projector set in the tables of an older program."""


@pytest.mark.parametrize("trap", [pytest.param(statement, id=name) for name, statement in PLANTED.items()])
def test_tables_of_an_older_program_are_taken_over_without_their_traps(store: str, trap: str) -> None:
    """What a projector hung on them is gone before anything is written, what it was on is folded anew, and the rows are right."""
    as_before(store)
    with connect(login(store, "projector")) as conn:
        conn.execute(trap.encode())
    write_more(store)
    assert "nobody" not in actors(store)
    assert query(login(store, "reader"), "SELECT * FROM projection.cycle_time") == []
    assert [verify(store, projection).differing for projection in ALL] == [()] * len(ALL)
    assert query(
        store, "SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relnamespace = 'projection'::regnamespace"
    ) == [{"owner": named(store).owner}]
    rebuild(login(store, "projector"), ORDERS)
    assert table_of(store, ORDERS) == as_of(store, ORDERS)


def test_control_a_trap_in_tables_of_an_older_program_springs(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were they caught up as they stand, the log would be rewritten."""
    as_before(store)
    with connect(login(store, "projector")) as conn:
        conn.execute(PLANTED["a trigger"].encode())
    with connect(store) as conn:
        conn.execute(f"SET ROLE {named(store).projector}".encode())
        conn.execute("INSERT INTO projection.orders SELECT * FROM projection.orders LIMIT 1 ON CONFLICT DO NOTHING")
    assert actors(store) == {"nobody"}


def test_who_may_not_take_over_says_so(store: str) -> None:
    """A projector of a newer program is told who may, and nothing was changed."""
    as_before(store)
    with pytest.raises(Refused, match="let a superuser, or one who may act as both roles, run `o2c store roles`"):
        catch_up(login(store, "projector"))
    catch_up(store)
    catch_up(login(store, "projector"))


def test_a_shape_that_the_owner_has_not_let_be_made(store: str) -> None:
    """A projector with a newer program waits for the owner; then it makes the tables by itself."""
    newer = replace(ORDERS, shape_version=ORDERS.shape_version + 1, views={"trap": "SELECT set_config('role', 'none', true)"})
    with pytest.raises(Refused, match=r"has not let tables of orders be made.*`o2c store roles`"):
        catch_up(login(store, "projector"), [newer])
    catch_up(store, [newer])
    rebuild(login(store, "projector"), newer)
    assert table_of(store, ORDERS) == as_of(store, newer)


def test_a_reader_hangs_nothing_on_the_tables_of_a_what_if(store: str) -> None:
    """They belong to the owner too: a reader may read and write rows there, and that is all."""
    with scratch(store, keep=True) as (_, schema):
        pass
    kept = what_if(store, louder(ORDERS), keep=True).schema
    trap = SPRUNG.format(schema="public", table=f"{kept}.orders")
    hangs = f"CREATE TRIGGER trap BEFORE INSERT ON {kept}.orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    for statement in (trap, hangs, f"CREATE TABLE {schema}.mine (n integer)", f"ALTER TABLE {kept}.orders RENAME TO away"):
        assert outcome(login(store, "reader"), statement) == DENIED
    assert outcome(store, hangs) == GRANTED, "the control"
    assert outcome(login(store, "reader"), f"SELECT o2c.drop_scratch('{kept}')") == GRANTED


@pytest.mark.parametrize("place", ["projection", "o2c", "public", "what_if_", "what_if_0123456789ab.x"])
def test_the_functions_of_a_what_if_reach_no_other_schema(standing: str, place: str) -> None:
    """Whatever name is said, only a schema of a what-if is touched."""
    for call in (f"drop_scratch('{place}')", f"clear_scratch('{place}', 'orders')", f"rename_scratch('{place}', 'orders', 'x')"):
        assert outcome(login(standing, "reader"), f"SELECT o2c.{call}") == DENIED
    assert query(standing, "SELECT to_regclass('projection.orders') IS NOT NULL AS there") == [{"there": True}]
