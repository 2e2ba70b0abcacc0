"""Every page in a real Chromium, in both themes and at four widths: the rules of WCAG, what fits its window, and what can be read."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest
from playwright.sync_api import Browser, Page

from o2c.simulation.launch_data import SECOND_LINE
from o2c.views.order_link import order_link
from tests.browser.conftest import Read
from tests.browser.people import SHOTS, Theme, fallout_of, person, shot
from tests.handsets import imei
from tests.rich import DEBTOR, USER
from tests.world import World

AXE = Path(__file__).parent / "axe.min.js"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
WIDTHS = (360, 768, 1024, 1440, 1920)
UNREAD = """[...document.querySelectorAll("svg.chart")].flatMap(chart => {
    const frame = chart.getBoundingClientRect(), texts = [...chart.querySelectorAll("text")].map(text => [text, text.getBoundingClientRect()]);
    const cut = texts.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.height < 8);
    const over = chart.matches(".stops") ? texts.filter(([one, a]) => texts.some(([other, b]) =>
        one !== other && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)) : [];
    return [...cut, ...over].map(([text]) => text.textContent);
})"""
"""The words of charts that are cut at its edge, lower than eight pixels, or written over one another."""


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
        "products": "/console/products", "product": f"/console/products/{world.order('WEB-4').order_id}:1",
        "change": f"/console/orders/{world.order('WEB-3').order_id}/change", "order under way": f"/console/orders/{world.order('WEB-3').order_id}", "journeys with none": "/console/journeys",
        "audit": "/console/audit", "file": f"/console/audit/orders/{order}",
    }  # fmt: skip


OF_MONEY = {
    "invoice": f"/console/invoices/BA-{DEBTOR}-20260108", "invoice waiting": f"/console/invoices/BA-{DEBTOR}-20260308",
    "invoice paid": "/console/invoices/BA-C-71-20260108", "account": f"/console/accounts/BA-{DEBTOR}", "account with usage": f"/console/accounts/BA-{USER}", "customer who owes": f"/console/customers/{DEBTOR}",
    "holdings": "/console/holdings/BA-C-1", "holdings prepaid": f"/console/holdings/BA-{USER}", "holdings deposit": "/console/holdings/BA-C-2",
    "vouchers": "/console/vouchers", "voucher": "/console/vouchers/SPRING", "stock": "/console/stock", "usage": "/console/usage", "number ranges": "/console/number-ranges",
    "customer with a device": "/console/customers/C-1", "collections": "/console/collections", "ledger": "/console/ledger", "assurance": "/console/assurance?look=1", "catalogue": "/console/catalogue",
    "catalogue versions": "/console/catalogue/diff?a=0", "every product": "/console/products?status=any", "every order": "/console/orders", "every fallout": "/console/fallouts",
    "journeys": "/console/journeys", "complaints": "/console/complaints", "messages": "/console/messages", "triggers": "/console/triggers", "trigger": "/console/triggers/asked",
    "returns": "/console/returns", "switching": "/console/switching", "fields": "/console/orders/LATE/fields", "hierarchy": "/console/customers/C-1/accounts", "order with all": "/console/orders/LATE",
    "care": "/console/care?state=any", "jeopardy": "/console/jeopardy?score=1", "journey policy": "/console/journey-policy", "order beside another": "/console/orders/LATE/diff?other=SHOP-1",
    "changes": f"/console/accounts/BA-{USER}/changes", "bills": "/console/customers/C-1/bills",
}  # fmt: skip
"""Pages about money, and lists with more on them, of the store in which all of that has happened."""
OF_AUDITOR = frozenset({"audit", "file"})


def tried(page: Page) -> None:
    page.get_by_label("Codes, and values to correct").fill('[correct]\nportInCode = "ABC123456"\n')
    page.get_by_role("button", name="Prove it").click()


def previewed(page: Page) -> None:
    page.get_by_label("Action").select_option("escalate")
    page.get_by_role("button", name="Preview").click()


def credited(page: Page) -> None:
    opened(page)
    page.locator("form[action$='/credit-note/preview'] select").select_option("goodwill")
    page.get_by_role("button", name="Preview", exact=True).click()


def charged_back(page: Page) -> None:
    opened(page)
    page.get_by_label("Case").fill("CB-1")
    page.get_by_role("button", name="Preview the chargeback").click()
    opened(page)


def assessed(page: Page) -> None:
    page.get_by_label("Other address").first.fill("7 Quay Street, Testford, ZZ1 2BB")
    page.get_by_label("Other offering").first.select_option(SECOND_LINE.id)
    page.get_by_role("button", name="What would it take?").first.click()
    opened(page)


def matched(page: Page) -> None:
    page.get_by_label("Since").fill("2026-01-01")
    page.get_by_role("button", name="Try", exact=True).click()
    opened(page)


def followed(page: Page) -> None:
    page.locator("a.open").first.click()
    page.wait_for_load_state()
    opened(page)


def listed(page: Page) -> None:
    page.get_by_label("Rows (CSV)").fill("product,offering\nnobody:1,none\n")
    page.get_by_role("button", name="What would become of it?").click()


def coded(page: Page) -> None:
    page.get_by_role("button", name="Give the porting code").click()


def found(page: Page) -> None:
    page.get_by_label("IMEI of a device").fill(imei(0))
    page.get_by_role("button", name="Find it").click()
    opened(page)


def opened(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")


AFTER: Mapping[str, tuple[str, Callable[[Page], None]]] = {
    "what-if": ("what-if tried", tried),
    "bulk": ("bulk previewed", previewed),
    "fallouts": ("fallouts opened", opened),
    "order": ("order opened", opened),
    "invoice": ("invoice previewed", credited),
    "invoice paid": ("chargeback previewed", charged_back),
    "product": ("product with its code", coded),
    "change": ("change assessed", assessed),
    "journeys": ("journey", followed),
    "complaints": ("complaint", followed),
    "messages": ("message", followed),
    "triggers": ("triggers tried", matched),
    "care": ("care opened", opened),
    "changes": ("changes previewed", listed),
    "journeys with none": ("journeys opened", opened),
    "customer who owes": ("customer opened", opened),
    "order under way": ("order under way opened", opened),
    "order with all": ("order with all opened", opened),
    "account": ("account opened", opened),
    "ledger": ("ledger opened", opened),
    "catalogue": ("catalogue opened", opened),
    "holdings": ("holdings opened", opened),
    "holdings prepaid": ("holdings prepaid opened", opened),
    "vouchers": ("vouchers opened", opened),
    "number ranges": ("number ranges opened", opened),
    "stock": ("device", found),
}
"""Pages that look otherwise once somebody did something there: by name how that is called, and what he does."""


@dataclass
class Looked:
    """What was seen: the pages, the rules that each breaks by theme, and by width by how much each is too wide and what of it cannot be read."""

    pages: set[str] = field(default_factory=set)
    broken: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    wide: dict[tuple[int, str], int] = field(default_factory=dict)
    unread: dict[tuple[int, str], list[str]] = field(default_factory=dict)

    def look(self, page: Page, name: str) -> None:
        """Look at a page that is open, in each theme and at each width."""
        self.pages.add(name)
        for theme in get_args(Theme):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            self.broken[theme, name] = broken(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            pictured(page, f"{name}-{width}")
            self.wide[width, name] = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            self.unread[width, name] = page.evaluate(UNREAD)
        page.set_viewport_size({"width": 1280, "height": 900})


def pictured(page: Page, name: str) -> None:
    """Pictures of a page in each theme, where somebody wants pictures."""
    for theme in get_args(Theme) if SHOTS else ():
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        shot(page, f"{name}-{theme}")


@pytest.fixture(scope="module")
def looked(browser: Browser, read: Read, money: Read) -> Looked:
    """Every page is opened once, and looked at."""
    found, every = Looked(), paths(read.world)
    of_auditor = {name: every[name] for name in OF_AUDITOR}
    of_all = {name: path for name, path in every.items() if name not in OF_AUDITOR}
    for site, role, known in ((read.site, "supervisor", of_all), (read.site, "auditor", of_auditor), (money.site, "supervisor", OF_MONEY)):
        with person(browser, site, "kim", role) as page:
            for name, path in known.items():
                page.goto(path)
                found.look(page, name)
                if name in AFTER:
                    after, do = AFTER[name]
                    do(page)
                    found.look(page, after)
    return found


def test_every_page_was_looked_at(looked: Looked, read: Read) -> None:
    """Each kind of page, and those that look otherwise after a form."""
    assert looked.pages == {*paths(read.world), *OF_MONEY, *(after for after, _ in AFTER.values())}


@pytest.mark.parametrize("theme", get_args(Theme))
def test_no_page_breaks_a_rule_of_access(looked: Looked, theme: Theme) -> None:
    """axe-core: no violation of WCAG 2.0 to 2.2 A and AA, nor of its best practices, on any page."""
    assert {name: told for (seen, name), told in looked.broken.items() if seen == theme and told} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_its_window(looked: Looked, width: int) -> None:
    """No page is wider than the window; what is wide scrolls within itself (WCAG 2.2, 1.4.10). No word of a chart is cut, or too small to be read."""
    assert {name: over for (seen, name), over in looked.wide.items() if seen == width and over > 0} == {}
    assert {name: words for (seen, name), words in looked.unread.items() if seen == width and words} == {}


def test_a_page_that_breaks_a_rule_is_seen(browser: Browser) -> None:
    """The control: a picture without words, a field without a label and pale ink are three breaches at least; a chart has four words amiss and one in order."""
    page = browser.new_page()
    page.set_content('<main><h1>A</h1><img src="x"><input><p style="color:#ccc;background:#fff">pale</p></main>')
    told = {line.partition(":")[0] for line in broken(page)}
    page.set_content(
        '<svg class="chart stops" width="300" height="60" viewBox="0 0 300 60"><text x="9" y="20">one</text><text x="12" y="20">two</text>'
        '<text x="280" y="50">beyond</text><text x="99" y="50">whole</text><text x="9" y="50" font-size="4">small</text></svg>'
    )
    unread = page.evaluate(UNREAD)
    page.close()
    assert told >= {"image-alt", "label", "color-contrast"}
    assert sorted(unread) == ["beyond", "one", "small", "two"]


def broken(page: Page) -> list[str]:
    """The rules that a page breaks, each with where. axe comes over the tester's own connection, which the page's policy does not touch."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{each['id']}: {[node['target'] for node in each['nodes']][:3]}" for each in result["violations"]]


def test_axe_is_what_it_says() -> None:
    """axe-core 4.14.1 as published, under the Mozilla Public License 2.0; it is no part of the product."""
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == AXE_SHA256
    assert "axe v4.14.1" in AXE.read_text(encoding="utf-8")[:200]
    assert "Mozilla Public License" in (AXE.parent / "axe.LICENSE.txt").read_text(encoding="utf-8")
