"""Payments in Python that are taken off an invoice again: charged back, won back, moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from o2c.desk import taking_back
from o2c.entrypoints.answered import answered
from o2c.views.taking_back import preview_taking_back

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session
    from o2c.views.shown import TakingBackPreviewShown


class TakenBack:
    """The part of `OrderToCash` that is about money which an invoice gives up again."""

    _session: Session

    @answered
    def charge_back(self, invoice: str, context: Context, *, case: str, amount: str = "", payment: str = "", reason: str = "") -> Written:
        """Take down that the payer's bank took a payment back; told twice under one case it is one. See `desk.taking_back.charge_back`."""
        return taking_back.charge_back(self._session.app, context, invoice, case=case, amount=amount, payment=payment, reason=reason)

    @answered
    def win_back(self, invoice: str, context: Context, *, case: str) -> Written:
        """Take down that a chargeback was answered and won. See `desk.taking_back.win_back`."""
        return taking_back.win_back(self._session.app, context, invoice, case=case)

    @answered
    def move_payment(
        self, invoice: str, context: Context, *, to: str, reason: str, amount: str = "", payment: str = "", key: str = ""
    ) -> Written:
        """Move money that was recorded for the wrong invoice to another invoice, or the account, it was meant for. See
        `desk.taking_back.move_payment`."""
        how = {"to": to, "reason": reason, "amount": amount, "payment": payment, "key": key}
        return taking_back.move_payment(self._session.app, context, invoice, **how)

    @answered
    def preview_taking_back(self, invoice: str, *, to: str = "", amount: str = "", payment: str = "") -> TakingBackPreviewShown:
        """What charging a payment back, or with `to` moving it, would come to. See `views.taking_back.preview_taking_back`."""
        return preview_taking_back(self._session.app, invoice, to=to, amount=amount, payment=payment)
