"""When an address is complete enough to ask about, and when it is served."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work
from o2c.markets.base import address_is_complete
from o2c.qualification.events import AddressQualified


def flaw(work: Work, at: datetime) -> str:
    """Give DQ-ADDR for an installation address without house number or postcode, in the market's form; empty when it is complete.

    Source: the table of imperfect orders (design, section 11).
    """
    return "" if address_is_complete(work.market, work.subject.place) else "DQ-ADDR: installation address without number or postcode"


def address(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the access network: the `address` and the `offering`."""
    return {"address": work.subject.place, "offering": work.subject.offering}


def qualified(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the network serves the address, on the line that it names."""
    return just(AddressQualified(item=work.item, attempt=work.attempt, line_id=str(data.get("line_id", ""))))
