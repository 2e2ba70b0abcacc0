"""Invented months through the whole engine: the bad release falls out on its days, new prices hold from theirs, and every rule is kept."""

import json
from pathlib import Path

from o2c.checks.conformance import check_conformance
from o2c.partners.registry import simulated_partners
from o2c.simulation.launch_data import LINE, NEWCOMER
from o2c.simulation.months import PRICE_CHANGES, WRONG_TERM, Story, write_months
from tests.shell import run_here
from tests.world import World, at

ORDERS, STORY = 160, Story(3)

FELL_OUT = """SELECT c.body ->> 'external_id' AS external_id, c.occurred_at AS at FROM o2c.event f JOIN o2c.event c USING (stream)
WHERE f.type = 'validation.fell-out' AND f.body ->> 'reason' = 'DQ-OFFER' AND f.body ->> 'detail' LIKE 'commitmentMonths%%' AND c.type = 'order.captured'"""
"""The orders that fell out because of their commitment, and when they were captured."""

PRICED = """SELECT c.occurred_at AS at, i ->> 'offering' AS offering, (i ->> 'recurring_minor')::int AS monthly FROM o2c.event p
JOIN o2c.event c USING (stream), jsonb_array_elements(p.body -> 'items') i WHERE p.type = 'order.planned' AND c.type = 'order.captured'"""
"""Of each planned item, when its order was captured, its offering and its monthly price in minor units."""


def test_months_go_from_their_files_to_bills(dsn: str, tmp_path: Path) -> None:
    """Taken in and run as a launch is: what the release spoiled is what falls out for its commitment, prices are pinned by the day of the order."""
    files = write_months(tmp_path, count=ORDERS, seed=5, months=3)
    world = World(dsn, tmp_path, simulated_partners(5)).launched(files)
    counts = world.take_file(files.orders)
    world.run(at(12, month=4))

    wrong = {
        order["externalId"] for text in files.orders.read_text().splitlines() if f'"{WRONG_TERM}"' in text for order in [json.loads(text)]
    }
    fell = world.app.reads.rows(FELL_OUT)
    assert counts.lines == ORDERS
    assert len(wrong) >= 3
    assert {row["external_id"] for row in fell} == wrong
    assert all(STORY.bad_from <= row["at"] < STORY.repaired_at for row in fell)
    priced = world.app.reads.rows(PRICED)
    lines = {(row["at"].date() >= STORY.price_change_on, row["monthly"]) for row in priced if row["offering"] == LINE.id}
    assert lines == {(False, LINE.monthly_minor), (True, PRICE_CHANGES[LINE.id])}
    assert {row["at"].date() >= STORY.newcomer_on for row in priced if row["offering"] == NEWCOMER.id} == {True}
    assert [kept.row() for kept in check_conformance(world.app) if kept.broken] == []
    world.close()


def test_the_command_says_what_happens_when(tmp_path: Path) -> None:
    """The days are told, so that a figure can be read; without the option the same command writes the launch that it always did."""
    said = json.loads(
        run_here({"O2C_HOME": str(tmp_path)}, *f"simulate orders --count 30 --months 9 --out {tmp_path}/m -o json".split()).stdout
    )
    five_weeks = json.loads(run_here({"O2C_HOME": str(tmp_path)}, *f"simulate orders --count 30 --out {tmp_path}/l -o json".split()).stdout)

    assert {name: said[name] for name in ("newcomer_on", "price_change_on", "bad_from", "repaired_at", "ends_on")} == {
        "newcomer_on": "2026-04-01",
        "price_change_on": "2026-06-01",
        "bad_from": "2026-08-11T06:00:00+00:00",
        "repaired_at": "2026-08-16T14:00:00+00:00",
        "ends_on": "2026-10-01",
    }
    assert set(five_weeks) == {"folder", "orders", "sims_later_at"}
    assert five_weeks["sims_later_at"] == "2026-02-02T08:00:00+00:00"
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == sorted(path.name for path in (tmp_path / "l").iterdir())
