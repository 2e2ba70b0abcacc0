"""When a parcel may go out and when it has arrived."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.delivery.events import ParcelDelivered
from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work
from o2c.markets.base import address_is_complete


def flaw(work: Work, at: datetime) -> str:
    """A parcel needs a house number and a postcode."""
    return "" if address_is_complete(work.market, work.subject.place) else "DQ-ADDR: delivery address without number or postcode"


def parcel(work: Work) -> Mapping[str, Any]:
    return {"iccid": work.outcomes["sim"]["iccid"], "address": work.subject.place}


def delivered(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(ParcelDelivered(item=work.item, attempt=work.attempt, reference=str(data.get("reference", ""))))


def handed_over(work: Work, at: datetime) -> str:
    """Hard point of no return of a parcel (order life cycle, section 4); one that may be in the courier's hands counts."""
    return "its parcel was handed to the courier, or is about to be" if work.with_partner("delivery", at) else ""
