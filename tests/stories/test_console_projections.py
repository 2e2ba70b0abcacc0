"""Projections in the console: how far each is behind, what a rebuild would change, and a rebuild with its progress, by who may."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from o2c.desk.act import Refused
from o2c.desk.projections import FoldFailed
from o2c.entrypoints.http.console.projections import Rebuilds
from o2c.entrypoints.http.console.visits import Visits
from o2c.views.reading import caught_up
from tests.console import Console, Person, Seen, console
from tests.world import World, at, line, order

PAGE = "/console/projections/orders"


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Console]:
    """The console of a store with two orders."""
    world.take(order("WEB-1", line()), order("WEB-2", line(), party="C-2"))
    world.run(at(6))
    caught_up(world.app)
    with console(world, tmp_path) as made:
        yield made


def lines(page: Seen) -> list[str]:
    """What the page says of what was done, and goes on."""
    return [node.text for node in page.root.all("p", role="status")]


def over(person: Person, path: str = PAGE) -> Seen:
    """The page, once nothing is being rebuilt any more."""
    for _ in range(400):
        page = person.opens(path)
        if "being rebuilt" not in page.text.lower():
            return page
        time.sleep(0.05)
    raise AssertionError(page.text)


@contextmanager
def rebuilt_elsewhere(world: World) -> Iterator[None]:
    """Another process rebuilds the orders meanwhile: it holds the lock that a rebuild holds."""
    with psycopg.connect(world.app.dsn, application_name="elsewhere", autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(hashtextextended('rebuild of projection orders', 0))")
        yield


def test_an_admin_rebuilds_after_a_look(site: Console, world: World) -> None:
    """A row that somebody spoilt is found by the look, which mends nothing, and mended by the rebuild; who did it and why is on record."""
    with psycopg.connect(world.app.dsn) as conn:
        conn.execute("UPDATE projection.orders SET channel = 'spoilt' WHERE external_id = 'WEB-1'")
    with site.by("adam", "admin") as adam:
        page = adam.opens(PAGE)
        looked = adam.sends(page, f"{PAGE}/check")
        with psycopg.connect(world.app.dsn) as conn:
            spoilt = conn.execute("SELECT channel FROM projection.orders WHERE external_id = 'WEB-1'").fetchone()
        begun = adam.sends(looked, f"{PAGE}/rebuild", {"reason": "a row was spoilt"})
        done = over(adam)
        again = adam.sends(done, f"{PAGE}/check")

    assert [seen.status for seen in (page, looked, begun, done, again)] == [200] * 5
    assert lines(looked) == ["1 of 2 rows would be otherwise."]
    assert spoilt == ("spoilt",)
    assert lines(begun)[0] == "Done: begun."
    assert lines(done)[0].startswith("Rebuilt: 2 rows of 2 groups, 1 of the old ones were otherwise;")
    assert "rebuilt by adam: a row was spoilt" in done.text
    assert "Nothing would be otherwise: 2 rows of 2 groups" in lines(again)[-1]


def test_a_rebuild_of_another_process_is_seen(site: Console, world: World) -> None:
    """In the list and on its page, with who does it; there is no second button meanwhile."""
    with site.by("adam", "admin") as adam, rebuilt_elsewhere(world):
        listed = adam.opens("/console/projections")
        page = adam.opens(PAGE)

    assert [row.all("td")[1].text for row in listed.root.all("tr") if "data-row" in row.attributes and row.all("a", href=PAGE)] == [
        "being rebuilt"
    ]
    assert lines(page)[0].startswith("Being rebuilt by process ")
    assert "elsewhere" in lines(page)[0]
    assert page.root.all("form", action=f"{PAGE}/rebuild") == []


def test_one_is_begun_once(site: Console, world: World) -> None:
    """While one waits for its turn or goes on, another is refused in words; then the first is carried through."""
    with site.by("adam", "admin") as adam:
        page = adam.opens(PAGE)
        with rebuilt_elsewhere(world):
            first = adam.sends(page, f"{PAGE}/rebuild", {"reason": "because"})
            second = adam.sends(page, f"{PAGE}/rebuild", {"reason": "because"})
        done = over(adam)

    assert (first.status, second.status) == (200, 409)
    assert second.alerts == ["projection orders is being rebuilt already; look at how far it is"]
    assert lines(done)[0].startswith("Rebuilt: 2 rows")


def test_nothing_begins_without_a_reason_or_a_projection(site: Console) -> None:
    """Each is told in a line."""
    with site.by("adam", "admin") as adam, pytest.MonkeyPatch.context() as patched:
        silent = adam.sends(adam.opens(PAGE), f"{PAGE}/rebuild", {"reason": " "})
        patched.setattr(Visits, "check", lambda *_: None)
        none = [adam.client.post(f"/console/projections/none/{what}", data={"reason": "any"}) for what in ("check", "rebuild")]
        nowhere = adam.opens("/console/projections/none")
        page = adam.opens(PAGE)

    assert (silent.status, len(silent.alerts)) == (422, 1)
    assert [answer.status_code for answer in none] == [404, 404]
    assert nowhere.status == 404
    assert "Rebuilt" not in page.text


@pytest.mark.parametrize(
    ("role", "opened", "checked", "rebuilt"), [("analyst", 200, 403, 403), ("auditor", 200, 200, 403), ("supervisor", 200, 403, 403), ("agent", 403, 403, 403)]
)  # fmt: skip
def test_who_may_not_neither_sees_nor_does_it(site: Console, role: str, opened: int, checked: int, rebuilt: int) -> None:
    """The form is there for who may, and the right stands behind it."""
    with site.by("kim", role) as kim, pytest.MonkeyPatch.context() as patched:
        page = kim.opens(PAGE)
        forms = {what for what in ("check", "rebuild") if page.root.all("form", action=f"{PAGE}/{what}")}
        patched.setattr(Visits, "check", lambda *_: None)
        sent = [kim.client.post(f"{PAGE}/{what}", data={"reason": "any"}).status_code for what in ("check", "rebuild")]

    assert (page.status, sent) == (opened, [checked, rebuilt])
    assert forms == {what for what, status in (("check", checked), ("rebuild", rebuilt)) if status == 200}


def refusing(error: Exception) -> Callable[[Any], Any]:
    def work(told: Any) -> Any:
        told("orders", "folded", 0.5)
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(FoldFailed("orders failed at event 7"), "orders failed at event 7", id="a fold"),
        pytest.param(Refused("readers do not let go"), "readers do not let go", id="a refusal"),
        pytest.param(
            ValueError("Ada Example"), "it was not carried through (ValueError); the log of the service says where", id="a defect"
        ),
    ],
)
def test_what_went_wrong_beside_the_pages_is_told(error: Exception, said: str) -> None:
    """A refusal and a fold that failed in their own words; a defect without what it says, which may name anybody."""
    rebuilds = Rebuilds()
    rebuilds.begin("orders", refusing(error))
    while not (going := rebuilds.last("orders")) or not going.over:
        time.sleep(0.005)

    assert (going.failed, going.percent, going.stage) == (said, 40.0, "folded")
    assert going.left_s is not None
