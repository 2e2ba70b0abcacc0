"""The catalogue in Python: its versions side by side, one tried on the orders that came, rises of prices, and vouchers."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from o2c.desk.catalogue import announce_rise
from o2c.desk.vouchers import Combines, Of, issue_vouchers
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.catalogue_versions import diff_catalogue, dry_run
from o2c.views.reading import all_seen
from o2c.views.vouchers import show_vouchers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Catalogue:
    """The part of `OrderToCash` that is about the catalogue."""

    _session: Session

    @answered
    def announce_rise(self, offering: str, context: Context, *, amount: str, from_day: date, market: str = "GB") -> Written:
        """Announce that services of an offering cost more from a day on, and bill them so. See `desk.catalogue.announce_rise`."""
        return announce_rise(self._session.app, context, offering, amount=amount, from_day=from_day, market=market)

    @answered
    def issue_vouchers(
        self,
        campaign: str,
        context: Context,
        *,
        percent: str = "",
        amount: str = "",
        of: Of = "recurring",
        months: int = 0,
        combines: Combines = "stackable",
        codes: Sequence[str] = (),
        uses_max: int = 1,
        budget: str = "",
        offerings: Sequence[str] = (),
        tiers: Sequence[str] = (),
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
        market: str = "GB",
        reserved_days: int | None = None,
    ) -> Written:
        """Issue a campaign of vouchers, whose codes orders name. See `desk.vouchers.issue_vouchers`."""
        return issue_vouchers(
            self._session.app, context, campaign, percent=percent, amount=amount, of=of, months=months, combines=combines, codes=codes,
            uses_max=uses_max, budget=budget, offerings=offerings, tiers=tiers, valid_from=valid_from, valid_to=valid_to, market=market,
            reserved_days=reserved_days,
        )  # fmt: skip

    @answered
    def vouchers(self, *, campaign: str = "") -> list[shown.CampaignShown]:
        """Campaigns of vouchers, and how their codes and budgets stand. See `views.vouchers.show_vouchers`."""
        return show_vouchers(self._session.app, campaign=campaign)

    @answered
    def catalogue_diff(self, a: int, b: int = 0) -> list[shown.OfferingChangeShown]:
        """What differs between two versions of the catalogue. See `views.catalogue_versions.diff_catalogue`."""
        return diff_catalogue(self._session.app, a, b)

    @answered
    def catalogue_dry_run(
        self, offerings: str, *, since: datetime | None = None, on: datetime | None = None, market: str = "GB"
    ) -> shown.DryRunShown:
        """Try a price list on the orders that came; nothing is written. See `views.catalogue_versions.dry_run`."""
        all_seen(self._session.app)
        return dry_run(self._session.app, offerings, since=since, on=on, market=market)
