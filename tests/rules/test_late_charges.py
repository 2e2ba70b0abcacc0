"""What bills charge for late payment: each day of each invoice once, whatever is paid in parts and when, and no more than is owed as it turns out."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from o2c.collections.interest import claim_of
from o2c.kernel.arrears import Cause
from o2c.kernel.lateness import LateCharged, LateOvercharged
from o2c.kernel.money import half_up
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from tests.owing import DUE_ON, Owing

THOUSAND = 100_000
LATE = GB.collections.late_interest
DUTCH = NL.collections.late_interest


def day(after: int) -> str:
    return (DUE_ON + timedelta(days=after)).isoformat()


def late(minor: int = THOUSAND, **collections: Any) -> Owing:
    """A business whose invoice was due on 22 January 2026, at 11.75 % a year."""
    return Owing(**collections).owes(minor, business=True)


def amounts(charged: list[LateCharged]) -> list[tuple[int, int, int]]:
    """Days, interest and fixed sum of each charge."""
    return [(each.days, each.interest_minor, each.fixed_minor) for each in charged]


def too_much(owing: Owing) -> list[tuple[str, int, int]]:
    return [
        (event.bill, event.interest_minor, event.fixed_minor)
        for _, event in owing.told(LateOvercharged)
        if isinstance(event, LateOvercharged)
    ]


def test_each_bill_charges_the_days_since_the_one_before_it() -> None:
    """1,000.00 at 11.75 % are 23.50 for 73 days: 5.47 for the 17 days up to the bill of 9 February, 9.01 for the next 28, 9.02 for 28 more; 70.00 once."""
    owing = late()

    assert amounts(owing.bills(18)) == [(17, 547, 7_000)]
    assert amounts(owing.bills(18)) == [], "a bill of the same day has nothing more"
    [second] = owing.bills(46)
    assert (second.from_day, second.to_day, second.days, second.interest_minor, second.fixed_minor) == (day(18), day(46), 28, 902, 0)
    assert [each.interest_minor for each in owing.bills(74)] == [2_350 - 547 - 902]
    assert second.rates[0].percent == "11.75"


def test_nothing_is_charged_on_the_due_day_nor_to_somebody_who_is_no_business() -> None:
    """Late Payment of Commercial Debts (Interest) Act 1998, s. 2 and 4."""
    assert (late().bills(0), late().bills(1)) == ([], [])
    assert Owing().owes(THOUSAND).bills(30) == []


def test_money_that_had_come_earlier_is_credited() -> None:
    """A bill charged 17 days; then a transfer is recorded that had arrived on the 10th: seven of them are credited, and no bill has one more."""
    owing = late()
    owing.bills(18)
    owing.pays(0, business=True, paid_on=day(10))

    assert too_much(owing) == [("BILL-18", 547 - 322, 0)]
    assert owing.bills(100) == []


def test_a_credited_invoice_was_never_late() -> None:
    """All of it: all is credited, on both bills, the last one first. A half, and the fixed sum is that of the smaller debt."""
    whole, half = late(), late()
    for owing in (whole, half):
        owing.bills(18)
        owing.bills(46)
    whole.owes(0, cause="credit", business=True, credited_minor=THOUSAND)
    half.owes(50_000, cause="credit", business=True, credited_minor=50_000)

    assert too_much(whole) == [("BILL-46", 902, 0), ("BILL-18", 547, 7_000)]
    assert too_much(half) == [("BILL-46", 725, 0), ("BILL-18", 0, 3_000)]
    assert amounts(half.bills(74)) == [(28, 1_175 - (1_449 - 725), 0)]


def test_what_is_charged_for_late_payment_bears_no_interest() -> None:
    """Simple interest (s. 1): of an invoice of 1,000.00 of which 70.00 are themselves charged for late payment, 930.00 bear it; what is paid pays these first,
    and crediting the 70.00 changes nothing of it."""
    owing = late(THOUSAND - 7_000)
    mixed = Owing().owes(THOUSAND, business=True, claims_minor=7_000)
    assert amounts(mixed.bills(18)) == amounts(owing.bills(18))

    mixed.owes(93_000, cause="credit", business=True, credited_minor=0, claims_minor=0)
    assert too_much(mixed) == []
    left = Owing().owes(THOUSAND, business=True, claims_minor=7_000).pays(7_000, business=True, claims_minor=7_000, paid_on=day(10))
    assert amounts(left.bills(60))[0][0] == 10


def test_days_that_a_bill_has_are_reckoned_at_its_rate_for_good() -> None:
    """The market learns another reference rate for the same day after a bill charged: nothing of that bill is wrong by it, and the debt keeps its rate; days
    of another half-year in the Netherlands do not."""
    assert LATE
    assert DUTCH
    for rules, second in ((LATE, 902), (DUTCH, None)):
        owing = late(late_interest=rules)
        owing.bills(18)
        raised = replace(rules, rates=((date(2020, 1, 1), Decimal(20)),))
        owing.book = type(owing.book)(owing.book.catalogue, owing.book.steps)
        object.__setattr__(owing.book, "of", replace(GB, collections=replace(GB.collections, late_interest=raised)))
        owing.owes(THOUSAND, cause="dispute", business=True)
        [charged] = owing.bills(46)
        assert too_much(owing) == []
        assert second in (None, charged.interest_minor)
    later = owing.bills(200)[0]
    assert [rate.percent for rate in later.rates] == ["10.15", "28"], "the first half-year as it was billed, the second as it is known now"


CHANGES = st.lists(
    st.tuples(
        st.integers(1, 90), st.sampled_from(("payment", "credit", "chargeback", "bill", "bill")), st.integers(1, 60_000), st.integers(0, 20)
    ),
    max_size=14,
)


@given(changes=CHANGES, rules=st.sampled_from((LATE, DUTCH)))
def test_bills_charge_each_day_once_whatever_is_paid_in_parts_and_when(changes: list[tuple[int, str, int, int]], rules: Any) -> None:
    """Bills on any days, between money that came on the day or had come before, credits and chargebacks: what all of them charged, without what was too much,
    is what is owed for all days before the last, reckoned day by day; the days of two bills do not meet; and no bill gives back more than it charged."""
    causes: dict[str, Cause] = {"payment": "payment", "credit": "credit"}
    owing, open_minor, now, last = late(late_interest=rules), THOUSAND, 0, 0
    moved: list[tuple[int, int]] = []
    charged: list[LateCharged] = []
    for more, what, most_minor, ago in changes:
        now += more
        if what == "bill":
            charged, last = charged + owing.bills(now), now
        elif what == "chargeback":
            open_minor += most_minor
            owing.owes(open_minor, cause="chargeback", business=True, due=now)
            moved.append((now, most_minor))
        elif minor := min(most_minor, open_minor):
            open_minor -= minor
            came = max(now - ago, 0)
            owing.owes(open_minor, cause=causes[what], business=True, paid_on=day(came), credited_minor=minor)
            moved.append((0 if what == "credit" else came, -minor))

    interest, first = Fraction(), None
    for number in range(1, last):
        if (left := THOUSAND + sum(minor for when, minor in moved if when < number)) > 0:
            of = DUE_ON + timedelta(days=number)
            first = first or of
            interest += left * Fraction(rules.percent_on(of if rules.follows else first)) / 36_500
    back = too_much(owing)
    assert sum(each.interest_minor for each in charged) - sum(minor for _, minor, _ in back) == half_up(interest)
    spans = sorted((each.from_day, each.to_day) for each in charged)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    for each in charged:
        assert sum(minor for bill, minor, _ in back if bill == each.bill) <= each.interest_minor
    left = owing.state.late["INV-1"]
    claim = claim_of(left, rules, "GBP", DUE_ON + timedelta(days=last - 1)) if last else None
    assert left.billed_minor == ((claim.interest_minor, claim.fixed_minor) if claim else (0, 0))
