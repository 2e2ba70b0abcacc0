"""Usage in Python: records as they come, what is left of included units, and limits of what a bill may come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from o2c.entrypoints.answered import answered
from o2c.files import usage as files
from o2c.views import shown
from o2c.views import usage as views
from o2c.views.usage import list_usage, show_allowances, show_limits
from o2c.views.zones import list_zones

if TYPE_CHECKING:
    from datetime import datetime

    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Usage:
    """The part of `OrderToCash` that is about usage and its limits."""

    _session: Session

    @answered
    def take_usage(self, document: bytes, context: Context) -> shown.UsageFileShown:
        """Take in usage records, CSV or JSON lines; sent again, they count once. See `files.usage.take_usage`."""
        return files.take_usage(self._session.app, context, document)

    @answered
    def usage_gaps(self, *, source: str = "", limit: int = 100) -> list[shown.UsageGapShown]:
        """The numbers that are missing in the sequences of sources. See `views.usage.usage_gaps`."""
        return views.usage_gaps(self._session.app, source=source, limit=limit)

    @answered
    def usage(self, *, account: str = "", suspense: bool = False, offset: int = 0, limit: int = 100) -> list[shown.UsageRecordShown]:
        """Records of usage, their numbers masked. See `views.usage.list_usage`."""
        return list(list_usage(self._session.app, account=account, suspense=suspense, offset=offset, limit=limit))

    @answered
    def zones(self, *, market: str = "") -> list[shown.ZoneShown]:
        """Zones and time bands by market and version. See `views.zones.list_zones`."""
        return list_zones(self._session.app, market=market)

    @answered
    def buy_pack(self, account: str, context: Context, *, offering: str, line: str = "") -> Written:
        """Buy a pack of units for a line, beside what its plan includes. See `desk.allowances.buy_pack`."""
        from o2c.desk import allowances

        return allowances.buy_pack(self._session.app, context, account, offering=offering, line=line)

    @answered
    def allowances(self, account: str, *, at: datetime | None = None) -> list[shown.AllowanceShown]:
        """What is left of the included units of an account's lines at an instant. See `views.usage.show_allowances`."""
        return show_allowances(self._session.app, account, at=at)

    @answered
    def limits(self, account: str) -> list[shown.LimitShown]:
        """How an account stands with its limits in the running bill period. See `views.usage.show_limits`."""
        return show_limits(self._session.app, account)

    @answered
    def set_limit(self, account: str, context: Context, *, amount: str, kind: Literal["bill", "roaming"] = "bill") -> Written:
        """Set or change a limit of what a bill period may cost beyond its recurring prices; `none` lifts it. See
        `desk.limits.set_limit`."""
        from o2c.desk import limits

        return limits.set_limit(self._session.app, context, account, amount=amount, kind=kind)

    @answered
    def agree_to_exceed(self, account: str, context: Context, *, notice: str) -> Written:
        """Record that the customer agreed after a notice to go beyond a limit. See `desk.limits.agree`."""
        from o2c.desk import limits

        return limits.agree(self._session.app, context, account, notice=notice)
