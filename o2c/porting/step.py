"""The port-in's entries for the plan: the request, and the cut-over."""

from __future__ import annotations

from datetime import timedelta

from o2c.kernel.step import Step
from o2c.porting import rules
from o2c.porting.events import CutoverFellOut, CutoverRequested, PortInFellOut, PortInRequested

STEP = Step(
    name="porting",
    requested=PortInRequested,
    fell_out=PortInFellOut,
    complete=rules.scheduled,
    check=rules.flaw,
    guards=rules.claimed,
    partner="clearing-house",
    payload=rules.request,
    codes={
        "CODE-EXPIRED": "NP-CODE",
        "NAME-MISMATCH": "NP-NAME",
        "NUMBER-INACTIVE": "NP-INACT",
        "BARRED": "NP-BAR",
        "UNAVAILABLE": "NP-CONFLICT",
        "REFUSED": "NP-BAR",
    },
    silence="NP-CONFLICT",
    lead=lambda work: timedelta(minutes=2),
)
CUTOVER = Step(
    name="cutover",
    requested=CutoverRequested,
    fell_out=CutoverFellOut,
    complete=rules.ported,
    partner="clearing-house",
    payload=rules.cutover_request,
    codes={"UNAVAILABLE": "NP-CUTOVER", "PERMANENT": "NP-CUTFAIL", "REFUSED": "NP-CUTFAIL"},
    silence="NP-CUTOVER",
    due=rules.cutover_due,
)
