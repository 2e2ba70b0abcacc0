"""Projections on the command line: what is parked and set aside, checked and mended, kept up to date, and asked what if."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.store.database import connect, prepare
from projections.catalogue import BY_NAME
from projections.engine.operations import catch_up, status
from tests.faults.working import children, eventually
from tests.histories import append, captured, failing_on, of_order, order_id, planned, table_of
from tests.shell import Shell, one_line

ORDERS = BY_NAME["orders"]
SKIP = ("projections", "skip", "orders", order_id(0), "--actor", "ann", "--reason", "plan written twice")
LOUD = """
from dataclasses import replace
from projections.orders import ORDERS
OTHER = replace(ORDERS, rows=lambda group, doc: [{**row, "channel": row["channel"].upper()} for row in ORDERS.rows(group, doc)])
"""


@pytest.fixture
def shell(dsn: str, tmp_path: Path) -> Shell:
    prepare(dsn)
    return Shell(dsn, tmp_path / "home")


def rows(shell: Shell, *arguments: str) -> list[dict[str, object]]:
    done = shell.run(*arguments, "-o", "json")
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_parked_then_tried_again_then_skipped(dsn: str, shell: Shell) -> None:
    """What stands still is listed with its event, a retry in vain says so, a skip is done once however often it is sent."""
    positions = append(dsn, [captured(0), planned(0), of_order(0, "order.cancelled")])
    catch_up(dsn, [failing_on("order.planned", ORDERS)])
    [parked] = rows(shell, "projections", "parked")
    assert parked["error"].startswith("ValueError at histories.py:")  # type: ignore[attr-defined]  # text in this column
    assert {name: parked[name] for name in ("projection", "group", "position", "type", "behind")} == {
        "projection": "orders", "group": order_id(0), "position": str(positions[1]), "type": "order.planned", "behind": 1,
    }  # fmt: skip

    done = shell.run(*SKIP, "--position", str(positions[1]))
    assert (done.returncode, done.stdout) == (0, "")
    again = shell.run(*SKIP, "--position", str(positions[1]))
    assert (again.returncode, "is not parked" in one_line(again)) == (3, True)
    assert rows(shell, "projections", "parked") == []
    [skipped] = rows(shell, "projections", "parked", "--skipped")
    assert (skipped["actor"], skipped["reason"], skipped["position"]) == ("ann", "plan written twice", str(positions[1]))
    assert shell.run("projections", "verify", "orders").returncode == 0
    assert shell.run("projections", "retry", "orders", "--actor", "ann").returncode == 0


def test_a_check_mends_what_it_finds(dsn: str, shell: Shell) -> None:
    """A difference is exit 5 until it is mended, whichever part is looked at."""
    append(dsn, [captured(0), captured(1)])
    catch_up(dsn)
    with connect(dsn) as conn:
        conn.execute("DELETE FROM projection.orders WHERE external_id = 'WEB-1'")
    found = shell.run("projections", "verify", "orders", "--sample", "10")
    assert (found.returncode, order_id(1) in found.stderr) == (5, True)
    mended = shell.run("projections", "verify", "orders", "--recent", "10", "--repair", "--actor", "ann", "-o", "json")
    assert (mended.returncode, "was mended" in mended.stderr) == (0, True)
    [told] = json.loads(mended.stdout)
    assert (told["differing"], told["mended"]) == (1, 1)
    assert [(deed["what"], deed["actor"], deed["group"]) for deed in rows(shell, "projections", "history")] == [
        ("mended", "ann", order_id(1))
    ]
    assert shell.run("projections", "verify").returncode == 0


@pytest.fixture
def crew(shell: Shell) -> Iterator[subprocess.Popen[str]]:
    """Two workers and their parent, all at work."""
    program = [sys.executable, "-m", "o2c.entrypoints.cli.main", "projections", "work", "--workers", "2"]
    with subprocess.Popen(program, env=shell.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert eventually(lambda: len(children(process.pid)) == 2)
            yield process
        finally:
            process.kill()


def test_workers_keep_projections_up_to_date_until_told_to_stop(dsn: str, crew: subprocess.Popen[str]) -> None:
    """Nobody reads, and yet they are current; one that is killed is stood in for; the signal ends all of them well."""
    append(dsn, [captured(0)])
    assert eventually(lambda: {known.state for known in status(dsn)} == {"current"})
    subprocess.run(["kill", "-9", str(children(crew.pid)[0])], check=True)
    append(dsn, [captured(1)])
    assert eventually(lambda: {known.state for known in status(dsn)} == {"current"})
    assert len(table_of(dsn, ORDERS)) == 2
    crew.send_signal(signal.SIGTERM)
    _, told = crew.communicate(timeout=60)
    assert (crew.returncode, "moved on" in told) == (0, True)


def test_what_if(dsn: str, shell: Shell, tmp_path: Path) -> None:
    """Differences by column, then by row; a file that is none, or an order that is none, is one line."""
    append(dsn, [captured(0)])
    path = tmp_path / "loud.py"
    path.write_text(LOUD)
    done = shell.run("replay", "--with", str(path), "-o", "json")
    [told] = json.loads(done.stdout)
    key = order_id(0)
    assert told["by_column"] == {"channel": 1}
    assert told["changes"] == [{"projection": "orders", "key": key, "column": "channel", "live": "web", "what_if": "WEB"}]
    assert "1 differ" in shell.run("replay", "--with", str(path)).stderr
    path.write_text("1 / 0")
    assert "does not load: ZeroDivisionError at loud.py:1" in one_line(shell.run("replay", "--with", str(path)))
    assert shell.run("replay", "--with", str(path), "--order", "WEB-9").returncode == 3
