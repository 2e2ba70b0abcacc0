"""A business that pays late over months: what the law lets the operator ask of it stands in the list of collections, and nothing of it for a person."""

import json
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.files import loading
from o2c.kernel.partner import RefusedBy
from tests.agreeing import disagreements
from tests.balances import unlike_the_books
from tests.desk import DEPOSIT, Desk
from tests.lives_of_products import change
from tests.world import World, at, line, order

COMPANY = {"@type": "Organization", "id": "C-9", "tradingName": "Kestrel Freight Ltd"}
FIRST = "BA-C-9-20260108"


@pytest.fixture
def late(world: World) -> World:
    """A company and a person each have a line, and their cards are declined for good: the first bills were due on 22 January."""
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 60)
    traits = [{"name": "paymentMethod", "value": "card"}]
    loading.load_customers(world.app, world.written("company.jsonl", json.dumps({**COMPANY, "partyCharacteristic": traits})))
    world.take(order("WEB-1", line(), party="C-9"))
    world.take(order("WEB-2", line()))
    return world


def claims(desk: Desk, account: str) -> list[dict[str, Any]]:
    """What the account owes for paying late."""
    return [claim for row in desk.sees("collections", "list", "--account", account) for claim in row["late"]]


def test_a_business_owes_interest_for_each_day_and_a_person_none(late: World, desk: Desk) -> None:
    """On 1 February ten days of the bill of 8 January are late; half is paid on the 4th by a transfer that is recorded on the 6th; on the 11th it is
    20 days in all, 13 of the whole and 7 of the rest, at 11.75 % a year, rounded once; and 40.00 beside them."""
    late.run(at(1, 12, month=2))
    total = desk.sees("payments", "show", FIRST)["open_minor"]
    [claim] = claims(desk, "BA-C-9")
    assert (claim["invoice"], claim["from_day"], claim["to_day"], claim["days"]) == (FIRST, "2026-01-23", "2026-02-02", 10)
    assert (claim["interest_minor"], claim["fixed_minor"]) == (round(total * 0.1175 * 10 / 365), 4_000)

    late.run(at(6, 12, month=2))
    desk.types("payments", "record", FIRST, "--amount", f"{1_000 / 100:.2f}", "--reference", "TFR-1", "--on", "2026-02-04")
    late.run(at(11, 12, month=2))
    [claim] = claims(desk, "BA-C-9")
    assert claim["interest_minor"] == round((total * 13 + (total - 1_000) * 7) * 0.1175 / 365)
    assert (claim["days"], claim["fixed_minor"]) == (20, 4_000)
    assert claims(desk, "BA-C-1") == []


def test_what_is_credited_was_never_late(late: World, desk: Desk) -> None:
    """The dispute of 10.00 is settled for the customer: a note credits it, and interest is of the rest, from the first day on."""
    late.run(at(1, 12, month=2))
    total = desk.sees("payments", "show", FIRST)["open_minor"]
    desk.types("disputes", "open", FIRST, "--amount", "10.00")
    desk.types("disputes", "settle", FIRST, "--for", "customer")
    late.run(at(11, 12, month=2))

    [claim] = claims(desk, "BA-C-9")
    assert claim["interest_minor"] == round((total - 1_000) * 20 * 0.1175 / 365)


LINES = """SELECT e.type, coalesce(e.body->>'invoice', e.body->>'number') AS paper, l->>'kind' AS kind, l->>'of_invoice' AS of, l->>'description' AS description,
    l->>'from_day' AS from_day, l->>'to_day' AS to_day, (l->>'net_minor')::int AS net_minor, l->>'tax_category' AS category
FROM o2c.event e, jsonb_array_elements(e.body->'lines') l
WHERE e.type IN ('invoice.issued', 'credit-note.issued') AND l->>'tax_group' = 'late-payment' AND e.body->>'account' = %s ORDER BY e.position"""


