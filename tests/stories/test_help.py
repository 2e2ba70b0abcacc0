"""Every command's help says what the command does and gives an example, and every example does what it says on a store where it fits."""

import inspect
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from typer.testing import CliRunner

from o2c import plan
from o2c.desk import hooks as hook_desk
from o2c.desk import invoices as invoice_desk
from o2c.desk import keys as key_desk
from o2c.desk import limits as limit_desk
from o2c.desk import numbers as number_desk
from o2c.desk import quota as quota_desk
from o2c.desk import vouchers as voucher_desk
from o2c.desk.bulk import Query, bulk
from o2c.desk.fallout import Note
from o2c.desk.ledger import close_ledger
from o2c.desk.saving import save_view
from o2c.engine.app import Context, Engine
from o2c.entrypoints.cli.help_pages import examples_of
from o2c.entrypoints.cli.main import DEFECT, EXIT, FAILED, PANELS, TRY_LATER, app
from o2c.entrypoints.cli.setup import SomeRefused
from o2c.files import intake, loading
from o2c.files.event_file import exported
from o2c.running.session import opened
from o2c.simulation.launch import LaunchFiles, write_launch
from o2c.views.reading import caught_up
from projections.engine.operations import catch_up, rebuild
from projections.orders import ORDERS as PROJECTION
from tests.at_hand import JWKS, lay_out
from tests.examples_found import FOUND, FOUND_FOR
from tests.examples_owed import leaving, owing, sending_back, telling, trying
from tests.faults.working import LIMIT_S, children, eventually
from tests.handsets import handset, selling
from tests.hooked import FAILED as REFUSED
from tests.hooked import Hooked, Post
from tests.metered import account_of, included, load, metered, number_of, pack, record
from tests.washed import Washing
from tests.watched import watching
from tests.world import World, order

ORDERS, SEED, UNTIL = 100, 7, datetime(2026, 2, 20, tzinfo=UTC)
"""Small, and far enough to leave fallouts of many kinds open and invoices unpaid."""
SOURCES = Path(__file__).parents[2] / "o2c"


