"""Balances in Python: what an account owes and what is held for it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from o2c.desk import refunds
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.balance import show_balance

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Balances:
    """The part of `OrderToCash` that is about the money of an account."""

    _session: Session

    @answered
    def balance(self, account: str, *, at: datetime | None = None) -> list[shown.AccountBalanceShown]:
        """What an account owes and what is held for it, at an instant. See `views.balance.show_balance`."""
        return show_balance(self._session.app, account, at=at)

    @answered
    def request_refund(self, account: str, context: Context, *, amount: str) -> Written:
        """Give some of what an account holds back by the way in which it came. See `desk.refunds.request_refund`."""
        return refunds.request_refund(self._session.app, context, account, amount=amount)

    @answered
    def approve_refund(self, account: str, refund: str, context: Context) -> Written:
        """Give back what somebody else asked for. See `desk.refunds.approve_refund`."""
        return refunds.approve_refund(self._session.app, context, account, refund)

    @answered
    def give_up_refund(self, account: str, refund: str, context: Context, *, reason: str) -> Written:
        """Give a refund up that was refused or of which nobody knows what came. See `desk.refunds.give_up_refund`."""
        return refunds.give_up_refund(self._session.app, context, account, refund, reason=reason)

    def refund_paid_after_all(self, account: str, refund: str, context: Context, *, reference: str, paid_on: date | None = None) -> Written:
        """Take down that the provider paid a refund that was given up. See `desk.refunds.paid_after_all`."""
        return refunds.paid_after_all(self._session.app, context, account, refund, reference=reference, paid_on=paid_on)
