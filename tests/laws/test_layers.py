"""What import-linter cannot see: the domain calls no clock and makes no random number, by any name."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
OUTSIDE = {"client", "engine", "views", "desk", "files", "checks", "running", "simulation", "entrypoints", "store", "partners"}
FORBIDDEN = {"now", "utcnow", "today", "time_ns", "monotonic", "perf_counter", "uuid1", "uuid4", "urandom", "token_hex"}


def forbidden_calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in FORBIDDEN:
                yield node.lineno, name


def domain_files() -> list[Path]:
    package = ROOT / "o2c"
    return [path for path in sorted(package.rglob("*.py")) if path.relative_to(package).parts[0] not in OUTSIDE]


def test_the_domain_reads_no_clock_and_no_randomness() -> None:
    """Time and identifiers are arguments everywhere below the application."""
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}()"
        for path in domain_files()
        for line, name in forbidden_calls(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []
    assert len(domain_files()) > 10


def test_a_forbidden_call_is_seen() -> None:
    """The law sees a clock read through a module, through a class and by a bare name."""
    text = "import datetime as d\nd.datetime.now(d.UTC)\nfrom uuid import uuid4\nuuid4()\nd.date.today()\n"
    assert sorted(forbidden_calls(ast.parse(text))) == [(2, "now"), (4, "uuid4"), (5, "today")]


def test_every_package_stands_in_the_list_of_layers() -> None:
    """import-linter checks the packages that are listed; one that is in no layer would be free to import anything."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    listed = {name.strip() for layer in layers for name in layer.split("|")}
    package = ROOT / "o2c"
    there = {
        f"o2c.{path.stem}" for path in package.iterdir() if path.name not in ("__init__.py", "__pycache__") and path.suffix in ("", ".py")
    }
    assert there | {"projections"} == listed
