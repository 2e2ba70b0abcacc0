"""Access in Python: who was shown what is personal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from o2c.entrypoints.answered import answered
from o2c.views.access import list_records

if TYPE_CHECKING:
    from o2c.running.session import Session


class Access:
    """The part of `OrderToCash` that is about who may what."""

    _session: Session

    @answered
    def access_records(
        self, *, customer: str = "", actor: str = "", since: datetime | None = None, personal: bool = False, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Who was shown personal data, when, by which operation and of which customer, the last first. See `views.access.list_records`."""
        return list_records(self._session.app, customer=customer, actor=actor, since=since, personal=personal, limit=limit)
