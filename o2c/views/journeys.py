"""Journeys: what people tried before there was an order, and what came of it. What is personal in one only where it is asked for, and while
its key is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.reading import PART_MAX, Page, plain
from o2c.views.sealing import Keys, keys_to_open
from o2c.views.shown import JourneyPage, JourneyPolicyShown, JourneyShown
from projections.orders import ORDERS_OF_CUSTOMER

if TYPE_CHECKING:
    from o2c.journeys.policy import Policies
    from o2c.journeys.state import JourneyState
    from o2c.kernel.event import Fact

PREFIX = "journey-"
AT_ONCE = 500
State = Literal["", "open", "ordered", "recovered", "lost"]
STATES = ("open", "ordered", "recovered", "lost")
OF_CUSTOMER = f"""SELECT 'journey-' || (body ->> 'journey') AS stream FROM o2c.event WHERE stream = 'customer-' || %s AND type = 'customer.journey-noted'
UNION SELECT stream FROM o2c.event WHERE type = 'journey.ordered' AND order_id IN ({ORDERS_OF_CUSTOMER})"""
"""The streams of the journeys of a customer: those that were linked to it, and those that its orders followed. Parameter: the customer,
twice."""

ORDERED_IN = """SELECT stream, coalesce(nullif(body ->> 'channel', ''), channel) AS channel FROM o2c.event
WHERE type = 'order.captured' AND stream = ANY(%s)"""
"""The channel that each of some orders came in. Parameter: their streams."""

_PLACE = re.compile(r"(/([A-Za-z@][A-Za-z0-9@]{0,40}|[0-9]|[1-9][0-9]))+")
"""A place in a paper: a JSON pointer (RFC 6901) of names and of numbers up to 99."""


def list_journeys(
    app: Engine,
    *,
    journeys: Sequence[str] = (),
    customer: str = "",
    state: State = "",
    everything: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> Page[JourneyShown]:
    """Journeys, the one last tried first: customer, channels, state, what was tried, whether it failed, outreach, order and worth.

    The channels are those of what was tried, in their order, and then the one that the order came in. With `journeys` those alone, with
    `customer` those of one, with `state` those in it; with `everything` those of programs and of our own tests too. Each journey is in one
    state, so that what was tried is what was ordered, recovered, lost and is open. The page says how many more there are. Raises Refused
    (usage).
    """
    if state not in ("", *STATES):
        raise Refused(f"no journey is {state}; use one of {', '.join(STATES)}")
    if offset < 0 or not 0 <= limit <= PART_MAX:
        raise Refused(f"give an offset of 0 or more, and at most {PART_MAX} rows at once")
    streams = [f"{PREFIX}{journey}" for journey in journeys] or _streams(app, customer)
    found = [
        one
        for one in _states(app, streams)
        if state in ("", one.status) and customer in ("", one.customer) and (everything or not one.apart)
    ]
    found.sort(key=lambda one: (one.last_at, one.journey), reverse=True)
    page = Page[JourneyShown](_rows(app, found[offset : offset + limit]))
    page.more = max(len(found) - offset - len(page), 0)
    return page


def _streams(app: Engine, customer: str) -> list[str]:
    """The streams of all journeys, or of those of a customer."""
    if not customer:
        return app.reads.streams_like(PREFIX)
    return [row["stream"] for row in app.reads.rows(OF_CUSTOMER, customer, customer)]


def _states(app: Engine, streams: Sequence[str]) -> Iterator[JourneyState]:
    """The journeys of streams, without those that go on in another one."""
    for start in range(0, len(streams), AT_ONCE):
        for loaded in app.load(streams[start : start + AT_ONCE]).values():
            if loaded.state.status not in ("", "followed"):
                yield loaded.state


def _rows(app: Engine, states: Sequence[JourneyState]) -> list[JourneyShown]:
    """Journeys as rows of the list."""
    streams = [f"order-{one.order}" for one in states if one.order]
    came_in = {row["stream"]: row["channel"] for row in app.reads.rows(ORDERED_IN, streams)} if streams else {}
    return [_row(one, came_in.get(f"order-{one.order}", "")) for one in states]


def _row(state: JourneyState, ordered_in: str) -> JourneyShown:
    outreach = state.outreach
    row = {
        "journey": state.journey,
        "customer": state.customer,
        "channels": list(dict.fromkeys([*state.channels, *filter(None, [ordered_in])])),
        "state": state.status,
        "attempts": state.attempts,
        "failed_at": state.failed_at,
        "outreach": (outreach.outcome or ("due" if state.is_open else "not-made")) if outreach else "",
        "order": state.order,
        "value_minor": state.value_minor,
        "currency": state.currency,
        "last_at": state.last_at,
        "apart": state.apart,
    }
    return cast("JourneyShown", plain(row))


def show_journey(app: Engine, journey: str, *, personal: bool = False) -> JourneyPage:
    """One journey, and those that joined it: what was tried when, where, and how it failed, what was keyed in, who it is, and the outreach.

    What was keyed in and who it is with `personal` alone, and only until the key of that day is gone. Raises Refused (missing).
    """
    from o2c.journeys.events import JourneyIdentified

    state = standing(app, journey)
    facts = facts_of(app, state)
    identified = {fact.event.what: fact.event.sealed for fact in facts if isinstance(fact.event, JourneyIdentified)}
    keys = keys_to_open(app, list(identified.values())) if personal else Keys({})
    outreach = state.outreach
    page = {
        **_rows(app, [state])[0],
        "steps": [_step(fact) for fact in facts if _matters(fact)],
        "fields": [
            {"path": one.path, "value": one.value if personal else None, "channel": one.channel, "at": one.fact.occurred_at}
            for one in keyed_in(app, state, facts, personal=personal).values()
        ],
        "identities": [{"what": what, "value": keys.opened(sealed)} for what, sealed in identified.items()],
        "outreaching": None
        if outreach is None
        else {name: getattr(outreach, name) for name in ("open_from", "open_until", "budget_minor", "made", "outcome", "code")},
        "forgotten_at": _forgotten_at(state),
    }
    return cast("JourneyPage", plain(page))


def policies(app: Engine) -> Policies:
    """The policy by the time of which it is asked: that which the operator had loaded last by then, or else that of the package."""
    from o2c.journeys.policy import in_force
    from o2c.journeys.state import POLICY_STREAM, PolicyState

    state: PolicyState = app.load_one(POLICY_STREAM).state
    return partial(in_force, state.loaded)


def show_policy(app: Engine) -> JourneyPolicyShown:
    """What is done about journeys: when one is lost, which orders follow it, when and how often people are got in touch with, what an
    incentive may be worth, who is nobody that wants to buy; and the version of the file."""
    policy = policies(app)(app.clock().now)
    told = {
        "version": policy.version,
        "lost_after_days": policy.lost_after.days,
        "follows_within_days": policy.follows_within.days,
        "reach_after_minutes": policy.reach_after // timedelta(minutes=1),
        "reach_within_days": policy.reach_within.days,
        "tries_max": policy.tries_max,
        "budget_minor": dict(policy.budget_minor),
        "apart": [{**asdict(rule), "customers": list(rule.customers)} for rule in policy.apart],
    }
    return cast("JourneyPolicyShown", told)


def standing(app: Engine, journey: str) -> JourneyState:
    """A journey as it stands, or the one that it goes on in. Raises Refused (missing)."""
    loaded = app.load_one(f"{PREFIX}{journey}")
    if not loaded.version:
        raise Refused(f"no journey {journey[:40]}; see `o2c journeys list`", kind="missing")
    state: JourneyState = loaded.state
    return standing(app, state.into) if state.into else state


def facts_of(app: Engine, state: JourneyState) -> list[Fact]:
    """What happened on a journey and on those that joined it, in the order of the log."""
    streams = [f"{PREFIX}{journey}" for journey in (state.journey, *state.joined)]
    facts = [cast("Fact", fact) for stream in streams for fact in app.events.get(stream)]
    return sorted(facts, key=lambda fact: fact.position or 0)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A field that was keyed in: its place, its value (None where its key is gone), and the event that says so."""

    path: str
    value: str | None = field(repr=False)
    channel: str
    fact: Fact


