"""What must hold of everything that was tried: each attempt is in one journey of one state, and no field of an order was keyed in twice."""

from collections import Counter
from typing import Any

from o2c.views.fields import order_fields
from o2c.views.journeys import STATES, list_journeys, show_journey
from tests.world import World

TRIED = "SELECT count(*) AS n FROM o2c.event WHERE body ? 'tried_at'"
"""How many attempts stand in the log."""


def accounted(world: World) -> dict[str, int]:
    """Attempts by the state of their journeys, robots' and our own tests' too: ordered, recovered, lost and open are all that were made."""
    rows = list_journeys(world.app, everything=True)
    found: Counter[str] = Counter()
    for row in rows:
        found[row["state"]] += row["attempts"]
    [made] = world.app.reads.rows(TRIED)
    assert sum(found[state] for state in STATES) == made["n"], "attempts = ordered + recovered + lost + open"
    return dict(found)


def keyed_once(world: World, external_id: str, journey: str, keyed: dict[str, str], event_type: str) -> dict[str, dict[str, Any]]:
    """The fields of an order by their paths: each is told once, and what was `keyed` on the journey came by that one attempt and nothing after it."""
    rows = order_fields(world.app, world.folder, external_id)
    fields = {row["path"]: dict(row) for row in rows}
    assert len(fields) == len(rows), "a field comes from one event"
    attempt = next(step for step in show_journey(world.app, journey)["steps"] if step["type"] == event_type)
    assert {fields[path]["event"] for path in keyed} == {attempt["event"]}
    return fields
