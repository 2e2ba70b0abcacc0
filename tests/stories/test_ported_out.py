"""A number that goes to another operator: asked for, authorised or rejected, taken back, and what becomes of the product on the day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Fail
from o2c.desk.products import PortOut, lock, port_out, port_out_cancel, porting_code
from o2c.engine.app import Context
from o2c.files import loading
from o2c.kernel.partner import Accepted, Failed, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.products.rules import PortOutWish
from o2c.products.rules import port_out as decided
from o2c.products.state import ProductState
from o2c.simulation.launch_data import LINE_ADD_ONS
from o2c.views.numbers import show_number
from o2c.views.products import list_products
from o2c.views.reading import all_seen
from projections.engine import operations as engine
from tests.given import MARKET, MONDAY
from tests.histories import differing
from tests.lives_of_goods_in_service import asked_for, leaving, leaving_soon, started, wanted
from tests.lives_of_products import change, in_service, product
from tests.world import ADDRESS, World, at, item, line, order, ported

CLEARING = Context("clearing")


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    """A line in service since 5 January, of a term of twelve months; it is 12 January, a Monday."""
    made = in_service(World(dsn, tmp_path).stocked())
    yield made
    engine.catch_up(dsn)
    assert differing(dsn) == []
    assert [check for check in run_checks(made.app) if check.state == "failed"] == []
    assert [kept.rule for kept in check_conformance(made.app) if kept.broken] == []
    made.close()


def number(world: World, name: str = "FIRST") -> str:
    """The number of the line."""
    return str(product(world, name).standing.holds["msisdn"])


def asks(world: World, *, reference: str = "PRT-901", code: str = "", wished_on: date | None = None, name: str = "FIRST") -> PortOut:
    """Another operator asks for the number, with the code that its customer was given."""
    given = code or porting_code(world.app, Context("ann"), product(world, name).product).code
    return port_out(world.app, CLEARING, number(world, name), operator="Other Mobile", reference=reference, code=given, wished_on=wished_on)


def test_a_request_with_the_code_is_authorised(world: World) -> None:
    """For the window that the market's calendar gives: asked for at midnight on Monday, on Tuesday; the product is about to end, and its customer is told."""
    told = asks(world)

    assert (told.state, told.agreed_on, told.operator) == ("authorised", "2026-01-13", "Other Mobile")
    assert told.cutoff_at == at(12, 17)
    assert product(world, "FIRST").status == "pendingTerminate"
    all_seen(world.app)
    assert [row["status"] for row in list_products(world.app, statuses=["pendingTerminate"])] == ["pendingTerminate"]
    assert world.types("customer-C-1")[-1] == "customer.contacted"


def test_a_wished_day_moves_the_window(world: World) -> None:
    """Saturday is none of the market's days: the window opens on Monday."""
    assert asks(world, wished_on=date(2026, 1, 17)).agreed_on == "2026-01-19"


def test_on_the_day_the_product_ends(world: World) -> None:
    """The service is switched off, the number serves elsewhere, the SIM is scrapped, the charge ends that day, the early end is charged once, and a final bill is made."""
    msisdn, before = number(world), product(world, "FIRST")
    asks(world)

    world.run(at(14))

    after = product(world, "FIRST")
    assert (after.status, after.ended_on) == ("terminated", "2026-01-13")
    [off] = world.scripted.asked("port-out")
    assert (off.body["status"], off.body["msisdn"], off.at) == ("terminated", msisdn, at(13, 9))
    assert (show_number(world.app, msisdn)["state"], world.types(f"number-{msisdn}")[-1]) == ("ported_out", "number.ported-out")
    assert world.types(f"sim-{before.standing.holds['iccid']}")[-1] == "sim.scrapped"
    assert world.app.reads.rows("SELECT kind FROM o2c.guard WHERE key = %s", msisdn) == []
    world.run(at(1, month=3))
    [early] = [line for line in billed(world) if line["offering"] == "early-termination"]
    assert early["net_minor"] > 0
    assert world.app.reads.rows("SELECT 1 FROM o2c.event WHERE type = 'account.billed' AND (body->>'final')::boolean") != []
    assert check_assurance(world.app) == []


def billed(world: World) -> list[dict[str, Any]]:
    """The lines of all invoices."""
    found = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'invoice.issued' ORDER BY position")
    return [line for row in found for line in row["body"]["lines"]]


def test_the_number_comes_back_when_its_holder_is_told(world: World) -> None:
    """Nothing brings it into the pool but its being loaded again."""
    msisdn = number(world)
    asks(world)
    world.run(at(1, month=6))
    assert world.app.reads.rows("SELECT key FROM o2c.pool WHERE key = %s", msisdn) == []

    loading.load_stock(world.app, world.runner, "numbers", world.written("back.csv", [("msisdn", "class"), (msisdn, "normal")]), None)

    assert show_number(world.app, msisdn)["state"] == "available"


