"""The golden lives of products."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from o2c.kernel.decision import Decision
from o2c.numbers.rules import ported_out
from o2c.numbers.state import KIND as NUMBER
from o2c.numbers.state import NumberState
from o2c.products.bases import end_with_base
from o2c.products.events import ProductChangeAccepted, ProductStarted
from o2c.products.rules import PortOutWish, lock, port_out, porting_code, terminate, withdraw_port_out
from o2c.products.state import KIND, ProductState, advance, evolve
from o2c.products.transfers import agree, withdraw
from tests.given import BOOK, MARKET, MONDAY

Told = tuple[str, Mapping[str, Any]]
_ANOTHER = {"order": "0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10"}
_OFF = {"item": "", "step": "port-out"}
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
    "a number that went to another operator": (
        ("product.started", {}), ("product.porting-code-issued", {}), ("porting-code.lapse-awaited", {}), ("product.locked", {}), ("port-out.rejected", {}),
        ("product.unlocked", {}), ("port-out.authorised", {}), ("port-out.switch-off-requested", {}), ("port-out.fell-out", {}), ("port-out.switch-off-requested", {"attempt": 2}),
        ("port-out.switched-off", {"attempt": 2}), ("port-out.cutover-awaited", {}), ("port-out-cutover.fell-out", {}), ("port-out.completed", {}),
        ("product.terminated", {"order": "", "item": "", "cause": "ported-out"}), ("porting-code.fell-out", {}),
    ),
    "a number that stayed": (
        ("product.started", {}), ("product.porting-code-issued", {}), ("porting-code.lapse-awaited", {}), ("port-out.authorised", {}),
        ("port-out.switch-off-requested", {}), ("call.parked", _OFF), ("call.resumed", _OFF), ("port-out.fell-out", {}), ("retry.scheduled", _OFF),
        ("port-out.switch-off-requested", {"attempt": 2}), ("partner.accepted", _OFF), ("partner.silent", _OFF), ("port-out.withdrawn", {}), ("step.cancelled", {"step": "port-out"}), ("porting-code.lapsed", {}),
        ("port-out.authorised", {"reference": "PRT-902"}), ("port-out.switch-off-requested", {"attempt": 2}), ("port-out.switched-off", {"attempt": 2}),
        ("port-out.cutover-awaited", {}), ("port-out.failed", {}), ("reactivation.requested", {}), ("reactivation.fell-out", {}), ("reactivation.completed", {}),
    ),
    "a term that ends and another": (
        ("product.started", {}), ("end-notice.awaited", {}), ("end-notice.fell-out", {}), ("end-notice.awaited", {"attempt": 2}), ("end-notice.given", {"attempt": 2}),
        ("end-notice.awaited", {"attempt": 3, "about": "best-price", "from_day": "", "to_day": ""}), ("step.cancelled", {"step": "end-notice"}),
    ),
    "switched to another provider": (
        ("product.started", {}), ("switch-out.matched", {}), ("switch-out.ordered", {}), ("switch-out.withdrawn", {}), ("switch-out.matched", {}), ("switch-out.ordered", {}),
        ("switch-out.triggered", {}), ("switch-out.fell-out", {}), ("switch-out.triggered", {"attempt": 2}), ("switch-out.completed", {}),
        ("product.terminated", {"order": "", "item": "", "cause": "switched"}),
    ),
    "gone to another customer": (
        ("product.started", {}), ("product.porting-code-issued", {}), ("product.locked", {}), ("product.transfer-agreed", {}), ("product.transfer-withdrawn", {}), ("product.transfer-agreed", {}),
        ("product.change-accepted", {"attributes": ["owner"]}), ("product.changed", {"attributes": ["owner"]}),
    ),
    "a change that was dropped": (
        ("product.started", {}), ("product.change-accepted", {}), ("product.change-accepted", {**_ANOTHER, "attributes": ["number"]}), ("product.change-dropped", {}),
    ),
}  # fmt: skip


OF_NUMBERS_GONE: Mapping[str, Sequence[Told]] = {
    "gone to another operator, and back": (
        ("number.received", {}), ("number.taken", {}), ("number.ported-out", {}), ("number.received", {}), ("number.taken", {}), ("number.ported-out", {}),
        ("number.brought-in", {}), ("number.ported-out", {}),
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


def wanted(code: str = "EXO123456") -> PortOutWish:
    """What another operator asks for."""
    return PortOutWish("Other Mobile", "PRT-901", code)


def then(state: ProductState, decision: Decision) -> ProductState:
    """The product after a decision of its own."""
    for event in decision.events:
        state = evolve(state, event)
    return state


def asked_for() -> ProductState:
    """A product for whose number a code was given."""
    return then(started(), coded(started()))


def leaving_soon() -> ProductState:
    """A product whose number another operator was given."""
    return then(asked_for(), port_out(asked_for(), MARKET, wanted(), at=MONDAY))


def switched() -> ProductState:
    """A product whose customer another provider has."""
    return replace(started(), switched_on="2026-01-05")


def promised() -> ProductState:
    """A product that its owner agreed another customer takes over."""
    return then(started(), given_away(started()))


def given_away(state: ProductState) -> Decision:
    """What the owner agrees to."""
    return agree(state, MARKET, to="C-1002", commitment="taken-over", at=MONDAY)


OF_PRODUCTS_IN_SERVICE = [
    pytest.param(KIND, started(), given_away, id="agree-to-a-transfer"),
    pytest.param(KIND, promised(), lambda state: withdraw(state, MARKET, at=MONDAY), id="withdraw-a-transfer"),
    pytest.param(KIND, started(), lambda state: advance(state, frozenset({""}), MONDAY, BOOK), id="ask-for-the-notice-of-a-term"),
    pytest.param(KIND, started(), coded, id="give-a-porting-code"),
    pytest.param(KIND, leaving(), coded, id="refuse-a-porting-code"),
    pytest.param(
        NUMBER,
        NumberState("assigned", order="A", item="1"),
        lambda state: ported_out(state, "+447700910001", operator="O"),
        id="let-a-number-go",
    ),
    pytest.param(KIND, started(), lambda state: lock(state, MARKET, locked=True, at=MONDAY), id="lock-a-number"),
    pytest.param(KIND, asked_for(), lambda state: port_out(state, MARKET, wanted(), at=MONDAY), id="authorise-a-port-out"),
    pytest.param(KIND, started(), lambda state: port_out(state, MARKET, wanted(), at=MONDAY), id="reject-a-port-out"),
    pytest.param(KIND, leaving_soon(), lambda state: withdraw_port_out(state, "PRT-901", at=MONDAY), id="take-a-port-out-back"),
    pytest.param(KIND, started(), lambda state: terminate(state, cause="account-terminated", ended_on="2026-06-05"), id="end-a-product"),
    pytest.param(KIND, started(), lambda state: end_with_base(state, "2026-06-05", MONDAY), id="end-a-product-with-its-base"),
]
"""By kind of stream and state, the rules that decide once and, on what they made, nothing."""
