"""Collections in Python: who owes past a due day, holds and promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from o2c.desk import collections as desk
from o2c.entrypoints.answered import answered
from o2c.views import shown
from o2c.views.collections import Bar, list_collections
from o2c.views.reading import Page, all_seen

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Collections:
    """The part of `OrderToCash` that is about what is owed past its due day."""

    _session: Session

    @answered
    def collections(
        self, *, accounts: Sequence[str] = (), stage: str = "", bar: Bar = "", hold: str = "", offset: int = 0, limit: int = 100
    ) -> Page[shown.CollectionShown]:
        """Accounts that owe past a due day or whose collections are held. See `views.collections.list_collections`."""
        all_seen(self._session.app)
        return list_collections(self._session.app, accounts=accounts, stage=stage, bar=bar, hold=hold, offset=offset, limit=limit)

    @answered
    def hold_collections(self, account: str, kind: str, context: Context, *, until: date | None = None, note: str = "") -> Written:
        """Hold the collections of an account. See `desk.collections.hold`."""
        return desk.hold(self._session.app, context, account, kind, until=until, note=note)

    @answered
    def release_collections(self, account: str, kind: str, context: Context, *, note: str = "") -> Written:
        """Release a hold on the collections of an account. See `desk.collections.release`."""
        return desk.release(self._session.app, context, account, kind, note=note)

    @answered
    def promise_to_pay(self, account: str, context: Context, *, amount: str, by: date, currency: str = "", note: str = "") -> Written:
        """Take down a customer's promise to pay. See `desk.collections.promise`."""
        return desk.promise(self._session.app, context, account, amount=amount, by=by, currency=currency, note=note)

    @answered
    def plan_debt(self, account: str, parts: Mapping[str, str], context: Context, *, currency: str = "", note: str = "") -> Written:
        """Agree with a customer on parts in which a debt is paid. See `desk.collections.plan`."""
        return desk.plan(self._session.app, context, account, parts, currency=currency, note=note)

    @answered
    def open_dispute(self, invoice: str, context: Context, *, amount: str = "", note: str = "") -> Written:
        """Open a dispute about an invoice. See `desk.collections.open_dispute`."""
        return desk.open_dispute(self._session.app, context, invoice, amount=amount, note=note)

    @answered
    def settle_dispute(self, invoice: str, context: Context, *, outcome: str, note: str = "") -> Written:
        """Settle the dispute about an invoice. See `desk.collections.settle_dispute`."""
        return desk.settle_dispute(self._session.app, context, invoice, outcome=outcome, note=note)
