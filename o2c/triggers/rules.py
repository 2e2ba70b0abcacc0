"""When a trigger is set and retired, which version judges an event, and what an event sets off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from o2c.kernel.decision import NOTHING, Decision, Guard, just
from o2c.kernel.flow import fields_of
from o2c.kernel.identifiers import derived_id
from o2c.kernel.reasons import Codes
from o2c.kernel.refusal import Refused
from o2c.triggers.conditions import holds
from o2c.triggers.definition import Definition, loop, on_types
from o2c.triggers.effects import NEEDS, Task
from o2c.triggers.events import TaskOpened, TriggerFired, TriggerRetired, TriggerSet, TriggerWithheld, Withheld, firing_stream
from o2c.triggers.state import FiringState, TriggersState

DEPTH_MAX = 3
"""So many firings may lead to one another; what would be one more is a loop."""
REASON = "OPS-TASK"
"""The reason code of a task."""


@dataclass(frozen=True, slots=True)
class Version:
    """What holds of a trigger from a position of the log on: as it was `told`, None where it was retired."""

    position: int
    told: TriggerSet | None


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as triggers look at it: where it stands, what was published of it (`data`), whom it is about, and how many firings led to
    it."""

    position: int
    event: str
    type: str
    data: Mapping[str, Any]
    order: str = ""
    customer: str = ""
    depth: int = 0


def set_triggers(state: TriggersState, definitions: Mapping[str, Definition]) -> Decision:
    """Put triggers in force, each as a new version of its name; nothing for one that stands as it is said.

    Raises Refused (usage) where they, with those that stand, would set off one another without end.
    """
    changes = [(name, each) for name, each in definitions.items() if not _stands(state.standing.get(name), each)]
    after = {name: (each.on, each.then.do) for name, each in state.standing.items()}
    after |= {name: (each.on, each.then.do) for name, each in definitions.items()}
    if names := loop(after):
        raise Refused(f"trigger {' sets off '.join((*names, names[0]))}, without end; let {names[0]} be on another event")
    return just(
        *(
            TriggerSet(trigger=name, version=state.versions.get(name, 0) + 1, on=each.on, when=each.when, then=each.then)
            for name, each in changes
        )
    )


def _stands(standing: TriggerSet | None, definition: Definition) -> bool:
    return standing is not None and (standing.on, standing.when, standing.then) == (definition.on, definition.when, definition.then)


def retire(state: TriggersState, trigger: str) -> Decision:
    """Let a trigger do nothing more; nothing where it was retired. Raises Refused (missing) for one that there never was."""
    if trigger not in state.versions:
        raise Refused(f"there is no trigger {trigger[:40]}; see `o2c triggers list`", kind="missing")
    return just(TriggerRetired(trigger=trigger)) if trigger in state.standing else NOTHING


def in_force(versions: Sequence[Version], position: int) -> TriggerSet | None:
    """The version that judges an event at a position: the last one that was told before it; None where there was none."""
    return next((each.told for each in reversed(versions) if each.position < position), None)


def matches(trigger: TriggerSet, type_: str, data: Mapping[str, Any]) -> bool:
    """Whether a trigger is on an event, and all its conditions hold for what was published of that."""
    return type_ in on_types(trigger.on) and all(holds(condition, data) for condition in trigger.when)


def set_off(trigger: TriggerSet, by: Happening, *, possible: bool = True) -> TriggerFired | TriggerWithheld:
    """What a trigger does about an event that it matches, or why it does nothing. `possible`: its order can be held."""
    of: dict[str, Any] = {
        "trigger": trigger.trigger, "version": trigger.version, "event": by.event, "type": by.type, "order": by.order,
        "customer": by.customer, "depth": by.depth + 1,
    }  # fmt: skip
    if reason := _withheld(trigger, by, possible=possible):
        return TriggerWithheld(**of, reason=reason)
    return TriggerFired(**of, then=trigger.then)


def _withheld(trigger: TriggerSet, by: Happening, *, possible: bool) -> Withheld | Literal[""]:
    if by.depth >= DEPTH_MAX:
        return "loop"
    needs = NEEDS[trigger.then.do]
    if needs == "customer" and not (by.customer or by.order):
        return "no-customer"
    if needs == "order" and not by.order:
        return "no-order"
    return "" if possible else "not-possible"


def fire(state: FiringState, firing: TriggerFired | TriggerWithheld, codes: Codes) -> Decision:
    """Write down what an event sets off, once: nothing where that was. A task is opened with it, in its queue."""
    if state.trigger:
        return NOTHING
    guard, holder = firing.held()
    opened = [_task(firing, firing.then, codes)] if isinstance(firing, TriggerFired) and isinstance(firing.then, Task) else []
    return Decision((firing, *opened), takes=(Guard(*guard, holder),))


def _task(firing: TriggerFired, task: Task, codes: Codes) -> TaskOpened:
    fallout = derived_id("fallout", firing_stream(firing.trigger, firing.event), REASON)
    of_code = {**fields_of(codes.reasons[REASON]), "queue": task.queue, "severity": task.severity}
    return TaskOpened(fallout=fallout, detail=task.text, **of_code)
