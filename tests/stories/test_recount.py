"""Rated usage, counted again from its records and the tariffs that were pinned: what was rated well stays so, and one wrong penny is found."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from o2c.checks.diagnose import Check, run_checks
from o2c.checks.recount import Recount
from o2c.desk.limits import set_limit
from o2c.desk.prepaid import top_up
from o2c.engine.app import Engine
from o2c.files.usage import purge_usage
from o2c.kernel.records import RecordsWanted, UsageRecord
from o2c.plan import KINDS
from o2c.store import usage as store_usage
from o2c.store.connection import Connection
from tests.metered import BY, PRICES, account_of, choice, load, metered, number_of, rated, record, usage
from tests.world import World

PREPAID = usage("Premium", "premium", "event", "0.30", choice("prepaid", "true"))
OF_RUN = "type = 'account.usage-rated' AND body->>'run_on' = '2026-02-08'"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line with five prices and included units; what it used in January came in two files, one of them late, and its customer chose a limit. Three bills."""
    made = metered(dsn, tmp_path, *PRICES, PREPAID)
    me = number_of(made)
    top_up(made.app, BY, account_of(made), amount="1.00", reference="P-1")
    load(
        made,
        record("1", me, quantity=61, destination="+442079460000"),
        record("2", me, quantity=30, destination="+447700900999"),
        record("3", me, "sms", quantity=80, destination="+447700900999"),
        record("4", me, "premium", quantity=2),
    )
    set_limit(made.app, BY, account_of(made), amount="1.00")
    made.run(datetime(2026, 2, 10, tzinfo=UTC))
    load(made, record("5", me, quantity=120), record("6", me, start="2026-02-20T12:00:00Z", quantity=1200), name="late.jsonl")
    return made.run(datetime(2026, 4, 1, tzinfo=UTC))


def recounted(world: World) -> Check:
    """What the check says, by a program that remembers nothing."""
    with Engine(world.app.dsn, KINDS) as app:
        [found] = [check for check in run_checks(app) if check.name == Recount.name]
    return found


def tamper(world: World, statement: str) -> None:
    """As a superuser who covers the tracks."""
    with psycopg.connect(world.app.dsn, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        assert conn.execute(statement.encode()).rowcount == 1


def test_what_bill_runs_rated_comes_out_again(world: World) -> None:
    """In the first bill, with a late record in the next, and up to a limit: every line that a run said is counted."""
    lines = [line for body in rated(world) for line in body["lines"]]
    assert {line["not_chargeable"] != "0" for line in lines} == {line["late"] > 0 for line in lines} == {True, False}
    assert any(line["prepaid"] for line in lines)
    found = recounted(world)
    assert (found.state, found.detail) == ("ok", f"{len(lines)} rated amounts")


@pytest.mark.parametrize(
    ("tampering", "says"),
    [
        pytest.param(
            f"UPDATE o2c.event SET body = jsonb_set(body, '{{lines,0,net_minor}}', to_jsonb((body->'lines'->0->>'net_minor')::int + 1)) WHERE {OF_RUN}",
            "the bill run of 2026-02-08 has item 1, Calls: net_minor 21, and its records come to 20",
            id="a penny more was rated",
        ),
        pytest.param(
            "UPDATE o2c.event SET body = jsonb_set(body, '{lines,2,net_minor}', to_jsonb((body->'lines'->2->>'net_minor')::int - 1))"
            " WHERE type = 'invoice.issued' AND body->>'issued_on' = '2026-02-08'",
            "item 1 is invoiced 89 for usage, was rated 90",
            id="a penny less was invoiced",
        ),
        pytest.param(
            "UPDATE o2c.usage_record SET quantity = 121 WHERE key = '1'",
            "net_minor 20, and its records come to 30",
            id="a record is longer",
        ),
        pytest.param(
            "DELETE FROM o2c.usage_record WHERE key = '2'",
            "Calls to mobiles: net_minor 20, and no record of it is there",
            id="a record is gone",
        ),
        pytest.param("UPDATE o2c.usage_record SET zone = 'mobile' WHERE key = '1'", "net_minor 20, and", id="a record is in another zone"),
        pytest.param(
            "UPDATE o2c.usage_record SET started_at = started_at + interval '1 second' WHERE key = '6'",
            "digest ",
            id="a record began later",
        ),
        pytest.param(
            f"UPDATE o2c.event SET body = body - 'lines' || '{{\"lines\": []}}' WHERE {OF_RUN}",
            "not rated, and its records come to net_minor",
            id="nothing was rated",
        ),
        pytest.param(
            "UPDATE o2c.event SET body = jsonb_set(body, '{amount_minor}', '200') WHERE type = 'account.limit-set'",
            "the bill run of 2026-03-08 has item 1, Calls: ",
            id="the limit was another",
        ),
    ],
)
def test_what_was_rated_otherwise_is_found(world: World, tampering: str, says: str) -> None:
    """One change by hand, in what was rated, in what was invoiced, or in what it was rated from: the check fails and names the run."""
    tamper(world, tampering)
    found = recounted(world)
    assert found.state == "failed"
    assert says in found.detail


def test_a_price_that_was_changed_in_the_catalogue_is_found(world: World) -> None:
    """The version that the charge pinned says another price for calls than was rated."""
    tamper(
        world,
        """UPDATE o2c.event SET body = replace(body::text, '"0.10"', '"0.11"')::jsonb WHERE type = 'catalogue.offering-published'
        AND body->>'offering' = 'metered-line'""",
    )
    assert "Calls: net_minor 20, and its records come to 22" in recounted(world).detail


def test_what_comes_after_a_bill_is_not_counted_into_it(world: World) -> None:
    """The control: a record for days that were billed twice by now belongs to the next run."""
    load(world, record("7", number_of(world), quantity=600), name="later.jsonl")
    assert recounted(world).state == "ok"


def test_records_that_are_kept_no_longer_prove_nothing(world: World) -> None:
    """More than a year later they are deleted as the market asks: their runs are told apart, those of after are counted, and what went beside a purge is found."""
    me = number_of(world)
    world.run(datetime(2027, 2, 1, tzinfo=UTC))
    load(world, record("8", me, start="2027-01-20T12:00:00Z", quantity=60), record("9", me, start="2027-01-21T12:00:00Z", quantity=60))
    world.run(datetime(2027, 3, 1, tzinfo=UTC))
    assert purge_usage(world.app, BY)["records"] == 6
    found = recounted(world)
    assert (found.state, found.detail) == ("ok", "1 rated amounts; of 2 more runs records are deleted by now")
    tamper(world, "DELETE FROM o2c.usage_record WHERE key = '9'")
    assert recounted(world).state == "failed"


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records were read at once."""
    found: list[int] = []
    read = store_usage.read_of_account

    def counting(conn: Connection, wanted: RecordsWanted) -> Iterator[UsageRecord]:
        records = list(read(conn, wanted))
        found.append(len(records))
        return iter(records)

    monkeypatch.setattr(store_usage, "read_of_account", counting)
    return found


def test_only_the_records_of_one_run_are_read_at_once(world: World, sizes: list[int]) -> None:
    """Three runs with four records, two, and none."""
    assert recounted(world).state == "ok"
    assert max(sizes) < 6
    assert len(sizes) == len(rated(world))
