"""The roles of a store, asked of a real server: what each may do and what it may not, and that the engine needs no more than is granted."""

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from o2c import plan
from o2c.checks.diagnose import run_checks
from o2c.desk import payments as payment_desk
from o2c.engine.app import Context, Engine
from o2c.kernel.refusal import Refused
from o2c.store import database
from o2c.store.database import Migration, adopt, connect, migrations, prepare
from o2c.store.roles import Roles, flaws, roles_of
from o2c.views import analyst
from projections.engine.operations import ALL, catch_up, rebuild, verify
from tests.shell import Shell
from tests.store.writing import command, send, verdicts
from tests.world import World, at, line, order, with_roles

DENIED, GRANTED = "42501", ""
CHECK = "roles are kept apart"
NO_EVENT = "SELECT * FROM o2c.event WHERE false"


@contextmanager
def database_apart(server_dsn: str) -> Iterator[str]:
    """A store with a clock, projections and roles, and a login in each of these; all of it is gone afterwards."""
    name = f"apart_{uuid.uuid4().hex[:8]}"
    with connect(server_dsn) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        dsn = make_conninfo(server_dsn, dbname=name)
        try:
            with closing(Engine(dsn, plan.KINDS)) as app:
                app.create_clock(kind="simulated", seed=7)
                analyst.publish(app)
            catch_up(dsn)
            for row in with_roles(dsn):
                server.execute(f"CREATE ROLE {row['role']}_login LOGIN IN ROLE {row['role']}".encode())
            yield dsn
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            for row in server.execute(
                "SELECT rolname FROM pg_roles WHERE rolname LIKE %s", (f"o2c!_%{name}%".replace("!", "\\"),)
            ).fetchall():
                server.execute(f"DROP ROLE {row['rolname']}".encode())


def login(dsn: str, role: str) -> str:
    """The connection string of the login in a role of this database."""
    return make_conninfo(dsn, user=f"{getattr(named(dsn), role)}_login")


def named(dsn: str) -> Roles:
    return roles_of(str(conninfo_to_dict(dsn)["dbname"]))


@pytest.fixture(scope="module")
def apart(server_dsn: str) -> Iterator[str]:
    with database_apart(server_dsn) as dsn:
        prepare(dsn)
        with connect(dsn) as conn:
            send(conn, command(("order-1", 0)))
        yield dsn


@pytest.fixture
def own(server_dsn: str) -> Iterator[str]:
    with database_apart(server_dsn) as dsn:
        yield dsn


def outcome(dsn: str, statement: str) -> str:
    """The SQLSTATE of a statement that is taken back; empty when it was granted."""
    with connect(dsn) as conn:
        try:
            with conn.transaction(force_rollback=True):
                conn.execute(statement.encode())
        except psycopg.Error as error:
            return error.sqlstate or "?"
    return GRANTED


WRITES = {
    "insert": f"INSERT INTO o2c.event {NO_EVENT}",
    "insert unread": "INSERT INTO o2c.event (position) VALUES (1)",
    "update": "UPDATE o2c.event SET actor = actor",
    "update of personal fields": "UPDATE o2c.event SET personal = NULL",
    "delete": "DELETE FROM o2c.event",
    "truncate": "TRUNCATE o2c.event",
    "no trigger": "ALTER TABLE o2c.event DISABLE TRIGGER ALL",
    "no trigger in this session": "SET session_replication_role = replica",
    "a head": "UPDATE o2c.head SET version = 7",
    "a command": "DELETE FROM o2c.command",
    "a guard": "INSERT INTO o2c.guard VALUES ('sim', '1', 'me', 1)",
    "an agenda row": "UPDATE o2c.agenda SET due_at = now()",
    "an agenda row's end": "DELETE FROM o2c.agenda",
    "stock": "DELETE FROM o2c.pool",
    "a life": "INSERT INTO o2c.incarnation (system_identifier, timeline, position_offset, fork_position, reason) VALUES ('1', 1, 1, 1, 'x')",
    "a life's offset": "UPDATE o2c.incarnation SET position_offset = 0",
    "a life by function": "SELECT o2c.begin_life('1', 1, 'x', 'x', NULL)",
    "adoption": "SELECT o2c.adopt_log('x', 'x', NULL)",
    "a migration": "INSERT INTO o2c.migration VALUES (99, 'x')",
    "the kind of clock": "UPDATE o2c.clock SET kind = 'real'",
    "another append": "CREATE OR REPLACE FUNCTION o2c.horizon() RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
    "a table beside": "CREATE TABLE o2c.mine (n integer)",
    "a table of a projection": "CREATE TABLE projection.more (n integer)",
    "a table of a projection renamed": "ALTER TABLE projection.orders RENAME TO orders_old",
    "a table of a projection dropped": "DROP TABLE projection.orders",
    "a shape of a projection": "UPDATE o2c.projection_shape SET definition = '{}'",
    "a view of one's own": "SELECT o2c.lay_views('orders', '{}')",
    "tables in place dropped": "SELECT o2c.drop_tables('orders', '')",
    "a schema": "CREATE SCHEMA mine",
}
"""What neither appender, projector nor reader may do."""


