"""Taking down one paper: what an intake of a file and a backend service have in common, and what a service does with one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.desk.act import permitted
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Command, Loaded
from o2c.kernel.carry import happened
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id, digest, order_id
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, MARKETS, current
from o2c.orders.document import SOURCE, Unreadable, parse, read
from o2c.orders.events import OrderCaptured
from o2c.orders.rules import Reception, receive
from o2c.orders.wish import Wish
from o2c.store.reads import Clock

__all__ = ["HOME", "MARKET_CODES", "Captured", "Paper", "capture", "document", "latest", "order_stream", "received"]

MARKET_CODES = tuple(sorted(MARKETS))
"""The codes of the markets whose rules this program knows."""
Paper = Mapping[str, Any] | bytes | str
"""A TM Forum document: as parsed JSON, or as it came over the wire."""

STANDING = """SELECT e.type, c.last_position AS position FROM o2c.event e JOIN o2c.command c USING (command_id)
WHERE e.stream = %s AND e.type IN ('order.captured', 'order.resubmitted') AND e.body->>'fingerprint' = %s
ORDER BY e.version LIMIT 1"""
"""Where the content of a paper was taken down first. Parameters: the order's stream, the fingerprint of the content."""
TRIES_MAX = 20
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured(Written):
    """What became of an order's paper. `order` is our id of the order, the same for ever for the same external id.

    `repeated`: this content was taken down before, and stands where `position` says. `resubmitted`: the external id was known with other
    content; the first paper stays in force and a person is asked (fallout DQ-DUP).
    """

    order: str
    resubmitted: bool = False


def latest(clock: Clock) -> datetime | None:
    """The latest date a paper may bear: what a real clock says, and what clocks differ by. None on a simulated one: papers come early."""
    return clock.now + CLOCK_SKEW if clock.kind == "real" else None


def order_stream(external_id: str) -> str:
    """The stream of the order that its channel calls so."""
    return f"order-{order_id(SOURCE, external_id)}"


def received(
    app: Engine, loaded: Loaded, wish: Wish, *, intake: str, line: int, catalogue_version: int, market: str, now: datetime
) -> tuple[Reception, Decision]:
    """What a paper is to what stands: new, known, or other content under a known id. The paper in force is read only for the last.

    `market` is the code of the market the paper belongs to, of which the version in force on its day is pinned.
    """
    state = loaded.state
    known = bool(state.external_id) and (state.intake, state.line) != (intake, line) and wish.fingerprint != state.fingerprint
    original = _original(app, loaded.stream) if known else None
    pin = current(market, wish.order_date.date()).pin
    return receive(state, wish, intake=intake, line=line, catalogue_version=catalogue_version, market=pin, now=now, original=original)


def _original(app: Engine, stream: str) -> str:
    [fact] = app.events.get(stream, lte=1)
    return cast("OrderCaptured", cast("Any", fact).event).original


def capture(app: Engine, context: Context, paper: Paper, *, market: str = HOME) -> Captured:
    """Take down one TMF622 v4 product order, whatever it lacks, by the rules of an intake from a file, under the rules of a market.

    The same content again, under whatever command id, is the same order and is answered with where it stands. The paper's own channel stands in
    the log, the context's only where the paper names none. Raises Refused: usage for a paper that cannot be read (nothing is stored) or a market
    that there is not, conflict when the command id was used for something else, missing when the store has no catalogue yet.
    """
    context, wish = permitted(context, "orders.capture"), _wish(paper, latest(app.clock()))
    stream = order_stream(wish.external_id)
    fingerprint = digest(json.dumps(["capture", stream, wish.fingerprint]))
    command_id = context.command_id or derived_id("capture", stream, wish.fingerprint)
    for _ in range(TRIES_MAX):
        command = (
            None if app.recall(stream, command_id, fingerprint) else _command(app, stream, wish, market, context, command_id, fingerprint)
        )
        if command is None:
            return _standing(app, stream, wish)
        [outcome] = app.write([command])
        if outcome.verdict == "appended":
            resubmitted = bool(command.seen[stream].version)
            return Captured(stream=stream, position=outcome.last_position, order=_order_of(stream), resubmitted=resubmitted)
    raise Refused(f"{stream} is written to without end; try again with the same command id", kind="unavailable")


def _command(app: Engine, stream: str, wish: Wish, market: str, context: Context, command_id: str, fingerprint: str) -> Command | None:
    loaded = app.load([stream, CATALOGUE])
    if not loaded[CATALOGUE].version:
        raise Refused("there is no catalogue yet, and orders pin its version; run `o2c load catalogue FILE` first", kind="missing")
    # An intake knows its lines again by their place in the file, a service its papers by their command ids.
    name, version = f"service/{command_id}", loaded[CATALOGUE].version
    now = app.clock().now
    _, decision = received(app, loaded[stream], wish, intake=name, line=1, catalogue_version=version, market=market, now=now)
    if not decision:
        return None
    channel = context.channel if wish.channel == "unknown" else wish.channel
    events = happened(stream, decision, wish.order_date)
    return Command(command_id, stream, events, {stream: loaded[stream]}, context.actor, channel, fingerprint=fingerprint)


def _standing(app: Engine, stream: str, wish: Wish) -> Captured:
    """Where the content of a paper was taken down."""
    [row] = app.reads.rows(STANDING, stream, wish.fingerprint)
    resubmitted = row["type"] == "order.resubmitted"
    return Captured(stream=stream, position=row["position"], repeated=True, order=_order_of(stream), resubmitted=resubmitted)


def _order_of(stream: str) -> str:
    return stream.partition("-")[2]


def document(paper: Paper, what: str) -> dict[str, Any]:
    """A paper as strict JSON. Raises Refused, showing no value: it may be personal."""
    try:
        return parse(_raw(paper))
    except (Unreadable, TypeError, ValueError, RecursionError) as error:
        raise Refused(f"{what} cannot be read: {_why(error)}; nothing was stored, correct it") from None


def _wish(paper: Paper, latest: datetime | None) -> Wish:
    try:
        return read(_raw(paper), latest=latest)
    except (Unreadable, TypeError, ValueError, RecursionError) as error:
        raise Refused(f"the order cannot be read: {_why(error)}; nothing was stored, correct it") from None


def _raw(paper: Paper) -> bytes:
    if isinstance(paper, bytes):
        return paper
    return (paper if isinstance(paper, str) else json.dumps(paper, ensure_ascii=False)).encode("utf-8", "surrogatepass")


def _why(error: Exception) -> str:
    """Only what the reader of papers says is known to show no value."""
    return str(error) if isinstance(error, Unreadable) else "it holds what JSON cannot"
