"""Ports: for which day each was agreed, on which it was done, how late that is by the market's calendar, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.order_progress import order_of

LATENESS_VIEW = """
SELECT CASE GROUPING(market) WHEN 0 THEN market ELSE '*' END COLLATE "C" AS market,
    CASE GROUPING(cause) WHEN 0 THEN cause ELSE '*' END COLLATE "C" AS cause,
    count(*) AS late, count(*) FILTER (WHERE state = 'ported') AS ported, sum(late_days) AS late_days,
    sum(late_working_days) AS late_working_days, max(late_working_days) AS longest_working_days
FROM projection.ports WHERE missed_on IS NOT NULL GROUP BY GROUPING SETS ((), (market), (cause), (market, cause)) ORDER BY 1, 2
"""
"""The view `projection.port_lateness`: how many ports are or were late and by how many days, by market and by cause (`*`: all together)."""

_AGREED = frozenset({"porting.scheduled", "porting.rescheduled", "porting.window-kept"})
_TYPES = _AGREED | {
    "porting.postponed", "porting.window-missed", "cutover.number-ported-in", "step.given-up", "porting-cancel.confirmed", "porting-cancel.refused",
    "step.forced",
}  # fmt: skip
_GIVEN_UP = (("step.given-up", "porting"), ("porting-cancel.confirmed", "porting-cancel"), ("step.forced", "porting-cancel"))


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.type in _AGREED:
        return {**doc, record.item: _agreed(doc.get(record.item), record.body)}
    port = doc.get(record.item)
    if port is None:
        return doc
    moved = _moved(port, record)
    return doc if moved is port else {**doc, record.item: moved}


def _agreed(before: Row | None, body: dict[str, Any]) -> Row:
    """The port with a window that is agreed: its first one, another in its place, or the one that the clearing house keeps."""
    day = body["agreed_on"] or None
    if before is None:
        facts = {
            "number": body["msisdn"],
            "market": body["rules"],
            "wished_on": body["wished_on"] or None,
            "deadline_on": body["deadline_on"] or None,
        }
        port: Row = {**facts, "first_agreed_on": day, "windows": 1, "windows_missed": 0, "missed_on": None, "cause": ""}
    else:
        port = {**before, "windows": before["windows"] + (0 if body.get("kept") else 1)}
    late = {"late_days": body.get("late_days"), "late_working_days": body.get("late_working_days")} if port["missed_on"] else _NOT_LATE
    kept = {"late_days": port.get("late_days"), "late_working_days": port.get("late_working_days")} if body.get("kept") else late
    return {**port, **kept, "number": body["msisdn"], "state": "agreed", "agreed_on": day, "ported_on": None}


_NOT_LATE: Row = {"late_days": None, "late_working_days": None}


def _moved(port: Row, record: Seen) -> Row:
    body = record.body
    if record.type == "porting.window-missed":
        first = {} if port["missed_on"] else {"missed_on": body["agreed_on"], "cause": body["cause"]}
        return {**port, **first, **_NOT_LATE, "state": "missed", "windows_missed": port["windows_missed"] + 1}
    if record.type == "porting.postponed":
        return {**port, "state": "postponed", "agreed_on": None}
    if record.type == "cutover.number-ported-in":
        return {
            **port,
            "state": "ported",
            "agreed_on": body["agreed_on"] or port["agreed_on"],
            "ported_on": body["ported_on"] or None,
            "late_days": body["late_days"] or None,
            "late_working_days": body["late_working_days"] if body["late_days"] else None,
        }
    return {**port, "state": "cancelled"} if (record.type, record.step) in _GIVEN_UP else port


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    for item, port in doc.items():
        yield {"order_id": order_id, "item": item, **port}


PORTS = Projection(
    name="ports",
    meaning="One row a port that was ever agreed: the day agreed first, the one agreed now (empty: none), the first that was missed, the day it was done; how late that is, or will be, in days and in the market's working days; and what stood in the way of the first day missed.",
    shape_version=1,
    columns={
        "order_id": "text", "item": "text", "number": "text", "market": "text", "state": "text", "wished_on": "date", "deadline_on": "date",
        "first_agreed_on": "date", "agreed_on": "date", "missed_on": "date", "ported_on": "date", "late_days": "integer",
        "late_working_days": "integer", "cause": "text", "windows": "integer", "windows_missed": "integer",
    },
    key=("order_id", "item"),
    indexes=("order_id", "missed_on"),
    types=_TYPES,
    fields=frozenset({
        "msisdn", "rules", "wished_on", "deadline_on", "agreed_on", "ported_on", "late_days", "late_working_days", "cause", "kept",
    }),
    group=order_of,
    found_by="order",
    evolve=_evolve,
    rows=_rows,
    views={"port_lateness": LATENESS_VIEW},
)  # fmt: skip

LATE = """SELECT o.external_id, p.order_id AS "order", p.item, p.number, p.state, coalesce(p.missed_on, p.agreed_on) AS agreed_on, p.ported_on,
    CASE WHEN p.state = 'agreed' AND p.missed_on IS NOT NULL THEN p.agreed_on END AS now_agreed_on, p.late_days, p.late_working_days,
    CASE WHEN p.missed_on IS NULL THEN 'cut-over' ELSE p.cause END AS cause, p.windows_missed, p.market, count(*) OVER () AS n
FROM projection.ports p JOIN projection.orders o USING (order_id)
WHERE (p.missed_on IS NOT NULL OR (p.state = 'agreed' AND p.agreed_on < %s::date)) AND (%s = '' OR split_part(p.market, '@', 1) = %s) AND (NOT %s OR p.state NOT IN ('ported', 'cancelled'))
ORDER BY coalesce(p.missed_on, p.agreed_on), o.external_id, p.order_id, p.item LIMIT %s"""
"""The ports that missed an agreed day, or whose agreed day is over and that are not known to be done, the first missed first, and how many
there are (`n`).

Parameters: the first day that is not over; the code of a market (twice; empty: all), whether only those that are not done, how many rows
(NULL: all).
"""
