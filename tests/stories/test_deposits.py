"""A deposit over months: kept while bills are paid, freed after enough good ones, or set off against what is owed at the last bill."""

from dataclasses import replace
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.markets.gb import GB
from o2c.views.balance import show_balance
from o2c.views.following import Wanted, find_events
from o2c.views.ledger import trial_balance
from tests.agreeing import heard, standing, wrong_papers
from tests.balances import unlike_the_books
from tests.desk import DEPOSIT, Desk
from tests.lives_of_products import change
from tests.world import World, at, line, order

EVENTS = "SELECT type, body FROM o2c.event WHERE stream = 'account-BA-C-1' AND type LIKE 'account.deposit%%' ORDER BY version"


@pytest.fixture
def served(world: World, desk: Desk) -> World:
    """C-1 gave a deposit of 100.00 and has a line since 5 January, which a card pays; the first bill is of the 8th."""
    world.stocked(pays="card")
    world.scripted.will("credit", DEPOSIT)
    world.take(order("WEB-1", line()))
    world.run(at(5, 10))
    desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--reference", "TFR-1")
    return world


def held(desk: Desk) -> dict[str, int]:
    """What the account holds, without what is nothing."""
    [row] = desk.sees("balance", "show", "BA-C-1")
    return {name: row[f"{name}_minor"] for name in ("credit", "deposits", "owed", "open") if row[f"{name}_minor"]}


def told(world: World) -> list[tuple[str, Any]]:
    """What became of the deposit, in order."""
    return [(row["type"].removeprefix("account.deposit-"), row["body"].get("becomes", "")) for row in world.app.reads.rows(EVENTS)]


def content(world: World) -> None:
    """All checks, the books, assurance, conformance and the oracle are content."""
    assert unlike_the_books(world.app) == []
    assert [(check.name, check.detail) for check in run_checks(world.app) if check.state == "failed"] == []
    assert [row for row in trial_balance(world.app)["compared"] if row["difference_minor"]] == []
    assert check_assurance(world.app) == []
    assert [kept.rule for kept in check_conformance(world.app) if kept.row()["violations"]] == []


def oracle_agrees(world: World) -> None:
    """The invoices and balances are what the oracle works out."""
    oracle = heard(event.as_json() for event in find_events(world.app, Wanted()))
    assert wrong_papers(oracle) == []
    [row] = show_balance(world.app, "BA-C-1")
    assert standing(oracle.accounts["BA-C-1"]) == {name: row[f"{name}_minor"] for name in ("open", "credit", "owed", "deposits")}


def test_a_deposit_is_freed_after_three_good_bills(served: World, desk: Desk) -> None:
    """Bills of January, February and March are paid by their due day: the one of April is covered by the deposit, and says so."""
    served.run(at(8, 5, month=4))
    assert held(desk) == {"deposits": 10_000}
    assert told(served) == [("kept", ""), ("retained", "")]
    with pytest.raises(Refused, match="deposits are kept"):
        desk.types("payments", "refund", "BA-C-1", "--amount", "1.00", "--reference", "TFR-9")
    content(served)

    served.run(at(10, month=4))
    april = desk.sees("customers", "show", "C-1")["invoices"][-1]
    assert (april["invoice"], april["state"]) == ("BA-C-1-20260408", "paid")
    assert held(desk) == {"credit": 10_000 - april["total_minor"]}
    assert "Deposit released" in desk.types("invoices", "html", april["invoice"])
    assert told(served)[2:] == [("freed", "credit")]
    content(served)
    oracle_agrees(served)


def test_a_late_bill_begins_the_row_anew(served: World, desk: Desk) -> None:
    """The card is declined for February's, which is paid by transfer after it was due: March, April and May are good, and June's bill frees the deposit."""
    served.run(at(9, month=2))
    served.scripted.will("payment", *[RefusedBy("DECLINED")] * 9)
    served.run(at(1, month=3))
    served.scripted.sayings["payment"].clear()
    [february] = [one for one in desk.sees("customers", "show", "C-1")["invoices"] if one["state"] == "overdue"]
    desk.types("payments", "record", february["invoice"], "--amount", f"{february['total_minor'] / 100:.2f}", "--reference", "TFR-2")
    for month in (4, 5):
        served.run(at(10, month=month))
        assert held(desk) == {"deposits": 10_000}
    served.run(at(9, month=6))
    assert "deposits" not in held(desk)
    content(served)


def test_a_transfer_counts_from_the_day_on_which_it_arrived(served: World, desk: Desk) -> None:
    """February's bill is paid by a transfer of its due day that is recorded days later: it is good all the same, and April's bill frees the deposit."""
    served.run(at(9, month=2))
    served.scripted.will("payment", *[RefusedBy("DECLINED")] * 9)
    served.run(at(1, month=3))
    served.scripted.sayings["payment"].clear()
    [february] = [one for one in desk.sees("customers", "show", "C-1")["invoices"] if one["state"] == "overdue"]
    amount = f"{february['total_minor'] / 100:.2f}"
    desk.types("payments", "record", february["invoice"], "--amount", amount, "--reference", "TFR-2", "--on", february["due_on"])
    served.run(at(10, month=4))
    assert told(served)[2:] == [("freed", "credit")]
    content(served)


