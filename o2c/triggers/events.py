"""Events of triggers: what the operator wants done when something happens, and each time that it was."""

from __future__ import annotations

from typing import Literal

from o2c.kernel.event import Event
from o2c.kernel.identifiers import derived_id
from o2c.kernel.shapes import Done, FellOut, Guarded
from o2c.triggers.conditions import Condition
from o2c.triggers.effects import Effect

STREAM = "triggers-main"
"""The one stream that has all triggers in all their versions."""
TASK = "task"
"""The step by which somebody is to do something."""
Withheld = Literal["loop", "no-customer", "no-order", "not-possible"]
_OF = {
    "trigger": "urgent-ports", "version": 1, "event": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", "type": "porting.fell-out",
    "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "customer": "C-1001", "depth": 1,
}  # fmt: skip


class TriggerSet(Event, name="trigger.set", stream="triggers"):
    """From here on in the log, `then` is done for each event whose type is `on` (a name, or a pattern such as `*.fell-out`) and for which
    every condition of `when` holds. It is the `version` of the trigger from now on; what came before is judged by the one before."""

    example = {
        "trigger": "urgent-ports", "version": 1, "on": "porting.fell-out", "when": [{"compare": "equals", "field": "reason", "value": "NP-CUTOVER"}],
        "then": {"do": "task", "queue": "urgent", "severity": 1, "text": "Call the other provider now"},
    }  # fmt: skip
    trigger: str
    version: int
    on: str
    when: tuple[Condition, ...] = ()
    then: Effect


class TriggerRetired(Event, name="trigger.retired", stream="triggers"):
    """Nothing is done by the trigger from here on in the log."""

    example = {"trigger": "urgent-ports"}
    trigger: str


class OfFiring(Guarded):
    """Base of what comes of an event that a trigger, in a version, is on: one thing for good, by a guard.

    `event` is the id of the event and `type` its name; `order` and `customer` are those that it is about, empty where it is about none.
    `depth` counts the firings that led to it, one after another, this one included.
    """

    trigger: str
    version: int
    event: str
    type: str
    order: str = ""
    customer: str = ""
    depth: int = 1

    def held(self) -> tuple[tuple[str, str], str]:
        """What an event sets off is held by its firing for good."""
        return ("firing", f"{self.trigger}/{self.event}"), firing_stream(self.trigger, self.event)


class TriggerFired(OfFiring, name="trigger.fired", stream="firing"):
    """What the trigger is for is done: `then`, as its version says it."""

    example = {**_OF, "then": {"do": "task", "queue": "urgent", "severity": 1, "text": "Call the other provider now"}}
    then: Effect


class TriggerWithheld(OfFiring, name="trigger.withheld", stream="firing"):
    """The event fits, and nothing is done. Too many firings led to it one after another (`loop`), it is about nobody (`no-customer`) or
    about no order (`no-order`), or its order cannot be held (`not-possible`)."""

    example = {**_OF, "reason": "loop", "depth": 4}
    reason: Withheld


class TaskOpened(FellOut, name="trigger.task-opened", step=TASK, stream="firing"):
    """Somebody is to do what the trigger says (`detail`), in the queue that it names. Nothing of an order waits for it."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "OPS-TASK", "fault_class": "manual", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "urgent", "detail": "Call the other provider now", "severity": 1,
    }  # fmt: skip


class TaskClosed(Done, name="trigger.task-closed", step=TASK, stream="firing"):
    """A person did what was to be done (approve), or dropped it (decline)."""

    example = {"fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "decision": "approve"}
    fallout: str
    decision: Literal["approve", "decline"]


def firing_stream(trigger: str, event: str) -> str:
    """Give the name of the stream of what an event sets off by a trigger: one event has one."""
    return f"firing-{derived_id('firing', trigger, event)}"