def keyed_in(app: Engine, state: JourneyState, facts: Sequence[Fact], *, personal: bool = True) -> dict[str, Keyed]:
    """What was keyed in last at each place, with the event by which that value came first. Values are read where what is `personal` is
    asked for."""
    from o2c.journeys.events import OfAttempt

    tried = [(fact, fact.event) for fact in facts if isinstance(fact.event, OfAttempt) and fact.event.paper]
    keys = keys_to_open(app, [event.paper for _, event in tried]) if personal else Keys({})
    found: dict[str, Keyed] = {}
    for fact, event in tried:
        clear = keys.opened(event.paper)
        values: Mapping[str, str] = json.loads(clear) if clear is not None else {}
        for path in event.paths:
            value, before = values.get(path), found.get(path)
            if before is None or before.value != value:
                found[path] = Keyed(path, value, event.channel, fact)
    return dict(sorted(found.items()))


def paper_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """A paper made of fields by their places. Raises Refused (usage) for a place that is none, for one within another's value, or for a
    list with gaps."""
    made: dict[str, Any] = {}
    for path, value in sorted(fields.items()):
        if not _PLACE.fullmatch(path) or path[1].isdigit():
            raise Refused(f"{path[:80]!r} is no place in a paper; use names and numbers behind slashes, such as /productOrderItem/0/id")
        at: Any = made
        *parts, last = path[1:].split("/")
        for part in parts:
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                raise Refused(f"{path[:80]} is within another field that was keyed in; keep to one of them")
        if isinstance(at.get(last), dict):
            raise Refused(f"{path[:80]} holds other fields that were keyed in; keep to one of them")
        at[last] = value
    return cast("dict[str, Any]", _listed(made, ""))


