"""One number: whose it is, and everything that happened to it."""

from __future__ import annotations

from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.identifiers import e164
from o2c.kernel.refusal import Refused
from o2c.numbers.rules import claimant
from o2c.numbers.state import NumberState, stream_of
from o2c.views.reading import plain
from o2c.views.shown import NumberShown

HISTORY_OF_STREAM = "SELECT occurred_at, type, actor, order_id::text AS order FROM o2c.event WHERE stream = %s ORDER BY version"
"""What happened to one thing, when and by whom, the first first. Parameter: its stream."""


def show_number(app: Engine, msisdn: str) -> NumberShown:
    """A number: class, state, for whom, until when, its rest, and everything that happened to it. Raises Refused (missing)."""
    stream = stream_named(msisdn)
    loaded = app.load_one(stream)
    if not loaded.version:
        raise Refused(f"number {msisdn} is not known; see `o2c status` for what is in stock", kind="missing")
    state: NumberState = loaded.state
    history = app.reads.rows(HISTORY_OF_STREAM, stream)
    kept_until = state.kept_until if state.status == "reserved" else None
    told = {"number": msisdn, "class": state.number_class, "state": state.status, "order": state.order or None, "item": state.item or None}
    return cast("NumberShown", plain({**told, "reserved_until": kept_until, **_rest(state), "history": history}))


def _rest(state: NumberState) -> dict[str, Any]:
    """What a number was that rests, until when it does, and who may claim it; all None for one that rests no more."""
    rests = state.status == "quarantined"
    return {
        "was": state.use or None if rests else None,
        "rests_until": state.rests_until if rests else None,
        "may_be_claimed_by": claimant(state) or None,
        "then": ("back to the holder of its range" if state.brought_in else "on offer again") if rests else None,
    }


def stream_named(msisdn: str) -> str:
    """The number's stream. Raises Refused for a text that is no number."""
    try:
        return stream_of(e164(msisdn))
    except ValueError as error:
        raise Refused(f"numbers: {error}; write it as +447700900123") from None
