"""A payment that is refused for want of money is collected again by itself, over weeks, and a person is asked only when its days are used up."""

from pathlib import Path

import pytest

from o2c.checks.conformance import check_conformance
from o2c.kernel.partner import Answer, RefusedBy
from tests.world import World, at, line, order

NO_MONEY = RefusedBy("INSUFFICIENT-FUNDS")
ASKED = (
    "SELECT type, occurred_at FROM o2c.event WHERE stream = 'invoice-BA-C-1-20260108' AND starts_with(type, 'payment.') ORDER BY version"
)


def course(world: World, pays: str, *said: Answer) -> list[str]:
    """What became of the payment of a first bill, of 8 January, by day."""
    world.stocked(pays=pays)
    world.scripted.will("payment", *said)
    world.take(order("WEB-1", line()))
    world.run(at(8, month=2))
    assert [kept.rule for kept in check_conformance(world.app) if kept.row()["violations"]] == []
    return [f"{row['occurred_at']:%m-%d} {row['type'].removeprefix('payment.')}" for row in world.app.reads.rows(ASKED)]


@pytest.fixture
def bare(dsn: str, tmp_path: Path) -> World:
    """A world without stock or customers."""
    return World(dsn, tmp_path)


def test_a_returned_debit_is_presented_once_more_and_pays(bare: World) -> None:
    """Due on the 22nd, a Thursday; returned; three bank days later, on Tuesday the 27th, it pays. Nobody was asked, and no arrears came of it."""
    assert course(bare, "direct-debit", NO_MONEY) == ["01-08 requested", "01-22 fell-out", "01-27 requested", "01-27 received"]
    assert bare.fallouts() == []
    assert bare.app.reads.streams_like("collection-") == []


def test_a_debit_that_is_returned_twice_waits_for_a_person(bare: World) -> None:
    """One re-presentation and no more; then it is overdue, and collections begin."""
    assert course(bare, "direct-debit", NO_MONEY, NO_MONEY)[-2:] == ["01-27 requested", "01-27 fell-out"]
    assert [fallout["reason"] for fallout in bare.fallouts()] == ["PAY-AUTH"]
    assert bare.app.reads.streams_like("collection-") == ["collection-BA-C-1"]


def test_a_card_is_charged_on_the_days_of_its_code(bare: World) -> None:
    """No money on the 9th, three days later, and seven after that: the next is a person's."""
    asked = course(bare, "card", NO_MONEY, NO_MONEY, NO_MONEY)
    assert [told for told in asked if told.endswith("fell-out")] == ["01-09 fell-out", "01-12 fell-out", "01-19 fell-out"]
    assert [fallout["reason"] for fallout in bare.fallouts()] == ["PAY-AUTH"]


def test_a_stolen_card_is_never_charged_again(bare: World) -> None:
    """A hard decline waits for the customer's other method from the first day."""
    assert course(bare, "card", RefusedBy("STOLEN")) == ["01-08 requested", "01-09 fell-out"]
