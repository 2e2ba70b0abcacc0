"""The console's pages about what accounts hold and owe in their own ways: refunds, prepaid money, instalments; vouchers, stock, devices, usage that waits."""

import pytest

from o2c.desk.act import Context
from o2c.desk.payments import record
from o2c.desk.quota import reserve
from o2c.kernel.partner import Answered, RefusedBy, Unknown
from o2c.views.balance import show_balance
from o2c.views.instalments import show_instalments
from o2c.views.invoices import list_invoices
from o2c.views.prepaid import show_prepaid
from tests.console import Console, Seen, console_of_world, rich_world
from tests.handsets import SKU, imei
from tests.rich import DEBTOR, USER
from tests.world import World, at

HELD, USES = "/console/holdings/BA-C-1", f"/console/holdings/BA-{USER}"
PAGES = {
    "holdings": HELD,
    "vouchers": "/console/vouchers",
    "campaign": "/console/vouchers/SPRING",
    "stock": "/console/stock",
    "usage": "/console/usage",
}
OPENED_BY = {
    "agent": set(PAGES),
    "supervisor": set(PAGES),
    "analyst": set(PAGES),
    "auditor": set(PAGES),
    "privacy-officer": {"holdings", "stock"},
    "admin": {"stock", "usage"},
    "service": set(),
}


def pays_too_much(world: World) -> None:
    """The handset's customer, 150.00."""
    paid = next(row for row in list_invoices(world.app, accounts=["BA-C-1"]) if row["state"] == "paid")
    record(world.app, Context("root"), paid["invoice"], amount="150.00", reference="TFR-150", sure=True)


world = rich_world(pays_too_much)
"""A store with a handset in instalments, money paid too much, prepaid sessions and vouchers; each test does something else in it."""
site = console_of_world


@pytest.mark.parametrize("role", OPENED_BY)
def test_a_page_opens_for_whom_the_table_allows_it(site: Console, role: str) -> None:
    """The others are told so in one line, and no menu leads them there."""
    with site.by("kim", role) as kim:
        seen = {name: kim.opens(path) for name, path in PAGES.items()}
        menu = {node.attributes.get("href") for nav in kim.opens("/console/catalogue").root.all("nav") for node in nav.all("a")}

    opened = {name for name, page in seen.items() if page.status == 200}
    assert opened == OPENED_BY[role]
    assert all(len(seen[name].alerts) == (name not in opened) for name in PAGES)
    led = {name for name in ("vouchers", "stock", "usage") if PAGES[name] in menu}
    assert led == opened - {"holdings", "campaign"}


def test_a_refund_is_asked_for_and_how_it_stands_is_told(site: Console, world: World) -> None:
    """While nobody knows its outcome the page says so; a refused one leads to its fallout; a page that is old asks for nothing."""
    world.scripted.will("refund", Unknown(at(20, month=4)), RefusedBy("ACCOUNT-CLOSED"))
    with site.by("ann", "agent") as ann:
        page = ann.opens(HELD)
        asked = ann.sends(page, f"{HELD}/refund", {"amount": "20.00"})
        stale = ann.sends(page, f"{HELD}/refund", {"amount": "20.00", "wish": "another wish"})
        much = ann.sends(asked, f"{HELD}/refund", {"amount": "9000.00"})
        world.run(at(16, 10, month=3))
        unknown = ann.opens(HELD)
        ann.sends(unknown, f"{HELD}/refund", {"amount": "5.00"})
        world.run(at(16, 20, month=3))
        refused = ann.opens(HELD)
    [fallout] = world.fallouts(reason="PAY-REFUND")
    with site.by("sue", "supervisor") as sue:
        given_up = sue.sends(sue.opens(HELD), f"{HELD}/give-up", {"reason": "she wants it off her next bill"}, refund="BA-C-1-R2")
        sent = {"reference": "RFD-9", "day": "2026-03-16"}
        paid = sue.sends(given_up, f"{HELD}/paid", sent, refund="BA-C-1-R2")

    assert "Done: refund asked for" in asked.text
    assert stale.status == 412
    assert (much.status, "can be paid back, not more" in much.alerts[0]) == (409, True)
    assert much.form(f"{HELD}/refund")["amount"] == "9000.00"
    assert "outcome unknown" in unknown.text
    assert "Its fallout" in refused.text
    assert "Give it up" not in refused.buttons()
    assert "Done: refund given up" in given_up.text
    assert ("Done: recorded as paid" in paid.text, "paid after all" in paid.text, f"{HELD}/paid" in str(paid.root)) == (True, True, False)
    assert f"/console/fallouts/{fallout['fallout']}" in links(refused)


