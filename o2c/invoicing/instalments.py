"""Instalments on invoices: one of each agreement on a bill, and what is left of one that is settled."""

from __future__ import annotations

from datetime import date

from o2c.instalments.events import InstalmentBilled
from o2c.instalments.rules import due
from o2c.instalments.state import Agreement
from o2c.invoicing.papers import INSTALMENT, InvoiceLine
from o2c.invoicing.state import AccountState


def instalments_of(state: AccountState, run_on: date, invoice: str) -> tuple[list[InvoiceLine], list[InstalmentBilled]]:
    """Give the lines of a bill run over the instalments that are due, and an event for each."""
    lines, billed = [], []
    for _, agreement in sorted(state.instalments.items()):
        if found := due(agreement, run_on):
            number, amount_minor = found
            whose = {"account": state.account, "customer": state.customer, "currency": state.currency}
            of = {"order": agreement.order, "item": agreement.item, "invoice": invoice}
            lines.append(instalment_line(agreement, f"instalment {number} of {agreement.count}", amount_minor, run_on))
            billed.append(InstalmentBilled(**whose, **of, number=number, amount_minor=amount_minor, billed_on=run_on.isoformat()))
    return lines, billed


def instalment_line(agreement: Agreement, what: str, amount_minor: int, on: date) -> InvoiceLine:
    """Give a line over what is due of an agreement: no supply, so without tax, and without days of service."""
    return InvoiceLine(
        order=agreement.order,
        item=agreement.item,
        offering=agreement.offering,
        kind=INSTALMENT,
        from_day=on.isoformat(),
        to_day=on.isoformat(),
        net_minor=amount_minor,
        tax_group=INSTALMENT,
        description=f"{agreement.offering}, {what}; tax was charged on invoice {agreement.invoice}",
        unit="C62",
        unit_price_minor=amount_minor,
    )
