"""An item of an order as planned."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from o2c.kernel.charges import PriceTerms


@dataclass(frozen=True, slots=True)
class Planned:
    """A line to fulfil, as planned; `waits` maps each step to the steps it waits for.

    Nothing of it begins before `start_on`, and it is neither switched on nor charged before `wished_on`: ISO days local to the market, empty
    for any day. `promised_on` is the day it is promised for, as last revised. `code_given_at` is when a correction brought the porting code:
    None for one that came with the order, LONG_AFTER when that was not kept. An item that changes a `product` in service names the `attributes`; one that
    is added to such products names them (`on_products`).
    """

    item: str
    line: str
    offering: str
    specification: str
    characteristics: dict[str, str]
    relies_on: tuple[str, ...]
    recurring_minor: int
    one_time_minor: int
    terms: PriceTerms
    waits: dict[str, tuple[str, ...]]
    place: str = field(repr=False)
    account: str
    currency: str
    start_on: str = ""
    wished_on: str = ""
    code_given_at: datetime | None = None
    promised_on: str = ""
    product: str = ""
    attributes: tuple[str, ...] = ()
    on_products: tuple[str, ...] = ()
