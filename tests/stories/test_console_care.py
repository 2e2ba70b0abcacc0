"""Customers at the console: what they tried, what they complain of, what they were promised and told, what they give back, and what is done when something happens."""

from typing import Any

import pytest

from o2c.views.accounts import show_tree
from o2c.views.complaints import list_complaints, show_complaint
from o2c.views.journeys import list_journeys
from o2c.views.messages import list_messages
from o2c.views.products import list_products
from o2c.views.promised import list_promises
from o2c.views.reading import caught_up
from o2c.views.told import told_to_customer
from o2c.views.triggers import dry_run_triggers, list_firings, list_triggers
from o2c.views.withdrawals import list_withdrawals
from tests.at_hand import TRIGGERS
from tests.console import Console, Seen, console_of_world, rich_world
from tests.rich import USER
from tests.world import World

CUSTOMER = "/console/customers/C-1"
PAGES = ("/console/journeys", "/console/complaints", "/console/messages", "/console/returns", "/console/triggers", f"{CUSTOMER}/accounts")
READERS = {"agent", "supervisor", "analyst", "auditor", "privacy-officer"}
OPENED_BY = {**dict.fromkeys(PAGES, READERS), "/console/journeys": READERS | {"service"}}


world = rich_world()
"""A store with a journey that failed, a complaint, messages, triggers that fired and a placed account; each test does something else in it."""
site = console_of_world


def links(page: Seen) -> set[str]:
    """Where the main part of a page leads."""
    return {str(node.attributes.get("href")) for main in page.root.all("main") for node in main.all("a")}


@pytest.mark.parametrize("role", ["service", "agent", "supervisor", "analyst", "auditor", "privacy-officer", "admin"])
def test_pages_open_for_whom_the_table_allows_them(site: Console, role: str) -> None:
    """The others are refused; to a service a customer that is not its own is not there."""
    with site.by("kim", role) as kim:
        opened = {path: kim.opens(path).status for path in PAGES}
    wanted = {path: 200 if role in roles else 403 for path, roles in OPENED_BY.items()}
    assert opened == (wanted | {f"{CUSTOMER}/accounts": 404} if role == "service" else wanted)


def test_the_page_of_a_customer_says_what_was_promised_and_told(site: Console, world: World) -> None:
    """Every promise with what became of it, everything that he was told and in which channel, never ours, and links to journey, complaint and message."""
    with site.by("ann", "agent") as ann, site.by("ada", "analyst") as ada:
        page, masked = ann.opens(CUSTOMER), ada.opens(CUSTOMER)
    promises = list_promises(world.app, customer="C-1")
    [table] = [table for table in page.root.all("table") if "Became" in table.text]
    assert [row.text.split()[3] for row in table.all("tr")[1:]] == [row["state"] for row in reversed(promises)]
    [told] = page.root.all("details", id="told")
    rows = told_to_customer(world.app, "C-1")
    assert len(told.all("li")) == len(rows[-50:]) > 3
    assert {row["channel"] for row in rows if (row["type"], row["audience"]) == ("invoice.issued", "customer")} == {"account"}
    assert "engine" not in {row["channel"] for row in rows}
    complaint = list_complaints(world.app, customer="C-1")[0]["complaint"]
    messages = {f"/console/messages/{row['message']}" for row in list_messages(world.app, customer="C-1")}
    assert f"/console/complaints/{complaint}" in links(page)
    assert messages
    assert messages <= {link.replace("%2F", "/") for link in links(page)}
    assert (masked.status, masked.alerts) == (200, [])


def test_promises_of_one_customer_are_those_of_all_that_are_his(world: World) -> None:
    """Read for him alone they say the same: who was told, by what medium, and what became of it."""
    every = list_promises(world.app)
    for customer in ("C-1", "C-2", "nobody"):
        of = {row["order"] for row in list_promises(world.app, customer=customer)}
        assert list_promises(world.app, customer=customer) == [row for row in every if row["order"] in of]


def test_a_journey_is_read_reached_and_ordered(site: Console, world: World) -> None:
    """What failed and how long somebody waited; what was keyed in after asking, on record; then the order without keying it in again."""
    [row] = list_journeys(world.app)
    path = f"/console/journeys/{row['journey']}"
    with site.by("ann", "agent") as ann:
        assert path in links(ann.opens("/console/journeys"))
        page = ann.opens(path)
        named = ann.sends(page, f"{path}/personal", {"why": "he rang"})
        reached = ann.sends(page, f"{path}/reach", {"medium": "call", "outcome": "reached", "voucher": "SORRY-A1"})
        short = ann.sends(reached, f"{path}/order", {"channel": "store", "fields": "/relatedParty/0/id"})
        fields = "/relatedParty/0/id C-1\n/relatedParty/0/role customer"
        ordered = ann.sends(short, f"{path}/order", {"channel": "store", "fields": fields})
        caught_up(world.app)
        order = ann.opens(ordered.answer.url.path)
        keyed = ann.opens(f"{ordered.answer.url.path}/fields")

    assert "HTTP-504" in page.text
    assert "94 s" in page.text
    assert "tamsel@example.org" not in page.answer.text
    assert "tamsel@example.org" in named.text
    assert "SORRY-A1" in reached.text
    assert (short.status, len(short.alerts)) == (422, 1)
    assert "/relatedParty/0/id" in short.root.all("textarea", name="fields")[0].text
    after = list_journeys(world.app, journeys=[row["journey"]])[0]
    assert (after["state"], ordered.answer.url.path) == ("recovered", f"/console/orders/{after['order']}")
    assert path in links(order)
    assert "web web-shop" in keyed.text


