"""The desk for vouchers: issuing a campaign of codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision, just
from o2c.kernel.discounts import Discount
from o2c.kernel.money import to_minor
from o2c.kernel.periods import stamp
from o2c.kernel.recurrence import LENGTH_MAX
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, current
from o2c.views.reading import time_in
from o2c.vouchers.events import VouchersIssued, voucher_stream
from o2c.vouchers.rules import RESERVED_DAYS, issue
from o2c.vouchers.state import CampaignState

Of = Literal["recurring", "one-time"]
Combines = Literal["stackable", "best-of", "exclusive"]


def issue_vouchers(
    app: Engine,
    context: Context,
    campaign: str,
    *,
    percent: str = "",
    amount: str = "",
    of: Of = "recurring",
    months: int = 0,
    combines: Combines = "stackable",
    codes: Sequence[str] = (),
    uses_max: int = 1,
    budget: str = "",
    offerings: Sequence[str] = (),
    tiers: Sequence[str] = (),
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    market: str = HOME,
    reserved_days: int | None = None,
) -> Written:
    """Issue a campaign of vouchers, whose codes an order names as the characteristic `voucher` of an item. Issued again so, it is as it
    was.

    They take `percent` of a price, or an `amount` (decimal text) off each of its periods, for so many `months` (0: for good; nothing for a
    price that is charged once). Each of the `codes` (none: the campaign's name is the one) may be used `uses_max` times, by orders that
    were taken within the validity, for the `offerings` and by customers of the `tiers`, all where none are named. All uses together come to
    `budget` at most. Amounts are net of tax. An order holds a use for so many `reserved_days` at most (0: as long as it goes on; None:
    RESERVED_DAYS), and goes on without it after them. Raises Refused: usage (see `vouchers.rules.issue`; both or neither of percent and
    amount), conflict (the campaign was issued otherwise).
    """
    rules = current(market, app.clock().now.date())
    issued = VouchersIssued(
        campaign=campaign,
        market=rules.code,
        currency=rules.currency,
        codes=tuple(codes) or (campaign,),
        uses_max=uses_max,
        discount=_discount(campaign, rules.currency, percent, amount, of, months, combines),
        offerings=tuple(offerings),
        tiers=tuple(tiers),
        budget_minor=_minor(campaign, budget, rules.currency) if budget else 0,
        valid_from=stamp(valid_from) if valid_from else "",
        valid_to=stamp(valid_to) if valid_to else "",
        reserved_days=RESERVED_DAYS if reserved_days is None else reserved_days,
    )

    def rule(state: CampaignState, at: datetime) -> Decision:
        # Who names no days issues again what was issued before days were kept.
        days = state.issued.reserved_days if state.issued and reserved_days is None else issued.reserved_days
        return just(*issue(state, issued.model_copy(update={"reserved_days": days})))

    return act(app, context, "vouchers.issue", Deed(voucher_stream(campaign), (rule,), issued.model_dump(mode="json")))


def moment(app: Engine, text: str, market: str = HOME) -> datetime | None:
    """Give the time that a text means for the validity of a campaign: a bare day is its midnight by the clock of the market, as its
    customers read it, and nothing is no bound. Raises Refused (usage)."""
    return time_in(text, current(market, app.clock().now.date()).zone) if text else None


def _discount(campaign: str, currency: str, percent: str, amount: str, of: Of, months: int, combines: Combines) -> Discount:
    if bool(percent) == bool(amount):
        raise Refused(f"campaign {campaign[:40]}: give a percentage or an amount, one of them")
    if not 0 <= months <= LENGTH_MAX or (months and of == "one-time"):
        raise Refused(f"campaign {campaign[:40]}: give 0 to {LENGTH_MAX:,} months, and none for a price that is charged once")
    if percent and not (percent.isascii() and percent.replace(".", "", 1).isdigit() and len(percent) < 10 and 0 < Decimal(percent) <= 100):
        raise Refused(f"campaign {campaign[:40]}: {percent[:20]!r} is no percentage above 0 and up to 100")
    amount_minor = _minor(campaign, amount, currency) if amount else 0
    exact = format(Decimal(percent).normalize(), "f") if percent else ""
    return Discount(name=campaign, of=of, percent=exact, amount_minor=amount_minor, lasts_length=months, combines=combines)


def _minor(campaign: str, text: str, currency: str) -> int:
    try:
        minor = to_minor(text, currency)
    except ValueError as error:
        raise Refused(f"campaign {campaign[:40]}: {error}; write it as 5.00") from None
    if minor < 1:
        raise Refused(f"campaign {campaign[:40]}: an amount is above nothing; write it as 5.00")
    return minor
