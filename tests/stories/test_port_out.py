"""A customer who takes a number to another operator: the code that is asked for."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from o2c.desk.products import PortingCode, porting_code
from o2c.engine.app import Context
from o2c.kernel.money import half_up
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.orders.changing import flaw_of_changes
from o2c.orders.wish import Line
from o2c.products import rules
from o2c.products.events import product_stream
from o2c.products.state import ProductState
from tests.given import MARKET, MONDAY
from tests.lives_of_goods_in_service import leaving, started
from tests.lives_of_products import change, in_service, product
from tests.shell import Shell
from tests.world import World, at, order


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line in service since 5 January, of a term of twelve months."""
    return in_service(World(dsn, tmp_path).stocked())


def asked(world: World, name: str = "FIRST") -> PortingCode:
    """What the customer is told who asks for a code."""
    return porting_code(world.app, Context("ann"), product(world, name).product)


def test_a_code_comes_with_what_leaving_costs(world: World) -> None:
    """In the market's form, good for thirty days, with the charge for an early end; and the customer is told at the contact that stands."""
    given = asked(world)

    issued = product(world, "FIRST").porting_code
    assert (given.code[:3], given.code[3:].isdigit(), len(given.code)) == ("EXO", True, 9)
    assert (given.refused, given.valid_through, given.owed_minor) == ("", "2026-02-11", 0)
    assert given.early_minor == issued.early_minor > 0
    assert given.early_gross_minor == half_up(Fraction(given.early_minor * 120, 100))
    assert world.types(f"customer-{product(world, 'FIRST').standing.customer}")[-1] == "customer.contacted"


def test_it_is_the_same_code_while_it_is_good(world: World) -> None:
    """On its last day it is still the same; on the next it is another."""
    first = asked(world)
    world.run(at(11, month=2))
    again = asked(world)
    world.run(at(12, month=2))
    anew = asked(world)

    assert (again.code, again.valid_through) == (first.code, first.valid_through)
    assert anew.valid_through == "2026-03-14"
    assert world.types(f"product-{first.product}").count("product.porting-code-issued") == 2


def test_whoever_asks_on_the_command_line_is_told_the_window(world: World, tmp_path: Path) -> None:
    """As JSON, too: the deed was done, and the answer broke on its times."""
    given = asked(world)
    wish = ("--operator", "Other Mobile", "--reference", "PRT-1", "--code", given.code, "--actor", "clearing")
    told = Shell(world.app.dsn, tmp_path / "home").data("products", "port-out", given.product, *wish, "-o", "json")
    assert isinstance(told, dict)
    assert (told["state"], told["window_opens_at"], told["cutoff_at"]) == ("authorised", "2026-01-13T09:00:00Z", "2026-01-12T17:00:00Z")


def test_debt_is_no_ground() -> None:
    """What is open of the invoices is told, and the code is given."""
    issued, _ = rules.porting_code(started(), MARKET, "EXO123456", owed_minor=5_000, at=MONDAY).events

    assert (issued.type_name, issued.owed_minor) == ("product.porting-code-issued", 5_000)


def test_what_is_owed_is_what_invoices_have_open(world: World) -> None:
    """A bill that nobody can collect stands in the answer until it is paid."""
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 20)
    world.run(at(9, month=2))

    given = asked(world)

    [row] = world.app.reads.rows("SELECT sum(total_minor - paid_minor)::bigint AS open FROM projection.invoices")
    assert given.owed_minor == row["open"] > 0


def test_a_product_that_is_ending_gets_no_code() -> None:
    """On the ground that it is leaving already, where the market has that ground."""
    [refused] = rules.porting_code(leaving(), MARKET, "EXO123456", owed_minor=0, at=MONDAY).events

    assert refused.ground == "leaving"


def test_a_product_that_ended_has_no_code(world: World) -> None:
    """Whoever asks is told when it ended."""
    world.take(order("END", change(world, "FIRST", action="delete"), on=at(12)))
    world.run(at(20))

    with pytest.raises(Refused, match="ended on"):
        asked(world)


def test_another_number_makes_the_code_worthless(world: World) -> None:
    """The code is for the number that it was asked for."""
    asked(world)
    world.take(order("NUMBER", change(world, "FIRST", numberChange="true"), on=at(12)))
    world.run(at(14))

    assert product(world, "FIRST").porting_code is None


def swapped(days_ago: int) -> ProductState:
    """A product whose SIM was replaced so many days before the Monday of the tests."""
    return replace(started(), sim_changed_on=(MONDAY.date() - timedelta(days=days_ago)).isoformat())


@pytest.mark.parametrize(("days_ago", "hold_days", "refused"), [(0, 7, True), (6, 7, True), (7, 7, False), (0, 0, False), (-2, 0, False)])
def test_a_new_sim_holds_the_number(days_ago: int, hold_days: int, refused: bool) -> None:
    """For so many days as the market says, also from being changed: the thief of a SIM is kept from the number. Where it is held for none, an order that was given before
    the SIM was and is judged after it is not refused either."""
    market = replace(MARKET, life=replace(MARKET.life, sim_swap_hold_days=hold_days))

    decision = rules.porting_code(swapped(days_ago), market, "EXO123456", owed_minor=0, at=MONDAY)

    assert (decision.events[0].type_name == "product.porting-code-refused") is refused
    another = {"numberChange": "true"}, {"numberChange": "false", "simSwap": "damaged"}
    assert [flaw(swapped(days_ago), market, says) != "" for says in another] == [refused, False]


def flaw(state: ProductState, market: Market, says: dict[str, str]) -> str:
    """Why an order of the Monday may not change a product as it says; empty where it may."""
    line, products = Line("1", "", "modify", "1", "", state.product, (), says, ""), {product_stream(state.product): state}
    assert state.standing is not None
    return flaw_of_changes([line], products, state.standing.customer, market, "B", MONDAY)


def test_a_market_without_codes_gives_none() -> None:
    """Whoever asks is told how a number is ported there."""
    life = replace(MARKET.life, port_out=replace(MARKET.life.port_out, code_digits=0))

    with pytest.raises(Refused, match="without a code"):
        rules.porting_code(started(), replace(MARKET, life=life), "", owed_minor=0, at=MONDAY)
