"""A service that is ended for a debt, over months: its final bill, its number's rest, its SIM, and what assurance and the oracle say."""

from pathlib import Path
from typing import Any

import pytest

from o2c.checks.assurance import check_assurance
from o2c.checks.conformance import check_conformance
from o2c.checks.diagnose import run_checks
from o2c.kernel.partner import RefusedBy
from o2c.views.invoice_papers import show_paper
from o2c.views.ledger import trial_balance
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from o2c.views.usage import show_allowances
from tests.agreeing import books_of, disagreements, standing, sums
from tests.desk import Desk
from tests.metered import account_of, load, metered, number_of, record, usage_lines
from tests.world import World, at

LAST = "SELECT body FROM o2c.event WHERE type = %s ORDER BY position DESC LIMIT 1"


def last(world: World, name: str) -> dict[str, Any]:
    """The last event of a type."""
    [row] = world.app.reads.rows(LAST, name)
    return dict(row["body"])


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A metered line whose card is declined for good: first billed on 8 January, due on the 22nd, ended sixty days later, on 23 March."""
    made = metered(dsn, tmp_path)
    made.scripted.will("payment", *[RefusedBy("DECLINED")] * 30)
    return made


@pytest.fixture
def ended(world: World) -> World:
    """It was used on 12 March, between the bill of the 8th and its end; the file with that came on 1 April. Now it is the middle of April."""
    world.run(at(1, month=4))
    load(world, record("1", number_of(world), start="2026-03-12T12:00:00Z", quantity=600))
    return world.run(at(15, month=4))


def test_what_was_used_until_the_end_is_on_the_final_bill(ended: World) -> None:
    """Ten minutes at 0.10: the run that stood, of 8 April, bills them, says that it is the last, and none follows."""
    assert usage_lines(ended) == [("2026-04-08", 100)]
    issued = last(ended, "invoice.issued")
    assert ([line["kind"] for line in issued["lines"]], issued["final"]) == (["usage"], True)
    assert last(ended, "account.billed")["final"]
    assert show_paper(ended.app, issued["number"])["final"]
    assert ended.run(at(1, month=8)).types(f"account-{account_of(ended)}").count("account.billed") == 4


def test_usage_that_comes_after_the_final_bill_is_on_a_further_one(ended: World) -> None:
    """Five minutes of 13 March, sent on 15 April: a run of 8 May bills them, and is the last again. Assurance and the oracle agree."""
    load(ended, record("2", number_of(ended), start="2026-03-13T12:00:00Z", quantity=300))
    ended.run(at(1, month=6))
    assert usage_lines(ended) == [("2026-04-08", 100), ("2026-05-08", 50)]
    assert last(ended, "account.late-usage-reported")["records"] == 1
    assert (last(ended, "invoice.issued")["final"], last(ended, "account.billed")["final"]) == (True, True)
    load(ended, record("3", number_of(ended), start="2026-03-14T12:00:00Z", quantity=60))
    ended.run(at(1, month=8))
    assert usage_lines(ended)[2:] == [("2026-06-08", 10)]
    assert check_assurance(ended.app) == []
    assert disagreements(map(dict, order_timeline(ended.app, "ONE"))) == []


def test_usage_that_comes_too_late_is_recorded_as_not_chargeable(ended: World) -> None:
    """More than ninety days after the final bill: on no bill, said once, and not asked for again by what comes even later."""
    ended.run(at(8, month=7))
    load(ended, record("2", number_of(ended), start="2026-03-13T12:00:00Z", quantity=300))
    told = last(ended, "account.usage-waived")
    assert (told["records"], told["days"], told["came_on"]) == (1, 90, "2026-07-08")
    load(ended, record("2", number_of(ended), start="2026-03-13T12:00:00Z", quantity=300), name="again.jsonl")
    load(ended, record("3", number_of(ended), start="2026-03-14T12:00:00Z", quantity=300))
    assert last(ended, "account.usage-waived")["records"] == 1
    assert ended.run(at(1, month=10)).types(f"account-{account_of(ended)}").count("account.usage-waived") == 2
    assert usage_lines(ended) == [("2026-04-08", 100)]


def test_nothing_is_left_of_what_it_included(ended: World) -> None:
    """Who asks is told zeros, and not that there is no such account."""
    [row] = show_allowances(ended.app, account_of(ended))
    assert (row["allowance"], row["left"], row["ends"]) == ("50 messages", "0", "2026-03-23")


def test_its_paper_says_final(ended: World, desk: Desk) -> None:
    """In its title, and no other paper does."""
    number = last(ended, "invoice.issued")["number"]
    for invoice, title in ((number, "Final invoice"), (f"{account_of(ended)}-20260308", "Invoice")):
        assert f"<h1>{title} GB1-INV" in desk.types("invoices", "html", invoice)


def test_its_number_rests_and_its_sim_is_scrapped(ended: World) -> None:
    """Asked for on the day of the end; the order stays completed, and in the last days of the rest nobody else has the number."""
    quarantined = last(ended, "number.quarantined")
    assert (quarantined["msisdn"], quarantined["use"], quarantined["due_at"][:10]) == (number_of(ended), "in-use", "2026-04-23")
    assert last(ended, "sim.scrapped")["cause"] == "used"
    assert last(ended, "item.ceased") == {"item": "1", "ended_on": "2026-03-23", "steps": ["sim", "number", "activation"]}
    assert ended.state("ONE") == "completed"
    ended.run(at(24, month=4))
    assert last(ended, "number.rested")["msisdn"] == number_of(ended)


def test_all_that_checks_is_content(ended: World) -> None:
    """Assurance, conformance, diagnose, the books, and both oracles, which read the timeline alone."""
    assert check_assurance(ended.app) == []
    assert [kept.rule for kept in check_conformance(ended.app) if kept.row()["violations"]] == []
    assert [check for check in run_checks(ended.app) if check.state == "failed"] == []
    timeline = list(order_timeline(ended.app, "ONE"))
    assert disagreements(map(dict, timeline)) == []
    caught_up(ended.app)
    told = trial_balance(ended.app)
    assert [row for row in told["compared"] if row["difference_minor"]] == []
    [account] = books_of(timeline).values()
    assert standing(account)["open"] > 0


def test_a_bad_debt_over_a_year(ended: World, desk: Desk) -> None:
    """Ninety days after each bill was due it is placed and written off; six months after it its tax is claimed back; what comes then is a recovery.

    The books agree with the invoices, and the oracle with both, at each of these times; nothing but the first warning ever barred.
    """
    account = account_of(ended)
    for until, standing_as in ((at(23, month=4), "written-off"), (at(30, month=7), "written-off")):
        ended.run(until)
        first = show_paper(ended.app, f"{account}-20260108")
        assert (first["state"], first["open_minor"]) == (standing_as, 0)
        agreed(ended)
    assert last(ended, "collections.debt-placed")["agency"] == "Example Collections Ltd"
    told = ended.app.reads.rows("SELECT type FROM o2c.event WHERE stream = %s ORDER BY version", f"invoice-{account}-20260108")
    assert [row["type"] for row in told if row["type"].startswith("invoice.")][-3:] == [
        "invoice.written-off", "invoice.relief-requested", "invoice.tax-relieved",
    ]  # fmt: skip

    total = first["total_minor"]
    desk.types("payments", "record", f"{account}-20260108", "--amount", f"{total / 100:.2f}", "--reference", "AGENCY-1")
    ended.run(at(1, month=8))
    assert show_paper(ended.app, f"{account}-20260108")["state"] == "paid"
    agreed(ended)
    assert check_assurance(ended.app) == []
    assert [kept.rule for kept in check_conformance(ended.app) if kept.row()["violations"]] == []


def agreed(world: World) -> None:
    """The books are the projections', nothing is wrong with the store, and the oracle has every balance of the chart."""
    caught_up(world.app)
    told = trial_balance(world.app)
    assert [row for row in told["compared"] if row["difference_minor"]] == []
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    day = world.app.clock().now.date()
    stand = {row["ledger_account"]: row["balance_minor"] for row in told["accounts"] if row["balance_minor"]}
    assert sums(books_of(list(order_timeline(world.app, "ONE"))).values(), day) == stand