def test_the_deposit_of_who_never_pays_is_set_off_at_the_end(served: World, desk: Desk) -> None:
    """The line is ended for the debt on 23 March; the last run, of 8 April, takes the deposit for the three bills that are open, the oldest first, and the
    rest is owed."""
    served.scripted.will("payment", *[RefusedBy("DECLINED")] * 30)
    served.run(at(7, month=4))
    assert held(desk)["deposits"] == 10_000
    before = {one["invoice"]: one for one in desk.sees("customers", "show", "C-1")["invoices"]}
    owing = [number for number, one in before.items() if one["state"] == "overdue"]
    debt = held(desk)["open"]
    assert (len(owing), debt < 10_000) == (3, True)

    served.run(at(15, month=4))
    assert held(desk) == {"owed": 10_000 - debt}
    for number in owing:
        shown = desk.sees("payments", "show", number)
        assert (shown["state"], shown["payments"][-1]["method"]) == ("paid", "set-off")
    [row] = desk.sees("payments", "owed")
    assert row["owed_minor"] == 10_000 - debt
    assert not [one for one in desk.sees("collections", "list") if one["open_minor"]]
    content(served)
    oracle_agrees(served)
    for number in owing:
        with pytest.raises(Refused, match="is not charged back"):
            desk.types("payments", "chargeback", number, "--case", "CB-1")


def test_a_debt_above_the_deposit_is_left_open(world: World, desk: Desk) -> None:
    """30.00 pay the first of three bills and a part of the second; the rest of that, and the third, are still owed and collected."""
    world.stocked(pays="card")
    world.take(order("WEB-1", line()))
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 30)
    world.run(at(6))
    desk.types("payments", "deposit", "WEB-1", "--amount", "30.00", "--reference", "TFR-1", "--yes")
    world.run(at(7, month=4))
    debt = held(desk)["open"]
    world.run(at(15, month=4))
    assert held(desk) == {"open": debt - 3_000}
    content(world)
    oracle_agrees(world)


def test_who_leaves_has_his_deposit_set_off_against_the_last_bill(served: World, desk: Desk) -> None:
    """One bill is paid, and the service ends in its term: what ending costs is taken off the deposit on the last bill, the rest of which is asked for."""
    served.run(at(20))
    served.take(order("END", change(served, "WEB-1", action="delete"), on=at(20)))
    served.run(at(21))
    desk.types("fallout", "resolve", desk.finds("CR-DEPOSIT"), "--decide", "approve", "--reason", "leaves")
    served.run(at(7, month=2))
    assert held(desk)["deposits"] == 10_000
    served.run(at(15, month=2))
    last = desk.sees("customers", "show", "C-1")["invoices"][-1]
    assert last["credit_used_minor"] >= min(10_000, last["total_minor"])
    assert "deposits" not in held(desk)
    assert "Deposit released" in desk.types("invoices", "html", last["invoice"])
    content(served)
    oracle_agrees(served)


def test_a_deposit_is_kept_for_what_the_next_bill_has(served: World, desk: Desk) -> None:
    """The service ends before six in the morning of 8 February: the bill of that day does not have what ending in its term costs yet, so the deposit is kept for the
    bill that does. A case that the oracle had otherwise: to it all was over with the line."""
    served.run(at(8, 1, month=2))
    served.take(order("END", change(served, "WEB-1", action="delete"), on=at(8, 1, month=2)))
    served.run(at(9, month=2))
    [ended] = [charge for charge in served.app.load_one("account-BA-C-1").state.charges.values() if charge.recurring_minor]
    assert ended.ended_on == "2026-02-08"
    assert held(desk)["deposits"] == 10_000
    content(served)

    served.run(at(9, month=3))
    assert "deposits" not in held(desk)
    content(served)
    oracle_agrees(served)


def test_a_debt_of_before_the_deposit_is_paid_by_it(world: World, desk: Desk) -> None:
    """The first bill is owed since January; a deposit is asked for another line in February. Both lines end: the deposit pays the old bill, and the rest is owed."""
    world.stocked(pays="card")
    world.take(order("WEB-1", line(term="1")))
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 30)
    world.run(at(30))
    [first] = desk.sees("customers", "show", "C-1")["invoices"]
    assert first["state"] == "overdue"
    world.take(order("WEB-2", line(term="1"), on=at(30)))
    world.run(at(31))
    desk.types("payments", "deposit", "WEB-2", "--amount", "100.00", "--reference", "TFR-1", "--yes")
    world.run(at(2, month=2))
    for name in ("WEB-1", "WEB-2"):
        world.take(order(f"END-{name}", change(world, name, action="delete"), on=at(2, month=2)))
    world.run(at(15, month=2))

    assert [row["state"] for row in desk.sees("customers", "show", "C-1")["invoices"]] == ["paid", "paid"]
    assert desk.sees("payments", "show", first["invoice"])["payments"][-1]["method"] == "set-off"
    assert held(desk).keys() == {"owed"}
    content(world)
    oracle_agrees(world)


def test_a_deposit_of_before_it_was_kept_stays_a_credit(served: World, desk: Desk) -> None:
    """An order whose market wants no good bills, as all did before, frees the deposit as it completes."""
    assert replace(GB.credit, deposit_good_bills=0) != GB.credit
    market = replace(GB, credit=replace(GB.credit, deposit_good_bills=0))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("o2c.plan.PlanBook.market", lambda self, pin: market)
        served.run(at(6))
    assert told(served) == [("kept", ""), ("freed", "credit")]
    content(served)
