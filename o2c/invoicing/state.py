"""Billing accounts as folds of their streams, and when their bills are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from o2c.balance.state import Balance, billed, moved
from o2c.instalments.events import OfInstalments
from o2c.instalments.state import Agreement
from o2c.instalments.state import stood as stood_agreements
from o2c.invoicing.charge import Charge, of_withdrawal, resting
from o2c.invoicing.deposits import unbilled
from o2c.invoicing.events import (
    AccountBilled,
    BillRunRequested,
    CreditDue,
    CreditReturned,
    OneOffInvoiced,
    OneOffRequested,
)
from o2c.invoicing.withdrawn import dues
from o2c.kernel.agenda import NEVER, AgendaChange, by_shape
from o2c.kernel.balances import OfBalance
from o2c.kernel.charges import (
    AccountOpened,
    ChargeStarted,
    ChargeWithdrawn,
    GoodsTakenBack,
    OfRest,
    PurchaseOrderStated,
    RestEnded,
    account_stream,
)
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.frozen import changed
from o2c.kernel.lateness import LatePaymentNoted
from o2c.kernel.periods import local_time, next_cycle_day, next_month
from o2c.kernel.shapes import OfItem, StepCancelled, step_of
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import MarketBook, Record, Work, build, noted
from o2c.rating.events import LateUsageReported, OfUsage
from o2c.rating.state import UsageStanding, stood

BILL_RUN_HOUR = 6
ONE_OFF = "one-off-invoice"
CREDIT_RETURN = "credit-return"
BILLING_PRIORITY = 9


@dataclass(frozen=True, slots=True)
class AccountState:
    """A billing account, which joins the first bill cycle after its first activation and stays on that day of the month.

    `due_run` is the day of the run that was asked for and is to come (empty: none); `next_run` is the day of the last one that was asked
    for, or of the run that follows the last bill. Days are ISO dates of the market; `charges` and `instalments` stand under `ORDER/ITEM`.
    Its first final bill was made on the day `settled_on` (empty: none, or something was charged again); what came after it on the day
    `late_on` asks for a further one: usage, or the end of a product that rested. `resting` are the products that rest, uncharged: the
    account goes on. `one_off_asked`: an invoice beside the bill runs is to be made; `one_offs` were. `paid_late` are invoices for which
    late payment is to be charged, each with the local day since which nothing is open of it (empty: something is). `cost_centres` are the
    accounts that items were ordered for (`ORDER/ITEM`) where this one pays, `purchase_orders` the customer's own, by order.
    """

    account: str = ""
    customer: str = ""
    currency: str = ""
    market: str = ""
    due_run: str = ""
    next_run: str = ""
    charges: dict[str, Charge] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    balance: Balance = field(default_factory=Balance)
    usage: UsageStanding = field(default_factory=UsageStanding)
    limit_offered_on: str = ""
    settled_on: str = ""
    instalments: dict[str, Agreement] = field(default_factory=dict)
    one_off_asked: bool = False
    one_offs: int = 0
    late_on: str = ""
    resting: tuple[str, ...] = ()
    paid_late: dict[str, str] = field(default_factory=dict)
    cost_centres: dict[str, str] = field(default_factory=dict)
    purchase_orders: dict[str, str] = field(default_factory=dict)

    @property
    def order(self) -> str:
        """The one order whose items are charged here; empty for none and for several."""
        return only(charge.order for charge in self.charges.values())

    def whose(self, line: str) -> str:
        """Give the cost centre of an item (`ORDER/ITEM`), by the product that it serves; empty for what is the account's own."""
        charge = self.charges.get(line)
        return self.cost_centres.get(charge.place if charge else line, "")

    @property
    def running(self) -> list[Charge]:
        """The charges that are not withdrawn, but for goods: these are over with their invoice."""
        return [charge for charge in self.charges.values() if not charge.withdrawn and not charge.ends_with_its_invoice]

    @property
    def to_bill(self) -> list[tuple[str, bool]]:
        """What bill runs have to charge, each with the day it began and whether any of it was billed; of late payment, what is over."""
        owed = (each for each in self.instalments.values() if each.left_minor)
        once = (one for one in self.charges.values() if one.owed_once)
        charged = [(one.starts_on, bool(one.billed_to)) for one in (*self.running, *once)]
        over = ((day, False) for day in self.paid_late.values() if day)
        return [*charged, *((one.agreed_on, bool(one.billed_on)) for one in owed), *over]

    @property
    def one_off(self) -> bool:
        """Whether something is to be invoiced beside the bill runs: goods that were delivered, agreements that are settled."""
        return any(each.to_invoice for each in self.charges.values()) or any(each.settling_minor for each in self.instalments.values())

    @property
    def to_come(self) -> bool:
        """Whether anything is to be billed yet: by a run, for what is charged, was used or rests, or beside the runs."""
        return bool(self.to_bill or self.late_on or self.to_settle or self.resting or self.one_off)

    @property
    def to_return(self) -> bool:
        """Whether the account has ended and holds money: what was charged is over and on its bills, and nobody asked for the money who
        waits for a second person."""
        ended = bool(self.charges) and not self.to_come
        return ended and self.balance.returnable_minor > 0 and not self.balance.wanted

    @property
    def to_settle(self) -> bool:
        """Whether nothing is served any more, and a final bill is to come: something was billed, served or could be used."""
        had = (charge.billed_to or charge.served or charge.terms.usage_version for charge in self.charges.values())
        return (not self.settled_on or bool(self.late_on)) and not self.running and not self.resting and any(had)


