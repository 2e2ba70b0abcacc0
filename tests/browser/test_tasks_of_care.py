"""Tasks about what is agreed and promised, in a real Chromium by keys alone."""

from playwright.sync_api import Browser, expect

from tests.browser.people import done, person, pressed, tabbed, written
from tests.console import Console


def test_an_agent_takes_a_courtesy_contact_down_where_it_is_due(browser: Browser, shop: Console) -> None:
    """From the menu to the first row, and what was said of it; less is owed then."""
    with person(browser, shop, "kim", "agent") as page:
        pressed(page, "Care", "a")
        page.wait_for_url("**/console/care")
        owed = page.locator("tr[data-row]").count()
        pressed(page, "We spoke with", "summary")
        written(page, "Note", "he is content")
        pressed(page, "Take it down")
        done(page, "taken down")
        assert page.locator("tr[data-row]").count() < owed


def test_a_supervisor_agrees_on_care_and_puts_another_policy_in_force(browser: Browser, shop: Console) -> None:
    """Each stands on its page as a version of its own, with who it was."""
    with person(browser, shop, "sue", "supervisor") as page:
        page.goto("/console/care")
        pressed(page, "Set an agreement", "summary")
        written(page, "Name", "rail")
        written(page, "With these customers", "C-1")
        pressed(page, "Agree on it")
        done(page, "agreed")
        expect(page.locator("ol.history li").first).to_contain_text("sue")
        page.goto("/console/journey-policy")
        tabbed(page, "The policy (TOML)")
        text = page.get_by_label("The policy (TOML)").input_value().replace("lost_after_days = 14", "lost_after_days = 10")
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(text)
        pressed(page, "Put it in force")
        done(page, "in force")
        expect(page.locator("main dl.pairs")).to_contain_text("10 days without an attempt")


def test_an_agent_goes_from_a_danger_to_its_order_and_beside_another(browser: Browser, shop: Console) -> None:
    """j and Enter lead to the order, from whose page it is held beside one that went well."""
    with person(browser, shop, "kim", "agent") as page:
        page.goto("/console/jeopardy")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/orders/*")
        pressed(page, "Beside another order", "a")
        page.wait_for_url("**/diff")
        written(page, "The other order", "SHOP-1")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("Who was waited for")


def test_a_supervisor_changes_many_by_a_list_and_takes_a_range_into_use(browser: Browser, shop: Console) -> None:
    """What would become of a row is seen before it is ordered; a range stands in the list as soon as it is taken into use."""
    with person(browser, shop, "sue", "supervisor") as page:
        page.goto("/console/accounts/BA-C-1/changes")
        tabbed(page, "Rows (CSV)")
        page.keyboard.insert_text("product,offering\nnobody:1,none\n")
        pressed(page, "What would become of it?")
        expect(page.get_by_role("status")).to_contain_text("0 could be ordered, 1 would fail")
        page.goto("/console/number-ranges")
        pressed(page, "Take a range into use", "summary")
        for label, text in (("What stands before", "SETK"), ("First number", "1"), ("Last number", "500"), ("The authority", "DEC-9")):
            written(page, label, text)
        written(page, "Valid from", "01012026")
        pressed(page, "Take it into use")
        done(page, "in use")
        expect(page.locator("table.rows")).to_contain_text("SETK")
