"""Money that is taken off an invoice again: charged back, won back, moved. None of it is lost, and no payment gives more than came of it."""

from collections.abc import Callable

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing.rules import look_at
from o2c.kernel.decision import Decision
from o2c.kernel.refusal import Refused
from o2c.refunds import rules as refunds
from o2c.refunds.state import KIND as REFUND
from o2c.refunds.state import RefundState
from tests.given import BOOK, MONDAY
from tests.given_back import TODAY, Till


def paid_by_card() -> Till:
    till = Till()
    till.pays("A", 2000, "P-1")
    return till


def overpaid() -> Till:
    """20.00 were to be paid and 30.00 came by card: 10.00 are a credit of the account."""
    till = Till()
    till.pays("A", 3000, "P-A")
    return till


def test_a_chargeback_opens_the_invoice_again() -> None:
    """It is to be paid once more, is due since then, and somebody looks at it the day after; told twice it is one."""
    till = paid_by_card()
    till.charged_back("A", "CB-1")
    state = till.invoice("A")
    assert (state.open_minor, state.paid_minor, state.standing, state.due_on) == (2000, 0, "issued", TODAY)
    assert till.told("invoice.overdue-check-requested")[-1].due_at.date().isoformat() == "2026-03-11"
    assert till.stand()["receivable"] == 6000
    assert not till.charged_back("A", "CB-1")
    assert not till.charged_back("A", "CB-1", 2000)


def test_collections_are_told_of_an_invoice_that_was_overdue_before() -> None:
    """What was late, paid and is charged back, is owed past its due day again."""
    till = Till()
    till.wrote("invoice-A", look_at(till.work("A", "overdue"), {}, MONDAY))
    till.pays("A", 2000, "P-1")
    till.charged_back("A", "CB-1", 500)
    told = till.told("collections.arrears-changed")
    assert [(one.cause, one.open_minor, one.due_on) for one in told][1:] == [("payment", 0, "2026-01-22"), ("chargeback", 500, TODAY)]


def test_what_the_payment_made_of_a_credit_is_taken_back_first() -> None:
    """The credit is not to be paid again: 12.00 of 30.00 for 20.00 take the 10.00 above and open 2.00."""
    till = overpaid()
    till.charged_back("A", "CB-1", 1200)
    assert (till.invoice("A").open_minor, till.account("BA-1").balance.credit_minor) == (200, 0)
    [event] = till.told("payment.charged-back")
    assert (event.of_credit_minor, event.above_minor) == (1000, 1000)


def test_a_credit_that_is_used_is_to_be_paid_all_the_same() -> None:
    """The 10.00 above went back by another way: the whole payment is charged back but for them, and then no more."""
    till = overpaid()
    till.refunded("BA-1", 1000)
    with pytest.raises(Refused, match=r"20\.00 GBP of the payment of 30\.00 GBP is left to be charged back") as refused:
        till.charged_back("A", "CB-1", 3000)
    assert refused.value.kind == "conflict"
    till.charged_back("A", "CB-1")
    assert till.invoice("A").open_minor == 2000
    till.paid_out("BA-1-R1")
    assert till.stand()["cash"] == 0


def test_a_chargeback_that_is_won_pays_again() -> None:
    """What was paid otherwise meanwhile makes it a credit, which names the payment."""
    till = paid_by_card()
    till.charged_back("A", "CB-1")
    till.pays("A", 1500, "TFR-1", "bank-transfer")
    till.won("A", "CB-1")
    assert (till.invoice("A").open_minor, till.account("BA-1").balance.credit_minor) == (0, 1500)
    assert not till.won("A", "CB-1")
    assert not till.charged_back("A", "CB-1")
    till.charged_back("A", "CB-2", payment="P-1")
    assert (till.invoice("A").open_minor, till.account("BA-1").balance.credit_minor) == (500, 0)


