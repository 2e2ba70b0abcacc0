"""Every public name of the product says in a docstring what it decides or gives."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.laws.test_tidy import ROOT, product, tree

# The functions of a fold, by the names that `StreamKind` gives them: its docstring says what each of them gives, for every kind of stream.
OF_A_FOLD = re.compile(r"evolve(_[a-z]+)?|initial|owner")


def public(path: Path) -> Iterator[tuple[str, str]]:
    """The public functions, classes, methods and properties of a file, by qualified name, each with its docstring or nothing."""
    folds = path.name == "state.py"
    for name, node in named(tree(path), ""):
        if not (folds and OF_A_FOLD.fullmatch(name)):
            yield name, ast.get_docstring(node) or ""


def named(node: ast.AST, owner: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """Functions within functions are nobody else's business, and neither are the members of a private class."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from named(child, owner)
        elif not child.name.startswith("_"):
            yield owner + child.name, child
            if isinstance(child, ast.ClassDef):
                yield from named(child, f"{owner}{child.name}.")


def undocumented(path: Path) -> list[str]:
    return [name for name, docstring in public(path) if not docstring]


def share(paths: Iterable[Path]) -> float:
    """The share of the public names of some files that have a docstring, from 0 to 1; 1 for files without any."""
    documented = [bool(docstring) for path in paths for _, docstring in public(path)]
    return sum(documented) / len(documented) if documented else 1.0


def test_every_public_name_has_a_docstring() -> None:
    """No public function, class, method or property of the product is without a docstring."""
    missing = {str(path.relative_to(ROOT)): names for path in product() if (names := undocumented(path))}
    assert missing == {}
    assert share(product()) == 1.0


@pytest.mark.parametrize(
    ("file", "text", "missing"),
    [
        pytest.param("rules.py", "def flaw(work): return ''\n", ["flaw"], id="a function"),
        pytest.param("rules.py", "async def flaw(work): return ''\n", ["flaw"], id="an asynchronous function"),
        pytest.param("rules.py", "class Wish:\n    size = 1\n", ["Wish"], id="a class"),
        pytest.param(
            "rules.py", "class Wish:\n    'One.'\n    @property\n    def size(self): return 1\n", ["Wish.size"], id="a property of a class"
        ),
        pytest.param(
            "rules.py", "class Book(Protocol):\n    'One.'\n    def steps(self): ...\n", ["Book.steps"], id="a method of a protocol"
        ),
        pytest.param("rules.py", "if True:\n    def flaw(work): return ''\n", ["flaw"], id="a function under a condition"),
        pytest.param("rules.py", "def flaw(work):\n    '''  '''\n", ["flaw"], id="a docstring of blanks"),
        pytest.param("rules.py", "def flaw(work):\n    'No reason.'\n", [], id="a documented function"),
        pytest.param("rules.py", "def _flaw(work): return ''\n", [], id="a private function"),
        pytest.param("rules.py", "class _Wish:\n    def size(self): return 1\n", [], id="a method of a private class"),
        pytest.param("rules.py", "def flaw(work):\n    'No reason.'\n    def put(): return 1\n", [], id="a function within a function"),
        pytest.param("state.py", "def evolve_account(state, event): return state\n", [], id="a fold of a stream"),
        pytest.param("rules.py", "def evolve(state, event): return state\n", ["evolve"], id="a fold of no stream"),
        pytest.param("state.py", "def agenda(state, event): return ()\n", ["agenda"], id="a rule beside a fold"),
    ],
)
def test_the_law_sees_what_it_looks_for(file: str, text: str, missing: list[str], tmp_path: Path) -> None:
    """A planted name without a docstring is seen under its qualified name; what needs none is left alone."""
    sample = tmp_path / file
    sample.write_text(text)
    assert undocumented(sample) == missing


def test_the_share_is_that_of_public_names(tmp_path: Path) -> None:
    """One documented name of four is a quarter, and private names do not count."""
    sample = tmp_path / "rules.py"
    sample.write_text("class Wish:\n    'One.'\n    def a(self): ...\n    def b(self): ...\n    def _c(self): ...\ndef d(): ...\n")
    assert share([sample]) == 0.25
    assert share([]) == 1.0
