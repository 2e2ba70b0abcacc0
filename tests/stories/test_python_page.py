"""The page for backend services tells the truth: its code runs in the order it stands, and it type-checks as a caller's own would."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from o2c.files import loading
from o2c.simulation.launch_data import catalogue
from tests.world import World

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / "python.md").read_text(), flags=re.MULTILINE | re.DOTALL)


def test_every_block_of_the_page_runs(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after another, as a reader would paste them, on a store with a catalogue and nobody in it."""
    world = World(dsn, tmp_path)
    loading.load_catalogue(world.app, world.written("catalogue.json", json.dumps(catalogue())))
    world.close()
    monkeypatch.setenv("O2C_DSN", dsn)
    known: dict[str, object] = {}

    for number, block in enumerate(blocks(), 1):
        exec(compile(block, f"python.md block {number}", "exec"), known)

    assert "order.captured" in capsys.readouterr().out
    assert known["state"] == "acknowledged"
    assert len(blocks()) > 6


def typed(folder: Path, *files: Path) -> str:
    """What mypy --strict says of a caller's files, outside the checkout, with its cache kept between runs."""
    environment = {**os.environ, "MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache" / "callers")}
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=", *map(str, files)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def test_callers_get_types(tmp_path: Path) -> None:
    """The page's code and the example service pass mypy --strict; a wrong call in them would not."""
    page, wrong = tmp_path / "page.py", tmp_path / "wrong.py"
    page.write_text("\n".join(blocks()))
    wrong.write_text(
        "from o2c import Context, OrderToCash\nOrderToCash().capture(7, Context(actor=1))\nOrderToCash().orders()[0]['stat']\n"
    )

    said = typed(tmp_path, page, DOCS / "example_service.py", wrong)

    assert {line.partition(":")[0] for line in said.splitlines() if ": error:" in line} == {"wrong.py"}
    assert said.count(": error:") == 3


def test_the_package_says_that_it_is_typed_and_stays_light() -> None:
    """`py.typed` stands beside the code, and whoever needs the kernel alone gets no database driver with it."""
    script = "import sys, o2c, o2c.kernel.money; print('psycopg' in sys.modules, sorted(o2c.__all__)); o2c.OrderToCash; print('psycopg' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert (ROOT / "o2c" / "py.typed").exists()
    assert done.stdout.splitlines()[0].startswith("False ['Captured', 'Context'")
    assert done.stdout.splitlines()[1] == "True"


def test_an_unknown_name_is_no_attribute() -> None:
    """A name the package does not have is an AttributeError, as in any other."""
    import o2c

    assert "OrderToCash" in dir(o2c)
    with pytest.raises(AttributeError, match="no attribute 'Dreams'"):
        _ = o2c.Dreams
