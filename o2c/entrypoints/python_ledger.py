"""The books in Python: how the accounts of the chart stand, every posting, and closing a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from o2c.checks.assurance import UNBILLED_DAYS, Leak, check_assurance
from o2c.desk.ledger import close_ledger
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.ledger import export_ledger, list_closings, trial_balance
from o2c.views.reading import all_seen

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Ledger:
    """The part of `OrderToCash` that is about the books."""

    _session: Session

    @answered
    def assurance(self, *, rule: str = "", days: int = UNBILLED_DAYS) -> list[Leak]:
        """What leaks from order to bill, with the events of both sides. See `checks.assurance.check_assurance`."""
        return check_assurance(self._session.app, rule=rule, days=days)

    @answered
    def trial_balance(self, *, on: date | None = None, at: datetime | None = None) -> shown.TrialBalanceShown:
        """How every account of the chart stands now, at the end of a day, or by what had happened by a time. See
        `views.ledger.trial_balance`."""
        all_seen(self._session.app)
        return trial_balance(self._session.app, on=on, at=at)

    @answered
    def postings(self, *, since: date | None = None, on: date | None = None) -> list[shown.LedgerLineShown]:
        """Every posting of some days, with the event that made it. See `views.ledger.export_ledger`."""
        all_seen(self._session.app)
        return export_ledger(self._session.app, since=since, on=on)

    @answered
    def close_ledger(self, day: date, context: Context) -> Written:
        """Close the books up to the end of a day, for good. See `desk.ledger.close_ledger`."""
        return close_ledger(self._session.app, context, day)

    @answered
    def closings(self, *, limit: int | None = None) -> list[shown.ClosingShown]:
        """The closings of the books, the last one first. See `views.ledger.list_closings`."""
        all_seen(self._session.app)
        return list_closings(self._session.app, limit=limit)
