"""Overview, figures and audit in the console: each figure opens what it means and its orders; a file is what it says; who may not, does not."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.desk.fallout import Correct, Note, work
from o2c.entrypoints.http.console import figures
from o2c.entrypoints.verbs_and_views import VIEWS
from o2c.kernel.refusal import Refused
from o2c.markets.registry import MARKETS
from o2c.views import metrics
from o2c.views.figures import Facts
from o2c.views.reading import caught_up
from projections import fallout
from tests.console import Console, console
from tests.world import World, at, line, order, ported

VIEW = {view.name: view for view in VIEWS}
AUDITOR = Context("otto", roles=("auditor",))


@pytest.fixture
def worked(world: World) -> World:
    """Two orders that completed, one of them after a fallout, and one that waits for its code."""
    world.take(order("WEB-1", line()), order("WEB-2", ported(code=""), party="C-2"))
    world.take(order("WEB-3", ported(code="", msisdn="+447700900124"), party="C-3"), name="later.jsonl")
    world.run(at(6))
    world.resolve("NP-CODE", Correct({"portInCode": "ABC123456"}), of="WEB-2")
    world.run(at(9))
    caught_up(world.app)
    return world


@pytest.fixture
def site(worked: World, tmp_path: Path) -> Iterator[Console]:
    """The console of that store."""
    with console(worked, tmp_path) as made:
        yield made


def asked(world: World, name: str, *arguments: Any, **options: Any) -> Any:
    return VIEW[name].ask(AUDITOR, world.app, *arguments, **options)


def test_orders_are_counted_where_they_came_and_where_they_fell_out(worked: World) -> None:
    """All three were captured and planned; two ended; two fell out on the way, and one is open."""
    rows = {row["stage"]: row for row in asked(worked, "metrics.funnel")}
    assert [rows[stage]["reached"] for stage in ("captured", "planned", "ended")] == [3, 3, 2]
    assert (rows["ended"]["fell_out"], rows["ended"]["open"]) == (2, 1)
    assert all(row["reached"] == 0 for row in asked(worked, "metrics.funnel", since=at(8)))


def test_each_day_has_what_came_and_went(worked: World) -> None:
    """The sums over all days are all there ever were; a window takes its own days."""
    rows = asked(worked, "metrics.flow")
    assert {key: sum(row[key] for row in rows) for key in ("captured", "ended", "opened", "closed")} == {
        "captured": 3, "ended": 2, "opened": 2, "closed": 1,
    }  # fmt: skip
    assert asked(worked, "metrics.flow", since=at(5), until=at(6)) == [row for row in rows if row["day"] == "2026-01-05"]


def test_the_slowest_order_comes_first_and_percentiles_are_of_all(worked: World) -> None:
    """By the clock from capture to end; a limit shortens the list alone."""
    told = asked(worked, "metrics.durations", limit=1)
    assert [row["external_id"] for row in told["orders"]] == ["WEB-2"]
    assert told["count"] == 2
    assert told["p50_s"] < told["p85_s"] == told["p95_s"] == told["orders"][0]["seconds"]
    assert asked(worked, "metrics.durations", since=at(8))["p50_s"] is None


def test_every_open_fallout_is_of_one_age(worked: World) -> None:
    """One is open, four days old by the store's clock; an hour is over when it is over."""
    assert {row["age"]: row["open"] for row in asked(worked, "metrics.ages")} == {
        "under an hour": 0, "under four hours": 0, "under a day": 0, "under a week": 1, "longer": 0,
    }  # fmt: skip
    opened = datetime.fromisoformat(worked.fallouts()[0]["opened_at"])
    for seconds, age in ((0, 0), (3_599, 0), (3_600, 1), (14_400, 2), (86_400, 3), (604_799, 3), (604_800, 4), (-1, None)):
        now = opened + timedelta(seconds=seconds)
        ends = [end for _, end in fallout.AGES]
        words = [word for word, _ in fallout.AGES]
        rows = worked.app.reads.rows(fallout.AGED, now=now, words=words, least=[0, *ends[:-1]], most=ends)
        assert [row["open"] for row in rows] == [int(place == age) for place in range(5)], seconds


