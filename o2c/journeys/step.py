"""The journeys' entries for the plan: the look at what nothing followed, and the end of a day's key."""

from __future__ import annotations

from o2c.journeys import rules
from o2c.journeys.events import (
    FORGET,
    LOOK,
    JourneyLookFellOut,
    JourneyLookRequested,
    ProspectForgetFellOut,
    ProspectKeyOpened,
)
from o2c.kernel.step import Step

STEP = Step(name=LOOK, requested=JourneyLookRequested, fell_out=JourneyLookFellOut, complete=rules.lose)
FORGETTING = Step(name=FORGET, requested=ProspectKeyOpened, fell_out=ProspectForgetFellOut, complete=rules.forget, facts=rules.of_key)
