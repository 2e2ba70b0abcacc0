"""What a reader of a TM Forum list asks for: how what was found is ordered."""

from typing import Any

import pytest

from o2c.entrypoints.http.tmf.queries import Query, sifted

ORDERS = [
    ([10, 9, 100], "value", [9, 10, 100]), ([10, 9, 100], "-value", [100, 10, 9]), ([0.5, -2, 1], "+value", [-2, 0.5, 1]),
    (["10", "9", "a"], "value", ["10", "9", "a"]), ([2, None, 1], "value", [1, 2, None]), (["b", 2, True, 10], "value", [2, 10, True, "b"]),
]  # fmt: skip


@pytest.mark.parametrize(("values", "sort", "wanted"), ORDERS)
def test_numbers_are_ordered_as_numbers_and_texts_as_texts(values: list[Any], sort: str, wanted: list[Any]) -> None:
    """Numbers stand before texts, and what has no value stands last."""
    things = ({"amount": {} if value is None else {"value": value}} for value in values)
    query = Query(fields=(), filters=(), sort=(sort.replace("value", "amount.value"),), offset=0, limit=10, part=False)

    found, total = sifted(things, query)

    assert ([one["amount"].get("value") for one in found], total) == (wanted, len(values))
