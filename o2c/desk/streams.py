"""The desk for services with rules of their own: rules carried through on any stream, and plain facts appended to one that carries no
steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from o2c.customers.events import CustomerRegistered
from o2c.customers.state import CustomerState
from o2c.customers.state import stream_of as customer_stream
from o2c.desk.act import Deed, Rule, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.refusal import Refused
from o2c.kernel.stream import StreamKind, category_of
from o2c.orders.document import parse
from o2c.plan import KINDS
from o2c.views.event_types import event_types, stream_categories

__all__ = ["Event", "act_by_rules", "append_facts"]

TRIES_MAX = 20


def act_by_rules(
    app: Engine, context: Context, stream: str, rules: Sequence[Rule], *, wish: Any, expected_version: int | None = None
) -> Written:
    """Carry rules of the caller's own through on one stream: each gets the state and the time and returns a `Decision`; what follows from
    it (the next steps, the order's end) is written with it, as one command.

    `wish` (plain JSON values) says what was asked and tells a repeat from another wish. Raises Refused: whatever the rules refuse; conflict
    as `append_facts` does; usage for an event the stream cannot hold.
    """

    def fitting(rule: Rule) -> Rule:
        return lambda state, at: _fitting(stream, rule(state, at))

    _kind_of(stream)
    _refuse_no_version(stream, expected_version)
    deed = Deed(stream, tuple(map(fitting, rules)), wish, expected_version=expected_version)
    return act(app, context, "streams.act", deed)


def append_facts(app: Engine, context: Context, stream: str, events: Sequence[Event], *, expected_version: int | None = None) -> Written:
    """Append plain facts, of types in docs/events.md, to a stream that carries no steps (a customer's, the catalogue's).

    `expected_version` is the version the caller decided on, 0 for a stream that is not there yet; left out, the facts hold at any version.
    The caller vouches for them: no rule judges them. Orders, accounts, stock and whatever else carries steps move by rules alone
    (`act_by_rules`): a bare event there would bypass guards and agenda. Raises Refused: usage for such a stream, for an event that it
    cannot hold, and for one that names another customer; missing for a customer who is not registered; conflict when the stream moved on
    meanwhile or the command id was used for something else.
    """
    if _kind_of(stream).carries_steps:
        raise Refused(f"{stream} carries steps and moves by rules, so that guards and agenda hold; use a verb of this class, or act()")
    if not events:
        raise Refused(f"{stream}: no events to append")
    _refuse_no_version(stream, expected_version)
    facts = just(*events)
    _refuse_unstorable(facts)
    wish = ["append", *([event.type_name, event.model_dump(mode="json")] for event in events)]
    own = context if context.command_id else replace(context, command_id=str(uuid4()))

    def rule(state: Any, at: datetime) -> Decision:
        return _of_customer(stream, state, _fitting(stream, facts))

    deed = Deed(stream, (rule,), wish, expected_version=expected_version)
    for turn in range(1, TRIES_MAX + 1):
        try:
            return act(app, own, "streams.append", deed)
        except Refused as refused:
            decided = expected_version is not None or context.expected
            if refused.kind != "conflict" or decided or turn == TRIES_MAX:
                raise
    raise AssertionError("the last turn returns or raises")


def _kind_of(stream: str) -> StreamKind:
    if category_of(stream) not in KINDS:
        raise Refused(f"{stream}: no kind of stream begins so; use one of {', '.join(sorted(KINDS))}")
    return KINDS[category_of(stream)]


def _fitting(stream: str, decision: Decision) -> Decision:
    """Events of types that every reader of the log knows, in streams where they belong."""
    for name, event in (*((stream, event) for event in decision.events), *decision.elsewhere):
        if type(event) not in event_types():
            raise Refused(f"{name}: {type(event).__name__} is no event type of this program; other readers would not know it")
        if category_of(name) not in stream_categories(type(event)):
            raise Refused(f"{name}: {event.type_name} does not belong in such a stream; see docs/events.md")
    return decision


def _refuse_no_version(stream: str, expected: Any) -> None:
    if expected is not None and (type(expected) is not int or expected < 0):
        raise Refused(f"{stream}: an expected version is a whole number from 0; take the last event's `version`")


def _of_customer(stream: str, state: Any, facts: Decision) -> Decision:
    """Facts about a customer stand in that customer's stream, after its papers; other streams are left as they are."""
    if not isinstance(state, CustomerState):
        return facts
    if any(customer_stream(event.customer) != stream for event in facts.events if hasattr(event, "customer")):
        raise Refused(f"{stream}: an event names another customer; append it to that customer's stream")
    if state.papers is None and not isinstance(facts.events[0], CustomerRegistered):
        raise Refused(f"{stream}: this customer is not registered; register it first", kind="missing")
    return facts


def _refuse_unstorable(decision: Decision) -> None:
    for event in decision.events:
        try:
            parse(event.model_dump_json().encode())
        except ValueError as error:
            raise Refused(f"{event.type_name} cannot be stored: {error}") from None
