"""A refund by the payment provider: asked once, queried when nobody knows, and given by another method when it was refused."""

from datetime import timedelta

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Correct
from o2c.kernel.partner import Answered, RefusedBy, Unknown
from o2c.kernel.refusal import Refused
from tests.balances import unlike_the_books
from tests.desk import Desk
from tests.world import World, at, line, order


@pytest.fixture
def overpaid(world: World, desk: Desk) -> World:
    """C-1 paid the first bill by card, and 50.00 came on top by bank."""
    world.stocked(pays="card")
    world.take(order("WEB-1", line()))
    world.run(at(10))
    [first] = desk.sees("customers", "show", "C-1")["invoices"]
    desk.types("payments", "record", first["invoice"], "--amount", "50.00", "--reference", "TFR-1")
    return world


def stands(world: World, desk: Desk) -> tuple[int, int]:
    """What the account owes back and has as credit, in agreement with the books and with where the money is."""
    [row] = desk.sees("balance", "show", "BA-C-1")
    assert unlike_the_books(world.app) == []
    [check] = [check for check in run_checks(world.app) if check.name == "money that came is accounted for"]
    assert check.state == "ok", check.detail
    return row["owed_minor"], row["credit_minor"]


def test_a_refund_goes_back_by_the_way_it_came_and_is_asked_for_once(overpaid: World, desk: Desk) -> None:
    """The provider keeps silent: it is queried, never asked again, and the money is owed until it says that it paid."""
    overpaid.scripted.will("refund", Unknown(at(10, 1)), Answered({"reference": "RFD-1"}))
    said = desk.types("refunds", "request", "BA-C-1", "--amount", "20.00")
    assert "BA-C-1-R1 under way" in said
    overpaid.run(at(10) + timedelta(minutes=30))
    assert stands(overpaid, desk) == (2000, 3000)

    overpaid.run(at(11))
    assert stands(overpaid, desk) == (0, 3000)
    [asked] = overpaid.scripted.asked("refund")
    assert (asked.body["method"], asked.body["amount_minor"], asked.key) == ("bank-transfer", 2000, "refund-BA-C-1-R1//refund/1")
    assert [request.key for request in overpaid.scripted.asked("refund", "query")] == [asked.key]
    assert overpaid.types("refund-BA-C-1-R1")[-1] == "refund.completed"
    assert desk.sees("customers", "show", "C-1")["money_held"][0]["returned_minor"] == 2000


def test_a_refused_refund_falls_out_and_is_given_by_another_method(overpaid: World, desk: Desk) -> None:
    """Under a code and in a queue of its own; the correction asks the provider anew, and nothing went twice."""
    overpaid.scripted.will("refund", RefusedBy("ACCOUNT-CLOSED"))
    desk.types("refunds", "request", "BA-C-1", "--amount", "20.00")
    overpaid.run(at(11))
    [fallout] = overpaid.fallouts(reason="PAY-REFUND")
    assert (fallout["queue"], fallout["step"]) == ("payments", "refund")
    assert stands(overpaid, desk) == (2000, 3000)

    overpaid.resolve("PAY-REFUND", Correct({"method": "card"}))
    overpaid.run(at(12))
    assert stands(overpaid, desk) == (0, 3000)
    assert [request.body["method"] for request in overpaid.scripted.asked("refund")] == ["bank-transfer", "card"]


def test_above_the_limit_a_second_person_approves(overpaid: World, desk: Desk) -> None:
    """The money stays a credit until then, and more than there is is refused by then as well."""
    invoice = desk.sees("customers", "show", "C-1")["invoices"][0]["invoice"]
    desk.types("payments", "record", invoice, "--amount", "100.00", "--reference", "T-2", "--yes")
    assert "waits for a second person" in desk.types("refunds", "request", "BA-C-1", "--amount", "120.00")
    assert stands(overpaid, desk) == (0, 15_000)
    with pytest.raises(Refused, match="somebody else has to approve it"):
        desk.types("refunds", "approve", "BA-C-1", "BA-C-1-R1")
    desk.types("refunds", "approve", "BA-C-1", "BA-C-1-R1", "--actor", "bob")
    overpaid.run(at(12))
    assert stands(overpaid, desk) == (0, 3000)
    with pytest.raises(Refused, match=r"30\.00 can be paid back, not more"):
        desk.types("refunds", "request", "BA-C-1", "--amount", "30.01")


