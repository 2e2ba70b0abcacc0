"""What is agreed and decided about customers, at the console: care with its agreements, the policy for journeys, dangers, attempts taken down, an order beside another."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from o2c.desk.act import Context
from o2c.desk.customers import load_agreements
from o2c.desk.journeys import load_policy
from o2c.engine.app import Engine
from o2c.entrypoints.http.console.frame import Page
from o2c.views.care import care_due, list_agreements
from o2c.views.complaints import show_complaint
from o2c.views.jeopardy import list_jeopardy, score_jeopardy
from o2c.views.journeys import list_journeys, policies
from o2c.views.reading import caught_up
from tests.console import Console, console_of_world, rich_world
from tests.world import World

CARE, POLICY = "/console/care", "/console/journey-policy"


world = rich_world()
"""A store with a key account, a complaint, a journey that failed and orders that are late; each test does something else in it."""
site = console_of_world


def test_a_courtesy_contact_is_taken_down_where_it_is_due(site: Console, world: World) -> None:
    """The first due stands first; taken down it is done, by whom, and the list is as it was filtered; an auditor has no such form."""
    with site.by("ann", "agent") as ann, site.by("otto", "auditor") as otto:
        page, plain = ann.opens(f"{CARE}?state=any&customer=C-1"), otto.opens(CARE)
        owed = care_due(world.app, customer="C-1")
        assert len(page.root.all("tr", **{"data-row": ""})) == len(owed) > 0
        left = [row["due_at"] for row in owed if row["by"] is None]
        assert [
            node.attributes["datetime"] for row in ann.opens(CARE).root.all("tr", **{"data-row": ""}) for node in row.all("time")[1:2]
        ] == left[::-1]
        nobody = ann.sends(page, f"{CARE}/contact", {"medium": "pigeon"})
        told = ann.sends(page, f"{CARE}/contact", {"medium": "call", "note": "he is content"})

    caught_up(world.app)
    assert len(nobody.alerts) == 1
    assert "Done: taken down" in told.text
    assert "customer=C-1" in str(told.answer.url)
    assert "Take it down" not in plain.buttons()
    [last] = world.app.reads.rows(
        "SELECT actor, body ->> 'direction' AS way, body ->> 'medium' AS by FROM o2c.event WHERE type = 'customer.contacted' ORDER BY position DESC LIMIT 1"
    )
    assert last == {"actor": "ann", "way": "outbound", "by": "call"}


def test_an_agreement_is_set_and_ended(site: Console, world: World) -> None:
    """Each time a version of the whole: what others have stays; who decided by what is not in force any more decides nothing; an agent has no form."""
    before = {row["agreement"]: row for row in list_agreements(world.app)}
    own = {
        "agreement": "northern-rail",
        "customers": "C-1, C-2",
        "contact.received": "0",
        "contact.active": "1",
        "until_hour": "20",
        "complete_within_days": "10",
    }
    with site.by("sue", "supervisor") as sue, site.by("ann", "agent") as ann:
        page, of_before, plain = sue.opens(CARE), sue.opens(CARE), ann.opens(CARE)
        wrong = sue.sends(page, f"{CARE}/agreements", {**own, "until_hour": "noon"})
        clash = sue.sends(page, f"{CARE}/agreements", {**own, "agreement": "priority"})
        agreed = sue.sends(page, f"{CARE}/agreements", own)
        set_now = {row["agreement"]: row for row in list_agreements(world.app)}
        stale = sue.sends(of_before, f"{CARE}/agreements", {**own, "complete_within_days": "1"})
        ended = sue.sends(agreed, f"{CARE}/agreements/end", {"agreement": "northern-rail"})

    assert "noon is no whole number" in wrong.alerts[0]
    assert wrong.form(f"{CARE}/agreements")["customers"] == "C-1, C-2"
    assert "priority is the name of a tier" in clash.alerts[0]
    assert "Done: agreed" in agreed.text
    assert (set_now["northern-rail"]["customers"], set_now["northern-rail"]["contacts"]) == (["C-1", "C-2"], {"received": 0, "active": 1})
    assert (stale.status, len(stale.alerts)) == (412, 1)
    assert "Done: ended" in ended.text
    after = {row["agreement"]: row for row in list_agreements(world.app)}
    kept = ("contacts", "until_hour", "complete_within_days", "customers")
    assert {name: [row[key] for key in kept] for name, row in after.items()} == {
        name: [row[key] for key in kept] for name, row in before.items()
    }  # type: ignore[literal-required] # of the row
    assert after["standard"]["version"] == "care/2026-12.3"
    assert "Agree on it" not in plain.buttons()


def test_what_the_form_does_not_ask_for_stays(site: Console, world: World) -> None:
    """Given a file that says markets, a calendar, days of its own and a day promised, when another agreement, and that one, are set, then it says them still."""
    more = {"promised_working_days": 5, "markets": ["GB"], "calendar": "NL", "closed_on": ["2026-12-24"]}
    told = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
    text = f'version = "own-1"\n[tiers.standard]\ncontacts = {{}}\nuntil_hour = 18\ncomplete_within_days = 30\n[agreements.rail]\ncustomers = ["C-1"]\ncontacts = {{}}\nuntil_hour = 18\ncomplete_within_days = 30\n{told}'
    load_agreements(world.app, Context("sue"), definitions=text)
    with site.by("sue", "supervisor") as sue:
        for form in ({"agreement": "other", "customers": "C-2"}, {"agreement": "rail", "customers": "C-1"}):
            page = sue.sends(sue.opens(CARE), f"{CARE}/agreements", {**form, "until_hour": "17", "complete_within_days": "9"})
            assert "Done: agreed" in page.text
    rows = {row["agreement"]: row for row in list_agreements(world.app)}

    assert {name: rows["rail"][name] for name in more} == more  # type: ignore[literal-required] # of the row
    assert (rows["rail"]["until_hour"], rows["other"]["markets"]) == (17, [])


def test_the_policy_for_journeys_is_read_and_put_in_place(site: Console, world: World) -> None:
    """Its text stands there under a version of its own, so that one value is changed and it is loaded; what is wrong is told over it."""
    with site.by("sue", "supervisor") as sue, site.by("ann", "agent") as ann:
        page, plain = sue.opens(POLICY), ann.opens(POLICY)
        [source] = page.root.all("textarea", name="definitions")
        wrong = sue.sends(page, POLICY, {"definitions": source.inside[0].replace("tries_max = 3", "tries_max = 0")})
        loaded = sue.sends(page, POLICY, {"definitions": source.inside[0].replace("lost_after_days = 14", "lost_after_days = 10")})

    assert "tries_max is a whole number" in wrong.alerts[0]
    assert "tries_max = 0" in wrong.root.all("textarea", name="definitions")[0].inside[0]
    assert "Done: in force" in loaded.text
    policy = policies(world.app)(world.app.clock().now)
    assert (policy.version, policy.lost_after.days, policy.tries_max, len(policy.apart)) == ("journeys/2026-12.2", 10, 3, 3)
    assert "Put it in force" not in plain.buttons()


def test_who_is_overtaken_while_it_is_put_in_force_changes_nothing(site: Console, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given somebody whose version comes between the page and the append, for agreements and for the policy, then the later one is told so, and his is not in force."""
    deeds = {"care.load": _other_agreements, "journeys.load-policy": _other_policy}
    done, passed = Page.do, []

    def overtaken(page: Page, name: str, /, *arguments: Any, **options: Any) -> Any:
        """Somebody else is quicker by a hair: after everything was looked at, and before it is written."""
        if name not in passed:
            passed.append(name)
            deeds[name](world.app)
        return done(page, name, *arguments, **options)

    monkeypatch.setattr(Page, "do", overtaken)
    with site.by("sue", "supervisor") as sue:
        source = sue.opens(POLICY).root.all("textarea", name="definitions")[0].inside[0]
        late = sue.sends(sue.opens(POLICY), POLICY, {"definitions": re.sub(r"lost_after_days = \d+", "lost_after_days = 9", source)})
        own = {"agreement": "northern-rail", "customers": "C-1", "until_hour": "20", "complete_within_days": "10"}
        later = sue.sends(sue.opens(CARE), f"{CARE}/agreements", own)

    assert passed == ["journeys.load-policy", "care.load"]
    assert (late.status, later.status) == (412, 412)
    assert all("look at it again and decide anew" in page.alerts[0] for page in (late, later))
    assert policies(world.app)(world.app.clock().now).version == "own-policy"
    assert {row["version"] for row in list_agreements(world.app)} == {"own-9"}


