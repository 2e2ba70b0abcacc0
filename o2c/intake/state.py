"""An intake as a fold of its stream: how often its file was gone through to the end."""

from __future__ import annotations

from dataclasses import dataclass

from o2c.intake.events import IntakeClosed
from o2c.kernel.event import Event
from o2c.kernel.stream import StreamKind


@dataclass(frozen=True, slots=True)
class IntakeState:
    """`closings` counts completed passes over the file; the next pass is `closings + 1`."""

    closings: int = 0


def evolve(state: IntakeState, event: Event) -> IntakeState:
    return IntakeState(state.closings + 1) if isinstance(event, IntakeClosed) else state


KIND = StreamKind(category="intake", shape_version=1, state_type=IntakeState, initial=lambda _: IntakeState(), evolve=evolve)
