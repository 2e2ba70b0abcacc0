"""What if: an analyst tries a policy on the past and a fix on open fallouts, on a page; nothing is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk.fallout import Retry
from o2c.entrypoints.http.console.visits import Visits
from o2c.kernel.partner import Failed
from tests.console import Console, Seen, console
from tests.world import World, at, line, order, ported

POLICY = """version = "patient"
valid_from = "2026-01-01"
[retries.transient]
attempts_max = 8
first_s = 30
factor = 4
longest_s = 1800
jitter_percent = 10
"""
FIX = '[correct]\nportInCode = "ABC123456"\n'


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Console]:
    """The console of a store in which activation failed six times and was tried again by a person, and two ports have no code."""
    world.scripted.will("activation", *[Failed("UNAVAILABLE")] * 6)
    world.take(order("WEB-1", line()))
    world.run(at(6))
    world.resolve(world.fallouts("WEB-1")[0]["reason"], Retry())
    world.run(at(8))
    world.take(
        order("WEB-2", ported(code=""), party="C-2"), order("WEB-3", ported(code="", msisdn="+447700900124"), party="C-3"), name="b.jsonl"
    )
    world.run(at(9))
    with console(world, tmp_path) as made:
        yield made


def rows(page: Seen) -> list[list[str]]:
    """The cells of the rows of what came of it."""
    return [[cell.text for cell in row.all("td")] for row in page.root.all("tr") if "data-row" in row.attributes]


@pytest.mark.parametrize("how", ["written", "as a file"])
def test_a_policy_is_tried_on_the_past(site: Console, world: World, how: str) -> None:
    """With more patience nobody would have had to try again; the order leads to its page, and what was written stands there still."""
    before = world.app.reads.last_position()
    with site.by("kim", "analyst") as kim:
        asked = kim.opens("/console/what-if")
        action = "/console/what-if/policy"
        if how == "written":
            came = kim.sends(asked, action, {"policy": POLICY})
        else:
            fields = {name: value for name, value in asked.form(action).items() if name != "file"}
            came = Seen(kim.client.post(action, data=fields, files={"file": ("policy.toml", POLICY.encode())}))
        order_page = kim.opens(came.root.all("a", class_="open")[0].attributes["href"])

    assert asked.form(action)["since"] == "2026-01-05"
    assert (came.status, came.alerts) == (200, [])
    [told] = [node.text for node in came.root.all("p", role="status")]
    assert told.startswith("3 orders: 2 stops in place of 3,")
    [[name, stops_before, stops_after, _, what]] = [row for row in rows(came) if row[0] == "WEB-1"]
    assert (name, stops_before, stops_after, what) == ("WEB-1", "1", "0", "better")
    assert "attempts_max = 8" in came.root.all("textarea")[0].text
    assert order_page.status == 200
    assert world.app.reads.last_position() == before


def test_a_fix_is_tried_on_open_fallouts(site: Console, world: World) -> None:
    """Each with its verdict and why, and a link to it; nobody knows what a partner would say who was never asked."""
    before = world.app.reads.last_position()
    with site.by("sue", "supervisor") as sue:
        came = sue.sends(sue.opens("/console/what-if?reason=NP-CODE"), "/console/what-if/fix", {"fix": FIX, "reason": "NP-CODE"})

    assert (came.status, came.alerts) == (200, [])
    assert [row[0] for row in rows(came)] == ["WEB-2", "WEB-3"]
    assert {row[3] for row in rows(came)} <= {"resolves", "fails again", "unknown"}
    [told] = [node.text for node in came.root.all("p", role="status")]
    assert told.startswith("Of 2 open:")
    assert {link.attributes["href"] for link in came.root.all("a", class_="open")} == {
        f"/console/fallouts/{row['fallout']}" for row in world.fallouts(reason="NP-CODE")
    }
    assert world.app.reads.last_position() == before


@pytest.mark.parametrize(
    ("form", "values", "why"),
    [
        pytest.param("policy", {"policy": ""}, "says nothing", id="nothing"),
        pytest.param("policy", {"policy": "this is = = no toml"}, "the policy", id="no TOML"),
        pytest.param("policy", {"policy": "[markets.GB]\nport = 1\n"}, "cannot be tried", id="what is no data"),
        pytest.param("policy", {"policy": POLICY, "since": "soon"}, "soon", id="no time"),
        pytest.param("fix", {"fix": FIX}, "a group", id="of nothing"),
        pytest.param("fix", {"fix": FIX, "group": "0000"}, "no fallout is of a group 0000", id="of no group"),
    ],
)
def test_what_cannot_be_tried_is_told_over_what_was_written(site: Console, form: str, values: dict[str, str], why: str) -> None:
    """One line says what is wrong; the text is still there to be mended."""
    with site.by("kim", "analyst") as kim:
        told = kim.sends(kim.opens("/console/what-if"), f"/console/what-if/{form}", values)

    assert told.status in (404, 422)
    assert len(told.alerts) == 1
    assert why in told.alerts[0]
    assert values[form].strip() in " ".join(node.inside[0] if node.inside else "" for node in told.root.all("textarea")) or not values[form]


def test_a_file_that_is_no_text_is_refused(site: Console) -> None:
    """In words, as the sender's mistake."""
    with site.by("kim", "analyst") as kim:
        fields = {name: value for name, value in kim.opens("/console/what-if").form("/console/what-if/policy").items() if name != "file"}
        told = kim.client.post("/console/what-if/policy", data=fields, files={"file": ("policy.toml", b"\xff\xfe\x00")})

    assert told.status_code == 422
    assert "no UTF-8 text" in told.text


@pytest.mark.parametrize(("role", "status"), [("analyst", 200), ("supervisor", 200), ("auditor", 200), ("agent", 403), ("admin", 403)])
def test_who_may_try(site: Console, role: str, status: int) -> None:
    """The right alone decides, on the page and behind it."""
    with site.by("kim", role) as kim, pytest.MonkeyPatch.context() as patched:
        page = kim.opens("/console/what-if")
        patched.setattr(Visits, "check", lambda *_: None)
        sent = kim.client.post("/console/what-if/policy", data={"policy": POLICY, "since": "2026-01-01"})

    assert (page.status, sent.status_code) == (status, status)