def evolve_account(state: AccountState, event: Event) -> AccountState:
    match event:
        case ChargeStarted():
            return _charged(state, event)
        case RestEnded():
            over = {"resting": _but(state.resting, event.product), "late_on": event.ended_on}
            return changed(state, **over) if event.product in state.resting else state
        case ChargeWithdrawn() | GoodsTakenBack():
            ended = state.charges.get(key := f"{event.order}/{event.item}")
            if isinstance(event, ChargeWithdrawn) and event.rests:
                state = changed(state, resting=(*state.resting, event.product))
            return _changed_charge(state, key, **of_withdrawal(ended, event)) if ended else state
        case OfRest() | CreditDue():
            charge = state.charges.get(key := f"{event.order}/{event.item}")
            return _changed_charge(state, key, **resting(charge, event)) if charge else state
        case AccountOpened():
            told = {"market": event.market, "limit_offered_on": event.limit_offered_on}
            return changed(state, account=event.account, customer=event.customer, **told)
        case OfBalance():
            return _moved(state, event)
        case LateUsageReported():
            return changed(state, late_on=event.came_on)
        case OfUsage():
            return changed(state, usage=stood(state.usage, event))
        case OfInstalments():
            return changed(state, instalments=stood_agreements(state.instalments, event))
        case LatePaymentNoted():
            return changed(state, paid_late={**state.paid_late, event.invoice: "" if event.open else event.on})
        case PurchaseOrderStated():
            return changed(state, purchase_orders={**state.purchase_orders, event.order: event.purchase_order})
        case OneOffRequested():
            return changed(state, one_off_asked=True, records=noted(state.records, event, ONE_OFF))
        case OneOffInvoiced():
            return _one_off(state, event)
        case AccountBilled():
            return _billed(state, event)
        case BillRunRequested():
            records = noted(state.records, event, "bill-run")
            return changed(state, due_run=event.run_on, next_run=event.run_on, records=records)
        case CreditReturned():
            return changed(state, records=_without(state.records, CREDIT_RETURN))
        case StepCancelled(step=step) if step == CREDIT_RETURN:
            return changed(state, records=_without(state.records, CREDIT_RETURN))
        case StepCancelled(step=step) if step == ONE_OFF:
            return changed(state, one_off_asked=False, records=_without(state.records, ONE_OFF))
        case StepCancelled():
            return changed(state, due_run="", records=_without(state.records, "bill-run"))
        case OfItem():
            return changed(state, records=noted(state.records, event, step_of(event)))
    return state


def _but(names: Iterable[str], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one != name)


def _changed_charge(state: AccountState, key: str, **fields: Any) -> AccountState:
    charge = state.charges.get(key)
    return changed(state, charges={**state.charges, key: changed(charge, **fields)}) if charge else state


def _charged(state: AccountState, event: ChargeStarted) -> AccountState:
    prices = (event.recurring_minor, event.one_time_minor)
    charge = Charge(
        event.order,
        event.item,
        event.offering,
        *prices,
        event.starts_on,
        terms=event.terms,
        goods=event.goods,
        instalments=event.instalments,
        product=event.product,
        since=event.since,
    )
    return changed(
        state,
        account=event.account,
        customer=state.customer or event.customer,
        currency=event.currency,
        market=state.market or event.market,
        settled_on=state.settled_on if charge.ends_with_its_invoice else "",
        resting=_but(state.resting, event.product),
        charges={**state.charges, f"{event.order}/{event.item}": charge},
        cost_centres={**state.cost_centres, charge.place: event.cost_centre} if event.cost_centre else state.cost_centres,
    )


def _moved(state: AccountState, event: OfBalance) -> AccountState:
    known = {"account": event.account, "customer": state.customer or event.customer, "currency": state.currency or event.currency}
    return changed(state, **known, balance=moved(state.balance, event))


def _billed(state: AccountState, event: AccountBilled) -> AccountState:
    charges = {key: _billed_charge(charge, _billed_to(key, charge, event), event) for key, charge in state.charges.items()}
    settled_on = state.settled_on or (event.run_on if event.final else "")
    paid_late = {invoice: day for invoice, day in state.paid_late.items() if not day or day >= event.run_on}
    over = {
        "due_run": "",
        "next_run": event.billed_to,
        "settled_on": settled_on,
        "late_on": "",
        "paid_late": paid_late,
        "balance": billed(state.balance, event.invoice),
    }
    return changed(state, charges=charges, **over, records=_without(state.records, "bill-run"))