def lines(world: World) -> list[tuple[str, str, str, int]]:
    """What bills charge for late payment, and below nothing what notes credit of it: of which bill, from which day, up to which, how much."""
    return [
        (row["paper"][-4:], row["from_day"][5:], row["to_day"][5:], row["net_minor"] * (1 if row["type"] == "invoice.issued" else -1))
        for row in world.app.reads.rows(LINES, "BA-C-9")
    ]


def pays(world: World, desk: Desk, invoice: str, *, amount_minor: int | None = None, on: str = "") -> None:
    """What is owed of an invoice, or an amount, arrives by transfer."""
    shown = desk.sees("payments", "show", invoice)
    minor = shown["open_minor"] + shown["written_off_minor"] if amount_minor is None else amount_minor
    if minor:
        arrived = ["--on", on] if on else []
        desk.types("payments", "record", invoice, "--amount", f"{minor / 100:.2f}", "--reference", f"TFR-{invoice}-{minor}", *arrived)


def interest(minor: int, days: int) -> int:
    return round(minor * days * 0.1175 / 365)


def all_agrees(world: World, desk: Desk) -> None:
    """The oracle of money, the books, assurance, conformance and diagnose find nothing."""
    assert disagreements(desk.sees("events", "find")) == []
    assert unlike_the_books(world.app) == []
    assert check_assurance(world.app) == []
    assert [kept.rule for kept in check_conformance(world.app) if kept.broken] == []
    balance = desk.sees("ledger", "trial-balance")
    assert [row for row in balance["compared"] if row["difference_minor"]] == []


def test_bills_charge_a_business_for_each_late_day_over_months(late: World, desk: Desk) -> None:
    """Half of January's bill comes on the 4th of February and is recorded on the 6th, the rest on the 20th; February's, which is due on the 22nd, comes on the
    10th of March, after the bill of the 8th. A transfer of the 15th of March for March's bill is recorded on the 12th of April, after the bill of the 8th had charged
    it for all days: a note credits these. In May all is paid in time, and June's bill has nothing."""
    late.run(at(6, 12, month=2))
    january = desk.sees("payments", "show", FIRST)["open_minor"]
    pays(late, desk, FIRST, amount_minor=1_000, on="2026-02-04")
    late.run(at(8, 12, month=2))
    first = interest(january * 13 + (january - 1_000) * 3, 1)
    assert lines(late) == [("0208", "01-23", "02-08", first), ("0208", "02-08", "02-08", 4_000)]
    desk.environment["COLUMNS"] = "250"
    assert f"{(first + 4_000) / 100:.2f} GBP of it on bills" in desk.types("collections", "list"), (
        "or it looks as if it were owed beside what is open"
    )

    late.run(at(20, 12, month=2))
    pays(late, desk, FIRST)
    second = interest(january * 13 + (january - 1_000) * 16, 1) - first
    february = "BA-C-9-20260208"
    late.run(at(8, 12, month=3))
    owed = desk.sees("payments", "show", february)["open_minor"] - first - 4_000
    assert lines(late)[2:] == [
        ("0308", "02-08", "02-21", second),
        ("0308", "02-23", "03-08", interest(owed, 13)),
        ("0308", "03-08", "03-08", 4_000),
    ]

    late.run(at(10, 12, month=3))
    pays(late, desk, february)
    late.run(at(12, 12, month=4))
    march = "BA-C-9-20260308"
    charged = [row for row in lines(late) if row[0] == "0408"]
    assert [row[1:3] for row in charged] == [("03-08", "03-11"), ("03-23", "04-08"), ("04-08", "04-08")]
    pays(late, desk, march, on="2026-03-22")
    late.run(at(13, month=4))
    assert lines(late)[-2:] == [("0408", "03-23", "04-08", -charged[1][3]), ("0408", "04-08", "04-08", -4_000)]

    pays(late, desk, "BA-C-9-20260408")
    late.run(at(9, month=5))
    pays(late, desk, "BA-C-9-20260508")
    late.run(at(9, month=6))
    assert not [row for row in lines(late) if row[0] in ("0508", "0608")]
    all_agrees(late, desk)


