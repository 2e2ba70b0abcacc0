"""The law of the rank: the queue's SQL and the stated function say the same of every fallout."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import hypothesis
import psycopg
import pytest
from hypothesis import strategies as st

from o2c.fallout.codes import packaged
from projections.ranking import RANK, rank

TODAY = date(2026, 1, 5)
TIERS = packaged().newest.tiers
RANKED = f"""SELECT {RANK} AS rank FROM jsonb_to_recordset(%(rows)s::jsonb)
AS f(priority integer, tier text, category text, promised_on date, place bigint) ORDER BY f.place"""
"""The rank of each of some rows, in their order. Parameters: `rows`, and those of `RANK`."""
days = st.one_of(st.none(), st.integers(-400, 400).map(lambda n: TODAY + timedelta(days=n)))
words = st.sampled_from(("", "gold", *TIERS))
row = st.fixed_dictionaries({"priority": st.integers(0, 4), "tier": words, "category": words, "promised_on": days})


def in_sql(dsn: str, rows: list[Mapping[str, Any]], tiers: Mapping[str, int]) -> list[int]:
    told = json.dumps([{**row, "place": place} for place, row in enumerate(rows)], default=str)
    with psycopg.connect(dsn) as connection:
        found = connection.execute(RANKED, {"rows": told, "tiers": json.dumps(dict(tiers)), "today": TODAY}).fetchall()
    return [rank for (rank,) in found]


@hypothesis.given(st.lists(row, min_size=1, max_size=40), st.dictionaries(words.filter(bool), st.integers(0, 9)))
@hypothesis.settings(max_examples=40)
def test_sql_and_the_stated_function_agree(server_dsn: str, rows: list[dict[str, Any]], tiers: dict[str, int]) -> None:
    """Whatever the priority, tier, category and day, and whatever places an operator gives, both say the same rank."""
    assert in_sql(server_dsn, rows, tiers) == [rank(**row, tiers=tiers, today=TODAY) for row in rows]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param((0, "standard", "consumer", None), (1, "key-account", "business", TODAY), id="priority before all else"),
        pytest.param((4, "key-account", "consumer", TODAY), (4, "priority", "consumer", TODAY), id="key accounts before priority"),
        pytest.param((4, "priority", "consumer", TODAY), (4, "standard", "business", TODAY), id="the tier before the category"),
        pytest.param((4, "", "business", TODAY), (4, "", "consumer", TODAY), id="the category where no tier is known"),
        pytest.param((4, "gold", "business", TODAY), (4, "gold", "consumer", TODAY), id="the category where the tier has no place"),
        pytest.param((4, "", "", TODAY), (4, "", "", TODAY + timedelta(days=1)), id="the day promised"),
        pytest.param((4, "", "", TODAY), (4, "", "", None), id="what is promised before what is not yet"),
    ],
)
def test_what_goes_first(better: tuple[Any, ...], worse: tuple[Any, ...]) -> None:
    """Each part of the rank counts, in its order."""
    assert rank(*better, tiers=TIERS, today=TODAY) < rank(*worse, tiers=TIERS, today=TODAY)


def test_the_tiers_of_real_parties_have_places() -> None:
    """Every tier that a party of the launch bears is in the packaged table."""
    assert {"standard", "priority", "key-account"} <= TIERS.keys()
