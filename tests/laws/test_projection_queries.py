"""A question to a projection's table stands beside the fold that fills it, and has a name and a sentence."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FROM_OUTSIDE = ("o2c/running/telemetry.py", "o2c/checks/")
"""These look at the tables from outside, as an operator does, and must still work where the projections' own code does not."""

QUERY = re.compile(r"\s*(SELECT|WITH)\b")
STATEMENT = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|COMMENT|GRANT|LOCK|SET|COPY|ANALYZE)\b.*\s", re.DOTALL)


def text_of(node: ast.AST) -> str:
    """The text of a string literal, without the values of an f-string; empty for anything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    value = node.value if isinstance(node, ast.Constant) else ""
    return value.decode(errors="replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The string literals of a piece of code, each with its line; texts that stand alone as docstrings do are left out."""
    skipped = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    skipped |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) not in skipped and (text := text_of(node)):
            yield node.lineno, text


def queries_of_projections(tree: ast.Module) -> Iterator[int]:
    """The lines of string literals that ask a projection's table."""
    yield from (line for line, text in literals(tree) if QUERY.match(text) and "projection." in text)


def statements_in_functions(tree: ast.Module) -> Iterator[int]:
    """The lines of SQL statements that stand within a function."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    yield from sorted({line for function in functions for line, text in literals(function) if STATEMENT.match(text)})


def unexplained(tree: ast.Module) -> Iterator[int]:
    """The lines of module constants that hold a statement and have no sentence right under them."""
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if (
            value
            and any(STATEMENT.match(text) for _, text in literals(value))
            and not (isinstance(after, ast.Expr) and text_of(after.value))
        ):
            yield node.lineno


def found(law: Callable[[ast.Module], Iterator[int]], *folders: str) -> list[str]:
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    assert len(paths) > 5
    names = {path: path.relative_to(ROOT).as_posix() for path in paths}
    return [
        f"{names[path]}:{line}"
        for path in paths
        if not names[path].startswith(FROM_OUTSIDE)
        for line in law(ast.parse(path.read_text(encoding="utf-8")))
    ]


def test_no_question_to_a_projection_stands_outside() -> None:
    """Whoever changes the columns of a table finds every question to it in the same file."""
    assert found(queries_of_projections, "o2c") == []


def test_no_statement_stands_in_a_function() -> None:
    """A view runs statements that have a name, and so does the engine of the projections."""
    assert found(statements_in_functions, "projections", "o2c/views") == []


def test_every_statement_has_its_sentence() -> None:
    """The text right under a statement says what it does and what its parameters are."""
    assert found(unexplained, "projections", "o2c/views") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("SQL = 'SELECT * FROM projection.orders'", id="a constant"),
        pytest.param("def f(app):\n    return app.rows('SELECT 1 FROM projection.orders')", id="in a function"),
        pytest.param("SQL = f'''\nWITH one AS (SELECT {name} FROM projection.orders) SELECT * FROM one'''", id="an f-string"),
        pytest.param("SQL = b'SELECT * FROM projection.orders'", id="bytes"),
    ],
)
def test_a_question_outside_is_seen(text: str) -> None:
    """The law sees a question in whatever way it is written, and sees it once."""
    assert len(list(queries_of_projections(ast.parse(text)))) == 1


def test_other_words_about_projections_are_no_question() -> None:
    """A message that names a table, and a question to the log, are left alone."""
    text = "A = 'drop projection.orders'\nB = 'SELECT * FROM o2c.event'\nC = 'projection.orders is behind'"
    assert list(queries_of_projections(ast.parse(text))) == []


def test_a_statement_in_a_function_is_seen() -> None:
    """A statement within a function is seen, its docstring is none, and neither is a statement beside it."""
    text = "A = 'SELECT 1 AS one'\ndef f():\n    'SELECT what is asked.'\n    conn.execute('DELETE FROM projection.kept')"
    assert list(statements_in_functions(ast.parse(text))) == [4]


def test_a_statement_without_a_sentence_is_seen() -> None:
    """Of two statements the one without a sentence under it is seen."""
    text = "A = 'SELECT 1 AS one'\n'One. No parameters.'\nB = b'SELECT 2 AS two'\nC = 3\n'Three.'"
    assert list(unexplained(ast.parse(text))) == [3]
