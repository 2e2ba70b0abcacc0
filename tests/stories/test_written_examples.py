"""What README and docs say to type works as it stands there: the launch of the README is done step by step, then a day at its desk."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import typer

from o2c.entrypoints.cli.main import app
from o2c.simulation.launch_data import LINE, SECOND_LINE
from tests.conftest import database
from tests.shell import run_here

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)

ELSEWHERE = {
    "O2C_HOME=NEW_HOME o2c diagnose": "a home that was brought back: tests/faults/test_backup.py carries it out",
    "O2C_DSN=postgresql://OTHER/o2c o2c store roles": "another cluster: tests/faults/test_backup.py loads the dump there",
    "O2C_DSN=postgresql://OTHER/o2c o2c diagnose": "the same",
    "O2C_DSN=postgresql://OTHER/o2c o2c init --clock simulated --start TIME": "another cluster: tests/stories/test_history.py takes a history over",
    "O2C_DSN=postgresql://OTHER/o2c o2c events import history.jsonl": "the same",
    "o2c messages work": "a process that goes on: tests/faults/test_killed_messages.py starts it",
    "o2c serve --port 8622 --workers 2": "a process that goes on: tests/stories/test_serve.py starts it",
    "o2c run --until TIME": "whoever writes down a history chooses the time",
    "o2c issuers trust https://login.example.org --audience o2c --jwks keys.json --claim groups --role care-desk=agent --actor ann": "the keys"
    " are the issuer's own: tests/stories/test_help.py has a set",
    "o2c init --clock simulated --faults faults.toml": "a store of its own: tests/stories/test_help.py makes it",
}
"""What is not typed here, and why."""

FELL = "SELECT {} FROM projection.fallout f JOIN projection.orders o USING (order_id) WHERE f.state = 'open' AND f.reason = ANY('{{{}}}') ORDER BY f.opened_at"
IDS = {
    ("fallout", "ID"): FELL.format("f.fallout", "NP-CODE,NP-NOTPORT"),
    ("fallout", "GROUP"): "SELECT group_id FROM projection.fallout WHERE state = 'open' ORDER BY opened_at",
    ("fallout", "JOB"): "SELECT substr(stream, 5) FROM o2c.event WHERE type = 'job.started'",
    ("keys", "PREFIX"): "SELECT substr(stream, 5) FROM o2c.event WHERE type = 'key.issued'",
    ("payments", "ORDER"): FELL.format("o.external_id", "CR-DEPOSIT"),
    ("payments", "INVOICE"): "SELECT invoice FROM projection.invoices WHERE state <> 'paid' ORDER BY 1",
    (
        "numbers",
        "ORDER",
    ): f"""SELECT o.external_id FROM projection.orders o WHERE o.state = 'pending' AND 1 = (SELECT count(*) FROM projection.items i
        WHERE i.order_id = o.order_id AND i.offering IN ('{LINE.id}', '{SECOND_LINE.id}')) AND EXISTS (SELECT FROM projection.fallout f
        WHERE f.order_id = o.order_id AND f.state = 'open' AND f.reason = ANY('{{KYC-DOC,CR-REFER,CR-DEPOSIT}}')) ORDER BY o.captured_at""",
    ("ports", "ORDER"): """SELECT o.external_id FROM projection.fallout f JOIN projection.orders o USING (order_id) WHERE f.state = 'open'
        AND f.reason = ANY('{NP-CODE,NP-NOTPORT}') AND 1 = (SELECT count(brings) FROM projection.items i WHERE i.order_id = o.order_id)
        ORDER BY f.opened_at""",
    ("orders", "ORDER"): "SELECT external_id FROM projection.orders WHERE state IN ('acknowledged', 'pending') ORDER BY captured_at",
}
"""What the reader puts in the place of a word, by command and word: a query that finds one in the store."""


def typed(text: str) -> Iterator[str]:
    """The command lines of o2c in a block, without what the shell does around them."""
    for row in text.splitlines():
        for part in re.split(r"&&|;", re.sub(r"\s#\s.*", "", row)):
            if re.match(r"\s*([A-Z_0-9]+=\S+ )*o2c ", part):
                yield " ".join(part.split())


def blocks(page: Path) -> list[str]:
    return [line for block in BLOCK.findall(page.read_text()) for line in typed(block)]


WRITTEN = [line for page in PAGES for line in blocks(page)]


@pytest.fixture(scope="module")
def launch(server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int | str]]:
    """Every command of the pages, typed one after the other on one store: how each ended, and what it said if not as it should."""
    folder = tmp_path_factory.mktemp("o2c-launch")
    told: dict[str, int | str] = {}
    faults = next(block for page in PAGES for block in BLOCK.findall(page.read_text()) if block.startswith("# faults.toml"))
    with database(server_dsn) as dsn, pytest.MonkeyPatch.context() as patched:
        environment = {**os.environ, "O2C_DSN": dsn, "O2C_HOME": str(folder / "store"), "O2C_ACTOR": "ann"}
        for written in WRITTEN:
            if written in ELSEWHERE:
                continue
            words = shlex.split(written.replace("~/o2c-launch", str(folder)))
            if "FILE" in words:
                patched.setitem(IDS, ("ingest", "FILE"), f"SELECT '{corrected(environment, folder)}'")
            done = run_here(environment, *(put_in(dsn, words[1], word) for word in words[1:]))
            told[written] = f"{done.returncode}: {done.stderr}" if done.returncode else 0
            if words[1] == "simulate":
                patched.chdir(folder / "papers")
                Path("faults.toml").write_text(faults.partition("\n\no2c")[0])
        yield told


def corrected(environment: dict[str, str], folder: Path) -> Path:
    """A file of a refused line that somebody has corrected since."""
    good = Path("orders.tmf622.jsonl").read_text().splitlines()[0]
    Path("later.jsonl").write_text(f"{good}\n{good[:-1]}\n")
    assert run_here(environment, "ingest", "later.jsonl").returncode == 6
    [kept] = (folder / "store" / "quarantine").iterdir()
    kept.write_text(f"{good}\n")
    return kept


def put_in(dsn: str, command: str, word: str) -> str:
    """A word as the reader types it, who puts an id in the place of ID."""
    if (command, word) not in IDS:
        return word
    with psycopg.connect(dsn) as conn:
        row = conn.execute(IDS[command, word].encode()).fetchone()
    assert row, f"the launch has nothing for the {word} of o2c {command}"
    return str(row[0])


@pytest.mark.parametrize("written", [line for line in dict.fromkeys(WRITTEN) if line not in ELSEWHERE])
def test_what_is_written_works(launch: dict[str, int | str], written: str) -> None:
    """Every order, number and customer that the pages name is there, and the command ends well."""
    assert launch[written] == 0


def test_what_is_not_typed_is_still_written() -> None:
    """A command that no page has any more needs no reason."""
    assert set(ELSEWHERE) <= set(WRITTEN)
    used = {(line.split()[1], word) for line in WRITTEN if line.startswith("o2c ") for word in line.split()}
    assert set(IDS) <= used


def offered() -> dict[str, set[str]]:
    """Every command with its options, and every group."""
    found: dict[str, set[str]] = {}
    todo = [((), typer.main.get_command(app))]
    while todo:
        path, command = todo.pop()
        found[" ".join(path)] = {name for param in command.params for name in param.opts} | {"--help"}
        todo += [((*path, name), more) for name, more in getattr(command, "commands", {}).items()]
    return found


def test_what_stands_in_a_sentence_is_a_command() -> None:
    """Whatever begins with `o2c ` between two backquotes names a command that there is, and options that it has."""
    there = offered()
    wrong = []
    for page in (*PAGES, *sorted((ROOT / "docs" / "decisions").glob("*.md"))):
        for span in re.findall(r"`o2c ([a-z][^`]*)`", page.read_text()):
            words = " ".join(span.split()).split()
            path = max((n for n in range(3) if " ".join(words[:n]) in there), default=0)
            options = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--install-completion"}
            if not path or not options <= there[" ".join(words[:path])]:
                wrong.append((page.name, span))
    assert wrong == []