def test_a_refused_refund_is_given_up(overpaid: World, desk: Desk) -> None:
    """The money is a credit again, the fallout is over, and nothing is asked any more; given up twice it is once."""
    overpaid.scripted.will("refund", RefusedBy("ACCOUNT-CLOSED"))
    desk.types("refunds", "request", "BA-C-1", "--amount", "20.00")
    with pytest.raises(Refused, match="is under way"):
        desk.types("refunds", "give-up", "BA-C-1", "BA-C-1-R1", "--reason", "too soon")
    overpaid.run(at(11))
    assert stands(overpaid, desk) == (2000, 3000)
    desk.types("refunds", "give-up", "BA-C-1", "BA-C-1-R1", "--reason", "he closed it")
    assert "before" in desk.types("refunds", "give-up", "BA-C-1", "BA-C-1-R1", "--reason", "he closed it")
    assert stands(overpaid, desk) == (0, 5000)
    assert overpaid.fallouts(reason="PAY-REFUND") == []
    overpaid.run(at(14))
    assert len(overpaid.scripted.asked("refund")) == 1
    assert stands(overpaid, desk) == (0, 5000)
    with pytest.raises(Refused, match="no refund BA-C-1-R9"):
        desk.types("refunds", "give-up", "BA-C-1", "BA-C-1-R9", "--reason", "typed wrong")


def test_a_refund_that_was_paid_after_it_was_given_up(overpaid: World, desk: Desk) -> None:
    """The next bill had used the credit by then: what the account does not hold is owed on its last invoice, and the books still say where the money is."""
    overpaid.scripted.will("refund", RefusedBy("ACCOUNT-CLOSED"))
    desk.types("refunds", "request", "BA-C-1", "--amount", "50.00")
    overpaid.run(at(11))
    with pytest.raises(Refused, match="was not given up"):
        desk.types("refunds", "paid", "BA-C-1", "BA-C-1-R1", "--reference", "RFD-9")
    desk.types("refunds", "give-up", "BA-C-1", "BA-C-1-R1", "--reason", "he closed it")
    overpaid.run(at(15, month=2))
    left = stands(overpaid, desk)[1]
    last = desk.sees("customers", "show", "C-1")["invoices"][-1]["invoice"]
    assert 0 < left < 5000
    assert desk.sees("payments", "show", last)["open_minor"] == 0

    desk.types("refunds", "paid", "BA-C-1", "BA-C-1-R1", "--reference", "RFD-9", "--on", "2026-01-12")
    assert "before" in desk.types("refunds", "paid", "BA-C-1", "BA-C-1-R1", "--reference", "RFD-9", "--on", "2026-01-12")
    assert stands(overpaid, desk) == (0, 0)
    shown = desk.sees("payments", "show", last)
    assert (shown["open_minor"], shown["payments"][-1]["what"], shown["payments"][-1]["of"]) == (
        5000 - left,
        "refund-reclaimed",
        "BA-C-1-R1",
    )
    assert not [check for check in run_checks(overpaid.app) if check.state == "failed"]
    desk.types("payments", "record", last, "--amount", f"{(5000 - left) / 100:.2f}", "--reference", "TFR-2")
    assert stands(overpaid, desk) == (0, 0)
    with pytest.raises(Refused, match="has not come yet"):
        desk.types("refunds", "paid", "BA-C-1", "BA-C-1-R1", "--reference", "RFD-9", "--on", "2027-01-12")


def test_a_refund_that_waits_for_a_second_person_is_withdrawn(world: World, desk: Desk) -> None:
    """It was asked for twice: nobody can approve it any more, the account holds what it held, and told twice it is one."""
    world.stocked(pays="card")
    world.take(order("WEB-1", line()))
    world.run(at(10))
    [first] = desk.sees("customers", "show", "C-1")["invoices"]
    desk.types("payments", "record", first["invoice"], "--amount", "500.00", "--reference", "TFR-1", "--yes")
    before = stands(world, desk)
    desk.types("refunds", "request", "BA-C-1", "--amount", "450.00")
    desk.types("refunds", "give-up", "BA-C-1", "BA-C-1-R1", "--reason", "asked for twice")
    assert "before" in desk.types("refunds", "give-up", "BA-C-1", "BA-C-1-R1", "--reason", "asked for twice")
    assert world.types("account-BA-C-1")[-2:] == ["account.refund-wanted", "account.refund-withdrawn"]
    with pytest.raises(Refused, match="was withdrawn; ask for another one"):
        desk.types("refunds", "approve", "BA-C-1", "BA-C-1-R1", "--actor", "bob")
    assert stands(world, desk) == before
    desk.types("refunds", "request", "BA-C-1", "--amount", "20.00")
    assert world.types("refund-BA-C-1-R2")[0] == "refund.opened"
