"""What is credited of a contract that the customer withdrew from: days that are not served, and what was charged once but for what is kept
of it.

Source: the statutes of the market's rules for withdrawals (`markets.life.WithdrawalRules`); Directive 2011/83/EU, art. 13 and 14.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from o2c.instalments.events import SettlementAsked
from o2c.instalments.state import Agreement
from o2c.invoicing.events import CreditDue, WithdrawalCreditAsked
from o2c.kernel.event import Event

if TYPE_CHECKING:
    from o2c.invoicing.charge import Charge
    from o2c.invoicing.state import AccountState


def dues(state: AccountState) -> Iterator[Event]:
    """Give what is to be credited of charges that ended, rest, or were withdrawn from, and the settlement of what is left of an agreement
    once the goods are credited."""
    for charge in state.charges.values():
        of = {"order": charge.order, "item": charge.item}
        if once := charge.billed_once_by:
            # Days may stand on another bill than what is charged once: on the next, or on a bill beside the invoice of goods. Both are
            # credited.
            ended_on = charge.not_served_from or charge.taken_back_on
            for invoice in dict.fromkeys((once, *(charge.billed_by if charge.unserved else ()))):
                yield WithdrawalCreditAsked(invoice=invoice, ended_on=ended_on, kept_minor=charge.kept_minor, **of)
        elif charge.unserved:
            yield CreditDue(invoice=charge.invoice, ended_on=charge.not_served_from, **of)
        elif agreement := _to_settle(state, charge):
            whose = {"account": state.account, "customer": state.customer, "currency": state.currency}
            yield SettlementAsked(**whose, **of, amount_minor=agreement.left_minor, asked_on=charge.taken_back_on)


def _to_settle(state: AccountState, charge: Charge) -> Agreement | None:
    """The agreement about goods that were taken back, of which something is on no bill: it ends once its invoice was credited, and the
    credit pays for it."""
    agreement = state.instalments.get(f"{charge.order}/{charge.item}") if charge.taken_back_on else None
    credited = agreement and any(lot.of == agreement.invoice for lot in state.balance.credits)
    return agreement if agreement and credited and agreement.left_minor else None
