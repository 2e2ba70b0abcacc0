"""Quota: units granted to sessions before they are used, committed once, free by themselves; nothing is granted twice, whoever asks at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from o2c import plan
from o2c.desk import quota
from o2c.desk.act import Context
from o2c.desk.limits import set_limit
from o2c.desk.quota import commit, release, reserve
from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.quota.state import QuotaState
from o2c.views.prepaid import show_prepaid
from o2c.views.usage import show_allowances
from tests.metered import BY, account_of, load, metered, number_of, rated, record, usage_lines
from tests.world import World

TENTH = datetime(2026, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line with 50 messages a month and 20 carried over, of which more cost five pence each; a bill limit of nothing leaves room for 70."""
    made = metered(dsn, tmp_path).run(TENTH)
    set_limit(made.app, BY, account_of(made), amount="0")
    return made


def asked(world: World, session: str, messages: int, request: int = 0, **more: Any) -> dict[str, Any]:
    return dict(reserve(world.app, BY, number_of(world), session=session, kind="sms", quantity=messages, request=request, **more))


def used(world: World, session: str, messages: int, request: int = 1, **more: Any) -> dict[str, Any]:
    return dict(commit(world.app, BY, account_of(world), session=session, used=messages, request=request, **more))


def records(world: World) -> list[tuple[str, int]]:
    rows = world.app.reads.rows("SELECT key, quantity::int AS n FROM o2c.usage_record ORDER BY id")
    return [(row["key"], row["n"]) for row in rows]


def messages_left(world: World) -> int:
    world.run(TENTH + timedelta(minutes=15))
    return sum(int(row["left"]) for row in show_allowances(world.app, account_of(world)))


def test_units_are_granted_while_there_is_room_and_the_last_are_final(world: World) -> None:
    """Seventy are included and a limit leaves no room for more: the third session gets what is left, and the fourth nothing (TS 32.299, 6.3)."""
    first, second, third, fourth = (asked(world, f"s-{n}", 30) for n in range(4))
    assert [one["granted"] for one in (first, second, third, fourth)] == [30, 30, 10, 0]
    assert [one["final_unit"] for one in (first, second, third, fourth)] == [False, False, True, True]
    assert (fourth["why"], first["valid_until"]) == ("limit", "2026-01-10T01:00:00Z")


def test_what_was_used_is_a_record_and_the_rest_is_free(world: World) -> None:
    """Of seventy there are sixty after ten were used, whatever had been held for them."""
    asked(world, "s-1", 70)
    assert used(world, "s-1", 10)["freed"] == 60
    assert records(world) == [("s-1", 10)]
    assert messages_left(world) == 60
    assert asked(world, "s-2", 100)["granted"] == 60


def test_a_released_session_holds_nothing(world: World) -> None:
    """Released once more, nothing changes."""
    asked(world, "s-1", 70)
    release(world.app, BY, account_of(world), session="s-1", request=1)
    release(world.app, BY, account_of(world), session="s-1", request=1)
    assert asked(world, "s-2", 70)["granted"] == 70
    assert records(world) == []


def test_a_reservation_frees_itself_when_its_time_is_over(world: World) -> None:
    """Nobody has to release it; what was used under it all the same is taken down when it is committed late."""
    asked(world, "s-1", 70)
    world.run(TENTH + HOUR - timedelta(minutes=15))
    assert asked(world, "s-2", 10)["granted"] == 0
    world.run(TENTH + HOUR)
    assert asked(world, "s-2", 10, request=1)["granted"] == 10
    assert used(world, "s-1", 5)["used"] == 5
    assert records(world) == [("s-1", 5)]


def test_a_request_is_done_once_by_session_and_number(world: World) -> None:
    """Sent again it gets its first answer; with something else in it, it is refused."""
    once, again = asked(world, "s-1", 30), asked(world, "s-1", 30)
    assert (again, once["repeated"]) == ({**once, "repeated": True}, False)
    paid, paid_again = used(world, "s-1", 7), used(world, "s-1", 7)
    assert {**paid, "repeated": True} == paid_again
    assert records(world) == [("s-1", 7)]
    with pytest.raises(Refused, match="was used for something else"):
        used(world, "s-1", 8)


def test_a_session_goes_on_with_requests_that_have_numbers(world: World) -> None:
    """Each part is a record of its own; the first one bears the session's name."""
    for turn in range(3):
        asked(world, "s-1", 10, request=turn)
        used(world, "s-1", 4, request=turn + 1)
    assert records(world) == [("s-1", 4), ("s-1/2", 4), ("s-1/3", 4)]


@pytest.mark.parametrize("file_first", [True, False])
def test_the_network_s_own_record_of_a_session_counts_once_with_it(world: World, file_first: bool) -> None:
    """The same source and, as its key, the session: whichever comes second is passed over."""
    from_file = record("s-1", number_of(world), kind="sms", start="2026-01-10T00:00:00Z", quantity=7)
    asked(world, "s-1", 30)
    if file_first:
        load(world, from_file)
    used(world, "s-1", 7, source="msc-1")
    if not file_first:
        load(world, from_file)
    assert records(world) == [("s-1", 7)]
    assert messages_left(world) == 63


def test_two_accounts_networks_may_name_a_session_alike(world: World) -> None:
    """A record of somebody else under that name takes nothing of ours away."""
    asked(world, "s-1", 30)
    load(world, record("s-1", "+447700999111", kind="sms", quantity=1), source="other")
    used(world, "s-1", 7)
    assert ("s-1", 7) in records(world)


