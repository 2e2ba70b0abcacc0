"""Events of the notice that the fixed term of a contract ends, and of the best prices that whoever stays is told of.

Source: Directive (EU) 2018/1972, art. 105(3); Ofcom General Conditions of Entitlement, C1.21 to C1.26 [M].
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from o2c.kernel.shapes import Done, FellOut, Requested

About = Literal["end-of-contract", "best-price"]
"""What a notice is about: that a term ends, or, to whoever stayed without another one, what the best prices are."""


class PriceOffered(BaseModel):
    """An offering on sale that the customer was told of, and its recurring price a period: net, in minor units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offering: str
    price_minor: int


class EndNoticeAwaited(Requested, name="end-notice.awaited", step="end-notice", stream="product"):
    """The customer is to be told at `due_at` that the term ends with the day before `ends_on`, or (later) of the best prices.

    The notice is in time from the day `from_day` up to and with `to_day` (ISO, local), both empty where it is about the best prices.
    """

    example = {
        "attempt": 1, "due_at": "2026-12-06T10:00:00Z", "about": "end-of-contract", "ends_on": "2027-01-05", "from_day": "2026-11-26", "to_day": "2026-12-26",
    }  # fmt: skip
    about: About
    ends_on: str
    from_day: str
    to_day: str


class EndNoticeGiven(Done, name="end-notice.given", step="end-notice", stream="product"):
    """The customer was told, on the local day `told_on`: of the end of the term, `ends_on`, from which day on leaving costs nothing; of the
    price on that day and after the end; of what an end on that day would have cost (`exit_minor`); and of the best prices. Amounts are a
    period's, net, in minor units; `rules` is the market's version.

    `not_told` says why nobody was told, empty where somebody was.
    """

    example = {
        "attempt": 1, "about": "end-of-contract", "ends_on": "2027-01-05", "told_on": "2026-12-06", "price_minor": 1499, "price_after_minor": 1999, "exit_minor": 1499,
        "currency": "GBP", "offers": [{"offering": "mobile-second", "price_minor": 999}], "rules": "GB@2026-01",
    }  # fmt: skip
    about: About
    ends_on: str
    told_on: str
    price_minor: int
    price_after_minor: int
    exit_minor: int
    currency: str
    offers: tuple[PriceOffered, ...]
    rules: str
    not_told: Literal["", "business"] = ""


class EndNoticeFellOut(FellOut, name="end-notice.fell-out", step="end-notice", stream="product"):
    """The customer could not be told."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