def test_a_complaint_is_raised_answered_and_resolved(site: Console, world: World) -> None:
    """On the customer's page, in one channel; answered in another with a remedy; what was said is shown on asking."""
    with site.by("ann", "agent") as ann:
        told = {"topic": "bill", "channel": "call", "order": "", "note": "charged twice, she says"}
        raised = ann.sends(ann.opens(CUSTOMER), f"{CUSTOMER}/complaint", told)
        [row] = [row for row in list_complaints(world.app, customer="C-1") if row["topic"] == "bill"]
        path = f"/console/complaints/{row['complaint']}"
        page = ann.opens(path)
        said = ann.sends(page, f"{path}/personal", {"why": "she is here"})
        answered = ann.sends(page, f"{path}/answer", {"channel": "store", "remedy": "credit", "note": "5 off"})
        both = ann.sends(answered, f"{path}/escalate", {"team": "care", "deadlock": "yes"})
        moved = ann.sends(answered, f"{path}/escalate", {"team": "care-management"})
        done = ann.sends(moved, f"{path}/resolve", {"channel": "store", "remedy": "credit"})
        listed = ann.opens("/console/complaints"), ann.opens("/console/complaints?state=any")

    assert "Done: complaint taken down" in raised.text
    assert "charged twice" not in page.text
    assert "charged twice" in said.text
    assert "The customer may take it to the body outside from" in page.text
    assert (both.status, len(both.alerts)) == (422, 1)
    assert "care-management" in moved.text
    [row] = list_complaints(world.app, complaints=[row["complaint"]])
    assert (row["state"], row["remedy"], row["answers"], row["channels"], row["team"]) == (
        "resolved",
        "credit",
        1,
        ["call", "store"],
        "care-management",
    )
    assert "It is resolved" not in {node.text for node in done.root.all("summary")}
    assert [path in links(page) for page in listed] == [False, True]


def test_an_answer_gives_money_once(site: Console, world: World) -> None:
    """Where the answer ends the complaint, and an answer alone gives nothing; what was refused is corrected on the page, with one answer taken down."""
    with site.by("ann", "agent") as ann:
        ann.sends(ann.opens(CUSTOMER), f"{CUSTOMER}/complaint", {"topic": "service", "channel": "web", "order": "", "note": ""})
        [row] = [row for row in list_complaints(world.app, customer="C-1") if row["topic"] == "service"]
        path = f"/console/complaints/{row['complaint']}"
        told = {"channel": "store", "remedy": "credit", "note": "sorry", "account": "BA-C-1", "amount": "4.00"}
        alone = ann.sends(ann.opens(path), f"{path}/answer", told)
        answers = list_complaints(world.app, complaints=[row["complaint"]])[0]["answers"]
        much = ann.sends(alone, f"{path}/answer", {**told, "amount": "4000.00", "resolved": "yes"})
        done = ann.sends(much, f"{path}/answer", {**told, "resolved": "yes"})

    assert (alone.status, answers, much.status) == (422, 0, 409)
    assert "more than the" in much.text
    assert "Done: answered" in done.text
    [row] = list_complaints(world.app, complaints=[row["complaint"]])
    assert (row["state"], row["answers"]) == ("resolved", 1)
    [*_, step] = show_complaint(world.app, row["complaint"])["steps"]
    assert (step["account"], step["amount_minor"]) == ("BA-C-1", 400)


def test_a_message_is_read_and_sent_again(site: Console, world: World) -> None:
    """Its words after asking; sent again by another medium it is due; that it came back stands in its course."""
    row = next(row for row in list_messages(world.app, customer="C-1", state="sent") if row["medium"] == "email")
    with site.by("ann", "agent") as ann:
        path = next(link for link in links(ann.opens("/console/messages?limit=500")) if link.endswith(row["message"].replace("/", "%2F")))
        page = ann.opens(path)
        action = f"/console/messages/{row['message']}"
        words = Seen(ann.client.post(f"{path}/personal", data=page.form(f"{path}/personal")))
        back = Seen(ann.client.post(f"{path}/bounced", data={**page.form(f"{path}/bounced"), "code": "5.1.1"}))
        again = Seen(ann.client.post(f"{path}/resend", data={**page.form(f"{path}/resend"), "medium": "letter"}))

    assert "tamsel@example.org" not in page.answer.text
    assert "tamsel@example.org" in words.text
    assert "bounced" in back.text
    assert action
    assert again.status in (200, 409)
    course = world.types(f"message-{row['message']}")
    assert "message.bounced" in course


