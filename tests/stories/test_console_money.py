"""Money in the console: an invoice with its papers and credit notes, an account, who owes, the books, what leaks, the price list; who may not, does not."""

import csv
import io
import json

import pytest

from o2c.kernel.partner import RefusedBy
from o2c.views.invoice_papers import show_paper
from o2c.views.ledger import list_closings
from tests.console import Console, console_of_world, rich_world
from tests.metered import MONTHLY, load, offering, record
from tests.rich import DEBTOR, USER
from tests.world import World, at

OWES, USES = f"BA-{DEBTOR}", f"BA-{USER}"
FIRST, SECOND, LAST = (f"{OWES}-2026{month}08" for month in ("01", "02", "03"))


world = rich_world()
"""A store in which a debt is collected, notes were issued, a line is used and days are closed; each test does something else in it."""
site = console_of_world


PAGES = {
    "invoice": f"/console/invoices/{FIRST}",
    "account": f"/console/accounts/{OWES}",
    "collections": "/console/collections",
    "ledger": "/console/ledger",
    "assurance": "/console/assurance?look=1",
    "catalogue": "/console/catalogue",
    "versions": "/console/catalogue/diff?a=1",
}
OPENED_BY = {
    "agent": {"invoice", "account", "collections", "catalogue", "versions"},
    "supervisor": set(PAGES),
    "analyst": set(PAGES),
    "auditor": set(PAGES),
    "privacy-officer": {"invoice", "account", "catalogue", "versions"},
    "admin": {"catalogue", "versions"},
    "service": {"catalogue", "versions"},
}


@pytest.mark.parametrize("role", OPENED_BY)
def test_a_page_of_money_opens_for_whom_the_table_allows_it(site: Console, role: str) -> None:
    """The others are told so in one line, and every page is one to everybody who sees it."""
    with site.by("kim", role) as kim:
        seen = {name: kim.opens(path) for name, path in PAGES.items()}

    opened = {name for name, page in seen.items() if page.status == 200}
    assert opened == OPENED_BY[role]
    # A service's own invoice is its own, and another's is not there.
    assert {page.status for name, page in seen.items() if name not in opened} <= {403, 404}
    assert all(len(seen[name].alerts) == (name not in opened) for name in PAGES)


def test_an_invoice_says_what_it_is_over_and_what_became_of_it(site: Console) -> None:
    """Supplier, lines, sums, the note that was issued; the customer's name only where it is asked for."""
    with site.by("ann", "agent") as ann:
        page = ann.opens(f"/console/invoices/{FIRST}")
        whole = ann.sends(page, f"/console/invoices/{FIRST}/personal", {"why": "rang"})

    assert [said for said in ("Tax 20 %", "Supplier", "Particulars", "What came in") if said not in page.text] == []
    assert "1.20 GBP" in page.text  # the note of a pound with its tax
    assert "goodwill" in page.text
    assert "a bad week" not in page.text
    assert "a bad week" in whole.text


@pytest.mark.parametrize(("paper", "begins"), [("pdf", b"%PDF-"), ("html", b"<!doctype html>"), ("ubl", b"<?xml")])
def test_papers_are_saved_and_never_shown_in_our_frame(site: Console, paper: str, begins: bytes) -> None:
    """With the name where somebody says so, and then on record; without by a plain link."""
    with site.by("ann", "agent") as ann:
        plain = ann.opens(f"/console/invoices/{FIRST}/papers/{paper}")
        form = ann.opens(f"/console/invoices/{FIRST}").form(f"/console/invoices/{FIRST}/papers")
        whole = ann.client.post(f"/console/invoices/{FIRST}/papers", data={**form, "paper": paper, "why": "sent again"})

    for answer in (plain.answer, whole):
        assert answer.status_code == 200
        assert answer.content.startswith(begins)
        assert answer.headers["content-disposition"].startswith("attachment; ")
    assert len(whole.content) != len(plain.answer.content)


def test_a_credit_note_is_seen_before_it_is_issued(site: Console, world: World) -> None:
    """The preview says net, tax and what it lowers, and writes nothing; sent on, it is that note; the old page is then refused."""
    path = f"/console/invoices/{SECOND}"
    with site.by("ann", "agent") as ann:
        page = ann.opens(path)
        before = world.app.reads.last_position()
        foreseen = ann.sends(page, f"{path}/credit-note/preview", {"reason": "goodwill", "line.1": "1.00", "comment": "a bad line"})
        assert world.app.reads.last_position() == before
        issued = ann.sends(foreseen, f"{path}/credit-note")
        stale = ann.sends(foreseen, f"{path}/credit-note", {"wish": "another wish"})

    assert "A credit note over 1.20 GBP: 1.00 GBP net and 0.20 GBP tax" in foreseen.text
    assert "Done: credit note" in issued.text
    assert stale.status == 412
    [note] = show_paper(world.app, SECOND, personal=True)["notes"]
    assert (note["total_minor"], note["author"], note["comment"]) == (120, "ann", "a bad line")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"line.1": "1,50"}, "write the amount as 23.99"),
        ({"line.1": "900.00"}, "is left to credit of line 1"),
    ],
)
def test_a_note_that_cannot_be_is_told_over_what_was_written(site: Console, fields: dict[str, str], told: str) -> None:
    """The page again, with the line of the desk and the person's own words."""
    path = f"/console/invoices/{FIRST}"
    with site.by("ann", "agent") as ann:
        page = ann.sends(ann.opens(path), f"{path}/credit-note/preview", {"reason": "price", "comment": "my words", **fields})

    assert page.status in (409, 422)
    assert told in page.alerts[0]
    assert "my words" in page.text
    assert page.form(f"{path}/credit-note/preview")["line.1"] == fields["line.1"]


