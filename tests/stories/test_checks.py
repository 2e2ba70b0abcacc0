"""Diagnose finds nothing on a store that was only run, and finds each thing that was tampered with; so does the oracle of invoices."""

import copy
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from o2c import plan
from o2c.checks import trade as checks_trade
from o2c.checks.diagnose import Check, run_checks
from o2c.checks.recount import Recount
from o2c.desk.fallout import Decide, resolve
from o2c.engine.app import Context, Engine
from o2c.engine.runner import Runner
from o2c.files import intake, loading
from o2c.files.lines import lines_of
from o2c.partners.registry import simulated_partners
from o2c.simulation.launch import LaunchFiles, write_launch
from o2c.views.fallouts import list_fallouts
from o2c.views.orders import list_orders
from o2c.views.timeline import order_timeline
from projections.engine.operations import ALL, catch_up
from tests import fates, flaws
from tests.agreeing import disagreements
from tests.conftest import database
from tests.washed import Washing, name_of

Timeline = list[dict[str, Any]]
SECOND_BILLS = datetime(2026, 3, 16, tzinfo=UTC)


def opened(dsn: str) -> Engine:
    return Engine(dsn, plan.KINDS)


def written(folder: Path) -> LaunchFiles:
    return write_launch(folder, count=60, seed=7)


def run_launch(app: Engine, folder: Path) -> None:
    files = written(folder)
    app.create_clock(kind="simulated", seed=7)
    runner = Runner(app, simulated_partners(7))
    loading.load_catalogue(app, files.catalogue)
    loading.load_customers(app, files.customers)
    loading.load_stock(app, runner, "sims", files.sims_now, None)
    loading.load_stock(app, runner, "numbers", files.numbers, None)
    loading.load_stock(app, runner, "sims", files.sims_later, files.sims_later_at)
    intake.Intake(app, files.orders, folder / "quarantine").run()
    runner.run(SECOND_BILLS)
    catch_up(app.dsn)