@pytest.mark.parametrize("statement", [pytest.param(statement, id=name) for name, statement in WRITES.items()])
@pytest.mark.parametrize("role", ["appender", "projector", "reader"])
def test_nobody_writes_past_append(apart: str, role: str, statement: str) -> None:
    """Whatever a login may do, it may not touch what append() writes, nor the functions and triggers that hold it."""
    assert outcome(login(apart, role), statement) == DENIED


READS = {
    "events": ("SELECT body FROM o2c.event", "appender projector"),
    "personal fields": ("SELECT personal FROM o2c.event", "appender projector"),
    "an envelope": ("SELECT position, actor FROM o2c.event", "appender projector"),
    "heads": ("SELECT state FROM o2c.head", "appender"),
    "commands": ("SELECT outcome FROM o2c.command", "appender"),
    "the horizon": ("SELECT o2c.horizon()", "appender projector"),
    "lives": ("SELECT reason FROM o2c.incarnation", "appender projector"),
    "the clock": ("SELECT now FROM o2c.clock", "appender projector reader"),
    "the log for analysts": ("SELECT body FROM o2c.analyst_event", "projector reader"),
    "a type of event for analysts": ("SELECT * FROM analyst.order_captured", "projector reader"),
    "rows of a projection": ("SELECT * FROM projection.orders", "projector reader"),
    "documents of a projection": ("SELECT * FROM projection.orders_doc", "projector"),
    "how far projections are": ("SELECT * FROM projection.checkpoint", "projector reader"),
    "why a group is parked": ("SELECT error FROM projection.parked", "projector"),
    "a lease": ("UPDATE o2c.agenda SET lease_until = NULL", "appender"),
    "simulated time": ("UPDATE o2c.clock SET now = now, window_end = window_end, round = round", "appender"),
    "where a reaction stands": ("INSERT INTO o2c.policy_checkpoint VALUES ('x', 1)", "appender"),
    "a life that is noticed": ("SELECT * FROM o2c.declare_incarnation()", "appender projector"),
    "rows of a projection written": ("DELETE FROM projection.orders", "projector"),
    "a shadow of a projection": (
        "SELECT o2c.make_shadow(name, shape_version) FROM o2c.projection_shape WHERE name = 'orders'",
        "projector",
    ),
    "a shadow dropped": ("SELECT o2c.drop_tables('orders', '_new')", "projector"),
    "a scratch schema": ("SELECT o2c.make_scratch('what_if_0123456789ab', 'x')", "projector"),
    "a scratch schema dropped": ("SELECT o2c.drop_scratch('what_if_0123456789ab')", "projector reader"),
}
"""What some of them may do, and who."""


