"""The money that an account holds: by lots, the oldest used first, and none of it lost."""

from collections.abc import Sequence
from typing import Any

import hypothesis
from hypothesis import strategies as st

from o2c.balance.state import Balance, Lot, moved, oldest, parts_used
from o2c.kernel.balances import CreditReceived, CreditUsed, DepositFreed, DepositKept, MoneyReturned, OfBalance

OF = {"account": "BA-1", "customer": "C-1", "currency": "GBP"}
AMOUNTS = st.integers(1, 5_000)


def held(events: Sequence[OfBalance]) -> Balance:
    balance = Balance()
    for event in events:
        balance = moved(balance, event)
    return balance


def credit(amount_minor: int, invoice: str = "BA-1-20260108", method: str = "card") -> CreditReceived:
    return CreditReceived.model_validate({**OF, "amount_minor": amount_minor, "invoice": invoice, "method": method, "reference": "PMT-1"})


def test_a_bill_uses_the_oldest_credit_first_and_says_what_it_is_made_of() -> None:
    """3.00 from January and 5.00 from February: a bill of 4.00 uses all of January's and 1.00 of February's."""
    balance = held([credit(300, "BA-1-20260108"), credit(500, "BA-1-20260208", "direct-debit")])

    assert [(part.origin, part.of, part.amount_minor) for part in parts_used(balance, 400)] == [
        ("invoice", "BA-1-20260108", 300), ("invoice", "BA-1-20260208", 100),
    ]  # fmt: skip
    used = moved(balance, CreditUsed.model_validate({**OF, "amount_minor": 400, "invoice": "BA-1-20260308"}))
    assert used.credits == (Lot("invoice", "BA-1-20260208", 400, "direct-debit", "PMT-1"),)


def test_a_deposit_keeps_the_way_in_which_it_came() -> None:
    """Freed as a credit it is a lot of its own, after what came before, by the method by which it came."""
    of_order = {**OF, "amount_minor": 10_000, "order": "o-1"}
    kept = held([credit(300), DepositKept.model_validate({**of_order, "method": "card"})])
    freed = moved(kept, DepositFreed.model_validate({**of_order, "becomes": "credit"}))

    assert (kept.credit_minor, kept.deposits) == (300, {"o-1": 10_000})
    assert freed.credits[1:] == (Lot("deposit", "o-1", 10_000, "card"),)
    assert (freed.returnable_minor, freed.deposits) == (10_300, {})


@st.composite
def sensible(draw: st.DrawFn) -> list[OfBalance]:
    """A history in which nobody takes more than there is."""
    events: list[OfBalance] = []
    for number in range(draw(st.integers(1, 12))):
        balance = held(events)
        may = ["credit", "deposit", *(["use", "return"] if balance.returnable_minor else [])]
        body: dict[str, Any] = {**OF, "amount_minor": draw(AMOUNTS)}
        match draw(st.sampled_from(may)):
            case "credit":
                events.append(credit(body["amount_minor"], f"I-{number}"))
            case "deposit":
                becomes = draw(st.sampled_from(["credit", "owed"]))
                events.append(DepositKept.model_validate({**body, "order": f"o-{number}"}))
                events.append(DepositFreed.model_validate({**body, "order": f"o-{number}", "becomes": becomes}))
            case "use" if balance.credit_minor:
                amount_minor = draw(st.integers(1, balance.credit_minor))
                events.append(CreditUsed.model_validate({**OF, "amount_minor": amount_minor, "invoice": f"I-{number}"}))
            case _ if balance.returnable_minor:
                amount_minor = draw(st.integers(1, balance.returnable_minor))
                returned = {"method": "bank-transfer", "remittance": "T", "returned_on": "2026-01-20"}
                of_owed_minor = min(amount_minor, balance.owed_minor)
                events.append(
                    MoneyReturned.model_validate({**OF, **returned, "amount_minor": amount_minor, "of_owed_minor": of_owed_minor})
                )
    return events


@hypothesis.given(history=sensible())
@hypothesis.settings(max_examples=60)
def test_money_is_conserved_by_lots(history: list[OfBalance]) -> None:
    """What came is what is held and what went; every lot is worth something, and lots of one kind stand in the order in which they came."""
    came = sum(event.amount_minor for event in history if isinstance(event, CreditReceived | DepositFreed))
    went = sum(event.amount_minor for event in history if isinstance(event, CreditUsed | MoneyReturned))
    balance = held(history)

    assert balance.returnable_minor == came - went
    assert all(lot.amount_minor > 0 for lot in (*balance.credits, *balance.owed))
    order = [event.invoice if isinstance(event, CreditReceived) else getattr(event, "order", "") for event in history]
    for lots in (balance.credits, balance.owed):
        places = [order.index(lot.of) for lot in lots]
        assert places == sorted(places)


@hypothesis.given(history=sensible(), amount_minor=st.integers(0, 100_000))
@hypothesis.settings(max_examples=60)
def test_the_parts_of_what_is_used_sum_to_it(history: list[OfBalance], amount_minor: int) -> None:
    """A bill is told of parts that sum to what it uses, never more than there is, and what is left then is the rest."""
    balance = held(history)
    used = sum(part.amount_minor for part in parts_used(balance, amount_minor))

    assert used == min(amount_minor, balance.credit_minor) == sum(lot.amount_minor for lot in oldest(balance.credits, amount_minor))
    if used:
        left = moved(balance, CreditUsed.model_validate({**OF, "amount_minor": used, "invoice": "I"}))
        assert left.credit_minor == balance.credit_minor - used
        assert left.owed == balance.owed
