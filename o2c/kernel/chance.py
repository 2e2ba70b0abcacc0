"""Chance without a generator: every draw is a hash of what it is for, so the same seed gives the same run in any order."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_DRAW_BITS = 53
# Percents are written by people in decimals, which binary sums miss by a hair.
_PERCENT_SLACK = 1e-9


def draw(seed: int, key: str, attempt: int, what: str) -> float:
    """A number in [0, 1), evenly spread over keys, attempts and purposes and always the same for the same arguments."""
    content = hashlib.sha256(json.dumps((seed, key, attempt, what)).encode()).digest()
    return (int.from_bytes(content[:8], "big") >> (64 - _DRAW_BITS)) / (1 << _DRAW_BITS)


def pick(seed: int, key: str, attempt: int, what: str, table: Sequence[tuple[T, float]]) -> T:
    """Draw one entry of a table of (entry, percent); the first entry gets the rest of 100 percent.

    ValueError for an empty table, a percent that is negative or no number, and percents that sum above 100.
    """
    weights = [percent for _, percent in table]
    if not table or not all(percent >= 0 for percent in weights):
        raise ValueError(f"chances for {what!r} must be at least one and none below zero")
    if math.fsum(weights) > 100 + _PERCENT_SLACK:
        raise ValueError(f"chances for {what!r} sum above 100 percent")
    point = draw(seed, key, attempt, what) * 100
    edge = 0.0
    for entry, percent in table[1:]:
        edge += percent
        if point < edge:
            return entry
    return table[0][0]


def jitter(seed: int, key: str, attempt: int, share: float = 0.1) -> float:
    """A factor in [1 - share, 1 + share) to spread waiting times by. ValueError unless 0 <= share <= 1."""
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {share} is not between 0 and 1")
    return 1 + share * (2 * draw(seed, key, attempt, "jitter") - 1)
