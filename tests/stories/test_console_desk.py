"""The fallout desk in the console: find, claim, correct, decide, force with a second person, act on many; what may not be is neither shown nor done."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from o2c.entrypoints.http.console.visits import Visits
from o2c.kernel.partner import Failed
from tests.console import Console, Seen, console
from tests.world import World, at, line, order, ported


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Console]:
    """The console of a store with two ports without their codes and one bad profile."""
    world.scripted.will("esim-download", Failed("PERMANENT"))
    world.take(order("WEB-1", line()))
    world.run(at(6))
    world.take(
        order("WEB-2", ported(code=""), party="C-2"), order("WEB-3", ported(code="", msisdn="+447700900124"), party="C-3"), name="b.jsonl"
    )
    world.run(at(6, 10))
    with console(world, tmp_path) as made:
        yield made


def fallout(world: World, external_id: str) -> str:
    [row] = world.fallouts(external_id)
    return str(row["fallout"])


def orders_of(page: Seen) -> list[str]:
    """The orders of the rows of a queue, in its order."""
    return [link.text for row in page.root.all("tr") if "data-row" in row.attributes for link in row.all("a", class_="open")]


def acts(page: Seen, name: str) -> set[str]:
    """The actions that a fallout's page offers as forms."""
    return {
        node.attributes["value"]
        for form in page.root.all("form", action=f"/console/fallouts/{name}/act")
        for node in form.all("input", name="action")
    }


def test_the_queue_is_found_by_filters_in_the_address(site: Console) -> None:
    """A filter is a part of the address and a chip with a link that takes it away; what it does not fit is not there."""
    with site.by("ann", "agent") as ann:
        every = ann.opens("/console/fallouts")
        ports = ann.opens("/console/fallouts?reason=NP-CODE&sort=order")
        none = ann.opens("/console/fallouts?owner=nobody-has-this-name")
        one = ann.opens("/console/fallouts?order=WEB-3")
        held = ann.opens("/console/fallouts?state=onHold")
        odd = ann.opens("/console/fallouts?state=odd")

    assert [page.status for page in (every, ports, none, one, held)] == [200] * 5
    assert sorted(orders_of(every)) == ["WEB-1", "WEB-2", "WEB-3"]
    assert orders_of(ports) == ["WEB-2", "WEB-3"]
    [chip] = ports.root.all("a", class_="chip")
    assert "reason" not in chip.attributes["href"]
    assert orders_of(one) == ["WEB-3"]
    assert (orders_of(none), orders_of(held), odd.status) == ([], [], 422)
    assert "Nothing has fallen out here." in none.text
    assert none.alerts == []


def test_old_ones_are_found_by_their_age_and_acted_on_alone(site: Console, world: World) -> None:
    """Days in the address, in a chip, in a saved view and in what is done about all that fit, which is never about more."""
    world.run(at(8))
    world.take(order("WEB-4", ported(code="", msisdn="+447700900125"), party="C-4"), name="new.jsonl")
    world.run(at(8, 12))
    with site.by("sue", "supervisor") as sue:
        old = sue.opens("/console/fallouts?age_days=2&reason=")
        every, odd = (sue.opens(f"/console/fallouts?age_days={days}") for days in ("", "moon"))
        kept = sue.sends(old, "/console/views/save", {"name": "old ones"})
        [chip] = old.root.all("a", class_="chip")
        bulk = sue.opens("/console/bulk?age_days=2")
        foreseen = sue.sends(bulk, "/console/bulk", {"action": "escalate", "note": "too old"})
        done = sue.sends(foreseen, "/console/bulk/run")

    assert "WEB-4" in orders_of(every)
    assert orders_of(kept) == orders_of(old) == [name for name in orders_of(every) if name != "WEB-4"]
    assert "age days: 2" in chip.text
    assert (odd.status, len(odd.alerts)) == (422, 1)
    assert "Of 3: 3 would be done" in foreseen.text
    assert done.status == 200
    assert world.fallouts("WEB-4")[0]["level"] < world.fallouts("WEB-2")[0]["level"]


