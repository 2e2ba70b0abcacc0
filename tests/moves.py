"""How things moved in the stories of a law, counted as `o2c conformance states` counts a log; and what is told of that."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from o2c.checks import machines
from o2c.checks.conformance import Moves, Transition, counted
from o2c.checks.machines import BEFORE, Machine
from o2c.checks.trade_rules import RULES
from o2c.kernel.event import Event
from tests.given import Story

BY_STREAM: Mapping[str, tuple[str, Machine, str]] = {
    "sim-states": ("sim", machines.SIM, "available"),
    "number-states": ("number", machines.NUMBER, "available"),
    "charge-states": ("account", machines.CHARGE, "running"),
    "product-states": ("product", machines.PRODUCT, "active"),
    "product-off-states": ("product", machines.OFF_WITH_BASE, ""),
}
"""The machines of what an order takes of others, or changes: the beginning of their streams, and the state in which they are found when a story begins."""
BY_ITEM: Mapping[str, Machine] = {
    "port-states": machines.PORT,
    "on-states": machines.ON,
    "service-change-states": machines.CHANGE_OF_SERVICE,
    "profile-states": machines.PROFILE,
    "visit-states": machines.VISIT,
}
"""The machines of what partners do for an item."""
OF_PRODUCTS = ("service-change-states", "product-states", "product-off-states")
"""The machines that an order moves which changes products in service."""
OF_ORDERS = ("order-states", "item-states", *(name for name in (*BY_ITEM, *BY_STREAM) if name not in OF_PRODUCTS))
"""The machines that every other order moves before it is over."""
SEEN_MIN = 30
_LATER = "it happens before the order or after it"
_UNDER_WAY = "what waits for somebody is under way again by what he decides, and what is held is let go, before it ends or is taken back"
_ROLLUP = "rare among orders that are changed; tests/laws/test_rollup.py draws every answer and decision"
_BY_HAND = "nobody counts as done here what can be tried again"
WITHOUT: Mapping[str, str] = {
    **dict.fromkeys(
        ("resting", "resumed", "ported-out", "reserved", "sim.received", "sim.restocked", "number.received", "number.rested"), _LATER
    ),
}
"""Why some states and events are not, or hardly, met by orders that are changed in flight."""


def _moves_of(machine: str, before: str, *after: str) -> Iterator[tuple[str, str, str, str]]:
    """Moves of an order or item, by whatever event."""
    return ((machine, before, "", one) for one in after)


ALONE: Mapping[tuple[str, str, str, str], str] = {
    ("number-states", "ported-in", "number.quarantined", "quarantined"): _LATER,
    ("number-states", "quarantined", "number.returned", "returned"): _LATER,
    ("number-states", "returned", "number.brought-in", "ported-in"): _LATER,
    **dict.fromkeys(_moves_of("item-states", "pending", "completed", "failed", "acknowledged"), _UNDER_WAY),
    **dict.fromkeys(_moves_of("item-states", "held", "cancelled", "pendingCancellation"), _UNDER_WAY),
    **dict.fromkeys(_moves_of("order-states", "pending", "failed", "rejected", "partial", "completed"), _UNDER_WAY),
    **dict.fromkeys(_moves_of("item-states", "pending", "cancelled", "held", "pendingCancellation"), _ROLLUP),
    **dict.fromkeys(_moves_of("item-states", "held", "pending"), _ROLLUP),
    **dict.fromkeys(_moves_of("item-states", "acknowledged", "pending"), "an item waits for somebody once something of it was asked for"),
    **dict.fromkeys(_moves_of("item-states", "inProgress", "partial"), "only an order or a bundle is partial"),
    **dict.fromkeys(_moves_of("item-states", "pending", "partial"), "only an order or a bundle is partial"),
    **dict.fromkeys(_moves_of("item-states", "acknowledged", "rejected"), "an order is rejected before it has items"),
    **dict.fromkeys(_moves_of("item-states", "pending", "rejected"), "an order is rejected before it has items"),
    **dict.fromkeys(
        [
            *_moves_of("item-states", "assessingCancellation", "acknowledged", "held", "inProgress", "pending", "pendingCancellation"),
            *(move for before in ("held", "inProgress", "pending") for move in _moves_of("item-states", before, "assessingCancellation")),
        ],
        "an item has no state of its own while a cancellation is assessed",
    ),
    **dict.fromkeys(
        _moves_of("order-states", "assessingCancellation", "acknowledged"), "of what has not begun nothing is past its point of no return"
    ),
    **dict.fromkeys(_moves_of("order-states", "pending", "pendingCancellation"), "a cancellation is assessed first"),
    **dict.fromkeys(
        (("product-states", "serving", f"product.{after}", after) for after in ("suspended", "terminated")),
        "what serves again is changed by the next order",
    ),
    ("port-states", "asked", "porting.window-kept", "agreed"): "a window is moved here before its cut-off",
    ("on-states", "being-switched-off", "activation.requested", "asked"): _BY_HAND,
    ("profile-states", "asked", "esim.downloaded", "on-a-device"): _BY_HAND,
    ("profile-states", "being-called-off", "esim.requested", "asked"): _BY_HAND,
    ("visit-states", "being-called-off", "appointment.requested", "asked"): _BY_HAND,
}
"""The same for single moves."""
MOVES: Moves = Counter()
"""What the stories of this run made, as far as they were noted."""


def note(story: Story) -> None:
    """Count how an order and all that it took moved."""
    MOVES.update(("item-states" if of else "order-states", before, event, now) for of, before, now, event in story.passed)
    for name, machine in BY_ITEM.items():
        MOVES.update(_moves(name, machine, ((_item(event), event) for event in story.events)))
    for name, (kind, machine, found) in BY_STREAM.items():
        MOVES.update(_moves(name, machine, _of_kind(kind, story.elsewhere), found, story.found))


def _of_kind(kind: str, events: Iterable[tuple[str, Event]]) -> Iterator[tuple[str, Event]]:
    """The events of a kind of stream, each with the case that it is of; of an account each charge is one."""
    return ((_case(stream, event), event) for stream, event in events if stream.startswith(f"{kind}-"))


def _case(stream: str, event: Event) -> str:
    return f"{stream}/{getattr(event, 'order', '')}/{_item(event)}" if event.of_stream == "account" else stream


def _item(event: Event) -> str:
    return str(getattr(event, "item", "")) if event.of_stream in ("order", "account") else ""


def _moves(
    name: str, machine: Machine, events: Iterable[tuple[str, Event]], found: str = BEFORE, begun: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[str, str, str, str]]:
    """How the cases of a machine moved. What lies in stock or is in service when a story begins is told by no event of it: it is `found`
    in that state, but for cases that had `begun` to be in another."""
    states = dict(begun)
    for case, event in events:
        if (after := machine.states.get(event.type_name)) is None:
            continue
        state = states.get(case, BEFORE if machine.may(BEFORE, event.type_name) else found)
        states[case] = after
        if state != after:
            yield name, state, event.type_name, after


def told(of: Collection[str] = OF_ORDERS, moves: Moves = MOVES) -> list[Transition]:
    """Every move that is declared of orders and what they take, and how often it was made."""
    return counted([rule for rule in RULES if rule.name in of], Counter({move: seen for move, seen in moves.items() if move[0] in of}))


def rare(rows: Iterable[Transition]) -> Iterator[tuple[str, str, str, str]]:
    """The moves that were made less often than it takes to believe a law about them: machine, states, and the event where one is declared. An order or item
    moves from state to state by many events, which count together."""
    together: Counter[tuple[str, str, str, str]] = Counter()
    for row in rows:
        event = row.event if row.machine not in ("order-states", "item-states") else ""
        together[row.machine, row.state, event, row.to] += row.seen
    return (move for move, seen in sorted(together.items()) if seen < SEEN_MIN)


def unexplained(rows: Iterable[Transition]) -> list[tuple[str, str, str, str]]:
    """The rare moves that nothing says why they are."""
    return [move for move in rare(rows) if WITHOUT.keys().isdisjoint(move) and move not in ALONE]


def undeclared(rows: Iterable[Transition]) -> list[Transition]:
    """The moves that were made and that no machine declares."""
    declared = {(rule.name, state, after) for rule in RULES for state, _, after in rule.declared()}
    return [row for row in rows if (row.machine, row.state, row.to) not in declared]
