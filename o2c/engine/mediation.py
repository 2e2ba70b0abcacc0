"""Whose a record of usage is: the line that held the number when it was used, its account, and the zone and time band by the rules of its
market.

A line goes on when an order gives it another number, another plan or another payer: what is used from the day of the change on is of the
charge that began then. Source: billing facts, section 6 (a plan changed within a month is charged by days).

Records of nobody wait in suspense. Whenever records are added or taken for a bill, those are looked at again whose number or account became
somebody's since, and each by itself the later the longer it has waited: what is nobody's for good costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from o2c.kernel.charges import EARLY, LATE_CHANGE, account_stream
from o2c.kernel.periods import local_date
from o2c.store import usage
from o2c.usage.state import ZonesState
from o2c.usage.zoning import STREAM as ZONES
from o2c.usage.zoning import Zoning, book_of, in_force

if TYPE_CHECKING:
    from o2c.engine.app import Engine

NO_NUMBER, NO_HOLDER, NO_CHARGE, NO_ACCOUNT = "no-such-number", "held-by-nobody", "not-charged", "no-such-account"
"""Why a record is in suspense."""
WAITING_MAX = 20_000
"""So many records in suspense are looked at in one transaction."""
LOOKED_AT_DAYS_MAX = 32
"""A record in suspense is looked at at least so often, though nothing about its number or account changed."""
_FOREVER = datetime.max.replace(tzinfo=UTC)


class Line(NamedTuple):
    """A line that is charged: its account, the `ORDER/ITEM` of its charge, its market, and the local days (ISO) from which and up to which,
    not including, that is so (`ends` empty: for good, or nobody looked)."""

    account: str
    owner: str
    market: str
    begins: str = ""
    ends: str = ""
    metered: bool = True


class Holding(NamedTuple):
    """A time in which a line, as (order, item), held a number."""

    begins: datetime
    ends: datetime
    line: tuple[str, str]


class Place(NamedTuple):
    """The zone and the time band of a record, and the version of an operator's own zones that gave them (empty: the market's)."""

    zone: str
    band: str
    placed_by: str


@dataclass(slots=True)
class _Market:
    """A market's zones in all versions, with the zones of numbers that were looked up."""

    versions: tuple[Zoning, ...]
    zone: ZoneInfo
    digits: int
    zones: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def place(self, other: str, country: str, started_at: datetime) -> Place:
        """The place of a record: numbers that begin with the digits that matter alike are in one zone, so that each is looked up once."""
        local = started_at.astimezone(self.zone)
        holds = self.versions[0] if len(self.versions) == 1 else in_force(self.versions, local.date().isoformat())
        key = (holds.version, other[: self.digits], country)
        if key not in self.zones:
            self.zones[key] = holds.table.zone_of(other, country)
        return Place(self.zones[key], holds.table.band_of(local), holds.version)


