"""The triggers in force and of before, what they set off, and what they would have set off: a search of the log by the same conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast, get_args

from o2c.engine.app import Engine
from o2c.kernel.event import types_by_name
from o2c.kernel.refusal import Refused
from o2c.triggers import rules
from o2c.triggers.definition import Definition, on_types, read
from o2c.triggers.effects import LEADS_TO
from o2c.triggers.events import STREAM, TriggerRetired, TriggerSet, Withheld
from o2c.triggers.rules import Version
from o2c.triggers.state import TriggersState
from o2c.views.following import EventRecord, Wanted, find_events, show_stream
from o2c.views.orders import find_order
from o2c.views.reading import Page, page_of, plain
from o2c.views.shown import FiringShown, TriggerMatchShown, TriggerShown, TriggerWholeShown

EFFECTS: tuple[str, ...] = tuple(LEADS_TO)
STATES: tuple[str, ...] = ("fired", *get_args(Withheld))
LOOKED_BACK = timedelta(days=31)
SAMPLE = 5
"""So many of the events that a trigger matches are named, the first ones."""
COLUMNS = ("firing", "trigger", "version", "type", "does", "state", "order", "customer", "fired_at")
TRIED = ("trigger", "on", "does", "matched", "first", "last")

FIRINGS = """SELECT substr(stream, 8) AS firing, body ->> 'trigger' AS trigger, (body ->> 'version')::integer AS version,
    body ->> 'event' AS event, body ->> 'type' AS type, coalesce(body -> 'then' ->> 'do', '') AS does, coalesce(body ->> 'reason', 'fired') AS state,
    coalesce(body ->> 'order', '') AS "order", coalesce(body ->> 'customer', '') AS customer, (body ->> 'depth')::integer AS depth,
    (body -> 'then' ->> 'severity')::integer AS severity, coalesce(body -> 'then' ->> 'text', '') AS text, occurred_at AS fired_at, count(*) OVER () AS n
FROM o2c.event WHERE stream >= 'firing-' AND stream < 'firing.' AND version = 1
AND (%(trigger)s = '' OR body ->> 'trigger' = %(trigger)s) AND (%(order)s = '' OR order_id::text = %(order)s)
AND (%(does)s = '' OR body -> 'then' ->> 'do' = %(does)s) AND (%(state)s = '' OR coalesce(body ->> 'reason', 'fired') = %(state)s)
AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)
ORDER BY position DESC LIMIT %(limit)s"""
"""What triggers set off, the last first, and how much that is in all (`n`). Parameters: `trigger`, `order` (its id), `does`, `state` (empty
text: any), `since` and `limit` (NULL: any)."""

CAUSES = """SELECT e.event_id::text AS id, coalesce(begun.event_id, e.causation)::text AS cause,
    CASE e.type WHEN 'trigger.fired' THEN (e.body ->> 'depth')::integer END AS depth
FROM o2c.event e LEFT JOIN o2c.event begun ON begun.stream = e.stream AND begun.version = 1 AND e.version > 1
    AND (starts_with(e.stream, 'message-') OR starts_with(e.stream, 'firing-'))
