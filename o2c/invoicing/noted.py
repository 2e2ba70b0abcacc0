"""An invoice as a state: as it was issued, what was paid, and what was taken off it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from o2c.invoicing.events import CreditNoteIssued, CreditNoteRequested, InvoiceIssued, InvoiceVoided, TakenOff
from o2c.kernel.charges import MoneyReceived
from o2c.kernel.frozen import changed
from o2c.kernel.reversals import MoneyTakenBack, OfReversal
from o2c.kernel.work import Record


@dataclass(frozen=True, slots=True)
class Noted:
    """What the credit notes of an invoice took off it: net by the place of the line (text, from 1), how much of that was not served, tax by
    group; `count` numbers them, those that are wanted too. `wanted` wait for a second person, or for a number, by the name of the note;
    `kept` is what those that wait for a number will take off, by the place of the line, so that nobody else takes it."""

    lines: dict[str, int] = field(default_factory=dict)
    taxes: dict[str, int] = field(default_factory=dict)
    not_served: dict[str, int] = field(default_factory=dict)
    total_minor: int = 0
    count: int = 0
    wanted: dict[str, CreditNoteRequested] = field(default_factory=dict, repr=False)
    kept: dict[str, int] = field(default_factory=dict)

    @property
    def awaiting(self) -> tuple[CreditNoteRequested, ...]:
        """The notes that wait for a number, in the order in which they came."""
        return tuple(one for one in self.wanted.values() if one.awaits_number)

    def taken_minor(self, place: int) -> int:
        """What notes took off a line, and will once they have a number, net."""
        return self.lines.get(str(place), 0) + self.kept.get(str(place), 0)


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came for an invoice, in minor units: how, how much of it came above the invoice and is a credit still of the account or
    was one, and how much of it was taken back. `remittance` and `arrived_on` are a transfer's."""

    method: str
    reference: str
    amount_minor: int
    above_minor: int = 0
    back_minor: int = 0
    remittance: str = field(default="", repr=False)
    arrived_on: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceState:
    """An invoice: as it was issued, the money that came, and how the collection of its payment stands (`records`).

    Amounts are minor units. `demanded_minor` is the amount that the payment provider was last asked for and may still bring. `remittances`
    are the bank transfers that were recorded: (reference, day, amount). `asked_by` is the method of the last demand, empty before one that
    says it. `above_minor` is what of `paid_minor` came on top and became a credit of the account; `paid_by` are the method and the
    provider's reference of the money that came last. `lowered_minor` is what notes, or a void, took off what is to be paid; `noted` is what
    notes credited in all. `written_off_minor` is what the books do not count on any more, and `relieved_minor` the tax of it that was
    relieved. `payments` are all that came, in order. `taken_back` are the (kind, case, payment, amount) of what was charged back or moved,
    `won_back` the cases that were won, `reopened_on` the last local day on which anything was taken back, from which on it is due, and
    `to_look` says that nobody was asked yet to look at it when it is overdue. `collecting`: the provider is to be asked for its payment, or
    was and has not answered for good.
    """

    issued: InvoiceIssued | None = None
    method: str = ""
    paid_minor: int = 0
    above_minor: int = 0
    paid_by: tuple[str, str] = ("", "")
    overdue: bool = False
    records: dict[str, Record] = field(default_factory=dict)
    demanded_minor: int = 0
    remittances: tuple[tuple[str, str, int], ...] = field(default=(), repr=False)
    asked_by: str = ""
    lowered_minor: int = 0
    noted: Noted = Noted()
    voided: bool = False
    written_off_minor: int = 0
    relieved_minor: int = 0
    payments: tuple[Payment, ...] = field(default=(), repr=False)
    taken_back: tuple[tuple[str, str, int, int], ...] = ()
    won_back: tuple[str, ...] = ()
    reopened_on: str = ""
    to_look: bool = False
    collecting: bool = False

    @property
    def due_on(self) -> str:
        """The local day on which what is open was due at the latest, which for money that was taken back is the day on which it was."""
        return max(self.issued.due_on if self.issued else "", self.reopened_on)

    @property
    def open_minor(self) -> int:
        """The amount still to be paid, in minor units, without what was written off; below zero when more came before accounts held
        money."""
        return self.owed_minor - self.written_off_minor

    @property
    def waits(self) -> bool:
        """Whether its payment fell out, and waits for somebody."""
        return "payment" in self.records and bool(self.records["payment"].waiting_for)

    @property
    def to_collect_anew(self) -> bool:
        """Whether money was taken back of it, so that it is open again, and nobody collects that by the customer's method."""
        return bool(self.reopened_on) and self.open_minor > 0 and not self.collecting and not self.waits

    @property
    def standing(self) -> str:
        """How it stands, in a word: void, paid, written-off, overdue or issued."""
        unpaid = "written-off" if self.written_off_minor else "overdue" if self.overdue else "issued"
        return "void" if self.voided else "paid" if self.owed_minor <= 0 else unpaid

    @property
    def owed_minor(self) -> int:
        """What the customer owes, whether it was written off or not, in minor units: what came above it and is a credit of the account pays
        nothing of it."""
        billed_minor = self.issued.total_minor - self.issued.credit_used_minor if self.issued else 0
        return billed_minor - self.lowered_minor - (self.paid_minor - self.above_minor)