def _other_agreements(app: Engine) -> None:
    tier = "contacts = {}\nuntil_hour = 18\ncomplete_within_days = 30\n"
    load_agreements(app, Context("kim"), definitions=f'version = "own-9"\n[tiers.standard]\n{tier}')


def _other_policy(app: Engine) -> None:
    packaged = (files("o2c.journeys") / "policy.toml").read_text("utf-8")
    load_policy(app, Context("kim"), definitions=packaged.replace("journeys/2026-12", "own-policy"))


def test_dangers_are_listed_by_level_and_scored_on_asking(site: Console, world: World) -> None:
    """What the list says; the figures, which are worked out from all that is over, once somebody asks."""
    rows = list_jeopardy(world.app)
    with site.by("ann", "agent") as ann:
        page, critical, scored = (ann.opens(f"/console/jeopardy{query}") for query in ("", "?level=critical", "?score=1"))
        wrong, by_step = ann.opens("/console/jeopardy?level=odd"), ann.opens("/console/jeopardy?score=1&by=step")

    assert len(page.root.all("tr", **{"data-row": ""})) == len(rows) > 0
    assert len(critical.root.all("tr", **{"data-row": ""})) == sum(row["level"] == "critical" for row in rows)
    assert "Work it out" in page.text
    assert "F1 by age alone" in scored.text
    assert wrong.status == 422
    assert len(by_step.root.all("td", **{"data-label": "Step"})) == len(score_jeopardy(world.app, by="step")) > 0


