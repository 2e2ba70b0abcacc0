"""The papers of an order: how it stood by them before its plan, and two that came under one external id, side by side, with what each
decision does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.event import Fact
from o2c.orders.events import OrderPlanned
from o2c.orders.revised import as_before_plan
from o2c.orders.revision_events import OrderRevised
from o2c.orders.state import OrderState

DECISIONS = (
    "approve: the later paper becomes an order of its own beside the one in force",
    "decline: the order in force stays as it is, and no order comes of the later paper",
    "amend: the order in force becomes the one of the later paper (`o2c orders amend --from-resubmission`)",
)
"""What each decision about two papers does."""

FIRST_PAPER = "SELECT occurred_at, channel, actor FROM o2c.event WHERE stream = %s AND type = 'order.captured' ORDER BY version LIMIT 1"
"""When and how an order was captured. Parameter: its stream."""

ORIGINAL_OF_FIRST = (
    "SELECT personal ->> 'original' AS original FROM o2c.event WHERE stream = %s AND type = 'order.captured' ORDER BY version LIMIT 1"
)
"""An order's paper to the letter. Parameter: its stream."""

PAPERS = """SELECT version, personal ->> 'original' AS original FROM o2c.event
WHERE stream = %s AND type IN ('order.captured', 'order.revised') ORDER BY version"""
"""The papers that an order had, the first first. Parameter: its stream."""

LATER_PAPER = """SELECT version, occurred_at, channel, actor, body -> 'differing' AS differing FROM o2c.event
WHERE stream = %s AND type = 'order.resubmitted' AND position <= %s ORDER BY position DESC LIMIT 1"""
"""The paper that a suspicion is about. Parameters: the order's stream, the position of the suspicion."""

ORIGINAL_OF_LATER = """SELECT personal ->> 'original' AS original FROM o2c.event WHERE stream = %s AND version = %s"""
"""A later paper to the letter. Parameters: the order's stream, the version of its event."""

PAPER_OF_RESUBMISSION = """SELECT version, personal ->> 'original' AS original FROM o2c.event
WHERE stream = %s AND type = 'order.resubmitted' AND body ->> 'fingerprint' = %s ORDER BY version LIMIT 1"""
"""A paper that came later, and the version of the order's stream at which it came. Parameters: the order's stream, the paper's
fingerprint."""


def both_papers(app: Engine, row: Mapping[str, Any], *, personal: bool) -> dict[str, Any]:
    """What differs between the paper in force and the one that came later, and both papers' channel and time.

    The values that differ are shown only where `personal` is asked for, since a paper may name a person anywhere. `row` is the fallout's.
    """
    stream, suspected_at = str(row["stream"]), int(row["cause_event"])
    [first] = app.reads.rows(FIRST_PAPER, stream)
    later = next(iter(app.reads.rows(LATER_PAPER, stream, suspected_at)), None)
    if later is None:
        return {}
    papers: list[dict[str, Any]] = [
        {"paper": name, "came_at": came["occurred_at"].isoformat().replace("+00:00", "Z"), "channel": came["channel"], "by": came["actor"]}
        for name, came in (("in force", first), ("later", later))
    ]
    differing = [{"field": path} for path in later["differing"]]
    if personal:
        texts = (app.reads.rows(ORIGINAL_OF_FIRST, stream), app.reads.rows(ORIGINAL_OF_LATER, stream, later["version"]))
        originals = [_parsed(rows[0]["original"]) for rows in texts]
        differing = [{"field": path, "in_force": _at(originals[0], path), "later": _at(originals[1], path)} for path in later["differing"]]
    return {"papers": papers, "differing": differing, "decisions": list(DECISIONS)}


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _at(paper: Any, path: str) -> str:
    """The value of a paper at a path such as `productOrderItem[0].quantity`; list places may name an element by its name or id."""
    value = paper
    for part in path.replace("[", ".[").split("."):
        value = _element(value, part[1:-1]) if part.startswith("[") else value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _element(value: Any, key: str) -> Any:
    if not isinstance(value, list):
        return None
    if key.isdecimal():
        return value[int(key)] if int(key) < len(value) else None
    return next((one for one in value if isinstance(one, dict) and key in (one.get("name"), one.get("id"), one.get("role"))), None)


def before_plan(app: Engine, stream: str) -> OrderState:
    """An order as it stood when it was planned, corrections and all, with the paper that it was changed to since; as it stands where it was
    not planned."""
    kind = app.kind(stream)
    state, planned = cast("OrderState", kind.initial(stream)), False
    for fact in cast("Iterator[Fact]", app.events.get(stream)):
        planned = planned or isinstance(fact.event, OrderPlanned)
        if isinstance(fact.event, OrderRevised):
            state = as_before_plan(state, fact.event)
        elif not planned:
            state = kind.evolve(state, fact.event)
    return state
