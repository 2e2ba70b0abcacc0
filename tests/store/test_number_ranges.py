"""Ranges of invoice numbers with an end, taken by many at once: the last number is given once, what comes after it is of the next range, or of none."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest

from o2c import plan
from o2c.checks.diagnose import run_checks
from o2c.engine import app as engine
from o2c.engine.app import Engine
from o2c.engine.asking import Asking
from o2c.engine.attending import Attending
from o2c.engine.drafts import Command
from o2c.invoicing import ranges
from o2c.invoicing.range_events import RANGES
from o2c.invoicing.state import ACCOUNT
from o2c.kernel.carry import Carried, happened
from o2c.kernel.charges import ChargeStarted, account_stream
from o2c.kernel.decision import just
from o2c.kernel.identifiers import derived_id
from tests.given import BOOK
from tests.rules.test_number_ranges import numbers
from tests.store.writing import NOON, verdicts

ACCOUNTS, WORKERS, AT_ONCE = 50, 4, 4
NINTH = datetime(2026, 1, 9, tzinfo=UTC)
GIVEN = "SELECT body ->> 'series' AS series, body ->> 'legal_number' AS number FROM o2c.event WHERE type = 'invoice.issued' ORDER BY 2"
TYPES = "SELECT type, body ->> 'range' AS of FROM o2c.event WHERE stream = 'ranges-main' AND type <> 'ranges.approved' ORDER BY position"
FELL = "SELECT body ->> 'reason' AS reason FROM o2c.event WHERE type = 'account.bill-run-fell-out'"


def approve(app: Engine, first: int, last: int) -> None:
    """A range of GB1's invoices is approved."""
    seen = app.load([RANGES])
    decision = ranges.approve(seen[RANGES].state, numbers(first, last, low_at=min(2, last - first)), low_days=30)
    told = happened(RANGES, decision, NOON)
    assert verdicts(app.write([Command(derived_id("range", str(first)), RANGES, told, seen, "ann", "desk")])) == ["appended"]


@pytest.fixture
def billing(taking: Engine) -> Engine:
    """Fifty accounts that are billed on the 8th, each for one line."""
    if taking.reads.clock() is None:
        taking.create_clock(kind="simulated")
    commands = []
    for n in range(ACCOUNTS):
        stream = account_stream(f"BA-{n}")
        charge = {**ChargeStarted.example, "account": f"BA-{n}", "starts_on": "2026-01-05"}
        carried = Carried(ACCOUNT, stream, ACCOUNT.initial(stream))
        carried.carry(just(ChargeStarted.model_validate(charge)), NOON, BOOK, None)
        commands.append(Command(derived_id("charge", stream), stream, tuple(carried.happened), {}, "test", "web"))
    assert verdicts(taking.write(commands)) == ["appended"] * ACCOUNTS
    return taking


def bill_all(dsn: str) -> None:
    """Several processes' worth of workers bill what is due, a few accounts at a time, side by side."""
    ready = threading.Barrier(WORKERS)

    def work() -> None:
        with closing(Engine(dsn, plan.KINDS)) as app:
            attending = Attending(app, Asking({}), seed=0, simulated=True)
            ready.wait()
            while rows := app.reads.lease(NINTH, AT_ONCE, 60):
                attending.attend(rows, round_=0)

    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(work) for _ in range(WORKERS)]:
            done.result()


def test_fifty_at_once_across_the_end_of_a_range(billing: Engine) -> None:
    """Twenty numbers, then fifteen of the next range, then none: 35 invoices bear them all, each once, and fifteen runs wait; no worker stops.

    Source: billing facts, section 6.4.8; Kill Bill #1958.
    """
    approve(billing, 1, 20)
    approve(billing, 101, 115)
    bill_all(billing.dsn)

    given = [row["number"] for row in billing.reads.rows(GIVEN)]
    assert given == sorted([*(f"SETP-{n:02d}" for n in range(1, 21)), *(f"SETP-{n}" for n in range(101, 116))])
    told = [(row["type"], row["of"]) for row in billing.reads.rows(TYPES)]
    assert told == [(f"ranges.{what}", of) for of in ("SETP-01", "SETP-101") for what in ("low-noticed", "used-up")]
    fell = [row["reason"] for row in billing.reads.rows(FELL)]
    assert fell == ["BIL-SERIES"] * 15
    [check] = [check for check in run_checks(billing) if check.name == "series have no gap"]
    assert (check.state, check.detail) == ("ok", "35 numbers")


def test_who_does_not_look_for_the_end_gives_numbers_beyond_it(billing: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the look at the end of a range, invoices bear numbers that nobody approved, and diagnose says so."""
    monkeypatch.setattr(engine, "beyond", lambda command: False)
    approve(billing, 1, 20)
    with closing(Engine(billing.dsn, plan.KINDS)) as app:
        Attending(app, Asking({}), seed=0, simulated=True).attend(app.reads.lease(NINTH, ACCOUNTS, 60), round_=0)

    assert "SETP-21" in [row["number"] for row in billing.reads.rows(GIVEN)]
    [check] = [check for check in run_checks(billing) if check.name == "series have no gap"]
    assert check.state == "failed"
    assert check.detail.startswith("SETP-01 has 20 approved numbers, and papers up to number ")
