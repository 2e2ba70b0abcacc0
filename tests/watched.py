"""Triggers on which each rule about them can be tried, and a store that is watched."""

from typing import Any

import pytest

from o2c.desk.customers import record_contact
from o2c.desk.triggers import set_triggers
from o2c.engine.app import Context, Engine
from o2c.fallout.codes import packaged
from o2c.kernel.event import Event
from o2c.running.session import Session
from o2c.running.triggers import Watch
from o2c.triggers import rules
from o2c.triggers.definition import Definition, read
from o2c.triggers.events import TriggerFired, TriggerRetired, TriggerSet
from o2c.triggers.state import FIRING, TRIGGERS, FiringState, TriggersState
from tests.at_hand import TRIGGERS as AT_HAND

OLGA = Context("olga")
SET = TriggerSet.model_validate(TriggerSet.example)
FIRED = TriggerFired.model_validate(TriggerFired.example)
CODES = packaged().newest


def triggers(*events: Event) -> TriggersState:
    """The triggers once these happened."""
    state: TriggersState = TRIGGERS.initial("")
    for event in events:
        state = TRIGGERS.evolve(state, event)
    return state


def defined(**changes: Any) -> dict[str, Definition]:
    """The trigger of the example as a file would say it, with some of it changed."""
    told = {"on": SET.on, "when": SET.when, "then": SET.then, **changes}
    return {SET.trigger: Definition.model_validate(told)}


def trigger(text: str) -> TriggerSet:
    """The one trigger of a file, as it would be set."""
    [(name, each)] = read(text).items()
    return TriggerSet(trigger=name, version=1, on=each.on, when=each.when, then=each.then)


OF_TRIGGERS = [
    pytest.param(TRIGGERS, triggers(), lambda s: rules.set_triggers(s, defined()), id="a-trigger-set"),
    pytest.param(TRIGGERS, triggers(SET), lambda s: rules.set_triggers(s, defined(when=())), id="a-trigger-set-otherwise"),
    pytest.param(
        TRIGGERS, triggers(SET, TriggerRetired(trigger=SET.trigger)), lambda s: rules.set_triggers(s, defined()), id="a-trigger-set-again"
    ),
    pytest.param(TRIGGERS, triggers(SET), lambda s: rules.retire(s, SET.trigger), id="a-trigger-retired"),
    pytest.param(FIRING, FiringState(), lambda s: rules.fire(s, FIRED, CODES), id="a-trigger-fired"),
]
"""By kind of stream and state, the rule that decides once and, on what it made, nothing."""


class Watching:
    """A watch on the store of an engine."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.app: Engine = session.app
        self.watch = Watch(session)

    def set(self, definitions: str) -> None:
        """Put triggers in force."""
        set_triggers(self.app, OLGA, definitions=definitions)

    def fire(self) -> int:
        """Do what is due; how many firings that were."""
        return self.watch.fire()


def watching(session: Session) -> None:
    """The triggers at hand are in force, one of them in its second version; then somebody asks where his order is."""
    watch = Watching(session)
    watch.set(AT_HAND.replace("NP-CODE", "NP-NOANS"))
    watch.set(AT_HAND)
    [first] = session.app.reads.rows("SELECT customer_id FROM projection.orders ORDER BY captured_at LIMIT 1")
    record_contact(session.app, OLGA, first["customer_id"], medium="call", topic="where-is-my-order")
    watch.fire()
