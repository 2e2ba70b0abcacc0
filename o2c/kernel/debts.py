"""What is to be written off of invoices, and what of it is open again. Collections, invoicing and payments share it, which do not import
one another."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from o2c.kernel.event import Event
from o2c.kernel.money import part_of


class OwedInvoice(BaseModel):
    """An invoice and what of it is to be written off, in minor units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invoice: str
    amount_minor: int


class DebtGivenUp(Event, name="collections.given-up", stream="collection"):
    """What an account owes of these invoices in a currency is given up: the books write each of them off, on its own stream. It is owed all
    the same."""

    example = {"currency": "GBP", "stage": "agency", "invoices": [{"invoice": "BA-1001-20260108", "amount_minor": 2399}]}
    currency: str
    stage: str
    invoices: tuple[OwedInvoice, ...]


class WriteOffReversed(Event, name="invoice.write-off-reversed", stream="invoice"):
    """Money, or a credit note, came for what was written off: `amount_minor` of it is open again, to be settled by that in the same append.

    `tax_minor` is the part of the tax that was relieved for it and is payable again. Source: VAT Notice 700/18, section 3 (payments after a
    claim) [M].
    """

    example = {"amount_minor": 2399, "tax_minor": 400}
    amount_minor: int
    tax_minor: int


def reversed_for(state: Any, amount_minor: int) -> tuple[WriteOffReversed, ...]:
    """Give what of a written-off invoice is open again for an amount that comes, in minor units; nothing where what is open takes it all.

    The tax is the share of what was relieved, half-up; the last of what was written off takes the residue.
    """
    back_minor = min(amount_minor - max(state.open_minor, 0), state.written_off_minor)
    if back_minor <= 0:
        return ()
    return (WriteOffReversed(amount_minor=back_minor, tax_minor=part_of(state.relieved_minor, back_minor, state.written_off_minor)),)


def back(events: tuple[WriteOffReversed, ...]) -> int:
    """Give how much is open again, in minor units."""
    return sum(event.amount_minor for event in events)
