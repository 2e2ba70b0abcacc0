"""What is due of an agreement to pay in instalments: with the next bill, and to settle it on a day.

Source: the goods are supplied, and taxed whole, when they are delivered: Value Added Tax Act 1994, s. 6(2) and (5); Directive 2006/112/EC,
art. 14(2)(b), 63 and 64(1), which leaves the sale of goods on deferred terms out of what is supplied period by period. So an instalment is
the payment of a debt, without tax of its own. No interest is charged, so that settling early costs what is left and nothing else: Consumer
Credit Act 1974, s. 94 and 95 [M].
"""

from __future__ import annotations

from datetime import date
from typing import Protocol

from o2c.instalments.events import SettlementAsked
from o2c.instalments.state import Agreement, Agreements
from o2c.kernel.charges import OfCustomer
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.periods import next_month
from o2c.kernel.refusal import Refused


class Owing(OfCustomer, Protocol):
    """An account with agreements."""

    @property
    def instalments(self) -> Agreements:
        """The agreements."""


def due(agreement: Agreement, run_on: date) -> tuple[int, int] | None:
    """Give the number and the amount, in minor units, of the instalment that the bill of a day has; None for none."""
    number = len(agreement.billed_on) + 1
    if not agreement.left_minor or agreement.agreed_on >= run_on.isoformat():
        return None
    return number, agreement.shares[number - 1]


def settlement_minor(agreement: Agreement, on: date, *, next_run: str, all_due: bool = False) -> int:
    """Give what settles an agreement on a day, beside what bills have by then: on a day to come, as it will be when the bills until then
    are made.

    `next_run` is the day of the next bill (empty: none is to come), which has all that is left where `all_due`. Nothing before the
    agreement, and after it was settled.
    """
    day = on.isoformat()
    if day < agreement.agreed_on or (agreement.settled_on and day >= agreement.settled_on):
        return 0
    billed = sum(1 for billed_on in agreement.billed_on if billed_on <= day)
    run_on = date.fromisoformat(next_run) if next_run else date.max
    while not agreement.settled_on and run_on <= on and billed < agreement.count:
        billed, run_on = agreement.count if all_due else billed + 1, next_month(run_on, run_on.day)
    return sum(agreement.shares[billed:])


def settle(state: Owing, *, order: str, item: str, today: date) -> Decision:
    """Ask for an invoice over all that is left of an agreement; nothing where that was asked before.

    Raises Refused: missing (no such agreement), conflict (every instalment is billed).
    """
    agreement = state.instalments.get(f"{order}/{item}")
    if agreement is None:
        raise Refused(f"account {state.account or '(none)'}: nothing of order {order}, item {item} is paid in instalments", kind="missing")
    if agreement.settled_on:
        return NOTHING
    if not agreement.left_minor:
        raise Refused(f"order {order}, item {item}: every instalment is billed, nothing is left to settle", kind="conflict")
    whose = {"account": state.account, "customer": state.customer, "currency": state.currency, "order": order, "item": item}
    return just(SettlementAsked(**whose, amount_minor=agreement.left_minor, asked_on=today.isoformat()))
