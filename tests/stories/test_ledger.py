"""The books of a small operator: what orders, bills, payments and deposits post, what a month in advance earns, and days that are closed."""

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.ledger import close_ledger
from o2c.engine.app import Context
from o2c.entrypoints.python import OrderToCash
from o2c.kernel.refusal import Refused
from o2c.ledger.digest import digest_of
from o2c.store.database import connect
from o2c.views.ledger import export_ledger, list_closings, trial_balance
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from tests.agreeing import books_of, checked, sums
from tests.agreeing import standing as standing_of
from tests.desk import DEPOSIT, Desk
from tests.histories import Told, append
from tests.shell import Shell
from tests.world import World, at, line, order

FINANCE = Context("fay", roles=("supervisor",))


def standing(world: World, on: date | None = None) -> dict[str, int]:
    """The balance of each account of the chart that has one, in pence."""
    caught_up(world.app)
    told = trial_balance(world.app, on=on)
    assert told["balanced"]
    assert [row for row in told["compared"] if row["difference_minor"]] == []
    return {row["ledger_account"]: row["balance_minor"] for row in told["accounts"] if row["balance_minor"]}


def issued_by(world: World) -> list[dict[str, Any]]:
    """The invoices as they were issued."""
    return [row["body"] for row in world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'invoice.issued' ORDER BY position")]


@pytest.fixture
def billed(world: World) -> World:
    """A line of C-1 that was activated on Monday 5 January and billed on the 8th; the card pays on the 9th."""
    world.stocked()
    world.take(order("WEB-1", line()))
    return world.run(at(8, 12))


def test_what_is_billed_in_advance_is_earned_by_days(billed: World) -> None:
    """On the day of issue four of the billed days are served; the rest is deferred, and on the last day of the period nothing is."""
    [issued] = issued_by(billed)
    deferred = {
        day: -standing(billed, date.fromisoformat(day)).get("deferred-revenue", 0) for day in ("2026-01-08", "2026-01-20", "2026-02-07")
    }
    lines = [row for row in issued["lines"] if row["from_day"] < row["to_day"]]

    assert standing(billed)["receivable"] == issued["total_minor"]
    assert standing(billed)["tax"] == -issued["tax_minor"]
    for day, left in deferred.items():
        served = sum(row["net_minor"] - _earned(row, date.fromisoformat(day)) for row in lines)
        assert left == served
    assert deferred["2026-02-07"] == 0 < deferred["2026-01-20"] < deferred["2026-01-08"]


def _earned(row: dict[str, Any], day: date) -> int:
    first, end = date.fromisoformat(row["from_day"]), date.fromisoformat(row["to_day"])
    served, days = min(max((day - first).days + 1, 0), (end - first).days), (end - first).days
    return int((2 * row["net_minor"] * served + days) // (2 * days))


def test_the_money_moves_from_account_to_account(world: World, desk: Desk) -> None:
    """A deposit is a liability until three bills were paid in time, then a credit, which the next bill uses; what is paid back leaves the bank."""
    world.stocked(pays="invoice")
    world.scripted.will("credit", DEPOSIT)
    world.take(order("WEB-1", line()))
    world.run(at(5, 10))
    desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--reference", "TFR-1")
    assert standing(world) == {"cash": 10000, "deposit": -10000}

    world.run(at(7, 10))
    assert standing(world) == {"cash": 10000, "deposit": -10000}

    world.run(at(8, 5, month=4))
    assert standing(world)["deposit"] == -10000
    paid = standing(world)["cash"] - 10000
    world.run(at(8, 12, month=4))
    *before, issued = issued_by(world)
    stood = standing(world)
    assert paid == sum(each["total_minor"] for each in before)
    assert "deposit" not in stood
    assert stood["customer-credit"] == -(10000 - issued["credit_used_minor"])
    assert stood.get("receivable", 0) == issued["total_minor"] - issued["credit_used_minor"]

    left = -stood["customer-credit"]
    desk.types("payments", "refund", "BA-C-1", "--amount", f"{left / 100:.2f}", "--reference", "TFR-2")
    stood = standing(world)
    assert stood["cash"] == 10000 + paid - left
    assert "customer-credit" not in stood


def test_an_export_is_the_books(billed: World) -> None:
    """Its lines sum to zero on every day, and up to any day they sum to the accounts at its end."""
    billed.run(at(28, month=2))
    caught_up(billed.app)
    lines = export_ledger(billed.app)
    for number in range(0, 56, 7):
        day = date(2026, 1, 4) + timedelta(number)
        sums: dict[str, int] = {}
        for row in lines:
            if row["day"] <= str(day):
                sums[row["ledger_account"]] = sums.get(row["ledger_account"], 0) + row["debit_minor"] - row["credit_minor"]
        assert {name: minor for name, minor in sums.items() if minor} == standing(billed, day)
    for day_text in {row["day"] for row in lines}:
        assert sum(row["debit_minor"] - row["credit_minor"] for row in lines if row["day"] == day_text) == 0
    parts = [*export_ledger(billed.app, on=date(2026, 1, 15)), *export_ledger(billed.app, since=date(2026, 1, 16))]
    assert parts == lines


def test_a_closed_day_takes_no_posting(billed: World) -> None:
    """What comes later for a closed day is posted on the first open one and says so; the accounts of the closed day stand for ever."""
    billed.run(at(12))
    close_ledger(billed.app, FINANCE, date(2026, 1, 9))
    before = standing(billed, date(2026, 1, 9))
    [closing] = list_closings(billed.app)
    assert {row["ledger_account"]: row["balance_minor"] for row in closing["totals"]} == before
    assert (closing["closed_on"], closing["since"], closing["late"]) == ("2026-01-09", None, 0)

    late = {"account": "BA-C-1", "customer": "C-1", "currency": "GBP", "amount_minor": 700, "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"}
    append(billed.dsn, [Told("account-BA-LATE", "account.deposit-kept", {**late, "account": "BA-LATE"}, minutes=60)])
    assert standing(billed, date(2026, 1, 9)) == before
    assert standing(billed, date(2026, 1, 10)) == {
        **before,
        "cash": before.get("cash", 0) + 700,
        "deposit": -700,
        **_days_of(billed, before),
    }
    posted = [row for row in export_ledger(billed.app) if row["account"] == "BA-LATE"]
    assert {(row["day"], row["of_day"]) for row in posted} == {("2026-01-10", "2026-01-05")}

    close_ledger(billed.app, FINANCE, date(2026, 1, 11))
    caught_up(billed.app)
    second, first = list_closings(billed.app)
    assert (second["since"], second["postings"] > 0, second["late"]) == ("2026-01-09", True, 2)
    made = [{**row, "amount_minor": row["debit_minor"] - row["credit_minor"]} for row in export_ledger(billed.app, on=date(2026, 1, 9))]
    assert first["digest"] == digest_of("", [row for row in made if row["type"] != "revenue.earned"])


def test_diagnose_sees_a_closed_day_that_was_changed(billed: World) -> None:
    """The accounts of a closed day are what they were; a posting that somebody moved by hand is seen."""
    billed.run(at(12))

    def said() -> tuple[str, str]:
        [check] = [check for check in run_checks(billed.app) if check.name == "closed books stand as they were closed"]
        return check.state, check.detail

    assert said() == ("ok", "no day is closed")
    close_ledger(billed.app, FINANCE, date(2026, 1, 9))
    caught_up(billed.app)
    assert said()[0] == "ok"
    with connect(billed.dsn) as conn:
        conn.execute("UPDATE projection.postings SET said_day = '2026-01-10' WHERE type = 'payment.received' AND ledger_account = 'cash'")
    state, detail = said()
    assert (state, detail.split(" is ")[0]) == ("failed", "cash at the end of 2026-01-09")
    with connect(billed.dsn) as conn:
        conn.execute("UPDATE projection.postings SET said_day = NULL WHERE type = 'payment.received' AND ledger_account = 'cash'")


def _days_of(world: World, before: dict[str, int]) -> dict[str, int]:
    """What another day earned."""
    after = standing(world, date(2026, 1, 10))
    return {name: after[name] for name in ("revenue", "deferred-revenue") if after[name] != before[name]}


def test_closing_is_done_once_and_never_undone(billed: World) -> None:
    """A repeat changes nothing; a day before, and one that is not over, is refused."""
    billed.run(at(12))
    assert not close_ledger(billed.app, FINANCE, date(2026, 1, 9)).unchanged
    assert close_ledger(billed.app, FINANCE, date(2026, 1, 9)).unchanged
    with pytest.raises(Refused, match="not opened again"):
        close_ledger(billed.app, FINANCE, date(2026, 1, 8))
    with pytest.raises(Refused, match="not over"):
        close_ledger(billed.app, FINANCE, date(2026, 1, 12))
    with pytest.raises(Refused, match="may not use"):
        close_ledger(billed.app, Context("ann", roles=("agent",)), date(2026, 1, 10))
    caught_up(billed.app)
    assert len(list_closings(billed.app)) == 1


def test_as_it_stood_at_a_time(billed: World) -> None:
    """What had not happened by a time is not in the books of that time."""
    billed.run(at(12))
    caught_up(billed.app)
    then = {row["ledger_account"]: row["balance_minor"] for row in trial_balance(billed.app, at=at(8, 12))["accounts"]}

    assert then["receivable"] > 0
    assert "cash" not in then
    assert "receivable" not in standing(billed)
    with pytest.raises(Refused, match="not both"):
        trial_balance(billed.app, on=date(2026, 1, 8), at=at(8))
    with pytest.raises(Refused, match="on no day"):
        trial_balance(billed.app, at=datetime(1, 1, 1, tzinfo=UTC))
    assert trial_balance(billed.app, on=date.min)["accounts"] == []
    assert trial_balance(billed.app, on=date.max)["accounts"]
    assert export_ledger(billed.app, since=date.min, on=date.max) == export_ledger(billed.app, on=date.max)


def test_the_books_on_the_command_line_and_in_python(shell: Shell, dsn: str) -> None:
    """The same accounts on both; the export is a table for a spreadsheet whose debits are its credits."""
    told = json.loads(shell.run("ledger", "trial-balance", "-o", "json").stdout)
    with OrderToCash(dsn) as o2c:
        assert o2c.trial_balance() == told
        assert next(row["type"] for row in o2c.postings(on=date(2026, 1, 8))) == "invoice.issued"
    rows = list(csv.DictReader(io.StringIO(shell.run("ledger", "export", "--on", "2026-01-31").stdout)))
    assert sum(float(row["debit"] or 0) for row in rows) == pytest.approx(sum(float(row["credit"] or 0) for row in rows))
    assert {bool(row["event"]) for row in rows} == {True}
    done = shell.run("ledger", "close", "2026-01-11", "--actor", "fay")
    assert (done.returncode, "2026-01-11 closed" in done.stderr) == (0, True), done.stderr
    assert "is closed already" in shell.run("ledger", "close", "2026-01-11", "--actor", "fay").stderr
    assert json.loads(shell.run("ledger", "closings", "-o", "json").stdout)[0]["closed_on"] == "2026-01-11"


def test_the_oracle_works_out_the_same_books(world: World, desk: Desk, tmp_path: Path) -> None:
    """A deposit that is kept and one that is owed, money above a bill and in parts, a payback: every posting is what the timelines come to."""
    world.stocked(pays="invoice")
    world.scripted.will("credit", DEPOSIT, DEPOSIT)
    world.take(order("WEB-1", line()), order("WEB-2", line(), party="C-2"), order("WEB-3", line(), party="C-3"))
    world.run(at(5, 10))
    waiting = [name for name in ("WEB-1", "WEB-2", "WEB-3") if world.fallouts(name)]
    for name in waiting:
        desk.types("payments", "deposit", name, "--amount", "60.00", "--reference", f"TFR-{name}")
    desk.types("payments", "deposit", waiting[0], "--amount", "40.00", "--reference", "TFR-more")
    world.cancel(waiting[1])
    world.run(at(12))
    for number, row in enumerate(issued_by(world)):
        left = row["total_minor"] - row["credit_used_minor"]
        for part in (left // 3, left) if left else ():
            desk.types("payments", "record", row["number"], "--amount", f"{part / 100:.2f}", "--reference", f"PAY-{number}-{part}")
    desk.types("payments", "refund", f"BA-{world.order(waiting[1]).party}", "--amount", "50.00", "--reference", "TFR-back")
    world.run(at(20, month=3))
    caught_up(world.app)
    told = [json.loads(json.dumps(event)) for name in ("WEB-1", "WEB-2", "WEB-3") for event in order_timeline(world.app, name)]
    timelines, export = tmp_path / "T.jsonl", tmp_path / "L.csv"
    timelines.write_text("\n".join(map(json.dumps, told)))
    export.write_text(Shell(world.dsn, tmp_path / "home").run("ledger", "export").stdout)

    assert list(checked(timelines, export)) == []
    books = books_of(told)
    stood = Counter[str]()
    for account in books.values():
        stood.update(standing_of(account))
    now = standing(world)
    assert stood["open"] == now.get("receivable", 0)
    assert (stood["credit"], stood["owed"]) == (-now.get("customer-credit", 0), -now["owed-to-customers"])
    assert stood["owed"] == 1000
    for day in (date(2026, 1, 8), date(2026, 2, 1), date(2026, 3, 20)):
        assert sums(books.values(), day) == standing(world, day)

    rows = export.read_text().split("\n")
    export.write_text("\n".join(rows[:7] + rows[8:]))
    assert len(list(checked(timelines, export))) == 1, "a line that is missing is seen"