def test_what_a_customer_disputes_and_wins_is_not_charged_for(late: World, desk: Desk) -> None:
    """10.00 of January's bill are disputed, settled for the customer after February's bill charged all of it: the interest on them is credited."""
    late.run(at(9, month=2))
    january = desk.sees("payments", "show", FIRST)["open_minor"]
    desk.types("disputes", "open", FIRST, "--amount", "10.00")
    desk.types("disputes", "settle", FIRST, "--for", "customer")
    late.run(at(10, month=2))

    over = interest(january, 16) - interest(january - 1_000, 16)
    assert lines(late)[2:] == [("0208", "01-23", "02-08", -over)]
    [claim] = [each for each in claims(desk, "BA-C-9") if each["invoice"] == FIRST]
    assert claim["charged_minor"] == interest(january - 1_000, 16) + 4_000
    all_agrees(late, desk)


def test_an_account_that_has_ended_gets_a_last_bill_of_what_was_late(late: World, desk: Desk) -> None:
    """Nothing is paid; the line ends for its debt in March, and April's bill is the final one: it has all days up to then, and no bill follows while the debt
    is open. It is paid on 2 July: the bill of the 8th has the days that are left, of each invoice, and is outside the scope of VAT."""
    late.run(at(2, 12, month=7))
    final = {row[0] for row in lines(late)}
    assert final == {"0208", "0308", "0408"}
    for row in desk.sees("collections", "list", "--account", "BA-C-9"):
        for invoice in row["invoices"]:
            pays(late, desk, invoice)
    late.run(at(20, month=8))

    last = [row for row in lines(late) if row[0] == "0708"]
    assert {row[1:3] for row in last if row[1] < row[2]} == {("04-08", "07-03")}
    assert {row["category"] for row in late.app.reads.rows(LINES, "BA-C-9") if row["paper"] == "BA-C-9-20260708"} == {"O"}
    all_agrees(late, desk)


def test_what_is_paid_on_the_day_of_the_last_run_leaves_one_more_bill(world: World, desk: Desk) -> None:
    """A company's line has ended, and its bill that was late is paid in the morning of the last run: that day is late too, and the run has only the days before it.
    So the run's bill is not the final one, and the deposit is kept for the bill of that day, which is. The oracle freed it with the run."""
    world.scripted.will("credit", DEPOSIT)
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 60)
    loading.load_customers(world.app, world.written("company.jsonl", json.dumps(COMPANY)))
    world.take(order("WEB-1", line(term="1"), party="C-9"))
    world.run(at(5, 10))
    desk.types("payments", "deposit", "WEB-1", "--amount", "100.00", "--reference", "TFR-D")
    world.run(at(3, month=2))
    world.take(order("END", change(world, "WEB-1", action="delete"), party="C-9", on=at(3, month=2)))
    world.run(at(4, month=2))
    desk.types("fallout", "resolve", desk.finds("CR-DEPOSIT"), "--decide", "approve", "--reason", "leaves")
    world.run(at(8, 3, month=2))
    pays(world, desk, FIRST)
    world.run(at(9, month=2))
    assert finals(world) == [("0108", False), ("0208", False)]
    [row] = desk.sees("balance", "show", "BA-C-9")
    assert row["deposits_minor"] == 10_000
    pays(world, desk, "BA-C-9-20260208")
    all_agrees(world, desk)

    world.run(at(9, month=3))
    assert [line[:3] for line in lines(world) if line[0] == "0308"] == [("0308", "02-08", "02-09")]
    assert finals(world)[-1] == ("0308", True)
    [row] = desk.sees("balance", "show", "BA-C-9")
    assert row["deposits_minor"] == 0
    all_agrees(world, desk)


def finals(world: World) -> list[tuple[str, bool]]:
    """The bills of the company, and whether each says that it is the final one."""
    told = "SELECT body FROM o2c.event WHERE type = 'invoice.issued' AND body->>'account' = 'BA-C-9' ORDER BY position"
    return [(row["body"]["number"][-4:], row["body"]["final"]) for row in world.app.reads.rows(told)]
