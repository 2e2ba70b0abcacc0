"""What a channel wishes: an order and its lines as sent, not judged, and how many lines to fulfil that makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from math import prod

from o2c.kernel.frozen import changed
from o2c.orders.event_parts import HeldProduct, SentPrice

QUANTITY_MAX = 1_000

NUMBER, CODE = "portInNumber", "portInCode"
START = "startInWithdrawalPeriod"
"""The characteristic by which a paper says whether the customer asked that the service begins within the period for withdrawal: `true` or
`false`."""
SWITCH_FROM, SWITCH_ACCOUNT = "switchFrom", "switchAccount"
"""The characteristics by which a paper says which provider a fixed service comes from, and the customer's account there."""
SAID = (START, SWITCH_FROM, SWITCH_ACCOUNT)
"""What a paper says of an item beside the characteristics of its offering and the number that it brings."""
PORT_IN = "port-in"
"""The part of an item by which it brings its number: the customer can give it up on its own."""
VISIT, VISIT_DAY, VISIT_WINDOW = "appointment", "visitOn", "visitWindow"
"""The step by which a fitter comes, and the day and window that were chosen for it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One order item as the channel sent it, and as corrections made it; every value is text, absent ones empty.

    `account`, `requested_start` and `requested_completion` are the item's own; where they are empty, those of the order hold. `prices` are
    those that the channel sent with it. A line about a product in service `costs_anew` where it says another offering. Stored in two halves
    (`events.CapturedLine`, `events.LineDetail`), because only one of them may be personal.
    """

    item: str
    parent: str
    action: str
    quantity: str
    offering: str
    product: str
    relies_on: tuple[str, ...]
    characteristics: dict[str, str] = field(repr=False)
    place: str = field(repr=False)
    account: str = ""
    requested_start: str = ""
    requested_completion: str = ""
    prices: tuple[SentPrice, ...] = ()
    costs_anew: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """A readable order: the wish of the channel, not judged yet. `fingerprint` covers the content without order date and channel.

    `owner` is whose name the external id is: who the paper says, else its customer, else its channel. `dated_by_us` and `named_by_us` say
    that the paper had no date or no id of its own. `requested_start` and `requested_completion` are the wished times as the channel wrote
    them, empty when it wished none. `agent` is who took the order down, where the paper names one. `prices` are those that it sent for the
    whole order, `purchase_order` is the customer's own for it. `told` is what it says of who ordered (`parts.told_of`). Source: TMF622
    v4.0.0 ProductOrder.requestedStartDate, .requestedCompletionDate; v5 externalIdentifier.owner.
    """

    external_id: str
    order_date: datetime
    channel: str
    category: str
    priority: int
    party: str
    account: str
    lines: tuple[Line, ...]
    fingerprint: str
    original: str = field(repr=False)
    owner: str = ""
    dated_by_us: bool = False
    named_by_us: bool = False
    requested_start: str = ""
    requested_completion: str = ""
    agent: str = ""
    prices: tuple[SentPrice, ...] = ()
    purchase_order: str = ""
    told: Mapping[str, str] = field(default_factory=dict, repr=False)


def around(line: Line, by_id: Mapping[str, Line]) -> Iterator[Line]:
    """Give a line and the bundles around it, from the inside out. A correction may have made them a circle, which is followed once."""
    seen: set[str] = set()
    upper: Line | None = line
    while upper is not None and upper.item not in seen:
        seen.add(upper.item)
        yield upper
        upper = by_id.get(upper.parent)


def account_of(line: Line, by_id: Mapping[str, Line], otherwise: str) -> str:
    """Give the billing account of a line: its own, else that of the nearest bundle around it that names one, else the order's.

    Source: TMF622 v4.0.0 ProductOrderItem.billingAccount.
    """
    return next((each.account for each in around(line, by_id) if each.account), otherwise)


def quantity_of(line: Line) -> int | None:
    """Give the quantity of a line if its text is a whole number from 1 to QUANTITY_MAX, else None."""
    text = line.quantity
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
    return number if 1 <= number <= QUANTITY_MAX else None


def multiplicity(lines: Sequence[Line]) -> dict[str, int]:
    """How many lines each leaf item stands for: its quantity times those of the bundles around it."""
    by_id = {line.item: line for line in lines}
    parents = {line.parent for line in lines}
    leaves = (line for line in lines if line.item not in parents and line.action != "noChange")
    return {leaf.item: prod(quantity_of(line) or 0 for line in around(leaf, by_id)) for leaf in leaves}


def names_of(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """The names of the lines that each leaf item stands for."""
    return {item: [item] if count == 1 else [f"{item}#{n}" for n in range(1, count + 1)] for item, count in counts.items()}


def brings_any(line: Line) -> bool:
    """Whether a line brings a number, for one of its items at least."""
    return any(name.partition("#")[0] == NUMBER for name in line.characteristics)


def bringing_nothing(line: Line) -> Line:
    """Give a line without the numbers that it brings and their codes."""
    kept = {name: value for name, value in line.characteristics.items() if name.partition("#")[0] not in (NUMBER, CODE)}
    return changed(line, characteristics=kept)


def resolved(lines: Sequence[Line], products: Mapping[str, HeldProduct]) -> Sequence[Line]:
    """Give lines as they are to be read: a line that names a product is of its offering unless it says another, and costs nothing anew
    where it does not."""
    return [_resolved(line, products[line.item]) if line.item in products else line for line in lines]


def _resolved(line: Line, product: HeldProduct) -> Line:
    stands, anew = product.standing, "offering" in product.attributes
    characteristics = {**stands.characteristics, **line.characteristics}
    return changed(line, offering=line.offering if anew else stands.offering, characteristics=characteristics, costs_anew=anew)


def corrected(line: Line, name: str, value: str) -> tuple[Line, ...]:
    """Give a line as a person corrected one thing of it: a field, a characteristic, what it relies on, or `drop`, which leaves none."""
    if name == "drop":
        return ()
    if name == "relies_on":
        return (changed(line, relies_on=tuple(part for part in value.split(",") if part)),)
    if name in ("item", "action", "quantity", "offering", "product", "place", "account", "requested_start", "requested_completion"):
        return (Line(**{**asdict(line), name: value, "prices": line.prices}),)
    return (changed(line, characteristics={**line.characteristics, name: value}),)
