"""An item of an order as planned."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from o2c.kernel.charges import PriceTerms
from o2c.orders.event_parts import PlannedItem
from o2c.orders.rollup import needed


@dataclass(frozen=True, slots=True)
class Planned:
    """A line to fulfil, as planned; `waits` maps each step to the steps it waits for.

    Nothing of it begins before `start_on`, and it is neither switched on nor charged before `wished_on`: ISO days local to the market,
    empty for any day. `promised_on` is the day it is promised for, as last revised. `code_given_at` is when a correction brought the
    porting code: None for one that came with the order, LONG_AFTER when that was not kept. An item that changes a `product` in service
    names the `attributes`; one that is added to such products names them (`on_products`). `left` are the steps that are wanted no more
    since the paper was changed, with what they waited for.
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
    left: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """The items without which this one goes not on: those that it relies on, and those that it is released with."""
        return needed(self.relies_on, self.waits.values())

    def waits_of(self, step: str) -> tuple[str, ...]:
        """Give the steps that one of this item waits for, or waited for while it was wanted."""
        return self.waits.get(step, self.left.get(step, ()))


def planned_of(item: PlannedItem, *, place: str, account: str, currency: str) -> Planned:
    """Give an item as an event says that it is planned, with what the event keeps for all items: where no account is its own, the
    order's."""
    return Planned(
        item=item.item,
        line=item.line,
        offering=item.offering,
        specification=item.specification,
        characteristics=item.characteristics,
        relies_on=item.relies_on,
        recurring_minor=item.recurring_minor,
        one_time_minor=item.one_time_minor,
        terms=item.terms,
        waits={step.step: step.waits for step in item.steps},
        place=place,
        account=item.account or account,
        currency=currency,
        start_on=item.start_on,
        wished_on=item.wished_on,
        promised_on=item.promised_on,
        product=item.product,
        attributes=item.attributes,
        on_products=item.on_products,
    )
