"""Prepaid lines whose usage comes without a session, in a file or late: the balance pays when it comes, as for a session, and never falls below zero."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.prepaid import top_up
from o2c.desk.quota import commit, reserve
from o2c.files.usage import take_usage
from o2c.kernel.partner import RefusedBy
from o2c.views.ledger import trial_balance
from o2c.views.prepaid import show_prepaid
from o2c.views.reading import caught_up
from tests.agreeing import books_of, sums
from tests.metered import BY, MONTHLY, account_of, choice, included, load, metered, metered_line, number_of, record, usage, usage_lines
from tests.world import World, order

PREPAID = choice("prepaid", "true")
PRICES = (MONTHLY, usage("Messages", "sms", "message", "0.05", PREPAID), included("Ten messages", "sms", "message", "10"))
TIMELINE = (
    "SELECT position, stream, type, actor, occurred_at::text, body || coalesce(personal, '{}') AS data FROM o2c.event ORDER BY position"
)
CHARGED = "SELECT stream, body FROM o2c.event WHERE type = 'prepaid.usage-charged' ORDER BY position"


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line with ten messages a month; more cost five pence each and tax of 20 %, out of a balance that is topped up. It is 20 January, past noon."""
    return metered(dsn, tmp_path, *PRICES).run(datetime(2026, 1, 20, 15, tzinfo=UTC))


def messages(world: World, key: str, quantity: int, **more: Any) -> None:
    """A file with a record of messages of the line."""
    load(world, record(key, number_of(world), "sms", quantity=quantity, **more), name=f"{key}.jsonl")


def topped_up(world: World, amount: str, reference: str, account: str = "") -> None:
    top_up(world.app, BY, account or account_of(world), amount=amount, reference=reference)


def balance(world: World, account: str = "") -> int:
    return show_prepaid(world.app, account or account_of(world))["balance_minor"]


def charged(world: World) -> list[tuple[str, int, int]]:
    """What was charged for records: the first day of the period, what the balance paid, and what it could not."""
    rows = [row["body"] for row in world.app.reads.rows(CHARGED)]
    return [(body["period_from"], body["charged_minor"], body["uncharged_minor"]) for body in rows]


def agreed(world: World, day: date) -> None:
    """The books are the projections', and the oracle has every balance of the chart."""
    caught_up(world.app)
    told = trial_balance(world.app)
    assert [one for one in told["compared"] if one["difference_minor"]] == []
    stand = {row["ledger_account"]: row["balance_minor"] for row in told["accounts"] if row["balance_minor"]}
    assert sums(books_of(world.app.reads.rows(TIMELINE)).values(), day) == stand


def test_a_record_of_a_file_is_charged_when_it_comes(world: World) -> None:
    """Sixteen messages, ten of them included: six at 5 pence and 20 % tax are 36 pence, once, however often the file is sent; and no bill has them."""
    topped_up(world, "1.00", "P-1")
    for _ in range(2):
        messages(world, "1", 16)
        assert (charged(world), balance(world)) == ([("2026-01-08", 36, 0)], 64)
    agreed(world, date(2026, 1, 20))
    world.run(datetime(2026, 2, 9, tzinfo=UTC))
    assert (usage_lines(world), balance(world)) == ([], 64)
    agreed(world, date(2026, 2, 9))


def test_a_line_that_is_billed_has_nothing_to_pay_in_advance(dsn: str, tmp_path: Path) -> None:
    """The control: the same record under a price that is not prepaid leaves the balance alone."""
    world = metered(dsn, tmp_path, MONTHLY, usage("Messages", "sms", "message", "0.05")).run(datetime(2026, 1, 20, 15, tzinfo=UTC))
    topped_up(world, "1.00", "P-1")
    messages(world, "1", 16)
    assert (charged(world), balance(world)) == ([], 100)


def test_what_the_balance_cannot_pay_is_said_and_is_no_debt(world: World) -> None:
    """Two messages are paid of four; what is left is said once, and taken from what comes next in the period."""
    topped_up(world, "0.12", "P-1")
    messages(world, "1", 14)
    messages(world, "1", 14)
    assert (charged(world), balance(world)) == ([("2026-01-08", 12, 12)], 0)
    topped_up(world, "1.00", "P-2")
    messages(world, "2", 1)
    assert (charged(world)[1:], balance(world)) == ([("2026-01-08", 18, 0)], 82)
    agreed(world, date(2026, 1, 20))


