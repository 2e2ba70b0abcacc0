"""A reason code that nobody can read helps nobody."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from o2c.entrypoints.cli.main import app
from o2c.fallout.codes import packaged
from o2c.views.guidance import ASKED_FIRST, CORRECTABLE, asked_first

SOURCES = Path(__file__).parents[2] / "o2c"

NEXT_LETTERS_MAX = 24
"""What stands beside the order, its customer and its age at 80 columns."""


def test_every_reason_has_its_words() -> None:
    """Each code means something in a sentence, and what comes next fits in a row of the queue."""
    reasons = packaged().newest.reasons
    assert len(reasons) > 40
    assert {
        code for code, guide in reasons.items() if not guide.meaning.endswith(".") or not 0 < len(guide.next) <= NEXT_LETTERS_MAX
    } == set()


def test_what_a_reason_asks_for_stands_first() -> None:
    """Of what may be corrected the values that a reason asks for come first, and nothing is left out; each is of a reason and a value that there are."""
    assert asked_first("NP-CODE", ["place", "portInNumber", "portInCode"]) == ["portInCode", "place", "portInNumber"]
    assert asked_first("CR-DECLINED", CORRECTABLE) == list(CORRECTABLE)
    assert ASKED_FIRST.keys() <= packaged().newest.reasons.keys()
    assert {key for keys in ASKED_FIRST.values() for key in keys} <= set(CORRECTABLE)


def reached(group: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """What can be typed after `o2c`: every group of commands, and every command."""
    for name, command in group.commands.items():
        yield (*path, name)
        if hasattr(command, "commands"):
            yield from reached(command, *path, name)


def test_a_command_that_is_named_is_there() -> None:
    """Whoever is told to type `o2c ...` by an error, a page or a docstring can type it."""
    there = set(reached(typer.main.get_command(app)))
    groups = {path[0] for path in there if len(path) > 1}
    named = {
        (path.name, words)
        for path in SOURCES.rglob("*.py")
        for words in re.findall(r"`o2c ([a-z]+(?:-[a-z]+)*(?: [a-z]+(?:-[a-z]+)*)?)", path.read_text())
    }
    assert len(named) > 100
    assert {(name, words) for name, words in named if tuple(words.split())[: 2 if words.split()[0] in groups else 1] not in there} == set()
