"""Vouchers as they are shown."""

from __future__ import annotations

from typing import TypedDict


class VoucherDiscountShown(TypedDict):
    """What a voucher takes off a price: a percentage or an amount of each period, in minor units; for how long (0: for good), and how it
    meets others."""

    name: str
    of: str
    percent: str
    amount_minor: int
    lasts_unit: str
    lasts_length: int
    starts: str
    from_day: str
    priority: int
    combines: str
    voucher: str


class CodeUsesShown(TypedDict):
    """A code: how many of its uses orders hold now, how many are over for good, how many are left, and the ids of the orders that hold
    one."""

    code: str
    reserved: int
    redeemed: int
    left: int
    orders: list[str]


class CampaignShown(TypedDict):
    """A campaign of vouchers. Amounts are minor units, net of tax; `takes_off` is what they do in plain words, and `left_minor` None where
    there is no budget. Orders hold a use for `reserved_days`, 0 for as long as they go on."""

    campaign: str
    market: str
    currency: str
    uses_max: int
    discount: VoucherDiscountShown
    takes_off: str
    offerings: list[str]
    tiers: list[str]
    budget_minor: int
    valid_from: str
    valid_to: str
    reserved_days: int
    reserved_minor: int
    redeemed_minor: int
    left_minor: int | None
    codes: list[CodeUsesShown]
