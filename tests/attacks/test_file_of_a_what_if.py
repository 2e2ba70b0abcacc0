"""The file of a what-if is code of somebody's. It runs where it can change nothing, whatever the login of the person who runs it may do.

What holds it back is its process: what only tries that is the same on every server (`once`). What logins may do, and rows, is tried on each.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from o2c.kernel.refusal import Refused
from o2c.store.database import prepare
from projections.catalogue import BY_NAME
from projections.engine.apart import loaded_apart
from projections.engine.operations import FoldFailed, as_of, catch_up, rebuild
from projections.engine.what_if import Outcome, Stretch, what_if
from tests.histories import append, captured, order_id, planned, query, table_of
from tests.store.test_roles import database_apart, login

ORDERS = BY_NAME["orders"]
HEAD = """
from dataclasses import replace
from projections.orders import ORDERS
"""
LOUD = f"{HEAD}\nP = replace(ORDERS, rows=lambda group, doc: [{{**row, 'channel': row['channel'].upper()}} for row in ORDERS.rows(group, doc)])"


@pytest.fixture(scope="module")
def store(server_dsn: str) -> Iterator[str]:
    """A store with roles, a login in each, and three orders that are folded. Every test leaves it so."""
    with database_apart(server_dsn) as dsn:
        append(dsn, [captured(number, number) for number in range(3)])
        catch_up(dsn)
        yield dsn


@pytest.fixture
def ask(store: str, tmp_path: Path) -> Callable[..., Outcome]:
    """Asks what if, with the text of a file."""

    def ask(text: str, *, dsn: str = store, stretch: Stretch | None = None, progress: Any = lambda stage, share: None) -> Outcome:
        path = tmp_path / "other.py"
        path.write_text(text)
        with loaded_apart(path) as foreign:
            [(projection, fold)] = foreign
            return what_if(dsn, projection, stretch or Stretch(), fold=fold, progress=progress)

    return ask


def attacking(body: str, dsn: str) -> str:
    """A file that tries something for every event and changes nothing else; what goes wrong is told by its rows."""
    tried = "\n    ".join(body.format(dsn=dsn, parent="os.getppid()").splitlines())
    return f"""{HEAD}
import ctypes, os, pathlib, signal, socket, subprocess, threading
import psycopg
def attack():
    {tried}
def evolve(doc, seen):
    try:
        attack()
    except BaseException as error:
        return {{**ORDERS.evolve(doc, seen), "tried": type(error).__name__}}
    return {{**ORDERS.evolve(doc, seen), "tried": "it worked"}}
P = replace(ORDERS, evolve=evolve, fields=None, columns={{**ORDERS.columns, "tried": "text"}},
    rows=lambda group, doc: [{{**row, "tried": doc["tried"]}} for row in ORDERS.rows(group, doc)])
"""


ATTACKS = {
    "rows of a projection": "psycopg.connect('{dsn}', autocommit=True).execute('SET default_transaction_read_only = off; DELETE FROM projection.orders')",
    "the role taken off": "psycopg.connect('{dsn}', autocommit=True).execute('RESET ROLE; DELETE FROM projection.orders')",
    "a socket": "socket.socket(socket.AF_UNIX)",
    "the network": "socket.create_connection(('127.0.0.1', 9), 1)",
    "a file": "pathlib.Path('{folder}/written').write_text('x')",
    "a file made longer": "os.open('{folder}/there', os.O_RDONLY | os.O_APPEND)",
    "a file emptied": "os.open('{folder}/there', os.O_RDONLY | os.O_TRUNC)",
    "a file removed": "pathlib.Path('{folder}/there').unlink(missing_ok=True)",
    "a folder": "pathlib.Path('{folder}/made').mkdir(exist_ok=True)",
    "a right": "pathlib.Path('{folder}/there').chmod(0o777)",
    "a program": "subprocess.run(['true'], check=True)",
    "a process": "os.fork() or os._exit(0)",
    "a signal": "os.kill({parent}, signal.SIGCONT)",
    "memory of the one who started it": "open(f'/proc/{{{parent}}}/mem', 'r+b')",
    "a door of the kernel's": "ctypes.CDLL(None, use_errno=True).syscall(425, 8, 0) >= 0 or int('io_uring is refused')",
}
"""What would change something, by what it would change; `{dsn}` is a superuser's, `{folder}` one that its file may write."""