def test_an_attempt_is_taken_down_at_the_desk(site: Console, world: World) -> None:
    """A call that was given up leads to its journey; nobody to know it by is told over what was written."""
    call = {"kind": "abandoned-call", "channel": "call", "ivr_s": "40", "hold_s": "310", "offerings": "lark-line", "value": "24.00"}
    with site.by("ann", "agent") as ann:
        page = ann.opens("/console/journeys")
        nobody = ann.sends(page, "/console/journeys", call, phone="")
        noted = ann.sends(nobody, "/console/journeys", {**call, "customer": "C-3"}, phone="")

    assert "needs somebody to know it by" in nobody.alerts[0]
    assert nobody.form("/console/journeys", phone="")["hold_s"] == "310"
    assert "Done: taken down" in noted.text
    assert "350 s" in noted.text
    [row] = list_journeys(world.app, customer="C-3")
    assert str(noted.answer.url.path) == f"/console/journeys/{row['journey']}"


def test_an_order_is_held_beside_another(site: Console) -> None:
    """What differs, and whom each waited for beside the median of its like; one that there is not is told in a line."""
    with site.by("ann", "agent") as ann:
        page = ann.opens("/console/orders/SHOP-1/diff")
        beside, none = (ann.opens(f"/console/orders/SHOP-1/diff?other={other}") for other in ("LATE", "NO-SUCH"))

    assert (page.status, page.alerts) == (200, [])
    assert "Who was waited for" in beside.text
    assert "LATE" in beside.text
    assert [table for table in beside.root.all("table") if "What differs between the orders" in table.text]
    assert (none.status, len(none.alerts)) == (404, 1)


def test_a_complaint_is_answered_with_what_may_be_offered_and_is_over(site: Console, world: World) -> None:
    """What may be offered stands there with its reason, is chosen already, and one click answers and resolves it."""
    with site.by("ann", "agent") as ann:
        raised = ann.sends(
            ann.opens("/console/customers/C-5"),
            "/console/customers/C-5/complaint",
            {"topic": "delivery", "channel": "web", "order": "", "note": "it was late"},
        )
        [path] = {
            node.attributes["href"] for node in raised.root.all("a") if node.attributes.get("href", "").startswith("/console/complaints/")
        }
        page = ann.opens(path)
        [chosen] = [
            node.text
            for select in page.root.all("form", action=f"{path}/answer")[0].all("select", name="remedy")
            for node in select.all("option")
            if "selected" in node.attributes
        ]
        over = ann.sends(
            page, f"{path}/answer", {"channel": "store", "remedy": chosen.replace(" ", "-"), "note": "a month free", "resolved": "yes"}
        )
        heard = ann.sends(over, f"{path}/personal", {"why": "she asks again"})

    assert "May be offered: free period" in page.text
    assert chosen == "free period"
    assert "Done: answered" in over.text
    assert "a month free" not in over.text
    assert {"it was late", "a month free"} <= {node.text for node in heard.root.all("blockquote") + heard.root.all("q")}
    told = show_complaint(world.app, path.rpartition("/")[2])
    assert (told["state"], [step["type"] for step in told["steps"]]) == (
        "resolved",
        ["complaint.raised", "complaint.answered", "complaint.resolved"],
    )
