"""What the network is asked for as a change is taken back: the product as the inventory has it now, not as it was when the order was validated."""

from types import SimpleNamespace
from typing import Any

import pytest

from o2c.activation.rules import as_it_stands
from o2c.products.state import ProductState


def work(**product: Any) -> Any:
    """The work of an item that changes the plan of a product which stands so."""
    standing: Any = SimpleNamespace(offering="lark-line", holds={"iccid": "89447700000000000012", "msisdn": "+447700900123"})
    stands = ProductState(product="A:1", standing=standing, **product)
    return SimpleNamespace(subject=SimpleNamespace(product="A:1", attributes=("offering",)), read={"product-A:1": stands})


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
def test_a_product_is_served_as_it_stands(monkeypatch: pytest.MonkeyPatch, product: dict[str, Any], status: str) -> None:
    """What ended meanwhile is not switched on again, and what rests stays so."""
    monkeypatch.setattr("o2c.activation.rules.product_read", lambda work: ("product-A:1",))

    asked = as_it_stands(work(**product))

    assert (asked["status"], asked["offering"], asked["product"]) == (status, "lark-line", "A:1")
