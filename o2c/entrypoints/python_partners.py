"""Partners in Python: which are simulated or real, up or down, and the faults that simulated ones meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from o2c.desk import partners
from o2c.desk.act import Context, Written
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.partners import list_faults, list_partner_statuses, list_partners

if TYPE_CHECKING:
    from o2c.running.session import Session


class Partners:
    """The part of `OrderToCash` that is about partners."""

    _session: Session

    @answered
    def link_partner(
        self, partner: str, context: Context, *, url: str, credential: str, timeout_s: float = 10.0, calls_max: int = 8
    ) -> Written:
        """Reach a partner over the network; workers take it up when they are started. See `desk.partners.link_partner`."""
        return partners.link_partner(
            self._session.app, context, partner, url=url, credential=credential, timeout_s=timeout_s, calls_max=calls_max
        )

    @answered
    def simulate_partner(self, partner: str, context: Context) -> Written:
        """Go back to a partner's simulator. See `desk.partners.simulate_partner`."""
        return partners.simulate_partner(self._session.app, context, partner)

    @answered
    def partner_down(self, partner: str, context: Context, *, reason: str) -> Written:
        """Declare that a partner is down: what would be asked of it waits, and nothing falls out. See `desk.partners.partner_down`."""
        return partners.partner_down(self._session.app, context, partner, reason=reason)

    @answered
    def partner_up(self, partner: str, context: Context, *, reason: str, rate_per_min: int = 0) -> Written:
        """Declare that a partner is up again: what waited for it is asked one after another. See `desk.partners.partner_up`."""
        return partners.partner_up(self._session.app, context, partner, reason=reason, rate_per_min=rate_per_min)

    @answered
    def plan_faults(self, rows: Sequence[Mapping[str, Any]], context: Context) -> list[Written]:
        """Simulate the partners with planned faults, outages too, in place of all planned before. See `desk.partners.plan_faults`."""
        return partners.plan_faults(self._session.app, context, rows)

    @answered
    def partners(self) -> list[shown.PartnerShown]:
        """The partners of the store: simulated or real, how each is reached and within which limits."""
        return list_partners(self._session.app)

    @answered
    def partner_statuses(self) -> list[shown.PartnerStatusShown]:
        """Which partners are up, down or draining, since when and by whose word, and the calls of their last outages."""
        return list_partner_statuses(self._session.app)

    @answered
    def faults(self) -> list[shown.FaultShown]:
        """The faults that simulated partners meet, planned and usual."""
        return list_faults(self._session.app)
