"""One order as a document, made of the rows that are known of it and of how it was captured and changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast

from o2c.kernel.periods import local_date, local_time
from o2c.kernel.reasons import Codes
from o2c.kernel.refusal import Refused
from o2c.markets.registry import market
from o2c.orders.rollup import FINAL, together
from o2c.views.codes import guide_of
from o2c.views.reading import Rows, plain
from o2c.views.shown import DocumentShown
from projections.engine.seen import Seen

CAPTURED, AMENDED, REVISED = "order.captured", "order.amended", "order.revised"


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one order, as rows: of itself, its items, promises, milestones, fallouts and cancellations; and how it was
    captured."""

    order: Mapping[str, Any]
    items: Rows = field(default_factory=list)
    promises: Rows = field(default_factory=list)
    milestones: Rows = field(default_factory=list)
    fallout: Rows = field(default_factory=list)
    cancellations: Rows = field(default_factory=list)
    records: tuple[Seen, ...] = ()


def document_told(told: Told, now: Callable[[], datetime], codes: Callable[[], Codes]) -> DocumentShown:
    """An order as a document; the present time and the reason codes are asked for where they count. Raises Refused: unavailable (nothing
    says how it was captured)."""
    captured = next((record for record in told.records if record.type == CAPTURED), None)
    if captured is None:
        raise Refused(f"order {told.order['order_id']} is not told in this log; ask again", kind="unavailable")
    # What the paper says is that of the last change; how and under which market it came stays.
    paper = next((record for record in reversed(told.records) if record.type == REVISED), captured)
    body, row = {**captured.body, **paper.body}, told.order
    by_item = {item["item"]: item for item in told.items}
    promised = [item["promised_on"] for item in told.items if item["promised_on"] and item["state"] not in FINAL - {"completed"}]
    shown = {
        "order": row["order_id"],
        "external_id": row["external_id"],
        "owner": body.get("owner", ""),
        "named_by_us": body.get("named_by_us", False),
        "customer": row["customer_id"],
        "agent": body.get("agent", ""),
        "account": body["account"],
        "market": body["market"],
        "channel": row["channel"],
        "category": row["category"],
        "priority": row["priority"],
        "state": row["state"],
        "captured_at": row["captured_at"],
        "closed_at": row["closed_at"],
        "danger": row["danger"],
        "danger_at": row["danger_at"],
        "requested_start": body.get("requested_start", ""),
        "requested_completion": body.get("requested_completion", ""),
        "promised_on": max(map(_day, promised), default=None),
        "promised_until": _end_of(max(map(_day, promised), default=None), body["market"]),
        "after": body.get("after", ""),
        "lines": [_line(line, by_item, row["state"]) for line in _with_parents(body["lines"])],
        "milestones": _milestones(told, now, body["market"]),
        "promises": [_promise(one) for one in told.promises],
        "fallouts": [_fallout(one, codes()) for one in sorted(told.fallout, key=lambda one: (str(one["opened_at"]), one["fallout"]))],
        "cancellations": [_cancellation(one, row, by_item) for one in told.cancellations],
        "amendments": [_amendment(record) for record in told.records if record.type == AMENDED],
    }
    # The paper is plain already, and the longest part of all.
    return cast("DocumentShown", {**_told_plainly(shown), "paper": json.loads(paper.personal.get("original", "null"))})


def _told_plainly(value: Any, key: str = "") -> Any:
    """A value as JSON shows it, with the stamps of folds as the tables give them, so that both ways of reading print the same."""
    kind = type(value)
    if kind is str:
        return plain(datetime.fromisoformat(value)) if key.endswith("_at") else value
    if kind is dict:
        return {name: _told_plainly(part, name) for name, part in value.items()}
    return [_told_plainly(part) for part in value] if kind is list or kind is tuple else plain(value)


def _day(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())


def _end_of(day: str | None, pin: str) -> datetime | None:
    """When a day of the order's market is over."""
    after = date.fromisoformat(day) + timedelta(days=1) if day else None
    return local_time(after, 0, 0, _zone(pin)) if after else None


