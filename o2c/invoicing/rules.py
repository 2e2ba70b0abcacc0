"""The charges of a bill run: one-time charges, part periods by the actual days of the period, and full periods in advance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from itertools import chain, pairwise
from typing import Any

from o2c.balance.state import moved, parts_used
from o2c.catalogue.events import PriceRiseAnnounced
from o2c.catalogue.rises import announced, price_on, rises_of
from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.customers.events import CustomerRegistered
from o2c.customers.state import stream_of as customer_stream
from o2c.invoicing.charge import Charge
from o2c.invoicing.deposits import Pays, all_freed, bills_read, earned, pays_nothing, set_off
from o2c.invoicing.discounts import billed_to, discounted, endings, placed
from o2c.invoicing.events import AccountBilled, InvoiceIssued, InvoiceOverdue
from o2c.invoicing.instalments import instalments_of
from o2c.invoicing.late_payment import late_charges, late_streams
from o2c.invoicing.of_market import rated_together, seller_of
from o2c.invoicing.papers import InvoiceLine, NumberRange, described, extent, tax_sums
from o2c.invoicing.range_events import RANGES
from o2c.invoicing.ranges import numbered_by
from o2c.invoicing.state import AccountState, evolve_account, following_run, only
from o2c.invoicing.usage import catalogue_streams, usage_of_run
from o2c.kernel.arrears import arrears
from o2c.kernel.balances import CreditUsed, DepositFreed
from o2c.kernel.charges import invoice_stream
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.money import part_of
from o2c.kernel.periods import Period, local_date, local_time, next_month, previous_month
from o2c.kernel.work import Work
from o2c.markets.base import Market, debit_day


def streams_read(work: Work) -> tuple[str, ...]:
    """Name the streams that a bill run reads: the customer's own, for the payment method, the catalogue's, for rises of prices, and its
    versions, for prices of usage; the approved ranges of numbers; while a deposit is kept for them, earlier bills; that of its collections
    where it paid late."""
    own = (*bills_read(work.state), *late_streams(work.state))
    return (customer_stream(work.state.customer), CATALOGUE, RANGES, *catalogue_streams(work.state), *own)


def bill(work: Work, data: Mapping[str, Any], at: datetime, *, pays: Pays = pays_nothing) -> Decision:
    """Bill the account for the run that is due: everything active before the run's day, up to the next run's day; of a charge with periods
    of its own, those that have begun by the run's day.

    Gives `account.billed` and, when there is anything to charge, an invoice in its own stream whose number (account and day) is guarded.
    Amounts are net minor units; tax is computed once for each tax group over the sum of its lines, half-up, and added. A customer without a
    payment method gets the method `invoice`. A credit of the account is taken off the invoice, and so is a deposit for which enough bills
    were paid in time. On the last bill all deposits are, and what that leaves of them `pays` for earlier invoices or is owed to the
    customer. ValueError when the market has no tax rate for the day.

    Source: billing facts, section 6.4 (rounding for each line, tax for each group of a rate).
    """
    state: AccountState = work.state
    run_on = date.fromisoformat(state.due_run)
    number = f"{state.account}-{run_on:%Y%m%d}"
    lines, taken, charged_late = _charged(work, run_on, number)
    billed = _billed(state, run_on, number if lines else "")
    last = bool(state.balance.retained) and not state.resting and not reduce(evolve_account, (*taken, billed), state).to_bill
    freed = all_freed(state) if last else earned(state, work.read)
    issued = _issued(work, number, lines, run_on, at, freed, billed) if lines else None
    used_minor = issued.credit_used_minor if issued else 0
    released = set_off(work, freed, used_minor, run_on, at, pays=pays) if last else just(*freed)
    if issued is None:
        return just(*taken) + released + just(billed)
    told = Decision(
        (*credit_used(state, issued), billed), ((invoice_stream(number), issued), *charged_late), takes=(work.guard("invoice", number),)
    )
    return just(*taken) + released + told


def _charged(work: Work, run_on: date, number: str) -> tuple[tuple[InvoiceLine, ...], tuple[Event, ...], tuple[tuple[str, Event], ...]]:
    """The lines of a run in their order, what the account takes down of usage and instalments for them, and what collections are told of
    late payment."""
    state, rises = work.state, announced(work)
    used, of_usage = usage_of_run(work, run_on)
    recurring = (
        discounted(charge, charge_lines(charge, run_on, _own_rises(rises, charge, work.market)), run_on.day)
        for _, charge in sorted(state.charges.items())
    )
    owed, of_agreements = instalments_of(state, run_on, number)
    late, charged_late = late_charges(work, run_on, number)
    lines = placed((*chain.from_iterable(recurring), *of_usage, *owed, *late))
    return lines, (*((used,) if used else ()), *of_agreements), tuple(charged_late)


def _billed(state: AccountState, run_on: date, invoice: str) -> AccountBilled:
    """How far the account is billed by the run of a day, and how far the charges with periods of their own are."""
    own = {key: charge for key, charge in state.charges.items() if not charge.in_cycle and begun(charge, run_on)}
    return AccountBilled(
        run_on=state.due_run,
        billed_to=following_run(run_on).isoformat(),
        invoice=invoice,
        final=is_final(state, run_on),
        own_periods_to={key: begun(charge, run_on)[-1].end.isoformat() for key, charge in own.items()},
    )


def _issued(
    work: Work,
    number: str,
    lines: tuple[InvoiceLine, ...],
    run_on: date,
    at: datetime,
    freed: Iterable[DepositFreed],
    billed: AccountBilled,
) -> InvoiceIssued:
    """The invoice of a run, once deposits were `freed`, with the notice of discounts that end before the next."""
    state: AccountState = work.state
    spent = changed(state, balance=reduce(moved, freed, state.balance))
    customer = work.read.get(customer_stream(state.customer))
    papers = customer.papers if customer else None
    ending = tuple(
        one
        for key, charge in sorted(state.charges.items())
        for one in endings(charge, run_on, billed_to(charge, run_on, billed.own_periods_to.get(key, "")))
    )
    issued = issue(spent, number, lines, run_on, at, papers, work.market, drawn=numbered_by(work, run_on, at))
    return issued.model_copy(update={"endings": ending, "final": billed.final})


def is_final(state: AccountState, run_on: date) -> bool:
    """Whether the run of a day makes the final bill: nothing is served any more, and nothing is left that only the next run charges, as
    what a contract costs that ended before its term on that very day, or the last day of late payment of what was paid on it."""
    day = run_on.isoformat()
    late = any(closed_on >= day for closed_on in state.paid_late.values())
    return state.to_settle and not late and not any(one.owed_once and one.starts_on >= day for one in state.charges.values())


def issue(
    state: AccountState,
    number: str,
    lines: tuple[InvoiceLine, ...],
    run_on: date,
    at: datetime,
    papers: CustomerRegistered | None,
    market: Market,
    *,
    drawn: tuple[str, NumberRange],
    tax_point: str = "",
    to_spread_minor: int = 0,
) -> InvoiceIssued:
    """Give an invoice of an account with all its particulars, its number `drawn` from a series; of `to_spread_minor` of it, paid in
    instalments, a credit of the account covers nothing.

    Its tax point, where none is named, is its date: VAT Regulations 1995, reg. 90 (continuous supplies), as nothing was paid before. It is
    dated no day on which the range of its number was not valid yet: an invoice that waited for one bears the day from which that holds.
    """
    series, number_range = drawn
    lines = rated_together([_labelled(state, line) for line in lines], market, run_on)
    taxes = tax_sums(lines)
    net_minor, tax_minor = sum(line.net_minor for line in lines), sum(tax.tax_minor for tax in taxes)
    method = papers.payment_method if papers else "invoice"
    supplier = seller_of(market)
    return InvoiceIssued(
        number=number,
        series=series,
        number_range=number_range,
        account=state.account,
        customer=state.customer,
        customer_name=papers.name if papers else "",
        business=papers is not None and papers.kind == "organisation",
        customer_address=papers.address if papers else "",
        supplier=supplier,
        order=only(line.order for line in lines if line.order),
        currency=state.currency,
        issued_on=max(run_on.isoformat(), number_range.valid_from),
        tax_point=tax_point or run_on.isoformat(),
        issued_at=at,
        due_on=_due_on(market, method, run_on, local_date(at, market.zone)).isoformat(),
        method=method,
        lines=lines,
        taxes=taxes,
        net_minor=net_minor,
        tax_minor=tax_minor,
        total_minor=net_minor + tax_minor,
        credit_used_minor=min(state.balance.credit_minor, net_minor + tax_minor - to_spread_minor),
        credits_used=parts_used(state.balance, net_minor + tax_minor - to_spread_minor),
        market=state.market,
        purchase_order=only(line.purchase_order for line in lines if line.order),
    )


def _labelled(state: AccountState, line: InvoiceLine) -> InvoiceLine:
    """The line with whose it is where the account pays for others, and the customer's own purchase order for it."""
    told = {"cost_centre": state.whose(f"{line.order}/{line.item}"), "purchase_order": state.purchase_orders.get(line.order, "")}
    return line.model_copy(update=told) if any(told.values()) else line


