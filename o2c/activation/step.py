"""The network's entries for the plan: a service switched on, and one that is on changed or switched off."""

from __future__ import annotations

from datetime import timedelta

from o2c.activation import rules
from o2c.activation.events import ActivationFellOut, ActivationRequested, ServiceChangeFellOut, ServiceChangeRequested
from o2c.kernel.step import ByPartner, Ending, Step
from o2c.orders.changing import gone, product_read
from o2c.orders.dates import from_wish

STEP = Step(
    name="activation",
    requested=ActivationRequested,
    fell_out=ActivationFellOut,
    complete=rules.activated,
    lead=timedelta(seconds=45),
    open_from=from_wish,
    ask=ByPartner(
        partner="network",
        payload=rules.service,
    ),
    ending=Ending(
        undo=rules.deactivate,
        no_return=rules.switching_on,
    ),
)
CHANGE = Step(
    name="service-change",
    requested=ServiceChangeRequested,
    fell_out=ServiceChangeFellOut,
    complete=rules.service_changed,
    check=gone,
    reads=product_read,
    lead=timedelta(seconds=45),
    open_from=from_wish,
    ask=ByPartner(
        partner="network",
        payload=rules.change,
    ),
    ending=Ending(
        no_return=rules.changing,
    ),
)
