"""Invoices beside the bill runs: goods on the day they were delivered, and what is left of an agreement that is settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import reduce
from itertools import chain
from typing import Any

from o2c.balance.state import moved
from o2c.customers.state import stream_of as customer_stream
from o2c.instalments.events import InstalmentsAgreed, InstalmentsSettled
from o2c.invoicing.charge import Charge
from o2c.invoicing.deposits import Pays, all_freed, bills_read, pays_nothing, set_off
from o2c.invoicing.discounts import discounted, placed
from o2c.invoicing.events import InvoiceIssued, OneOffInvoiced, PutOnInstalments
from o2c.invoicing.instalments import instalment_line
from o2c.invoicing.papers import InvoiceLine
from o2c.invoicing.range_events import RANGES
from o2c.invoicing.ranges import numbered_by
from o2c.invoicing.rules import credit_used, issue, line_of
from o2c.invoicing.state import AccountState, evolve_account
from o2c.kernel.charges import invoice_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.money import allocate
from o2c.kernel.periods import Period, local_date
from o2c.kernel.work import Work


def payer(work: Work) -> tuple[str, ...]:
    """Name the streams that an invoice beside the bill runs reads: the customer's own, for name, address and payment method; approved
    ranges of numbers; while a deposit is kept, the bills that it may be set off against."""
    return (customer_stream(work.state.customer), RANGES, *bills_read(work.state))


def invoice_at_once(work: Work, data: Mapping[str, Any], at: datetime, *, pays: Pays = pays_nothing) -> Decision:
    """Invoice the goods that were delivered on one day, whole and with all tax; where none wait, what is left of agreements that are
    settled.

    The tax point of goods is the day of delivery, however they are paid. What is paid in instalments is put on them: nothing of it is open
    of the invoice. Goods of another day, and settlements beside goods, are asked for once more. Where no bill comes after it, deposits that
    are kept go as on the last bill of a run: it takes them, they pay (`pays`) for earlier invoices, and the rest is owed. ValueError when
    the market has no tax rate for the day.

    Source: Value Added Tax Act 1994, s. 6(2) (goods: when they are removed) and (5); Directive 2006/112/EC, art. 63 and 64(1).
    """
    state: AccountState = work.state
    today = local_date(at, work.market.zone)
    number = f"{state.account}-{today:%Y%m%d}-G{state.one_offs + 1}"
    waiting = {key: charge for key, charge in sorted(state.charges.items()) if charge.to_invoice}
    if waiting:
        first = min(charge.starts_on for charge in waiting.values())
        return _of_goods(work, number, {key: charge for key, charge in waiting.items() if charge.starts_on == first}, today, at, pays)
    return _of_settlements(work, number, today, at, pays)


def _of_goods(work: Work, number: str, goods: Mapping[str, Charge], today: date, at: datetime, pays: Pays) -> Decision:
    """Two passes, as what is put on instalments has tax: once for that, once with it."""
    state: AccountState = work.state
    of_each = [list(discounted(charge, [_goods_line(charge)], today.day)) for charge in goods.values()]
    lines = placed(chain.from_iterable(of_each))
    supplied_on = next(iter(goods.values())).starts_on
    grosses = _grosses(_issued(work, number, lines, today, at, tax_point=supplied_on), of_each)
    spread = {key: gross for (key, charge), gross in zip(goods.items(), grosses, strict=True) if charge.instalments > 1 and gross}
    whose = {"account": state.account, "customer": state.customer, "currency": state.currency, "invoice": number}
    agreed = (
        InstalmentsAgreed(
            **whose,
            order=goods[key].order,
            item=goods[key].item,
            offering=goods[key].offering,
            total_minor=gross,
            count=goods[key].instalments,
            agreed_on=supplied_on,
            at_end=work.market.invoicing.instalments_at_end,
        )
        for key, gross in spread.items()
    )
    events = (*agreed, OneOffInvoiced(attempt=work.attempt, invoice=number, charges=tuple(goods)))
    how = {"tax_point": supplied_on, "to_spread_minor": sum(spread.values())}
    return _written(work, number, lines, today, at, events, pays, **how)


def _goods_line(charge: Charge) -> InvoiceLine:
    day = date.fromisoformat(charge.starts_on)
    line = line_of(charge, "one-time", Period(day, day), charge.one_time_minor)
    paid = f", paid in {charge.instalments} instalments" if charge.instalments > 1 else ""
    return line.model_copy(update={"description": f"{line.description}{paid}"})


def _grosses(issued: InvoiceIssued, of_each: Sequence[Sequence[InvoiceLine]]) -> list[int]:
    """What each of the goods comes to, by its lines, with its part of the tax of each group, largest remainder first."""
    grosses = [sum(line.net_minor for line in lines) for lines in of_each]
    for tax in issued.taxes:
        nets = [sum(line.net_minor for line in lines if line.tax_group == tax.group) for lines in of_each]
        grosses = [gross + part for gross, part in zip(grosses, allocate(tax.tax_minor, nets), strict=True)]
    return grosses


def _of_settlements(work: Work, number: str, today: date, at: datetime, pays: Pays) -> Decision:
    state: AccountState = work.state
    settling = [each for _, each in sorted(state.instalments.items()) if each.settling_minor]
    if not settling:
        return just(OneOffInvoiced(attempt=work.attempt, invoice=""))
    whose = {"account": state.account, "customer": state.customer, "currency": state.currency, "invoice": number}
    settled = tuple(
        InstalmentsSettled(**whose, order=each.order, item=each.item, amount_minor=each.settling_minor, billed_on=today.isoformat())
        for each in settling
    )
    lines = tuple(instalment_line(each, "all instalments that were left", each.settling_minor, today) for each in settling)
    return _written(work, number, lines, today, at, (*settled, OneOffInvoiced(attempt=work.attempt, invoice=number)), pays)


def _issued(work: Work, number: str, lines: Sequence[InvoiceLine], today: date, at: datetime, **more: Any) -> InvoiceIssued:
    state: AccountState = work.state
    customer = work.read.get(customer_stream(state.customer))
    papers = customer.papers if customer else None
    return issue(state, number, tuple(lines), today, at, papers, work.market, drawn=numbered_by(work, today, at), **more)


def _written(
    work: Work, number: str, lines: Sequence[InvoiceLine], today: date, at: datetime, events: Sequence[Event], pays: Pays, **more: Any
) -> Decision:
    """The invoice with what it does to the account; after the last bill there is no deposit that is kept."""
    state: AccountState = work.state
    last = bool(state.balance.retained) and not reduce(evolve_account, events, state).to_come
    freed = all_freed(state) if last else ()
    spent = changed(work, state=changed(state, balance=reduce(moved, freed, state.balance)))
    issued = _issued(spent, number, lines, today, at, **more)
    released = set_off(work, freed, issued.credit_used_minor, today, at, pays=pays) if last else NOTHING
    return released + _placed(work, issued, events, more.get("to_spread_minor", 0))


def _placed(work: Work, issued: InvoiceIssued, events: Sequence[Event], spread_minor: int) -> Decision:
    stream = invoice_stream(issued.number)
    spread = ((stream, PutOnInstalments(currency=issued.currency, of_open_minor=spread_minor)),) if spread_minor else ()
    return Decision((*credit_used(work.state, issued), *events), ((stream, issued), *spread), takes=(work.guard("invoice", issued.number),))