@dataclass(slots=True)
class Mediation:
    """Looks up whose records are, and remembers the parties it saw. One is made for each file, so that it never knows what was so long
    ago."""

    app: Engine
    holdings: dict[str, list[Holding]] = field(default_factory=dict)
    changed: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    charged: dict[tuple[str, str], list[Line]] = field(default_factory=dict)
    accounts: dict[str, list[Line]] = field(default_factory=dict)
    markets: dict[str, _Market] = field(default_factory=dict)

    def learn(self, parties: Iterable[str]) -> None:
        """Read what is not known yet of numbers (in E.164 form) and accounts."""
        fresh = {party for party in parties if party not in self.holdings and party not in self.accounts}
        numbers = {party for party in fresh if party.startswith("+")}
        if numbers:
            self._numbers(sorted(numbers))
        if others := sorted(fresh - numbers):
            self.accounts |= {name: [] for name in others}
            self._accounts(others)

    def _accounts(self, accounts: list[str]) -> None:
        ended = dict[str, str]()
        for row in self.app.reads.rows(usage.CHARGED_ON, [account_stream(one) for one in accounts], [EARLY, LATE_CHANGE]):
            line = _line(row)
            if row["type"] == "account.charge-withdrawn":
                ended[line.owner] = row["ended_on"] or ""
            else:
                self.accounts[line.account].append(line)
        for name in accounts:
            lines = [line._replace(ends=ended.get(line.owner, "")) for line in self.accounts[name]]
            self.accounts[name] = sorted(lines, key=lambda line: not line.metered)

    def _numbers(self, numbers: list[str]) -> None:
        self.holdings |= {number: [] for number in numbers}
        taken: dict[str, tuple[datetime, tuple[str, str]]] = {}
        for row in self.app.reads.rows(usage.HOLDERS, [f"number-{number}" for number in numbers]):
            number, at = row["stream"].removeprefix("number-"), row["occurred_at"]
            if began := taken.pop(number, None):
                self.holdings[number].append(Holding(began[0], at, began[1]))
            if row["type"] in ("number.taken", "number.brought-in"):
                taken[number] = (at, (row["order"], row["item"]))
        for number, (began_at, line) in taken.items():
            self.holdings[number].append(Holding(began_at, _FOREVER, line))
        self._lines({holding.line for number in numbers for holding in self.holdings[number]})

    def _lines(self, held: set[tuple[str, str]]) -> None:
        """Read under what lines are charged that held numbers: those of orders, and what later ones made of them."""
        orders = {order for order, _ in held}
        for row in self.app.reads.rows(usage.CHANGED, sorted(orders)) if orders else ():
            order, _, item = row["product"].partition(":")
            self.changed[row["order"], row["item"]] = (order, item)
            orders |= {order, row["order"]}
        found: dict[tuple[str, str], list[Line]] = {self.changed.get(line, line): [] for line in held}
        for row in self.app.reads.rows(usage.CHARGED, sorted(orders), [EARLY, LATE_CHANGE]) if orders else ():
            order, _, item = row["product"].partition(":") if row["product"] else (row["order"], "", row["item"])
            if (order, item) in found:
                found[order, item].append(_line(row))
        self.charged |= {place: sorted(lines, key=lambda line: line.begins) for place, lines in found.items()}

    def line_of(self, party: str, at: datetime) -> Line | str:
        """The line of a party at a time, or why there is none."""
        if not party.startswith("+"):
            return self._payer(self.accounts.get(party, []), at) or NO_ACCOUNT
        holdings = self.holdings.get(party)
        if not holdings:
            return NO_NUMBER
        held = next((one.line for one in holdings if one.begins <= at < one.ends), None)
        if held is None:
            return NO_HOLDER
        return self._charge(self.charged.get(self.changed.get(held, held), []), at) or NO_CHARGE

    def _charge(self, lines: list[Line], at: datetime) -> Line | None:
        """The charge of a line that began last by the day of use; the first one for what was used before it."""
        if len(lines) <= 1:
            return lines[0] if lines else None
        day = self._day(lines[0], at)
        return next((line for line in reversed(lines) if line.begins <= day), lines[0])

    def _payer(self, lines: list[Line], at: datetime) -> Line | None:
        """The first line of an account that was charged on the day of use; where none was, its first one."""
        if len(lines) <= 1:
            return lines[0] if lines else None
        day = self._day(lines[0], at)
        return next((line for line in lines if line.begins <= day and (not line.ends or day < line.ends)), lines[0])

    def _day(self, line: Line, at: datetime) -> str:
        return local_date(at, self.app.book.market(line.market).zone).isoformat()

    def place(self, line: Line, other: str, country: str, at: datetime) -> Place:
        """The place of a record of a line."""
        known = self.markets.get(line.market)
        if known is None:
            known = self.markets[line.market] = self._market(line.market)
        return known.place(other, country, at)

    def _market(self, pin: str) -> _Market:
        market = self.app.book.market(pin)
        state: ZonesState = self.app.load([ZONES], remembered=True)[ZONES].state
        versions = book_of(state.documents).of(market.code, market.usage)
        return _Market(versions, ZoneInfo(market.zone), 1 + max(each.table.digits_told for each in versions))


def _line(row: Mapping[str, Any]) -> Line:
    owner = f"{row['order']}/{row['item']}"
    return Line(row["account"] or "", owner, row["market"] or "", row["starts_on"] or "", metered=row["metered"])


def rated_again(app: Engine) -> list[str]:
    """Give the records in suspense that are somebody's by now to whose they are; the account of each.

    Looked at are those whose number or account became somebody's since the last time, and those that are due by their own time.
    """
    since = usage.owned_since(app.reads)
    if since is None:
        return []
    (parties, position), now = since, app.clock().now
    mediation, after, given = Mediation(app), 0, list[str]()
    while waiting := app.reads.rows(usage.WAITING, now=now, parties=parties, after=after, limit=WAITING_MAX):
        after = waiting[-1]["id"]
        mediation.learn(row["party"] for row in waiting)
        if found := [one for row in waiting if (one := _given(mediation, row)) is not None]:
            with app.reads.datastore.get_connection() as conn, usage.adding(conn):
                usage.resolve(conn, found)
            given += [one["account"] for one in found]
    with app.reads.datastore.get_connection() as conn:
        usage.looked(conn, position, now, LOOKED_AT_DAYS_MAX)
    return given


def _given(mediation: Mediation, row: Mapping[str, Any]) -> dict[str, str] | None:
    line = mediation.line_of(row["party"], row["started_at"])
    if isinstance(line, str):
        return None
    place = mediation.place(line, row["other"], row["country"], row["started_at"])
    owned = {"account": line.account, "owner": line.owner}
    return {"source": row["source"], "key": row["key"], **place._asdict(), "zone": row["zone"] or place.zone, **owned}
