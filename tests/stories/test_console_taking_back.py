"""Payments that are taken off their invoices in the console: seen before it is done, done once, and by supervisors alone."""

import pytest

from o2c.views.invoices import show_invoice
from tests.console import Console, console_of_world, rich_world
from tests.rich import DEBTOR
from tests.world import World

PAID, ALSO_PAID, THIRD = "BA-C-71-20260108", "BA-C-72-20260108", "BA-C-71-20260208"
OWES = f"BA-{DEBTOR}"


world = rich_world()
"""A store with invoices that were paid by card, and an account that owes; each test takes another invoice."""
site = console_of_world


def whats(world: World, invoice: str) -> list[str]:
    return [row["what"] for row in show_invoice(world.app, invoice)["payments"]]


def test_a_chargeback_is_seen_before_it_is_taken_down_and_then_won(site: Console, world: World) -> None:
    """The preview says what would be open and writes nothing; sent on it is that chargeback, and its case is offered to be won."""
    path, total_minor = f"/console/invoices/{PAID}", show_invoice(world.app, PAID)["total_minor"]
    with site.by("sue", "supervisor") as sue:
        before = world.app.reads.last_position()
        foreseen = sue.sends(sue.opens(path), f"{path}/chargeback/preview", {"case": "CB-9", "code": "10.4"})
        assert world.app.reads.last_position() == before
        taken = sue.sends(foreseen, f"{path}/chargeback")
        stale = sue.sends(foreseen, f"{path}/chargeback", {"wish": "another wish"})
        assert whats(world, PAID) == ["received", "charged-back"]
        won = sue.sends(taken, f"{path}/chargeback-won", {"case": "CB-9"})

    amount = f"{total_minor / 100:.2f} GBP"
    assert f"The payer's bank took {amount} back." in foreseen.text
    assert f"This invoice would be issued, with {amount} open." in foreseen.text
    assert "Done: charged back" in taken.text
    assert stale.status == 412
    assert "Done: chargeback won" in won.text
    assert "The money is back" not in won.buttons()
    assert whats(world, PAID) == ["received", "charged-back", "won-back"]


def test_a_payment_is_moved_where_the_preview_said(site: Console, world: World) -> None:
    """The account that is named has an invoice that is meant: both are told before, and both say so afterwards."""
    path = f"/console/invoices/{ALSO_PAID}"
    with site.by("sue", "supervisor") as sue:
        before = world.app.reads.last_position()
        foreseen = sue.sends(sue.opens(path), f"{path}/move/preview", {"to": OWES, "amount": "1.00", "why": "one digit wrong"})
        assert world.app.reads.last_position() == before
        moved = sue.sends(foreseen, f"{path}/move")

    assert f"1.00 GBP would move to invoice {OWES}-20260108 of account {OWES}, customer {DEBTOR}." in foreseen.text
    assert "This invoice would be issued, with 1.00 GBP open." in foreseen.text
    assert "Done: payment moved" in moved.text
    assert whats(world, ALSO_PAID) == ["received", "moved-away"]
    assert whats(world, f"{OWES}-20260108")[-1] == "moved-here"


@pytest.mark.parametrize(
    ("form", "values", "told"),
    [
        ("chargeback", {"case": "CB-8", "amount": "9000.00"}, "is left to be charged back"),
        ("chargeback", {"case": "CB-8", "amount": "much"}, "write the amount as 23.99"),
        ("move", {"to": THIRD, "why": "my words"}, "the payment is there already"),
    ],
)
def test_what_cannot_be_taken_is_told_over_what_was_written(site: Console, form: str, values: dict[str, str], told: str) -> None:
    """One line, and the form stands open again with the person's own words."""
    path = f"/console/invoices/{THIRD}"
    with site.by("sue", "supervisor") as sue:
        page = sue.sends(sue.opens(path), f"{path}/{form}/preview", values)

    assert page.status in (409, 422)
    assert len(page.alerts) == 1
    assert told in page.alerts[0]
    assert all(page.form(f"{path}/{form}/preview").get(name, value) == value for name, value in values.items())
    [opened] = [node for node in page.root.all("details") if "open" in node.attributes]
    assert any(node.attributes.get("action") == f"{path}/{form}/preview" for node in opened.all("form"))


def test_no_invoice_and_no_account_is_no_place_to_move_to(site: Console) -> None:
    """Nothing is missing on the page itself: it is told as any page that is not there."""
    path = f"/console/invoices/{THIRD}"
    with site.by("sue", "supervisor") as sue:
        page = sue.sends(sue.opens(path), f"{path}/move/preview", {"to": "BA-NOBODY", "why": "a slip"})

    assert page.status == 404
    assert "no invoice BA-NOBODY" in page.text


@pytest.mark.parametrize(("role", "offered"), [("supervisor", True), ("agent", False), ("auditor", False)])
def test_only_who_may_is_offered_it(site: Console, role: str, offered: bool) -> None:
    """Agents and auditors see what came in and no form to take it away."""
    with site.by("kim", role) as kim:
        buttons = kim.opens(f"/console/invoices/{THIRD}").buttons()

    assert ({"Preview the chargeback", "Preview the move"} <= buttons) == offered
    assert offered or not {"Preview the chargeback", "Preview the move"} & buttons


def test_nothing_came_so_nothing_is_taken_back(site: Console) -> None:
    """An invoice that nobody paid has no such form, even for a supervisor."""
    with site.by("sue", "supervisor") as sue:
        buttons = sue.opens(f"/console/invoices/{OWES}-20260208").buttons()

    assert not {"Preview the chargeback", "Preview the move", "The money is back"} & buttons


def test_a_payment_that_came_by_bank_is_recorded(site: Console, world: World) -> None:
    """An agent does it, once however often it is sent; an amount that cannot be, or a day that has not come, is told over what was written; an auditor has no such form."""
    invoice = f"{OWES}-20260208"
    path = f"/console/invoices/{invoice}"
    with site.by("ann", "agent") as ann, site.by("kim", "auditor") as kim:
        wrong = [
            ann.sends(ann.opens(path), f"{path}/payment", {"reference": "TFR-7", **one})
            for one in ({"amount": "much"}, {"amount": "1.00", "arrived_on": "2099-01-01"})
        ]
        assert [(page.status, len(page.alerts), page.form(f"{path}/payment")["reference"]) for page in wrong] == [(422, 1, "TFR-7")] * 2
        assert "received" not in "".join(whats(world, invoice))
        for _ in range(2):
            page = ann.sends(ann.opens(path), f"{path}/payment", {"amount": "1.25", "reference": "TFR-7", "arrived_on": "2026-03-02"})
        assert "Record it" not in kim.opens(path).buttons()

    assert "Done: payment recorded" in page.text
    assert [(row["what"], row["amount_minor"], row["arrived_on"]) for row in show_invoice(world.app, invoice)["payments"]] == [
        ("received", 125, "2026-03-02")
    ]
