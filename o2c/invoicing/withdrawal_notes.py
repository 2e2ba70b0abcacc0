"""The credit note of a contract that the customer withdrew from: days that are not served, and what was charged once but for what is kept
of it.

Source: Directive 2011/83/EU, art. 13(1) (all payments are reimbursed) and 14(2) and (3) (what is kept: a loss in value, the share of a
service that was asked to begin).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from o2c.invoicing.charge import Charge, of_withdrawal
from o2c.invoicing.discounts import LINE_KIND, discounted
from o2c.invoicing.issuing import issue_note, left_of, lines_off, total_of
from o2c.invoicing.notes import ENGINE, drafted, unserved_lines
from o2c.invoicing.papers import InvoiceLine, NoteLine
from o2c.invoicing.rules import charge_lines
from o2c.invoicing.state import AccountState
from o2c.kernel.charges import ChargeWithdrawn
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.frozen import changed
from o2c.kernel.money import allocate
from o2c.kernel.work import Work

ONCE = "one-time"


def credit(work: Work, *, order: str, item: str, ended_on: str, kept_minor: int, at: datetime) -> Decision:
    """Credit what an invoice charged of an item that the customer withdrew from and that is not owed; nothing where nothing of it is left.

    Of what it charged once `kept_minor` is kept, net, in minor units: no more than is left of it.
    """
    lines = off(work, order=order, item=item, ended_on=ended_on, kept_minor=kept_minor)
    if not lines:
        return NOTHING
    note = f"{work.state.issued.number}-C{work.state.noted.count + 1}"
    how = {"comment": "", "author": ENGINE, "approved_by": ""}
    return issue_note(work, note, lines, reason="withdrawn", at=at, begun_by=at, ended_on=ended_on, **how)


def off(work: Work, *, order: str, item: str, ended_on: str, kept_minor: int) -> tuple[NoteLine, ...]:
    """Give the lines of that note, in the order of the invoice."""
    if work.state.issued is None or work.state.voided:
        return ()
    days = unserved_lines(work, order=order, item=item, ended_on=ended_on)
    once = _once(work, order, item, kept_minor)
    return tuple(sorted((*days, *(lines_off(work, once) if once else ())), key=lambda line: line.line))


def _once(work: Work, order: str, item: str, kept_minor: int) -> dict[int, int]:
    """What is credited of what was charged once, by the place of a line, with its discounts: what is kept is taken off each by what is left
    of it."""
    left = {place: minor for place, minor in left_of(work).items() if place in set(_places(work, order, item))}
    total_minor = sum(left.values())
    if total_minor <= kept_minor:
        return {}
    charged = [place for place, minor in left.items() if minor > 0]
    kept = dict(zip(charged, allocate(kept_minor, [left[place] for place in charged]), strict=True))
    return {place: minor - kept.get(place, 0) for place, minor in left.items() if minor != kept.get(place, 0)}


def _places(work: Work, order: str, item: str) -> Iterator[int]:
    """The places of the lines of an item that are charged once, each with the discounts that lower it."""
    lines = dict(enumerate(work.state.issued.lines, 1))
    for place, line in lines.items():
        if (line.order, line.item, line.kind) == (order, item, ONCE):
            yield place
            yield from (n for n, one in lines.items() if one.kind == LINE_KIND and one.of_line == place)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the end of a charge by a withdrawal comes to, in minor units: `owed_minor` stays owed, net; `credited_minor` is taken off
    invoices, with tax, and `back_minor` of it was paid and is left once agreements about the goods are settled with it."""

    owed_minor: int = 0
    credited_minor: int = 0
    back_minor: int = 0


def foreseen(account: AccountState, ended: ChargeWithdrawn, invoices: Sequence[Work]) -> Foreseen:
    """Work out what the end of a charge by a withdrawal comes to; `invoices` are those that charged it (`Charge.billed_by`)."""
    charge = account.charges.get(f"{ended.order}/{ended.item}")
    if charge is None:
        return Foreseen()
    after = changed(charge, **of_withdrawal(charge, ended))
    owed_minor = sum(line.net_minor for line in _to_bill(account, after))
    billed = [_foreseen_of(invoice, ended) for invoice in invoices if invoice.state.issued is not None]
    if not billed:
        return Foreseen(owed_minor)
    agreement = account.instalments.get(f"{ended.order}/{ended.item}")
    back_minor = sum(one.back_minor for one in billed) - (agreement.left_minor if agreement else 0)
    return Foreseen(owed_minor + sum(one.owed_minor for one in billed), sum(one.credited_minor for one in billed), max(back_minor, 0))


def _foreseen_of(invoice: Work, ended: ChargeWithdrawn) -> Foreseen:
    """What the end of a charge comes to on one of the invoices that charged it."""
    lines = off(invoice, order=ended.order, item=ended.item, ended_on=ended.ended_on, kept_minor=0)
    own = (place for place, line in enumerate(invoice.state.issued.lines, 1) if (line.order, line.item) == (ended.order, ended.item))
    left = left_of(invoice)
    owed_minor = sum(left.get(place, 0) for place in own) - sum(line.net_minor for line in lines)
    total_minor = total_of(*drafted(invoice, {line.line: line.net_minor for line in lines})) if lines else 0
    return Foreseen(owed_minor, total_minor, total_minor - min(total_minor, max(invoice.state.owed_minor, 0)))


def _to_bill(account: AccountState, charge: Charge) -> Iterator[InvoiceLine]:
    """The lines of the bill that is to come over a charge that has ended."""
    if account.due_run and not charge.goods:
        run_on = date.fromisoformat(account.due_run)
        yield from discounted(charge, charge_lines(charge, run_on), run_on.day)
