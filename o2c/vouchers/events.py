"""Events of a campaign of vouchers. A use is reserved as an order that names the code is validated, and ends once: redeemed or released."""

from __future__ import annotations

from typing import Literal

from o2c.kernel.discounts import Discount
from o2c.kernel.event import Event, Upcast
from o2c.kernel.shapes import Guarded

GUARD = "voucher"
"""The kind of the guards of uses."""


def voucher_stream(campaign: str) -> str:
    """Give the name of a campaign's stream: `voucher-` and its name."""
    return f"voucher-{campaign}"


def campaign_of(code: str) -> str:
    """Give the campaign of a code: the part before the first dash."""
    return code.partition("-")[0]


class VouchersIssued(Event, name="voucher.issued", stream="voucher"):
    """A campaign of vouchers: its `codes`, each of which may be used `uses_max` times, and what they take off, for orders taken from
    `valid_from` on (exclusive end `valid_to`; empty: open).

    They are for the `offerings` and for customers of the `tiers` named, for all where none are. All uses together may come to
    `budget_minor` (0: no bound), net, as they are reserved: what they take off at the prices of the order. A use is reserved for
    `reserved_days` from the validation of its order on; 0 for as long as the order goes on, which is what campaigns did that were issued
    before these days were kept.
    """

    example = {
        "campaign": "SPRING", "market": "GB", "currency": "GBP", "codes": ["SPRING-A1", "SPRING-B2"], "uses_max": 1, "budget_minor": 100000,
        "discount": {"name": "SPRING", "percent": "20", "lasts_length": 3}, "offerings": ["mobile-line"], "tiers": ["standard"],
        "valid_from": "2026-01-01T00:00:00Z", "valid_to": "2026-04-01T00:00:00Z", "reserved_days": 90,
    }  # fmt: skip
    upcasts = (Upcast(defaults={"reserved_days": 0}),)
    campaign: str
    market: str
    currency: str
    codes: tuple[str, ...]
    uses_max: int
    discount: Discount
    offerings: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    budget_minor: int = 0
    valid_from: str = ""
    valid_to: str = ""
    reserved_days: int = 0


class OfUse(Event):
    """Base of the events of one use of a code: the `turn` is its place among those of the code, from 1, which one order at a time has, by a
    guard."""

    order: str
    code: str
    turn: int

    @property
    def use(self) -> tuple[str, str]:
        """The guard (kind, key) of the use."""
        return GUARD, f"{self.code}#{self.turn}"


class VoucherReserved(OfUse, Guarded, name="voucher.reserved", stream="voucher"):
    """An order that names the code was validated: this use is its own, and `amount_minor` of the budget, which is all that it can come to,
    net. Again for an order that was changed and keeps the use: it can come to another amount now."""

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "code": "SPRING-A1", "turn": 1, "amount_minor": 1200}
    amount_minor: int

    def held(self) -> tuple[tuple[str, str], str]:
        """The use is the order's."""
        return self.use, f"order-{self.order}/"


class VoucherRedeemed(OfUse, name="voucher.redeemed", stream="voucher"):
    """What the order wanted the voucher for was delivered: the use is over for good."""

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "code": "SPRING-A1", "turn": 1}


class VoucherReleased(OfUse, Guarded, name="voucher.released", stream="voucher"):
    """Nothing came of what the order wanted the voucher for (`how` it ended; expired: the order held it too long; amended: the order
    was changed and names it no more): the use, and what it had of the budget, may be had again."""

    example = {"order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "code": "SPRING-A1", "turn": 1, "how": "cancelled"}
    how: Literal["cancelled", "failed", "rejected", "partial", "expired", "amended"]

    def held(self) -> tuple[tuple[str, str], str]:
        """Nobody has the use."""
        return self.use, ""
