"""Faces are thin: every verb and view is on every face or says why not, and a face has nothing that is neither, or says why."""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from o2c.desk.roles import OPERATOR
from o2c.entrypoints.cli.commands import PARTS, Part
from o2c.entrypoints.cli.main import app
from o2c.entrypoints.http import feed
from o2c.entrypoints.http.calls import LACKING as LACKING_OVER_HTTP
from o2c.entrypoints.http.client_code import client_files
from o2c.entrypoints.http.native import native
from o2c.entrypoints.python import OrderToCash
from o2c.entrypoints.verbs_and_views import VERBS, VIEWS, Operation
from tests.methods import METHODS

ROOT = Path(__file__).parents[2]
OFFERED = (*VERBS, *VIEWS)
ASKS = {"act", "act_on_all", "permitted"}
"""What a verb calls with its own name, so that it is decided who may use it."""

COMMANDS = {
    "catalogue.load": ["load catalogue"],
    "conformance.states": ["conformance"],
    "customers.load": ["load customers"],
    "fallout.apply-fix": ["fallout prove"],
    "orders.ingest": ["ingest"],
    "projections.repair": ["projections verify"],
    "projections.skipped": ["projections parked"],
    "products.withdrawal": ["products withdraw"],
    "stock.load": ["load sims", "load numbers", "load devices"],
}
"""How a verb or view is called on the command line where that is not its name with a blank for the dot."""

_FILES = "A service hands in papers one by one; whoever has a file and the machine uses the command line."
_UPKEEP = "Upkeep of tables is work for a person who sees its progress and its differences: at a shell, or a rebuild in the console."
_AT_A_DESK = "It answers a person's question at a desk; a service has the order, its events and its own records."
_OWN_VIEWS = "Views are saved for the eyes of a person at a desk; a service keeps its filters in its own code."
_DOCUMENTS = "Documents are what programs exchange in the form of a standard; a person looks at an order's page."
_LISTS = dict.fromkeys(
    ("accounts.list", "catalogue.offerings", "customers.list", "events.page", "payments.invoices"),
    "A list in full is for programs that page through it; a person asks for a customer, an order or an invoice.",
)
_FIGURES = dict.fromkeys(
    ("status", *(f"metrics.{name}" for name in ["ages", "cycle-time", "durations", "flow", "funnel", "headlines", "orders", "promises"])),
    "Figures for machines come from `o2c metrics`, or from the projections in SQL.",
)
LACKING: Mapping[str, Mapping[str, str]] = {
    "http": LACKING_OVER_HTTP,
    "cli": {
        "customers.register": "A person has a file of parties and loads it; single ones come from a service.",
        "events.last": "It is where `events tail` begins by itself.",
        **_LISTS,
        **dict.fromkeys(["orders.annotate", "orders.document", "orders.documents"], _DOCUMENTS),
        "orders.cancellations": "A person sees a cancellation on the order's page and in its timeline.",
        "events.wait": "Every reading command brings itself up to date before it answers.",
        "orders.answer": "It is the customer's own answer; whoever sits at a desk corrects the fallout in his own name.",
        "orders.by-link": "It is the customer's own page; whoever sits at a desk sees the order.",
        "orders.capture": "A person has a file of papers and takes it in, so that every line is accounted for.",
        "usage.take": "A person has a file of records and loads it; texts come from a service.",
        "streams.act": "Rules are code, and code is not typed on a command line.",
        "streams.append": "Plain facts bypass rules: that is for a service that vouches for them, not for a slip of the keyboard.",
        "streams.show": "A person looks at an order's timeline or a number's page, or finds events by order and customer.",
    },
    "python": {
        **dict.fromkeys(
            [
                "access.permissions",
                "catalogue.list",
                "fallout.actions",
                "fallout.codes",
                "fallout.show",
                "numbers.show",
                "orders.find",
                "orders.plan",
                "orders.timeline",
                "payments.show",
                "sims.show",
            ],
            _AT_A_DESK,
        ),
        **dict.fromkeys(["orders.annotate", "orders.cancellations", "orders.document", "orders.documents"], _DOCUMENTS),
        **dict.fromkeys(
            [
                "catalogue.load",
                "customers.load",
                "fallout.load-codes",
                "fallout.load-rates",
                "orders.ingest",
                "stock.load",
                "usage.load",
                "usage.load-zones",
            ],
            _FILES,
        ),
        "diagnose": "Checks are read by whoever runs the server, and by monitoring through the exit code.",
        "events.find": "A service follows with `wait=False` from a mark, and filters what it gets.",
        **dict.fromkeys(("fallout.forget-view", "fallout.save-view", "fallout.saved-views"), _OWN_VIEWS),
        **_FIGURES,
        **_LISTS,
        **{
            f"projections.{name}": _UPKEEP
            for name in ["history", "parked", "rebuild", "repair", "retry", "rollback", "skip", "skipped", "status", "verify"]
        },
        "replay": "A what-if runs a file of Python that a person has just written; a service has no such file.",
        "sql": "A service that wants SQL has a driver and a login of the reader role of its own.",
        "usage.purge": _UPKEEP,
        "store.adopt": "A copy is adopted before anything is written to it, so before any service is started on it.",
    },
}
"""Why a face lacks a verb or view."""

