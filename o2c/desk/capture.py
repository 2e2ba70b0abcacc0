"""Taking down one paper: what an intake of a file and a backend service have in common, and what a service does with one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.customers.state import stream_of as customer_stream
from o2c.customers.state import tier_of
from o2c.desk.act import Rule, permitted
from o2c.desk.earlier import earlier_by, earlier_of, twin_of
from o2c.desk.followed import apart_of, followed
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Command, Loaded
from o2c.journeys.state import POLICY_STREAM
from o2c.kernel.carry import happened
from o2c.kernel.decision import Decision
from o2c.kernel.event import Fact
from o2c.kernel.identifiers import derived_id, digest, order_id
from o2c.kernel.periods import parse_time
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, MARKETS, current
from o2c.orders.document import SOURCE, Unreadable, parse, read
from o2c.orders.events import OrderCaptured, OrderResubmitted
from o2c.orders.receiving import Arrival, Reception, SetApart, came_at, follow_up, follower, receive, same_order
from o2c.orders.same_wish import Earlier
from o2c.orders.state import OrderState
from o2c.orders.wish import Wish
from o2c.store.commands import Outcome
from o2c.store.mapper import StoredFact
from o2c.store.reads import Clock

__all__ = [
    "HOME",
    "MARKET_CODES",
    "Captured",
    "Paper",
    "capture",
    "capture_all",
    "document",
    "earlier_stream",
    "follow_up_of",
    "latest",
    "order_stream",
    "received",
    "standing",
    "unreadable",
]

MARKET_CODES = tuple(sorted(MARKETS))
"""The codes of the markets whose rules this program knows."""
Paper = Mapping[str, Any] | bytes | str
"""A TM Forum document: as parsed JSON, or as it came over the wire."""

STANDING = """SELECT e.type, c.last_position AS position FROM o2c.event e JOIN o2c.command c USING (command_id)
WHERE e.stream = %s AND e.type IN ('order.captured', 'order.resubmitted', 'order.revised') AND e.body->>'fingerprint' = %s
ORDER BY e.version LIMIT 1"""
"""Where the content of a paper was taken down first. Parameters: the order's stream, the fingerprint of the content."""
TRIES_MAX = 20
VERB = "orders.capture"
"""What whoever has many papers taken down must be allowed, as for one."""
AT_ONCE = 250
"""So many papers of a list are taken down in one append."""
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured(Written):
    """What became of an order's paper. `order` is our id of the order, the same for ever for the same external id of the same owner.

    `repeated`: this content was taken down before, and stands where `position` says. `resubmitted`: the external id was known with other
    content; the first paper stays in force and a person is asked (fallout DQ-DUP). What the person decided, a repeat says: `order` is then
    the order of its own that the paper became, or `refused` the code for which it is none. `external_id` is the paper's, or the one made
    for it. `began` has the events of an order that begins with this paper, where they are at hand: whoever shows it need not read them
    back.
    """

    order: str
    external_id: str = ""
    resubmitted: bool = False
    refused: str = ""
    began: tuple[StoredFact, ...] = field(default=(), repr=False, compare=False)


def latest(clock: Clock) -> datetime | None:
    """The latest date a paper may bear: what a real clock says, and what clocks differ by. None on a simulated one: papers come early."""
    return clock.now + CLOCK_SKEW if clock.kind == "real" else None


def order_stream(wish: Wish) -> str:
    """The stream of the order that a paper is about."""
    return f"order-{order_id(SOURCE, wish.owner, wish.external_id)}"


def earlier_stream(wish: Wish) -> str:
    """The stream that the order would have been given before owners of external ids were told apart."""
    return f"order-{order_id(SOURCE, '', wish.external_id)}"


def standing(loaded: Mapping[str, Loaded], wish: Wish) -> Loaded:
    """What stands of the order that a paper is about, out of both its streams: that of an older store, where the order is in it."""
    own, earlier = loaded[order_stream(wish)], loaded[earlier_stream(wish)]
    return earlier if not own.version and same_order(earlier.state, wish) else own


