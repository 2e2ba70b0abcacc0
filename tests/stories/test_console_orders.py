"""Orders, customers and the search in the console: how it stands, what happened and why, how it stood, and what is in no address."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.entrypoints.http.console.diffs import Difference, between
from o2c.entrypoints.http.console.stories import told
from tests.console import Console, console
from tests.world import World, at, line, order, ported

NUMBER = "+447700900123"


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Console]:
    """The console of a store with a completed line and a port without its code."""
    world.take(order("WEB-1", line()), order("WEB-2", ported(code=""), party="C-2"))
    world.run(at(7))
    with console(world, tmp_path) as made:
        yield made


def test_an_order_is_told_on_one_page(site: Console) -> None:
    """State, items with their steps and days, what stops it with a link, money, and what happened."""
    with site.by("ann", "agent") as ann:
        done, stuck = ann.opens("/console/orders/WEB-1"), ann.opens("/console/orders/WEB-2")

    assert "completed" in done.text
    assert len(done.root.all("svg")) >= 2
    [link] = [node for node in stuck.root.all("a") if "NP-CODE" in node.text and "/fallouts/" in node.attributes["href"]]
    assert "porting" in link.text
    assert done.alerts == stuck.alerts == []


def test_three_zooms_and_lanes_of_one_story(site: Console) -> None:
    """Each zoom has all of the one before; every event of the widest has an address; gaps are folded; a cause is a link."""
    with site.by("ann", "agent") as ann:
        pages = {zoom: ann.opens(f"/console/orders/WEB-1?zoom={zoom}") for zoom in ("milestones", "steps", "all", "lanes")}
        wrong = ann.opens("/console/orders/WEB-1?zoom=closer")

    ids = {
        zoom: {node.attributes["id"] for node in page.root.all("tr") if node.attributes.get("id", "").startswith("e")}
        for zoom, page in pages.items()
    }
    assert ids["milestones"] < ids["steps"] < ids["all"] == ids["lanes"]
    for zoom in ("milestones", "steps", "all"):
        cells = pages[zoom].root.all("td", **{"data-label": "Because of"})
        causes = {node.attributes["href"] for cell in cells for node in cell.all("a")}
        assert {href for href in causes if "/events/" not in href} <= {f"#{each}" for each in ids[zoom]}
        assert causes
        assert (zoom == "all") == all(href.startswith("#e") for href in causes)
    assert [node.text for node in pages["lanes"].root.all("th", scope="col")][-4:] == ["order", "SIM", "number", "invoice"]
    assert wrong.status == 422


def test_an_event_has_an_address_and_is_told_to_the_letter(site: Console, world: World) -> None:
    """The JSON of the page is the event; its cause and its effects are links; a position of another order is none of this one."""
    with site.by("ann", "agent") as ann:
        page = ann.opens("/console/orders/WEB-1?zoom=all")
        [path] = [node.attributes["href"] for node in page.root.all("a") if node.text == "order: planned"]
        event = ann.opens(path)
        other = ann.opens(path.replace(world.order("WEB-1").order_id, "WEB-2"))

    shown = json.loads(event.root.all("pre")[0].text)
    assert (shown["type"], str(shown["position"])) == ("order.planned", path.rpartition("/")[2])
    assert "item.started" in event.text or "requested" in event.text
    assert other.status == 404


def test_two_moments_of_an_order_are_compared(site: Console) -> None:
    """From its capture to now the state differs; between a moment and itself nothing does, and that is said; a moment past the end is the last."""
    with site.by("ann", "agent") as ann:
        whole = ann.opens("/console/orders/WEB-1/as-of?from=1&to=9999")
        same = ann.opens("/console/orders/WEB-1/as-of?from=3&to=3")

    [row] = [node for node in whole.root.all("tr") if node.text.startswith("state ")]
    assert row.text == "state acknowledged completed"
    assert "Nothing differs." in same.text
    assert len(whole.root.all("input", type="range")) == 2


def test_an_order_is_cancelled_once_as_it_was_seen(site: Console, world: World) -> None:
    """The button is there for who may; what cannot be is told in a line."""
    world.take(order("WEB-3", ported(code="", msisdn="+447700900124"), party="C-3"), name="later.jsonl")
    with site.by("ann", "agent") as ann, site.by("otto", "auditor") as otto:
        seen = ann.opens("/console/orders/WEB-3")
        name = f"/console/orders/{world.order('WEB-3').order_id}/cancel"
        assert "Cancel" not in otto.opens("/console/orders/WEB-3").buttons()
        over = ann.sends(seen, name, {"note": "went elsewhere"})
        again = ann.sends(seen, name, {"note": "for another reason"})

    assert (over.status, over.alerts) == (200, [])
    assert world.state("WEB-3") == "cancelled"
    assert again.status in (409, 412, 422)
    assert len(again.alerts) == 1


@pytest.mark.parametrize(("text", "found"), [(NUMBER, "WEB-2"), ("WEB-1", "WEB-1"), ("C-2", "WEB-2")])
def test_what_a_caller_says_leads_to_his_order(site: Console, text: str, found: str) -> None:
    """By number, id or customer; what was typed is in no address and not repeated on the page that fails."""
    with site.by("ann", "agent") as ann:
        page = ann.sends(ann.opens("/console/search"), "/console/search", {"text": text, "by": ""})

    assert [node.text for node in page.root.all("a", class_="open")] == [found]
    assert str(page.answer.url).endswith("/console/search")


def test_nothing_found_nothing_asked_and_no_right_look_different(site: Console) -> None:
    """Before asking; asked in vain; and by an analyst, who finds nobody."""
    with site.by("ann", "agent") as ann, site.by("ada", "analyst") as ada:
        before = ann.opens("/console/search")
        vain = ann.sends(before, "/console/search", {"text": "NO-SUCH-1", "by": ""})
        forbidden = ada.sends(ada.opens("/console/search"), "/console/search", {"text": "WEB-1", "by": ""})

    assert "Nothing was asked yet." in before.text
    assert (vain.status, len(vain.alerts)) == (404, 1)
    assert "NO-SUCH-1" not in vain.text
    assert forbidden.status == 403


def test_a_customer_is_told_on_one_page_and_by_name_on_asking(site: Console, world: World) -> None:
    """Orders, products, numbers and money; the name after a click that is on record; a contact is noted once."""
    with site.by("ann", "agent") as ann:
        page = ann.opens("/console/customers/C-1")
        named = ann.sends(page, "/console/customers/C-1/personal", {"why": "he rang"})
        noted = ann.sends(
            page,
            "/console/customers/C-1/contact",
            {"medium": "call", "topic": "where-is-my-order", "direction": "inbound", "order": "", "note": "calls back"},
        )
        none = ann.opens("/console/customers/C-99")

    assert "Holmquay" not in page.answer.text
    assert "Holmquay" in named.text
    assert world.types("access-C-1") == ["personal-data.disclosed"]
    assert "where-is-my-order" in noted.text
    assert none.status == 404


def test_an_analyst_sees_no_number_whole(site: Console) -> None:
    """Masked on the page of the order, in its events and on the customer's page."""
    with site.by("ada", "analyst") as ada:
        pages = [
            ada.opens(path) for path in ("/console/orders/WEB-1?zoom=all", "/console/customers/C-1", "/console/orders/WEB-2?zoom=lanes")
        ]

    assert [page.status for page in pages] == [200, 200, 200]
    assert [NUMBER in page.answer.text for page in pages] == [False, False, False]
    assert "***" in pages[1].text


