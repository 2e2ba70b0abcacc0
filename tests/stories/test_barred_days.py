"""Whether days on which a line is barred are charged: what bills and notes say by each policy of the market, held against the oracle and assurance."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.kernel.partner import RefusedBy
from o2c.markets import registry
from o2c.markets.gb import GB
from tests.agreeing import disagreements
from tests.balances import unlike_the_books
from tests.desk import Desk
from tests.world import World, at, line, order

ACCOUNT = "BA-C-1"
LINES = """SELECT e.body->>'issued_on' AS day, l->>'from_day' AS from_day, l->>'to_day' AS to_day, (l->>'net_minor')::int AS net_minor
FROM o2c.event e, jsonb_array_elements(e.body->'lines') l WHERE e.type = %s AND l->>'kind' IS DISTINCT FROM 'one-time' ORDER BY e.position"""
FIRST = [("01-08", "01-05", "01-08", 179), ("01-08", "01-08", "02-08", 1850)]
BILLED = ("02-08", "02-08", "03-08", 1850)


def lines(world: World, kind: str) -> list[tuple[str, str, str, int]]:
    rows = world.app.reads.rows(LINES, kind)
    return [(row["day"][5:], row["from_day"][5:], row["to_day"][5:], row["net_minor"]) for row in rows]


def barred(world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch, policy: Mapping[str, Any]) -> None:
    """A soft bar from the 8th of February on, a hard one from the 21st; all is paid on the 25th, and a bill comes on the 8th of March."""
    rules = replace(GB.collections, while_barred=policy)
    monkeypatch.setitem(registry._BY_PIN, GB.pin, replace(GB, collections=rules))
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 20)
    world.take(order("WEB-1", line()))
    world.run(at(25, 12, month=2))
    for invoice in [name for row in desk.sees("collections", "list") for name in row["invoices"]]:
        total = desk.sees("payments", "show", invoice)["open_minor"]
        desk.types("payments", "record", invoice, "--amount", f"{total / 100:.2f}", "--reference", f"TFR-{invoice}")
    world.run(at(9, month=3))


@pytest.mark.parametrize(
    ("policy", "march", "credited"),
    [
        ({"soft": "charged", "hard": "charged"}, [("03-08", "03-08", "04-08", 1850)], []),
        ({"soft": "charged", "hard": "not-charged"}, [("03-08", "03-08", "04-08", 1850)], []),
        (
            {"soft": "charged", "hard": "credited"},
            [("03-08", "02-25", "03-08", 727), ("03-08", "03-08", "04-08", 1850)],
            [("02-21", "02-21", "03-08", 991)],
        ),
        (
            {"soft": "credited", "hard": "credited"},
            [("03-08", "02-25", "03-08", 727), ("03-08", "03-08", "04-08", 1850)],
            [("02-08", "02-08", "03-08", 1850)],
        ),
        (
            {"soft": "not-charged", "hard": "credited"},
            [("03-08", "02-25", "03-08", 727), ("03-08", "03-08", "04-08", 1850)],
            [("02-21", "02-21", "03-08", 991)],
        ),
        (
            {"soft": "credited", "hard": "charged"},
            [("03-08", "02-21", "03-08", 991), ("03-08", "03-08", "04-08", 1850)],
            [("02-08", "02-08", "03-08", 1850)],
        ),
    ],
)  # fmt: skip
def test_barred_days_are_charged_as_the_market_says(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch, policy: Mapping[str, Any], march: list[Any], credited: list[Any]
) -> None:
    """Billing facts, section 6.4, lesson 9: the block pauses the price from its date, or does not; each day is credited once, and charged once where it was served."""
    barred(world, desk, monkeypatch, policy)
    assert lines(world, "invoice.issued") == [*FIRST, BILLED, *march]
    assert lines(world, "credit-note.issued") == credited
    assert disagreements(desk.sees("events", "find")) == []
    assert check_assurance(world.app) == []
    assert [kept.rule for kept in check_conformance(world.app) if kept.broken] == []
    assert unlike_the_books(world.app) == []


@pytest.mark.parametrize("policy", ["charged", "not-charged", "credited"])
def test_a_line_that_is_barred_over_a_bill_and_ended(world: World, monkeypatch: pytest.MonkeyPatch, policy: str) -> None:
    """Barred from the 8th of February until the network ends it on the 23rd of March: no bill of after the bar charges a day, and what was billed of it is credited once."""
    monkeypatch.setitem(
        registry._BY_PIN, GB.pin, replace(GB, collections=replace(GB.collections, while_barred={"soft": policy, "hard": policy}))
    )
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 20)
    world.take(order("WEB-1", line()))
    world.run(at(20, month=5))
    march = [("03-08", "03-08", "04-08", 1850)] if policy == "charged" else []
    assert lines(world, "invoice.issued") == [*FIRST, BILLED, *march]
    notes = {"charged": [("03-23", "03-23", "04-08", 955)], "not-charged": [], "credited": [("02-08", "02-08", "03-08", 1850)]}
    assert lines(world, "credit-note.issued") == notes[policy]
    assert check_assurance(world.app) == []