def customer_streams(wish: Wish) -> tuple[str, ...]:
    """The streams of the customer that a paper names, whose tier the order keeps; none where it names nobody."""
    return (customer_stream(wish.party),) if wish.party else ()


def tier_in(loaded: Mapping[str, Loaded], wish: Wish) -> str:
    """The tier of the customer that a paper names, as read; empty for one who is not registered."""
    return next((tier_of(loaded[stream].state) for stream in customer_streams(wish)), "")


def received(
    app: Engine,
    loaded: Loaded,
    wish: Wish,
    *,
    intake: str,
    line: int,
    catalogue_version: int,
    market: str,
    now: datetime,
    tier: str,
    earlier: Mapping[str, list[Earlier]],
    apart: SetApart,
) -> tuple[Reception, Decision]:
    """What a paper is to what stands: new, known, or other content under a known id. The paper in force is read only for the last.

    `market` is the code of the market the paper belongs to, of which the version in force on its day is pinned; `tier` is the customer's,
    `earlier` what customers came with before; nobody wished what is `apart`.
    """
    state = loaded.state
    known = bool(state.external_id) and (state.intake, state.line) != (intake, line) and wish.fingerprint != state.fingerprint
    original, channel = _first(app, loaded.stream) if known else (None, "")
    pin = current(market, wish.order_date.date()).pin
    same_wish = "" if state.external_id or apart else twin_of(app, wish, earlier)
    came = Arrival(intake, line, catalogue_version, pin, now, tier, same_wish, apart)
    return receive(state, wish, came, original=original, codes=app.book.codes.at(now), first_channel=channel)


def _first(app: Engine, stream: str) -> tuple[str, str]:
    """The paper in force and the channel that sent it."""
    [fact] = cast("list[Fact]", list(app.events.get(stream, lte=1)))
    return cast("OrderCaptured", fact.event).original, fact.channel


def capture(app: Engine, context: Context, paper: Paper, *, market: str = HOME, journey: str = "") -> Captured:
    """Take down one TMF622 product order, v4 or v5, whatever it lacks, by the rules of an intake from a file, under the rules of a market.

    The same content again, under whatever command id, is the same order and is answered with where it stands. The paper's own channel
    stands in the log, the context's only where the paper names none. A `journey` is what the person tried before: the order follows it.
    Without one it follows what its customer tried some days before, if anything. Raises Refused: usage for a paper that cannot be read
    (nothing is stored) or a market that there is not, missing for such a journey, conflict when the command id was used for something else,
    or the journey is another customer's. On a store without a catalogue the order is pinned to the empty one, and falls out as one whose
    offerings nobody knows.
    """
    context, clock = permitted(context, "orders.capture"), app.clock()
    wish = _wish(paper, clock, context.channel)
    for tried in range(TRIES_MAX):
        loaded = app.load([order_stream(wish), earlier_stream(wish), CATALOGUE, POLICY_STREAM, *customer_streams(wish)])
        order = standing(loaded, wish)
        fingerprint = _fingerprint(order.stream, wish)
        command_id = context.command_id or derived_id("capture", order.stream, wish.fingerprint)
        command = None
        # Of an order that stands nowhere nothing is to be recalled; that the id was used for something else, the append says.
        if not (order.version or tried) or not app.recall(order.stream, command_id, fingerprint):
            command = _command(app, order, loaded, wish, market, context, command_id, fingerprint, clock.now, journey)
        if command is None:
            return _standing(app, order, wish)
        [outcome] = app.write([command])
        if outcome.verdict == "appended":
            return _captured(order.stream, outcome, wish, begins=not order.version)
    raise Refused(f"{order_stream(wish)} is written to without end; try again with the same command id", kind="unavailable")


