"""Balances in Python: what an account owes and what is held for it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.balance import show_balance

if TYPE_CHECKING:
    from o2c.running.session import Session


class Balances:
    """The part of `OrderToCash` that is about the money of an account."""

    _session: Session

    @answered
    def balance(self, account: str, *, at: datetime | None = None) -> list[shown.AccountBalanceShown]:
        """What an account owes and what is held for it, at an instant. See `views.balance.show_balance`."""
        return show_balance(self._session.app, account, at=at)
