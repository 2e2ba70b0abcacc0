"""Chance is a hash of what it is for: repeatable, in range, and as frequent as the table says."""

from collections import Counter

import hypothesis
import pytest
from hypothesis import strategies

from o2c.kernel.chance import draw, jitter, pick

KEYS = 20_000
seeds = strategies.integers(min_value=0, max_value=2**63)
attempts = strategies.integers(min_value=1, max_value=100)


def test_a_draw_is_the_same_for_ever() -> None:
    """A recorded simulation depends on this exact value."""
    assert draw(7, "order-1", 1, "credit") == 0.48804797075430273


@hypothesis.given(seeds, strategies.text(), attempts, strategies.text())
def test_a_draw_is_repeatable_and_in_range(seed: int, key: str, attempt: int, what: str) -> None:
    """The same arguments give the same number, from zero up to but not including one."""
    first = draw(seed, key, attempt, what)
    assert 0 <= first < 1
    assert draw(seed, key, attempt, what) == first


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((8, "order-1", 1, "credit"), id="seed"),
        pytest.param((7, "order-2", 1, "credit"), id="key"),
        pytest.param((7, "order-1", 2, "credit"), id="attempt"),
        pytest.param((7, "order-1", 1, "courier"), id="purpose"),
        pytest.param((71, "order-1", 1, "credit"), id="digits-moved"),
    ],
)
def test_every_argument_changes_the_draw(other: tuple[int, str, int, str]) -> None:
    """Seed, key, attempt and purpose each count."""
    assert draw(*other) != draw(7, "order-1", 1, "credit")


def test_draws_spread_evenly() -> None:
    """Each tenth of the range gets about a tenth of the keys."""
    tenths = Counter(int(draw(1, f"order-{n}", 1, "credit") * 10) for n in range(KEYS))
    assert all(abs(count / KEYS - 0.1) < 0.01 for count in tenths.values())
    assert len(tenths) == 10


def test_entries_come_as_often_as_their_percents() -> None:
    """What the percents leave of a hundred goes to the first entry."""
    table = [("done", 0.0), ("refused", 12.0), ("failed", 3.0), ("unknown", 0.5)]
    seen = Counter(pick(1, f"order-{n}", 1, "porting", table) for n in range(KEYS))
    for entry, percent in [("done", 84.5), ("refused", 12.0), ("failed", 3.0), ("unknown", 0.5)]:
        assert abs(seen[entry] / KEYS * 100 - percent) < 1, entry


def test_a_second_attempt_is_drawn_afresh() -> None:
    """Of the keys that fell out once, only the table's share falls out again."""
    table = [("done", 0.0), ("failed", 30.0)]
    fallen = [key for key in map(str, range(KEYS)) if pick(1, key, 1, "porting", table) == "failed"]
    again = [key for key in fallen if pick(1, key, 2, "porting", table) == "failed"]
    assert abs(len(again) / len(fallen) - 0.3) < 0.03


@hypothesis.given(seeds, strategies.text())
def test_certain_and_impossible_entries(seed: int, key: str) -> None:
    """A hundred percent always comes, nought never does, and the first entry's own percent changes nothing."""
    assert pick(seed, key, 1, "x", [("first", 0.0), ("always", 100.0)]) == "always"
    assert pick(seed, key, 1, "x", [("first", 0.0), ("never", 0.0)]) == "first"
    assert pick(seed, key, 1, "x", [("a", 60.0), ("b", 40.0)]) == pick(seed, key, 1, "x", [("a", 0.0), ("b", 40.0)])


@pytest.mark.parametrize(
    "percents",
    [
        pytest.param([60.0, 40.1], id="above-a-hundred"),
        pytest.param([101.0], id="first-alone-above-a-hundred"),
        pytest.param([110.0, -20.0], id="negative"),
        pytest.param([0.0, float("nan")], id="nan"),
        pytest.param([0.0, float("inf")], id="infinite"),
        pytest.param([], id="empty"),
    ],
)
def test_a_table_that_is_no_distribution_is_refused(percents: list[float]) -> None:
    """Percents are non-negative numbers that sum to a hundred at most, and somebody must be first."""
    with pytest.raises(ValueError, match="chances for 'x'"):
        pick(1, "order-1", 1, "x", list(enumerate(percents)))


def test_percents_in_decimals_may_sum_to_a_hundred() -> None:
    """Binary fractions a hair above a hundred are a hundred."""
    assert pick(1, "order-1", 1, "x", [(n, 100 / 7 + 1e-12) for n in range(7)]) in range(7)


@hypothesis.given(seeds, strategies.text(), attempts, strategies.floats(min_value=0, max_value=1))
def test_jitter_stays_within_its_share(seed: int, key: str, attempt: int, share: float) -> None:
    """A waiting time moves by its share at most, either way."""
    assert 1 - share <= jitter(seed, key, attempt, share) <= 1 + share


def test_jitter_goes_both_ways_and_averages_out() -> None:
    """Over many keys the factor covers its range and its mean is one."""
    factors = [jitter(1, str(n), 1) for n in range(KEYS)]
    assert min(factors) < 0.905
    assert max(factors) > 1.095
    assert abs(sum(factors) / KEYS - 1) < 0.002


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_could_turn_time_back_is_refused(share: float) -> None:
    """A factor below zero is no waiting time."""
    with pytest.raises(ValueError, match="not between 0 and 1"):
        jitter(1, "order-1", 1, share)
