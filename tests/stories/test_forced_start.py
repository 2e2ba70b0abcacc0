"""A download that people saw done by other means is charged from the day on which they said so, and the oracle of invoices reads it the same way."""

import json

from o2c.desk.fallout import Force
from o2c.kernel.partner import Failed
from o2c.views.timeline import order_timeline
from tests.agreeing import disagreements
from tests.world import World, at, line, order


def test_charging_starts_on_the_day_on_which_a_download_was_forced(world: World) -> None:
    """The platform cannot tell on the 5th; two people say on the 7th that it is done, and the first invoice begins there."""
    world.stocked()
    world.scripted.will("esim-download", Failed("PERMANENT"))
    world.take(order("WEB-1", line()))
    world.run(at(7, 12))
    for somebody in ("agent.smith", "agent.jones"):
        world.resolve("SIM-DPUNK", Force(), by=somebody)
    world.run(at(20, month=2))

    told = [json.loads(json.dumps(event)) for event in order_timeline(world.app, "WEB-1")]
    first = next(event["data"] for event in told if event["type"] == "invoice.issued")
    assert {line["from_day"] for line in first["lines"]} == {"2026-01-07", "2026-01-08"}
    assert disagreements(told) == []
    assert disagreements([event for event in told if event["type"] != "step.forced"]) != [], "without it, it would be the day of activation"
