"""A market as plain data with effective dates, and the pure functions that read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from o2c.kernel.periods import local_date, local_time
from o2c.markets.addresses import AddressRules
from o2c.markets.care import CareRules
from o2c.markets.collecting import CollectionRules
from o2c.markets.life import LifeRules, PortDelayRules
from o2c.markets.paying import AgainRules
from o2c.markets.usage import UsageRules

DOOR_UNTIL_HOUR = 20
"""The local hour until which parcels and fitters come to the door: the couriers' and fitters' own practice."""
DAY_BEGINS_HOUR = 9
"""The local hour at which a working day begins, for what is tried again then: the operator's own practice."""
BEFORE_CUTOFF = timedelta(minutes=30)
"""How long before a cut-off for ports something is tried again that should still make it."""
DAYS_LOOKED_AT = 31


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax group's rate in percent, in force from a day until a later entry of the same group; the source is the statute.

    `names` are what price lists call the group beside its own name; `category` is that of invoices (UNCL 5305, EN 16931 BT-151): S for
    every rate above nothing, Z for a rate of nothing, E for what is exempt.
    """

    group: str
    percent: Decimal
    valid_from: date
    source: str
    names: tuple[str, ...] = ()
    category: str = "S"


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The working days: all but the weekend days (Monday is 0) and the public holidays of an ISO 3166 country and subdivision.

    A `financial` calendar has the closing days of a financial market instead, whose code stands for the country (XECB: TARGET).
    """

    country: str
    subdivision: str | None
    weekend: tuple[int, ...]
    financial: bool = False


@dataclass(frozen=True, slots=True)
class DebitRules:
    """How a direct debit is collected: on days of the scheme's `calendar` only, and not before the payer was told in advance.

    The notice is `notice_days` long, counted from the day after the payer was told: in the scheme's own days, or in calendar days. `again`
    says which returned debits are presented once more, in the scheme's own days.
    """

    scheme: str
    calendar: WorkCalendar
    notice_days: int
    notice_in_bank_days: bool
    source: str
    again: AgainRules


@dataclass(frozen=True, slots=True)
class PortingRules:
    """How a number is ported in.

    `code_name` is the trade's name of the porting code; the code must match `code_pattern` as text, and an empty pattern asks for none. A
    request before `cutoff` (local, on a working day) ports `lead_working_days` later, any other one working day after that, and never
    before the first possible day that the donor names, where donors name one (`donor_names_day`). Windows last from `window_opens` to
    `window_closes` (local); a port can be moved or taken back until `change_until` (local) on the working day before. A code is good for
    `code_valid_days` after it was given (None: it does not age); from `bulk_from` numbers of one customer and code on, a port is a bulk
    process that is arranged by hand (None: no such limit). `refusals` maps the clearing house's words for a donor's refusal to our reason
    code; a refusal that is no lawful ground in the market is asked again (NP-CONFLICT). `delay` is what a late port is made good with.
    """

    code_name: str
    code_pattern: str
    cutoff: time
    lead_working_days: int
    window_opens: time
    window_closes: time
    change_until: time
    code_valid_days: int | None
    bulk_from: int | None
    donor_names_day: bool
    refusals: Mapping[str, str]
    delay: PortDelayRules
    source: str


NumberUse = Literal["never-used", "temporary", "in-use"]
"""What a number was when it was given back: assigned to a line that was never on; in service only until another was ported in; in
service."""


@dataclass(frozen=True, slots=True)
class NumberRest:
    """How many days a number of one use rests before it may be given to somebody else, at least and (None: no limit) at most.

    `former_customer_may_claim` says whether its former customer may have it back, or port it, while it rests.
    """

    days_min: int
    days_max: int | None
    former_customer_may_claim: bool
    source: str


@dataclass(frozen=True, slots=True)
class NumberingRules:
    """The region of a market's numbers, and the rest of a number that is given back, by what it was.

    A number that was brought in rests like any other in use, so that its former customer may have it back or port it, and then goes back to
    the holder of its range, which alone may give it out again (`returned_by`: the source of that). A number that was ported out has no row:
    it serves at another operator, goes back to the holder of its range when it ceases there, and is not ours to give again.
    """

    region: str
    rests: Mapping[NumberUse, NumberRest]
    returned_by: str