def tried(dsn: str, outcome: Outcome) -> set[str]:
    """What the attacks of a run came to."""
    assert outcome.schema
    return {row["tried"] for row in query(dsn, f"SELECT tried FROM {outcome.schema}.orders")}


@pytest.fixture
def attack(store: str, tmp_path: Path) -> Callable[..., set[str]]:
    """Runs the file of an attack by a login, and says what it came to."""

    def attack(name: str, dsn: str) -> set[str]:
        (tmp_path / "there").touch()
        path = tmp_path / "attack.py"
        path.write_text(attacking(ATTACKS[name].replace("{folder}", str(tmp_path)), store))
        with loaded_apart(path) as [(projection, fold)]:
            return tried(store, what_if(dsn, projection, keep=True, fold=fold))

    return attack


@pytest.mark.once
@pytest.mark.parametrize("name", ATTACKS)
def test_a_file_changes_nothing(store: str, attack: Callable[..., set[str]], name: str) -> None:
    """Run by a superuser, and though it knows how to connect as one: every attempt fails, and the what-if comes to its end."""
    assert attack(name, store) in ({"PermissionError"}, {"OperationalError"}, {"ValueError"})
    assert table_of(store, ORDERS) == as_of(store, ORDERS)


def test_a_file_under_the_login_of_a_projector_changes_nothing(store: str, attack: Callable[..., set[str]]) -> None:
    """Whose login may write rows of projections: its file may not."""
    assert attack("rows of a projection", login(store, "projector")) == {"OperationalError"}
    assert table_of(store, ORDERS) == as_of(store, ORDERS)


UNCONFINED = "import sys\nfrom projections.engine import confined\nconfined.confine = lambda: False\n"


