"""A number that was brought in and whose line ended: it rests for its customer, goes back to the holder of its range, and may be brought in again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.desk.fallout import Decide, Fail, Retry
from o2c.desk.numbers import reserve
from o2c.engine.app import Context
from o2c.kernel.partner import RefusedBy
from o2c.plan import STEPS
from o2c.views.numbers import show_number
from projections.engine import operations as engine
from tests.histories import differing
from tests.world import World, at, line, order, ported

BROUGHT = "+447700900123"


@pytest.fixture
def world(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A line that served for a week under the number it brought, was never charged for, and ended on Monday 12 January."""
    made = World(dsn, tmp_path).stocked()

    def defect(*arguments: Any) -> Any:
        raise ValueError("no account takes it")

    made.take(order("WEB-1", ported()))
    with monkeypatch.context() as patched:
        patched.setitem(made.app.book.__dict__, "steps", {**STEPS, "charging": replace(STEPS["charging"], complete=defect)})
        made.run(at(12, 9))
    assert made.outcome("WEB-1", "1", "number-change")["msisdn"] == BROUGHT
    made.resolve("SYS-BUG", Fail())
    assert holders(made) == ["number", "port-in"], "it is on at the network, which is asked to switch it off"
    made.run(at(12, 9, 5))
    yield made
    engine.catch_up(dsn)
    assert differing(dsn) == []
    assert [check for check in run_checks(made.app) if check.state == "failed"] == []
    made.close()


def holders(world: World) -> list[str]:
    """The guards of the number, while every check is content."""
    engine.catch_up(world.app.dsn)
    assert [check for check in run_checks(world.app) if check.state == "failed"] == []
    return guards(world)


def guards(world: World) -> list[str]:
    return [row["kind"] for row in world.app.reads.rows("SELECT kind FROM o2c.guard WHERE key = %s ORDER BY 1", BROUGHT)]


def test_it_rests_and_then_goes_back(world: World) -> None:
    """The market's month, in which nobody else may bring it in; then it is not ours, is on offer to nobody, and another order may bring it."""
    assert (world.state("WEB-1"), guards(world), world.scripted.asked("porting-cancel")) == ("failed", [], [])
    shown = show_number(world.app, BROUGHT)
    assert (shown["state"], shown["rests_until"], shown["may_be_claimed_by"]) == ("quarantined", "2026-02-12T09:02:00Z", "C-1")
    assert shown["then"] == "back to the holder of its range"
    world.take(order("WEB-2", ported(), party="C-2", on=at(20)))
    world.run(at(21))
    assert [row["reason"] for row in world.fallouts("WEB-2")] == ["NP-NOTPORT"]

    world.run(at(13, month=2))
    assert (show_number(world.app, BROUGHT)["state"], world.types(f"number-{BROUGHT}")[-1]) == ("returned", "number.returned")
    assert world.app.reads.rows("SELECT key FROM o2c.pool WHERE key = %s", BROUGHT) == []
    world.resolve("NP-NOTPORT", Retry())
    world.run(at(13, month=2) + timedelta(days=7))
    assert (world.state("WEB-2"), show_number(world.app, BROUGHT)["state"]) == ("completed", "ported_in")
    assert guards(world) == ["number", "port-in"]


def test_its_customer_may_have_it_back_meanwhile(world: World) -> None:
    """For another line of theirs; it stays a number that is not ours to give."""
    world.scripted.will("identity", RefusedBy("REFER"))
    world.take(order("WEB-3", line(), on=at(20)))
    world.run(at(20, 1))
    reserve(world.app, Context("ann"), BROUGHT, "WEB-3", until=at(25))
    world.resolve("KYC-DOC", Decide(approve=True))
    world.run(at(1, month=3))
    assert (world.state("WEB-3"), world.outcome("WEB-3", "1", "number")["msisdn"]) == ("completed", BROUGHT)
    assert world.app.load_one(f"number-{BROUGHT}").state.brought_in
