"""Billing's entries for the plan: the bill run of an account, and the look at an invoice that was due."""

from __future__ import annotations

from functools import partial

from o2c.invoicing import credit_return, debts, issuing, one_off, rules
from o2c.invoicing.deposits import Pays
from o2c.invoicing.events import (
    BillRunFellOut,
    BillRunRequested,
    CreditReturnFellOut,
    CreditReturnRequested,
    NoteNumberFellOut,
    NoteNumberRequested,
    OneOffFellOut,
    OneOffRequested,
    OverdueFellOut,
    OverdueRequested,
    ReliefFellOut,
    ReliefRequested,
)
from o2c.invoicing.ranges import lacking, numbers_of, opening
from o2c.invoicing.state import CREDIT_RETURN, ONE_OFF, bill_run
from o2c.invoicing.usage import records_wanted
from o2c.kernel.step import Step


def bill_run_step(pays: Pays) -> Step:
    """The bill run, with the rule by which a deposit `pays` for what is owed on earlier invoices."""
    bill = partial(rules.bill, pays=pays)
    return Step(
        name="bill-run",
        requested=BillRunRequested,
        fell_out=BillRunFellOut,
        complete=bill,
        check=lacking(bill),
        awaits=numbers_of,
        open_from=opening(bill),
        reads=rules.streams_read,
        records=records_wanted,
        facts=bill_run,
    )


def one_off_step(pays: Pays) -> Step:
    """The invoice beside the bill runs, with the same rule."""
    invoice = partial(one_off.invoice_at_once, pays=pays)
    return Step(
        name=ONE_OFF,
        requested=OneOffRequested,
        fell_out=OneOffFellOut,
        complete=invoice,
        check=lacking(invoice),
        awaits=numbers_of,
        open_from=opening(invoice),
        reads=one_off.payer,
    )


def credit_return_step(pays: Pays, request: credit_return.Request) -> Step:
    """What is left on an account that has ended, with the rules by which it `pays` for bills and goes back."""
    return Step(
        name=CREDIT_RETURN,
        requested=CreditReturnRequested,
        fell_out=CreditReturnFellOut,
        complete=partial(credit_return.give_back, pays=pays, request=request),
        due=credit_return.due,
        wanted=credit_return.wanted,
        reads=credit_return.bills_read,
    )


NOTE = Step(
    name=issuing.NUMBERING,
    requested=NoteNumberRequested,
    fell_out=NoteNumberFellOut,
    complete=issuing.issue_awaiting,
    check=lacking(issuing.issue_awaiting, "CRN"),
    awaits=partial(numbers_of, paper="CRN"),
    open_from=opening(issuing.issue_awaiting, "CRN"),
    reads=issuing.ranges_read,
)
OVERDUE = Step(
    name="overdue",
    requested=OverdueRequested,
    fell_out=OverdueFellOut,
    complete=rules.look_at,
    due=rules.day_after_it_was_due,
    open_from=rules.looked_at_from,
)
RELIEF = Step(
    name=debts.RELIEF,
    requested=ReliefRequested,
    fell_out=ReliefFellOut,
    complete=debts.relieve,
    due=debts.relief_due,
    instead=debts.nothing_written_off,
)
