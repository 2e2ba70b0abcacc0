"""Papers whose numbers an authority approves beforehand: a range runs low, is used up, and what waited goes out by itself once another is approved."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.act import Context
from o2c.desk.fallout import Fail, Retry
from o2c.desk.number_ranges import approve_range, close_range
from o2c.kernel.partner import RefusedBy
from o2c.plan import STEPS
from o2c.views.invoice_papers import invoice_html, show_paper
from o2c.views.number_ranges import list_ranges
from o2c.views.reading import caught_up
from tests.agreeing import disagreements
from tests.desk import Desk
from tests.stories.test_defects_in_rules import once
from tests.world import World, at, line, order, ported

ANN = Context("ann")
INVOICES = "SELECT body FROM o2c.event WHERE type = 'invoice.issued' ORDER BY body ->> 'legal_number'"


def invoices(world: World) -> list[dict[str, Any]]:
    return [row["body"] for row in world.app.reads.rows(INVOICES)]


def failed(world: World) -> list[str]:
    return [f"{check.name}: {check.detail}" for check in run_checks(world.app) if check.state == "failed"]


def test_a_range_is_used_up_and_another_is_approved(dsn: str, tmp_path: Path) -> None:
    """Three lines are billed on the 8th, and two numbers are left: the third run waits in a queue, and issues its invoice with a number of the next
    range as soon as that is approved, dated its first day. Nobody else is kept from anything."""
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


def test_a_credit_note_waits_for_a_number_and_goes_out_by_itself(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one number of credit notes is used for a courtesy. A line fails on the 20th: the days that it was not served are to be credited, and the note waits in the
    queue; so does one that Ann writes meanwhile. Ranges are approved, for a day to come: both are issued on that day, in their order, and nobody did anything.
    A defect as they are issued stops them as any step, and a retry makes it good. Three notes in a month are the pace at which the rest lasts."""
    raised: list[str] = []
    desk, world = Desk(dsn, tmp_path), World(dsn, tmp_path).stocked()
    monkeypatch.setitem(world.app.book.__dict__, "steps", {**STEPS, "credit-note": once(STEPS["credit-note"], raised)})
    approve = ("number-ranges", "approve", "--approval", "DEC-1", "--for", "credit-notes")
    desk.types(*approve, "1", "1", "--prefix", "NC-", "--from", "2026-01-01")
    world.scripted.will("cutover", RefusedBy("REFUSED"))
    world.take(order("WEB-1", ported()))
    world.run(at(20, 10))
    invoice = invoices(world)[0]["number"]
    desk.types("credit-notes", "issue", invoice, "--line", "1=0.50", "--reason", "goodwill")
    world.resolve(world.fallouts("WEB-1")[0]["reason"], Fail())
    world.run(at(21))
    [waits] = world.fallouts(reason="BIL-SERIES")
    assert (waits["step"], waits["queue"]) == ("credit-note", "payments")
    assert "waits for a number" in desk.types("credit-notes", "issue", invoice, "--line", "1=0.25", "--reason", "goodwill")
    assert notes_of(world) == ["NC-1"]

    desk.types(*approve, "10", "20", "--prefix", "ND-", "--from", "2026-01-25")
    world.run(at(24))
    assert notes_of(world) == ["NC-1"]
    world.run(at(26))
    assert (raised, notes_of(world)) == (["credit-note"], ["NC-1"])
    world.resolve("SYS-BUG", Retry())
    world.run(at(27))
    assert notes_of(world) == ["NC-1", "ND-10", "ND-11"]
    caught_up(world.app)
    assert (failed(world), world.fallouts()) == ([], [])
    assert [(row["papers"], row["state"], row["left"], row["days_left"]) for row in list_ranges(world.app)] == [
        ("credit-notes", "used-up", 0, None),
        ("credit-notes", "in-use", 9, 9 * 31 // 3),
    ]
    assert disagreements(desk.sees("events", "find")) == []
    assert "ND-10 to ND-20 approved by DEC-1" in invoice_html(world.app, invoice, note=f"{invoice}-C2")["content"]
    world.close()


def notes_of(world: World) -> list[str]:
    """The numbers of the credit notes, as they were issued."""
    told = "SELECT body ->> 'legal_number' AS number FROM o2c.event WHERE type = 'credit-note.issued' ORDER BY position"
    return [row["number"] for row in world.app.reads.rows(told)]
