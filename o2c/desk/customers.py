"""The desk for customers: registering one, and noting down that a customer and the operator spoke."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from o2c.customers.agreements import MILESTONES, STANDARD, STREAM, AgreementsState
from o2c.customers.rules import MEDIA, TOPICS, agree_care, contact, register
from o2c.customers.state import stream_of
from o2c.desk.act import Deed, act
from o2c.desk.capture import MARKET_CODES, Paper, document
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision, just
from o2c.kernel.refusal import Refused
from o2c.views.orders import find_order

__all__ = ["MEDIA", "MILESTONES", "STANDARD", "TOPICS", "load_agreements", "record_contact", "register_customer"]


def register_customer(app: Engine, context: Context, paper: Paper) -> Written:
    """Register a TMF632 Individual or Organization, or bring its papers up to date; nothing happens when it stands so already.

    Raises Refused (usage) for a paper that cannot be read or is not of the standard's shape.
    """
    party = document(paper, "the party")
    if not isinstance(named := party.get("id"), str) or not named.strip():
        raise Refused("the party has no id, and nobody is registered without; nothing was stored, correct it")

    def rule(state: Any, at: datetime) -> Decision:
        try:
            return just(*register(state, document=party, at=at))
        except (KeyError, TypeError, AttributeError, IndexError, ValueError):
            raise Refused("the party is not of the standard's shape; nothing was stored, correct it") from None

    return act(app, context, "customers.register", Deed(stream_of(named), (rule,), ["register", party]))


def record_contact(
    app: Engine,
    context: Context,
    customer: str,
    *,
    medium: str,
    topic: str,
    direction: Literal["inbound", "outbound"] = "inbound",
    order: str = "",
    note: str = "",
) -> Written:
    """Note down a contact with a customer, about one of its orders if named (by id or external id).

    Raises Refused: missing (no such customer or order), usage (unknown medium or topic), conflict (the order is another customer's, or the
    command id was used for another wish).
    """
    about = _order_of(app, customer, order) if order else ""

    def rule(state: Any, at: datetime) -> Decision:
        return just(*contact(state, medium=medium, topic=topic, direction=direction, order=about, note=note))

    return act(app, context, "customers.contact", Deed(stream_of(customer), (rule,), ["contact", medium, topic, direction, about, note]))


def _order_of(app: Engine, customer: str, name: str) -> str:
    _, state = find_order(app, name)
    if state.party != customer:
        raise Refused(f"order {name} is not of customer {customer}; see `o2c orders show {name}`", kind="conflict")
    return state.order_id


def load_agreements(app: Engine, context: Context, *, definitions: str) -> Written:
    """Put what the operator agreed with its customers in force from now on (the text of a TOML file), in place of what was before: by tier,
    and with some customers of their own, at which milestones they are spoken to unasked and within how many working days, until which hour,
    within how many days an order is complete, for when what is delivered is promised, and in which markets and by which calendar.

    What milestones called for before stays as it was. Loaded again unchanged, it does nothing. Raises Refused (usage) with the first thing
    that is wrong; then nothing of it is loaded.
    """

    def rule(state: AgreementsState, at: datetime) -> Decision:
        return agree_care(state, definitions, at, markets=MARKET_CODES)

    return act(app, context, "care.load", Deed(STREAM, (rule,), ["load agreements", definitions]))
