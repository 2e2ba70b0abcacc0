"""What happened, told at three zooms: milestones, steps, all; with the times in which nothing happened folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from o2c.views.timeline import matters

Zoom = Literal["milestones", "steps", "all", "lanes"]
ZOOMS: tuple[str, ...] = get_args(Zoom)
GAP_S = 4 * 3600
"""A time of at least so long in which nothing happened is folded into one line."""
_MILESTONES = ("order.", "item.", "promise.", "cancellation.", "fallout.")
_LANES: Mapping[str, str] = {
    "order": "order",
    "fallout": "order",
    "customer": "order",
    "sim": "SIM",
    "number": "number",
    "account": "invoice",
    "invoice": "invoice",
}
LANES = ("order", "SIM", "number", "invoice")


def told(rows: Sequence[Mapping[str, Any]], zoom: Zoom) -> list[dict[str, Any]]:
    """The events of a zoom, each with its lane, with how long nothing had happened before it (`gap_s`, where that is folded), and with its
    `cause`, which may be of another zoom (`cause_here` says that it is of this one)."""
    shown = [dict(row) for row in rows if _fits(row, zoom)]
    numbers, here = {row["event"]: row for row in rows}, {row["event"] for row in shown}
    before: datetime | None = None
    for row in shown:
        at = datetime.fromisoformat(str(row["occurred_at"]))
        row["gap_s"] = (at - before).total_seconds() if before and (at - before).total_seconds() >= GAP_S else 0
        row["lane"] = _LANES.get(kind_of(row), "order")
        row["cause"], row["cause_here"] = numbers.get(row["causation"]), row["causation"] in here
        row["about"] = _about(row)
        before = at
    return shown


def kind_of(row: Mapping[str, Any]) -> str:
    """The kind of the stream of an event."""
    return str(row["stream"]).partition("-")[0]


def _fits(row: Mapping[str, Any], zoom: Zoom) -> bool:
    if zoom in ("all", "lanes"):
        return True
    if zoom == "steps":
        return matters(dict(row))
    return str(row["type"]).startswith(_MILESTONES) or _is_fallout(row)


def _is_fallout(row: Mapping[str, Any]) -> bool:
    """Whether a step fell out by this event: it names the fallout it opened and why."""
    return "fallout" in row["data"] and "reason" in row["data"]


def _about(row: Mapping[str, Any]) -> str:
    """What an event is about, in a few words: its item, why, and by when."""
    data = row["data"]
    parts = [f"item {data['item']}" if data.get("item") else "", str(data.get("reason") or ""), str(data.get("promised_on") or "")]
    return ", ".join(part for part in parts if part)
