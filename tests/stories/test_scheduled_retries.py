"""A fallout of a scheduled code on a store: its next date is its moment, and when that comes the step goes on without anybody."""

from datetime import timedelta

import pytest

from o2c.kernel.partner import RefusedBy
from o2c.views.reading import plain
from tests.given import MARKET
from tests.world import World, at, order, ported


@pytest.mark.parametrize("bars", [1, 2])
def test_a_bar_that_the_customer_settles_needs_nobody(world: World, bars: int) -> None:
    """The donor bars the number, is asked again half an hour before the cut-off, each time at the fallout's next date, and lets it go."""
    world.scripted.will("porting", *[RefusedBy("BARRED")] * bars)
    world.take(order("WEB-1", ported()))
    world.run(at(5, 12))
    for _ in range(bars):
        [fallout] = world.fallouts("WEB-1")
        moment = MARKET.next_moment("cut-off", world.app.clock().now)
        assert (fallout["reason"], fallout["next_at"]) == ("NP-BAR", plain(moment))
        asked = len(world.scripted.asked("porting"))
        world.run(moment - timedelta(minutes=15))
        assert len(world.scripted.asked("porting")) == asked, "not before its moment"
        world.run(moment + timedelta(minutes=15))
        assert len(world.scripted.asked("porting")) == asked + 1

    assert world.fallouts("WEB-1") == []
    told = world.told("WEB-1")
    assert told.count("porting.fell-out") == told.count("retry.scheduled") == bars
    assert "fallout.correction-applied" not in told
    assert world.run(at(12)).state("WEB-1") == "completed"


def test_stock_waits_by_itself(world: World) -> None:
    """No time is set for an empty pool: the step goes on with the piece that comes, and its next date is the day that one is announced for."""
    world.sims(physical=1, on=at(9))
    esims = [order(f"WEB-{n}", ported(msisdn=f"+44770090012{n}", sim="physical"), party="C-1") for n in range(1, 5)]
    world.take(*esims)
    world.run(at(5, 12))
    waiting = world.fallouts(reason="INV-SIM")

    assert [fallout["next_at"] for fallout in waiting] == [plain(at(9, 0))]
    world.run(at(9, 12))
    assert world.fallouts(reason="INV-SIM") == []
    assert "retry.scheduled" not in world.told(waiting[0]["external_id"])
