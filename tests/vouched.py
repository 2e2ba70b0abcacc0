"""Campaigns of vouchers in the laws of rules, beside rises of prices: the rule that issues one decides once."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from o2c.kernel.decision import just
from o2c.vouchers.events import VouchersIssued
from o2c.vouchers.rules import issue
from o2c.vouchers.state import KIND, CampaignState
from tests.rises import OF_RISES

ISSUED = VouchersIssued.model_validate(VouchersIssued.example)
LIFE: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]] = {
    "issued": (("voucher.issued", {}),),
    "used, given back, used again": (
        ("voucher.issued", {"uses_max": 2}),
        ("voucher.reserved", {}),
        ("voucher.reserved", {"order": "B", "turn": 2}),
        ("voucher.released", {}),
        ("voucher.redeemed", {"order": "B", "turn": 2}),
        ("voucher.reserved", {"order": "C"}),
        ("voucher.released", {"order": "B", "turn": 2}),
    ),
}
"""What becomes of a campaign: by what it shows, the types of its events and what differs from their examples."""
OF_VOUCHERS = [pytest.param(KIND, CampaignState(), lambda s: just(*issue(s, ISSUED)), id="issue-vouchers")]
OF_PRICES = [*OF_RISES, *OF_VOUCHERS]
"""By kind of stream and state, the rules about prices that decide once and, on what they made, nothing."""
