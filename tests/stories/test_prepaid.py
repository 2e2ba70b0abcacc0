"""Prepaid money: it pays for usage as it is committed, tax included, never falls below zero, expires, and stands in the books until it is used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from o2c.desk.prepaid import top_up
from o2c.desk.quota import commit, reserve
from o2c.kernel.refusal import Refused
from o2c.quota.state import TopUp, spent
from o2c.rating.room import Cost
from o2c.views.ledger import trial_balance
from o2c.views.prepaid import show_prepaid
from o2c.views.reading import caught_up
from tests.agreeing import books_of, sums
from tests.metered import BY, MONTHLY, account_of, choice, included, metered, number_of, rated, usage, usage_lines
from tests.world import World

TENTH = datetime(2026, 1, 10, tzinfo=UTC)
PREPAID = choice("prepaid", "true")
PRICES = (
    MONTHLY,
    usage("Messages", "sms", "message", "0.05", PREPAID),
    usage("Calls", "voice", "minute", "0.0333", PREPAID, choice("increment", "1")),
    included("Ten messages", "sms", "message", "10"),
)


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    """A line with ten messages a month; more cost five pence each and tax of 20 %, out of a balance that is topped up."""
    return metered(dsn, tmp_path, *PRICES).run(TENTH)


def asked(world: World, session: str, quantity: int, kind: str = "sms", request: int = 0) -> dict[str, Any]:
    return dict(reserve(world.app, BY, number_of(world), session=session, kind=kind, quantity=quantity, request=request))


def used(world: World, session: str, quantity: int, request: int = 1) -> dict[str, Any]:
    return dict(commit(world.app, BY, account_of(world), session=session, used=quantity, request=request))


def topped_up(world: World, amount: str, reference: str, **more: Any) -> None:
    top_up(world.app, BY, account_of(world), amount=amount, reference=reference, **more)


def balance(world: World, at: datetime | None = None) -> int:
    return show_prepaid(world.app, account_of(world), at=at)["balance_minor"]


def books(world: World) -> dict[str, int]:
    caught_up(world.app)
    told = trial_balance(world.app)
    assert told["balanced"]
    assert [one for one in told["compared"] if one["difference_minor"]] == []
    return {row["ledger_account"]: row["balance_minor"] for row in told["accounts"] if row["balance_minor"]}


def test_what_is_included_comes_first_and_then_the_balance_pays_with_tax(world: World) -> None:
    """Sixteen messages, ten of them included: six at 5 pence and 20 % tax are 36 pence."""
    topped_up(world, "1.00", "P-1")
    asked(world, "s-1", 16)
    paid = used(world, "s-1", 16)
    assert (paid["charged_minor"], paid["balance_minor"]) == (36, 64)
    assert balance(world) == 64


def test_without_money_there_is_what_is_included_and_no_more(world: World) -> None:
    """The grant is final, and the next session is told that the balance is used up."""
    first, second = asked(world, "s-1", 50), asked(world, "s-2", 1)
    assert (first["granted"], first["final_unit"], second["granted"], second["why"]) == (10, True, 0, "balance")
    topped_up(world, "0.12", "P-1")
    assert asked(world, "s-3", 50)["granted"] == 2


def test_it_is_charged_by_the_period_so_that_no_part_of_a_penny_is_lost_or_charged_twice(world: World) -> None:
    """Ten calls of a minute at 3.33 pence net: 33.3, so 33 net and 6.66, so 7 tax; ten times 3 and 1 would be 40, and it is."""
    topped_up(world, "5.00", "P-1")
    for n in range(10):
        asked(world, f"s-{n}", 60, "voice")
        used(world, f"s-{n}", 60)
    assert balance(world) == 500 - 40


def test_what_was_used_beyond_the_grant_never_takes_the_balance_below_zero(world: World) -> None:
    """What could not be paid is said, and taken from what comes next in the period."""
    topped_up(world, "0.12", "P-1")
    asked(world, "s-1", 12)
    paid = used(world, "s-1", 14)
    assert (paid["charged_minor"], paid["balance_minor"]) == (12, 0)
    [row] = world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'quota.committed'")
    assert row["body"]["uncharged_minor"] == 12


def test_prepaid_usage_stands_on_no_invoice(world: World) -> None:
    """The bill run takes its records, so that nothing is rated again, and bills nothing of them."""
    topped_up(world, "1.00", "P-1")
    asked(world, "s-1", 16)
    used(world, "s-1", 16)
    world.run(datetime(2026, 2, 9, tzinfo=UTC))
    assert usage_lines(world) == []
    assert [(line["quantity"], line["prepaid"]) for line in rated(world)[-1]["lines"]] == [("16", True)]
    assert balance(world) == 64


def test_a_top_up_is_owed_until_it_is_used_and_earned_when_it_expires(world: World) -> None:
    """Cash and a liability; then revenue and tax as it is used; what is left is revenue on the day on which it expires (IFRS 15, B44 to B47)."""
    before = books(world)
    topped_up(world, "1.00", "P-1", valid_days=5)
    assert books(world) == {**before, "cash": before.get("cash", 0) + 100, "prepaid": -100}
    asked(world, "s-1", 16)
    used(world, "s-1", 16)
    assert books(world)["prepaid"] == -64
    world.run(datetime(2026, 1, 15, 12, tzinfo=UTC))
    assert balance(world) == 64
    world.run(datetime(2026, 1, 16, 12, tzinfo=UTC))
    assert (balance(world), books(world).get("prepaid", 0)) == (0, 0)
    assert balance(world, datetime(2026, 1, 15, 12, tzinfo=UTC)) == 64
    assert world.app.reads.rows("SELECT body FROM o2c.event WHERE type = 'prepaid.expired'")[0]["body"]["amount_minor"] == 64


def test_what_expires_first_pays_first_and_each_top_up_expires_by_itself(world: World) -> None:
    """The later one came with fewer days: it is used up before the earlier one, which expires on its own day."""
    topped_up(world, "1.00", "P-1", valid_days=20)
    topped_up(world, "1.00", "P-2", valid_days=2)
    asked(world, "s-1", 20)
    used(world, "s-1", 20)
    left = [(one["reference"], one["left_minor"]) for one in show_prepaid(world.app, account_of(world))["top_ups"]]
    assert left == [("P-1", 100), ("P-2", 40)]
    world.run(datetime(2026, 1, 14, tzinfo=UTC))
    assert balance(world) == 100
    world.run(datetime(2026, 2, 1, tzinfo=UTC))
    assert balance(world) == 0
    books(world)


def test_the_oracle_of_books_agrees(world: World) -> None:
    """From events alone: two top-ups, usage of both, one that expires with something left, and a bill."""
    topped_up(world, "1.00", "P-1", valid_days=20)
    topped_up(world, "1.00", "P-2", valid_days=2)
    asked(world, "s-1", 30)
    used(world, "s-1", 30)
    world.run(datetime(2026, 2, 9, 12, tzinfo=UTC))
    stands = books(world)
    told = world.app.reads.rows(
        "SELECT position, stream, type, actor, occurred_at::text, body || coalesce(personal, '{}') AS data FROM o2c.event ORDER BY position"
    )
    assert sums(books_of(told).values(), date(2026, 2, 9)) == stands
    assert "prepaid" not in stands


def test_a_top_up_comes_once_by_its_reference(world: World) -> None:
    """Another amount under it is a mistake, and none is none."""
    topped_up(world, "1.00", "P-1")
    topped_up(world, "1.00", "P-1")
    assert balance(world) == 100
    for wrong, said in (({"amount": "2.00"}, "another amount"), ({"amount": "0", "reference": "P-2"}, "more than nothing")):
        with pytest.raises(Refused, match=said):
            top_up(world.app, BY, account_of(world), **{"amount": "1.00", "reference": "P-1", **wrong})
    with pytest.raises(Refused, match="no account BA-nobody"):
        top_up(world.app, BY, "BA-nobody", amount="1.00", reference="P-1")


def test_a_hundred_sessions_at_once_spend_no_more_than_there_is(world: World) -> None:
    """Each asks for one message at six pence and uses it; two pounds pay for thirty-three beside the ten that are included."""
    topped_up(world, "2.00", "P-1")

    def one(n: int) -> tuple[int, int]:
        granted = asked(world, f"s-{n}", 1)["granted"]
        return granted, used(world, f"s-{n}", granted)["charged_minor"] if granted else 0

    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(one, range(100)))
    assert (sum(granted for granted, _ in done), sum(charged for _, charged in done), balance(world)) == (43, 198, 2)
    books(world)


LATER = datetime(2026, 2, 1, tzinfo=UTC)
TOP_UPS = st.lists(
    st.builds(
        TopUp,
        st.text("ab", min_size=1),
        st.just(1000),
        st.integers(0, 1000),
        st.none() | st.integers(0, 9).map(lambda n: LATER + timedelta(n)),
    )
)


@hypothesis_given(TOP_UPS, st.integers(0, 3000))
def test_what_is_paid_is_what_top_ups_lose(top_ups: list[TopUp], amount_minor: int) -> None:
    """No penny is lost and none appears, and no top-up falls below zero."""
    there = sum(one.left_minor for one in top_ups)
    left = spent(tuple(top_ups), amount_minor)
    assert sum(one.left_minor for one in left) == there - min(amount_minor, there)
    assert all(one.left_minor >= 0 for one in left)


@hypothesis_given(*[st.integers(0, 500)] * 5)
def test_a_charge_is_never_more_than_is_left(net: int, tax: int, paid_net: int, paid_tax: int, left: int) -> None:
    """Nor more than is due, and its parts are never below zero."""
    charge = Cost(net, tax).over(Cost(paid_net, paid_tax), left)
    assert 0 <= charge.gross_minor <= left
    assert 0 <= charge.tax_minor <= max(tax - paid_tax, 0)
    assert 0 <= charge.net_minor <= max(net - paid_net, 0)
