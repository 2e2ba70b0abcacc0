"""Pages in a real Chromium while somebody uses them: lists that tell themselves anew, a connection that is lost, times, no scripts."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Read
from tests.browser.people import fallout_of, person
from tests.console import Console
from tests.world import World, at, order, ported

REFRESH = "document.querySelector('[data-live]').dispatchEvent(new Event('refresh'))"
"""What happens when a window is looked at again, or its connection is back."""
PLACE = "({top: document.querySelector('tr.at').getBoundingClientRect().top, scrolled: scrollY})"


def test_a_lost_connection_says_so_and_goes_by_itself(browser: Browser, read: Read) -> None:
    """The line appears while the service does not answer, and is gone once it does."""
    with person(browser, read.site, "ann", "agent") as page:
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
def test_an_error_is_no_list(browser: Browser, read: Read, what: str, said: str) -> None:
    """A list that could not be told anew stays as it was, under a line that says so; the line goes once it could."""
    with person(browser, read.site, "ann", "agent") as page:
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


def test_times_are_told_as_somebody_wants_them(browser: Browser, read: Read) -> None:
    """UTC as the server told them, relative to the store's own clock, and kept from page to page."""
    with person(browser, read.site, "ann", "agent") as page:
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


def test_pages_are_read_without_scripts(browser: Browser, read: Read) -> None:
    """With scripts off everything is there to read, and no button is shown that would do nothing."""
    with person(browser, read.site, "ann", "agent") as signed:
        state = signed.context.storage_state()
    context = browser.new_context(base_url=read.site.address, java_script_enabled=False, storage_state=state)
    page = context.new_page()
    page.goto("/console/fallouts")
    assert page.locator("tr[data-row]").count() == 3
    assert page.locator(".scripted:visible").count() == 0
    page.goto(f"/console/fallouts/{fallout_of(read.world, 'WEB-2')}")
    assert page.get_by_role("heading", name=re.compile("NP-CODE")).is_visible()
    context.close()