def test_a_payment_moves_to_where_it_belongs() -> None:
    """The first invoice is open again, the other one is paid, and both say so; the transfer is known where it is now, and is not recorded twice."""
    till = Till()
    till.pays("A", 2000, "TFR-1", "bank-transfer")
    till.moved("A", "C", "M-1")
    assert (till.invoice("A").open_minor, till.invoice("C").open_minor) == (2000, 0)
    [away], here = till.told("payment.moved"), till.told("payment.received")[-1]
    assert (away.to_account, away.to_invoice, away.author, here.moved_from, here.remittance) == ("BA-2", "C", "ann", "A", "TFR-1")
    assert (till.stand()["cash"], till.stand()["receivable"]) == (2000, 4000)
    assert not till.moved("A", "C", "M-1")
    assert not till.pays("C", 2000, "TFR-1", "bank-transfer")
    till.moved("C", "A", "M-2")
    assert (till.invoice("A").open_minor, till.invoice("C").open_minor) == (0, 2000)


def test_a_refund_that_is_given_up_is_a_credit_again() -> None:
    """Of the same payment, so that a chargeback takes it back; given up twice it is once, and what was paid is not given up."""
    till = overpaid()
    till.refunded("BA-1", 400)
    till.refunded("BA-1", 300)
    till.given_up("BA-1-R1")
    balance = till.account("BA-1").balance
    assert (balance.credit_minor, balance.owed_minor, balance.credit_of("A", "card", "P-A")) == (700, 300, 700)
    assert not till.given_up("BA-1-R1")
    till.paid_out("BA-1-R2")
    till.paid.clear()
    with pytest.raises(Refused, match="was paid"):
        till.given_up("BA-1-R2")
    till.charged_back("A", "CB-1")
    assert (till.invoice("A").open_minor, till.account("BA-1").balance.credit_minor, till.stand()["cash"]) == (2000, 0, 0)


def given_up(*, credit_gone: bool = False) -> Till:
    """10.00 came above an invoice, and the refund of 6.00 of it was given up; the payment was charged back since, or was not."""
    till = overpaid()
    till.refunded("BA-1", 600)
    till.given_up("BA-1-R1")
    if credit_gone:
        till.charged_back("A", "CB-1")
    return till


def test_a_refund_that_was_paid_after_all_leaves_the_account() -> None:
    """What was a credit again is gone, as of the payment that it came by: no chargeback takes it a second time; told twice it went once."""
    till = given_up()
    till.paid_out("BA-1-R1")
    balance = till.account("BA-1").balance
    assert (balance.credit_minor, balance.owed_minor, balance.refunded["P-A"], till.stand()["cash"]) == (400, 0, 600, 2400)
    assert (till.invoice("A").open_minor, till.invoice("B").open_minor) == (0, 2000)
    assert not till.paid_out("BA-1-R1")
    with pytest.raises(Refused, match=r"24\.00 GBP of the payment of 30\.00 GBP is left"):
        till.charged_back("A", "CB-1", 2401)


def test_what_went_beyond_what_is_held_is_owed_on_an_invoice() -> None:
    """The credit went by a chargeback before the provider said that it had paid it as a refund: the customer owes it, due since then, and
    somebody looks at it; collections are told where the invoice was overdue.
    """
    till = given_up(credit_gone=True)
    till.wrote("invoice-B", look_at(till.work("B", "overdue"), {}, MONDAY))
    assert till.paid_out("BA-1-R1")
    bill = till.invoice("B")
    assert (bill.owed_minor, bill.due_on, till.stand()["cash"], till.stand()["owed-to-customers"]) == (2600, TODAY, -600, 0)
    [told] = [one for one in till.told("collections.arrears-changed") if one.cause == "refund"]
    assert (told.invoice, told.open_minor, told.due_on) == ("B", 2600, TODAY)
    [went] = till.told("refund.reported-paid")
    assert (went.amount_minor, went.reclaimed_minor) == (600, 600)
    till.pays("B", 2600, "P-B")
    assert (till.invoice("B").owed_minor, till.stand()["cash"]) == (0, 2000)