def test_an_account_gets_its_place(site: Console, world: World) -> None:
    """Below the entity that is there, paid by it; whom to ask for is shown on asking; what cannot stand there is told over what was written."""
    path = f"{CUSTOMER}/accounts"
    with site.by("ann", "agent") as ann:
        page = ann.opens(path)
        wrong = ann.sends(page, path, {"account": "SITE-1", "level": "site", "parent": "NOWHERE", "pays": "parent"})
        placed = ann.sends(
            page, path, {"account": "SITE-1", "level": "site", "parent": "GROUP-1", "pays": "parent", "contact": "Dana Field"}
        )
        named = ann.sends(placed, f"{path}/personal", {"why": "a visit"})
        none = ann.opens("/console/customers/C-2/accounts")

    assert len(wrong.alerts) == 1
    assert "Done: placed" in placed.text
    assert "Dana Field" not in placed.text
    assert "Dana Field" in named.text
    assert {row["account"]: row["payer"] for row in show_tree(world.app, "C-1")} == {"GROUP-1": "GROUP-1", "SITE-1": "GROUP-1"}
    assert "No account has a place" in none.text


def test_a_trigger_is_tried_put_in_force_and_retired(site: Console, world: World) -> None:
    """Tried on what happened it says what a dry run says and writes nothing; an agent has no form; what is in force can be retired."""
    definitions = TRIGGERS.replace("slow-ports", "slow-codes").replace("asked", "rang")
    with site.by("sue", "supervisor") as sue, site.by("ann", "agent") as ann:
        page = sue.opens("/console/triggers")
        before = world.app.reads.last_position()
        tried = sue.sends(page, "/console/triggers/preview", {"since": "2026-01-01", "definitions": definitions})
        wrong = sue.sends(page, "/console/triggers/preview", {"definitions": "[triggers.x]\non = 'no.such'"})
        assert world.app.reads.last_position() == before
        forced = sue.sends(tried, "/console/triggers")
        one = sue.opens("/console/triggers/rang")
        again = sue.sends(one, "/console/triggers/rang/preview", {"since": "2026-01-01"})
        gone = sue.sends(one, "/console/triggers/rang/retire")
        plain = ann.opens("/console/triggers")

    for row in dry_run_triggers(world.app, TRIGGERS, since=None):
        assert row["trigger"] in ("slow-ports", "asked")
    counted: dict[str, Any] = {
        card.all("h3")[0].text.partition(":")[0]: card.all("h3")[0].text for card in tried.root.all("div", class_="card")
    }
    assert set(counted) == {"slow-codes", "rang"}
    assert counted["rang"] == "rang: 1 event"
    assert len(wrong.alerts) == 1
    assert "Done: in force" in forced.text
    assert "rang: 1 event" in again.text
    assert "Done: retired" in gone.text
    assert {row["trigger"]: row["retired"] for row in list_triggers(world.app, retired=True)}["rang"]
    assert "Try" not in plain.buttons()
    assert len(page.root.all("table", id="rows")[0].all("tr")) - 1 == len(list_firings(world.app))


def test_a_withdrawal_stands_in_the_list_of_returns(site: Console, world: World) -> None:
    """From the product's page to the list, and back by its link; a filter that fits nothing says how to go on."""
    product = list_products(world.app, customers=(USER,))[-1]["product"]
    path = f"/console/products/{product.replace(':', '%3A')}"
    with site.by("ann", "agent") as ann:
        page = ann.opens(path)
        ann.client.post(f"{path}/withdraw", data=page.form(f"{path}/withdraw"))
        listed, other = ann.opens("/console/returns"), ann.opens("/console/returns?customer=nobody")

    assert [row["product"] for row in list_withdrawals(world.app)] == [product]
    assert path in links(listed)
    assert "Nobody withdrew so." in other.text


def test_an_owner_agrees_to_give_a_product_away_and_keeps_it(site: Console, world: World) -> None:
    """The new owner has to be known; a number is locked and unlocked by its customer's word."""
    product = next(row for row in list_products(world.app, customers=("C-71",)) if row["msisdn"])["product"]
    path = f"/console/products/{product.replace(':', '%3A')}"
    with site.by("ann", "agent") as ann:
        page = ann.opens(path)
        form = page.form(f"{path}/transfer")
        unknown = Seen(ann.client.post(f"{path}/transfer", data={**form, "to": "C-404", "commitment": "taken-over"}))
        agreed = Seen(ann.client.post(f"{path}/transfer", data={**form, "to": "C-2", "commitment": "taken-over"}))
        kept = Seen(ann.client.post(f"{path}/transfer", data=agreed.form(f"{path}/transfer", keeps="yes")))
        locked = Seen(ann.client.post(f"{path}/lock", data={**kept.form(f"{path}/lock"), "lift": ""}))

    assert len(unknown.alerts) == 1
    assert "Done: agreed" in agreed.text
    assert "Done: he keeps it" in kept.text
    assert "Done: locked" in locked.text
    happened = world.types(f"product-{product}")
    assert [name.partition(".")[2] for name in happened][-3:] == [name.partition(".")[2] for name in happened[-3:]]
    assert len(happened) >= 3
