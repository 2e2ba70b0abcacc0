"""Invoices of two accounts and the money that goes between them, without a store: whatever is decided is written to the streams it names."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from o2c.invoicing import notes
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.charges import account_stream, invoice_stream
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event
from o2c.ledger.postings import postings_of
from o2c.payments import rules, taking_back
from o2c.plan import KINDS, STEPS
from o2c.refunds import rules as refunds
from o2c.refunds.events import RefundFellOut, RefundRequested
from tests.given import BOOK, MONDAY
from tests.noted import invoice

TODAY = "2026-03-10"


@dataclass
class Till:
    """Two accounts, BA-1 with the invoices A and B, and BA-2 with C, each over `total_minor`, and all that was posted of them."""

    total_minor: int = 2000
    states: dict[str, Any] = field(default_factory=dict)
    events: list[tuple[str, Event]] = field(default_factory=list)
    paid: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name, account in (("A", "BA-1"), ("B", "BA-1"), ("C", "BA-2")):
            issued = invoice((self.total_minor, "0"), number=name, account=account, customer=f"C-{account}").issued
            assert issued is not None
            self.wrote(invoice_stream(name), Decision((issued,)))

    def wrote(self, stream: str, decision: Decision, at: datetime = MONDAY) -> Decision:
        """Write a decision, and what follows from it on its own stream."""
        for name, event in (*((stream, event) for event in decision.events), *decision.elsewhere):
            kind = KINDS[name.partition("-")[0]]
            self.states[name] = kind.evolve(self.states.get(name) or kind.initial(name), event)
            self.events.append((name, event))
        if stream.startswith("invoice-") and decision:
            followed = INVOICE.advance(self.states[stream], frozenset({""}), at, BOOK)
            if followed:
                self.wrote(stream, followed, at)
        return decision

    def invoice(self, name: str) -> InvoiceState:
        found = self.states[invoice_stream(name)]
        assert isinstance(found, InvoiceState)
        return found

    def account(self, name: str) -> AccountState:
        found = self.states.get(account_stream(name)) or ACCOUNT.initial(account_stream(name))
        assert isinstance(found, AccountState)
        return found

    def work(self, name: str, step: str = "payment") -> Any:
        return INVOICE.work(self.invoice(name), invoice_stream(name), "", step, BOOK)

    def pays(self, name: str, amount_minor: int, reference: str, method: str = "card") -> Decision:
        """Money comes: by the provider, or by bank."""
        if method == "bank-transfer":
            how: dict[str, Any] = {"remittance": reference, "arrived_on": TODAY, "today": TODAY, "begun_by": MONDAY + timedelta(days=900)}
            return self.wrote(invoice_stream(name), rules.record(self.work(name), amount_minor=amount_minor, **how))
        data = {"amount_minor": amount_minor, "reference": reference}
        return self.wrote(invoice_stream(name), rules.received(self.work(name), data, MONDAY))

    def charged_back(self, name: str, case: str, amount_minor: int | None = None, payment: str = "") -> Decision:
        how = {"case": case, "payment": payment, "reason": "10.4", "today": TODAY}
        account = self.account(self._account_of(name))
        return self.wrote(invoice_stream(name), taking_back.charge_back(self.work(name), account, amount_minor=amount_minor, **how))

    def won(self, name: str, case: str) -> Decision:
        return self.wrote(invoice_stream(name), taking_back.win_back(self.work(name), case=case, today=TODAY, begun_by=MONDAY))

    def moved(self, name: str, to: str, case: str, amount_minor: int | None = None, payment: str = "") -> Decision:
        how: dict[str, Any] = {
            "case": case,
            "payment": payment,
            "author": "ann",
            "comment": "one digit wrong",
            "today": TODAY,
            "begun_by": MONDAY,
        }
        account = self.account(self._account_of(name))
        return self.wrote(invoice_stream(name), taking_back.move(self.work(name), account, self.work(to), amount_minor=amount_minor, **how))

    def refunded(self, account: str, amount_minor: int) -> Decision:
        held = self.account(account)
        how: dict[str, Any] = {"author": "ann", "market": "GB@2026-01", "limit_minor": 10**9, "today": TODAY}
        return self.wrote(account_stream(account), refunds.request(held, amount_minor=amount_minor, **how))

    def noted(self, name: str, net_minor: int) -> Decision:
        how: dict[str, Any] = {"reason": "goodwill", "comment": "", "author": "ann", "at": MONDAY, "begun_by": MONDAY}
        return self.wrote(invoice_stream(name), notes.request(self.work(name), lines={1: net_minor}, **how))

    def paid_out(self, refund: str) -> Decision:
        """The provider gives a refund back, once; of one that was given up somebody takes it down, and the bill B is there for what is not held."""
        stream = f"refund-{refund}"
        if stream not in self.states or stream in self.paid:
            return NOTHING
        state = self.states[stream]
        work = KINDS["refund"].work(state, stream, "", "refund", BOOK)
        if state.given_up:
            account, how = self.account(state.opened.account), {"reference": "RFD", "author": "ann", "paid_on": TODAY, "today": TODAY}
            return self.wrote(stream, refunds.paid_after_all(work, account, self.work("B"), **how))
        self.paid.add(stream)
        return self.wrote(stream, STEPS["refund"].complete(work, {"reference": "RFD"}, MONDAY))

    def given_up(self, refund: str) -> Decision:
        """The provider refuses a refund, and a person gives it up; nothing for one that there is not."""
        stream = f"refund-{refund}"
        if stream not in self.states or stream in self.paid:
            return NOTHING
        kind, state = KINDS["refund"], self.states[stream]
        if not state.given_up:
            for cls in (RefundRequested, RefundFellOut):
                state = kind.evolve(state, cls.model_validate(cls.example))
        account = self.account(state.opened.account)
        return self.wrote(stream, refunds.give_up(kind.work(state, stream, "", "refund", BOOK), account, author="ann", comment=""))

    def _account_of(self, name: str) -> str:
        issued = self.invoice(name).issued
        assert issued is not None
        return issued.account

    def stand(self) -> dict[str, int]:
        """How each account of the chart stands, and the sum of all of them under an empty name."""
        stand: dict[str, int] = {"": 0}
        for _, event in self.events:
            for posting in postings_of(event.type_name, event.model_dump(mode="json")):
                for name in (posting.account, ""):
                    stand[name] = stand.get(name, 0) + posting.amount_minor
        return stand

    def told(self, type_name: str) -> list[Any]:
        """The events of a type, as they were written."""
        return [event for _, event in self.events if event.type_name == type_name]


def _charged(state: InvoiceState) -> Decision:
    return taking_back.charge_back(_work(state), Till().account("BA-1"), amount_minor=500, case="CB-1", payment="", reason="", today=TODAY)


def _won(state: InvoiceState) -> Decision:
    return taking_back.win_back(_work(state), case="CB-1", today=TODAY, begun_by=MONDAY)


def _moved(state: InvoiceState) -> Decision:
    how: dict[str, Any] = {"case": "M-1", "payment": "", "author": "ann", "comment": "", "today": TODAY, "begun_by": MONDAY}
    till = Till()
    return taking_back.move(_work(state), till.account("BA-1"), till.work("B"), amount_minor=500, **how)


def _work(state: InvoiceState) -> Any:
    return INVOICE.work(state, "invoice-A", "", "payment", BOOK)


def _till(*deeds: str) -> InvoiceState:
    till = Till()
    till.pays("A", 2000, "P-1")
    for case in deeds:
        till.charged_back("A", case, 500)
    return till.invoice("A")


OF_TAKEN_BACK = [
    pytest.param(INVOICE, _till(), _charged, id="charge-back"),
    pytest.param(INVOICE, _till("CB-1"), _won, id="win-back"),
    pytest.param(INVOICE, _till(), _moved, id="move-a-payment"),
]
"""By kind of stream and state, the rules that decide once and, on what they made, nothing."""
