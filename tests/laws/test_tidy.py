"""The house style as tests: small functions and files, our words, one title a page, nothing dead, nothing stray."""

import ast
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IN_ROOT = {
    "pyproject.toml", "README.md", "CHANGELOG.md", "requirements.lock", ".gitignore", "o2c", "projections", "tests", "scripts", "docs", ".ci",
}  # fmt: skip
NOT_OURS = {
    ".git",
    "build",
    "dist",
    ".venv",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".import_linter_cache",
}
ENTRY_POINTS = {"o2c.entrypoints.cli.main", "o2c.entrypoints.python", "o2c.entrypoints.verbs_and_views", "o2c.simulation.launch"}
SUFFIXES = ("Service", "Manager", "Helper", "Util", "Utils", "Handler", "Processor")
# Split, so that this file does not contain what it looks for.
MARKS = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
PROMISE = re.compile(r"\b(" + "|".join(MARKS) + r")\b")
BARE = re.compile(r"#\s*(noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)*\s+\S)|type: ignore(?!\[[a-z-, ]+\]\s+#?\s*\S))")
INDEX = re.compile(r"--(extra-)?index-url|--find-links|https?://[^\s\"')]*/simple\b|file://", re.IGNORECASE)
SIMPLE = "sim" + "ple"
CITED = re.compile(r"\bdecisions?[/ ](\d{4}(?:-[a-z0-9-]+)?)")
FUNCTION_LINES_MAX, FUNCTION_LINES_P90, FUNCTION_LINES_MEDIAN = 60, 30, 8
FILE_LINES_MAX, FILE_LINES_MEDIAN = 400, 120


def ours(*suffixes: str) -> list[Path]:
    found = [path for path in ROOT.rglob("*") if path.is_file() and path.suffix in suffixes]
    return sorted(path for path in found if not ignored(path))


def ignored(path: Path) -> bool:
    return any(part in NOT_OURS or part.endswith(".egg-info") for part in path.relative_to(ROOT).parts)


