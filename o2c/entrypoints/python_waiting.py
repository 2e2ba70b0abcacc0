"""Waiting and promises in Python: who orders wait for, what was promised and told, what differs, and when queues clear."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.differing import diff_orders
from o2c.views.forecasting import forecast_queues
from o2c.views.jeopardy import list_jeopardy, score_jeopardy
from o2c.views.promised import count_promises, list_promises, promises_of_order
from o2c.views.reading import all_seen
from o2c.views.told import told_of_order, told_to_customer
from o2c.views.waiting import waiting_times, work_in_progress

if TYPE_CHECKING:
    from o2c.running.session import Session


class Waiting:
    """The part of `OrderToCash` that is about time: who is waited for, and what was promised."""

    _session: Session

    @answered
    def promises_of(self, order: str) -> list[shown.DayPromisedShown]:
        """Every day promised for the items of an order. See `views.promised.promises_of_order`."""
        all_seen(self._session.app)
        return promises_of_order(self._session.app, order)

    @answered
    def promises(self, *, state: str = "", customer: str = "") -> list[shown.DayPromisedShown]:
        """Every day promised for any item. See `views.promised.list_promises`."""
        all_seen(self._session.app)
        return list_promises(self._session.app, state=state, customer=customer)

    @answered
    def promise_counts(self) -> list[shown.PromiseCountShown]:
        """Promises kept, broken and open by channel. See `views.promised.count_promises`."""
        all_seen(self._session.app)
        return count_promises(self._session.app)

    @answered
    def told_of(self, order: str) -> list[shown.ToldShown]:
        """What the customer of an order was told about it. See `views.told.told_of_order`."""
        all_seen(self._session.app)
        return told_of_order(self._session.app, order)

    @answered
    def told_to(self, customer: str) -> list[shown.ToldShown]:
        """What a customer was told about anything. See `views.told.told_to_customer`."""
        all_seen(self._session.app)
        return told_to_customer(self._session.app, customer)

    @answered
    def differences(
        self, order: str, other: str = "", *, since: datetime | None = None, until: datetime | None = None
    ) -> shown.OrderDiffShown:
        """What differs between two orders, or two moments of one. See `views.differing.diff_orders`."""
        all_seen(self._session.app)
        return diff_orders(self._session.app, order, other, since=since, until=until)

    @answered
    def waiting(
        self,
        *,
        order: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        at: datetime | None = None,
        known_at: int | None = None,
    ) -> list[shown.WaitingShown]:
        """Who orders waited for, to the second. See `views.waiting.waiting_times`."""
        all_seen(self._session.app)
        return waiting_times(self._session.app, order=order, since=since, until=until, at=at, known_at=known_at)

    @answered
    def ageing(self) -> shown.AgeingShown:
        """How old open orders are, beside how long completed ones took. See `views.waiting.work_in_progress`."""
        all_seen(self._session.app)
        return work_in_progress(self._session.app)

    @answered
    def jeopardy(self, *, level: str = "") -> list[shown.JeopardyShown]:
        """Open items in danger of missing their day. See `views.jeopardy.list_jeopardy`."""
        all_seen(self._session.app)
        return list_jeopardy(self._session.app, level=level)

    @answered
    def jeopardy_score(self, *, by: str = "") -> list[shown.JeopardyScoreShown]:
        """How good that is foretold. See `views.jeopardy.score_jeopardy`."""
        all_seen(self._session.app)
        return score_jeopardy(self._session.app, by=by)

    @answered
    def forecast_queues(self, *, seed: int = 1) -> list[shown.QueueForecastShown]:
        """When each queue clears. See `views.forecasting.forecast_queues`."""
        all_seen(self._session.app)
        return forecast_queues(self._session.app, seed=seed)
