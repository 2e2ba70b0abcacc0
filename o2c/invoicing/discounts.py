"""The discounts of a bill run: a line for each, behind the line that it lowers, and the notice of the one that is about to end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from o2c.invoicing.charge import Charge
from o2c.invoicing.papers import DiscountEnding, InvoiceLine, described
from o2c.invoicing.state import following_run
from o2c.kernel.discounts import Reduction, held, reductions
from o2c.kernel.periods import Period

LINE_KIND = "discount"


def discounted(charge: Charge, lines: Iterable[InvoiceLine], bill_day: int) -> Iterator[InvoiceLine]:
    """Give the lines of a charge in a run, each with what its discounts take off it: below nothing, and never more than the line;
    `bill_day` is the day of the month on which the account is billed."""
    for line in lines:
        yield line
        if not charge.terms.discounts:
            continue
        days = Period(date.fromisoformat(line.from_day), date.fromisoformat(line.to_day))
        found = reductions(
            charge.terms.discounts,
            of="one-time" if line.kind == "one-time" else "recurring",
            price_minor=line.unit_price_minor,
            net_minor=line.net_minor,
            days=days,
            whole_days=line.price_per if line.kind == "part-period" else days.days,
            starts_on=date.fromisoformat(charge.priced_from),
            bill_day=bill_day,
        )
        yield from (_line(line, one) for one in found)


def _line(of: InvoiceLine, reduction: Reduction) -> InvoiceLine:
    discount, days = reduction.discount, reduction.days
    much = f" {discount.percent} %" if discount.percent else ""
    told = described(of.offering, of.kind, days.start, days.end)
    changes = {
        "kind": LINE_KIND,
        "from_day": days.start.isoformat(),
        "to_day": days.end.isoformat(),
        "net_minor": -reduction.minor,
        "description": f"Discount {discount.name}{much} on {told}",
        "quantity": 1,
        "unit": "C62",
        "unit_price_minor": -reduction.minor,
        "price_per": 1,
        "discount": discount.name,
    }
    return of.model_copy(update=changes)


def placed(lines: Iterable[InvoiceLine]) -> tuple[InvoiceLine, ...]:
    """Give the lines of an invoice, each discount with the place (from 1) of the line that it lowers: the last one before it that is
    none."""
    found: list[InvoiceLine] = []
    of = 0
    for place, line in enumerate(lines, 1):
        of = of if line.kind == LINE_KIND else place
        found.append(line.model_copy(update={"of_line": of}) if line.kind == LINE_KIND else line)
    return tuple(found)


def endings(charge: Charge, run_on: date, billed_to: date | None) -> Iterator[DiscountEnding]:
    """Give the discounts of a charge whose end this bill is the last one to come before: what follows is billed after it, without them.

    `billed_to` is the day up to which this run bills the charge, None where it bills nothing of it.
    """
    if billed_to is None or not charge.terms.discounts or not charge.recurring_minor:
        return
    told_to = max(run_on, date.fromisoformat(charge.billed_to) if charge.billed_to else run_on)
    for one in charge.terms.discounts:
        end = held(one, starts_on=date.fromisoformat(charge.priced_from), bill_day=run_on.day).end
        if one.of == "recurring" and end is not None and told_to < end <= billed_to:
            yield DiscountEnding(order=charge.order, item=charge.item, offering=charge.offering, discount=one.name, ends_on=end.isoformat())


def billed_to(charge: Charge, run_on: date, own_periods_to: str) -> date | None:
    """Give the day up to which a run bills a charge; None where it bills nothing of it."""
    if charge.withdrawn or date.fromisoformat(charge.starts_on) >= run_on:
        return None
    if charge.in_cycle:
        return following_run(run_on)
    return date.fromisoformat(own_periods_to) if own_periods_to else None
