"""Every SQL statement has a name and a sentence: it is the value of a module constant with its description right below it."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("o2c", "projections")
LENGTH_MIN = 20
STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


def written(node: ast.AST) -> str:
    """The text of a string, bytes or f-string literal, with {} for what an f-string puts in; empty for any other node."""
    if isinstance(node, ast.JoinedStr):
        return "".join(written(part) or "{}" for part in node.values)
    value = node.value if isinstance(node, ast.Constant) else None
    return value.decode(errors="replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""


@cache
def statements(node: ast.AST) -> list[ast.expr]:
    """The literals in a piece of code that begin as an SQL statement; the parts of an f-string belong to it."""
    inner = {part for joined in ast.walk(node) if isinstance(joined, ast.JoinedStr) for part in joined.values}
    literals = (each for each in ast.walk(node) if isinstance(each, ast.Constant | ast.JoinedStr) and each not in inner)
    return [each for each in literals if STATEMENT.match(text := written(each)) and len(text) > LENGTH_MIN]


def constant_of(node: ast.stmt) -> str:
    """The name of the module constant that a statement of Python assigns, if it assigns one."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return names[0] if len(names) == len(targets) == 1 and CONSTANT.fullmatch(names[0]) else ""


def flaws(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and flaw of each SQL statement that has no name or no sentence."""
    following: Sequence[ast.stmt | None] = [*module.body[1:], None]
    for node, below in zip(module.body, following, strict=True):
        found = statements(node)
        if not constant_of(node):
            yield from ((each.lineno, "has no name") for each in found)
        elif found and not (isinstance(below, ast.Expr) and written(below.value).rstrip().endswith((".", ")"))):
            yield node.lineno, f"{constant_of(node)} has no sentence"


@cache
def modules() -> dict[str, ast.Module]:
    """Every module by its path, read once for all tests, as each statement in them is looked for once."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def test_every_statement_has_a_name_and_a_sentence() -> None:
    """A statement stands in a constant of its module, with a sentence below that says what it answers and what its parameters are."""
    assert [f"{name}:{line} {flaw}" for name, module in modules().items() for line, flaw in flaws(module)] == []
    assert sum(len(statements(node)) for module in modules().values() for node in module.body) > 100


def test_names_of_statements_are_used_once_in_a_module() -> None:
    """A second constant of the same name would hide the first statement."""
    for path, module in modules().items():
        names = [name for node in module.body if statements(node) and (name := constant_of(node))]
        assert len(names) == len(set(names)), path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('A = "SELECT stream FROM o2c.head"\n"""All streams."""\n', [], id="a name and a sentence"),
        pytest.param('A = "SELECT stream FROM o2c.head"\nB = 1\n', [(1, "A has no sentence")], id="no sentence"),
        pytest.param('A = f"""\n  WITH x AS ({B}) SELECT"""\n', [(1, "A has no sentence")], id="an f-string at the end of a module"),
        pytest.param('def f(c):\n    c.execute("DELETE FROM o2c.agenda a")\n', [(2, "has no name")], id="inline in a call"),
        pytest.param('def f(c):\n    s = f"SELECT {A} FROM o2c.event"\n', [(2, "has no name")], id="in a local name"),
        pytest.param('def f(c, s=b"UPDATE o2c.clock SET now = 1"):\n    pass\n', [(1, "has no name")], id="bytes in a default"),
        pytest.param('class C:\n    S = "INSERT INTO o2c.guard VALUES"\n', [(2, "has no name")], id="in a class"),
        pytest.param('def f(c):\n    c.execute(SQL("SELECT {} FROM o2c.event"))\n', [(2, "has no name")], id="composed"),
        pytest.param('def f():\n    return "SELECT it", "Select a customer from the list"\n', [], id="words that are no statement"),
    ],
)
def test_the_law_sees_what_it_looks_for(text: str, expected: list[tuple[int, str]]) -> None:
    """An inline statement is seen wherever it stands, and a constant without a sentence is seen by its name."""
    assert list(flaws(ast.parse(text))) == expected
