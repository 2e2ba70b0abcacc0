"""Port windows of a market: when one opens and closes, until when it can be moved, how late a port is, and what a late one is made good
with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from o2c.kernel.balances import Compensated
from o2c.kernel.charges import account_stream
from o2c.kernel.event import Event
from o2c.kernel.periods import local_date, local_time
from o2c.markets.base import Market, WorkCalendar, is_working_day, port_window


@dataclass(frozen=True, slots=True)
class PortWindow:
    """The hours in which a number may be cut over, and the cut-off from which the clearing house moves or drops the port no more.

    Source: the `source` of the market's porting rules.
    """

    day: date
    cutoff_at: datetime
    opens_at: datetime
    closes_at: datetime

    def open(self, at: datetime) -> bool:
        """Whether a cut-over may happen at a time."""
        return self.opens_at <= at < self.closes_at

    def frozen(self, at: datetime) -> bool:
        """Whether the port can be neither moved nor taken back at a time: from the cut-off until its window is over."""
        return self.cutoff_at <= at < self.closes_at


def window_of(market: Market, opens_at: datetime) -> PortWindow:
    """Give the whole window that opens at a time, by the market's hours."""
    rules, day = market.porting, local_date(opens_at, market.zone)
    before = working_day_before(market.calendar, day)
    return PortWindow(day, _at(market, before, rules.change_until), opens_at, _at(market, day, rules.window_closes))


def port_deadline(market: Market, requested_at: datetime, wished_on: date | None) -> date:
    """Give the day by which a port that was asked for must be done: the market's lead, or the day that the customer wished, if that is
    later.

    Source: the `source` of the market's porting rules (Great Britain: Ofcom General Condition C7; European Union: Directive (EU) 2018/1972,
    art. 106(5)).
    """
    by_rule = local_date(port_window(market, requested_at), market.zone)
    return max(by_rule, wished_on or by_rule)


def working_day_before(calendar: WorkCalendar, day: date) -> date:
    """Give the last working day before a day."""
    day -= timedelta(days=1)
    while not is_working_day(calendar, day):
        day -= timedelta(days=1)
    return day


def working_days_late(calendar: WorkCalendar, agreed_on: date, done_on: date) -> int:
    """How many working days after an agreed day something was done; 0 when it was done by then."""
    return sum(is_working_day(calendar, agreed_on + timedelta(days=n)) for n in range(1, (done_on - agreed_on).days + 1))


def code_expired(market: Market, given_on: date, on: date) -> bool:
    """Whether a porting code that was given to us on a day is too old on another; never where the market's codes do not age."""
    valid_days = market.porting.code_valid_days
    return valid_days is not None and (on - given_on).days > valid_days


def _at(market: Market, day: date, clock: time) -> datetime:
    return local_time(day, clock.hour, clock.minute, market.zone)


def compensation(
    market: Market,
    *,
    cause: Literal["port-in", "port-out"],
    account: str,
    customer: str,
    currency: str,
    msisdn: str,
    order: str,
    item: str,
    late_days: int,
    late_working_days: int,
) -> tuple[tuple[str, Event], ...]:
    """Give the credit that a customer has of a number ported late by us, as an event of the account; nothing where none is due.

    Source: the `source` of the market's rules for late ports.
    """
    rule = market.porting.delay
    amount_minor = rule.due_minor(late_days, late_working_days)
    if not amount_minor:
        return ()
    credited = Compensated(
        account=account,
        customer=customer,
        currency=currency,
        amount_minor=amount_minor,
        cause=cause,
        msisdn=msisdn,
        days=rule.days(late_days, late_working_days),
        per_day_minor=rule.minor_per_day,
        order=order,
        item=item,
        rules=market.pin,
    )
    return ((account_stream(account), credited),)