def capture_all(app: Engine, context: Context, papers: Mapping[str, Paper], *, market: str = HOME) -> dict[str, Captured | Refused]:
    """Take down many papers as `capture` does each, under command ids of their own, AT_ONCE in an append; what became of each, by its
    command id.

    One that is refused keeps no other from being taken down. Raises Refused for the asker (see `capture`).
    """
    context, clock, found = permitted(context, VERB), app.clock(), dict[str, Captured | Refused]()
    ids = list(papers)
    for page in (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)):
        found |= _page(app, context, {command_id: papers[command_id] for command_id in page}, market, clock)
    for command_id in ids:
        if command_id not in found:
            # It stands already, or somebody was faster: it is looked at by itself.
            found[command_id] = _refused_or(app, replace(context, command_id=command_id), papers[command_id], market)
    return found


def unreadable(app: Engine, context: Context, paper: Paper) -> str:
    """Why a paper would not be taken down at all, as `capture` refuses it; empty for one that can be read, whatever it lacks. Nothing is
    written."""
    try:
        _wish(paper, app.clock(), context.channel)
    except Refused as refused:
        return str(refused)
    return ""


def _refused_or(app: Engine, context: Context, paper: Paper, market: str) -> Captured | Refused:
    try:
        return capture(app, context, paper, market=market)
    except Refused as refused:
        return refused


def _page(app: Engine, context: Context, papers: Mapping[str, Paper], market: str, clock: Clock) -> dict[str, Captured | Refused]:
    """Take down those papers of a page that are new, in one append; the others, and those that somebody got ahead of, are left out."""
    found, wishes = dict[str, Captured | Refused](), dict[str, Wish]()
    for command_id, paper in papers.items():
        try:
            wishes[command_id] = _wish(paper, clock, context.channel)
        except Refused as refused:
            found[command_id] = refused
    streams = (stream for wish in wishes.values() for stream in (order_stream(wish), earlier_stream(wish), *customer_streams(wish)))
    loaded, commands = app.load({CATALOGUE, POLICY_STREAM, *streams}), dict[str, Command]()
    earlier = earlier_of(app, wishes.values())
    for command_id, wish in wishes.items():
        order = standing(loaded, wish)
        if order.version or any(order.stream == other.stream for other in commands.values()):
            continue
        try:
            command = _command(
                app, order, loaded, wish, market, context, command_id, _fingerprint(order.stream, wish), clock.now, earlier=earlier
            )
        except Refused as refused:
            found[command_id] = refused
            continue
        assert command is not None
        commands[command_id] = command
        earlier.setdefault(wish.party, []).append(earlier_by(wish, order.stream))
    outcomes = app.write(list(commands.values())) if commands else []
    for (command_id, command), outcome in zip(commands.items(), outcomes, strict=True):
        if outcome.verdict == "appended":
            found[command_id] = _captured(command.stream, outcome, wishes[command_id], begins=True)
    return found


def _captured(stream: str, outcome: Outcome, wish: Wish, *, begins: bool) -> Captured:
    return Captured(
        stream=stream,
        position=outcome.last_position,
        order=_order_of(stream),
        external_id=wish.external_id,
        resubmitted=not begins,
        began=outcome.facts if begins else (),
    )


def _fingerprint(stream: str, wish: Wish) -> str:
    return digest(json.dumps(["capture", stream, wish.fingerprint]))