def test_a_second_person_approves_and_never_the_first(site: Console, world: World) -> None:
    """Whoever asked for the note sees no button; a supervisor who did not, does, and the note is issued."""
    path = f"/console/invoices/{LAST}"
    with site.by("ann", "supervisor") as ann, site.by("sue", "supervisor") as sue, site.by("bob", "agent") as bob:
        own, others, agents = (who.opens(path) for who in (ann, sue, bob))
        done = sue.sends(others, f"{path}/approve")

    assert "You asked for it" in own.text
    assert "Approve it" not in own.buttons() | agents.buttons()
    assert "Done: approved" in done.text
    [note] = show_paper(world.app, LAST)["notes"]
    assert (note["author"], note["approved_by"]) == ("ann", "sue")


def test_an_account_tells_its_debt_and_what_holds_it(site: Console) -> None:
    """Stage, notices with their days, holds, the promise and the dispute."""
    with site.by("ann", "agent") as ann:
        page = ann.opens(f"/console/accounts/{OWES}")

    assert [
        said for said in ("vulnerable until", "promise made", "dispute opened", "warned", "final notice") if said not in page.text
    ] == []
    assert "says it is not hers" not in page.text


@pytest.mark.parametrize(
    ("deed", "values", "said"),
    [
        ("release", {"kind": "vulnerable", "note": "not any more"}, "released"),
        ("hold", {"kind": "key-account", "until": "2026-04-01"}, "held"),
        ("settle", {"invoice": SECOND, "outcome": "operator", "note": "hers"}, "dispute settled"),
        ("dispute", {"invoice": SECOND, "amount": "1.00"}, "dispute opened"),
    ],
)
def test_a_supervisor_acts_on_an_account(site: Console, deed: str, values: dict[str, str], said: str) -> None:
    """Each form does what it says, and the page says so."""
    path = f"/console/accounts/{OWES}"
    with site.by("sue", "supervisor") as sue:
        page = sue.sends(sue.opens(path), f"{path}/{deed}", values)

    assert f"Done: {said}" in page.text


@pytest.mark.parametrize(
    ("account", "deed", "values", "told"),
    [
        (OWES, "promise", {"amount": "5.00", "by": "2026-03-25"}, "a promise for 2026-03-20 stands"),
        (OWES, "promise", {"amount": "much", "by": "2026-03-20"}, "write the amount as 23.99"),
        (OWES, "plan", {"parts": "2026-03-20"}, "a plan has a line for each part"),
        (OWES, "plan", {"parts": "2026-03-20 5.00\n2026-04-20 5.00"}, "is in dispute; settle that first"),
        (OWES, "hold", {"kind": "dispute", "until": "the 5th"}, "is no day"),
        (USES, "limit", {"amount": "-1", "kind": "bill"}, "not below zero"),
    ],
)
def test_what_an_account_refuses_is_told_on_its_page(site: Console, account: str, deed: str, values: dict[str, str], told: str) -> None:
    """One line, and the forms again."""
    path = f"/console/accounts/{account}"
    with site.by("ann", "agent") as ann:
        page = ann.sends(ann.opens(path), f"{path}/{deed}", values)

    assert page.status in (409, 422)
    assert len(page.alerts) == 1
    assert told in page.alerts[0]


def test_a_limit_is_shown_set_and_gone_beyond(site: Console, world: World) -> None:
    """What is left, what was told, that the customer agreed; then another limit."""
    path = f"/console/accounts/{USES}"
    load(world, record("call-9", str(world.outcome("METERED", "1", "number")["msisdn"]), start="2026-03-15T10:00:00Z", quantity=1200))
    with site.by("ann", "agent") as ann:
        page = ann.opens(path)
        agreed = ann.sends(page, f"{path}/agree")
        limited = ann.sends(agreed, f"{path}/limit", {"amount": "20.00", "kind": "bill"})

    assert "Limit of the bill: 1.00 GBP" in page.text
    assert "of 50 message left" in page.text
    assert "1200 second" in page.text
    assert "Agreed to go on." in agreed.text
    assert "Limit of the bill: 20.00 GBP" in limited.text


def test_who_owes_is_filtered_in_the_address(site: Console) -> None:
    """By stage, bar, hold and account; what nobody is in is an empty list with the way out."""
    with site.by("ann", "agent") as ann:
        every = ann.opens("/console/collections")
        one = ann.opens(f"/console/collections?account={OWES}")
        none = ann.opens("/console/collections?bar=ended&stage=agency")
        odd = ann.opens("/console/collections?bar=sideways")

    assert OWES in every.text
    assert "1 of 1 shown" in one.text
    assert "Take a filter away" in none.text
    assert odd.status == 422


