"""Laws of the table of permissions: every operation is decided for every role, what is not allowed is forbidden, and no face can forget to ask."""

import ast
import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from o2c.access.permissions import CELLS, DISCLOSED, EVENTS, MASKED, NO, OPERATOR, OWN, PERMISSIONS, ROLES, SEALED, SUBJECTS, YES, read
from o2c.desk.act import permitted, ways
from o2c.desk.fallout import AGREE, ASSIGN
from o2c.desk.gate import CAPTURED_BY, PERSONAL
from o2c.desk.hooks import UNMASKED
from o2c.desk.proving import CODES
from o2c.desk.roles import granted, may, roles_for
from o2c.engine.app import Context
from o2c.entrypoints.verbs_and_views import VERBS, VIEWS, Operation
from o2c.kernel.refusal import Refused
from o2c.plan import KINDS
from o2c.views.access import list_permissions

OFFERED = (*VERBS, *VIEWS)
BY_NAME = {entry.name: entry for entry in OFFERED}
PARTS = {AGREE, ASSIGN, UNMASKED, CODES}
MATRIX = [pytest.param(entry, role, id=f"{role} {entry.name}") for entry in OFFERED for role in (*ROLES, "nobody", "")]
ORDER_DATA = (
    "orders.",
    "customers.",
    "fallout.",
    "numbers.",
    "sims.",
    "ports.",
    "payments.",
    "events.find",
    "events.page",
    "events.tail",
    "streams.",
    "sql",
    "replay",
)
"""Operations begin so that have to do with orders and customers."""
WORDS_OF_THE_TRADE = {"fallout.actions", "fallout.codes"}


def test_every_operation_is_decided_for_every_role() -> None:
    """One line an operation or part of one, in order, one word a role; and no line for what there is not."""
    assert list(PERMISSIONS) == sorted(PERMISSIONS)
    assert PERMISSIONS.keys() == BY_NAME.keys() | PARTS
    assert {tuple(row) for row in PERMISSIONS.values()} == {ROLES}
    assert ROLES == ("service", "agent", "supervisor", "analyst", "auditor", "privacy-officer", "admin")
    assert {cell for row in PERMISSIONS.values() for cell in row.values()} == CELLS
    assert list_permissions()[0] == {"operation": "access.permissions", **dict.fromkeys(ROLES, YES)}


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("operation a b\nx.y yes\n", id="too little"),
        pytest.param("operation a b\nx.y yes no -\n", id="a word that is none"),
        pytest.param("operation a b\nx.y yes - own\n", id="too much"),
        pytest.param("operation a\nx.y yes\nx.y -\n", id="twice"),
    ],
)
def test_a_table_that_leaves_something_open_is_none(table: str) -> None:
    """It is refused as it is read, so that nothing is allowed by a slip."""
    with pytest.raises(ValueError, match=r".+"):
        read(table)
    assert read("operation a b\nx.y yes own\n") == {"x.y": {"a": YES, "b": OWN}}


@pytest.mark.parametrize(("entry", "role"), MATRIX)
def test_who_may_not_reaches_nothing(entry: Operation, role: str) -> None:
    """Whoever has no word in the table is refused before the operation sees its arguments, whatever they are; whoever has one is not."""
    asker = Context("ann", roles=(role,) if role else ())

    if PERMISSIONS[entry.name].get(role, NO) == NO:
        with pytest.raises(Refused, match=f"ann may not use {entry.name}") as caught:
            entry.ask(asker, object(), nonsense=1)
        assert caught.value.kind == "forbidden"
        assert role not in entry.who
    else:
        assert permitted(asker, entry.name) == asker
        assert role in entry.who


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry.name) for entry in OFFERED])
def test_scopes_narrow_and_never_widen(entry: Operation) -> None:
    """What is not in the scopes is forbidden to any role; what is in them is allowed by roles alone; no scopes at all allow nothing."""
    operator, nobody = Context("ann"), Context("ann", roles=())

    assert ways(replace(operator, scopes=frozenset({entry.name})), entry.name) == {YES}
    assert ways(replace(operator, scopes=frozenset()), entry.name) == frozenset()
    assert ways(replace(operator, scopes=frozenset({"orders.other"})), entry.name) == frozenset()
    assert ways(replace(nobody, scopes=frozenset({entry.name})), entry.name) == frozenset()


def test_several_roles_add_up() -> None:
    """Whoever holds two roles may what either may; an unknown one adds nothing, and what there is not is nobody's but the operator's."""
    assert granted(("service", "analyst"), "orders.show") == {OWN, MASKED}
    assert granted(("service", "root"), "orders.show") == {OWN}
    assert not may(("admin", "auditor", "agent"), "orders.explode")
    assert roles_for("orders.explode") == (OPERATOR,)
    assert roles_for("keys.none") == (OPERATOR,)


def test_the_roles_are_what_they_are_for() -> None:
    """The admin has no order data, the analyst nothing in clear, the auditor changes nothing, and a supervisor may what an agent may."""

    def may_in(role: str, *words: str) -> set[str]:
        return {name for name, row in PERMISSIONS.items() if row[role] in words}

    changing = {verb.name for verb in VERBS} | PARTS
    touching = {name for name in PERMISSIONS if name.startswith(ORDER_DATA) and name not in WORDS_OF_THE_TRADE}
    assert may_in("admin", YES, OWN, MASKED) & touching == set()
    assert may_in("analyst", YES, OWN) & touching == {"sql", "replay"}
    for role in ("analyst", "auditor", "privacy-officer"):
        assert may_in(role, YES, OWN, MASKED) & changing == set()
    assert may_in("agent", YES) < may_in("supervisor", YES)
    assert {"fallout.bulk", "fallout.apply-fix", "partners.down", "partners.up", *(PARTS - {CODES})} <= may_in("supervisor", YES) - may_in(
        "agent", YES
    )
    assert {view.name for view in VIEWS} - may_in("auditor", YES) == {"orders.link", "replay"}  # by a link its holder answers
    assert may_in("service", MASKED) == set()
    assert {"access.records"} == {name for name in PERMISSIONS if set(roles_for(name)) == {OPERATOR, "auditor", "privacy-officer"}}


