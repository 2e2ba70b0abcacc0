"""Whole tasks of people in a real Chromium, by mouse and by keys, and the rules of WCAG on every page in both themes."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from o2c.views.order_link import order_link
from tests.console import Console
from tests.world import World, at, order, ported

AXE = Path(__file__).parent / "axe.min.js"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
SHOTS = os.environ.get("O2C_SHOTS", "")
"""A folder for pictures of every page, for a person who wants to look at them."""
Theme = Literal["light", "dark"]

REFRESH = "document.querySelector('[data-live]').dispatchEvent(new Event('refresh'))"
"""What happens when a window is looked at again, or its connection is back."""
PLACE = "({top: document.querySelector('tr.at').getBoundingClientRect().top, scrolled: scrollY})"

UNREAD = """[...document.querySelectorAll("svg.chart")].flatMap(chart => {
    const frame = chart.getBoundingClientRect(), texts = [...chart.querySelectorAll("text")].map(text => [text, text.getBoundingClientRect()]);
    const cut = texts.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.height < 8);
    const over = chart.matches(".stops") ? texts.filter(([one, a]) => texts.some(([other, b]) =>
        one !== other && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)) : [];
    return [...cut, ...over].map(([text]) => text.textContent);
})"""
"""The words of charts that are cut at its edge, lower than eight pixels, or written over one another."""


@contextmanager
def person(browser: Browser, site: Console, name: str, role: str, *, theme: Theme = "light", width: int = 1280) -> Iterator[Page]:
    """Somebody signed in, who sees every error of the page's own scripts and every breach of its policy as a failure."""
    context = browser.new_context(base_url=site.address, color_scheme=theme, viewport={"width": width, "height": 900}, bypass_csp=False)
    context.set_default_timeout(10_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" and "Content Security" in line.text else None)
    page.goto("/console/sign-in")
    page.get_by_label("API key").fill(f"{name}:{role}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/console/(?!sign-in)"))
    yield page
    context.close()
    assert wrong == []


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def fallout_of(world: World, external_id: str) -> str:
    return str(world.fallouts(external_id)[0]["fallout"])


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


def test_a_supervisor_goes_from_a_figure_to_its_orders(browser: Browser, site: Console) -> None:
    """Overview, figure, order, an event of it, and back in time by the slider."""
    with person(browser, site, "sue", "supervisor") as page:
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


def test_a_lost_connection_says_so_and_goes_by_itself(browser: Browser, site: Console) -> None:
    """The line appears while the service does not answer, and is gone once it does."""
    with person(browser, site, "ann", "agent") as page:
        page.goto("/console/fallouts")
        expect(page.locator("#lost")).to_be_hidden()
        page.context.set_offline(True)
        expect(page.locator("#lost")).to_be_visible()
        page.context.set_offline(False)
        expect(page.locator("#lost")).to_be_hidden()


def test_a_list_that_tells_itself_anew_keeps_what_somebody_is_about(browser: Browser, site: Console, world: World) -> None:
    """Another fallout comes first meanwhile: the chosen row, the one where the keys work, what was written, and the place on the page stay."""
    with person(browser, site, "ann", "agent") as page:
        page.set_viewport_size({"width": 600, "height": 500})
        page.goto("/console/fallouts?sort=newest")
        page.locator("tr", has_text="WEB-2").get_by_role("checkbox").check()
        page.get_by_label("Note").fill("half a sent")
        while page.locator("tr.at a.open", has_text="WEB-2").count() == 0:
            page.keyboard.press("Escape")
            page.locator("h1").click()
            page.keyboard.press("j")
        before = page.evaluate(PLACE)
        world.registers("C-9")
        world.take(order("WEB-9", ported(code="", msisdn="+447700900199"), party="C-9"), name="c.jsonl")
        world.run(at(9))
        page.evaluate(REFRESH)
        expect(page.locator("tr[data-row]").first).to_contain_text("WEB-9")
        assert page.evaluate("[...document.querySelectorAll('input:checked')].map(box => box.value)") == [fallout_of(world, "WEB-2")]
        expect(page.locator("tr.at a.open")).to_have_text("WEB-2")
        expect(page.get_by_label("Note")).to_have_value("half a sent")
        after = page.evaluate(PLACE)
        assert before["scrolled"] > 0
        assert abs(after["top"] - before["top"]) < 2


@pytest.mark.parametrize(("what", "said"), [("signed out", "You are signed out."), ("ill", "cannot tell this anew")])
def test_an_error_is_no_list(browser: Browser, site: Console, what: str, said: str) -> None:
    """A list that could not be told anew stays as it was, under a line that says so; the line goes once it could."""
    with person(browser, site, "ann", "agent") as page:
        page.goto("/console/fallouts")
        cookies = page.context.cookies()
        if what == "ill":
            page.route("**/console/fallouts*", lambda route: route.fulfill(status=503, content_type="text/html", body="<p>away</p>"))
        else:
            page.context.clear_cookies()
        page.evaluate(REFRESH)
        expect(page.locator("#lost")).to_contain_text(said)
        assert page.locator("tr[data-row]").count() == 3
        page.unroute_all()
        page.context.add_cookies(cookies)
        page.evaluate(REFRESH)
        expect(page.locator("#lost")).to_be_hidden()
        assert page.locator("tr[data-row]").count() == 3


