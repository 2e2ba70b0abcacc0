"""A login of the reader role on the command line: what it is shown, and where it is told in one line why not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from o2c.entrypoints.verbs_and_views import VIEWS
from projections.engine.operations import catch_up
from tests.desk import DEPOSIT
from tests.laws.test_faces import COMMANDS, LACKING
from tests.shell import Program, Shell, one_line
from tests.store.test_roles import database_apart, login
from tests.world import World, at, line, order

FIX = Path(__file__).parents[2] / "o2c" / "fallout" / "codes.toml"
"""A file that is read as a fix."""

SHOWN = {
    "fallout codes": "NP-CODE",
    "fallout groups": "CR-DEPOSIT",
    "fallout list": "WEB-2",
    "jeopardy score": "",
    "ledger closings": "",
    "ledger export": "debit",
    "ledger trial-balance": "balanced",
    "metrics ageing": "bands",
    "metrics ages": "under an hour",
    "metrics cycle-time": "sim asked for",
    "metrics durations": "p95",
    "metrics explain fallout-cost": "minor units",
    "metrics explain fallout-rate --by reason": "CR-DEPOSIT",
    "metrics flow": "captured",
    "metrics funnel": "planned",
    "metrics headlines": "first-pass-yield",
    "messages list": "",
    "messages silences": "",
    "metrics orders fallout-rate": "WEB-2",
    "metrics promises": "promised",
    "metrics waiting": "WEB-1",
    "orders find WEB-1": "WEB-1",
    "orders list": "WEB-1",
    "payments owed": "",
    "ports late": "",
    "collections list": "",
    "promises count": "made",
    "promises list": "WEB-1",
    "queues forecast": "open",
    "stock levels": "esim",
    "sql 'SELECT external_id FROM projection.orders'": "WEB-1",
    "status": "captured",
    "metrics export": "o2c_store_up",
}
"""What a reader is shown, and a word of it."""

WITHOUT_A_STORE = ("access permissions", "fallout actions", "metrics list")
"""What no store is needed for."""

OF_THE_LOG = {
    "accounts tree C-1": "heads",
    "allowances show BA-1001": "heads",
    "credit-notes preview BA-1001-20260108": "heads",
    "payments preview BA-1001-20260108": "heads",
    "balance show BA-1001": "events",
    "limits show BA-1001": "heads",
    "prepaid show BA-1001": "heads",
    "usage list": "usage_record",
    "usage gaps": "usage_record",
    "usage zones": "heads",
    "vouchers show": "heads",
    "access records": "who was shown what of whom",
    "care due": "heads, and events: who spoke with a customer",
    "messages show 2c8b1b0e-6a55-5f2e-9a41-0c7b9d0f7a11": "heads, and what a customer is told",
    "messages templates": "heads",
    "catalogue diff 1": "heads",
    f"catalogue dry-run {FIX}": "heads",
    "catalogue list": "heads",
    "assurance": "events",
    "complaints list": "heads",
    "complaints show 0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f": "heads",
    "conformance": "events",
    f"counterfactual --policy {FIX} --since 2026-01-01": "heads",
    "devices show 001010120000003": "heads, and devices are masked for readers",
    "customers context C-1": "heads",
    "customers show C-1": "heads, and a customer's name",
    "customers told C-1": "events",
    "events find": "events",
    "events tail --once": "events",
    f"fallout prove --reason NP-CODE --fix {FIX}": "heads",
    "fallout job 7b0e9d5c-41f2-5d0a-8c3e-2f6a1b9c0d4e": "heads",
    "fallout show FALLOUT": "heads: what may be corrected",
    "hooks deliveries HOOK": "heads",
    "fallout saved-views": "heads",
    "hooks list": "heads",
    "instalments show BA-1001": "heads",
    "invoices html INV-1": "heads, and a customer's name",
    "invoices pdf INV-1": "heads, and a customer's name",
    "invoices show INV-1": "heads",
    "invoices ubl INV-1": "heads, and a customer's name",
    "issuers list": "heads",
    "jeopardy list": "heads: what is agreed with customers",
    "care agreements": "heads",
    "journeys policy": "heads",
    "journeys list": "heads",
    "journeys show 3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6": "heads",
    "keys list": "heads",
    "numbers show +447700900001": "heads, and numbers are masked for readers",
    f"orders assess WEB-1 --patch {FIX}": "heads",
    "offers effect": "heads",
    "offers list": "heads",
    "number-ranges list": "heads",
    "orders fields WEB-1": "events",
    "orders diff WEB-1 WEB-2": "heads",
    "orders link WEB-1": "heads",
    "products history A:1": "events",
    "products list": "events",
    "products notices A:1": "events",
    "orders plan WEB-1": "heads",
    "orders promises WEB-1": "heads",
    "orders sites WEB-1": "heads",
    "orders show WEB-1": "heads",
    "orders told WEB-1": "heads",
    "orders timeline WEB-1": "events",
    "partners faults": "heads",
    "partners list": "heads",
    "partners status": "heads",
    "payments show INV-1": "heads",
    "projections history": "the notes of people",
    "projections parked": "events",
    "projections status": "how far the log is",
    "projections verify": "events",
    "returns list": "heads",
    "returns show A:1": "heads",
    "triggers dry-run": "events",
    "triggers firings": "events",
    "triggers list": "events",
    "triggers show slow-ports": "events",
    "sims show 8944000000000000001": "heads, and SIMs are masked for readers",
}
"""What a reader is refused, and what of the log it is read from."""

MORE = {
    "diagnose": "checks read all there is",
    "products withdraw A:1 --dry-run --actor ann": "without --dry-run it ends a contract",
    "replay --with other.py": "folds the log, and writes beside it",
}
"""What does more than read what is shown."""


@pytest.fixture(scope="module")
def own(server_dsn: str) -> Iterator[str]:
    """A store with roles and a login in each."""
    with database_apart(server_dsn) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def fallout(own: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An order that is done and one that waits for a deposit, both folded; the fallout of the latter."""
    world = World(own, tmp_path_factory.mktemp("world")).stocked()
    world.take(order("WEB-1", line()))
    world.run(at(6, 10))
    world.scripted.will("credit", DEPOSIT)
    world.take(order("WEB-2", line(), party="C-2"))
    world.run(at(8))
    catch_up(own)
    [row] = world.fallouts("WEB-2")
    world.close()
    return str(row["fallout"])


