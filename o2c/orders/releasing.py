"""Lines of a bundle that are released together: none is switched on before every one of them can be, where the bundle's offering says so.

The offering says so by its characteristic `release`, whose value `together` is chosen by the order or is the default (TMF620, as any choice
of an offering). A line that ends, or goes without its number, holds nobody any more.
Source: order life cycle, section 3 (a bundle of four lines with one port rejected: the hold-whole path).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod

from o2c.catalogue.state import CatalogueState
from o2c.orders.pricing import chosen
from o2c.orders.wish import Line, around, multiplicity, quantity_of

RELEASE, TOGETHER = "release", "together"
ITEMS_MAX = 20
"""How many lines of a bundle can be released together: each waits for all the others."""
SWITCHED_ON, PORT_AGREED = "activation", "porting"


def flaw_of_release(lines: Sequence[Line], catalogue: CatalogueState) -> str:
    """Say of which bundle too many lines would be released together; empty for none."""
    by_id, counts = {line.item: line for line in lines}, multiplicity(lines)
    for bundle in (line for line in lines if _is_together(line, catalogue)):
        inside = sum(count for item, count in counts.items() if bundle in around(by_id[item], by_id)) // _copies(bundle, by_id)
        if inside > ITEMS_MAX:
            return f"DQ-ITEM: item {bundle.item} has more than {ITEMS_MAX} lines that are released together"
    return ""


def released_with(
    line: Line, turn: int, by_id: Mapping[str, Line], names: Mapping[str, Sequence[str]], catalogue: CatalogueState
) -> Iterator[tuple[Line, int, str]]:
    """Give the items of the innermost bundle around a line whose lines are released together, as (line, turn, item): those of the same copy
    of it, its own among them."""
    bundle = next((upper for upper in around(line, by_id) if upper is not line and _is_together(upper, catalogue)), None)
    if bundle is None:
        return
    copies = _copies(bundle, by_id)
    copy = turn // (len(names[line.item]) // copies)
    for item, own in names.items():
        if bundle in around(by_id[item], by_id):
            each = len(own) // copies
            yield from ((by_id[item], place, own[place]) for place in range(copy * each, copy * each + each))


def before_release(steps: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Give the steps of an item, each with those that it waits for, after which it can be switched on: all that this waits for, and a port
    that the donor agreed to."""
    waits = list(steps.get(SWITCHED_ON, ()))
    for step in waits:
        waits += [wait for wait in steps[step] if wait not in waits]
    return (step for step in steps if SWITCHED_ON in steps and (step in waits or step == PORT_AGREED))


def _is_together(line: Line, catalogue: CatalogueState) -> bool:
    offering = catalogue.offerings.get(line.offering)
    return offering is not None and offering.bundle and chosen(line, offering).get(RELEASE) == TOGETHER


def _copies(bundle: Line, by_id: Mapping[str, Line]) -> int:
    return prod(quantity_of(upper) or 1 for upper in around(bundle, by_id))
