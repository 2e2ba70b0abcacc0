"""Events of the ranges of numbers that an authority approved for invoices, or for credit notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from o2c.invoicing.papers import NumberRange, Paper
from o2c.kernel.event import Event, Upcast
from o2c.kernel.series import Numbered
from o2c.kernel.shapes import Supply

RANGES = "ranges-main"
"""The one stream of approved ranges, of all legal entities: a number is nobody else's."""


def pool_of(entity: str, paper: Paper) -> str:
    """Name the pool of approved numbers of a legal entity's papers, for which those wait that found none left."""
    return f"numbers/{entity}-{paper}"


class RangeApproved(Supply, name="ranges.approved", stream="ranges"):
    """An authority approved a range of numbers, and from now on papers of the kind (INV invoices, CRN credit notes) of the legal entity
    take their numbers from ranges alone: from the one approved first, as long as it has one and is valid. Whoever looks after them wants to
    be warned `low_days` before it lasts no longer. Version 2 says the kind of paper; before, all were for invoices."""

    example = {
        "approved": {"entity": "GB1", "prefix": "SETP", "first": 990000001, "last": 990005000, "valid_from": "2026-01-01", "valid_to": "2026-12-31",
                     "approval": "18760000001", "low_at": 500},
        "low_days": 30, "paper": "INV",
    }  # fmt: skip
    upcasts: ClassVar[tuple[Upcast, ...]] = (Upcast(defaults={"paper": "INV"}),)
    approved: NumberRange
    low_days: int
    paper: Paper

    def brings(self) -> Mapping[str, int]:
        """So many papers that waited for a number have one."""
        return {pool_of(self.approved.entity, self.paper): self.approved.count}


class RangeNumbered(Numbered):
    """Base of the papers whose number is of an approved range, `number_range`, or (an empty one) of a series of the year."""

    number_range: NumberRange = NumberRange()

    @property
    def serials_max(self) -> int | None:
        """How many numbers an approved range has; a series of the year has no end."""
        return self.number_range.count if self.number_range.prefix else None

    def number_at(self, serial: int) -> str:
        """The number at a place of the range, or of the series of the year."""
        return self.number_range.number_at(serial) if self.number_range.prefix else super().number_at(serial)

    def used_by(self, serial: int) -> tuple[tuple[str, Event], ...]:
        """A range says once that it runs low, and that its last number is taken."""
        left = (self.serials_max or 0) - serial
        if not self.number_range.prefix or left not in (0, self.number_range.low_at):
            return ()
        name = self.number_range.name
        return ((RANGES, RangeLowNoticed(range=name, left=left) if left else RangeUsedUp(range=name)),)


class OfRange(Event):
    """Base of what happens to an approved range, which is named by its first number."""

    range: str


class RangeLowNoticed(OfRange, name="ranges.low-noticed", stream="ranges"):
    """A paper took a number of the range after which only so many are `left`."""

    example = {"range": "SETP990000001", "left": 500}
    left: int


class RangeUsedUp(OfRange, name="ranges.used-up", stream="ranges"):
    """A paper took the last number of the range."""

    example = {"range": "SETP990000001"}


class RangeClosed(OfRange, name="ranges.closed", stream="ranges"):
    """No further number is taken from the range: the authority withdrew it, or it was entered by mistake. What was issued keeps its
    numbers."""

    example = {"range": "SETP990000001"}
