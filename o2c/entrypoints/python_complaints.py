"""Complaints in Python, and what whoever speaks to a customer next should know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from o2c.desk import complaints as desk
from o2c.desk.capture import HOME
from o2c.entrypoints.answered import answered, occurring
from o2c.views import shown
from o2c.views.complaints import State, customer_context, list_complaints, show_complaint
from o2c.views.offers import DAYS, list_offers, offer_effects
from o2c.views.reading import Page, all_seen

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Complaints:
    """The part of `OrderToCash` that is about complaints."""

    _session: Session

    @answered
    def open_complaint(
        self,
        customer: str,
        context: Context,
        *,
        topic: desk.Topic,
        channel: desk.Channel,
        order: str = "",
        invoice: str = "",
        fallout: str = "",
        note: str = "",
        market: str = HOME,
    ) -> desk.Raised:
        """Take down what a customer complains of. See `desk.complaints.open_complaint`."""
        app = self._session.app
        return desk.open_complaint(
            app, context, customer, topic=topic, channel=channel, order=order, invoice=invoice, fallout=fallout, note=note, market=market
        )

    @answered
    def answer_complaint(self, complaint: str, context: Context, *, channel: desk.Channel, remedy: desk.Remedy, note: str = "") -> Written:
        """Answer a complaint in any channel. See `desk.complaints.answer_complaint`."""
        return desk.answer_complaint(self._session.app, occurring(context), complaint, channel=channel, remedy=remedy, note=note)

    @answered
    def escalate_complaint(self, complaint: str, context: Context, *, team: str = "", deadlock: bool = False) -> Written:
        """Give a complaint to a team, or take down a letter of deadlock. See `desk.complaints.escalate_complaint`."""
        return desk.escalate_complaint(self._session.app, context, complaint, team=team, deadlock=deadlock)

    @answered
    def resolve_complaint(
        self,
        complaint: str,
        context: Context,
        *,
        remedy: desk.Remedy,
        channel: desk.Channel,
        account: str = "",
        amount: str = "",
        product: str = "",
    ) -> Written:
        """End a complaint. See `desk.complaints.resolve_complaint`."""
        how = {"account": account, "amount": amount, "product": product}
        return desk.resolve_complaint(self._session.app, context, complaint, remedy=remedy, channel=channel, **how)

    @answered
    def complaints(
        self,
        *,
        complaints: Sequence[str] = (),
        customer: str = "",
        state: State = "",
        personal: bool = False,
        offset: int = 0,
        limit: int = 100,
    ) -> Page[shown.ComplaintShown]:
        """Complaints as they stand. See `views.complaints.list_complaints`."""
        app = self._session.app
        return list_complaints(app, complaints=complaints, customer=customer, state=state, personal=personal, offset=offset, limit=limit)

    @answered
    def complaint(self, complaint: str, *, personal: bool = False) -> shown.ComplaintPage:
        """One complaint. See `views.complaints.show_complaint`."""
        return show_complaint(self._session.app, complaint, personal=personal)

    @answered
    def customer_context(self, customer: str) -> shown.ContextShown:
        """What whoever speaks to a customer next should know. See `views.complaints.customer_context`."""
        all_seen(self._session.app)
        return customer_context(self._session.app, customer)

    @answered
    def load_offers(self, context: Context, *, definitions: str) -> Written:
        """Put offers of the operator's own (the text of a TOML file) in force. See `desk.complaints.load_offers`."""
        return desk.load_offers(self._session.app, context, definitions=definitions)

    @answered
    def offers(self) -> list[shown.OfferShown]:
        """The offers to customers whom we let down that are in force. See `views.offers.list_offers`."""
        return list_offers(self._session.app)

    @answered
    def offer_effects(self, *, days: int = DAYS) -> list[shown.OfferEffectShown]:
        """What each offer comes to, beside those who were held out. See `views.offers.offer_effects`."""
        all_seen(self._session.app)
        return offer_effects(self._session.app, days=days)
