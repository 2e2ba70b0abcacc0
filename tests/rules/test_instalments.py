"""Instalments: laws of sharing a price out, of what a bill has and of what settles it."""

from datetime import date

import hypothesis
import hypothesis.strategies as st
import pytest

from o2c.instalments.events import InstalmentBilled, InstalmentsAgreed, SettlementAsked
from o2c.instalments.rules import due, settlement_minor
from o2c.instalments.state import Agreement, shares_of, stood
from o2c.kernel.money import minor_units
from o2c.kernel.periods import next_month
from o2c.ledger.postings import postings_of

COUNTS = st.integers(min_value=1, max_value=60)
PRICES = st.integers(min_value=0, max_value=10**9)
CURRENCIES = st.sampled_from(["GBP", "EUR", "JPY", "KWD", "CLP"])
RUNS = st.integers(min_value=1, max_value=28)


def agreement(total_minor: int, count: int, agreed_on: str = "2026-01-07") -> Agreement:
    return Agreement("o-1", "1", "lark-9", "BA-1-20260107-G1", total_minor, count, agreed_on)


@pytest.mark.parametrize(
    ("total_minor", "count", "shares"),
    [
        pytest.param(59900, 24, (2496,) * 20 + (2495,) * 4, id="599.00 GBP in 24"),
        pytest.param(59900, 36, (1664,) * 32 + (1663,) * 4, id="599.00 GBP in 36"),
        pytest.param(10, 3, (4, 3, 3), id="0.10 in 3"),
        pytest.param(89900, 7, (12843,) * 6 + (12842,), id="89,900 JPY in 7"),
        pytest.param(2, 3, (1, 1, 0), id="less than one each"),
        pytest.param(59900, 1, (59900,), id="once"),
    ],
)
def test_the_first_instalments_bear_what_cannot_be_shared_out(total_minor: int, count: int, shares: tuple[int, ...]) -> None:
    """Largest remainder, and of equal remainders the first (billing facts, section 6.4)."""
    assert shares_of(total_minor, count) == shares


@hypothesis.given(total_minor=PRICES, count=COUNTS, currency=CURRENCIES)
def test_instalments_sum_to_the_price_whatever_it_is(total_minor: int, count: int, currency: str) -> None:
    """In every currency, whole minor units: none is lost, no two differ by more than one, and none is higher than the one before it."""
    shares = shares_of(total_minor, count)
    assert (sum(shares), len(shares), minor_units(currency) >= 0) == (total_minor, count, True)
    assert max(shares) - min(shares) <= 1
    assert list(shares) == sorted(shares, reverse=True)


@hypothesis.given(total_minor=PRICES, count=COUNTS, cycle=RUNS, settled_after=st.integers(min_value=0, max_value=70))
def test_what_bills_have_and_what_settles_make_up_the_price_at_any_time(
    total_minor: int, count: int, cycle: int, settled_after: int
) -> None:
    """Bill by bill: billed and left are the whole; the figure that was told before for a day is what is left on it; after the last, nothing."""
    known = {"o-1/1": agreement(total_minor, count)}
    whose = {"account": "BA-1", "customer": "C-1", "currency": "GBP", "order": "o-1", "item": "1"}
    run_on, billed_minor = next_month(date(2026, 1, 7), cycle), 0
    foretold = {}
    for turn in range(count + 3):
        one = known["o-1/1"]
        if turn == settled_after and one.left_minor:
            asked = SettlementAsked(**whose, amount_minor=one.left_minor, asked_on=run_on.isoformat())
            assert billed_minor + asked.amount_minor == total_minor
            known = stood(known, asked)
            assert settlement_minor(known["o-1/1"], run_on, next_run="") == 0
        if found := due(known["o-1/1"], run_on):
            number, amount_minor = found
            more = {"invoice": f"BA-1-{turn}", "billed_on": run_on.isoformat()}
            known = stood(known, InstalmentBilled(**whose, number=number, amount_minor=amount_minor, **more))
            billed_minor += amount_minor
        one, after = known["o-1/1"], next_month(run_on, cycle)
        if not one.settled_on:
            assert billed_minor + one.left_minor == total_minor
            assert settlement_minor(one, run_on, next_run=after.isoformat()) == one.left_minor == foretold.get(run_on, one.left_minor)
            foretold[after] = settlement_minor(one, after, next_run=after.isoformat())
        run_on = after
    assert known["o-1/1"].left_minor == 0


def test_an_agreement_is_billed_from_the_day_after_delivery_on() -> None:
    """A bill of the day of delivery has none yet; events of another agreement, or of none, change nothing."""
    one = agreement(59900, 24)
    assert (due(one, date(2026, 1, 7)), due(one, date(2026, 1, 8))) == (None, (1, 2496))
    assert settlement_minor(one, date(2026, 1, 6), next_run="2026-01-08") == 0
    assert stood({}, SettlementAsked(**SettlementAsked.example)) == {}
    assert list(stood({}, InstalmentsAgreed(**InstalmentsAgreed.example))) == ["6f9619ff-8b86-5d01-b42d-00cf4fc964ff/2"]


@hypothesis.given(net_minor=st.integers(min_value=1, max_value=10**8), count=COUNTS)
def test_the_debt_moves_from_one_receivable_to_the_other_and_sums_to_nothing(net_minor: int, count: int) -> None:
    """Whole at delivery, then with each bill: every posting group is zero, the debt of instalments ends at nothing and the customer's is the price."""
    tax_minor = net_minor // 5
    goods = {"tax_group": "standard", "from_day": "2026-01-07", "to_day": "2026-01-07", "net_minor": net_minor}
    total_minor = net_minor + tax_minor
    told = [
        ("invoice.issued", {"total_minor": total_minor, "tax_minor": tax_minor, "net_minor": net_minor, "lines": [goods]}),
        ("invoice.put-on-instalments", {"of_open_minor": total_minor}),
        *(
            (
                "invoice.issued",
                {
                    "total_minor": part,
                    "tax_minor": 0,
                    "net_minor": part,
                    "lines": [{**goods, "tax_group": "instalment", "net_minor": part}],
                },
            )
            for part in shares_of(total_minor, count)
        ),
    ]
    stands: dict[str, int] = {}
    for name, body in told:
        group = postings_of(name, body)
        assert sum(posting.amount_minor for posting in group) == 0
        for posting in group:
            stands[posting.account] = stands.get(posting.account, 0) + posting.amount_minor
    assert {name: minor for name, minor in stands.items() if minor} == {
        name: minor for name, minor in {"receivable": total_minor, "revenue": -net_minor, "tax": -tax_minor}.items() if minor
    }
