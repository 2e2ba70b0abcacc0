"""Invoices that something is taken off, and their papers: by people at the desk, and by themselves when a billed service ends."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Fail
from o2c.engine.app import Context
from o2c.entrypoints.verbs_and_views import named
from o2c.files import loading
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.simulation.launch_data import catalogue
from o2c.views.ledger import trial_balance
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from projections.invoices import LISTED_OF_CUSTOMER
from tests.agreeing import disagreements
from tests.desk import Desk
from tests.histories import Told, append
from tests.world import World, at, line, order, ported

INVOICE = "BA-C-1-20260108"


def sound(world: World) -> None:
    """No check finds a flaw, and the books agree with the projections."""
    caught_up(world.app)
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    told = trial_balance(world.app)
    assert told["balanced"]
    assert [row for row in told["compared"] if row["difference_minor"]] == []


def row_of(world: World) -> dict[str, Any]:
    caught_up(world.app)
    [row, *_] = world.app.reads.rows(LISTED_OF_CUSTOMER, "C-1")
    return dict(row)


@pytest.fixture
def billed(world: World) -> World:
    """A line of C-1, billed on 8 January, whose card is declined."""
    world.stocked()
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 3)
    world.take(order("WEB-1", line()))
    return world.run(at(10))


def test_a_failed_line_is_credited_for_the_days_it_was_not_served(world: World, desk: Desk) -> None:
    """Active on the 5th, billed on the 8th to 8 February, failed on the 20th: the 19 of 31 days from then on are credited, and the bill is paid by
    card meanwhile, so the credit is the account's. The oracle, which imports nothing of the engine, says the same to the penny."""
    world.stocked()
    world.scripted.will("cutover", RefusedBy("REFUSED"))
    world.take(order("WEB-1", ported()))
    world.run(at(20, 10))
    paid = world.invoice(INVOICE).paid_minor
    assert paid == row_of(world)["total_minor"]
    world.resolve("NP-CUTFAIL", Fail())
    world.run(at(21))
    [note] = desk.sees("invoices", "show", INVOICE)["notes"]
    issued = world.invoice(INVOICE).issued
    assert issued is not None
    [advance] = [part for part in issued.lines if part.kind == "period"]
    kept = round(advance.net_minor * 12 / 31)
    assert (note["net_minor"], note["reason"], note["author"]) == (advance.net_minor - kept, "not-served", "engine")
    assert (note["legal_number"], note["of_open_minor"], note["credit_minor"]) == ("GB1-CRN-2026-000001", 0, note["total_minor"])
    assert desk.sees("customers", "show", "C-1")["money_held"][0]["credit_minor"] == note["total_minor"]
    told = [json.loads(json.dumps(event)) for event in order_timeline(world.app, "WEB-1")]
    assert disagreements(told) == []
    assert disagreements([event for event in told if event["type"] != "credit-note.issued"]) != [], (
        "without the note the customer paid too much"
    )
    sound(world)


def test_a_line_that_fails_before_it_is_billed_gets_no_note(world: World) -> None:
    """The control: nothing was billed of it, so nothing is credited and nothing is billed later."""
    world.stocked()
    world.scripted.will("cutover", RefusedBy("REFUSED"))
    world.take(order("WEB-1", ported()))
    world.run(at(7))
    world.resolve("NP-CUTFAIL", Fail())
    world.run(at(10, month=2))
    assert (
        world.app.reads.rows("SELECT FROM o2c.event WHERE type IN ('credit-note.issued', 'invoice.issued', 'account.days-not-served')")
        == []
    )


def test_a_person_credits_part_of_a_line(billed: World, desk: Desk) -> None:
    """5.00 net of a line: what is open is lower by 6.00, the list and the customer's page say so, and what is collected is the rest."""
    before = row_of(billed)["total_minor"]
    said = desk.types("credit-notes", "issue", INVOICE, "--line", "3=5.00", "--reason", "goodwill", "--comment", "two days away")
    assert "1 credit notes" in said
    shown = desk.sees("invoices", "show", INVOICE, "--personal")
    assert (shown["notes"][0]["total_minor"], shown["open_minor"], shown["notes"][0]["comment"]) == (600, before - 600, "two days away")
    assert (row_of(billed)["lowered_minor"], row_of(billed)["state"]) == (600, "issued")
    assert desk.sees("payments", "show", INVOICE)["open_minor"] == before - 600
    sound(billed)


@pytest.mark.parametrize(
    ("lines", "says"),
    [(("--line", "3=5.00", "--line", "3=6.00"), "line 3 is named twice"), (("--line", "3"), "line 3 has no amount")],
)
def test_a_line_is_credited_as_it_was_typed(billed: World, desk: Desk, lines: tuple[str, ...], says: str) -> None:
    """Of a line that is named twice, or without an amount, nothing is taken for granted: nothing is credited."""
    with pytest.raises(Refused, match=says):
        desk.types("credit-notes", "issue", INVOICE, *lines, "--reason", "goodwill")
    assert desk.sees("invoices", "show", INVOICE)["notes"] == []


