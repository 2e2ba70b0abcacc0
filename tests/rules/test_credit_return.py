"""What is left on an account that has ended goes back by itself: after its bills, once, and nothing of it stays."""

from dataclasses import replace
from datetime import UTC, datetime

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing.events import InvoiceIssued
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.state import ACCOUNT, CREDIT_RETURN, AccountState
from o2c.kernel.agenda import Entry
from o2c.kernel.attend import Ask, attend
from o2c.kernel.balances import Compensated, CreditReceived, DepositKept, DepositRetained, RefundReserved, RefundWanted
from o2c.kernel.carry import Carried
from o2c.kernel.charges import ChargeWithdrawn
from o2c.kernel.decision import Decision, just
from o2c.kernel.event import Event
from o2c.kernel.work import Work
from o2c.markets.gb import GB
from o2c.payments.settling import settled
from o2c.plan import STEPS
from o2c.refunds import rules as refunds
from tests.charges import ORDER, STREAM, charge
from tests.given import BOOK, CUSTOMER, MONDAY

STEP = STEPS[CREDIT_RETURN]
OF = {"account": "BA-1001", "customer": "C-1001", "currency": "GBP"}
ENTRY = Entry(STREAM, "", CREDIT_RETURN, "submit", MONDAY, 0, MONDAY)


class Life:
    """An account with a line, its bills, and what came for them: everything that follows is carried as in the engine."""

    def __init__(self) -> None:
        self.state, self.bills, self.lines, self.told = AccountState(), dict[str, InvoiceState](), 0, list[Event]()
        self.line()

    def tell(self, *events: Event) -> None:
        carried = Carried(ACCOUNT, STREAM, self.state)
        carried.carry(just(*events), MONDAY, BOOK, None)
        self.state = carried.state
        self.told += [one.event for one in carried.happened]

    def take(self, decision: Decision) -> None:
        """What was decided of the account, and what it leads to in its bills."""
        for stream, event in decision.elsewhere:
            if isinstance(event, InvoiceIssued):
                self.bills[stream] = INVOICE.initial(stream)
            if stream in self.bills:
                self.bills[stream] = INVOICE.evolve(self.bills[stream], event)
        self.tell(*decision.events, *(event for stream, event in decision.elsewhere if stream == STREAM))

    def work(self, step: str) -> Work:
        return replace(ACCOUNT.work(self.state, STREAM, "", step, BOOK), read={"customer-C-1001": CUSTOMER, **self.bills})

    def line(self) -> None:
        self.lines += 1
        self.tell(charge("2026-01-05", item=str(self.lines)))

    def end(self) -> None:
        if running := self.state.running:
            self.tell(ChargeWithdrawn(order=ORDER, item=running[0].item, ended_on="2026-01-20", served=True))

    def bill(self) -> None:
        if self.state.due_run:
            self.take(STEPS["bill-run"].complete(self.work("bill-run"), {}, MONDAY))

    def pay(self, amount_minor: int) -> None:
        """So much comes for the last bill, whatever is owed of it."""
        if self.bills:
            stream = [*self.bills][-1]
            work = INVOICE.work(self.bills[stream], stream, "", "payment", BOOK)
            decision = settled(work, amount_minor, begun_by=MONDAY, method="card", reference="PMT-1", arrived_on="2026-01-10")
            for event in decision.events:
                self.bills[stream] = INVOICE.evolve(self.bills[stream], event)
            self.tell(*(event for whose, event in decision.elsewhere if whose == STREAM))

    def compensated(self, amount_minor: int) -> None:
        self.tell(Compensated.model_validate({**Compensated.example, **OF, "amount_minor": amount_minor}))

    def secured(self, amount_minor: int) -> None:
        held = {**OF, "amount_minor": amount_minor, "order": f"o-{amount_minor}"}
        self.tell(DepositKept.model_validate({**held, "method": "card"}), DepositRetained.model_validate({**held, "good_bills": 3}))

    def ask(self, amount_minor: int, *, limit_minor: int = 10**6) -> None:
        """A person asks for some of it back."""
        if (part := min(amount_minor, self.state.balance.returnable_minor)) > 0:
            how = {"author": "ann", "market": GB.pin, "today": "2026-01-20"}
            self.take(refunds.request(self.state, amount_minor=part, limit_minor=limit_minor, **how))

    def due(self) -> None:
        """What is to go back by itself is due, if it is on the agenda."""
        if CREDIT_RETURN in self.state.records:
            decided = attend(STEP, self.work(CREDIT_RETURN), ENTRY, None, MONDAY, seed=7)
            assert not isinstance(decided, Ask)
            self.take(decided)

    def over(self) -> None:
        """Its lines end, and its final bill is made."""
        while self.state.running:
            self.end()
        while self.state.due_run:
            self.bill()

    def do(self, deed: str, amount_minor: int) -> None:
        of_money = {"pay": self.pay, "compensated": self.compensated, "secured": self.secured, "ask": self.ask}
        if deed in of_money:
            of_money[deed](amount_minor)
        else:
            {"line": self.line, "end": self.end, "bill": self.bill, "due": self.due, "over": self.over}[deed]()

    def went(self) -> tuple[int, list[RefundReserved]]:
        """What the account holds still, and the refunds that the engine asked for by itself."""
        own = [event for event in self.told if isinstance(event, RefundReserved) and event.author == "engine"]
        return self.state.balance.returnable_minor, own


