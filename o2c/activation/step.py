"""The network's entries for the plan: a service switched on, one that is on changed or switched off, and both taken back."""

from __future__ import annotations

from datetime import timedelta

from o2c.activation import rules
from o2c.activation.events import (
    ActivationCancelFellOut,
    ActivationCancelRequested,
    ActivationFellOut,
    ActivationRequested,
    ServiceChangeCancelFellOut,
    ServiceChangeCancelRequested,
    ServiceChangeFellOut,
    ServiceChangeRequested,
)
from o2c.kernel.step import RECALL_LEAD, ByPartner, Ending, Step
from o2c.orders.changing import gone
from o2c.orders.dates import from_wish
from o2c.orders.in_life import base_ended

STEP = Step(
    name="activation",
    requested=ActivationRequested,
    fell_out=ActivationFellOut,
    complete=rules.activated,
    check=base_ended,
    reads=rules.bases_in_service,
    lead=timedelta(seconds=45),
    open_from=from_wish,
    ask=ByPartner(
        partner="network",
        payload=rules.service,
    ),
    ending=Ending(
        undo=rules.deactivate,
        recall="activation-cancel",
        no_return=rules.switching_on,
    ),
)
CHANGE = Step(
    name="service-change",
    requested=ServiceChangeRequested,
    fell_out=ServiceChangeFellOut,
    complete=rules.service_changed,
    check=gone,
    reads=rules.changed_with_bases,
    lead=timedelta(seconds=45),
    open_from=from_wish,
    ask=ByPartner(
        partner="network",
        payload=rules.change,
    ),
    ending=Ending(
        recall="service-change-cancel",
        no_return=rules.changing,
    ),
)
CANCEL = Step(
    name="activation-cancel",
    requested=ActivationCancelRequested,
    fell_out=ActivationCancelFellOut,
    complete=rules.switched_off,
    reads=rules.bases_in_service,
    lead=RECALL_LEAD,
    forceable=True,
    ask=ByPartner(
        partner="network",
        payload=rules.switch_off,
    ),
)
CHANGE_CANCEL = Step(
    name="service-change-cancel",
    requested=ServiceChangeCancelRequested,
    fell_out=ServiceChangeCancelFellOut,
    complete=rules.change_taken_back,
    reads=rules.changed_with_bases,
    lead=RECALL_LEAD,
    forceable=True,
    ask=ByPartner(
        partner="network",
        payload=rules.as_it_stands,
    ),
)
