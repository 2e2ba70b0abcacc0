"""Months of cash, small: what is claimed of a year holds of forty orders, and the oracle that says so stands on its own."""

import ast
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from o2c import plan
from o2c.engine.app import Engine
from tests import campaigns, oracle, year, year_amendments, year_deeds
from tests.fates import Claim
from tests.year_controls import events_in, forged
from tests.year_same import content

LINES_MAX, WHOLE_MAX = 250, 525
ORDERS, MONTHS = 40, 9
AGAIN = 20, 1
"""The orders and months that are lived twice: enough for bills and payments."""


@pytest.fixture(scope="module")
def claimed(server_dsn: str, opened_once: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Claim]]:
    """What is claimed of forty orders and the months after, until somebody who never pays is with an agency."""
    from tests.conftest import database

    home = tmp_path_factory.mktemp("year")
    with database(server_dsn, opened_once) as dsn, closing(Engine(dsn, plan.KINDS)) as app:
        lived = year.lived(app, home, None, ORDERS, MONTHS)
        yield {claim.name: claim for claim in year.claims(app, lived, year.printed(app, home))}


def test_every_penny_is_the_oracles(claimed: dict[str, Claim]) -> None:
    """Invoices, notes, balances, postings, closed days, usage, vouchers, series and bars; and the controls: a penny that is planted is found wherever it is."""
    assert {name: claim.figures for name, claim in claimed.items() if not claim.good} == {}
    assert len([name for name in claimed if name.startswith("control")]) == 6


def test_the_same_seed_gives_the_same_year(
    server_dsn: str, opened_once: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another store, where every position is another, the same events come in the same order, with the same ids, times and amounts; and a penny more would be
    seen. Orders in flight are looked at now and then, and not all day."""
    from tests.conftest import database

    monkeypatch.setattr(year_deeds, "looks", lambda after, until: islice(year_amendments.looks(after, until), 0, None, 12))
    logs = []
    for _ in range(2):
        home = tmp_path_factory.mktemp("same")
        with database(server_dsn, opened_once) as dsn, closing(Engine(dsn, plan.KINDS)) as app:
            year.lived(app, home, None, *AGAIN)
            logs.append(list(events_in(year.printed(app, home))))
    one, other = logs
    assert [event["position"] for event in one] != [event["position"] for event in other]
    differ = [(a, b) for a, b in zip(one, other, strict=False) if content([a]) != content([b])]
    assert (differ[:1], len(one)) == ([], len(other))
    assert content(one) == content(other) != content(forged(one, "total"))


def imported(text: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(text)))
    names = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def code_lines(text: str) -> int:
    """How many lines are neither blank nor docstrings."""
    nodes = list(ast.walk(ast.parse(text)))
    told = [node for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    prose = {number for node in told for number in range(node.lineno, (node.end_lineno or 0) + 1)}
    return len([number for number, line in enumerate(text.splitlines(), 1) if line.strip() and number not in prose])


def test_the_oracle_is_small_and_knows_nothing_of_the_engine() -> None:
    """It imports the standard library alone, and has 250 lines at most that are neither blank nor docstrings: whoever doubts can read it whole. Money that is on no
    bill, late payment and kept deposits stand in files upon it, as long again in all; so does what judges vouchers, which are no money before a bill has them."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in Path(oracle.__file__).parent.glob("oracle*.py")}
    beside = {name: {each for each in imported(text) if each.split(".")[0] not in sys.stdlib_module_names} for name, text in texts.items()}
    assert beside.pop("oracle") == set()
    assert set().union(*beside.values()) <= {f"tests.{name}" for name in texts}
    assert {name for name in imported(Path(campaigns.__file__).read_text(encoding="utf-8")) if "." in name} == {
        "collections.abc",
        "tests.oracle",
    }
    lines = {name: code_lines(text) for name, text in texts.items()}
    assert lines["oracle"] <= LINES_MAX
    assert sum(lines.values()) <= WHOLE_MAX
