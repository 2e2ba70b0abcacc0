"""A login that may only read holds the locks by which workers agree who does what: work goes on, and somebody is told who does it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from structlog.testing import capture_logs

from o2c import plan
from o2c.engine.app import Engine
from o2c.engine.reactions import SWEEP
from o2c.kernel.refusal import Refused
from o2c.store.database import connect, single_driver
from o2c.store.queries import LEASE_TURN
from o2c.store.turns import turn
from projections.catalogue import BY_NAME
from projections.engine import tables
from projections.engine.shards import Follower
from tests.store.test_roles import DENIED, GRANTED, database_apart, login, named, outcome

ORDERS = BY_NAME["orders"]
FOLLOWING = "follower of projection orders"


@pytest.fixture(scope="module")
def store(server_dsn: str) -> Iterator[str]:
    """A store with roles, and a login in each."""
    with database_apart(server_dsn) as dsn:
        yield dsn


@contextmanager
def held(dsn: str, role: str, name: str) -> Iterator[None]:
    """A login in a role holds the advisory lock of a name."""
    with connect(login(dsn, role)) as conn:
        conn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        yield


def test_no_reader_stops_leases(store: str) -> None:
    """Leases take turns by the lock of a table that readers have no right to; the advisory lock of its old name means nothing."""
    with held(store, "reader", "o2c lease"), closing(Engine(login(store, "appender"), plan.KINDS)) as app:
        assert app.reads.lease(datetime.now(UTC), 10, 0) == []
    assert {role: outcome(login(store, role), LEASE_TURN) for role in ("reader", "projector")} == {"reader": DENIED, "projector": DENIED}


def test_control_an_appender_holds_the_turn_of_leases(store: str) -> None:
    """Who may lease is waited for; other writing and reading of the table is not held up."""
    other = f"SET LOCAL lock_timeout = '200ms'; {LEASE_TURN}"
    with connect(login(store, "appender")) as conn, conn.transaction():
        conn.execute(LEASE_TURN)
        assert outcome(login(store, "appender"), other) == psycopg.errors.LockNotAvailable.sqlstate
        assert outcome(login(store, "appender"), "INSERT INTO o2c.policy_checkpoint VALUES ('x', 1)") == GRANTED
    assert outcome(login(store, "appender"), other) == GRANTED


@pytest.mark.parametrize(("role", "goes_on"), [("reader", True), ("projector", True), ("appender", False)])
def test_a_stranger_who_holds_the_turn_of_reactions(store: str, role: str, goes_on: bool) -> None:
    """The worker goes on without the lock and says who holds it; a control: to another worker it leaves the work, in silence."""
    with (
        held(store, role, SWEEP),
        closing(Engine(login(store, "appender"), plan.KINDS)) as app,
        capture_logs() as logged,
        turn(app.log_recorder.datastore, SWEEP) as ours,
    ):
        assert ours == goes_on
    told = [entry["held_by"].split(" of ")[1].split(" (")[0] for entry in logged if entry["event"] == "turn_held_by_stranger"]
    assert told == ([f"{getattr(named(store), role)}_login"] if goes_on else [])


@pytest.mark.parametrize(("role", "goes_on"), [("reader", True), ("appender", True), ("projector", False)])
def test_a_stranger_who_holds_the_turn_of_a_projection(store: str, role: str, goes_on: bool) -> None:
    """The same for who follows a projection."""
    follower = Follower(login(store, "projector"), [ORDERS])
    with held(store, role, FOLLOWING), tables.session(follower.dsn) as conn, capture_logs() as logged:
        follower.turn(conn)
    assert follower.owned == ([ORDERS] if goes_on else [])
    assert [entry["turn"] for entry in logged if entry["event"] == "turn_held_by_stranger"] == ([FOLLOWING] if goes_on else [])


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("reader", r"process \d+ of .*_login holds the lock of this work \(o2c import\) and has no right to it"),
        ("appender", r"another process already does this \(o2c import\): process \d+ of .*_login \(since .*\); wait"),
    ],
)
def test_who_keeps_a_single_driver_out_is_named(store: str, role: str, told: str) -> None:
    """What only one process may do is refused, as it must be, and a stranger is named."""
    with held(store, role, "o2c import"), pytest.raises(Refused, match=told), single_driver(login(store, "appender"), "o2c import"):
        pass