def test_a_number_that_was_brought_in_goes_on(dsn: str, tmp_path: Path) -> None:
    """It is with its new operator: another order may bring it in again, and loading it brings nothing."""
    world = World(dsn, tmp_path).stocked()
    world.take(order("FIRST", ported()))
    world.run(at(20))
    told = asks(world)
    world.run(at(25))
    assert (told.state, show_number(world.app, "+447700900123")["state"]) == ("authorised", "ported_out")

    world.take(order("AGAIN", ported(), party="C-2", on=at(25)))
    world.run(at(5, month=2))

    assert (world.state("AGAIN"), show_number(world.app, "+447700900123")["state"]) == ("completed", "ported_in")


def test_it_can_be_taken_back_until_the_cut_off(world: World) -> None:
    """The product serves on, and the same operator may ask again; after the cut-off it is too late."""
    asks(world)
    port_out_cancel(world.app, CLEARING, number(world), reference="PRT-901")
    port_out_cancel(world.app, CLEARING, number(world), reference="PRT-901")
    world.run(at(14))
    assert (product(world, "FIRST").status, world.scripted.asked("port-out")) == ("active", [])

    assert asks(world, reference="PRT-902").agreed_on == "2026-01-15"
    world.run(at(14, 17))
    with pytest.raises(Refused, match="cut-off"):
        port_out_cancel(world.app, CLEARING, number(world), reference="PRT-902")


def test_what_fails_at_the_other_operator_stays(world: World) -> None:
    """The service is switched on again at once, the number was never away, and another port can be asked for, under requests of its own."""
    world.scripted.will("port-out-cutover", RefusedBy("FAILED"))
    asks(world)

    world.run(at(14))

    state = product(world, "FIRST")
    assert (state.status, state.port_out) == ("active", None)
    [on] = world.scripted.asked("reactivation")
    assert on.body["status"] == "active"
    asks(world, reference="PRT-902")
    world.run(at(16))
    assert product(world, "FIRST").status == "terminated"
    keys = [request.key for request in world.scripted.asked("port-out")]
    assert len(set(keys)) == 2


def test_a_person_who_learns_that_a_number_stayed_has_it_switched_on(world: World) -> None:
    """The clearing house says only that it failed: after the cut-off, too, the port can be taken back, as nobody has the number. There was no way but to ask for ever."""
    world.scripted.will("port-out-cutover", RefusedBy("REFUSED"))
    asks(world)
    world.run(at(13, 10))
    assert [row["reason"] for row in world.fallouts()] == ["NP-CUTFAIL"]

    port_out_cancel(world.app, CLEARING, number(world), reference="PRT-901")
    world.run(at(14))

    state = product(world, "FIRST")
    assert (state.status, state.port_out, world.fallouts()) == ("active", None, [])
    assert [request.body["status"] for request in world.scripted.asked("reactivation")] == ["active"]
    assert asks(world, reference="PRT-902").state == "authorised"


def test_a_service_that_is_not_on_again_is_urgent(world: World) -> None:
    """Its customer has none: it stands in the queue of that name until the network has switched it on."""
    world.scripted.will("port-out-cutover", RefusedBy("FAILED"))
    world.scripted.will("reactivation", *[Failed("PERMANENT")] * 4)
    asks(world)
    world.run(at(13, 9, 15))

    [urgent] = world.fallouts()
    assert (urgent["reason"], urgent["queue"], urgent["severity"]) == ("NP-REACT", "urgent", 1)
    world.run(at(14))
    assert (world.fallouts(), product(world, "FIRST").status) == ([], "active")


def test_what_relies_on_it_ends_with_it(dsn: str, tmp_path: Path) -> None:
    """An add-on of the line ends on the same day, with its charge."""
    world = World(dsn, tmp_path).stocked()
    world.take(order("FIRST", line(), item(LINE_ADD_ONS[0], "2", relies_on="1")))
    world.run(at(12))
    asks(world)

    world.run(at(14))

    assert [(each.status, each.ended_on) for each in (product(world, "FIRST"), product(world, "FIRST", "2"))] == [
        ("terminated", "2026-01-13")
    ] * 2


def test_no_order_changes_what_leaves(world: World) -> None:
    """Whoever orders a change is told on which day the number goes."""
    asks(world, wished_on=date(2026, 1, 20))
    world.take(order("LATER", change(world, "FIRST", numberChange="true"), on=at(12)))
    world.run(at(13))

    [flaw] = world.fallouts("LATER")
    assert flaw["reason"] == "DQ-ACTION"
    assert "2026-01-20" in flaw["detail"]


