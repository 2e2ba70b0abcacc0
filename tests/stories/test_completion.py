"""The shell completes `o2c`: a script for each shell, commands by group, and values where they are a fixed set."""

import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from typer.testing import CliRunner

from o2c.entrypoints.cli.commands import app_for
from o2c.fallout.codes import packaged
from o2c.markets.registry import MARKETS
from o2c.orders.rollup import ORDER_TRANSITIONS

PROGRAM = "import sys; sys.argv[0] = 'o2c'; from o2c.entrypoints.cli.main import main; main()"


def run(tmp_path: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The program as the shell calls it: by name, with the completion's environment. No store is there to be opened."""
    environment = {**os.environ, "O2C_DSN": "host=nowhere.invalid", "O2C_HOME": str(tmp_path), "HOME": str(tmp_path), **more}
    return subprocess.run([sys.executable, "-c", PROGRAM, *words], env=environment, capture_output=True, text=True, timeout=60, check=False)


def completed(words: str) -> set[str]:
    """What bash would offer after these words; the last one, maybe empty, is to be completed."""
    asking = {"_O2C_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    with mock.patch.dict(os.environ, asking):
        return set(CliRunner().invoke(app_for([]), prog_name="o2c").stdout.split())


@pytest.mark.parametrize(
    ("shell", "has"),
    [
        pytest.param("bash", "complete -o default -F _o2c_completion o2c", id="bash"),
        pytest.param("zsh", "compdef _o2c_completion o2c", id="zsh"),
        pytest.param("fish", "complete --command o2c", id="fish"),
    ],
)
def test_each_shell_gets_its_script(tmp_path: Path, shell: str, has: str) -> None:
    """The script is what the shell loads, and calls the program back."""
    done = run(tmp_path, _O2C_COMPLETE=f"source_{shell}")

    assert done.returncode == 0
    assert has in done.stdout
    assert "_O2C_COMPLETE" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_calls_the_program_back(tmp_path: Path, shell: str) -> None:
    """Each shell has its own way of asking; all are offered the commands of orders."""
    asking = {
        "COMP_WORDS": "o2c orders ",
        "COMP_CWORD": "2",
        "_TYPER_COMPLETE_ARGS": "o2c orders ",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = run(tmp_path, _O2C_COMPLETE=f"complete_{shell}", **asking)

    assert {"list", "show", "timeline"} <= set(re.findall(r"[a-z]+", done.stdout))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param("o2c num", {"numbers", "number-ranges"}, id="groups"),
        pytest.param("o2c numbers re", {"reserve", "release"}, id="commands-of-a-group"),
        pytest.param(
            "o2c payments ",
            {"chargeback", "chargeback-won", "deposit", "move", "owed", "preview", "record", "refund", "retry", "show"},
            id="all-of-a-group",
        ),
        pytest.param("o2c orders list --state ", set(ORDER_TRANSITIONS), id="states"),
        pytest.param("o2c fallout list --queue cr", {"credit"}, id="queues"),
        pytest.param("o2c fallout list --reason ", set(packaged().newest.reasons), id="reasons"),
        pytest.param("o2c fallout list --output ", {"table", "json", "jsonl"}, id="formats"),
        pytest.param("o2c fallout resolve X --decide ", {"approve", "decline"}, id="decisions"),
        pytest.param("o2c init --clock s", {"simulated"}, id="clocks"),
        pytest.param("o2c ingest --market ", set(MARKETS), id="markets"),
        pytest.param("o2c load catalogue --market G", {"GB"}, id="markets-of-a-catalogue"),
        pytest.param("o2c partners link cre", {"credit-bureau"}, id="partners"),
    ],
)
def test_commands_and_fixed_values_are_offered(words: str, offered: set[str]) -> None:
    """What can stand at this place, and nothing else; no store is needed for it."""
    assert completed(words) == offered


@pytest.mark.parametrize(
    ("variable", "words", "in_full"),
    [
        pytest.param("COMP_WORDS", "o2c ", [], id="nothing yet"),
        pytest.param("COMP_WORDS", "o2c num", [], id="no word yet"),
        pytest.param("COMP_WORDS", "o2c orders list --state ", ["orders"], id="bash"),
        pytest.param("_TYPER_COMPLETE_ARGS", "o2c orders ", ["orders"], id="zsh and fish"),
    ],
)
def test_only_what_was_reached_is_made_in_full(monkeypatch: pytest.MonkeyPatch, variable: str, words: str, in_full: list[str]) -> None:
    """All the others are offered by name and help: the shell asks anew on each press of the key."""
    monkeypatch.setenv("_O2C_COMPLETE", "complete_bash")
    monkeypatch.setenv(variable, words)

    assert [group.name for group in app_for([]).registered_groups] == in_full


def test_the_program_installs_it(tmp_path: Path) -> None:
    """`--show-completion` prints the script, `--install-completion` puts it where the shell of this user looks."""
    told = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}

    shown = run(tmp_path, "--show-completion", "bash", **told)
    installed = run(tmp_path, "--install-completion", "bash", **told)

    assert "_O2C_COMPLETE" in shown.stdout
    assert installed.returncode == 0
    assert any("_O2C_COMPLETE" in path.read_text() for path in tmp_path.rglob("*") if path.is_file())