OWN: Mapping[str, Mapping[str, str]] = {
    "cli": {
        "demo": "It does what the other commands do, one after the other, on papers that it invents.",
        "docs": "It writes pages of a checkout from the code and opens no store.",
        "events export": "It writes personal data in clear to a file of this machine; PostgreSQL decides who may read it.",
        "events import": "It copies the history of another store, which its owner alone may; PostgreSQL decides that.",
        "hooks work": "It is a process that goes on for ever, not a wish.",
        "init": "It makes the store itself: before it there is nothing to ask or do.",
        "jeopardy note": "It writes down what is foretold, as a process that goes on would; nobody wishes for anything.",
        "jeopardy work": "It is a process that goes on for ever, not a wish.",
        "messages send": "It sends what is due, as a process that goes on would; nobody wishes for anything.",
        "messages work": "It is a process that goes on for ever, not a wish.",
        "triggers fire": "It does what is due, as a process that goes on would; nobody wishes for anything.",
        "triggers work": "It is a process that goes on for ever, not a wish.",
        "metrics export": "It is a face of its own: the figures in the form that Prometheus reads.",
        "metrics serve": "It is a face of its own: the figures in the form that Prometheus reads.",
        "projections work": "It is a process that goes on for ever, not a wish.",
        "serve": "It is a process that other faces live in, not a wish.",
        "run": "It is a process that lets time pass, not a wish.",
        "simulate orders": "It writes invented papers to files and opens no store.",
        "store keep": "It is a process that goes on until a signal, so that a server of ours stays up; it asks and does nothing.",
        "store roles": "It arranges roles of the server, which its owner alone may; PostgreSQL decides that.",
    },
    "http": {},
    "python": {
        "ask": "It calls any verb or view for somebody with roles, where the others act as whoever has the machine.",
        "close": "It leaves the store; the command line does so at the end of each command.",
        "who": "It says who asks, before there is anything to ask or do.",
    },
}
"""Why a face has what is neither a verb nor a view."""


@dataclass(frozen=True)
class Face:
    """A face: what it has, by name, each with the code behind it, and how it calls a verb or view."""

    has: Mapping[str, Callable[..., Any]]
    calls: Callable[[str], Sequence[str]]

    def lacks(self, offered: Sequence[Operation]) -> set[str]:
        """The verbs and views that it does not have."""
        return {entry.name for entry in offered if not set(self.calls(entry.name)) <= set(self.has) or not self.calls(entry.name)}

    def adds(self, offered: Sequence[Operation]) -> set[str]:
        """What it has that is neither."""
        return set(self.has) - {called for entry in offered for called in self.calls(entry.name)}