def test_an_order_under_way_that_comes_too_late_changes_nothing(world: World) -> None:
    """A swap of the SIM waits for its parcel while the number goes: the order falls out, and given up it gives the new SIM back."""
    world.scripted.will("delivery", Accepted("PCL-1", at(20)))
    world.take(order("SWAP", change(world, "FIRST", simSwap="lost", simType="physical", place=ADDRESS), on=at(12)))
    world.run(at(12, 1))
    asks(world)
    world.run(at(21))

    assert product(world, "FIRST").status == "terminated"
    [late] = world.fallouts("SWAP")
    assert (late["step"], late["reason"]) == ("service-change", "DQ-ACTION")
    assert "ended on 2026-01-13" in late["detail"]
    iccid = world.outcome("SWAP", "1", "sim")["iccid"]
    world.resolve("DQ-ACTION", Fail(), of="SWAP")
    world.run(at(22))
    assert world.state("SWAP") == "failed"
    assert world.types(f"sim-{iccid}")[-1] in ("sim.returned", "sim.restocked", "sim.scrapped")


def test_a_lock_holds_until_it_is_lifted(world: World) -> None:
    """No code, and no port on a code of before."""
    code = porting_code(world.app, Context("ann"), product(world, "FIRST").product).code
    lock(world.app, Context("ann"), number(world))
    assert porting_code(world.app, Context("ann"), product(world, "FIRST").product).refused.startswith("its customer locked")
    assert (asks(world, code=code).state, asks(world, code=code).word) == ("rejected", "BARRED")

    lock(world.app, Context("ann"), number(world), lift=True)

    assert asks(world, code=code).state == "authorised"


def test_a_code_lapses_by_itself(world: World) -> None:
    """On the day after its last, without anybody asking."""
    porting_code(world.app, Context("ann"), product(world, "FIRST").product)
    world.run(at(11, 23, month=2))
    assert not product(world, "FIRST").code_lapsed
    world.run(at(12, 1, month=2))
    assert product(world, "FIRST").code_lapsed
    assert world.types(f"product-{product(world, 'FIRST').product}")[-1] == "porting-code.lapsed"


LATE = (MONDAY + timedelta(days=29)).date()
GROUNDS: list[Any] = [
    pytest.param(started(), wanted(), "code", "CODE-MISMATCH", id="no code was given"),
    pytest.param(asked_for(), wanted("EXO999999"), "code", "CODE-MISMATCH", id="another code"),
    pytest.param(
        asked_for(), replace(wanted(), wished_on=LATE + timedelta(days=3)), "code-expired", "CODE-EXPIRED", id="too old for the day"
    ),
    pytest.param(replace(asked_for(), changing=leaving().changing), wanted(), "leaving", "NUMBER-INACTIVE", id="ending"),
    pytest.param(replace(asked_for(), changing={"number": "B/1"}), wanted(), "leaving", "NUMBER-INACTIVE", id="another number comes"),
    pytest.param(replace(asked_for(), locked=True), wanted(), "locked", "BARRED", id="locked"),
    pytest.param(leaving_soon(), replace(wanted(), reference="PRT-902"), "porting", "PORTING", id="another operator was given it"),
]


@pytest.mark.parametrize(("state", "wish", "ground", "word"), GROUNDS)
def test_grounds_of_the_market(state: ProductState, wish: PortOutWish, ground: str, word: str) -> None:
    """A request is rejected on these and no others, in the market's word."""
    [rejected] = decided(state, MARKET, wish, at=MONDAY).events

    assert (rejected.ground, rejected.word) == (ground, word)


def test_a_hold_after_another_sim_rejects() -> None:
    """Where the market has one: the thief of a SIM is kept from the number."""
    market = replace(MARKET, life=replace(MARKET.life, sim_swap_hold_days=7))
    swapped = replace(asked_for(), sim_changed_on=MONDAY.date().isoformat())

    assert decided(swapped, market, wanted(), at=MONDAY).events[0].ground == "sim-swap"
    assert decided(swapped, MARKET, wanted(), at=MONDAY).events[0].type_name == "port-out.authorised"


def test_a_market_without_codes_asks_for_the_account() -> None:
    """The Netherlands: the contract names the customer."""
    market = replace(MARKET, life=replace(MARKET.life, port_out=replace(MARKET.life.port_out, code_digits=0)))
    state = started()

    assert decided(state, market, wanted(state.standing.account), at=MONDAY).events[0].type_name == "port-out.authorised"
    assert decided(state, market, wanted("BA-9"), at=MONDAY).events[0].type_name == "port-out.rejected"