def _zone(pin: str) -> str:
    known = market(pin)
    return known.zone if known else "UTC"


def _with_parents(lines: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Each line with the lines that it stands for: the leaves within it, or itself."""
    inner: dict[str, list[str]] = {}
    for line in lines:
        inner.setdefault(line.get("parent", ""), []).append(line["item"])

    def leaves(name: str, seen: frozenset[str]) -> list[str]:
        within = [child for child in inner.get(name, ()) if child not in seen and child]
        return [leaf for child in within for leaf in leaves(child, seen | {child})] if within else [name]

    return [(line, leaves(line["item"], frozenset({line["item"]}))) for line in lines]


def _line(of: tuple[Mapping[str, Any], list[str]], by_item: Mapping[str, Any], order_state: str) -> dict[str, Any]:
    line, leaves = of
    own = [item for name, item in by_item.items() if name in leaves or name.rpartition("#")[0] in leaves]
    names = ("item", "parent", "action", "quantity", "offering", "product", "account", "requested_start", "requested_completion")
    return {
        **{name: line.get(name, "") for name in names},
        "relies_on": list(line.get("relies_on", ())),
        "state": together([item["state"] for item in own]) if own else order_state,
        "promised_on": max((_day(item["promised_on"]) for item in own if item["promised_on"]), default=None),
    }


def _milestones(told: Told, now: Callable[[], datetime], pin: str) -> Rows:
    """What was reached, and of each item the day by which it is promised: reached, missed or still to come."""
    open_items = {item["item"] for item in told.items if item["state"] not in FINAL}
    promised = {row["item"]: _day(row["promised_on"]) for row in told.promises}
    found: Rows = []
    for row in told.milestones:
        reached = {name: at for name, at in row["reached"].items() if not name.endswith(".requested")}
        if row["item"]:
            reached = {name: at for name, at in reached.items() if name not in ("captured", "planned")}
        found += [
            {"item": row["item"], "milestone": name.removesuffix(".done"), "promised_on": promised.get(row["item"]) if name == "completed" else None,
             "promised_until": None, "reached_at": at, "status": "reached"}
            for name, at in sorted(reached.items(), key=lambda pair: (pair[1], pair[0]))
        ]  # fmt: skip
        if row["item"] in open_items and row["item"] in promised and "completed" not in reached:
            status = "missed" if local_date(now(), _zone(pin)).isoformat() > promised[row["item"]] else "to come"
            day = promised[row["item"]]
            to_reach = {"milestone": "completed", "promised_on": day, "promised_until": _end_of(day, pin), "reached_at": None}
            found.append({"item": row["item"], **to_reach, "status": status})
    return found


def _promise(row: Mapping[str, Any]) -> dict[str, Any]:
    days = {name: _day(row[name]) for name in ("first_promised_on", "promised_on")}
    return {"item": row["item"], **days, **{name: row[name] for name in ("revisions", "state", "cause_step", "cause_reason", "danger")}}


def _fallout(row: Mapping[str, Any], codes: Codes) -> dict[str, Any]:
    names = ("fallout", "item", "step", "reason", "class", "waiting_for", "state", "opened_at", "closed_at")
    return {**{name: row[name] for name in names}, "meaning": guide_of(codes, row["reason"]).meaning}


def _cancellation(row: Mapping[str, Any], order: Mapping[str, Any], by_item: Mapping[str, Any]) -> dict[str, Any]:
    whole = not row["item"] and not row["part"]
    over_at = order["closed_at"] if whole and order["state"] == "cancelled" else None
    if row["item"] in by_item and by_item[row["item"]]["state"] == "cancelled":
        over_at = by_item[row["item"]]["ended_at"]
    names = ("cancellation", "item", "part", "requested_at", "items", "answer", "answered_at", "past")
    return {**{name: row[name] for name in names}, "ended_at": over_at}


def _amendment(record: Seen) -> dict[str, Any]:
    return {"amendment": record.event_id, "amended_at": record.at, "by": record.actor, **record.body, **dict(record.personal)}
