"""The golden lives of withdrawals, and what is withdrawn from without a store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from o2c.devices.events import DeviceReceived, DeviceTaken
from o2c.devices.rules import came_home
from o2c.devices.state import KIND as DEVICE
from o2c.devices.state import evolve as evolve_device
from o2c.kernel.decision import Decision
from o2c.orders.state import OrderState
from o2c.products.events import ProductStarted
from o2c.products.state import KIND as PRODUCT
from o2c.products.state import ProductState
from o2c.withdrawals.events import GoodsReceived, WithdrawalDeclared
from o2c.withdrawals.rules import Contract, declare, grade, proven_sent
from o2c.withdrawals.state import KIND, WithdrawalState, evolve
from tests.given import MARKET, MONDAY

Told = tuple[str, Mapping[str, Any]]
_GOODS = {"goods": True, "imei": "001010120000003", "refund_by": "", "send_back_by": "2026-01-24"}
_OFF, _BACK, _MONEY = ({"item": "", "step": step} for step in ("withdrawal-switch-off", "goods-return", "withdrawal-refund"))
OF_WITHDRAWALS: Mapping[str, Sequence[Told]] = {
    "a service": (
        ("withdrawal.declared", {}), ("withdrawal-switch-off.requested", {}), ("withdrawal-refund.requested", {}), ("call.parked", _OFF), ("call.resumed", _OFF),
        ("withdrawal-switch-off.fell-out", {}), ("retry.scheduled", _OFF), ("withdrawal-switch-off.requested", {"attempt": 2}), ("partner.accepted", _OFF),
        ("partner.silent", _OFF), ("withdrawal-switch-off.completed", {"attempt": 2}), ("withdrawal-refund.fell-out", {}),
        ("withdrawal-refund.requested", {"attempt": 2}), ("withdrawal-refund.settled", {"attempt": 2}),
    ),
    "goods that came back": (
        ("withdrawal.declared", _GOODS), ("goods-return.label-requested", {}), ("goods-return.label-issued", {}), ("goods-return.received", {}),
        ("goods-return.graded", {"grade": "used", "kept_minor": 9983}), ("withdrawal-refund.requested", {}), ("withdrawal-refund.settled", {}),
    ),
    "goods that were lost": (
        ("withdrawal.declared", _GOODS), ("goods-return.label-requested", {}), ("goods-return.label-issued", {}), ("goods-return.proven-sent", {}),
        ("withdrawal-refund.requested", {}), ("goods-return.fell-out", {}), ("goods-return.credited", {}), ("withdrawal-refund.requested", {"attempt": 2}),
        ("withdrawal-refund.settled", {"attempt": 2}), ("goods-return.graded", {"grade": "lost"}), ("step.cancelled", _BACK),
    ),
    "what was still to come": (
        ("withdrawal-to-come.requested", {}), ("withdrawal-to-come.requested", {}), ("withdrawal-to-come.fell-out", {}), ("withdrawal-to-come.requested", {"attempt": 2}),
        ("withdrawal-to-come.came", {"attempt": 2}), ("withdrawal.declared", {"asked_to_start": False, "asked_by": "", "owed_minor": 0}), ("withdrawal-switch-off.requested", {}),
        ("withdrawal-refund.requested", {}), ("withdrawal-switch-off.completed", {}), ("withdrawal-refund.settled", {"amount_minor": 0, "refunds": []}),
    ),
    "what never came": (
        ("withdrawal-to-come.requested", {}), ("step.cancelled", {"item": "", "step": "withdrawal-to-come"}),
    ),
    "stopped": (
        ("withdrawal.declared", {}), ("withdrawal-refund.requested", {}), ("step.stopped", _MONEY), ("step.forced", _OFF),
        ("step.skipped", _OFF),
    ),
}  # fmt: skip


def service(**standing: Any) -> ProductState:
    """A line in service since 5 January, of the example."""
    event = ProductStarted.model_validate(ProductStarted.example)
    return PRODUCT.evolve(PRODUCT.initial(""), event.model_copy(update={"standing": event.standing.model_copy(update=standing)}))


def device() -> ProductState:
    """A device that was delivered on 5 January."""
    return service(specification="spec-device", holds={"imei": "001010120000003"}, recurring_minor=0)


def contract(
    product: ProductState | None = None, *, channel: str = "web", captured_at: datetime = MONDAY, owed_minor: int = 298
) -> Contract:
    """The contract of a product whose order was taken by a channel."""
    order = replace(OrderState("960dd07c-b654-5d95-9a31-65845ce3ab78"), channel=channel, captured_at=captured_at, market=MARKET.pin)
    return Contract(product or service(), order, "2026-01-05", owed_minor)


def withdrawn(product: ProductState | None = None) -> Decision:
    """A withdrawal on 10 January."""
    return declare(WithdrawalState(), contract(product), (), MARKET, business=False, at=MONDAY + timedelta(days=5))


def after(decision: Decision, state: WithdrawalState | None = None) -> WithdrawalState:
    """A withdrawal after a decision of its own."""
    state = state or WithdrawalState()
    for event in decision.events:
        state = evolve(state, event)
    return state


def awaited() -> WithdrawalState:
    """Goods that are to come back."""
    return after(withdrawn(device()))


def back() -> WithdrawalState:
    """Goods that came back and nobody has looked at."""
    return evolve(awaited(), GoodsReceived.model_validate(GoodsReceived.example))


def sent(state: WithdrawalState) -> Decision:
    """That they were proven sent."""
    return proven_sent(state, MARKET, sent_on=date(2026, 1, 11), reference="PCL-1", at=MONDAY + timedelta(days=7))


def graded(state: WithdrawalState, found: Any = "used") -> Decision:
    """How they came back."""
    return grade(state, MARKET, found=found, price_minor=49917, author="ann", at=MONDAY + timedelta(days=8))


OF_WITHDRAWN = [
    pytest.param(
        KIND,
        WithdrawalState(),
        lambda state: declare(state, contract(), (), MARKET, business=False, at=MONDAY + timedelta(days=5)),
        id="withdraw",
    ),
    pytest.param(KIND, awaited(), sent, id="prove-goods-sent"),
    pytest.param(KIND, back(), graded, id="grade-goods"),
    pytest.param(KIND, after(sent(awaited()), awaited()), lambda state: graded(state, "lost"), id="grade-goods-that-were-lost"),
]
HELD = evolve_device(evolve_device(DEVICE.initial(""), DeviceReceived(**DeviceReceived.example)), DeviceTaken(**DeviceTaken.example))
OF_WITHDRAWN.append(
    pytest.param(
        DEVICE,
        HELD,
        lambda state: came_home(state, imei="001010120000003", grade="used", holder="A/1", at=MONDAY),
        id="take-a-device-back",
    )
)
DECLARED = WithdrawalDeclared.model_validate(WithdrawalDeclared.example)
