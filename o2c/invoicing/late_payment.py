"""What a business owes for paying late, on its bills: lines without tax, and a note where it turns out that less was owed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from o2c.invoicing.issuing import issue_note, left_of, lines_off
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.notes import ENGINE
from o2c.invoicing.papers import InvoiceLine
from o2c.invoicing.state import AccountState
from o2c.kernel.arrears import collection_stream
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.lateness import LATE_INTEREST, LATE_PAYMENT, LATE_SUM, LateCharged
from o2c.kernel.work import Work


def late_streams(state: AccountState) -> tuple[str, ...]:
    """Name the stream that a bill run reads for an account that paid late: that of its collections. None is read for any other."""
    return (collection_stream(state.account),) if state.paid_late else ()


def late_charges(work: Work, run_on: date, bill: str) -> tuple[list[InvoiceLine], list[tuple[str, LateCharged]]]:
    """Give the lines of a bill run over what is owed for late days before its own that no bill has, of each invoice; and what collections
    are told.

    Nothing where the market's policy charges none. Source: Late Payment of Commercial Debts (Interest) Act 1998, s. 1 and 5A; Directive
    2011/7/EU, art. 3, 6.
    """
    state: AccountState = work.state
    owing: Any = work.read.get(collection_stream(state.account))
    if owing is None or not work.market.collections.charges_late:
        return [], []
    rules, currency = work.market.collections.late_interest, work.market.currency
    charged: Sequence[LateCharged] = owing.late_charges(rules, currency, bill=bill, before=run_on, of_currency=state.currency)
    return [line for each in charged for line in _lines(each)], [(collection_stream(state.account), each) for each in charged]


def _lines(charged: LateCharged) -> Iterator[InvoiceLine]:
    """Interest over its days, and the fixed sum, which is of no day. The last day is meant inclusively in words, as people read it."""
    last = date.fromordinal(date.fromisoformat(charged.to_day).toordinal() - 1)
    rates = " and ".join(dict.fromkeys(rate.percent for rate in charged.rates))
    days = f"{charged.days} day{'s' * (charged.days != 1)} from {charged.from_day} to {last} at {rates} % a year"
    if charged.interest_minor:
        yield _line(charged, LATE_INTEREST, charged.interest_minor, f"Interest for late payment of invoice {charged.invoice}: {days}")
    if charged.fixed_minor:
        yield _line(charged, LATE_SUM, charged.fixed_minor, f"Fixed sum for late payment of invoice {charged.invoice}")


def _line(charged: LateCharged, kind: str, net_minor: int, description: str) -> InvoiceLine:
    return InvoiceLine(
        order="",
        item="",
        offering="",
        kind=kind,
        from_day=charged.from_day if kind == LATE_INTEREST else charged.to_day,
        to_day=charged.to_day,
        net_minor=net_minor,
        tax_group=LATE_PAYMENT,
        description=description,
        unit="C62",
        unit_price_minor=net_minor,
        of_invoice=charged.invoice,
    )


def not_owed(work: Work, *, invoice: str, interest_minor: int, fixed_minor: int, at: datetime) -> Decision:
    """Credit what a bill charged for paying another invoice late and turns out not to be owed, in minor units: of its lines about that,
    what is left of them at most."""
    state: InvoiceState = work.state
    if state.issued is None or state.voided:
        return NOTHING
    wanted, left = {LATE_INTEREST: interest_minor, LATE_SUM: fixed_minor}, left_of(work)
    of = {place: line for place, line in enumerate(state.issued.lines, 1) if line.of_invoice == invoice and place in left}
    taken = {place: min(minor, left[place]) for place, line in of.items() if (minor := wanted.get(line.kind, 0))}
    if not taken:
        return NOTHING
    how = {"comment": "", "author": ENGINE, "approved_by": ""}
    note = f"{state.issued.number}-C{state.noted.count + 1}"
    return issue_note(work, note, lines_off(work, taken), reason="billed-in-error", at=at, begun_by=at, **how)
