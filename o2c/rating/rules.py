"""Limits of what a bill may come to: chosen, told of, and gone beyond by agreement only.

Source: Communications Act 2003, s. 124S; Regulation (EU) 2022/612, art. 14 (billing facts, section 6.5).
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from o2c.kernel.charges import OfCustomer
from o2c.kernel.decision import Decision, just
from o2c.kernel.refusal import Refused
from o2c.rating.events import LimitExceedAgreed, LimitKind, LimitNoticed, LimitSet
from o2c.rating.state import UsageStanding

REACHED = 100


class Using(OfCustomer, Protocol):
    """An account whose usage is billed."""

    @property
    def usage(self) -> UsageStanding:
        """How it stands with its usage."""


def set_limit(state: Using, *, kind: LimitKind, amount_minor: int | None, at: datetime) -> Decision:
    """Set or change a limit from now on; None lifts it. What stands so already changes nothing."""
    chosen = [amount for of, amount, _ in state.usage.limits if of == kind]
    if chosen and chosen[-1] == amount_minor:
        return just()
    return just(
        LimitSet(account=state.account, customer=state.customer, kind=kind, amount_minor=amount_minor, currency=state.currency, from_at=at)
    )


def notice(
    state: Using,
    *,
    kind: LimitKind,
    amount_minor: int | None,
    spent_minor: int,
    beyond: bool,
    period_from: str,
    told_percent: int,
    reminder_minor: int | None = None,
) -> Decision:
    """Tell the customer that a limit is likely to be reached, or is reached: each once in a period, and the first not after the second.

    `beyond` says that something was used which the limit does not let be charged. Who agreed to go on is told once more above
    `reminder_minor`, where the market has such an amount.
    """
    if amount_minor is None:
        return just()
    reached = beyond or (spent_minor >= amount_minor > 0)
    percent = REACHED if reached else told_percent if amount_minor and spent_minor * 100 >= amount_minor * told_percent else 0
    if reminder_minor is not None and 0 < amount_minor < reminder_minor < spent_minor:
        percent = reminder_minor * 100 // amount_minor
    told = max((each for _, of, began, each in state.usage.notices if (of, began) == (kind, period_from)), default=0)
    if percent <= told:
        return just()
    return just(
        LimitNoticed(
            account=state.account,
            customer=state.customer,
            kind=kind,
            notice=f"{kind}-{period_from}-{percent}",
            percent=percent,
            period_from=period_from,
            spent_minor=spent_minor,
            amount_minor=amount_minor,
            currency=state.currency,
        )
    )


def agree(state: Using, *, notice: str, period_from: str, at: datetime) -> Decision:
    """Agree to go beyond a limit for the rest of the running period, after a notice of that period; agreed already, nothing changes.

    Raises Refused: missing (the customer was never given that notice, and without one no agreement counts), conflict (its period is over).
    """
    told = next(((kind, began) for each, kind, began, _ in state.usage.notices if each == notice), None)
    if told is None:
        raise Refused(
            f"account {state.account} was given no notice {notice[:60]}; one agrees to go beyond a limit after a notice only: see "
            f"`o2c limits show {state.account}`",
            kind="missing",
        )
    kind, began = told
    if began != period_from:
        raise Refused(f"account {state.account}: notice {notice} is of the period from {began}, which is over", kind="conflict")
    if any((of, first) == (kind, began) for of, first, _ in state.usage.agreed):
        return just()
    body = {"account": state.account, "customer": state.customer, "kind": kind, "notice": notice, "period_from": began, "from_at": at}
    return just(LimitExceedAgreed.model_validate(body))
