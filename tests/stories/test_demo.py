"""The demo, shown twice on one machine, and what it says to type next."""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell import Program, one_line

ROOT = Path(__file__).parents[2]
ORDERS = 8


class Alone(Program):
    """Runs `o2c` on the embedded server of a home."""

    def __init__(self, home: Path) -> None:
        super().__init__("", home)
        del self.environment["O2C_DSN"]


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the server's user can reach."""
    made = Path(tempfile.mkdtemp(prefix="o2c-demo-"))
    made.chmod(0o755)
    yield made / "store"
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.once
def test_a_second_demo_works_and_says_where_the_first_is(home: Path) -> None:
    """The first one's store is moved aside, with its orders in it, and what to type next names the store it was."""
    shell = Alone(home)
    first, second = (shell.run("demo", "--orders", str(ORDERS), "--seed", seed) for seed in ("7", "8"))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert f"the last demo's store is now in {home}.before" in second.stderr
    assert f"O2C_HOME={home} " in second.stdout
    counts = [Alone(place).data("status", "-o", "json")["ingest"]["lines"] for place in (home, Path(f"{home}.before"))]  # type: ignore[index]  # JSON
    assert counts == [ORDERS, ORDERS]
    assert f"{ORDERS} in all" in second.stdout


@pytest.mark.once
def test_a_store_of_ones_own_is_left_alone(home: Path) -> None:
    """What no demo made, no demo moves."""
    shell = Alone(home)
    assert shell.run("init", "--clock", "simulated").returncode == 0

    refused = shell.run("demo", "--orders", str(ORDERS))

    assert refused.returncode == 4
    assert "holds a store already" in one_line(refused)


@pytest.mark.once
def test_the_environment_is_made_by_the_interpreter_below(tmp_path: Path) -> None:
    """With the project's own .venv active, a script that makes it again would throw away the python that it runs."""
    venv.create(tmp_path / "active", with_pip=False)
    text = (ROOT / "scripts" / "_env").read_text()
    function = text[: text.index("o2c_stamp=")]
    path = os.pathsep.join([str(tmp_path / "active" / "bin"), os.environ["PATH"]])

    found = subprocess.run(["/bin/sh", "-c", f"{function}\no2c_python"], capture_output=True, text=True, check=True, env={"PATH": path})

    python = Path(found.stdout.strip())
    assert python.exists()
    assert not python.is_relative_to(tmp_path)
    assert not python.is_relative_to(sys.prefix) or sys.prefix == sys.base_prefix