@pytest.fixture(scope="module")
def launched(server_dsn: str, washing: Washing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database in which a small launch ran past its second bill runs; nobody is connected to it."""
    with database(server_dsn, "template0") as dsn:
        with closing(opened(dsn)) as app:
            run_launch(app, tmp_path_factory.mktemp("launch"))
        yield (name := name_of(dsn))
        washing.forget(name)


@pytest.fixture
def store(washing: Washing, launched: str) -> Iterator[str]:
    """A store like the launch's, to do with as one likes."""
    with washing.like(launched) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def timelines(server_dsn: str, launched: str) -> Timeline:
    """What `o2c orders timeline` tells of every order."""
    with database(server_dsn, launched) as dsn, closing(opened(dsn)) as app:
        orders = [order["order"] for order in list_orders(app)]
        return [json.loads(json.dumps(event)) for order in orders for event in order_timeline(app, order)]


def diagnosed(dsn: str) -> dict[str, Check]:
    with closing(opened(dsn)) as app:
        return {check.name: check for check in run_checks(app)}


def test_a_store_that_was_only_run_has_no_flaw(store: str) -> None:
    """Every check passes, and those that count have something to count."""
    found = diagnosed(store)
    assert [check for check in found.values() if check.state != "ok" and check.name != BACKUPS] == []
    assert found[BACKUPS].state == "could not check"
    assert len(found) == 44 + len(ALL)
    nothing_there = {name for name, check in found.items() if check.detail.startswith("0 ")}
    assert nothing_there <= {
        LEASES,
        OVERDUE,
        "hooks are told",
        "money of withdrawals goes back in time",
        "nobody holds back readers",
        "notices about credit are sent in time",
        "no number rests beyond its maximum",
        "what became of every message is known",
        "every term that ended was told of in time",
        Recount.name,
        *(
            f"projection {name} is the fold of the log"
            for name in ("cancellations", "closings", "collections", "contacts", "balances", "messages", "prepaid", "fallout_records")
        ),
    }


def test_a_changed_paper_that_was_approved_stays_a_line_that_was_resubmitted(store: str, tmp_path: Path) -> None:
    """The order that it became is accounted for, and is not one that its intake said it captured."""
    paper = json.loads(written(tmp_path).orders.read_bytes().splitlines()[0])
    changed = tmp_path / "changed.jsonl"
    changed.write_text(json.dumps({**paper, "priority": "3" if paper["priority"] == "1" else "1"}))
    with closing(opened(store)) as app:
        intake.Intake(app, changed, tmp_path / "quarantine").run()
        catch_up(store)
        [suspected] = list_fallouts(app, reason="DQ-DUP")
        resolve(app, Context("ann"), str(suspected["fallout"]), Decide(approve=True), note="two households")
        found = {check.name: check for check in run_checks(app)}

    assert (found[INTAKES].state, found[INTAKES].detail) == ("ok", "60 orders captured, 61 lines in 2 closed intakes")


def test_quick_reads_no_log(store: str) -> None:
    """The quick checks are those of the server, the schema and the work under way."""
    with closing(opened(store)) as app:
        quick = list(run_checks(app, quick=True))
    assert {check.name for check in quick if check.state != "ok"} == {BACKUPS}
    assert len(quick) == 19


BACKUPS = "WAL is archived"
LEASES = "leases end"
OVERDUE = "nothing is overdue"
SCHEMA = "the schema is as migrated"
UNCHANGED = "events are as their transactions wrote them"
HEADS = "head rows are the fold of their streams"
AGENDA = "the agenda is what the events call for"
POOLS = "stock pools are what is on offer"
HOLDINGS = "no SIM, number or device is held twice, guards agree"
INTAKES = "every line of every intake is accounted for"
SUMS = "sums of invoices"
CHARGES = "charges are billed without gap or overlap"
PAYMENTS = "paid and open make up what was invoiced"
INVOICES = "projection invoices is the fold of the log"
POSTINGS = "projection postings is the fold of the log"
STOCK = "projection stock is the fold of the log"


@pytest.mark.parametrize(
    ("tampering", "failing"),
    [
        pytest.param(
            "UPDATE o2c.head SET state = jsonb_set(state::jsonb, '{priority}', '3')::json WHERE stream = (SELECT min(stream) FROM o2c.head"
            " WHERE stream LIKE 'order-%')",
            {HEADS},
            id="a head row was changed",
        ),
        pytest.param("UPDATE o2c.head SET version = version + 1 WHERE stream LIKE 'catalogue-%'", {HEADS}, id="a head row is ahead"),
        pytest.param("INSERT INTO o2c.head VALUES ('order-forged', 1, 1, 1, '{}')", {HEADS}, id="a head row has no events"),
        pytest.param(
            "DELETE FROM o2c.agenda WHERE ctid = (SELECT min(ctid) FROM o2c.agenda WHERE step = 'bill-run')",
            {AGENDA},
            id="an agenda row is gone",
        ),
        pytest.param(
            "UPDATE o2c.agenda SET due_at = due_at + interval '1 day' WHERE step = 'bill-run'", {AGENDA}, id="the agenda was put off"
        ),
        pytest.param(
            "INSERT INTO o2c.agenda SELECT 'order-forged', item, step, kind, due_at, priority, since, attempt, pool, cause, round"
            " FROM o2c.agenda LIMIT 1",
            {AGENDA},
            id="an agenda row is nobody's",
        ),
        pytest.param("DELETE FROM o2c.pool WHERE ctid = (SELECT min(ctid) FROM o2c.pool)", {POOLS}, id="a piece is not on offer"),
        pytest.param(
            "INSERT INTO o2c.pool VALUES ('sim/esim', 'forged', now(), '{}', 0)", {POOLS}, id="a piece is on offer that never came"
        ),
        pytest.param(
            "UPDATE o2c.guard SET holder = 'order-forged/1' WHERE key = (SELECT min(key) FROM o2c.guard WHERE kind = 'sim')",
            {HOLDINGS},
            id="a guard has another holder",
        ),
        pytest.param(
            "INSERT INTO o2c.guard VALUES ('number', 'forged', 'order-forged/1', 1)", {HOLDINGS}, id="a guard holds what never came"
        ),
        pytest.param("DELETE FROM o2c.guard WHERE kind = 'number'", {HOLDINGS}, id="the guards of numbers are gone"),
        pytest.param(
            """UPDATE o2c.event SET type = 'number.taken', schema_version = 1, body = jsonb_build_object('msisdn', body->'msisdn', 'item', '1',
                    'order', '6f9619ff-8b86-5d01-b42d-00cf4fc964ff')
                WHERE position = (SELECT max(position) FROM o2c.event WHERE type = 'number.quarantined')""",
            {UNCHANGED, HOLDINGS, "projection fallout is the fold of the log"},
            id="a number was taken twice",
        ),
        pytest.param(
            "UPDATE o2c.event SET body = jsonb_set(body, '{captured}', '1') WHERE type = 'intake.closed'",
            {UNCHANGED, INTAKES, "projection intakes is the fold of the log"},
            id="an intake counts another number",
        ),
        pytest.param(
            "UPDATE o2c.event SET body = jsonb_set(body, '{total_minor}', '1') WHERE position = (SELECT max(position) FROM o2c.event"
            " WHERE type = 'invoice.issued')",
            {UNCHANGED, HEADS, SUMS, INVOICES, PAYMENTS, POSTINGS},
            id="the total of an invoice was forged",
        ),
        pytest.param(
            "UPDATE o2c.event SET body = jsonb_set(body, '{lines,0,from_day}', '\"2026-01-01\"') WHERE position = (SELECT max(position)"
            " FROM o2c.event WHERE type = 'invoice.issued')",
            {UNCHANGED, HEADS, CHARGES, POSTINGS},
            id="a period is billed twice",
        ),
        pytest.param(
            "UPDATE o2c.event SET body = jsonb_set(body, '{lines,0,net_minor}', to_jsonb((body->'lines'->0->>'net_minor')::bigint + 1))"
            " WHERE position = (SELECT max(position) FROM o2c.event WHERE type = 'invoice.issued' AND body->'lines'->0->>'kind' = 'period')",
            {UNCHANGED, HEADS, CHARGES, SUMS, POSTINGS},
            id="a period costs another price",
        ),
        pytest.param(
            "UPDATE o2c.event SET body = jsonb_set(body, '{amount_minor}', to_jsonb((body->>'amount_minor')::bigint * 2))"
            " WHERE position = (SELECT max(position) FROM o2c.event WHERE type = 'payment.received')",
            {UNCHANGED, HEADS, PAYMENTS, INVOICES, POSTINGS},
            id="an invoice was paid twice",
        ),
        pytest.param(
            "UPDATE o2c.event SET body = body || '{\"original\": \"{}\"}' WHERE type = 'order.captured'",
            {UNCHANGED, "no personal field is in a body"},
            id="a personal field lies in the open",
        ),
        pytest.param(
            "UPDATE projection.orders SET state = 'held' WHERE order_id = (SELECT min(order_id) FROM projection.orders)",
            {"projection orders is the fold of the log"},
            id="a projection row was changed",
        ),
        pytest.param(
            "UPDATE o2c.policy_checkpoint SET position = position + 1000000000000",
            {"policies are not beyond the log"},
            id="a policy is beyond the log",
        ),
        pytest.param(
            "UPDATE o2c.incarnation SET timeline = timeline + 1", set(), id="opening the store declares a new incarnation by itself"
        ),
    ],
)
def test_what_was_tampered_with_is_found(store: str, tampering: str, failing: set[str]) -> None:
    """A change by hand makes the checks that concern it fail, and no other."""
    tamper(store, tampering)
    found = diagnosed(store)
    assert failing == {name for name, check in found.items() if check.state == "failed"}
    assert [check.name for check in found.values() if check.state == "could not check"] == [BACKUPS]


def tamper(dsn: str, statement: str) -> None:
    """As a superuser who covers the tracks: the triggers stand afterwards as they stood."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(statement.encode()).rowcount > 0


@pytest.mark.parametrize(
    "tampering",
    [
        pytest.param("DELETE FROM o2c.event WHERE type = 'order.planned'", id="an event was taken out"),
        pytest.param("UPDATE o2c.event SET type = 'order.forged' WHERE type = 'order.validated'", id="an event has an unknown name"),
        pytest.param(
            "UPDATE o2c.event SET body = body - 'steps' || '{\"steps\": 1}' WHERE type = 'order.planned'", id="an event cannot be read"
        ),
    ],
)
def test_a_broken_stream_is_found_and_the_others_are_checked_all_the_same(store: str, tampering: str) -> None:
    """What cannot be folded is named once for each stream; the check that says so fails and the rest come to their end."""
    tamper(store, tampering)
    found = diagnosed(store)
    assert found["streams are gapless and readable"].state == "failed"
    assert "more" in found["streams are gapless and readable"].detail
    assert found[AGENDA].state == found[POOLS].state == "ok"


def test_an_undeclared_transition_is_found(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the state machine declares less than happened, the event that did it is named."""
    monkeypatch.setattr(checks_trade, "ITEM_TRANSITIONS", {**checks_trade.ITEM_TRANSITIONS, "inProgress": frozenset({"held", "pending"})})
    found = diagnosed(store)["every transition of orders and items is declared"]
    assert found.state == "failed"
    assert "(charging.started): item 1 went from inProgress to completed" in found.detail


@pytest.mark.parametrize(
    ("last", "told"),
    [pytest.param("order.planned", "in 1", id="after its plan"), pytest.param("order.validated", "in its gates", id="between its gates")],
)
def test_a_forgotten_order_is_found(store: str, last: str, told: str) -> None:
    """An order whose next step was never asked for waits for nothing, and is named."""
    tamper(
        store,
        f"""DELETE FROM o2c.event e USING (SELECT stream, version FROM o2c.event WHERE type = '{last}' ORDER BY position LIMIT 1) AS cut
            WHERE e.stream = cut.stream AND e.version > cut.version""",
    )
    found = diagnosed(store)["no order is forgotten"]
    assert found.state == "failed"
    assert found.detail.endswith(told) or f"{told}," in found.detail


def test_a_check_that_cannot_be_made_says_so(store: str) -> None:
    """An error of the database is no pass: the check names it."""
    with psycopg.connect(store, autocommit=True) as connection:
        connection.execute("ALTER TABLE o2c.agenda RENAME COLUMN since TO lost")
        connection.execute("ALTER TABLE o2c.policy_checkpoint RENAME COLUMN policy TO lost")
    found = diagnosed(store)
    unchecked = {name for name, check in found.items() if check.state == "could not check"}
    assert {AGENDA, HEADS, "policies are not beyond the log"} <= unchecked
    assert all("does not exist" in found[name].detail for name in unchecked - {BACKUPS})
    assert [name for name, check in found.items() if check.state == "failed"] == [SCHEMA]


def test_the_oracle_agrees_with_every_invoice(timelines: Timeline) -> None:
    """Issue dates, lines, net, tax, total and due dates come out the same from the timelines alone, over two bill runs and more."""
    invoices = {event["stream"] for event in timelines if event["type"] == "invoice.issued"}
    assert disagreements(timelines) == []
    assert len(invoices) > 2 * 30


@pytest.mark.parametrize(
    "field",
    [pytest.param(name, id=name) for name in ("total_minor", "net_minor", "issued_on", "due_on")],
)
def test_the_oracle_disagrees_with_a_forged_invoice(timelines: Timeline, field: str) -> None:
    """A penny or a day more on one invoice is one disagreement."""
    forged = copy.deepcopy(timelines)
    data = next(event["data"] for event in forged if event["type"] == "invoice.issued")
    number, was = data["number"], data[field]
    for event in forged:
        if event["type"] == "invoice.issued" and event["data"]["number"] == number:
            event["data"][field] = was + 1 if isinstance(was, int) else "2026-01-02"
    [found] = disagreements(forged)
    assert found.startswith(f"invoice {number}: ")


def test_the_oracle_misses_an_invoice_that_was_left_out(timelines: Timeline) -> None:
    """An invoice that was never issued is a disagreement as well."""
    number = next(event["data"]["number"] for event in reversed(timelines) if event["type"] == "invoice.issued")
    left = [event for event in timelines if event["type"] != "invoice.issued" or event["data"]["number"] != number]
    [found] = disagreements(left)
    assert found.endswith("is None")


def judged(folder: Path) -> flaws.Papers:
    files = written(folder)
    customers = map(json.loads, lines_of(files.customers))
    known = flaws.market(json.loads(files.catalogue.read_text(encoding="utf-8")), customers)
    return flaws.read(lines_of(files.orders), known)


def test_imperfect_orders_end_where_their_papers_say(store: str, tmp_path: Path) -> None:
    """Judged from the papers alone, every flaw shows where the table of imperfect orders puts it, and no other does."""
    with closing(opened(store)) as app:
        claims = list(fates.claims(app, judged(tmp_path)))
    assert [claim for claim in claims if not claim.good] == []
    assert sum(not claim.figures.startswith("0 ") for claim in claims) >= 4


@pytest.mark.parametrize(
    ("code", "other"),
    [pytest.param("", "DQ-ITEM", id="a flaw that the store does not show"), pytest.param("DQ-OFFER", "", id="a flaw that no paper has")],
)
def test_an_order_that_ended_elsewhere_is_found(store: str, tmp_path: Path, code: str, other: str) -> None:
    """A paper judged otherwise than the store did makes a claim fail."""
    papers = judged(tmp_path)
    next(fate for fate in papers.fates.values() if fate.code == code).code = other
    with closing(opened(store)) as app:
        failed = {claim.name for claim in fates.claims(app, papers) if not claim.good}
    assert f"flaw {code or other}" in failed
