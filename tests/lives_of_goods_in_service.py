"""The golden lives of products."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from o2c.kernel.decision import Decision
from o2c.products.events import ProductChangeAccepted, ProductStarted
from o2c.products.rules import porting_code, terminate
from o2c.products.state import KIND, ProductState, evolve
from tests.given import MARKET, MONDAY

Told = tuple[str, Mapping[str, Any]]
_ANOTHER = {"order": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10"}
OF_PRODUCTS: Mapping[str, Sequence[Told]] = {
    "changed, rested and ended": (
        ("product.started", {}), ("product.relied-on", {}), ("product.relied-on", {}), ("product.change-accepted", {}), ("product.changed", {}),
        ("product.change-accepted", {**_ANOTHER, "attributes": ["status"]}), ("product.suspended", {**_ANOTHER}),
        ("product.change-accepted", {"attributes": ["status"]}), ("product.resumed", {}),
        ("product.change-accepted", {"attributes": ["termination"]}), ("product.terminated", {}),
    ),
    "a number that is to be ported out": (
        ("product.started", {}), ("product.porting-code-refused", {}), ("product.porting-code-issued", {}), ("product.change-accepted", {}), ("product.changed", {}),
    ),
    "a code that is worth nothing any more": (
        ("product.started", {}), ("product.porting-code-issued", {}), ("product.change-accepted", {"attributes": ["sim", "number"]}),
        ("product.changed", {"attributes": ["sim", "number"]}),
    ),
    "a change that was dropped": (
        ("product.started", {}), ("product.change-accepted", {}), ("product.change-accepted", {**_ANOTHER, "attributes": ["number"]}), ("product.change-dropped", {}),
    ),
}  # fmt: skip


def started() -> ProductState:
    """A product in service."""
    return evolve(KIND.initial("product-A:1"), ProductStarted.model_validate(ProductStarted.example))


def leaving() -> ProductState:
    """A product that an order is ending."""
    return evolve(started(), ProductChangeAccepted(order="B", item="1", attributes=("termination",)))


def coded(state: ProductState) -> Decision:
    """A code that is asked for."""
    return porting_code(state, MARKET, "EXO123456", owed_minor=0, at=MONDAY)


OF_PRODUCTS_IN_SERVICE = [
    pytest.param(KIND, started(), coded, id="give-a-porting-code"),
    pytest.param(KIND, leaving(), coded, id="refuse-a-porting-code"),
    pytest.param(KIND, started(), lambda state: terminate(state, cause="account-terminated", ended_on="2026-06-05"), id="end-a-product"),
]
"""By kind of stream and state, the rules that decide once and, on what they made, nothing."""
