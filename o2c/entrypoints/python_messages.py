"""Messages in Python: what customers are told of their orders, and the courtesy contacts that are owed to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from o2c.desk import customers, messages
from o2c.entrypoints.answered import answered
from o2c.entrypoints.python_triggers import Triggers
from o2c.views import shown
from o2c.views.care import care_due, list_agreements
from o2c.views.messages import list_messages, list_templates, show_message, silences
from o2c.views.reading import all_seen

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.desk.messages import Way
    from o2c.running.session import Session


class Messages(Triggers):
    """The part of `OrderToCash` that is about what customers are told, and what triggers set off."""

    _session: Session

    @answered
    def start_messages(
        self, context: Context, *, sender: str, operator: str, email: Way = "", sms: Way = "", letter: Way = "", after: str = ""
    ) -> Written:
        """Tell customers of their orders from now on, or after a position. See `desk.messages.start_messages`."""
        return messages.start_messages(
            self._session.app, context, sender=sender, operator=operator, email=email, sms=sms, letter=letter, after=after
        )

    @answered
    def stop_messages(self, context: Context) -> Written:
        """Tell customers nothing more. See `desk.messages.stop_messages`."""
        return messages.stop_messages(self._session.app, context)

    @answered
    def load_templates(self, context: Context, *, templates: str) -> Written:
        """Put words of the operator's own (TOML) over the packaged ones. See `desk.messages.load_templates`."""
        return messages.load_templates(self._session.app, context, templates=templates)

    @answered
    def resend_message(self, message: str, context: Context, *, medium: str = "") -> Written:
        """Send a message again, at once. See `desk.messages.resend`."""
        return messages.resend(self._session.app, context, message, medium=medium)

    @answered
    def message_bounced(self, message: str, context: Context, *, code: str) -> Written:
        """Take down that a message came back: it goes by the next medium. See `desk.messages.bounced`."""
        return messages.bounced(self._session.app, context, message, code=code)

    @answered
    def messages(
        self, *, customer: str = "", order: str = "", milestone: str = "", state: str = "", limit: int | None = None
    ) -> list[shown.MessageShown]:
        """What customers were told, are to be told, or were not told, the last first. See `views.messages.list_messages`."""
        all_seen(self._session.app)
        return list_messages(self._session.app, customer=customer, order=order, milestone=milestone, state=state, limit=limit)

    @answered
    def message(self, message: str, *, personal: bool = False) -> shown.MessageWholeShown:
        """One message with what became of it; its words only with `personal`. See `views.messages.show_message`."""
        return show_message(self._session.app, message, personal=personal)

    @answered
    def templates(self, *, language: str = "", milestone: str = "") -> list[shown.TemplateShown]:
        """The words in force by language and milestone. See `views.messages.list_templates`."""
        return list_templates(self._session.app, language=language, milestone=milestone)

    @answered
    def silences(self, *, customer: str = "", order: str = "", limit: int | None = None) -> list[shown.SilenceShown]:
        """Who asked where an order is, and for how long nobody had told of it. See `views.messages.silences`."""
        all_seen(self._session.app)
        return silences(self._session.app, customer=customer, order=order, limit=limit)

    @answered
    def care_due(
        self, *, customer: str = "", tier: str = "", state: str = "", since: datetime | None = None, limit: int | None = None
    ) -> list[shown.CareShown]:
        """The courtesy contacts that are owed: open, done or missed. See `views.care.care_due`."""
        all_seen(self._session.app)
        return care_due(self._session.app, customer=customer, tier=tier, state=state, since=since, limit=limit)

    @answered
    def care_agreements(self) -> list[shown.CareAgreementShown]:
        """What is agreed with customers about their care. See `views.care.list_agreements`."""
        return list_agreements(self._session.app)

    @answered
    def load_agreements(self, context: Context, *, definitions: str) -> Written:
        """Put the operator's agreements with its customers (the text of a TOML file) in force. See `desk.customers.load_agreements`."""
        return customers.load_agreements(self._session.app, context, definitions=definitions)
