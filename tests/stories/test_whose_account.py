"""Whose a billing account is: the first customer's whose order names it, from that moment on; an item may be billed to one of its own."""

from datetime import timedelta

import pytest

from o2c.fallout.rules import Correct
from tests.desk import Desk
from tests.world import NINE, Document, World, at, line, order

LATER = NINE + timedelta(minutes=1)
"""A minute after the first order: both are attended to together."""


def billed_to(account: str, paper: Document) -> Document:
    return {**paper, "billingAccount": {"id": account}}


def to_own(account: str, item: Document) -> Document:
    return {**item, "billingAccount": {"id": account}}


def waits(world: World, name: str) -> str:
    """Why an order waits at validation: the reason and its detail."""
    [fallout] = world.fallouts(name)
    [row] = world.app.reads.rows(
        "SELECT body->>'detail' AS detail FROM o2c.event WHERE body->>'fallout' = %s ORDER BY position DESC LIMIT 1", fallout["fallout"]
    )
    return f"{fallout['reason']}: {row['detail']}"


FOREIGN = (
    (billed_to("BA-SH", order("FIRST", line())), billed_to("BA-SH", order("SECOND", line(), party="C-2", on=LATER)),
     "DQ-PARTY: the billing account belongs to another party", "an-account-that-was-named-a-moment-before"),
    (order("FIRST", line()), billed_to("C-3", order("SECOND", line(), party="C-2", on=LATER)),
     "DQ-PARTY: the billing account is the own account of another customer", "an-account-by-another-customer-s-id"),
    (billed_to("BA-SH", order("FIRST", line())), order("SECOND", to_own("BA-SH", line()), party="C-2", on=LATER),
     "DQ-PARTY: the billing account of item 1 belongs to another party", "the-account-of-an-item"),
)  # fmt: skip


@pytest.mark.parametrize(("first", "second", "why"), [pytest.param(*told[:3], id=told[3]) for told in FOREIGN])
def test_nobody_is_billed_to_the_account_of_another(world: World, first: Document, second: Document, why: str) -> None:
    """Two orders that are attended to together: the first has the account, the second waits and says what is wrong, and nothing of it is ever billed."""
    world.stocked().take(first, second)
    world.run(at(20))

    assert (world.state("FIRST"), world.state("SECOND")) == ("completed", "pending")
    assert waits(world, "SECOND") == why
    customers = "SELECT DISTINCT body->>'customer' AS customer FROM o2c.event WHERE type = 'invoice.issued'"
    assert [row["customer"] for row in world.app.reads.rows(customers)] == ["C-1"]


def test_a_customer_names_its_account_again_and_again(world: World) -> None:
    """The control: the same customer's next orders go through, and the account is opened once."""
    world.stocked().take(billed_to("BA-SH", order("FIRST", line())), billed_to("BA-SH", order("SECOND", line())))
    world.run(at(7))
    assert (world.state("FIRST"), world.state("SECOND")) == ("completed", "completed")
    assert world.types("account-BA-SH").count("account.opened") == 1


@pytest.mark.parametrize(
    ("item", "order_account", "changes"),
    [
        pytest.param(line(), "BA-SH", {"account": "BA-C-2"}, id="of-the-order"),
        pytest.param(to_own("BA-SH", line()), "BA-C-2", {"line.1.account": "BA-OWN"}, id="of-an-item"),
        pytest.param(to_own("BA-SH", line()), "BA-C-2", {"line.1.account": ""}, id="of-an-item-to-none"),
    ],
)
def test_a_wrong_account_is_corrected(world: World, item: Document, order_account: str, changes: dict[str, str]) -> None:
    """The order goes on and is billed where the correction says; the first customer keeps the account."""
    world.stocked().take(billed_to("BA-SH", order("FIRST", line())), billed_to(order_account, order("SECOND", item, party="C-2", on=LATER)))
    world.run(at(6))
    world.resolve("DQ-PARTY", Correct(changes), of="SECOND")
    world.run(at(20))

    assert world.state("SECOND") == "completed"
    account = next(iter(changes.values())) or "BA-C-2"
    assert world.outcome("SECOND", "1", "charging")["account"] == account
    rows = world.app.reads.rows("SELECT body->>'customer' AS c, body->>'account' AS a FROM o2c.event WHERE type = 'invoice.issued'")
    assert {(row["c"], row["a"]) for row in rows} == {("C-1", "BA-SH"), ("C-2", account)}


def test_an_item_is_billed_to_its_own_account(world: World, desk: Desk) -> None:
    """Of two lines one names an account: each invoice has its own line alone, and the order's page shows both."""
    world.stocked().take(order("WEB-1", line("1"), to_own("BA-ITEM-5", line("2"))))
    world.run(at(20))

    shown = desk.sees("orders", "show", "WEB-1")
    assert {item["item"]: item["account"] for item in shown["items"]} == {"1": "BA-C-1", "2": "BA-ITEM-5"}
    issued = world.app.reads.rows("SELECT body->>'account' AS account, body->'lines' AS lines FROM o2c.event WHERE type = 'invoice.issued'")
    assert {row["account"]: {each["item"] for each in row["lines"]} for row in issued} == {"BA-C-1": {"1"}, "BA-ITEM-5": {"2"}}
    assert {invoice["invoice"].rpartition("-")[0] for invoice in shown["invoices"]} == {"BA-C-1", "BA-ITEM-5"}
