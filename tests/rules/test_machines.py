"""The state machines that are declared: of which states and events they are, what each event leaves, and how often a log made each move."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from o2c.checks import machines
from o2c.checks.conformance import MACHINE_NAMES, Moves, counted, held_against
from o2c.checks.trade_rules import RULES
from o2c.devices.state import KIND as DEVICE
from o2c.numbers.state import KIND as NUMBER
from o2c.sim.state import KIND as SIM
from tests.declared import EVENT_TYPES, History, broken, held, number, of, sim, steps, window
from tests.histories import of_order, seen
from tests.lives_of_journeys import OF_JOURNEYS


@pytest.mark.parametrize(
    ("machine", "kind"), [(machines.SIM, SIM), (machines.NUMBER, NUMBER), (machines.DEVICE, DEVICE)], ids=["sim", "number", "device"]
)
def test_the_states_of_a_machine_are_those_of_the_fold(machine: machines.Machine, kind: Any) -> None:
    """The table names every event that moves the fold, and the state to which it does. A golden number is one on offer, too."""
    told = {}
    for name, cls in EVENT_TYPES.items():
        if cls.of_stream == kind.category:
            status = kind.evolve(kind.initial(""), cls.model_validate(cls.example)).status
            told |= {name: status.replace("golden", "available").replace("_", "-")} if status else {}

    assert told == dict(machine.states)


@pytest.mark.parametrize(
    "name",
    [
        "SIM",
        "NUMBER",
        "DEVICE",
        "PORT",
        "CHARGE",
        "INVOICE",
        "PRODUCT",
        "PORT_OUT",
        "END_NOTICE",
        "SWITCH_OUT",
        "SWITCH_IN",
        "ON",
        "CHANGE_OF_SERVICE",
        "OFF_WITH_BASE",
        "PROFILE",
        "VISIT",
        "SUSPENSION",
        "JOURNEY",
        "COMPLAINT",
    ],
)
def test_a_machine_names_every_state_it_has(name: str) -> None:
    """A state that nothing leads to, or that is not in the table, is a slip."""
    machine: machines.Machine = getattr(machines, name)
    states = set(machine.states.values())

    assert set(machine.allowed) == states | {machines.BEFORE}
    assert set().union(*machine.allowed.values()) == states


@pytest.mark.parametrize(
    ("history", "why"),
    [
        pytest.param([number("number.received"), number("number.reserved", 1), number("number.rested", 2)], "number.rested of one that is reserved", id="rested"),
        pytest.param([sim("sim.received"), sim("sim.taken", 1), sim("sim.returned", 2), sim("sim.received", 3)], "sim.received of one that is returned", id="received"),
        pytest.param([of_order(0, "porting.requested"), of_order(0, "porting-cancel.requested", 1), window()], "porting.scheduled of one that is being-dropped", id="scheduled"),
    ],
)  # fmt: skip
def test_an_event_leaves_the_states_that_it_may_leave(history: History, why: str) -> None:
    """Where several events bring one state, each has its own beginnings, although the states may follow one another."""
    assert [why for found in broken(history).values() for why in found] == [why]


def test_a_port_that_is_dropped_no_more_goes_on_as_declared() -> None:
    """Its window is kept in the append that says so: it was told as a move that is not declared."""
    names = ("porting.requested", "porting.scheduled", "porting-cancel.requested", "porting.window-kept", "porting-cancel.refused")
    history = [window(name) if name == "porting.scheduled" else of_order(0, name, 5 + place) for place, name in enumerate(names)]
    assert broken(history).get("port-states", []) == []
    assert broken([history[0], history[2], history[1]])["port-states"] == ["porting.scheduled of one that is being-dropped"]


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        pytest.param(f"{kind}-A", told, id=f"{kind}, {name}")
        for kind in ("journey", "complaint")
        for name, told in OF_JOURNEYS[kind].items()
    ],
)
def test_lives_of_journeys_and_complaints_keep_to_their_machines(stream: str, told: Sequence[tuple[str, Any]]) -> None:
    """Every life that the golden folds know moves as declared."""
    history = [of(stream, name, minutes, **changes) for minutes, (name, changes) in enumerate(told)]

    assert broken(history) == {}
    assert sum(held(history)[f"{kind}-states"].orders for kind in ("journey", "complaint")) == 1


def moves(history: History) -> list[tuple[str, str, str, str, int]]:
    """How things moved, by the declared machines."""
    counts: Moves = Counter()
    held_against(RULES, lambda types: [record for record in seen(history) if record.type in types], moves=counts)
    return [(one.machine, one.state, one.event, one.to, one.seen) for one in counted(RULES, counts)]


def test_every_declared_move_is_told_and_how_often_it_was_made() -> None:
    """Of a machine each event that leaves a state; of an order each state that may follow, with the events by which it did."""
    rows = moves([*steps("sim.requested"), sim("sim.received"), sim("sim.taken", 1), sim("sim.scrapped", 2)])

    assert [row[1:] for row in rows if row[0] == "sim-states"] == [
        ("", "sim.received", "available", 1), ("assigned", "sim.returned", "returned", 0), ("assigned", "sim.scrapped", "scrapped", 1),
        ("available", "sim.taken", "assigned", 1), ("returned", "sim.restocked", "available", 0),
    ]  # fmt: skip
    assert ("item-states", "acknowledged", "sim.requested", "inProgress", 1) in rows
    assert ("item-states", "inProgress", "", "completed", 0) in rows
    assert {row[0] for row in rows} == set(MACHINE_NAMES)


def test_a_move_that_is_not_declared_is_told_as_well() -> None:
    """It is a rule that is broken, and a row that nobody declared."""
    assert ("sim-states", "available", "sim.scrapped", "scrapped", 1) in moves([sim("sim.received"), sim("sim.scrapped", 1)])
