"""A backend service does what a desk does: numbers kept, deposits taken, bills paid by bank, orders called off."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from o2c import Context, OrderToCash, Refused, Written
from o2c.customers.events import CustomerContacted
from o2c.kernel.partner import RefusedBy
from tests.world import World, at, line, order


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    world = World(dsn, tmp_path).stocked()
    yield world
    world.close()


def named() -> Context:
    return Context("shop", channel="web", command_id=str(uuid4()))


def test_a_service_does_what_a_desk_does(world: World) -> None:
    """A number kept, a deposit taken, a bill paid by bank and another order called off: each wish once, however often it is sent."""
    o2c = OrderToCash(world.dsn)
    world.scripted.will("credit", *[RefusedBy("DEPOSIT", {"deposit_minor": 5000, "currency": "GBP"})] * 2)
    for name in ("WEB-1", "WEB-2"):
        o2c.capture(order(name, line()), named())
    world.run(at(5, 10))
    keeping, paying, leaving = named(), named(), named()
    [wanted] = [
        row["key"] for row in world.app.reads.rows("SELECT key FROM o2c.pool WHERE pool = 'number/44/normal' ORDER BY key DESC LIMIT 1")
    ]
    kept = o2c.reserve_number(wanted, "WEB-1", keeping)
    assert o2c.reserve_number(wanted, "WEB-1", keeping).position == kept.position
    o2c.deposit("WEB-1", named(), amount="50.00", reference="TFR-1")
    called_off = o2c.cancel("WEB-2", leaving, note="bought elsewhere")
    assert (called_off.refused, called_off.state) == ("", "cancelled")
    assert o2c.cancel("WEB-2", leaving, note="bought elsewhere").written.repeated
    world.run(at(8, 7))
    assert world.outcome("WEB-1", "1", "number")["msisdn"] == wanted
    [invoice] = o2c.order("WEB-1")["invoices"]
    total = f"{invoice['total_minor'] / 100:.2f}"
    first = o2c.record_payment(invoice["invoice"], paying, amount=total, reference="TFR-2")
    assert o2c.record_payment(invoice["invoice"], paying, amount=total, reference="TFR-2") == Written(first.stream, first.position, True)
    assert o2c.order("WEB-1")["invoices"][0]["state"] == "paid"
    with pytest.raises(Refused, match="nothing"):
        o2c.retry_payment(invoice["invoice"], named(), note="nothing is open")
    with pytest.raises(Refused, match="not reserved"):
        o2c.release_number(wanted, named())
    o2c.close()


def contacted(customer: str) -> CustomerContacted:
    return CustomerContacted(customer=customer, medium="call", direction="inbound", topic="bill", order="")


@pytest.mark.parametrize(
    ("customer", "named_in_it", "version", "kind", "says"),
    [
        pytest.param("C-1", "C-2", None, "usage", "names another customer", id="another customer"),
        pytest.param("C-99", "C-99", None, "missing", "is not registered", id="nobody"),
        pytest.param("C-1", "C-1", -1, "usage", "whole number from 0", id="a version below 0"),
        pytest.param("C-1", "C-1", "1", "usage", "whole number from 0", id="a version in text"),
        pytest.param("C-1", "C-1", True, "usage", "whole number from 0", id="a version that is a truth"),
    ],
)
def test_what_is_no_fact_of_the_customer_is_refused(
    world: World, customer: str, named_in_it: str, version: Any, kind: str, says: str
) -> None:
    """Facts stand with whom they are about, who is registered, at a version that there can be."""
    with OrderToCash(world.dsn) as o2c, pytest.raises(Refused, match=says) as refused:
        o2c.append(f"customer-{customer}", [contacted(named_in_it)], named(), expected_version=version)
    assert refused.value.kind == kind
    assert "customer.contacted" not in world.types(f"customer-{customer}")


def test_a_state_that_is_none_and_a_closed_store_are_told(world: World) -> None:
    """A typo would find nothing and look like good news; a closed store says that it was closed."""
    o2c = OrderToCash(world.dsn)
    with pytest.raises(Refused, match="no such state of an order; use one of acknowledged"):
        o2c.orders(state="nonsense")
    o2c.close()
    for verb in (o2c.orders, o2c.last, lambda: o2c.follow(wait=False), lambda: o2c.stream("customer-C-1")):
        with pytest.raises(Refused, match="was closed") as refused:
            verb()
        assert refused.value.kind == "usage"