WHERE e.order_id = ANY(%(orders)s::uuid[]) OR e.stream = ANY(%(streams)s)"""
"""What led to what among the events of some orders and streams, and how deep each firing among them is. What becomes of a message or of a
firing comes of what began it. Parameters, by name: orders, streams."""


def histories(app: Engine) -> dict[str, list[Version]]:
    """Every version of every trigger with the position from which it holds, the oldest first; as far as readers see."""
    return versions_of((record.position, _event(record)) for record in show_stream(app, STREAM))


def versions_of(told: Iterable[tuple[int, TriggerSet | TriggerRetired]]) -> dict[str, list[Version]]:
    """What was told of triggers, each at its position, as the versions of each name, the oldest first."""
    found: dict[str, list[Version]] = {}
    for position, event in told:
        found.setdefault(event.trigger, []).append(Version(position, event if isinstance(event, TriggerSet) else None))
    return found


def _event(record: EventRecord) -> TriggerSet | TriggerRetired:
    return cast("TriggerSet | TriggerRetired", types_by_name()[record.type].model_validate(record.data))


def owner_of(record: EventRecord) -> tuple[str, str]:
    """The order and the customer that an event is about, empty for none."""
    return record.order or "", record.customer or ""


def depths(app: Engine, records: Sequence[EventRecord]) -> dict[str, int]:
    """How many firings led to each of some events, one after another: as deep as the last firing among the causes of its causes."""
    if not records:
        return {}
    asked = {
        "orders": sorted({record.order for record in records if record.order}),
        "streams": sorted({record.stream for record in records}),
    }
    told = {row["id"]: (row["cause"], row["depth"]) for row in app.reads.rows(CAUSES, **asked)}
    return {record.id: depth_of(record.id, told) for record in records}


def depth_of(event: str, told: Mapping[str, tuple[str | None, int | None]]) -> int:
    """The depth of the nearest firing among an event and its causes, 0 where there is none. `told` gives by event its cause, and its depth
    if it is one."""
    at: str | None = event
    for _ in range(len(told) + 1):
        if at is None or at not in told:
            return 0
        at, depth = told[at]
        if depth is not None:
            return depth
    return 0


def list_triggers(app: Engine, *, retired: bool = False) -> list[TriggerShown]:
    """The triggers in force by name, with what each is on and does; with `retired` those that were, too."""
    shown = [_shown(name, versions) for name, versions in sorted(histories(app).items())]
    return [row for row in shown if retired or not row["retired"]]


def _shown(name: str, versions: Sequence[Version]) -> TriggerShown:
    told = next(each.told for each in reversed(versions) if each.told)
    return {
        "trigger": name, "version": told.version, "on": told.on, "does": told.then.do, "conditions": len(told.when),
        "retired": versions[-1].told is None, "since": str(versions[-1].position),
    }  # fmt: skip


def show_trigger(app: Engine, trigger: str) -> TriggerWholeShown:
    """One trigger: its conditions, what it does, and every version that it had, with the position after which that holds. Raises Refused
    (missing)."""
    found = histories(app).get(trigger)
    if found is None:
        raise Refused(f"there is no trigger {trigger[:40]}; see `o2c triggers list`", kind="missing")
    who = {record.position: record for record in show_stream(app, STREAM)}
    versions = [
        {
            "version": each.told.version if each.told else None,
            "after": str(each.position),
            "at": plain(who[each.position].occurred_at),
            "by": who[each.position].actor,
            "when": [condition.model_dump(mode="json") for condition in each.told.when] if each.told else [],
            "then": each.told.then.model_dump(mode="json") if each.told else {},
            "on": each.told.on if each.told else "",
        }
        for each in found
    ]
    return cast("TriggerWholeShown", {**_shown(trigger, found), "versions": versions})


def list_firings(
    app: Engine,
    *,
    trigger: str = "",
    order: str = "",
    does: str = "",
    state: str = "",
    since: datetime | None = None,
    limit: int | None = None,
) -> Page[FiringShown]:
    """What triggers set off, the last first: by which version, of which event, of whom; the page says how many more there are.

    `does` is one of the effects; `state` is fired, or why nothing was done (loop, no-customer, no-order, not-possible). Raises Refused:
    usage (an effect or a state that is none), missing (no such order).
    """
    for what, value, known in (("effect", does, EFFECTS), ("state", state, STATES)):
        if value and value not in known:
            raise Refused(f"there is no {what} {value[:40]}; use one of {', '.join(known)}")
    order_id = find_order(app, order)[1].order_id if order else ""
    asked = {"trigger": trigger, "order": order_id, "does": does, "state": state, "since": since, "limit": limit}
    return page_of(app.reads.rows(FIRINGS, **asked), "n")


def dry_run_triggers(app: Engine, definitions: str = "", *, since: datetime | None = None, trigger: str = "") -> list[TriggerMatchShown]:
    """Try triggers on what happened from a time on, by default in the last 31 days: of each, how many events it matches, the first and the
    last, and some of them. Nothing is done or written.

    The triggers are those of `definitions` (the text of a file that is not set) or, without one, those in force; one of them where
    `trigger` names it. Every event counts, whenever the trigger was set, and so do those of orders that are over by now. Raises Refused:
    usage (a file that could not be set), missing (no such trigger).
    """
    tried = _tried(app, definitions)
    if trigger and trigger not in tried:
        raise Refused(f"there is no trigger {trigger[:40]} among those that are tried; see `o2c triggers list`", kind="missing")
    tried = {name: each for name, each in tried.items() if trigger in ("", name)}
    types = tuple(sorted({name for each in tried.values() for name in on_types(each.on)}))
    wanted = Wanted(types=types, since=since or app.clock().now - LOOKED_BACK)
    return matched(tried, find_events(app, wanted) if types else ())


def _tried(app: Engine, definitions: str) -> dict[str, TriggerSet]:
    state: TriggersState = app.load_one(STREAM).state
    if not definitions:
        return dict(state.standing)
    told = read(definitions)
    rules.set_triggers(state, told)
    return {name: as_set(name, each, state.versions.get(name, 0) + 1) for name, each in sorted(told.items())}


def as_set(name: str, definition: Definition, version: int = 1) -> TriggerSet:
    """A trigger as it would be set."""
    return TriggerSet(trigger=name, version=version, on=definition.on, when=definition.when, then=definition.then)


def matched(triggers: Mapping[str, TriggerSet], records: Iterable[EventRecord]) -> list[TriggerMatchShown]:
    """What triggers match of some events, in their order."""
    found: dict[str, list[EventRecord]] = {name: [] for name in triggers}
    counts = dict.fromkeys(triggers, 0)
    last: dict[str, EventRecord] = {}
    for record in records:
        for name, trigger in triggers.items():
            if rules.matches(trigger, record.type, record.data):
                counts[name] += 1
                last[name] = record
                if len(found[name]) < SAMPLE:
                    found[name].append(record)
    return [_match(trigger, counts[name], found[name], last.get(name)) for name, trigger in triggers.items()]


def _match(trigger: TriggerSet, count: int, first: Sequence[EventRecord], last: EventRecord | None) -> TriggerMatchShown:
    sample: list[dict[str, Any]] = [
        {"position": str(each.position), "event": each.id, "type": each.type, "at": plain(each.occurred_at), "order": each.order or ""}
        for each in first
    ]
    return cast(
        "TriggerMatchShown",
        {
            "trigger": trigger.trigger, "on": trigger.on, "does": trigger.then.do, "matched": count, "first": plain(first[0].occurred_at) if first else None,
            "last": plain(last.occurred_at) if last else None, "sample": sample,
        },
    )  # fmt: skip
