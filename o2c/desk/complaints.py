"""The desk for complaints: raising one, answering it, giving it to who may decide more, and ending it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from o2c.complaints import rules
from o2c.complaints.events import Channel, ComplaintRaised, Remedy, Topic
from o2c.complaints.state import OFFERS_STREAM, ComplaintState, OffersState, stream_of
from o2c.customers.state import stream_of as customer_stream
from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import derived_id
from o2c.kernel.refusal import Refused
from o2c.markets.registry import HOME, current
from o2c.markets.registry import market as of_pin
from o2c.views.fallouts import row_of_fallout
from o2c.views.invoices import show_invoice
from o2c.views.orders import find_order

__all__ = [
    "Channel",
    "Raised",
    "Remedy",
    "Topic",
    "answer_complaint",
    "escalate_complaint",
    "load_offers",
    "open_complaint",
    "resolve_complaint",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised(Written):
    """A complaint that was raised: `complaint` is its id."""

    complaint: str


def open_complaint(
    app: Engine,
    context: Context,
    customer: str,
    *,
    topic: Topic,
    channel: Channel,
    order: str = "",
    invoice: str = "",
    fallout: str = "",
    note: str = "",
    market: str = HOME,
) -> Raised:
    """Take down what a customer complains of, in a channel, and about which order, invoice or fallout of it; the market's clock runs from
    now.

    The note of it is personal. Raises Refused: missing (no such customer, order, invoice or fallout), usage (no such topic, channel or
    market), conflict (the order, invoice or fallout is another customer's, or the command id was used for another wish), forbidden.
    """
    asked = context.checked()
    pinned = current(market, app.clock().now.date())
    about = {
        "order": _order_of(app, customer, order),
        "invoice": _invoice_of(app, customer, invoice),
        "fallout": _fallout_of(app, customer, fallout),
    }
    complaint = derived_id("complaint", customer, asked.command_id or str(uuid4()))
    told = {"complaint": complaint, "customer": customer, "topic": topic, "channel": channel, "market": pinned.pin, "note": note}
    raised = ComplaintRaised.model_validate({**told, **about})
    known = app.load_one(customer_stream(customer))

    def rule(state: ComplaintState, at: datetime) -> Decision:
        return rules.raise_complaint(state, raised, known.state, at=at, clock=pinned.care.complaints)

    deed = Deed(stream_of(complaint), (rule,), ["raise", customer, topic, channel, *about.values(), note])
    written = act(app, asked, "complaints.open", deed)
    return Raised(written.stream, written.position, written.repeated, written.unchanged, complaint=complaint)


def answer_complaint(app: Engine, context: Context, complaint: str, *, channel: Channel, remedy: Remedy, note: str = "") -> Written:
    """Answer a complaint, in whatever channel the customer came, with what is done about it or offered.

    Raises Refused: missing, usage (no such channel or remedy), conflict (it is resolved), forbidden.
    """

    def rule(state: ComplaintState, at: datetime) -> Decision:
        return rules.answer(state, channel=channel, remedy=remedy, note=note)

    return act(app, context, "complaints.answer", Deed(stream_of(complaint), (rule,), ["answer", channel, remedy, note]))


def escalate_complaint(app: Engine, context: Context, complaint: str, *, team: str = "", deadlock: bool = False) -> Written:
    """Give a complaint to a team that may decide more, or take down that the letter of deadlock was sent, after which the customer may go
    outside at once.

    Raises Refused: missing, usage (neither or both, a market without such letters), conflict (it is resolved), forbidden.
    """

    def rule(state: ComplaintState, at: datetime) -> Decision:
        market = of_pin(state.raised.market if state.raised else "") or current(HOME, at.date())
        return rules.escalate(state, team=team, deadlock=deadlock, clock=market.care.complaints)

    return act(app, context, "complaints.escalate", Deed(stream_of(complaint), (rule,), ["escalate", team, deadlock]))


def resolve_complaint(app: Engine, context: Context, complaint: str, *, remedy: Remedy, channel: Channel) -> Written:
    """End a complaint, with what the customer got. Raises Refused: missing, usage (no such remedy or channel), conflict (it ended
    otherwise), forbidden."""

    def rule(state: ComplaintState, at: datetime) -> Decision:
        return rules.resolve(state, remedy=remedy, channel=channel)

    return act(app, context, "complaints.resolve", Deed(stream_of(complaint), (rule,), ["resolve", remedy, channel]))


def _order_of(app: Engine, customer: str, name: str) -> str:
    if not name:
        return ""
    _, state = find_order(app, name)
    _own(state.party, customer, f"order {name}")
    return state.order_id


def _invoice_of(app: Engine, customer: str, name: str) -> str:
    if not name:
        return ""
    _own(str(show_invoice(app, name)["customer"]), customer, f"invoice {name}")
    return name


def _fallout_of(app: Engine, customer: str, name: str) -> str:
    if not name:
        return ""
    _own(str(row_of_fallout(app, name)["customer"]), customer, f"fallout {name}")
    return name


def _own(whose: str, customer: str, what: str) -> None:
    if whose != customer:
        raise Refused(f"{what} is not of customer {customer}; see `o2c customers show {customer}`", kind="conflict")


def load_offers(app: Engine, context: Context, *, definitions: str) -> Written:
    """Put the operator's own offers to customers whom we let down in force (the text of a TOML file), in place of those before: who is
    offered what on which grounds, and what share of them is held out of it. Loaded again unchanged, it does nothing.

    Who is held out of an offer follows from its name, so an offer that keeps its name keeps its held-out customers. Raises Refused (usage)
    with the first thing that is wrong; then nothing of it is loaded.
    """

    def rule(state: OffersState, at: datetime) -> Decision:
        return rules.load_offers(state, definitions)

    return act(app, context, "offers.load", Deed(OFFERS_STREAM, (rule,), ["load offers", definitions]))