def test_times_are_told_as_somebody_wants_them(browser: Browser, site: Console) -> None:
    """UTC as the server told them, relative to the store's own clock, and kept from page to page."""
    with person(browser, site, "ann", "agent") as page:
        page.goto("/console/orders")
        first = page.locator("td time").first
        utc = first.inner_text()
        assert utc.endswith("UTC")
        page.get_by_label("Times").select_option("relative")
        expect(first).to_have_text(re.compile("days ago"))
        page.goto("/console/orders")
        expect(first).to_have_text(re.compile("days ago"))
        page.get_by_label("Times").select_option("utc")
        expect(first).to_have_text(utc)


def test_pages_are_read_without_scripts(browser: Browser, site: Console, world: World) -> None:
    """With scripts off everything is there to read, and no button is shown that would do nothing."""
    with person(browser, site, "ann", "agent") as signed:
        state = signed.context.storage_state()
    context = browser.new_context(base_url=site.address, java_script_enabled=False, storage_state=state)
    page = context.new_page()
    page.goto("/console/fallouts")
    assert page.locator("tr[data-row]").count() == 3
    assert page.locator(".scripted:visible").count() == 0
    page.goto(f"/console/fallouts/{fallout_of(world, 'WEB-2')}")
    assert page.get_by_role("heading", name=re.compile("NP-CODE")).is_visible()
    context.close()


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


def test_an_auditor_saves_an_order_s_file(browser: Browser, site: Console) -> None:
    """From the order to its file, and the file to disk; the hash on the page is that of what was saved."""
    with person(browser, site, "otto", "auditor") as page:
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
        page.get_by_role("link", name="C-3").click()
        page.get_by_label("What for").fill("he rang")
        page.get_by_role("button", name="Show name").click()
        expect(page.locator("main")).to_contain_text("Holmquay")


def paths(world: World) -> dict[str, str]:
    """Every kind of page, with something on it."""
    name, order = fallout_of(world, "WEB-2"), world.order("WEB-1").order_id
    event = world.app.reads.rows("SELECT position FROM o2c.event WHERE stream = %s AND type = 'order.planned'", f"order-{order}")[0][
        "position"
    ]
    return {
        "sign-in": "/console/sign-in", "fallouts": "/console/fallouts", "groups": "/console/groups", "fallout": f"/console/fallouts/{name}",
        "orders": "/console/orders", "order": f"/console/orders/{order}?zoom=steps", "lanes": f"/console/orders/{order}?zoom=lanes",
        "mine": f"/my/{order_link(world.app, world.folder, 'WEB-2')['link']}", "event": f"/console/orders/{order}/events/{event}", "as-of": f"/console/orders/{order}/as-of", "search": "/console/search",
        "customer": "/console/customers/C-1", "overview": "/console/overview", "figures": "/console/figures",
        "figure": "/console/figures/fallout-rate?by=reason", "table": "/console/tables/cycle-times", "partners": "/console/partners",
        "projections": "/console/projections", "projection": "/console/projections/orders", "what-if": "/console/what-if?reason=NP-CODE", "bulk": "/console/bulk?reason=NP-CODE", "empty": "/console/fallouts?owner=nobody", "error": "/console/none",
        "audit": "/console/audit", "file": f"/console/audit/orders/{order}",
    }  # fmt: skip


OF_AUDITOR = frozenset({"audit", "file"})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_access(browser: Browser, site: Console, world: World, theme: Theme) -> None:
    """axe-core: no violation of WCAG 2.0 to 2.2 A and AA, nor of its best practices, on any page."""
    found: dict[str, list[str]] = {}
    seen = 0
    for role in ("supervisor", "auditor"):
        with person(browser, site, "kim", role, theme=theme) as page:
            for name, path in paths(world).items():
                if (name in OF_AUDITOR) is (role == "auditor"):
                    page.goto(path)
                    shot(page, f"{name}-{theme}")
                    told = broken(page)
                    seen += 1
                    if told:
                        found[name] = told
    assert found == {}
    assert seen == len(paths(world))


def test_a_page_that_breaks_a_rule_is_seen(browser: Browser) -> None:
    """The control: a picture without words, a field without a label and pale ink are three breaches at least."""
    page = browser.new_page()
    page.set_content('<main><h1>A</h1><img src="x"><input><p style="color:#ccc;background:#fff">pale</p></main>')
    told = {line.partition(":")[0] for line in broken(page)}
    page.close()
    assert told >= {"image-alt", "label", "color-contrast"}


def broken(page: Page) -> list[str]:
    """The rules that a page breaks, each with where. axe comes over the tester's own connection, which the page's policy does not touch."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{each['id']}: {[node['target'] for node in each['nodes']][:3]}" for each in result["violations"]]


@pytest.mark.parametrize("width", [360, 768, 1024, 1920])
def test_every_page_fits_its_window(browser: Browser, site: Console, world: World, width: int) -> None:
    """No page is wider than the window; what is wide scrolls within itself (WCAG 2.2, 1.4.10). No word of a chart is cut, or too small to be read."""
    wide: dict[str, int] = {}
    unread: dict[str, list[str]] = {}
    with person(browser, site, "sue", "supervisor", width=width) as page:
        for name, path in paths(world).items():
            if name not in OF_AUDITOR:
                page.goto(path)
                shot(page, f"{name}-{width}")
                over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if over > 0:
                    wide[name] = over
                if told := page.evaluate(UNREAD):
                    unread[name] = told
    assert wide == {}
    assert unread == {}


def test_axe_is_what_it_says() -> None:
    """axe-core 4.14.1 as published, under the Mozilla Public License 2.0; it is no part of the product."""
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == AXE_SHA256
    assert "axe v4.14.1" in AXE.read_text(encoding="utf-8")[:200]
    assert "Mozilla Public License" in (AXE.parent / "axe.LICENSE.txt").read_text(encoding="utf-8")
