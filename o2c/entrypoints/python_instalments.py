"""Instalments in Python: how far an agreement is, and settling it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from o2c.desk import instalments as desk
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.instalments import show_instalments

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Instalments:
    """The part of `OrderToCash` that is about what is paid in instalments."""

    _session: Session

    @answered
    def instalments(self, account: str, *, on: date | None = None) -> list[shown.AgreementShown]:
        """The agreements of an account, and what settles each on a day. See `views.instalments.show_instalments`."""
        return show_instalments(self._session.app, account, on=on)

    @answered
    def settle_instalments(self, account: str, order: str, item: str, context: Context) -> Written:
        """Bill at once all that is left of an agreement. See `desk.instalments.settle`."""
        return desk.settle(self._session.app, context, account, order, item)
