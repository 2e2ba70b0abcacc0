"""The desk for winning somebody back whom something failed: getting in touch, a voucher, and the order at last, without anything keyed in
again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.desk.act import Deed, act, permitted
from o2c.desk.capture import Captured, capture
from o2c.desk.journeys import CHANNELS, Channel, keyed
from o2c.engine.app import Context, Engine, Written
from o2c.journeys import rules
from o2c.journeys.events import GIVEN, Outcome, journey_stream
from o2c.journeys.rules import MEDIA
from o2c.journeys.state import JourneyState
from o2c.kernel.decision import Decision, Guard
from o2c.kernel.periods import stamp
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME
from o2c.views.journeys import facts_of, keyed_in, paper_of, policies, standing
from o2c.vouchers.events import campaign_of, voucher_stream
from o2c.vouchers.rules import spelled

__all__ = ["MEDIA", "Outcome", "order_journey", "reach_journey"]


def reach_journey(app: Engine, context: Context, journey: str, *, medium: str, outcome: Outcome, voucher: str = "") -> Written:
    """Take down that we got in touch with somebody whom something failed, what came of it, and the voucher that was promised, if any.

    A voucher is a code that is used once, worth no more than the outreach may give, and promised to nobody else. Raises Refused: missing
    (no such journey or voucher), usage (no such medium or outcome, a voucher for several uses), conflict (nothing to get in touch about,
    not now, not any more, a voucher that is used, promised or worth too much), forbidden.
    """
    state = standing(app, journey)
    policy_at, code = policies(app), spelled(voucher) if voucher else ""
    campaign = app.load([voucher_stream(campaign_of(code))]) if code else {}
    promised = app.reads.holders([Guard(GIVEN, code, "")]) if code else {}
    own = journey_stream(state.journey)
    if promised.get((GIVEN, code), own) != own:
        raise Refused(f"journey {state.journey}: {code} was promised to somebody else; promise another one", kind="conflict")

    def made(state: JourneyState, at: datetime) -> Decision:
        return rules.reach(state, medium=medium, outcome=outcome, at=at, policy=policy_at(at))

    def given(state: JourneyState, at: datetime) -> Decision:
        return rules.promise(state, code, next(iter(campaign.values())).state, at)

    deed = Deed(own, (made, given) if code else (made,), ["reach", medium, outcome, code], beside=campaign)
    return act(app, context, "journeys.reach", deed)


def order_journey(
    app: Engine,
    context: Context,
    journey: str,
    channel: Channel,
    *,
    fields: Mapping[str, str] | None = None,
    external_id: str = "",
    market: str = HOME,
) -> Captured:
    """Order what was keyed in on a journey, in any channel: with `fields` that were still missing, and with the voucher that was promised.

    What is the same for every order is filled in: its date, the channel, an external id where none is given, and the customer of the
    journey. Raises Refused: missing (no such journey), conflict (it has its order already, nothing was keyed in, what was keyed in is gone
    with its key), usage, forbidden.
    """
    permitted(context, "journeys.order")
    state = standing(app, journey)
    found = keyed_in(app, state, facts_of(app, state))
    if channel not in CHANNELS:
        raise Refused(f"say in which channel it is ordered: {', '.join(CHANNELS)}")
    if state.order:
        raise Refused(f"journey {state.journey} has its order {state.order} already; see `o2c orders show {state.order}`", kind="conflict")
    gone = [path for path, one in found.items() if one.value is None and path not in (fields or {})]
    if gone:
        raise Refused(
            f"journey {state.journey}: what was keyed in is gone with its key ({gone[0]} and others); key it in again", kind="conflict"
        )
    values = {**{path: one.value for path, one in found.items() if one.value is not None}, **keyed(fields or {})}
    if not values:
        raise Refused(f"journey {state.journey}: nothing was keyed in; give the fields of the order", kind="conflict")
    paper = {**_usual(app, state, channel), **paper_of(values)}
    if external_id:
        paper["externalId"] = external_id
    return capture(app, context, _with_voucher(paper, state), market=market, journey=state.journey)


def _usual(app: Engine, state: JourneyState, channel: str) -> dict[str, Any]:
    """What an order has that nobody keys in."""
    usual: dict[str, Any] = {
        "externalId": f"journey-{state.journey}",
        "orderDate": stamp(app.clock().now),
        "category": "consumer",
        "priority": "4",
        "channel": [{"id": channel}],
    }
    return {**usual, "relatedParty": [{"id": state.customer, "role": "customer"}]} if state.customer else usual


def _with_voucher(paper: dict[str, Any], state: JourneyState) -> dict[str, Any]:
    """The paper with the voucher that was promised, on its first item, unless the items name one."""
    code, items = state.outreach.code if state.outreach else "", paper.get("productOrderItem")
    if not code or not isinstance(items, list) or not isinstance(items[0], dict) or '"voucher"' in json.dumps(items):
        return paper
    product = items[0].get("product") or {}
    characteristics = [*product.get("productCharacteristic", ()), {"name": "voucher", "value": code}]
    first = {**items[0], "product": {**product, "productCharacteristic": characteristics}}
    return {**paper, "productOrderItem": [first, *items[1:]]}