def test_a_second_person_approves_a_refund_and_never_the_first(site: Console, world: World) -> None:
    """Over the market's limit it waits; whoever asked sees no button, and an agent has none."""
    world.scripted.will("refund", Answered({"reference": "RFD-2"}))
    with site.by("ann", "supervisor") as ann, site.by("sue", "supervisor") as sue, site.by("bob", "agent") as bob:
        waits = ann.sends(ann.opens(HELD), f"{HELD}/refund", {"amount": "110.00"})
        agents, others = bob.opens(HELD), sue.opens(HELD)
        done = sue.sends(others, f"{HELD}/approve")

    assert "waits for a second person" in waits.text
    assert "You asked for it" in waits.text
    assert "Approve it" not in waits.buttons() | agents.buttons()
    assert "Done: refund approved" in done.text
    assert "approved by sue" in done.text
    assert next(row for row in show_balance(world.app, "BA-C-1"))["owed_minor"] >= 11_000


def test_what_an_account_holds_leads_to_where_it_came_from(site: Console) -> None:
    """Credits by the invoice that was paid too high, the oldest first; deposits by their order; debts with their due days."""
    with site.by("ann", "agent") as ann:
        credit, deposit, debt = (ann.opens(path) for path in (HELD, "/console/holdings/BA-C-2", f"/console/holdings/BA-{DEBTOR}"))
        from_account = ann.opens("/console/accounts/BA-C-1")
        none = ann.opens("/console/holdings/BA-NOBODY")

    assert "credit for bills" in credit.text
    assert "deposit kept" in deposit.text
    assert "40.00 GBP" in deposit.text
    assert "owed by the customer" in debt.text
    assert HELD in links(from_account)
    assert (none.status, len(none.alerts)) == (404, 1)


def test_a_top_up_is_recorded_once_and_shown_until_it_expires(site: Console, world: World) -> None:
    """With what sessions hold; an amount or a number of days that is none is told over what was written."""
    reserve(world.app, Context("pcf"), f"BA-{USER}", session="pcf-9", kind="sms", quantity=10)
    with site.by("ann", "agent") as ann:
        page = ann.opens(USES)
        odd = ann.sends(page, f"{USES}/top-up", {"amount": "5.00", "reference": "PAY-9", "days": "many"})
        done = ann.sends(odd, f"{USES}/top-up", {"days": "0"})
        again = ann.sends(odd, f"{USES}/top-up", {"days": "0"})

    assert "pcf-9" in page.text
    assert "10 message" in page.text
    assert (odd.status, odd.form(f"{USES}/top-up")["reference"]) == (422, "PAY-9")
    assert "Done: topped up" in done.text
    assert again.status == 200
    assert [one["reference"] for one in show_prepaid(world.app, f"BA-{USER}")["top_ups"]].count("PAY-9") == 1


def test_an_agreement_is_shown_with_what_settles_it_on_a_day_and_settled(site: Console, world: World) -> None:
    """Of a day to come it is less; once it is settled there is no button any more. An auditor has none."""
    with site.by("ann", "agent") as ann, site.by("otto", "auditor") as otto:
        today, later = ann.opens(HELD), ann.opens(f"{HELD}?on=2026-12-31")
        buttons = otto.opens(HELD).buttons()
        odd = ann.opens(f"{HELD}?on=tomorrow")
        done = ann.sends(today, f"{HELD}/settle")

    assert "599.00 GBP in 24" in today.text
    assert "Settles it on 31 Dec 2026" in later.text
    assert "Bill all that is left" in today.buttons() - buttons - done.buttons()
    assert (odd.status, len(odd.alerts)) == (422, 1)
    assert "Done: billed at once" in done.text
    [agreement] = show_instalments(world.app, "BA-C-1")
    assert agreement["state"] == "settled"


