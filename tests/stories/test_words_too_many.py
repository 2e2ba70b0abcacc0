"""A word too much is refused on every command, before anything is done and whatever else was typed: nobody is told that it went well."""

from pathlib import Path
from typing import Any

import pytest
import typer

from o2c.entrypoints.cli.main import app
from tests.shell import Shell, one_line, run_here
from tests.stories.test_help import COMMANDS

GROUPS = sorted({name.rpartition(" ")[0] for name in COMMANDS} | {""})
OF_ANY_NUMBER = {f"projections {name}" for name in ("history", "parked", "rebuild", "verify", "work")}
"""Commands that take as many names of projections as one likes; one that is no name is refused by themselves."""
COUNTED = sorted(COMMANDS.keys() - OF_ANY_NUMBER)


def arguments(command: Any) -> list[Any]:
    return [param for param in command.params if param.param_type_name == "argument"]


def too_many(name: str) -> list[str]:
    """The command with as many words as it takes, and one more."""
    return [*name.split(), *["word"] * (len(arguments(COMMANDS[name])) + 1)]


def refused(home: Path, *words: str) -> str:
    """The one line in which words are refused as wrong usage, before a store is opened or made."""
    done = run_here({"O2C_HOME": str(home)}, *words)
    assert done.returncode == 2, done.stdout
    assert not home.exists()
    return one_line(done)


def test_every_command_is_in_the_table() -> None:
    """None takes any number of words, unless it is named here."""
    assert {name for name, command in COMMANDS.items() if any(one.nargs < 0 for one in arguments(command))} == OF_ANY_NUMBER
    assert len(COMMANDS) > 50


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("more", [pytest.param((), id="alone"), pytest.param(("--help",), id="with --help")])
def test_a_word_too_much_is_refused(tmp_path: Path, name: str, more: tuple[str, ...]) -> None:
    """Even where help is asked for, which would pass it over, and where something else is missing: the word is what is told."""
    assert "unexpected extra argument(s) (word)" in refused(tmp_path / "none", *too_many(name), *more)


@pytest.mark.parametrize("name", COUNTED)
def test_as_many_words_as_it_takes_are_not_too_many(tmp_path: Path, name: str) -> None:
    """The control: one word less, and help is given."""
    done = run_here({"O2C_HOME": str(tmp_path / "none")}, *too_many(name)[:-1], "--help")
    assert (done.returncode, "Usage:" in done.stdout) == (0, True)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("words", [pytest.param(("nosuch",), id="alone"), pytest.param(("nosuch", "--help"), id="with --help")])
def test_a_word_that_is_no_command_is_refused(tmp_path: Path, group: str, words: tuple[str, ...]) -> None:
    """By its group, whatever follows."""
    assert "No such command 'nosuch'" in refused(tmp_path / "none", *group.split(), *words)


@pytest.mark.parametrize("group", GROUPS)
def test_help_of_a_group_takes_no_word(tmp_path: Path, group: str) -> None:
    """Whoever puts the command behind --help wants another page, and is told where that stands."""
    first = next(name for name in typer_group(group).commands)
    told = refused(tmp_path / "none", *group.split(), "--help", first)
    assert f"unexpected extra argument(s) ({first})" in told
    assert "COMMAND --help" in told


def typer_group(group: str) -> Any:
    found: Any = typer.main.get_command(app)
    for name in group.split():
        found = found.commands[name]
    return found


@pytest.mark.parametrize("name", sorted(OF_ANY_NUMBER))
def test_a_word_that_is_no_projection_is_refused(shell: Shell, name: str) -> None:
    """In one line that says which there are."""
    done = shell.run(*name.split(), "orders", "nosuch", *(("--actor", "ann") if name == "projections rebuild" else ()))
    assert (done.returncode, "nosuch" in one_line(done)) == (3, True)


def test_the_version_takes_no_word(tmp_path: Path) -> None:
    """`o2c --version nosuch` is no question about a version."""
    assert "unexpected extra argument(s) (nosuch)" in refused(tmp_path / "none", "--version", "nosuch")
