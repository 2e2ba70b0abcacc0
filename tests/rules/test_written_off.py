"""Invoices that the books give up: what is written off, the tax that is relieved, and the money that comes all the same."""

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.collections.events import DebtPlaced, Reminded
from o2c.invoicing import debts
from o2c.invoicing.events import InvoiceOverdue, InvoiceWrittenOff, TaxRelieved
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.reaction import WRITTEN_OFF
from o2c.kernel.arrears import ArrearsChanged
from o2c.kernel.debts import DebtGivenUp, WriteOffReversed
from o2c.kernel.decision import Decision
from o2c.kernel.event import Fact
from o2c.kernel.reaction import DecideOn
from o2c.kernel.refusal import Refused
from o2c.ledger.postings import postings_of
from o2c.markets.collecting import Stage
from o2c.payments import rules as payments
from tests.given import BOOK, MONDAY
from tests.noted import STREAM, after, credit, invoice
from tests.owing import Owing


def owed(**changes: Any) -> InvoiceState:
    """An invoice of 23.99, tax 4.00, that is overdue."""
    return INVOICE.evolve(invoice(**changes), InvoiceOverdue(open_minor=2399))


def written_off(state: InvoiceState, amount_minor: int = 2399) -> Decision:
    return debts.write_off(INVOICE.work(state, STREAM, "", "payment", BOOK), amount_minor=amount_minor, at=MONDAY, book=BOOK)


def relieved(state: InvoiceState) -> Decision:
    return debts.relieve(INVOICE.work(state, STREAM, "", debts.RELIEF, BOOK), {}, MONDAY)


def pays(state: InvoiceState, amount_minor: int, remittance: str = "TFR-1") -> Decision:
    work = INVOICE.work(state, STREAM, "", "payment", BOOK)
    return payments.record(work, amount_minor=amount_minor, remittance=remittance, arrived_on="", today="2026-08-01", begun_by=MONDAY)


def moved(*decisions: Decision) -> dict[str, int]:
    """What the books have of decisions about one invoice, by account of the chart."""
    sums: dict[str, int] = {}
    for decision in decisions:
        for event in (*decision.events, *(event for _, event in decision.elsewhere)):
            for posting in postings_of(event.type_name, event.model_dump(mode="json")):
                sums[posting.account] = sums.get(posting.account, 0) + posting.amount_minor
    return {name: minor for name, minor in sums.items() if minor}


def test_what_is_open_is_written_off_once_and_is_owed_all_the_same() -> None:
    """And its tax is asked back six months after it was due (VAT Notice 700/18, section 2)."""
    decision = written_off(owed())
    state = after(owed(), decision)
    assert (state.open_minor, state.owed_minor, state.standing) == (0, 2399, "written-off")
    assert decision.events[-1].due_at.isoformat()[:10] == "2026-07-21"  # type: ignore[attr-defined] # midnight in London, of the 22nd
    assert not written_off(state)


@pytest.mark.parametrize(
    ("came_minor", "reversed_minor", "tax_minor", "credit_minor"),
    [
        pytest.param(2399, 2399, 400, 0, id="all of it"),
        pytest.param(1000, 1000, 167, 0, id="a part"),
        pytest.param(3000, 2399, 400, 601, id="more than that"),
    ],
)
def test_money_that_comes_all_the_same_is_a_recovery(came_minor: int, reversed_minor: int, tax_minor: int, credit_minor: int) -> None:
    """It settles the invoice, its tax is payable again, and only what is above the debt is a credit; collections hear of it."""
    state = after(owed(), written_off(owed()))
    state = after(state, relieved(state))
    came = pays(state, came_minor)
    [back] = [event for event in came.events if isinstance(event, WriteOffReversed)]
    assert (back.amount_minor, back.tax_minor) == (reversed_minor, tax_minor)
    state = after(state, came)
    assert (state.open_minor, state.owed_minor) == (0, max(2399 - came_minor, 0))
    told = [event for _, event in came.elsewhere if isinstance(event, ArrearsChanged)]
    assert [event.open_minor for event in told] == [max(2399 - came_minor, 0)]
    assert moved(came).get("customer-credit", 0) == -credit_minor


