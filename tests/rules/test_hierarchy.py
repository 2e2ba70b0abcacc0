"""The hierarchy of a business customer's accounts: what may stand below what, who pays, and invoices split by cost centre."""

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.customers.events import AccountPlaced, CustomerRegistered
from o2c.customers.hierarchy import LEVELS, above, in_order, payer_of, place
from o2c.customers.state import KIND as CUSTOMER
from o2c.customers.state import CustomerState
from o2c.kernel.refusal import Refused

FIRM = CUSTOMER.evolve(CustomerState(), CustomerRegistered(customer="C-1", kind="organisation", payment_method="invoice", tier="standard"))


def placed(state: CustomerState, account: str, level: Any, parent: str = "", pays: Any = "", contact: str = "") -> CustomerState:
    found = place(state, account=account, level=level, parent=parent, pays=pays or ("parent" if parent else "itself"), contact=contact)
    for event in found:
        state = CUSTOMER.evolve(state, event)
    return state


def group() -> CustomerState:
    """A group with two cost centres, of which one pays itself, and a site below each."""
    state = placed(FIRM, "GROUP", "entity")
    state = placed(placed(state, "SALES", "cost-centre", "GROUP"), "LEEDS", "site", "SALES")
    return placed(placed(state, "LAB", "cost-centre", "GROUP", "itself"), "HULL", "site", "LAB")


def test_the_nearest_account_above_that_pays_itself_pays() -> None:
    """Through as many levels as there are; an account that nobody placed pays itself."""
    paying = {account: payer_of(group().placed, account) for account in ("GROUP", "SALES", "LEEDS", "LAB", "HULL", "OTHER")}

    assert paying == {"GROUP": "GROUP", "SALES": "GROUP", "LEEDS": "GROUP", "LAB": "LAB", "HULL": "LAB", "OTHER": "OTHER"}


def test_what_is_moved_takes_what_is_below_along() -> None:
    """A cost centre that another entity pays for from now on has its sites with it."""
    state = placed(placed(group(), "SECOND", "entity"), "SALES", "cost-centre", "SECOND")

    assert payer_of(state.placed, "LEEDS") == "SECOND"
    assert [*above(state.placed, "LEEDS")] == ["LEEDS", "SALES", "SECOND"]


def test_a_place_that_stands_is_no_event() -> None:
    """Saying it again changes nothing; whom to ask for is a part of it."""
    state = group()

    assert place(state, account="LEEDS", level="site", parent="SALES", pays="parent", contact="") == []
    [anew] = place(state, account="LEEDS", level="site", parent="SALES", pays="parent", contact="Bo Example")
    assert isinstance(anew, AccountPlaced)
    assert "contact" in anew.personal


@pytest.mark.parametrize(
    ("account", "level", "parent", "pays", "kind", "why"),
    [
        pytest.param("NEW", "floor", "", "itself", "usage", "no such level", id="a level that is none"),
        pytest.param("NEW", "entity", "", "parent", "usage", "below nothing", id="nobody above could pay"),
        pytest.param("NEW", "site", "ABROAD", "parent", "missing", "ABROAD has no place", id="nothing stands above"),
        pytest.param("NEW", "cost-centre", "LEEDS", "parent", "conflict", "does not stand below a site", id="below what is further down"),
        pytest.param("GROUP", "entity", "LEEDS", "itself", "conflict", "stands above LEEDS already", id="a circle"),
        pytest.param("SALES", "site", "SALES", "parent", "conflict", "stands above SALES already", id="below itself"),
        pytest.param("GROUP", "site", "", "itself", "conflict", "cannot stand below a site", id="what is below would be further up"),
    ],
)
def test_what_cannot_stand_there_is_refused(account: str, level: Any, parent: str, pays: Any, kind: str, why: str) -> None:
    """One line says what is wrong."""
    with pytest.raises(Refused, match=why) as refused:
        place(group(), account=account, level=level, parent=parent, pays=pays, contact="")

    assert refused.value.kind == kind


def test_only_a_registered_customer_has_a_hierarchy() -> None:
    """Else the envelope would name nobody."""
    with pytest.raises(Refused, match="registered customers only"):
        place(CustomerState(), account="GROUP", level="entity", parent="", pays="itself", contact="")


MOVES = st.lists(
    st.tuples(st.sampled_from("ABCDEF"), st.sampled_from(LEVELS), st.sampled_from(("", *"ABCDEF")), st.sampled_from(("itself", "parent"))),
    max_size=30,
)


@hypothesis.given(MOVES)
def test_whatever_is_moved_it_stays_a_tree(moves: list[tuple[str, Any, str, Any]]) -> None:
    """No account is above itself, every one is listed once and below what it stands under, and whoever pays pays itself."""
    state = FIRM
    for account, level, parent, pays in moves:
        try:
            state = placed(state, account, level, parent, pays)
        except Refused:
            continue
    listed = [account for _, account in in_order(state.placed)]
    assert sorted(listed) == sorted(state.placed)
    for depth, account in in_order(state.placed):
        assert len([*above(state.placed, account)]) == depth + 1
        payer = payer_of(state.placed, account)
        assert state.placed[payer].pays == "itself"
        parent = state.placed[account].parent
        assert not parent or listed.index(parent) < listed.index(account)
