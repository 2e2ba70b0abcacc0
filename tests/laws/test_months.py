"""Invented months: the same for the same seed, and different from one day, channel and price list to the next as the story says."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.simulation.launch import LaunchFiles
from o2c.simulation.launch_data import FIBRE, LINE, NEWCOMER
from o2c.simulation.months import MONTHS_MAX, MONTHS_MIN, SUNDAY_CHANNELS, Story, write_months

COUNT, SEED, MONTHS = 6_000, 7, 9
STORY = Story(MONTHS)


class Written:
    """Months read back from their files."""

    def __init__(self, files: LaunchFiles) -> None:
        self.files = files
        self.orders: list[dict[str, Any]] = [json.loads(text) for text in files.orders.read_text().splitlines()]
        self.customers = {party["id"] for party in map(json.loads, files.customers.read_text().splitlines())}
        self.offerings = {offering["id"]: offering for offering in json.loads(files.catalogue.read_text())}

    def share(self, wanted: str) -> Counter[str]:
        """How many orders came by month."""
        return Counter(order["orderDate"][:7] for order in self.orders if wanted in json.dumps(order))


def at(order: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(order["orderDate"])


def items(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in order["productOrderItem"]:
        yield item
        yield from item.get("productOrderItem", [])


def values(item: dict[str, Any]) -> dict[str, str]:
    return {value["name"]: value["value"] for value in item["product"]["productCharacteristic"]}


def off_the_list(order: dict[str, Any]) -> bool:
    """Whether the order wants a commitment that the price list does not have."""
    return any(values(item).get("commitmentMonths", "1") not in ("1", "12", "24") for item in items(order))


def flawed(order: dict[str, Any], written: Written) -> bool:
    """What a reader finds wrong who never saw the generator, the bad release aside."""
    parties = [party["id"] for party in order["relatedParty"] if party["id"] in written.customers]
    found = list(items(order))
    retired = any(written.offerings[item["productOffering"]["id"]]["lifecycleStatus"] != "Active" for item in found)
    wrong = any(item["quantity"] < 1 or item["action"] != "add" for item in found) or len({item["id"] for item in found}) < len(found)
    return not parties or retired or wrong


def content(files: LaunchFiles) -> dict[str, bytes]:
    paths = [value for field in fields(files) if isinstance(value := getattr(files, field.name), Path)]
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def nine(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Nine months, large enough for shares to be steady."""
    return Written(write_months(tmp_path_factory.mktemp("nine"), count=COUNT, seed=SEED, months=MONTHS))


@pytest.mark.parametrize("compress", [pytest.param(False, id="plain"), pytest.param(True, id="gzipped")])
def test_the_same_seed_writes_the_same_months(tmp_path: Path, compress: bool) -> None:
    """Byte for byte; another seed writes other orders and customers, and sells from the same list."""
    one, same = (content(write_months(tmp_path / n, count=90, seed=3, months=4, compress=compress)) for n in ("one", "same"))
    other = content(write_months(tmp_path / "other", count=90, seed=4, months=4, compress=compress))

    assert one == same
    assert len(one) == 6
    assert not any(one[name] == other[name] for name in one if name.startswith(("orders", "customers", "sims")))
    assert one["catalogue.tmf620.json"] == other["catalogue.tmf620.json"]


@hypothesis.given(count=st.integers(1, 120), seed=st.integers(0, 2**32), months=st.integers(MONTHS_MIN, MONTHS_MAX))
@hypothesis.settings(max_examples=15)
def test_any_size_seed_and_length_is_whole(tmp_path_factory: pytest.TempPathFactory, count: int, seed: int, months: int) -> None:
    """As many orders as asked for, in the order of their time, each of a customer of the file or flawed on purpose; stock for all of them."""
    written = Written(write_months(tmp_path_factory.mktemp("any"), count=count, seed=seed, months=months))
    dates = [at(order) for order in written.orders]
    sims = written.files.sims_now.read_text().splitlines()[1:] + written.files.sims_later.read_text().splitlines()[1:]

    assert count == len(written.orders) == written.files.order_count
    assert dates == sorted(dates)
    assert written.files.customer_count == len(written.customers) == count - count // 50
    assert Story(months).begins <= dates[0].date()
    assert dates[-1].date() <= Story(months).ends + timedelta(days=3)
    assert len(sims) == len(set(sims)) == written.files.sims_now_count + written.files.sims_later_count


