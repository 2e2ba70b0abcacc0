"""The books: how the accounts of the chart stand, and every posting behind that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.periods import Period, local_date, stamp
from o2c.kernel.refusal import Refused
from o2c.ledger.postings import CHART
from o2c.ledger.recognition import earned_on
from o2c.markets.registry import HOME, current, zones
from o2c.views.reading import plain
from o2c.views.shown import ClosingShown, LedgerLineShown, TrialBalanceShown
from projections import balances, closings, invoices, postings, prepaid

EVERY_POSITION = 2**63 - 1
EARNED = "revenue.earned"
"""What a line of an export says in the place of an event's type that nothing but time made."""
BILLED = ("revenue", "other-income", "deferred-revenue", "tax")
"""The accounts on which what was billed is."""


def trial_balance(app: Engine, *, on: date | None = None, at: datetime | None = None) -> TrialBalanceShown:
    """How every account of the chart stands at the end of a day: as known now, or by the events that had happened by a time.

    Without either it is how they stand now; then `compared` holds them against what the other projections say, and every difference must be
    zero. What is billed in advance is earned by days, the day itself included. Amounts are minor units. The projections must be caught up.
    Raises Refused (usage) for both a day and a time, and for a time on no day.
    """
    if on and at:
        raise Refused("give a day or a time, not both")
    day = on or (_day_at_home(at) if at else today(app))
    # Where the clocks are ahead of ours it may be tomorrow.
    posted = accounts_on(app, day if on else day + timedelta(1), day, at=at)
    known = {(row["ledger_account"], row["currency"]): row["balance_minor"] for row in posted}
    shown = {
        "on": day.isoformat(),
        "at": stamp(at) if at else None,
        "balanced": not any(sum(known[key] for key in known if key[1] == currency) for currency in {key[1] for key in known}),
        "accounts": [
            {**row, "kind": CHART[row["ledger_account"]], "debit_minor": max(minor, 0), "credit_minor": max(-minor, 0)}
            for row in posted
            for minor in [row["balance_minor"]]
        ],
        "compared": [] if on or at else _compared(app, known),
    }
    return cast("TrialBalanceShown", shown)


def _compared(app: Engine, known: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    """The accounts against the projections that tell of the same money in their own way."""
    rows = [*app.reads.rows(invoices.STANDING), *app.reads.rows(balances.STANDING), *app.reads.rows(prepaid.STANDING)]
    told: dict[tuple[str, str], int] = {}
    for row in rows:
        for what in ("receivable", "billed", "customer-credit", "owed-to-customers", "deposit", "prepaid"):
            told[what, row["currency"]] = told.get((what, row["currency"]), 0) + row.get(what, 0)
    found = []
    for (what, currency), projected in sorted(told.items()):
        sign = 1 if what == "receivable" else -1
        ledger = sign * sum(known.get((account, currency), 0) for account in (BILLED if what == "billed" else (what,)))
        found.append({
            "what": what, "currency": currency, "ledger_minor": ledger, "projections_minor": projected, "difference_minor": ledger - projected,
        })  # fmt: skip
    return found


def export_ledger(app: Engine, *, since: date | None = None, on: date | None = None) -> list[LedgerLineShown]:
    """Every posting of the days from `since` up to the end of the day `on` (today), in the order of the books; they sum to zero in every
    currency.

    One line a posting, with the event that made it; what a day earned of what was billed in advance is two lines by the invoice's event.
    `of_day` is the closed day that a posting belongs to which came later. The projections must be caught up.
    """
    return [plain(line) for line in lines_between(app, since, on or today(app))]


def list_closings(app: Engine, *, limit: int | None = None) -> list[ClosingShown]:
    """The closings of the books, the last one first: the day, the position up to which events are in it, the accounts at its end, the
    digest.

    The projections must be caught up.
    """
    return [plain({**row, "upto": str(row["upto"])}) for row in app.reads.rows(closings.LISTED, limit)]


def accounts_on(app: Engine, on: date, earned_by: date, *, upto: int | None = None, at: datetime | None = None) -> list[dict[str, Any]]:
    """The balances by account of the chart and currency at the end of a day, of events up to a position or a time; earned is what is by a
    day."""
    return app.reads.rows(postings.SUMS, on=on, earned_by=earned_by, **_known(app, upto, at))


def postings_between(app: Engine, since: date | None, on: date, *, upto: int | None = None) -> list[dict[str, Any]]:
    """The postings of the days from `since` to `on`, and those before of which something is earned in these days, in the order of the
    books."""
    return app.reads.rows(postings.LINES, since=since, on=on, **_known(app, upto, None))


def lines_between(app: Engine, since: date | None, on: date) -> Iterator[dict[str, Any]]:
    """The lines of an export: postings and what is earned, day by day."""
    rows = postings_between(app, since, on)
    made = [row for row in rows if since is None or row["day"] >= since]
    days = [line for row in rows if row["to_day"] for line in _earned(row, since, on)]
    for row in sorted([*made, *days], key=lambda row: (row["day"], row["type"] == EARNED, row["position"], row["line"])):
        minor = row.pop("amount_minor")
        yield {**row, "position": str(row["position"]), "debit_minor": max(minor, 0), "credit_minor": max(-minor, 0)}


def _earned(row: dict[str, Any], since: date | None, on: date) -> Iterator[dict[str, Any]]:
    """What each day earned of a posting, as two lines: off what is deferred, to the revenue."""
    period, posted_on = Period(row["from_day"], row["to_day"]), row["day"]
    day = max(period.start, posted_on, since or posted_on)
    last = min(max(period.end - timedelta(1), posted_on), on)
    while day <= last:
        if minor := earned_on(row["amount_minor"], period, day, posted_on=posted_on):
            for account, amount in (("deferred-revenue", -minor), ("revenue", minor)):
                yield {**row, "day": day, "of_day": None, "type": EARNED, "ledger_account": account, "amount_minor": amount}
        day += timedelta(1)


def _known(app: Engine, upto: int | None, at: datetime | None) -> dict[str, Any]:
    home = current(HOME, app.clock().now.date()).zone
    return {"upto": EVERY_POSITION if upto is None else upto, "at": at, "zones": json.dumps(zones()), "home": home}


def today(app: Engine) -> date:
    """The day of the store's clock at home."""
    return _day_at_home(app.clock().now)


def _day_at_home(at: datetime) -> date:
    try:
        return local_date(at, current(HOME, at.date()).zone)
    except OverflowError:
        raise Refused(f"{at.isoformat()} is on no day of the calendar; give a time within it") from None
