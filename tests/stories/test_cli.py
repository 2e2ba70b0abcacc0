"""The command line as another program meets it: formats, exit codes, one-line errors."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from o2c.simulation.launch import write_launch
from tests.shell import Program, Shell, one_line


@pytest.fixture
def shell(dsn: str, tmp_path: Path) -> Shell:
    return Shell(dsn, tmp_path / "home")


def test_a_launch_from_files_to_status(shell: Shell, tmp_path: Path) -> None:
    """The commands of the README take a launch in, run it, and say in JSON what became of it."""
    files = write_launch(tmp_path / "launch", count=30, seed=3)
    broken = tmp_path / "orders.jsonl"
    broken.write_bytes(files.orders.read_bytes() + b'{"externalId": "X", \n')
    assert shell.run("init", "--clock", "simulated").returncode == 0
    for what, path in (
        ("catalogue", files.catalogue),
        ("customers", files.customers),
        ("sims", files.sims_now),
        ("numbers", files.numbers),
    ):
        done = shell.run("load", what, str(path))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr

    ingested = shell.run("ingest", str(broken), "-o", "json")
    assert shell.run("run", "--until", "2026-02-20").returncode == 0
    status = shell.data("status", "-o", "json")
    orders = [json.loads(line) for line in shell.run("orders", "list", "-o", "jsonl").stdout.splitlines()]
    timeline = [json.loads(line) for line in shell.run("orders", "timeline", orders[0]["external_id"], "-o", "jsonl").stdout.splitlines()]

    assert ingested.returncode == 6
    assert json.loads(ingested.stdout)["refused"] == 1
    assert isinstance(status, dict)
    assert status["ingest"] == {"lines": 31, "captured": len(orders), "duplicates": 30 - len(orders), "resubmitted": 0, "refused": 1}
    assert sum(status["orders"].values()) == len(orders)
    assert isinstance(status["position"], str)
    assert set(orders[0]) == {"order", "external_id", "customer", "state", "channel", "captured_at", "items", "open_fallouts"}
    assert set(timeline[0]) == {
        *(
            "position",
            "event",
            "stream",
            "version",
            "type",
            "recorded_at",
            "occurred_at",
            "actor",
            "channel",
            "command_id",
            "causation",
            "data",
        ),
    }
    assert [int(event["position"]) for event in timeline] == sorted(int(event["position"]) for event in timeline)
    assert "order.captured" in {event["type"] for event in timeline}
    assert shell.run("projections", "verify").returncode == 0


def imported_by(shell: Shell, *arguments: str) -> set[str]:
    """Which of the parts that cost most a command imported, in a process of its own."""
    heavy = {"o2c.plan", "o2c.orders.events", "o2c.partners.registry", "holidays", "phonenumbers", "prometheus_client"}
    program = f"""import sys; sys.argv[1:] = {list(arguments)!r}
from o2c.entrypoints.cli.main import main
try: main()
except SystemExit: print(*sorted(sys.modules.keys() & {heavy!r}), file=sys.stderr)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=shell.environment)
    return set(done.stderr.splitlines()[-1].split())


def test_what_asks_the_projections_alone_needs_no_rule(shell: Shell) -> None:
    """The plan, with all rules and events, is half of a start: it is imported where a stream is read, or events are folded."""
    shell.run("init", "--clock", "simulated")
    shell.run("status")

    for command in ("status", "orders list", "fallout list", "payments owed", "metrics cycle-time", "projections status"):
        assert not imported_by(shell, *command.split()), command
    assert {"o2c.plan", "o2c.orders.events"} <= imported_by(shell, "run", "--until", "2026-01-02")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(("status",), 2, "o2c init", id="no-clock"),
        pytest.param(("frobnicate",), 2, "No such command", id="unknown-command"),
        pytest.param(("run", "--until", "soon"), 2, "is no time", id="no-time"),
        pytest.param(("orders", "show", "NOPE"), 3, "no order NOPE", id="no-order"),
        pytest.param(("fallout", "show", "NOPE"), 3, "no fallout NOPE", id="no-fallout"),
        pytest.param(
            ("invoices", "void", "X", "--reason", "zz"),
            2,
            "'--reason': 'zz' is not one of 'billed-in-error', 'goodwill'",
            id="no-such-word",
        ),
        pytest.param(("load", "sims", "not-there.csv"), 3, "cannot read not-there.csv", id="no-file"),
        pytest.param(("projections", "rebuild", "dreams", "--actor", "ann"), 3, "no projection dreams", id="no-projection"),
    ],
)
def test_errors_are_one_line_with_a_code(shell: Shell, arguments: tuple[str, ...], code: int, says: str) -> None:
    """What went wrong is said in one line on stderr, without a traceback, and the exit code tells its kind."""
    if code != 2:
        assert shell.run("init", "--clock", "simulated").returncode == 0

    done = shell.run(*arguments)

    assert code == done.returncode
    assert says in one_line(done)


def test_a_clock_is_for_life(dsn: str, tmp_path: Path) -> None:
    """A store that has a clock takes no other: conflict. The process itself ends with the code, and says why on its stderr alone."""
    shell = Program(dsn, tmp_path / "home")
    assert shell.run("init", "--clock", "real").returncode == 0

    done = shell.run("init", "--clock", "simulated")

    assert done.returncode == 4
    assert "for life" in one_line(done)


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    """A server that is not there means: try later."""
    done = Program(f"host={tmp_path} port=5999 dbname=o2c", tmp_path).run("status")

    assert done.returncode == 75
    assert "cannot reach PostgreSQL" in one_line(done)
