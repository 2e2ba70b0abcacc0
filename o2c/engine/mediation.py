"""Whose a record of usage is: the line that held the number when it was used, its account, and the zone and time band by the rules of its market.

Records of nobody wait in suspense. Whenever records are added or taken for a bill, those are looked at again whose number or account became somebody's since, and
each by itself the later the longer it has waited: what is nobody's for good costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from o2c.kernel.charges import account_stream
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
    """A line that is charged: its account, `ORDER/ITEM`, and its market."""

    account: str
    owner: str
    market: str


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
    """Looks up whose records are, and remembers the parties it saw. One is made for each file, so that it never knows what was so long ago."""

    app: Engine
    holdings: dict[str, list[Holding]] = field(default_factory=dict)
    charged: dict[tuple[str, str], Line] = field(default_factory=dict)
    accounts: dict[str, Line | None] = field(default_factory=dict)
    markets: dict[str, _Market] = field(default_factory=dict)

    def learn(self, parties: Iterable[str]) -> None:
        """Read what is not known yet of numbers (in E.164 form) and accounts."""
        fresh = {party for party in parties if party not in self.holdings and party not in self.accounts}
        numbers = {party for party in fresh if party.startswith("+")}
        if numbers:
            self._numbers(sorted(numbers))
        if others := sorted(fresh - numbers):
            self.accounts |= dict.fromkeys(others)
            for row in self.app.reads.rows(usage.CHARGED_ON, [account_stream(one) for one in others]):
                line = Line(row["account"], f"{row['order']}/{row['item']}", row["market"])
                self.accounts[line.account] = self.accounts[line.account] or line

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
        orders = {holding.line[0] for number in numbers for holding in self.holdings[number]}
        for row in self.app.reads.rows(usage.CHARGED, sorted(orders)):
            place = (row["order"], row["item"])
            self.charged[place] = Line(row["account"], f"{place[0]}/{place[1]}", row["market"])

    def line_of(self, party: str, at: datetime) -> Line | str:
        """The line of a party at a time, or why there is none."""
        if not party.startswith("+"):
            return self.accounts.get(party) or NO_ACCOUNT
        holdings = self.holdings.get(party)
        if not holdings:
            return NO_NUMBER
        held = next((one.line for one in holdings if one.begins <= at < one.ends), None)
        return NO_HOLDER if held is None else self.charged.get(held, NO_CHARGE)

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