def test_the_books_are_shown_saved_and_closed(site: Console, world: World) -> None:
    """They balance at any day; every posting is a line of a file; a day is closed once somebody is sure, and no formula hides in the file."""
    with site.by("sue", "supervisor") as sue, site.by("otto", "auditor") as otto:
        now, then = otto.opens("/console/ledger"), otto.opens("/console/ledger?on=2026-02-01")
        odd = otto.opens("/console/ledger?on=february")
        saved = otto.client.get("/console/ledger/export.csv?since=2026-01-01&on=2026-01-31")
        unsure = sue.sends(sue.opens("/console/ledger"), "/console/ledger/close", {"day": "2026-01-20"})
        closed = sue.sends(unsure, "/console/ledger/close", {"day": "2026-01-20", "sure": "1"})
        denied = otto.opens("/console/ledger").buttons()

    assert "balances" in now.text
    assert now.root.all("strong", class_="bar wrong") == []
    assert "01 Feb 2026" in then.text
    assert (odd.status, len(odd.alerts)) == (422, 1)
    rows = list(csv.DictReader(io.StringIO(saved.text)))
    assert rows
    assert "attachment" in saved.headers["content-disposition"]
    assert sum(round(float(row["debit"] or 0) * 100) - round(float(row["credit"] or 0) * 100) for row in rows) == 0
    assert (unsure.status, len(unsure.alerts)) == (422, 1)
    assert "Done: closed" in closed.text
    assert list_closings(world.app, limit=1)[0]["closed_on"] == "2026-01-20"
    assert "Close it" not in denied


def test_assurance_looks_when_somebody_asks(site: Console) -> None:
    """Until then it shows the rules; a rule that is none is told."""
    with site.by("sue", "supervisor") as sue:
        before, after = sue.opens("/console/assurance"), sue.opens("/console/assurance?look=1")
        odd = sue.opens("/console/assurance?look=1&rule=moon")

    assert "Nobody looked yet." in before.text
    assert "Nobody looked yet." not in after.text
    assert odd.status == 404


def test_a_price_list_is_tried_and_versions_are_compared(site: Console) -> None:
    """A dearer list says what orders would have cost; the last version is compared with the one before; nothing is loaded."""
    dearer = {**MONTHLY, "price": {"dutyFreeAmount": {"unit": "GBP", "value": "12.00"}}}
    text = json.dumps([offering(dearer, version="3.0")])
    with site.by("sue", "supervisor") as sue:
        page = sue.opens("/console/catalogue")
        tried = sue.sends(page, "/console/catalogue/dry-run", {"offerings": text, "since": "2026-01-01"})
        odd = sue.sends(page, "/console/catalogue/dry-run", {"offerings": "[1]"})
        versions = sue.opens("/console/catalogue/diff?a=0")

    assert "1 offerings changed, tried on" in tried.text
    assert "priced otherwise" in tried.text
    assert (odd.status, len(odd.alerts)) == (422, 1)
    assert "metered-line" in versions.text


def test_a_rise_is_announced_after_the_notice(site: Console) -> None:
    """Too early is told over what was written; then it is announced, by a supervisor alone."""
    with site.by("sue", "supervisor") as sue, site.by("ann", "agent") as ann:
        form = {"offering": "metered-line", "amount": "1.50"}
        early = sue.sends(sue.opens("/console/catalogue"), "/console/catalogue/rise", {**form, "from": "2026-03-20"})
        done = sue.sends(early, "/console/catalogue/rise", {**form, "from": "2026-06-01"})
        buttons = ann.opens("/console/catalogue").buttons()

    assert early.status in (409, 422)
    assert early.form("/console/catalogue/rise")["amount"] == "1.50"
    assert "Done: announced" in done.text
    assert {"Announce it", "Try it"} & buttons == set()


def test_an_invoice_that_was_not_paid_is_declared_void(site: Console, world: World) -> None:
    """It keeps its number; an agent has no such form."""
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 100)
    world.run(at(9, month=4))
    name = f"{USES}-20260408"
    path = f"/console/invoices/{name}"
    with site.by("sue", "supervisor") as sue, site.by("ann", "agent") as ann:
        buttons = ann.opens(path).buttons()
        page = sue.sends(sue.opens(path), f"{path}/void", {"reason": "billed-in-error"})

    assert "Declare it void" not in buttons
    assert "Done: void" in page.text
    assert show_paper(world.app, name)["state"] == "void"


def test_customer_and_order_lead_to_their_money(site: Console) -> None:
    """The customer's page has his accounts and invoices as links."""
    with site.by("ann", "agent") as ann:
        links = {node.attributes.get("href") for node in ann.opens(f"/console/customers/{DEBTOR}").root.all("a")}

    assert {f"/console/accounts/{OWES}", f"/console/invoices/{FIRST}"} <= links
