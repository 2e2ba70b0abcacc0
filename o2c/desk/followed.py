"""Which journey an order follows: the one that it names, or what its customer tried within the days of the policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.engine.drafts import Loaded
from o2c.journeys.policy import Comer, Policies, in_force
from o2c.journeys.state import POLICY_STREAM
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.refusal import Refused
from o2c.orders.events import OrderCaptured
from o2c.orders.receiving import SetApart
from o2c.orders.wish import Wish


def followed(
    app: Engine, loaded: Mapping[str, Loaded], wish: Wish, order: str, decision: Decision, *, journey: str = ""
) -> tuple[Decision, dict[str, Loaded]]:
    """What a paper that is captured as an order means for journeys, and their streams as they were read; nothing for most.

    Raises Refused: missing (there is no journey of the name), conflict (it is another customer's).
    """
    if not any(isinstance(event, OrderCaptured) for event in decision.events) or (one := _journey(app, loaded, wish, journey)) is None:
        return NOTHING, {}
    from o2c.journeys import rules

    found_by = {"found_by": "named"} if journey else {"found_by": "customer", "policy": policies_in(loaded)(wish.order_date).version}
    told = rules.ordered(one.state, order=order, customer=wish.party, sources=_sources(app, one, wish), **cast("Any", found_by))
    after = tuple((one.stream, event) for event in told.events) + told.elsewhere
    return Decision(elsewhere=after), {one.stream: one}


def policies_in(loaded: Mapping[str, Loaded]) -> Policies:
    """The policy for journeys by the time of which it is asked, as read."""
    return partial(in_force, loaded[POLICY_STREAM].state.loaded)


def apart_of(app: Engine, loaded: Mapping[str, Loaded], wish: Wish, *, journey: str = "") -> SetApart:
    """Whether a paper is a program's or a test of our own, and by what: it follows a journey that was set apart, or says so itself, by the
    policy of its date.

    Raises Refused as `followed` does.
    """
    one = _journey(app, loaded, wish, journey)
    if one is not None and one.state.apart:
        return SetApart(one.state.apart, one.stream)
    policy = policies_in(loaded)(wish.order_date)
    who = Comer(channel=wish.channel, customer=wish.party, external_id=wish.external_id, **cast("Any", wish.told))
    rule = policy.apart_of(who)
    return SetApart(rule.apart, f"{policy.version}/{rule.name}") if rule else SetApart()


def _journey(app: Engine, loaded: Mapping[str, Loaded], wish: Wish, journey: str) -> Loaded | None:
    """The journey that a paper follows: the one that is named, else the last of its customer's that it may follow."""
    whose = loaded.get(customer_stream(wish.party)) if wish.party else None
    if not (journey or (whose and whose.state.journeys)):
        return None
    from o2c.journeys import rules
    from o2c.views.journeys import PREFIX, standing

    names = [standing(app, journey).journey] if journey else list(whose.state.journeys if whose else ())
    found = app.load([f"{PREFIX}{name}" for name in names])
    if journey:
        [one] = found.values()
        if one.state.customer not in ("", wish.party):
            raise Refused(
                f"journey {one.state.journey} is of customer {one.state.customer}, not of who orders; look who is on it", kind="conflict"
            )
        return one
    policy = policies_in(loaded)(wish.order_date)
    fitting = [each for each in found.values() if rules.follows(each.state, ordered_at=wish.order_date, policy=policy)]
    return max(fitting, key=lambda each: (each.state.last_at, each.stream), default=None)


def _sources(app: Engine, journey: Loaded, wish: Wish) -> dict[str, str]:
    """The fields of a paper that stand as they were keyed in on a journey, with the event by which each was."""
    from o2c.views.journeys import facts_of, keyed_in, places_in

    keyed = keyed_in(app, journey.state, facts_of(app, journey.state))
    same = ((path, keyed[path]) for path, value in places_in(json.loads(wish.original)) if path in keyed and keyed[path].value == value)
    return {path: f"{one.fact.stream}@{one.fact.version}" for path, one in same}