def left(*credits: int) -> Life:
    """An account that has ended, with credits of payments by card that came above its bill, which was paid."""
    life = Life()
    life.bill()
    life.pay(next(iter(life.bills.values())).owed_minor)
    life.over()
    for number, amount_minor in enumerate(credits):
        credit = {**OF, "amount_minor": amount_minor, "invoice": "BA-1001-20260108", "method": "card", "reference": f"PMT-{number}"}
        life.tell(CreditReceived.model_validate(credit))
    return life


DEEDS = ("line", "end", "bill", "due", "over", "pay", "compensated", "secured", "ask")


@hypothesis.given(deeds=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(1, 6_000)), max_size=14))
@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.example([("bill", 1), ("pay", 6_000), ("over", 1), ("line", 1), ("due", 1), ("pay", 50)])
@hypothesis.example([("secured", 5_000), ("bill", 1), ("compensated", 700), ("over", 1), ("due", 1), ("compensated", 100)])
def test_no_account_that_ended_holds_money_for_good(deeds: list[tuple[str, int]]) -> None:
    """Whatever was billed, paid, credited and asked back before: once all has ended, what is held is on the agenda to go back, and when
    that is due nothing is left; no refund is made while a bill is owed, and what went to bills and back is what was held."""
    life = Life()
    for deed, amount_minor in deeds:
        life.do(deed, amount_minor)
    life.over()

    held, before = life.state.balance.returnable_minor, len(life.went()[1])
    owed = sum(max(bill.owed_minor, 0) for bill in life.bills.values())
    assert CREDIT_RETURN in life.state.records or not held
    life.due()
    rest, own = life.went()
    asked = own[before:]
    assert (rest, sum(event.amount_minor for event in asked)) == (0, max(held - owed, 0))
    assert sum(max(bill.owed_minor, 0) for bill in life.bills.values()) == max(owed - held, 0)
    assert CREDIT_RETURN not in life.state.records


def test_it_goes_back_by_the_way_in_which_it_came_two_weeks_later() -> None:
    """Two payments came above a bill: two refunds, each with the provider's reference of its payment, and nobody approves them, however
    much it is."""
    life = left(30_000, 500)
    assert STEP.due_at(life.work(CREDIT_RETURN), datetime(2026, 7, 1, 22, 59, tzinfo=UTC)) == datetime(2026, 7, 15, 8, tzinfo=UTC)
    life.due()
    rest, own = life.went()
    assert (rest, [(one.amount_minor, one.method, one.reference) for one in own]) == (
        0,
        [(30_000, "card", "PMT-0"), (500, "card", "PMT-1")],
    )


def test_what_waits_for_a_second_person_is_left_to_him() -> None:
    """A person asked for more than one may give: nothing goes by itself, until that is withdrawn; and what is given up comes up again."""
    life = left(500)
    life.ask(400, limit_minor=0)
    life.due()
    assert life.went() == (500, [])
    [wanted] = [event for event in life.told if isinstance(event, RefundWanted)]
    life.take(refunds.withdraw(life.state, wanted.refund, author="ann", comment="asked twice"))
    life.due()
    assert life.went()[0] == 0


def test_nothing_goes_back_of_an_account_that_is_charged_again() -> None:
    """Another line came before the day: the next bill uses the credit."""
    life = left(500)
    life.line()
    life.due()
    assert (life.went(), CREDIT_RETURN in life.state.records) == ((500, []), False)


@pytest.mark.parametrize("charged", [True, False])
def test_an_account_that_was_never_charged_has_not_ended(charged: bool) -> None:
    """Its order may be on its way: a credit of it waits for the first bill."""
    life = left(500)
    state = life.state if charged else replace(life.state, charges={})
    assert state.to_return is charged
