"""Events of the ranges of numbers that an authority approved for invoices."""

from __future__ import annotations

from o2c.invoicing.papers import NumberRange
from o2c.kernel.event import Event

RANGES = "ranges-main"
"""The one stream of approved ranges, of all legal entities: a number is nobody else's."""


class RangeApproved(Event, name="ranges.approved", stream="ranges"):
    """An authority approved a range of numbers, and from now on invoices of the legal entity take their numbers from ranges alone: from the one approved
    first, as long as it has one and is valid. Whoever looks after them wants to be warned `low_days` before it lasts no longer."""

    example = {
        "approved": {"entity": "GB1", "prefix": "SETP", "first": 990000001, "last": 990005000, "valid_from": "2026-01-01", "valid_to": "2026-12-31",
                     "approval": "18760000001", "low_at": 500},
        "low_days": 30,
    }  # fmt: skip
    approved: NumberRange
    low_days: int


class OfRange(Event):
    """Base of what happens to an approved range, which is named by its first number."""

    range: str


class RangeLowNoticed(OfRange, name="ranges.low-noticed", stream="ranges"):
    """An invoice took a number of the range after which only so many are `left`."""

    example = {"range": "SETP990000001", "left": 500}
    left: int


class RangeUsedUp(OfRange, name="ranges.used-up", stream="ranges"):
    """An invoice took the last number of the range."""

    example = {"range": "SETP990000001"}


class RangeClosed(OfRange, name="ranges.closed", stream="ranges"):
    """No further number is taken from the range: the authority withdrew it, or it was entered by mistake. What was issued keeps its numbers."""

    example = {"range": "SETP990000001"}
