"""An invoice of an account that pays for others, or a credit note for one, split by cost centre: parts whose sum is the paper, to the minor
unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from o2c.invoicing.papers import InvoiceLine, NoteLine, TaxSum
from o2c.invoicing.state import only


@dataclass(frozen=True, slots=True)
class InvoicePart:
    """What of an invoice is a cost centre's (empty: the paying account's own): how many of its lines, and their sums, in minor units."""

    cost_centre: str
    lines: int
    net_minor: int
    tax_minor: int
    total_minor: int


def parts_of(lines: Iterable[InvoiceLine], taxes: Iterable[TaxSum]) -> tuple[InvoicePart, ...]:
    """Split rated lines and the sums of their taxes by cost centre, by its name; nothing where no line has one.

    Tax is computed once for each group over the whole invoice; a part has its share of that, rounded by the largest remainder.
    Source: billing facts, section 6.4 (tax for each group, remainders by largest remainder).
    """
    of: dict[str, list[InvoiceLine]] = {}
    for line in lines:
        of.setdefault(line.cost_centre, []).append(line)
    if not any(of):
        return ()
    names = sorted(of)
    tax_minor = dict.fromkeys(names, 0)
    for tax in taxes:
        for name, share in zip(names, _shares(tax, [_net_of(of[name], tax) for name in names]), strict=True):
            tax_minor[name] += share
    nets = {name: sum(line.net_minor for line in of[name]) for name in names}
    return tuple(InvoicePart(name, len(of[name]), nets[name], tax_minor[name], nets[name] + tax_minor[name]) for name in names)


def parts_of_note(lines: Iterable[NoteLine], taxes: Iterable[TaxSum], of_invoice: Sequence[InvoiceLine]) -> tuple[InvoicePart, ...]:
    """Split a credit note as its invoice is split: each line is the cost centre's whose line it lowers. Nothing where no line has one."""
    whose = [
        of_invoice[line.line - 1].model_copy(update=line.model_dump(include={"net_minor", "tax_group", "tax_category", "tax_percent"}))
        for line in lines
    ]
    return parts_of(whose, taxes)


def purchase_order_of_note(lines: Iterable[NoteLine], of_invoice: Sequence[InvoiceLine]) -> str:
    """Give the customer's own purchase order where all that a credit note lowers is of one; empty for none and for several."""
    return only(of_invoice[line.line - 1].purchase_order for line in lines if line.order)


def _net_of(lines: Iterable[InvoiceLine], tax: TaxSum) -> int:
    group = (tax.group, tax.category, tax.percent)
    return sum(line.net_minor for line in lines if (line.tax_group, line.tax_category, line.tax_percent) == group)


def _shares(tax: TaxSum, nets: Sequence[int]) -> list[int]:
    """The tax of each part, rounded down, and what is missing then to those with the largest remainders, of equal ones to the first. A part
    may be below nothing (discounts), so that no weights serve. The last note of an invoice has what was left of a tax, which may be a unit
    more or less than its own."""
    exact = [Fraction(tax.percent or "0") * net / 100 for net in nets]
    shares = [floor(one) for one in exact]
    each, over = divmod(tax.tax_minor - sum(shares), len(nets))
    first = sorted(range(len(nets)), key=lambda at: (shares[at] - exact[at], at))[:over]
    return [share + each + (at in first) for at, share in enumerate(shares)]