def credit_used(state: AccountState, issued: InvoiceIssued) -> tuple[CreditUsed, ...]:
    """Give the use of the account's credit, taken off the invoice as it is issued; nothing where none is."""
    if not issued.credit_used_minor:
        return ()
    return (
        CreditUsed(
            account=state.account,
            customer=state.customer,
            currency=state.currency,
            amount_minor=issued.credit_used_minor,
            invoice=issued.number,
        ),
    )


def _due_on(market: Market, method: str, run_on: date, told_on: date) -> date:
    """The terms of payment later, from when the customer is told: a run that comes late takes no days from him. A direct debit is due on
    the day on which it is collected: its bank's day, after its notice."""
    told_on = max(run_on, told_on)
    due_on = told_on + timedelta(days=market.payment_terms_days)
    return debit_day(market, told_on=told_on, wanted_on=due_on) if method == "direct-debit" else due_on


def _own_rises(rises: Sequence[PriceRiseAnnounced], charge: Charge, market: Market) -> Sequence[PriceRiseAnnounced]:
    if not rises:
        return ()
    return rises_of(rises, offering=charge.offering, market=market.code, recurrence=charge.terms.recurrence, starts_on=charge.priced_from)


def charge_lines(charge: Charge, run_on: date, rises: Sequence[PriceRiseAnnounced] = ()) -> Iterator[InvoiceLine]:
    """Give the lines of one charge in the run of a day; none when it starts on or after that day, or was withdrawn.

    A monthly price follows the account's cycle: a part period costs its share of the actual days of its whole period, rounded half-up to
    the minor unit, and the period from the run's day on is charged in advance. Any other price is charged for each of its own periods in
    the first run on or after the day the period begins. The one-time charge comes with the first bill. What was served until it ended is
    charged up to that day, any period by days. A month in which the price rises is charged in two parts by days; any other period costs
    what holds on the day it begins, and so does what was charged before the rise was announced.
    """
    starts_on = date.fromisoformat(charge.starts_on)
    if (charge.withdrawn and not charge.served) or starts_on >= run_on:
        return
    if not charge.billed_to and charge.one_time_minor and not charge.goods:
        yield line_of(charge, "one-time", Period(starts_on, starts_on), charge.one_time_minor)
    if not charge.recurring_minor:
        return
    if charge.withdrawn:
        yield from _last_lines(charge, min(run_on, date.fromisoformat(charge.ended_on)), run_on, rises)
        return
    if not charge.in_cycle:
        yield from _own_lines(charge, begun(charge, run_on), None, rises)
        return
    cursor = date.fromisoformat(charge.billed_to) if charge.billed_to else starts_on
    ahead = Period(run_on, following_run(run_on))
    yield from _by_days(charge, (*_parts(cursor, run_on), (ahead, ahead)), rises)


