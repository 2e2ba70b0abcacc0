"""Whole tasks of people in a real Chromium, by mouse and by keys: agents, supervisors, an auditor, an analyst, an admin, customers."""

import hashlib
import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from o2c.kernel.partner import Accepted, RefusedBy
from o2c.simulation.launch_data import FIBRE
from o2c.views.order_link import order_link
from tests.browser.conftest import Read
from tests.browser.people import fallout_of, person, shot
from tests.console import Console
from tests.world import ADDRESS, World, at, item, order

POLICY = """version = "patient"
valid_from = "2026-01-01"
[retries.transient]
attempts_max = 8
first_s = 30
factor = 4
longest_s = 1800
jitter_percent = 10
"""


def test_an_agent_works_a_fallout_by_keys_alone(browser: Browser, site: Console, world: World) -> None:
    """Down to a row, open it, claim it, write the code, send it; the order goes on."""
    with person(browser, site, "ann", "agent") as page:
        page.goto("/console/fallouts?reason=NP-CODE&sort=order")
        page.keyboard.press("j")
        expect(page.locator("tr.at a.open")).to_have_text("WEB-2")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/fallouts/*-*")
        page.keyboard.press("c")
        expect(page.get_by_role("status")).to_contain_text("Done: claim")
        page.get_by_label("port in code").fill("ABC123456")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Done: correct")
    world.run(at(20))
    assert world.fallouts("WEB-2") == []


def test_an_agent_claims_several_by_keys(browser: Browser, site: Console, world: World) -> None:
    """j, x, j, x, c: two are his; the help is behind a key and behind a button; a slash leads to the filter."""
    with person(browser, site, "ann", "agent") as page:
        page.goto("/console/fallouts?reason=NP-CODE")
        for key in "jxjx":
            page.keyboard.press(key)
        page.keyboard.press("c")
        expect(page.get_by_role("status")).to_contain_text("2 done, 0 refused")
        page.goto("/console/fallouts")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "search"
        page.keyboard.press("Escape")
        page.locator("h1").click()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.get_by_role("button", name="Close").click()
        page.get_by_role("button", name="Keys").click()
        expect(page.get_by_role("dialog")).to_be_visible()
    assert {row["owner"] for row in world.fallouts(reason="NP-CODE")} == {"ann"}


def test_a_supervisor_acts_on_a_group_after_a_preview(browser: Browser, site: Console, world: World) -> None:
    """From a group to all of it, preview, do, and the report; nothing was done before the second click."""
    with person(browser, site, "sue", "supervisor") as page:
        page.goto("/console/groups")
        page.locator("a.open", has_text="NP-CODE").click()
        page.get_by_role("link", name=re.compile("Do the same about all")).click()
        page.get_by_label("Action").select_option("escalate")
        page.get_by_role("textbox", name="Note").fill("the donor does not answer")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("status")).to_contain_text("2 would be done, 0 refused")
        assert {row["level"] for row in world.fallouts(reason="NP-CODE")} <= {1, 2}
        before = world.app.reads.last_position()
        page.get_by_role("button", name="Do it about these 2").click()
        expect(page.get_by_role("status")).to_contain_text("2 done, 0 refused")
    assert world.app.reads.last_position() > before


def test_a_supervisor_goes_from_a_figure_to_its_orders(browser: Browser, read: Read) -> None:
    """Overview, figure, order, an event of it, and back in time by the slider."""
    with person(browser, read.site, "sue", "supervisor") as page:
        page.goto("/console/overview")
        shot(page, "overview-sue")
        page.get_by_role("link", name="Fallout rate").click()
        page.locator("a.open", has_text="WEB-1").click()
        page.get_by_role("link", name="all", exact=True).click()
        page.get_by_role("link", name="order: planned").click()
        expect(page.locator("pre")).to_contain_text('"type": "order.planned"')
        page.go_back()
        page.get_by_role("link", name="How it stood at a moment").click()
        page.locator("input[name=to]").focus()
        page.keyboard.press("Home")
        page.wait_for_url("**to=1*")
        expect(page.locator("main")).to_contain_text("Nothing differs.")


def test_two_people_force_a_step(browser: Browser, site: Console, world: World) -> None:
    """The agent proposes; the supervisor agrees; the order completes."""
    name = fallout_of(world, "WEB-1")
    for who, role, told in (("ann", "agent", "proposed; somebody else has to agree"), ("sue", "supervisor", "Done: force")):
        with person(browser, site, who, role) as page:
            page.goto(f"/console/fallouts/{name}")
            page.locator("summary", has_text="Force").click()
            form = page.locator("details", has_text="Force").last
            form.get_by_label("Note").fill("installed in the shop")
            form.get_by_label("I mean it").check()
            form.get_by_role("button", name="Force").click()
            expect(page.get_by_role("status")).to_contain_text(told)
    world.run(at(20))
    assert world.state("WEB-1") == "completed"


def test_a_customer_gives_his_code_on_his_own_page(browser: Browser, site: Console, world: World) -> None:
    """On a telephone, without signing in: he reads what we need, writes it, and is thanked; later the page says that all is done."""
    page = browser.new_page(base_url=site.address, viewport={"width": 360, "height": 740})
    path = f"/my/{order_link(world.app, world.folder, 'WEB-2')['link']}"
    page.goto(path)
    page.get_by_label("The code of your old provider").fill("ABC123456")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    world.run(at(20))
    page.goto(path)
    expect(page.locator("main")).to_contain_text("Everything is done.")
    page.close()


def test_a_customer_chooses_another_day_for_the_fitter(browser: Browser, site: Console, world: World) -> None:
    """On a telephone: nobody was at home, he picks a day and a window from two lists, and is thanked; the fitter comes on that day."""
    world.scripted.will(
        "appointment", Accepted("VIS-1", at(13, 9)), RefusedBy("NOBODY-HOME"), lambda request: Accepted("VIS-2", at(20, 13))
    )
    world.take(order("WEB-6", item(FIBRE, "1", place=ADDRESS, commitmentMonths="24"), party="C-6", on=at(8, 12)), name="c.jsonl")
    world.run(at(13, 10))
    page = browser.new_page(base_url=site.address, viewport={"width": 360, "height": 740})
    path = f"/my/{order_link(world.app, world.folder, 'WEB-6')['link']}"
    page.goto(path)
    days = page.get_by_label("The day of the fitter's visit")
    assert days.locator("option").count() >= 5
    days.select_option("Tuesday, 20 Jan 2026")
    page.get_by_label("The time of that day").select_option("afternoon, 13:00 to 18:00")
    shot(page, "my-visit")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    world.run(at(22))
    page.goto(path)
    expect(page.locator("main")).to_contain_text("Everything is done.")
    page.close()
    [_, asked] = world.scripted.asked("appointment")
    assert (asked.body["visit_on"], asked.body["window"]) == ("2026-01-20", "afternoon")


def test_an_auditor_saves_an_order_s_file(browser: Browser, read: Read) -> None:
    """From the order to its file, and the file to disk; the hash on the page is that of what was saved."""
    with person(browser, read.site, "otto", "auditor") as page:
        page.goto("/console/orders/WEB-1")
        page.get_by_role("link", name="File to print and save").click()
        with page.expect_download() as saving:
            page.get_by_role("link", name="Save as JSON").click()
        content = Path(saving.value.path()).read_bytes()
        expect(page.locator("main")).to_contain_text(hashlib.sha256(content).hexdigest())


def test_a_number_is_found_by_what_a_caller_says(browser: Browser, site: Console) -> None:
    """Search, order, customer, his name with a reason; the number never stands in an address."""
    with person(browser, site, "ann", "agent") as page:
        page.goto("/console/fallouts")
        page.get_by_role("link", name="Search").click()
        page.get_by_label("Number, SIM, order").fill("07700 900124")
        page.keyboard.press("Enter")
        page.locator("a.open", has_text="WEB-3").click()
        assert "900124" not in page.url
        page.get_by_role("link", name="C-3", exact=True).click()
        page.get_by_label("What for").fill("he rang")
        page.get_by_role("button", name="Show name").click()
        expect(page.locator("main")).to_contain_text("Holmquay")


def test_an_agent_saves_a_view_and_comes_back_to_it(browser: Browser, site: Console, world: World) -> None:
    """Filter, name it, go elsewhere, come back by its name; forgotten it is gone."""
    with person(browser, site, "ann", "agent") as page:
        page.goto("/console/fallouts")
        page.locator("select[name=reason]").select_option("NP-CODE")
        page.get_by_role("button", name="Filter").click()
        page.get_by_text("Save this view").click()
        page.locator(".saving input[name=name]").fill("ports without a code")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Done: saved")
        page.get_by_role("link", name="Fallouts", exact=True).click()
        expect(page.locator("tr[data-row]")).to_have_count(3)
        page.get_by_role("link", name="ports without a code").click()
        expect(page.locator("tr[data-row]")).to_have_count(2)
        page.get_by_text("Save this view").click()
        page.get_by_role("button", name="Forget it").click()
        expect(page.get_by_role("link", name="ports without a code")).to_have_count(0)


def test_an_auditor_finds_who_looked_at_a_customer(browser: Browser, site: Console) -> None:
    """An agent had a reason to see a name; the auditor filters the records by the customer and reads who, as what, and of what kind."""
    with person(browser, site, "ann", "agent") as page:
        page.goto("/console/customers/C-3")
        page.get_by_label("What for").fill("she rang")
        page.get_by_role("button", name="Show name").click()
        expect(page.locator("main")).to_contain_text("Holmquay")
    with person(browser, site, "otto", "auditor") as page:
        page.get_by_role("link", name="Audit").click()
        page.get_by_label("Customer", exact=True).fill("C-3")
        page.get_by_role("button", name="Filter").click()
        row = page.locator("tbody tr").first
        for told in ("ann", "agent", "C-3", "customers.show", "name"):
            expect(row).to_contain_text(told)


def test_an_analyst_tries_a_policy_and_follows_it_to_an_order(browser: Browser, read: Read, tmp_path: Path) -> None:
    """A file is chosen and tried on the past; the order that nobody knows of opens; a fix is written and proven."""
    (tmp_path / "policy.toml").write_text(POLICY)
    with person(browser, read.site, "kim", "analyst") as page:
        page.get_by_role("link", name="What if").click()
        page.locator("input[type=file]").first.set_input_files(tmp_path / "policy.toml")
        page.get_by_role("button", name="Tell the orders again").click()
        expect(page.get_by_role("status")).to_contain_text("5 orders:")
        page.locator("select[name=reason]").select_option("NP-CODE")
        page.get_by_label("Codes, and values to correct").fill('[correct]\nportInCode = "ABC123456"\n')
        page.get_by_role("button", name="Prove it").click()
        expect(page.get_by_role("status")).to_contain_text("Of 2 open:")
        page.locator("a.open", has_text="WEB-2").click()
        expect(page.get_by_role("heading", name=re.compile("NP-CODE"))).to_be_visible()


def test_an_admin_rebuilds_a_projection(browser: Browser, site: Console) -> None:
    """From the list to one, a look at what would be otherwise, a reason, and the page tells by itself when it is done."""
    with person(browser, site, "adam", "admin") as page:
        page.get_by_role("link", name="Projections").click()
        page.locator("a.open", has_text="milestones").click()
        page.get_by_role("button", name="What would be otherwise?").click()
        expect(page.get_by_role("status")).to_contain_text("Nothing would be otherwise")
        page.get_by_label("Why").fill("a look at the new page")
        page.get_by_role("button", name="Rebuild milestones").click()
        expect(page.locator("#stand [role=status]")).to_contain_text("Rebuilt:", timeout=20_000)


def test_a_customer_sees_his_order_and_nobody_else_s(browser: Browser, read: Read) -> None:
    """A dark telephone elsewhere: how far it is and when by his own clock, without a name, a number or a way into the console; a link with one letter less is none."""
    page = browser.new_page(
        base_url=read.site.address, viewport={"width": 360, "height": 740}, color_scheme="dark", timezone_id="Europe/Tallinn"
    )
    path = f"/my/{order_link(read.world.app, read.world.folder, 'WEB-4')['link']}"
    page.goto(path)
    expect(page.get_by_role("heading", name="Your order WEB-4")).to_be_visible()
    expect(page.locator("main")).to_contain_text("How far it is")
    captured = page.locator("ol.history time").first
    utc, stamp = str(captured.get_attribute("title")), captured.inner_text()
    assert int(re.findall(r"(\d\d):\d\d$", stamp)[0]) == (int(utc[11:13]) + 2) % 24
    content = page.content()
    assert [word for word in ("C-4", "WEB-2", "+4477", "Holmquay", 'href="/console"') if word in content] == []
    less = page.goto(path[:-1])
    assert less is not None
    assert less.status == 404
    page.close()