def test_groups_lead_to_their_fallouts(site: Console) -> None:
    """Two ports are one group: how many, how many a day of late, since when; its link has both."""
    with site.by("ann", "agent") as ann:
        page = ann.opens("/console/groups")
        [link] = [node for node in page.root.all("a", class_="open") if "NP-CODE" in node.text]
        inside = ann.opens(link.attributes["href"])

    assert (page.status, inside.status) == (200, 200)
    assert sorted(orders_of(inside)) == ["WEB-2", "WEB-3"]
    assert len(page.root.all("svg")) == 2


def test_an_agent_claims_and_corrects_a_code(site: Console, world: World) -> None:
    """The page says what it is and offers the fields that the code needs; after the correction the order goes on, and the page says so."""
    name = fallout(world, "WEB-2")
    with site.by("ann", "agent") as ann:
        page = ann.opens(f"/console/fallouts/{name}")
        claimed = ann.sends(page, f"/console/fallouts/{name}/act", action="claim")
        fixed = ann.sends(
            claimed, f"/console/fallouts/{name}/act", {"change.portInCode": "ABC123456", "note": "read back"}, action="correct"
        )

    assert (page.status, claimed.status) == (200, 200)
    assert {"WEB-2", "C-2"} <= set(page.text.split())
    assert "portInCode" in " ".join(page.form(f"/console/fallouts/{name}/act", action="correct"))
    assert [node.text for node in claimed.root.all("p", role="status")] == ["Done: claim."]
    assert "in hand" in claimed.text
    assert (fixed.status, fixed.alerts) == (200, [])
    assert world.fallouts("WEB-2")[0]["in_hand_by"] == "ann"
    world.run(at(8, 12))
    assert world.fallouts("WEB-2") == []


def test_a_refusal_stands_on_the_page_over_what_was_written(site: Console, world: World) -> None:
    """One line says why; what the person wrote is still there, and nothing happened."""
    name = fallout(world, "WEB-2")
    before = world.app.reads.last_position()
    with site.by("ann", "agent") as ann:
        page = ann.opens(f"/console/fallouts/{name}")
        empty = ann.sends(page, f"/console/fallouts/{name}/act", {"note": "nothing else"}, action="correct")
        past = ann.sends(page, f"/console/fallouts/{name}/act", {"until": "2026-01-01T00:00"}, action="snooze")
        nobody = ann.sends(page, f"/console/fallouts/{name}/act", {"until": "soon"}, action="snooze")

    assert (empty.status, len(empty.alerts)) == (422, 1)
    assert "nothing was corrected" in empty.alerts[0]
    assert "nothing else" in empty.text
    assert (past.status, nobody.status) == (422, 422)
    assert "is past" in past.alerts[0]
    assert "is no time" in nobody.alerts[0]
    assert world.app.reads.last_position() == before


def test_what_changed_since_one_looked_is_not_acted_on(site: Console, world: World) -> None:
    """Ben claims while Ann reads: her correction is refused, and the page shows it as it stands."""
    name = fallout(world, "WEB-2")
    action = f"/console/fallouts/{name}/act"
    with site.by("ann", "agent") as ann, site.by("ben", "agent") as ben:
        old = ann.opens(f"/console/fallouts/{name}")
        ben.sends(ben.opens(f"/console/fallouts/{name}"), action, action="claim")
        late = ann.sends(old, action, {"change.portInCode": "ABC123456"}, action="correct")

    assert late.status == 412
    assert "look at it again" in late.alerts[0]
    assert "ben" in late.text


def test_sent_twice_it_is_done_once(site: Console, world: World) -> None:
    """The same form twice, as an impatient hand sends it."""
    name = fallout(world, "WEB-2")
    with site.by("ann", "agent") as ann:
        page = ann.opens(f"/console/fallouts/{name}")
        seen = [ann.sends(page, f"/console/fallouts/{name}/act", {"note": "rang"}, action="note") for _ in range(2)]

    assert [answer.status for answer in seen] == [200, 200]
    assert world.types(f"fallout-{name}") == ["fallout.noted"]


