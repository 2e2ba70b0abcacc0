"""Months of product orders, so that trends and the age of a product mean something: a launch, a newcomer, a price change, a bad release.

The same shapes, files and flaws as a launch (`launch.py`), but written as they are drawn, a day at a time, so that memory does not grow
with their number. How the days differ is a law in plain figures: demand peaks at a launch and declines, has its months, weekdays and hours;
each channel spoils its own share of orders, and more of them while a product is young. For some days the channels sell by a price list that
was published with a fault. Every choice is a hash of the seed and of what it is for, and no figure depends on a machine's mathematics.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from heapq import heappop, heappush
from pathlib import Path
from typing import NamedTuple

from o2c.simulation import launch_data as data
from o2c.simulation.launch import (
    CONTEST_EVERY,
    NUMBER_COLUMNS,
    ORDER_COUNT_MAX,
    REPEAT_EVERY,
    SIM_COLUMNS,
    LaunchFiles,
    csv_lines,
    json_line,
    opened_file,
    sims_needed,
    write_catalogue,
    write_lines,
)
from o2c.simulation.launch_data import Document, Launch, Offering
from o2c.simulation.papers import (
    FLAWS,
    LAUNCH,
    PORT_FLAWS,
    business_order,
    characteristic,
    consumer_order,
    external_id,
    leaves,
    repeat,
    stamp,
)

MONTHS_MIN, MONTHS_MAX = 3, 24
NEWCOMER_SHARE = 0.4
"""How many of the lines that are ordered on their own are the newcomer's, once it is sold."""
PRICE_CHANGES = {data.LINE.id: 2050, data.FIBRE.id: 4875}
"""The new monthly prices, in minor units net of tax."""
WRONG_TERM = "36"
"""The commitment that the bad release offers, and the price list does not know."""
BAD_DAYS = 5

LAUNCH_PEAK, NEWCOMER_PEAK, PEAK_DAYS = 3.0, 0.9, 21
RUSH, RUSH_DAYS = 1.5, 3
"""How much more is ordered in the last days before prices rise."""
MONTH_SEASON = (1.0, 0.95, 1.0, 0.95, 1.0, 0.95, 0.85, 0.8, 1.1, 1.0, 1.25, 1.35)
WEEKDAY_SEASON = (1.15, 1.1, 1.05, 1.05, 1.1, 0.95, 0.6)
WORKDAY_CHANNELS: Mapping[str, float] = {"web": 7, "self-care-app": 5, "call-centre": 3, "store": 3, "partner-shop": 2}
SATURDAY_CHANNELS: Mapping[str, float] = {"web": 6, "self-care-app": 6, "call-centre": 1, "store": 5, "partner-shop": 4}
SUNDAY_CHANNELS: Mapping[str, float] = {"web": 8, "self-care-app": 7}
BY_WEEKDAY = (*(WORKDAY_CHANNELS,) * 5, SATURDAY_CHANNELS, SUNDAY_CHANNELS)
SELLING_BY_THE_LIST = frozenset({"web", "self-care-app"})
"""The channels that offer what the price list says; people in shops know better."""
SPOILED = {"web": 0.015, "self-care-app": 0.012, "call-centre": 0.035, "store": 0.045, "partner-shop": 0.11}
"""The share of its orders that a channel spoils when a product is no news any more."""
PORTED_WORSE, YOUNG_WORSE, YOUNG_MONTHS = 2.5, 2.0, 6
"""How much worse orders with a number to bring are; how many times as many again are spoiled at a launch, fewer each month up to the
sixth."""
FRIDAY = 4
EVENING, NIGHT, MIDDAY = range(18, 22), range(6), range(12, 14)
SIMS_SHORT_DAYS = 10


