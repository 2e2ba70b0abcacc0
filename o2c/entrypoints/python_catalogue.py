"""The catalogue in Python: its versions side by side, and one tried on the orders that came."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from o2c.desk.catalogue import announce_rise
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.catalogue_versions import diff_catalogue, dry_run
from o2c.views.reading import all_seen

if TYPE_CHECKING:
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