def parameters(entry: Operation) -> set[str]:
    return set(inspect.signature(entry.function).parameters)


def test_what_is_ones_own_can_be_told() -> None:
    """An operation that a role may use on what is its own names the argument that says which thing, or lists by who captured."""
    own = {name for name, row in PERMISSIONS.items() if OWN in row.values()}

    assert {name for name in own if CAPTURED_BY not in parameters(BY_NAME[name])} == SUBJECTS.keys()
    assert {name for name, (_, argument) in SUBJECTS.items() if argument not in parameters(BY_NAME[name])} == set()
    assert own - SUBJECTS.keys() == {
        "customers.list", "hooks.list", "hooks.subscribe", "orders.cancellations", "orders.documents", "orders.list", "products.list",
    }  # fmt: skip


def test_what_is_disclosed_is_named() -> None:
    """Every view that gives what is personal where it is asked for says which kinds that are; so do views of events, and finding by name."""
    giving = {view.name for view in VIEWS if parameters(view) & {*PERSONAL}}

    assert DISCLOSED.keys() == giving | EVENTS | {"orders.find"}
    assert {verb.name for verb in VERBS if parameters(verb) & {*PERSONAL}} == set()


def test_what_is_sealed_has_a_view() -> None:
    """Each kind of stream of this capability is seen among events by who may list what is in it, and by nobody else."""
    assert SEALED.keys() == {kind for kind in KINDS if "o2c.access" in KINDS[kind].evolve.__module__}
    assert set(SEALED.values()) <= {view.name for view in VIEWS}


def test_every_verb_takes_who_asks() -> None:
    """What takes no context is a view: the gate tells the two apart by that."""
    assert {verb.name for verb in VERBS if "context" not in parameters(verb)} == set()
    assert {view.name for view in VIEWS if "context" in parameters(view)} == set()


ROOT = Path(__file__).parents[2]
FUNCTIONS = {(entry.function.__module__, entry.function.__name__): entry.name for entry in OFFERED}
PAST_THE_GATE = {
    "events.last": "Every role may, and it tells nothing but how far the log is.",
    "events.wait": "Every role may, and it tells nothing but that time has passed.",
    "streams.show": "Of a change that came too late, what its caller has not seen, masked: the gate let him decide about that thing.",
}
"""What the service calls by itself, and why."""


def past_the_gate(tree: ast.AST) -> set[str]:
    """The operations whose functions a file gets hold of by importing them, or the module where they are."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {FUNCTIONS.get((node.module, alias.name), "") for alias in node.names}
            modules = {f"{node.module}.{alias.name}" for alias in node.names}
            used = {part.attr for part in ast.walk(tree) if isinstance(part, ast.Attribute)}
            found |= {name for (module, function), name in FUNCTIONS.items() if module in modules and function in used}
    return found - {""}


def test_the_service_calls_nothing_past_the_gate() -> None:
    """A face whose askers have roles gets hold of no function of a verb or view but through the list, which asks."""
    files = sorted((ROOT / "o2c" / "entrypoints" / "http").rglob("*.py"))
    called = {name for path in files for name in past_the_gate(ast.parse(path.read_text(encoding="utf-8")))}

    assert called == PAST_THE_GATE.keys()
    assert {role for role in ROLES if not (may((role,), "events.wait") and may((role,), "events.last"))} == set()
    assert len(files) > 10


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("from o2c.views.order_page import show_order\n", {"orders.show"}, id="a view"),
        pytest.param("from o2c.desk.orders import cancel_order as c\n", {"orders.cancel"}, id="a verb by another name"),
        pytest.param("from o2c.views import order_page\norder_page.show_order(1)\n", {"orders.show"}, id="through its module"),
        pytest.param("from o2c.views.orders import find_order\n", set(), id="what is neither"),
        pytest.param("from o2c.entrypoints.verbs_and_views import VIEWS\nVIEWS[0].ask(1)\n", set(), id="through the list"),
    ],
)
def test_what_is_called_past_the_gate_is_seen(text: str, found: set[str]) -> None:
    """Whichever way a function is got hold of."""
    assert past_the_gate(ast.parse(text)) == found


@pytest.mark.parametrize(("entry", "role"), MATRIX)
def test_who_may_not_is_not_let_in(entry: Operation, role: str) -> None:
    """The question alone is answered as the call is, before anything is looked up for it."""
    if PERMISSIONS[entry.name].get(role, NO) == NO:
        with pytest.raises(Refused, match="may not use") as caught:
            entry.admit(Context("ann", roles=(role,) if role else ()), object(), nonsense=1)
        assert caught.value.kind == "forbidden"
    else:
        assert role in entry.who


def test_a_wrong_call_is_a_refusal() -> None:
    """Arguments that an operation does not take are the caller's mistake, and no defect."""

    def ask(*arguments: Any, **options: Any) -> None:
        BY_NAME["orders.show"].ask(Context("ann"), *arguments, **options)

    for arguments, options in (((), {}), ((None, "WEB-1"), {"nonsense": 1}), ((None, "WEB-1", 1, 2), {})):
        with pytest.raises(Refused, match="show_order: ") as caught:
            ask(*arguments, **options)
        assert caught.value.kind == "usage"
