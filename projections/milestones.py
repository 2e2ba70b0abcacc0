"""Milestones: when each item and order reached each milestone, and how long it took from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from o2c.kernel.event import Event
from projections.engine.projection import Doc, Projection, Row
from projections.engine.seen import Seen
from projections.open_fallouts import ENDINGS
from projections.order_progress import channel_of, order_of

_OWN = ENDINGS | {"order.captured", "order.planned", "order.revised"}
_SHAPES = frozenset({"requested", "recall", "done", "undone", "renewed", "given-up"})

CYCLE_TIME_VIEW = """
WITH pair ("from", "to", of_order) AS (VALUES
    ('captured', 'validation.done', true), ('validation.done', 'identity.done', true), ('identity.done', 'credit.done', true),
    ('captured', 'planned', true), ('captured', 'closed', true), ('captured', 'activation.done', false), ('captured', 'completed', false)
), span AS (
    SELECT p."from", p."to", m.channel, m.offering, (m.reached ->> p."to")::timestamptz - (m.reached ->> p."from")::timestamptz AS took
    FROM projection.milestones m JOIN pair p ON (m.item = '') = p.of_order AND m.reached ? p."from" AND m.reached ? p."to"
    UNION ALL
    SELECT r.key, s.done, m.channel, m.offering, (m.reached ->> s.done)::timestamptz - r.value::timestamptz
    FROM projection.milestones m CROSS JOIN jsonb_each_text(m.reached) r
    CROSS JOIN LATERAL (SELECT left(r.key, -length('requested')) || 'done' AS done) s
    WHERE right(r.key, length('.requested')) = '.requested' AND m.reached ? s.done
)
SELECT "from", "to", CASE GROUPING(channel) WHEN 0 THEN channel ELSE '*' END COLLATE "C" AS channel,
    CASE GROUPING(offering) WHEN 0 THEN offering ELSE '*' END COLLATE "C" AS offering, count(*) AS count,
    round(percentile_cont(0.50) WITHIN GROUP (ORDER BY extract(epoch FROM took))::numeric, 3) AS p50_s,
    round(percentile_cont(0.85) WITHIN GROUP (ORDER BY extract(epoch FROM took))::numeric, 3) AS p85_s,
    round(percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM took))::numeric, 3) AS p95_s
