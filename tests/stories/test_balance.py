"""What an account owes and what is held for it, shown at any instant and equal to the books."""

from pathlib import Path

import pytest

from o2c.kernel.partner import Accepted
from o2c.kernel.refusal import Refused
from o2c.views.invoice_papers import invoice_html, show_paper
from tests.balances import unlike_the_books
from tests.desk import Desk
from tests.world import World, at, line, order


@pytest.fixture
def overpaid(world: World, desk: Desk) -> World:
    """The first bill of C-1 is paid by bank, with 5.00 on top; the second one is issued."""
    world.stocked(pays="invoice")
    world.scripted.will("payment", Accepted("PMT-1", at(1, month=6)), Accepted("PMT-2", at(1, month=6)))
    world.take(order("WEB-1", line()))
    world.run(at(8, 7))
    [first] = desk.sees("customers", "show", "C-1")["invoices"]
    amount = (first["total_minor"] + 500) / 100
    desk.types("payments", "record", first["invoice"], "--amount", f"{amount:.2f}", "--reference", "TFR-1")
    world.run(at(8, 7, month=2))
    return world


def test_a_balance_is_shown_at_any_instant(overpaid: World, desk: Desk) -> None:
    """Owed after the first bill, in credit after it was overpaid, and the second bill less what it used; it is what the books say."""
    [billed] = desk.sees("balance", "show", "BA-C-1", "--at", "2026-01-08T06:30:00Z")
    [paid] = desk.sees("balance", "show", "BA-C-1", "--at", "2026-01-20T12:00:00Z")
    [now] = desk.sees("balance", "show", "BA-C-1")
    [first, second] = desk.sees("customers", "show", "C-1")["invoices"]

    assert (billed["open_minor"], billed["credit_minor"]) == (first["total_minor"], 0)
    assert (paid["open_minor"], paid["credit_minor"]) == (0, 500)
    assert [(item["what"], item["of"], item["amount_minor"]) for item in paid["items"]] == [("credit", first["invoice"], 500)]
    assert (now["open_minor"], now["credit_minor"]) == (second["total_minor"] - 500, 0)
    assert (now["items"][0]["of"], now["items"][0]["due_on"]) == (second["invoice"], second["due_on"])
    assert unlike_the_books(overpaid.app) == []


def test_a_bill_says_what_the_credit_is_made_of(overpaid: World, desk: Desk) -> None:
    """The event, the answer and the paper name the invoice that the credit comes from."""
    [first, second] = desk.sees("customers", "show", "C-1")["invoices"]
    issued = overpaid.invoice(second["invoice"]).issued

    assert issued is not None
    assert [part.model_dump() for part in issued.credits_used] == [{"origin": "invoice", "of": first["invoice"], "amount_minor": 500}]
    assert show_paper(overpaid.app, second["invoice"])["credits_used"] == [part.model_dump() for part in issued.credits_used]
    page = invoice_html(overpaid.app, second["invoice"])["content"]
    assert f"<td>Credit from {first['invoice']}</td><td>-5.00</td>" in page


def test_what_is_in_dispute_stands_in_the_balance(overpaid: World, desk: Desk) -> None:
    """An amount in dispute is owed still, and named."""
    second = desk.sees("customers", "show", "C-1")["invoices"][1]["invoice"]
    desk.types("disputes", "open", second, "--amount", "3.00")

    [row] = desk.sees("balance", "show", "BA-C-1")
    assert row["disputed_minor"] == row["items"][0]["disputed_minor"] == 300
    with pytest.raises(Refused, match="no account BA-NOBODY"):
        desk.types("balance", "show", "BA-NOBODY")


def test_all_balances_are_what_the_books_say(rich_dsn: str, tmp_path: Path) -> None:
    """In a store in which everything has happened, what is shown of each account is what was posted."""
    made = World(rich_dsn, tmp_path)
    try:
        assert unlike_the_books(made.app) == []
    finally:
        made.close()
