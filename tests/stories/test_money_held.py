"""Money that came and stands on no invoice: deposits of orders that ended, and what was paid too much. It is held, used or paid back."""

import json
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Correct
from o2c.entrypoints.python import Context, OrderToCash
from o2c.kernel.refusal import Refused
from tests.desk import DEPOSIT, Desk
from tests.world import ADDRESS, World, at, line, order

ENDINGS = [
    pytest.param(("fallout", "resolve", "--decide", "decline", "--reason", "no"), id="declined"),
    pytest.param(("orders", "cancel", "WEB-1", "--reason", "changed mind"), id="cancelled"),
]
NOTHING = {"credit_minor": 0, "deposits_minor": 0, "owed_minor": 0, "returned_minor": 0}


@pytest.fixture
def deposited(world: World, desk: Desk) -> World:
    """An order of C-1 that waits for a deposit of 100.00 GBP, of which 40.00 came."""
    world.stocked(pays="invoice")
    world.scripted.will("credit", DEPOSIT)
    world.take(order("WEB-1", line()))
    world.run(at(5, 10))
    desk.types("payments", "deposit", "WEB-1", "--amount", "40.00", "--reference", "TFR-1")
    return world


def held_by(desk: Desk) -> list[dict[str, Any]]:
    """What the accounts of C-1 hold."""
    return list(desk.sees("customers", "show", "C-1")["money_held"])


def held(desk: Desk) -> dict[str, int]:
    """What the one account of C-1 holds."""
    [row] = held_by(desk)
    assert row.pop("account") == "BA-C-1"
    assert row.pop("currency") == "GBP"
    return {name: int(amount) for name, amount in row.items()}


def accounted(world: World) -> str:
    """What the check of where the money is says."""
    [check] = [check for check in run_checks(world.app) if check.name == "money that came is accounted for"]
    assert check.state == "ok", check.detail
    return check.detail


def test_a_deposit_is_held_while_its_order_is_open(deposited: World, desk: Desk) -> None:
    """It is in the customer's balance, and nobody pays it back before the order ended."""
    assert held(desk) == {**NOTHING, "deposits_minor": 4000}
    assert desk.sees("orders", "show", "WEB-1")["deposits"][0]["amount_minor"] == 4000
    with pytest.raises(Refused, match=r"0\.00 can be paid back, not more; deposits are kept"):
        desk.types("payments", "refund", "BA-C-1", "--amount", "40.00", "--reference", "TFR-9")
    assert accounted(deposited).startswith("came 4,000 = on invoices 0 + held for customers 4,000 + paid back 0")


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_deposit_of_an_order_that_ended_is_owed_until_it_is_paid_back(deposited: World, desk: Desk, ending: tuple[str, ...]) -> None:
    """The order's page, the customer's and the list of what is owed say so; paid back it is gone from them, with its reference in the log."""
    words = (*ending[:2], desk.finds("CR-DEPOSIT"), *ending[2:]) if ending[0] == "fallout" else ending
    desk.types(*words)

    [received, freed] = desk.sees("orders", "show", "WEB-1")["deposits"]
    assert (received["what"], freed["what"], freed["amount_minor"]) == ("received", "owed to the customer", 4000)
    [owed] = desk.sees("payments", "owed")
    assert (owed["account"], owed["customer"], owed["owed_minor"]) == ("BA-C-1", "C-1", 4000)
    assert held(desk) == {**NOTHING, "owed_minor": 4000}

    with pytest.raises(Refused, match=r"40\.00 can be paid back, not more"):
        desk.types("payments", "refund", "BA-C-1", "--amount", "40.01", "--reference", "TFR-9")
    refund = ("payments", "refund", "BA-C-1", "--amount", "40.00", "--reference", "TFR-9", "--on", "2026-01-05")
    assert "repeated" not in desk.types(*refund)
    assert "repeated" in desk.types(*refund)

    assert desk.sees("payments", "owed") == []
    assert held(desk) == {**NOTHING, "returned_minor": 4000}
    assert deposited.types("account-BA-C-1") == [
        "account.opened",
        "account.deposit-kept",
        "account.deposit-freed",
        "account.money-returned",
    ]
    assert accounted(deposited).startswith("came 4,000 = on invoices 0 + held for customers 0 + paid back 4,000")


