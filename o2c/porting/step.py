"""The port-in's entries for the plan: the request, the cut-over, and the request taken back."""

from __future__ import annotations

from datetime import timedelta

from o2c.kernel.step import Step, recall_lead
from o2c.porting import rules
from o2c.porting.events import (
    CutoverFellOut,
    CutoverRequested,
    PortInCancelFellOut,
    PortInCancelRequested,
    PortInFellOut,
    PortInRequested,
)

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
    recall="porting-cancel",
    no_return=rules.window_open,
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
    no_return=rules.cutting_over,
)
CANCEL = Step(
    name="porting-cancel",
    requested=PortInCancelRequested,
    fell_out=PortInCancelFellOut,
    complete=rules.withdrawn,
    guards=rules.claimed,
    partner="clearing-house",
    payload=rules.withdrawal,
    codes={"UNAVAILABLE": "NP-CONFLICT", "TOO-LATE": "NP-LATE", "PERMANENT": "NP-LATE", "REFUSED": "NP-LATE"},
    silence="NP-CONFLICT",
    lead=recall_lead,
    forceable=True,
)