def commands(group: Any, *path: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), inspect.unwrap(command.callback)


def methods(cls: type) -> dict[str, Callable[..., Any]]:
    found = {name: function for part in reversed(cls.__mro__[:-1]) for name, function in vars(part).items()}
    return {name: inspect.unwrap(function) for name, function in found.items() if callable(function) and not name.startswith("_")}


FACES = {
    "cli": Face(dict(commands(typer.main.get_command(app))), lambda name: COMMANDS.get(name, [name.replace(".", " ")])),
    "http": Face(
        {route.name: route.endpoint for route in (*(each for part in native() for each in part.routes), *feed.router.routes)},
        lambda name: [name],
    ),
    "python": Face(methods(OrderToCash), lambda name: [METHODS[name]] if name in METHODS else []),
}


@pytest.mark.parametrize("name", FACES)
def test_a_face_has_every_verb_and_view_or_says_why_not(name: str) -> None:
    """A reason for what it has is as wrong as none for what it lacks."""
    assert FACES[name].lacks(OFFERED) == set(LACKING[name])


@pytest.mark.parametrize("name", FACES)
def test_a_face_has_nothing_of_its_own_or_says_why(name: str) -> None:
    """A command or method that is no verb or view would be on one face only, and nobody would have decided who may use it."""
    assert FACES[name].adds(OFFERED) == set(OWN[name])


def test_reasons_are_sentences() -> None:
    """One that is read in a year."""
    reasons = [reason for table in (LACKING, OWN) for told in table.values() for reason in told.values()]
    assert [reason for reason in reasons if not reason.endswith(".") or len(reason.split()) < 6] == []


@pytest.mark.parametrize("name", FACES)
def test_the_laws_see_what_they_look_for(name: str) -> None:
    """A verb that nobody put on a face is seen, and so is what a face has when it is struck from the list."""
    face, planted = FACES[name], Operation("orders.explain", lambda: None)
    struck = next(entry for entry in VERBS if entry.name == "orders.cancel")

    assert face.lacks([*OFFERED, planted]) - face.lacks(OFFERED) == {"orders.explain"}
    assert face.adds([entry for entry in OFFERED if entry is not struck]) - face.adds(OFFERED) == set(face.calls("orders.cancel"))


@pytest.mark.parametrize("name", FACES)
def test_a_face_calls_the_one_function(name: str) -> None:
    """What bears the name of a verb or view names its function in its own file, and does not do the same in another way."""
    face = FACES[name]
    found = {
        (entry.name, called)
        for entry in OFFERED
        for called in face.calls(entry.name)
        if called in face.has
        and getattr(face.has[called], "stands_for", None) is not entry.function
        and entry.function.__name__ not in names(Path(inspect.getsourcefile(face.has[called]) or ""))
    }
    assert found == set()


def test_the_client_is_made_from_the_list() -> None:
    """The table and the types of `o2c.client` are those of the operations as they are; `o2c docs` writes them."""
    made = client_files()
    assert {name: (ROOT / name).read_text(encoding="utf-8") for name in made} == made


def names(path: Path) -> set[str]:
    """Every name and attribute that a file uses."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {node.id for node in nodes if isinstance(node, ast.Name)}


def asked(tree: ast.AST) -> Iterator[str]:
    """The names of verbs for which code asks who may use them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in ASKS:
            yield from (part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str))


def test_the_list_has_the_verbs_that_are_asked_for() -> None:
    """Each name that `act` or `permitted` is called with is a verb, and the function of each verb asks for its own name, for no other."""
    files = [path for folder in ("desk", "files", "running") for path in sorted((ROOT / "o2c" / folder).glob("*.py"))]
    used = sorted(name for path in files for name in asked(ast.parse(path.read_text(encoding="utf-8"))))

    assert used == [verb.name for verb in VERBS]
    assert {verb.name: list(asked(ast.parse(inspect.getsource(verb.function)))) for verb in VERBS} == {
        verb.name: [verb.name] for verb in VERBS
    }