@pytest.mark.parametrize("ending", ENDINGS)
def test_money_that_comes_once_the_order_is_over_is_owed_at_once(deposited: World, desk: Desk, ending: tuple[str, ...]) -> None:
    """30.00 more come after the end: with the 40.00 from before they are owed; what was recorded once is not owed twice, before or after the end."""
    words = (*ending[:2], desk.finds("CR-DEPOSIT"), *ending[2:]) if ending[0] == "fallout" else ending
    desk.types(*words)
    deposited.run(at(8))
    late = ("payments", "deposit", "WEB-1", "--amount", "30.00", "--reference", "TFR-2", "--on", "2026-01-07")
    assert "the order is over, so it is owed to the customer" in desk.types(*late)

    for again in (late, ("payments", "deposit", "WEB-1", "--amount", "40.00", "--reference", "TFR-1", "--on", "2026-01-05")):
        assert "repeated" in desk.types(*again)
    told = [(row["what"], row["amount_minor"]) for row in desk.sees("orders", "show", "WEB-1")["deposits"]]
    assert told == [("received", 4000), ("owed to the customer", 4000), ("received", 3000), ("owed to the customer", 3000)]
    [owed] = desk.sees("payments", "owed")
    assert (owed["account"], owed["customer"], owed["owed_minor"]) == ("BA-C-1", "C-1", 7000)
    assert deposited.state("WEB-1") in ("rejected", "cancelled")
    desk.types("payments", "refund", "BA-C-1", "--amount", "70.00", "--reference", "TFR-9")
    assert held(desk) == {**NOTHING, "returned_minor": 7000}
    assert accounted(deposited).startswith("came 7,000 = on invoices 0 + held for customers 0 + paid back 7,000")


def test_money_for_an_order_that_is_over_and_far_too_much_asks_again(deposited: World, desk: Desk) -> None:
    """100.00 was wanted once; a slip of the keyboard is no smaller because nothing is wanted any more."""
    desk.types("orders", "cancel", "WEB-1", "--reason", "changed mind")
    words = ("payments", "deposit", "WEB-1", "--amount", "99999.00", "--reference", "TFR-2")
    with pytest.raises(Refused, match=r"99999\.00 GBP is far above"):
        desk.types(*words)
    desk.types(*words, "--yes")
    assert held(desk) == {**NOTHING, "owed_minor": 4000 + 9_999_900}


def test_money_that_comes_after_the_gate_is_kept_as_what_came_before(world: World, desk: Desk) -> None:
    """The gate is passed and the address is wrong: 20.00 more are a deposit of the open order; completed, they are kept for its bills, as is what comes then."""
    world.stocked(pays="invoice")
    world.scripted.will("credit", DEPOSIT)
    world.take(order("WEB-1", line(sim="physical", place="nowhere")))
    world.run(at(5, 10))
    desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--reference", "TFR-1")
    world.run(at(6))
    assert "the credit gate is passed" in desk.types("payments", "deposit", "WEB-1", "--amount", "20.00", "--reference", "TFR-2")
    assert held(desk) == {**NOTHING, "deposits_minor": 12_000}
    world.resolve("DQ-ADDR", Correct({"place": ADDRESS}))
    world.run(at(14))
    assert world.state("WEB-1") == "completed"
    late = desk.types("payments", "deposit", "WEB-1", "--amount", "5.00", "--reference", "TFR-3")
    assert "kept until 3 bills in a row were paid by their due day" in late
    assert held(desk) == {**NOTHING, "deposits_minor": 12_500}
    accounted(world)


