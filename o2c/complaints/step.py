"""The complaints' entry for the plan: the clock that opens the way outside."""

from __future__ import annotations

from o2c.complaints import rules
from o2c.complaints.events import CLOCK, ComplaintClockFellOut, ComplaintClockRequested
from o2c.kernel.step import Step

STEP = Step(
    name=CLOCK, requested=ComplaintClockRequested, fell_out=ComplaintClockFellOut, complete=rules.open_outside, wanted=rules.unresolved
)
