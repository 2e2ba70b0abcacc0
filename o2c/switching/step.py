"""The switch's entries for the plan: the match, the order, the trigger, and the order called off."""

from __future__ import annotations

from datetime import timedelta

from o2c.kernel.step import RECALL_LEAD, ByPartner, Ending, Renewal, Step
from o2c.orders.dates import from_start
from o2c.switching import events, rules

HUB = "switching-hub"
MATCH = Step(
    name="switch-match",
    requested=events.SwitchMatchRequested,
    fell_out=events.SwitchMatchFellOut,
    complete=rules.matched,
    check=rules.flaw,
    lead=timedelta(minutes=1),
    open_from=from_start,
    forceable=True,
    ask=ByPartner(partner=HUB, payload=rules.question),
)
ORDER = Step(
    name="switch-order",
    requested=events.SwitchOrderRequested,
    fell_out=events.SwitchOrderFellOut,
    complete=rules.ordered,
    check=rules.too_old,
    lead=timedelta(minutes=1),
    forceable=True,
    ask=ByPartner(partner=HUB, payload=rules.under_reference, timed=rules.planned_day),
    ending=Ending(recall="switch-cancel", done_for_good=rules.is_ours),
    renewal=Renewal(of={"SW-EXPIRED": ("switch-match",)}, outdated=rules.promised_otherwise),
)
TRIGGER = Step(
    name="switch-trigger",
    requested=events.SwitchTriggerRequested,
    fell_out=events.SwitchTriggerFellOut,
    complete=rules.triggered,
    lead=timedelta(minutes=1),
    forceable=True,
    ask=ByPartner(partner=HUB, payload=rules.under_reference, timed=rules.since),
)
CANCEL = Step(
    name="switch-cancel",
    requested=events.SwitchCancelRequested,
    fell_out=events.SwitchCancelFellOut,
    complete=rules.called_off,
    lead=RECALL_LEAD,
    forceable=True,
    ask=ByPartner(partner=HUB, payload=rules.under_reference),
)