@pytest.fixture
def shell(own: str, fallout: str, tmp_path: Path) -> Shell:
    """The command line of a login that is a reader and nothing else."""
    return Shell(login(own, "reader"), tmp_path)


def words(command: str, fallout: str) -> list[str]:
    before, quote, statement = command.partition("'")
    return [*before.replace("FALLOUT", fallout).split(), *([statement.rstrip("'")] if quote else [])]


@pytest.mark.parametrize("command", SHOWN)
def test_what_a_reader_is_shown(shell: Shell, fallout: str, command: str) -> None:
    """It is what others have folded, and a line says so."""
    done = shell.run(*words(command, fallout))
    assert (done.returncode, SHOWN[command] in done.stdout) == (0, True), done.stderr
    assert "a login that only reads" in done.stderr


@pytest.mark.parametrize("command", [*OF_THE_LOG, *MORE])
def test_what_a_reader_is_refused(shell: Shell, fallout: str, tmp_path: Path, command: str) -> None:
    """In one line that says why, and what to do."""
    # Whoever follows events looks whether the reader of its output is there still, so that output must be one.
    typed = Program(shell.environment["O2C_DSN"], tmp_path) if command.startswith("events tail") else shell
    done = typed.run(*words(command, fallout))
    assert done.returncode == 4, done.stderr
    told = one_line(done)
    assert (
        "this does more; use a login" in told if command in MORE else "does not see, for names stand in it; use one that may append" in told
    )


def test_every_view_is_shown_or_refused() -> None:
    """None is left out, so that a new one is decided about."""
    names = {operation.name for operation in VIEWS if operation.name not in LACKING["cli"]}
    commands = {command for name in names for command in COMMANDS.get(name, [name.replace(".", " ")])}
    tried = {*SHOWN, *OF_THE_LOG, *MORE, *WITHOUT_A_STORE}
    assert {command for command in commands if not any(each == command or each.startswith(f"{command} ") for each in tried)} == set()


def test_the_queue_of_a_reader_says_what_it_can(own: str, shell: Shell, fallout: str, tmp_path: Path) -> None:
    """The same rows as for one who sees the log, but for what relies on an item; who has one in hand, too, once somebody caught the tables up."""
    whole = Shell(own, tmp_path)
    seen, told = (cast("list[dict[str, Any]]", each.data("fallout", "list", "-o", "json")) for each in (whole, shell))
    assert [{**row, "blocks": ""} for row in told] == [{**row, "blocks": ""} for row in seen]
    assert (seen[0]["blocks"], told[0]["blocks"]) == ("the order, 1 item", "the order")
    assert whole.run("fallout", "resolve", fallout, "--retry", "--actor", "ann", "--reason", "paid in cash").returncode == 0
    whole.data("fallout", "list", "-o", "json")
    [row] = cast("list[dict[str, Any]]", shell.data("fallout", "list", "-o", "json"))
    assert row["in_hand_by"] == "ann"


def test_status_of_a_reader_is_that_of_all(own: str, shell: Shell, tmp_path: Path) -> None:
    """Figures hold nothing personal, so they are the same."""
    whole = Shell(own, tmp_path).data("status", "-o", "json")
    assert shell.data("status", "-o", "json") == whole


def test_who_only_reads_writes_nothing(shell: Shell, fallout: str) -> None:
    """The refusal of whatever writes says so, and not that a store cannot be made."""
    done = shell.run("fallout", "resolve", fallout, "--retry", "--actor", "ann", "--reason", "again")
    assert done.returncode == 4
    assert "only reads what analysts see" in one_line(done)