def _month(index: int) -> date:
    """The first day of the month so many months after January of the launch."""
    return date(LAUNCH.year + index // 12, index % 12 + 1, 1)


@dataclass(frozen=True)
class Story:
    """What happens in a number of months: when the newcomer and the new prices come, and when the bad release is out (half-open)."""

    months: int

    @property
    def begins(self) -> date:
        """The day of the launch."""
        return LAUNCH.date()

    @property
    def ends(self) -> date:
        """The day after the last."""
        return _month(self.months)

    @property
    def newcomer_on(self) -> date:
        """The day from which the newcomer is sold."""
        return _month(max(1, self.months // 3))

    @property
    def price_change_on(self) -> date:
        """The day from which new prices hold."""
        return _month(max(1, self.months * 5 // 9))

    @property
    def bad_from(self) -> datetime:
        """When the bad release is published: a Tuesday morning."""
        day = _month(self.months * 7 // 9)
        return datetime.combine(day + timedelta(days=7 + (1 - day.weekday()) % 7), time(6), UTC)

    @property
    def repaired_at(self) -> datetime:
        """When it is repaired."""
        return self.bad_from + timedelta(days=BAD_DAYS, hours=8)

    def days(self) -> Iterator[date]:
        """All days, in order."""
        return (self.begins + timedelta(days=place) for place in range((self.ends - self.begins).days))

    def demand(self, day: date) -> float:
        """How much is ordered on a day, in no unit: what counts is the share of the whole."""
        wanted = 1 + _peak(LAUNCH_PEAK, (day - self.begins).days)
        if day >= self.newcomer_on:
            wanted += _peak(NEWCOMER_PEAK, (day - self.newcomer_on).days)
        if 0 < (self.price_change_on - day).days <= RUSH_DAYS:
            wanted *= RUSH
        return wanted * MONTH_SEASON[day.month - 1] * WEEKDAY_SEASON[day.weekday()]

    def counts(self, count: int) -> Iterator[tuple[date, int]]:
        """By day, how many of so many orders come on it: as the demand of the day is a share of the whole."""
        whole = sum(map(self.demand, self.days()))
        so_far, given = 0.0, 0
        for day in self.days():
            so_far += self.demand(day)
            upto = count if day + timedelta(days=1) == self.ends else int(so_far / whole * count)
            yield day, upto - given
            given = upto

    def offerings(self) -> tuple[Offering, ...]:
        """The price list of these months, with the newcomer and the prices to come."""
        changed_on = self.price_change_on.isoformat()
        return tuple(
            replace(
                offering,
                needs=(*offering.needs, data.NEWCOMER.id) if data.LINE.id in offering.needs else offering.needs,
                price_change=(changed_on, PRICE_CHANGES[offering.id]) if offering.id in PRICE_CHANGES else None,
            )
            for offering in (*data.OFFERINGS, replace(data.NEWCOMER, since=self.newcomer_on.isoformat()))
        )


def told_of(months: int) -> dict[str, str]:
    """Give the days of a number of months by name, as a face shows them."""
    story = Story(months)
    return {
        "newcomer_on": story.newcomer_on.isoformat(),
        "price_change_on": story.price_change_on.isoformat(),
        "bad_from": story.bad_from.isoformat(),
        "repaired_at": story.repaired_at.isoformat(),
        "ends_on": story.ends.isoformat(),
    }


def _peak(height: float, age_days: int) -> float:
    """What a launch adds to demand: high at first, half of it after PEAK_DAYS, and ever less."""
    passed = age_days / PEAK_DAYS
    return height / (1 + passed * passed)


def write_months(out: Path, *, count: int, seed: int, months: int, compress: bool = False) -> LaunchFiles:
    """Write so many months of `count` orders to the folder `out`, with all that goes with them, as `write_launch` does.

    Raises ValueError for less than one order or more than ORDER_COUNT_MAX, and for months that are not between MONTHS_MIN and MONTHS_MAX;
    OSError when the folder cannot be written.
    """
    if not 1 <= count <= ORDER_COUNT_MAX:
        raise ValueError(f"a launch has 1 to {ORDER_COUNT_MAX} orders, not {count}")
    if not MONTHS_MIN <= months <= MONTHS_MAX:
        raise ValueError(f"the invented months are {MONTHS_MIN} to {MONTHS_MAX}, not {months}")
    out.mkdir(parents=True, exist_ok=True)
    story, suffix = Story(months), ".gz" if compress else ""
    drawn = _Drawn(Launch.planned(count=count, seed=seed), story, count)
    orders, customers = out / f"orders.tmf622.jsonl{suffix}", out / f"customers.tmf632.jsonl{suffix}"
    with opened_file(orders) as papers, opened_file(customers) as parties:
        for order in drawn.orders(lambda party: parties.write(json_line(party).encode())):
            papers.write(json_line(order).encode())
    return _written(out, suffix, drawn, orders, customers)


def _written(out: Path, suffix: str, drawn: _Drawn, orders: Path, customers: Path) -> LaunchFiles:
    """Write the price list and the stock that go with what was drawn."""
    launch, needed = drawn.launch, drawn.needed
    now, later = data.first_delivery(needed), data.second_delivery(needed)
    numbers = needed.total() * 11 // 10 + 50
    return LaunchFiles(
        catalogue=write_catalogue(out / "catalogue.tmf620.json", drawn.story.offerings()),
        customers=customers,
        sims_now=write_lines(out / f"sims-1.csv{suffix}", csv_lines(SIM_COLUMNS, data.delivery(launch, now, 0))),
        sims_later=write_lines(out / f"sims-2.csv{suffix}", csv_lines(SIM_COLUMNS, data.delivery(launch, later, sum(now.values())))),
        sims_later_at=drawn.sims_later_at(),
        numbers=write_lines(out / f"numbers.csv{suffix}", csv_lines(NUMBER_COLUMNS, data.number_stock(numbers))),
        orders=orders,
        order_count=drawn.written,
        customer_count=drawn.wishes,
        sims_now_count=sum(now.values()),
        sims_later_count=sum(later.values()),
        number_count=numbers,
    )


class _Due(NamedTuple):
    """An order that is to come: when and under which id, and for whom through which channel; or the order itself, where it comes again."""

    at: str
    external_id: str
    place: int
    channel: str
    again: Document | None = None


@dataclass
class _Drawn:
    """The orders as they are drawn, a day at a time, and made one by one as they come. What is kept: when those of the day are due, the few
    that come again, and the SIMs needed by day."""

    launch: Launch
    story: Story
    count: int
    written: int = 0
    needed: Counter[str] = field(default_factory=Counter)
    needed_by_day: list[tuple[date, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.repeats = self.count // REPEAT_EVERY
        self.wishes = self.count - self.repeats
        self._due: list[_Due] = []
        self._flaws, self._port_flaws = itertools.cycle(FLAWS), itertools.cycle(PORT_FLAWS)
        self._bringing = 0
        self._contested = ""

    def orders(self, customer: Callable[[Document], object]) -> Iterator[Document]:
        """All orders by the time they were captured; each `customer` is told of before their first."""
        index = 0
        for day, wishes in self.story.counts(self.wishes):
            for _ in range(wishes):
                customer(data.customer(self.launch, index))
                heappush(self._due, self._drawn(index, day))
                index += 1
            yield from self._come_before(stamp(datetime.combine(day + timedelta(days=1), time(), UTC)))
            self.needed_by_day.append((day, self.needed.total()))
        yield from self._come_before("9999")

    def sims_later_at(self) -> datetime:
        """When the second delivery comes: some days after the first was used up."""
        first = sum(data.first_delivery(self.needed).values())
        used_up = next((day for day, needed in self.needed_by_day if needed >= first), self.story.begins)
        return datetime.combine(used_up + timedelta(days=SIMS_SHORT_DAYS), time(8), UTC)

    def _come_before(self, end: str) -> Iterator[Document]:
        while self._due and self._due[0].at < end:
            due = heappop(self._due)
            self.written += 1
            yield due.again or self._wish(due)

    def _drawn(self, index: int, day: date) -> _Due:
        """When a customer's first order comes, on a day, and how; an organisation's on a day on which it works."""
        key = data.customer_key(index)
        if data.is_business(index):
            channel, day = "call-centre", day + timedelta(days=(7 - day.weekday()) if day.weekday() > FRIDAY else 0)
        else:
            channel = self.launch.weighted(key, "channel", BY_WEEKDAY[day.weekday()])
        return _Due(stamp(self._time(key, channel, day)), external_id(key), index, channel)

    def _wish(self, due: _Due) -> Document:
        """A customer's first order, as it comes; now and then it will come again."""
        make = business_order if data.is_business(due.place) else consumer_order
        order = make(self.launch, due.place)
        order["orderDate"], order["channel"][0]["id"] = due.at, due.channel
        if make is consumer_order:
            self._spoil(order, due.channel, datetime.fromisoformat(due.at))
        self.needed += sims_needed([order])
        # Evenly spread: every fiftieth order or so is a repeat, and every second of these was changed.
        rank = (due.place + 1) * self.repeats // self.wishes
        if rank > due.place * self.repeats // self.wishes:
            again = repeat(self.launch, data.customer_key(due.place), order, changed=rank % 2 == 0)
            heappush(self._due, due._replace(at=again["orderDate"], again=again))
        return order

    def _time(self, key: str, channel: str, day: date) -> datetime:
        """A time of the day within the hours of a channel, more likely when it is busy."""
        opens, closes = data.OPENING_HOURS[channel]
        hour = self.launch.weighted(key, "hour", {hour: _busy(channel, hour) for hour in range(opens, closes)})
        return datetime.combine(day, time(hour), UTC) + timedelta(seconds=self.launch.below(key, "second", 3600))

    def _spoil(self, order: Document, channel: str, at: datetime) -> None:
        """Sell the newcomer, and by a bad release; else let the channel spoil its share."""
        newest = self._newest(order, at.date())
        if self._contest(order):
            return
        line = next((item for item in leaves(order) if item["productOffering"]["id"] in (data.LINE.id, data.NEWCOMER.id)), None)
        if line is not None and channel in SELLING_BY_THE_LIST and self.story.bad_from <= at < self.story.repaired_at:
            _set(line, "commitmentMonths", WRONG_TERM)
            return
        ported = characteristic(order, "portInCode") is not None
        share = SPOILED[channel] * (PORTED_WORSE if ported else 1) * _youth(at.date(), newest)
        if self.launch.share(order["externalId"], "flaw") < share:
            next(self._port_flaws if ported else self._flaws)(order)

    def _newest(self, order: Document, day: date) -> date:
        """Sell the newcomer in place of a line, now and then; give since when the newest product of the order is sold."""
        first: Document = order["productOrderItem"][0]
        sold = day >= self.story.newcomer_on and self.launch.share(order["externalId"], "newcomer") < NEWCOMER_SHARE
        if not sold or first["productOffering"]["id"] != data.LINE.id:
            return self.story.begins
        first["productOffering"] = {"id": data.NEWCOMER.id, "name": data.NEWCOMER.name}
        return self.story.newcomer_on

    def _contest(self, order: Document) -> bool:
        """Let two customers in a row bring the same number now and then; whether this order is one of theirs."""
        brought = characteristic(order, "portInNumber")
        if brought is None:
            return False
        self._bringing += 1
        if self._contested:
            brought["value"], self._contested = self._contested, ""
            return True
        if self._bringing % CONTEST_EVERY == 1:
            self._contested = brought["value"]
        return bool(self._contested)


def _set(item: Document, name: str, value: str) -> None:
    for found in item["product"]["productCharacteristic"]:
        if found["name"] == name:
            found["value"] = value


def _youth(day: date, sold_since: date) -> float:
    """How many times as many orders are spoiled, by the age of a product in months."""
    age = (day - sold_since).days / 30
    return 1 + YOUNG_WORSE * (1 - age / YOUNG_MONTHS) if age < YOUNG_MONTHS else 1


def _busy(channel: str, hour: int) -> float:
    """How busy a channel is in an hour: online in the evening and hardly at night, a call centre in the morning, shops at midday."""
    if channel in SELLING_BY_THE_LIST:
        return 0.2 if hour in NIGHT else 2.0 if hour in EVENING else 1.0
    busy = range(9, 11) if channel == "call-centre" else MIDDAY
    return 2.0 if hour in busy else 1.0
