"""What follows for a number by itself: one whose line went to another operator is not held here any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from o2c.kernel.decision import Decision
from o2c.kernel.event import Event, Fact
from o2c.kernel.reaction import DecideOn, Reaction
from o2c.numbers.rules import ported_out
from o2c.numbers.state import NumberState, stream_of
from o2c.products.leaving_events import PortOutCompleted


def _concerns(cls: type[Event]) -> bool:
    return issubclass(cls, PortOutCompleted)


def _effects(fact: Fact) -> tuple[DecideOn, ...]:
    done = cast("PortOutCompleted", fact.event)

    def let_go(state: NumberState, at: datetime, book: Any) -> Decision:
        return ported_out(state, done.msisdn, operator=done.operator)

    return (DecideOn(stream_of(done.msisdn), let_go),)


PORTED_OUT = Reaction(name="let-a-ported-number-go", concerns=_concerns, effects=_effects)
