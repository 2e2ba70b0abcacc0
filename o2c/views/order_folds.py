"""The projections' own folds over the events of one order, as far as somebody goes: what the tables say of it, at any moment of its
past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from o2c.views.reading import Rows
from projections import cancellations, fallout, items, milestones, orders, promises
from projections.engine.operations import FoldFailed, Projection
from projections.engine.projection import Doc, derive, reader_of
from projections.engine.seen import Seen

FOLDS: tuple[Projection, ...] = (
    orders.ORDERS, items.ITEMS, promises.PROMISES, milestones.MILESTONES, fallout.FALLOUT, cancellations.CANCELLATIONS,
)  # fmt: skip


def folded(stream: str, records: Sequence[Seen]) -> dict[str, Rows]:
    """The rows of each fold over the events of one order. Raises FoldFailed."""
    docs = begun()
    fold_on(docs, records)
    return rows_of(stream, docs)


def begun() -> dict[str, Doc]:
    """What the folds hold before any event, by their names."""
    return {projection.name: projection.initial for projection in FOLDS}


def fold_on(docs: dict[str, Doc], records: Sequence[Seen]) -> None:
    """Fold the next events of the order into what the folds hold."""
    for projection in FOLDS:
        doc, names = docs[projection.name], _names()[projection.name]
        for record in records:
            if record.type in names:
                doc = projection.evolve(doc, projection.restrict(record))
        docs[projection.name] = doc


def rows_of(stream: str, docs: Mapping[str, Doc]) -> dict[str, Rows]:
    """The rows that the folds make of what they hold, by their names. Raises FoldFailed."""
    found: dict[str, Rows] = {}
    for projection in FOLDS:
        group = stream if projection.name == "fallout" else stream.removeprefix("order-")
        try:
            found[projection.name] = list(derive(projection, group, docs[projection.name]).values())
        except (KeyError, TypeError, ValueError):
            raise FoldFailed(f"projection {projection.name} cannot make rows of {stream}") from None
    return found


@cache
def _names() -> dict[str, frozenset[str]]:
    """The types of events that each fold takes."""
    return {projection.name: reader_of([projection]).type_names for projection in FOLDS}
