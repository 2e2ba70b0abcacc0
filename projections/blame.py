"""Blame: which event captured the value that a fallout stumbled over. Names of fields only; the values are personal and never read here."""

from __future__ import annotations

from typing import Any

from projections.engine.projection import Doc, Row
from projections.engine.seen import Seen

INITIAL: Doc = {"captured": None, "lines": [], "line_of": {}, "corrected": {}}
FIELDS = frozenset({"agent", "channel", "corrected", "fallout", "items", "lines"})
NEVER_CAPTURED = frozenset({"visitOn", "visitWindow"})
"""Fields that no paper has: somebody chooses them first when a fallout asks for them, and what stood before is nobody's fault."""
UNKNOWN: Row = {"origin_event": None, "origin_channel": None, "origin_agent": None, "origin_field": None, "origin_at": None}
"""The blame of a fallout of which no correction has told whose value was wrong."""


def captured(doc: Doc, record: Seen) -> Doc:
    """After the capture of an order: who took it down, and the lines in the order in which corrections count them."""
    first = _capture(record, record.body.get("channel") or record.channel, record.body.get("agent") or record.actor)
    return {**doc, "captured": first, "lines": [line["item"] for line in record.body["lines"]], "corrected": {}}


def planned(doc: Doc, record: Seen) -> Doc:
    """After the plan: the line that each item came of."""
    anew = {item["item"]: item["line"] for item in record.body["items"] if item["line"] != item["item"]}
    return {**doc, "line_of": {**doc["line_of"], **anew}}


def corrected(doc: Doc, record: Seen) -> tuple[Doc, Row]:
    """After a correction: the document, and the blame that the fallout learns from it; no blame where it corrects nothing that was
    captured.

    To blame is the event that captured the value before anybody corrected it for this very fallout. Of several corrected fields those count
    that were captured last.
    """
    keys = record.body.get("corrected") or ()
    if not keys or doc["captured"] is None:
        return doc, {}
    now, fallout = _capture(record, record.channel, record.actor), record.body["fallout"]
    wrong = {key: _wrong(doc, record.item, key, fallout) for key in keys}
    known = {_place(doc, record.item, key): {**now, "fallout": fallout, "wrong": wrong[key]} for key in keys}
    to_blame = [capture for capture in wrong.values() if capture]
    after = {**doc, "corrected": {**doc["corrected"], **known}, "lines": _left(doc, record)}
    if not to_blame:
        return after, {}
    last = max(to_blame, key=lambda capture: int(capture["position"]))
    blame = {f"origin_{name}": last[name] for name in ("event", "channel", "agent", "at")}
    fields = ", ".join(key for key in keys if wrong[key] == last)
    return after, {**blame, "origin_field": fields}


def _capture(record: Seen, channel: str, agent: str) -> dict[str, Any]:
    return {"event": record.event_id, "position": str(record.position), "at": record.at, "channel": channel, "agent": agent}


def _wrong(doc: Doc, item: str, key: str, fallout: str) -> dict[str, Any]:
    """The capture of the value that stood before this fallout's own corrections of it; nothing where there was none."""
    found = doc["corrected"].get(_place(doc, item, key), {} if key in NEVER_CAPTURED else doc["captured"])
    if not found or found.get("fallout") == fallout:
        return dict(found.get("wrong", {}))
    return {name: found[name] for name in ("event", "position", "at", "channel", "agent")}


def _place(doc: Doc, item: str, key: str) -> str:
    """A field by its line, so that it is the same before the plan (`line.1.place`) and after it (`place` of an item)."""
    if item:
        return f"{doc['line_of'].get(item, item)}/{key}"
    match key.split(".", 2):
        case ["line", number, name] if number.isdecimal() and 1 <= int(number) <= len(doc["lines"]):
            return f"{doc['lines'][int(number) - 1]}/{name}"
    return key


def _left(doc: Doc, record: Seen) -> list[str]:
    """The lines after a correction: one that was dropped is no longer counted."""
    dropped = {key for key in record.body["corrected"] if key.startswith("line.") and key.endswith(".drop")}
    return [item for number, item in enumerate(doc["lines"], 1) if f"line.{number}.drop" not in dropped]