FROM span GROUP BY "from", "to", GROUPING SETS ((), (channel), (offering), (channel, offering))
HAVING NOT (GROUPING(offering) = 0 AND offering = '')
ORDER BY 1, 2, 3, 4
"""
"""The view `projection.cycle_time`: how long it took from one milestone to the next, by channel and offering (`*`: all together)."""


def _concerns(event: type[Event]) -> bool:
    return event.type_name in _OWN or event.shape in _SHAPES


def _evolve(doc: Doc, record: Seen) -> Doc:
    if record.type == "order.captured":
        return {**doc, "channel": channel_of(record), "order": {**doc["order"], "captured": record.at}}
    if record.type == "order.planned":
        items = {
            item["item"]: {"offering": item["offering"], "steps": [step["step"] for step in item["steps"]], "reached": {}}
            for item in record.body["items"]
        }
        return {**doc, "items": items, "order": {**doc["order"], "planned": record.at}}
    if record.type == "order.revised":
        return {
            **doc,
            "items": {**doc["items"], **{item["item"]: _revised(doc["items"].get(item["item"]), item) for item in record.body["items"]}},
        }
    if record.type in ENDINGS:
        return {**doc, "order": {**doc["order"], "closed": record.at}}
    if not record.item:
        return {**doc, "order": _reached(doc["order"], record)}
    item = doc["items"].get(record.item)
    if item is None:
        return doc
    item = _without_part(item, record)
    steps = [step for step in item["steps"] if step not in item.get("given_up", ())]
    reached = _completed([*steps, *item.get("recalls", ())], _reached(item["reached"], record), record)
    return {**doc, "items": {**doc["items"], record.item: {**item, "reached": reached}}}


def _revised(before: Doc | None, item: Doc) -> Doc:
    """An item that a change of the paper planned anew: steps of before that it has no more are given up by events of their own."""
    steps = [step["step"] for step in item["steps"]]
    of_before = before or {"steps": [], "reached": {}}
    return {**of_before, "offering": item["offering"], "steps": list(dict.fromkeys((*of_before["steps"], *steps)))}


def _without_part(item: Doc, record: Seen) -> Doc:
    """The item after an event that gives up a step of it, asks a partner to drop its work, or takes a step up again that the partner
    kept."""
    given_up = item.get("given_up", [])
    if record.shape == "given-up":
        return {**item, "given_up": [*given_up, record.step]}
    if record.shape == "recall":
        return {**item, "recalls": [*item.get("recalls", ()), record.step]}
    if record.shape in ("done", "renewed") and record.step in given_up:
        return {**item, "given_up": [step for step in given_up if step != record.step], "recalls": []}
    return item


def _reached(reached: dict[str, str], record: Seen) -> dict[str, str]:
    """The milestones after an event of a step. The first request of a step counts, and the last time it was done."""
    if record.shape in ("requested", "recall"):
        return {f"{record.step}.requested": record.at, **reached}
    if record.shape == "done":
        return {**reached, f"{record.step}.done": record.at}
    return {name: at for name, at in reached.items() if name != f"{record.step}.done"}


def _completed(steps: list[str], reached: dict[str, str], record: Seen) -> dict[str, str]:
    if not all(f"{step}.done" in reached for step in steps):
        return {name: at for name, at in reached.items() if name != "completed"}
    return {"completed": record.at, **reached}


def _rows(order_id: str, doc: Doc) -> Iterator[Row]:
    if "channel" in doc:
        base: dict[str, Any] = {"order_id": order_id, "channel": doc["channel"]}
        yield {**base, "item": "", "offering": "", "reached": doc["order"]}
        shared = {name: at for name, at in doc["order"].items() if name in ("captured", "planned")}
        for name, item in doc["items"].items():
            yield {**base, "item": name, "offering": item["offering"], "reached": {**shared, **item["reached"]}}


MILESTONES = Projection(
    name="milestones",
    meaning="One row an item and one an order (item empty): milestone to business time. Steps as <step>.requested (first) and <step>.done (last).",
    shape_version=1,
    columns={"order_id": "text", "item": "text", "channel": "text", "offering": "text", "reached": "jsonb"},
    key=("order_id", "item"),
    indexes=("order_id",),
    types=_concerns,
    fields=frozenset({"items", "channel"}),
    group=order_of,
    found_by="order",
    initial={"order": {}, "items": {}},
    evolve=_evolve,
    rows=_rows,
    views={"cycle_time": CYCLE_TIME_VIEW},
)

CYCLE_TIMES = "SELECT * FROM projection.cycle_time"
"""The percentiles of all cycle times. No parameters."""

REACHED_BY_ORDERS = "SELECT * FROM projection.milestones WHERE order_id = ANY(%s) ORDER BY order_id, item"
"""The milestones of some orders and their items. Parameter: the orders' ids."""

FUNNEL = """WITH stage (place, stage, reached) AS (VALUES (1, 'captured', 'captured'), (2, 'validated', 'validation.done'),
    (3, 'identified', 'identity.done'), (4, 'credit-decided', 'credit.done'), (5, 'planned', 'planned'), (6, 'ended', 'closed')
), wanted AS (
    SELECT order_id, reached FROM projection.milestones WHERE item = ''
        AND (%(since)s::timestamptz IS NULL OR (reached ->> 'captured')::timestamptz >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR (reached ->> 'captured')::timestamptz < %(until)s)
), fell AS (
    SELECT f.order_id, f.state, CASE WHEN f.item <> '' THEN 'closed' WHEN f.step IN ('validation', 'identity', 'credit') THEN f.step || '.done'
        ELSE 'planned' END AS reached
    FROM projection.fallout f JOIN wanted USING (order_id) WHERE starts_with(f.stream, 'order-')
)
SELECT s.stage, (SELECT count(*) FROM wanted w WHERE w.reached ? s.reached) AS reached,
    (SELECT count(DISTINCT order_id) FROM fell f WHERE f.reached = s.reached) AS fell_out,
    (SELECT count(DISTINCT order_id) FROM fell f WHERE f.reached = s.reached AND f.state = 'open') AS open
FROM stage s ORDER BY s.place"""
"""How far orders came and on the way to which stage they fell out. Parameters: `since`, `until` of their capture (NULL: any)."""