def test_without_any_top_up_it_is_recorded_that_nothing_was_paid(world: World) -> None:
    """Of what is included nothing is to be paid, and nothing is said."""
    messages(world, "1", 10)
    assert charged(world) == []
    assert take_usage(world.app, BY, b'{"party":"%s","kind":"sms","start":"2026-01-20T13:00:00Z","quantity":2}' % number_of(world).encode())
    assert (charged(world), balance(world)) == ([("2026-01-08", 0, 12)], 0)
    world.run(datetime(2026, 2, 9, tzinfo=UTC))
    assert usage_lines(world) == []


def test_sessions_and_files_pay_for_each_record_once(world: World) -> None:
    """A session, its own record from the network, a record beside it, and a session after it: sixteen messages beyond those included."""
    topped_up(world, "2.00", "P-1")
    me, account = number_of(world), account_of(world)
    reserve(world.app, BY, me, session="s-1", kind="sms", quantity=12)
    assert commit(world.app, BY, account, session="s-1", used=12, request=1, source="msc-1")["charged_minor"] == 12
    load(world, record("s-1", me, "sms", start="2026-01-20T15:00:00Z", quantity=12))
    assert charged(world) == []
    messages(world, "2", 10)
    reserve(world.app, BY, me, session="s-2", kind="sms", quantity=4)
    assert commit(world.app, BY, account, session="s-2", used=4, request=1)["charged_minor"] == 24
    assert (charged(world), balance(world)) == ([("2026-01-08", 60, 0)], 200 - 96)
    agreed(world, date(2026, 1, 20))


def test_a_late_record_is_charged_in_the_period_in_which_it_comes(world: World) -> None:
    """Used in January, told in February, after the bill that would have had it."""
    topped_up(world, "1.00", "P-1")
    world.run(datetime(2026, 2, 10, tzinfo=UTC))
    messages(world, "1", 3)
    assert (charged(world), balance(world)) == ([("2026-02-08", 18, 0)], 82)


def test_between_midnight_and_the_bill_run_both_periods_are_charged(world: World) -> None:
    """A file in the night before the run has messages of the day before and of the new day: each in its own period, and the run charges nothing again."""
    topped_up(world, "2.00", "P-1")
    messages(world, "0", 11)
    world.run(datetime(2026, 2, 8, 3, tzinfo=UTC))
    load(
        world,
        record("1", number_of(world), "sms", start="2026-02-07T20:00:00Z", quantity=2),
        record("2", number_of(world), "sms", start="2026-02-08T01:00:00Z", quantity=11),
    )
    assert charged(world) == [("2026-01-08", 6, 0), ("2026-01-08", 12, 0), ("2026-02-08", 6, 0)]
    world.run(datetime(2026, 2, 8, 12, tzinfo=UTC))
    messages(world, "3", 1, start="2026-02-08T11:00:00Z")
    assert (charged(world)[3:], balance(world)) == ([("2026-02-08", 6, 0)], 200 - 30)
    assert usage_lines(world) == []
    agreed(world, date(2026, 2, 8))


def test_a_record_that_waited_is_charged_when_it_is_somebodys(world: World) -> None:
    """It names an account before anything is charged to it; that account's first bill run, on 1 February, looks at it again."""
    other = account_of(world).replace("C-1", "C-2")
    load(world, record("1", other, "sms", start="2026-01-29T10:00:00Z", quantity=12))
    world.take(order("TWO", metered_line(), party="C-2", on=datetime(2026, 1, 26, 9, tzinfo=UTC)))
    world.run(datetime(2026, 1, 30, tzinfo=UTC))
    topped_up(world, "1.00", "P-1", other)
    assert charged(world) == []
    world.run(datetime(2026, 2, 3, tzinfo=UTC))
    assert (charged(world), balance(world, other)) == ([("2026-01-01", 12, 0)], 88)
    world.run(datetime(2026, 2, 9, tzinfo=UTC))
    assert usage_lines(world) == []


def test_what_comes_after_the_end_of_its_line_is_charged_as_well(dsn: str, tmp_path: Path) -> None:
    """The line was ended for a debt on 23 March and had its final bill on 8 April; a record of 12 March comes on the 15th."""
    world = metered(dsn, tmp_path, *PRICES)
    world.scripted.will("payment", *[RefusedBy("DECLINED")] * 30)
    world.run(datetime(2026, 4, 15, tzinfo=UTC))
    topped_up(world, "1.00", "P-1")
    messages(world, "1", 3, start="2026-03-12T12:00:00Z")
    assert (charged(world), balance(world)) == ([("2026-04-08", 18, 0)], 82)
    world.run(datetime(2026, 5, 9, tzinfo=UTC))
    assert (usage_lines(world), balance(world)) == ([], 82)
