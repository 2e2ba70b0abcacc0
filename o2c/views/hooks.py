"""Hooks and their deliveries: who is told of events, and what came of telling."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from o2c.engine.app import Engine
from o2c.hooks.events import Format
from o2c.hooks.rules import needs_leave
from o2c.hooks.signing import delivery_id
from o2c.hooks.state import HookState, stream_of
from o2c.kernel.refusal import Refused
from o2c.views.following import masked
from o2c.views.kept_key import KeptKey
from o2c.views.reading import Page, page_of, plain
from o2c.views.shown import DeliveryShown, HookShown

KEY = KeptKey("O2C_HOOKS_KEY", "hooks.key", "signing what hooks are told")
COLUMNS = ("hook", "state", "url", "format", "types", "pending", "dead", "begun_by")
DELIVERY_COLUMNS = ("delivery", "state", "kind", "stream", "attempts", "status", "word", "next_at", "tried_at")
STATES = ("pending", "delivered", "dead")
FORMATS: tuple[Format, ...] = get_args(Format)

BEGUN = (
    "SELECT stream, actor, position, recorded_at FROM o2c.event WHERE stream BETWEEN 'hook-' AND 'hook-z' AND version = 1 ORDER BY position"
)
"""Who began each hook, and when, in that order. No parameters."""

COUNTS = "SELECT hook, state, count(*) AS n FROM o2c.outbox WHERE state IN ('pending', 'dead') GROUP BY hook, state"
"""How many deliveries of each hook are still to be made, and how many were given up; no row where there are none. No parameters."""

DELIVERIES = """SELECT event_id::text AS event, part, position, state, kind, stream, attempts, status, word, latency_ms, made_at, tried_at,
    CASE WHEN state = 'pending' THEN next_at END AS next_at, count(*) OVER () AS n
FROM o2c.outbox WHERE hook = %(hook)s AND (%(state)s = '' OR state = %(state)s) AND (%(since)s::timestamptz IS NULL OR made_at >= %(since)s)
ORDER BY position DESC, part DESC LIMIT %(limit)s"""
"""The deliveries of a hook, the last first, and how many there are in all (`n`). Parameters: `hook`, `state` (empty text: all), `since`
when they were put into the outbox (NULL: ever), the `limit` (NULL: all)."""


def format_named(name: str) -> Format:
    """A format by its name. Raises Refused (usage) for one that there is not."""
    for each in FORMATS:
        if each == name:
            return each
    raise Refused(f"a hook is told in {', '.join(FORMATS)}, not in {name}")


def hook_states(app: Engine) -> dict[str, HookState]:
    """Every hook that there ever was, by its id."""
    streams = app.reads.streams_like("hook-")
    loaded = app.load(streams)
    return {stream.removeprefix("hook-"): loaded[stream].state for stream in streams}


def standing_hook(app: Engine, hook: str) -> tuple[str, HookState]:
    """The id and the state of a hook that has not ended. Raises Refused (missing)."""
    stream = stream_of(hook)
    state = app.load_one(stream).state
    if not state.standing:
        raise Refused(f"there is no hook {hook}; see `o2c hooks list`", kind="missing")
    return stream.removeprefix("hook-"), state


def list_hooks(app: Engine, *, captured_by: str = "") -> list[HookShown]:
    """The hooks that have not ended, the oldest first: whom they tell of what, how much is still to be told, and how much was given up.

    `state` is `active`, `suspended` (its endpoint is gone, or has taken nothing for days), or `not-allowed` until an admin allows an
    address that is not of the public network or not reached over TLS. With `captured_by` those alone that tell of what this actor captured.
    """
    states = hook_states(app)
    counts = {(row["hook"], row["state"]): row["n"] for row in app.reads.rows(COUNTS)}
    rows: list[HookShown] = []
    for begun in app.reads.rows(BEGUN):
        hook = begun["stream"].removeprefix("hook-")
        state = states.get(hook, HookState())
        if state.standing and captured_by in ("", state.captured_by):
            rows.append(_row(hook, state, begun, counts.get((hook, "pending"), 0), counts.get((hook, "dead"), 0)))
    return rows


def _row(hook: str, state: HookState, begun: dict[str, Any], pending: int, dead: int) -> HookShown:
    return {
        "hook": hook,
        "state": "suspended" if state.suspended else "active" if is_open(state) else "not-allowed",
        "why": state.suspended or None,
        "url": state.url,
        "format": state.format,
        "types": list(state.types) or ["*"],
        "captured_by": state.captured_by or None,
        "customer": state.customer or None,
        "unmasked": state.unmasked,
        "private_address_allowed": state.private_allowed,
        "generation": state.generation,
        "query": state.query,
        "pending": pending,
        "dead": dead,
        "begun_by": begun["actor"],
        "begun_at": plain(begun["recorded_at"]),
    }


def is_open(state: HookState) -> bool:
    """Whether a hook is told of events now."""
    return state.standing and not state.suspended and (state.private_allowed or not needs_leave(state.url))


def list_deliveries(
    app: Engine, hook: str, *, state: str = "", since: datetime | None = None, limit: int | None = None
) -> Page[DeliveryShown]:
    """What a hook was told, is to be told, or was not told in the end, the last first; the page says how many more there are.

    `delivery` is the id that each attempt bears. `status` and `word` are of the last attempt. What was delivered is shown for a week.
    Raises Refused: missing (no such hook), usage (a state that is none).
    """
    if state and state not in STATES:
        raise Refused(f"a delivery is {', '.join(STATES)}, not {state}")
    name, _ = standing_hook(app, hook)
    page = page_of(app.reads.rows(DELIVERIES, hook=name, state=state, since=since, limit=limit), "n")
    for row in page:
        kind, dash, rest = row["stream"].partition("-")
        row["stream"] = f"{kind}{dash}{masked(rest)}"
        row["delivery"] = delivery_id(name, row["event"], row.pop("part"))
        row["position"] = str(row["position"])
    return page
