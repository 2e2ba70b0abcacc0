"""The desk for instalments: settling an agreement before its last one."""

from __future__ import annotations

from datetime import datetime

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.instalments import rules
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision
from o2c.kernel.periods import local_date
from o2c.views.instalments import show_instalments


def settle(app: Engine, context: Context, account: str, order: str, item: str) -> Written:
    """Bill at once all that is left of an agreement: an invoice over it follows, without tax, and no bill has an instalment any more.

    Nothing where that was asked before. Raises Refused: missing (no such account or agreement), conflict (every instalment is billed).
    """
    show_instalments(app, account)

    def decide(state: AccountState, at: datetime) -> Decision:
        return rules.settle(state, order=order, item=item, today=local_date(at, app.book.market(state.market).zone))

    return act(app, context, "instalments.settle", Deed(account_stream(account), (decide,), ["settle", order, item]))
