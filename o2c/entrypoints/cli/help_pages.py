"""How help looks: a summary, what there is to know, options with what they take, and last the examples, ready to be copied.

A command's docstring is a summary (one sentence, all that a list of commands shows), paragraphs, and examples, a line `Example: o2c ...`
each.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from o2c.entrypoints.cli.tables import printable

EXAMPLE = "Example: "
WIDTH = 78
"""80 columns less the margins."""
_WORD = r"""(?:[^\s"']|"[^"]*"|'[^']*')+"""
_PART = re.compile(rf"{_WORD}(?: (?!-){_WORD})*")
"""An option with its values, or what stands before the first one."""


class HelpCommand(TyperCommand):
    """A command whose page of help ends with examples."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the parameters, flags without a value."""
        return _plain_flags(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed. A word too much is told before all else: --help passes it over, and what is missing hides it."""
        _, left, _ = self.make_parser(ctx).parse_args(list(args))
        _refuse_words(ctx, left)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page of help, with its examples at the end."""
        super().format_help(ctx, formatter)
        # Not as an epilog: typer fills its lines with blanks, and one behind a backslash would spoil the copied command.
        formatter.write(_shown(examples_of(inspect.getdoc(self.callback) or "")))


class Group(TyperGroup):
    """A group of commands; those under headings stand in the order of `panels`."""

    panels: Mapping[str, Sequence[str]] = {}

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the parameters, flags without a value."""
        return _plain_flags(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed. Behind --help, and what else is done at once, no command is looked for, so that a word there is one too
        much."""
        done, left, _ = self.make_parser(ctx).parse_args(list(args))
        if any(param.is_eager and done.get(param.name) for param in self.get_params(ctx)):
            _refuse_words(ctx, left, f"; the page of a command is `{ctx.command_path} COMMAND --help`")
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """List the commands in the order of the headings, the others last."""
        placed = [name for names in self.panels.values() for name in names]
        return sorted(super().list_commands(ctx), key=lambda name: placed.index(name) if name in placed else len(placed))


def _refuse_words(ctx: Any, words: Sequence[str], hint: str = "") -> None:
    """Refuse what is left of the words when all that take one have theirs, unless a shell only asks how to complete them."""
    if words and not ctx.resilient_parsing:
        ctx.fail(f"Got unexpected extra argument(s) ({printable(' '.join(words))}){hint}")


def _plain_flags(params: list[Any]) -> list[Any]:
    """A flag takes no value; to show `<bool>` behind it would ask for one."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


def laid_out(app: typer.Typer, panels: Mapping[str, Sequence[str]]) -> None:
    """Bring the docstrings of all commands of `app` into pages. `panels` are the headings of its own page, with the names under each."""
    panel_of = {name: panel for panel, names in panels.items() for name in names}
    app.info.cls = type("Root", (Group,), {"panels": panels})
    for group in app.registered_groups:
        group.cls, group.rich_help_panel = Group, panel_of.get(str(group.name))
        group.epilog = f"More on each, with an example: o2c {group.name} COMMAND --help"
        _paged(group.typer_instance)
    _paged(app)
    for command in app.registered_commands:
        command.rich_help_panel = panel_of.get(str(command.name))


def _paged(app: typer.Typer | None) -> None:
    for command in app.registered_commands if app else ():
        command.cls, command.help = HelpCommand, _told(inspect.getdoc(command.callback) or "")


def examples_of(docstring: str) -> list[str]:
    """The command lines that a docstring gives as examples."""
    return [line.removeprefix(EXAMPLE) for line in inspect.cleandoc(docstring).splitlines() if line.startswith(EXAMPLE)]


def _told(docstring: str) -> str:
    """The docstring without its examples; a paragraph is one line, for the screen to fold."""
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n{2,}", docstring) if not part.startswith(EXAMPLE))
    return escape("\n\n".join(paragraphs))


def _shown(examples: Sequence[str]) -> str:
    heading = "Examples:" if len(examples) > 1 else "Example:"
    return "".join(f" {line}\n" for line in (heading, *(line for example in examples for line in _folded(example))))


def _folded(example: str) -> list[str]:
    """A command line no wider than the page, folded before an option, so that a shell still takes it."""
    lines = [" "]
    for part in _PART.findall(example):
        if len(lines[-1]) + len(part) + 3 > WIDTH:
            lines[-1] += " \\"
            lines.append("     ")
        lines[-1] += f" {part}"
    return lines
