"""People at a real browser: who sees every error of a page as a failure, and what they look at."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, Page, expect

from tests.console import Console
from tests.world import World

SHOTS = os.environ.get("O2C_SHOTS", "")
"""A folder for pictures of every page, for a person who wants to look at them."""
Theme = Literal["light", "dark"]
STOPS = 120
"""So many times Tab is pressed at most: what is further away nobody finds."""


@contextmanager
def person(browser: Browser, site: Console, name: str, role: str, *, width: int = 1280) -> Iterator[Page]:
    """Somebody signed in, who sees every error of the page's own scripts and every breach of its policy as a failure."""
    context = browser.new_context(base_url=site.address, viewport={"width": width, "height": 900}, bypass_csp=False)
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
    """A picture of the page, where somebody wants pictures."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def fallout_of(world: World, external_id: str) -> str:
    """The id of the one open fallout of an order."""
    return str(world.fallouts(external_id)[0]["fallout"])


def tabbed(page: Page, words: str, tag: str = "") -> None:
    """Press Tab until what has the focus reads so, or is the field that is labelled so."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "(() => { const a = document.activeElement; return [a.tagName, a.labels?.[0]?.textContent || a.getAttribute('aria-label') || a.textContent] })()"
        )
        if words in told[1] and tag.upper() in ("", told[0]):
            return
    raise AssertionError(f"{words} is not reached by Tab")


def written(page: Page, label: str, text: str) -> None:
    """Reach a field and type."""
    tabbed(page, label)
    page.keyboard.type(text)


def pressed(page: Page, words: str, tag: str = "") -> None:
    """Reach a button, a link or what unfolds, and press Enter."""
    tabbed(page, words, tag)
    page.keyboard.press("Enter")


def done(page: Page, what: str) -> None:
    """See that the page says so."""
    expect(page.get_by_role("status")).to_contain_text(f"Done: {what}")
