"""Saved views of the fallout queue: what a name may be, how many there may be, what forgetting means."""

from functools import reduce

import pytest

from o2c.kernel.refusal import Refused
from o2c.saved.events import ViewForgotten, ViewSaved
from o2c.saved.rules import NAME_LENGTH_MAX, VIEWS_MAX, forget, save
from o2c.saved.state import ViewsState, evolve


def view(name: str, **filters: str) -> ViewSaved:
    return ViewSaved(owner="ann", name=name, filters=filters)


def kept(*names: str) -> ViewsState:
    """The state in which views of these names are saved."""
    return reduce(evolve, [view(name, reason="NP-CODE") for name in names], ViewsState())


@pytest.mark.parametrize(
    "name", ["", " ", " ports", "ports ", "two\nlines", "a\u200bb", "x" * (NAME_LENGTH_MAX + 1)],
    ids=["none", "a blank", "a blank before", "a blank behind", "two lines", "a letter that nobody sees", "too long"],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """It is read in a row of others: whole, on one line, and told from another by the eye."""
    with pytest.raises(Refused, match="printable characters"):
        save(ViewsState(), view(name))


def test_one_more_than_many_is_refused_and_another_look_at_one_is_not() -> None:
    """Fifty names may be had; what one of them means may be changed all the same."""
    full = kept(*(f"view {number}" for number in range(VIEWS_MAX)))
    with pytest.raises(Refused, match="forget one first"):
        save(full, view("one more"))
    assert save(full, view("view 7", queue="porting")).events == (view("view 7", queue="porting"),)


def test_what_was_never_there_cannot_be_forgotten() -> None:
    """What was there and is gone can: nothing happens."""
    gone = evolve(kept("ports"), ViewForgotten(owner="ann", name="ports"))
    assert not forget(gone, ViewForgotten(owner="ann", name="ports"))
    with pytest.raises(Refused, match="no view of that name"):
        forget(gone, ViewForgotten(owner="ann", name="other"))