@dataclass(frozen=True, slots=True)
class CreditRules:
    """For how many days a credit decision holds, and within how many a customer must be told of one that went against them.

    `notice_days` is None where no statute asks an operator for such a notice. A deposit that is asked for because of a report goes against
    the customer as a refusal does. Source: 15 USC 1681m(a), with FTC advisory opinion to CommNet Cellular, 28 July 1998, for a market that
    has the duty; that statute names no number of days, 12 CFR 1002.9(a)(1) has 30 [M].

    The deposit of a completed order is kept until `deposit_good_bills` bills in a row were paid by their due day; 0: it is a credit at
    once.
    """

    decision_days: int
    notice_days: int | None
    source: str
    deposit_good_bills: int = 0


@dataclass(frozen=True, slots=True)
class PriceChangeRules:
    """How the price of a running contract is raised: told `notice_days` before, as an amount of money and never as a percentage or an
    index. Whoever is told may end the contract without costs, unless it said so before it was concluded (`exit_right`)."""

    notice_days: int
    exit_right: bool
    source: str


@dataclass(frozen=True, slots=True)
class Supplier:
    """The legal entity that supplies and invoices: `entity` is its short name in numbers of papers, `tax_id` the number under which it is
    registered for VAT, with its country's letters; `address` are lines, `country` is ISO 3166."""

    entity: str
    name: str
    address: tuple[str, ...]
    postcode: str
    city: str
    country: str
    tax_id: str


@dataclass(frozen=True, slots=True)
class InvoicingRules:
    """What a market wants of invoices and credit notes. A note over more than `note_approved_above_minor`, tax included, is approved by a
    second person, and so is a refund over more than `refund_approved_above_minor`: the operator's own figures. `law` names what an invoice
    must say.

    `instalments_at_end` says what is agreed for the instalments that are left when the service ends that the goods were bought with: they
    go on with later bills (`on-plan`), or all are due with the bill that follows (`at-once`). What is left on an account that has ended
    goes back `credit_returned_days` later, unasked.
    """

    supplier: Supplier
    note_approved_above_minor: int
    refund_approved_above_minor: int
    law: str
    instalments_at_end: Literal["on-plan", "at-once"] = "on-plan"
    instalments_source: str = "the operator's own practice: the agreement is apart from the airtime"
    numbers_approved: bool = False
    credit_returned_days: int = 14
    credit_returned_source: str = (
        "the operator's own practice, as for prepaid money: the customer is owed it, and no statute of the market names the days"
    )


@dataclass(frozen=True, slots=True)
class Market:
    """One country's rules in one version; a changed rule is a new version with a later `valid_from`.

    `sim_replacement_minor` is what it costs the operator to send another SIM in place of one that was lost. `esim_charged_from` says
    whether a line with an eSIM is charged from the download of its profile or from its first use. An order may be wished for at most
    `order_horizon_days` after its own day.
    """

    code: str
    version: str
    valid_from: date
    currency: str
    zone: str
    tax_rates: tuple[TaxRate, ...]
    bill_cycle_days: tuple[int, ...]
    payment_terms_days: int
    debits: DebitRules
    cards: AgainRules
    order_horizon_days: int
    calendar: WorkCalendar
    porting: PortingRules
    numbering: NumberingRules
    sim_replacement_minor: int
    esim_charged_from: Literal["download", "first-use"]
    addresses: AddressRules
    credit: CreditRules
    invoicing: InvoicingRules
    usage: UsageRules
    collections: CollectionRules
    price_changes: PriceChangeRules
    life: LifeRules
    care: CareRules

    @property
    def pin(self) -> str:
        """The name under which orders and accounts keep these rules for good: `GB@2026-01`."""
        return f"{self.code}@{self.version}"

    def next_moment(self, word: str, at: datetime) -> datetime:
        """Give when what a word of `kernel.reasons.MOMENTS` names comes next, after a time. Source: the `source` of the porting rules, for
        the cut-off."""
        day = local_date(at, self.zone)
        if word == "cut-off":
            cutoff, before = self.porting.cutoff, BEFORE_CUTOFF
        else:
            cutoff, before = time(DAY_BEGINS_HOUR), timedelta()
        for _ in range(DAYS_LOOKED_AT):
            moment = local_time(day, cutoff.hour, cutoff.minute, self.zone) - before
            if moment > at and is_working_day(self.calendar, day):
                return moment
            day += timedelta(days=1)
        raise ValueError(f"market {self.code} has no working day within {DAYS_LOOKED_AT} days of {day}")


