"""One fallout on a page, with everything that a person needs to act on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.views.codes import guide_of
from o2c.views.fallout_state import with_record
from o2c.views.fallouts import blocked_by, complete, row_of_fallout
from o2c.views.guidance import actions_of, asked_first, correctable, ways_of
from o2c.views.papers import both_papers
from o2c.views.reading import Rows, plain
from o2c.views.shown import FalloutPage

DEEDS_ON_FALLOUT = """SELECT occurred_at AS at, actor AS by, type, body ->> 'decision' AS decision FROM o2c.event
WHERE stream = %s AND type IN ('fallout.correction-applied', 'fallout.decided') AND body ->> 'fallout' = %s ORDER BY position"""
"""What people did about a fallout, the first first. Parameters: its stream and its id."""

NOTES_ON_FALLOUT = """SELECT personal ->> 'note' AS note, personal -> 'changes' AS changes FROM o2c.event
WHERE stream = %s AND type IN ('fallout.correction-applied', 'fallout.decided') AND body ->> 'fallout' = %s ORDER BY position"""
"""The notes to what people did about a fallout, and what they corrected, the first first. Parameters: its stream and its id."""


def show_fallout(app: Engine, name: str, *, personal: bool = False) -> FalloutPage:
    """One fallout with what a person needs to act: what its code means, whose order, what it blocks, which actions there are.

    `name` is its id or the first 8 letters of it. `values` are those that may be corrected, and `deeds` what people did about it, each with
    its note (`ways` are the actions once more, as data for a form): both are shown only where `personal` is asked for. Raises Refused:
    missing, usage (letters that begin several ids).
    """
    row = row_of_fallout(app, name)
    for column in ("group_key", "group_id"):
        row.pop(column, None)
    order = row.pop("order_id")
    row = cast("dict[str, Any]", plain({**row, "order": order}))
    blocked = blocked_by(app, [row])
    now, codes = app.clock().now, app.book.codes.newest
    complete(row, blocked[row["fallout"]], now, codes)
    actions = actions_of(app, row, row["external_id"] or row["order"] or "")
    as_opened = dict(row)
    row = with_record(row, codes, now)
    told = {
        **row,
        "meaning": guide_of(app.book.codes.newest, row["reason"]).meaning,
        "values": _values(app, row) if personal else HIDDEN,
        "actions": actions,
        "ways": (ways := ways_of(app, as_opened, row)),
        "choices": _choices(app, row, {way["value"] for way in ways if way["action"] == "correct"}),
        "deeds": _deeds(app, row, personal),
    }
    return cast("FalloutPage", {**told, **(both_papers(app, row, personal=personal) if row["reason"] == "DQ-DUP" else {})})


def _choices(app: Engine, row: Mapping[str, Any], keys: set[str]) -> dict[str, list[str]]:
    """What there is to choose from for the keys that may be corrected, where it is not free."""
    state = app.load_one(row["stream"]).state
    offered = app.book.steps[row["step"]].choices(app.work(row["stream"], state, row["item"], row["step"]), app.clock().now) if keys else {}
    return {key: list(values) for key, values in offered.items() if key in keys}


HIDDEN = "hidden; --personal shows them"
"""What stands where personal values are not shown."""


def _values(app: Engine, row: Mapping[str, Any]) -> Rows:
    """The values that may be corrected, as they stand."""
    state = app.load_one(row["stream"]).state
    found = []
    for key in asked_first(row["reason"], correctable(app, row["stream"], state, row["item"])):
        match key.split(".", 2):
            case ["line", number, name]:
                value = getattr(state.lines[int(number) - 1], name)
            case _ if row["item"]:
                item = state.items[row["item"]]
                value = item.place if key == "place" else item.characteristics.get(key, "")
            case _:
                value = getattr(state, key, "")
        found.append({"key": key, "value": ", ".join(value) if isinstance(value, tuple) else str(value or "")})
    return found


def _deeds(app: Engine, row: Mapping[str, Any], personal: bool) -> Rows:
    """What people did about a fallout; why, and what they corrected, only where that is asked for."""
    deeds = app.reads.rows(DEEDS_ON_FALLOUT, row["stream"], row["fallout"])
    notes = app.reads.rows(NOTES_ON_FALLOUT, row["stream"], row["fallout"]) if personal else [{}] * len(deeds)
    return [
        plain({"at": deed["at"], "by": deed["by"], "did": deed["decision"] or "correct", **note})
        for deed, note in zip(deeds, notes, strict=True)
    ]
