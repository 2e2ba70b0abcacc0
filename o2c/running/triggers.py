"""Watching for what triggers are on: the log is read on, and what each event sets off is written down once, then done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from o2c.desk.act import Context, Deed, foreseen, taken_down
from o2c.engine.app import Engine
from o2c.engine.drafts import Loaded
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.orders.state import OrderState
from o2c.orders.suspending import suspend
from o2c.running.looking import POLL_S, Looker
from o2c.running.session import Session
from o2c.store.clock import move_policy, policy_position
from o2c.store.turns import turn
from o2c.triggers import rules
from o2c.triggers.definition import on_types
from o2c.triggers.effects import Alarm, Hold
from o2c.triggers.events import TriggerFired, TriggerSet, TriggerWithheld, firing_stream
from o2c.triggers.rules import Happening, Version
from o2c.triggers.state import FiringState
from o2c.views.following import EventRecord, Mark, Wanted, find_events, last_event
from o2c.views.triggers import depths, histories, owner_of

logger = structlog.get_logger(__name__)
ACTOR = "triggers"
NAME = "fire-triggers"
PAGE_EVENTS = 500
Firing = TriggerFired | TriggerWithheld


class Watch(Looker):
    """Fires the triggers of a store. One process at a time does; another waits for its turn.

    What is written down is so under a command id made of trigger and event, and a guard: whatever dies, and however many work, an event
    sets a trigger off once. `fired` counts what was written down, `begun` is called as `run` begins.
    """

    waits = "triggers_wait_for_the_server"

    def __init__(self, session: Session, *, poll_s: float = POLL_S, begun: Callable[[], None] = lambda: None) -> None:
        super().__init__(session.app, poll_s, begun)
        self.fired = 0

    def look(self) -> None:
        """Fire what is due."""
        self.fire()

    def fire(self) -> int:
        """Read the log up to what readers see, and do what the events since the last look set off; how many firings were written down.

        Each event is judged by the triggers as they stood at its place in the log. Does nothing while another process has the turn.
        """
        before = self.fired
        with turn(self.app.log_recorder.datastore, NAME) as ours:
            if ours:
                self._read_on()
        return self.fired - before

    def _read_on(self) -> None:
        store = self.app.log_recorder.datastore
        # First: every trigger that was told before that place is seen by then.
        top = last_event(self.app).position
        versions = histories(self.app)
        first = min((each[0].position for each in versions.values()), default=top)
        begin = max(policy_position(store, NAME) or 0, first)
        types = tuple(
            sorted({name for each in versions.values() for version in each if version.told for name in on_types(version.told.on)})
        )
        while types and begin < top and not self._stopping.is_set():
            page = list(find_events(self.app, Wanted(types=types), after=Mark(begin, None), before=top + 1, limit=PAGE_EVENTS))
            self._attend(page, versions)
            begin = page[-1].position if len(page) == PAGE_EVENTS else top
            move_policy(store, NAME, begin)

    def _attend(self, page: Sequence[EventRecord], versions: Mapping[str, Sequence[Version]]) -> None:
        """Do what the events of a page set off."""
        hits = [(record, trigger) for record in page for trigger in self._matching(record, versions)]
        deep = depths(self.app, [record for record, _ in hits])
        loaded = self.app.load({f"order-{order}" for record, _ in hits if (order := owner_of(record)[0])})
        firings: dict[str, tuple[Firing, str]] = {}
        for record, trigger in hits:
            order, customer = owner_of(record)
            by = Happening(record.position, record.id, record.type, record.data, order, customer or _party(order, loaded), deep[record.id])
            wanted = rules.set_off(trigger, by)
            held = _held(self.app, wanted)
            if held and foreseen(self.app, [held])[0] is not None:
                wanted = rules.set_off(trigger, by, possible=False)
            firings[firing_stream(trigger.trigger, record.id)] = (wanted, record.id)
        if firings:
            self._write(firings)

    def _matching(self, record: EventRecord, versions: Mapping[str, Sequence[Version]]) -> Iterator[TriggerSet]:
        in_force = (rules.in_force(each, record.position) for each in versions.values())
        return (trigger for trigger in in_force if trigger and rules.matches(trigger, record.type, record.data))

    def _write(self, firings: Mapping[str, tuple[Firing, str]]) -> None:
        """Write down firings, all in one append, and then do what is done elsewhere: a death between the two is made good by the next
        look."""
        codes = self.app.codes()

        def rule(state: FiringState, at: datetime, *, firing: Firing) -> Decision:
            return rules.fire(state, firing, codes.at(at))

        deeds = [
            Deed(stream, (partial(rule, firing=firing),), [firing.trigger, cause], cause=cause, command_id=_command(firing))
            for stream, (firing, cause) in firings.items()
        ]
        done = taken_down(self.app, Context(ACTOR, channel="engine"), deeds)
        for (firing, _), written in zip(firings.values(), done, strict=True):
            if isinstance(written, Refused):
                raise written
            if not written.repeated and not written.unchanged:
                self.fired += 1
                _tell(firing)
        held = [deed for firing, _ in firings.values() if (deed := _held(self.app, firing))]
        for deed, written in zip(held, taken_down(self.app, Context(ACTOR, channel="engine"), held), strict=True):
            if isinstance(written, Refused):
                logger.warning("order_not_held", stream=deed.stream, refused=written.kind)


def _held(app: Engine, firing: Firing) -> Deed | None:
    """The deed by which an order is held, caused by its firing and done once; None for another effect. One that is suspended stays as it
    is."""
    if not isinstance(firing, TriggerFired) or not isinstance(firing.then, Hold):
        return None
    days, note = timedelta(days=firing.then.days), f"{firing.trigger}: {firing.then.text}"

    def rule(state: OrderState, at: datetime) -> Decision:
        at = app.clock().latest(at)
        return NOTHING if state.suspended else suspend(state, until=at + days, waits_for="us", note=note, at=at, book=app.book)

    command = _command(firing)
    wish = ["hold", firing.trigger, firing.event]
    return Deed(f"order-{firing.order}", (rule,), wish, cause=derived_id(command, "0"), command_id=derived_id(command, "hold"))


def _command(firing: Firing) -> str:
    return derived_id("firing", firing.trigger, firing.event)


def _party(order: str, loaded: Mapping[str, Loaded]) -> str:
    return str(loaded[f"order-{order}"].state.party) if order else ""


def _tell(firing: Firing) -> None:
    """An alarm stands in the log of the program, which is what programs that watch read."""
    of = {"trigger": firing.trigger, "version": firing.version, "event_id": firing.event, "order": firing.order}
    if isinstance(firing, TriggerWithheld):
        logger.warning("trigger_withheld", reason=firing.reason, **of)
    elif isinstance(firing.then, Alarm):
        logger.warning("alarm", severity=firing.then.severity, text=firing.then.text, **of)
