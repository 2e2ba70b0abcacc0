"""A business that pays late over months: what the law lets the operator ask of it stands in the list of collections, and nothing of it for a person."""

import json
from typing import Any

import pytest

from o2c.files import loading
from o2c.kernel.partner import RefusedBy
from tests.desk import Desk
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
