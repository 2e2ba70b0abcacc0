"""Vouchers: what a campaign takes off, and how its codes and its budget stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from o2c.engine.app import Engine
from o2c.kernel.money import from_minor
from o2c.kernel.refusal import Refused
from o2c.views.reading import plain
from o2c.views.shown import CampaignShown

if TYPE_CHECKING:
    from o2c.vouchers.state import CampaignState

PREFIX = "voucher-"


def show_vouchers(app: Engine, *, campaign: str = "") -> list[CampaignShown]:
    """Campaigns of vouchers by name, or the one named: terms, budget, and of each code how many uses are open, reserved and redeemed.

    A code names its campaign as well. Amounts are minor units, net of tax. Raises Refused (missing).
    """
    streams = [f"{PREFIX}{campaign.partition('-')[0]}"] if campaign else app.reads.streams_like(PREFIX)
    loaded = app.load(streams)
    found = [_shown(state) for stream in sorted(streams) if (state := cast("CampaignState", loaded[stream].state)).issued]
    if campaign and not found:
        raise Refused(f"no vouchers of campaign {campaign[:40]} were issued; see `o2c vouchers show`", kind="missing")
    return found


def _shown(state: CampaignState) -> CampaignShown:
    issued = state.issued
    assert issued is not None
    discount, amount = issued.discount, from_minor(issued.discount.amount_minor, issued.currency)
    uses = {code: state.uses.get(code) for code in issued.codes}
    told = {
        **issued.model_dump(mode="json", exclude={"codes"}),
        "takes_off": discount.words if discount.percent else discount.words.replace("an amount", f"{amount} {issued.currency}"),
        "reserved_minor": state.reserved_minor,
        "redeemed_minor": state.redeemed_minor,
        "left_minor": state.left_minor if issued.budget_minor else None,
        "codes": [
            {
                "code": code,
                "reserved": len(use.open) if use else 0,
                "redeemed": use.redeemed if use else 0,
                "left": issued.uses_max - (use.taken if use else 0),
                "orders": _orders(list(use.open) if use else []),
            }
            for code, use in uses.items()
        ],
    }
    return cast("CampaignShown", plain(told))


def _orders(orders: Sequence[str]) -> list[str]:
    return sorted(orders)
