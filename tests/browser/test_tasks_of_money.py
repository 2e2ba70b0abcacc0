"""Tasks about money in a real Chromium by keys alone: Tab, Enter, blank and what is typed; no mouse is there."""

from playwright.sync_api import Browser, expect

from tests.browser.people import done, person, pressed, written
from tests.console import Console
from tests.handsets import imei
from tests.rich import USER


def test_an_agent_asks_for_a_refund_and_a_supervisor_approves_the_one_that_waits(browser: Browser, shop: Console) -> None:
    """From the account's page on; the agent has no button for what waits."""
    with person(browser, shop, "kim", "agent") as page:
        page.goto("/console/accounts/BA-C-1")
        pressed(page, "Credits, deposits, refunds")
        page.wait_for_url("**/console/holdings/*")
        expect(page.get_by_role("button", name="Approve it")).to_have_count(0)
        pressed(page, "Pay money back", "summary")
        written(page, "Amount", "3.00")
        pressed(page, "Ask for it")
        done(page, "refund asked for")
    with person(browser, shop, "sue", "supervisor") as page:
        page.goto("/console/holdings/BA-C-1")
        pressed(page, "Approve it")
        done(page, "refund approved")
        pressed(page, "Give it up", "summary")
        written(page, "Why", "she wants it off her bill")
        pressed(page, "Give it up", "button")
        done(page, "refund given up")


def test_an_agent_records_a_top_up_and_settles_a_handset(browser: Browser, shop: Console) -> None:
    """The one on the prepaid line's account, the other on the handset's."""
    with person(browser, shop, "kim", "agent") as page:
        page.goto(f"/console/holdings/BA-{USER}")
        pressed(page, "Record a top-up", "summary")
        written(page, "Amount", "5.00")
        written(page, "Reference", "PAY-9")
        pressed(page, "Record it")
        done(page, "topped up")
        page.goto("/console/holdings/BA-C-1")
        pressed(page, "Settle it now", "summary")
        pressed(page, "Bill all that is left")
        done(page, "billed at once")


def test_an_agent_finds_a_device_and_blocks_it(browser: Browser, shop: Console) -> None:
    """By its number, which never comes into the address."""
    with person(browser, shop, "kim", "agent") as page:
        page.goto("/console/stock")
        written(page, "IMEI", imei(1))
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text(imei(1))
        pressed(page, "Block it", "summary")
        pressed(page, "Block it", "button")
        done(page, "blocked")
        assert imei(1) not in page.url


def test_a_supervisor_issues_vouchers_and_opens_a_campaign_by_its_row(browser: Browser, shop: Console) -> None:
    """What is written is kept where something is missing; j and Enter lead into the list."""
    with person(browser, shop, "sue", "supervisor") as page:
        page.goto("/console/vouchers")
        pressed(page, "Issue vouchers", "summary")
        written(page, "Name of the campaign", "JUNE")
        written(page, "Percentage", "10")
        pressed(page, "Issue them")
        done(page, "issued")
        page.goto("/console/vouchers")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Vouchers JUNE")


def test_an_auditor_reads_usage_that_waits_and_what_an_account_holds(browser: Browser, shop: Console) -> None:
    """By the menu; there is nothing to press that he may not."""
    with person(browser, shop, "otto", "auditor") as page:
        page.goto("/console/stock")
        pressed(page, "Usage", "a")
        page.wait_for_url("**/console/usage")
        pressed(page, "msc-1", "a")
        expect(page.get_by_label("Source")).to_have_value("msc-1")
        page.goto("/console/holdings/BA-C-1")
        expect(page.locator("main button")).to_have_count(1)