def test_nothing_personal_stands_in_an_address(site: Console) -> None:
    """No link of any page holds a number, a SIM, a name or an e-mail."""
    with site.by("ann", "agent") as ann:
        pages = [
            ann.opens(path)
            for path in (
                "/console/orders/WEB-1?zoom=all",
                "/console/customers/C-1",
                "/console/fallouts",
                "/console/orders/WEB-2?zoom=lanes",
            )
        ]

    links = [node.attributes["href"] for page in pages for node in page.root.all("a")]
    assert len(links) > 50
    assert [link for link in links if "447700" in link or "89449800" in link or "@" in link or "Holmquay" in link] == []


def test_rows_are_told_apart_by_name() -> None:
    """An item that moved within its list is the same item; what came and what went is told."""
    before = {"state": "held", "steps": [{"item": "1", "step": "sim", "status": "planned"}, {"item": "2", "step": "sim", "status": "done"}]}
    after = {
        "state": "held",
        "steps": [{"item": "2", "step": "sim", "status": "done"}, {"item": "1", "step": "sim", "status": "done"}],
        "closed_at": "x",
    }
    assert between(before, after) == [Difference("steps[1 sim].status", "planned", "done"), Difference("closed_at", None, "x")]
    assert between(after, after) == []


def test_a_long_time_without_events_is_folded() -> None:
    """Four hours and more; less is not."""
    rows = [
        {"event": str(n), "causation": None, "type": "order.captured", "stream": "order-1", "occurred_at": when, "data": {}}
        for n, when in enumerate(("2026-01-05T09:00:00+00:00", "2026-01-05T12:59:00+00:00", "2026-01-05T16:59:00+00:00"))
    ]
    assert [row["gap_s"] for row in told(rows, "all")] == [0, 0, 4 * 3600]
