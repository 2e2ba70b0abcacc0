"""A fixed service whose customer goes to another provider by One Touch Switch."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.desk.act import Context
from o2c.desk.switching import SwitchMatch, switch, switch_match
from o2c.kernel.money import half_up
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import COPPER
from o2c.views.following import Wanted, find_events
from o2c.views.products import product_history
from o2c.views.reading import caught_up
from o2c.views.told import told_to_customer
from tests.agreeing import disagreements
from tests.lives_of_products import change, product
from tests.world import ADDRESS, World, at, item, order

HUB = Context("hub")


@pytest.fixture
def world(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A fixed access in service, of a term of twelve months."""
    monkeypatch.setenv("O2C_LOOKUP_KEY", "0" * 64)
    made = World(dsn, tmp_path).stocked(customers=1)
    made.take(order("FIRST", item(COPPER, "1", place=ADDRESS, commitmentMonths="12")))
    return made.run(at(28))


def asked(world: World, *, address: str = ADDRESS, request: str = "OTS-1", name: str = "Mr T. Holmquay") -> SwitchMatch:
    return switch_match(world.app, world.folder, HUB, gaining="Other Fibre", request=request, name=name, address=address)


def test_a_customer_is_switched(world: World) -> None:
    """Matched and told, ordered, moved, and off on the day on which the new service is on; the bills are as the oracle says, and no check finds anything."""
    found = asked(world)
    assert (found.product, found.early_minor > 0) == (product(world, "FIRST").product, True)
    assert found.early_gross_minor == half_up(Fraction(found.early_minor * 120, 100))
    for day in (9, 11):
        switch(world.app, HUB, found.product, reference=found.reference, message="order", on=date(2026, 2, day))
    assert product(world, "FIRST").status == "pendingTerminate"
    assert [row["what"] for row in told_to_customer(world.app, "C-1") if row["channel"] == "courtesy"] == [
        "a notice: what switching to Other Fibre means",
        "a notice: the service is switched on 2026-02-09",
        "a notice: the service is switched on 2026-02-11",
    ]
    told = [row["what"] for row in product_history(world.app, found.product) if row["event"].startswith("switch-out")]
    assert told == ["Other Fibre", "2026-02-09", "2026-02-11"]
    world.take(order("TOO-LATE", change(world, "FIRST", action="delete"), on=at(29)))
    world.run(at(11, 12, month=2))
    assert ["is switched to another provider on 2026-02-11" in row["detail"] for row in world.fallouts("TOO-LATE")] == [True]
    switch(world.app, HUB, found.product, reference=found.reference, message="trigger", on=date(2026, 2, 11))
    world.run(at(20, month=4))

    state = product(world, "FIRST")
    assert (state.status, state.ended_on) == ("terminated", "2026-02-11")
    caught_up(world.app)
    assert disagreements(event.as_json() for event in find_events(world.app, Wanted())) == []
    assert [leak.row() for leak in check_assurance(world.app)] == []
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    assert [violation.row() for kept in check_conformance(world.app) for violation in kept.broken] == []


def test_who_is_not_ours_is_not_matched(world: World) -> None:
    """At another address there is nobody, and nothing is written down."""
    with pytest.raises(Refused, match="NO-MATCH"):
        asked(world, address="9 Other Road, Testford, ZX1 1AA")
    with pytest.raises(Refused, match="NO-MATCH"):
        asked(world, name="Holmquay Tamsel-Other")
    assert product(world, "FIRST").switching is None


def test_a_network_that_does_not_switch_off_falls_out(world: World) -> None:
    """A person settles it; then the service ends on the day of the new one all the same."""
    found = asked(world)
    switch(world.app, HUB, found.product, reference=found.reference, message="order", on=date(2026, 1, 30))
    world.run(at(30, 12))
    world.scripted.will("switch-out", RefusedBy("PERMANENT"))
    switch(world.app, HUB, found.product, reference=found.reference, message="trigger")
    world.run(at(31))
    [row] = world.fallouts(reason="NET-CFG")

    assert (row["step"], product(world, "FIRST").status) == ("switch-out", "pendingTerminate")
