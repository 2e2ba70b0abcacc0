"""What is foretold of an order stands on its timeline: once for each change of its level, however often it is looked."""

from o2c.running.jeopardy import note_jeopardy
from o2c.views.jeopardy import list_jeopardy
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from tests.histories import differing
from tests.world import World, at, order, ported


def noted(world: World) -> int:
    caught_up(world.app)
    count = note_jeopardy(world.app)
    caught_up(world.app)
    return count


def test_a_promise_that_passes(world: World) -> None:
    """In time nothing is written; past its day the item is critical, once; it never drops from sight; and a finished order is let be."""
    world.take(order("WEB-1", ported(code="")))
    world.run(at(5, 12))
    assert noted(world) == 0

    world.run(at(16))
    assert [noted(world), noted(world)] == [1, 0]
    world.run(at(26))
    assert noted(world) == 0
    assert [row["level"] for row in list_jeopardy(world.app)] == ["critical"]
    [raised] = [row for row in order_timeline(world.app, "WEB-1") if row["type"].startswith("order.jeopardy-")]
    assert raised["type"] == "order.jeopardy-raised"
    assert differing(world.dsn) == []

    world.cancel("WEB-1")
    world.run(at(27))
    assert noted(world) == 0
