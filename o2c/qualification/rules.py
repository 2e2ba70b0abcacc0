"""When an address is complete enough to ask about, and when it is served."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.kernel.decision import Decision, just
from o2c.kernel.work import Work
from o2c.markets.addresses import address_flaw
from o2c.qualification.events import AddressQualified


def flaw(work: Work, at: datetime) -> str:
    """Give DQ-ADDR with what the installation address lacks, by the market's rules; empty when it is complete.

    Source: the table of imperfect orders (design, section 11).
    """
    lacking = address_flaw(work.market.addresses, work.subject.place)
    return f"DQ-ADDR: installation address {lacking}" if lacking else ""


def address(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the access network: the `address` and the `offering`."""
    return {"address": work.subject.place, "offering": work.subject.offering}


def qualified(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the network serves the address, on the line that it names."""
    return just(AddressQualified(item=work.item, attempt=work.attempt, line_id=str(data.get("line_id", ""))))
