"""What orders and items share: the fold of an order's events to its progress, by the published roll-up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from o2c.kernel.event import Event
from o2c.orders.rollup import FINAL, ItemProgress, Progress, follow, follow_item, item_state, order_state, status_after
from projections.engine.projection import Doc
from projections.engine.seen import Seen
from projections.open_fallouts import ENDINGS, closes

INITIAL: Doc = {"gates": {}, "items": {}, "leaves": {}, "open": {}}
FIELDS = frozenset({"external_id", "party", "priority", "lines", "items", "waiting_for", "fallout"})
CANCELLATION = frozenset({"cancellation-requested", "cancellation-refused", "cancellation-accepted"})
SHAPES = CANCELLATION | {"accepted", "silent", "item-failed", "item-cancelled"}


def concerns(event: type[Event]) -> bool:
    """Events that make an order's header, plan or end, and those whose shape touches a step."""
    own = event.type_name in {"order.captured", "order.planned"} or event.type_name in ENDINGS
    return own or event.shape in SHAPES or status_after(event.shape, "") is not None


def order_of(seen: Seen) -> str | None:
    """The order id of an event in an order's own stream."""
    return seen.order_id if seen.stream.startswith("order-") else None


def evolve(doc: Doc, seen: Seen) -> Doc:
    """Follow one event of an order."""
    if seen.type == "order.captured":
        doc = _captured(doc, seen)
    elif seen.type == "order.planned":
        doc = _planned(doc, seen)
    elif seen.type in ENDINGS:
        doc = {**doc, "closed_at": seen.at}
    else:
        doc = _followed(doc, seen)
    # The envelope follows corrections of the party, which are personal and not seen here.
    if seen.customer_id and seen.customer_id != doc.get("customer"):
        doc = {**doc, "customer": seen.customer_id}
    return _fallouts(doc, seen)


def _captured(doc: Doc, seen: Seen) -> Doc:
    parents = {line["parent"] for line in seen.body["lines"]}
    header = {
        "external_id": seen.body["external_id"],
        "customer": seen.body["party"],
        "channel": seen.channel,
        "priority": seen.body["priority"],
        "captured_at": seen.at,
        "leaves": {line["item"]: line["offering"] for line in seen.body["lines"] if line["item"] not in parents},
    }
    return {**doc, **header}


def _planned(doc: Doc, seen: Seen) -> Doc:
    items = {
        item["item"]: {
            "offering": item["offering"],
            "specification": item["specification"],
            "steps": dict.fromkeys((step["step"] for step in item["steps"]), "planned"),
            "relies_on": item["relies_on"],
            "promised_on": item["promised_on"],
            "brings": item["characteristics"].get("portInNumber"),
            "ended": "",
            "ended_at": None,
        }
        for item in seen.body["items"]
    }
    return {**doc, "items": items, "leaves": {}}


def _followed(doc: Doc, seen: Seen) -> Doc:
    known = doc["items"].get(seen.item)
    if known is not None and (status := status_after(seen.shape, seen.body.get("waiting_for", ""))) is not None:
        # Nine of ten events: the step of an item, followed alone.
        item = _progress_of(known)
        step = follow_item(item, seen.shape, seen.step, status)
        return doc if step is item else {**doc, "items": {**doc["items"], seen.item: _moved(known, step, seen)}}
    before = Progress(doc["gates"], {} if known is None else {seen.item: _progress_of(known)}, doc.get("cancellation", ""))
    after = follow(before, seen.shape, seen.step, seen.item, seen.body.get("waiting_for", ""))
    if after is before:
        return doc
    if after.gates is not before.gates:
        return {**doc, "gates": after.gates}
    if seen.shape in CANCELLATION:
        return {**doc, "cancellation": after.cancellation}
    return {**doc, "items": {**doc["items"], seen.item: _moved(known or {}, after.items[seen.item], seen)}}


def _moved(known: dict[str, Any], item: ItemProgress, seen: Seen) -> dict[str, Any]:
    ended_at = (known.get("ended_at") or seen.at) if item_state(item) in FINAL else None
    told = {"steps": item.steps, "relies_on": list(item.relies_on), "ended": item.ended, "recalls": item.recalls}
    return {**known, **told, "ended_at": ended_at}


def _fallouts(doc: Doc, seen: Seen) -> Doc:
    if seen.shape == "fell-out":
        return {**doc, "open": {**doc["open"], seen.body["fallout"]: [seen.item, seen.step]}}
    if not doc["open"]:
        return doc
    closed = [fallout for fallout, (item, step) in doc["open"].items() if closes(seen, item, step, fallout)]
    return {**doc, "open": {fallout: of for fallout, of in doc["open"].items() if fallout not in closed}} if closed else doc


def _progress_of(item: dict[str, Any]) -> ItemProgress:
    return ItemProgress(item["steps"], tuple(item["relies_on"]), item["ended"], item.get("recalls", {}))


def state_of(doc: Doc) -> str:
    """The order's state by the roll-up."""
    items = {name: _progress_of(item) for name, item in doc["items"].items()}
    return order_state(Progress(doc["gates"], items, doc.get("cancellation", "")))


class LeafItem(NamedTuple):
    """A leaf item as it stands; `brings` is the number it was to bring when it was planned. Nothing is promised of it before."""

    item: str
    offering: str
    specification: str
    state: str
    promised_on: str | None
    brings: str | None
    ended_at: str | None


def leaf_items(doc: Doc) -> Iterator[LeafItem]:
    """The leaf items. Before planning their state is the gates'."""
    for item, known in doc["items"].items():
        told = (known.get("offering", ""), known.get("specification", ""), item_state(_progress_of(known)))
        yield LeafItem(item, *told, known.get("promised_on"), known.get("brings"), known["ended_at"])
    unplanned = {item: offering for item, offering in doc["leaves"].items() if item not in doc["items"]}
    if unplanned:
        state = state_of(doc)
        for item, offering in unplanned.items():
            yield LeafItem(item, offering, "", state, None, None, doc.get("closed_at"))
