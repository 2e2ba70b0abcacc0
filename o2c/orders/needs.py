"""What the offering of a line needs beside it (`OfferingPublished.requires`), and which line of the order that is where none is named.

Source: TMF620 v4.1.0 ProductOffering.productOfferingRelationship; TMF622 v4.0.0 ProductOrderItem.productOrderItemRelationship;
decisions/0019.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from o2c.catalogue.state import CatalogueState
from o2c.orders.wish import Line, around, quantity_of

NAMES_SHOWN = 5
"""How many items or offerings a flaw names."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The lines of an order, each with what it relies on by its own word or by what its offering needs; `flaw` is the first need left
    open."""

    lines: Sequence[Line]
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class _Order:
    """An order's lines by item, by (bundle around them, offering) where the bundle "" is the whole order, and who relies on each."""

    by_id: Mapping[str, Line]
    within: Mapping[tuple[str, str], Sequence[Line]]
    relied_on_by: Mapping[str, list[Line]]

    def inside(self, bundle: str, offerings: Iterable[str]) -> list[Line]:
        return [line for offering in offerings for line in self.within.get((bundle, offering), ())]


def bound(lines: Sequence[Line], catalogue: CatalogueState) -> Bound:
    """Bind each line whose offering needs another to a line of one of those offerings, as if it had named it.

    Only where it can be no other: one line fits, in the nearest bundle that has any or else in the order, and piece by piece or as one for
    all. A line that relies on one, stands in one or around one, or is relied on by one, is bound already.
    """
    needing = {line.item: needed for line in lines if (needed := _needed(line, catalogue))}
    if not needing:
        return Bound(lines)
    order, named, flaw = _order(lines), {}, ""
    for line in lines:
        needed = needing.get(line.item, ())
        if not needed or _is_bound(line, needed, order):
            continue
        fitting = _fitting(line, needed, order)
        if len(fitting) == 1 and _pieces(fitting[0], order) in (1, _pieces(line, order)):
            named[line.item] = fitting[0].item
            order.relied_on_by[fitting[0].item].append(line)
        else:
            flaw = flaw or _open(line, needed, fitting)
    return Bound([replace(line, relies_on=(*line.relies_on, named[line.item])) if line.item in named else line for line in lines], flaw)


def _needed(line: Line, catalogue: CatalogueState) -> tuple[str, ...]:
    """What is sold anew needs; what stays as it was sold, or ends, has in service what it needs."""
    offering = catalogue.offerings.get(line.offering)
    return offering.requires if offering is not None and line.action != "noChange" and line.costs_anew else ()


def _order(lines: Sequence[Line]) -> _Order:
    by_id, within, relied_on_by = {line.item: line for line in lines}, defaultdict(list), defaultdict(list)
    for line in lines:
        if line.action == "delete":
            continue  # what ends is none to add anything to
        within["", line.offering].append(line)
        for upper in _bundles(line, by_id):
            within[upper.item, line.offering].append(line)
        for base in line.relies_on:
            relied_on_by[base].append(line)
    return _Order(by_id, within, relied_on_by)


def _bundles(line: Line, by_id: Mapping[str, Line]) -> Iterator[Line]:
    return (upper for upper in around(line, by_id) if upper is not line)


def _is_bound(line: Line, needed: Sequence[str], order: _Order) -> bool:
    relied = {base for upper in around(line, order.by_id) for base in upper.relies_on if base in order.by_id}
    beside = (*(order.by_id[base] for base in relied), *_bundles(line, order.by_id), *order.relied_on_by[line.item])
    return any(other.offering in needed for other in beside) or any(order.inside(bundle, needed) for bundle in (line.item, *relied))


def _fitting(line: Line, needed: Sequence[str], order: _Order) -> list[Line]:
    """Those of the nearest bundle that has any, else those of the order."""
    scopes = (*(upper.item for upper in _bundles(line, order.by_id)), "")
    return next((found for scope in scopes if (found := order.inside(scope, needed))), [])


def _pieces(line: Line, order: _Order) -> int:
    """How many pieces of a line or bundle the order makes, with the quantities around it."""
    return prod(quantity_of(upper) or 0 for upper in around(line, order.by_id))


def _open(line: Line, needed: Sequence[str], fitting: Sequence[Line]) -> str:
    need = f"DQ-ITEM: item {line.item} ({line.offering}) needs one of {_some(needed)} and names none"
    if fitting:
        return f"{need}; name with reliesOn which it is for (item {_some([base.item for base in fitting])})"
    in_service = "; one in service is named by an item noChange with its product" if line.product else ""
    return f"{need}; add the line or name it with reliesOn{in_service}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else "")