def test_above_the_limit_somebody_else_approves(billed: World, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a limit of 10.00, ann's note over the whole waits; she may not approve it, bob may, and the invoice is settled."""
    market = billed.app.book.market("GB@2026-01")
    monkeypatch.setattr("o2c.invoicing.notes.approved_above_minor", lambda work: 1000)
    assert market.invoicing.note_approved_above_minor == 10_000
    said = desk.types("credit-notes", "issue", INVOICE, "--reason", "billed-in-error")
    assert f"o2c credit-notes approve {INVOICE} {INVOICE}-C1" in said.replace("\n", " ")
    with pytest.raises(Refused, match="somebody else has to approve it") as refused:
        desk.types("credit-notes", "approve", INVOICE, f"{INVOICE}-C1")
    assert refused.value.kind == "forbidden"
    desk.types("credit-notes", "approve", INVOICE, f"{INVOICE}-C1", "--actor", "bob")
    shown = desk.sees("invoices", "show", INVOICE)
    assert (shown["state"], shown["open_minor"], shown["waiting_notes"]) == ("paid", 0, [])
    assert (shown["notes"][0]["author"], shown["notes"][0]["approved_by"]) == ("ann", "bob")
    sound(billed)


def test_a_void_invoice_keeps_its_number(billed: World, desk: Desk) -> None:
    """It is found by its number, says that it is void on every paper, and the next invoice has the next number."""
    desk.types("invoices", "void", "GB1-INV-2026-000001", "--reason", "billed-in-error")
    shown = desk.sees("invoices", "show", "GB1-INV-2026-000001")
    assert (shown["invoice"], shown["state"], shown["open_minor"]) == (INVOICE, "void", 0)
    assert "(void)" in desk.types("invoices", "html", INVOICE)
    with pytest.raises(Refused, match="is void"):
        desk.types("credit-notes", "issue", INVOICE, "--reason", "goodwill")
    billed.run(at(9, month=2))
    assert desk.sees("invoices", "show", "BA-C-1-20260208")["legal_number"] == "GB1-INV-2026-000002"
    assert row_of(billed)["state"] == "void"
    sound(billed)


def test_an_old_invoice_is_the_same_whatever_changed_since(
    billed: World, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law of the papers: after the customer moved, the catalogue changed and the market has another supplier, PDF, page and UBL are the same bytes.

    Source: billing facts, section 6.4.7 (supplier, customer and rates are frozen into the invoice when it is issued).
    """
    ask = {name: named(f"invoices.{name}").function for name in ("pdf", "html", "ubl")}
    before = {name: view(billed.app, INVOICE, personal=True) for name, view in ask.items()}
    assert "C-1" in before["ubl"]["content"]
    assert base64.b64decode(before["pdf"]["content"]).startswith(b"%PDF-")

    billed.registers("C-1", tier="gold")
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps([{**offering, "version": "99", "name": "Another"} for offering in catalogue()]))
    loading.load_catalogue(billed.app, file)
    monkeypatch.setattr("o2c.invoicing.of_market.seller_of", lambda market: pytest.fail("looked up"))
    billed.app.forget()
    assert {name: view(billed.app, INVOICE, personal=True) for name, view in ask.items()} == before


def test_who_may_see_whom(billed: World) -> None:
    """An analyst gets the paper without name and address; an agent who asks for them is taken down."""
    show = named("invoices.html")
    analyst = show.ask(Context("eve", roles=("analyst",)), billed.app, INVOICE, personal=True)
    agent = show.ask(Context("ann", roles=("agent",)), billed.app, INVOICE, personal=True, why="asked for a copy")
    name = billed.invoice(INVOICE).issued.customer_name  # type: ignore[union-attr] # it was issued
    assert name
    assert name not in analyst["content"]
    assert name in agent["content"]
    assert [
        row["operation"]
        for row in billed.app.reads.rows("SELECT body ->> 'operation' AS operation FROM o2c.event WHERE stream = 'access-C-1'")
    ] == ["invoices.html"]


def test_an_invoice_of_before_says_what_it_has(billed: World) -> None:
    """Stored before invoices had particulars: it is shown under its old number, and UBL, which it cannot be, is refused in one line."""
    body = {
        "number": "BA-9-20250108", "account": "BA-9", "customer": "C-9", "order": "", "currency": "GBP", "issued_on": "2025-01-08",
        "due_on": "2025-01-22", "issued_at": "2025-01-08T06:00:00Z", "method": "card", "market": "GB@2026-01",
        "lines": [{"order": billed.order("WEB-1").order_id, "item": "1", "offering": "mobile-line", "kind": "period", "from_day": "2025-01-08", "to_day": "2025-02-08",
                   "net_minor": 1999, "tax_group": "standard"}],
        "net_minor": 1999, "tax_minor": 400, "total_minor": 2399,
    }  # fmt: skip
    append(billed.dsn, [Told("invoice-BA-9-20250108", "invoice.issued", body)])
    page = named("invoices.html").function(billed.app, "BA-9-20250108")
    assert "BA-9-20250108" in page["content"]
    assert "mobile-line, period" in page["content"]
    with pytest.raises(Refused, match="does not say all that EN 16931 wants") as refused:
        named("invoices.ubl").function(billed.app, "BA-9-20250108")
    assert refused.value.kind == "conflict"
