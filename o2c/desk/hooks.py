"""The desk for hooks: who is told of events over HTTP, and sending again what was given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from o2c.access.permissions import OWN
from o2c.desk.act import Deed, Rule, act, permitted, taken_down, ways
from o2c.engine.app import Context, Engine, Written
from o2c.hooks import rules
from o2c.hooks.events import Format, HookSubscribed
from o2c.hooks.signing import secret_of
from o2c.hooks.state import HookState, stream_of
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.views.following import Wanted, beginning_at, last_event, types_named
from o2c.views.hooks import KEY, standing_hook

UNMASKED, ALLOW = "hooks.subscribe/unmasked", "hooks.allow-private-address"
ALL = "*"
TYPES_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed(Written):
    """A hook that was made or got a new secret: its id, and the secret that signs what it is told, which is shown here and never again."""

    hook: str
    secret: str


def subscribe(
    app: Engine,
    home: Path,
    context: Context,
    url: str,
    *,
    types: Sequence[str] = (),
    format: Format = "native",
    after: str = "",
    captured_by: str = "",
    customer: str = "",
    unmasked: bool = False,
    query: str = "",
) -> Subscribed:
    """Tell an address of events over HTTP from now on, or from after a position of the log: each at least once, those of a stream in its
    order.

    `types` are stored names or patterns such as `order.*`; all where there are none. In a format of TM Forum a `query` picks notifications
    instead (`eventType=A,B`). With `captured_by` only events of orders that this actor captured are told, with `customer` only those of a
    customer. Nothing personal is told; numbers and SIMs are masked unless `unmasked`. An address that is not of the public network, or
    without TLS, is told nothing until an admin allows it; who may allow that does so with this. Raises Refused: usage (a url, type, query
    or position that is none, or not of the format), forbidden, conflict (a position that is not of this log).
    """
    who = permitted(context, "hooks.subscribe")
    captured_by = who.actor if ways(who, "hooks.subscribe") == {OWN} else captured_by
    if unmasked and not ways(who, UNMASKED):
        raise Refused(f"{who.actor} may not have numbers and SIMs told in full; leave them masked", kind="forbidden")
    types_named(name for name in types if name != ALL)
    if len(types) > TYPES_MAX:
        raise Refused(f"a hook names {TYPES_MAX} types at most; use patterns such as order.*")
    asked = [url, list(types), format, after, captured_by, customer, unmasked, query]
    hook = derived_id("hook", who.actor, who.command_id) if who.command_id else str(uuid4())
    begun = HookSubscribed(
        url=url, types=tuple(types), format=format, after=str(_begins(app, after)), captured_by=captured_by, customer=customer,
        unmasked=unmasked, query=query,
    )  # fmt: skip
    key = KEY.of(home)
    allowing = rules.needs_leave(url) and bool(ways(who, ALLOW))

    def begin(state: HookState, at: datetime) -> Decision:
        return rules.subscribe(state, begun)

    def allow(state: HookState, at: datetime) -> Decision:
        return rules.allow_private_address(state, hook) if allowing else NOTHING

    [done] = taken_down(app, who, [Deed(stream_of(hook), (begin, allow), ["subscribe", *asked])])
    if isinstance(done, Refused):
        raise done
    return _told(done, hook, secret_of(key, hook, 1))


def _told(done: Written, hook: str, secret: str) -> Subscribed:
    return Subscribed(
        stream=done.stream, position=done.position, repeated=done.repeated, unchanged=done.unchanged, hook=hook, secret=secret
    )


def _begins(app: Engine, after: str) -> int:
    """The position after which a hook begins: the last one now, or one that was given, which must be of this log."""
    if not after:
        return last_event(app).position
    mark, wanted = beginning_at(app, after, Wanted())
    if wanted.since is not None:
        raise Refused("a hook begins after a position of the log, POSITION or POSITION:ID; leave it out to begin now")
    return mark.position


def unsubscribe(app: Engine, context: Context, hook: str) -> Written:
    """Tell a hook nothing any more, for good; what it was to be told is forgotten. Raises Refused (missing) where there never was one."""
    return act(app, context, "hooks.unsubscribe", _deed(hook, lambda state, at: rules.unsubscribe(state, hook), ["unsubscribe"]))


def allow_private_address(app: Engine, context: Context, hook: str) -> Written:
    """Allow that a hook's address is one of our own network, or is reached without TLS. Raises Refused (missing)."""
    return act(
        app, context, "hooks.allow-private-address", _deed(hook, lambda state, at: rules.allow_private_address(state, hook), ["allow"])
    )


def rotate(app: Engine, home: Path, context: Context, hook: str) -> Subscribed:
    """Give a hook a new secret, shown once. For 24 hours the old one signs beside it, so that the subscriber can change over at any time of
    them.

    Raises Refused (missing).
    """
    key = KEY.of(home)
    name, before = standing_hook(app, hook)
    generation, at_wall = before.generation + 1, datetime.now(UTC)

    def rule(state: HookState, at: datetime) -> Decision:
        return rules.rotate(state, hook, generation=generation, at=at_wall)

    done = act(app, context, "hooks.rotate", _deed(name, rule, ["rotate"]))
    current = standing_hook(app, name)[1].generation
    return _told(done, name, secret_of(key, name, current))


def resume(app: Engine, context: Context, hook: str) -> Written:
    """Tell a suspended hook of events again, from where it stopped; what waits is tried at once. Raises Refused (missing)."""
    return act(app, context, "hooks.resume", _deed(hook, lambda state, at: rules.resume(state, hook), ["resume"]))


def resend(app: Engine, context: Context, hook: str, *, delivery: str = "", since: datetime | None = None) -> Written:
    """Send again what was given up: one `delivery` by its id, or all that were made `since` a time, under their old ids.

    They go out in the order of the log among themselves, and before what their streams have still to tell. Raises Refused: missing (no such
    hook), usage (neither or both, an id that is none).
    """
    told = ["resend", delivery, since.isoformat() if since else ""]

    def rule(state: HookState, at: datetime) -> Decision:
        return rules.resend(state, hook, delivery=delivery, since=since)

    return act(app, context, "hooks.resend", _deed(hook, rule, told))


def _deed(hook: str, rule: Rule, wish: list[str]) -> Deed:
    return Deed(stream_of(hook), (rule,), wish)
