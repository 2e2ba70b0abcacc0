"""Payments that are taken off their invoices again, in a store: charged back, won, moved, with the books, the checks and collections at each step."""

import pytest

from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.kernel.partner import Answered, RefusedBy
from o2c.kernel.refusal import Refused
from tests.balances import unlike_the_books
from tests.desk import Desk
from tests.world import World, at, line, order


@pytest.fixture
def paid(world: World, desk: Desk) -> str:
    """C-1 paid the first bill by card; the number of its invoice."""
    world.stocked(pays="card")
    world.scripted.will("payment", Answered({"reference": "PMT-7"}))
    world.take(order("WEB-1", line()))
    world.run(at(12))
    [first] = desk.sees("customers", "show", "C-1")["invoices"]
    return str(first["invoice"])


def stands(world: World, desk: Desk, invoice: str) -> tuple[str, int, int]:
    """How an invoice stands, what is open of it and what the account has as credit, in agreement with the books, all checks and the plan."""
    shown = desk.sees("payments", "show", invoice)
    [row] = desk.sees("balance", "show", "BA-C-1")
    assert unlike_the_books(world.app) == []
    assert [(check.name, check.detail) for check in run_checks(world.app) if check.state == "failed"] == []
    [listed] = [one for one in desk.sees("customers", "show", shown["customer"])["invoices"] if one["invoice"] == invoice]
    left = listed["total_minor"] - listed["credit_used_minor"] - listed["lowered_minor"] - listed["paid_minor"] + listed["above_minor"]
    assert (listed["state"], max(left, 0)) == (shown["state"], shown["open_minor"])
    return shown["state"], shown["open_minor"], row["credit_minor"]


def test_a_chargeback_reopens_is_collected_and_won(world: World, desk: Desk, paid: str) -> None:
    """Told twice it counts once; it is due since then, reminded of as any debt, and paid again once it was won."""
    total = desk.sees("payments", "show", paid)["total_minor"]
    world.run(at(5, month=3))
    for _ in range(2):
        said = desk.types("payments", "chargeback", paid, "--case", "CB-1", "--reason", "10.4")
    assert "repeated" in said
    assert stands(world, desk, paid)[:2] == ("issued", total)
    assert world.types(f"invoice-{paid}").count("payment.charged-back") == 1
    with pytest.raises(Refused, match=r"0\.00 GBP of the payment"):
        desk.types("payments", "chargeback", paid, "--case", "CB-2")

    world.run(at(20, month=3))
    assert stands(world, desk, paid)[:2] == ("overdue", total)
    [row] = [one for one in desk.sees("collections", "list") if one["account"] == "BA-C-1"]
    assert (row["due_on"], row["stage"]) == ("2026-03-05", "final-notice")
    asked = [request.stream for request in world.scripted.asked("payment")]
    assert len(asked) == len(set(asked)), "nobody is charged again unasked"

    for _ in range(2):
        said = desk.types("payments", "chargeback-won", paid, "--case", "CB-1")
    assert "repeated" in said
    assert stands(world, desk, paid)[:2] == ("paid", 0)
    assert [(one["what"], one["amount_minor"], one["of"]) for one in desk.sees("payments", "show", paid)["payments"]] == [
        ("received", total, ""), ("charged-back", -total, "CB-1"), ("won-back", total, "CB-1"),
    ]  # fmt: skip
    assert not [(kept.rule, kept.broken) for kept in check_conformance(world.app) if kept.broken]


def test_a_payment_moves_to_the_account_it_was_meant_for(world: World, desk: Desk, paid: str) -> None:
    """Both invoices name the other; told twice it is one; what is not there any more does not move again."""
    world.take(order("WEB-2", line(), party="C-2"))
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 9)
    world.run(at(5, month=3))
    [theirs] = [one["invoice"] for one in desk.sees("customers", "show", "C-2")["invoices"] if one["state"] == "overdue"][:1]
    total = desk.sees("payments", "show", paid)["total_minor"]
    for _ in range(2):
        said = desk.types("payments", "move", paid, "--to", "BA-C-2", "--reason", "one digit wrong", "--key", "M-1")
    assert "repeated" in said
    assert stands(world, desk, paid)[:2] == ("issued", total)
    assert stands(world, desk, theirs)[:2] == ("paid", 0)
    told = [(one["what"], one["amount_minor"], one["of"], one["reference"]) for one in desk.sees("payments", "show", paid)["payments"]]
    assert told == [("received", total, "", "PMT-7"), ("moved-away", -total, theirs, "PMT-7")]
    [here] = [one for one in desk.sees("payments", "show", theirs)["payments"] if one["what"] == "moved-here"]
    assert (here["amount_minor"], here["of"], here["method"]) == (total, paid, "card")
    with pytest.raises(Refused, match=r"0\.00 GBP of the payment"):
        desk.types("payments", "move", paid, "--to", theirs, "--reason", "again", "--key", "M-2")
    assert not [(kept.rule, kept.broken) for kept in check_conformance(world.app) if kept.broken]


