"""A backend service does what a desk does: numbers kept, deposits taken, bills paid by bank, orders called off."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from o2c import Context, OrderToCash, Refused, Written
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
        row["key"] for row in world.app.reads.rows("SELECT key FROM o2c.pool WHERE pool = 'number/normal' ORDER BY key DESC LIMIT 1")
    ]
    kept = o2c.reserve_number(wanted, "WEB-1", keeping)
    assert o2c.reserve_number(wanted, "WEB-1", keeping).position == kept.position
    o2c.deposit("WEB-1", named(), amount="50.00", currency="GBP", reference="TFR-1")
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
