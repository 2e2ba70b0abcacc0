"""How a fallout stands at a time, out of its row and its record: state, owner, when it comes up next, how high it is, how long our clock
ran."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from o2c.engine.app import Engine
from o2c.kernel.reasons import Codes
from o2c.views.reading import plain

State = Literal["open", "assigned", "inProgress", "awaitingInformation", "onHold", "closed"]
"""ServiceNow's states of a fallout record, in our words: nobody has it; somebody was given it; in hand; we asked; we wait or left it alone;
over."""
_RECORD = (
    "owner", "claimed_until", "queue_now", "snoozed_until", "waits_for", "waits_until", "asked", "level", "waiting", "touches", "handovers",
    "tickets", "origin_now", "proposed_by", "acts", "reopened", "reopenings",
)  # fmt: skip
_HOUR = timedelta(hours=1)


def ranking(app: Engine) -> dict[str, Any]:
    """The parameters of `projections.ranking.RANK` and `projections.fallout_standing.STANDING` as they are now."""
    now = app.clock().now
    codes = app.codes().at(now)
    teams = {reason.queue: reason.owner for reason in reversed(tuple(codes.reasons.values()))}
    levels = {str(severity): hours for severity, hours in codes.escalation.items()}
    told = {"tiers": dict(codes.tiers), "levels": levels, "teams": teams}
    return {"today": now.date(), "now": now, **{name: json.dumps(table) for name, table in told.items()}}


def with_record(row: dict[str, Any], codes: Codes, now: datetime) -> dict[str, Any]:
    """The row with what its record comes to at a time, in place of the record's own columns.

    `retry_at` of the row is when the step goes on by itself, `in_hand_by` whoever acted on it, and nothing came of it yet. The owner is who
    has it in hand or was given it, else the team of its queue.
    """
    record = {name: row.pop(name, None) for name in _RECORD}
    retry_at = row.pop("retry_at", None)
    opened = _time(row["opened_at"])
    waiting = record["waiting"] or []
    owner = _holder(record, now)
    ours = _ours(opened, waiting, _time(row["closed_at"]) if row.get("closed_at") else now)
    levels = codes.escalation.get(row["severity"] or 3, ())
    by_age = sum(ours >= hours * _HOUR for hours in levels)
    level = max(record["level"] or 0, by_age)
    queue = record["queue_now"] or row["queue"]
    team = next((reason.owner for reason in codes.reasons.values() if reason.queue == queue), queue)
    closed = row["state"] == "closed" and not record["reopened"]
    row["origin"] = record["origin_now"] or row["origin"]
    return {
        **row,
        "queue": queue,
        "blame": blame_of(row),
        "owner": owner or team,
        "state": _state(row, record, owner, now, in_hand=bool(row.get("in_hand_by"))),
        "next_at": None if closed else plain(_next_at(record, retry_at and _time(retry_at), now - ours, levels, level, now)),
        "level": level,
        "waiting": waiting,
        "touches": (record["touches"] or 0) + (record["acts"] or 0),
        "handovers": record["handovers"] or 0,
        "reopenings": record["reopenings"] or 0,
        "tickets": record["tickets"] or [],
        "our_time_s": int(ours.total_seconds()),
    }


def blame_of(row: Mapping[str, Any]) -> str:
    """What a fallout points at: who captured the wrong value, where a correction told; else by its origin the step, the partner and the
    like."""
    if row["origin_event"]:
        return f"{row['origin_field']}, captured by {row['origin_agent']} ({row['origin_channel']})"
    return {
        "direct": f"step {row['step']}",
        "partner": f"partner {row['partner'] or 'of step ' + row['step']}",
        "reference-data": f"reference data of {row['offering'] or row['step']}",
        "upstream": f"channel {row['channel']}",
        "customer": "the customer",
    }[row["origin"]]


def _holder(record: Mapping[str, Any], now: datetime) -> str:
    until = record["claimed_until"]
    return "" if until and _time(until) <= now else record["owner"] or ""


def _state(row: Mapping[str, Any], record: Mapping[str, Any], owner: str, now: datetime, *, in_hand: bool) -> State:
    if row["state"] == "closed" and not record["reopened"]:
        return "closed"
    if in_hand and row["state"] == "open":
        return "inProgress"
    if record["waits_for"]:
        return "awaitingInformation" if record["asked"] else "onHold"
    if record["snoozed_until"] and _time(record["snoozed_until"]) > now:
        return "onHold"
    if owner:
        return "inProgress" if record["claimed_until"] else "assigned"
    return "open"


def _next_at(
    record: Mapping[str, Any], retry_at: datetime | None, begun: datetime, levels: tuple[int, ...], level: int, now: datetime
) -> datetime | None:
    """When somebody or something comes back to it: a wait or snooze ends, it goes on by itself, or it goes up a level. Never before `now`.

    What was due before and did not come (stock that is late, a wait that ran out) is due now. From the highest level on it comes up as
    often as it took to get there. `begun` is the opening, put off by the time for which our own clock stood.
    """
    named = next((_time(moment) for moment in (record["waits_until"], record["snoozed_until"], retry_at) if moment), None)
    if named or not levels:
        return max(named, now) if named else None
    if level < len(levels):
        return max(begun + levels[level] * _HOUR, now)
    every = levels[-1] * _HOUR
    return begun + max((now - begun) // every + 1, 1) * every


def _ours(opened: datetime, waiting: list[Mapping[str, Any]], until: datetime) -> timedelta:
    """How long our own clock ran from the opening to a time: without the waits for others."""
    stood = timedelta()
    for wait in waiting:
        begun, ended = _time(wait["from"]), min(_time(wait["to"]), until) if wait["to"] else until
        stood += max(ended - max(begun, opened), timedelta())
    return max(until - opened - stood, timedelta())


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
