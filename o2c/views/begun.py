"""An order that begins at this moment, told from the events that were written and are still at hand."""

from __future__ import annotations

from collections.abc import Sequence

from o2c.engine.app import Engine
from o2c.store.mapper import StoredFact
from o2c.views.documents import document_of, record_reader
from o2c.views.order_folds import folded
from o2c.views.shown import DocumentShown


def begun_document(app: Engine, name: str, began: Sequence[StoredFact], last_position: int) -> DocumentShown:
    """An order in full as the events that it began with left it, which were written a moment ago up to a position; without what is
    personal."""
    stream, reader, first = f"order-{name}", record_reader(), last_position - len(began) + 1
    rows = [
        (first + place, fact.event_id, fact.originator_id, fact.originator_version, fact.topic, fact.schema, fact.occurred_at, fact.order_id,
         fact.customer_id, fact.channel, fact.command_id, fact.actor, fact.state.decode())
        for place, fact in enumerate(began) if fact.originator_id == stream and fact.topic in reader.type_names
    ]  # fmt: skip
    records = [reader.record(row) for row in rows]
    return document_of(app, folded(stream, records), records)
