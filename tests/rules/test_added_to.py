"""What something is added to: through other add-ons to the lines that serve it, in the order that changes these too, and never to what its order ends."""

from dataclasses import replace
from typing import Any

import pytest

from o2c.activation.rules import bases_in_service, service
from o2c.kernel.frozen import changed
from o2c.kernel.work import Record, Work
from o2c.orders.changing import flaw_of_changes
from o2c.orders.event_parts import HeldProduct
from o2c.orders.needs import bound
from o2c.orders.wish import Line
from o2c.products.events import product_stream
from o2c.products.serving import lines_read
from o2c.products.state import ProductState
from o2c.withdrawals.rules import product_read, switch_off
from tests.given import CATALOGUE, MARKET, MONDAY, Story, captured, item
from tests.lives_of_goods_in_service import started
from tests.lives_of_withdrawals import after, withdrawn
from tests.lives_of_withdrawals import service as in_service

LINE = changed(started(), product="9:1")
ADDED = changed(LINE, product="9:2", standing=LINE.standing and LINE.standing.model_copy(update={"holds": {}}), relies_on=("9:1",))
SERVES = {"iccid": "8944000000000000012", "msisdn": "447400000001"}


def named(action: str, product: str, number: str = "1") -> Line:
    """A line that names a product in service."""
    return Line(number, "", action, "1", "", product, (), {}, "")


def held(state: ProductState, line: str) -> dict[str, Any]:
    assert state.standing is not None
    told = {"line": line, "product": state.product, "attributes": (), "standing": state.standing, "started_on": "2026-01-05"}
    return HeldProduct(relies_on=state.relies_on, **told).model_dump()


def adding(*products: ProductState, changes: str = "") -> Work:
    """The work of switching on what is added to products in service; of those, an item of its order changes the one that is named."""
    work = Story(item()).run(until="sim").work("1", "activation")
    state, subject = work.state, changed(work.subject, on_products=tuple(one.product for one in products if one.product != changes))
    if changes:
        subject = changed(subject, relies_on=("7",))
    items = {"1": subject, "7": changed(work.subject, item="7", product=changes)}
    validated = Record(outcome={"products": [held(one, str(n)) for n, one in enumerate(products, 6)]})
    read = {product_stream(one.product): one for one in (LINE, ADDED)}
    return replace(work, state=changed(state, items=items, records={"": {"validation": validated}}), subject=subject, read=read)


@pytest.mark.parametrize(
    ("work", "streams"),
    [
        pytest.param(adding(LINE), ("product-9:1",), id="to-a-line"),
        pytest.param(adding(ADDED), ("product-9:2", "product-9:1"), id="to-what-is-added-to-a-line"),
        pytest.param(adding(LINE, changes="9:1"), ("product-9:1",), id="to-a-line-that-the-order-changes"),
        pytest.param(adding(ADDED, changes="9:2"), ("product-9:2", "product-9:1"), id="to-an-add-on-that-it-changes"),
    ],
)
def test_the_network_is_told_the_line_at_the_bottom(work: Work, streams: tuple[str, ...]) -> None:
    """What something is added to names no line of its own: the one below does. Found by reading: what was added to an add-on, or to a line that the order changes, named none."""
    assert bases_in_service(work) == streams
    assert service(work)["lines"] == [SERVES]


def test_a_product_knows_all_that_it_relies_on() -> None:
    """So it ends with any of them, and names its line when it is switched off."""
    story = Story(item(), item("2", "roaming", relies_on=("1",)), item("3", "roaming", relies_on=("2",))).run()
    began = {event.item: event.relies_on for _, event in story.elsewhere if event.type_name == "product.started"}

    assert began == {"1": (), "2": (f"{story.name}:1",), "3": (f"{story.name}:2", f"{story.name}:1")}


def test_whose_sim_an_order_is_replacing_is_named_by_its_number() -> None:
    """The network may have the one SIM or the other."""
    swapped = changed(LINE, changing={"sim": "B/1"})

    assert lines_read({"product-9:1": swapped}, ["product-9:1"]) == {"lines": [{"msisdn": SERVES["msisdn"]}]}


def test_an_add_on_that_is_withdrawn_from_names_its_line() -> None:
    """The network is to take it off that line. Found by reading: it named none."""
    added = in_service(holds={}, specification="spec-add-on")
    state = after(withdrawn(changed(added, relies_on=("9:1",))))
    work = Work("withdrawal-x", "", "withdrawal-switch-off", 1, state, state, read={f"product-{added.product}": added, "product-9:1": LINE})

    assert product_read(work) == (f"product-{added.product}", "product-9:1")
    assert switch_off(work)["lines"] == [SERVES]


ON_LINE, ON_ADDED = (changed(captured(item("3", "guard")).lines[0], relies_on=(base,)) for base in "12")
IN_VAIN = "DQ-ACTION: item 3 is added to item {}, which the order ends; name one that stays"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        pytest.param([named("delete", "9:1"), ON_LINE], IN_VAIN.format(1), id="to-a-line-that-ends"),
        pytest.param([named("delete", "9:1"), named("noChange", "9:2", "2"), ON_ADDED], IN_VAIN.format(2), id="to-what-ends-with-a-line"),
        pytest.param(
            [named("delete", "9:1"), named("noChange", "9:1", "2"), ON_ADDED], IN_VAIN.format(2), id="to-the-same-line-that-stays"
        ),
        pytest.param([named("delete", "9:2", "2"), named("noChange", "9:1"), ON_LINE], "", id="to-a-line-whose-add-on-ends"),
        pytest.param([named("noChange", "9:1"), ON_LINE], "", id="to-one-that-stays"),
    ],
)
def test_nothing_is_added_to_what_the_order_ends(lines: list[Line], why: str) -> None:
    """It would be on for a day at most, or for nobody."""
    products = {product_stream(one.product): one for one in (LINE, ADDED)}
    assert LINE.standing is not None
    assert flaw_of_changes(lines, products, LINE.standing.customer, MARKET, "B", MONDAY) == why


def test_what_needs_a_line_is_bound_to_none_that_ends() -> None:
    """Another line of the order is named instead, or the channel is asked."""
    ending = changed(named("delete", "9:1"), offering="line", costs_anew=False)
    guard, other = captured(item("3", "guard")).lines[0], captured(item("4")).lines[0]

    assert bound([ending, guard], CATALOGUE).flaw.startswith("DQ-ITEM: item 3 (guard) needs one of line, fibre and names none")
    assert bound([ending, guard, other], CATALOGUE).lines[1].relies_on == ("4",)