def tax_percent(market: Market, group: str, on: date) -> Decimal:
    """Give the rate of a tax group in force on a day, in percent. ValueError if the market has none for it.

    Source: each rate names its statute (Great Britain: Value Added Tax Act 1994, s. 2(1)).
    """
    return tax_rate(market, group, on).percent


def tax_rate(market: Market, group: str, on: date) -> TaxRate:
    """Give the entry of a tax group in force on a day. ValueError if the market has none for it."""
    in_force = [rate for rate in market.tax_rates if rate.group == group and rate.valid_from <= on]
    if not in_force:
        raise ValueError(f"market {market.code} has no {group!r} tax rate on {on}")
    return max(in_force, key=lambda rate: rate.valid_from)


def tax_group(market: Market, name: str) -> str | None:
    """Give the tax group that a price list's word for a category means, capitals or not; None for a word that the market does not know."""
    return next((rate.group for rate in market.tax_rates if name.casefold() in map(str.casefold, (rate.group, *rate.names))), None)


def number_rest(market: Market, use: NumberUse) -> NumberRest:
    """Give the rest of a number that was put to this use. KeyError for a use that the market has no rule for."""
    return market.numbering.rests[use]


def is_working_day(calendar: WorkCalendar, day: date) -> bool:
    """Whether the day is neither a weekend day nor a public holiday."""
    return day.weekday() not in calendar.weekend and day not in _holidays(calendar, day.year)


def working_day_after(calendar: WorkCalendar, day: date, working_days: int) -> date:
    """The day that many working days after the day, which itself never counts. ValueError for fewer than one."""
    if working_days < 1:
        raise ValueError(f"{working_days} working days is not after")
    for _ in range(working_days):
        day += timedelta(days=1)
        while not is_working_day(calendar, day):
            day += timedelta(days=1)
    return day


def end_of_working_day(market: Market, at: datetime, working_days: int) -> datetime:
    """Give the end of the day that many working days after the local day of a time: the latest hour at which somebody comes to the door."""
    return local_time(working_day_after(market.calendar, local_date(at, market.zone), working_days), DOOR_UNTIL_HOUR, 0, market.zone)


def first_working_day(calendar: WorkCalendar, day: date) -> date:
    """The day itself if it is worked, else the next one that is."""
    while not is_working_day(calendar, day):
        day += timedelta(days=1)
    return day


def debit_day(market: Market, *, told_on: date, wanted_on: date) -> date:
    """Give the first day, from the wanted one on, on which a direct debit is collected of which the payer was told on `told_on`.

    Source: the `source` of the market's rules for debits.
    """
    rules = market.debits
    if rules.notice_in_bank_days:
        noticed_on = working_day_after(rules.calendar, told_on, rules.notice_days)
    else:
        noticed_on = told_on + timedelta(days=rules.notice_days)
    return first_working_day(rules.calendar, max(wanted_on, noticed_on))


def code_is_wellformed(rules: PortingRules, text: str) -> bool:
    """Whether the porting code has exactly the market's form; it is not trimmed or corrected first."""
    return re.fullmatch(rules.code_pattern, text) is not None


def port_window(market: Market, requested_at: datetime, *, working_days_more: int = 0, not_before: date | None = None) -> datetime:
    """Give the time, in UTC, at which the port window of a request opens. It always opens on a working day.

    `working_days_more` puts it off further, as the delay of a donor does; `not_before` is the first day that the donor names. ValueError if
    the days are negative or the time has no zone. Source: the `source` of the market's porting rules.
    """
    if working_days_more < 0:
        raise ValueError(f"a port window cannot open {-working_days_more} working days sooner")
    rules, zone = market.porting, market.zone
    day = local_date(requested_at, zone)
    in_time = is_working_day(market.calendar, day) and requested_at < local_time(day, rules.cutoff.hour, rules.cutoff.minute, zone)
    wait_days = rules.lead_working_days + (0 if in_time else 1) + working_days_more
    port_day = max(working_day_after(market.calendar, day, wait_days), first_working_day(market.calendar, not_before or day))
    return local_time(port_day, rules.window_opens.hour, rules.window_opens.minute, zone)


@lru_cache(maxsize=512)
def _holidays(calendar: WorkCalendar, year: int) -> frozenset[date]:
    # Not before a day is asked for: the library is a twentieth of a start, and most commands ask for none.
    import holidays

    # The library's calendar grows with every question; a frozen year does not depend on earlier questions.
    if calendar.financial:
        return frozenset(holidays.financial_holidays(calendar.country, years=year))
    return frozenset(holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=year))