def came(state: InvoiceState, event: MoneyReceived) -> InvoiceState:
    """Give the invoice with money that came for it: newly, from another invoice, or once more after a chargeback that was won."""
    above_minor: int = getattr(event, "credit_minor", 0)
    payment = Payment(
        event.method, event.reference, event.amount_minor, above_minor, remittance=event.remittance, arrived_on=event.arrived_on
    )
    return changed(
        state,
        above_minor=state.above_minor + above_minor,
        paid_by=(event.method, event.reference),
        paid_minor=state.paid_minor + event.amount_minor,
        payments=(*state.payments, payment),
        remittances=(*state.remittances, (event.remittance, event.arrived_on, event.amount_minor))
        if event.remittance
        else state.remittances,
    )


def reversed_by(state: InvoiceState, event: OfReversal) -> InvoiceState:
    """Give the invoice without money that was charged back or moved: what the account gave back of its credit need not be paid again."""
    if not isinstance(event, MoneyTakenBack):
        return changed(state, won_back=(*state.won_back, event.case))
    payments = list(state.payments)
    if 0 < event.payment <= len(payments):
        payment = payments[event.payment - 1]
        left = {"above_minor": payment.above_minor - event.above_minor, "back_minor": payment.back_minor + event.amount_minor}
        payments[event.payment - 1] = changed(payment, **left)
    return changed(
        state,
        paid_minor=state.paid_minor - event.amount_minor,
        above_minor=state.above_minor - event.above_minor,
        lowered_minor=state.lowered_minor + event.of_credit_minor - event.above_minor,
        payments=tuple(payments),
        taken_back=(*state.taken_back, (event.type_name, event.case, event.payment, event.amount_minor)),
        reopened_on=event.taken_on,
        to_look=not state.overdue,
    )


def note_wanted(state: InvoiceState, event: CreditNoteRequested) -> InvoiceState:
    """Give the invoice with a note that waits for a second person, or for a number."""
    noted = state.noted
    noted = changed(noted, count=noted.count + (event.note not in noted.wanted), wanted={**noted.wanted, event.note: event})
    if not event.awaits_number:
        return changed(state, noted=noted)
    not_served = _sums(noted.not_served, event.lines) if event.reason == "not-served" else noted.not_served
    return changed(state, noted=changed(noted, kept=_sums(noted.kept, event.lines), not_served=not_served))


def released(noted: Noted, wanted: CreditNoteRequested) -> Noted:
    """Give what was noted without what is kept for a note that waits for a number, as when it is issued."""
    less = {place: -net_minor for place, net_minor in wanted.lines.items()}
    not_served = _sums(noted.not_served, less) if wanted.reason == "not-served" else noted.not_served
    others = {name: one for name, one in noted.wanted.items() if name != wanted.note}
    return changed(noted, kept=_sums(noted.kept, less), not_served=not_served, wanted=others)


def _sums(nets: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Sums by the place of a line, without those of nothing."""
    summed = {place: nets.get(place, 0) + more.get(place, 0) for place in {**nets, **more}}
    return {place: net_minor for place, net_minor in summed.items() if net_minor}


def taken_off(state: InvoiceState, event: TakenOff) -> InvoiceState:
    """Give the invoice after a note or its void."""
    state = changed(state, lowered_minor=state.lowered_minor + event.of_open_minor, voided=state.voided or isinstance(event, InvoiceVoided))
    if not isinstance(event, CreditNoteIssued):
        return state
    wanted = state.noted.wanted.get(event.note)
    noted = released(state.noted, wanted) if wanted and wanted.awaits_number else state.noted
    lines, taxes = dict(noted.lines), dict(noted.taxes)
    not_served = dict(noted.not_served)
    for line in event.lines:
        if event.reason == "not-served":
            not_served[str(line.line)] = not_served.get(str(line.line), 0) + line.net_minor
        lines[str(line.line)] = lines.get(str(line.line), 0) + line.net_minor
    for tax in event.taxes:
        taxes[tax.group] = taxes.get(tax.group, 0) + tax.tax_minor
    others = {name: one for name, one in noted.wanted.items() if name != event.note}
    count = noted.count + (wanted is None)
    return changed(state, noted=Noted(lines, taxes, not_served, noted.total_minor + event.total_minor, count, others, noted.kept))