def _one_off(state: AccountState, event: OneOffInvoiced) -> AccountState:
    charges = {key: changed(each, goods_invoice=event.invoice) if key in event.charges else each for key, each in state.charges.items()}
    made, balance = state.one_offs + bool(event.invoice), billed(state.balance, event.invoice)
    return changed(state, charges=charges, balance=balance, one_off_asked=False, one_offs=made, records=_without(state.records, ONE_OFF))


def _without(records: Mapping[str, Record], step: str) -> dict[str, Record]:
    return {name: record for name, record in records.items() if name != step}


def _billed_charge(charge: Charge, billed_to: str, event: AccountBilled) -> Charge:
    if billed_to == charge.billed_to:
        return charge
    return changed(charge, billed_to=billed_to, invoice=event.invoice, first_invoice=charge.first_invoice or event.invoice)


def _billed_to(key: str, charge: Charge, event: AccountBilled) -> str:
    if charge.ends_with_its_invoice or charge.starts_on >= event.run_on:
        return charge.billed_to
    if charge.withdrawn:
        return max(charge.billed_to, charge.ended_on) if charge.served else charge.billed_to
    billed_to = event.billed_to if charge.in_cycle else event.own_periods_to.get(key, charge.billed_to)
    return max(charge.billed_to, min(billed_to, charge.rest.from_day)) if charge.rest else billed_to


def advance_account(state: AccountState, touched: frozenset[str], at: datetime, book: Any) -> Decision:
    """Ask for the next bill run while there is anything to charge. When there is nothing any more, the run that stands makes the final
    bill, or is called off where none is due; while a product rests, the run that stands makes the bill of what it was served. What was
    billed of a service that has ended, and will not be served, is to be credited. What is left on an account that has ended is to go
    back."""
    decision = just(*dues(state))
    if state.one_off and not state.one_off_asked:
        decision += book.steps[ONE_OFF].request(account_work(state, account_stream(state.account), "", ONE_OFF, book), at)
    if (state.to_bill or state.late_on) and not state.due_run:
        work = account_work(state, account_stream(state.account), "", "bill-run", book)
        return decision + cast("Decision", book.steps["bill-run"].request(work, at, due_at=_due_at(work)))
    if state.due_run and not state.to_bill and not state.to_settle and not state.resting:
        return decision + just(StepCancelled(step="bill-run"))
    return decision or just(*unbilled(state)) or _to_return(state, at, book)


def _to_return(state: AccountState, at: datetime, book: Any) -> Decision:
    """Ask for the return of what is left, once; a person looks at one that stands still."""
    if not state.to_return or CREDIT_RETURN in state.records:
        return NOTHING
    work = account_work(state, account_stream(state.account), "", CREDIT_RETURN, book)
    return cast("Decision", book.steps[CREDIT_RETURN].request(work, at))


def bill_run(work: Work) -> dict[str, str]:
    """Give the field `run_on` of a bill run: the day of the run that stands, or of the next one in the account's cycle.

    Runs that passed while there was nothing to charge are not made up for.
    """
    state: AccountState = work.state
    if state.due_run:
        return {"run_on": state.due_run}
    starts_on = min(date.fromisoformat(begun_on) for begun_on, _ in state.to_bill or [(state.late_on, False)])
    if not state.next_run:
        return {"run_on": next_cycle_day(starts_on, work.market.bill_cycle_days).isoformat()}
    run_on = date.fromisoformat(state.next_run)
    while run_on <= starts_on and not any(billed for _, billed in state.to_bill):
        run_on = following_run(run_on)
    return {"run_on": run_on.isoformat()}


def _due_at(work: Work) -> datetime:
    return local_time(date.fromisoformat(bill_run(work)["run_on"]), BILL_RUN_HOUR, 0, work.market.zone)


def billing_agenda(state: Any, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """Put billing on the agenda with the last priority: it comes after everything else that is due at the same time."""
    return by_shape(stream, event, priority=BILLING_PRIORITY, since=NEVER)


def account_work(state: AccountState, stream: str, item: str, step: str, book: MarketBook) -> Work:
    """Gather the work of a step of an account, under the market that the account follows."""
    return build(stream, item, step, state=state, subject=state, records=state.records, codes=book.codes, market=book.market(state.market))


def only(orders: Iterable[str]) -> str:
    """Give the one order among those named; empty for none and for several."""
    named = set(orders)
    return named.pop() if len(named) == 1 else ""


def _account_owner(state: AccountState) -> tuple[str | None, str | None]:
    return state.order or None, state.customer or None


def following_run(run_on: date) -> date:
    """Give the day of the next bill run: the same day of the next month. ValueError for a day after the 28th."""
    return next_month(run_on, run_on.day)


ACCOUNT = StreamKind(
    category="account",
    shape_version=30,
    state_type=AccountState,
    initial=lambda _: AccountState(),
    evolve=evolve_account,
    agenda=billing_agenda,
    advance=advance_account,
    work=account_work,
    owner=_account_owner,
)