def _last_lines(charge: Charge, end: date, run_on: date, rises: Sequence[PriceRiseAnnounced]) -> Iterator[InvoiceLine]:
    """What was served before the end of a charge, and is on no bill yet."""
    starts_on = date.fromisoformat(charge.starts_on)
    since = date.fromisoformat(charge.billed_to) if charge.billed_to else starts_on
    if charge.in_cycle:
        parts = ((Period(part.start, min(part.end, end)), whole) for part, whole in _parts(since, run_on) if part.start < end)
        yield from _by_days(charge, parts, rises)
        return
    yield from _own_lines(charge, _own_periods(charge, end - timedelta(days=1)), end, rises)


def _own_lines(charge: Charge, periods: Iterable[Period], end: date | None, rises: Sequence[PriceRiseAnnounced]) -> Iterator[InvoiceLine]:
    """The lines of periods of a charge's own, up to an end, without what is billed of them and the days on which it rests: a part of one
    costs its share by days."""
    since = date.fromisoformat(charge.billed_to or charge.starts_on)
    for own in periods:
        price_minor = price_on(charge.recurring_minor, rises, own.start)
        for days in charge.charged_days(Period(max(own.start, since), min(own.end, end or own.end))):
            if days == own:
                yield line_of(charge, "period", own, price_minor)
            else:
                yield line_of(charge, "part-period", days, part_of(price_minor, days.days, own.days), own.days, price_minor)