def test_the_list_says_who_what_and_with_which_result() -> None:
    """Names in order, each once; a sentence of help; a role that may; a typed result."""
    assert [[entry.name for entry in entries] for entries in (VERBS, VIEWS)] == [
        sorted({entry.name for entry in entries}) for entries in (VERBS, VIEWS)
    ]
    assert not {verb.name for verb in VERBS} & {view.name for view in VIEWS}
    assert [entry.name for entry in OFFERED if not entry.help.endswith(".") or "return" not in entry.function.__annotations__] == []
    assert [entry.name for entry in OFFERED if entry.who[:1] != (OPERATOR,)] == []


def test_what_a_store_gives_comes_first() -> None:
    """The engine, then the data folder, each by its place: so every face hands them to any verb or view in the same way."""
    found = {entry.name: list(inspect.signature(entry.function).parameters.values()) for entry in OFFERED}
    told = {
        name: [(each.name, each.kind is each.KEYWORD_ONLY) for each in those if each.name in ("app", "home")]
        for name, those in found.items()
    }
    first = {name: [(each.name, False) for each in those[: len(told[name])]] for name, those in found.items()}

    assert {name: places for name, places in told.items() if places != first[name]} == {}


def reaches_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where code does something to an open store by itself instead of handing it to a verb or view; its address may be handed on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr != "dsn":
            inner = node.value
            if isinstance(inner, ast.Attribute) and inner.attr in ("app", "_engine"):
                yield node.lineno, node.attr


def test_faces_hand_the_store_on() -> None:
    """No face reads the log, loads a stream or asks the clock by itself."""
    files = sorted((ROOT / "o2c" / "entrypoints").rglob("*.py"))
    found = [
        f"{path.relative_to(ROOT)}:{line} {what}"
        for path in files
        for line, what in reaches_in(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []
    assert len(files) > 20


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("session.app.load(['order-1'])", [(1, "load")], id="a stream is loaded"),
        pytest.param("rows = self._engine.reads.rows(SQL)", [(1, "reads")], id="a statement is run"),
        pytest.param("show_order(session.app, name)\nexported(session.app.dsn)", [], id="handed on"),
    ],
)
def test_reaching_into_the_store_is_seen(text: str, found: list[tuple[int, str]]) -> None:
    """What a face must not do itself, and what it may."""
    assert list(reaches_in(ast.parse(text))) == found


@pytest.mark.parametrize(("name", "part"), [(name, part) for parts in PARTS.values() for name, part in parts.items()])
def test_the_first_page_says_what_each_command_says_of_itself(name: str, part: Part) -> None:
    """Its sentences stand in a list, so that the page needs no command; they are those of the commands."""
    [said] = [_of_itself(each) for each in (app.registered_groups + app.registered_commands) if each.name == name]
    assert part.help == said


@pytest.mark.parametrize(
    ("group", "name", "part"),
    [(group, *more) for parts in PARTS.values() for group, part in parts.items() for more in part.more.items()],
)
def test_a_group_says_what_each_of_its_commands_says_of_itself(group: str, name: str, part: Part) -> None:
    """Those that stand in modules of their own are not imported for the page of their group."""
    [whole] = [each.typer_instance for each in app.registered_groups if each.name == group]
    assert whole is not None
    [said] = [_of_itself(each) for each in whole.registered_commands if each.name == name]
    assert part.help == said


def _of_itself(registered: Any) -> str:
    if hasattr(registered, "typer_instance"):
        return str(registered.typer_instance.info.help)
    return " ".join((inspect.getdoc(registered.callback) or "").split("\n\n")[0].split())
