"""Delivery's entry for the plan."""

from __future__ import annotations

from datetime import timedelta

from o2c.delivery import rules
from o2c.delivery.events import DeliveryFellOut, DeliveryRequested, ParcelHandedOver
from o2c.kernel.reasons import PARCEL_LOST
from o2c.kernel.step import ByPartner, Ending, Renewal, Step
from o2c.orders.dates import from_start

STEP = Step(
    name="delivery",
    requested=DeliveryRequested,
    fell_out=DeliveryFellOut,
    complete=rules.delivered,
    check=rules.flaw,
    lead=timedelta(minutes=30),
    open_from=from_start,
    forecast=rules.delivered_by,
    forceable=True,
    ask=ByPartner(
        partner="courier",
        payload=rules.parcel,
        undertaken=ParcelHandedOver,
    ),
    ending=Ending(
        no_return=rules.handed_over,
    ),
    renewal=Renewal(
        # A parcel that is found again must not put a second SIM of the line, or a second device, into the world.
        of={PARCEL_LOST: ("sim", "device")},
    ),
)