def test_what_an_account_without_an_invoice_does_not_hold_is_refused() -> None:
    """There is nothing on which its customer could owe it: he is to send it back; and what was not given up is none of this."""
    till = given_up(credit_gone=True)
    state = till.states["refund-BA-1-R1"]
    with pytest.raises(
        Refused, match=r"account BA-1 holds 0\.00 GBP of it and has no invoice for the rest; have the customer send 6\.00 back"
    ):
        paid_after_all(till, state)
    fresh = overpaid()
    fresh.refunded("BA-1", 600)
    with pytest.raises(Refused, match="was not given up") as refused:
        paid_after_all(fresh, fresh.states["refund-BA-1-R1"])
    assert refused.value.kind == "conflict"


def paid_after_all(till: Till, state: RefundState) -> Decision:
    """Take down that a refund was paid after all, on an account that has no invoice."""
    work = REFUND.work(state, "refund-BA-1-R1", "", "refund", BOOK)
    return refunds.paid_after_all(work, till.account("BA-1"), None, reference="RFD", author="ann", paid_on=TODAY, today=TODAY)


REFUSED: dict[str, tuple[Callable[[], Till], Callable[[Till], object], str, str]] = {
    "more than was paid": (paid_by_card, lambda till: till.charged_back("A", "CB-1", 2001), "conflict", "is left to be charged back"),
    "twice under two names": (
        paid_by_card, lambda till: (till.charged_back("A", "CB-1"), till.charged_back("A", "CB-2")), "conflict", r"0\.00 GBP of the payment",
    ),
    "one name, two amounts": (
        paid_by_card, lambda till: (till.charged_back("A", "CB-1", 500), till.charged_back("A", "CB-1", 600)), "conflict", "CB-1 took 5.00 GBP back",
    ),
    "nothing": (paid_by_card, lambda till: till.charged_back("A", "CB-1", 0), "usage", "more than nothing"),
    "a payment that did not come": (paid_by_card, lambda till: till.charged_back("A", "CB-1", 1, "P-9"), "missing", "no such payment"),
    "an invoice without a payment": (Till, lambda till: till.charged_back("A", "CB-1"), "missing", "no such payment"),
    "a transfer": (
        Till, lambda till: (till.pays("A", 2000, "T", "bank-transfer"), till.charged_back("A", "CB-1")), "usage", "is not charged back",
    ),
    "a chargeback that there was not": (paid_by_card, lambda till: till.won("A", "CB-1"), "missing", "no chargeback CB-1"),
    "to itself": (paid_by_card, lambda till: till.moved("A", "A", "M-1"), "usage", "is there already"),
    "what was charged back": (
        paid_by_card, lambda till: (till.charged_back("A", "CB-1"), till.moved("A", "B", "M-1")), "conflict", "is left to be moved",
    ),
    "what was moved": (
        paid_by_card, lambda till: (till.moved("A", "B", "M-1"), till.charged_back("A", "CB-1")), "conflict", "is left to be charged back",
    ),
    "which of two": (
        Till, lambda till: (till.pays("A", 500, "T-1", "bank-transfer"), till.pays("A", 600, "T-2", "bank-transfer"), till.moved("A", "B", "M-1")),
        "usage", "2 payments came",
    ),
    "a credit that is gone": (
        overpaid, lambda till: (till.refunded("BA-1", 1000), till.moved("A", "B", "M-1", 2001)), "conflict", r"20\.00 GBP of the payment",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_taken_back_is_refused(case: str) -> None:
    """Each is refused in one line that says why, and nothing is written of it."""
    made, asked, kind, says = REFUSED[case]
    till = made()
    with pytest.raises(Refused, match=says) as refused:
        asked(till)
    assert refused.value.kind == kind


DEED = st.tuples(
    st.sampled_from(["card", "bank", "charged back", "won", "moved", "refunded", "paid out", "given up", "note"]),
    st.sampled_from("ABC"),
    st.sampled_from("ABC"),
    st.integers(0, 3),
    st.one_of(st.integers(1, 500), st.integers(1, 3000)),
)


FOUND = [
    *[("card", "A", "A", 0, 1)] * 8,
    ("refunded", "A", "A", 0, 1),
    ("given up", "A", "A", 0, 1),
    ("charged back", "A", "A", 0, 1),
    ("paid out", "A", "A", 0, 1),
]
"""A refund that is given up, the whole payment charged back, and the refund paid all the same."""


@hypothesis.example(deeds=FOUND)
@hypothesis.given(deeds=st.lists(DEED, min_size=12, max_size=25))
@hypothesis.settings(max_examples=100, deadline=None)
def test_money_is_conserved_whatever_happens(deeds: list[tuple[str, str, str, int, int]]) -> None:
    """Over any sequence of payments, chargebacks, wins, moves, refunds and notes: the books sum to zero, receivables and credits are what invoices and
    accounts say, cash is what came and did not go, and of no payment more is taken back and refunded than came: but for what a provider
    paid of a refund that was given up, which the account had no more, and which is owed on an invoice then.
    """
    till = overpaid()
    for number, deed in enumerate(deeds):
        try:
            done(till, number, *deed)
        except Refused:
            continue
    stand = till.stand()
    invoices = [till.invoice(name) for name in "ABC"]
    balances = [till.account(name).balance for name in ("BA-1", "BA-2")]
    assert stand[""] == 0
    assert stand["receivable"] == sum(state.owed_minor for state in invoices)
    late = till.told("refund.reported-paid")
    reclaimed_minor = sum(one.reclaimed_minor for one in late)
    assert all(state.owed_minor >= 0 for state in invoices)
    assert all(state.paid_minor >= -reclaimed_minor * (name == "B") for name, state in zip("ABC", invoices, strict=True))
    assert -stand.get("customer-credit", 0) == sum(balance.credit_minor for balance in balances)
    assert -stand.get("owed-to-customers", 0) == sum(balance.owed_minor for balance in balances)
    assert all(lot.amount_minor > 0 for balance in balances for lot in balance.credits)
    for reference in {one.reference for state in invoices for one in state.payments if one.reference}:
        of_payment = [one for state in invoices for one in state.payments if one.reference == reference]
        left = sum(one.amount_minor - one.back_minor for one in of_payment)
        assert left + sum(one.amount_minor for one in late) >= sum(balance.refunded.get(reference, 0) for balance in balances)
    came = [one for name in ("payment.received", "payment.part-received") for one in till.told(name) if not one.moved_from]
    went = [one for name in ("payment.charged-back", "refund.completed", "refund.reported-paid") for one in till.told(name)]
    assert stand.get("cash", 0) == sum(one.amount_minor for one in came) - sum(one.amount_minor for one in went) >= -reclaimed_minor


def done(till: Till, number: int, what: str, name: str, to: str, case: int, amount_minor: int) -> None:
    """Do one deed, as far as the rules let it be done."""
    match what:
        case "card":
            if not till.invoice(name).payments:
                till.pays(name, amount_minor, f"P-{name}")
        case "bank":
            till.pays(name, amount_minor, f"T-{number}", "bank-transfer")
        case "charged back":
            till.charged_back(name, f"CB-{case}", None if amount_minor % 2 else amount_minor, f"P-{name}")
        case "won":
            till.won(name, f"CB-{case}")
        case "moved":
            till.moved(name, to, f"M-{case}", None if amount_minor % 2 else amount_minor)
        case "refunded":
            till.refunded("BA-2" if name == "C" else "BA-1", amount_minor)
        case "paid out":
            till.paid_out(f"BA-1-R{case + 1}")
        case "given up":
            till.given_up(f"BA-1-R{case + 1}")
        case "note":
            till.noted(name, amount_minor)
