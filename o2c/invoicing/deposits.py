"""Deposits of orders that are complete: kept as security until enough bills were paid in time, or else set off against what is owed at the
last bill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, cast

from o2c.invoicing.noted import InvoiceState
from o2c.kernel.balances import DepositFreed, MoneyReturned
from o2c.kernel.charges import SET_OFF, invoice_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.work import Work, build

if TYPE_CHECKING:
    from o2c.invoicing.state import AccountState

Pays = Callable[..., Decision]
"""Decides that money came for an invoice: `payments.settling.settled`."""

WITH_THE_PROVIDER = timedelta(hours=1)
"""A demand due so soon after a bill run may be with the payment provider already: it is left to come, and what it brings is a credit."""


def pays_nothing(work: Work, amount_minor: int, **how: object) -> Decision:
    """Stands for a plan in which no deposit pays for an invoice: what is left of it is owed to the customer."""
    return NOTHING


def bills_read(state: AccountState) -> tuple[str, ...]:
    """Name the streams of the invoices that a bill run judges deposits by, and once nothing is served any more of all that they may be set
    off against; none while no deposit of a complete order is kept."""
    if not state.balance.retained:
        return ()
    first = min(since for _, since in state.balance.retained.values()) if state.running else 0
    return tuple(map(invoice_stream, state.balance.bills[first:]))


def good(invoice: InvoiceState) -> bool | None:
    """Whether a bill was paid by its due day, and stayed so; None while that is open, and of one that is void.

    A transfer counts from the day on which it arrived, however late somebody recorded it.
    """
    if invoice.issued is None or invoice.voided:
        return None
    if invoice.owed_minor > 0:
        return False if invoice.overdue or invoice.reopened_on else None
    if invoice.reopened_on and any(
        kind == "payment.charged-back" and case not in invoice.won_back for kind, case, *_ in invoice.taken_back
    ):
        return False
    late_minor = sum(
        one.amount_minor - one.back_minor for one in invoice.payments if not one.arrived_on or one.arrived_on > invoice.issued.due_on
    )
    return not (invoice.overdue and late_minor)


def in_a_row(judged: Iterable[bool | None]) -> int:
    """How many of the last bills in a row are good; one that is not judged yet, or is void, neither counts nor breaks the row."""
    row = 0
    for one in judged:
        row = 0 if one is False else row + bool(one)
    return row


def earned(state: AccountState, read: Mapping[str, InvoiceState | None]) -> tuple[DepositFreed, ...]:
    """Free the deposits for which enough bills in a row were paid in time: each becomes a credit, which the bill of this run uses."""
    invoices = [read.get(invoice_stream(number)) for number in state.balance.bills]
    judged = [good(invoice) if invoice else None for invoice in invoices]
    return tuple(
        _freed(state, order, state.balance.deposits[order], "credit")
        for order, (good_bills, since) in sorted(state.balance.retained.items())
        if in_a_row(judged[since:]) >= good_bills
    )


def all_freed(state: AccountState) -> tuple[DepositFreed, ...]:
    """Free all deposits of complete orders, for the last bill."""
    return tuple(_freed(state, order, state.balance.deposits[order], "credit") for order in sorted(state.balance.retained))


def set_off(work: Work, freed: Iterable[DepositFreed], used_minor: int, run_on: date, at: datetime, *, pays: Pays) -> Decision:
    """Decide what becomes of all that is freed for the last bill, which used so much of the account's credit, in minor units: what it
    leaves pays what is owed on earlier invoices, the oldest first, and the rest is owed to the customer. What pays is given back and comes
    again in one append, so that cash stands as it stood."""
    state: AccountState = work.state
    held_minor = sum(one.amount_minor for one in freed)
    unused_minor = min(held_minor, state.balance.credit_minor + held_minor - used_minor)
    decision = just(*_split(state, unused_minor))
    for stream, invoice in owed_on(work, bills_read(state)):
        amount_minor = min(unused_minor, invoice.owed_minor)
        unused_minor -= amount_minor
        if amount_minor:
            decision += paid_by_held(work, stream, invoice, amount_minor, amount_minor, run_on, at, pays)
    return decision


def owed_on(work: Work, bills: Iterable[str]) -> Iterator[tuple[str, InvoiceState]]:
    """Give the invoices among these streams on which something is owed in the account's currency, each with its stream."""
    state: AccountState = work.state
    for stream in bills:
        invoice = cast("InvoiceState | None", work.read.get(stream))
        if invoice and invoice.issued and not invoice.voided and invoice.owed_minor > 0 and invoice.issued.currency == state.currency:
            yield stream, invoice


def paid_by_held(
    work: Work, stream: str, invoice: InvoiceState, amount_minor: int, of_owed_minor: int, on: date, at: datetime, pays: Pays
) -> Decision:
    """Decide that money which the account holds pays for an invoice on a day, in minor units: `of_owed_minor` of it was owed to the
    customer, the rest was a credit."""
    state: AccountState = work.state
    assert invoice.issued is not None
    given = MoneyReturned(
        account=state.account,
        customer=state.customer,
        currency=state.currency,
        amount_minor=amount_minor,
        of_owed_minor=of_owed_minor,
        method=SET_OFF,
        remittance=invoice.issued.number,
        returned_on=on.isoformat(),
    )
    to = build(stream, "", "payment", state=invoice, subject={}, records=invoice.records, codes=work.codes, market=work.market)
    paid = pays(to, amount_minor, begun_by=at + WITH_THE_PROVIDER, method=SET_OFF, arrived_on=on.isoformat())
    if not paid:
        return NOTHING
    own = (event for name, event in paid.elsewhere if name == work.stream)
    others = (each for each in paid.elsewhere if each[0] != work.stream)
    return Decision((given, *own), (*((stream, event) for event in paid.events), *others))


def _split(state: AccountState, owed_minor: int) -> Iterator[DepositFreed]:
    """All deposits of complete orders, as a credit but for the last `owed_minor` of them, which is owed."""
    kept = {order: state.balance.deposits[order] for order in sorted(state.balance.retained)}
    used_minor = sum(kept.values()) - owed_minor
    for order, minor in kept.items():
        part_minor = min(minor, used_minor)
        used_minor -= part_minor
        yield from (_freed(state, order, part_minor, "credit"),) if part_minor else ()
        yield from (_freed(state, order, minor - part_minor, "owed"),) if minor > part_minor else ()


def unbilled(state: AccountState) -> Iterator[Event]:
    """Free the deposits of an account for which no bill is to come, that would set them off: they are owed to the customer."""
    if state.due_run or state.to_come:
        return
    for order in sorted(state.balance.retained):
        yield _freed(state, order, state.balance.deposits[order], "owed")


def _freed(state: AccountState, order: str, amount_minor: int, becomes: str) -> DepositFreed:
    of_order = {"account": state.account, "customer": state.customer, "currency": state.currency, "order": order}
    return DepositFreed.model_validate({**of_order, "amount_minor": amount_minor, "becomes": becomes})
