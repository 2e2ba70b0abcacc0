"""Instalments on invoices: one of each agreement on a bill, and what is left of one that is settled or whose service has ended."""

from __future__ import annotations

from datetime import date

from o2c.instalments.events import InstalmentBilled, InstalmentsSettled
from o2c.instalments.rules import due
from o2c.instalments.state import Agreement
from o2c.invoicing.papers import INSTALMENT, InvoiceLine
from o2c.invoicing.state import AccountState


def instalments_of(
    state: AccountState, run_on: date, invoice: str
) -> tuple[list[InvoiceLine], list[InstalmentBilled | InstalmentsSettled]]:
    """Give the lines of a bill run over the instalments that are due, and an event for each: of an agreement one, or all that are left
    where its service has ended and that was agreed."""
    lines, billed = [], list[InstalmentBilled | InstalmentsSettled]()
    for _, agreement in sorted(state.instalments.items()):
        if found := due(agreement, run_on):
            number, amount_minor = found
            whose = {"account": state.account, "customer": state.customer, "currency": state.currency}
            of = {"order": agreement.order, "item": agreement.item, "invoice": invoice, "billed_on": run_on.isoformat()}
            if all_due(state, agreement):
                what = "all instalments that were left, as the service has ended"
                lines.append(instalment_line(agreement, what, agreement.left_minor, run_on))
                billed.append(InstalmentsSettled(**whose, **of, amount_minor=agreement.left_minor))
            else:
                lines.append(instalment_line(agreement, f"instalment {number} of {agreement.count}", amount_minor, run_on))
                billed.append(InstalmentBilled(**whose, **of, number=number, amount_minor=amount_minor))
    return lines, billed


def all_due(state: AccountState, agreement: Agreement) -> bool:
    """Whether all that is left of an agreement is due with the next bill: that was agreed for the end of the service, and it has ended.

    Its service are the lines of its order, whatever changed them since; of goods that were bought alone, all that the account had beside
    them or after.
    """
    if agreement.at_end != "at-once" or not agreement.left_minor:
        return False
    lines = [charge for charge in state.charges.values() if not charge.ends_with_its_invoice]
    own = [charge for charge in lines if charge.place.startswith(f"{agreement.order}/")]
    beside = [charge for charge in lines if not charge.withdrawn or charge.ended_on >= agreement.agreed_on]
    return bool(own or beside) and all(charge.withdrawn for charge in own or beside)


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
