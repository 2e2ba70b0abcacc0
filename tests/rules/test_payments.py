"""Getting an invoice paid: when it is collected by which method, what counts as paid, and when it is overdue."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from o2c.fallout.rules import correct
from o2c.invoicing.events import InvoiceIssued, InvoiceOverdue
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.rules import look_at
from o2c.kernel import flow
from o2c.kernel.agenda import NEVER, Dropped, Entry
from o2c.kernel.attend import Ask, attend
from o2c.kernel.event import Event
from o2c.kernel.partner import Answered, Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.work import Work
from o2c.payments.events import PaymentReceived
from o2c.plan import STEPS
from tests.given import BOOK, MONDAY, SEED

STREAM = "invoice-BA-1001-20260108"
ISSUED_AT = datetime(2026, 1, 8, 6, tzinfo=UTC)


def issued(**changes: Any) -> InvoiceIssued:
    return InvoiceIssued.model_validate({**InvoiceIssued.example, **changes})


def invoice(*events: Event, method: str = "card", **changes: Any) -> InvoiceState:
    """The example invoice of 23.99, issued on 8 January 2026 and due on the 22nd, after these events, each with what follows from it."""
    state = INVOICE.initial(STREAM)
    for event in (issued(method=method, **changes), *events):
        state = INVOICE.evolve(state, event)
        for following in followed(state):
            state = INVOICE.evolve(state, following)
    return state


def followed(state: InvoiceState) -> tuple[Event, ...]:
    """What an invoice asks for by itself where it stands."""
    return INVOICE.advance(state, frozenset({""}), ISSUED_AT, BOOK).events


def standing(state: InvoiceState) -> tuple[str, str]:
    """Why its payment stands still, and for whom."""
    record = state.records["payment"]
    return record.reason, record.waiting_for


def work(state: InvoiceState, step: str = "payment") -> Work:
    return INVOICE.work(state, STREAM, "", step, BOOK)


def paid(amount_minor: int) -> PaymentReceived:
    return PaymentReceived(amount_minor=amount_minor, method="card")


@pytest.mark.parametrize(
    ("method", "issued_on", "due_on", "asked_at", "collected_at"),
    [
        pytest.param("card", "2026-01-08", "2026-01-22", ISSUED_AT, datetime(2026, 1, 9, 9, tzinfo=UTC), id="card-the-morning-after"),
        pytest.param("direct-debit", "2026-01-08", "2026-01-22", ISSUED_AT, datetime(2026, 1, 22, 9, tzinfo=UTC), id="debit-when-due"),
        pytest.param(
            "direct-debit", "2026-02-08", "2026-02-22", ISSUED_AT, datetime(2026, 2, 23, 9, tzinfo=UTC), id="debit-not-on-a-sunday"
        ),
        pytest.param("direct-debit", "2026-03-22", "2026-04-05", ISSUED_AT, datetime(2026, 4, 7, 8, tzinfo=UTC), id="debit-not-at-easter"),
        pytest.param("card", "2026-04-02", "2026-04-16", ISSUED_AT, datetime(2026, 4, 3, 8, tzinfo=UTC), id="card-on-good-friday"),
        pytest.param("pay-by-link", "2026-01-08", "2026-01-22", ISSUED_AT, ISSUED_AT, id="link-at-once"),
        pytest.param("invoice", "2026-01-08", "2026-01-22", ISSUED_AT, ISSUED_AT, id="bank-transfer-at-once"),
        pytest.param("card", "2026-04-01", "2026-04-15", ISSUED_AT, datetime(2026, 4, 2, 8, tzinfo=UTC), id="nine-o-clock-in-summer"),
        pytest.param("card", "2026-03-28", "2026-04-11", ISSUED_AT, datetime(2026, 3, 29, 8, tzinfo=UTC), id="the-day-the-clocks-change"),
        pytest.param(
            "card", "2026-01-08", "2026-01-22", datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), id="never-in-the-past"
        ),
    ],
)
def test_each_method_is_collected_on_its_day(method: str, issued_on: str, due_on: str, asked_at: datetime, collected_at: datetime) -> None:
    """Cards the morning after, debits on the due date or the next bank day, both at nine in London; a link or a transfer may be used at once."""
    state = INVOICE.evolve(INVOICE.initial(STREAM), issued(method=method, issued_on=issued_on, due_on=due_on))
    [asked] = STEPS["payment"].request(work(state), asked_at).events
    assert (asked.due_at, asked.method) == (collected_at, method)


SATURDAY = datetime(2026, 1, 24, 11, tzinfo=UTC)


def debited(row: Entry, at: datetime, *events: Event) -> datetime:
    """When an invoice that is debited is asked for again, by a row of the agenda that is due at a time."""
    [asked] = attend(STEPS["payment"], work(invoice(*events, method="direct-debit")), row, None, at, seed=SEED).events
    return asked.due_at


def row(kind: str) -> Entry:
    return Entry(STREAM, "", "payment", kind, SATURDAY, 9, NEVER, attempt=2)


@pytest.mark.parametrize(("kind", "attempt"), [pytest.param("retry", 2, id="retry"), pytest.param("submit", 2, id="late-worker")])
def test_a_debit_that_comes_up_on_a_saturday_waits_for_monday(kind: str, attempt: int) -> None:
    """A retry, and a row that a worker comes to late or that an older rule made, are put off, and nothing is sent to the bank."""
    assert debited(row(kind), SATURDAY) == datetime(2026, 1, 26, 9, tzinfo=UTC)


def test_a_debit_that_a_person_tries_again_on_a_saturday_waits_for_monday() -> None:
    """It was returned; presented again it needs no other notice, but a bank day."""
    returned = flow.settle(STEPS["payment"], work(invoice(method="direct-debit")), RefusedBy("RETURNED"), SATURDAY, seed=SEED).events
    again = correct(STEPS["payment"], work(invoice(*returned, method="direct-debit")), INVOICE, BOOK, changes={}, note="", at=SATURDAY)
    assert again.events[-1].due_at == datetime(2026, 1, 26, 9, tzinfo=UTC)


def test_a_mandate_that_comes_later_is_noticed_before_it_is_used() -> None:
    """A declined card becomes a debit on Monday the 12th: collected ten working days later, after its due day, and not overdue before."""
    monday = datetime(2026, 1, 12, 10, tzinfo=UTC)
    declined = flow.settle(STEPS["payment"], work(invoice()), RefusedBy("DECLINED"), monday, seed=SEED).events
    decision = correct(STEPS["payment"], work(invoice(*declined)), INVOICE, BOOK, changes={"method": "direct-debit"}, note="", at=monday)
    state = invoice(*declined, *decision.events)
    debited_at = datetime(2026, 1, 26, 9, tzinfo=UTC)
    assert decision.events[-1].due_at == debited_at

    [question] = [attend(STEPS["payment"], work(state), replace(row("submit"), due_at=debited_at), None, debited_at, seed=SEED)]
    assert isinstance(question, Ask)
    look, after_due = Entry(STREAM, "", "overdue", "submit", SATURDAY, 9, NEVER), datetime(2026, 1, 23, tzinfo=UTC)
    [put_off] = attend(STEPS["overdue"], work(state, "overdue"), look, None, after_due, seed=SEED).events
    assert put_off.due_at == datetime(2026, 1, 27, tzinfo=UTC)
    [overdue] = attend(STEPS["overdue"], work(state, "overdue"), look, None, put_off.due_at, seed=SEED).events
    assert isinstance(overdue, InvoiceOverdue)


def test_an_invoice_asks_for_its_payment_and_is_looked_at_after_it_was_due() -> None:
    """Both rows stand on the agenda as soon as it is issued; the look is at midnight in London after the due date."""
    state = INVOICE.evolve(INVOICE.initial(STREAM), InvoiceIssued.model_validate(InvoiceIssued.example))
    [payment], [overdue] = (INVOICE.agenda(state, event, STREAM) for event in followed(state))
    assert isinstance(payment, Entry)
    assert isinstance(overdue, Entry)
    assert (payment.step, payment.kind, payment.due_at) == ("payment", "submit", datetime(2026, 1, 9, 9, tzinfo=UTC))
    assert (overdue.step, overdue.due_at) == ("overdue", datetime(2026, 1, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("amounts", "open_minor", "watched"),
    [
        pytest.param([2399], 0, False, id="in-full"),
        pytest.param([2398], 1, True, id="a-penny-short"),
        pytest.param([1000, 1399], 0, False, id="in-two-parts"),
        pytest.param([2400], -1, False, id="a-penny-over"),
    ],
)
def test_a_paid_invoice_is_left_in_peace(amounts: list[int], open_minor: int, watched: bool) -> None:
    """What is still open is the total less what came in; only an open invoice is looked at after it was due."""
    received = [paid(amount) for amount in amounts]
    state = invoice(*received)
    changes = INVOICE.agenda(state, received[-1], STREAM)
    assert state.open_minor == open_minor
    assert (Dropped(STREAM, "", "overdue") not in changes) is watched
    assert Dropped(STREAM, "", "payment") in changes
    assert followed(state) == ()


@pytest.mark.parametrize(
    ("code", "reason", "waiting_for"),
    [
        pytest.param("DECLINED", "PAY-AUTH", "customer", id="card-declined"),
        pytest.param("EXPIRED", "PAY-AUTH", "customer", id="link-never-used"),
        pytest.param("RETURNED", "PAY-MANDATE", "customer", id="debit-returned"),
        pytest.param("UNAVAILABLE", "PAY-TMO", "us", id="provider-down"),
    ],
)
def test_a_payment_that_fails_has_its_code(code: str, reason: str, waiting_for: str) -> None:
    """The customer must give another method, or we try again."""
    decision = flow.settle(STEPS["payment"], work(invoice()), RefusedBy(code), MONDAY, seed=SEED)
    state = invoice(*decision.events)
    assert (*standing(state), state.open_minor) == (reason, waiting_for, 2399)
    assert (len(decision.events) == 2) is (waiting_for == "us")


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        pytest.param(Answered({"amount_minor": 2399, "reference": "PMT-1"}), ["payment.received"], id="paid"),
        pytest.param(Unknown(MONDAY), ["partner.silent"], id="silence-is-asked-about"),
        pytest.param(NeverHeard(), ["payment.fell-out", "retry.scheduled"], id="never-heard"),
        pytest.param(Failed("UNAVAILABLE"), ["payment.fell-out", "retry.scheduled"], id="down"),
    ],
)
def test_money_is_never_asked_for_twice_on_a_silence(answer: Any, names: list[str]) -> None:
    """An unknown answer is queried under the same attempt; only what was never heard is sent again."""
    decision = flow.settle(STEPS["payment"], work(invoice()), answer, MONDAY, seed=SEED)
    assert [event.type_name for event in decision.events] == names


def test_what_came_in_is_what_the_provider_says() -> None:
    """A partial amount is booked as such; without one, the open amount is meant."""
    for data, amount in (({"amount_minor": "1000"}, 1000), ({}, 2399)):
        [received] = flow.settle(STEPS["payment"], work(invoice()), Answered(data), MONDAY, seed=SEED).events
        assert received.amount_minor == amount


def test_a_declined_card_is_paid_by_another_method() -> None:
    """A correction of the method asks for the payment again at once, and its receipt ends the fallout."""
    declined = flow.settle(STEPS["payment"], work(invoice()), RefusedBy("DECLINED"), MONDAY, seed=SEED).events
    state = invoice(*declined)
    decision = correct(STEPS["payment"], work(state), INVOICE, BOOK, changes={"method": "pay-by-link"}, note="", at=MONDAY)
    state = invoice(*declined, *decision.events)
    assert (state.method, state.records["payment"].attempt, decision.events[-1].due_at) == ("pay-by-link", 2, MONDAY)
    received = STEPS["payment"].complete(work(state), {}, MONDAY).events
    state = invoice(*declined, *decision.events, *received)
    assert (*standing(state), state.open_minor, received[0].method) == ("", "", 0, "pay-by-link")


def test_an_open_invoice_becomes_overdue_with_what_is_open() -> None:
    """The look after the due date records the open amount, and does not stop the payment."""
    state = invoice(paid(1000))
    [overdue] = look_at(work(state, "overdue"), {}, MONDAY).events
    assert isinstance(overdue, InvoiceOverdue)
    assert overdue.open_minor == 1399
    after = invoice(paid(1000), overdue)
    assert (after.overdue, after.open_minor, INVOICE.agenda(after, overdue, STREAM)) == (True, 1399, (Dropped(STREAM, "", "overdue"),))