@pytest.mark.once
@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in ("the network", "a door of the kernel's")])
def test_control_without_the_filter_the_same_file_does_it(
    store: str, attack: Callable[..., set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Where the system cannot confine a process the file does what it likes, and whoever runs it is told that it may."""
    (tmp_path / "sitecustomize.py").write_text(UNCONFINED)
    monkeypatch.syspath_prepend(tmp_path)
    with capture_logs() as logged:
        assert attack(name, store) == {"it worked"}
    rebuild(store, ORDERS)
    assert [entry["event"] for entry in logged] == ["file_not_confined"]


@pytest.mark.once
def test_a_file_is_told_no_connection(store: str, ask: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process has neither the store's connection string nor what libpq and the engine read from the environment."""
    for name in ("O2C_DSN", "O2C_LOOKUP_KEY", "PGPASSWORD", "PGHOST"):
        monkeypatch.setenv(name, "secret")
    named = "[name for name, value in os.environ.items() if value == 'secret' or name.startswith(('O2C', 'PG'))]"
    outcome = ask(
        f"import os{HEAD}\nP = replace(ORDERS, rows=lambda group, doc: [{{**row, 'channel': str({named})}} for row in ORDERS.rows(group, doc)])"
    )
    assert {row.expected and row.expected["channel"] for row in outcome.diff.rows} == {"[]"}


def test_without_roles_a_file_is_held_back_as_well(dsn: str, tmp_path: Path) -> None:
    """It is the process that is confined and not the login, so a server that grants no roles makes no difference."""
    prepare(dsn)
    append(dsn, [captured(0)])
    catch_up(dsn)
    path = tmp_path / "attack.py"
    path.write_text(attacking(ATTACKS["rows of a projection"], dsn))
    with loaded_apart(path) as [(projection, fold)]:
        assert tried(dsn, what_if(dsn, projection, keep=True, fold=fold)) == {"OperationalError"}
    assert table_of(dsn, ORDERS) == as_of(dsn, ORDERS)


def test_it_comes_to_what_it_comes_to_here(store: str, ask: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    """Folded elsewhere, whole or in parts of the groups, and with events that come meanwhile: the same rows and differences."""
    here = what_if(
        store, replace(ORDERS, rows=lambda group, doc: [{**row, "channel": row["channel"].upper()} for row in ORDERS.rows(group, doc)])
    )
    assert (there := ask(LOUD)) == here
    assert ask(LOUD, stretch=Stretch(order=order_id(1))).rows == 1
    monkeypatch.setattr("projections.engine.what_if.PASS_EVENTS", 2)
    assert ask(LOUD) == there


def test_what_comes_meanwhile_is_folded_on_elsewhere_too(dsn: str, ask: Callable[..., Outcome]) -> None:
    """The live tables move on while the history is folded; what they took since is no difference."""
    prepare(dsn)
    append(dsn, [captured(number, number) for number in range(3)])
    catch_up(dsn, [ORDERS])

    def told(stage: str, share: float) -> None:
        if stage == "indexed":
            append(dsn, [planned(0), captured(70)])
            catch_up(dsn, [ORDERS])

    outcome = ask(LOUD, dsn=dsn, progress=told)
    assert (outcome.diff.columns, outcome.diff.gained, outcome.diff.lost) == ({"channel": 4}, 0, 0)


def test_a_predicate_of_types_and_a_group_of_its_own(ask: Callable[..., Outcome]) -> None:
    """What a file chooses by code comes over as what it chose."""
    outcome = ask(
        f"{HEAD}\nP = replace(ORDERS, name='channels', types=lambda cls: cls.type_name == 'order.captured', group=lambda seen: seen.channel,"
        " evolve=lambda doc, seen: {'n': doc.get('n', 0) + 1}, columns={'channel': 'text', 'n': 'integer'}, key=('channel',), indexes=(), views={},"
        " initial={}, rows=lambda group, doc: [{'channel': group, 'n': doc['n']}])"
    )
    assert (outcome.events, [row.expected for row in outcome.diff.rows]) == (3, [{"group_key": "web", "channel": "web", "n": 3}])


FAILING = {
    "evolve": ("evolve=lambda doc, seen: 1 // 0", r"cannot take order\.captured at position \d+ \(order-.* version 1\): ZeroDivisionError at other"),
    "group": ("group=lambda seen: seen.body['x']", r"cannot name the group of order\.captured at position \d+ .*: KeyError at other"),
    "rows": ("rows=lambda group, doc: doc['nothing']", "cannot make rows of group .*: KeyError at other"),
    "no rows of its columns": ("rows=lambda group, doc: [{'channel': 1}]", "cannot make rows of group .*: KeyError"),
    "no document": ("evolve=lambda doc, seen: [1]", "gave an answer that fits no question"),
    "no JSON": ("evolve=lambda doc, seen: {'x': {1}}, rows=lambda group, doc: []", "TypeError"),
    "its end": ("evolve=lambda doc, seen: __import__('os')._exit(3)", r"ended \(exit 3\) before it had answered"),
    "no answer": ("evolve=lambda doc, seen: [__import__('os').write(fd, b'{}\\n') for fd in range(3, 9)]", "."),
}  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize(("text", "says"), [pytest.param(*case, id=name) for name, case in FAILING.items()])
def test_a_file_that_fails_is_one_line(ask: Callable[..., Outcome], text: str, says: str) -> None:
    """Whatever its code does, the run ends as a fold that failed."""
    with pytest.raises(FoldFailed, match=says):
        ask(f"{HEAD}\nP = replace(ORDERS, {text})")


@pytest.mark.once
def test_what_a_file_prints_is_no_answer(ask: Callable[..., Outcome], capfd: pytest.CaptureFixture[str]) -> None:
    """It goes to the person who runs it, beside the answer."""
    assert ask(f"{LOUD}\nprint('hello')").diff.changed == 3
    assert capfd.readouterr() == ("", "hello\n")


@pytest.mark.once
def test_a_file_that_is_none(ask: Callable[..., Outcome]) -> None:
    """It is refused as before, with the line of its error."""
    with pytest.raises(Refused, match=r"does not load: ZeroDivisionError at other.py:1"):
        ask("1 / 0")


_WAITS = """
import sys
from pathlib import Path
from projections.engine.apart import loaded_apart
with loaded_apart(Path(sys.argv[1])):
    pass
"""


@pytest.mark.once
def test_a_file_that_never_ends_ends_with_the_command(tmp_path: Path) -> None:
    """Killed in the middle, the command leaves no process behind."""
    path = tmp_path / "other.py"
    path.write_text("print('running')\nwhile True: pass")
    command = [sys.executable, "-c", _WAITS, str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stderr
        assert process.stderr.readline() == "running\n"
        process.kill()
        # Its end is the end of what the file's process holds open too.
        assert process.communicate(timeout=30) == (None, "")