def test_to_force_takes_a_second_person_who_may(site: Console, world: World) -> None:
    """An agent proposes, and cannot agree with herself; the supervisor does."""
    name = fallout(world, "WEB-1")
    action = f"/console/fallouts/{name}/act"
    with site.by("ann", "agent") as ann, site.by("sue", "supervisor") as sue:
        proposed = ann.sends(ann.opens(f"/console/fallouts/{name}"), action, {"note": "seen in the shop"}, action="force")
        again = ann.sends(proposed, action, {"note": "really"}, action="force")
        agreed = sue.sends(sue.opens(f"/console/fallouts/{name}"), action, {"note": "seen as well"}, action="force")

    assert "somebody else has to agree" in proposed.root.all("p", role="status")[0].text
    assert (again.status, len(again.alerts)) == (409, 1)
    assert (proposed.status, agreed.status, agreed.alerts) == (200, 200, [])
    world.run(at(8))
    assert world.state("WEB-1") == "completed"


ROLES = {"agent": (200, True), "supervisor": (200, True), "analyst": (200, False), "auditor": (200, False), "admin": (403, False)}


@pytest.mark.parametrize("role", list(ROLES))
def test_what_one_may_not_do_is_neither_shown_nor_done(site: Console, world: World, role: str) -> None:
    """Who only reads has no form; sent by hand, with whatever a form proves taken for proven, the right alone refuses it."""
    name = fallout(world, "WEB-2")
    action = f"/console/fallouts/{name}/act"
    status, acts_on_it = ROLES[role]
    with site.by("kim", role) as kim:
        page = kim.opens(f"/console/fallouts/{name}")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Visits, "check", lambda *_: None)
            sent = kim.client.post(action, data={"action": "claim", "minutes": "30"})

    assert (page.status, bool(acts(page, name))) == (status, acts_on_it)
    assert sent.status_code == (200 if acts_on_it else 403)
    assert ("may not use fallout." in sent.text) is not acts_on_it
    assert world.types(f"fallout-{name}") == (["fallout.claimed"] if acts_on_it else [])


def test_who_may_not_is_not_told_what_there_is(site: Console, world: World) -> None:
    """A form about a fallout that is none is answered to an auditor like one about a fallout that is."""
    told = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Visits, "check", lambda *_: None)
        with site.by("adam", "admin") as adam, site.by("ann", "agent") as ann:
            name = fallout(world, "WEB-2")
            seen = ann.opens(f"/console/fallouts/{name}").form(f"/console/fallouts/{name}/act", action="claim")["seen"]
            for person in (adam, ann):
                for one in (name, "0000000000"):
                    sent = person.client.post(f"/console/fallouts/{one}/act", data={"action": "claim", "minutes": "30", "seen": seen})
                    told.append(sent.status_code)

    assert told == [403, 403, 200, 404]


def test_the_form_of_another_person_is_refused(site: Console, world: World) -> None:
    """Ben may claim, and not with a form that was made for Ann."""
    name = fallout(world, "WEB-2")
    action = f"/console/fallouts/{name}/act"
    with site.by("ann", "agent") as ann, site.by("ben", "agent") as ben:
        sent = ann.opens(f"/console/fallouts/{name}").form(action, action="claim")
        borrowed = ben.client.post(action, data=sent)
        own = ann.client.post(action, data=sent)

    assert (borrowed.status_code, own.status_code) == (403, 200)
    assert world.fallouts("WEB-2")[0]["owner"] == "ann"


def test_several_are_chosen_and_each_is_told(site: Console, world: World) -> None:
    """Two are claimed together; one that another has is refused, and keeps none from being done."""
    names = [fallout(world, "WEB-2"), fallout(world, "WEB-3")]
    with site.by("ann", "agent") as ann, site.by("ben", "agent") as ben:
        ben.sends(ben.opens(f"/console/fallouts/{names[0]}"), f"/console/fallouts/{names[0]}/act", action="claim")
        page = ann.opens("/console/fallouts")
        report = ann.sends(page, "/console/fallouts/chosen", {"fallout": names, "action": "claim"})
        nothing = ann.sends(page, "/console/fallouts/chosen", {"action": "claim"})

    assert report.status == 200
    assert "1 done, 1 refused." in report.text
    assert "ben has claimed it" in report.text
    assert {row["external_id"]: row["owner"] for row in world.fallouts(reason="NP-CODE")} == {"WEB-2": "ben", "WEB-3": "ann"}
    assert nothing.status == 422