@pytest.mark.parametrize(("statement", "allowed"), [pytest.param(*each, id=name) for name, each in READS.items()])
@pytest.mark.parametrize("role", ["appender", "projector", "reader"])
def test_a_role_may_do_what_is_its_own(apart: str, role: str, statement: str, allowed: str) -> None:
    """Each may do what its work needs, and what belongs to another's is refused."""
    assert outcome(login(apart, role), statement) == (GRANTED if role in allowed.split() else DENIED)


@pytest.mark.parametrize(("role", "allowed"), [("owner", True), ("appender", True), ("projector", False), ("reader", False)])
def test_who_may_append(apart: str, role: str, allowed: bool) -> None:
    """append() runs as the owner of the log, for those who may call it; the position is its own choice."""
    with connect(login(apart, role)) as conn:
        if allowed:
            assert verdicts(send(conn, command((f"order-{role}", 0)))) == ["appended"]
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                send(conn, command((f"order-{role}", 0)))


@pytest.mark.parametrize("change", ["update", "update of personal fields", "delete", "truncate"])
def test_triggers_hold_the_owner_too(apart: str, change: str) -> None:
    """Its owner may switch the triggers off; while they stand they hold for it as well."""
    with connect(login(apart, "owner")) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        conn.execute(WRITES[change].encode())


def test_the_engine_lives_within_its_roles(own: str, tmp_path: Path) -> None:
    """From capture over a run to a payment as appender; folded, checked and built anew as projector; read as reader."""
    world = World(login(own, "appender"), tmp_path).stocked(pays="invoice")
    world.take(order("A", line()))
    world.run(at(10, month=2))
    [invoice] = world.app.reads.rows("SELECT stream FROM o2c.head WHERE stream >= 'invoice-' ORDER BY stream LIMIT 1")
    number = invoice["stream"].removeprefix("invoice-")
    payment_desk.record(world.app, Context("ann"), number, amount="1.00", reference="R-1", arrived_on=at(9, month=2).date())
    assert world.state("A") == "completed"
    assert world.app.reads.rows("SELECT actor FROM o2c.event WHERE stream = %s ORDER BY version DESC LIMIT 1", invoice["stream"]) == [
        {"actor": "ann"}
    ]
    world.close()

    folding = login(own, "projector")
    catch_up(folding)
    assert [verify(folding, projection).differing for projection in ALL] == [()] * len(ALL)
    for projection in ALL:
        rebuild(folding, projection)
    with connect(login(own, "reader")) as conn:
        assert conn.execute("SELECT external_id, state FROM projection.orders").fetchall() == [{"external_id": "A", "state": "completed"}]
        assert conn.execute("SELECT count(*) AS n FROM o2c.analyst_event WHERE type = 'order.captured'").fetchone() == {"n": 1}


def test_what_one_login_built_another_may_swap(own: str) -> None:
    """Tables belong to the owner, not to who made them: a superuser's rebuild leaves nothing that a projector could not replace."""
    rebuild(own, ALL[0])
    rebuild(login(own, "projector"), ALL[0])
    owners = "SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relnamespace = 'projection'::regnamespace"
    with connect(own) as conn:
        assert conn.execute(owners).fetchall() == [{"owner": named(own).owner}]


def test_look_ups_are_not_for_readers(own: str) -> None:
    """Keyed hashes of names and e-mails are folded from what is personal; the reader role is not let in to them."""
    from projections.lookups import lookups

    catch_up(login(own, "projector"), [lookups(b"k" * 32)])
    assert outcome(login(own, "reader"), "SELECT * FROM projection.lookups") == DENIED
    assert outcome(login(own, "projector"), "SELECT * FROM projection.lookups") == GRANTED


