"""Records of usage as rules read them. They stand in a table of their own beside the log and are kept for a shorter time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

RECORDS = "usage records"
"""The name under which a step finds, among what it read, the records that it wanted."""


@dataclass(frozen=True, slots=True)
class RecordsWanted:
    """The records of an account that no bill has yet, of what was used before a time.

    Bills have taken what stood in the table up to the record `through` and was used before `billed_before` (None: nothing was billed).
    """

    account: str
    before: datetime
    through: int = 0
    billed_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One record: its place in the table, whose line it is (`ORDER/ITEM`), kind, zone and time band, when it began, and how much, in its
    base unit.

    `mark` is what tells it from every other: its source and its key there. `placed_by` is the version of an operator's own zones and time
    bands that gave it zone and band, empty for those of the market.
    """

    id: int
    owner: str
    usage: str
    zone: str
    band: str
    started_at: datetime
    quantity: Decimal
    unit: str
    mark: str
    placed_by: str = ""


def digest_of(records: Sequence[UsageRecord]) -> str:
    """A hash over records in the order of their places, by which a line of an invoice is held against them."""
    text = "\n".join(
        f"{one.mark} {one.owner} {one.started_at.isoformat()} {one.quantity.normalize():f} {one.unit}"
        for one in sorted(records, key=lambda one: one.id)
    )
    return sha256(text.encode()).hexdigest()
