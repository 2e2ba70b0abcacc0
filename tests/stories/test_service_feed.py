"""The feed of events: everything once, in the order of the log, for whoever comes back with what he was given."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from o2c.views.following import Wanted, find_events
from tests.service import OPERATOR, Visitor, serving
from tests.world import World, at, line, order

FEED = "/api/v1/events"


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Visitor]:
    """A service on a store with one order that is done."""
    world.take(order("WEB-1", line()))
    world.run(at(12))
    with serving(world, tmp_path) as made:
        yield made


def ids(answer: Any) -> list[str]:
    """The ids of the events of a page."""
    return [event["id"] for event in answer.json()]


def all_ids(world: World) -> list[str]:
    """The ids of all events, in the order of the log."""
    return [event.id for event in find_events(world.app, Wanted())]


def read(lines: Iterator[str], count: int) -> list[dict[str, str]]:
    """So many events of a stream, as its fields."""
    found: list[dict[str, str]] = [{}]
    for text in lines:
        if text and not text.startswith(":"):
            name, _, value = text.partition(": ")
            found[-1][name] = value
        elif found[-1]:
            if len(found) == count:
                return found
            found.append({})
    return found


def test_pages_hold_every_event_once(service: Visitor, world: World) -> None:
    """Each page says where to go on; what is written between two pages comes on the next, and at the end pages are empty."""
    page, seen = service.get(f"{FEED}?limit=7"), []
    while page.json():
        seen += ids(page)
        if len(seen) == 7:
            world.take(order("WEB-2", line()))
        page = service.get(f"{FEED}?limit=7&after={page.headers['o2c-next']}")

    assert seen == all_ids(world)
    assert len(seen) > 14


def test_a_page_of_some_types_moves_on_over_the_others(service: Visitor, world: World) -> None:
    """A reader of rare events is not made to read the log anew each time."""
    page = service.get(f"{FEED}?types=order.captured&types=order.comp*")

    assert [event["type"] for event in page.json()] == ["order.captured", "order.completed"]
    assert page.headers["o2c-next"].partition(":")[2] == all_ids(world)[-1]


def test_a_mark_of_another_log_is_no_mark(service: Visitor) -> None:
    """After a restore, or at another store, nothing is read as if nothing had happened; a word that is none fits nothing."""
    other = service.get(f"{FEED}?after=9000000000:0b0f1c6e-6d3c-4c55-8f0b-5d7a4b1d2c90")
    none = service.get(f"{FEED}?types=order.lost")

    assert [(answer.status_code, answer.json()["type"]) for answer in (other, none)] == [(410, "/problems/gone"), (422, "/problems/usage")]


def test_a_stream_goes_on_and_is_taken_up_again(service: Visitor, world: World) -> None:
    """What is there comes at once, what is new as it is written; who comes back with the last id misses nothing and gets nothing twice."""
    headers = {"Authorization": OPERATOR, "Accept": "text/event-stream"}
    there = all_ids(world)
    with service.client.stream("GET", FEED, headers=headers) as stream:
        lines = stream.iter_lines()
        first = read(lines, len(there))
        world.take(order("WEB-2", line()))
        [new] = read(lines, 1)
    with service.client.stream("GET", FEED, headers={**headers, "Last-Event-ID": first[4]["id"]}) as stream:
        again = read(stream.iter_lines(), len(all_ids(world)) - 5)

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert [event["id"].partition(":")[2] for event in first] == there
    assert new["event"] == "order.captured"
    assert [event["id"].partition(":")[2] for event in again] == all_ids(world)[5:]


def test_a_reader_who_stands_still_holds_nobody_up(service: Visitor) -> None:
    """Fifty streams that nobody reads take no thread and no connection: others are answered."""
    streams = []
    with httpx.Client(base_url=service.client.base_url, limits=httpx.Limits(max_connections=60)) as idle:
        for _ in range(50):
            request = idle.build_request("GET", FEED, headers={"Authorization": OPERATOR, "Accept": "text/event-stream"})
            streams.append(idle.send(request, stream=True))
        answers = [service.get("/api/v1/orders/WEB-1").status_code for _ in range(5)]
        for stream in streams:
            stream.close()

    assert answers == [200] * 5