def product() -> list[Path]:
    return [path for path in ours(".py") if path.relative_to(ROOT).parts[0] in {"o2c", "projections"}]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function with its length in lines, without its docstring: words about it are not its size."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
            docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if told else 0
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_by(path: Path) -> set[str]:
    """What a file may import: `from a import b` may mean the module a.b, so both count; and the modules that a list names as `module:what`."""
    beside = module_name(path).rpartition(".")[0]
    named = (node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    names = {f"{beside}.{text.partition(':')[0]}" for text in named if re.fullmatch(r"[a-z_]+:[a-z_]+", text)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def test_functions_are_short() -> None:
    """No function is longer than 60 lines; nine in ten have 30 at most; half have 8 at most."""
    sizes = dict(pair for path in product() for pair in functions(path))
    counted = sorted(sizes.values())
    assert {name: size for name, size in sizes.items() if size > FUNCTION_LINES_MAX} == {}
    assert statistics.median(counted) <= FUNCTION_LINES_MEDIAN
    assert counted[len(counted) * 9 // 10] <= FUNCTION_LINES_P90


def test_files_are_short() -> None:
    """Every file of code has fewer than 400 lines, and half of the product's have 120 at most."""
    assert {str(path.relative_to(ROOT)): lines(path) for path in ours(".py", ".sql") if lines(path) >= FILE_LINES_MAX} == {}
    assert statistics.median(lines(path) for path in product()) <= FILE_LINES_MEDIAN


def test_classes_are_named_in_the_words_of_the_field() -> None:
    """No class of ours ends in a word that says nothing."""
    named = [node.name for path in ours(".py") for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    assert [name for name in named if name.endswith(SUFFIXES)] == []


def test_no_promise_stands_in_the_code() -> None:
    """Work to be done is in the issue tracker, not in a comment."""
    files = [*ours(".py", ".sql", ".md", ".toml"), *(ROOT / "scripts").iterdir()]
    assert [str(path.relative_to(ROOT)) for path in files if path.is_file() and PROMISE.search(path.read_text(encoding="utf-8"))] == []


def test_a_suppressed_warning_has_its_reason() -> None:
    """A `noqa` or `type: ignore` names the rule and says why on its line."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in ours(".py")
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if BARE.search(line)
    ]
    assert found == []


def test_a_page_has_one_title() -> None:
    """A Markdown file has exactly one first-level heading, outside its code blocks, and begins with it."""
    pages = ours(".md")
    for path in pages:
        prose = re.sub(r"^(```|~~~).*?^\1", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        assert len(re.findall(r"^# \S", prose, flags=re.MULTILINE)) == 1, path
        assert prose.lstrip().startswith("# "), path
    assert ROOT / "README.md" in pages


def test_a_newcomer_finds_every_folder() -> None:
    """The page on the architecture says of each folder of the product what lives there."""
    told = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = sorted(path.parent.name for path in (ROOT / "o2c").glob("*/__init__.py"))
    assert [name for name in folders if f"`{name}`" not in told and f"`{name}/`" not in told] == []
    assert len(folders) > 40


def test_a_decision_that_is_cited_is_one_page() -> None:
    """Whoever follows a number finds what was decided by it, and no two pages have one."""
    pages = [path.stem for path in (ROOT / "docs" / "decisions").glob("*.md")]
    twice = [number for number, count in Counter(page[:4] for page in pages).items() if count > 1]
    cited = {(path.name, cite) for path in ours(".py", ".sql", ".md", ".toml") for cite in CITED.findall(path.read_text(encoding="utf-8"))}
    assert (twice, sorted(where for where in cited if not any(page.startswith(where[1]) for page in pages))) == ([], [])
    assert len(cited) > 40


def test_the_root_holds_nothing_stray() -> None:
    """Plans, notes and generated files do not gather in the root."""
    assert sorted(path.name for path in ROOT.iterdir() if path.name not in IN_ROOT and not ignored(path)) == []


def test_no_module_is_dead() -> None:
    """Every module is an entry point, or some other file of the product imports it."""
    modules = {module_name(path): path for path in product() if path.name != "__init__.py"}
    imported = {name: imported_by(path) for name, path in ((module_name(path), path) for path in product())}
    dead = [
        name
        for name in modules
        if name not in ENTRY_POINTS and not any(name in names for importer, names in imported.items() if importer != name)
    ]
    assert dead == []
    assert modules.keys() >= ENTRY_POINTS


def test_every_capability_is_in_the_plan() -> None:
    """A package with a step is imported by the plan, which is the one list of steps."""
    steps = {f"o2c.{path.parent.name}.step" for path in (ROOT / "o2c").glob("*/step.py") if path.parent.name != "kernel"}
    registered = imported_by(ROOT / "o2c" / "plan.py")
    assert sorted(step for step in steps if step not in registered) == []
    assert len(steps) > 10


def test_no_address_of_a_package_index_is_in_the_clone() -> None:
    """Where packages come from is the machine's choice: the lock holds names, versions and hashes."""
    files = [*ours(".lock", ".toml", ".cfg", ".yml", ".yaml"), *(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run"]
    assert [str(path.relative_to(ROOT)) for path in files if path.is_file() and INDEX.search(path.read_text(encoding="utf-8"))] == []


def test_the_lock_holds_every_dependency_with_hashes() -> None:
    """Each entry of the lock is one exact version with the hash of at least one file."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8").strip())
    wrong = [
        entry.split("\n")[0] for entry in entries if not re.match(r"[a-z0-9][a-z0-9.-]*==\S+ .*?\\\n    --hash=sha256:[0-9a-f]{64}", entry)
    ]
    assert wrong == []
    assert len(entries) > 30


def measured(path: Path) -> dict[str, int]:
    return dict(functions(path))


LONG = "def f():\n" + "    a = 1\n" * 60


@pytest.mark.parametrize(
    ("measure", "text", "found"),
    [
        pytest.param(measured, LONG, {"sample.py:1 f": 61}, id="a long function is measured"),
        pytest.param(
            measured, LONG.replace("():\n", '():\n    """Words.\n\n    More."""\n'), {"sample.py:1 f": 61}, id="words about it are not"
        ),
        pytest.param(measured, "class C:\n    async def f(self): ...\n", {"sample.py:2 f": 1}, id="a method is measured"),
        pytest.param(imported_by, "from o2c.kernel import money\n", {"o2c.kernel", "o2c.kernel.money"}, id="an import from is seen"),
        pytest.param(imported_by, "def f():\n    import o2c.plan as p\n", {"o2c.plan"}, id="an import within is seen"),
        pytest.param(lines, "one\n\nthree\n", 3, id="lines are counted"),
    ],
)
def test_the_measures_see_what_they_look_for(
    measure: Callable[[Path], object], text: str, found: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A function of 61 lines counts 61 whatever is said about it, and an imported module is found under its full name."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    sample = tmp_path / "sample.py"
    sample.write_text(text)
    assert measure(sample) == found


@pytest.mark.parametrize(
    ("pattern", "text", "seen"),
    [
        pytest.param(BARE, "x = 1  # noqa", True, id="noqa-of-everything"),
        pytest.param(BARE, "x = 1  # noqa: F401", True, id="noqa-without-reason"),
        pytest.param(BARE, "x = 1  # noqa: F401, E501 the name is exported", False, id="noqa-with-reason"),
        pytest.param(BARE, "x = 1  # type: ignore", True, id="ignore-of-everything"),
        pytest.param(BARE, "x = 1  # type: ignore[misc]", True, id="ignore-without-reason"),
        pytest.param(BARE, "x = 1  # type: ignore[misc] # the library says Any", False, id="ignore-with-reason"),
        *(pytest.param(PROMISE, f"# {mark}: later", True, id=f"promise-{number}") for number, mark in enumerate(MARKS)),
        pytest.param(PROMISE, f"MAS{MARKS[0]}N", False, id="a-promise-within-a-word"),
        pytest.param(INDEX, "--extra-index-url http://127.0.0.1/", True, id="an-index-as-option"),
        pytest.param(INDEX, f'index = "https://example.org/{SIMPLE}/"', True, id="an-index-as-address"),
        pytest.param(INDEX, "--find-links wheels", True, id="a-folder-of-wheels"),
        pytest.param(INDEX, "# https://example.org/simplest", False, id="no-index"),
    ],
)
def test_the_patterns_see_what_they_look_for(pattern: re.Pattern[str], text: str, seen: bool) -> None:
    """What each search forbids is found in a line that has it, and a line that is in order is left alone."""
    assert (pattern.search(text) is not None) is seen


def test_the_laws_look_at_the_program() -> None:
    """The files looked at are those of the program and of its tests, and nothing that was installed or generated."""
    assert {"o2c/plan.py", "projections/catalogue.py"} <= {path.relative_to(ROOT).as_posix() for path in product()}
    assert Path(__file__) in ours(".py")
    assert {path.parts[len(ROOT.parts)] for path in ours(".py")} <= IN_ROOT
