"""Products' entries for the plan: a number that leaves for another operator, the lapse of its code, the notice that a term ends, and what
is switched off with its base."""

from __future__ import annotations

from o2c.kernel.step import ByPartner, Step
from o2c.products import bases, notices, rules, switching
from o2c.products import leaving_events as events
from o2c.products.notice_events import EndNoticeAwaited, EndNoticeFellOut
from o2c.products.off_events import ProductOffFellOut, ProductOffRequested
from o2c.products.state import NOTICE
from o2c.products.switch_events import SwitchOutFellOut, SwitchTriggered

CODE = Step(
    name="porting-code",
    requested=events.PortingCodeLapseAwaited,
    fell_out=events.PortingCodeFellOut,
    complete=rules.code_lapsed,
    wanted=rules.code_wanted,
)
SWITCH_OFF = Step(
    name="port-out",
    requested=events.SwitchOffRequested,
    fell_out=events.SwitchOffFellOut,
    complete=rules.switched_off,
    wanted=rules.going,
    ask=ByPartner(partner="network", payload=rules.switch_off),
)
CUTOVER = Step(
    name="port-out-cutover",
    requested=events.CutoverAwaited,
    fell_out=events.PortOutCutoverFellOut,
    complete=rules.ported_out,
    wanted=rules.going,
    reads=rules.end_reads,
    ask=ByPartner(partner="clearing-house", payload=rules.cut_over, refused=rules.cutover_failed),
)
REACTIVATION = Step(
    name="reactivation",
    requested=events.ReactivationRequested,
    fell_out=events.ReactivationFellOut,
    complete=rules.reactivated,
    wanted=rules.going,
    ask=ByPartner(partner="network", payload=rules.switch_on),
)
END_NOTICE = Step(
    name=NOTICE,
    requested=EndNoticeAwaited,
    fell_out=EndNoticeFellOut,
    complete=notices.notified,
    wanted=notices.still_due,
    facts=notices.told_of,
    reads=notices.streams_read,
)
SWITCH_OUT = Step(
    name="switch-out",
    requested=SwitchTriggered,
    fell_out=SwitchOutFellOut,
    complete=switching.switched_out,
    wanted=switching.leaving,
    facts=switching.said,
    reads=rules.end_reads,
    ask=ByPartner(partner="network", payload=rules.switch_off),
)
OFF_WITH_BASE = Step(
    name="product-off",
    requested=ProductOffRequested,
    fell_out=ProductOffFellOut,
    complete=bases.off_with_base,
    reads=rules.bases_read,
    forceable=True,
    ask=ByPartner(partner="network", payload=rules.switch_off),
)
