"""What is foretold of an item is written down when its level is another: once, in turn, and not of what is over."""

from dataclasses import replace
from typing import Any

import pytest

from o2c.kernel.partner import RefusedBy
from o2c.orders.jeopardy import Foretold, note
from tests.given import Story, item

FORETOLD = Foretold("1", "critical", 62, "2026-01-13", "2026-01-16", ("activation",), ("activation",))


def held() -> Story:
    """A line whose activation fell out."""
    return Story(item()).run(but={("1", "activation"): RefusedBy("PERMANENT")})


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        pytest.param(["normal"], [], id="never in danger"),
        pytest.param(["hazard", "hazard", "critical"], [("raised", "normal", "hazard"), ("raised", "hazard", "critical")], id="once each"),
        pytest.param(["critical", "hazard"], [("raised", "normal", "critical"), ("raised", "critical", "hazard")], id="milder again"),
        pytest.param(["hazard", "normal", "normal"], [("raised", "normal", "hazard"), ("cleared", "hazard", "normal")], id="out of it"),
    ],
)
def test_only_changes_are_written(levels: list[str], told: list[tuple[str, str, str]]) -> None:
    """A level that stands already makes no event."""
    story, found = held(), []
    for level in levels:
        decision = note(story.state, replace(FORETOLD, level=level))
        events: list[Any] = list(decision.events)
        found += [(event.type_name.partition("jeopardy-")[2], event.before, getattr(event, "level", "normal")) for event in events]
        story.take(decision)
    assert found == told


def test_what_is_foretold_stands_in_the_event() -> None:
    """The chance, both days, and the steps that are open and slow."""
    [event] = note(held().state, FORETOLD).events
    assert event.model_dump(mode="json") == {
        "item": "1", "level": "critical", "before": "normal", "chance_percent": 62, "promised_on": "2026-01-13", "projected_on": "2026-01-16",
        "open_steps": ["activation"], "violated": ["activation"],
    }  # fmt: skip


def test_nothing_is_written_of_what_is_over() -> None:
    """A complete order, an item that there is not, and one that was cancelled."""
    assert note(Story(item()).run().state, FORETOLD).events == ()
    assert note(held().state, replace(FORETOLD, item="9")).events == ()
    story = held()
    story.cancel()
    assert note(story.state, FORETOLD).events == ()
