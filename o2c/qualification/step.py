"""Qualification's entry for the plan."""

from __future__ import annotations

from datetime import timedelta

from o2c.kernel.step import ByPartner, Step
from o2c.qualification import rules
from o2c.qualification.events import QualificationFellOut, QualificationRequested

STEP = Step(
    name="qualification",
    requested=QualificationRequested,
    fell_out=QualificationFellOut,
    complete=rules.qualified,
    check=rules.flaw,
    lead=timedelta(minutes=1),
    forceable=True,
    ask=ByPartner(
        partner="access-network",
        payload=rules.address,
    ),
)
