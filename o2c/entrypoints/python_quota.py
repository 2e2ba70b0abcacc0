"""Quota in Python: units granted to sessions before they are used, and the prepaid money that pays for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.prepaid import show_prepaid

if TYPE_CHECKING:
    from datetime import datetime

    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Quota:
    """The part of `OrderToCash` that is about usage in real time."""

    _session: Session

    @answered
    def reserve_quota(
        self,
        party: str,
        context: Context,
        *,
        session: str,
        kind: str,
        quantity: int,
        request: int = 0,
        unit: str = "",
        destination: str = "",
        country: str = "",
    ) -> shown.QuotaShown:
        """Grant units of a kind of usage to a session before they are used. See `desk.quota.reserve`."""
        from o2c.desk import quota

        wanted = {"kind": kind, "quantity": quantity, "unit": unit, "destination": destination, "country": country}
        return quota.reserve(self._session.app, context, party, session=session, request=request, **wanted)  # type: ignore[arg-type] # by name

    @answered
    def commit_quota(
        self,
        account: str,
        context: Context,
        *,
        session: str,
        used: int,
        request: int,
        unit: str = "",
        destination: str = "",
        source: str = "quota",
    ) -> shown.QuotaShown:
        """Take down what a session used of what it held; the rest is free. See `desk.quota.commit`."""
        from o2c.desk import quota

        told = {"unit": unit, "destination": destination, "source": source}
        return quota.commit(self._session.app, context, account, session=session, used=used, request=request, **told)

    @answered
    def release_quota(self, account: str, context: Context, *, session: str, request: int) -> shown.QuotaShown:
        """Let go what a session holds, of which nothing was used. See `desk.quota.release`."""
        from o2c.desk import quota

        return quota.release(self._session.app, context, account, session=session, request=request)

    @answered
    def top_up(
        self, account: str, context: Context, *, amount: str, reference: str, method: str = "card", valid_days: int | None = None
    ) -> Written:
        """Record money that came to pay for usage in advance. See `desk.prepaid.top_up`."""
        from o2c.desk import prepaid

        told = {"amount": amount, "reference": reference, "method": method}
        return prepaid.top_up(self._session.app, context, account, **told, valid_days=valid_days)

    @answered
    def refund_prepaid(self, account: str, context: Context) -> Written:
        """Give back what is left of prepaid money to a customer who left and asks for it. See `desk.prepaid.refund_prepaid`."""
        from o2c.desk import prepaid

        return prepaid.refund_prepaid(self._session.app, context, account)

    @answered
    def prepaid(self, account: str, *, at: datetime | None = None) -> shown.PrepaidShown:
        """The prepaid balance of an account, and what sessions hold, at an instant. See `views.prepaid.show_prepaid`."""
        return show_prepaid(self._session.app, account, at=at)
