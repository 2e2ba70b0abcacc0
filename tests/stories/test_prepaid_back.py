"""A customer with prepaid credit takes the number to another operator and asks for what is left: refused while the line serves, given back afterwards, in the books all along.

Source: directive (EU) 2018/1972, art. 106(6).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.diagnose import run_checks
from o2c.desk.prepaid import refund_prepaid, top_up
from o2c.desk.products import port_out, porting_code
from o2c.engine.app import Context
from o2c.kernel.partner import Answered, RefusedBy, Unknown
from o2c.kernel.refusal import Refused
from o2c.views.ledger import trial_balance
from o2c.views.prepaid import show_prepaid
from o2c.views.reading import caught_up
from tests.balances import unlike_the_books
from tests.desk import Desk
from tests.lives_of_products import product
from tests.metered import BY, MONTHLY, account_of, choice, metered, number_of, usage
from tests.world import World

PRICES = (MONTHLY, usage("Messages", "sms", "message", "0.05", choice("prepaid", "true")))
TWELFTH = datetime(2026, 1, 12, 9, tzinfo=UTC)


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A prepaid line with 10.00 on it; it is 12 January, a Monday."""
    made = metered(dsn, tmp_path, *PRICES).run(TWELFTH)
    top_up(made.app, BY, account_of(made), amount="10.00", reference="PAY-7781")
    return made


def left(world: World) -> World:
    """The number goes to another operator on the 13th."""
    code = porting_code(world.app, BY, product(world, "ONE").product).code
    port_out(world.app, Context("clearing"), number_of(world), operator="Other Mobile", reference="PRT-901", code=code)
    world.run(TWELFTH + timedelta(days=2))
    assert product(world, "ONE").status == "terminated"
    return world


def stands(world: World) -> dict[str, int]:
    """What the books have of prepaid money and of what is owed to customers, with every projection and check in agreement."""
    caught_up(world.app)
    told = trial_balance(world.app)
    assert told["balanced"]
    assert [one for one in told["compared"] if one["difference_minor"]] == []
    assert unlike_the_books(world.app) == []
    assert [check.detail for check in run_checks(world.app) if check.state == "failed"] == []
    held = ("prepaid", "owed-to-customers")
    return {
        row["ledger_account"]: -row["balance_minor"] for row in told["accounts"] if row["ledger_account"] in held and row["balance_minor"]
    }


def test_it_goes_back_once_the_number_has_left(world: World, dsn: str, tmp_path: Path) -> None:
    """Refused while the line is served; then owed, asked of the provider once though it keeps silent, and paid; asked again nothing happens; a day late it would leak."""
    account, desk = account_of(world), Desk(dsn, tmp_path)
    with pytest.raises(Refused, match="is served still"):
        refund_prepaid(world.app, BY, account)
    world.scripted.will("refund", Unknown(TWELFTH + timedelta(days=20)), Answered({"reference": "RFD-1"}))
    left(world)
    assert stands(world) == {"prepaid": 1000}

    assert f"10.00 GBP of {account} goes back ({account}-R1), by 2026-01-28" in desk.types("prepaid", "refund", account)
    assert (show_prepaid(world.app, account)["balance_minor"], stands(world)) == (0, {"owed-to-customers": 1000})
    world.run(TWELFTH + timedelta(days=17))
    assert [(leak.rule, leak.amount_minor, leak.account) for leak in check_assurance(world.app)] == [
        ("prepaid-not-returned", 1000, account)
    ]

    world.run(TWELFTH + timedelta(days=21))
    assert stands(world) == {}
    assert [leak.rule for leak in check_assurance(world.app)] == []
    [asked] = world.scripted.asked("refund")
    assert (asked.body["method"], asked.body["reference"], asked.body["amount_minor"]) == ("card", "PAY-7781", 1000)
    assert refund_prepaid(world.app, BY, account).unchanged
    assert [one["refunds"] for one in show_prepaid(world.app, account)["returned"]] == [[f"{account}-R1"]]


def test_a_refund_that_the_provider_refuses_leaves_it_owed(world: World, dsn: str, tmp_path: Path) -> None:
    """It falls out as any refund does; given up, the account owes it still, and what is paid by hand ends the debt and the leak."""
    account, desk = account_of(world), Desk(dsn, tmp_path)
    world.scripted.will("refund", RefusedBy("ACCOUNT-CLOSED"))
    left(world)
    desk.types("prepaid", "refund", account)
    world.run(TWELFTH + timedelta(days=3))
    [fallout] = world.fallouts(reason="PAY-REFUND")
    assert fallout["queue"] == "payments"

    desk.types("refunds", "give-up", account, f"{account}-R1", "--reason", "the card is closed")
    assert stands(world) == {"owed-to-customers": 1000}
    world.run(TWELFTH + timedelta(days=20))
    assert [leak.rule for leak in check_assurance(world.app)] == ["prepaid-not-returned"]
    desk.types("payments", "refund", account, "--amount", "10.00", "--reference", "TFR-9")
    assert stands(world) == {}
    assert check_assurance(world.app) == []