def _command(
    app: Engine,
    order: Loaded,
    loaded: Mapping[str, Loaded],
    wish: Wish,
    market: str,
    context: Context,
    command_id: str,
    fingerprint: str,
    now: datetime,
    journey: str = "",
    earlier: Mapping[str, list[Earlier]] | None = None,
) -> Command | None:
    # An intake knows its lines again by their place in the file, a service its papers by their command ids.
    name = f"service/{command_id}"
    place = {"intake": name, "line": 1, "catalogue_version": loaded[CATALOGUE].version}
    apart = SetApart() if order.version else apart_of(app, loaded, wish, journey=journey)
    if earlier is None:
        earlier = {} if order.version or apart else earlier_of(app, [wish])
    tier = tier_in(loaded, wish)
    _, decision = received(app, order, wish, market=market, now=now, tier=tier, earlier=earlier, apart=apart, **cast("Any", place))
    if not decision:
        return None
    tried, journeys = followed(app, loaded, wish, _order_of(order.stream), decision, journey=journey)
    events = happened(order.stream, decision + tried, came_at(order.state, wish, now))
    seen = {**journeys, order.stream: order}
    return Command(command_id, order.stream, events, seen, context.actor, wish.channel, fingerprint=fingerprint)


def _standing(app: Engine, order: Loaded, wish: Wish) -> Captured:
    """Where the content of a paper was taken down, and what became of it."""
    [row] = app.reads.rows(STANDING, order.stream, wish.fingerprint)
    came = next((one for one in order.state.resubmissions if one.fingerprint == wish.fingerprint), None)
    return Captured(
        stream=order.stream,
        position=row["position"],
        repeated=True,
        order=came.order if came and came.order else _order_of(order.stream),
        external_id=wish.external_id,
        resubmitted=came is not None,
        refused="DQ-DUP" if came and came.decision == "decline" else "",
    )


def _order_of(stream: str) -> str:
    return stream.partition("-")[2]


def follow_up_of(app: Engine, stream: str, fallout: str) -> tuple[Rule, dict[str, Loaded]]:
    """The rule by which a resubmitted paper becomes an order of its own, and the new order's stream, which must still be empty.

    It is under the rules of the first order's market and the catalogue as both are now. The paper is read again from the log.
    """
    papers = {
        fact.event.fingerprint: fact.event for fact in cast("Any", app.events.get(stream)) if isinstance(fact.event, OrderResubmitted)
    }
    order = cast("OrderState", app.load_one(stream).state)
    came = next(one for one in order.resubmissions if one.fallout == fallout)
    paper, follower_stream = papers[came.fingerprint], f"order-{follower(order, came.fingerprint)}"
    loaded = app.load([follower_stream, CATALOGUE])

    def follow(state: OrderState, at: datetime) -> Decision:
        pin = current(state.market.partition("@")[0], at.date()).pin
        received_at = parse_time(paper.order_date) if paper.order_date else at
        wish = read(paper.original.encode(), now=received_at, channel=came.channel or "unknown")
        tier = tier_in(app.load(customer_streams(wish)), wish)
        arrival = Arrival(came.intake, came.line, loaded[CATALOGUE].version, pin, at, tier)
        return follow_up(state, wish, came.fingerprint, arrival)

    return follow, {follower_stream: loaded[follower_stream]}


def document(paper: Paper, what: str) -> dict[str, Any]:
    """A paper as strict JSON. Raises Refused, showing no value: it may be personal."""
    try:
        return parse(_raw(paper))
    except (Unreadable, TypeError, ValueError, RecursionError) as error:
        raise Refused(f"{what} cannot be read: {_why(error)}; nothing was stored, correct it") from None


def _wish(paper: Paper, clock: Clock, channel: str) -> Wish:
    try:
        return read(_raw(paper), now=clock.now, latest=latest(clock), channel=channel)
    except (Unreadable, TypeError, ValueError, RecursionError) as error:
        raise Refused(f"the order cannot be read: {_why(error)}; nothing was stored, correct it") from None


def _raw(paper: Paper) -> bytes:
    if isinstance(paper, bytes):
        return paper
    return (paper if isinstance(paper, str) else json.dumps(paper, ensure_ascii=False)).encode("utf-8", "surrogatepass")


def _why(error: Exception) -> str:
    """Only what the reader of papers says is known to show no value."""
    return str(error) if isinstance(error, Unreadable) else "it holds what JSON cannot"