def test_money_for_an_order_that_never_waited_for_a_deposit_asks_again(world: World, desk: Desk) -> None:
    """It may be a slip: somebody says that it came for the order, and then it is kept. An order that is not validated has no account to keep it."""
    world.stocked(pays="invoice")
    world.take(order("WEB-1", line(sim="physical", place="nowhere")), order("WEB-2", line(), party="C-9"))
    world.run(at(6))
    words = ("payments", "deposit", "WEB-1", "--amount", "5.00", "--reference", "TFR-1")
    with pytest.raises(Refused, match="waits for no deposit and never did; say `--yes`"):
        desk.types(*words)
    assert held_by(desk) == []
    desk.types(*words, "--yes")
    assert held(desk) == {**NOTHING, "deposits_minor": 500}
    with pytest.raises(Refused, match="is not validated") as refused:
        desk.types("payments", "deposit", "WEB-2", "--amount", "5.00", "--reference", "TFR-1", "--yes")
    assert refused.value.kind == "conflict"
    accounted(world)


def test_what_came_too_much_is_taken_off_the_next_invoices(world: World, desk: Desk) -> None:
    """50.00 on top: the next bills are covered as far as it goes, the rest is asked for, and an invoice that is covered is never overdue."""
    world.stocked(pays="invoice")
    world.take(order("WEB-1", line()))
    world.run(at(8, 7))
    [first] = desk.sees("customers", "show", "C-1")["invoices"]
    desk.types("payments", "record", first["invoice"], "--amount", "50.00", "--reference", "TFR-1")
    credit = held(desk)["credit_minor"]
    assert credit == 5000 + first["paid_minor"] - first["total_minor"]

    world.run(at(20, month=4))

    _, *later = desk.sees("customers", "show", "C-1")["invoices"]
    for invoice in later:
        used = min(credit, invoice["total_minor"])
        assert invoice["credit_used_minor"] == used
        assert invoice["paid_minor"] == invoice["total_minor"] - used
        credit -= used
    assert (credit, held(desk)) == (0, NOTHING)
    asked = [request.body["open_minor"] for request in world.scripted.asked("payment")][-len(later) :]
    assert all(asked)
    assert "invoice.overdue" not in {name for invoice in later for name in world.types(f"invoice-{invoice['invoice']}")}
    accounted(world)


def test_a_deposit_far_above_what_is_missing_asks_again(deposited: World, desk: Desk) -> None:
    """60.00 is missing: 99999.00 is a slip of the keyboard until somebody says that so much came."""
    words = ("payments", "deposit", "WEB-1", "--amount", "99999.00", "--reference", "TFR-2")
    with pytest.raises(Refused, match=r"99999\.00 GBP is far above the 60\.00 GBP that is missing; say `--yes`") as refused:
        desk.types(*words)
    assert refused.value.kind == "conflict"
    assert held(desk)["deposits_minor"] == 4000
    with OrderToCash(deposited.app.dsn) as o2c:
        context = Context("crm")
        with pytest.raises(Refused, match="far above"):
            o2c.deposit("WEB-1", context, amount="99999.00", reference="TFR-2")
        assert not o2c.deposit("WEB-1", context, amount="99999.00", reference="TFR-2", sure=True).repeated
        [owed] = o2c.owed()
        assert owed["deposits_minor"] == 4000 + 9_999_900
    assert "repeated" in desk.types(*words)


def test_money_on_no_account_is_noticed(deposited: World) -> None:
    """The control: an excess that no account holds fails the check, by name."""
    world = deposited
    [stream] = [row["stream"] for row in world.app.reads.rows("SELECT stream FROM o2c.event WHERE type = 'deposit.received'")]
    with world.app.reads.datastore.transaction(commit=True) as cursor:
        cursor.execute("ALTER TABLE o2c.event DISABLE TRIGGER ALL")
        cursor.execute(
            "UPDATE o2c.event SET body = body || %s::jsonb WHERE type = 'account.deposit-kept'", (json.dumps({"amount_minor": 1}),)
        )
        cursor.execute("ALTER TABLE o2c.event ENABLE TRIGGER ALL")
    [check] = [check for check in run_checks(world.app) if check.name == "money that came is accounted for"]
    assert (check.state, check.detail) == ("failed", f"{stream}: has a deposit of 4000, which no account holds")