def test_what_a_crash_left_half_done_is_done_once_when_it_is_sent_again(world: World) -> None:
    """The record stands and the event does not: the units are still held, and the repeat writes the event alone."""
    asked(world, "s-1", 70)
    with patch.object(Engine, "write", side_effect=ConnectionError), pytest.raises(ConnectionError):
        used(world, "s-1", 5)
    assert records(world) == [("s-1", 5)]
    assert used(world, "s-1", 5)["repeated"] is False
    assert records(world) == [("s-1", 5)]
    assert asked(world, "s-2", 70)["granted"] == 65
    assert messages_left(world) == 65


def test_committed_usage_is_billed_once(world: World) -> None:
    """Eighty messages, seventy of them included: ten at five pence on the next bill."""
    set_limit(world.app, BY, account_of(world), amount="1.00")
    asked(world, "s-1", 80)
    used(world, "s-1", 80)
    world.run(datetime(2026, 2, 9, tzinfo=UTC))
    assert usage_lines(world) == [("2026-02-08", 50)]
    assert [line["quantity"] for line in rated(world)[-1]["lines"] if line["price"] == "Messages"] == ["80"]


def test_on_the_day_of_a_bill_units_are_those_of_the_period_that_begins(world: World) -> None:
    """The bill run comes at six; from midnight on what is used belongs to the next period, with what it carries over (at most twenty)."""
    asked(world, "s-1", 40)
    used(world, "s-1", 40)
    world.run(datetime(2026, 2, 8, 1, tzinfo=UTC))
    assert asked(world, "s-2", 200)["granted"] == 50 + 20
    world.run(datetime(2026, 2, 8, 12, tzinfo=UTC))
    assert asked(world, "s-3", 200)["granted"] == 50 + 20


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "smoke"}, "no such kind"),
        ({"unit": "furlong"}, "no such unit"),
        ({"quantity": 0}, "1 or more"),
        ({"session": " "}, "name the session"),
        ({"request": -1}, "number its requests"),
        ({"party": "+447700999111"}, r"\+447\*\*\*111 uses no line"),
        ({"party": "BA-nobody"}, "uses no line"),
    ],
)
def test_what_cannot_be_meant_is_refused(world: World, wrong: dict[str, Any], said: str) -> None:
    """Nothing is written."""
    wish: dict[str, Any] = {"party": number_of(world), "session": "s-1", "kind": "sms", "quantity": 1, **wrong}
    before = world.app.reads.last_position()
    with pytest.raises(Refused, match=said):
        reserve(world.app, BY, wish.pop("party"), **wish)
    assert world.app.reads.last_position() == before


def test_a_session_that_holds_nothing_commits_nothing(world: World) -> None:
    """One sends what it used as a record of usage instead."""
    with pytest.raises(Refused, match="holds no units"):
        used(world, "s-unknown", 1)


def test_a_kind_without_a_price_is_denied(world: World) -> None:
    """A denial is an event: nothing may be used that nobody can be charged for."""
    answer = reserve(world.app, BY, number_of(world), session="s-1", kind="premium", quantity=1)
    assert (answer["granted"], answer["why"]) == (0, "no-price")
    assert world.app.reads.rows("SELECT count(*) AS n FROM o2c.event WHERE type = 'quota.denied'")[0]["n"] == 1


def at_once(world: World, sessions: int, engines: int = 4) -> int:
    """How many messages that many sessions hold when they ask for two each at once, through several engines as processes would."""
    me, opened = number_of(world), [Engine(world.dsn, plan.KINDS) for _ in range(engines)]

    def ask(n: int) -> int:
        app = opened[n % engines]
        return reserve(app, Context("pcf"), me, session=f"s-{n}", kind="sms", quantity=2)["granted"]

    try:
        with ThreadPoolExecutor(20) as pool:
            return sum(pool.map(ask, range(sessions)))
    finally:
        for app in opened:
            with closing(app):
                pass


def test_a_hundred_reservations_at_once_get_no_more_than_there_is(world: World) -> None:
    """Seventy are there and two hundred are asked for, against a real server."""
    assert at_once(world, 100) == 70
    assert sum(hold["granted"] for hold in show_prepaid(world.app, account_of(world))["holds"]) == 70


def test_without_the_version_of_the_stream_they_would_get_more(world: World) -> None:
    """The control: deciding by what stood before anybody asked grants all of them."""
    with patch.object(QuotaState, "held", lambda self, at, but="": []), patch.object(quota, "TRIES_MAX", 200):
        assert at_once(world, 40) == 80


def test_what_a_process_remembers_is_what_another_one_would_rate(world: World) -> None:
    """Sessions that overlap, records of files that come late and before others, limits that change: after each, who remembers and who does not agree."""
    set_limit(world.app, BY, account_of(world), amount="none")
    me, account = number_of(world), account_of(world)

    def granted(app: Engine, name: str) -> int:
        answer = reserve(app, BY, me, session=name, kind="sms", quantity=10**6)
        release(app, BY, account, session=name, request=1)
        return answer["granted"]

    def agreed(step: str) -> None:
        set_limit(world.app, BY, account, amount="2.00")
        fresh = Engine(world.dsn, plan.KINDS)
        with closing(fresh):
            assert granted(world.app, f"{step}-a") == granted(fresh, f"{step}-b")

    for turn in range(4):
        asked(world, f"long-{turn}", 5)
        asked(world, f"short-{turn}", 5)
        world.run(TENTH + (turn + 1) * timedelta(minutes=15))
        used(world, f"short-{turn}", 3)
        agreed(f"{turn}-short")
        load(world, record(f"late-{turn}", me, kind="sms", start=f"2026-01-09T0{turn}:00:00Z", quantity=1), name=f"late-{turn}.jsonl")
        agreed(f"{turn}-late")
        if turn:
            used(world, f"long-{turn - 1}", 2)
            agreed(f"{turn}-long")
