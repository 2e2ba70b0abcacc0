"""An order in flight in Python: changing, suspending and resuming it, what a change would take, and its customer's own link, given out,
opened, and answered by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from o2c.desk.act import Context, Written
from o2c.desk.answering import answer_by_link
from o2c.desk.capture import Paper
from o2c.desk.revising import Amended, amend_order
from o2c.desk.suspending import resume_order, suspend_order
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.assessing import assess_change
from o2c.views.my_order import my_order
from o2c.views.order_link import DAYS, order_link
from o2c.views.reading import all_seen

if TYPE_CHECKING:
    from o2c.running.session import Session


class InFlight:
    """The part of `OrderToCash` by which a service changes, suspends and resumes an order in flight, and shows a customer his own."""

    _session: Session

    @answered
    def amend(
        self,
        order: str,
        paper: Paper,
        context: Context,
        *,
        merge: bool = False,
        base_version: int | None = None,
        resubmission: str = "",
    ) -> Amended:
        """Make an order in flight the one of a changed paper; `refused` says why not when it is too late. See
        `desk.revising.amend_order`."""
        return amend_order(self._session.app, context, order, paper, merge=merge, base_version=base_version, resubmission=resubmission)

    @answered
    def suspend(self, order: str, context: Context, *, until: datetime, waits_for: str = "customer", note: str) -> Written:
        """Suspend an order in flight until a time: nothing new of it begins. See `desk.suspending.suspend_order`."""
        return suspend_order(self._session.app, context, order, until=until, waits_for=waits_for, note=note)

    @answered
    def resume(self, order: str, context: Context, *, note: str = "") -> Written:
        """Let a suspended order go on. See `desk.suspending.resume_order`."""
        return resume_order(self._session.app, context, order, note=note)

    @answered
    def assess_change(self, order: str, paper: Paper = "", *, merge: bool = False, resubmission: str = "") -> shown.AssessedShown:
        """What a changed paper, or a merge patch on the one captured, would take of an order in flight. See
        `views.assessing.assess_change`."""
        return assess_change(self._session.app, order, paper, merge=merge, resubmission=resubmission)

    @answered
    def order_link(self, order: str, *, days: int = DAYS) -> shown.OrderLinkShown:
        """A link to one order for its customer, which ends after some days. See `views.order_link.order_link`."""
        return order_link(self._session.app, self._session.home, order, days=days)

    @answered
    def order_by_link(self, link: str) -> shown.MyOrderShown:
        """What a link shows of its order, in the customer's words. Raises Refused: missing, gone. See `views.my_order.my_order`."""
        all_seen(self._session.app)
        return my_order(self._session.app, self._session.home, link)

    @answered
    def answer_by_link(self, link: str, fallout: str, changes: Mapping[str, str], context: Context) -> Written:
        """Answer what a link says that we need. See `desk.answering.answer_by_link`."""
        return answer_by_link(self._session.app, self._session.home, context, link, fallout, changes)
