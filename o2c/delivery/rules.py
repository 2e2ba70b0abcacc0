"""When a parcel may go out and when it has arrived."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.delivery.events import ParcelDelivered
from o2c.kernel.decision import Decision, just
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.markets.addresses import address_flaw
from o2c.markets.base import end_of_working_day
from o2c.orders.dates import PARCEL_WORKING_DAYS


def delivered_by(work: Work, at: datetime) -> datetime:
    """Give the time by which a parcel that is handed over at a time is normally delivered."""
    return end_of_working_day(work.market, at, PARCEL_WORKING_DAYS)


def flaw(work: Work, at: datetime) -> str:
    """Give DQ-ADDR with what the delivery address lacks, by the market's rules; empty when it is complete.

    Source: the table of imperfect orders (design, section 11).
    """
    lacking = address_flaw(work.market.addresses, work.subject.place)
    return f"DQ-ADDR: delivery address {lacking}" if lacking else ""


def parcel(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the courier: the `iccid` of the SIM, or the `imei` of the device, and the `address`."""
    piece = {"imei": work.outcomes["device"]["imei"]} if "device" in work.outcomes else {"iccid": work.outcomes["sim"]["iccid"]}
    return {**piece, "address": work.subject.place}


def delivered(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the parcel reached the customer, under the courier's reference."""
    reference, delivered_on = str(data.get("reference", "")), local_date(at, work.market.zone).isoformat()
    return just(ParcelDelivered(item=work.item, attempt=work.attempt, reference=reference, delivered_on=delivered_on))


def handed_over(work: Work, at: datetime) -> str:
    """Give the reason why a parcel that may be in the courier's hands can no longer be cancelled; empty before that.

    A hard point of no return. Source: order life cycle, section 4 (points of no return: ParcelHandedOver).
    """
    return "its parcel was handed to the courier, or is about to be" if work.with_partner("delivery", at) else ""
