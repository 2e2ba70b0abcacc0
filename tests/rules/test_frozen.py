"""Changing frozen values: the same as the standard library's replace, and the old value stays as it was."""

from dataclasses import dataclass, field, replace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.frozen import changed
from o2c.orders.state import OrderState, Record


@dataclass(frozen=True, slots=True)
class Pair:
    """Two fields, one with a default made anew each time."""

    left: int
    right: dict[str, int] = field(default_factory=dict)


@hypothesis.given(
    left=st.integers(),
    right=st.dictionaries(st.text(), st.integers()),
    changes=st.fixed_dictionaries({}, optional={"left": st.integers(), "right": st.dictionaries(st.text(), st.integers())}),
)
def test_it_is_the_standard_replace(left: int, right: dict[str, int], changes: dict[str, Any]) -> None:
    """Whatever is changed, the result is the one that dataclasses.replace gives, and the value changed is untouched."""
    before = Pair(left, right)
    assert changed(before, **changes) == replace(before, **changes)
    assert before == Pair(left, right)


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        pytest.param(OrderState("id"), {"closed": "order.completed", "lines": ()}, id="an order"),
        pytest.param(Record(2, {"iccid": "8944"}), {"attempt": 3}, id="a step's record"),
    ],
)
def test_it_serves_the_states_that_are_folded(value: Any, changes: dict[str, Any]) -> None:
    """An order and a record of it are changed as replace would change them, and stay of their class."""
    assert changed(value, **changes) == replace(value, **changes)
    assert type(changed(value, **changes)) is type(value)


def test_no_such_field() -> None:
    """A misspelt field is an error and no silent attribute."""
    with pytest.raises(KeyError, match="rigth"):
        changed(Pair(1), rigth={})
