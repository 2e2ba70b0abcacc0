"""Rebuilding on the command line: what changed is told, and there is a way back."""

import json
from pathlib import Path

import pytest

from o2c.store.database import connect
from tests.histories import query
from tests.shell import Shell

ANN = ("--actor", "ann")


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """One order, taken through its first days and looked at."""
    shell.run("orders", "list")
    return shell


def test_a_rebuild_tells_what_changed_and_goes_back(shell: Shell, dsn: str, tmp_path: Path) -> None:
    """A row changed by hand is counted by column and written to the file; the tables of before come back, and leave again."""
    with connect(dsn) as conn:
        conn.execute("UPDATE projection.orders SET state = 'held'")
    told = shell.run("projections", "rebuild", "orders", *ANN, "--diff", str(tmp_path / "changed.jsonl"))
    [difference] = [json.loads(text) for text in (tmp_path / "changed.jsonl").read_text().splitlines()]
    [fresh] = query(dsn, "SELECT state FROM projection.orders")
    back = shell.run("projections", "rollback", "orders", *ANN, "--reason", "wrong")
    [old] = query(dsn, "SELECT state FROM projection.orders")
    [again] = shell.data("projections", "rebuild", "orders", *ANN, "-o", "json")

    assert (told.returncode, back.returncode) == (0, 0)
    deeds = shell.data("projections", "history", "orders", "-o", "json")
    assert [(deed["what"], deed["actor"], deed["reason"]) for deed in deeds] == [
        ("rebuilt", "ann", ""), ("rolled back", "ann", "wrong"), ("rebuilt", "ann", ""),
    ]  # fmt: skip
    assert "state 1" in told.stdout
    assert [text for text in told.stderr.splitlines() if text.startswith("rebuilding")] == [
        f"rebuilding orders: {stage}" for stage in ("folded", "copied", "indexed", "compared", "swapped")
    ]
    assert (difference["old"]["state"], difference["new"]["state"], old["state"]) == ("held", fresh["state"], "held")
    assert (again["differing"], again["changed"], again["differences"][0]["old"]["state"]) == (1, {"state": 1}, "held")


def test_nothing_to_go_back_to(shell: Shell) -> None:
    """It is said in one line, and so is a file that cannot be written, before any work is done."""
    nothing = shell.run("projections", "rollback", "items", *ANN, "--reason", "wrong")
    nowhere = shell.run("projections", "rebuild", "items", *ANN, "--diff", "/nowhere/changed.jsonl")

    assert (nothing.returncode, nowhere.returncode) == (3, 2)
    assert "nothing is kept of projection items" in nothing.stderr
    assert "/nowhere/changed.jsonl cannot be written" in nowhere.stderr
    assert "rebuilding" not in nowhere.stderr
