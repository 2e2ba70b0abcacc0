"""What the usage of an account comes to, held against a second working-out that knows nothing of tiers, grants and tallies."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.records import UsageRecord, digest_of
from o2c.markets.gb import GB
from o2c.rating.account import Limits, PriceHeld, Rated, Rules, Tariff, rate
from o2c.rating.allowances import Grant
from o2c.rating.models import Graduated, Package, Percentage, PerUnit, Tier, Volume
from o2c.rating.tariff import Allowance, UsagePrice

LINE, OTHER = "order-1/1", "order-1/2"
PERIOD = date(2026, 1, 8)
BEGIN = datetime(2026, 1, 8, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
TENTH = PerUnit(unit_amount=Decimal("0.1"))


def price(model: Any = TENTH, usage: str = "voice", **fields: Any) -> UsagePrice:
    return UsagePrice.model_validate(
        {"name": usage, "usage": usage, "unit": "minute" if usage == "voice" else "message", "model": model, **fields}
    )


def records(*minutes: int, owner: str = LINE, usage: str = "voice") -> list[UsageRecord]:
    """One an hour, in the base unit."""
    times = 60 if usage == "voice" else 1
    unit = "second" if usage == "voice" else "message"
    return [
        UsageRecord(n, owner, usage, "national", "day", BEGIN + timedelta(hours=n), Decimal(used * times), unit, f"msc/{n}")
        for n, used in enumerate(minutes, 1)
    ]


def rated(
    used: Sequence[UsageRecord],
    *prices: UsagePrice,
    grants: Sequence[Grant] = (),
    limits: Limits | None = None,
    spent: dict[tuple[str, str], Fraction] | None = None,
    held: tuple[str, str] = ("", ""),
) -> Rated:
    tariff = Tariff("line", tuple(PriceHeld(each, "standard", *held) for each in prices))
    return rate(used, Rules({LINE: tariff}, limits or Limits(), "GBP", LONDON, [PERIOD]), grants, spent or {})


def total(found: Rated) -> Fraction:
    return sum((tally.amount for tally in found.tallies.values()), Fraction(0))


@pytest.mark.parametrize(
    ("model", "minutes", "amount"),
    [
        pytest.param(TENTH, [3, 4], "0.7", id="per-unit"),
        pytest.param(
            Graduated(tiers=(Tier(up_to=Decimal(5), unit_amount=Decimal(1)), Tier(unit_amount=Decimal("0.5")))),
            [3, 4],
            "6",
            id="graduated-over-records",
        ),
        pytest.param(
            Volume(tiers=(Tier(up_to=Decimal(5), unit_amount=Decimal(1)), Tier(unit_amount=Decimal("0.5")))),
            [3, 4],
            "3.5",
            id="volume-over-records",
        ),
        pytest.param(Package(package_amount=Decimal(2), size=Decimal(5)), [3, 4], "4", id="packages-over-records"),
        pytest.param(Percentage(percent=Decimal(10), fixed_amount=Decimal(1)), [3, 4], "2.7", id="a-fee-for-each-record"),
        pytest.param(Graduated(tiers=(Tier(flat_amount=Decimal(2)),)), [], "2", id="a-flat-amount-for-nothing"),
        pytest.param(TENTH, [], "0", id="nothing"),
    ],
)
def test_a_price_looks_at_all_of_a_period(model: Any, minutes: list[int], amount: str) -> None:
    """Tiers and packages go on from record to record."""
    assert total(rated(records(*minutes), price(model))) == Fraction(amount)


def test_a_record_without_a_price_is_counted() -> None:
    """Of another kind, or of a time for which no price holds."""
    assert rated(records(1, usage="sms"), price()).unpriced == 1
    assert rated(records(1), price(), held=("2026-02-01T00:00:00Z", "")).unpriced == 1
    assert rated(records(1, owner=OTHER), price()).unpriced == 1


def test_an_increment_is_of_each_record() -> None:
    """Two calls of ten seconds are two minutes."""
    short = [UsageRecord(n, LINE, "voice", "national", "day", BEGIN, Decimal(10), "second", f"m/{n}") for n in (1, 2)]
    assert total(rated(short, price(increment=Decimal(1)))) == Fraction("0.2")
    assert total(rated(short, price())) == Fraction(2, 60)


def test_allowances_are_used_before_prices() -> None:
    """By whoever may use them."""
    minutes = Allowance.model_validate({"name": "minutes", "usage": ["voice"], "unit": "minute", "quantity": "5"})
    grant = Grant(LINE, minutes, Fraction(300), PERIOD, date(2026, 2, 8), PERIOD)
    found = rated(records(3, 4), price(), grants=[grant])
    [tally] = found.tallies.values()
    assert (tally.quantity, tally.included, tally.charged, total(found)) == (7, 5, 2, Fraction("0.2"))
    assert found.grants[0].left == 0


def test_a_limit_counts_what_other_bills_counted() -> None:
    """In the period of the record."""
    limits = Limits(chosen=(("bill", 100, BEGIN),))
    assert total(rated(records(5, 5), price(), limits=limits)) == 1
    spent = {("bill", PERIOD.isoformat()): Fraction("0.5")}
    assert total(rated(records(5, 5), price(), limits=limits, spent=spent)) == Fraction("0.5")


def test_what_others_sell_is_not_limited() -> None:
    """Content of others: a limit of nothing lets it be charged."""
    found = rated(records(3, usage="premium"), price(usage="premium"), limits=Limits(chosen=(("bill", 0, BEGIN),)))
    assert (total(found), found.beyond) == (Fraction("0.3"), [])


@pytest.mark.parametrize(
    ("called", "country", "zone"),
    [
        ("+442079460000", "", "national"),
        ("+447700900123", "", "mobile"),
        ("+449098790000", "", "premium"),
        ("+33142345678", "", "world"),
        ("", "FR", "europe"),
        ("", "US", "world"),
        ("", "", "world"),
    ],
)
def test_zones_are_data(called: str, country: str, zone: str) -> None:
    """The longest beginning of the number that fits, or the country in which something was used."""
    assert GB.usage.zone_of(called, country) == zone


@pytest.mark.parametrize(
    ("at", "band"),
    [
        ("2026-01-09T06:59:59+00:00", "evening"),
        ("2026-01-09T07:00:00+00:00", "day"),
        ("2026-01-09T19:00:00+00:00", "evening"),
        ("2026-01-10T12:00:00+00:00", "evening"),
        ("2026-07-03T06:00:00+00:00", "day"),
    ],
)
def test_time_bands_go_by_the_clock_of_the_market(at: str, band: str) -> None:
    """Seven to nineteen on working days, summer time in summer."""
    assert GB.usage.band_at(datetime.fromisoformat(at), LONDON) == band


def test_a_digest_holds_every_record() -> None:
    """In whatever order they are given; another quantity is another hash."""
    one = records(1, 2, 3)
    assert digest_of(one) == digest_of(one[::-1])
    assert digest_of(one) != digest_of(records(1, 2, 4))


minutes_used = st.lists(st.integers(0, 90), max_size=12)


@hypothesis.given(minutes_used, st.integers(0, 200), st.none() | st.integers(0, 2000), st.none() | st.integers(0, 11))
def test_the_bill_is_what_a_second_working_out_says(minutes: list[int], free: int, limit: int | None, agreed_after: int | None) -> None:
    """Minute by minute at ten pence: first the free ones, then those that the limit lets be charged, or that were agreed to."""
    allowance = Allowance.model_validate({"name": "m", "usage": ["voice"], "unit": "minute", "quantity": "1"})
    grant = Grant(LINE, allowance, Fraction(free * 60), PERIOD, date(2026, 3, 8), PERIOD)
    chosen = (("bill", limit, BEGIN),) if limit is not None else ()
    agreed = (("bill", PERIOD.isoformat(), BEGIN + timedelta(hours=agreed_after)),) if agreed_after is not None else ()
    found = rated(records(*minutes), price(), grants=[grant], limits=Limits(chosen, agreed))
    left, pence, lost = free, 0, 0
    for hour, used in enumerate(minutes, 1):
        beyond = max(used - left, 0)
        left = max(left - used, 0)
        if limit is None or pence + 10 * beyond <= limit or (agreed_after is not None and hour >= agreed_after):
            pence += 10 * beyond
        else:
            lost += beyond
    assert total(found) * 100 == pence
    tallies = list(found.tallies.values())
    assert sum(tally.not_chargeable for tally in tallies) == lost
    assert all(tally.quantity == tally.included + tally.not_chargeable + tally.charged for tally in tallies)
    assert found.grants[0].left == left * 60


@hypothesis.given(minutes_used, st.integers(0, 12))
def test_two_bills_are_one(minutes: list[int], cut: int) -> None:
    """A flat price per unit costs the same however the records are spread over bills, and the limit holds over both."""
    limits = Limits(chosen=(("bill", 900, BEGIN),))
    whole = rated(records(*minutes), price(), limits=limits)
    used = records(*minutes)
    first = rated(used[:cut], price(), limits=limits)
    second = rated(used[cut:], price(), limits=limits, spent=first.spent)
    assert total(first) + total(second) == total(whole)
    assert second.spent == whole.spent or not minutes
