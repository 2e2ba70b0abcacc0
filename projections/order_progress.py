"""The fold that orders and items share: from an order's events to its progress, by the roll-up of `o2c/orders/rollup.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from o2c.kernel.event import Event
from o2c.orders.rollup import FINAL, ItemProgress, Progress, follow, follow_item, item_state, needed, order_state, replan, status_after
from projections.engine.projection import Doc
from projections.engine.seen import Seen
from projections.open_fallouts import ENDINGS, closes

INITIAL: Doc = {"gates": {}, "items": {}, "leaves": {}, "open": {}}
FIELDS = frozenset(
    {
        "external_id",
        "party",
        "priority",
        "channel",
        "lines",
        "items",
        "removed",
        "waiting_for",
        "fallout",
        "promised_on",
        "amended",
        "category",
    }
)
CANCELLATION = frozenset({"cancellation-requested", "cancellation-refused", "cancellation-accepted"})
SHAPES = CANCELLATION | {"accepted", "silent", "item-failed", "item-cancelled"}


def concerns(event: type[Event]) -> bool:
    """Whether events of a type set an order's header, plan or end, or have a shape that changes a step."""
    own = (
        event.type_name in {"order.captured", "order.planned", "order.revised", "order.amended", "promise.revised"}
        or event.type_name in ENDINGS
    )
    return own or event.shape in SHAPES or status_after(event.shape, "") is not None


def order_of(record: Seen) -> str | None:
    """The order id of an event in an order's own stream."""
    return record.order_id if record.stream.startswith("order-") else None


def channel_of(record: Seen) -> str:
    """The channel that sent an order. The envelope has another where a person at the desk had a paper captured."""
    return record.body.get("channel") or record.channel


def evolve(doc: Doc, record: Seen) -> Doc:
    """The document after one event of an order."""
    if record.type == "order.captured":
        doc = _captured(doc, record)
    elif record.type == "order.planned":
        doc = _planned(doc, record)
    elif record.type == "order.revised":
        doc = _revised(doc, record)
    elif record.type == "promise.revised":
        doc = _promised(doc, record)
    elif record.type == "order.amended":
        doc = {**doc, **{name: record.body[name] for name in ("priority", "category") if name in record.body["amended"]}}
    elif record.type in ENDINGS:
        doc = {**doc, "closed_at": record.at}
    else:
        doc = _followed(doc, record)
    # A correction of the party is personal, so its body is hidden from this fold, but the envelope has the new customer.
    if record.customer_id and record.customer_id != doc.get("customer"):
        doc = {**doc, "customer": record.customer_id}
    return _fallouts(doc, record)


def _captured(doc: Doc, record: Seen) -> Doc:
    parents = {line["parent"] for line in record.body["lines"]}
    header = {
        "external_id": record.body["external_id"],
        "customer": record.body["party"],
        "channel": channel_of(record),
        "priority": record.body["priority"],
        "category": record.body.get("category", ""),
        "captured_at": record.at,
        "leaves": {line["item"]: line["offering"] for line in record.body["lines"] if line["item"] not in parents},
    }
    return {**doc, **header}


def _planned(doc: Doc, record: Seen) -> Doc:
    return {**doc, "items": {item["item"]: _fresh(item) for item in record.body["items"]}, "leaves": {}}


def _fresh(item: dict[str, Any]) -> dict[str, Any]:
    return {
        **_said(item),
        "steps": dict.fromkeys((step["step"] for step in item["steps"]), "planned"),
        "relies_on": list(_needs(item)),
        "ended": "",
        "ended_at": None,
    }


def _needs(item: dict[str, Any]) -> tuple[str, ...]:
    return needed(item["relies_on"], (step.get("waits", ()) for step in item["steps"]))


def _said(item: dict[str, Any]) -> dict[str, Any]:
    brings = item["characteristics"].get("portInNumber")
    return {"offering": item["offering"], "specification": item["specification"], "promised_on": item["promised_on"], "brings": brings}


