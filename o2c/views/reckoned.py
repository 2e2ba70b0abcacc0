"""By what usage of an account is judged in real time: as a bill would rate it, without rating all of a period again for each session.

A process remembers of the accounts that it saw last what their earlier records came to, and rates only what began since the oldest session
that is under way. Records that come late, a new state of the account, and a bill that is to come begin anew; the answer is the same either
way.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from o2c.engine.app import Engine
from o2c.kernel.charges import account_stream
from o2c.kernel.frozen import changed
from o2c.kernel.periods import local_date
from o2c.kernel.records import RECORDS, RecordsWanted, UsageRecord
from o2c.rating.account import Rated, rate, rate_on
from o2c.store import usage

if TYPE_CHECKING:
    from o2c.kernel.work import Work
    from o2c.rating.room import Basis

ACCOUNTS_MAX = 2_000
"""How many accounts a process remembers."""
_ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Reckoned:
    """What the records that began before `upto` came to, and those since: `basis` is that of the account's stream at `position`, `last` the
    last place read."""

    position: int
    basis: Basis
    rated: Rated
    upto: datetime
    since: list[UsageRecord]
    last: int


_known: WeakKeyDictionary[Engine, OrderedDict[str, _Reckoned]] = WeakKeyDictionary()
_turn = Lock()


def basis_of(app: Engine, work: Work, run_on: date, at: datetime, *, since: datetime) -> Basis:
    """By what usage of an account is judged at a time: what is on no bill yet of what began by then. `since` is when the oldest began that
    is not recorded yet.

    Who asks for one account does so one at a time. Records in suspense are not looked at again.
    """
    from o2c.invoicing import usage as rules

    on = local_date(at, work.market.zone)
    wanted = rules.wanted_before(work.state, run_on, work.market.zone)
    if on >= run_on:
        records = usage.of_account(app.reads, changed(wanted, before=at + timedelta(microseconds=1)))
        return rules.basis_at(changed(work, read={**work.read, RECORDS: records}), run_on, on)
    position = app.load([account_stream(work.state.account)], remembered=True)[account_stream(work.state.account)].position
    known = _remembered(app, work.state.account)
    if known is None or known.position != position or not _read_on(app, known, work.state.account):
        records = usage.of_account(app.reads, changed(wanted, before=_ALWAYS))
        basis = rules.basis_at(work, run_on, on)
        begun = rate((), basis.rules, basis.grants, basis.spent)
        last = max((record.id for record in records), default=wanted.through)
        known = _Reckoned(position, basis, begun, datetime.min.replace(tzinfo=UTC), list(records), last)
        _remember(app, work.state.account, known)
    if since > known.upto:
        rate_on(known.rated, [record for record in known.since if record.started_at < since], known.basis.rules)
        known.since, known.upto = [record for record in known.since if record.started_at >= since], since
    return replace(known.basis, records=[record for record in known.since if record.started_at <= at], begun=known.rated)


def _read_on(app: Engine, known: _Reckoned, account: str) -> bool:
    """Read the records that came since; False where one of them began before what was rated already."""
    came = usage.of_account(app.reads, RecordsWanted(account, _ALWAYS, known.last, _ALWAYS))
    known.since += came
    known.last = max((record.id for record in came), default=known.last)
    return all(record.started_at >= known.upto for record in came)


def _remembered(app: Engine, account: str) -> _Reckoned | None:
    with _turn:
        accounts = _known.get(app)
        if accounts is None or account not in accounts:
            return None
        accounts.move_to_end(account)
        return accounts[account]


def _remember(app: Engine, account: str, known: _Reckoned) -> None:
    with _turn:
        accounts = _known.setdefault(app, OrderedDict())
        accounts[account] = known
        while len(accounts) > ACCOUNTS_MAX:
            accounts.popitem(last=False)
