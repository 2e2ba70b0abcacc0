"""Taking an order down: once, however often it comes; a changed one is kept beside the first and shown to a person."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from o2c.fallout.codes import packaged
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import order_id
from o2c.orders.document import SOURCE
from o2c.orders.receiving import Arrival, receive
from o2c.orders.state import OrderState
from o2c.orders.step import KIND
from tests.given import MARKET, MONDAY, Document, folded, item, paper, wish

OTHER = {"priority": "1"}
THIRD = {"priority": "2"}


def came(state: OrderState, line: int, intake: str = "intake-1", **changes: Any) -> tuple[str, Decision]:
    """The order comes (again) on a line of an intake, perhaps changed."""
    original = json.dumps(paper(item()))
    arrival = Arrival(intake, line, 3, MARKET.pin, MONDAY + timedelta(hours=1))
    return receive(state, wish(item(), **changes), arrival, original=original, codes=packaged().newest)


FRESH = KIND.initial(f"order-{order_id(SOURCE, 'C-1001', 'WEB-1001')}")


def after(*lines: tuple[int, Document]) -> OrderState:
    """The order after it came on these lines of the first intake."""
    state = FRESH
    for line, changes in lines:
        state = folded(state, came(state, line, **changes)[1])
    return state


def test_a_new_order_is_captured_and_to_be_validated() -> None:
    """Everything the channel said is in the first event, with the catalogue version of the day; the gate is asked at once."""
    reception, decision = came(FRESH, 17)
    captured, requested = decision.events
    assert reception == "captured"
    assert (captured.type_name, requested.type_name) == ("order.captured", "validation.requested")
    assert (captured.external_id, captured.intake, captured.line, captured.catalogue_version) == ("WEB-1001", "intake-1", 17, 3)
    assert json.loads(captured.original) == paper(item())
    assert requested.due_at == MONDAY + timedelta(hours=1)


def test_an_order_of_tomorrow_is_validated_tomorrow() -> None:
    """Validation is not due before the date of the order."""
    _, decision = came(FRESH, 1, orderDate="2026-01-06T10:00:00Z")
    assert decision.events[1].due_at == MONDAY + timedelta(days=1)


def test_personal_values_stand_apart() -> None:
    """Characteristics, places and the original are personal fields; the rest of the line is not."""
    [captured, _] = came(FRESH, 1)[1].events
    assert captured.personal == {"details", "original"}
    assert "Mill Lane" not in captured.model_dump_json(exclude=set(captured.personal))
    assert "Mill Lane" not in repr(captured)


@pytest.mark.parametrize(
    ("before", "line", "intake", "changes", "reception", "events"),
    [
        pytest.param([(1, {})], 1, "intake-1", {}, "captured", [], id="killed-and-repeated"),
        pytest.param([(1, {})], 2, "intake-1", {}, "duplicate", [], id="same-content-later-in-the-file"),
        pytest.param([(1, {})], 1, "intake-2", {}, "duplicate", [], id="same-content-in-another-file"),
        pytest.param([(1, {})], 2, "intake-1", {"orderDate": "2026-01-07T10:00:00Z"}, "duplicate", [], id="only-the-date-differs"),
        pytest.param([(1, {})], 2, "intake-1", {"channel": [{"id": "store"}]}, "duplicate", [], id="only-the-channel-differs"),
        pytest.param([(1, {})], 2, "intake-1", OTHER, "resubmitted", ["order.resubmitted", "duplicate.suspected"], id="other-content"),
        pytest.param([(1, {}), (2, OTHER)], 1, "intake-1", {}, "captured", [], id="first-line-repeated-after-a-resubmission"),
        pytest.param([(1, {}), (2, OTHER)], 2, "intake-1", OTHER, "resubmitted", [], id="resubmission-killed-and-repeated"),
        pytest.param([(1, {}), (2, OTHER)], 3, "intake-1", OTHER, "duplicate", [], id="the-same-change-again"),
        pytest.param([(1, {}), (2, OTHER)], 3, "intake-1", {}, "duplicate", [], id="back-to-the-first"),
        pytest.param(
            [(1, {}), (2, OTHER)], 3, "intake-1", THIRD, "resubmitted", ["order.resubmitted", "duplicate.suspected"], id="a-second-change"
        ),
    ],
)
def test_the_same_order_again(
    before: list[tuple[int, Document]], line: int, intake: str, changes: Document, reception: str, events: list[str]
) -> None:
    """Same content is a duplicate, other content a resubmission once, and a line gone over again is what it was the first time."""
    found, decision = came(after(*before), line, intake, **changes)
    assert (found, [event.type_name for event in decision.events]) == (reception, events)


def test_a_resubmission_names_what_differs_and_changes_nothing_in_force() -> None:
    """The first paper stays in force; the difference is told by field, the fallout waits for the channel."""
    first = after((1, {}))
    _, decision = came(first, 2, priority="1", category="business")
    resubmitted, suspected = decision.events
    assert resubmitted.differing == ("category", "priority")
    assert (suspected.reason, suspected.waiting_for) == ("DQ-DUP", "us")
    then = folded(first, decision)
    assert (then.priority, then.category, then.progress) == (first.priority, first.category, first.progress)


def test_each_resubmission_is_a_fallout_of_its_own() -> None:
    """Two different changes are two things for a person to look at."""
    first = after((1, {}))
    one, two = (came(first, 2, **changes)[1].events[1] for changes in (OTHER, THIRD))
    assert one.fallout != two.fallout


def test_numbers_are_compared_as_they_were_written() -> None:
    """Numbers too large for a float differ where their digits do."""
    state, one, other = FRESH, b"1e9999", b"1e9998"
    papers = [json.dumps(paper(item(), size="SIZE")).replace('"SIZE"', number.decode()) for number in (one, other)]
    wishes = [replace(wish(item()), original=text, fingerprint=text) for text in papers]
    first, second = (Arrival("i", line, 1, MARKET.pin, MONDAY) for line in (1, 2))
    _, captured = receive(state, wishes[0], first, original=None, codes=packaged().newest)
    _, again = receive(folded(state, captured), wishes[1], second, original=papers[0], codes=packaged().newest)
    assert again.events[0].differing == ("size",)