def _listed(value: Any, where: str) -> Any:
    """Objects whose names are all numbers as lists."""
    if not isinstance(value, dict):
        return value
    parts = {name: _listed(part, f"{where}/{name}") for name, part in value.items()}
    if not parts or not all(name.isdigit() for name in parts):
        if any(name.isdigit() for name in parts):
            raise Refused(f"{where} has both names and numbers in it; it is a list or it is none")
        return parts
    if sorted(map(int, parts)) != list(range(len(parts))):
        raise Refused(f"{where} is a list with gaps; number its parts from 0 on")
    return [parts[str(number)] for number in range(len(parts))]


def places_in(paper: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a paper: the place of each value that is no list or object, and the value as text."""
    if isinstance(paper, Mapping):
        for name, part in paper.items():
            yield from places_in(part, f"{where}/{str(name).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(paper, list):
        for number, part in enumerate(paper):
            yield from places_in(part, f"{where}/{number}")
    else:
        yield where, paper if isinstance(paper, str) else json.dumps(paper)


def _matters(fact: Fact) -> bool:
    return fact.event.type_name not in ("journey.look-requested", "journey.identified")


def _step(fact: Fact) -> dict[str, Any]:
    event: Any = fact.event
    waited = sum(getattr(event, name, 0) for name in ("waited_s", "ivr_s", "hold_s"))
    return {
        "at": fact.occurred_at,
        "type": event.type_name,
        "channel": getattr(event, "channel", fact.channel),
        "actor": fact.actor,
        "event": fact.event_id,
        "error": getattr(event, "error", ""),
        "waited_s": waited,
    }


def _forgotten_at(state: JourneyState) -> Any:
    """The end of the day after the journey's last: nothing personal of its first day is there any more then."""
    return (state.ends_by + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
