"""Where each field of an order's paper comes from: keyed in before, in whatever channel, or with the order itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.views.journeys import places_in
from o2c.views.lookup_key import key_of
from o2c.views.orders import find_order
from o2c.views.reading import plain
from o2c.views.shown import FieldShown

DIGEST_CHARACTERS = 32

PAPERS = """SELECT personal ->> 'original' AS original, channel, actor, occurred_at AS at, event_id::text AS event FROM o2c.event
WHERE stream = %s AND type IN ('order.captured', 'order.revised') ORDER BY version"""
"""How an order was captured and changed in flight, with its papers. Parameter: the order's stream."""

SOURCES = "SELECT body -> 'sources' AS sources FROM o2c.event WHERE order_id = %s::uuid AND type = 'journey.ordered'"
"""The fields of an order's paper that were keyed in on journeys before, by their places. Parameter: the order."""

KEYED = """SELECT stream || '@' || version AS place, coalesce(body ->> 'channel', channel) AS channel, actor, occurred_at AS at, event_id::text AS event
FROM o2c.event WHERE (stream, version) IN (SELECT split_part(p, '@', 1), split_part(p, '@', 2)::int FROM unnest(%s::text[]) AS p)"""
"""The events at some places, each `STREAM@VERSION`. Parameter: the places."""


def order_fields(app: Engine, home: Path, name: str) -> list[FieldShown]:
    """The fields of an order's paper by their places, each with a keyed digest of its value and by whom it was keyed in first, or changed
    in flight: when, in which channel, by which event.

    The digest is made with the operator's key for look-ups, so that equal values can be told and none can be read. Raises Refused: missing
    (no such order), usage (no key).
    """
    stream, state = find_order(app, name)
    key = key_of(home)
    papers = app.reads.rows(PAPERS, stream)
    sources: dict[str, str] = {place: by for row in app.reads.rows(SOURCES, state.order_id) for place, by in row["sources"].items()}
    events = {row["place"]: row for row in app.reads.rows(KEYED, sorted(set(sources.values())))} if sources else {}
    return list(_rows(papers, sources, events, key))


def _rows(papers: Sequence[Mapping[str, Any]], sources: Mapping[str, str], events: Mapping[str, Any], key: bytes) -> Iterator[FieldShown]:
    known: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for paper in papers:
        # A field that a changed paper says as before is by whom it was; any other is the change's own.
        by_place = {} if known else {path: events[by] for path, by in sources.items() if by in events}
        said = dict(places_in(json.loads(paper["original"])))
        same = {path: known[path] for path, value in said.items() if path in known and known[path][0] == value}
        known = {path: same.get(path, (value, by_place.get(path, paper))) for path, value in said.items()}
    for path, (value, by) in sorted(known.items()):
        told = {"path": path, "value_digest": _digest(key, value), **{name: by[name] for name in ("channel", "actor", "at", "event")}}
        yield cast("FieldShown", plain(told))


def _digest(key: bytes, value: str) -> str:
    return hmac.new(key, f"field\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:DIGEST_CHARACTERS]