def test_vouchers_are_issued_and_a_campaign_tells_who_holds_its_codes(site: Console) -> None:
    """By a supervisor alone; what cannot be is told over what was written; a code leads to its campaign, which ends as 1 July begins in London."""
    with site.by("sue", "supervisor") as sue, site.by("ann", "agent") as ann:
        page = sue.opens("/console/vouchers")
        both = {"campaign": "JUNE", "percent": "10", "amount": "5.00", "of": "recurring", "combines": "exclusive", "budget": "50.00"}
        odd = sue.sends(page, "/console/vouchers", both)
        done = sue.sends(
            odd, "/console/vouchers", {**both, "amount": "", "months": "3", "codes": "JUNE-A JUNE-B", "valid_to": "2026-07-01"}
        )
        by_code, none = ann.opens("/console/vouchers/JUNE-A"), ann.opens("/console/vouchers/MOON")
        agents = ann.opens("/console/vouchers")

    assert (odd.status, odd.form("/console/vouchers")["campaign"]) == (422, "JUNE")
    assert "Done: issued" in done.text
    assert [said for said in ("JUNE-B", "50.00 GBP", "30 Jun 2026 23:00", "exclusive") if said not in by_code.text] == []
    assert none.status == 404
    assert "Issue them" not in agents.buttons()
    assert "80.00 GBP" not in agents.text


def test_a_range_of_numbers_is_taken_into_use_and_closed(site: Console) -> None:
    """By a supervisor alone, for credit notes here; what is no range is told over what was written, and an agent sees what is left of each."""
    path = "/console/number-ranges"
    wanted = {
        "papers": "credit-notes",
        "market": "NL",
        "prefix": "CN-",
        "first": "1",
        "last": "200",
        "approval": "DEC-9",
        "valid_from": "2026-01-01",
    }
    with site.by("sue", "supervisor") as sue, site.by("ann", "agent") as ann:
        page = sue.opens(path)
        odd = sue.sends(page, path, {**wanted, "first": "three"})
        none = sue.sends(page, path, {**wanted, "prefix": "CN-2"})
        done = sue.sends(none, path, wanted)
        agents = ann.opens(path)
        closed = sue.sends(done, f"{path}/close", range="CN-001")

    assert (odd.status, len(odd.alerts), odd.form(path)["approval"]) == (422, 1, "DEC-9")
    assert (none.status, "ends in no digit" in none.alerts[0]) == (422, True)
    assert "Done: in use" in done.text
    assert [said for said in ("CN-001", "CN-200", "credit notes of NL1", "200", "DEC-9") if said not in agents.text] == []
    assert {"Close it", "Take it into use"} & agents.buttons() == set()
    assert "Done: closed" in closed.text


def test_stock_is_counted_and_a_device_found_without_its_number_in_the_address(site: Console, world: World) -> None:
    """By kind; a device by a form, and from its customer's page; it is blocked there, once."""
    with site.by("ann", "agent") as ann, site.by("pam", "privacy-officer") as pam, site.by("sue", "supervisor") as sue:
        every, devices = ann.opens("/console/stock"), ann.opens("/console/stock?kind=device")
        odd = ann.sends(devices, "/console/devices", {"imei": "12"})
        found = ann.sends(devices, "/console/devices", {"imei": imei(2)})
        blocked = ann.sends(found, "/console/devices/block", {"cause": "stolen"})
        of_customer = ann.sends(ann.opens("/console/customers/C-1"), "/console/devices")
        theirs = pam.sends(pam.opens("/console/stock"), "/console/devices", {"imei": imei(2)})
        seen = sue.sends(sue.opens("/console/stock"), "/console/devices", {"imei": imei(2)})
        freed = sue.sends(seen, "/console/devices/unblock", {"reason": "found"})

    assert "SIMs" in every.text
    assert SKU in devices.text
    assert (odd.status, len(odd.alerts)) == (422, 1)
    assert imei(2) in found.text
    assert imei(2) not in str(found.answer.url)
    assert "Done: blocked" in blocked.text
    assert "Block it" not in blocked.buttons() | theirs.buttons()
    assert "Unblock it" in seen.buttons()
    assert "Unblock it" not in blocked.buttons() | theirs.buttons() | freed.buttons()
    assert "Done: unblocked" in freed.text
    assert "With order" in of_customer.text


def test_usage_that_nobody_was_charged_for_is_shown(site: Console) -> None:
    """What is missing in a sequence and what waits; numbers are masked; a source that is none has nothing missing."""
    with site.by("ann", "agent") as ann:
        page, none = ann.opens("/console/usage"), ann.opens("/console/usage?source=moon")

    assert "1 record" in page.text
    assert "1 of 1 shown" in page.text
    assert "no such number since" in page.text
    assert "+447700900999" not in page.text
    assert "No number is missing of this source." in none.text


def links(page: Seen) -> set[str]:
    """Where a page leads."""
    return {node.attributes.get("href", "") for node in page.root.all("a")}
