"""A history moves from one store to another by two commands."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from o2c.entrypoints.cli.main import app
from o2c.kernel.refusal import Refused
from tests.desk import Desk
from tests.store.moving import fresh
from tests.world import World, at, line, order


def test_an_operator_moves_to_another_store(world: World, desk: Desk, server_dsn: str, tmp_path: Path) -> None:
    """Export, init, import: the same orders, and time goes on. Names go with them, in a file for the operator alone."""
    world.take(order("WEB-1", line()), order("WEB-2", line(), party="C-2"))
    world.run(at(5, 9, 10))
    file = tmp_path / "history.jsonl"

    said = desk.types("events", "export", str(file))

    assert "PERSONAL DATA" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    events = [json.loads(text) for text in file.read_text().splitlines()]
    assert {"Tamsel Holmquay"} & {(event["personal"] or {}).get("name") for event in events}
    with pytest.raises(Refused, match="is there already and is not overwritten"):
        desk.types("events", "export", str(file))

    with fresh(server_dsn) as dsn:
        other = Desk(dsn, tmp_path)
        other.types("init", "--clock", "simulated", "--start", "2026-01-05T09:10:00Z")
        [told] = [other.sees("events", "import", str(file))]
        assert told == {"events": len(events), "imported": len(events), "known_before": 0, "streams": told["streams"]}
        assert other.sees("events", "import", str(file))["imported"] == 0
        for each in (desk, other):
            each.types("run", "--until", "2026-02-20")
        assert other.sees("orders", "list") == desk.sees("orders", "list")
        assert other.types("diagnose")


def test_a_history_goes_through_a_pipe(world: World, desk: Desk, server_dsn: str, tmp_path: Path) -> None:
    """`-` is the pipe on both sides; what is for people stays out of it."""
    done = CliRunner().invoke(app, ["events", "export", "-"], env=desk.environment)
    assert done.exit_code == 0
    with fresh(server_dsn) as dsn:
        other = Desk(dsn, tmp_path)
        other.types("init", "--clock", "real")
        taken = CliRunner().invoke(app, ["events", "import", "-", "-o", "json"], env=other.environment, input=done.stdout_bytes)
        assert json.loads(taken.stdout)["imported"] == done.stdout.count("\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(
            ("import", "/nowhere/history.jsonl"), "cannot read /nowhere/history.jsonl: No such file", id="a file that is not there"
        ),
        pytest.param(("import", "/"), "cannot read /: Is a directory", id="a folder"),
        pytest.param(
            ("export", "/nowhere/history.jsonl"), "cannot make /nowhere/history.jsonl: No such file", id="a folder that is not there"
        ),
    ],
)
def test_files_that_are_none(world: World, desk: Desk, words: tuple[str, str], told: str) -> None:
    """One line that says what to do."""
    with pytest.raises(Refused, match=told):
        desk.types("events", *words)


def test_a_clock_behind_the_history_is_told(world: World, desk: Desk, server_dsn: str, tmp_path: Path) -> None:
    """Nothing imported happens before its time: who imports is told where the clock stands."""
    world.take(order("WEB-1", line()))
    world.run(at(5, 10))
    file = tmp_path / "history.jsonl"
    desk.types("events", "export", str(file))
    with fresh(server_dsn) as dsn:
        other = Desk(dsn, tmp_path)
        other.types("init", "--clock", "simulated")
        assert "the clock of this store stands at 2026-01-01T00:00Z" in other.types("events", "import", str(file))
