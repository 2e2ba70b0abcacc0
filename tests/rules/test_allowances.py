"""Included units: granted by period, used in one fixed order, carried over within bounds, and never more than there were."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.periods import Period
from o2c.rating.allowances import Grant, carried, granted, rolled_over, used
from o2c.rating.tariff import Allowance

JANUARY, FEBRUARY, MARCH = date(2026, 1, 8), date(2026, 2, 8), date(2026, 3, 8)
PERIOD = Period(JANUARY, FEBRUARY)
LINE, OTHER = "order-1/1", "order-1/2"


def allowance(**fields: Any) -> Allowance:
    return Allowance.model_validate({"name": "messages", "usage": ["sms"], "unit": "message", "quantity": "100", **fields})


def grant(left: int = 100, owner: str = LINE, ends: date = FEBRUARY, created: date = JANUARY, **fields: Any) -> Grant:
    return Grant(owner, allowance(**fields), Fraction(left), JANUARY, ends, created)


def use(grants: tuple[Grant, ...], quantity: int, owner: str = LINE, on: date = JANUARY) -> tuple[list[int], int]:
    after, beyond = used(grants, owner, "sms", "national", on, Fraction(quantity))
    return [int(one.left) for one in after], int(beyond)


@pytest.mark.parametrize(
    ("left", "low", "high", "over"),
    [
        pytest.param(90, 0, 50, 50, id="O2-grant-100-use-10-maximum-50"),
        pytest.param(30, 0, 50, 30, id="less-than-the-maximum"),
        pytest.param(10, 20, 50, 20, id="brought-up-to-the-minimum"),
        pytest.param(0, 0, 0, 0, id="nothing-left"),
        pytest.param(90, 0, 0, 0, id="no-rollover"),
    ],
)
def test_what_is_left_is_carried_over_within_bounds(left: int, low: int, high: int, over: int) -> None:
    """At the end of a period (billing facts, section 6.3, O2)."""
    assert rolled_over(Fraction(left), Fraction(low), Fraction(high)) == over
    kept = carried((grant(left, rollover_min=str(low), rollover_max=str(high)),), FEBRUARY)
    assert [(int(one.left), one.starts, one.ends) for one in kept] == ([(over, FEBRUARY, MARCH)] if over else [])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(grant(priority=1, ends=MARCH), grant(priority=2), id="O4-the-lower-priority-number"),
        pytest.param(grant(ends=FEBRUARY, created=FEBRUARY), grant(ends=MARCH, created=JANUARY), id="O4-then-the-earlier-end"),
        pytest.param(grant(created=JANUARY), grant(created=FEBRUARY), id="O4-then-the-earlier-creation"),
    ],
)
def test_the_order_in_which_grants_are_used(first: Grant, second: Grant) -> None:
    """Whatever the order in which they are listed (billing facts, section 6.3, O4)."""
    assert use((first, second), 130) == ([0, 70], 0)
    assert use((second, first), 130) == ([70, 0], 0)


def test_what_no_grant_covers_is_left_to_the_price() -> None:
    """The rest of a record, or all of it where a grant is not for it."""
    assert use((grant(30),), 50) == ([0], 20)
    assert use((grant(owner=OTHER),), 50) == ([100], 50)
    assert use((grant(owner=OTHER, shared=True),), 50) == ([50], 0)
    assert use((grant(),), 50, on=FEBRUARY) == ([100], 50)
    assert use((grant(zones=["europe"]),), 50) == ([100], 50)


def test_a_grant_is_in_base_units_and_by_days_where_it_says_so() -> None:
    """Ten gigabytes for the fifteen days of 31 from 24 January; whole where it is not prorated."""
    data = allowance(usage=["data"], unit="GB", quantity="10")
    assert granted(LINE, data, PERIOD, from_day=date(2026, 1, 24)).left == 10**10
    part = granted(LINE, data.model_copy(update={"prorated": True}), PERIOD, from_day=date(2026, 1, 24))
    assert (part.left, part.starts, part.ends) == (Fraction(15, 31) * 10**10, date(2026, 1, 24), FEBRUARY)


def test_a_grant_may_last_for_several_periods() -> None:
    """It goes on as it is, and is carried over at its own end."""
    long = granted(LINE, allowance(periods=2, rollover_max="5"), PERIOD)
    assert long.ends == MARCH
    assert carried((long,), FEBRUARY) == (long,)
    assert [int(one.left) for one in carried((long,), MARCH)] == [5]


def test_rollovers_do_not_pile_up() -> None:
    """What was carried before and what is left now are carried over together, up to the maximum."""
    before = replace(grant(40, rollover_max="50"), created=date(2025, 12, 8))
    assert [int(one.left) for one in carried((before, grant(60, rollover_max="50")), FEBRUARY)] == [50]


grants_of = st.lists(
    st.builds(
        grant,
        st.integers(0, 200),
        owner=st.sampled_from([LINE, OTHER]),
        ends=st.sampled_from([FEBRUARY, MARCH]),
        created=st.dates(date(2025, 11, 1), JANUARY),
        priority=st.integers(0, 3),
        shared=st.booleans(),
    ),
    max_size=5,
).map(tuple)


@hypothesis.given(grants_of, st.integers(0, 900), st.sampled_from([LINE, OTHER]))
def test_units_are_conserved(grants: tuple[Grant, ...], quantity: int, owner: str) -> None:
    """What a record takes from grants and what it leaves beyond them is what was used; no grant goes below zero or up."""
    after, beyond = used(grants, owner, "sms", "national", JANUARY, Fraction(quantity))
    assert sum(one.left for one in grants) - sum(one.left for one in after) == quantity - beyond
    assert all(0 <= new.left <= old.left for new, old in zip(after, grants, strict=True))


@hypothesis.given(grants_of, st.integers(0, 400), st.integers(0, 400))
def test_two_records_use_what_one_of_both_would(grants: tuple[Grant, ...], one: int, other: int) -> None:
    """How usage is cut into records changes nothing."""
    step, first = used(grants, LINE, "sms", "national", JANUARY, Fraction(one))
    after, second = used(step, LINE, "sms", "national", JANUARY, Fraction(other))
    whole, beyond = used(grants, LINE, "sms", "national", JANUARY, Fraction(one + other))
    assert (after, first + second) == (whole, beyond)


def test_a_quantity_below_a_unit_is_exact() -> None:
    """Fractions of a unit are used and left as they are."""
    after, beyond = used((grant(1),), LINE, "sms", "national", JANUARY, Fraction(Decimal("0.3")))
    assert (after[0].left, beyond) == (Fraction(7, 10), 0)


POOL = (LINE, OTHER, "order-1/3")


def covered(pool: Grant, *uses: tuple[str, int]) -> tuple[Grant, dict[str, int]]:
    """A pool after lines used of it one after another, and how much of it each line had."""
    grants, had = (pool,), dict.fromkeys(POOL, 0)
    for owner, quantity in uses:
        grants, beyond = used(grants, owner, "sms", "national", JANUARY, Fraction(quantity))
        had[owner] += quantity - int(beyond)
    return grants[0], had


def test_a_pool_that_one_line_drains_leaves_nothing_to_the_others() -> None:
    """What polarsource/polar #9068 complains of is how a pool without a limit works: whoever uses it first has it. With one, each line has its share."""
    uses = [(LINE, 100), (OTHER, 20), ("order-1/3", 30)]
    assert covered(grant(90, shared=True), *uses)[1] == {LINE: 90, OTHER: 0, "order-1/3": 0}
    assert covered(grant(90, shared=True, line_max="30"), *uses)[1] == {LINE: 30, OTHER: 20, "order-1/3": 30}


