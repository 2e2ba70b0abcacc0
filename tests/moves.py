"""How things moved in the stories of a law, counted as `o2c conformance states` counts a log; and what is told of that."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from o2c.checks import machines
from o2c.checks.conformance import Moves, Transition, counted
from o2c.checks.machines import BEFORE, Machine
from o2c.checks.trade_rules import RULES
from o2c.kernel.event import Event
from tests.given import Story

BY_STREAM: Mapping[str, tuple[str, Machine]] = {
    "sim": ("sim-states", machines.SIM),
    "number": ("number-states", machines.NUMBER),
    "account": ("charge-states", machines.CHARGE),
}
"""The machines of what an order takes of others, by the beginning of their streams."""
OF_ORDERS = ("order-states", "item-states", "port-states", *(name for name, _ in BY_STREAM.values()))
"""The machines that an order moves before it is over."""
SEEN_MIN = 30
_FAULT = "partners do as they are asked here, but with O2C_FAULTS; faults are told in tests/laws/test_rollup.py"
_LATER = "it happens before the order or after it"
WITHOUT: Mapping[str, str] = {
    **dict.fromkeys(("held", "pending", "failed", "rejected", "partial", "missed", "given-up", "porting-cancel.refused"), _FAULT),
    **dict.fromkeys(("porting.rescheduled", "porting.window-kept"), "no window is moved, as no SIM is late"),
    **dict.fromkeys(("resting", "resumed", "withdrawn", "ported-out", "returned", "reserved"), _LATER),
    **dict.fromkeys(("sim.received", "number.received", "number.rested"), _LATER),
}
"""Why some states and events are not, or hardly, met by orders that are changed in flight."""
ALONE: Mapping[tuple[str, str, str, str], str] = {
    ("number-states", "ported-in", "number.quarantined", "quarantined"): _LATER,
    ("port-states", "agreed", "porting.requested", "asked"): "a port that was agreed is dropped before another is asked for",
    ("order-states", "acknowledged", "", "assessingCancellation"): "an order is cancelled here once something of it has begun",
    **{
        (machine, "assessingCancellation", "", after): "a cancellation that is refused ends the example"
        for machine in ("order-states", "item-states")
        for after in ("acknowledged", "inProgress")
    },
    ("item-states", "assessingCancellation", "", "pendingCancellation"): "an item has no state of its own while a cancellation is assessed",
    ("item-states", "inProgress", "", "assessingCancellation"): "an item has no state of its own while a cancellation is assessed",
}
"""The same for single moves."""
MOVES: Moves = Counter()
"""What the stories of this run made, as far as they were noted."""


def note(story: Story) -> None:
    """Count how an order and all that it took moved."""
    MOVES.update(("item-states" if of else "order-states", before, event, now) for of, before, now, event in story.passed)
    MOVES.update(_moves("port-states", machines.PORT, ((_item(event), event) for event in story.events)))
    for kind, (name, machine) in BY_STREAM.items():
        MOVES.update(_moves(name, machine, _of_kind(kind, story.elsewhere)))


def _of_kind(kind: str, events: Iterable[tuple[str, Event]]) -> Iterator[tuple[str, Event]]:
    """The events of a kind of stream, each with the case that it is of; of an account each charge is one."""
    return ((f"{stream}/{_item(event)}", event) for stream, event in events if stream.startswith(f"{kind}-"))


def _item(event: Event) -> str:
    return str(getattr(event, "item", "")) if event.of_stream in ("order", "account") else ""


def _moves(name: str, machine: Machine, events: Iterable[tuple[str, Event]]) -> Iterator[tuple[str, str, str, str]]:
    """How the cases of a machine moved. What lies in stock when a story begins is told by no event of it."""
    states: dict[str, str] = {}
    for case, event in events:
        if (after := machine.states.get(event.type_name)) is None:
            continue
        state = states.get(case, BEFORE if machine.may(BEFORE, event.type_name) else "available")
        states[case] = after
        if state != after:
            yield name, state, event.type_name, after


def told(moves: Moves = MOVES) -> list[Transition]:
    """Every move that is declared of orders and what they take, and how often it was made."""
    return counted([rule for rule in RULES if rule.name in OF_ORDERS], moves)


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
