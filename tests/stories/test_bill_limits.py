"""Limits of what a bill may come to: offered, set, told of, gone beyond by agreement only; what is beyond is charged to nobody, however late it comes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.limits import agree, set_limit
from o2c.kernel.refusal import Refused
from o2c.views.usage import show_limits
from tests.metered import BY, account_of, load, metered, number_of, rated, record, usage_lines
from tests.world import World

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    return metered(dsn, tmp_path)


def calls(world: World, *minutes: int, day: int = 20, first: int = 1) -> list[dict[str, Any]]:
    """Calls at ten pence a minute, one an hour."""
    me = number_of(world)
    return [
        record(f"call-{day}-{first + n}", me, start=f"2026-01-{day}T{first + n:02}:00:00Z", quantity=60 * length)
        for n, length in enumerate(minutes)
    ]


def stands(world: World, kind: str = "bill") -> dict[str, Any]:
    [row] = [dict(one) for one in show_limits(world.app, account_of(world)) if one["kind"] == kind]
    return row


def notices(world: World) -> list[tuple[str, int]]:
    rows = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'account.limit-noticed' ORDER BY position")
    return [(row["body"]["notice"], row["body"]["spent_minor"]) for row in rows]


def test_a_limit_is_offered_before_the_contract(world: World) -> None:
    """The event by which the account was opened, at validation, says so: Communications Act 2003, s. 124S."""
    assert stands(world)["offered_on"] == "2026-01-05"
    [opened] = world.app.reads.rows("SELECT body, position FROM o2c.event WHERE type = 'account.opened'")
    [planned] = world.app.reads.rows("SELECT position FROM o2c.event WHERE type = 'order.planned'")
    assert opened["body"]["limit_offered_on"] == "2026-01-05"
    assert opened["position"] <= planned["position"]


def test_one_is_told_at_eighty_percent_and_when_it_is_reached(world: World) -> None:
    """Each once in a period, with what was spent."""
    world.run(datetime(2026, 1, 10, tzinfo=UTC))
    set_limit(world.app, BY, account_of(world), amount="5.00")
    world.run(datetime(2026, 1, 21, tzinfo=UTC))
    load(world, *calls(world, 39))
    assert notices(world) == []
    load(world, *calls(world, 1, first=5))
    load(world, *calls(world, 1, first=6))
    assert notices(world) == [("bill-2026-01-08-80", 400)]
    load(world, *calls(world, 9, first=7))
    assert notices(world)[1:] == [("bill-2026-01-08-100", 500)]
    assert (stands(world)["notice"], stands(world)["agreed"]) == ("bill-2026-01-08-100", False)


def test_what_is_beyond_a_limit_is_not_chargeable(world: World) -> None:
    """Going on to use is no agreement: the bill stops at the limit, and its log says what it left out."""
    set_limit(world.app, BY, account_of(world), amount="5.00")
    world.run(datetime(2026, 1, 21, tzinfo=UTC))
    load(world, *calls(world, 50, 30))
    assert stands(world)["not_chargeable"] == 1
    world.run(MARCH)
    assert usage_lines(world) == [("2026-02-08", 500)]
    [line] = [line for body in rated(world) for line in body["lines"] if line["records"]]
    assert (line["quantity"], line["not_chargeable"], line["net_minor"]) == ("80", "30", 500)


def test_one_may_agree_to_go_beyond_after_a_notice(world: World) -> None:
    """From then on, for the rest of the period; what went beyond before stays uncharged, and the next period has its limit again."""
    account = account_of(world)
    set_limit(world.app, BY, account, amount="5.00")
    with pytest.raises(Refused, match="was given no notice"):
        agree(world.app, BY, account, notice="bill-2026-01-08-100")
    world.run(datetime(2026, 1, 20, 12, tzinfo=UTC))
    load(world, *calls(world, 50, 30))
    agree(world.app, BY, account, notice="bill-2026-01-08-100")
    world.run(datetime(2026, 1, 22, tzinfo=UTC))
    load(world, *calls(world, 10, day=21))
    assert stands(world)["agreed"]
    world.run(datetime(2026, 2, 9, tzinfo=UTC))
    assert usage_lines(world) == [("2026-02-08", 600)]
    with pytest.raises(Refused, match="which is over"):
        agree(world.app, BY, account, notice="bill-2026-01-08-100")
    assert not stands(world)["agreed"]


def test_a_limit_of_nothing_lets_nothing_be_charged(world: World) -> None:
    """0.00 is allowed; content of others is not counted."""
    set_limit(world.app, BY, account_of(world), amount="0")
    world.run(datetime(2026, 1, 21, tzinfo=UTC))
    load(world, *calls(world, 1))
    assert notices(world) == [("bill-2026-01-08-100", 0)]
    world.run(MARCH)
    assert usage_lines(world) == []


def test_a_limit_is_changed_and_lifted(world: World) -> None:
    """Each change is an event, the written confirmation of it; what stands so changes nothing."""
    account = account_of(world)
    positions = [set_limit(world.app, BY, account, amount=amount).unchanged for amount in ("5.00", "5.00", "7.50", "none")]
    assert positions == [False, True, False, False]
    assert stands(world)["amount_minor"] is None
    with pytest.raises(Refused):
        set_limit(world.app, BY, account, amount="-1")
    with pytest.raises(Refused):
        set_limit(world.app, BY, "BA-nobody", amount="1.00")


def test_a_late_roaming_record_cannot_break_the_limit_of_its_period(world: World) -> None:
    """The market's limit of what is used abroad, 45.00: forty are billed; a record of that period that comes after the bill is beyond it."""
    me = number_of(world)
    world.run(datetime(2026, 1, 21, tzinfo=UTC))
    load(world, record("r1", me, "roaming", quantity=40, unit="MB", country="FR"))
    assert notices(world) == [("roaming-2026-01-08-80", 4000)]
    world.run(datetime(2026, 2, 9, tzinfo=UTC))
    assert usage_lines(world) == [("2026-02-08", 4000)]
    late = record("r2", me, "roaming", start="2026-02-01T12:00:00Z", quantity=6, unit="MB", country="FR")
    within = record("r3", me, "roaming", start="2026-02-08T12:00:00Z", quantity=6, unit="MB", country="FR")
    assert load(world, late, within)["late"] == 1
    world.run(datetime(2026, 3, 9, tzinfo=UTC))
    assert usage_lines(world)[1:] == [("2026-03-08", 600)]
    line = [line for body in rated(world) for line in body["lines"] if line["records"]][-1]
    assert (line["quantity"], line["not_chargeable"], line["late"]) == ("12", "6", 1)
