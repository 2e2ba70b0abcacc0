"""The port-in's entries for the plan: the request, the cut-over, and the request taken back."""

from __future__ import annotations

from datetime import timedelta

from o2c.kernel.step import ByPartner, Ending, Step
from o2c.orders.wish import PORT_IN
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
    correction_flaw=rules.same_old_code,
    guards=rules.claimed,
    reads=rules.own_number,
    lead=timedelta(minutes=2),
    part=PORT_IN,
    facts=rules.replaced,
    ask=ByPartner(
        partner="clearing-house",
        payload=rules.request,
        timed=rules.day_asked_for,
        refused=rules.too_late,
        code_of=rules.reason_of,
    ),
    ending=Ending(
        recall="porting-cancel",
        done_for_good=rules.cut_over,
        no_return=rules.frozen,
    ),
)
CUTOVER = Step(
    name="cutover",
    requested=CutoverRequested,
    fell_out=CutoverFellOut,
    complete=rules.ported,
    due=rules.cutover_due,
    forecast=rules.ported_by,
    instead=rules.out_of_window,
    part=PORT_IN,
    ask=ByPartner(
        partner="clearing-house",
        payload=rules.cutover_request,
    ),
    ending=Ending(
        no_return=rules.cutting_over,
    ),
)
CANCEL = Step(
    name="porting-cancel",
    requested=PortInCancelRequested,
    fell_out=PortInCancelFellOut,
    complete=rules.withdrawn,
    guards=rules.claimed,
    due=rules.withdrawal_due,
    forceable=True,
    ask=ByPartner(
        partner="clearing-house",
        payload=rules.withdrawal,
        refused=rules.comes_all_the_same,
    ),
)