def commands(group: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """Every command under a group, by what is typed to reach it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


Fitting = Callable[[str, str], list[str]]
COMMANDS = dict(commands(typer.main.get_command(app)))
EXAMPLES = [(name, example) for name, command in COMMANDS.items() for example in examples_of(inspect.getdoc(command.callback) or "")]

STARTS = {
    "init": "empty",
    "demo": "empty",
    "run --workers": "real",
    "load": "begun",
    "ingest": "stocked",
    "numbers release": "reserved",
    "credit-notes approve": "noted",
    "fallout job": "worked",
    "fallout saved-views": "worked",
    "fallout forget-view": "worked",
    "ledger closings": "worked",
    **dict.fromkeys(("messages start", "messages work", "triggers set", "triggers work", "jeopardy work"), "begun"),
    **dict.fromkeys(("messages", "care"), "worked"),
    "triggers": "worked",
    "hooks work": "begun",
    "hooks": "hooked",
    "keys revoke": "keyed",
    "issuers distrust": "keyed",
    "usage list": "used",
    "usage gaps": "used",
    "allowances": "used",
    "limits": "used",
    "vouchers show": "used",
    "prepaid refund": "sold",
    "prepaid": "used",
    "quota": "used",
    **dict.fromkeys(("devices", "stock levels", "instalments", "orders withdraw", "products withdraw", "returns"), "sold"),
    **dict.fromkeys(("collections hold", "collections release", "payments owed", "payments refund", "refunds"), "owed"),
    **dict.fromkeys(("payments chargeback-won", "number-ranges close", "number-ranges list"), "owed"),
    **dict.fromkeys(("products port-out", "products switch"), "leaving"),
    **dict.fromkeys(("accounts tree", "journeys", "complaints"), "tried"),
    "projections skip": "parked",
    "events import": "real",
}
"""Which store an example begins with; all others with the launch. What stands first in the example decides."""


@dataclass(frozen=True)
class Stores:
    """Databases to begin with, by name, and the files of the launch that is in them."""

    server_dsn: str
    files: LaunchFiles

    def __getitem__(self, name: str) -> str:
        return make_conninfo(self.server_dsn, dbname=f"help_{name}")

    def copied(self, start: str, name: str) -> str:
        """A database like another, to which nobody is connected."""
        template = "template0" if start == "empty" else f"help_{start}"
        with psycopg.connect(self.server_dsn, autocommit=True) as conn:
            conn.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(f"help_{name}"), Identifier(template)))
        return self[name]

    def dropped(self, name: str) -> None:
        with psycopg.connect(self.server_dsn, autocommit=True) as conn:
            conn.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(f"help_{name}")))


@pytest.fixture(scope="module")
def stores(server_dsn: str, washing: Washing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """An invented launch, kept at each stage of its life."""
    folder = tmp_path_factory.mktemp("launch")
    made = Stores(server_dsn, write_launch(folder, count=ORDERS, seed=SEED))
    with Engine(made.copied("empty", "real"), plan.KINDS) as engine:
        engine.create_clock(kind="real")
    with Engine(made.copied("empty", "begun"), plan.KINDS) as engine:
        engine.create_clock(kind="simulated", seed=SEED)
    _stocked(made.copied("begun", "stocked"), made.files)
    with opened(made.copied("stocked", "launched")) as session:
        intake.Intake(session.app, made.files.orders, folder / "quarantine").run()
        session.runner().run(UNTIL)
        caught_up(session.app)
    with opened(made.copied("launched", "reserved")) as session:
        words = [found(made["reserved"], "numbers reserve", word) for word in ("+447700910001", "WEB-1001")]
        number_desk.reserve(session.app, Context("bob"), *words)
        caught_up(session.app)
    with opened(made.copied("launched", "owed")) as session:
        owing(session, found(made["owed"], "payments record", "BA-1001-20260108"), UNTIL)
    with opened(made.copied("launched", "leaving")) as session:
        leaving(session)
    with opened(made.copied("launched", "tried")) as session:
        trying(session, UNTIL)
    with opened(made.copied("launched", "noted")) as session:
        [row] = session.app.reads.rows("SELECT invoice FROM projection.invoices WHERE total_minor > 10000 ORDER BY 1 LIMIT 1")
        invoice_desk.issue_credit_note(session.app, Context("ann"), row["invoice"], reason="goodwill")
        caught_up(session.app)
    with opened(made.copied("launched", "worked")) as session:
        bulk(session.app, Context("bob"), Query(queue="porting"), Note(), note="a list will come")
        close_ledger(session.app, Context("bob"), date(2026, 1, 31))
        save_view(session.app, Context("ann"), "old ports", reason="NP-CODE")
        telling(session, folder)
        watching(session)
        caught_up(session.app)
    used = metered(made.copied("empty", "used"), folder)
    loading.load_catalogue(
        used.app, used.written("packs.json", json.dumps([pack("data-pack", included("A gift", "roaming", "MB", "50"), "0.00")]))
    )
    limit_desk.set_limit(used.app, Context("bob"), account_of(used), amount="0")
    voucher_desk.issue_vouchers(used.app, Context("bob"), "SPRING", percent="20", months=3)
    used.run(datetime(2026, 1, 10, tzinfo=UTC))
    load(used, record("1", number_of(used), start="2026-01-09T12:00:00Z", sequence=1), record("2", "+447700999111", sequence=4))
    quota_desk.reserve(used.app, Context("bob"), number_of(used), session="pcf-42", kind="sms", quantity=20, request=9)
    used.close()
    sold = selling(World(made.copied("empty", "sold"), folder).stocked())
    sold.take(order("WEB-1", handset("1", instalments="24")))
    sold.run(datetime(2026, 1, 9, tzinfo=UTC))
    sending_back(sold.app)
    caught_up(sold.app)
    sold.close()
    with opened(made.copied("begun", "keyed")) as session:
        key_desk.issue_key(session.app, Context("bob"), acts_as="web-shop", roles=["service"])
        told = {"audience": "o2c", "jwks": JWKS, "claim": "groups", "roles": {"care-desk": "agent"}}
        key_desk.trust_issuer(session.app, Context("bob"), "https://login.example.org", **told)
    with opened(made.copied("stocked", "hooked")) as session:
        begun = {"types": ["customer.registered"], "after": "0"}
        hook = hook_desk.subscribe(session.app, folder, Context("bob"), "https://shop.example/", **begun).hook
        hooked = Hooked(session.app, folder, post=Post(lambda name, attempt: REFUSED))
        hooked.tell(hook)
        hooked.deliverer.close()
    with psycopg.connect(made.copied("launched", "parked")) as conn:
        conn.execute(
            "INSERT INTO projection.parked (name, group_key, position, event_id, error) SELECT 'orders', order_id, position, event_id, 'ValueError'"
            " FROM o2c.event WHERE type = 'order.completed' ORDER BY position LIMIT 1"
        )
    yield made
    for name in {*STARTS.values(), "launched"} - {"empty"}:
        washing.forget(f"help_{name}")
        made.dropped(name)


def _stocked(dsn: str, files: LaunchFiles) -> None:
    with opened(dsn) as session:
        loading.load_catalogue(session.app, files.catalogue)
        loading.load_customers(session.app, files.customers)
        loading.load_stock(session.app, session.runner(), "sims", files.sims_now, None)
        loading.load_stock(session.app, session.runner(), "sims", files.sims_later, files.sims_later_at)
        loading.load_stock(session.app, session.runner(), "numbers", files.numbers, None)


def found(dsn: str, command: str, word: str) -> str:
    """A word of an example, or what it is called in this store."""
    sql = FOUND_FOR.get((command, word)) or FOUND.get(word)
    if sql is None:
        return word
    with psycopg.connect(dsn) as conn:
        row = conn.execute(sql.encode()).fetchone()
    assert row, f"the launch has nothing for {word} of o2c {command}"
    return str(row[0])


@pytest.fixture
def fitting(stores: Stores, washing: Washing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], list[str]]]:
    """Gets everything ready for an example: its own store, the files at hand, and the words it is typed with."""

    def ready(command: str, example: str) -> list[str]:
        start = next((store for first, store in STARTS.items() if example.startswith(f"o2c {first}")), "launched")
        dsn = used.enter_context(washing.like("template0" if start == "empty" else f"help_{start}"))
        shutil.copytree(stores.files.orders.parent, tmp_path / "files")
        lay_out(tmp_path / "files")
        monkeypatch.chdir(tmp_path / "files")
        for name, value in {
            "O2C_DSN": dsn,
            "O2C_HOME": str(tmp_path / "home"),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "O2C_HOOKS_KEY": "00" * 32,
            **dict.fromkeys(("O2C_LINK_KEY", "O2C_LOOKUP_KEY"), "00" * 32),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("O2C_ACTOR", raising=False)
        if command in ("projections rollback", "projections history"):
            catch_up(dsn, [PROJECTION])
            rebuild(dsn, PROJECTION)
        if command == "events import":
            with (tmp_path / "files" / "history.jsonl").open("wb") as out:
                exported(stores["launched"], out, progress=lambda count: None)
        return [found(dsn, command, word) for word in shlex.split(example)[1:]]

    with ExitStack() as used:
        yield ready


ON_STDOUT = ("complaints open", "demo", "events tail", "invoices ubl", "journeys note", "journeys order", "store keep")
"""Commands without -o whose result is for the reader of standard output."""


def is_served(process: subprocess.Popen[str]) -> bool:
    """Whether a service says where it is."""
    return any("o2c on http" in line for line in process.stderr or ())


FOR_EVER: dict[str, Callable[[subprocess.Popen[str]], object]] = {
    "events tail": lambda process: process.stdout and process.stdout.readline(),
    "demo --orders 100 --serve": is_served,
    "serve": is_served,
    "messages work": lambda process: process.stderr and process.stderr.readline(),
    "jeopardy work": lambda process: process.stderr and process.stderr.readline(),
    "triggers work": lambda process: process.stderr and process.stderr.readline(),
    "hooks work": lambda process: process.stderr and process.stderr.readline(),
    "metrics serve": lambda process: process.stderr and process.stderr.readline(),
    "store keep": lambda process: process.stdout and process.stdout.readline(),
    "run --workers": lambda process: eventually(lambda: len(children(process.pid)) == 2),
    "projections work": lambda process: eventually(lambda: len(children(process.pid)) == 2),
}
"""What goes on until a signal ends it, and how it is seen to be at work."""


@pytest.mark.parametrize(("command", "example"), [pytest.param(*pair, id=pair[1].split(" --")[0]) for pair in EXAMPLES])
def test_an_example_does_what_it_says(command: str, example: str, fitting: Fitting) -> None:
    """It is typed as it stands, but for ids that are called otherwise here, and ends with 0."""
    words = fitting(command, example)
    at_work = next((seen for first, seen in FOR_EVER.items() if example.startswith(f"o2c {first}")), None)
    if at_work:
        ended_by_a_signal(words, at_work)
        return

    done = CliRunner().invoke(app, words, catch_exceptions=False)

    assert done.exit_code == 0, done.output
    reads = any(param.name == "output" for param in COMMANDS[command].params)
    assert done.stdout.strip() if reads else not done.stdout or command in ON_STDOUT, "data, and nothing else, goes to standard output"


def ended_by_a_signal(words: list[str], at_work: Callable[[subprocess.Popen[str]], object]) -> None:
    program = [sys.executable, "-m", "o2c.entrypoints.cli.main", *words]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert at_work(process)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=LIMIT_S)
            assert process.returncode == 0
        finally:
            process.kill()


def page(*path: str) -> str:
    """A page of help on a terminal of 80 columns, without its colours."""
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(app, [*path, "--help"], prog_name="o2c").output
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_page(name: str) -> None:
    """A summary that fits two lines of a list, options and arguments that say what they mean, and an example of this very command."""
    command = COMMANDS[name]
    docstring = inspect.getdoc(command.callback) or ""
    summary = docstring.split("\n\n")[0]

    shown = page(*name.split())

    assert summary.endswith(".")
    assert "\n" not in summary
    assert len(summary) <= 120
    assert examples_of(docstring)
    assert all(example.startswith(f"o2c {name}") for example in examples_of(docstring))
    assert all(param.help for param in command.params if not param.hidden)
    assert "<str>" not in "".join(line for line in shown.splitlines() if "--" in line), "an option that takes a word says which: metavar"
    copied = shown.replace("\\\n", "").split("Example", 1)[1].splitlines()[1:]
    assert [" ".join(line.split()) for line in copied if line.strip()] == examples_of(docstring)


def test_every_command_stands_under_a_heading() -> None:
    """`o2c --help` has no rest that nobody placed, and no heading for what is not there."""
    assert sorted(name for names in PANELS.values() for name in names) == sorted({name.split()[0] for name in COMMANDS})


def test_the_first_page_says_how_commands_end_and_what_they_heed() -> None:
    """Exit codes, and every environment variable that the program reads, within 80 columns."""
    shown = page()
    read = {name for path in SOURCES.rglob("*.py") for name in re.findall(r"\bO2C_[A-Z_]+", path.read_text())}

    assert max(map(len, shown.splitlines())) <= 80
    assert {name for name in read if name not in shown} == set()
    for code in {0, *EXIT.values(), FAILED, SomeRefused, DEFECT, TRY_LATER}:
        assert re.search(rf" {code}  \w", shown)


def test_every_placeholder_is_of_use() -> None:
    """A word that no example has any more is no placeholder."""
    words = {(command, word) for command, example in EXAMPLES for word in shlex.split(example)}
    assert set(FOUND) <= {word for _, word in words}
    assert set(FOUND_FOR) <= words


def test_the_program_tells_its_version() -> None:
    """And the newest migration it knows, which says what stores it can open; no store is needed."""
    done = CliRunner().invoke(app, ["--version"])

    assert done.exit_code == 0
    assert done.output.startswith("o2c ")
    assert "newest migration" in done.output


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        pytest.param(["--help"], set(), id="the first page loads no engine"),
        pytest.param(["demo", "--help"], {"o2c.engine.app", "o2c.simulation.launch"}, id="a command loads what it needs"),
        pytest.param(["orders", "list", "--help"], {"o2c.engine.app"}, id="and nothing of the others"),
    ],
)
def test_a_start_imports_what_it_needs(words: list[str], loaded: set[str]) -> None:
    """Half of a start was the import of commands that nobody had typed."""
    heavy = {"o2c.engine.app", "o2c.simulation.launch"}
    program = f"""import sys; sys.argv[1:] = {words!r}
from o2c.entrypoints.cli.main import main
try: main()
except SystemExit: print(sorted(sys.modules.keys() & {heavy!r}), file=sys.stderr)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == str(sorted(loaded))


def test_what_a_start_imported_is_left_to_the_end() -> None:
    """The collector of the process looks at no import again: a seventh of a short command went into that."""
    program = """import gc, sys; sys.argv[1:] = ["orders", "list", "--help"]
from o2c.entrypoints.cli.main import main
try: main()
except SystemExit: print(gc.isenabled(), gc.get_freeze_count() > 10_000, sum(map(len, map(gc.get_objects, range(3)))) < 10_000)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "True True True"
