"""When a product may go to another customer: what its owner agrees to, and which orders may take it over."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from o2c.kernel.refusal import Refused
from o2c.orders.changing import attributes, flaw_of_changes
from o2c.orders.wish import Line
from o2c.products.events import ProductChangeAccepted, ProductChanged, ProductReliedOn, ProductTerminated, product_stream
from o2c.products.leaving_events import PortOutAuthorised
from o2c.products.state import ProductState, evolve
from o2c.products.transfers import agree, transfer_in_force, withdraw
from tests.given import MARKET, MONDAY
from tests.lives_of_goods_in_service import promised, started

PRODUCT = started().product
ON = MONDAY.date()


def line(item: str = "1", *, action: str = "modify", product: str = PRODUCT, **values: str) -> Line:
    """A line that names a product."""
    return Line(item, "", action, "1", "", product, (), values, "")


def flaw(state: ProductState, *lines: Line, party: str = "C-1002", days: int = 0, others: dict[str, ProductState] | None = None) -> str:
    """What stands against the lines in an order of a party, so many days later."""
    products: dict[str, ProductState | None] = {product_stream(state.product): state, **(others or {})}
    return flaw_of_changes(lines or (line(),), products, party, MARKET, "B", MONDAY + timedelta(days=days))


def accepted(*attributes_: str, order: str = "D") -> ProductChangeAccepted:
    return ProductChangeAccepted(order=order, item="1", attributes=attributes_)


def after(state: ProductState, *events: Any) -> ProductState:
    for event in events:
        state = evolve(state, event)
    return state


def test_both_must_agree() -> None:
    """Whoever the owner named may take it over, for fourteen days, and nobody else; without the owner's word nobody is even told that there is such a product."""
    unknown = "DQ-ACTION: item 1 (modify) names a product that is not in the inventory"

    assert flaw(started()) == unknown
    assert [flaw(promised(), days=days) for days in (0, 14, 15)] == ["", "", unknown]
    assert flaw(promised(), party="C-1003") == unknown
    assert [flaw(promised(), line(action=action)) for action in ("delete", "noChange")] == [
        unknown.replace("modify", action) for action in ("delete", "noChange")
    ]


def test_it_is_the_owner_that_such_a_line_changes() -> None:
    """A line of the owner changes what it did; a line of another the owner."""
    assert attributes(line(), promised(), "C-1002") == ("owner",)
    assert attributes(line(numberChange="true"), promised(), "C-1001") == ("number",)


@pytest.mark.parametrize(
    ("state", "asked", "why"),
    [
        (promised(), {"numberChange": "true"}, "send two orders"),
        (promised(), {"commitment": "ended"}, "its owner agreed to taken-over"),
        (after(promised(), accepted("offering")), {}, "changes what order D is changing"),
        (after(promised(), accepted("owner")), {}, "changes what order D is changing"),
        (replace(promised(), suspended_for="seasonal"), {}, "is to serve again first"),
        (after(promised(), PortOutAuthorised.model_validate(PortOutAuthorised.example)), {}, "goes to another operator"),
    ],
)  # fmt: skip
def test_an_order_that_cannot_take_it_over_says_why(state: ProductState, asked: dict[str, str], why: str) -> None:
    """And changes nothing."""
    assert why in flaw(state, line(**asked))


def test_the_owner_s_orders_wait_while_it_is_taken_over() -> None:
    """Whatever they change; of two that take it over at once, the second does."""
    taken = after(promised(), accepted("owner"))

    for each in (line(numberChange="true"), line(action="delete"), line(action="noChange")):
        assert "is changing; send it again" in flaw(taken, each, party="C-1001")
    assert "is changing" in flaw(taken)
    assert flaw(after(promised(), accepted("owner", order="B"))) == ""


def test_what_relies_on_it_goes_along() -> None:
    """Both must be named; what was added since makes the owner's word void."""
    extra = replace(started(), product="X:2", relies_on=(PRODUCT,))
    both = agree(after(started(), ProductReliedOn(by="X:2")), MARKET, to="C-1002", commitment="taken-over", along=["X:2"], at=MONDAY)
    [agreed], (along, _) = both.events, both.elsewhere
    base, addon = after(started(), ProductReliedOn(by="X:2"), agreed), after(extra, along[1])
    others = {product_stream("X:2"): addon}

    assert along[0] == product_stream("X:2")
    assert "without X:2, which goes with it" in flaw(base, others=others)
    assert "goes with it" in flaw(base, line("2", product="X:2"), others=others)
    assert flaw(base, line(), line("2", product="X:2"), others=others) == ""
    assert after(promised(), ProductReliedOn(by="Y:1")).transfer is None


@pytest.mark.parametrize(
    ("state", "to", "why"),
    [
        (ProductState(), "C-1002", "no such product"),
        (after(started(), ProductTerminated.model_validate(ProductTerminated.example)), "C-1002", "ended on"),
        (started(), "C-1001", "already"),
        (replace(started(), relies_on=("X:1",)), "C-1002", "transfer that"),
        (after(started(), accepted("termination")), "C-1002", "is being ended by order D"),
        (after(promised(), accepted("owner")), "C-1003", "is being taken over by order D"),
        (after(started(), PortOutAuthorised.model_validate(PortOutAuthorised.example)), "C-1002", "another operator"),
    ],
)
def test_an_owner_cannot_agree_to_what_cannot_be(state: ProductState, to: str, why: str) -> None:
    """It is a caller's mistake, told in one line."""
    with pytest.raises(Refused, match=why):
        agree(state, MARKET, to=to, commitment="taken-over", at=MONDAY)


def test_the_owner_may_keep_it_until_it_is_taken_over() -> None:
    """Then an order stands against it."""
    assert after(promised(), *withdraw(promised(), MARKET, at=MONDAY).events).transfer is None
    with pytest.raises(Refused, match="is being taken over by order D"):
        withdraw(after(promised(), accepted("owner")), MARKET, at=MONDAY)


def test_the_owner_is_told() -> None:
    """Whoever did not agree learns that somebody did, and each word that is another is an event of its own."""
    decision = agree(promised(), MARKET, to="C-1002", commitment="ended", at=MONDAY)

    assert [stream for stream, _ in decision.elsewhere] == ["customer-C-1001"]
    assert transfer_in_force(after(promised(), *decision.events), ON).commitment == "ended"  # type: ignore[union-attr] # there is one


def test_nothing_of_the_one_before_stays() -> None:
    """Code, lock and word were his."""
    coded: Sequence[Any] = [ProductChanged.model_validate({**ProductChanged.example, "attributes": ["owner"]})]
    state = after(replace(promised(), locked=True), *coded)

    assert (state.locked, state.porting_code, state.transfer) == (False, None, None)