@pytest.mark.parametrize("window", [{}, {"since": at(5), "until": at(8)}, {"since": at(8)}], ids=["all", "days", "none"])
def test_headlines_are_the_figures_as_each_is_explained(worked: World, window: dict[str, Any]) -> None:
    """Counted together they say what each says alone, without the ids of its events."""
    told = asked(worked, "metrics.headlines", **window)
    alone = [asked(worked, "metrics.explain", name, by=by, **window) for name, by in metrics.HEADLINES]
    for each in (*alone, *(row for one in alone for row in one.get("rows", ()))):
        del each["events_numerator"], each["events_denominator"]
    assert told == alone
    assert len(told) == 9


def test_what_costs_money_of_several_currencies_is_told_by_currency(worked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pence and cents have no sum: no value, a row for each, and nothing by reason, asked for or not."""
    [still_open] = worked.fallouts("WEB-3")
    work(worked.app, Context("ann"), still_open["fallout"], Note(), note="rang")
    caught_up(worked.app)
    monkeypatch.setattr(metrics, "market_of", lambda row: MARKETS["NL" if row["fallout"] == still_open["fallout"] else "GB"][-1])
    *_, spent = asked(worked, "metrics.headlines")
    assert (spent["value"], spent["by"], [row["key"] for row in spent["rows"]]) == (None, "currency", ["EUR", "GBP"])
    with pytest.raises(Refused, match="EUR and GBP"):
        asked(worked, "metrics.explain", "fallout-cost", by="reason")


def test_the_overview_reads_orders_and_fallouts_once(site: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many figures it has, they are counted from one reading."""
    readings: list[object] = []
    begin = Facts.__init__
    monkeypatch.setattr(Facts, "__init__", lambda self, *given: readings.append(self) or begin(self, *given))
    with site.by("sue", "supervisor") as sue:
        page = sue.opens("/console/overview")
    assert page.status == 200
    assert len(readings) == 1


def test_the_overview_says_how_many_of_how_many_it_draws(site: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that there are, or the slowest of so many; the percentiles are of all."""
    with site.by("sue", "supervisor") as sue:
        every = sue.opens("/console/overview")
        monkeypatch.setattr(figures, "POINTS_MAX", 1)
        some = sue.opens("/console/overview")

    assert "All 2 orders are drawn" in every.text
    assert "The 1 slowest of 2 orders are drawn" in some.text
    for page, points in ((every, 2), (some, 1)):
        assert len(page.root.all("circle", class_="point")) == points
        [table] = [table for table in page.root.all("table") if "Open fallouts by age" in table.text]
        assert [row.text for row in table.all("tr")][-2:] == ["under a week 1", "longer 0"]


def test_a_figure_names_its_orders(worked: World) -> None:
    """The orders that fell out stand behind the rate; of what people did, the one order that they did it about."""
    assert [row["external_id"] for row in asked(worked, "metrics.orders", "fallout-rate")] == ["WEB-2", "WEB-3"]
    [touched] = asked(worked, "metrics.orders", "touches-per-fallout")
    assert (touched["external_id"], touched["counts"]) == ("WEB-2", 1)


def test_the_overview_leads_to_definitions_and_orders(site: Console) -> None:
    """Every figure of it is a link to its meaning; from there an order is one click away."""
    with site.by("sue", "supervisor") as sue:
        page = sue.opens("/console/overview")
        links = [node.attributes["href"] for node in page.root.all("a") if node.attributes["href"].startswith("/console/figures/")]
        figures = {link: sue.opens(link) for link in dict.fromkeys(links)}
        by_reason = sue.opens("/console/figures/fallout-rate?by=reason")

    assert (page.status, page.alerts) == (200, [])
    assert len(figures) >= 8
    assert {figure.status for figure in figures.values()} == {200}
    assert all("Formula" in figure.text for figure in figures.values())
    assert [node.text for node in figures["/console/figures/fallout-rate"].root.all("a", class_="open")] == ["WEB-2", "WEB-3"]
    assert "NP-CODE" in by_reason.text


def test_an_empty_store_has_an_overview_that_says_so(world: World, tmp_path: Path) -> None:
    """Nothing is divided by nothing, and nothing looks like an error."""
    with console(world, tmp_path) as site, site.by("sue", "supervisor") as sue:
        pages = [
            sue.opens(path)
            for path in (
                "/console/overview",
                "/console/figures/time-to-resolve",
                "/console/tables/cycle-times",
                "/console/groups",
                "/console/orders",
            )
        ]

    assert [(page.status, page.alerts) for page in pages] == [(200, [])] * 5
    assert "No order was captured yet." in pages[0].text


def test_an_order_s_file_is_printed_and_saved(site: Console) -> None:
    """The JSON has every event that the page lists, and the hash on the page is its own; the agent has no such page."""
    with site.by("otto", "auditor") as otto, site.by("ann", "agent") as ann:
        page = otto.opens("/console/audit/orders/WEB-2")
        saved = otto.client.get("/console/audit/orders/WEB-2/file.json")
        assert ann.opens("/console/audit/orders/WEB-2").status == 403
        assert ann.client.get("/console/audit/orders/WEB-2/file.json").status_code == 403

    told = json.loads(saved.content)
    assert sha256(saved.content).hexdigest() in page.text
    assert len(told["events"]) == len(page.root.all("tr")) - 1
    assert told["order"]["external_id"] == "WEB-2"


def test_who_looked_is_read_by_the_auditor(site: Console) -> None:
    """An agent's look at a customer's name stands there; an analyst sees no records."""
    with site.by("ann", "agent") as ann, site.by("otto", "auditor") as otto, site.by("ada", "analyst") as ada:
        before = otto.opens("/console/audit")
        ann.sends(ann.opens("/console/customers/C-2"), "/console/customers/C-2/personal", {"why": "he rang"})
        after = otto.opens("/console/audit?customer=C-2")
        why = otto.sends(after, "/console/audit/reasons", {"why": "yearly audit"})
        assert ada.opens("/console/audit").status == 403

    assert "Nobody was shown anything." in before.text
    assert "customers.show" in after.text
    assert "ann" in after.text
    assert "he rang" not in after.text
    assert "he rang" in why.text


ALL_BUT_RUNNERS = {"agent", "supervisor", "analyst", "auditor", "privacy-officer"}
PAGES = {
    "/console/fallouts": {"agent", "supervisor", "analyst", "auditor"}, "/console/groups": {"agent", "supervisor", "analyst", "auditor"},
    "/console/orders": {"service", "agent", "supervisor", "analyst", "auditor", "privacy-officer"},
    "/console/products": {"service", "agent", "supervisor", "analyst", "auditor", "privacy-officer"},
    "/console/overview": {"agent", "supervisor", "analyst", "auditor"},
    "/console/journeys": {"service", "agent", "supervisor", "analyst", "auditor", "privacy-officer"},
    "/console/care": ALL_BUT_RUNNERS, "/console/jeopardy": {"agent", "supervisor", "analyst", "auditor"}, "/console/complaints": ALL_BUT_RUNNERS, "/console/messages": ALL_BUT_RUNNERS, "/console/returns": ALL_BUT_RUNNERS, "/console/triggers": ALL_BUT_RUNNERS,
    "/console/partners": {"service", "agent", "supervisor", "analyst", "auditor", "admin"},
    "/console/collections": {"agent", "supervisor", "analyst", "auditor"},
    "/console/catalogue": {"service", "agent", "supervisor", "analyst", "auditor", "privacy-officer", "admin"},
    "/console/ledger": {"supervisor", "analyst", "auditor"}, "/console/assurance": {"supervisor", "analyst", "auditor"},
    "/console/vouchers": {"agent", "supervisor", "analyst", "auditor"}, "/console/stock": {"agent", "supervisor", "analyst", "auditor", "privacy-officer", "admin"},
    "/console/usage": {"agent", "supervisor", "analyst", "auditor", "admin"}, "/console/number-ranges": {"agent", "supervisor", "analyst", "auditor"},
    "/console/what-if": {"supervisor", "analyst", "auditor"},
    "/console/audit": {"auditor", "privacy-officer"}, "/console/projections": {"supervisor", "analyst", "auditor", "admin"},
}  # fmt: skip


@pytest.mark.parametrize("role", ["service", "agent", "supervisor", "analyst", "auditor", "privacy-officer", "admin"])
def test_the_menu_is_what_one_may_see(site: Console, role: str) -> None:
    """Every page that stands in somebody's menu opens; every other refuses."""
    with site.by("kim", role) as kim:
        first = kim.opens("/console")
        menu = {node.attributes["href"] for nav in first.root.all("nav", **{"aria-label": "Pages"}) for node in nav.all("a")}
        opened = {path: kim.opens(path).status for path in PAGES}

    assert opened == {path: 200 if role in roles else 403 for path, roles in PAGES.items()}
    assert menu - {"/console/search"} == {path for path, roles in PAGES.items() if role in roles}
