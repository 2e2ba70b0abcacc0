"""Invoices whose numbers an authority approves beforehand: a range runs low, is used up, and what waited goes out once another is approved."""

from datetime import date
from pathlib import Path
from typing import Any

from o2c.checks.diagnose import run_checks
from o2c.desk.act import Context
from o2c.desk.fallout import Retry
from o2c.desk.number_ranges import approve_range, close_range
from o2c.views.invoice_papers import invoice_html, show_paper
from o2c.views.number_ranges import list_ranges
from o2c.views.reading import caught_up
from tests.desk import Desk
from tests.world import World, at, line, order

ANN = Context("ann")
INVOICES = "SELECT body FROM o2c.event WHERE type = 'invoice.issued' ORDER BY body ->> 'legal_number'"


def invoices(world: World) -> list[dict[str, Any]]:
    return [row["body"] for row in world.app.reads.rows(INVOICES)]


def failed(world: World) -> list[str]:
    return [f"{check.name}: {check.detail}" for check in run_checks(world.app) if check.state == "failed"]


def test_a_range_is_used_up_and_another_is_approved(dsn: str, tmp_path: Path) -> None:
    """Three lines are billed on the 8th, and two numbers are left: the third run waits in a queue, and issues its invoice with a number of the next
    range when it is tried again, dated its first day. Nobody else is kept from anything."""
    desk = Desk(dsn, tmp_path)
    world = World(dsn, tmp_path).stocked()
    desk.types(
        "number-ranges", "approve", "90001", "90002", "--prefix", "SETP", "--approval", "DEC-1", "--from", "2026-01-01", "--low-at", "1"
    )
    world.take(*(order(f"WEB-{n}", line(), party=f"C-{n}") for n in (1, 2, 3)))
    world.run(at(9))

    assert [one["legal_number"] for one in invoices(world)] == ["SETP90001", "SETP90002"]
    [waits] = world.fallouts(reason="BIL-SERIES")
    assert (waits["queue"], waits["waiting_for"], waits["step"]) == ("payments", "us", "bill-run")
    assert failed(world) == ["approved invoice numbers are left: GB1: 0 numbers left; approve another with `o2c number-ranges approve`"]
    [row] = list_ranges(world.app)
    assert (row["state"], row["taken"], row["left"], row["next"]) == ("used-up", 2, 0, "")
    world.resolve("BIL-SERIES", Retry())
    world.run(at(10))
    assert len(world.fallouts(reason="BIL-SERIES")) == 1

    approve_range(world.app, ANN, 1, 500, prefix="SETQ-", approval="DEC-2", valid_from=date(2026, 1, 10))
    world.resolve("BIL-SERIES", Retry())
    world.run(at(11))
    third = invoices(world)[-1]
    assert (third["legal_number"], third["issued_on"], third["tax_point"]) == ("SETQ-001", "2026-01-10", "2026-01-08")
    assert third["number_range"]["approval"] == "DEC-2"
    assert "SETQ-001 to SETQ-500 approved by DEC-2 from 2026-01-10 on" in invoice_html(world.app, third["number"])["content"]
    assert show_paper(world.app, "SETQ-001")["invoice"] == third["number"]
    caught_up(world.app)
    assert (failed(world), world.fallouts()) == ([], [])
    told = desk.types("number-ranges", "list")
    assert all(word in told for word in ("SETP90001", "used-up", "SETQ-001", "in-use", "499"))

    close_range(world.app, ANN, "SETQ-001")
    assert close_range(world.app, ANN, "SETQ-001").unchanged
    assert [row["state"] for row in list_ranges(world.app)] == ["used-up", "closed"]
    world.close()
