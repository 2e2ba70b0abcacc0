"""What the network is asked for as a product in service is changed, and as a change is taken back: what the order wants, and nothing that another order may be changing."""

from collections.abc import Mapping
from typing import Any

import pytest

from o2c.activation.rules import as_it_stands, change
from o2c.kernel.frozen import changed
from o2c.kernel.partner import Answered, Request
from o2c.kernel.work import Record, Work
from o2c.orders.event_parts import HeldProduct
from o2c.orders.state import OrderState
from o2c.products.events import Standing
from o2c.products.state import ProductState
from tests.given import MONDAY, Story, item
from tests.network import Books

OLD_SIM = {"iccid": "89447700000000000012", "imsi": "234207000000012"}
NEW_SIM = {"iccid": "89447700000000000020", "imsi": "234207000000020"}
OLD_NUMBER, NEW_NUMBER = {"msisdn": "+447700900123"}, {"msisdn": "+447700900456"}
STANDING = Standing(
    customer="C-1001", account="BA-1001", offering="lark-line", specification="spec-mobile", holds={**OLD_SIM, **OLD_NUMBER}
)
SIM, NUMBER = {"sim": NEW_SIM}, {"number": NEW_NUMBER}


def work(*attributes: str, order: str = "B", outcomes: Mapping[str, Mapping[str, str]] | None = None, **product: Any) -> Work:
    """The work of an order's item that changes these attributes of a product, which stands so, with what its steps obtained."""
    subject = changed(Story(item()).run(until="sim").work("1", "activation").subject, product="A:1", attributes=attributes)
    held = HeldProduct(line="1", product="A:1", attributes=attributes, standing=STANDING, started_on="2026-01-05")
    obtained = {step: Record(outcome=dict(outcome)) for step, outcome in (outcomes or {}).items()}
    records = {"": {"validation": Record(outcome={"products": [held.model_dump()]})}, "1": obtained}
    stands = ProductState(**{"product": "A:1", "standing": STANDING, **product})
    state = changed(OrderState(order), records=records, items={"1": subject})
    return Work(f"order-{order}", "1", "service-change", 1, state, subject, read={"product-A:1": stands})


@pytest.mark.parametrize(
    ("product", "status"),
    [
        pytest.param({}, "active", id="serves"),
        pytest.param({"suspended_for": "lost"}, "suspended", id="rests"),
        pytest.param({"ended_on": "2026-03-05"}, "terminated", id="ended meanwhile"),
        pytest.param({"ended_on": "2026-03-05", "suspended_for": "lost"}, "terminated", id="ended while it rested"),
        pytest.param({"changing": {"termination": "order-B"}}, "active", id="is to end, and serves until then"),
    ],
)
def test_a_product_is_served_as_it_stands(product: dict[str, Any], status: str) -> None:
    """What ended meanwhile is not switched on again, and what rests stays so."""
    asked = as_it_stands(work("offering", **product))

    assert (asked["status"], asked["offering"], asked["product"]) == (status, "lark-line", "A:1")


def _on(*requests: Work, back: Work | None = None) -> tuple[str, list[str]]:
    """The SIM and the numbers by which the network serves the product after requests, of which the last may take one back."""
    books = Books({"A:1": OLD_SIM["iccid"]}, numbers={"A:1": [OLD_NUMBER["msisdn"]]})
    bodies = [change(one) for one in requests] + ([as_it_stands(back)] if back else [])
    for body in bodies:
        books.note(Request("key", "order-B", "1", "service-change", 1, MONDAY, body), Answered())
    return books.on["A:1"], books.numbers["A:1"]


@pytest.mark.parametrize("turn", [1, -1], ids=["sim-first", "number-first"])
def test_two_orders_at_once_leave_each_other_what_they_bring(turn: int) -> None:
    """Another SIM by one order and another number by another: neither puts back what the inventory has until both are over. Found by reading: the second sent the first one's old value."""
    changing = {"sim": "C/1", "number": "D/1"}
    swap, renumber = work("sim", order="C", outcomes=SIM, changing=changing), work("number", order="D", outcomes=NUMBER, changing=changing)
    both = (swap, renumber)[::turn]

    assert _on(*both) == (NEW_SIM["iccid"], [NEW_NUMBER["msisdn"]])
    assert _on(*both, back=both[0]) == (
        (OLD_SIM["iccid"], [NEW_NUMBER["msisdn"]]) if turn == 1 else (NEW_SIM["iccid"], [OLD_NUMBER["msisdn"]])
    )


@pytest.mark.parametrize(
    ("changing", "named"),
    [
        pytest.param({}, {**OLD_SIM, **OLD_NUMBER}, id="by-nobody"),
        pytest.param({"sim": "C/1", "offering": "B/1"}, OLD_NUMBER, id="its-sim"),
        pytest.param({"number": "C/1", "offering": "B/1"}, OLD_SIM, id="its-number"),
        pytest.param({"sim": "C/1", "number": "D/1"}, {}, id="both"),
    ],
)
def test_a_product_is_named_by_nothing_that_another_order_is_replacing(changing: dict[str, str], named: Mapping[str, str]) -> None:
    """The network may have the one or the other: it would know nobody by the old SIM. The product is named in any case."""
    asked = change(work("offering", changing=changing))

    assert {name: asked[name] for name in ("product", "iccid", "imsi", "msisdn") if name in asked} == {"product": "A:1", **named}
