"""Billing accounts and invoices as folds of their streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from o2c.billing.events import AccountBilled, InvoiceIssued
from o2c.customers.rules import PAYMENT_METHODS
from o2c.kernel.agenda import NEVER, AgendaChange, Dropped, Entry, by_shape
from o2c.kernel.charges import BANK_TRANSFER, ChargeStarted, ChargeWithdrawn, MoneyReceived
from o2c.kernel.event import Event
from o2c.kernel.periods import local_time, next_cycle_day, next_month
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import Done, FellOut, OfItem, PartnerAccepted, PartnerSilent, Requested, step_of
from o2c.kernel.stream import StreamKind, Work
from o2c.markets.gb import GB

BILL_RUN_HOUR = 6
BILLING_PRIORITY = 9


@dataclass(frozen=True, slots=True)
class Charge:
    """A service charged from `starts_on`; billed up to, not including, `billed_to` (empty: not yet)."""

    order: str
    item: str
    offering: str
    recurring_minor: int
    one_time_minor: int
    starts_on: str
    billed_to: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account joins the first bill cycle after its first activation and stays on that day of the month."""

    account: str = ""
    customer: str = ""
    order: str = ""
    currency: str = ""
    next_run: str = ""
    charges: dict[str, Charge] = field(default_factory=dict)
    fallout: str = ""
    waiting_for: str = ""
    attempt: int = 1

    @property
    def chargeable(self) -> bool:
        return any(not charge.withdrawn for charge in self.charges.values())


def evolve_account(state: AccountState, event: Event) -> AccountState:
    match event:
        case ChargeStarted():
            return _charged(state, event)
        case ChargeWithdrawn():
            key = f"{event.order}/{event.item}"
            known = state.charges.get(key)
            return replace(state, charges={**state.charges, key: replace(known, withdrawn=True)}) if known else state
        case AccountBilled():
            return _billed(state, event)
        case FellOut():
            return replace(state, fallout=event.fallout, attempt=event.attempt, waiting_for=event.waiting_for)
        case Requested():
            return replace(state, attempt=event.attempt, waiting_for="")
    return state


def _charged(state: AccountState, event: ChargeStarted) -> AccountState:
    charge = Charge(event.order, event.item, event.offering, event.recurring_minor, event.one_time_minor, event.starts_on)
    return replace(
        state,
        account=event.account,
        customer=state.customer or event.customer,
        order=state.order or event.order,
        currency=event.currency,
        next_run=_next_run(state, date.fromisoformat(event.starts_on)).isoformat(),
        charges={**state.charges, f"{event.order}/{event.item}": charge},
    )


def _next_run(state: AccountState, starts_on: date) -> date:
    """The account's run once a charge starts. Runs that passed while there was nothing to charge are not made up for."""
    if not state.next_run:
        return next_cycle_day(starts_on, GB.bill_cycle_days)
    run_on = date.fromisoformat(state.next_run)
    while not state.chargeable and run_on <= starts_on:
        run_on = following_run(run_on)
    return run_on


def _billed(state: AccountState, event: AccountBilled) -> AccountState:
    charges = {
        key: replace(charge, billed_to=event.billed_to) if not charge.withdrawn and charge.starts_on < event.run_on else charge
        for key, charge in state.charges.items()
    }
    return replace(state, charges=charges, next_run=event.billed_to, fallout="", waiting_for="", attempt=1)


