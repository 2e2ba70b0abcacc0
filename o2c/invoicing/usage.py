"""The usage of an account in a bill run: which records it takes, what they come to, and the lines of the invoice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from o2c.catalogue.events import OfferingPublished
from o2c.invoicing.charge import Charge
from o2c.invoicing.papers import InvoiceLine
from o2c.invoicing.state import AccountState
from o2c.kernel.frozen import changed
from o2c.kernel.money import minor_units
from o2c.kernel.periods import Period, local_time, next_month, previous_month
from o2c.kernel.records import RECORDS, RecordsWanted, UsageRecord, digest_of
from o2c.kernel.work import Work
from o2c.markets.base import tax_percent
from o2c.rating.account import Limits, PriceHeld, Rated, Rules, Tally, Tariff, rate
from o2c.rating.allowances import Grant, carried, granted
from o2c.rating.events import CarriedUnits, PackBought, RatedUsage, UsageRated
from o2c.rating.models import NONE, line_minor
from o2c.rating.packs import grant_of
from o2c.rating.room import Basis
from o2c.rating.units import decimal_of

PACK = "pack"
"""The kind of a line that bills a pack of units."""
PERIODS_KEPT = 3
"""So many periods of what was spent are kept for records that come late."""


def metered(state: AccountState) -> dict[str, Charge]:
    """The charges with usage prices or included units, by `ORDER/ITEM`."""
    return {key: charge for key, charge in state.charges.items() if charge.terms.usage_version}


def catalogue_streams(state: AccountState) -> tuple[str, ...]:
    """Name the catalogue versions whose usage prices hold for the account."""
    return tuple(sorted({f"catalogue-main@{charge.terms.usage_version}" for charge in metered(state).values()}))


def records_wanted(work: Work) -> RecordsWanted | None:
    """Which records a bill run takes: what was used before its day and stands on no bill; none where no charge has a price of usage."""
    state: AccountState = work.state
    return wanted_before(state, date.fromisoformat(state.due_run), work.market.zone) if state.due_run and metered(state) else None


def wanted_before(state: AccountState, day: date, zone: str) -> RecordsWanted:
    """Which records of an account are on no bill, of what was used before a local day."""
    standing = state.usage
    since = local_time(date.fromisoformat(standing.billed_before), 0, 0, zone) if standing.billed_before else None
    return RecordsWanted(state.account, local_time(day, 0, 0, zone), standing.through, since)


def tariffs_of(work: Work) -> dict[str, Tariff]:
    """The tariff of each metered line, as its catalogue version had it."""
    found = {}
    for key, charge in metered(work.state).items():
        catalogue = work.read.get(f"catalogue-main@{charge.terms.usage_version}")
        offering: OfferingPublished | None = catalogue.offerings.get(charge.offering) if catalogue else None
        if offering is not None:
            prices = tuple(PriceHeld(p.usage, p.tax_group, p.valid_from, p.valid_to) for p in offering.prices if p.usage)
            found[key] = Tariff(charge.offering, prices, tuple(p.allowance for p in offering.prices if p.allowance))
    return found


def period_before(state: AccountState, run_on: date) -> Period:
    """The bill period that ends with a run: from the run before it, or of a new account from the same day a month earlier."""
    return Period(previous_month(run_on, run_on.day), run_on)


def rules_of(work: Work, run_on: date, tariffs: dict[str, Tariff]) -> Rules:
    """What the usage of an account is rated under up to the run of a day. A limit that the market gives in another currency is converted at
    the rate of the first day of the period that ends with the run, for records that come late as well."""
    state: AccountState = work.state
    period = period_before(state, run_on)
    told = {date.fromisoformat(day) for by_period in state.usage.spent.values() for day in by_period}
    usual = {"roaming": work.market.usage.limits.roaming_in(state.currency, work.market.currency, period.start) if state.currency else None}
    limits = Limits(state.usage.limits, state.usage.agreed, usual)
    periods = sorted({*told, period.start, run_on})
    return Rules(tariffs, limits, state.currency, ZoneInfo(work.market.zone), periods)


def grants_of(state: AccountState, tariffs: dict[str, Tariff], period: Period) -> tuple[Grant, ...]:
    """The included units of a bill period: what was carried into it, and what each line is granted for it."""
    by_name = {(key, one.name): one for key, tariff in tariffs.items() for one in tariff.allowances}
    by_name |= {(f"{pack.order}/{pack.item}", pack.allowance.name): pack.allowance for pack in state.usage.packs}
    brought = [
        Grant(owner, by_name[owner, one.allowance], Fraction(one.left), *_days(one))
        for one in state.usage.carried
        if (owner := f"{one.order}/{one.item}", one.allowance) in by_name
    ]
    return (*_going_on(state, (*brought, *_bought(state, period)), period), *_fresh(state, tariffs, period))


def _bought(state: AccountState, period: Period) -> tuple[Grant, ...]:
    """The packs that were bought in a bill period of which no bill was made yet; what an earlier bill has of them is carried into it."""
    return tuple(map(grant_of, _of_period(state, period)))


def _of_period(state: AccountState, period: Period) -> list[PackBought]:
    return [pack for pack in state.usage.unbilled(period.end.isoformat()) if pack.bought_on >= period.start.isoformat()]


Spent = dict[tuple[str, str], Fraction]


def spent_in(state: AccountState, spent: Mapping[tuple[str, str], Fraction], period: Period) -> Spent:
    """What counts towards each limit, with the packs that were bought in a bill period of which no bill was made yet."""
    key, packs = ("bill", period.start.isoformat()), _of_period(state, period)
    cost = sum((Fraction(pack.net_minor, 10 ** minor_units(pack.currency)) for pack in packs), Fraction(0))
    return {**spent, key: spent.get(key, Fraction(0)) + cost} if packs else dict(spent)


def _spent_before(state: AccountState, period: Period) -> Spent:
    known = {(kind, day): Fraction(text) for kind, days in state.usage.spent.items() for day, text in days.items()}
    return spent_in(state, known, period)


def _days(one: CarriedUnits) -> tuple[date, date, date]:
    return date.fromisoformat(one.starts), date.fromisoformat(one.ends), date.fromisoformat(one.created)


def _going_on(state: AccountState, grants: Iterable[Grant], period: Period) -> Iterator[Grant]:
    """What was carried into a period goes on with its line, where an order put another charge in the place of the one that it was granted
    with: until the end of the first period that has nothing of that one any more."""
    lines: dict[str, tuple[str, ...]] = {}
    for key, charge in metered(state).items():
        lines[charge.place] = (*lines.get(charge.place, ()), key)
    for grant in grants:
        charge = state.charges[grant.owner]
        over = charge.withdrawn and charge.ended_on <= period.start.isoformat()
        allowance = grant.allowance.model_copy(update={"rollover_min": NONE, "rollover_max": NONE}) if over else grant.allowance
        yield replace(grant, allowance=allowance, also=lines[charge.place])


def _fresh(state: AccountState, tariffs: dict[str, Tariff], period: Period) -> Iterator[Grant]:
    """What each line is granted for a bill period."""
    for key, charge in metered(state).items():
        served = not charge.withdrawn or charge.ended_on > period.start.isoformat()
        if served and charge.starts_on < period.end.isoformat() and key in tariffs:
            for one in tariffs[key].allowances:
                yield granted(key, one, period, from_day=date.fromisoformat(charge.starts_on))


def basis_at(work: Work, run_on: date, on: date) -> Basis:
    """By what usage is judged on a local day, with the records that the work read (nothing of it is on a bill).

    On a day whose bill run is still to come, what was used before it is rated as that run will; the next period begins with what it carries
    over.
    """
    return bases_until(work, run_on, on)[-1]


def bases_until(work: Work, run_on: date, on: date) -> list[Basis]:
    """By what usage is judged in each bill period that no bill has yet, up to that of a local day: one, unless bill runs are still to come
    on that day."""
    state: AccountState = work.state
    tariffs = tariffs_of(work)
    rules = rules_of(work, run_on, tariffs)
    records: tuple[UsageRecord, ...] = work.read.get(RECORDS) or ()
    period = period_before(state, run_on)
    spent = _spent_before(state, period)
    grants = grants_of(state, tariffs, period)
    groups = {held.tax_group for tariff in tariffs.values() for held in tariff.prices}
    found = []

    def basis(records: tuple[UsageRecord, ...]) -> Basis:
        last = min(on, period.end - timedelta(days=1))
        percents = {group: tax_percent(work.market, group, last) for group in groups}
        return Basis(records, rules, grants, spent, percents, period.start.isoformat())

    while on >= period.end:
        end = local_time(period.end, 0, 0, work.market.zone)
        found.append(basis(tuple(record for record in records if record.started_at < end)))
        rated = found[-1].rated()
        records = tuple(record for record in records if record.started_at >= end)
        period = Period(period.end, next_month(period.end, period.end.day))
        going_on = (*carried(rated.grants, period.start), *_bought(state, period))
        grants = (*_going_on(state, going_on, period), *_fresh(state, tariffs, period))
        spent, rules = spent_in(state, rated.spent, period), changed(rules, periods=sorted({*rules.periods, period.start, period.end}))
    return [*found, basis(records)]


def rated_before(work: Work, run_on: date) -> tuple[Rated, dict[str, Tariff]]:
    """Rate what is on no bill yet, of what was used before the run of a day, with the records that the work read."""
    tariffs = tariffs_of(work)
    period = period_before(work.state, run_on)
    spent = _spent_before(work.state, period)
    records: tuple[UsageRecord, ...] = work.read.get(RECORDS) or ()
    grants = grants_of(work.state, tariffs, period)
    return rate(records, rules_of(work, run_on, tariffs), grants, spent), tariffs


def usage_of_run(work: Work, run_on: date) -> tuple[UsageRated | None, tuple[InvoiceLine, ...]]:
    """What a bill run takes of the usage of its account, and the lines of the invoice; nothing for an account without prices of usage."""
    state: AccountState = work.state
    if not metered(state):
        return None, ()
    rated, tariffs = rated_before(work, run_on)
    since, day = state.usage.billed_before, run_on.isoformat()
    live = {key for key, charge in metered(state).items() if not charge.withdrawn and charge.starts_on < day}
    # A flat amount for nothing is owed by a line in service only; what was used is owed by whoever used it.
    tallies = [tally for tally in rated.tallies.values() if tally.records or tally.owner in live]
    lines = tuple(_rated_usage(tally, tariffs[tally.owner].offering, state, since, work.market.zone) for tally in tallies)
    through = max([state.usage.through, *(record.id for record in work.read.get(RECORDS) or ())])
    event = UsageRated(
        account=state.account,
        customer=state.customer,
        run_on=run_on.isoformat(),
        through=through,
        lines=lines,
        carried=tuple(_carried(grant) for grant in carried(rated.grants, run_on)),
        spent=_spent(rated),
        unpriced=rated.unpriced,
        zonings=tuple(sorted({record.placed_by for record in work.read.get(RECORDS) or ()} - {""})),
    )
    period = period_before(state, run_on)
    packs = tuple(_pack_line(pack) for pack in state.usage.unbilled(day) if pack.net_minor)
    return event, (*packs, *(_line(line, period) for line in lines if line.net_minor and not line.prepaid))


def _rated_usage(tally: Tally, offering: str, state: AccountState, since: str, zone: str) -> RatedUsage:
    order, _, item = tally.owner.rpartition("/")
    price, ids = tally.held.price, [record.id for record in tally.records]
    late_before = local_time(date.fromisoformat(since), 0, 0, zone) if since else None
    return RatedUsage(
        order=order,
        item=item,
        offering=offering,
        price=price.name,
        usage=price.usage,
        unit=price.unit,
        quantity=str(tally.quantity),
        included=str(tally.included),
        not_chargeable=str(tally.not_chargeable),
        amount=str(tally.amount),
        net_minor=line_minor(tally.amount, state.currency),
        tax_group=tally.held.tax_group,
        prepaid=price.prepaid,
        records=len(ids),
        late=sum(late_before is not None and record.started_at < late_before for record in tally.records),
        first_record=min(ids, default=0),
        last_record=max(ids, default=0),
        digest=digest_of(tally.records) if ids else "",
    )


def _carried(grant: Grant) -> CarriedUnits:
    order, _, item = grant.owner.rpartition("/")
    days = {"starts": grant.starts.isoformat(), "ends": grant.ends.isoformat(), "created": grant.created.isoformat()}
    return CarriedUnits(order=order, item=item, allowance=grant.allowance.name, left=str(grant.left), **days)


def _spent(rated: Rated) -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = {}
    for (kind, day), amount in sorted(rated.spent.items(), reverse=True):
        if len(kept.setdefault(kind, {})) < PERIODS_KEPT:
            kept[kind][day] = str(amount)
    return kept


def _described(rated: RatedUsage) -> str:
    """What was used, in a line's own words: quantity, what of it was included, and what came late."""
    told = [f"{decimal_of(Fraction(rated.quantity))} {rated.unit}"]
    told += [f"{decimal_of(Fraction(rated.included))} included"] if rated.included != "0" else []
    told += [f"{decimal_of(Fraction(rated.not_chargeable))} not chargeable: limit"] if rated.not_chargeable != "0" else []
    told += [f"{rated.late} of {rated.records} records for days billed before"] if rated.late else []
    return f"{rated.price}: {', '.join(told)}"


def _pack_line(pack: PackBought) -> InvoiceLine:
    """A pack on the bill that follows: it is served, and earned, over the days on which its units can be used."""
    units = f"{decimal_of(Fraction(pack.allowance.quantity))} {pack.allowance.unit}"
    return InvoiceLine(
        order=pack.order,
        item=pack.item,
        offering=pack.offering,
        kind=PACK,
        from_day=pack.bought_on,
        to_day=pack.ends,
        net_minor=pack.net_minor,
        tax_group=pack.tax_group,
        description=f"{pack.allowance.name}: {units}, bought on {pack.bought_on}",
        unit="C62",
        unit_price_minor=pack.net_minor,
    )


def _line(rated: RatedUsage, period: Period) -> InvoiceLine:
    return InvoiceLine(
        order=rated.order,
        item=rated.item,
        offering=rated.offering,
        kind="usage",
        from_day=period.start.isoformat(),
        to_day=period.end.isoformat(),
        net_minor=rated.net_minor,
        tax_group=rated.tax_group,
        description=_described(rated),
        unit="C62",
        unit_price_minor=rated.net_minor,
    )