def test_a_credit_note_takes_back_what_was_written_off_and_gives_no_credit() -> None:
    """The customer never paid it: nothing is owed to him."""
    state = after(owed(), written_off(owed()))
    noted = credit(state)
    assert moved(noted).get("customer-credit", 0) == 0
    state = after(state, noted)
    assert (state.owed_minor, state.written_off_minor) == (0, 0)


@hypothesis.given(st.lists(st.one_of(st.integers(1, 3_000), st.just(0)), max_size=6))
def test_the_books_of_a_bad_debt_are_straight(steps: list[int]) -> None:
    """Whatever comes, in whatever parts, with the tax relieved (0) in between or not: what the books have of an invoice is what it says of itself."""
    state, decisions = owed(), [written_off(owed())]
    state = after(state, decisions[0])
    for number, minor in enumerate(steps):
        if minor:
            decisions.append(pays(state, minor, f"TFR-{number}"))
        elif state.written_off_minor and not state.relieved_minor:
            decisions.append(relieved(state))
        else:
            continue
        state = after(state, decisions[-1])
    books = moved(*decisions)
    assert sum(books.values()) == 0
    assert books.get("write-off", 0) == state.written_off_minor - state.relieved_minor
    assert books.get("tax-relief", 0) == state.relieved_minor
    assert books.get("customer-credit", 0) == -state.above_minor
    assert 0 <= state.relieved_minor <= state.written_off_minor


def test_the_claim_is_called_off_where_all_came_before() -> None:
    """Nothing is asked back of a debt that was paid."""
    state = after(owed(), written_off(owed()))
    work = INVOICE.work(after(state, pays(state, 2399)), STREAM, "", debts.RELIEF, BOOK)
    assert [event.type_name for event in debts.nothing_written_off(work, MONDAY).events] == ["step.cancelled"]
    assert not debts.nothing_written_off(INVOICE.work(state, STREAM, "", debts.RELIEF, BOOK), MONDAY)


def test_the_last_stage_places_the_debt_and_gives_it_up_each_invoice_once() -> None:
    """billing.md 6.6: agency / write-off (+90). A later bill of the account follows on its own ninetieth day."""
    owing = Owing().owes(5_000).until(40).owes(700, "INV-2", due=40).until(200)
    placed = [(day, [one.invoice for one in event.invoices]) for day, event in owing.told(DebtPlaced) if isinstance(event, DebtPlaced)]
    due = [(day, [one.invoice for one in event.invoices]) for day, event in owing.told(DebtGivenUp) if isinstance(event, DebtGivenUp)]
    assert placed == due == [(90, ["INV-1"]), (130, ["INV-2"])]
    assert owing.state.placed == {"INV-1": "Example Collections Ltd", "INV-2": "Example Collections Ltd"}


def test_a_debt_with_an_agency_is_held_from_our_own_collections() -> None:
    """No notice, and no promise, which the agency takes; paid, it is ours again."""
    stages = (Stage("agency", 90, "agency"), Stage("final-notice", 10, "warn"), Stage("reminder", 3, "remind"))
    owing = Owing(stages=stages).owes(5_000).until(120)
    assert owing.days(Reminded) == [3]
    with pytest.raises(Refused, match="the debt is with Example Collections Ltd"):
        owing.promises(500, days=5)
    assert owing.pays().state.placed == {}
    assert owing.told(DebtGivenUp) == []


def test_nothing_is_given_up_while_collections_are_held() -> None:
    """In dispute on the ninetieth day; settled for us on the hundredth, it is given up then."""
    owing = Owing().owes(5_000).until(80).holds("dispute").until(100)
    assert owing.told(DebtPlaced, DebtGivenUp) == []
    assert owing.releases("dispute").until(101).days(DebtGivenUp) == [100]


def test_the_reaction_writes_off_each_invoice_that_is_named() -> None:
    """On its own stream, what is still open of it then."""
    due = DebtGivenUp.model_validate(DebtGivenUp.example)
    fact = Fact("collection-BA-1001", 4, due, "e", MONDAY, "engine", "engine", "c")
    [effect] = WRITTEN_OFF.effects(fact)
    assert isinstance(effect, DecideOn)
    assert effect.stream == STREAM
    part = after(owed(), pays(owed(), 399))
    [event, *_] = effect.rule(part, MONDAY, BOOK).events
    assert event == InvoiceWrittenOff(amount_minor=2000)
    assert isinstance(relieved(after(part, written_off(part))).events[0], TaxRelieved)