def _by_days(charge: Charge, parts: Iterable[tuple[Period, Period]], rises: Sequence[PriceRiseAnnounced]) -> Iterator[InvoiceLine]:
    """The lines of parts of periods, each with its period; one in which the price rises is parted there."""
    for part, whole in parts:
        for days in (days for served in charge.charged_days(part) for days in _between_rises(served, rises)):
            price_minor = price_on(charge.recurring_minor, rises, days.start)
            if days == whole:
                yield line_of(charge, "period", days, price_minor)
            else:
                yield line_of(charge, "part-period", days, part_of(price_minor, days.days, whole.days), whole.days, price_minor)


def _between_rises(part: Period, rises: Sequence[PriceRiseAnnounced]) -> Iterator[Period]:
    """The days of a part, parted where a rise begins."""
    begin = [day for each in rises if part.start < (day := date.fromisoformat(each.from_day)) < part.end]
    for start, end in pairwise([part.start, *dict.fromkeys(begin), part.end]):
        yield Period(start, end)


def begun(charge: Charge, run_on: date) -> tuple[Period, ...]:
    """Give the periods of its own that a charge has begun by the day of a run and that are not billed; none for one that is not running."""
    starts_on = date.fromisoformat(charge.starts_on)
    if charge.withdrawn or starts_on >= run_on:
        return ()
    return tuple(_own_periods(charge, run_on))


def _own_periods(charge: Charge, through: date) -> Iterator[Period]:
    """The periods of its own that a charge begins by a day and that are not billed whole: one that it rested in may be billed in part."""
    starts_on, recurrence = date.fromisoformat(charge.starts_on), charge.terms.recurrence
    since = date.fromisoformat(charge.billed_to) if charge.billed_to else starts_on
    if charge.rests:
        since = recurrence.period(starts_on, recurrence.begun(starts_on, since) - 1).start
    return recurrence.periods(starts_on, since=since, through=through)


def _parts(cursor: date, run_on: date) -> Iterator[tuple[Period, Period]]:
    """(part to charge, period it is a part of) from the cursor to the run's day, period by period of the cycle."""
    while cursor < run_on:
        end = date(cursor.year, cursor.month, run_on.day)
        end = end if end > cursor else next_month(end, run_on.day)
        yield Period(cursor, end), Period(previous_month(end, run_on.day), end)
        cursor = end


def line_of(charge: Charge, kind: str, days: Period, net_minor: int, whole_days: int = 0, price_minor: int = 0) -> InvoiceLine:
    """Give a line of a charge; `whole_days` is the length of the period that a part is of, and `price_minor` what that costs."""
    once = kind == "one-time"
    recurrence = charge.terms.recurrence
    return InvoiceLine(
        order=charge.order,
        item=charge.item,
        offering=charge.offering,
        kind=kind,
        from_day=days.start.isoformat(),
        to_day=days.end.isoformat(),
        net_minor=net_minor,
        tax_group=charge.terms.one_time_tax_group if once else charge.terms.recurring_tax_group,
        description=described(charge.offering, kind, days.start, days.end),
        **extent(
            kind,
            days=days.days,
            whole_days=whole_days,
            price_minor=price_minor or net_minor,
            unit=recurrence.unit,
            length=recurrence.length,
        ),
    )


def day_after_it_was_due(work: Work, at: datetime) -> datetime:
    """Give the time at which an unpaid invoice becomes overdue: midnight after its due day, by the market's clock."""
    return local_time(date.fromisoformat(work.subject["due_on"]) + timedelta(days=1), 0, 0, work.market.zone)


def looked_at_from(work: Work, at: datetime) -> datetime:
    """Give the first time from `at` at which an unpaid invoice counts as overdue: not before the day after a debit that is still to come.

    Such a debit is later than the due day when the customer gave the mandate after the invoice was issued.
    """
    record = work.state.records.get("payment")
    debited_at = (record.retry_at or record.sent_from) if record else None
    if work.subject["method"] != "direct-debit" or debited_at is None or debited_at <= at:
        return at
    return local_time(local_date(debited_at, work.market.zone) + timedelta(days=1), 0, 0, work.market.zone)


def look_at(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that an invoice which is still open after its due day is overdue, with the amount left in minor units; collections are
    told."""
    state, record = work.state, work.state.records.get("payment")
    answer, today = record.reason if record else "", local_date(at, work.market.zone).isoformat()
    told = arrears(state, work.market, open_minor=state.open_minor, due_on=state.due_on, cause="overdue", on=today, answer=answer)
    return Decision((InvoiceOverdue(open_minor=state.open_minor),), told)