def test_what_was_refunded_of_a_payment_is_not_charged_back(world: World, desk: Desk, paid: str) -> None:
    """A note makes the payment a credit, a part of which goes back by the card; the rest of the credit pays for the chargeback, and nothing twice."""
    total = desk.sees("payments", "show", paid)["total_minor"]
    desk.types("credit-notes", "issue", paid, "--reason", "goodwill", "--actor", "ann")
    desk.types("refunds", "request", "BA-C-1", "--amount", "5.00")
    with pytest.raises(Refused, match="is left to be charged back"):
        desk.types("payments", "chargeback", paid, "--case", "CB-1", "--amount", f"{total / 100:.2f}")
    desk.types("payments", "chargeback", paid, "--case", "CB-1")
    world.run(at(15))
    assert stands(world, desk, paid)[1:] == (0, 0)
    assert world.types(f"invoice-{paid}").count("payment.charged-back") == 1


def test_what_was_charged_back_is_collected_again_when_a_person_says_so(world: World, desk: Desk, paid: str) -> None:
    """The customer asks for it: the card is charged once more and pays; while that is under way, and once it paid, there is nothing to collect."""
    total = desk.sees("payments", "show", paid)["total_minor"]
    with pytest.raises(Refused, match="is paid; there is nothing to retry"):
        desk.types("payments", "retry", paid)
    world.run(at(5, month=3))
    desk.types("payments", "chargeback", paid, "--case", "CB-1")
    world.run(at(6, month=3))
    assert stands(world, desk, paid)[:2] == ("issued", total)
    asked = len(world.scripted.asked("payment"))

    desk.types("payments", "retry", paid)
    with pytest.raises(Refused, match="collected again already"):
        desk.types("payments", "retry", paid)
    world.run(at(7, month=3))
    assert stands(world, desk, paid)[:2] == ("paid", 0)
    *_, request = world.scripted.asked("payment")
    assert (len(world.scripted.asked("payment")), request.stream, request.body["open_minor"]) == (asked + 1, f"invoice-{paid}", total)
    assert not [(kept.rule, kept.broken) for kept in check_conformance(world.app) if kept.broken]


def test_what_is_collected_again_and_refused_waits_for_a_person(world: World, desk: Desk, paid: str) -> None:
    """It falls out as any payment, and is tried again from there."""
    desk.types("payments", "chargeback", paid, "--case", "CB-1")
    world.scripted.will("payment", RefusedBy("STOLEN"))
    desk.types("payments", "retry", paid)
    world.run(at(13))
    assert [fallout["invoice"] for fallout in world.fallouts(reason="PAY-AUTH")] == [paid]
    desk.types("payments", "retry", paid)
    world.run(at(14))
    assert stands(world, desk, paid)[:2] == ("paid", 0)


def test_one_chargeback_is_told_of_one_invoice(world: World, desk: Desk, paid: str) -> None:
    """The same case for another invoice is a slip, and says of which it was told."""
    world.run(at(15, month=2))
    second = desk.sees("customers", "show", "C-1")["invoices"][-1]["invoice"]
    assert second != paid
    desk.types("payments", "chargeback", paid, "--case", "CB-1")
    with pytest.raises(Refused, match=f"chargeback CB-1 was told of invoice {paid}") as refused:
        desk.types("payments", "chargeback", second, "--case", "CB-1")
    assert refused.value.kind == "conflict"
    assert world.types(f"invoice-{second}").count("payment.charged-back") == 0
    desk.types("payments", "chargeback", second, "--case", "CB-2")
    assert "repeated" in desk.types("payments", "chargeback", paid, "--case", "CB-1")