def _revised(doc: Doc, record: Seen) -> Doc:
    """The order after a change of its paper: items that differ keep how their steps stand, and those that go count no more."""
    anew = {item["item"]: item for item in record.body["items"]}
    before = Progress(
        {}, {name: _progress_of(doc["items"][name]) for name in anew if name in doc["items"]}, removed=tuple(doc.get("removed", ()))
    )
    wanted = ((name, [step["step"] for step in item["steps"]], _needs(item)) for name, item in anew.items())
    after = replan(before, wanted, record.body["removed"])
    items = {name: _moved({**doc["items"].get(name, {}), **_said(item)}, after.items[name], record) for name, item in anew.items()}
    return {**doc, "items": {**doc["items"], **items}, "removed": list(after.removed)}


def _promised(doc: Doc, record: Seen) -> Doc:
    item = doc["items"].get(record.item)
    return doc if item is None else {**doc, "items": {**doc["items"], record.item: {**item, "promised_on": record.body["promised_on"]}}}


def _followed(doc: Doc, record: Seen) -> Doc:
    old = doc["items"].get(record.item)
    if old is not None and (status := status_after(record.shape, record.body.get("waiting_for", ""))) is not None:
        # Nine of ten events change one step of one item: it is faster to follow that item alone.
        item = _progress_of(old)
        step = follow_item(item, record.shape, record.step, status)
        return doc if step is item else {**doc, "items": {**doc["items"], record.item: _moved(old, step, record)}}
    before = Progress(doc["gates"], {} if old is None else {record.item: _progress_of(old)}, doc.get("cancellation", ""))
    after = follow(before, record.shape, record.step, record.item, record.body.get("waiting_for", ""))
    if after is before:
        return doc
    if after.gates is not before.gates:
        return {**doc, "gates": after.gates}
    if record.shape in CANCELLATION:
        return {**doc, "cancellation": after.cancellation}
    return {**doc, "items": {**doc["items"], record.item: _moved(old or {}, after.items[record.item], record)}}


def _moved(old: dict[str, Any], item: ItemProgress, record: Seen) -> dict[str, Any]:
    ended_at = (old.get("ended_at") or record.at) if item_state(item) in FINAL else None
    progress = {"steps": item.steps, "relies_on": list(item.relies_on), "ended": item.ended, "recalls": item.recalls}
    return {**old, **progress, "ended_at": ended_at}


def _fallouts(doc: Doc, record: Seen) -> Doc:
    if record.shape == "fell-out":
        return {**doc, "open": {**doc["open"], record.body["fallout"]: [record.item, record.step]}}
    if not doc["open"]:
        return doc
    closed = [fallout for fallout, (item, step) in doc["open"].items() if closes(record, item, step, fallout)]
    return {**doc, "open": {fallout: of for fallout, of in doc["open"].items() if fallout not in closed}} if closed else doc


def _progress_of(item: dict[str, Any]) -> ItemProgress:
    return ItemProgress(item["steps"], tuple(item["relies_on"]), item["ended"], item.get("recalls", {}))


def state_of(doc: Doc) -> str:
    """The order's state by the roll-up."""
    items = {name: _progress_of(item) for name, item in doc["items"].items()}
    return order_state(Progress(doc["gates"], items, doc.get("cancellation", ""), tuple(doc.get("removed", ()))))


class LeafItem(NamedTuple):
    """A leaf item in its present state.

    `brings` is the number it was planned to bring in; before planning it and `promised_on` are None.
    """

    item: str
    offering: str
    specification: str
    state: str
    promised_on: str | None
    brings: str | None
    ended_at: str | None


def leaf_items(doc: Doc) -> Iterator[LeafItem]:
    """The leaf items. Before the order is planned each has the state of the order."""
    for name, item in doc["items"].items():
        offering, specification = item.get("offering", ""), item.get("specification", "")
        state = item_state(_progress_of(item))
        yield LeafItem(name, offering, specification, state, item.get("promised_on"), item.get("brings"), item["ended_at"])
    unplanned = {name: offering for name, offering in doc["leaves"].items() if name not in doc["items"]}
    if unplanned:
        state = state_of(doc)
        for name, offering in unplanned.items():
            yield LeafItem(name, offering, "", state, None, None, doc.get("closed_at"))
