"""When an address is good enough to ask about, and served."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work
from o2c.markets.base import address_is_complete
from o2c.qualification.events import AddressQualified


def flaw(work: Work, at: datetime) -> str:
    """A line is found by house number and postcode."""
    return "" if address_is_complete(work.market, work.subject.place) else "DQ-ADDR: installation address without number or postcode"


def address(work: Work) -> Mapping[str, Any]:
    return {"address": work.subject.place, "offering": work.subject.offering}


def qualified(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(AddressQualified(item=work.item, attempt=work.attempt, line_id=str(data.get("line_id", ""))))