@pytest.mark.parametrize(
    ("count", "months", "told"),
    [
        pytest.param(0, 9, "1 to 40000 orders", id="no orders"),
        pytest.param(40_001, 9, "1 to 40000 orders", id="more than there are numbers"),
        pytest.param(10, 2, "are 3 to 24", id="too short a story"),
        pytest.param(10, 25, "are 3 to 24", id="too long a story"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, count: int, months: int, told: str) -> None:
    """And no file is."""
    with pytest.raises(ValueError, match=told):
        write_months(tmp_path / "none", count=count, seed=1, months=months)
    assert not (tmp_path / "none").exists()


def test_a_launch_peaks_and_declines_and_the_newcomer_brings_a_bump(nine: Written) -> None:
    """The first month has the most orders although it is short; demand falls to the newcomer, rises with it, and falls again."""
    by_month = nine.share("")
    in_order = [by_month[f"2026-{month:02d}"] for month in range(1, MONTHS + 1)]

    assert in_order[0] == max(in_order)
    assert in_order[0] > 1.6 * in_order[1]
    assert in_order[1] > in_order[2] < in_order[3] > in_order[4] > in_order[5]
    assert in_order[7] < in_order[8]


@hypothesis.given(count=st.integers(1, 40_000), months=st.integers(MONTHS_MIN, MONTHS_MAX))
def test_days_share_all_orders_by_their_demand(count: int, months: int) -> None:
    """Every order has a day, and no day has one more or less than its share, whatever the days before had."""
    story = Story(months)
    counts = dict(story.counts(count))
    whole = sum(map(story.demand, story.days()))

    assert sum(counts.values()) == count
    assert all(abs(given - story.demand(day) / whole * count) < 1.001 for day, given in counts.items())


def test_weekdays_and_hours_are_those_of_the_channels(nine: Written) -> None:
    """Sundays are weak and online only (but for what comes a second time), evenings are strong there, and shops keep their hours."""
    first: dict[str, dict[str, Any]] = {}
    for order in nine.orders:
        first.setdefault(order["externalId"], order)
    weekdays = Counter(at(order).weekday() for order in first.values())
    online = Counter(at(order).hour for order in first.values() if order["channel"][0]["id"] in SUNDAY_CHANNELS)

    assert weekdays[6] == min(weekdays.values()) < 0.7 * weekdays[0]
    assert {order["channel"][0]["id"] for order in first.values() if at(order).weekday() == 6} == set(SUNDAY_CHANNELS)
    assert min(online[hour] for hour in range(18, 22)) > 2 * max(online[hour] for hour in range(6))
    assert {at(order).hour for order in nine.orders if order["channel"][0]["id"] == "store"} == set(range(9, 18))
    assert all(at(order).weekday() < 5 for order in first.values() if order["category"] == "business")


def test_prices_change_on_their_day_for_orders_from_then_on(nine: Written) -> None:
    """The list has both prices of what becomes dearer, one until the day and one from it, and one price of all else."""
    day = f"{STORY.price_change_on}T00:00:00Z"
    for offering in nine.offerings.values():
        monthly = [price for price in offering["productOfferingPrice"] if price["priceType"] == "recurring"]
        if offering["id"] in (LINE.id, FIBRE.id):
            old, new = monthly
            assert (old["validFor"], new["validFor"]) == ({"endDateTime": day}, {"startDateTime": day})
            assert old["price"]["dutyFreeAmount"]["value"] < new["price"]["dutyFreeAmount"]["value"]
        else:
            assert len(monthly) <= 1


def test_more_is_ordered_in_the_last_days_before_prices_rise(nine: Written) -> None:
    """A rush of three days, beside the same weekdays of the week before."""
    by_day = Counter(at(order).date() for order in nine.orders)
    last = [STORY.price_change_on - timedelta(days=days) for days in (1, 2, 3)]

    assert sum(by_day[day] for day in last) > 1.2 * sum(by_day[day - timedelta(days=7)] for day in last)


def test_the_newcomer_is_sold_from_its_day_on(nine: Written) -> None:
    """No order has it before, and its price list says since when it is sold; two in five lines that stand first are the newcomer's then."""
    sold = [order for order in nine.orders if any(item["productOffering"]["id"] == NEWCOMER.id for item in items(order))]
    first = Counter(order["productOrderItem"][0]["productOffering"]["id"] for order in nine.orders if at(order).date() >= STORY.newcomer_on)

    assert min(at(order).date() for order in sold) >= STORY.newcomer_on
    assert nine.offerings[NEWCOMER.id]["validFor"]["startDateTime"] == f"{STORY.newcomer_on}T00:00:00Z"
    assert 0.3 < first[NEWCOMER.id] / (first[NEWCOMER.id] + first[LINE.id]) < 0.5


def test_the_bad_release_spoils_its_days_and_no_others(nine: Written) -> None:
    """From its publication to its repair, orders of the channels that sell by the list want what it does not have; never before or after."""
    bad = [order for order in nine.orders if off_the_list(order)]
    days = [order for order in nine.orders if STORY.bad_from <= at(order) < STORY.repaired_at]
    again = {order["externalId"] for order in bad}

    assert len(bad) > 0.25 * len(days) > 5
    assert all(STORY.bad_from <= at(order) for order in bad)
    firsts = [order for order in bad if order["channel"][0]["id"] in SUNDAY_CHANNELS and at(order) < STORY.repaired_at]
    assert {order["externalId"] for order in firsts} == again


def test_channels_spoil_their_own_share_and_more_while_a_product_is_young(nine: Written) -> None:
    """Partner shops are worst, the web is among the best; the first month is worse than the last ones."""
    wrong, of_all = Counter[str](), Counter[str]()
    young, old = [], []
    for order in nine.orders:
        if order["category"] == "consumer":
            channel, flaw = order["channel"][0]["id"], flawed(order, nine)
            wrong[channel] += flaw
            of_all[channel] += 1
            (young if at(order).date() < date(2026, 2, 1) else old if at(order).date() >= date(2026, 6, 1) else []).append(flaw)
    shares = {channel: wrong[channel] / of_all[channel] for channel in of_all}

    assert max(shares, key=lambda channel: shares[channel]) == "partner-shop"
    assert shares["partner-shop"] > 3 * shares["web"]
    assert sum(young) / len(young) > 1.5 * sum(old) / len(old)


def test_stock_is_short_for_some_days_in_the_middle(nine: Written) -> None:
    """The first delivery is about 60 % of the need, and the second comes ten days after it is used up."""
    now, later = nine.files.sims_now_count, nine.files.sims_later_count

    assert 0.5 < now / (now + later) < 0.6
    assert date(2026, 3, 1) < nine.files.sims_later_at.date() < date(2026, 8, 1)


def test_memory_does_not_grow_with_the_number_of_orders(tmp_path: Path) -> None:
    """Twice the orders take hardly more: what is held are the times of a day's orders, and the largest order."""

    def peak(count: int) -> int:
        tracemalloc.start()
        write_months(tmp_path / str(count), count=count, seed=1, months=9)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(50)
    assert peak(5_000) < 1.3 * peak(2_500)