def test_what_one_line_can_use_of_a_pool_is_by_the_bill_period() -> None:
    """A pool of two periods: a line that had its share has it again in the next one, of what is left."""
    pool, _ = covered(grant(90, ends=MARCH, shared=True, line_max="30", periods=2), (LINE, 50))
    [next_period] = carried((pool,), FEBRUARY)
    assert (pool.room(LINE), next_period.room(LINE), next_period.left) == (0, 30, 60)
    [over] = carried((grant(90, shared=True, line_max="30", rollover_max="20").less(LINE, Fraction(30)),), FEBRUARY)
    assert over.room(LINE) == 20


def test_only_a_pool_has_a_limit_for_a_line() -> None:
    """A price list that says otherwise is not understood."""
    with pytest.raises(ValueError, match="say shared as well"):
        allowance(line_max="30")


@hypothesis.given(st.lists(st.tuples(st.sampled_from(POOL), st.integers(0, 60)), max_size=12))
def test_no_line_is_kept_from_its_share(uses: list[tuple[str, int]]) -> None:
    """Of a pool that holds a share for each line, every line has what it uses up to its share, whatever the others do before it; units are conserved."""
    pool, had = covered(grant(90, shared=True, line_max="30"), *uses)
    assert had == {owner: min(sum(quantity for of, quantity in uses if of == owner), 30) for owner in POOL}
    assert pool.left == 90 - sum(had.values())
