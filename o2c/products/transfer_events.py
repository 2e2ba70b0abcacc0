"""Events of a product that goes to another customer: what its owner agreed to. The other's consent is the order by which it is taken
over."""

from __future__ import annotations

from typing import Literal

from o2c.kernel.event import Event

Commitment = Literal["taken-over", "ended"]
"""What becomes of the fixed term: the new owner takes it over, or it ends, and the one who leaves it pays what that costs."""


class TransferAgreed(Event, name="product.transfer-agreed", stream="product"):
    """The owner agreed that the customer `to` takes the product over, by an order of his own, up to and with the local day `valid_through`.
    `along` are the products in service that rely on it: they go with it, and know so themselves."""

    example = {
        "to": "C-1002", "commitment": "taken-over", "agreed_on": "2026-03-05", "valid_through": "2026-03-19", "along": [],
    }  # fmt: skip
    to: str
    commitment: Commitment
    agreed_on: str
    valid_through: str
    along: tuple[str, ...] = ()


class TransferWithdrawn(Event, name="product.transfer-withdrawn", stream="product"):
    """The owner keeps the product after all, before an order took it over."""

    example = {"withdrawn_on": "2026-03-06"}
    withdrawn_on: str
