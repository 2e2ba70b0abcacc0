"""Events in a line each, for people: what matters of what an event says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from o2c.entrypoints.cli.tables import words

MECHANICS = frozenset({
    "attempt", "asked", "item", "fallout", "policy", "fingerprint", "source", "market", "catalogue_version", "plan_version", "intake", "line",
    "order_date", "category", "priority", "fault_class", "origin", "recoverability", "awaits", "queue", "due_at", "class", "order",
})  # fmt: skip
"""Fields that say how the engine did it, or that stand in a column of their own."""


def in_a_line(row: Mapping[str, Any], *, full: bool = False) -> dict[str, Any]:
    """An event as a row of a table: what it says in a line, or all that it says."""
    data = row["data"] or {}
    what = words(data) if full else said(data)
    kept = {name: row[name] for name in ("position", "occurred_at", "stream", "type", "actor") if name in row}
    return {**kept, "item": data.get("item", ""), "what": what, "data": words(data)}


def said(data: Mapping[str, Any]) -> str:
    """What an event says, without what is mechanics or empty; of a list of things their names."""
    currency = str(data.get("currency") or "")
    told = {key: _short(value) for key, value in data.items() if key not in MECHANICS and value not in ("", None, [], {}, False)}
    return words({**told, "currency": currency} if currency else told)


def _short(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        names = [str(one.get("offering") or one.get("item") or one.get("order") or "") for one in value]
        return f"{len(value)} ({', '.join(name for name in names if name)})"
    return value