def account_agenda(state: AccountState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """The next bill run stands on the agenda while there is anything to charge."""
    match event:
        case ChargeStarted() | ChargeWithdrawn() | AccountBilled():
            if not state.chargeable:
                return (Dropped(stream, "", "bill-run"),)
            due_at = local_time(date.fromisoformat(state.next_run), BILL_RUN_HOUR, 0, GB.zone)
            return (Entry(stream, "", "bill-run", "submit", due_at, BILLING_PRIORITY, NEVER),)
    return by_shape(stream, event, priority=BILLING_PRIORITY, since=NEVER)


def account_work(state: AccountState, stream: str, item: str, step: str) -> Work:
    return Work(stream, item, step, state.attempt, state, state, fallout=state.fallout, waiting_for=state.waiting_for)


def _account_owner(state: AccountState) -> tuple[str | None, str | None]:
    return state.order or None, state.customer or None


@dataclass(frozen=True, slots=True)
class InvoiceState:
    """An invoice: what was issued, what was paid, and the fallout open on its payment.

    `demanded_minor` is what the payment provider was last asked for and may still bring; `remittances` are the transfers that were recorded,
    by their reference.
    """

    issued: InvoiceIssued | None = None
    method: str = ""
    paid_minor: int = 0
    overdue: bool = False
    attempt: int = 1
    fallout: str = ""
    reason: str = ""
    waiting_for: str = ""
    silences: int = 0
    demanded_minor: int = 0
    remittances: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def open_minor(self) -> int:
        return (self.issued.total_minor if self.issued else 0) - self.paid_minor


def evolve_invoice(state: InvoiceState, event: Event) -> InvoiceState:
    if isinstance(event, InvoiceIssued):
        return replace(state, issued=event, method=event.method)
    if not isinstance(event, OfItem):
        return state
    if step_of(event) == "overdue":
        return replace(state, overdue=True) if isinstance(event, Done) else state
    return _paying(state, event)


def _paying(state: InvoiceState, event: OfItem) -> InvoiceState:
    if isinstance(event, MoneyReceived):
        state = _money(state, event)
    match event:
        case Requested():
            return replace(state, attempt=event.attempt, waiting_for="", silences=0, demanded_minor=0)
        case PartnerAccepted():
            return replace(state, attempt=event.attempt, waiting_for="", silences=0, demanded_minor=_demanded(state))
        case PartnerSilent():
            return replace(state, silences=state.silences + 1, demanded_minor=_demanded(state))
        case FellOut():
            return replace(
                state, attempt=event.attempt, fallout=event.fallout, reason=event.reason, waiting_for=event.waiting_for, demanded_minor=0
            )
        case Done():
            return replace(state, fallout="", reason="", waiting_for="")
    if event.shape == "resumed":
        return replace(state, method=getattr(event, "changes", {}).get("method", state.method))
    return state


def _money(state: InvoiceState, event: MoneyReceived) -> InvoiceState:
    """What came in. The provider still has its demand when money came by bank."""
    if event.method != BANK_TRANSFER:
        return replace(state, paid_minor=state.paid_minor + event.amount_minor, demanded_minor=0)
    remittances = {**state.remittances, event.remittance: event.amount_minor} if event.remittance else state.remittances
    return replace(state, paid_minor=state.paid_minor + event.amount_minor, remittances=remittances)


def _demanded(state: InvoiceState) -> int:
    return state.demanded_minor or state.open_minor


def invoice_agenda(state: InvoiceState, event: Event, stream: str) -> tuple[AgendaChange, ...]:
    """An invoice asks for its payment at once, and is looked at the day after it was due; a paid one is left in peace."""
    if isinstance(event, InvoiceIssued):
        late = local_time(date.fromisoformat(event.due_on) + timedelta(days=1), 0, 0, GB.zone)
        return (
            Entry(stream, "", "payment", "retry", event.issued_at, BILLING_PRIORITY, NEVER),
            Entry(stream, "", "overdue", "submit", late, BILLING_PRIORITY, NEVER),
        )
    # A demand that the provider has, or is being sent, stays: what it brings must find its row.
    by_bank = isinstance(event, MoneyReceived) and event.method == BANK_TRANSFER
    changes = () if by_bank else by_shape(stream, event, priority=BILLING_PRIORITY, since=NEVER)
    if isinstance(event, Done) and state.open_minor <= 0:
        return (*changes, Dropped(stream, "", "overdue"))
    return changes


def invoice_work(state: InvoiceState, stream: str, item: str, step: str) -> Work:
    """A payment step sees plain values of the invoice, never billing's classes."""
    issued = state.issued
    subject: dict[str, Any] = {}
    if issued is not None:
        subject = {
            "number": issued.number,
            "currency": issued.currency,
            "open_minor": _demanded(state),
            "issued_on": issued.issued_on,
            "due_on": issued.due_on,
            "method": state.method,
        }
    if step != "payment":
        return Work(stream, item, step, 1, state, subject)
    return Work(
        *(stream, item, step, state.attempt, state, subject), fallout=state.fallout, waiting_for=state.waiting_for, silences=state.silences
    )


def _invoice_owner(state: InvoiceState) -> tuple[str | None, str | None]:
    return (state.issued.order, state.issued.customer) if state.issued else (None, None)


def _correctable(state: InvoiceState, item: str, changes: Mapping[str, str]) -> bool:
    """Of an invoice only how it is paid. Raises Refused for a method that is none."""
    if changes.get("method", "card") not in PAYMENT_METHODS:
        number = state.issued.number if state.issued else ""
        raise Refused(f"invoice {number}: no such payment method; use one of {', '.join(sorted(PAYMENT_METHODS))}")
    return changes.keys() <= {"method"}


def invoice_stream(number: str) -> str:
    return f"invoice-{number}"


def following_run(run_on: date) -> date:
    """The same day of the next month."""
    return next_month(run_on, run_on.day)


ACCOUNT = StreamKind(
    category="account",
    shape_version=1,
    state_type=AccountState,
    initial=lambda _: AccountState(),
    evolve=evolve_account,
    agenda=account_agenda,
    work=account_work,
    owner=_account_owner,
)
INVOICE = StreamKind(
    category="invoice",
    shape_version=1,
    state_type=InvoiceState,
    initial=lambda _: InvoiceState(),
    evolve=evolve_invoice,
    agenda=invoice_agenda,
    work=invoice_work,
    owner=_invoice_owner,
    correctable=_correctable,
)
