"""Withdrawals in Python: the right to withdraw from a contract, what is declared, and goods that come back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from o2c.desk import withdrawals as desk
from o2c.desk.withdrawals import OrderWithdrawal, Withdrawal
from o2c.entrypoints.answered import answered
from o2c.entrypoints.python_accounts import Accounts
from o2c.views import shown
from o2c.views.reading import part_after_part
from o2c.views.withdrawals import list_withdrawals, show_right, show_withdrawal

if TYPE_CHECKING:
    from o2c.desk.act import Context, Written
    from o2c.running.session import Session


class Withdrawals(Accounts):
    """The part of `OrderToCash` that is about contracts that consumers withdraw from."""

    _session: Session

    @answered
    def right_to_withdraw(self, product: str) -> shown.WithdrawalRightShown:
        """Whether a customer may withdraw from a contract, and what that would come to. See `views.withdrawals.show_right`."""
        return show_right(self._session.app, product)

    @answered
    def withdraw(self, product: str, context: Context) -> Withdrawal:
        """Withdraw from the contract of a product. See `desk.withdrawals.withdraw`."""
        return desk.withdraw(self._session.app, context, product)

    @answered
    def withdraw_order(self, order: str, context: Context, *, items: Sequence[str] = (), note: str = "") -> OrderWithdrawal:
        """Withdraw from the contracts of an order, under way or in service. See `desk.withdrawals.withdraw_order`."""
        return desk.withdraw_order(self._session.app, context, order, items=items, note=note)

    def withdrawals(
        self,
        *,
        customers: Sequence[str] = (),
        states: Sequence[str] = (),
        goods: bool | None = None,
        late: bool = False,
        goods_states: Sequence[str] = (),
        overdue: bool = False,
    ) -> Iterator[shown.WithdrawalShown]:
        """The withdrawals that were declared, the oldest first. See `views.withdrawals.list_withdrawals`."""
        picked: dict[str, Any] = {"customers": customers, "states": states, "goods": goods, "late": late}
        picked |= {"goods_states": goods_states, "overdue": overdue}
        return part_after_part(partial(list_withdrawals, self._session.app, **picked))

    @answered
    def withdrawal(self, product: str) -> shown.WithdrawalDetailShown:
        """A withdrawal with what happened to it. See `views.withdrawals.show_withdrawal`."""
        return show_withdrawal(self._session.app, product)

    @answered
    def goods_sent_back(self, product: str, context: Context, *, sent_on: date, reference: str) -> Written:
        """Take down that a customer proved to have sent goods back. See `desk.withdrawals.proven_sent`."""
        return desk.proven_sent(self._session.app, context, product, sent_on=sent_on, reference=reference)

    @answered
    def grade_goods(self, product: str, context: Context, found: str) -> Written:
        """Say how goods came back. See `desk.withdrawals.grade`."""
        return desk.grade(self._session.app, context, product, found)
