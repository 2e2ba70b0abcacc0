"""Journeys in Python: what people tried before there was an order, winning them back, and their orders at last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from o2c.desk import journeys as desk
from o2c.desk import winning_back
from o2c.desk.capture import HOME, Captured
from o2c.entrypoints.answered import answered, occurring
from o2c.views import shown
from o2c.views.fields import order_fields
from o2c.views.journeys import State, list_journeys, show_journey, show_policy
from o2c.views.reading import Page, all_seen

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Journeys:
    """The part of `OrderToCash` that is about what comes before an order."""

    _session: Session

    @answered
    def note_attempt(
        self,
        kind: desk.Kind,
        channel: desk.Channel,
        context: Context,
        *,
        login: str = "",
        phone: str = "",
        token: str = "",
        customer: str = "",
        journey: str = "",
        offerings: Sequence[str] = (),
        value: str = "",
        fields: Mapping[str, str] | None = None,
        error: str = "",
        waited_s: int = 0,
        ivr_s: int = 0,
        hold_s: int = 0,
        store: str = "",
        reference: str = "",
        client: str = "",
        market: str = HOME,
    ) -> desk.Tried:
        """Take down what somebody tried before there is an order. See `desk.journeys.note_attempt`."""
        known_by: dict[str, Any] = {"login": login, "phone": phone, "token": token, "customer": customer, "journey": journey}
        told: dict[str, Any] = {"value": value, "error": error, "store": store, "reference": reference, "client": client, "market": market}
        times: dict[str, Any] = {"waited_s": waited_s, "ivr_s": ivr_s, "hold_s": hold_s, "offerings": offerings, "fields": fields}
        return desk.note_attempt(self._session.app, occurring(context), kind, channel, **known_by, **told, **times)

    @answered
    def reach_journey(self, journey: str, context: Context, *, medium: str, outcome: winning_back.Outcome, voucher: str = "") -> Written:
        """Take down that we got in touch, and what was promised. See `desk.winning_back.reach_journey`."""
        app = self._session.app
        return winning_back.reach_journey(app, occurring(context), journey, medium=medium, outcome=outcome, voucher=voucher)

    @answered
    def order_journey(
        self,
        journey: str,
        channel: desk.Channel,
        context: Context,
        *,
        fields: Mapping[str, str] | None = None,
        external_id: str = "",
        market: str = HOME,
    ) -> Captured:
        """Order what was keyed in on a journey, in any channel. See `desk.winning_back.order_journey`."""
        app = self._session.app
        return winning_back.order_journey(app, context, journey, channel, fields=fields, external_id=external_id, market=market)

    @answered
    def journeys(
        self,
        *,
        journeys: Sequence[str] = (),
        customer: str = "",
        state: State = "",
        everything: bool = False,
        offset: int = 0,
        limit: int = 100,
    ) -> Page[shown.JourneyShown]:
        """Journeys, the one last tried first. See `views.journeys.list_journeys`."""
        app = self._session.app
        return list_journeys(app, journeys=journeys, customer=customer, state=state, everything=everything, offset=offset, limit=limit)

    @answered
    def journey(self, journey: str, *, personal: bool = False) -> shown.JourneyPage:
        """One journey. See `views.journeys.show_journey`."""
        return show_journey(self._session.app, journey, personal=personal)

    @answered
    def journey_policy(self) -> shown.JourneyPolicyShown:
        """What is done about journeys. See `views.journeys.show_policy`."""
        return show_policy(self._session.app)

    @answered
    def load_journey_policy(self, context: Context, *, definitions: str) -> Written:
        """Put a policy of the operator's own for journeys (the text of a TOML file) in force. See `desk.journeys.load_policy`."""
        return desk.load_policy(self._session.app, context, definitions=definitions)

    @answered
    def order_fields(self, order: str) -> list[shown.FieldShown]:
        """Where the fields of an order's paper come from. See `views.fields.order_fields`."""
        all_seen(self._session.app)
        return order_fields(self._session.app, self._session.home, order)
