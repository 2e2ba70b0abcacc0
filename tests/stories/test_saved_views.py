"""Saved views of the fallout queue: an agent comes back to what he works on, from the console, the command line and the network."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.desk.act import Context, Refused
from o2c.entrypoints.http.console.visits import Visits
from o2c.entrypoints.verbs_and_views import named
from tests.console import Console, Seen, console
from tests.world import World, at, line, order, ported


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Console]:
    """The console of a store with two ports without their codes."""
    world.take(
        order("WEB-1", ported(code="")), order("WEB-2", ported(code="", msisdn="+447700900124"), party="C-2"), order("WEB-3", line(), party="C-3")
    )  # fmt: skip
    world.run(at(6))
    with console(world, tmp_path) as made:
        yield made


def saved(page: Seen) -> dict[str, str]:
    """The saved views that stand over the queue: by name where each leads."""
    [chips] = page.root.all("ul", class_="chips")
    return {link.text: link.attributes["href"] for link in chips.all("a") if "class" not in link.attributes and link.text != "Mine"}


def test_a_view_is_saved_come_back_to_and_forgotten(site: Console, world: World) -> None:
    """Its name leads to the queue as it was; it is marked where one is; the same name again means something else from then on."""
    with site.by("ann", "agent") as ann:
        filtered = ann.opens("/console/fallouts?reason=NP-CODE&sort=oldest")
        kept = ann.sends(filtered, "/console/views/save", {"name": "old ports"})
        again = ann.opens(saved(ann.opens("/console/fallouts"))["old ports"])
        other = ann.sends(ann.opens("/console/fallouts?queue=porting"), "/console/views/save", {"name": "old ports"})
        gone = ann.sends(other, "/console/views/forget", {"name": "old ports"})

    assert (kept.status, kept.answer.url.path) == (200, "/console/fallouts")
    assert [node.text for node in kept.root.all("p", role="status")] == ["Done: saved."]
    assert saved(kept) == {"old ports": "/console/fallouts?reason=NP-CODE&sort=oldest"}
    [here] = [link for link in again.root.all("a") if link.attributes.get("aria-current") == "true" and link.text == "old ports"]
    assert "reason=NP-CODE" in here.attributes["href"]
    assert saved(other) == {"old ports": "/console/fallouts?queue=porting"}
    assert (gone.status, saved(gone)) == (200, {})


def test_a_view_is_of_one_person(site: Console) -> None:
    """Ben has his own under the same name, and neither sees the other's over his queue."""
    with site.by("ann", "agent") as ann, site.by("ben", "agent") as ben:
        ann.sends(ann.opens("/console/fallouts?reason=NP-CODE"), "/console/views/save", {"name": "mine to do"})
        empty = ben.opens("/console/fallouts")
        his = ben.sends(ben.opens("/console/fallouts?state=open"), "/console/views/save", {"name": "mine to do"})
        hers = ann.opens("/console/fallouts")

    assert saved(empty) == {}
    assert saved(his) == {"mine to do": "/console/fallouts?state=open"}
    assert saved(hers) == {"mine to do": "/console/fallouts?reason=NP-CODE"}


def test_a_name_that_is_none_is_told_on_the_page(site: Console, world: World) -> None:
    """One line says why, over the queue as it was filtered; nothing is written."""
    before = world.app.reads.last_position()
    with site.by("ann", "agent") as ann:
        refused = ann.sends(ann.opens("/console/fallouts?reason=NP-CODE"), "/console/views/save", {"name": "x" * 41})

    assert (refused.status, len(refused.alerts)) == (422, 1)
    assert "1 to 40 printable characters" in refused.alerts[0]
    assert [node.text for node in refused.root.all("a", class_="chip")] == ["reason: NP-CODE ×remove this filter"]
    assert world.app.reads.last_position() == before


@pytest.mark.parametrize("role", ["analyst", "auditor"])
def test_who_works_no_queue_saves_no_view(site: Console, world: World, role: str) -> None:
    """Neither a form, nor a right behind it."""
    before = world.app.reads.last_position()
    with site.by("kim", role) as kim, pytest.MonkeyPatch.context() as patched:
        page = kim.opens("/console/fallouts")
        patched.setattr(Visits, "check", lambda *_: None)
        sent = kim.client.post("/console/views/save", data={"name": "any"})

    assert (page.status, sent.status_code) == (200, 403)
    assert page.root.all("form", action="/console/views/save") == []
    assert world.app.reads.last_position() == before


def test_every_face_has_the_same_views(world: World) -> None:
    """Saved once, listed by owner and name; what does not filter is refused as the queue itself refuses it."""
    ann = Context("ann", roles=("agent",))
    save, listed = named("fallout.save-view"), named("fallout.saved-views")
    for who, name in ((ann, "b"), (ann, "a"), (Context("ben", roles=("agent",)), "c")):
        save.ask(who, world.app, name, queue="porting", everything=True)
    for wrong in ({"queue": "moon"}, {"reason": "moon"}, {"state": "moon"}, {"sort": "moon"}, {"age_days": "moon"}):
        with pytest.raises(Refused, match="moon"):
            save.ask(ann, world.app, "wrong", **wrong)

    rows = listed.ask(ann, world.app)
    assert [(row["owner"], row["name"]) for row in rows] == [("ann", "a"), ("ann", "b"), ("ben", "c")]
    assert rows[0]["filters"] == {"queue": "porting", "everything": "1"}
    assert [row["name"] for row in listed.ask(ann, world.app, owner="ben")] == ["c"]
    assert listed.ask(ann, world.app, owner="nobody") == []