def test_personal_values_are_shown_on_asking_and_taken_down(site: Console, world: World) -> None:
    """Not on the page as it opens; with a reason they are, and who looked at what is on record; nothing of it stands in an address."""
    name = fallout(world, "WEB-2")
    with site.by("otto", "auditor") as otto:
        plain = otto.opens(f"/console/fallouts/{name}")
        shown = otto.sends(plain, f"/console/fallouts/{name}/personal", {"why": "a complaint"})

    assert (plain.status, shown.status) == (200, 200)
    assert "+447700900123" not in plain.answer.text
    assert "+447700900123" in shown.text
    assert "447700" not in str(shown.answer.url)
    assert world.types("access-C-2") == ["personal-data.disclosed"]


def test_all_that_fit_are_acted_on_after_a_preview(site: Console, world: World) -> None:
    """The preview says what would become of each and changes nothing; then they are done as one job with a report."""
    before = world.app.reads.last_position()
    with site.by("sue", "supervisor") as sue:
        start = sue.opens("/console/bulk?reason=NP-CODE")
        preview = sue.sends(start, "/console/bulk", {"action": "snooze", "until": "2026-01-09T09:00", "note": "the donor is closed"})
        untouched = world.app.reads.last_position()
        report = sue.sends(preview, "/console/bulk/run")

    assert [page.status for page in (start, preview, report)] == [200] * 3
    assert "2 would be done, 0 refused" in preview.text
    assert untouched == before
    assert "2 done, 0 refused" in report.text
    assert {row["state"] for row in world.fallouts(reason="NP-CODE")} == {"onHold"}


def test_others_than_those_of_the_preview_are_not_acted_on(site: Console, world: World) -> None:
    """One more falls out between preview and click: nothing is done, the new preview is shown, and from there it is done. What falls out after it is counted apart."""
    with site.by("sue", "supervisor") as sue:
        preview = sue.sends(sue.opens("/console/bulk?reason=NP-CODE"), "/console/bulk", {"action": "note", "note": "a list comes"})
        world.registers("C-4")
        world.registers("C-5")
        world.take(order("WEB-4", ported(code="", msisdn="+447700900125"), party="C-4"), name="c.jsonl")
        world.run(at(6, 12))
        before = world.app.reads.last_position()
        other = sue.sends(preview, "/console/bulk/run")
        untouched = world.app.reads.last_position()
        report = sue.sends(other, "/console/bulk/run")
        world.take(order("WEB-5", ported(code="", msisdn="+447700900126"), party="C-5"), name="d.jsonl")
        world.run(at(6, 14))
        again = sue.sends(other, "/console/bulk/run")

    assert (other.status, untouched) == (409, before)
    assert other.alerts == ["others fit by now than those that were seen, 3 in all; look at them and decide again"]
    assert "3 would be done, 0 refused" in other.text
    assert (report.status, report.alerts) == (200, [])
    assert "3 done, 0 refused" in report.text
    assert "more fit when it was over" not in report.text
    assert "1 more fit when it was over: they fell out meanwhile and were not touched." in again.text
    [left] = [row for row in world.fallouts("WEB-5") if row["reason"] == "NP-CODE"]
    assert world.types(f"fallout-{left['fallout']}") == []


def test_an_agent_acts_on_no_whole_queue(site: Console) -> None:
    """No button, and no page."""
    with site.by("ann", "agent") as ann:
        page = ann.opens("/console/fallouts?reason=NP-CODE")
        bulk = ann.opens("/console/bulk?reason=NP-CODE")

    assert (page.status, bulk.status) == (200, 403)
    assert "Do the same about all" not in page.text
