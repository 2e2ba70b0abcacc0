"""The proof that no paper is lost between channels: it holds where it should, and fails where one is."""

import json
from pathlib import Path

import pytest

from o2c.desk.fallout import Decide
from tests.fates import Claim
from tests.lost import Log, content_of, log_of, nothing_lost
from tests.world import NINE, Document, World, line, order

PAPERS = [
    order("1001", line()),
    order("1001", line(), party="C-2", channel="store"),
    order("1001", line(), channel="app"),
    order("1001", line(), priority=1),
    order("1001", line(), priority=1, channel="store"),
    order("7", line()) | {"relatedParty": []},
    order("7", line(), channel="app") | {"relatedParty": []},
]
"""Two customers' 1001, one of them repeated and changed; and an id of two channels, with nobody named."""


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    world = World(dsn, tmp_path).stocked().run(NINE)
    world.take(*PAPERS)
    return world


def claimed(papers: list[Document], log: Log) -> Claim:
    [claim] = nothing_lost((json.dumps(paper).encode() for paper in papers), log)
    return claim


@pytest.mark.parametrize(
    ("decision", "became"),
    [
        pytest.param(None, "with a person", id="nobody decided"),
        pytest.param(True, "an order of its own", id="approved"),
        pytest.param(False, "refused", id="declined"),
    ],
)
def test_every_paper_is_somewhere(world: World, decision: bool | None, became: str) -> None:
    """Orders, repeats, and a change with what became of it."""
    if decision is not None:
        world.resolve("DQ-DUP", Decide(approve=decision))

    claim = claimed(PAPERS, log_of(world.app))

    assert claim.figures == f"7 lines = 4 orders + 2 repeats + 1 changed, {became}; 4 orders in the log"
    assert claim.good


def test_a_paper_that_nobody_took_down_is_lost(world: World) -> None:
    """The claim names the line and whose it is."""
    claim = claimed([*PAPERS, order("1001", line(), party="C-3")], log_of(world.app))

    assert (claim.good, "lost: 1, first line 8 (C-3/1001)" in claim.figures) == (False, True)


def test_a_change_in_nobodys_hands_is_lost(world: World) -> None:
    """So it once was after an approval: the fallout closed, and no order came of the paper."""
    log = log_of(world.app)
    changed = content_of(json.dumps(PAPERS[3]))
    claim = claimed(PAPERS, log._replace(changed={changed: ""}))

    assert (claim.good, "first line 4 (C-1/1001)" in claim.figures) == (False, True)


def test_an_order_of_nobodys_paper_is_noticed(world: World) -> None:
    """The log holds as many orders as the file."""
    assert not claimed([paper for paper in PAPERS if paper != PAPERS[1]], log_of(world.app)).good