def test_a_migration_belongs_to_the_owner(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer program started by an appender is refused; started by the owner it migrates, and what it makes is the owner's, and granted."""
    newest = len(migrations()) + 1
    more = [*migrations(), Migration(newest, "more", "CREATE TABLE more (n integer); COMMENT ON TABLE more IS 'More.'")]
    monkeypatch.setattr(database, "migrations", lambda: more)
    with pytest.raises(Refused, match="may not make the store"):
        prepare(login(own, "appender"))
    prepare(login(own, "owner"))
    prepare(login(own, "appender"))
    with connect(own) as conn:
        made = conn.execute("SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE oid = 'o2c.more'::regclass").fetchone()
    assert made == {"owner": named(own).owner}


def checked(dsn: str) -> tuple[str, str]:
    with closing(Engine(dsn, plan.KINDS)) as app:
        [check] = [check for check in run_checks(app, quick=True) if check.name == CHECK]
    return check.state, check.detail


@pytest.mark.parametrize(
    ("grant", "told"),
    [
        pytest.param("GRANT INSERT ON o2c.event TO {appender}", "may insert event", id="a writer that may insert"),
        pytest.param("GRANT UPDATE ON o2c.event TO PUBLIC", "may update event", id="everybody may update"),
        pytest.param("GRANT SELECT (personal) ON o2c.event TO {reader}", "may select event", id="a reader of personal fields"),
        pytest.param("GRANT SELECT ON o2c.head TO {reader}", "may select head", id="a reader of states"),
        pytest.param("GRANT EXECUTE ON FUNCTION o2c.append TO {projector}", "may call append()", id="a projector that appends"),
        pytest.param("GRANT {owner} TO {appender}", "may call adopt_log()", id="an appender that owns the store"),
        pytest.param(
            "GRANT CREATE ON SCHEMA projection TO {projector}", "may make functions in schema projection", id="a projector that makes"
        ),
        pytest.param("CREATE SCHEMA lent AUTHORIZATION {reader}", "may make functions in schema lent", id="a schema of a reader's"),
        pytest.param(
            "GRANT TRIGGER ON projection.orders TO {projector}", "may put triggers on projection.orders", id="a trigger of a projector's"
        ),
        pytest.param(
            "ALTER TABLE projection.orders OWNER TO {projector}", "may put triggers on projection.orders", id="a table of a projector's"
        ),
        pytest.param("ALTER ROLE {reader} SUPERUSER", "is a superuser", id="a reader who may do anything"),
        pytest.param("ALTER ROLE {appender} LOGIN", "may log in", id="a group that logs in"),
    ],
)
def test_what_a_role_may_and_should_not_is_found(apart: str, grant: str, told: str) -> None:
    """Sound as arranged, and each excess is named, whatever way it came."""
    roles = named(apart)
    with connect(apart) as conn, conn.transaction(force_rollback=True):
        assert flaws(conn, roles) == []
        conn.execute(grant.format(**roles._asdict()).encode())
        assert any(told in flaw for flaw in flaws(conn, roles)), flaws(conn, roles)


def test_a_repeat_puts_right_what_was_granted_since(own: str) -> None:
    """Arranging again takes back direct grants and leaves the memberships of logins."""
    with connect(own) as conn:
        conn.execute(
            "GRANT INSERT ON o2c.event TO {appender}; GRANT SELECT ON o2c.event TO {reader}".format(**named(own)._asdict()).encode()
        )
        assert len(flaws(conn, named(own))) == 2
        assert checked(own)[0] == "failed"
        assert [row["members"] for row in with_roles(own)] == [f"{role}_login" for role in named(own)]
        assert checked(own)[0] == "ok"


def test_diagnose_says_who_is_held_by_nothing(own: str, dsn: str) -> None:
    """A superuser is told that the roles do not hold it; a store without roles says so and is no failure."""
    assert "is a superuser and held by none of it" in checked(own)[1]
    assert f"acts as {named(own).appender}" in checked(login(own, "appender"))[1]
    assert checked(dsn)[0] == "ok"
    assert "are not kept apart; `o2c store roles` makes them" in checked(dsn)[1]


def test_a_login_that_may_make_no_roles_is_told_who_may(own: str, server_dsn: str) -> None:
    """The refusal carries the statements for whoever may run them, and nothing was changed."""
    with pytest.raises(Refused, match="may not arrange the roles") as refused:
        with_roles(login(own, "appender"))
    assert 'CREATE ROLE "o2c_owner' in str(refused.value)
    with connect(own) as conn:
        assert flaws(conn, named(own)) == []


def test_a_login_that_may_make_roles_needs_no_superuser(server_dsn: str) -> None:
    """A database's owner with CREATEROLE arranges everything, and goes on working with the store as a member of its owner."""
    name = f"apart_{uuid.uuid4().hex[:8]}"
    maker = f"{name}_maker"
    mine = make_conninfo(server_dsn, dbname=name, user=maker)
    with connect(server_dsn) as server:
        server.execute(f"CREATE ROLE {maker} LOGIN CREATEROLE".encode())
        server.execute(f"CREATE DATABASE {name} OWNER {maker} TEMPLATE template0".encode())
        try:
            prepare(mine)
            catch_up(mine)
            with_roles(mine)
            assert checked(mine)[0] == "ok"
            rebuild(mine, ALL[0])
            assert adopt(mine, actor="ann", reason="a copy", command_id=str(uuid.uuid4())).lives == 2
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            server.execute(f"DROP ROLE {', '.join((*roles_of(name), maker))}".encode())


@pytest.mark.parametrize(
    ("database_name", "owner"),
    [pytest.param("o2c", "o2c_owner", id="the ordinary one"), pytest.param("north", "o2c_owner_north", id="another in the cluster")],
)
def test_each_database_has_roles_of_its_own(database_name: str, owner: str) -> None:
    """Who appends to one store of a cluster may not append to another."""
    assert roles_of(database_name).owner == owner


def test_a_name_that_leaves_no_room_is_refused() -> None:
    """PostgreSQL would cut the role's name off, and two databases might share it."""
    with pytest.raises(Refused, match="too long"):
        roles_of("n" * 55)


def test_a_reader_lists_orders_and_asks_in_sql(own: str, tmp_path: Path) -> None:
    """An analyst's login, which may not make the store nor see the log, reads what others have folded: lists, and joins of events and rows."""
    world = World(own, tmp_path).stocked()
    world.take(order("WEB-1", line()))
    catch_up(own)
    shell = Shell(login(own, "reader"), tmp_path)

    assert [row["external_id"] for row in cast("list[dict[str, str]]", shell.data("orders", "list", "-o", "json"))] == ["WEB-1"]
    joined = "SELECT o.external_id FROM projection.orders o JOIN analyst.order_captured c USING (order_id)"
    assert shell.data("sql", joined, "-o", "json") == [{"external_id": "WEB-1"}]
    like = "SELECT external_id FROM projection.orders WHERE external_id LIKE 'WEB%' AND 7 % 4 = 3 AND 'é%é' LIKE '_%é'"
    assert shell.data("sql", like, "-o", "json") == [{"external_id": "WEB-1"}]
    refused = shell.run("sql", "SELECT personal FROM o2c.event")
    assert (refused.returncode, "permission denied" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM projection.orders",
        "SELECT personal FROM o2c.event",
        "RESET ROLE; DELETE FROM projection.orders",
        "\u0097\u00f4%\u007fA",
    ],
)
def test_an_owner_asks_in_sql_as_a_reader(own: str, tmp_path: Path, statement: str) -> None:
    """Whoever may do everything does nothing by a slip: read-only, as the reader, one statement."""
    shell = Shell(own, tmp_path)
    assert shell.data("sql", "SELECT count(*) AS n FROM projection.orders", "-o", "json") == [{"n": 0}]
    assert shell.run("sql", statement).returncode == 2


def test_the_columns_of_views_and_rows_are_of_one_type(own: str) -> None:
    """What names an order, customer or item in an analyst's view is of the type it has in a projection, so that both can be joined."""
    sql = """SELECT DISTINCT column_name, data_type FROM information_schema.columns
        WHERE table_schema IN ('analyst', 'projection') AND column_name IN ('order_id', 'customer_id', 'item', 'external_id')"""
    with connect(own) as conn:
        assert {(row["column_name"], row["data_type"]) for row in conn.execute(sql.encode()).fetchall()} == {
            ("order_id", "text"), ("customer_id", "text"), ("item", "text"), ("external_id", "text"),
        }  # fmt: skip
